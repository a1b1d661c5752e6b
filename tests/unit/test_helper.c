/* The helper's messages, what it makes of them, and the daemon's end: requests cut into messages, a helper that dies,
 * one that comes from the launcher. */
#include "unit.h"

#include "core/helper/client.h"
#include "core/helper/jail.h"
#include "core/helper/link.h"
#include "core/helper/queue.h"
#include "core/helper/spawn.h"
#include "core/helper/table.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct helper_entry entry(const char *v4, uint32_t prefix, uint32_t list, uint64_t seconds)
{
    struct helper_entry e = { .prefix = prefix, .list = list, .seconds = seconds };
    unsigned a, b, c, d;

    ck_assert_int_eq(sscanf(v4, "%u.%u.%u.%u", &a, &b, &c, &d), 4);
    e.addr[10] = e.addr[11] = 0xff;
    e.addr[12] = (uint8_t)a;
    e.addr[13] = (uint8_t)b;
    e.addr[14] = (uint8_t)c;
    e.addr[15] = (uint8_t)d;
    return e;
}

static size_t request(struct helper_request *r, uint16_t op, uint32_t n)
{
    *r = (struct helper_request){ .version = HELPER_VERSION, .op = op, .n = n, .seq = 7 };
    for (uint32_t i = 0; i < n; i++) {
        r->entry[i] = entry("192.0.2.0", 128, HELPER_BLOCK, 60);
        r->entry[i].addr[15] = (uint8_t)i;
    }
    return HELPER_REQUEST_BYTES(n);
}

/* --- messages -------------------------------------------------------------------------------------------- */

START_TEST(entries_are_checked)
{
    struct helper_entry e = entry("10.0.0.0", 104, HELPER_BLOCK, 1);

    ck_assert_ptr_null(helper_entry_check(&e));
    ck_assert(helper_entry_v4(&e));
    e.seconds = 0;
    ck_assert_ptr_nonnull(helper_entry_check(&e));
    e.seconds = HELPER_SECONDS_MAX + 1;
    ck_assert_ptr_nonnull(helper_entry_check(&e));
    e.seconds = 1;
    e.addr[15] = 1;
    ck_assert_ptr_nonnull(helper_entry_check(&e));
    e = entry("0.0.0.0", 96, HELPER_BLOCK, 1);
    ck_assert_ptr_nonnull(helper_entry_check(&e));
    e = entry("10.0.0.1", 129, HELPER_BLOCK, 1);
    ck_assert_ptr_nonnull(helper_entry_check(&e));
    e.prefix = 0;
    ck_assert_ptr_nonnull(helper_entry_check(&e));
    e = entry("10.0.0.1", 128, 3, 1);
    ck_assert_ptr_nonnull(helper_entry_check(&e));
    e = entry("10.0.0.1", 128, HELPER_ALLOW, 1);
    ck_assert_ptr_nonnull(helper_entry_check(&e));
    e.seconds = 0;
    ck_assert_ptr_null(helper_entry_check(&e));
    memset(&e, 0, sizeof e);
    e.addr[0] = 0x20;
    e.prefix = 3;
    e.list = HELPER_ALLOW;
    ck_assert_ptr_null(helper_entry_check(&e));
    ck_assert(!helper_entry_v4(&e));
}
END_TEST

