#include "plugins/store/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char hex[] = "0123456789abcdef";
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

void text_free(struct text *t)
{
    free(t->base);
    memset(t, 0, sizeof *t);
}

void text_clear(struct text *t)
{
    t->len = 0;
    t->failed = false;
    if (t->base)
        *t->base = '\0';
}

static bool text_room(struct text *t, size_t n)
{
    size_t cap = t->cap ? t->cap : 256;
    char *grown;

    if (t->failed)
        return false;
    if (t->cap - t->len > n)
        return true;
    while (cap - t->len <= n)
        cap *= 2;
    if (!(grown = realloc(t->base, cap))) {
        t->failed = true;
        return false;
    }
    t->base = grown;
    t->cap = cap;
    return true;
}

void text_add(struct text *t, const void *s, size_t n)
{
    if (!text_room(t, n))
        return;
    if (n)
        memcpy(t->base + t->len, s, n);
    t->len += n;
    t->base[t->len] = '\0';
}

void text_put(struct text *t, const char *s)
{
    text_add(t, s, strlen(s));
}

void text_printf(struct text *t, const char *fmt, ...)
{
    va_list ap;
    char *s;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0) {
        t->failed = true;
        return;
    }
    text_add(t, s, (size_t)n);
    free(s);
}

/* Length of the UTF-8 character of several bytes at s, 0: none. */
static size_t utf8_long(const uint8_t *s, size_t n)
{
    uint8_t least = 0x80, most = 0xbf;
    size_t len = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;

    if (*s < 0xc2 || *s > 0xf4 || len > n)
        return 0;
    if (*s == 0xe0)
        least = 0xa0;
    else if (*s == 0xed)
        most = 0x9f;
    else if (*s == 0xf0)
        least = 0x90;
    else if (*s == 0xf4)
        most = 0x8f;
    if (s[1] < least || s[1] > most)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

void text_wire(struct text *t, const uint8_t *s, size_t n)
{
    size_t from = 0, i = 0;

    while (i < n) {
        size_t len = s[i] >= 0x80 ? utf8_long(s + i, n - i) : s[i] != 0;

        if (!len) {
            char escape[4] = { '\\', 'x', hex[s[i] >> 4], hex[s[i] & 15] };

            text_add(t, s + from, i - from);
            text_add(t, escape, sizeof escape);
            from = ++i;
        } else {
            i += len;
        }
    }
    text_add(t, s + from, n - from);
}

void text_base64(struct text *t, const uint8_t *s, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0);
        char four[4] = { digit[v >> 18], digit[v >> 12 & 63], i + 1 < n ? digit[v >> 6 & 63] : '=',
                         i + 2 < n ? digit[v & 63] : '=' };

        text_add(t, four, sizeof four);
    }
    text_add(t, "", 0);
}

void text_hex(struct text *t, const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char two[2] = { hex[s[i] >> 4], hex[s[i] & 15] };

        text_add(t, two, sizeof two);
    }
    text_add(t, "", 0);
}

