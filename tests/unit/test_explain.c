#include "tests/unit/unit.h"

#include "cli/explain.h"

#include <stdlib.h>
#include <string.h>

#define ALERT                                                                                      \
    "{\"event_type\":\"alert\",\"src_ip\":\"10.0.0.1\",\"src_port\":5,\"dest_ip\":\"fe80::1\","     \
    "\"dest_port\":80,\"proto\":\"TCP\",\"alert\":{\"gid\":1,\"signature_id\":9,\"rev\":2,"         \
    "\"signature\":\"a rule\"},\"ecyber\":{\"why\":{\"rule\":\"alert ip any any\","                 \
    "\"matches\":[{\"keyword\":\"content\",\"buffer\":\"http.uri\",\"offset\":4,\"length\":6,"             \
    "\"bytes\":\"611bc29b5b62\",\"printable\":\"a\\u001b\\u009b[b\"}]}}}\n"

/* What explain_stream() prints for the text; the caller frees it. *alerts: its result. */
static char *explain(const char *text, long *alerts)
{
    char *printed = NULL;
    size_t size = 0;
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    FILE *out = open_memstream(&printed, &size);

    *alerts = explain_stream(in, out, "test");
    fclose(in);
    fclose(out);
    return printed;
}

START_TEST(a_match_names_buffer_place_and_bytes)
{
    long alerts;
    char *printed = explain("{\"event_type\":\"flow\"}\n" ALERT, &alerts);

    ck_assert_int_eq(alerts, 1);
    ck_assert_ptr_nonnull(strstr(printed, "[1:9:2]  a rule\n"));
    ck_assert_ptr_nonnull(strstr(printed, "10.0.0.1:5 -> [fe80::1]:80  TCP\n"));
    ck_assert_ptr_nonnull(strstr(printed, "rule     alert ip any any\n"));
    ck_assert_ptr_nonnull(strstr(printed, "content in http.uri at offset 4, length 6: \"a\\x1b"));
    free(printed);
}
END_TEST

START_TEST(no_control_character_reaches_the_terminal)
{
    long alerts;
    char *printed = explain(ALERT, &alerts);

    ck_assert_ptr_null(strchr(printed, 0x1b));
    ck_assert_ptr_null(strchr(printed, 0x9b));
    ck_assert_ptr_nonnull(strstr(printed, "\"a\\x1b\\u009b[b\" = 61 1b c2 9b 5b 62\n"));
    free(printed);
}
END_TEST

static const char *const broken[] = {
    "{\"event_type\":\n", "[1]\n", "null\n", "\n", "{} {}\n", "{\"event_type\":\"alert\",}\n",
};

START_TEST(a_line_that_is_no_object_is_an_error)
{
    long alerts;
    char *printed = explain(broken[_i], &alerts);

    ck_assert_int_eq(alerts, -1);
    free(printed);
}
END_TEST

START_TEST(an_alert_without_evidence_is_printed)
{
    long alerts;
    char *printed = explain("{\"event_type\":\"alert\",\"alert\":{\"signature_id\":3}}\n", &alerts);

    ck_assert_int_eq(alerts, 1);
    ck_assert_ptr_nonnull(strstr(printed, "[0:3:0]"));
    free(printed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explain");
    TCase *tc = tcase_create("explain");

    tcase_add_test(tc, a_match_names_buffer_place_and_bytes);
    tcase_add_test(tc, no_control_character_reaches_the_terminal);
    tcase_add_loop_test(tc, a_line_that_is_no_object_is_an_error, 0, sizeof broken / sizeof *broken);
    tcase_add_test(tc, an_alert_without_evidence_is_printed);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
