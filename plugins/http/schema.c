#include "plugins/http/schema.h"

#include <inttypes.h>
#include <string.h>

bool schema_required(const struct ec_row *row)
{
    return !(row->flags & EC_R_OPT) && !row->def;
}

static void bounds(struct text *t, const struct ec_row *row, const char *least, const char *most)
{
    if (!row->min && !row->max)
        return;
    text_key(t, least);
    text_printf(t, "%" PRId64, row->min);
    text_key(t, most);
    text_printf(t, "%" PRId64, row->max);
}

static void words(struct text *t, const char *allow)
{
    text_key(t, "enum");
    text_puts(t, "[");
    while (allow && *allow) {
        size_t n = strcspn(allow, ",");

        text_comma(t);
        text_json(t, allow, n);
        allow += n + (allow[n] == ',');
    }
    text_puts(t, "]");
}

static void number(struct text *t, const struct ec_row *row, const char *type)
{
    text_pair(t, "type", type);
    if (row->min || row->max)
        bounds(t, row, "minimum", "maximum");
    else if (row->type != EC_T_I64 && row->type != EC_T_F64) {
        text_key(t, "minimum");
        text_puts(t, "0");
    }
}

/* A number of ns or bytes; what comes in may also be a text, as an option has it. */
static void quantity(struct text *t, const struct ec_row *row, unsigned flags)
{
    const char *units = row->type == EC_T_SIZE ? "B|k|K|KiB|M|MiB|G|GiB|T|TiB" : "ns|us|ms|s|m|h|d|w";

    if (!(flags & SCHEMA_INPUT)) {
        number(t, row, "integer");
        return;
    }
    text_key(t, "anyOf");
    text_puts(t, "[{");
    number(t, row, "integer");
    text_printf(t, "},{\"type\":\"string\",\"pattern\":\"^[0-9]+(\\\\.[0-9]+)? *(%s)?$\"}]", units);
}

/* As EVE writes it, with "+0000", which is no date-time of RFC 3339. */
#define EVE_TIME "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}[+-][0-9]{4}$"

static void value(struct text *t, const struct ec_row *row, unsigned flags)
{
    switch (row->type) {
    case EC_T_U8: case EC_T_U16: case EC_T_U32: case EC_T_U64: case EC_T_I64:
        number(t, row, "integer");
        break;
    case EC_T_DURATION: case EC_T_SIZE:
        quantity(t, row, flags);
        break;
    case EC_T_F64:
        number(t, row, "number");
        break;
    case EC_T_BOOL:
        text_pair(t, "type", "boolean");
        break;
    case EC_T_TIME:
        text_pair(t, "type", "string");
        if (flags & SCHEMA_INPUT)
            text_pair(t, "format", "date-time");
        else
            text_pair(t, "pattern", EVE_TIME);
        break;
    case EC_T_ENUM:
        text_pair(t, "type", "string");
        words(t, row->allow);
        break;
    case EC_T_BYTES:
        text_pair(t, "type", "string");
        text_pair(t, "contentEncoding", "base64");
        break;
    case EC_T_RECORD:
        t->n -= t->n > 0;               /* its braces stand there already */
        schema_record(t, row->sub, flags);
        t->n -= t->n > 0;
        break;
    case EC_T_MAP:
        text_pair(t, "type", "object");
        text_key(t, "additionalProperties");
        text_puts(t, row->flags & EC_R_LIST ? "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"
                                            : "{\"type\":\"string\"}");
        break;
    default:                            /* TEXT, WIRE, HEX, NAME, IP, MAC */
        text_pair(t, "type", "string");
        if (row->type == EC_T_TEXT)
            bounds(t, row, "minLength", "maxLength");
        break;
    }
}

