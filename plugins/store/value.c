#include "plugins/store/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How a wrong value is named: what it should have been, with an example. */
static const char *expected(uint16_t type)
{
    switch (type) {
    case EC_T_F64:
        return "a number (0.75)";
    case EC_T_BOOL:
        return "true or false";
    case EC_T_IP:
        return "an address or a network (192.0.2.1, 2001:db8::/32)";
    case EC_T_TIME:
        return "a time (2026-11-22T14:30:00Z)";
    default:
        return "a whole number (443)";
    }
}

static bool parse_bool(const char *s, int64_t *v)
{
    *v = !strcasecmp(s, "true") || !strcmp(s, "1");
    return *v || !strcasecmp(s, "false") || !strcmp(s, "0");
}

/* As the JSON prints it: what is not UTF-8 as \xHH. */
static char *printable(const char *s)
{
    struct text t = { 0 };

    text_wire(&t, (const uint8_t *)s, strlen(s));
    if (t.failed)
        text_free(&t);
    return t.base;
}

static bool parse(struct value *v, uint16_t type, const char *s)
{
    v->kind = SCHEMA_INTEGER;
    switch (type) {
    case EC_T_U8:
    case EC_T_U16:
    case EC_T_U32:
    case EC_T_U64:
    case EC_T_I64:
    case EC_T_DURATION:
    case EC_T_SIZE:
        return text_to_integer(s, &v->integer);
    case EC_T_BOOL:
        return parse_bool(s, &v->integer);
    case EC_T_TIME:
        return text_to_time(s, &v->integer);
    case EC_T_F64:
        v->kind = SCHEMA_REAL;
        return text_to_real(s, &v->real);
    case EC_T_IP:
        v->kind = SCHEMA_BLOB;
        if (!text_to_ip(s, v->first, v->last))
            return false;
        v->range = memcmp(v->first, v->last, sizeof v->first) != 0;
        return true;
    default:
        v->kind = SCHEMA_TEXT;
        v->text = printable(s);
        return true;
    }
}

int32_t value_parse(struct value *v, const struct field *f, const char *s, size_t n, char *why, size_t n_why)
{
    char *copy = strndup(s, n);
    struct text shown = { 0 };
    bool ok;

    memset(v, 0, sizeof *v);
    if (!copy)
        return EC_ENOMEM;
    ok = parse(v, f->type, copy);
    if (!ok) {
        text_wire(&shown, (const uint8_t *)copy, n > 40 ? 40 : n);
        snprintf(why, n_why, "%s: '%s%s' is not %s", f->path, shown.base ? shown.base : "", n > 40 ? "…" : "",
                 expected(f->type));
        text_free(&shown);
    }
    free(copy);
    if (!ok)
        return EC_EINVAL;
    return v->kind == SCHEMA_TEXT && !v->text ? EC_ENOMEM : EC_OK;
}
