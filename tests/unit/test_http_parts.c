/* The small parts of the HTTP server: decoding, routes, roles, times, ETags, metrics. */
#include "plugins/http/asset.h"
#include "plugins/http/change.h"
#include "plugins/http/cors.h"
#include "plugins/http/decode.h"
#include "plugins/http/input.h"
#include "plugins/http/pick.h"
#include "plugins/http/prom.h"
#include "plugins/http/route.h"
#include "plugins/http/schema.h"
#include "plugins/http/search.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(struct text *t)
{
    text_add(t, "", 1);
    ck_assert(!t->bad);
    return t->p;
}

START_TEST(a_query_is_decoded)
{
    struct decode d;
    const char *why;
    static const char q[] = "a=1&b=%41%20+x&&c&a=2&%C3%BC=%E2%82%AC&=v";

    ck_assert_int_eq(decode_query(&d, q, sizeof q - 1, &why), 0);
    ck_assert_uint_eq(d.n, 6);
    ck_assert_str_eq(decode_find(&d, "a")->value, "2");
    ck_assert_str_eq(decode_find(&d, "b")->value, "A  x");
    ck_assert_str_eq(decode_find(&d, "c")->value, "");
    ck_assert_str_eq(decode_find(&d, "\xc3\xbc")->value, "\xe2\x82\xac");
    ck_assert_ptr_null(decode_find(&d, "d"));
    decode_free(&d);
}
END_TEST

START_TEST(what_is_no_query_is_refused)
{
    static const char *const bad[] = { "a=%", "a=%4", "a=%4g", "%zz=1", "a=%00", "a=%ff", "a=%c0%80", "a=%ed%a0%80",
                                       "a=\xff" };
    struct decode d;
    const char *why = NULL;
    char many[600] = "";

    ck_assert_int_eq(decode_query(&d, bad[_i], strlen(bad[_i]), &why), -1);
    ck_assert_ptr_nonnull(why);
    decode_free(&d);
    for (int i = 0; i < 129; i++)
        strcat(many, "a=1&");
    ck_assert_int_eq(decode_query(&d, many, strlen(many), &why), -1);
    decode_free(&d);
}
END_TEST

struct thing { struct ec_part part; struct ec_span name; struct ec_list tags; uint64_t n; };
static const struct ec_row thing_rows[] = {
    EC_FIELD(TEXT, 0, struct thing, name, "name", NULL, "its name"),
    EC_FIELD(TEXT, EC_R_LIST, struct thing, tags, "tags", NULL, "its tags"),
    EC_FIELD_OPT(U64, 0, 0, struct thing, n, "n", NULL, "a number"),
};
static const struct ec_record thing = EC_RECORD_PART(struct thing, thing_rows);

START_TEST(fields_become_an_object)
{
    static const char q[] = "name=a&tags=x&name=b&tags=%22&z=1";
    struct decode d;
    struct text t = { 0 };
    const char *why;

    ck_assert_int_eq(decode_query(&d, q, sizeof q - 1, &why), 0);
    input_object(&t, &thing, &d);
    ck_assert_str_eq(text_of(&t), "{\"tags\":[\"x\",\"\\\"\"],\"name\":\"b\",\"z\":\"1\"}");
    text_free(&t);
    decode_free(&d);
}
END_TEST

START_TEST(json_text_is_escaped)
{
    struct text t = { 0 };

    text_json(&t, "a\"\\\n\x01\x7f\xff\xc3\xa4", 9);
    ck_assert_str_eq(text_of(&t), "\"a\\\"\\\\\\n\\u0001\\u007f\xef\xbf\xbd\xc3\xa4\"");
    text_free(&t);
}
END_TEST

static int32_t nothing(void *self, const void *state, struct ec_req *r)
{
    (void)self;
    (void)state;
    (void)r;
    return EC_OK;
}

static const struct ec_row id_rows[] = { EC_FIELD(U64, 0, struct thing, n, "id", NULL, "number") };
static const struct ec_record id_record = EC_RECORD_PART(struct thing, id_rows);
#define ROUTE(m, p, id, par) { .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .summary = "s", \
                               .roles = "", .param = par, .run = nothing }
static const struct ec_route table[] = {
    ROUTE("GET", "/a", "a", NULL), ROUTE("POST", "/a", "b", NULL), ROUTE("GET", "/a/{id}", "c", &id_record),
    ROUTE("GET", "/a/top", "d", NULL), ROUTE("DELETE", "/a/{id}/x", "e", &id_record), ROUTE("GET", "/", "f", NULL),
};

