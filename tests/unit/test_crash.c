#include "tests/unit/unit.h"

#include "core/log/crash.h"
#include "core/log/crash_row.h"
#include "core/log/mark.h"
#include "core/thread.h"
#include "core/log/watchdog.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[64], file[96], heard[4096];
static int status;

static void dir_make(void)
{
    strcpy(dir, "/tmp/test_crash.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/crash", dir);
}

static void dir_remove(void)
{
    unlink(file);
    rmdir(dir);
}

static void file_put(const char *text)
{
    FILE *f = fopen(file, "w");

    fputs(text, f);
    fclose(f);
}

static const char *file_text(void)
{
    static char text[4096];
    int fd = open(file, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    text[n] = '\0';
    return text;
}

/* Runs fn in a child, keeps its exit status and what it wrote to stderr. */
static void in_child(void (*fn)(void))
{
    int fd[2];
    ssize_t n, at = 0;
    pid_t pid;

    ck_assert_int_eq(pipe(fd), 0);
    pid = fork();
    if (!pid) {
        dup2(fd[1], 2);
        close(fd[0]);
        close(fd[1]);
        fn();
        _exit(99);
    }
    close(fd[1]);
    while ((n = read(fd[0], heard + at, sizeof heard - 1 - (size_t)at)) > 0)
        at += n;
    heard[at] = '\0';
    close(fd[0]);
    waitpid(pid, &status, 0);
}

static int *volatile nowhere = (int *)(uintptr_t)0x10;

static void segv(void)
{
    *nowhere = 1;
}

static void crash_in_plugin(void)
{
    mark_register("control");
    crash_install(dir);
    mark_enter("badplug", "setup");
    segv();
}

START_TEST(a_crash_names_plugin_callback_and_thread_and_counts)
{
    char want[256];

    for (unsigned i = 1; i <= 3; i++) {
        in_child(crash_in_plugin);
        ck_assert(WIFSIGNALED(status));
        ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
        snprintf(
            want, sizeof want,
            "ecyberd: crashed (SIGSEGV at 0x10) in plugin badplug, callback setup, thread control; "
            "crash %u in a row of this plugin, which is left out %s\n",
            i, i < 3 ? "after 3" : "at the next start");
        ck_assert_str_eq(heard, want);
        strcat(want, "row badplug ");
        ck_assert_int_eq(strncmp(file_text(), want, strlen(want)), 0);
    }
    crash_row_open(dir);
    ck_assert_uint_eq(crash_count("badplug"), 3);
    ck_assert_uint_eq(crash_count("other"), 0);
}
END_TEST

START_TEST(a_clean_run_ends_a_row_but_lets_nobody_in_again)
{
    file_put("sentence\nrow once 1\nrow out 3\nrow core 5\nrow twice 2\n");
    crash_row_open(dir);
    crash_survived();
    crash_row_open(dir);
    ck_assert_uint_eq(crash_count("out"), 3);
    ck_assert_uint_eq(crash_count("once") + crash_count("twice") + crash_count("core"), 0);
    file_put("sentence\nrow once 1\nrow core 5\n");
    crash_row_open(dir);
    crash_survived();
    ck_assert_int_ne(access(file, F_OK), 0);
}
END_TEST

static volatile long depth = 1000000;

static long overflow(void)
{
    volatile char big[1 << 16];

    big[0] = 1;
    return depth-- ? overflow() + big[0] : 0;
}

static void overflow_main(void *arg)
{
    (void)arg;
    mark_enter("deep", "packet");
    overflow();
}

static void crash_of_the_stack(void)
{
    pthread_t t;

    crash_install(dir);
    thread_start(&t, "W0", overflow_main, NULL);
    pthread_join(t, NULL);
}

START_TEST(a_stack_overflow_in_a_thread_is_told_too)
{
    in_child(crash_of_the_stack);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    ck_assert_ptr_nonnull(
        strstr(heard, ") in plugin deep, callback packet, thread W0; crash 1 in a row"));
}
END_TEST

static void abort_in_core(void)
{
    mark_register("control");
    crash_install(NULL);
    abort();
}

START_TEST(an_abort_of_the_core_without_a_state_folder)
{
    in_child(abort_in_core);
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert_str_eq(heard,
                     "ecyberd: crashed (SIGABRT) in the core, thread control; crash 1 in a row\n");
}
END_TEST

START_TEST(a_damaged_mark_file_is_read_as_far_as_it_makes_sense)
{
    file_put(
        "sentence\nrow good 2\nrow BAD 3\nrow good\nrow neg -1\nrow big 99999999999\nrow zero 0\n"
        "row waytoolongnameofapluginwhichcannotexist 2\n\n\n\xff\xfe\nrow other 1");
    ck_assert_int_eq(crash_row_open(dir), 0);
    ck_assert_uint_eq(crash_count("good"), 2);
    ck_assert_uint_eq(crash_count("other"), 1);
    ck_assert_uint_eq(crash_count("BAD"), 0);
    ck_assert_uint_eq(crash_count("neg"), 0);
    ck_assert_uint_eq(crash_count("zero"), 0);
    ck_assert_uint_eq(crash_row_add("good"), 3);
    crash_row_write("again\n", 6);
    ck_assert_int_eq(strncmp(file_text(), "again\nrow good 3\n", 17), 0);
}
END_TEST

START_TEST(a_file_of_any_name_is_counted)
{
    static const char name[] = "My-plugin v2 with a name that is far too long for a row";

    crash_row_open(dir);
    for (uint32_t i = 1; i <= 3; i++)
        ck_assert_uint_eq(crash_row_add(name), i);
    crash_row_write("again\n", 6);
    crash_row_open(dir);
    ck_assert_uint_eq(crash_count(name), 3);
    ck_assert_uint_eq(crash_count("my_plugin"), 0);
}
END_TEST

START_TEST(more_plugins_than_rows)
{
    char name[16];

    crash_row_open(dir);
    for (int i = 0; i < CRASH_ROWS + 5; i++) {
        snprintf(name, sizeof name, "p%d", i);
        ck_assert_uint_eq(crash_row_add(name), 1);
    }
    crash_row_write("x\n", 2);
    crash_row_open(dir);
    ck_assert_uint_eq(crash_count("p63"), 1);
    ck_assert_uint_eq(crash_count("p64"), 0);
}
END_TEST

static atomic_bool released;

static void hang(void *arg)
{
    struct timespec step = {0, 5000000};

    (void)arg;
    mark_beat();
    mark_enter("stuck", "packet");
    while (!released)
        nanosleep(&step, NULL);
    mark_beat();
    nanosleep(&step, NULL);
    mark_sleep();
    nanosleep(&(struct timespec){0, 300000000}, NULL);
}

static void watch_a_stall(void)
{
    pthread_t t;

    crash_install(dir);
    watchdog_start(NULL, 100000000, 0);
    thread_start(&t, "W1", hang, NULL);
    nanosleep(&(struct timespec){0, 400000000}, NULL);
    released = true;
    pthread_join(t, NULL);
    watchdog_stop();
    _exit(0);
}

START_TEST(a_stall_is_named_once_and_so_is_its_end)
{
    char *first;

    in_child(watch_a_stall);
    ck_assert_msg(WEXITSTATUS(status) == 0, "%s", heard);
    first = strstr(heard, "WARNING core: thread W1 has not moved for 0.");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(strstr(first, " s: it is in plugin stuck, callback packet\n"));
    ck_assert_msg(!strstr(first + 30, "has not moved"), "%s", heard);
    ck_assert_ptr_nonnull(strstr(first, "thread W1 moves again"));
}
END_TEST

static void watch_and_abort(void)
{
    pthread_t t;

    crash_install(dir);
    watchdog_start(NULL, 0, 200000000);
    thread_start(&t, "W1", hang, NULL);
    pthread_join(t, NULL);
}

START_TEST(a_long_stall_is_a_crash_of_that_plugin)
{
    in_child(watch_and_abort);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert_ptr_nonnull(strstr(heard, "ecyberd: crashed (did not move for 0."));
    ck_assert_ptr_nonnull(strstr(
        heard, ") in plugin stuck, callback packet, thread W1; crash 1 in a row of this plugin"));
    crash_row_open(dir);
    ck_assert_uint_eq(crash_count("stuck"), 1);
}
END_TEST

static void sleep_unwatched(void *arg)
{
    (void)arg;
    mark_beat();
    mark_sleep();
    nanosleep(&(struct timespec){0, 400000000}, NULL);
}

static void watch_a_sleeper(void)
{
    pthread_t t;

    crash_install(dir);
    watchdog_start(NULL, 50000000, 100000000);
    thread_start(&t, "W2", sleep_unwatched, NULL);
    pthread_join(t, NULL);
    watchdog_stop();
    _exit(0);
}

START_TEST(who_sleeps_is_not_watched)
{
    in_child(watch_a_sleeper);
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_str_eq(heard, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crash");
    TCase *tc = tcase_create("crash");

    tcase_add_checked_fixture(tc, dir_make, dir_remove);
    tcase_add_test(tc, a_crash_names_plugin_callback_and_thread_and_counts);
    tcase_add_test(tc, a_clean_run_ends_a_row_but_lets_nobody_in_again);
    tcase_add_test(tc, a_stack_overflow_in_a_thread_is_told_too);
    tcase_add_test(tc, an_abort_of_the_core_without_a_state_folder);
    tcase_add_test(tc, a_damaged_mark_file_is_read_as_far_as_it_makes_sense);
    tcase_add_test(tc, a_file_of_any_name_is_counted);
    tcase_add_test(tc, more_plugins_than_rows);
    suite_add_tcase(suite, tc);

    tc = tcase_create("watchdog");
    tcase_add_checked_fixture(tc, dir_make, dir_remove);
    tcase_add_test(tc, a_stall_is_named_once_and_so_is_its_end);
    tcase_add_test(tc, a_long_stall_is_a_crash_of_that_plugin);
    tcase_add_test(tc, who_sleeps_is_not_watched);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
