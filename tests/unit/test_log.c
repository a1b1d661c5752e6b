#include "tests/unit/unit.h"

#include "core/log/log.h"
#include "core/log/log_limit.h"
#include "core/log/log_line.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

static char text[LOG_LINE_MAX + 1];

static const char *line(enum log_form form, const char *msg, uint64_t suppressed)
{
    struct log_line l = {1763823791123456789u, EC_LOG_WARNING, "traffic", "W0", msg, suppressed};
    uint32_t n = log_line_write(&l, form, text);

    ck_assert_uint_le(n, LOG_LINE_MAX);
    ck_assert_int_eq(text[n - 1], '\n');
    text[n - 1] = '\0';
    ck_assert_ptr_null(strchr(text, '\n'));
    return text;
}

START_TEST(plain_line_has_utc_time_level_and_owner)
{
    ck_assert_str_eq(line(LOG_FORM_PLAIN, "hello", 0),
                     "2025-11-22T15:03:11.123456Z WARNING traffic: hello");
    ck_assert_str_eq(
        line(LOG_FORM_PLAIN, "hello", 7),
        "2025-11-22T15:03:11.123456Z WARNING traffic: hello (7 similar lines suppressed)");
    ck_assert_str_eq(line(LOG_FORM_BARE, "hello", 0), "traffic: hello");
}
END_TEST

static const struct {
    const char *raw, *plain, *json;
} escapes[] = {
    {"a\nb", "a\\x0ab", "a\nb"},
    {"a\r\x1b[2Kb", "a\\x0d\\x1b[2Kb", "a\r\x1b[2Kb"},
    {"\x7f", "\\x7f", "\x7f"},
    {"\xc2\x9b", "\\u009b", "\xc2\x9b"},
    {"\xe2\x80\xa8\xe2\x80\xae", "\\u2028\\u202e", "\xe2\x80\xa8\xe2\x80\xae"},
    {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80",
     "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"},
    {"\xff\xc3(", "\\xff\\xc3(", "\\xff\\xc3("},
    {"\xc0\x8a", "\\xc0\\x8a", "\\xc0\\x8a"},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"},
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80"},
    {"\xe2\x80", "\\xe2\\x80", "\\xe2\\x80"},
    {"say \"hi\" \\n", "say \"hi\" \\n", "say \"hi\" \\n"},
};

START_TEST(network_text_cannot_forge_a_line)
{
    char want[256];
    struct json_object *o, *m;

    snprintf(want, sizeof want, "traffic: %s", escapes[_i].plain);
    ck_assert_str_eq(line(LOG_FORM_BARE, escapes[_i].raw, 0), want);

    o = json_tokener_parse(line(LOG_FORM_JSON, escapes[_i].raw, 0));
    ck_assert(json_object_object_get_ex(o, "message", &m));
    ck_assert_str_eq(json_object_get_string(m), escapes[_i].json);
    json_object_put(o);
}
END_TEST

START_TEST(json_line_is_one_object)
{
    struct json_object *o, *v;

    o = json_tokener_parse(line(LOG_FORM_JSON, "x", 12));
    ck_assert(json_object_object_get_ex(o, "timestamp", &v));
    ck_assert_str_eq(json_object_get_string(v), "2025-11-22T15:03:11.123456Z");
    ck_assert(json_object_object_get_ex(o, "level", &v));
    ck_assert_str_eq(json_object_get_string(v), "WARNING");
    ck_assert(json_object_object_get_ex(o, "thread", &v));
    ck_assert_str_eq(json_object_get_string(v), "W0");
    ck_assert(json_object_object_get_ex(o, "suppressed", &v));
    ck_assert_int_eq(json_object_get_int(v), 12);
    json_object_put(o);
}
END_TEST

START_TEST(long_line_is_cut_at_a_whole_character)
{
    static const char *const fill[] = {"x", "\x01", "\xff", "\"", "\xe2\x82\xac"};
    char *msg = malloc(20001);

    for (uint32_t form = LOG_FORM_PLAIN; form <= LOG_FORM_JSON; form++) {
        struct json_object *o;
        size_t n = 0;

        while (n < 20000 - 4)
            n += (size_t)sprintf(msg + n, "%s", fill[_i]);
        line((enum log_form)form, msg, 123456789);
        ck_assert_ptr_nonnull(strstr(text, "..."));
        ck_assert_ptr_nonnull(strstr(text, "123456789"));
        if (form != LOG_FORM_JSON)
            continue;
        o = json_tokener_parse(text);
        ck_assert_ptr_nonnull(o);
        json_object_put(o);
    }
    free(msg);
}
END_TEST