void text_mac(struct text *t, const uint8_t m[6])
{
    text_printf(t, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

void text_ip(struct text *t, const uint8_t ip[16])
{
    char s[INET6_ADDRSTRLEN];

    if (!memcmp(ip, mapped, sizeof mapped))
        text_printf(t, "%u.%u.%u.%u", ip[12], ip[13], ip[14], ip[15]);
    else if (inet_ntop(AF_INET6, ip, s, sizeof s))
        text_put(t, s);
}

static void text_quoted(struct text *t, char quote, const char *s)
{
    text_add(t, &quote, 1);
    for (; *s; s++) {
        if (*s == quote)
            text_add(t, &quote, 1);
        text_add(t, s, 1);
    }
    text_add(t, &quote, 1);
}

void text_sql_name(struct text *t, const char *name)
{
    text_quoted(t, '"', name);
}

void text_sql_string(struct text *t, const char *s)
{
    text_quoted(t, '\'', s);
}

static bool in_word(char c)
{
    return (c & 0x80) || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

size_t text_word(const char **s)
{
    size_t n = 0;

    while (**s && !in_word(**s))
        ++*s;
    while (in_word((*s)[n]))
        n++;
    return n;
}

void text_lower(struct text *t, const char *s, size_t n)
{
    size_t from = t->len;

    text_add(t, s, n);
    for (size_t i = from; !t->failed && i < t->len; i++)
        if (t->base[i] >= 'A' && t->base[i] <= 'Z')
            t->base[i] |= 32;
}

bool text_to_ip(const char *s, uint8_t first[16], uint8_t last[16])
{
    const char *slash = strchr(s, '/');
    size_t n = slash ? (size_t)(slash - s) : strlen(s);
    char addr[INET6_ADDRSTRLEN];
    int64_t bits = 128, least = 0;
    bool v4 = !memchr(s, ':', n);

    if (n >= sizeof addr)
        return false;
    memcpy(addr, s, n);
    addr[n] = '\0';
    memcpy(first, mapped, sizeof mapped);
    if (inet_pton(v4 ? AF_INET : AF_INET6, addr, v4 ? first + 12 : first) != 1)
        return false;
    if (slash) {
        least = v4 ? 96 : 0;
        if (strlen(slash) > 4 || slash[1] < '0' || slash[1] > '9' || !text_to_integer(slash + 1, &bits))
            return false;
        bits += least;
    }
    if (bits > 128)
        return false;
    memcpy(last, first, 16);
    for (int64_t i = bits; i < 128; i++) {
        first[i / 8] &= (uint8_t)~(0x80u >> (i & 7));
        last[i / 8] |= (uint8_t)(0x80u >> (i & 7));
    }
    return true;
}

/* n digits at *s as a number, −1: there are none. */
static int digits(const char **s, int n)
{
    int v = 0;

    for (; n; n--, (*s)++) {
        if (**s < '0' || **s > '9')
            return -1;
        v = v * 10 + (**s - '0');
    }
    return v;
}

/* "Z", "+HH:MM", "-HHMM" or nothing, up to the end: seconds east of UTC. */
static bool zone(const char *s, int64_t *east)
{
    int h, m, sign = *s == '-' ? -1 : 1;

    *east = 0;
    if (!*s || !strcmp(s, "Z") || !strcmp(s, "z"))
        return true;
    if (*s != '+' && *s != '-' && *s != ' ')    /* a '+' that a query string made a blank */
        return false;
    s++;
    h = digits(&s, 2);
    s += *s == ':';
    m = digits(&s, 2);
    *east = sign * (h * 3600 + m * 60);
    return h >= 0 && h < 24 && m >= 0 && m < 60 && !*s;
}

bool text_to_time(const char *s, int64_t *ns)
{
    struct tm tm = { .tm_isdst = 0 };
    int64_t east, fraction = 0, unit = 100000000, seconds;
    int v[6];

    for (int i = 0; i < 6; i++) {
        if (i && *s != "--T::"[i - 1] && !(i == 3 && (*s == ' ' || *s == 't')))
            return false;
        s += i != 0;
        if ((v[i] = digits(&s, i ? 2 : 4)) < 0)
            return false;
    }
    if (v[0] < 1970 || v[0] > 2261 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] > 23 || v[4] > 59 ||
        v[5] > 60)
        return false;
    if (*s == '.' || *s == ',')
        for (s++; *s >= '0' && *s <= '9'; s++, unit /= 10)
            fraction += (*s - '0') * unit;
    if (!zone(s, &east))
        return false;
    tm.tm_year = v[0] - 1900;
    tm.tm_mon = v[1] - 1;
    tm.tm_mday = v[2];
    tm.tm_hour = v[3];
    tm.tm_min = v[4];
    tm.tm_sec = v[5];
    seconds = (int64_t)timegm(&tm) - east;
    *ns = seconds * 1000000000 + fraction;
    return seconds >= 0;
}

bool text_to_integer(const char *s, int64_t *v)
{
    const char *p = s + (*s == '-');
    uint64_t n;
    char *end;

    if (*p < '0' || *p > '9')
        return false;
    errno = 0;
    if (*s == '-') {
        *v = strtoll(s, &end, 10);
    } else {
        n = strtoull(s, &end, 10);
        memcpy(v, &n, sizeof n);
    }
    return !errno && !*end;
}

bool text_to_real(const char *s, double *v)
{
    char *end;

    if (!*s || s[strspn(s, "0123456789+-.eE")])
        return false;
    *v = strtod(s, &end);
    return !*end && isfinite(*v);
}
