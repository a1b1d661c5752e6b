/* Whole requests: where they end, and what is wrong with them, however they arrive. */
#include "plugins/http/head.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct head_limits limits = { .head = 4096, .target = 1000, .fields = 10, .body = 1000 };

static int scan(struct head *h, const char *p, size_t n)
{
    memset(h, 0, sizeof *h);
    return head_scan(h, &limits, p, n);
}

/* Byte by byte it has to end as it does at once, and never later than where it is complete. */
static int scan_slowly(const char *p, size_t n)
{
    struct head h = { 0 };
    int rc = HEAD_MORE;

    for (size_t i = 1; i <= n && rc == HEAD_MORE; i++)
        rc = head_scan(&h, &limits, p, i);
    return rc;
}

static const struct { const char *text; int rc; size_t rest; } cases[] = {
    { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", HEAD_DONE, 0 },
    { "GET / HTTP/1.0\r\n\r\n", HEAD_DONE, 0 },
    { "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n", HEAD_DONE, 16 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcd", HEAD_DONE, 1 },
    { "POST / HTTP/1.1\r\nHost: x\r\ncontent-length:\t003 \r\n\r\nabc", HEAD_DONE, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nrest",
      HEAD_DONE, 4 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", HEAD_DONE, 0 },
    { "GET / HTTP/1.1\r\nHost: x\r\n", HEAD_MORE, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab", HEAD_MORE, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", HEAD_MORE, 0 },
    { "GET / HTTP/1.1\nHost: x\n\n", 400, 0 },
    { "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0 },
    { "GET / HTTP/1.1\r\nHost: x\r\nA:b\nC: d\r\n\r\n", 400, 0 },
    { "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400, 0 },
    { "GET / HTTP/1.1\r\nHost: x\r\nA: b\x01\r\n\r\n", 400, 0 },
    { "GET / HTTP/1.1\r\nHost: x\r\n A: b\r\n\r\n", 400, 0 },
    { "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400, 0 },
    { "GET / HTTP/1.1\r\n\r\n", 400, 0 },
    { "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0 },
    { "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400, 0 },
    { "GET //evil/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0 },
    { "GET /#a HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0 },
    { "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, 0 },
    { "get / HTTP/1.1\r\nHost: x\r\n\r\n", 501, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc", 400, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n", 400, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999999\r\n\r\n", 413, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n", 501, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n", 400, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\n", 400, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc", 400, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n", 400, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413, 0 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400, 0 },
    { "GET / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n", 417, 0 },
    { "HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", 400, 0 },
    { "GET / HTTP/1.1\r\nHost: x\r\na:1\r\na:2\r\na:3\r\na:4\r\na:5\r\na:6\r\na:7\r\na:8\r\na:9\r\na:0\r\n\r\n", 431,
      0 },
};

START_TEST(each_request_ends_where_it_should)
{
    size_t n = strlen(cases[_i].text);
    struct head h;
    int rc = scan(&h, cases[_i].text, n);

    ck_assert_msg(rc == cases[_i].rc, "%s: %d, not %d (%s)", cases[_i].text, rc, cases[_i].rc, h.why ? h.why : "");
    ck_assert(rc <= HEAD_DONE || (h.why && *h.why));
    if (rc == HEAD_DONE)
        ck_assert_uint_eq(n - h.total, cases[_i].rest);
    ck_assert_int_eq(scan_slowly(cases[_i].text, n), rc);
}
END_TEST

START_TEST(lengths_are_bounded)
{
    char *long_line = malloc(8192);
    struct head h;

    memset(long_line, 'a', 8192);
    memcpy(long_line, "GET /", 5);
    ck_assert_int_eq(scan(&h, long_line, 8192), 414);
    ck_assert_int_eq(scan_slowly(long_line, 8192), 414);
    memcpy(long_line, "GET / HTTP/1.1\r\nA: ", 19);
    ck_assert_int_eq(scan(&h, long_line, 8192), 431);
    ck_assert_int_eq(scan(&h, "GET / HTTP/1.1\r\nA: \0b\r\n", 23), 400);
    free(long_line);
}
END_TEST

START_TEST(chunk_lines_cannot_outweigh_the_body)
{
    static const char start[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    struct head_limits wide = limits;
    size_t at = sizeof start - 1, cap = at + 6 * 100000;
    char *all = malloc(cap);
    struct head h = { 0 };

    wide.body = 60000;
    memcpy(all, start, at);
    for (int i = 0; i < 50000; i++, at += 6)
        memcpy(all + at, "1\r\na\r\n", 6);
    ck_assert_int_eq(head_scan(&h, &wide, all, at), 413);
    free(all);
}
END_TEST

START_TEST(values_are_found_in_a_head)
{
    char head[] = "POST /Host: HTTP/1.1\r\nHost: x\r\nX-Content-Length: 9\r\ncontent-LENGTH: \t123 \r\nEmpty:\r\n\r\n";
    size_t n = sizeof head - 1, len = 99;
    const char *v = head_value(head, n, "Content-Length", &len);

    ck_assert(v && len == 3 && !memcmp(v, "123", 3));
    v = head_value(head, n, "host", &len);
    ck_assert(v && len == 1 && *v == 'x');
    ck_assert(head_value(head, n, "Empty", &len) && !len);
    ck_assert_ptr_null(head_value(head, n, "Content", &len));
    head_no_body(head, n);
    ck_assert_ptr_nonnull(strstr(head, "\r\nX-Content-Length: 9\r\ncontent-LENGTH: \t000 \r\n"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http head");
    TCase *t = tcase_create("head");

    tcase_add_test(t, values_are_found_in_a_head);
    tcase_add_loop_test(t, each_request_ends_where_it_should, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(t, lengths_are_bounded);
    tcase_add_test(t, chunk_lines_cannot_outweigh_the_body);
    suite_add_tcase(s, t);
    return unit_run(s);
}
