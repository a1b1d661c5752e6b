#include "core/record/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char digits2[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
    "4748495051525354555657"
    "5859606162636465666768697071727374757677787980818283848586878889909192939495969798"
    "99";
static const char hex[] = "0123456789abcdef";

void json_free(struct json *j)
{
    if (j->base != j->lent)
        free(j->base);
    memset(j, 0, sizeof *j);
}

bool json_grow(struct json *j, size_t n)
{
    size_t used = json_length(j), cap = (size_t)(j->end - j->base), want = cap ? cap : 65536;
    char *base;

    while (want < used + n && want < JSON_BYTES_MAX)
        want *= 2;
    if (want < used + n || j->failed ||
        !(base = realloc(j->base == j->lent ? NULL : j->base, want))) {
        j->failed = true;
        return false;
    }
    if (j->lent && j->base == j->lent)
        memcpy(base, j->lent, used);
    j->base = base;
    j->at = base + used;
    j->end = base + want;
    return true;
}

void json_put_u64(struct json *j, uint64_t v)
{
    char text[20], *p = text + sizeof text;

    while (v >= 100) {
        p -= 2;
        memcpy(p, digits2 + v % 100 * 2, 2);
        v /= 100;
    }
    if (v >= 10) {
        p -= 2;
        memcpy(p, digits2 + v * 2, 2);
    } else {
        *--p = (char)('0' + v);
    }
    json_put_raw(j, p, (size_t)(text + sizeof text - p));
}

