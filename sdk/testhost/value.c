/* value.c: option values for the test host. */
#include "value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct unit { const char *name; double factor; };
static const struct unit durations[] = {
    { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 }, { "d", 86400e9 }, { "", 1e9 },
    { NULL, 0 } };
static const struct unit sizes[] = {
    { "KiB", 1024 }, { "MiB", 1048576 }, { "GiB", 1073741824 }, { "k", 1024 }, { "M", 1048576 }, { "G", 1073741824 },
    { "B", 1 }, { "", 1 }, { NULL, 0 } };

static int number_with_unit(const char *s, const struct unit *u, int64_t *out)
{
    char *end;
    double v = strtod(s, &end);
    if (end == s)
        return EC_EINVAL;
    for (; u->name; u++)
        if (!strcmp(end, u->name)) {
            *out = (int64_t)(v * u->factor);
            return EC_OK;
        }
    return EC_EINVAL;
}

static int number(const char *s, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll(s, &end, 0);
    return end == s || *end || errno ? EC_EINVAL : EC_OK;
}

static int word(const char *words, const char *s, int64_t *out)
{
    size_t n = strlen(s);
    int64_t i = 0;
    for (const char *w = words; w && *w; i++) {
        size_t len = strcspn(w, ",");
        if (len == n && !memcmp(w, s, n)) {
            *out = i;
            return EC_OK;
        }
        w += len + (w[len] == ',');
    }
    return EC_EINVAL;
}

static int boolean(const char *s, int64_t *out)
{
    *out = !strcmp(s, "true");
    return *out || !strcmp(s, "false") ? EC_OK : EC_EINVAL;
}

static int value_parse(const struct ec_row *row, const char *s, struct value *v)
{
    int err = EC_OK;
    char *end;
    int64_t measure;
    switch (row->type) {
    case EC_T_BOOL: err = boolean(s, &v->num); break;
    case EC_T_ENUM: err = word(row->allow, s, &v->num); break;
    case EC_T_DURATION: err = number_with_unit(s, durations, &v->num); break;
    case EC_T_SIZE: err = number_with_unit(s, sizes, &v->num); break;
    case EC_T_F64:
        v->f64 = strtod(s, &end);
        err = end == s || *end ? EC_EINVAL : EC_OK;
        break;
    case EC_T_U8: case EC_T_U16: case EC_T_U32: case EC_T_U64: case EC_T_I64: err = number(s, &v->num); break;
    default: break;
    }
    if (err)
        return err;
    measure = row->type == EC_T_TEXT || row->type == EC_T_MAP ? (int64_t)strlen(s) : v->num;
    if (row->type != EC_T_F64 && (row->min || row->max) && (measure < row->min || measure > row->max))
        return EC_EINVAL;
    if (row->type != EC_T_F64)
        v->f64 = (double)v->num;
    return (v->text = strdup(s)) ? EC_OK : EC_ENOMEM;
}

/* "text" and 'text' as YAML writes them; without escapes. */
static char *unquoted(char *s)
{
    size_t n = strlen(s);
    if (n < 2 || (*s != '"' && *s != '\'') || s[n - 1] != *s)
        return s;
    s[n - 1] = 0;
    return s + 1;
}

static int value_add(struct option *o, const struct ec_row *row, char *s)
{
    struct value *v = realloc(o->v, (o->n + 1) * sizeof *v);
    char *eq;
    if (!v)
        return EC_ENOMEM;
    o->v = v;
    v += o->n;
    memset(v, 0, sizeof *v);
    if (row->type == EC_T_MAP && (eq = strchr(s, '='))) {
        *eq = 0;
        if (!(v->key = strdup(s)))
            return EC_ENOMEM;
        s = eq + 1;
    }
    o->n++;
    return value_parse(row, unquoted(s), v);
}

void option_clear(struct option *o)
{
    for (uint32_t i = 0; i < o->n; i++) {
        free(o->v[i].key);
        free(o->v[i].text);
    }
    free(o->v);
    o->v = NULL;
    o->n = 0;
}

int option_set(struct option *o, const struct ec_row *row, const char *text)
{
    char *copy, *save = NULL;
    int err = EC_OK;
    option_clear(o);
    o->row = row;
    if (!text && !(text = row->def))
        return EC_OK;
    if (!(row->flags & EC_R_LIST) && row->type != EC_T_MAP) {
        if (!(copy = strdup(text)))
            return EC_ENOMEM;
        err = value_add(o, row, copy);
        free(copy);
        return err;
    }
    text += strspn(text, "[{ ");
    if (!(copy = strdup(text)))
        return EC_ENOMEM;
    for (char *w = strtok_r(copy, ",]}", &save); w && !err; w = strtok_r(NULL, ",]}", &save))
        err = value_add(o, row, w + strspn(w, " "));
    free(copy);
    return err;
}
