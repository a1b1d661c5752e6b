/* test_http.c: the HTTP/1 parser: buffers, bodies, pipelines, and where bytes stand in the stream. */
#include <stdlib.h>
#include <string.h>

#include "plugins/traffic/proto/http/http.h"
#include "tests/support/fake_traffic.h"
#include "tests/unit/unit.h"

static const char request[] =
    "GET /A%2e/b?x=%41 HTTP/1.1\r\nHost: WWW.example:8080\r\nUser-Agent: probe/1\r\nCookie: k=v\r\n\r\n";
static const char response[] =
    "HTTP/1.1 302 Found\r\nServer: test\r\nLocation: /c\r\nContent-Length: 5\r\n\r\nhello";

/* What a step must show: buffer, direction, text; verbatim ones are looked up in the stream as well. */
struct want { const char *name; uint32_t dir; const char *text; const char *stream; bool verbatim, seen; };

static void look(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    for (struct want *w = arg; w->name; w++) {
        const struct ec_buf *b = fake_buffer(f, x, w->name, w->dir);
        if (!b || b->len != strlen(w->text) || memcmp(b->u.data, w->text, b->len))
            continue;
        w->seen = true;
        ck_assert_msg(!(b->state & EC_BUF_VERBATIM) == !w->verbatim, "%s", w->name);
        if (w->verbatim)
            ck_assert_mem_eq(w->stream + b->wire, w->text, b->len);
    }
}

#define REQ(name, text, verbatim) { name, EC_TO_SERVER, text, request, verbatim, false }
#define RES(name, text, verbatim) { name, EC_TO_CLIENT, text, response, verbatim, false }

START_TEST(buffers_hold_what_their_names_say)
{
    struct want wants[] = {
        REQ("http.method", "GET", true), REQ("http.uri", "/A./b?x=A", false), REQ("http.uri.raw", "/A%2e/b?x=%41", true),
        REQ("http.protocol", "HTTP/1.1", true), REQ("http.request_line", "GET /A%2e/b?x=%41 HTTP/1.1", true),
        REQ("http.host", "www.example", false), REQ("http.host.raw", "WWW.example:8080", true),
        REQ("http.user_agent", "probe/1", true), REQ("http.cookie", "k=v", true),
        REQ("http.header", "Host: WWW.example:8080\r\nUser-Agent: probe/1\r\n", true),
        REQ("http.header_names", "\r\nHost\r\nUser-Agent\r\nCookie\r\n\r\n", false),
        RES("http.stat_code", "302", true), RES("http.stat_msg", "Found", true), RES("http.server", "test", true),
        RES("http.location", "/c", true), RES("http.response_body", "hello", true), { 0 } };
    struct fake_traffic *f = fake_new(http_register);

    f->on_step = look;
    f->on_step_arg = wants;
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, request, sizeof request - 1, 0);
    fake_feed(f, EC_TO_CLIENT, response, sizeof response - 1, 0);
    for (struct want *w = wants; w->name; w++)
        ck_assert_msg(w->seen, "%s", w->name);
    ck_assert_uint_eq(f->n_ended, 1);
    ck_assert_uint_eq(testhost_count(f->host, "ec.http/1"), 1);
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(messages_are_cut_anywhere)
{
    struct fake_traffic *f = fake_new(http_register);

    for (uint32_t step = 1; step < sizeof request; step++) {
        fake_begin(f);
        for (uint32_t at = 0; at < sizeof request - 1; at += step)
            fake_feed(f, EC_TO_SERVER, request + at, at + step < sizeof request ? step : sizeof request - 1 - at, 0);
        for (uint32_t at = 0; at < sizeof response - 1; at += step)
            fake_feed(f, EC_TO_CLIENT, response + at, at + step < sizeof response ? step : sizeof response - 1 - at, 0);
        ck_assert_uint_eq(f->n_ended, 1);
        fake_end(f);
    }
    fake_free(f);
}
END_TEST

static void see_wire(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    const struct ec_buf *b = fake_buffer(f, x, "http.user_agent", EC_TO_SERVER);

    if (b && x->id < 2)
        ((uint64_t *)arg)[x->id] = b->wire;
}

START_TEST(pipelined_requests_are_told_apart)
{
    struct fake_traffic *f = fake_new(http_register);
    char two[2 * sizeof request];
    uint64_t wire[2] = { 0, 0 };
    uint32_t n = sizeof request - 1;

    memcpy(two, request, n);
    memcpy(two + n, request, n);
    f->on_step = see_wire;
    f->on_step_arg = wire;
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, two, 2 * n, 0);
    ck_assert_uint_eq(f->n_begun, 2);
    ck_assert_uint_eq(wire[1], wire[0] + n);
    fake_end(f);
    ck_assert_uint_eq(f->n_ended, 2);
    fake_free(f);
}
END_TEST

static void see_secret(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    const struct ec_buf *b = fake_buffer(f, x, "http.authorization", EC_TO_SERVER);

    if (b)
        *(uint32_t *)arg = b->state;
}