START_TEST(bucket_lets_a_burst_and_then_the_rate_through)
{
    static struct ec_site site = {sizeof site, 1, "a.c", {0, 0, 0, 0}};
    uint64_t now = 5 * SECOND, n, passed = 0, told = 0;

    for (int i = 0; i < 100; i++)
        passed += log_limit_take(&site, "t", now, 10, 20, &n);
    ck_assert_uint_eq(passed, 20);
    ck_assert(!log_limit_take(&site, "t", now + SECOND / 20, 10, 20, &n));
    ck_assert(log_limit_take(&site, "t", now + SECOND / 10, 10, 20, &n));
    ck_assert_uint_eq(n, 81);
    for (uint64_t t = now + SECOND; t < now + 11 * SECOND; t += SECOND / 100) {
        passed = log_limit_take(&site, "t", t, 10, 20, &n);
        told += n + passed;
    }
    log_limit_take(&site, "t", now + 60 * SECOND, 10, 20, &n);
    ck_assert_uint_eq(told + n, 1000);
}
END_TEST

static uint64_t flushed;

static void note_flush(const struct ec_site *site, const char *who, uint64_t n)
{
    ck_assert_str_eq(site->file, "quiet.c");
    ck_assert_str_eq(who, "plugin");
    flushed += n;
}

START_TEST(a_site_that_went_quiet_is_told_about_once)
{
    static struct ec_site site = {sizeof site, 1, "quiet.c", {0, 0, 0, 0}};
    uint64_t n;

    for (int i = 0; i < 10; i++)
        log_limit_take(&site, "plugin", SECOND, 1, 3, &n);
    flushed = 0;
    log_limit_flush(SECOND, 1, note_flush);
    ck_assert_uint_eq(flushed, 0);
    log_limit_flush(10 * SECOND, 1, note_flush);
    ck_assert_uint_eq(flushed, 7);
    log_limit_flush(20 * SECOND, 1, note_flush);
    ck_assert_uint_eq(flushed, 7);
}
END_TEST

#define THREADS 4
#define ROUNDS  20000
static struct ec_site shared = {sizeof shared, 1, "shared.c", {0, 0, 0, 0}};

static void *take_many(void *arg)
{
    uint64_t *sum = arg, n;

    for (uint32_t i = 0; i < ROUNDS; i++)
        *sum += log_limit_take(&shared, "t", SECOND + i * 1000, 1000, 5, &n) + n;
    return NULL;
}

START_TEST(every_line_is_written_or_counted_with_threads)
{
    pthread_t t[THREADS];
    uint64_t sum[THREADS] = {0}, total = 0, n;

    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, take_many, &sum[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < THREADS; i++)
        total += sum[i];
    ck_assert(log_limit_take(&shared, "t", 0, 0, 1, &n));
    ck_assert_uint_eq(total + n, THREADS * ROUNDS);
}
END_TEST

static char dir[] = "/tmp/test_log.XXXXXX", path[64], old_path[64];

static void dir_make(void)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a.log", dir);
    snprintf(old_path, sizeof old_path, "%s/a.log.1", dir);
}

static void dir_remove(void)
{
    unlink(path);
    unlink(old_path);
    rmdir(dir);
}

static char *file_text(const char *name)
{
    static char buf[65536];
    int fd = open(name, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);

    if (fd >= 0)
        close(fd);
    buf[n < 0 ? 0 : n] = '\0';
    return buf;
}

START_TEST(levels_by_plugin)
{
    static const char *const who[] = {"noisy", "quiet"};
    static const int32_t level[] = {EC_LOG_DEBUG, EC_LOG_ERROR};
    struct log_config c = {LOG_TO_FILE, false, path, EC_LOG_WARNING, 0, 0, 2, who, level};
    char why[256];

    ck_assert_int_eq(log_configure(&c, why, sizeof why), EC_OK);
    log_write("noisy", EC_LOG_DEBUG, NULL, "one");
    log_write("quiet", EC_LOG_WARNING, NULL, "two");
    log_write("quiet", EC_LOG_ERROR, NULL, "three");
    log_write("other", EC_LOG_INFO, NULL, "four");
    log_write("other", EC_LOG_CRITICAL, NULL, "five");
    ck_assert(log_enabled("noisy", EC_LOG_DEBUG) && !log_enabled("other", EC_LOG_INFO));
    ck_assert_ptr_nonnull(strstr(file_text(path), "DEBUG noisy: one\n"));
    ck_assert_ptr_null(strstr(file_text(path), "two"));
    ck_assert_ptr_nonnull(strstr(file_text(path), "ERROR quiet: three\n"));
    ck_assert_ptr_null(strstr(file_text(path), "four"));
    ck_assert_ptr_nonnull(strstr(file_text(path), "CRITICAL other: five\n"));
}
END_TEST

