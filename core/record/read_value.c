#include "core/record/read_impl.h"

#include "core/conf/row.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SECOND      INT64_C(1000000000)
#define MS_FROM     2e10 /* a bare time above it is in milliseconds (as pydantic reads it) */
#define WORDS_MAX   1024 /* bytes of an enum's words in a sentence */

/* What an error may quote. */
static struct json_object *shown(const struct ec_row *row, struct json_object *v)
{
    return row->flags & EC_R_SECRET ? NULL : v;
}

/* Does a text stand for this value? Then *text; it holds no NUL (read_document() sees to that). */
static bool is_text(struct json_object *v, const char **text)
{
    if (!json_object_is_type(v, json_type_string))
        return false;
    *text = json_object_get_string(v);
    return true;
}

static bool is_number(struct json_object *v)
{
    return json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double);
}

static bool coerced(const struct read *r, struct json_object *v, const char **text)
{
    return (r->flags & (EC_JSON_COERCE | EC_JSON_LAX)) && is_text(v, text);
}

static bool range(struct read *r, const struct ec_row *row, struct json_object *v, __int128 n,
                  __int128 least, __int128 most)
{
    if (row->min || row->max) {
        least = row->min > least ? row->min : least;
        most = row->max < most ? row->max : most;
    }
    if (n < least)
        return read_error_bound(r, "greater_than_equal",
                                "Input should be greater than or equal to %s", shown(row, v), "ge",
                                least);
    if (n > most)
        return read_error_bound(r, "less_than_equal", "Input should be less than or equal to %s",
                                shown(row, v), "le", most);
    return true;
}

/* Decimal digits with a sign before them; what does not fit into 64 bits is beyond every bound. */
static bool integer_text(const char *s, __int128 *n)
{
    bool minus = *s == '-';
    __int128 v = 0;

    s += minus || *s == '+';
    if (!*s || strspn(s, "0123456789") != strlen(s))
        return false;
    for (; *s; s++)
        if (v <= UINT64_MAX)
            v = v * 10 + (*s - '0');
    *n = minus ? -v : v;
    return true;
}

/* json-c takes a longer number for the nearest that it has: is this one really written there? */
static bool is_written(const struct read *r, const char *digits)
{
    return memmem(r->json, r->len, digits, strlen(digits)) != NULL;
}

static __int128 integer_of(const struct read *r, struct json_object *v)
{
    int64_t n = json_object_get_int64(v);
    uint64_t u = n < 0 ? 0 : json_object_get_uint64(v);

    if (n == INT64_MIN && !is_written(r, "-9223372036854775808"))
        return (__int128)INT64_MIN - 1;
    if (u == UINT64_MAX && !is_written(r, "18446744073709551615"))
        return (__int128)UINT64_MAX + 1;
    return n < 0 ? (__int128)n : (__int128)u;
}

static bool integer_from_double(struct read *r, const struct ec_row *row, struct json_object *v,
                                __int128 *n)
{
    double d = json_object_get_double(v);

    if (!isfinite(d))
        return read_error(r, "finite_number", "Input should be a finite number", shown(row, v),
                          NULL);
    if (d != floor(d))
        return read_error(r, "int_from_float",
                          "Input should be a valid integer, got a number with a fractional part",
                          shown(row, v), NULL);
    *n = fabs(d) < 1e30 ? (__int128)d : d < 0 ? -(__int128)1e30 : (__int128)1e30;
    return true;
}

static bool integer(struct read *r, const struct ec_row *row, struct json_object *v, __int128 *n)
{
    const char *text;

    if (json_object_is_type(v, json_type_int))
        return *n = integer_of(r, v), true;
    if (json_object_is_type(v, json_type_double))
        return integer_from_double(r, row, v, n);
    if (json_object_is_type(v, json_type_boolean) && r->flags & EC_JSON_LAX)
        return *n = json_object_get_boolean(v), true;
    if (coerced(r, v, &text))
        return integer_text(text, n) ||
               read_error(r, "int_parsing",
                          "Input should be a valid integer, unable to parse string as an integer",
                          shown(row, v), NULL);
    return read_error(r, "int_type", "Input should be a valid integer", shown(row, v), NULL);
}