START_TEST(requests_are_checked)
{
    struct helper_request r;
    size_t n = request(&r, HELPER_BAN, 2);

    ck_assert_ptr_null(helper_request_check(&r, n));
    ck_assert_ptr_nonnull(helper_request_check(&r, n - 1));
    ck_assert_ptr_nonnull(helper_request_check(&r, n + 1));
    ck_assert_ptr_nonnull(helper_request_check(&r, 3));
    ck_assert_ptr_nonnull(helper_request_check(&r, 0));
    r.version++;
    ck_assert_ptr_nonnull(strstr(helper_request_check(&r, n), "version"));
    n = request(&r, HELPER_BAN, HELPER_ENTRIES);
    ck_assert_ptr_null(helper_request_check(&r, n));
    r.n = UINT32_MAX;
    ck_assert_ptr_nonnull(helper_request_check(&r, n));
    ck_assert_ptr_nonnull(helper_request_check(&r, request(&r, HELPER_BAN, 0)));
    ck_assert_ptr_nonnull(helper_request_check(&r, request(&r, HELPER_PING, 1)));
    ck_assert_ptr_nonnull(helper_request_check(&r, request(&r, 0, 0)));
    ck_assert_ptr_nonnull(helper_request_check(&r, request(&r, 10, 0)));
    n = request(&r, HELPER_UNBAN, 1);
    r.entry[0].list = HELPER_ALLOW;
    r.entry[0].seconds = 0;
    ck_assert_ptr_nonnull(helper_request_check(&r, n));
    r.op = HELPER_STAGE;
    ck_assert_ptr_null(helper_request_check(&r, n));
}
END_TEST

/* --- what the helper does: the kernel is a function of the test ------------------------------------------ */

static struct {
    bool fails, list_fails, held;
    const char *said;
    char last[65536];
    uint32_t runs, replies;
    struct helper_reply reply;
    char text[65536];
    size_t n;
} k;

static bool run(void *arg, const char *commands, const char **said)
{
    struct json_object *o = json_tokener_parse(commands);

    (void)arg;
    ck_assert_msg(o != NULL, "no JSON: %.200s", commands);
    json_object_put(o);
    *said = k.fails ? "Error: no" : k.said ? k.said : "";
    if (strstr(commands, "\"list\":{\"chain\""))
        return !k.list_fails;
    snprintf(k.last, sizeof k.last, "%s", commands);
    k.runs++;
    return !k.fails;
}

static bool send_reply(void *arg, const struct helper_reply *r, size_t bytes)
{
    (void)arg;
    ck_assert_ptr_null(helper_reply_check(r, bytes));
    memcpy(&k.reply, r, bytes);
    memcpy(k.text + k.n, r->text, r->len);
    k.n += r->len;
    k.text[k.n] = '\0';
    k.replies++;
    return true;
}

static const char *hold(void *arg)
{
    (void)arg;
    return k.held ? NULL : "another one";
}

static struct table table_new(void)
{
    memset(&k, 0, sizeof k);
    k.held = true;
    return (struct table){ .run = run, .send = send_reply, .hold = hold, .version = "1" };
}

static int32_t ask(struct table *t, uint16_t op, uint32_t n)
{
    struct helper_request r;
    size_t bytes = request(&r, op, n);

    k.n = k.replies = 0;
    ck_assert(table_answer(t, &r, bytes));
    ck_assert_uint_eq(k.reply.seq, 7);
    return k.reply.err;
}

START_TEST(no_ban_before_the_state)
{
    struct table t = table_new();

    ck_assert_int_eq(ask(&t, HELPER_PING, 0), EC_OK);
    ck_assert_int_eq(ask(&t, HELPER_BAN, 1), EC_ENOENT);
    ck_assert_int_eq(ask(&t, HELPER_COMMIT, 0), EC_EINVAL);
    ck_assert_int_eq(ask(&t, HELPER_LIST, 0), EC_ENOENT);
    ck_assert_uint_eq(k.runs, 0);
    ck_assert_int_eq(ask(&t, HELPER_BEGIN, 0), EC_OK);
    ck_assert_int_eq(ask(&t, HELPER_STAGE, 3), EC_OK);
    ck_assert_int_eq(ask(&t, HELPER_COMMIT, 0), EC_OK);
    ck_assert_ptr_nonnull(strstr(k.last, "192.0.2.2"));
    ck_assert_int_eq(ask(&t, HELPER_COMMIT, 0), EC_EINVAL);         /* once only */
    ck_assert_int_eq(ask(&t, HELPER_BAN, 64), EC_OK);
    ck_assert_int_eq(ask(&t, HELPER_UNBAN, 64), EC_OK);
    ck_assert_int_eq(ask(&t, HELPER_CLEAR, 0), EC_OK);
    ck_assert_int_eq(ask(&t, HELPER_BAN, 1), EC_ENOENT);
    table_free(&t);
}
END_TEST

