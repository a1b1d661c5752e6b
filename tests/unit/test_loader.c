/* The loader against real files: those of tests/plugins/bad, and copies with other rights. */
#include "core/instance.h"
#include "core/loader.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BAD "tests/plugins/bad/.libs/"

static const struct { const char *file, *sentence; } refused[] = {
    { BAD "no_symbol.so",
      "it has no symbol ec_plugin_entry_1, so it is no plugin for ABI 1 level 1; remove it, or "
      "rebuild it against this daemon's SDK" },
    { BAD "wrong_major.so",
      "built for ABI 2, this daemon speaks ABI 1 level 1; rebuild it against this daemon's SDK" },
    { BAD "future_level.so",
      "built for ABI 1 level 99, this daemon speaks ABI 1 level 1; update the daemon, or rebuild "
      "it against this daemon's SDK" },
    { BAD "null_descriptor.so",
      "its entry gave no descriptor; correct it, and rebuild it against this daemon's SDK" },
    { BAD "null_table.so",
      "it announces 3 uses and its table is NULL; rebuild it against this daemon's SDK" },
    { BAD "unnamed.so", "its name 'Un-Named' is not [a-z][a-z0-9_]{0,31}, or is 'core'; give it "
      "another" },
    { BAD "missing.so", "it cannot be read: No such file or directory" },
};

START_TEST(a_bad_file_is_refused_in_one_sentence)
{
    struct instance *i = instance_new(refused[_i].file);
    char expected[1024];

    snprintf(expected, sizeof expected, "%s: refused: %s", refused[_i].file, refused[_i].sentence);
    ck_assert_int_ne(loader_open(i), 0);
    ck_assert_str_eq(i->why, expected);
    ck_assert_str_eq(i->d.id, "");
    instance_free(i);
}
END_TEST

START_TEST(a_short_descriptor_is_refused_with_both_sizes)
{
    struct instance *i = instance_new(BAD "short_struct.so");
    char expected[1024];

    snprintf(expected, sizeof expected,
             "%s: refused: its descriptor has 40 bytes, that of ABI 1 level 1 has %zu; rebuild it "
             "against this daemon's SDK",
             i->path, offsetof(struct ec_plugin, destroy) + sizeof(void *));
    ck_assert_int_ne(loader_open(i), 0);
    ck_assert_str_eq(i->why, expected);
    instance_free(i);
}
END_TEST

START_TEST(a_plugin_without_callbacks_is_loaded)
{
    struct instance *i = instance_new(BAD "a_twin.so");
    void *state;
    char why[64];

    ck_assert_str_eq(i->d.name, "a_twin");          /* its file's, until it says its own */
    ck_assert_int_eq(loader_open(i), 0);
    ck_assert_str_eq(i->d.name, "twin");
    ck_assert_int_eq(instance_create(i), 0);
    ck_assert_int_eq(instance_setup(i), 0);
    ck_assert_int_eq(instance_configure(i, NULL, &state, why, sizeof why), 0);
    ck_assert_int_eq(instance_start(i, NULL), 0);
    ck_assert_int_eq(i->status, INSTANCE_RUNNING);
    instance_stop(i);
    instance_destroy(i);
    instance_free(i);
}
END_TEST

/* A copy of a good plugin in a folder of its own. */
static char folder[64], copy[96];

