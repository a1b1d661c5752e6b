#include "plugins/store/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct table *table_of(struct schema *s, const char *root, uint32_t *index)
{
    struct table *grown, *t;

    for (*index = 0; *index < s->n_table; (*index)++)
        if (!strcmp(s->table[*index].root, root))
            return &s->table[*index];
    if (!(grown = realloc(s->table, (s->n_table + 1) * sizeof *grown)))
        return NULL;
    s->table = grown;
    t = &grown[s->n_table];
    memset(t, 0, sizeof *t);
    if (!(t->root = strdup(root)) || asprintf(&t->name, "t_%s", root) < 0) {
        free(t->root);
        return NULL;
    }
    s->n_table++;
    return t;
}

/* Roots that differ only in case would be one table to SQLite: the later one gets its number. */
static bool table_name_unique(struct schema *s, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (!strcasecmp(s->table[i].name, s->table[index].name)) {
            free(s->table[index].name);
            s->table[index].name = NULL;
            return asprintf(&s->table[index].name, "t%u_%s", index, s->table[index].root) > 0;
        }
    return true;
}

/* The column of this name and type, made where there is none. False: out of memory; *index UINT32_MAX: there cannot be
 * one. */
static bool column_of(struct table *t, const char *name, const struct ec_row *row, uint32_t *index)
{
    struct column *grown, *c;

    for (uint32_t i = 0; i < t->n_column; i++)
        if (!strcasecmp(t->column[i].name, name)) {
            *index = !strcmp(t->column[i].name, name) && t->column[i].type == row->type ? i : UINT32_MAX;
            return true;
        }
    *index = UINT32_MAX;
    if (t->n_column == SCHEMA_COLUMNS || !strcasecmp(name, "key"))
        return true;
    if (!(grown = realloc(t->column, (t->n_column + 1) * sizeof *grown)))
        return false;
    t->column = grown;
    c = &grown[t->n_column];
    *c = (struct column){ strdup(name), row->type, (row->flags & EC_R_INDEX) != 0, (row->flags & EC_R_FTS) != 0 };
    if (!c->name)
        return false;
    *index = t->n_column++;
    return true;
}

struct adding { struct schema *schema; struct topic_map *map; };

static bool found_column(void *arg, struct found *f)
{
    struct adding *a = arg;
    struct topic_map *m = a->map;
    struct source *grown;
    uint32_t column;

    if (!(f->row->flags & (EC_R_COLUMN | EC_R_FTS)) || (f->row->flags & EC_R_DOC))
        return true;
    if (!column_of(&a->schema->table[m->table], f->path, f->row, &column))
        return false;
    if (column == UINT32_MAX)
        return true;
    if (!(grown = realloc(m->source, (m->n_source + 1) * sizeof *grown)))
        return false;
    m->source = grown;
    grown += m->n_source++;
    *grown = (struct source){ .type = f->row->type, .column = column, .off = f->off, .n_has = f->n_has,
                              .allow = f->row->allow };
    memcpy(grown->has, f->has, sizeof grown->has);
    f->field->place = FIELD_COLUMN;
    f->field->table = m->table;
    f->field->column = column;
    return true;
}

static bool topic_add(struct schema *s, uint32_t id, const struct ec_topic *t)
{
    struct topic_map *m = &s->topic[id];
    struct adding a = { s, m };
    uint32_t known = s->n_table;

    if (!table_of(s, t->root, &m->table) || (m->table == known && !table_name_unique(s, m->table)))
        return false;
    m->known = true;
    m->type = t->root;
    m->bytes = t->record->bytes;
    return fields_add_record(&s->fields, t->record, t->root, 0, found_column, &a);
}

struct schema *schema_new(const struct ec_host *h)
{
    struct schema *s = calloc(1, sizeof *s);
    bool ok;

    if (!s)
        return NULL;
    s->host = h;
    s->n_topic = h->topic_count(h);
    s->topic = calloc(s->n_topic + 1u, sizeof *s->topic);
    ok = s->topic && fields_add_head(&s->fields);
    for (uint32_t id = 1; ok && id <= s->n_topic; id++) {
        const struct ec_topic *t = h->topic_get(h, id);

        if (t && t->root && t->record)
            ok = topic_add(s, id, t);
    }
    if (ok)
        return s;
    schema_free(s);
    return NULL;
}

void schema_free(struct schema *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n_table; i++) {
        for (uint32_t k = 0; k < s->table[i].n_column; k++)
            free(s->table[i].column[k].name);
        free(s->table[i].column);
        free(s->table[i].root);
        free(s->table[i].name);
    }
    for (uint32_t i = 1; s->topic && i <= s->n_topic; i++)
        free(s->topic[i].source);
    free(s->table);
    free(s->topic);
    fields_free(&s->fields);
    free(s);
}

