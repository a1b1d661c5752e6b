#include "tests/unit/unit.h"

#include "core/control/control.h"
#include "core/control/control_request.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const struct {
    const char *line;
    int n;
    const char *joined;             /* words, each in <> */
} lines[] = {
    {"status", 1, "<status>"},
    {"  plugin   ids ", 2, "<plugin><ids>"},
    {"a \"b c\" d", 3, "<a><b c><d>"},
    {"a \"\" b", 3, "<a><><b>"},
    {"a x\"y z\"w", 2, "<a><xy zw>"},
    {"a \"q\\\"q\\\\\"", 2, "<a><q\"q\\>"},
    {"a b\\c", 2, "<a><b\\c>"},
    {"", 0, ""},
    {"   ", 0, ""},
    {"a \"open", -1, NULL},
    {"a \t b", -1, NULL},
    {"a\x7f", -1, NULL},
    {"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", 16, NULL},
    {"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", -1, NULL},
};

START_TEST(requests_are_split)
{
    char line[256], joined[256] = "", *word[CONTROL_WORDS + 1];
    int n;

    strcpy(line, lines[_i].line);
    n = control_split(line, word);
    ck_assert_int_eq(n, lines[_i].n);
    for (int i = 0; i < n; i++)
        sprintf(joined + strlen(joined), "<%s>", word[i]);
    if (n >= 0)
        ck_assert_ptr_null(word[n]);
    if (lines[_i].joined)
        ck_assert_str_eq(joined, lines[_i].joined);
}
END_TEST

static struct json_object *on_echo(char *const *args, char *why, uint32_t n)
{
    struct json_object *o = json_object_new_array();

    (void)why, (void)n;
    for (; *args; args++)
        json_object_array_add(o, json_object_new_string(*args));
    return o;
}

static struct json_object *on_missing(char *const *args, char *why, uint32_t n)
{
    (void)args;
    control_error(CONTROL_NOT_FOUND);
    snprintf(why, n, "there is none");
    return NULL;
}

static struct json_object *on_failing(char *const *args, char *why, uint32_t n)
{
    (void)args;
    snprintf(why, n, "no luck \"today\"");
    return NULL;
}

static struct json_object *on_big(char *const *args, char *why, uint32_t n)
{
    char *text = malloc(1 << 20);
    struct json_object *o;

    (void)args, (void)why, (void)n;
    memset(text, 'x', 1 << 20);
    o = json_object_new_string_len(text, 1 << 20);
    free(text);
    return o;
}

static const struct {
    const char *request, *reply;
} replies[] = {
    {"echo a \"b c\"", "[\"a\",\"b c\"]\n"},
    {"missing", "{\"error\":{\"code\":\"not_found\",\"message\":\"there is none\"}}\n"},
    {"failing", "{\"error\":{\"code\":\"failed\",\"message\":\"no luck \\\"today\\\"\"}}\n"},
    {"nonsense", "{\"error\":{\"code\":\"usage\",\"message\":\"there is no command 'nonsense'; "
                 "'help' lists them\"}}\n"},
    {"echo \"", "{\"error\":{\"code\":\"usage\",\"message\":\"a request is one line: COMMAND ARG…, "
                "at most 16 words, "
                "quoted by \\\"\"}}\n"},
};

static void commands_add(void)
{
    control_command("echo", "ARG…", on_echo);
    control_command("missing", "", on_missing);
    control_command("failing", "", on_failing);
    control_command("big", "", on_big);
}

static char *answer;
static int32_t answer_err;

static void on_answer(void *arg, int32_t err, char *text)
{
    ck_assert_ptr_eq(arg, &answer);
    ck_assert_ptr_null(answer);
    answer = text;
    answer_err = err;
}

START_TEST(requests_are_answered)
{
    char line[256];

    commands_add();
    strcpy(line, replies[_i].request);
    control_ask(line, true, on_answer, &answer);
    ck_assert_str_eq(answer, replies[_i].reply);
    ck_assert_int_eq(answer_err != 0, strstr(answer, "{\"error\"") == answer);
    free(answer);
    answer = NULL;
}
END_TEST

static struct control_later *later;
static struct json_object *on_later(char *const *args, char *text, uint32_t n)
{
    (void)args, (void)text, (void)n;
    later = control_later();
    return NULL;
}

