#include "core/conf/row.h"

#include "core/conf/nearest.h"
#include "core/conf/utf8.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 80 /* bytes of a value that a sentence quotes */

const struct ec_row *row_find(const struct ec_record *r, const char *name)
{
    for (uint32_t i = 0; r && i < r->n_row; i++)
        if (!strcmp(row_at(r, i)->name, name))
            return row_at(r, i);
    return NULL;
}

const char *row_type_name(uint16_t type)
{
    static const char *const names[] = {
        [EC_T_U8] = "number",          [EC_T_U16] = "number",        [EC_T_U32] = "number",
        [EC_T_U64] = "number",         [EC_T_I64] = "number",        [EC_T_F64] = "decimal number",
        [EC_T_BOOL] = "true or false", [EC_T_IP] = "address",        [EC_T_MAC] = "MAC address",
        [EC_T_TIME] = "time",          [EC_T_DURATION] = "duration", [EC_T_SIZE] = "size",
        [EC_T_TEXT] = "text",          [EC_T_WIRE] = "text",         [EC_T_BYTES] = "base64",
        [EC_T_HEX] = "hexadecimal",    [EC_T_ENUM] = "word",         [EC_T_NAME] = "name",
        [EC_T_RECORD] = "record",      [EC_T_MAP] = "mapping",
    };

    return type < sizeof names / sizeof names[0] && names[type] ? names[type] : "unknown type";
}

bool row_is_numeric(const struct ec_row *r)
{
    switch (r->type) {
    case EC_T_U8:
    case EC_T_U16:
    case EC_T_U32:
    case EC_T_U64:
    case EC_T_I64:
    case EC_T_BOOL:
    case EC_T_ENUM:
    case EC_T_TIME:
    case EC_T_DURATION:
    case EC_T_SIZE:
        return true;
    default:
        return false;
    }
}

/* The value as a sentence may quote it: masked, on one line, cut at a character. */
static const char *shown(const struct ec_row *r, const char *text, char *to)
{
    size_t len = strlen(text), at = 0;

    if (r->flags & EC_R_SECRET)
        return ROW_MASK;
    while (at < len) {
        size_t c = utf8_char((const unsigned char *)text + at, len - at);

        if (!c || at + c > SHOWN)
            break;
        memcpy(to + at, text + at, c);
        if (c == 1 && iscntrl((unsigned char)text[at]))
            to[at] = '?';
        at += c;
    }
    memcpy(to + at, at < len ? "…" : "", at < len ? sizeof "…" : 1);
    return to;
}

static bool refuse(const struct ec_row *r, const char *text, const char *what, char *why, size_t n)
{
    char quoted[SHOWN + 8];

    snprintf(why, n, "'%s' is not %s", shown(r, text, quoted), what);
    return false;
}

static bool out_of_range(const struct ec_row *r, const char *text, int64_t least, int64_t most,
                         char *why, size_t n)
{
    char low[32], high[32], quoted[SHOWN + 8];
    bool unit = r->unit && r->type <= EC_T_I64;

    row_bound_text(r->type, least, low, sizeof low);
    row_bound_text(r->type, most, high, sizeof high);
    snprintf(why, n, "'%s' is out of range: %s to %s%s%s", shown(r, text, quoted), low, high,
             unit ? " " : "", unit ? r->unit : "");
    return false;
}

/* fits: v is the number that stands in text. */
static bool within(const struct ec_row *r, const char *text, bool fits, int64_t v, int64_t least,
                   int64_t most, char *why, size_t n)
{
    if (r->min || r->max) {
        least = r->min > least ? r->min : least;
        most = r->max < most ? r->max : most;
    }
    return (fits && v >= least && v <= most) || out_of_range(r, text, least, most, why, n);
}

static bool parse_number(const struct ec_row *r, const char *text, struct row_value *v, char *why,
                         size_t n)
{
    static const struct {
        int64_t least, most;
    } natural[] = {
        [EC_T_U8] = {0, UINT8_MAX},          [EC_T_U16] = {0, UINT16_MAX},
        [EC_T_U32] = {0, UINT32_MAX},        [EC_T_U64] = {0, INT64_MAX},
        [EC_T_I64] = {INT64_MIN, INT64_MAX},
    };
    int64_t least = natural[r->type].least, most = natural[r->type].most;

    const char *digits = text + (*text == '-');
    bool fits = row_number(text, &v->num);

    if (!fits && (!*digits || strspn(digits, "0123456789") != strlen(digits)))
        return refuse(r, text, "a whole number", why, n);
    return within(r, text, fits, v->num, least, most, why, n);
}

static bool parse_decimal(const struct ec_row *r, const char *text, struct row_value *v, char *why,
                          size_t n)
{
    char quoted[SHOWN + 8];

    if (!row_decimal(text, &v->f64))
        return refuse(r, text, "a decimal number, such as 0.75", why, n);
    if ((r->min || r->max) && (v->f64 < (double)r->min || v->f64 > (double)r->max)) {
        snprintf(why, n, "'%s' is out of range: %lld to %lld", shown(r, text, quoted),
                 (long long)r->min, (long long)r->max);
        return false;
    }
    return true;
}

