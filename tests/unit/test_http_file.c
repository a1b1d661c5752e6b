/* test_http_file.c: bodies of HTTP as files: names, sizes, ranges, holes, and what is none. */
#include <string.h>

#include "plugins/traffic/proto/http/file.h"
#include "plugins/traffic/proto/http/http.h"
#include "plugins/traffic/proto/http/multipart.h"
#include "tests/support/fake_traffic.h"
#include "tests/unit/unit.h"

static void talk(struct fake_traffic *f, const char *request, const char *response)
{
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, request, (uint32_t)strlen(request), 0);
    fake_feed(f, EC_TO_CLIENT, response, (uint32_t)strlen(response), 0);
}

START_TEST(a_response_is_a_file)
{
    static const struct { const char *head, *name; } cases[] = {
        { "", "/download/a b.txt" },
        { "Content-Disposition: attachment; filename=\"x;y.txt\"; size=2\r\n", "x;y.txt" },
        { "content-disposition: inline;filename=z.txt;x\r\n", "z.txt" },
        { "Content-Disposition: attachment; filename=\r\n", "/download/a b.txt" },
        { "Content-Disposition: attachment; nofilename=q\r\n", "/download/a b.txt" },
    };
    struct fake_traffic *f = fake_new(http_register);
    char response[256];

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(response, sizeof response, "HTTP/1.1 200 OK\r\n%sContent-Length: 5\r\n\r\nhello", cases[i].head);
        talk(f, "GET /download/a%20b.txt?x=1 HTTP/1.1\r\nHost: h\r\n\r\n", response);
        ck_assert_uint_eq(f->n_file, 1);
        ck_assert_str_eq(f->file_name, cases[i].name);
        ck_assert_uint_eq(f->file.bytes, 5);
        ck_assert_uint_eq(f->file.flags, EC_FILE_WHOLE);
        ck_assert_uint_eq(f->file.dir, EC_TO_CLIENT);
        fake_end(f);
        ck_assert_uint_eq(f->n_file, 1);
    }
    fake_free(f);
}
END_TEST