static bool read_number(struct read *r, const struct ec_row *row, struct json_object *v, uint8_t *to)
{
    static const struct {
        uint64_t most;
        uint8_t bytes;
    } of[] = {
        [EC_T_U8] = {UINT8_MAX, 1},        [EC_T_U16] = {UINT16_MAX, 2},
        [EC_T_U32] = {UINT32_MAX, 4},      [EC_T_U64] = {UINT64_MAX, 8},
        [EC_T_I64] = {INT64_MAX, 8},       [EC_T_DURATION] = {UINT64_MAX, 8},
        [EC_T_SIZE] = {UINT64_MAX, 8},
    };
    __int128 n = 0;
    uint64_t bits;

    if (!integer(r, row, v, &n) ||
        !range(r, row, v, n, row->type == EC_T_I64 ? INT64_MIN : 0, of[row->type].most))
        return false;
    bits = (uint64_t)n;
    memcpy(to, &bits, of[row->type].bytes); /* little-endian, as configure demands */
    return true;
}

static bool read_double(struct read *r, const struct ec_row *row, struct json_object *v, uint8_t *to)
{
    const char *text;
    double d = json_object_get_double(v);

    if (coerced(r, v, &text)) {
        if (!row_decimal(text, &d))
            return read_error(
                r, "float_parsing",
                "Input should be a valid number, unable to parse string as a number",
                shown(row, v), NULL);
    } else if (!is_number(v)) {
        return read_error(r, "float_type", "Input should be a valid number", shown(row, v), NULL);
    }
    if (!isfinite(d))
        return read_error(r, "finite_number", "Input should be a finite number", shown(row, v),
                          NULL);
    if ((row->min || row->max) && d < (double)row->min)
        return range(r, row, v, (__int128)row->min - 1, row->min, row->max);
    if ((row->min || row->max) && d > (double)row->max)
        return range(r, row, v, (__int128)row->max + 1, row->min, row->max);
    memcpy(to, &d, sizeof d);
    return true;
}

static bool read_bool(struct read *r, const struct ec_row *row, struct json_object *v, uint8_t *to)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off",
                                        "1",    "0",     "t",   "f",  "y",  "n"};
    const char *text;

    if (json_object_is_type(v, json_type_boolean)) {
        *to = (uint8_t)json_object_get_boolean(v);
        return true;
    }
    if (r->flags & EC_JSON_LAX && is_number(v)) {
        *to = json_object_get_double(v) == 1;
        if (*to || json_object_get_double(v) == 0)
            return true;
        text = "";
    } else if (!coerced(r, v, &text)) {
        return read_error(r, "bool_type", "Input should be a valid boolean", shown(row, v), NULL);
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcasecmp(words[i], text)) {
            *to = i % 2 == 0;
            return true;
        }
    return read_error(r, "bool_parsing",
                      "Input should be a valid boolean, unable to interpret input", shown(row, v),
                      NULL);
}

/* 'a', 'b' or 'c' */
static void quote_words(const char *allow, char *to, size_t n)
{
    size_t at = 0;

    *to = '\0';
    for (const char *w = allow; *w && at < n;) {
        size_t len = strcspn(w, ",");
        const char *gap = w == allow ? "" : w[len] ? ", " : " or ";

        at += (size_t)snprintf(to + at, n - at, "%s'%.*s'", gap, (int)len, w);
        w += len + (w[len] == ',');
    }
}

static bool read_enum(struct read *r, const struct ec_row *row, struct json_object *v, uint8_t *to)
{
    char words[WORDS_MAX];
    const char *text = NULL;
    uint32_t index = 0;

    if (is_text(v, &text))
        for (const char *w = row->allow; *w; index++) {
            size_t len = strcspn(w, ",");

            if (strlen(text) == len && !memcmp(w, text, len)) {
                memcpy(to, &index, sizeof index);
                return true;
            }
            w += len + (w[len] == ',');
        }
    quote_words(row->allow, words, sizeof words);
    return read_error_why(r, "enum", "Input should be %s", shown(row, v), "expected", words);
}