static void cell_text(struct cell *to, struct text *room, size_t from)
{
    *to = (struct cell){ .kind = room->failed ? SCHEMA_NULL : SCHEMA_TEXT,
                         .bytes = room->failed ? NULL : room->base + from, .len = (uint32_t)(room->len - from) };
}

static void cell_span(uint16_t type, const uint8_t *at, const struct ec_part *p, struct text *room, struct cell *to)
{
    size_t from = room->len;
    struct ec_span span;
    const uint8_t *bytes;

    memcpy(&span, at, sizeof span);
    if (!span.off || span.off > p->total || span.len > p->total - span.off)
        return;
    bytes = (const uint8_t *)p + span.off;
    if (type == EC_T_BYTES)
        text_base64(room, bytes, span.len);
    else if (type == EC_T_HEX)
        text_hex(room, bytes, span.len);
    else
        text_wire(room, bytes, span.len);
    cell_text(to, room, from);
}

/* The i-th of comma-separated words; the number itself where there are fewer, as in the JSON. */
static void cell_word(const char *words, uint32_t i, struct cell *to)
{
    uint32_t k = 0;

    *to = (struct cell){ .kind = SCHEMA_INTEGER, .integer = i };
    for (const char *at = words ? words : ""; *at; k++) {
        size_t n = strcspn(at, ",");

        if (k == i) {
            *to = (struct cell){ .kind = SCHEMA_TEXT, .bytes = at, .len = (uint32_t)n };
            return;
        }
        at += n + (at[n] == ',');
    }
}

static void cell_name(const struct schema *s, const char *space, uint32_t id, struct cell *to)
{
    const char *name = id && space ? s->host->interned(s->host, space, id) : NULL;

    if (name)
        *to = (struct cell){ .kind = SCHEMA_TEXT, .bytes = name, .len = (uint32_t)strlen(name) };
}

static void cell_number(uint16_t type, const uint8_t *at, struct cell *to)
{
    union { uint16_t u16; uint32_t u32; int64_t i64; double f64; } n = { .i64 = 0 };

    *to = (struct cell){ .kind = SCHEMA_INTEGER };
    switch (type) {
    case EC_T_U8:
        to->integer = *at;
        break;
    case EC_T_BOOL:
        to->integer = *at != 0;
        break;
    case EC_T_U16:
        memcpy(&n, at, 2);
        to->integer = n.u16;
        break;
    case EC_T_U32:
        memcpy(&n, at, 4);
        to->integer = n.u32;
        break;
    case EC_T_F64:
        memcpy(&n, at, 8);
        to->kind = n.f64 - n.f64 == 0 ? SCHEMA_REAL : SCHEMA_NULL;     /* not infinity, not NaN */
        to->real = n.f64;
        break;
    default:
        memcpy(&n, at, 8);
        to->integer = n.i64;
    }
}

void schema_cell(const struct schema *s, const struct source *from, const struct ec_part *p, struct text *room,
                 struct cell *to)
{
    const uint8_t *base = (const uint8_t *)p, *at = base + from->off;
    size_t mark = room->len;
    uint32_t index;

    to->kind = SCHEMA_NULL;
    for (uint32_t i = 0; i < from->n_has; i++) {
        uint64_t bits;

        memcpy(&bits, base + from->has[i].off, sizeof bits);
        if (!(bits >> from->has[i].bit & 1))
            return;
    }
    switch (from->type) {
    case EC_T_IP:
        *to = (struct cell){ .kind = SCHEMA_BLOB, .bytes = at, .len = 16 };
        return;
    case EC_T_MAC:
        text_mac(room, at);
        cell_text(to, room, mark);
        return;
    case EC_T_TEXT:
    case EC_T_WIRE:
    case EC_T_BYTES:
    case EC_T_HEX:
        cell_span(from->type, at, p, room, to);
        return;
    case EC_T_ENUM:
    case EC_T_NAME:
        memcpy(&index, at, sizeof index);
        if (from->type == EC_T_ENUM)
            cell_word(from->allow, index, to);
        else
            cell_name(s, from->allow, index, to);
        return;
    default:
        cell_number(from->type, at, to);
    }
}

uint32_t schema_parts(const struct ec_event *ev, const struct ec_part **part, uint32_t most)
{
    uint32_t at = ev->first, n = 0;

    while (n < ev->parts && n < most) {
        const struct ec_part *p = (const void *)((const uint8_t *)ev + at);

        if (at % 8 || at > ev->total || ev->total - at < sizeof *p || p->size < sizeof *p || p->total < p->size ||
            p->total > ev->total - at)
            break;
        part[n++] = p;
        at += p->total;
    }
    return n;
}

const struct topic_map *schema_topic(const struct schema *s, const struct ec_part *p)
{
    const struct topic_map *m = p->topic && p->topic <= s->n_topic ? &s->topic[p->topic] : NULL;

    return m && m->known && p->size >= m->bytes ? m : NULL;
}
