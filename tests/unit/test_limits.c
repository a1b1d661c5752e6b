#include "tests/unit/unit.h"

#include "plugins/ids/limits/keep.h"
#include "plugins/ids/limits/tuning.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct tune entry(const char *line)
{
    struct tune e;
    uint32_t column;
    char why[300] = "";

    ck_assert_msg(tune_read(line, &e, &column, why, sizeof why) == 1, "%s: %s", line, why);
    return e;
}

START_TEST(lines_are_read_and_written)
{
    static const char *const same[] = {
        "suppress gen_id 1, sig_id 1000003", "suppress gen_id 0, sig_id 0, track by_src, ip 10.0.0.0/8",
        "suppress gen_id 1, sig_id 0, track by_either, ip 2001:db8::/32",
        "suppress gen_id 1, sig_id 2, track by_dst, ip ::1",
        "suppress gen_id 1, sig_id 2, track by_dst, ip 0.0.0.0/0", "suppress gen_id 1, sig_id 2, track by_dst, ip ::/0",
        "threshold gen_id 1, sig_id 4294967295, type both, track by_rule, count 5, seconds 60" };
    char line[TUNE_LINE];
    struct tune e;

    for (unsigned i = 0; i < sizeof same / sizeof same[0]; i++) {
        e = entry(same[i]);
        tune_write(&e, line);
        ck_assert_str_eq(line, same[i]);
    }
    e = entry("  event_filter seconds 60 ,count 1,gen_id 1,  sig_id 7, type limit , track by_src ");
    tune_write(&e, line);
    ck_assert_str_eq(line, "threshold gen_id 1, sig_id 7, type limit, track by_src, count 1, seconds 60");
    e = entry("suppress gen_id 1, sig_id 1, track by_src, ip 10.1.2.3/8");
    tune_write(&e, line);
    ck_assert_str_eq(line, "suppress gen_id 1, sig_id 1, track by_src, ip 10.0.0.0/8");
}
END_TEST

START_TEST(wrong_lines_say_where)
{
    static const struct { const char *line; uint32_t column; const char *part; } bad[] = {
        { "rate_filter gen_id 1, sig_id 1", 1, "suppress or threshold" }, { "suppress", 1, "gen_id and sig_id" },
        { "suppress gen_id 1", 1, "gen_id and sig_id" }, { "suppress gen_id 1, sig_id x", 20, "'x' is not a number" },
        { "suppress gen_id 1, sig_id 4294967296", 20, "not a number" },
        { "suppress gen_id 1, sig_id 1, ", 20, "commas" },
        { "suppress gen_id 1, sig_id 1, ip 10.0.0.1", 1, "track and ip" },
        { "suppress gen_id 1, gen_id 1", 20, "twice" },
        { "suppress gen_id 1, sig_id 1, track by_rule, ip ::1", 30, "no track" },
        { "suppress gen_id 1, sig_id 1, track by_src, ip [10.0.0.1,10.0.0.2]", 44, "no address" },
        { "suppress gen_id 1, sig_id 1, colour red", 30, "'colour' is not known" },
        { "suppress gen_id 0, sig_id 1", 1, "sig_id has to be 0" }, { "suppress gen_id 1, sig_id", 20, "NAME VALUE" },
        { "threshold gen_id 1, sig_id 1, type limit, track by_src, count 0, seconds 1", 57, "number" },
        { "threshold gen_id 1, sig_id 1, type all, track by_src, count 1, seconds 1", 31, "no type" },
        { "threshold gen_id 1, sig_id 1, track by_src, count 1, seconds 1", 1, "has gen_id" } };
    struct tune e;
    uint32_t column;
    char why[300];

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(tune_read(bad[i].line, &e, &column, why, sizeof why) == -1, "%s", bad[i].line);
        ck_assert_msg(column == bad[i].column && strstr(why, bad[i].part), "%s: %u: %s", bad[i].line, column, why);
    }
    ck_assert_int_eq(tune_read("", &e, &column, why, sizeof why), 0);
    ck_assert_int_eq(tune_read("  # suppress", &e, &column, why, sizeof why), 0);
}
END_TEST