START_TEST(allowed_stands_first)
{
    struct table t = table_new();
    struct helper_request r;
    size_t n;
    const char *block, *allow;

    ask(&t, HELPER_BEGIN, 0);
    n = request(&r, HELPER_STAGE, 3);
    r.entry[1] = entry("10.0.0.0", 104, HELPER_ALLOW, 0);
    r.entry[2] = entry("10.1.0.0", 112, HELPER_BLOCK, 9);
    table_answer(&t, &r, n);
    ck_assert_int_eq(ask(&t, HELPER_COMMIT, 0), EC_OK);
    allow = strstr(k.last,
                   "\"chain\":\"source\",\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"&\":[{\"payload\":"
                   "{\"protocol\":\"ip\",\"field\":\"saddr\"}},\"255.0.0.0\"]},\"right\":\"@allow4_8\"}},{\"accept\"");
    block = strstr(k.last, "\"@block4");
    ck_assert(allow && block && allow < block);
    ck_assert_ptr_null(strstr(block, "@allow"));
    ck_assert_ptr_nonnull(strstr(k.last, "{\"val\":\"10.1.0.0\",\"timeout\":9}"));
    table_free(&t);
}
END_TEST

START_TEST(new_prefixes_get_their_set_once)
{
    struct table t = table_new();
    struct helper_request r;
    size_t n = request(&r, HELPER_BAN, 2);

    ask(&t, HELPER_BEGIN, 0);
    ask(&t, HELPER_COMMIT, 0);
    r.entry[0] = r.entry[1] = entry("10.1.0.0", 112, HELPER_BLOCK, 9);
    r.entry[1].seconds = 11;
    k.fails = true;
    table_answer(&t, &r, n);
    ck_assert_int_eq(k.reply.err, EC_EIO);
    ck_assert_ptr_nonnull(strstr(k.last, "\"set\""));
    k.fails = false;
    table_answer(&t, &r, n);
    ck_assert_ptr_nonnull(strstr(k.last, "\"set\""));       /* what failed did not make it */
    ck_assert_ptr_nonnull(strstr(k.last, "\"timeout\":11"));
    ck_assert_ptr_null(strstr(k.last, "\"timeout\":9"));    /* the later one wins */
    table_answer(&t, &r, n);
    ck_assert_ptr_null(strstr(k.last, "\"set\""));
    table_free(&t);
}
END_TEST

START_TEST(a_table_that_is_gone_is_noticed)
{
    struct table t = table_new();

    ask(&t, HELPER_BEGIN, 0);
    ask(&t, HELPER_COMMIT, 0);
    k.fails = true;
    ck_assert_int_eq(ask(&t, HELPER_BAN, 1), EC_EIO);
    ck_assert_str_eq(k.text, "Error: no");
    k.list_fails = true;
    ck_assert_int_eq(ask(&t, HELPER_BAN, 1), EC_ENOENT);
    ck_assert_int_eq(ask(&t, HELPER_UNBAN, 1), EC_ENOENT);
    table_free(&t);
    t = table_new();
    ask(&t, HELPER_BEGIN, 0);
    ask(&t, HELPER_COMMIT, 0);
    ck_assert_int_eq(ask(&t, HELPER_PING, 0), EC_OK);
    k.list_fails = true;
    ck_assert_int_eq(ask(&t, HELPER_PING, 0), EC_ENOENT);
    table_free(&t);
}
END_TEST

