/* The managed rules: their list, their text, and what is left of them on disk when something goes wrong. */
#include "plugins/ids/manage/keep.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void make_dir(void)
{
    snprintf(dir, sizeof dir, "/tmp/ecyber-managed-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    while ((e = readdir(d)))
        unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(dir);
}

static struct managed *with(struct managed *m, uint32_t gid, uint32_t sid, enum managed_switch turn, const char *text)
{
    const struct managed_edit e = { .gid = gid, .sid = sid, .turn = turn, .text = text, .len = (uint32_t)strlen(text),
                                    .by = "anna", .at_ns = 5 };
    struct managed *next = managed_with(m, &e);

    ck_assert_ptr_nonnull(next);
    managed_release(m);
    return next;
}

static struct managed *some(void)
{
    struct managed *m = with(managed_new(), 1, 20, SWITCH_NONE, "alert tcp any any -> any any (sid:20;)");

    m = with(m, 1, 10, SWITCH_OFF, "");
    m = with(m, 2, 10, SWITCH_OFF, "alert udp any any -> any any (gid:2; sid:10;)");
    return m;
}

static void put(const char *name, const char *text, size_t n)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    out = fopen(path, "we");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(text, 1, n, out), n);
    fclose(out);
}

static bool there(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return !access(path, F_OK);
}

START_TEST(a_change_makes_the_next_version_and_leaves_the_one_before)
{
    struct managed *m = some(), *less;

    ck_assert_uint_eq(m->n, 3);
    ck_assert_uint_eq(m->version, 3);
    ck_assert_uint_eq(m->rule[0]->sid, 10);
    ck_assert_uint_eq(m->rule[1]->sid, 20);
    ck_assert_uint_eq(m->rule[2]->gid, 2);
    less = managed_without(m, 1, 20);
    ck_assert_uint_eq(less->n, 2);
    ck_assert_uint_eq(less->version, 4);
    ck_assert_ptr_null(managed_find(less, 1, 20));
    ck_assert_ptr_nonnull(managed_find(m, 1, 20));
    ck_assert_uint_eq(managed_find(m, 1, 20)->version, 1);
    managed_release(m);
    ck_assert_str_eq(managed_find(less, 2, 10)->by, "anna");
    less = with(less, 1, 10, SWITCH_ON, "");
    ck_assert_int_eq(managed_find(less, 1, 10)->turn, SWITCH_ON);
    ck_assert_uint_eq(less->n, 2);
    managed_release(less);
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
    struct managed *m = some(), *back;
    size_t n, again_n;
    char *text = managed_write(m, &n), *again, why[200] = "";
    bool newer;

    back = managed_read(text, n, &newer, why, sizeof why);
    ck_assert_msg(back != NULL, "%s", why);
    again = managed_write(back, &again_n);
    ck_assert_uint_eq(n, again_n);
    ck_assert_mem_eq(text, again, n);
    ck_assert_uint_eq(back->version, 3);
    ck_assert_int_eq(managed_find(back, 1, 10)->turn, SWITCH_OFF);
    free(text);
    free(again);
    managed_release(m);
    managed_release(back);
}
END_TEST

/* Cut anywhere, or with any byte changed: none of it is taken for whole. */
START_TEST(half_a_file_and_every_flipped_bit_are_refused)
{
    struct managed *m = some(), *back;
    size_t n;
    char *text = managed_write(m, &n), why[200];
    bool newer;

    for (size_t i = 0; i < n; i++) {
        why[0] = '\0';
        ck_assert_ptr_null(managed_read(text, i, &newer, why, sizeof why));
        ck_assert_msg(!strncmp(why, "line ", 5), "%zu: %s", i, why);
        for (int bit = 0; bit < 8; bit++) {
            text[i] = (char)(text[i] ^ 1 << bit);
            back = managed_read(text, n, &newer, why, sizeof why);
            ck_assert_msg(!back, "byte %zu, bit %d", i, bit);
            text[i] = (char)(text[i] ^ 1 << bit);
        }
    }
    free(text);
    managed_release(m);
}
END_TEST

