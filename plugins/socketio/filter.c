#include "plugins/socketio/filter.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct condition { uint32_t op; char field[96]; char *value; };
struct filter { _Atomic uint32_t refs; uint32_t n; struct condition c[FILTER_MAX]; };

static const struct { const char *end; uint32_t op; } ops[] = {
    { ".ne", EC_F_NE }, { ".lt", EC_F_LT }, { ".le", EC_F_LE }, { ".gt", EC_F_GT }, { ".ge", EC_F_GE },
    { ".has", EC_F_HAS },
};

struct filter *filter_hold(struct filter *f)
{
    if (f)
        atomic_fetch_add(&f->refs, 1);
    return f;
}

void filter_drop(struct filter *f)
{
    if (!f || atomic_fetch_sub(&f->refs, 1) != 1)
        return;
    for (uint32_t i = 0; i < f->n; i++)
        free(f->c[i].value);
    free(f);
}

/* "a", 5, true or a list of them: as one text with commas. */
static bool put_value(char *to, struct json_object *v)
{
    size_t at = 0, n = json_object_is_type(v, json_type_array) ? json_object_array_length(v) : 1;

    for (size_t i = 0; i < n; i++) {
        struct json_object *one = json_object_is_type(v, json_type_array) ? json_object_array_get_idx(v, i) : v;
        enum json_type t = json_object_get_type(one);
        const char *s;

        if (t == json_type_null || t == json_type_array || t == json_type_object)
            return false;
        s = json_object_get_string(one);
        if (at + strlen(s) + 2 > FILTER_VALUE_MAX)
            return false;
        if (i)
            to[at++] = ',';
        strcpy(to + at, s);
        at += strlen(s);
    }
    return at > 0;
}

static const char *add(struct filter *f, const char *key, struct json_object *v)
{
    struct condition *c = &f->c[f->n];
    size_t n = strlen(key);
    char value[FILTER_VALUE_MAX];

    if (f->n == FILTER_MAX)
        return "a filter has at most 16 conditions";
    c->op = EC_F_EQ;
    for (unsigned i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        size_t k = strlen(ops[i].end);

        if (n > k && !strcmp(key + n - k, ops[i].end)) {
            c->op = ops[i].op;
            n -= k;
            break;
        }
    }
    if (!n || n >= sizeof c->field)
        return "a filter's field has no name, or too long a one";
    if (!put_value(value, v))
        return "a filter's value is neither text, number, truth value nor a list of them, or too long";
    memcpy(c->field, key, n);
    c->field[n] = '\0';
    if (!(c->value = strdup(value)))
        return "out of memory";
    f->n++;
    return NULL;
}

struct filter *filter_new(struct json_object *o, const char **why)
{
    struct filter *f;

    *why = "a filter is an object";
    if (!json_object_is_type(o, json_type_object))
        return NULL;
    *why = "out of memory";
    if (!(f = calloc(1, sizeof *f)))
        return NULL;
    f->refs = 1;
    *why = NULL;
    json_object_object_foreach(o, key, v)
        if (!*why)
            *why = add(f, key, v);
    if (*why) {
        filter_drop(f);
        return NULL;
    }
    return f;
}

uint32_t filter_store(const struct filter *f, struct ec_filter to[FILTER_MAX])
{
    for (uint32_t i = 0; f && i < f->n; i++)
        to[i] = (struct ec_filter){ sizeof to[0], f->c[i].op, f->c[i].field, f->c[i].value };
    return f ? f->n : 0;
}

static bool address(const char *s, size_t n, unsigned char a[16])
{
    char text[INET6_ADDRSTRLEN];

    if (n >= sizeof text)
        return false;
    memcpy(text, s, n);
    text[n] = '\0';
    memset(a, 0, 10);
    memset(a + 10, 0xff, 2);
    return inet_pton(AF_INET, text, a + 12) == 1 || inet_pton(AF_INET6, text, a) == 1;
}

/* Is the address `have` in the network `want`, n bytes ("10.0.0.0/8", "fe80::1")? */
static bool in_network(const char *have, const char *want, size_t n)
{
    const char *slash = memchr(want, '/', n);
    size_t len = slash ? (size_t)(slash - want) : n;
    unsigned char a[16], b[16];
    unsigned bits = 128;

    if (!address(have, strlen(have), a) || !address(want, len, b))
        return false;
    if (slash) {
        bits = 0;
        for (const char *p = slash + 1; p < want + n; p++) {
            if (*p < '0' || *p > '9' || bits > 128)
                return false;
            bits = bits * 10 + (unsigned)(*p - '0');
        }
        bits += memchr(want, ':', len) ? 0 : 96;
    }
    if (bits > 128 || memcmp(a, b, bits / 8) != 0)
        return false;
    return bits % 8 == 0 || !((a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8));
}

static bool equals(struct json_object *have, const char *want, size_t n)
{
    const char *s = json_object_get_string(have);

    return s && ((strlen(s) == n && !memcmp(s, want, n)) ||
                 (json_object_is_type(have, json_type_string) && in_network(s, want, n)));
}

static bool any_of(struct json_object *have, const char *list)
{
    for (;; list++) {
        size_t n = strcspn(list, ",");

        if (equals(have, list, n))
            return true;
        list += n;
        if (!*list)
            return false;
    }
}

static bool compare(const struct condition *c, struct json_object *have)
{
    double a = json_object_get_double(have), b = strtod(c->value, NULL);
    int order = a < b ? -1 : a > b;

    if (json_object_is_type(have, json_type_string))
        order = strcmp(json_object_get_string(have), c->value);
    switch (c->op) {
    case EC_F_LT:
        return order < 0;
    case EC_F_LE:
        return order <= 0;
    case EC_F_GT:
        return order > 0;
    case EC_F_GE:
        return order >= 0;
    default:
        return any_of(have, c->value);
    }
}

/* Of a list any element counts, as in the store. */
static bool holds(const struct condition *c, struct json_object *o, const char *path)
{
    char key[96];
    size_t n = strcspn(path, ".");
    struct json_object *next;

    if (json_object_is_type(o, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(o); i++)
            if (holds(c, json_object_array_get_idx(o, i), path))
                return true;
        return false;
    }
    if (!*path)
        return o && (c->op == EC_F_HAS || compare(c, o));
    if (!json_object_is_type(o, json_type_object))
        return false;
    memcpy(key, path, n);
    key[n] = '\0';
    return json_object_object_get_ex(o, key, &next) && holds(c, next, path + n + (path[n] == '.'));
}

static bool condition_match(const struct condition *c, struct json_object *event)
{
    static const char *const both[][3] = { { "ip", "src_ip", "dest_ip" }, { "port", "src_port", "dest_port" } };
    bool is = false;

    for (unsigned i = 0; i < 2; i++)
        if (!strcmp(c->field, both[i][0]))
            is = holds(c, event, both[i][1]) || holds(c, event, both[i][2]);
    is = is || holds(c, event, c->field);
    if (c->op == EC_F_NE)
        return !is;
    return c->op == EC_F_HAS && !strcmp(c->value, "false") ? !is : is;
}

bool filter_match(const struct filter *f, struct json_object *event)
{
    for (uint32_t i = 0; f && i < f->n; i++)
        if (!condition_match(&f->c[i], event))
            return false;
    return true;
}
