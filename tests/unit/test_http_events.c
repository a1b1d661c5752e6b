/* test_http_events.c: what is wrong with HTTP messages, by the names that EVE has. */
#include <string.h>

#include "plugins/traffic/proto/http/events.h"
#include "plugins/traffic/proto/http/http.h"
#include "plugins/traffic/proto/http/text.h"
#include "tests/support/fake_traffic.h"
#include "tests/unit/unit.h"

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define PARTIAL(range) "HTTP/1.1 206 P\r\nContent-Range: " range "\r\nContent-Length: 3\r\n\r\nabc"
#define FORM(n) "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: " n "\r\n\r\n"
#define FILE_X "Content-Disposition: form-data; filename=x"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

START_TEST(each_is_named)
{
    static const struct { const char *request, *response, *name; } cases[] = {
        { "GET / HTTP/1.1\r\n\r\n", OK, "MISSING_HOST_HEADER" },
        { "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", OK, "HOST_HEADER_AMBIGUOUS" },
        { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", OK, "REQUEST_HEADER_HOST_INVALID" },
        { "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", OK, "REQUEST_FIELD_MISSING_COLON" },
        { "GET / HTTP/1.1\r\nHost: a\r\nB@d: x\r\n\r\n", OK, "REQUEST_HEADER_INVALID" },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", OK,
          "DUPLICATE_CONTENT_LENGTH_FIELD_IN_REQUEST" },
        { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", OK,
          "REQUEST_SMUGGLING" },
        { "GET /\r\n\r\n", "hello", "REQUEST_LINE_MISSING_PROTOCOL" },
        { "  GET / HTTP/1.1\r\nHost: a\r\n\r\n", OK, "REQUEST_LINE_LEADING_WHITESPACE" },
        { "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", OK, "METHOD_DELIM_NON_COMPLIANT" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
          "RESPONSE_FIELD_MISSING_COLON" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
          "RESPONSE_INVALID_STATUS" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "INVALID_RESPONSE_CHUNK_LEN" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", OK OK, "UNABLE_TO_MATCH_RESPONSE_TO_REQUEST" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", CONTINUE CONTINUE, "100_CONTINUE_ALREADY_SEEN" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 101 S\r\nContent-Length: 3\r\n\r\nabc",
          "SWITCHING_PROTO_WITH_CONTENT_LENGTH" },
        { "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", OK, "REQUEST_FIELD_MISSING_COLON" },
        { "GET / HTTP/1.1\r\nHost: a\r\nReferer: x\r\nReferer: y\r\n\r\n", OK, "REQUEST_HEADER_REPETITION" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 0\r\ncontent-type: c/d\r\nX: y\r\n\r\n",
          "RESPONSE_HEADER_REPETITION" },
        { "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basi dTpw\r\n\r\n", OK, "REQUEST_AUTH_UNRECOGNIZED" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", PARTIAL("bytes 2-0/9"), "RANGE_INVALID" },
        { "POST / HTTP/1.1\r\nHost: a\r\n" FORM("500") "--b\r\n" FILE_X "\r\nno colon\r\n\r\n", OK,
          "MULTIPART_INVALID_HEADER" },
        { "POST / HTTP/1.1\r\nHost: a\r\n" FORM("500") "--b\r\n" FILE_X "\r\nX:  \r\nY: \r\n\r\n", OK,
          "MULTIPART_INVALID_HEADER" },
        { "POST / HTTP/1.1\r\nHost: a\r\n" FORM("500") "--b\r\n" FILE_X "\r\n\r\n--b\r\n" FILE_X "\r\n\r\n--b--", OK,
          "MULTIPART_NO_FILEDATA" },
    };
    struct fake_traffic *f = fake_new(http_register);

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_begin(f);
        fake_feed(f, EC_TO_SERVER, cases[i].request, (uint32_t)strlen(cases[i].request), 0);
        fake_feed(f, EC_TO_CLIENT, cases[i].response, (uint32_t)strlen(cases[i].response), 0);
        fake_end(f);
        ck_assert_msg(fake_told(f, cases[i].name) == 1, "%s", cases[i].name);
        ck_assert_msg(fake_told(f, "UNKNOWN_ERROR") == 0, "%s", cases[i].name);
    }
    fake_free(f);
}
END_TEST