static struct tuning *with(struct tuning *t, const char *line, uint32_t *id)
{
    struct tune e = entry(line);
    struct tuning *next;

    e.id = *id;
    strcpy(e.by, "anna");
    next = tuning_with(t, &e, id);
    ck_assert_ptr_nonnull(next);
    tuning_release(t);
    return next;
}

static void address(uint8_t to[16], const char *text)
{
    uint32_t bits;

    ck_assert(tune_net(text, to, &bits));
}

START_TEST(the_nearest_entry_holds)
{
    struct tuning *t = tuning_new();
    uint8_t a[16], b[16], c[16];
    uint32_t id[5] = { 0 };

    address(a, "10.1.2.3");
    address(b, "192.0.2.1");
    address(c, "2001:db8::1");
    t = with(t, "suppress gen_id 1, sig_id 5, track by_src, ip 10.0.0.0/8", &id[0]);
    t = with(t, "threshold gen_id 1, sig_id 0, type limit, track by_src, count 1, seconds 60", &id[1]);
    t = with(t, "threshold gen_id 1, sig_id 5, type limit, track by_src, count 2, seconds 60", &id[2]);
    t = with(t, "suppress gen_id 0, sig_id 0, track by_dst, ip 2001:db8::/32", &id[3]);
    ck_assert_uint_eq(tuning_suppresses(t, 1, 5, a, b)->id, id[0]);
    ck_assert_ptr_null(tuning_suppresses(t, 1, 5, b, a));
    ck_assert_ptr_null(tuning_suppresses(t, 1, 6, a, b));
    ck_assert_uint_eq(tuning_suppresses(t, 3, 9, a, c)->id, id[3]);
    ck_assert_uint_eq(tuning_limits(t, 1, 5)->id, id[2]);
    ck_assert_uint_eq(tuning_limits(t, 1, 6)->id, id[1]);
    ck_assert_ptr_null(tuning_limits(t, 2, 5));
    t = with(t, "suppress gen_id 1, sig_id 5, track by_either, ip 10.0.0.0/8", &id[0]);
    ck_assert_uint_eq(t->n, 4);
    ck_assert_uint_eq(tuning_suppresses(t, 1, 5, b, a)->id, id[0]);
    tuning_release(t);
}
END_TEST

START_TEST(what_is_kept_comes_back)
{
    struct tuning *t = tuning_new(), *again, *both;
    uint32_t first = 0, second = 0;
    char why[300], *text;
    size_t len;
    bool newer;

    t = with(t, "suppress gen_id 1, sig_id 5, track by_src, ip 10.0.0.0/8", &first);
    t = with(t, "threshold gen_id 1, sig_id 1, type limit, track by_src, count 1, seconds 60", &second);
    strcpy(t->tune[1]->note, "our scanner");
    ck_assert_ptr_nonnull(text = tuning_write(t, &len));
    ck_assert_ptr_nonnull(again = tuning_read(text, len, &newer, why, sizeof why));
    ck_assert(again->n == 2 && again->version == t->version && again->next_id == 3);
    ck_assert_str_eq(tuning_by_id(again, TUNE_SUPPRESS, first)->note, "our scanner");
    ck_assert_str_eq(tuning_by_id(again, TUNE_SUPPRESS, first)->by, "anna");
    ck_assert_uint_eq(tuning_by_id(again, TUNE_THRESHOLD, second)->version, 2);
    ck_assert_ptr_nonnull(both = tuning_join(t, again));
    ck_assert_uint_eq(both->n, 4);
    tuning_release(again);
    tuning_release(both);
    for (size_t cut = 0; cut < len; cut++)
        ck_assert_msg(!tuning_read(text, cut, &newer, why, sizeof why), "cut at %zu", cut);
    for (size_t i = 0; i < len; i++) {
        text[i] ^= 1;
        ck_assert_msg(!tuning_read(text, len, &newer, why, sizeof why), "changed at %zu", i);
        text[i] ^= 1;
    }
    free(text);
    tuning_release(t);
}
END_TEST

