/* The HTTP reader and the terminal filter of ecyberctl: what a daemon answers, and what somebody else might. */
#include "tests/unit/unit.h"

#include "cli/http.h"
#include "cli/safe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An answer that comes in pieces of `step` bytes. */
struct source {
    const char *p;
    size_t n, step;
};

static ssize_t source_fill(void *arg, void *to, size_t n)
{
    struct source *s = arg;

    n = n < s->step ? n : s->step;
    n = n < s->n ? n : s->n;
    memcpy(to, s->p, n);
    s->p += n;
    s->n -= n;
    return (ssize_t)n;
}

static struct http_in in;
static struct source source;

static int head(const char *text, size_t step)
{
    char why[128];

    source = (struct source){text, strlen(text), step};
    memset(&in, 0, sizeof in);
    in.fill = source_fill;
    in.arg = &source;
    return http_head(&in, why, sizeof why);
}

/* The body, whatever the pieces; "(bad)": cut or malformed. */
static const char *body(const char *text)
{
    static char out[65536];
    size_t len;

    for (size_t step = 1; step < 40; step += 13) {
        char *whole;

        ck_assert_int_eq(head(text, step), 0);
        whole = http_body_whole(&in, &len);
        ck_assert(!whole || strlen(whole) == len);
        strcpy(out, whole ? whole : "(bad)");
        free(whole);
    }
    return out;
}

START_TEST(bodies_are_read_to_their_end)
{
    ck_assert_str_eq(body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more"), "hello");
    ck_assert_str_eq(body("HTTP/1.1 200 OK\r\n\r\nup to the end"), "up to the end");
    ck_assert_str_eq(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n"),
                     "hello, world");
    ck_assert_str_eq(body("HTTP/1.1 200 OK\ntransfer-encoding: CHUNKED\nContent-Length: 3\n\n"
                          "1\na\nA\n0123456789\n0\nX: y\n\n"),
                     "a0123456789");
    ck_assert_str_eq(body("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"), "");
    ck_assert_str_eq(body("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), "");
    ck_assert_str_eq(body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), "ok");
}
END_TEST

START_TEST(cut_and_malformed_bodies_are_found_out)
{
    static const char *const bad[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_str_eq(body(bad[i]), "(bad)");
}
END_TEST

START_TEST(what_is_no_answer_is_refused)
{
    static const char *const bad[] = {
        "", "\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 20x OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nX: y",
        "SSH-2.0-OpenSSH\r\n"};
    char *many = malloc(200000), *at = many;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(head(bad[i], 7) == -1, "%s", bad[i]);
    at += sprintf(at, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 200; i++)
        at += sprintf(at, "X-%d: y\r\n", i);
    sprintf(at, "\r\n");
    ck_assert_int_eq(head(many, 4096), -1);
    memset(many, 'a', 199999);
    many[199999] = '\0';
    memcpy(many, "HTTP/1.1 200 ", 13);
    ck_assert_int_eq(head(many, 4096), -1);
    free(many);
}
END_TEST

START_TEST(retry_after_is_read)
{
    ck_assert_int_eq(head("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"
                          "Content-Type: text/event-stream\r\n\r\n", 99), 0);
    ck_assert(in.status == 429 && in.retry_after == 7 && in.event_stream);
}
END_TEST

START_TEST(nothing_drives_the_terminal)
{
    char *shown = safe_text("a\x1b[31m\x07\tb\xc2\x9b" "c\xe2\x80\xae" "d\x7f\xff\xc0\xaf "
                            "\xed\xa0\x80 gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    ck_assert_str_eq(shown, "a\\x1b[31m\\x07\\x09b\\u009bc\\u202ed\\x7f\\xff\\xc0\\xaf \\xed\\xa0\\x80 "
                            "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
    free(shown);
    safe_json(out, "{\"a\":\"\xc2\x9b\xe2\x80\xae\x7f\xc3\xbc\"}\n");
    fclose(out);
    ck_assert_str_eq(text, "{\"a\":\"\\u009b\\u202e\\u007f\xc3\xbc\"}\n");
    free(text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cli_http");
    TCase *c = tcase_create("http");

    tcase_add_test(c, bodies_are_read_to_their_end);
    tcase_add_test(c, cut_and_malformed_bodies_are_found_out);
    tcase_add_test(c, what_is_no_answer_is_refused);
    tcase_add_test(c, retry_after_is_read);
    tcase_add_test(c, nothing_drives_the_terminal);
    suite_add_tcase(s, c);
    return unit_run(s);
}