START_TEST(a_table_is_taken_over)
{
    struct table t = table_new();

    ck_assert_int_eq(ask(&t, HELPER_BAN, 1), EC_ENOENT);
    ck_assert_int_eq(ask(&t, HELPER_TAKE, 0), EC_OK);
    ck_assert_uint_eq(k.runs, 0);                   /* as it stands */
    ck_assert_int_eq(ask(&t, HELPER_BAN, 1), EC_OK);
    ck_assert_ptr_nonnull(strstr(k.last, "\"block4\""));
    ck_assert_ptr_null(strstr(k.last, "\"set\""));
    table_free(&t);
    t = table_new();
    k.list_fails = true;
    ck_assert_int_eq(ask(&t, HELPER_TAKE, 0), EC_ENOENT);
    ck_assert_int_eq(ask(&t, HELPER_BAN, 1), EC_ENOENT);
    k.held = false;
    ck_assert_int_eq(ask(&t, HELPER_TAKE, 0), EC_EEXIST);
    table_free(&t);
}
END_TEST

START_TEST(a_torn_state_is_not_put_in_place)
{
    struct table t = table_new();
    struct helper_request r;
    size_t n = request(&r, HELPER_STAGE, 2);

    ask(&t, HELPER_BEGIN, 0);
    ask(&t, HELPER_STAGE, 5);
    table_answer(&t, &r, n - 1);
    ck_assert_int_eq(k.reply.err, EC_EINVAL);
    ck_assert_int_eq(ask(&t, HELPER_COMMIT, 0), EC_EINVAL);
    ask(&t, HELPER_BEGIN, 0);
    for (int i = 0; i < HELPER_TABLE / HELPER_ENTRIES; i++)
        ck_assert_int_eq(ask(&t, HELPER_STAGE, HELPER_ENTRIES), EC_OK);
    ck_assert_int_eq(ask(&t, HELPER_STAGE, 1), EC_ELIMIT);
    ck_assert_int_eq(ask(&t, HELPER_COMMIT, 0), EC_EINVAL);
    ck_assert_uint_eq(k.runs, 0);
    k.held = false;
    ask(&t, HELPER_BEGIN, 0);
    ck_assert_int_eq(ask(&t, HELPER_COMMIT, 0), EC_EEXIST);
    ck_assert_uint_eq(k.runs, 0);
    table_free(&t);
}
END_TEST

START_TEST(long_answers_come_in_parts)
{
    static char text[3 * HELPER_TEXT + 5];
    struct table t = table_new();

    memset(text, 'x', sizeof text - 1);
    ask(&t, HELPER_BEGIN, 0);
    ask(&t, HELPER_COMMIT, 0);
    k.said = text;
    ck_assert_int_eq(ask(&t, HELPER_LIST, 0), EC_OK);
    ck_assert_uint_eq(k.replies, 4);
    ck_assert_str_eq(k.text, text);
    ck_assert_uint_eq(k.reply.flags, 0);
    table_free(&t);
}
END_TEST

/* --- the queue ------------------------------------------------------------------------------------------- */

static struct helper_reply reply_to(const struct helper_request *r, int32_t err, const char *text)
{
    struct helper_reply a = { .version = HELPER_VERSION, .op = r->op, .seq = r->seq, .err = err };

    a.len = (uint32_t)snprintf(a.text, sizeof a.text, "%s", text);
    return a;
}