static const char *matched(const struct routes *all, const char *method, const char *path, struct route_match *m)
{
    routes_match(all, method, path, strlen(path), m);
    return m->route ? m->route->r->opid : m->allow;
}

START_TEST(paths_find_their_routes)
{
    struct routes all = { 0 };
    struct route_match m;
    char why[256];

    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
        ck_assert_int_eq(routes_add(&all, NULL, &table[i], NULL, why, sizeof why), EC_OK);
    ck_assert_str_eq(matched(&all, "GET", "/a", &m), "a");
    ck_assert_str_eq(matched(&all, "POST", "/a", &m), "b");
    ck_assert_str_eq(matched(&all, "HEAD", "/a", &m), "a");
    ck_assert_str_eq(matched(&all, "GET", "/a/top", &m), "d");
    ck_assert_str_eq(matched(&all, "GET", "/a/7%2f", &m), "c");
    ck_assert(m.value_len[0] == 4 && !memcmp(m.value[0], "7%2f", 4));
    ck_assert_str_eq(matched(&all, "GET", "/", &m), "f");
    ck_assert_str_eq(matched(&all, "PUT", "/a", &m), "GET, HEAD, POST");
    ck_assert_str_eq(matched(&all, "GET", "/a/1/x", &m), "DELETE");
    static const char *const none[] = { "/b", "/a/", "/a/1/x/y", "/a//x", "a", "//", "" };
    for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++)
        ck_assert_str_eq(matched(&all, "GET", none[i], &m), "");
    routes_free(&all);
}
END_TEST

START_TEST(wrong_declarations_are_refused)
{
    static const struct { struct ec_route r; int32_t err; } bad[] = {
        { ROUTE("GET", "/a/{x}", "new", NULL), EC_EINVAL }, { ROUTE("GET", "a", "new", NULL), EC_EINVAL },
        { ROUTE("FETCH", "/b", "new", NULL), EC_EINVAL },   { ROUTE("GET", "/a", "new", NULL), EC_EEXIST },
        { ROUTE("GET", "/b", "a", NULL), EC_EEXIST },       { ROUTE("GET", "/b/{id", "new", &id_record), EC_EINVAL },
        { { .size = sizeof(struct ec_route), .flags = EC_RT_COUNT, .method = "GET", .path = "/b", .opid = "new",
            .summary = "s", .roles = "", .run = nothing }, EC_EINVAL },
    };
    struct routes all = { 0 };
    char why[256] = "";

    ck_assert_int_eq(routes_add(&all, NULL, &table[0], NULL, why, sizeof why), EC_OK);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(routes_add(&all, NULL, &bad[i].r, NULL, why, sizeof why), bad[i].err);
        ck_assert(*why);
    }
    ck_assert_uint_eq(all.n, 1);
    routes_free(&all);
}
END_TEST

START_TEST(roles_are_words)
{
    ck_assert(roles_allow("", "") && roles_allow("*", "x") && roles_allow("a,b", "x,b"));
    ck_assert(!roles_allow("admin", "administrator") && !roles_allow("admin,x", "adm") && !roles_allow("admin", "") &&
              !roles_allow("admin", ",,"));
}
END_TEST

START_TEST(times_are_read)
{
    static const struct { const char *text; uint64_t ns; } good[] = {
        { "0", 0 }, { "5.5", 5500000000 }, { "1970-01-02", UINT64_C(86400000000000) },
        { "1970-01-01T00:00:01Z", 1000000000 },
        { "1970-01-01T01:00:00.25+01:00", 250000000 }, { "1970-01-01 00:00:02", 2000000000 },
        { "1970-01-01T01:00:00 0100", 0 }, { "90s", UINT64_C(910000000000) }, { "10m", UINT64_C(400000000000) },
    };
    static const char *const bad[] = { "", "x", "12x", "1h2m", "2026-13-01", "2026-01-01T25:00:00Z",
                                       "2026-01-01T00:00:00+99:00",
                                       "99999999999999999999", "1.2.3", "-5m", "20m" };
    uint64_t ns;

    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(!search_time(good[i].text, UINT64_C(1000000000000), &ns), "%s", good[i].text);
        ck_assert_uint_eq(ns, good[i].ns);
    }
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(search_time(bad[i], UINT64_C(1000000000000), &ns), "%s", bad[i]);
}
END_TEST

