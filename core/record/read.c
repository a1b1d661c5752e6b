#include "core/record/read_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_members(struct read *r, const struct node *parent, struct json_object *o,
                         uint8_t *base);

static void set_has(const struct node *n, uint8_t *base)
{
    uint64_t has;

    if (!n->has_off)
        return;
    memcpy(&has, base + n->has_off, sizeof has);
    has |= UINT64_C(1) << n->has;
    memcpy(base + n->has_off, &has, sizeof has);
}

/* Room for n elements behind the list at `to`; NULL: it is full, or there are none. */
static uint8_t *list_open(struct read *r, uint8_t *to, size_t n, uint32_t stride)
{
    struct ec_list l = {0, (uint32_t)n, stride, 0};
    uint8_t *p = n <= UINT32_MAX ? read_room(r, (uint64_t)n * stride) : NULL;

    if (!p)
        return NULL;
    l.off = (uint32_t)(p - r->base);
    memcpy(to, &l, sizeof l);
    return p;
}

static bool read_record(struct read *r, const struct node *parent, struct json_object *v,
                        uint8_t *base)
{
    if (!json_object_is_type(v, json_type_object))
        return read_error(
            r, "model_attributes_type",
            "Input should be a valid dictionary or object to extract fields from",
            r->secret ? NULL : v, NULL);
    read_members(r, parent, v, base);
    return true;
}

/* A list is given whole, so EC_JSON_PARTIAL does not hold within its elements. */
static bool read_list(struct read *r, const struct node *n, struct json_object *v, uint8_t *to)
{
    const struct ec_row *row = n->row;
    bool single = (r->flags & EC_JSON_COERCE) && !n->sub && json_object_is_type(v, json_type_string);
    uint32_t width = n->sub ? n->sub->bytes : tree_width(row->type), flags = r->flags;
    size_t count;
    uint8_t *p;

    if (!single && !json_object_is_type(v, json_type_array))
        return read_error(r, "list_type", "Input should be a valid list",
                          row->flags & EC_R_SECRET ? NULL : v, NULL);
    count = single ? 1 : json_object_array_length(v);
    p = list_open(r, to, count, width);
    for (size_t i = 0; p && i < count && !r->full; i++, p += width) {
        struct json_object *element = single ? v : json_object_array_get_idx(v, i);
        size_t at = read_enter_index(r, i);

        r->flags = flags & ~(uint32_t)EC_JSON_PARTIAL;
        if (n->sub)
            read_record(r, &n->sub->root, element, p);
        else
            read_value(r, row, element, p);
        read_leave(r, at);
    }
    r->flags = flags;
    return true;
}

/* The values of one name; without EC_R_LIST there is one. */
static size_t map_values(const struct ec_row *row, struct json_object *v)
{
    return row->flags & EC_R_LIST && json_object_is_type(v, json_type_array)
               ? json_object_array_length(v)
               : 1;
}

static void read_pairs(struct read *r, const struct ec_row *row, const char *key,
                       struct json_object *v, struct ec_pair *pair)
{
    size_t n = map_values(row, v), at = read_enter(r, key);
    bool list = row->flags & EC_R_LIST;
    struct ec_row value = *row;
    struct ec_span name;

    value.type = EC_T_WIRE;
    value.allow = NULL;
    if (list && !json_object_is_type(v, json_type_array)) {
        read_error(r, "list_type", "Input should be a valid list",
                   row->flags & EC_R_SECRET ? NULL : v, NULL);
        n = 0;
    }
    if (n && !read_span(r, key, strlen(key), &name))
        n = 0;
    for (size_t i = 0; i < n && !r->full; i++) {
        size_t inner = list ? read_enter_index(r, i) : r->at;

        pair[i].key = name;
        read_value(r, &value, list ? json_object_array_get_idx(v, i) : v, (uint8_t *)&pair[i].value);
        read_leave(r, inner);
    }
    read_leave(r, at);
}