void json_put_i64(struct json *j, int64_t v)
{
    if (v < 0)
        json_put_char(j, '-');
    json_put_u64(j, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void json_put_f64(struct json *j, double v)
{
    char text[40];

    if (!isfinite(v)) {
        JSON_PUT(j, "null");
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, v);
        if (strtod(text, NULL) == v)
            break;
    }
    for (const char *s = text; *s; s++) /* whatever the locale takes for a point */
        if (strchr("0123456789+-e", *s))
            json_put_char(j, *s);
        else if (j->at[-1] != '.')
            json_put_char(j, '.');
}

static void put_octet(struct json *j, unsigned v)
{
    if (v >= 100)
        json_put_char(j, (char)('0' + v / 100));
    if (v >= 10)
        json_put_char(j, (char)('0' + v / 10 % 10));
    json_put_char(j, (char)('0' + v % 10));
}

static void put_group(struct json *j, unsigned v)
{
    if (v >= 0x1000)
        json_put_char(j, hex[v >> 12]);
    if (v >= 0x100)
        json_put_char(j, hex[v >> 8 & 15]);
    if (v >= 0x10)
        json_put_char(j, hex[v >> 4 & 15]);
    json_put_char(j, hex[v & 15]);
}

/* RFC 5952: the first longest run of two or more zero groups is "::". */
static void put_ipv6(struct json *j, const uint8_t ip[16])
{
    unsigned group[8];
    int best = -1, best_len = 1;

    for (int i = 0; i < 8; i++)
        group[i] = (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
    for (int i = 0; i < 8; i++) {
        int len = 0;

        while (i + len < 8 && !group[i + len])
            len++;
        if (len > best_len) {
            best = i;
            best_len = len;
        }
        i += len;
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            JSON_PUT(j, "::");
            i += best_len - 1;
            continue;
        }
        if (i && i != best + best_len)
            json_put_char(j, ':');
        else if (i && best < 0)
            json_put_char(j, ':');
        put_group(j, group[i]);
    }
}

void json_put_ip(struct json *j, const uint8_t ip[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    json_put_char(j, '"');
    if (memcmp(ip, mapped, sizeof mapped)) {
        put_ipv6(j, ip);
    } else {
        for (int i = 12; i < 16; i++) {
            put_octet(j, ip[i]);
            if (i < 15)
                json_put_char(j, '.');
        }
    }
    json_put_char(j, '"');
}

void json_put_mac(struct json *j, const uint8_t mac[6])
{
    json_put_char(j, '"');
    for (int i = 0; i < 6; i++) {
        json_put_char(j, hex[mac[i] >> 4]);
        json_put_char(j, hex[mac[i] & 15]);
        if (i < 5)
            json_put_char(j, ':');
    }
    json_put_char(j, '"');
}

/* The text of the second is kept: events come in order, thousands in one second. Always UTC. */
void json_put_time(struct json *j, uint64_t ns)
{
    static __thread struct {
        uint64_t second;
        char text[24];
        uint32_t len;
    } cache;
    uint64_t second = ns / 1000000000;
    uint32_t us = (uint32_t)(ns % 1000000000 / 1000);

    if (second != cache.second || !cache.len) {
        time_t t = (time_t)second;
        struct tm tm;

        gmtime_r(&t, &tm);
        cache.len = (uint32_t)strftime(cache.text, sizeof cache.text, "\"%Y-%m-%dT%H:%M:%S.", &tm);
        cache.second = second;
    }
    json_put_raw(j, cache.text, cache.len);
    for (int pair = 0; pair < 3; pair++, us = us % (pair == 1 ? 10000 : 100))
        json_put_raw(j, digits2 + us / (pair == 0 ? 10000 : pair == 1 ? 100 : 1) * 2, 2);
    JSON_PUT(j, "+0000\"");
}

/* Bytes of the UTF-8 character at s (RFC 3629), 0: none. n > 0; s[0] ≥ 0x80. */
static size_t utf8_long(const uint8_t *s, size_t n)
{
    static const uint8_t least[] = {0x80, 0xa0, 0x80, 0x90, 0x80},
                         most[] = {0xbf, 0xbf, 0x9f, 0xbf, 0x8f};
    size_t len = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    int kind = s[0] == 0xe0 ? 1 : s[0] == 0xed ? 2 : s[0] == 0xf0 ? 3 : s[0] == 0xf4 ? 4 : 0;

    if (!len || len > n || s[1] < least[kind] || s[1] > most[kind])
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

/* Is any of eight bytes a control, a quote, a backslash or part of a longer character? (It may err
 * towards yes.) */
static bool any_special(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';

    return ((w - ones * 0x20) | (quote - ones) | (slash - ones) | w) & tops;
}

/* Copies what can stand as it is, from *s, until `end` or a byte that cannot; eight at a time where
 * they allow it. */
static void put_plain(struct json *j, const uint8_t **s, const uint8_t *end)
{
    const uint8_t *from = *s;
    char *to = j->at;
    uint64_t w;

    for (; end - from >= 8; from += 8, to += 8) {
        memcpy(&w, from, 8);
        if (any_special(w))
            break;
        memcpy(to, &w, 8);
    }
    while (from < end && *from >= 0x20 && *from != '"' && *from != '\\' && *from < 0x80)
        *to++ = (char)*from++;
    j->at = to;
    *s = from;
}

static void put_escape(struct json *j, uint8_t c)
{
    static const char named[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

    json_put_char(j, '\\');
    if (c == '"' || c == '\\') {
        json_put_char(j, (char)c);
    } else if (c && c < 0x20 && named[c]) {
        json_put_char(j, named[c]);
    } else if (c && c < 0x20) {
        JSON_PUT(j, "u00");
        json_put_char(j, hex[c >> 4]);
        json_put_char(j, hex[c & 15]);
    } else {
        JSON_PUT(j, "\\x"); /* NUL and what is not UTF-8 */
        json_put_char(j, hex[c >> 4]);
        json_put_char(j, hex[c & 15]);
    }
}

void json_text(struct json *j, const uint8_t *s, size_t n)
{
    const uint8_t *end = s + n;
    size_t len;

    if (!json_need(j, n + 16))
        return;
    json_put_char(j, '"');
    for (;;) {
        put_plain(j, &s, end);
        if (s == end)
            break;
        /* Each byte of the rest needs one at least, and an escape five more. */
        if (!json_need(j, (size_t)(end - s) + 16))
            return;
        len = *s >= 0x80 ? utf8_long(s, (size_t)(end - s)) : 0;
        if (len)
            json_put_raw(j, (const char *)s, len);
        else
            put_escape(j, *s);
        s += len ? len : 1;
    }
    json_put_char(j, '"');
}

size_t json_base64(char *to, const uint8_t *s, size_t n)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *p = to;

    for (; n >= 3; n -= 3, s += 3) {
        uint32_t v = (uint32_t)s[0] << 16 | (uint32_t)s[1] << 8 | s[2];

        *p++ = set[v >> 18];
        *p++ = set[v >> 12 & 63];
        *p++ = set[v >> 6 & 63];
        *p++ = set[v & 63];
    }
    if (n) {
        uint32_t v = (uint32_t)s[0] << 16 | (n == 2 ? (uint32_t)s[1] << 8 : 0);

        *p++ = set[v >> 18];
        *p++ = set[v >> 12 & 63];
        *p++ = n == 2 ? set[v >> 6 & 63] : '=';
        *p++ = '=';
    }
    return (size_t)(p - to);
}

void json_bytes(struct json *j, const uint8_t *s, size_t n)
{
    if (!json_need(j, (n + 2) / 3 * 4 + 2))
        return;
    json_put_char(j, '"');
    j->at += json_base64(j->at, s, n);
    json_put_char(j, '"');
}

void json_hex(struct json *j, const uint8_t *s, size_t n)
{
    if (!json_need(j, 2 * n + 2))
        return;
    json_put_char(j, '"');
    for (size_t i = 0; i < n; i++) {
        json_put_char(j, hex[s[i] >> 4]);
        json_put_char(j, hex[s[i] & 15]);
    }
    json_put_char(j, '"');
}

size_t json_open(struct json *j, const char *key, size_t n, char bracket)
{
    size_t mark = json_length(j);

    if (!json_need(j, n + 2))
        return mark;
    json_put_raw(j, key, n);
    json_put_char(j, bracket);
    return mark;
}

void json_close(struct json *j, size_t mark, char bracket, bool keep)
{
    if (j->failed || !json_need(j, 2))
        return;
    if (j->at[-1] == ',')
        j->at--;
    else if (!keep) { /* nothing was written since it was opened */
        j->at = j->base + mark;
        return;
    }
    json_put_char(j, bracket);
    json_put_char(j, ',');
}