static bool parse_bool(const struct ec_row *r, const char *text, struct row_value *v, char *why,
                       size_t n)
{
    static const char *const words[][2] = {
        {"true", "false"}, {"yes", "no"}, {"on", "off"}, {"1", "0"}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        for (int no = 0; no < 2; no++)
            if (!strcasecmp(text, words[i][no])) {
                v->num = !no;
                return true;
            }
    return refuse(r, text, "true or false", why, n);
}

static bool parse_enum(const struct ec_row *r, const char *text, struct row_value *v, char *why,
                       size_t n)
{
    struct nearest near = {text, NULL, 0};
    const char *at = r->allow ? r->allow : "";
    char word[64], best[64] = "", quoted[SHOWN + 8];
    int64_t index = 0;

    for (; *at; index++) {
        size_t len = strcspn(at, ",");

        snprintf(word, sizeof word, "%.*s", (int)len, at);
        if (!strcmp(word, text)) {
            v->num = index;
            return true;
        }
        if (nearest_try(&near, word), near.best == word) {
            memcpy(best, word, sizeof best);
            near.best = best;
        }
        at += len + (at[len] == ',');
    }
    snprintf(why, n, "'%s' is not one of %s; the nearest is '%s'", shown(r, text, quoted),
             r->allow ? r->allow : "", best);
    return false;
}

static bool is_mac(const char *text)
{
    if (strlen(text) != 17)
        return false;
    for (int i = 0; i < 17; i++)
        if (i % 3 == 2 ? text[i] != ':' && text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    return true;
}

static bool is_base64(const char *text)
{
    size_t len = strlen(text),
           body = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    return len % 4 == 0 && len - body <= 2 && strspn(text + body, "=") == len - body;
}

static bool is_hex(const char *text)
{
    size_t len = strlen(text);

    return len % 2 == 0 && strspn(text, "0123456789abcdefABCDEF") == len;
}

static bool is_address(const char *text)
{
    unsigned char to[16];

    return inet_pton(AF_INET, text, to) == 1 || inet_pton(AF_INET6, text, to) == 1;
}

static bool is_cidr(const char *text)
{
    const char *slash = strchr(text, '/');
    char address[INET6_ADDRSTRLEN];
    int64_t bits;

    if (!slash)
        return is_address(text);
    if ((size_t)(slash - text) >= sizeof address || !isdigit((unsigned char)slash[1]) ||
        !row_number(slash + 1, &bits) || strlen(slash) > 4)
        return false;
    snprintf(address, sizeof address, "%.*s", (int)(slash - text), text);
    return is_address(address) && bits <= (strchr(address, ':') ? 128 : 32);
}

static bool is_octal(const char *text)
{
    return *text && strlen(text) <= 5 && strspn(text, "01234567") == strlen(text);
}

static bool parse_text(const struct ec_row *r, const char *text, char *why, size_t n)
{
    size_t len = strlen(text);

    if (utf8_valid(text, len) != len)
        return refuse(r, text, "valid UTF-8", why, n);
    if (r->allow && !strcmp(r->allow, "cidr") && !is_cidr(text))
        return refuse(r, text, "an address or a network, such as 192.0.2.0/24 or 2001:db8::/32",
                      why, n);
    if (r->allow && !strcmp(r->allow, "octal") && !is_octal(text))
        return refuse(r, text, "a file mode in octal, such as 0640", why, n);
    if ((r->min || r->max) && ((int64_t)len < r->min || (int64_t)len > r->max)) {
        snprintf(why, n, "the text has %zu bytes: %lld to %lld are accepted", len,
                 (long long)r->min, (long long)r->max);
        return false;
    }
    return true;
}

/* A value with a unit, bounded as a number. */
static bool parse_unit(const struct ec_row *r, const char *text, struct row_value *v, char *why,
                       size_t n)
{
    if (r->type == EC_T_DURATION && !row_duration(text, &v->num))
        return refuse(r, text,
                      "a duration: a number and ns, us, ms, s, m, h, d or w, such as 90s or 1.5h",
                      why, n);
    if (r->type == EC_T_SIZE && !row_size(text, &v->num))
        return refuse(r, text,
                      "a size: a number and k, M, G or T, or KiB, MiB, GiB or TiB, such as 64MiB",
                      why, n);
    if (r->type == EC_T_TIME && !row_time(text, &v->num))
        return refuse(r, text, "a time, such as 2026-11-22T14:30:00Z", why, n);
    return within(r, text, true, v->num, 0, INT64_MAX, why, n);
}

bool row_parse(const struct ec_row *r, const char *text, struct row_value *v, char *why, size_t n)
{
    v->num = 0;
    v->f64 = 0;
    switch (r->type) {
    case EC_T_U8:
    case EC_T_U16:
    case EC_T_U32:
    case EC_T_U64:
    case EC_T_I64:
        return parse_number(r, text, v, why, n);
    case EC_T_F64:
        return parse_decimal(r, text, v, why, n);
    case EC_T_BOOL:
        return parse_bool(r, text, v, why, n);
    case EC_T_ENUM:
        return parse_enum(r, text, v, why, n);
    case EC_T_TIME:
    case EC_T_DURATION:
    case EC_T_SIZE:
        return parse_unit(r, text, v, why, n);
    case EC_T_IP:
        return is_address(text) || refuse(r, text, "an IPv4 or IPv6 address", why, n);
    case EC_T_MAC:
        return is_mac(text) || refuse(r, text, "a MAC address, such as 02:00:5e:10:00:01", why, n);
    case EC_T_BYTES:
        return is_base64(text) || refuse(r, text, "base64", why, n);
    case EC_T_HEX:
        return is_hex(text) || refuse(r, text, "hexadecimal", why, n);
    default:
        return parse_text(r, text, why, n);
    }
}
