#include "plugins/ml/manifest.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "plugins/ml/feature.h"

enum { FORMAT = 1, NESTING = 8 };

struct reader { char *why; uint32_t why_n; };

__attribute__((format(printf, 2, 3)))
static int wrong(const struct reader *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->why, r->why_n, fmt, ap);
    va_end(ap);
    return -1;
}

static const char *text(const struct json_object *o, const char *key)
{
    struct json_object *v;

    if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_string))
        return NULL;
    return strlen(json_object_get_string(v)) == (size_t)json_object_get_string_len(v) ? json_object_get_string(v) : NULL;
}

/* A word that may stand in a file name: no folder, nothing hidden. */
static int word(const struct reader *r, const struct json_object *o, const char *key, char *to, size_t n)
{
    const char *s = text(o, key);

    if (!s || !*s || *s == '.' || strlen(s) >= n
        || strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._") != strlen(s))
        return wrong(r, "\"%s\" must be a name of letters, digits, '-', '.' and '_' below %zu bytes", key, n);
    strcpy(to, s);
    return 0;
}

static int number(const struct json_object *o, const char *key, double *v)
{
    struct json_object *x;

    if (!json_object_object_get_ex(o, key, &x)
        || (!json_object_is_type(x, json_type_double) && !json_object_is_type(x, json_type_int)))
        return -1;
    *v = json_object_get_double(x);
    return isfinite(*v) ? 0 : -1;
}

static int checksum(const struct reader *r, const struct json_object *o, uint8_t out[32])
{
    const char *s = text(o, "sha256");

    if (!s || strlen(s) != 64 || strspn(s, "0123456789abcdef") != 64)
        return wrong(r, "\"sha256\" must be 64 small hexadecimal digits");
    for (int i = 0; i < 32; i++) {
        unsigned v;
        sscanf(s + 2 * i, "%2x", &v);
        out[i] = (uint8_t)v;
    }
    return 0;
}

static int input(const struct reader *r, struct manifest *m, const struct json_object *o)
{
    struct manifest_input *in = &m->input[m->inputs];
    const char *name = json_object_is_type(o, json_type_object) ? text(o, "name") : NULL;
    int i = name ? feature_find(name) : -1;

    if (!name)
        return wrong(r, "feature %u has no \"name\"", m->inputs);
    if (i < 0)
        return wrong(r, "this build has no feature '%.64s': train the model anew with it", name);
    for (uint32_t k = 0; k < m->inputs; k++)
        if (m->input[k].feature == (uint32_t)i)
            return wrong(r, "feature '%s' stands there twice", name);
    in->feature = (uint32_t)i;
    if (number(o, "low", &in->low) || number(o, "high", &in->high) || in->low > in->high)
        return wrong(r, "feature '%s' needs \"low\" and \"high\", numbers in that order", name);
    m->inputs++;
    return 0;
}

static int inputs(const struct reader *r, struct manifest *m, const struct json_object *o)
{
    struct json_object *list;
    size_t n;

    if (!json_object_object_get_ex(o, "features", &list) || !json_object_is_type(list, json_type_array)
        || !(n = json_object_array_length(list)) || n > MANIFEST_INPUTS)
        return wrong(r, "\"features\" must be a list of 1 to %d", MANIFEST_INPUTS);
    for (size_t i = 0; i < n; i++)
        if (input(r, m, json_object_array_get_idx(list, i)))
            return -1;
    return 0;
}

static int whole(const struct reader *r, struct manifest *m, const struct json_object *o)
{
    double format, rows = 0;
    const char *s;

    if (!json_object_is_type(o, json_type_object))
        return wrong(r, "not a JSON object");
    if (number(o, "format", &format) || format != FORMAT)
        return wrong(r, "\"format\" must be %d", FORMAT);
    if (word(r, o, "model", m->id, sizeof m->id) || word(r, o, "file", m->file, sizeof m->file)
        || checksum(r, o, m->sha256))
        return -1;
    if (number(o, "threshold", &m->threshold) || m->threshold <= 0 || m->threshold >= 1)
        return wrong(r, "\"threshold\" must be a number between 0 and 1");
    if (!number(o, "rows", &rows) && rows >= 0 && rows <= UINT32_MAX)
        m->rows = (uint32_t)rows;
    if ((s = text(o, "trained")))
        snprintf(m->trained, sizeof m->trained, "%s", s);
    if ((s = text(o, "about")))
        snprintf(m->about, sizeof m->about, "%s", s);
    return inputs(r, m, o);
}

int manifest_read(struct manifest *m, const char *json, uint32_t n, char *why, uint32_t why_n)
{
    struct reader r = { why, why_n };
    struct json_tokener *t = n <= MANIFEST_MAX ? json_tokener_new_ex(NESTING) : NULL;
    struct json_object *o;
    int rc;

    memset(m, 0, sizeof *m);
    if (!t)
        return wrong(&r, "longer than %d bytes", MANIFEST_MAX);
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    o = json_tokener_parse_ex(t, json, (int)n);
    if (json_tokener_get_error(t) != json_tokener_success)
        rc = wrong(&r, "not JSON: %s", json_tokener_error_desc(json_tokener_get_error(t)));
    else
        rc = whole(&r, m, o);
    json_object_put(o);
    json_tokener_free(t);
    return rc;
}