START_TEST(a_state_is_cut_and_put_together)
{
    static struct ec_helper_entry all[130];
    struct helper_request m;
    struct helper_reply a;
    struct request *done;
    struct queue q;
    uint16_t ops[8];
    uint32_t n = 0, entries = 0;

    for (uint32_t i = 0; i < 130; i++) {
        struct helper_entry e = entry("192.0.2.0", 128, HELPER_BLOCK, 5);

        e.addr[15] = (uint8_t)i;
        memcpy(&all[i], &e, sizeof e);
    }
    queue_init(&q);
    ck_assert_int_eq(queue_add(&q, EC_HELPER_SYNC, all, 130, sizeof all[0], NULL, NULL), EC_OK);
    ck_assert_int_eq(queue_add(&q, EC_HELPER_CHECK, NULL, 0, 0, NULL, NULL), EC_OK);
    for (size_t bytes; (bytes = queue_peek(&q, &m)); queue_sent(&q), n++) {
        ck_assert_ptr_null(helper_request_check(&m, bytes));
        ck_assert_uint_lt(n, 8);
        ops[n] = m.op;
        entries += m.n;
        ck_assert_uint_eq(m.seq, n + 1);
    }
    ck_assert_uint_eq(n, 6);
    ck_assert_uint_eq(entries, 130);
    ck_assert(ops[0] == HELPER_BEGIN && ops[3] == HELPER_STAGE && ops[4] == HELPER_COMMIT && ops[5] == HELPER_PING);
    for (m.seq = 1; m.seq <= 6; m.seq++) {
        a = reply_to(&m, m.seq == 2 ? EC_ENOMEM : m.seq == 5 ? EC_EINVAL : EC_OK, m.seq == 2 ? "first" : "later");
        ck_assert_ptr_null(queue_reply(&q, &a, &done));
        ck_assert((m.seq >= 5) == (done != NULL));
        if (m.seq == 5) {
            ck_assert_int_eq(done->err, EC_ENOMEM);
            ck_assert_str_eq(done->text.p, "first");
        }
        if (done)
            request_free(done);
    }
    ck_assert_ptr_nonnull(queue_reply(&q, &a, &done));      /* nobody asked */
    ck_assert_uint_eq(q.n_request + q.n_entry, 0);
}
END_TEST

START_TEST(the_queue_has_an_end)
{
    struct ec_helper_entry e = { .prefix = 128, .list = EC_HELPER_BLOCK, .seconds = 1, .addr = { [0] = 0x20 } };
    struct request *all, *next;
    struct queue q;

    queue_init(&q);
    ck_assert_int_eq(queue_add(&q, EC_HELPER_BAN, &e, 0, sizeof e, NULL, NULL), EC_EINVAL);
    ck_assert_int_eq(queue_add(&q, EC_HELPER_LIST, &e, 1, sizeof e, NULL, NULL), EC_EINVAL);
    ck_assert_int_eq(queue_add(&q, 77, NULL, 0, 0, NULL, NULL), EC_EINVAL);
    ck_assert_int_eq(queue_add(&q, EC_HELPER_BAN, &e, 1, 4, NULL, NULL), EC_EINVAL);
    e.prefix = 2;
    ck_assert_int_eq(queue_add(&q, EC_HELPER_BAN, &e, 1, sizeof e, NULL, NULL), EC_EINVAL);
    e.prefix = 128;
    for (uint32_t i = 0; i < QUEUE_REQUESTS; i++)
        ck_assert_int_eq(queue_add(&q, EC_HELPER_BAN, &e, 1, sizeof e, NULL, NULL), EC_OK);
    ck_assert_int_eq(queue_add(&q, EC_HELPER_BAN, &e, 1, sizeof e, NULL, NULL), EC_EAGAIN);
    for (all = queue_empty(&q); all; all = next) {
        next = all->next;
        request_free(all);
    }
    ck_assert_int_eq(queue_add(&q, EC_HELPER_CLEAR, NULL, 0, 0, NULL, NULL), EC_OK);
    request_free(queue_empty(&q));
}
END_TEST