START_TEST(garbage_is_refused_with_its_line)
{
    static const struct { const char *text, *why; } bad[] = {
        { "", "line 1: the file breaks off" },
        { "hello\n", "line 1: these are not rules that eCyber wrote" },
        { "ecyber-rules 1\nversion -1\n", "line 2: the version is missing" },
        { "ecyber-rules 1\nversion 01\n", "line 2: the version is missing" },
        { "ecyber-rules 1\nversion 99999999999999999999\n", "line 2: the version is missing" },
        { "ecyber-rules 1\nversion 1\nrule 1 2 1 on 5 0\n", "line 3: this is not how a rule begins" },
        { "ecyber-rules 1\nversion 1\nrule 1 0 1 on 5 0 a\n", "line 3: this is not how a rule begins" },
        { "ecyber-rules 1\nversion 1\nrule 1 2 2 on 5 0 a\n", "line 3: this is not how a rule begins" },
        { "ecyber-rules 1\nversion 1\nrule 1 2 1 as-written 5 0 a\n", "line 3: this is not how a rule begins" },
        { "ecyber-rules 1\nversion 1\nrule 1 2 1 on 5 99999 a\n", "line 3: this is not how a rule begins" },
        { "ecyber-rules 1\nversion 1\nrule 1 2 1 on 5 9 a\nabc\n", "line 4: the rule is not as long as it says" },
        { "ecyber-rules 1\nversion 2\nrule 1 2 1 on 5 0 a\nrule 1 2 2 on 5 0 a\n",
          "line 4: the rules are not in order" },
        { "ecyber-rules 1\nversion 0\nend 0 0000000000000000\n",
          "line 3: the checksum is not that of what stands before it: the file was damaged" },
        { "ecyber-rules 2\n", "line 1: another version of eCyber wrote these rules" },
    };
    char why[200];
    bool newer;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_ptr_null(managed_read(bad[i].text, strlen(bad[i].text), &newer, why, sizeof why));
        ck_assert_str_eq(why, bad[i].why);
        ck_assert_int_eq(newer, i == sizeof bad / sizeof bad[0] - 1);
    }
}
END_TEST

static struct managed *read_dir(enum keep_found *found, char *why, size_t n)
{
    struct managed *m = keep_read(dir, found, why, n);

    ck_assert_ptr_nonnull(m);
    return m;
}

START_TEST(none_is_no_error_and_what_is_kept_is_found)
{
    enum keep_found found;
    char why[700] = "";
    struct managed *m = read_dir(&found, why, sizeof why), *back;

    ck_assert_int_eq(found, KEEP_FINE);
    ck_assert_uint_eq(m->n, 0);
    managed_release(m);
    m = some();
    ck_assert_int_eq(keep_write(dir, m, why, sizeof why), 0);
    ck_assert(!there(KEEP_NAME ".new") && !there(KEEP_NAME ".old"));
    back = read_dir(&found, why, sizeof why);
    ck_assert_int_eq(found, KEEP_FINE);
    ck_assert_uint_eq(back->n, 3);
    managed_release(back);
    managed_release(m);
}
END_TEST

/* What kill -9 or a full disk may leave beside the file is passed over. */
START_TEST(half_a_new_file_is_passed_over)
{
    enum keep_found found;
    char why[700] = "";
    struct managed *m = some(), *back;

    ck_assert_int_eq(keep_write(dir, m, why, sizeof why), 0);
    put(KEEP_NAME ".new", "ecyber-ru", 9);
    back = read_dir(&found, why, sizeof why);
    ck_assert_int_eq(found, KEEP_FINE);
    ck_assert_uint_eq(back->n, 3);
    managed_release(back);
    m = with(m, 3, 3, SWITCH_ON, "");
    ck_assert_int_eq(keep_write(dir, m, why, sizeof why), 0);
    back = read_dir(&found, why, sizeof why);
    ck_assert_uint_eq(back->n, 4);
    managed_release(back);
    managed_release(m);
}
END_TEST

START_TEST(of_a_damaged_file_the_one_before_it_is_used_and_put_back)
{
    enum keep_found found;
    char why[700] = "";
    struct managed *m = some(), *back;

    ck_assert_int_eq(keep_write(dir, m, why, sizeof why), 0);
    m = with(m, 3, 3, SWITCH_ON, "");
    ck_assert_int_eq(keep_write(dir, m, why, sizeof why), 0);
    put(KEEP_NAME, "ecyber-rules 1\nversion 4\nru", 27);
    back = read_dir(&found, why, sizeof why);
    ck_assert_int_eq(found, KEEP_OLDER);
    ck_assert_uint_eq(back->n, 3);
    ck_assert_msg(strstr(why, "line 3: the file breaks off") && strstr(why, ".bad"), "%s", why);
    ck_assert(there(KEEP_NAME ".bad"));
    managed_release(back);
    back = read_dir(&found, why, sizeof why);
    ck_assert_int_eq(found, KEEP_FINE);
    ck_assert_uint_eq(back->n, 3);
    managed_release(back);
    managed_release(m);
}
END_TEST