START_TEST(passwords_are_marked_as_secrets)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic dTpw\r\n\r\n";
    struct fake_traffic *f = fake_new(http_register);
    uint32_t state = 0;

    f->on_step = see_secret;
    f->on_step_arg = &state;
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, get, sizeof get - 1, 0);
    ck_assert_uint_eq(state & (EC_BUF_SECRET | EC_BUF_VERBATIM), EC_BUF_SECRET | EC_BUF_VERBATIM);
    fake_end(f);
    fake_free(f);
}
END_TEST

struct body { uint64_t total; uint32_t biggest; bool found; };

static void see_body(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    const struct ec_buf *b = fake_buffer(f, x, "http.request_body", EC_TO_SERVER);
    struct body *seen = arg;

    if (!b)
        return;
    seen->total = b->base + b->len;
    if (b->len > seen->biggest)
        seen->biggest = b->len;
    seen->found |= memmem(b->u.data, b->len, "NEEDLE", 6) != NULL;
}

START_TEST(a_big_body_passes_through_a_window)
{
    enum { SIZE = 300000 };
    struct fake_traffic *f = fake_new(http_register);
    char head[128], *body = malloc(SIZE);
    struct body seen = { 0, 0, false };

    memset(body, 'x', SIZE);
    memcpy(body + 131070, "NEEDLE", 6);     /* across pieces and windows */
    snprintf(head, sizeof head, "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", SIZE);
    f->on_step = see_body;
    f->on_step_arg = &seen;
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, head, (uint32_t)strlen(head), 0);
    for (uint32_t at = 0; at < SIZE; at += 1460)
        fake_feed(f, EC_TO_SERVER, body + at, at + 1460 < SIZE ? 1460 : SIZE - at, 0);
    ck_assert(seen.found);
    ck_assert_uint_eq(seen.total, SIZE);
    ck_assert_uint_le(seen.biggest, 32768);
    fake_end(f);
    free(body);
    fake_free(f);
}
END_TEST

START_TEST(connect_hands_the_flow_over)
{
    struct fake_traffic *f = fake_new(http_register);

    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", 56, 0);
    fake_feed(f, EC_TO_CLIENT, "HTTP/1.1 200 OK\r\n\r\n", 19, 0);
    fake_feed(f, EC_TO_SERVER, "\x16\x03\x01", 3, 0);
    ck_assert(f->upgraded);
    ck_assert_uint_eq(f->n_ended, 1);
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(headers_without_an_end_are_seen)
{
    struct want wants[] = { RES("http.server", "ng1nx", false), { 0 } };
    struct fake_traffic *f = fake_new(http_register);

    f->on_step = look;
    f->on_step_arg = wants;
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, request, sizeof request - 1, 0);
    fake_feed(f, EC_TO_CLIENT, "HTTP/1.1 200 OK\r\nServer: ng1nx\r\n", 32, 0);
    fake_end(f);
    ck_assert(wants[0].seen);
    ck_assert_uint_eq(f->n_ended, 1);
    fake_free(f);
}
END_TEST

START_TEST(detection_looks_at_the_line)
{
    static const struct { const char *d; int32_t want; uint32_t dir; } rows[] = {
        { "GET / HTTP/1.1\r\n", EC_YES, EC_TO_SERVER }, { "GET /long", EC_YES, EC_TO_SERVER },
        { "GE", EC_MORE, EC_TO_SERVER }, { "FOO / HTTP/1.0\r\n", EC_YES, EC_TO_SERVER },
        { "GET /old\r\n", EC_YES, EC_TO_SERVER }, { "FOO /new\r\n", EC_NO, EC_TO_SERVER },
        { "USER anonymous\r\n", EC_NO, EC_TO_SERVER }, { "SSH-2.0-x\r\n", EC_NO, EC_TO_SERVER },
        { "\x16\x03\x01", EC_NO, EC_TO_SERVER }, { "HTTP/1.0 200", EC_YES, EC_TO_CLIENT },
        { "HTT", EC_MORE, EC_TO_CLIENT }, { "220 ftp", EC_NO, EC_TO_CLIENT } };
    struct fake_traffic *f = fake_new(http_register);

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(f->proto->probe((const uint8_t *)rows[i].d, (uint32_t)strlen(rows[i].d), rows[i].dir) ==
                          rows[i].want, "%s", rows[i].d);
    fake_free(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tc = tcase_create("http");

    tcase_add_test(tc, buffers_hold_what_their_names_say);
    tcase_add_test(tc, messages_are_cut_anywhere);
    tcase_add_test(tc, pipelined_requests_are_told_apart);
    tcase_add_test(tc, a_big_body_passes_through_a_window);
    tcase_add_test(tc, connect_hands_the_flow_over);
    tcase_add_test(tc, passwords_are_marked_as_secrets);
    tcase_add_test(tc, headers_without_an_end_are_seen);
    tcase_add_test(tc, detection_looks_at_the_line);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