/* --- the client, with helpers that the test plays -------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    uint32_t ready, done;
    int32_t err;
    char text[256];
} seen = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, "" };

static void on_ready(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&seen.lock);
    seen.ready++;
    pthread_cond_broadcast(&seen.more);
    pthread_mutex_unlock(&seen.lock);
}

static void on_done(void *arg, int32_t err, const char *text, uint64_t len)
{
    (void)arg;
    pthread_mutex_lock(&seen.lock);
    seen.done++;
    seen.err = err;
    snprintf(seen.text, sizeof seen.text, "%.*s", (int)len, text);
    pthread_cond_broadcast(&seen.more);
    pthread_mutex_unlock(&seen.lock);
}

static void wait_for(const uint32_t *what, uint32_t n)
{
    pthread_mutex_lock(&seen.lock);
    while (*what < n)
        pthread_cond_wait(&seen.more, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
}

static void give_end(int launcher, int end)
{
    union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    char byte = 'h';
    struct iovec io = { &byte, 1 };
    struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    struct cmsghdr *c;

    memset(&control, 0, sizeof control);
    c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &end, sizeof end);
    ck_assert_int_eq(sendmsg(launcher, &m, 0), 1);
    close(end);
}

static void set_fd(const char *name, int fd)
{
    char text[16];

    snprintf(text, sizeof text, "%d", fd);
    setenv(name, text, 1);
}

/* Read one request and answer it. */
static uint16_t serve(int fd, int32_t err, const char *text)
{
    static struct helper_request r;
    struct helper_reply a;
    ssize_t n = recv(fd, &r, sizeof r, 0);

    ck_assert_ptr_null(helper_request_check(&r, (size_t)n));
    a = reply_to(&r, err, text);
    ck_assert_int_eq(send(fd, &a, HELPER_REPLY_BYTES(a.len), 0), (ssize_t)HELPER_REPLY_BYTES(a.len));
    return r.op;
}

static int32_t client_ask(uint32_t what)
{
    return helper_service.request(NULL, what, NULL, 0, 0, on_done, NULL);
}

START_TEST(client_under_a_launcher)
{
    struct ec_helper_status s = { .size = sizeof s };
    int first[2], second[2], launcher[2];
    char why[256];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, first), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, second), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, launcher), 0);
    set_fd(HELPER_FD_VARIABLE, first[0]);
    set_fd(LAUNCHER_FD_VARIABLE, launcher[0]);
    helper_client_configure(NULL, NULL, false);
    ck_assert_int_eq(helper_service.open(NULL, on_ready, NULL, why, sizeof why), EC_OK);
    ck_assert_ptr_null(getenv(HELPER_FD_VARIABLE));
    ck_assert_int_eq(helper_service.open(NULL, on_ready, NULL, why, sizeof why), EC_EEXIST);
    ck_assert_int_eq(client_ask(EC_HELPER_CHECK), EC_EAGAIN);       /* this wakes it */
    wait_for(&seen.ready, 1);
    ck_assert_int_eq(client_ask(EC_HELPER_CHECK), EC_OK);
    ck_assert_uint_eq(serve(first[1], EC_OK, "9.9"), HELPER_PING);
    wait_for(&seen.done, 1);
    ck_assert_str_eq(seen.text, "9.9");
    ck_assert_int_eq(helper_service.request(NULL, EC_HELPER_SYNC, NULL, 0, 0, on_done, NULL), EC_OK);
    ck_assert_uint_eq(serve(first[1], EC_OK, ""), HELPER_BEGIN);
    close(first[1]);                        /* killed in the middle of it */
    wait_for(&seen.done, 2);
    ck_assert_int_eq(seen.err, EC_EAGAIN);
    ck_assert_int_eq(client_ask(EC_HELPER_CHECK), EC_EAGAIN);
    give_end(launcher[1], second[0]);
    wait_for(&seen.ready, 2);
    ck_assert_int_eq(client_ask(EC_HELPER_CLEAR), EC_OK);
    ck_assert_uint_eq(serve(second[1], EC_EIO, "no"), HELPER_CLEAR);
    wait_for(&seen.done, 3);
    ck_assert_int_eq(seen.err, EC_EIO);
    helper_service.status(NULL, &s);
    ck_assert_uint_eq(s.starts, 2);
    ck_assert_uint_eq(s.failed, 2);
    /* Nonsense ends the connection. */
    ck_assert_int_eq(client_ask(EC_HELPER_CHECK), EC_OK);
    ck_assert_int_eq(send(second[1], "nonsense", 8, 0), 8);
    wait_for(&seen.done, 4);
    ck_assert_int_eq(seen.err, EC_EAGAIN);
    helper_service.close(NULL);
    ck_assert_int_eq(client_ask(EC_HELPER_CHECK), EC_EAGAIN);
    close(second[1]);
    close(launcher[1]);
}
END_TEST

