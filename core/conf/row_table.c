#include "core/conf/row.h"

#include <stdio.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz"

/* [a-z][a-z0-9_-]*, joined by dots. "__" is what separates words in environment variables. */
static bool name_is_fit(const char *name)
{
    if (!name || strlen(name) > 63 || strstr(name, "__"))
        return false;
    for (;; name++) {
        size_t len = strspn(name, LETTERS "0123456789_-");

        if (!strspn(name, LETTERS))
            return false;
        name += len;
        if (*name != '.')
            return !*name;
    }
}

static bool flags_are_fit(const struct ec_row *r)
{
    if (r->type < EC_T_U8 || r->type > EC_T_MAP || r->type == EC_T_RECORD)
        return false;
    if (r->type == EC_T_MAP && (r->flags & EC_R_LIST))
        return false;
    if (r->type == EC_T_ENUM && (!r->allow || !*r->allow))
        return false;
    return !(r->flags & EC_R_INLINE) && r->min <= r->max;
}

/* "log" and "log.level" cannot both be options: a mapping cannot be a value as well. */
static bool names_collide(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), n = na < nb ? na : nb;

    return !strncmp(a, b, n) && (na == nb || (na < nb ? b[n] : a[n]) == '.');
}

bool row_options_check(const struct ec_record *r, char *why, size_t n)
{
    if (!r)
        return true;
    for (uint32_t i = 0; i < r->n_row; i++) {
        const struct ec_row *row = row_at(r, i);

        if (!name_is_fit(row->name)) {
            snprintf(why, n,
                     "option %u: the name '%s' is not fit: lower-case letters, digits, '_' and "
                     "'-', joined "
                     "by dots, 63 bytes at most",
                     i, row->name ? row->name : "");
            return false;
        }
        if (!flags_are_fit(row)) {
            snprintf(why, n, "option '%s': its type, flags or bounds are not fit for an option",
                     row->name);
            return false;
        }
        for (uint32_t j = 0; j < i; j++)
            if (names_collide(row->name, row_at(r, j)->name)) {
                snprintf(why, n, "options '%s' and '%s' stand in each other's way",
                         row_at(r, j)->name, row->name);
                return false;
            }
    }
    return true;
}
