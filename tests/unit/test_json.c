#include "tests/unit/unit.h"

#include "core/record/json.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

static struct json j;

static void setup(void)
{
    memset(&j, 0, sizeof j);
    ck_assert(json_need(&j, 4096));
}

static void teardown(void)
{
    json_free(&j);
}

static const char *text(void)
{
    static char copy[4096];

    ck_assert(!j.failed);
    ck_assert_uint_lt(json_length(&j), sizeof copy);
    memcpy(copy, j.base, json_length(&j));
    copy[json_length(&j)] = '\0';
    j.at = j.base;
    return copy;
}

START_TEST(numbers)
{
    static const uint64_t u[] = { 0, 9, 10, 99, 100, 12345, UINT64_C(10000000000), UINT64_MAX };
    static const struct { double v; const char *text; } f[] = {
        { 0, "0" }, { 1, "1" }, { -2.5, "-2.5" }, { 0.1, "0.1" }, { 1e300, "1e+300" }, { 1.0 / 3, "0.3333333333333333" },
        { 5e-324, "4.94065645841247e-324" }, { 0.1 + 0.2, "0.30000000000000004" }, { 1.0 / 0.0, "null" },
    };
    char want[32];

    for (size_t i = 0; i < sizeof u / sizeof u[0]; i++) {
        snprintf(want, sizeof want, "%llu", (unsigned long long)u[i]);
        json_put_u64(&j, u[i]);
        ck_assert_str_eq(text(), want);
    }
    json_put_i64(&j, INT64_MIN);
    ck_assert_str_eq(text(), "-9223372036854775808");
    for (size_t i = 0; i < sizeof f / sizeof f[0]; i++) {
        json_put_f64(&j, f[i].v);
        ck_assert_str_eq(text(), f[i].text);
    }
}
END_TEST

START_TEST(ipv6_is_rfc_5952)
{
    static const char *const same[] = {
        "::", "::1", "1::", "2001:db8::1", "2001:db8::1:0:0:1", "2001:db8:0:1:1:1:1:1", "1:0:2:0:3:0:4:0",
        "fe80::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6::", "::2:3:4:5:6:7:8", "1::4:5:0:0:8", "64:ff9b::c000:221",
        "0:1::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    };
    uint8_t ip[16];
    char want[64];

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        ck_assert_int_eq(inet_pton(AF_INET6, same[i], ip), 1);
        json_put_ip(&j, ip);
        snprintf(want, sizeof want, "\"%s\"", i == 10 ? "0:2:3:4:5:6:7:8" : i == 13 ? "0:1::" : same[i]);
        ck_assert_str_eq(text(), want);
    }
    ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:192.0.2.255", ip), 1);
    json_put_ip(&j, ip);
    ck_assert_str_eq(text(), "\"192.0.2.255\"");
    ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:0.10.100.9", ip), 1);
    json_put_ip(&j, ip);
    ck_assert_str_eq(text(), "\"0.10.100.9\"");
}
END_TEST

START_TEST(ipv6_agrees_with_libc)
{
    uint8_t ip[16];
    char libc[INET6_ADDRSTRLEN], want[64];

    srand(1);
    for (int n = 0; n < 100000; n++) {
        for (int i = 0; i < 16; i += 2) {
            ip[i] = rand() % 3 ? 0 : (uint8_t)rand();
            ip[i + 1] = rand() % 2 ? 0 : (uint8_t)rand();
        }
        inet_ntop(AF_INET6, ip, libc, sizeof libc);
        if (strchr(libc, '.'))
            continue;               /* libc writes more than mapped addresses with dots */
        json_put_ip(&j, ip);
        snprintf(want, sizeof want, "\"%s\"", libc);
        ck_assert_str_eq(text(), want);
    }
}
END_TEST

START_TEST(times_are_utc)
{
    setenv("TZ", "America/New_York", 1);
    json_put_time(&j, UINT64_C(1795357800123456789));
    ck_assert_str_eq(text(), "\"2026-11-22T14:30:00.123456+0000\"");
    json_put_time(&j, UINT64_C(1795357800000001999));
    ck_assert_str_eq(text(), "\"2026-11-22T14:30:00.000001+0000\"");
    json_put_time(&j, UINT64_C(1795357801999999999));
    ck_assert_str_eq(text(), "\"2026-11-22T14:30:01.999999+0000\"");
    json_put_time(&j, 0);
    ck_assert_str_eq(text(), "\"1970-01-01T00:00:00.000000+0000\"");
    json_put_time(&j, UINT64_MAX);
    ck_assert_str_eq(text(), "\"2554-07-21T23:34:33.709551+0000\"");
}
END_TEST

static const char *escaped(const char *s, size_t n)
{
    json_text(&j, (const uint8_t *)s, n);
    return text();
}
#define ESCAPED(literal) escaped(literal, sizeof(literal) - 1)

