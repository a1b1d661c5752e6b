#include "core/conf/row.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {
    {"ns", 1},          {"us", 1000},         {"ms", 1000000},       {"s", 1000000000},
    {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000}, {"w", 604800000000000},
    {NULL, 0}};
static const struct unit sizes[] = {
    {"B", 1},          {"k", 1024},         {"K", 1024},          {"KiB", 1024},
    {"M", 1048576},    {"MiB", 1048576},    {"G", 1073741824},    {"GiB", 1073741824},
    {"T", 1099511627776}, {"TiB", 1099511627776}, {NULL, 0}};

bool row_number(const char *text, int64_t *v)
{
    const char *digits = text + (*text == '-');
    int base = digits[0] == '0' && (digits[1] | 32) == 'x' ? 16 : 10;
    char *end;

    if (base == 16 ? !isxdigit((unsigned char)digits[2]) : !isdigit((unsigned char)*digits))
        return false;
    errno = 0;
    *v = strtoll(text, &end, base);
    return !*end && !errno;
}

bool row_decimal(const char *text, double *v)
{
    /* One for the process: a plugin or library may have called setlocale(). */
    static locale_t c_locale;
    locale_t loc = __atomic_load_n(&c_locale, __ATOMIC_ACQUIRE), none = 0;
    char *end;

    if (strspn(text, "0123456789+-.eE") != strlen(text) || !*text)
        return false;
    if (!loc) {
        loc = newlocale(LC_ALL_MASK, "C", 0);
        if (!loc)
            return false;
        if (!__atomic_compare_exchange_n(&c_locale, &none, loc, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE)) {
            freelocale(loc);
            loc = none;
        }
    }
    *v = strtod_l(text, &end, loc);
    return !*end && isfinite(*v);
}

/* NUMBER[.FRACTION] in units of `factor`, exact to the last unit; the rest of text to *end. */
static bool scaled(const char *text, size_t digits, const struct unit *u, int64_t *v)
{
    __int128 whole = 0, part = 0, scale = 1;
    bool after = false;

    for (size_t i = 0; i < digits; i++) {
        if (text[i] == '.') {
            after = true;
            continue;
        }
        if (!after)
            whole = whole * 10 + (text[i] - '0');
        else if (scale < (__int128)1000000000000000) {
            part = part * 10 + (text[i] - '0');
            scale *= 10;
        }
        if (whole > INT64_MAX)
            return false;
    }
    whole = whole * u->factor + part * u->factor / scale;
    *v = (int64_t)whole;
    return whole <= INT64_MAX;
}

static bool with_unit(const char *text, const struct unit *units, const char *bare, int64_t *v)
{
    size_t whole = strspn(text, "0123456789"), digits = whole;
    const char *name;

    if (!whole)
        return false;
    if (text[digits] == '.') {
        size_t part = strspn(text + digits + 1, "0123456789");

        if (!part)
            return false;
        digits += 1 + part;
    }
    name = text + digits;
    name += strspn(name, " ");
    if (!*name)
        name = bare;
    for (; units->name; units++)
        if (!strcmp(units->name, name))
            return scaled(text, digits, units, v);
    return false;
}

bool row_duration(const char *text, int64_t *ns)
{
    return with_unit(text, durations, "s", ns);
}

bool row_size(const char *text, int64_t *bytes)
{
    return with_unit(text, sizes, "B", bytes);
}

/* The fraction and the zone of an RFC 3339 time. */
static bool time_tail(const char *at, int64_t *ns, int *offset)
{
    int hours, minutes, used = 0;

    *ns = 0;
    *offset = 0;
    if (*at == '.') {
        int64_t unit = 100000000;

        if (!isdigit((unsigned char)*++at))
            return false;
        for (; isdigit((unsigned char)*at); at++, unit /= 10)
            *ns += (*at - '0') * unit;
    }
    if ((*at == 'Z' || *at == 'z') && !at[1])
        return true;
    if (*at != '+' && *at != '-')
        return false;
    /* also without the colon, as EVE has it */
    if ((sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5) &&
        (sscanf(at + 1, "%2d%2d%n", &hours, &minutes, &used) != 2 || used != 4))
        return false;
    if (at[1 + used] || strspn(at + 1, "0123456789:") != (size_t)used || hours > 23 || minutes > 59)
        return false;
    *offset = (hours * 60 + minutes) * (*at == '-' ? -60 : 60);
    return true;
}

bool row_time(const char *text, int64_t *ns)
{
    struct tm tm = {0}, back;
    int64_t part = 0;
    int offset = 0;
    const char *at = strptime(text, "%Y-%m-%d", &tm);
    int day = tm.tm_mday;
    time_t t;

    if (!at || at - text != 10)
        return false;
    if (*at) {
        if ((*at | 32) != 't' && *at != ' ')
            return false;
        text = at + 1;
        at = strptime(text, "%H:%M:%S", &tm);
        if (!at || at - text != 8 || !time_tail(at, &part, &offset))
            return false;
    }
    t = timegm(&tm);
    gmtime_r(&t, &back);
    if (back.tm_mday != day || t - offset < 0 || t - offset > INT64_MAX / 1000000000 - 1)
        return false;
    *ns = (int64_t)(t - offset) * 1000000000 + part;
    return true;
}

static void largest(int64_t v, const struct unit *units, char *to, size_t n)
{
    const struct unit *best = &units[0];

    for (; units->name; units++)
        if (v && v % units->factor == 0 && units->factor >= best->factor)
            best = units;
    snprintf(to, n, "%" PRId64 "%s", v / best->factor, best->name);
}

void row_bound_text(uint16_t type, int64_t v, char *to, size_t n)
{
    if (type == EC_T_DURATION)
        largest(v, durations, to, n);
    else if (type == EC_T_SIZE)
        largest(v, sizes, to, n);
    else
        snprintf(to, n, "%" PRId64, v);
}