START_TEST(encodings_and_etags_are_compared)
{
    ck_assert(accepts_gzip("gzip") && accepts_gzip("br, GZIP;q=0.5") && accepts_gzip("*") &&
              accepts_gzip("deflate,gzip;q=1"));
    ck_assert(!accepts_gzip(NULL) && !accepts_gzip("") && !accepts_gzip("gzip;q=0") && !accepts_gzip("gzip; q=0.000") &&
              !accepts_gzip("gzipx, br"));
    ck_assert(etag_matches("\"a\"", "\"a\"") && etag_matches("\"b\", W/\"a\"", "\"a\"") && etag_matches("*", "\"a\""));
    ck_assert(!etag_matches(NULL, "\"a\"") && !etag_matches("\"ab\"", "\"a\"") && !etag_matches("a", "\"a\""));
}
END_TEST

START_TEST(versions_are_compared_strongly)
{
    char etag[VERSION_ETAG];

    ck_assert_str_eq(version_etag(UINT64_MAX, etag), "\"v18446744073709551615\"");
    version_etag(7, etag);
    ck_assert(if_match(NULL, etag) && if_match("*", etag) && if_match("\"x\", \"v7\"", etag));
    ck_assert(!if_match("\"v8\"", etag) && !if_match("W/\"v7\"", etag) && !if_match("v7", etag) && !if_match("", etag));
}
END_TEST

START_TEST(origins_are_compared_whole)
{
    static const char *const good[] = { "https://desk.example", "http://[::1]:3000", "http://10.0.0.7", "*",
                                        "app+x.y-1://id" };
    static const char *const bad[] = { "", "desk.example", "https://", "https://a/b", "https://a b", "https://a,b",
                                       "https://u@a", "https:/a", "HTTPS://a", "null" };
    char one[] = "https://desk.example";
    struct cors c = { .origin = { one }, .n = 1 };

    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(cors_is_origin(good[i]), "%s", good[i]);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!cors_is_origin(bad[i]), "%s", bad[i]);
    ck_assert(cors_allows(&c, "https://desk.example") && !cors_allows(&c, "https://desk.example:443") &&
              !cors_allows(&c, "https://desk.exampl"));
    c.any = true;
    ck_assert(cors_allows(&c, "null"));
}
END_TEST

START_TEST(assets_are_inflated)
{
    static const unsigned char gzip[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0,
                                          0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0 };
    struct ec_asset a = { sizeof a, sizeof gzip, "/x", "text/plain", gzip, NULL };
    struct assets all = { 0 };
    struct text t = { 0 };
    char why[128];

    ck_assert_int_eq(assets_add(&all, &a, why, sizeof why), EC_OK);
    ck_assert_int_eq(assets_add(&all, &a, why, sizeof why), EC_EEXIST);
    ck_assert(asset_inflate(assets_find(&all, "/x", 2), &t));
    ck_assert_str_eq(text_of(&t), "hello");
    text_free(&t);
    a.len = 20;
    ck_assert(!asset_inflate(&all.asset[0], &t));
    text_free(&t);
    assets_free(&all);
}
END_TEST

START_TEST(metrics_have_names_for_prometheus)
{
    static const struct ec_metric c = { sizeof c, EC_METRIC_COUNTER, "decode.ipv4-x", "packets", "with\\a\nline" };
    static const struct ec_metric g = { sizeof g, EC_METRIC_GAUGE, "open", "", NULL };
    static const struct ec_metric m = { sizeof m, EC_METRIC_GAUGE, "memory_total", "bytes", "memory" };
    static const struct ec_metric n = { sizeof n, EC_METRIC_COUNTER, "a_total", NULL, "a" };
    struct text t = { 0 };

    prom_metric(&t, "sysmon", &m, 1);
    ck_assert(!strncmp(t.p, "# HELP ecyber_sysmon_memory_total_bytes bytes memory\n", 53));
    t.n = 0;
    prom_metric(&t, "x", &n, 1);
    ck_assert(!strncmp(t.p, "# HELP ecyber_x_a_total a\n", 26));
    t.n = 0;
    prom_metric(&t, "traffic", &c, 5);
    prom_metric(&t, "http", &g, -1);
    ck_assert_str_eq(text_of(&t), "# HELP ecyber_traffic_decode_ipv4_x_total packets with\\\\a\\nline\n"
                                  "# TYPE ecyber_traffic_decode_ipv4_x_total counter\n"
                                  "ecyber_traffic_decode_ipv4_x_total 5\n"
                                  "# HELP ecyber_http_open open\n# TYPE ecyber_http_open gauge\necyber_http_open -1\n");
    text_free(&t);
}
END_TEST