static void put(const char *dir, const char *text)
{
    char path[64];
    FILE *f;

    snprintf(path, sizeof path, "%s/" LIMITS_NAME, dir);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static bool there(const char *dir, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return !access(path, F_OK);
}

static void reads(const char *dir, enum limits_found want, uint32_t n, const char *part)
{
    enum limits_found found;
    char why[700] = "";
    struct tuning *t = limits_keep_read(dir, &found, why, sizeof why);

    ck_assert_ptr_nonnull(t);
    ck_assert_msg(found == want && t->n == n && strstr(why, part), "%d, %u entries: %s", found, t->n, why);
    tuning_release(t);
}

/* The folder can be opened, and nothing in it. */
static void reads_without_files(const char *dir)
{
    struct rlimit before, few;
    int next = dup(0);

    ck_assert(next >= 0 && !getrlimit(RLIMIT_NOFILE, &before));
    close(next);
    few = (struct rlimit){ (rlim_t)next + 1, before.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    reads(dir, LIMITS_UNREAD, 0, "Too many open files");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* Only what is damaged is put aside. */
START_TEST(a_file_that_is_newer_or_not_read_stays)
{
    char dir[] = "/tmp/ecyber-limits-XXXXXX", command[64];
    struct tuning *t = tuning_new();
    uint32_t id = 0;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    reads(dir, LIMITS_FINE, 0, "");
    t = with(t, "suppress gen_id 1, sig_id 5, track by_src, ip 10.0.0.0/8", &id);
    ck_assert_int_eq(limits_keep_write(dir, t), 0);
    reads(dir, LIMITS_FINE, 1, "");
    reads_without_files(dir);
    ck_assert(there(dir, LIMITS_NAME) && !there(dir, LIMITS_NAME ".bad"));
    reads(dir, LIMITS_FINE, 1, "");
    put(dir, "# ecyber-limits 2 of a form that is not known here\n");
    reads(dir, LIMITS_NEWER, 0, "another version of eCyber");
    ck_assert(there(dir, LIMITS_NAME) && !there(dir, LIMITS_NAME ".bad"));
    put(dir, "# ecyber-limits 1 0\n");
    reads(dir, LIMITS_DAMAGED, 0, "line 1: the version is missing; it is kept as limits.conf.bad");
    ck_assert(!there(dir, LIMITS_NAME) && there(dir, LIMITS_NAME ".bad"));
    ck_assert(limits_keep_write("/nonexistent", t) == -1 && errno == ENOENT);
    tuning_release(t);
    snprintf(command, sizeof command, "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

static void none_is_wrong(void *arg, const char *sentence)
{
    (void)arg;
    ck_abort_msg("%s", sentence);
}

static struct tuning *lines(const char *text)
{
    struct tuning *t = tuning_lines(text, strlen(text), "text", none_is_wrong, NULL);

    ck_assert_ptr_nonnull(t);
    return t;
}

START_TEST(entries_of_a_file_go_on_counting)
{
    struct tuning *before = lines("suppress gen_id 1, sig_id 1\n"
                                  "suppress gen_id 1, sig_id 2, track by_src, ip 10.0.0.1\n"
                                  "suppress gen_id 1, sig_id 2, track by_src, ip 10.0.0.2\n"), *t;

    for (uint32_t i = 0; i < 3; i++)
        before->tune[i]->held_back = i + 1;
    t = lines("suppress gen_id 1, sig_id 1\n# a line more\nsuppress gen_id 1, sig_id 2, track by_src, ip 10.0.0.2\n"
              "suppress gen_id 1, sig_id 2, track by_src, ip 10.0.0.1\n"
              "suppress gen_id 1, sig_id 2, track by_dst, ip 10.0.0.1\nsuppress gen_id 1, sig_id 3\n");
    tuning_carry(t, before);
    ck_assert(t->tune[0] == before->tune[0] && t->tune[1] == before->tune[2]);      /* the very same */
    ck_assert(t->tune[2]->held_back == 2 && t->tune[2]->line == 4);
    ck_assert(!t->tune[3]->held_back && !t->tune[4]->held_back);
    tuning_release(before);
    tune_count(t->tune[0]);
    ck_assert_uint_eq(t->tune[0]->held_back, 2);
    before = lines("");
    tuning_carry(t, before);
    tuning_carry(before, t);
    tuning_release(before);
    tuning_release(t);
}
END_TEST

struct told { uint32_t n; char last[300]; };

static void tell(void *arg, const char *sentence)
{
    struct told *told = arg;

    told->n++;
    snprintf(told->last, sizeof told->last, "%s", sentence);
}

/* What stands behind a NUL would hold back less than what stands before it. */
START_TEST(a_line_with_a_nul_is_left_out)
{
    static const char with[] = "suppress gen_id 1, sig_id 1\0, track by_src, ip 10.0.0.1\nsuppress gen_id 1, sig_id 2";
    struct told told = { .n = 0 };
    struct tuning *t = tuning_lines(with, sizeof with - 1, "text", tell, &told);

    ck_assert_msg(t && t->n == 1 && t->tune[0]->sid == 2, "%u", t ? t->n : 0);
    ck_assert_str_eq(told.last, "text:1:1: the line is longer than 1,022 bytes, or has a NUL");
    tuning_release(t);
    t = tuning_lines(with, sizeof "suppress gen_id 1, sig_id 1", "text", tell, &told);    /* its last byte is the NUL */
    ck_assert(t && !t->n && told.n == 2);
    tuning_release(t);
}
END_TEST

static void count(void *arg, const char *sentence)
{
    ++*(uint32_t *)arg;
    ck_assert_ptr_nonnull(strstr(sentence, ":3:"));
}

START_TEST(a_file_is_read_but_for_its_wrong_lines)
{
    char path[] = "/tmp/ecyber-limits-XXXXXX", why[300], text[64];
    int fd = mkstemp(path);
    uint32_t wrong = 0;
    struct tuning *t;
    FILE *f = fdopen(fd, "w");

    ck_assert_ptr_nonnull(f);
    fputs("suppress gen_id 1, sig_id 2\r\n\n", f);
    for (int i = 0; i < 3000; i++)
        putc('x', f);
    putc('\n', f);
    for (uint32_t i = 0; i < TUNING_MAX - 1; i++)
        fprintf(f, "suppress gen_id 1, sig_id %u\n", TUNING_MAX - i);
    fclose(f);
    t = tuning_file(path, count, &wrong, why, sizeof why);
    ck_assert_msg(t && t->n == TUNING_MAX && wrong == 1, "%u of %u", wrong, t ? t->n : 0);
    ck_assert_uint_eq(t->tune[0]->sid, 2);
    tuning_release(t);
    unlink(path);
    snprintf(text, sizeof text, "%s", path);
    ck_assert_ptr_null(tuning_file(text, count, &wrong, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "No such file"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("limits");
    TCase *c = tcase_create("tuning");

    tcase_add_test(c, lines_are_read_and_written);
    tcase_add_test(c, wrong_lines_say_where);
    tcase_add_test(c, the_nearest_entry_holds);
    tcase_add_test(c, what_is_kept_comes_back);
    tcase_add_test(c, a_file_that_is_newer_or_not_read_stays);
    tcase_add_test(c, entries_of_a_file_go_on_counting);
    tcase_add_test(c, a_line_with_a_nul_is_left_out);
    tcase_add_test(c, a_file_is_read_but_for_its_wrong_lines);
    suite_add_tcase(s, c);
    return unit_run(s);
}