static void make_copy(void)
{
    char command[256];

    strcpy(folder, "/tmp/ecyber-loader.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(copy, sizeof copy, "%s/copy.so", folder);
    snprintf(command, sizeof command, "cp " BAD "a_twin.so %s && chmod 755 %s", copy, copy);
    ck_assert_int_eq(system(command), 0);
}

static void remove_copy(void)
{
    unlink(copy);
    rmdir(folder);
}

START_TEST(a_file_that_others_can_write_is_refused)
{
    struct instance *i = instance_new(copy);
    char expected[512];

    ck_assert_int_eq(chmod(copy, 0757), 0);
    snprintf(expected, sizeof expected,
             "%s: refused: others can write to it (mode 0757); chmod go-w %s", copy, copy);
    ck_assert_int_ne(loader_open(i), 0);
    ck_assert_str_eq(i->why, expected);
    instance_free(i);
}
END_TEST

START_TEST(a_link_into_a_folder_that_others_can_write_is_refused)
{
    struct instance *i;
    char open_folder[256], target[300], expected[768];

    snprintf(open_folder, sizeof open_folder, "%s/open", folder);
    snprintf(target, sizeof target, "%s/real.so", open_folder);
    ck_assert_int_eq(mkdir(open_folder, 0755), 0);
    ck_assert_int_eq(rename(copy, target), 0);
    ck_assert_int_eq(symlink(target, copy), 0);
    ck_assert_int_eq(chmod(open_folder, 0777), 0);
    i = instance_new(copy);
    snprintf(expected, sizeof expected,
             "%s: refused: others can write to the folder that it links to (mode 0777); "
             "chmod go-w %s", copy, open_folder);
    ck_assert_int_ne(loader_open(i), 0);
    ck_assert_str_eq(i->why, expected);
    instance_free(i);
    unlink(target);
    rmdir(open_folder);
}
END_TEST

START_TEST(a_folder_that_others_can_write_is_refused)
{
    struct instance *i = instance_new(copy);
    char expected[512];

    ck_assert_int_eq(chmod(folder, 0777), 0);
    snprintf(expected, sizeof expected,
             "%s: refused: others can write to its folder (mode 0777); chmod go-w %s", copy,
             folder);
    ck_assert_int_ne(loader_open(i), 0);
    ck_assert_str_eq(i->why, expected);
    instance_free(i);
}
END_TEST

START_TEST(a_file_of_another_user_is_refused)
{
    struct instance *i = instance_new(copy);
    char expected[512];

    if (geteuid() == 0) {                           /* only root can give a file away */
        ck_assert_int_eq(chown(copy, 12345, 0), 0);
        snprintf(expected, sizeof expected,
                 "%s: refused: it belongs to user 12345, and neither to root nor to the user "
                 "that runs the daemon; chown root %s",
                 copy, copy);
        ck_assert_int_ne(loader_open(i), 0);
        ck_assert_str_eq(i->why, expected);
    }
    instance_free(i);
}
END_TEST

START_TEST(a_file_that_is_no_object_is_refused)
{
    struct instance *i = instance_new(copy);
    FILE *f = fopen(copy, "w");
    char expected[256];

    ck_assert_ptr_nonnull(f);
    fputs("hello", f);
    fclose(f);
    snprintf(expected, sizeof expected, "%s: refused: it cannot be loaded: ", copy);
    ck_assert_int_ne(loader_open(i), 0);
    ck_assert_int_eq(strncmp(i->why, expected, strlen(expected)), 0);
    instance_free(i);
}
END_TEST

/* Descriptors of another length and tables of another stride, as later levels of this major will
 * have them. */
struct later_use { struct ec_use use; uint64_t more; };
static const struct later_use uses[] = {
    { { sizeof(struct later_use), EC_USE_RUN, 8, 0, "org.example.a/1" }, 1 },
    { { sizeof(struct later_use), EC_USE_SETUP, 16, 0, "org.example.b/1" }, 2 },
};
static struct { struct ec_plugin p; uint64_t more[4]; } later;

static void make_later(void)
{
    memset(&later, 0, sizeof later);
    later.p.size = sizeof later;
    later.p.abi_major = EC_ABI_MAJOR;
    later.p.api_level = EC_API_LEVEL;
    later.p.id = "org.example.later";
    later.p.name = "later";
    later.p.n_use = 2;
    later.p.use_stride = sizeof uses[0];
    later.p.use = &uses[0].use;
}

START_TEST(a_longer_descriptor_and_a_wider_stride_are_taken)
{
    struct instance *i = instance_new("later.so");

    make_later();
    ck_assert_int_eq(loader_agree(i, &later.p, "later.so"), 0);
    ck_assert_uint_eq(i->d.size, sizeof i->d);
    ck_assert_uint_eq(i->d.use_stride, sizeof(struct ec_use));
    ck_assert_str_eq(i->d.use[1].id, "org.example.b/1");
    ck_assert_uint_eq(i->d.use[1].min_size, 16);
    ck_assert_str_eq(i->d.version, "");
    instance_free(i);
}
END_TEST

static void spoil_stride(void) { later.p.use_stride = 8; }
static void spoil_level(void) { later.p.api_level = 0; }
static void spoil_id(void) { later.p.id = "no id"; }
static void spoil_count(void) { later.p.n_use = 100000; }
static void spoil_name(void) { later.p.name = "core"; }
static const struct { void (*spoil)(void); const char *part; } spoils[] = {
    { spoil_stride, "its table of uses has a stride of 8 bytes, level 1 has 24; rebuild" },
    { spoil_level, "it states API level 0, this daemon speaks ABI 1 level 1 to 1" },
    { spoil_id, "its id 'no id' is not like org.example.hello" },
    { spoil_count, "it announces 100000 uses, at most 1024 are taken" },
    { spoil_name, "its name 'core' is not" },
};

START_TEST(a_spoilt_descriptor_is_refused)
{
    struct instance *i = instance_new("later.so");

    make_later();
    spoils[_i].spoil();
    ck_assert_int_ne(loader_agree(i, &later.p, "later.so"), 0);
    ck_assert_msg(strstr(i->why, spoils[_i].part) != NULL, "%s", i->why);
    ck_assert_int_eq(strncmp(i->why, "later.so: refused: ", 19), 0);
    ck_assert_str_eq(i->d.name, "later");
    instance_free(i);
}
END_TEST

static char scanned[512];

static void note(const char *path, void *arg)
{
    (void)arg;
    strcat(scanned, strrchr(path, '/') + 1);
    strcat(scanned, " ");
}

START_TEST(a_folder_is_scanned_by_name)
{
    char why[256], path[128];
    static const char *const names[] = { "b.so", "a.so", ".hidden.so", "c.txt", "so" };

    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[k]);
        fclose(fopen(path, "w"));
    }
    scanned[0] = '\0';
    ck_assert_int_eq(loader_scan(folder, note, NULL, why, sizeof why), 0);
    ck_assert_str_eq(scanned, "a.so b.so copy.so ");
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[k]);
        unlink(path);
    }
    ck_assert_int_ne(loader_scan("/nonexistent", note, NULL, why, sizeof why), 0);
    ck_assert_str_eq(why,
                     "/nonexistent: the plugin folder cannot be read: No such file or directory");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("loader");
    TCase *t = tcase_create("files"), *rights = tcase_create("rights"),
          *agree = tcase_create("agree");

    tcase_add_loop_test(t, a_bad_file_is_refused_in_one_sentence, 0,
                        sizeof refused / sizeof refused[0]);
    tcase_add_test(t, a_short_descriptor_is_refused_with_both_sizes);
    tcase_add_test(t, a_plugin_without_callbacks_is_loaded);
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(rights, make_copy, remove_copy);
    tcase_add_test(rights, a_file_that_others_can_write_is_refused);
    tcase_add_test(rights, a_folder_that_others_can_write_is_refused);
    tcase_add_test(rights, a_link_into_a_folder_that_others_can_write_is_refused);
    tcase_add_test(rights, a_file_of_another_user_is_refused);
    tcase_add_test(rights, a_file_that_is_no_object_is_refused);
    tcase_add_test(rights, a_folder_is_scanned_by_name);
    suite_add_tcase(s, rights);
    tcase_add_test(agree, a_longer_descriptor_and_a_wider_stride_are_taken);
    tcase_add_loop_test(agree, a_spoilt_descriptor_is_refused, 0, sizeof spoils / sizeof spoils[0]);
    suite_add_tcase(s, agree);
    return unit_run(s);
}