/* The folder can be opened, and nothing in it: the file may be sound, and stays. */
START_TEST(a_file_that_cannot_be_read_now_stays)
{
    enum keep_found found;
    char why[700] = "";
    struct managed *m = some();
    struct rlimit before, few;
    int next;

    ck_assert_int_eq(keep_write(dir, m, why, sizeof why), 0);
    managed_release(m);
    next = dup(0);
    ck_assert(next >= 0 && !getrlimit(RLIMIT_NOFILE, &before));
    close(next);
    few = (struct rlimit){ (rlim_t)next + 1, before.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    m = read_dir(&found, why, sizeof why);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_msg(found == KEEP_UNREAD && !m->n && strstr(why, "Too many open files"), "%d: %s", found, why);
    managed_release(m);
    ck_assert(there(KEEP_NAME) && !there(KEEP_NAME ".bad"));
    m = read_dir(&found, why, sizeof why);
    ck_assert(found == KEEP_FINE && m->n == 3);
    managed_release(m);
}
END_TEST

START_TEST(of_two_damaged_files_none_is_used)
{
    enum keep_found found;
    char why[700] = "";
    struct managed *m;

    put(KEEP_NAME, "x", 1);
    put(KEEP_NAME ".old", "y\n", 2);
    m = read_dir(&found, why, sizeof why);
    ck_assert_int_eq(found, KEEP_NOTHING);
    ck_assert_uint_eq(m->n, 0);
    managed_release(m);
}
END_TEST

START_TEST(the_file_of_a_newer_one_is_left_alone)
{
    enum keep_found found;
    char why[700] = "";
    struct managed *m;

    put(KEEP_NAME, "ecyber-rules 2\nversion 4\nwhatever\n", 34);
    m = read_dir(&found, why, sizeof why);
    ck_assert_int_eq(found, KEEP_NEWER);
    ck_assert_uint_eq(m->n, 0);
    ck_assert(there(KEEP_NAME) && !there(KEEP_NAME ".bad"));
    managed_release(m);
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_keeps_what_was_there)
{
    enum keep_found found;
    char why[700] = "", path[128];
    struct managed *m = some(), *back;

    ck_assert_int_eq(keep_write(dir, m, why, sizeof why), 0);
    snprintf(path, sizeof path, "%s/" KEEP_NAME ".new", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);         /* no file can be made there, not even by root */
    m = with(m, 3, 3, SWITCH_ON, "");
    ck_assert_int_eq(keep_write(dir, m, why, sizeof why), -1);
    ck_assert_msg(strstr(why, "cannot be written") != NULL, "%s", why);
    rmdir(path);
    back = read_dir(&found, why, sizeof why);
    ck_assert_uint_eq(back->n, 3);
    managed_release(back);
    managed_release(m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("managed");
    TCase *t = tcase_create("list"), *k = tcase_create("file");

    tcase_add_test(t, a_change_makes_the_next_version_and_leaves_the_one_before);
    tcase_add_test(t, what_is_written_is_read_back);
    tcase_add_test(t, half_a_file_and_every_flipped_bit_are_refused);
    tcase_add_test(t, garbage_is_refused_with_its_line);
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(k, make_dir, remove_dir);
    tcase_add_test(k, none_is_no_error_and_what_is_kept_is_found);
    tcase_add_test(k, half_a_new_file_is_passed_over);
    tcase_add_test(k, of_a_damaged_file_the_one_before_it_is_used_and_put_back);
    tcase_add_test(k, a_file_that_cannot_be_read_now_stays);
    tcase_add_test(k, of_two_damaged_files_none_is_used);
    tcase_add_test(k, the_file_of_a_newer_one_is_left_alone);
    tcase_add_test(k, a_folder_that_cannot_be_written_keeps_what_was_there);
    suite_add_tcase(s, k);
    return unit_run(s);
}