START_TEST(a_handler_may_answer_later)
{
    char line[] = "later", again[] = "later", third[] = "later";

    control_command("later", "", on_later);
    control_ask(line, true, on_answer, &answer);
    ck_assert_ptr_null(answer);
    control_finish(later, json_object_new_int(7));
    ck_assert_str_eq(answer, "7\n");
    ck_assert_int_eq(answer_err, 0);
    free(answer);
    answer = NULL;
    control_ask(again, true, on_answer, &answer);
    control_finish(later, NULL);
    ck_assert_ptr_nonnull(strstr(answer, "the daemon ends"));
    ck_assert_int_ne(answer_err, 0);
    free(answer);
    answer = NULL;
    control_ask(third, true, on_answer, &answer);
    control_fail(later, CONTROL_BAD_CONFIG, "it is \"wrong\"");
    ck_assert_str_eq(answer, "{\"error\":{\"code\":\"bad_config\",\"message\":\"it is \\\"wrong\\\"\"}}\n");
    ck_assert_int_ne(answer_err, 0);
    free(answer);
    answer = NULL;
}
END_TEST

static char dir[64], path[128];
static struct event_base *base;
static char why[512];

static void socket_open(void)
{
    strcpy(dir, "/tmp/test_control.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/control.sock", dir);
    base = event_base_new();
    commands_add();
    ck_assert_msg(control_open(base, path, why, sizeof why) == 0, "%s", why);
}

static void socket_close(void)
{
    control_close();
    ck_assert_int_ne(access(path, F_OK), 0);
    event_base_free(base);
    unlink(path);
    rmdir(dir);
}