struct inner { uint32_t code; uint32_t pad; };
static const struct ec_row inner_rows[] = { EC_FIELD_ENUM(0, struct inner, code, "code", "low,high", "how bad") };
static const struct ec_record inner = EC_RECORD_ELEMENT(struct inner, inner_rows);
struct outer { struct ec_part part; uint64_t a, b; struct ec_list list; struct ec_span c, d; };
static const struct ec_row outer_rows[] = {
    { EC_T_U64, 0, 0, 0, offsetof(struct outer, a), "x.a", NULL, NULL, "5", "bytes", "an a", 1, 9 },
    EC_FIELD_OPT(BOOL, 0, 0, struct outer, b, "y", NULL, ""),
    EC_FIELD_LIST(&inner, struct outer, list, "list", "some"),
    { EC_T_TEXT, EC_R_LIST, 0, 0, offsetof(struct outer, c), "x.c", NULL, NULL, NULL, NULL, NULL, 0, 0 },
    { EC_T_TEXT, 0, 0, 0, offsetof(struct outer, d), "d", NULL, NULL, NULL, NULL, NULL, 1, 20 },
};
static const struct ec_record outer = EC_RECORD_PART(struct outer, outer_rows);

START_TEST(records_become_schemas)
{
    struct text t = { 0 };

    schema_record(&t, &outer, SCHEMA_REQUIRED | SCHEMA_INPUT);
    ck_assert_str_eq(text_of(&t),
        "{\"type\":\"object\",\"properties\":{"
        "\"x\":{\"type\":\"object\",\"properties\":{"
        "\"a\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,\"x-unit\":\"bytes\",\"description\":\"an a\",\"default\":5},"
        "\"c\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}},\"required\":[\"c\"],\"additionalProperties\":false},"
        "\"y\":{\"type\":\"boolean\"},"
        "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
        "\"code\":{\"type\":\"string\",\"enum\":[\"low\",\"high\"],\"description\":\"how bad\"}},"
        "\"required\":[\"code\"],\"additionalProperties\":false},\"description\":\"some\"},"
        "\"d\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":20}},"
        "\"required\":[\"list\",\"d\"],\"additionalProperties\":false}");
    text_free(&t);
}
END_TEST

struct limits { struct ec_part part; uint64_t age, most; uint8_t ip[16]; };
static const struct ec_row limits_rows[] = {
    { EC_T_DURATION, 0, 0, 0, offsetof(struct limits, age), "age", NULL, NULL, "1h", NULL, "how old", 1, 9 },
    { EC_T_SIZE, 0, 0, 0, offsetof(struct limits, most), "most", NULL, NULL, "64MiB", NULL, NULL, 0, 0 },
    { EC_T_IP, 0, 0, 0, offsetof(struct limits, ip), "ip", NULL, NULL, "::1", NULL, NULL, 0, 0 },
};
static const struct ec_record limits = EC_RECORD_PART(struct limits, limits_rows);

START_TEST(durations_are_numbers_or_texts_and_keep_their_defaults)
{
    struct text t = { 0 };

    schema_record(&t, &limits, SCHEMA_REQUIRED | SCHEMA_INPUT);
    ck_assert_str_eq(text_of(&t),
        "{\"type\":\"object\",\"properties\":{"
        "\"age\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":1,\"maximum\":9},"
        "{\"type\":\"string\",\"pattern\":\"^[0-9]+(\\\\.[0-9]+)? *(ns|us|ms|s|m|h|d|w)?$\"}],"
        "\"description\":\"how old\",\"default\":\"1h\"},"
        "\"most\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},"
        "{\"type\":\"string\",\"pattern\":\"^[0-9]+(\\\\.[0-9]+)? *(B|k|K|KiB|M|MiB|G|GiB|T|TiB)?$\"}],"
        "\"default\":\"64MiB\"},"
        "\"ip\":{\"type\":\"string\",\"default\":\"::1\"}},\"additionalProperties\":false}");
    text_free(&t);
    schema_record(&t, &limits, 0);
    ck_assert(strstr(text_of(&t), "\"age\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,\"description\":\"how old\"}"));
    text_free(&t);
}
END_TEST

