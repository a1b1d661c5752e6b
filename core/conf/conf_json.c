#include "core/conf/conf_json.h"

#include "core/conf/conf_impl.h"
#include "core/conf/utf8.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* A file or a variable may be called anything; JSON is UTF-8. */
static struct json_object *text_of(const char *text)
{
    size_t len = strlen(text), n;
    struct json_object *o;
    char *copy = strdup(text);

    if (!copy)
        return NULL;
    for (size_t at = 0; at < len; at += n ? n : 1)
        if (!(n = utf8_char((const unsigned char *)copy + at, len - at)))
            copy[at] = '?';
    o = json_object_new_string_len(copy, (int)len);
    free(copy);
    return o;
}

static struct json_object *decimal_of(double v)
{
    static char shortest[] = "%.15g";
    struct json_object *o = json_object_new_double(v);

    if (o)
        json_object_set_serializer(o, json_object_double_to_json_string, shortest, NULL);
    return o;
}

static struct json_object *one(const struct ec_row *row, const struct conf_value *v)
{
    if (row->flags & EC_R_SECRET)
        return json_object_new_string(ROW_MASK);
    switch (row->type) {
    case EC_T_BOOL: return json_object_new_boolean(v->v.num != 0);
    case EC_T_U8:
    case EC_T_U16:
    case EC_T_U32:
    case EC_T_U64:
    case EC_T_I64: return json_object_new_int64(v->v.num);
    case EC_T_F64: return decimal_of(v->v.f64);
    default: return text_of(v->text);
    }
}

static struct json_object *value_of(const struct conf_slot *s)
{
    bool map = s->row->type == EC_T_MAP, list = s->row->flags & EC_R_LIST;
    struct json_object *o;

    if (!s->present || (!map && !list && !s->n))
        return NULL;
    if (!map && !list)
        return one(s->row, &s->value[0]);
    o = map ? json_object_new_object() : json_object_new_array();
    for (uint32_t i = 0; o && i < s->n; i++)
        if (map)
            json_object_object_add(o, s->value[i].key, one(s->row, &s->value[i]));
        else
            json_object_array_add(o, one(s->row, &s->value[i]));
    return o;
}

static struct json_object *slot_of(const struct conf_slot *s)
{
    struct json_object *o = json_object_new_object();

    if (!o)
        return NULL;
    json_object_object_add(o, "value", value_of(s));
    json_object_object_add(o, "from", s->present && s->where ? text_of(s->where) : NULL);
    json_object_object_add(o, "live", json_object_new_boolean((s->row->flags & EC_R_LIVE) != 0));
    return o;
}

struct json_object *conf_json(const struct conf *c)
{
    struct json_object *all = json_object_new_object();

    for (uint32_t i = 0; all && i < c->n; i++) {
        struct json_object *section = c->section[i].dormant ? NULL : json_object_new_object();

        for (uint32_t k = 0; section && k < c->section[i].n; k++)
            json_object_object_add(section, c->section[i].slot[k].row->name, slot_of(&c->section[i].slot[k]));
        if (section)
            json_object_object_add(all, c->section[i].section, section);
    }
    return all;
}