START_TEST(texts)
{
    ck_assert_str_eq(ESCAPED(""), "\"\"");
    ck_assert_str_eq(ESCAPED("plain text longer than eight"), "\"plain text longer than eight\"");
    ck_assert_str_eq(ESCAPED("a\"b\\c/d\x7f"), "\"a\\\"b\\\\c/d\x7f\"");
    ck_assert_str_eq(ESCAPED("\b\t\n\f\r\x01\x1f"), "\"\\b\\t\\n\\f\\r\\u0001\\u001f\"");
    ck_assert_str_eq(ESCAPED("a\0b"), "\"a\\\\x00b\"");
    ck_assert_str_eq(ESCAPED("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    ck_assert_str_eq(ESCAPED("\xff\xc3"), "\"\\\\xff\\\\xc3\"");
    ck_assert_str_eq(ESCAPED("12345678\xed\xa0\x80"), "\"12345678\\\\xed\\\\xa0\\\\x80\"");
    ck_assert_str_eq(ESCAPED("\xc0\x80\xf4\x90\x80\x80"), "\"\\\\xc0\\\\x80\\\\xf4\\\\x90\\\\x80\\\\x80\"");
    json_bytes(&j, (const uint8_t *)"a", 1);
    ck_assert_str_eq(text(), "\"YQ==\"");
    json_bytes(&j, (const uint8_t *)"ab\xff", 3);
    ck_assert_str_eq(text(), "\"YWL/\"");
    json_bytes(&j, (const uint8_t *)"abcd", 4);
    ck_assert_str_eq(text(), "\"YWJjZA==\"");
    json_bytes(&j, (const uint8_t *)"", 0);
    ck_assert_str_eq(text(), "\"\"");
    json_hex(&j, (const uint8_t *)"\x00\xfe", 2);
    ck_assert_str_eq(text(), "\"00fe\"");
    json_put_mac(&j, (const uint8_t *)"\x02\x00\x5e\x10\x00\xff");
    ck_assert_str_eq(text(), "\"02:00:5e:10:00:ff\"");
}
END_TEST

/* Bytes of the character at s by its code point: the definition, not the routine's tables. */
static size_t character(const uint8_t *s, size_t n)
{
    static const uint32_t first[] = { 0, 1, 0x80, 0x800, 0x10000 };
    size_t len = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
    uint32_t point = len == 1 ? s[0] : len ? s[0] & (0x7fu >> len) : 0;

    if (!len || len > n)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        point = point << 6 | (s[i] & 63);
    }
    return point < first[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? 0 : len;
}

/* The printed form of raw bytes: UTF-8 as it is, everything else and NUL as \xHH. */
static size_t printed(const uint8_t *s, size_t n, char *to)
{
    size_t out = 0, len;

    for (size_t i = 0; i < n; i += len ? len : 1) {
        len = character(s + i, n - i);
        if (len)
            memcpy(to + out, s + i, len);
        else
            sprintf(to + out, "\\x%02x", s[i]);
        out += len ? len : 4;
    }
    return out;
}

/* Whatever the bytes: a strict parser reads back exactly their printed form. */
START_TEST(any_bytes_read_back)
{
    static const uint8_t edges[] = { 0, 0x1f, '"', '\\', 0x7f, 0x80, 0xbf, 0xc2, 0xe0, 0xa0, 0xed, 0xf0, 0x90, 0xf4, 0xff };
    struct json_tokener *tok = json_tokener_new();
    uint8_t bytes[64];
    char want[512];

    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    srand(2);
    for (int round = 0; round < 50000; round++) {
        size_t n = (size_t)rand() % sizeof bytes, len;
        struct json_object *o;

        for (size_t i = 0; i < n; i++)
            bytes[i] = rand() % 3 == 0 ? edges[(size_t)rand() % sizeof edges] : rand() % 2 ? (uint8_t)rand() : 'a';
        json_text(&j, bytes, n);
        json_tokener_reset(tok);
        o = json_tokener_parse_ex(tok, j.base, (int)json_length(&j));
        ck_assert_msg(o && json_tokener_get_error(tok) == json_tokener_success, "refused: %.*s", (int)json_length(&j), j.base);
        len = printed(bytes, n, want);
        ck_assert_int_eq(json_object_get_string_len(o), (int)len);
        ck_assert_int_eq(memcmp(json_object_get_string(o), want, len), 0);
        json_object_put(o);
        j.at = j.base;
    }
    json_tokener_free(tok);
}
END_TEST

START_TEST(empty_objects_go_away)
{
    size_t outer = json_open(&j, "\"a\":", 4, '{'), inner = json_open(&j, "\"b\":", 4, '{');

    json_close(&j, inner, '}', false);
    ck_assert_int_eq(j.at[-1], '{');
    inner = json_open(&j, "\"c\":", 4, '[');
    json_close(&j, inner, ']', true);
    json_close(&j, outer, '}', false);
    ck_assert_str_eq(text(), "\"a\":{\"c\":[]},");
}
END_TEST

START_TEST(the_buffer_is_bounded)
{
    ck_assert(json_need(&j, JSON_BYTES_MAX / 2));
    ck_assert(!json_need(&j, JSON_BYTES_MAX + 1));
    ck_assert(j.failed);
    j.failed = false;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tc = tcase_create("values");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, numbers);
    tcase_add_test(tc, ipv6_is_rfc_5952);
    tcase_add_test(tc, ipv6_agrees_with_libc);
    tcase_add_test(tc, times_are_utc);
    tcase_add_test(tc, texts);
    tcase_add_test(tc, any_bytes_read_back);
    tcase_add_test(tc, empty_objects_go_away);
    tcase_add_test(tc, the_buffer_is_bounded);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
