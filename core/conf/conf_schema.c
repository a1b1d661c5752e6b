#include "core/conf/conf_impl.h"
#include "core/conf/conf_json.h"

#include <json-c/json.h>
#include <string.h>

static void put(struct json_object *o, const char *key, const char *text)
{
    if (text)
        json_object_object_add(o, key, json_object_new_string(text));
}

static const char *type_name(uint16_t type)
{
    switch (type) {
    case EC_T_BOOL: return "boolean";
    case EC_T_U8:
    case EC_T_U16:
    case EC_T_U32:
    case EC_T_U64:
    case EC_T_I64: return "integer";
    case EC_T_F64: return "number";
    default: return "string";
    }
}

static void put_bound(struct json_object *o, const struct ec_row *row, const char *key, int64_t v)
{
    char text[64];

    if (row->type == EC_T_DURATION || row->type == EC_T_SIZE) {
        row_bound_text(row->type, v, text, sizeof text);
        put(o, strstr(key, "min") ? "x-minimum" : "x-maximum", text);
    } else {
        json_object_object_add(o, key, json_object_new_int64(v));
    }
}

static void put_bounds(struct json_object *o, const struct ec_row *row)
{
    bool text = !strcmp(type_name(row->type), "string") && row->type != EC_T_DURATION && row->type != EC_T_SIZE;

    if (!row->min && !row->max)
        return;
    put_bound(o, row, text ? "minLength" : "minimum", row->min);
    put_bound(o, row, text ? "maxLength" : "maximum", row->max);
}

static void put_words(struct json_object *o, const char *words)
{
    struct json_object *list = json_object_new_array();

    for (size_t n; *words; words += n + (words[n] == ',')) {
        n = strcspn(words, ",");
        json_object_array_add(list, json_object_new_string_len(words, (int)n));
    }
    json_object_object_add(o, "enum", list);
}

/* One value; of a list or mapping, one element. */
static struct json_object *one(const struct ec_row *row)
{
    struct json_object *o = json_object_new_object();

    put(o, "type", type_name(row->type));
    if (row->type == EC_T_ENUM)
        put_words(o, row->allow);
    else if (row->type == EC_T_DURATION)
        put(o, "format", "duration");
    else if (row->type == EC_T_SIZE)
        put(o, "format", "size");
    else if (row->type == EC_T_TEXT)
        put(o, "format", row->allow);
    put_bounds(o, row);
    return o;
}

static struct json_object *option(const struct ec_row *row)
{
    bool map = row->type == EC_T_MAP, list = row->flags & EC_R_LIST;
    struct json_object *o = map || list ? json_object_new_object() : one(row);

    if (map || list) {
        put(o, "type", map ? "object" : "array");
        json_object_object_add(o, map ? "additionalProperties" : "items", one(row));
    }
    put(o, "description", row->help);
    put(o, "x-unit", row->unit);
    put(o, "x-default", row->def);
    json_object_object_add(o, "x-live", json_object_new_boolean((row->flags & EC_R_LIVE) != 0));
    json_object_object_add(o, "x-changeable", json_object_new_boolean(conf_changeable(row)));
    if (row->flags & EC_R_SECRET)
        json_object_object_add(o, "writeOnly", json_object_new_boolean(true));
    return o;
}

struct json_object *conf_schema(const struct conf *c)
{
    struct json_object *all = json_object_new_object(), *sections = json_object_new_object();

    put(all, "$schema", "https://json-schema.org/draft/2020-12/schema");
    put(all, "type", "object");
    json_object_object_add(all, "properties", sections);
    json_object_object_add(all, "additionalProperties", json_object_new_boolean(false));
    for (uint32_t i = 0; i < c->n; i++) {
        struct json_object *s, *rows;

        if (c->section[i].dormant)
            continue;
        s = json_object_new_object();
        rows = json_object_new_object();
        put(s, "type", "object");
        json_object_object_add(s, "properties", rows);
        json_object_object_add(s, "additionalProperties", json_object_new_boolean(false));
        for (uint32_t k = 0; k < c->section[i].n; k++)
            json_object_object_add(rows, c->section[i].slot[k].row->name, option(c->section[i].slot[k].row));
        json_object_object_add(sections, c->section[i].section, s);
    }
    return all;
}