/* A request without a version may be answered by a server that read another one. */
START_TEST(a_status_line_is_no_body_of_version_09)
{
    static const char request[] = "\x85 GET\r\n\r\n", response[] =
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno\n";
    struct fake_traffic *f = fake_new(http_register);

    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, request, sizeof request - 1, 0);
    fake_feed(f, EC_TO_CLIENT, response, sizeof response - 1, 0);
    ck_assert_uint_eq(f->n_ended, 1);           /* by Content-Length: the connection is still open */
    ck_assert_uint_eq(f->n_file, 1);
    ck_assert_uint_eq(f->file.bytes, 3);
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(sound_messages_have_none)
{
    struct fake_traffic *f = fake_new(http_register);
    static const char *const said[][2] = {
        { "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nauthorization: negotiate YII=\r\n\r\n", CONTINUE OK },
        { "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: \r\nVia: a\r\nVia: b\r\n\r\n", PARTIAL("bytes 2-4/*") },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
          "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nset-cookie: c\r\nContent-Length: 0\r\n\r\n" },
        { "POST / HTTP/1.1\r\nHost: a\r\n" FORM("116") "--b\r\n" FILE_X "\r\n\r\n\r\n--b\r\n"
          "Content-Disposition: form-data; name=\"y\"\r\n\r\n--b--\r\nno part", OK },
    };

    fake_begin(f);
    for (unsigned i = 0; i < sizeof said / sizeof said[0]; i++) {
        fake_feed(f, EC_TO_SERVER, said[i][0], (uint32_t)strlen(said[i][0]), 0);
        fake_feed(f, EC_TO_CLIENT, said[i][1], (uint32_t)strlen(said[i][1]), 0);
    }
    ck_assert_uint_eq(f->n_ended, 4);
    fake_end(f);
    for (uint32_t i = 0; i < f->proto->n_anomaly; i++)
        ck_assert_msg(f->anomaly[i] == 0, "%s", f->proto->anomaly[i]);
    fake_free(f);
}
END_TEST

START_TEST(all_have_a_name)
{
    for (uint32_t i = 0; i < HTTP_EVENTS; i++)
        ck_assert_ptr_nonnull(http_events[i]);
    ck_assert_int_eq(events_of_message("something new", HTP_LOG_WARNING, 0), -1);
    ck_assert_str_eq(http_events[events_of_message("something new", HTP_LOG_ERROR, 0)], "UNKNOWN_ERROR");
    ck_assert_str_eq(http_events[events_of_message("Request chunk extension", HTP_LOG_WARNING, EC_TO_SERVER)],
                     "REQUEST_CHUNK_EXTENSION");
    ck_assert_str_eq(http_events[events_of_message("Request chunk extension", HTP_LOG_WARNING, EC_TO_CLIENT)],
                     "RESPONSE_CHUNK_EXTENSION");
    ck_assert_int_eq(events_of_message("[Internal Error] x", HTP_LOG_ERROR, 0), -1);
}
END_TEST

/* Headers are found as libhtp finds them, whatever stands in their names. */
START_TEST(headers_are_found)
{
    static const struct { const char *p; size_t n; bool same; } names[] = {
        { "REFERER", 7, true }, { "re\0ferer", 8, true }, { "\0referer\0", 9, true }, { "referer2", 8, false },
        { "refere\0", 7, false }, { "refere", 6, false }, { "re\0erer", 7, false }, { "", 0, false } };

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        htp_table_t *table = htp_table_create(2);
        bstr *other = bstr_dup_c("Accept"), *name = bstr_dup_mem(names[i].p, names[i].n);
        htp_header_t headers[2] = { { .name = other }, { .name = name } };
        const htp_header_t *found;

        ck_assert_int_eq(htp_table_addk(table, other, &headers[0]), HTP_OK);
        ck_assert_int_eq(htp_table_addk(table, name, &headers[1]), HTP_OK);
        found = TEXT_HEADER(table, "referer");
        ck_assert_ptr_eq(found, htp_table_get_c(table, "referer"));
        ck_assert_ptr_eq(found, names[i].same ? &headers[1] : NULL);
        htp_table_destroy(table);
        bstr_free(other), bstr_free(name);
    }
    ck_assert_ptr_null(TEXT_HEADER(NULL, "referer"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_events");
    TCase *tc = tcase_create("http_events");

    tcase_add_test(tc, each_is_named);
    tcase_add_test(tc, a_status_line_is_no_body_of_version_09);
    tcase_add_test(tc, sound_messages_have_none);
    tcase_add_test(tc, all_have_a_name);
    tcase_add_test(tc, headers_are_found);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
