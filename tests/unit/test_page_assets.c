#include "tests/unit/unit.h"

#include "plugins/page/assets.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LARGEST (8u << 20)

static const struct page_asset *find(const char *path)
{
    uint32_t n;
    const struct page_asset *all = page_assets(&n);

    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(all[i].path, path))
            return &all[i];
    return NULL;
}

/* Unpacked, with a NUL behind it. */
static char *unpack(const struct page_asset *a)
{
    char *text = calloc(1, LARGEST);
    z_stream z = { .next_in = (Bytef *)(uintptr_t)a->gzip, .avail_in = a->len, .next_out = (Bytef *)text,
                   .avail_out = LARGEST - 1 };

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
    ck_assert_msg(inflate(&z, Z_FINISH) == Z_STREAM_END, "%s is no whole gzip file", a->path);
    ck_assert_msg(z.avail_in == 0, "%s has %u bytes behind its end", a->path, z.avail_in);
    inflateEnd(&z);
    return text;
}

START_TEST(each_is_a_whole_gzip_file)
{
    uint32_t n;
    const struct page_asset *all = page_assets(&n);

    ck_assert_uint_ge(n, 1);
    for (uint32_t i = 0; i < n; i++) {
        char *text = unpack(&all[i]);

        ck_assert_msg(*text, "%s is empty", all[i].path);
        ck_assert_int_eq(all[i].path[0], '/');
        ck_assert_ptr_nonnull(strchr(all[i].type, '/'));
        ck_assert_ptr_eq(find(all[i].path), &all[i]);
        free(text);
    }
}
END_TEST

/* With npm the page and its parts, without it the one that says why: never half of it. */
START_TEST(there_is_a_page)
{
    static const char *const parts[] = { "/app.js", "/app.css", "/icon.svg", "/api/docs", "/api/docs/start.js",
                                         "/api/docs/swagger-ui.css", "/api/docs/swagger-ui-bundle.js" };
    const struct page_asset *page = find("/");
    char *text;

    ck_assert_ptr_nonnull(page);
    text = unpack(page);
    ck_assert_ptr_nonnull(strstr(text, page_built() ? "src=\"/app.js\"" : "The page was left out"));
    free(text);
    for (uint32_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ck_assert_msg(!find(parts[i]) == !page_built(), "%s", parts[i]);
}
END_TEST

/* The policy of the server is default-src 'self': what stands within a page would be refused by the browser. */
START_TEST(nothing_stands_within_a_page)
{
    static const char *const paths[] = { "/", "/api/docs" };

    for (uint32_t i = 0; i < 2; i++) {
        const struct page_asset *a = find(paths[i]);
        char *text = a ? unpack(a) : NULL;

        if (!a)
            continue;
        ck_assert_msg(!strstr(text, "<script>") && !strstr(text, "<style") && !strstr(text, "style=") &&
                      !strstr(text, " onload=") && !strstr(text, "://"), "%s", paths[i]);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("page_assets");
    TCase *c = tcase_create("assets");

    tcase_add_test(c, each_is_a_whole_gzip_file);
    tcase_add_test(c, there_is_a_page);
    tcase_add_test(c, nothing_stands_within_a_page);
    suite_add_tcase(s, c);
    return unit_run(s);
}