START_TEST(file_is_reopened_after_a_rename)
{
    struct log_config c = {LOG_TO_FILE, false, path, EC_LOG_INFO, 0, 0, 0, NULL, NULL};
    char why[256];

    ck_assert_int_eq(log_configure(&c, why, sizeof why), EC_OK);
    log_write("core", EC_LOG_INFO, NULL, "before");
    ck_assert_int_eq(rename(path, old_path), 0);
    log_write("core", EC_LOG_INFO, NULL, "between");
    log_reopen();
    log_write("core", EC_LOG_INFO, NULL, "after");
    ck_assert_ptr_nonnull(strstr(file_text(old_path), "between"));
    ck_assert_ptr_null(strstr(file_text(old_path), "after"));
    ck_assert_ptr_nonnull(strstr(file_text(path), "after"));
}
END_TEST

START_TEST(configuration_errors_are_sentences_and_keep_the_old_one)
{
    struct log_config c = {LOG_TO_FILE, false, path, EC_LOG_INFO, 0, 0, 0, NULL, NULL};
    char why[256];

    ck_assert_int_eq(log_configure(&c, why, sizeof why), EC_OK);
    c.path = "/nonexistent/x.log";
    ck_assert_int_eq(log_configure(&c, why, sizeof why), EC_EIO);
    ck_assert_str_eq(why, "cannot open the log file /nonexistent/x.log: No such file or directory");
    c.path = NULL;
    ck_assert_int_eq(log_configure(&c, why, sizeof why), EC_EINVAL);
    log_write("core", EC_LOG_INFO, NULL, "still here");
    ck_assert_ptr_nonnull(strstr(file_text(path), "still here"));
}
END_TEST

START_TEST(lines_lost_to_a_full_disk_are_counted)
{
    struct log_config c = {LOG_TO_FILE, false, "/dev/full", EC_LOG_INFO, 0, 0, 0, NULL, NULL};
    uint64_t before = log_lost();
    char why[256];

    ck_assert_int_eq(log_configure(&c, why, sizeof why), EC_OK);
    log_write("core", EC_LOG_INFO, NULL, "x");
    log_write("core", EC_LOG_INFO, NULL, "y");
    ck_assert_uint_eq(log_lost() - before, 2);
    c.path = path;
    ck_assert_int_eq(log_configure(&c, why, sizeof why), EC_OK);
}
END_TEST

START_TEST(a_stalled_pipe_does_not_block_for_ever)
{
    struct log_config c = {LOG_TO_STDERR, false, NULL, EC_LOG_INFO, 0, 0, 0, NULL, NULL};
    uint64_t before = log_lost();
    int fd[2], saved = dup(2);
    char why[256];

    ck_assert_int_eq(pipe(fd), 0);
    ck_assert_int_eq(log_configure(&c, why, sizeof why), EC_OK);
    dup2(fd[1], 2);
    for (int i = 0; i < 5000; i++)
        log_write("core", EC_LOG_INFO, NULL, "nobody reads this");
    dup2(saved, 2);
    ck_assert_uint_gt(log_lost() - before, 3000);
    close(fd[0]);
    close(fd[1]);
    close(saved);
}
END_TEST

START_TEST(level_words)
{
    ck_assert_int_eq(log_level_parse("debug"), EC_LOG_DEBUG);
    ck_assert_int_eq(log_level_parse("CRITICAL"), EC_LOG_CRITICAL);
    ck_assert_int_eq(log_level_parse("loud"), -1);
    ck_assert_str_eq(log_level_name(EC_LOG_ERROR), "ERROR");
    ck_assert_str_eq(log_level_name(0), "DEBUG");
    ck_assert_str_eq(log_level_name(99), "CRITICAL");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tc = tcase_create("line");

    tcase_add_test(tc, plain_line_has_utc_time_level_and_owner);
    tcase_add_loop_test(tc, network_text_cannot_forge_a_line, 0, sizeof escapes / sizeof *escapes);
    tcase_add_test(tc, json_line_is_one_object);
    tcase_add_loop_test(tc, long_line_is_cut_at_a_whole_character, 0, 5);
    suite_add_tcase(suite, tc);

    tc = tcase_create("limit");
    tcase_add_test(tc, bucket_lets_a_burst_and_then_the_rate_through);
    tcase_add_test(tc, a_site_that_went_quiet_is_told_about_once);
    tcase_add_test(tc, every_line_is_written_or_counted_with_threads);
    suite_add_tcase(suite, tc);

    tc = tcase_create("targets");
    tcase_add_checked_fixture(tc, dir_make, dir_remove);
    tcase_add_test(tc, levels_by_plugin);
    tcase_add_test(tc, file_is_reopened_after_a_rename);
    tcase_add_test(tc, configuration_errors_are_sentences_and_keep_the_old_one);
    tcase_add_test(tc, lines_lost_to_a_full_disk_are_counted);
    tcase_add_test(tc, a_stalled_pipe_does_not_block_for_ever);
    tcase_add_test(tc, level_words);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