static bool read_map(struct read *r, const struct node *n, struct json_object *v, uint8_t *to)
{
    struct ec_pair *pair;
    size_t count = 0;

    if (!json_object_is_type(v, json_type_object))
        return read_error(r, "dict_type", "Input should be a valid dictionary",
                          n->row->flags & EC_R_SECRET ? NULL : v, NULL);
    json_object_object_foreach(v, key, value) {
        (void)key;
        count += map_values(n->row, value);
    }
    pair = (void *)list_open(r, to, count, sizeof *pair);
    json_object_object_foreach(v, k, val) {
        if (!pair || r->full)
            break;
        read_pairs(r, n->row, k, val, pair);
        pair += map_values(n->row, val);
    }
    return true;
}

static bool read_row(struct read *r, const struct node *n, struct json_object *v, uint8_t *base)
{
    uint8_t *to = base + n->base + n->row->off;

    if (n->row->type == EC_T_MAP)
        return read_map(r, n, v, to);
    if (n->row->flags & EC_R_LIST)
        return read_list(r, n, v, to);
    return read_value(r, n->row, v, to);
}

/* A default as it stands in YAML: a word, perhaps in quotes. */
static struct json_object *default_word(const char *s, size_t n)
{
    for (; n && s[n - 1] == ' '; n--)
        ;
    for (; n && *s == ' '; s++, n--)
        ;
    if (n >= 2 && (*s == '"' || *s == '\'') && s[n - 1] == *s)
        return json_object_new_string_len(s + 1, (int)(n - 2));
    return json_object_new_string_len(s, (int)n);
}

static struct json_object *default_of(const struct ec_row *row)
{
    const char *s = row->def;
    struct json_object *list;

    if (!(row->flags & EC_R_LIST))
        return default_word(s, strlen(s));
    list = json_object_new_array();
    s += strspn(s, " [");
    while (*s && *s != ']') {
        size_t n = strcspn(s, ",]");

        json_object_array_add(list, default_word(s, n));
        s += n + (s[n] == ',');
    }
    return list;
}

/* Does something in it have to be given? */
static bool is_required(const struct node *n)
{
    if (n->has_off)
        return false;
    if (n->row)
        return !n->row->def && !(n->row->flags & EC_R_LIST) && n->row->type != EC_T_MAP;
    for (const struct node *c = n->child; c; c = c->next)
        if (is_required(c))
            return true;
    return false;
}

static void read_absent(struct read *r, const struct node *n, struct json_object *parent,
                        uint8_t *base)
{
    uint32_t flags = r->flags;
    struct json_object *v;

    if (flags & EC_JSON_PARTIAL)
        return;
    if (n->row && n->row->def && n->row->type != EC_T_MAP) {
        v = default_of(n->row);
        r->flags |= EC_JSON_COERCE;
        if (read_row(r, n, v, base))
            set_has(n, base);
        r->flags = flags;
        json_object_put(v);
    } else if (is_required(n)) {
        read_error(r, "missing", "Field required", r->secret ? NULL : parent, NULL);
    } else if (!n->row && !n->has_off) {
        v = json_object_new_object(); /* for the defaults in it */
        read_members(r, n, v, base);
        json_object_put(v);
    }
}

static void read_member(struct read *r, const struct node *n, struct json_object *parent,
                        uint8_t *base)
{
    size_t at = read_enter(r, n->name);
    struct json_object *v = NULL;
    bool there = json_object_object_get_ex(parent, n->name, &v);

    if (!there)
        read_absent(r, n, parent, base);
    else if (v || !n->has_off) { /* null: an optional member is absent */
        if (n->row ? read_row(r, n, v, base) : read_record(r, n, v, base))
            set_has(n, base);
    }
    read_leave(r, at);
}

