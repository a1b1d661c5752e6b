#include "tests/unit/unit.h"

#include "core/version.h"

#include <stdlib.h>
#include <string.h>

START_TEST(build_info_names_version_and_folders)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ck_assert_int_eq(version_print_build(out), 0);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, version_string()));
    ck_assert_ptr_nonnull(strstr(text, "\nplugins: /"));
    ck_assert_ptr_nonnull(strstr(text, "\nconfiguration: /"));
    free(text);
}
END_TEST

START_TEST(build_info_reports_a_full_disk)
{
    FILE *out = fopen("/dev/full", "w");

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(version_print_build(out), -1);
    fclose(out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("version");
    TCase *tc = tcase_create("build-info");

    tcase_add_test(tc, build_info_names_version_and_folders);
    tcase_add_test(tc, build_info_reports_a_full_disk);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