START_TEST(topics_share_their_roots)
{
    static const struct ec_record empty = { .size = sizeof empty };
    static const struct ec_topic a = { sizeof a, EC_TOPIC_EVENT, "a/1", "a", &empty, NULL, "" },
        b = { sizeof b, EC_TOPIC_ATTRIBUTE, "b/1", "e.b.x", &empty, NULL, "" },
        c = { sizeof c, EC_TOPIC_ATTRIBUTE, "c/1", "e.b.y", &empty, NULL, "" };
    static const struct ec_topic *const all[] = { &b, &a, &c };
    struct text t = { 0 };

    schema_topics(&t, all, 3);
    ck_assert_str_eq(text_of(&t),
                     "\"e\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"object\",\"properties\":{"
                                  "\"x\":{\"type\":\"object\",\"properties\":{}},"
                                  "\"y\":{\"type\":\"object\",\"properties\":{}}}}}},"
                                  "\"a\":{\"type\":\"object\",\"properties\":{}}");
    text_free(&t);
}
END_TEST

START_TEST(fields_of_a_page_are_picked)
{
    static const struct { const char *page, *fields[4], *want; } t[] = {
        { "{\"items\":[{\"id\":\"1\",\"event_type\":\"x\",\"a\":{\"b\":1.50,\"c\":\"/\"},\"ab\":2}],\"partial\":false}",
          { "a.b" }, "{\"items\":[{\"id\":\"1\",\"event_type\":\"x\",\"a\":{\"b\":1.50}}],\"partial\":false}" },
        { "{\"items\":[{\"a\":{\"b\":1,\"c\":\"/\"},\"ab\":18446744073709551615}]}", { "ab", "a" },
          "{\"items\":[{\"a\":{\"b\":1,\"c\":\"/\"},\"ab\":18446744073709551615}]}" },
        { "{\"items\":[{\"l\":[{\"x\":1,\"y\":2},{\"y\":3},4]}, {\"l\":null}, {\"l\":{}}]}", { "l.y" },
          "{\"items\":[{\"l\":[{\"y\":2},{\"y\":3}]},{},{}]}" },
        { "{\"items\":[1,null,[]]}", { "a" }, "{\"items\":[{},{},{}]}" },
        { "{\"items\":[]}", { "a" }, "{\"items\":[]}" },
        { "{\"items\":[", { "a" }, NULL }, { "[]", { "a" }, NULL }, { "{\"items\":{}}", { "a" }, NULL }, { "", { "a" }, NULL },
    };

    for (unsigned i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct pick *p = calloc(1, sizeof *p);
        struct text page = { 0 };

        for (; t[i].fields[p->n]; p->n++)
            strcpy(p->name[p->n], t[i].fields[p->n]);
        text_puts(&page, t[i].page);
        ck_assert_msg(pick_page(&page, p) == !!t[i].want, "%s", t[i].page);
        ck_assert_str_eq(text_of(&page), t[i].want ? t[i].want : t[i].page);
        text_free(&page);
        free(p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http parts");
    TCase *t = tcase_create("parts");

    tcase_add_test(t, a_query_is_decoded);
    tcase_add_loop_test(t, what_is_no_query_is_refused, 0, 9);
    tcase_add_test(t, fields_become_an_object);
    tcase_add_test(t, json_text_is_escaped);
    tcase_add_test(t, paths_find_their_routes);
    tcase_add_test(t, wrong_declarations_are_refused);
    tcase_add_test(t, roles_are_words);
    tcase_add_test(t, times_are_read);
    tcase_add_test(t, encodings_and_etags_are_compared);
    tcase_add_test(t, versions_are_compared_strongly);
    tcase_add_test(t, origins_are_compared_whole);
    tcase_add_test(t, assets_are_inflated);
    tcase_add_test(t, records_become_schemas);
    tcase_add_test(t, durations_are_numbers_or_texts_and_keep_their_defaults);
    tcase_add_test(t, topics_share_their_roots);
    tcase_add_test(t, metrics_have_names_for_prometheus);
    tcase_add_test(t, fields_of_a_page_are_picked);
    suite_add_tcase(s, t);
    return unit_run(s);
}