static int dial(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    strcpy(a.sun_path, path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* Reads up to a newline or the end while the loop runs. */
static const char *reply_of(int fd)
{
    static char text[2 << 20];
    size_t n = 0;

    for (int i = 0; i < 2000; i++) {
        ssize_t got;

        event_base_loop(base, EVLOOP_NONBLOCK);
        got = read(fd, text + n, sizeof text - 1 - n);
        if (got > 0)
            n += (size_t)got;
        text[n] = '\0';
        if (!got || (n && text[n - 1] == '\n'))
            return text;
        usleep(1000);
    }
    return "(nothing)";
}

static void ask(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

START_TEST(several_requests_on_one_connection)
{
    int fd = dial();

    ask(fd, "ec");
    event_base_loop(base, EVLOOP_NONBLOCK);
    ask(fd, "ho 1\n");
    ck_assert_str_eq(reply_of(fd), "[\"1\"]\n");
    ask(fd, "echo 2\n");
    ck_assert_str_eq(reply_of(fd), "[\"2\"]\n");
    ask(fd, "big\n");
    ck_assert_uint_eq(strlen(reply_of(fd)), (1 << 20) + 3);
    close(fd);
}
END_TEST

START_TEST(a_half_closed_client_gets_its_reply)
{
    int fd = dial();

    ask(fd, "big\n");
    shutdown(fd, SHUT_WR);
    ck_assert_uint_eq(strlen(reply_of(fd)), (1 << 20) + 3);
    close(fd);
}
END_TEST

START_TEST(all_that_a_half_closed_client_asked_is_answered)
{
    int fd = dial();
    char all[64] = "";
    size_t n = 0;

    ask(fd, "echo 1\necho 2\necho 3\nhalf a request");
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 2000; i++) {
        ssize_t got;

        event_base_loop(base, EVLOOP_NONBLOCK);
        got = read(fd, all + n, sizeof all - 1 - n);
        if (!got)
            break;
        n += got > 0 ? (size_t)got : 0;
        usleep(1000);
    }
    all[n] = '\0';
    ck_assert_str_eq(all, "[\"1\"]\n[\"2\"]\n[\"3\"]\n");
    close(fd);
}
END_TEST

START_TEST(a_client_waits_for_an_answer_that_comes_later)
{
    int fd = dial(), gone = dial();
    char both[64];

    control_command("later", "", on_later);
    ask(fd, "later\necho next\n");
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 20; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(read(fd, both, sizeof both), -1);
    control_finish(later, json_object_new_int(7));
    for (int i = 0; i < 20; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(read(fd, both, sizeof both), 11);
    ck_assert_int_eq(memcmp(both, "7\n[\"next\"]\n", 11), 0);
    close(fd);
    ask(gone, "later\n");
    for (int i = 0; i < 20; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
    close(gone);
    fd = dial();
    ask(fd, "nothing\n");
    ck_assert_ptr_nonnull(strstr(reply_of(fd), "there is no command"));
    control_finish(later, json_object_new_int(8));     /* to nobody any more */
    ask(fd, "echo\n");
    ck_assert_str_eq(reply_of(fd), "[]\n");
    close(fd);
}
END_TEST

START_TEST(what_is_not_utf8_is_refused)
{
    int fd = dial();

    ask(fd, "echo \xff\n");
    ck_assert_ptr_nonnull(strstr(reply_of(fd), "UTF-8"));
    close(fd);
}
END_TEST

START_TEST(a_long_request_is_refused)
{
    char line[CONTROL_REQUEST + 1];
    int fd = dial();

    memset(line, 'x', sizeof line);
    ck_assert_int_eq(write(fd, line, sizeof line), sizeof line);
    ck_assert_ptr_nonnull(strstr(reply_of(fd), "a request is one line of at most 4095 bytes"));
    ck_assert_str_eq(reply_of(fd), "");
    close(fd);
}
END_TEST

START_TEST(clients_are_bounded_and_places_come_back)
{
    int fd[CONTROL_CLIENTS + 1];

    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        fd[i] = dial();
        ask(fd[i], "echo\n");
        ck_assert_str_eq(reply_of(fd[i]), "[]\n");
    }
    fd[CONTROL_CLIENTS] = dial();
    ck_assert_ptr_nonnull(strstr(reply_of(fd[CONTROL_CLIENTS]), "32 clients are being served"));
    for (int i = 0; i <= CONTROL_CLIENTS; i++)
        close(fd[i]);
    event_base_loop(base, EVLOOP_NONBLOCK);
    fd[0] = dial();
    ask(fd[0], "echo again\n");
    ck_assert_str_eq(reply_of(fd[0]), "[\"again\"]\n");
    close(fd[0]);
}
END_TEST

START_TEST(the_socket_is_for_owner_and_group)
{
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0660);
}
END_TEST

START_TEST(a_running_daemon_keeps_its_socket)
{
    char again[128];

    strcpy(again, path);
    ck_assert_int_ne(control_open(base, again, why, sizeof why), 0);
    ck_assert_ptr_nonnull(strstr(why, "another ecyberd is running: "));
}
END_TEST

static void leave_socket(const char *at)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(a.sun_path, at);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
}

START_TEST(a_stale_socket_is_taken_over)
{
    control_close();
    leave_socket(path);
    ck_assert_int_eq(control_open(base, path, why, sizeof why), 0);
}
END_TEST

START_TEST(paths_that_cannot_be)
{
    char other[300];
    FILE *f;

    control_close();
    snprintf(other, sizeof other, "%s/%0150d", dir, 7);
    ck_assert_int_ne(control_open(base, other, why, sizeof why), 0);
    ck_assert_ptr_nonnull(strstr(why, "a socket's path has 1 to 107 bytes, this has "));
    ck_assert_int_ne(control_open(base, "/nonexistent/x", why, sizeof why), 0);
    ck_assert_str_eq(why,
                     "the control socket /nonexistent/x cannot be made: No such file or directory");
    f = fopen(path, "w");
    fclose(f);
    ck_assert_int_ne(control_open(base, path, why, sizeof why), 0);
    ck_assert_ptr_nonnull(strstr(why, " is in the way: it is not a socket"));
    unlink(path);
    ck_assert_int_eq(control_open(base, path, why, sizeof why), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control");
    TCase *tc = tcase_create("request");

    signal(SIGPIPE, SIG_IGN);

    tcase_add_loop_test(tc, requests_are_split, 0, sizeof lines / sizeof *lines);
    tcase_add_loop_test(tc, requests_are_answered, 0, sizeof replies / sizeof *replies);
    tcase_add_test(tc, a_handler_may_answer_later);
    suite_add_tcase(suite, tc);

    tc = tcase_create("socket");
    tcase_add_checked_fixture(tc, socket_open, socket_close);
    tcase_add_test(tc, several_requests_on_one_connection);
    tcase_add_test(tc, a_half_closed_client_gets_its_reply);
    tcase_add_test(tc, all_that_a_half_closed_client_asked_is_answered);
    tcase_add_test(tc, a_client_waits_for_an_answer_that_comes_later);
    tcase_add_test(tc, what_is_not_utf8_is_refused);
    tcase_add_test(tc, a_long_request_is_refused);
    tcase_add_test(tc, clients_are_bounded_and_places_come_back);
    tcase_add_test(tc, the_socket_is_for_owner_and_group);
    tcase_add_test(tc, a_running_daemon_keeps_its_socket);
    tcase_add_test(tc, a_stale_socket_is_taken_over);
    tcase_add_test(tc, paths_that_cannot_be);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