static void read_members(struct read *r, const struct node *parent, struct json_object *o,
                         uint8_t *base)
{
    for (const struct node *n = parent->child; n && !r->full; n = n->next)
        read_member(r, n, o, base);
    json_object_object_foreach(o, key, value) {
        size_t at;

        if (tree_find(parent, key))
            continue;
        at = read_enter(r, key);
        read_error(r, "extra_forbidden", "Extra inputs are not permitted",
                   r->secret ? NULL : value, NULL);
        read_leave(r, at);
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "1." "-.5" "-01": a point or minus that RFC 8259 has not there. */
static bool is_odd_number(const char *s, uint64_t n, char before)
{
    if (*s != '.' && *s != '-')
        return false;
    if (n < 2 || !is_digit(s[1]))
        return true;
    return *s == '-' && (before | 32) != 'e' && s[1] == '0' && n > 2 && is_digit(s[2]);
}

/* What json-c would let pass: NUL (a name would end there), control characters in texts, names in single quotes, NaN and
 * Infinity, odd numbers. NULL: nothing, else a reason and where it stands. */
static const char *scan(const char *json, uint64_t len, uint64_t *at)
{
    bool text = false;

    for (uint64_t i = 0; i < len; i++) {
        *at = i;
        if (text && (uint8_t)json[i] < 0x20)
            return "Invalid control character";
        if (!json[i] || (!text && strchr("'NI", json[i])))
            return "Expecting value";
        if (!text && is_odd_number(json + i, len - i, i ? json[i - 1] : ' '))
            return "Expecting a digit";
        if (json[i] == '"')
            text = !text;
        if (json[i] != '\\')
            continue;
        if (len - i > 5 && !memcmp(json + i, "\\u0000", 6))
            return "NUL cannot stand in a text";
        i++;
    }
    return NULL;
}

static void bad_json(struct read *r, uint64_t at, const char *why)
{
    struct json_object *empty = json_object_new_object();
    size_t root = read_enter_index(r, at);

    read_error_why(r, "json_invalid", "JSON decode error", empty, "error", why);
    read_leave(r, root);
    json_object_put(empty);
}

/* NULL: not parsed, *why says why and *at where; or the document is null, which json-c has no object for. */
static struct json_object *tokenise(const struct read *r, struct json_tokener *tok, uint64_t *at,
                                    const char **why)
{
    struct json_object *o;
    enum json_tokener_error err;

    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    o = json_tokener_parse_ex(tok, r->json, (int)r->len);
    *at = json_tokener_get_parse_end(tok);
    err = json_tokener_get_error(tok);
    if (err == json_tokener_continue) { /* a bare number or word may have ended */
        o = json_tokener_parse_ex(tok, "", 1);
        if (json_tokener_get_error(tok) != json_tokener_success)
            *why = "Expecting value";
        *at = r->len;
    } else if (err != json_tokener_success) {
        *why = json_tokener_error_desc(err);
    }
    return o;
}

/* false: an error was told. */
static bool parse(struct read *r, struct json_object **o)
{
    struct json_tokener *tok = json_tokener_new_ex(READ_DEPTH + 1);
    uint64_t at = 0;
    const char *why = !tok                  ? "out of memory"
                      : r->len >= INT32_MAX ? "the document is too long"
                                            : scan(r->json, r->len, &at);

    *o = NULL;
    if (!why)
        *o = tokenise(r, tok, &at, &why);
    if (why)
        bad_json(r, at, why);
    json_tokener_free(tok);
    return !why;
}

int32_t read_document(const struct ec_host *h, const struct ec_shape *s, const char *json,
                      uint64_t len, uint32_t flags, struct ec_part *to, uint32_t cap,
                      ec_json_error_fn *error, void *arg)
{
    struct read r = {
        .host = h, .json = json, .len = len, .flags = flags, .base = (uint8_t *)to, .cap = cap & ~7u,
        .secret = s->tree->secret, .error = error, .arg = arg,
    };
    struct json_object *o;

    if (!read_room(&r, s->tree->bytes))
        return EC_ELIMIT;
    if (parse(&r, &o))
        read_record(&r, &s->tree->root, o, r.base);
    json_object_put(o);
    to->size = s->tree->bytes;
    to->total = r.used;
    if (r.errors)
        return EC_EINVAL;
    return r.full ? EC_ELIMIT : EC_OK;
}