/* Names are never added here: what comes from outside must not fill the table. */
static bool read_name(struct read *r, const struct ec_row *row, struct json_object *v, uint8_t *to)
{
    const char *text, *name;

    if (!is_text(v, &text))
        return read_error(r, "string_type", "Input should be a valid string", shown(row, v), NULL);
    for (uint32_t id = 1; (name = r->host->interned(r->host, row->allow, id)); id++)
        if (!strcmp(name, text)) {
            memcpy(to, &id, sizeof id);
            return true;
        }
    return read_error_why(r, "value_error", "Value error, %s", shown(row, v), "error",
                          "this name is not known");
}

static const char *time_fault(const char *s)
{
    size_t digits = strspn(s, "0123456789");

    if (strlen(s) < 10)
        return "input is too short";
    if (digits < 4)
        return "invalid character in year";
    if (s[4] != '-' || s[7] != '-')
        return "invalid date separator, expected `-`";
    if (s[10] && (s[10] | 32) != 't' && s[10] != ' ')
        return "unexpected extra characters at the end of the input";
    return "not a date and time of RFC 3339 from 1970 on";
}

static bool read_time(struct read *r, const struct ec_row *row, struct json_object *v, uint8_t *to)
{
    const char *text;
    int64_t ns = 0;

    if (json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double)) {
        double s = json_object_get_double(v);

        s = s > MS_FROM ? s / 1000 : s;
        if (!(s >= 0 && s < (double)(INT64_MAX / SECOND)))
            return read_error_why(
                r, "datetime_parsing", "Input should be a valid datetime, %s", shown(row, v),
                "error", s < 0 ? "dates before 1970 are not supported as unix timestamps"
                               : "dates after 9999 are not supported as unix timestamps");
        ns = json_object_is_type(v, json_type_int) && json_object_get_double(v) <= MS_FROM
                 ? json_object_get_int64(v) * SECOND
                 : (int64_t)(s * 1e6) * 1000;
    } else if (!is_text(v, &text)) {
        return read_error(r, "datetime_type", "Input should be a valid datetime", shown(row, v),
                          NULL);
    } else if (!row_time(text, &ns)) {
        return read_error_why(r, "datetime_from_date_parsing",
                              "Input should be a valid datetime or date, %s", shown(row, v),
                              "error", time_fault(text));
    }
    if (!range(r, row, v, ns, 0, INT64_MAX))
        return false;
    memcpy(to, &ns, sizeof ns);
    return true;
}

/* A text is read as an option is ("90s", "64MiB"), a number as it is written: ns, bytes. */
static bool read_unit(struct read *r, const struct ec_row *row, struct json_object *v, uint8_t *to)
{
    const char *text;
    int64_t n;

    if (!is_text(v, &text))
        return read_number(r, row, v, to);
    if (row->type == EC_T_DURATION && !row_duration(text, &n))
        return read_error_why(r, "time_delta_parsing", "Input should be a valid timedelta, %s",
                              shown(row, v), "error",
                              "a number and ns, us, ms, s, m, h, d or w, such as 90s or 1.5h");
    if (row->type == EC_T_SIZE && !row_size(text, &n))
        return read_error(r, "byte_size", "could not parse value and unit from byte string",
                          shown(row, v), NULL);
    if (!range(r, row, v, n, 0, INT64_MAX))
        return false;
    memcpy(to, &n, sizeof n);
    return true;
}

void *read_room(struct read *r, uint64_t n)
{
    uint64_t need = (n + 7) & ~UINT64_C(7);
    void *p = r->base + r->used;

    if (n > UINT32_MAX || need > r->cap - r->used) {
        r->full = true;
        return NULL;
    }
    memset(p, 0, need);
    r->used += (uint32_t)need;
    return p;
}

bool read_span(struct read *r, const void *bytes, size_t n, struct ec_span *span)
{
    uint8_t *p = read_room(r, n);

    if (!p)
        return false;
    if (n)
        memcpy(p, bytes, n);
    span->off = n ? (uint32_t)(p - r->base) : (uint32_t)sizeof(struct ec_part);
    span->len = (uint32_t)n;
    return true;
}