START_TEST(client_refuses_a_replay)
{
    char why[256] = "";

    helper_client_configure("a replay changes nothing", NULL, true);
    ck_assert_int_eq(helper_service.open(NULL, on_ready, NULL, why, sizeof why), EC_EPERM);
    ck_assert_str_eq(why, "a replay changes nothing");
    helper_client_configure(NULL, NULL, false);
}
END_TEST

START_TEST(links_say_what_is_missing)
{
    struct link l;
    char why[256] = "";

    unsetenv(HELPER_FD_VARIABLE);
    unsetenv(LAUNCHER_FD_VARIABLE);
    link_init(&l, "/nowhere/ecyber-helper");
    ck_assert(!link_possible(&l, why, sizeof why));
    ck_assert(strstr(why, "CAP_NET_ADMIN") || strstr(why, "/nowhere/ecyber-helper"));
    ck_assert(!link_get(&l));
    ck_assert_uint_gt(link_due(&l), 0);
    ck_assert_uint_eq(link_pid(&l), 0);
    setenv(HELPER_FD_VARIABLE, "12x", 1);
    link_init(&l, "/nowhere");
    ck_assert_int_eq(l.fd, -1);
}
END_TEST

/* --- the jail: in a child, which then does what it must not ---------------------------------------------- */

static void open_file(void)
{
    open("/dev/null", O_RDONLY);
}

static void open_internet(void)
{
    socket(AF_INET, SOCK_STREAM, 0);
}

static void map_code(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void start_process(void)
{
    fork();
}

static void be_good(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, 0);

    close(fd);
    free(malloc(1u << 20));
    if (fd < 0)
        _exit(2);
}

static int jailed(void (*fn)(void))
{
    int status = 0;
    char why[256];
    pid_t pid = fork();

    if (!pid) {
        if (jail_enter(why, sizeof why))
            _exit(1);
        fn();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

START_TEST(the_jail_holds)
{
    static void (*const bad[])(void) = { open_file, open_internet, map_code, start_process };

    if (!helper_power()) {          /* an ordinary user has nothing to keep */
        ck_assert_int_eq(jailed(be_good), W_EXITCODE(1, 0));
        return;
    }
    ck_assert_int_eq(jailed(be_good), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0] && JAIL_FILTERS; i++) {
        int status = jailed(bad[i]);

        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%zu: status %d", i, status);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("helper");
    TCase *c = tcase_create("helper");

    tcase_add_test(c, entries_are_checked);
    tcase_add_test(c, requests_are_checked);
    tcase_add_test(c, no_ban_before_the_state);
    tcase_add_test(c, allowed_stands_first);
    tcase_add_test(c, new_prefixes_get_their_set_once);
    tcase_add_test(c, a_table_that_is_gone_is_noticed);
    tcase_add_test(c, a_table_is_taken_over);
    tcase_add_test(c, a_torn_state_is_not_put_in_place);
    tcase_add_test(c, long_answers_come_in_parts);
    tcase_add_test(c, a_state_is_cut_and_put_together);
    tcase_add_test(c, the_queue_has_an_end);
    tcase_add_test(c, the_jail_holds);
    tcase_add_test(c, client_under_a_launcher);
    tcase_add_test(c, client_refuses_a_replay);
    tcase_add_test(c, links_say_what_is_missing);
    suite_add_tcase(s, c);
    return unit_run(s);
}