/* The default as JSON: what YAML writes for numbers and truth values is JSON already. What goes out has none. */
static void put_default(struct text *t, const struct ec_row *row, unsigned flags)
{
    bool plain = (row->type >= EC_T_U8 && row->type <= EC_T_F64) || row->type == EC_T_BOOL;

    if (!(flags & SCHEMA_INPUT) || !row->def || row->flags & EC_R_LIST || row->type >= EC_T_RECORD)
        return;
    text_key(t, "default");
    if (plain)
        text_puts(t, row->def);
    else
        text_jsons(t, row->def);
}

void schema_row(struct text *t, const struct ec_row *row, unsigned flags)
{
    bool list = row->flags & EC_R_LIST && row->type != EC_T_MAP;

    text_puts(t, "{");
    if (list) {
        text_pair(t, "type", "array");
        text_key(t, "items");
        text_puts(t, "{");
    }
    value(t, row, flags);
    if (list)
        text_puts(t, "}");
    if (row->unit && *row->unit)
        text_pair(t, "x-unit", row->unit);
    text_pair(t, "description", row->help && *row->help ? row->help : NULL);
    put_default(t, row, flags);
    text_puts(t, "}");
}

/* Has an earlier row opened the same object? name: the first n bytes are prefix and component. */
static bool opened(const struct ec_record *r, uint32_t before, const char *name, size_t n)
{
    for (uint32_t i = 0; i < before; i++)
        if (!strncmp(record_row(r, i)->name, name, n) && record_row(r, i)->name[n] == '.')
            return true;
    return false;
}

/* Rows whose names begin with n bytes of prefix, as the members of one object. */
static void members(struct text *t, const struct ec_record *r, const char *prefix, size_t n, unsigned flags)
{
    bool any = false;

    text_puts(t, "{\"type\":\"object\",\"properties\":{");
    for (uint32_t i = 0; i < r->n_row; i++) {
        const struct ec_row *row = record_row(r, i);
        size_t len;

        if (strncmp(row->name, prefix, n) != 0)
            continue;
        len = strcspn(row->name + n, ".");
        if (row->name[n + len] && opened(r, i, row->name, n + len))
            continue;
        text_comma(t);
        text_json(t, row->name + n, len);
        text_puts(t, ":");
        if (row->name[n + len])
            members(t, r, row->name, n + len + 1, flags);
        else
            schema_row(t, row, flags);
    }
    text_puts(t, "}");
    for (uint32_t i = 0; flags & SCHEMA_REQUIRED && i < r->n_row; i++) {
        const struct ec_row *row = record_row(r, i);

        if (strncmp(row->name, prefix, n) != 0 || strchr(row->name + n, '.') || !schema_required(row))
            continue;
        text_puts(t, any ? "," : ",\"required\":[");
        text_jsons(t, row->name + n);
        any = true;
    }
    text_puts(t, any ? "]" : "");
    text_puts(t, flags & SCHEMA_INPUT ? ",\"additionalProperties\":false}" : "}");
}

void schema_record(struct text *t, const struct ec_record *r, unsigned flags)
{
    members(t, r, "", 0, flags);
}

/* Topics whose roots begin with n bytes of prefix. */
static void topics(struct text *t, const struct ec_topic *const *topic, uint32_t count, const char *prefix, size_t n)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *root = topic[i]->root;
        size_t len;
        bool again = false;

        if (strncmp(root, prefix, n) != 0)
            continue;
        len = n + strcspn(root + n, ".");
        for (uint32_t k = 0; k < i; k++)
            again |= !strncmp(topic[k]->root, root, len) && (topic[k]->root[len] == '.' || !topic[k]->root[len]);
        if (again)
            continue;
        text_comma(t);
        text_json(t, root + n, len - n);
        text_puts(t, ":");
        if (root[len]) {
            text_puts(t, "{\"type\":\"object\",\"properties\":{");
            topics(t, topic, count, root, len + 1);
            text_puts(t, "}}");
        } else {
            schema_record(t, topic[i]->record, 0);
        }
    }
}

void schema_topics(struct text *t, const struct ec_topic *const *topic, uint32_t n)
{
    topics(t, topic, n, "", 0);
}