static bool length(struct read *r, const struct ec_row *row, struct json_object *v, size_t n)
{
    char format[64];
    bool few = (int64_t)n < row->min;
    int64_t bound = few ? row->min : row->max;

    if ((!row->min && !row->max) || (!few && (int64_t)n <= row->max))
        return true;
    snprintf(format, sizeof format, "String should have at %s %%s character%s", few ? "least" : "most",
             bound == 1 ? "" : "s");
    return read_error_bound(r, few ? "string_too_short" : "string_too_long", format, shown(row, v),
                            few ? "min_length" : "max_length", bound);
}

/* Characters, for that is what a schema's maxLength counts. */
static size_t characters(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((uint8_t)*s & 0xc0) != 0x80;
    return n;
}

/* BYTES and HEX: decoded in place, where the text would have stood. */
static bool read_encoded(struct read *r, const struct ec_row *row, struct json_object *v,
                         const char *text, struct ec_span *span)
{
    size_t n = strlen(text);
    uint8_t *p = read_room(r, n);
    ptrdiff_t len;

    if (!p)
        return false;
    len = row->type == EC_T_HEX ? read_hex(p, text, n) : read_base64(p, text, n);
    if (len < 0)
        return row->type == EC_T_HEX
                   ? read_error_why(r, "bytes_invalid_encoding", "Data should be valid %s",
                                    shown(row, v), "encoding", "hex")
                   : read_error_why(r, "bytes_invalid_encoding", "Data should be valid %s",
                                    shown(row, v), "encoding", "base64");
    memset(p + len, 0, ((n + 7) & ~(size_t)7) - (size_t)len);
    span->off = len ? (uint32_t)(p - r->base) : (uint32_t)sizeof(struct ec_part);
    span->len = (uint32_t)len;
    return length(r, row, v, (size_t)len);
}

static bool read_text(struct read *r, const struct ec_row *row, struct json_object *v, uint8_t *to)
{
    struct ec_span span = {0, 0};
    struct row_value value;
    struct ec_row format = *row;
    const char *text;
    char why[512];

    if (!is_text(v, &text))
        return read_error(r, "string_type", "Input should be a valid string", shown(row, v), NULL);
    if (row->type == EC_T_BYTES || row->type == EC_T_HEX) {
        if (!read_encoded(r, row, v, text, &span))
            return false;
    } else {
        format.min = format.max = 0;
        if (!length(r, row, v, characters(text)))
            return false;
        if (row->type == EC_T_TEXT && row->allow && !row_parse(&format, text, &value, why, sizeof why))
            return read_error_why(r, "value_error", "Value error, %s", shown(row, v), "error", why);
        if (!read_span(r, text, strlen(text), &span))
            return false;
    }
    memcpy(to, &span, sizeof span);
    return true;
}

static bool read_address(struct read *r, const struct ec_row *row, struct json_object *v,
                         uint8_t *to)
{
    const char *text;

    if (row->type == EC_T_IP)
        return (is_text(v, &text) && read_ip(to, text)) ||
               read_error(r, "ip_any_address", "value is not a valid IPv4 or IPv6 address",
                          shown(row, v), NULL);
    return (is_text(v, &text) && read_mac(to, text)) ||
           read_error(r, "mac_address_format", "Unrecognized format", shown(row, v), NULL);
}

bool read_value(struct read *r, const struct ec_row *row, struct json_object *v, uint8_t *to)
{
    switch (row->type) {
    case EC_T_F64:
        return read_double(r, row, v, to);
    case EC_T_BOOL:
        return read_bool(r, row, v, to);
    case EC_T_IP:
    case EC_T_MAC:
        return read_address(r, row, v, to);
    case EC_T_TIME:
        return read_time(r, row, v, to);
    case EC_T_DURATION:
    case EC_T_SIZE:
        return read_unit(r, row, v, to);
    case EC_T_TEXT:
    case EC_T_WIRE:
    case EC_T_BYTES:
    case EC_T_HEX:
        return read_text(r, row, v, to);
    case EC_T_ENUM:
        return read_enum(r, row, v, to);
    case EC_T_NAME:
        return read_name(r, row, v, to);
    default:
        return read_number(r, row, v, to);
    }
}