START_TEST(what_is_sent_is_a_file)
{
    struct fake_traffic *f = fake_new(http_register);
    const char *ok = "HTTP/1.1 204 No Content\r\n\r\n";

    talk(f, "PUT /up.bin HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", ok);
    ck_assert_uint_eq(f->n_file, 1);
    ck_assert_str_eq(f->file_name, "/up.bin");
    ck_assert_uint_eq(f->file.dir, EC_TO_SERVER);
    fake_end(f);
    talk(f, "POST /f HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            "Content-Length: 3\r\n\r\nabc", ok);
    ck_assert_uint_eq(f->n_file, 0);
    fake_end(f);
    talk(f, "DELETE /f HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", ok);
    ck_assert_uint_eq(f->n_file, 0);
    fake_end(f);
    talk(f, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ck_assert_uint_eq(f->n_file, 0);                /* nothing went by */
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(holes_and_ends_cut_a_file)
{
    struct fake_traffic *f = fake_new(http_register);
    const char *request = "GET /f HTTP/1.1\r\nHost: h\r\n\r\n",
               *head = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhello";

    talk(f, request, head);
    fake_gap(f, EC_TO_CLIENT, 10);
    ck_assert_uint_eq(f->n_file, 0);
    fake_feed(f, EC_TO_CLIENT, "world", 5, 0);
    ck_assert_uint_eq(f->n_file, 1);
    ck_assert_uint_eq(f->file.bytes, 20);
    ck_assert_uint_eq(f->file.flags, EC_FILE_WHOLE | EC_FILE_GAPS);
    fake_end(f);
    talk(f, request, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZ\r\n");
    fake_end(f);
    ck_assert_uint_eq(f->n_file, 1);
    ck_assert_uint_eq(f->file.flags & EC_FILE_GAPS, 0);
    fake_free(f);
}
END_TEST

START_TEST(ranges_are_read)
{
    static const struct { const char *text; struct http_range range; } cases[] = {
        { "bytes 500-1000/146515", { true, true, 500, 1000, 146515 } },
        { "Bytes 0-0/1", { true, true, 0, 0, 1 } },
        { "bytes 5-9/*", { true, false, 5, 9, 0 } },
        { "bytes 5-9", { true, false, 5, 9, 0 } },
        { "bytes */100", { false, false, 0, 0, 0 } },
        { "bytes 9-5/100", { false, true, 9, 5, 100 } },
        { "bytes 5-", { false, false, 5, 0, 0 } },
        { "lines 1-2/3", { false, false, 0, 0, 0 } },
        { "", { false, false, 0, 0, 0 } },
        { "bytes 99999999999999999999999-1/2", { false, false, 0, 0, 0 } },
    };

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_range r;
        range_read(&r, (const uint8_t *)cases[i].text, (uint32_t)strlen(cases[i].text));
        ck_assert_msg(r.known == cases[i].range.known && r.sized == cases[i].range.sized, "%s", cases[i].text);
        if (!r.known)
            continue;
        ck_assert_uint_eq(r.first, cases[i].range.first);
        ck_assert_uint_eq(r.last, cases[i].range.last);
        ck_assert_uint_eq(r.size, cases[i].range.size);
    }
}
END_TEST

START_TEST(ranges_are_sound_or_not)
{
    static const char *const sound[] = {
        "bytes 0-2/10", "bytes 0-2/3", "bytes 0-2/*", "bytes */10", "items  0-2/10", "bytes 0-0/1 x" };
    static const char *const odd[] = {
        "", "bytes", "bytes 0-2", "bytes 0-2/", "bytes */", "bytes */x", "bytes *", "bytes 5-2/10", "bytes 5-2/*",
        "bytes 5-10/10", "bytes a-b/c", "bytes=0-2/10", "0-2/10", "bytes -2/10", "bytes 0 -2/10", "bytes 0-/3",
        "bytes 0-2/99999999999999999999999", "bytes 0-99999999999999999999999/5" };

    for (unsigned i = 0; i < sizeof sound / sizeof sound[0]; i++)
        ck_assert_msg(range_sound((const uint8_t *)sound[i], (uint32_t)strlen(sound[i])), "%s", sound[i]);
    for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++)
        ck_assert_msg(!range_sound((const uint8_t *)odd[i], (uint32_t)strlen(odd[i])), "%s", odd[i]);
}
END_TEST

START_TEST(long_names_are_told)
{
    struct fake_traffic *f = fake_new(http_register);
    static char d[HTTP_FILE_NAME_MAX + 200];

    for (int over = 0; over < 2; over++) {
        static const char body[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        int n = snprintf(d, sizeof d, "GET /%0*d HTTP/1.1\r\nHost: h\r\n\r\n", HTTP_FILE_NAME_MAX - 1 + over, 0);
        fake_begin(f);
        fake_feed(f, EC_TO_SERVER, d, (uint32_t)n, 0);
        fake_feed(f, EC_TO_CLIENT, body, sizeof body - 1, 0);
        ck_assert_uint_eq(fake_told(f, "FILE_NAME_TOO_LONG"), (unsigned)over);
        fake_end(f);
    }
    fake_free(f);
}
END_TEST

START_TEST(a_part_of_a_file_says_which)
{
    struct fake_traffic *f = fake_new(http_register);

    talk(f, "GET /f HTTP/1.1\r\nHost: h\r\n\r\n",
         "HTTP/1.1 206 Partial\r\nContent-Range: bytes 10-14/100\r\nContent-Length: 5\r\n\r\nhello");
    ck_assert_uint_eq(f->file.flags, EC_FILE_WHOLE | EC_FILE_RANGE);
    ck_assert_uint_eq(f->file.first, 10);
    ck_assert_uint_eq(f->file.last, 14);
    fake_end(f);
    fake_free(f);
}
END_TEST

static char seen[512];

static void see_part(void *arg, const struct multipart *m, bool whole)
{
    size_t n = strlen(seen);

    (void)arg;
    snprintf(seen + n, sizeof seen - n, "%.*s:%u%s%s ", (int)m->n_name, (const char *)m->name, (unsigned)m->bytes,
             whole ? "" : "!", m->gaps ? "?" : "");
}

#define DISPOSITION "Content-Disposition: form-data; name=\"x\"; filename="
START_TEST(forms_are_cut_anywhere)
{
    static const char type[] = "Multipart/Form-Data; charset=u; boundary=\"--b\"",
        body[] = "----b\r\n" DISPOSITION "\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\r\n--x\r\n----b\r\n"
                 "Content-Disposition: form-data; name=\"plain\"\r\n\r\nno file\r\n----b  \r\n" DISPOSITION
                 "empty\r\n\r\n\r\n----b\n" DISPOSITION "\"\"\n\n\r\n----\r\n----b--\r\nepilogue\r\n----b\r\n";
    struct multipart m;

    for (uint32_t step = 1; step < sizeof body; step++) {
        seen[0] = '\0';
        ck_assert(multipart_open(&m, (const uint8_t *)type, sizeof type - 1));
        for (uint32_t at = 0; at < sizeof body - 1; at += step)
            multipart_data(&m, (const uint8_t *)body + at, sizeof body - 1 - at < step ? sizeof body - 1 - at : step,
                           see_part, NULL);
        multipart_end(&m, see_part, NULL);
        ck_assert_str_eq(seen, "a.txt:11 empty:0 :6 ");
    }
    ck_assert(!multipart_open(&m, (const uint8_t *)"multipart/form-data", 19));
    ck_assert(!multipart_open(&m, (const uint8_t *)"text/plain; boundary=b", 22));
}
END_TEST

/* Behind a hole nobody knows where a line of a part's headers begins. */
START_TEST(forms_with_holes_have_no_odd_headers)
{
    static const char type[] = "multipart/form-data; boundary=b", line[] = "ader\r\n\r\nabc\r\n--b\r\nodd\r\n";
    struct multipart m;

    ck_assert(multipart_open(&m, (const uint8_t *)type, sizeof type - 1));
    multipart_data(&m, (const uint8_t *)"--b\r\nhe", 7, see_part, NULL);
    multipart_data(&m, NULL, 20, see_part, NULL);
    multipart_data(&m, (const uint8_t *)line, sizeof line - 6, see_part, NULL);
    ck_assert(!m.odd_header);
    multipart_data(&m, (const uint8_t *)line + sizeof line - 6, 5, see_part, NULL);
    ck_assert(m.odd_header);
    ck_assert(!m.empty_file);
}
END_TEST

START_TEST(a_form_is_its_files)
{
    struct fake_traffic *f = fake_new(http_register);
    static const char request[] =
        "POST /f HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 500\r\n\r\n"
        "--b\r\n" DISPOSITION "one\r\n\r\n12345\r\n--b\r\n" DISPOSITION "two\r\n\r\n123";

    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, request, sizeof request - 1, 0);
    ck_assert_uint_eq(f->n_file, 1);
    ck_assert_str_eq(f->file_name, "one");
    ck_assert_uint_eq(f->file.bytes, 5);
    ck_assert_uint_eq(f->file.flags, EC_FILE_WHOLE);
    fake_gap(f, EC_TO_SERVER, 100);
    fake_end(f);
    ck_assert_uint_eq(f->n_file, 2);
    ck_assert_str_eq(f->file_name, "two");
    ck_assert_uint_eq(f->file.bytes, 103);
    ck_assert_uint_eq(f->file.flags, EC_FILE_GAPS);
    fake_free(f);
}
END_TEST

static void part(struct fake_traffic *f, const char *url, uint32_t first, uint32_t last)
{
    static const char request[] = "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
                      response[] = "HTTP/1.1 206 P\r\nContent-Range: bytes %u-%u/30\r\nContent-Length: %u\r\n\r\n%.*s";
    char text[256];
    int n = snprintf(text, sizeof text, request, url);

    fake_feed(f, EC_TO_SERVER, text, (uint32_t)n, 0);
    n = snprintf(text, sizeof text, response, first, last, last - first + 1, (int)(last - first + 1),
                 "012345678901234567890123456789");
    fake_feed(f, EC_TO_CLIENT, text, (uint32_t)n, 0);
}

START_TEST(ranges_make_a_whole)
{
    struct fake_traffic *f = fake_new(http_register);

    fake_begin(f);
    part(f, "/f", 10, 19);
    part(f, "/f", 0, 11);
    ck_assert_uint_eq(f->n_file, 2);
    part(f, "/f", 20, 29);
    ck_assert_uint_eq(f->n_file, 4);
    ck_assert_uint_eq(f->file.bytes, 30);
    ck_assert_uint_eq(f->file.flags, EC_FILE_WHOLE);
    part(f, "/f", 0, 29);                           /* one range that is all of it is told once */
    ck_assert_uint_eq(f->n_file, 5);
    part(f, "/f", 0, 19);
    part(f, "/other", 20, 29);
    ck_assert_uint_eq(f->n_file, 7);
    fake_end(f);
    fake_free(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_file");
    TCase *tc = tcase_create("http_file");

    tcase_add_test(tc, a_response_is_a_file);
    tcase_add_test(tc, what_is_sent_is_a_file);
    tcase_add_test(tc, holes_and_ends_cut_a_file);
    tcase_add_test(tc, ranges_are_read);
    tcase_add_test(tc, ranges_are_sound_or_not);
    tcase_add_test(tc, long_names_are_told);
    tcase_add_test(tc, forms_with_holes_have_no_odd_headers);
    tcase_add_test(tc, a_part_of_a_file_says_which);
    tcase_add_test(tc, ranges_make_a_whole);
    tcase_add_test(tc, forms_are_cut_anywhere);
    tcase_add_test(tc, a_form_is_its_files);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
