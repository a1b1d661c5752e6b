#include "core/conf/conf_impl.h"

#include "core/conf/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_MAX 255 /* bytes of the name of a mapping's entry */

struct ec_conf *conf_section_find(const struct conf *c, const char *name)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (!strcmp(c->section[i].section, name))
            return &c->section[i];
    return NULL;
}

struct conf_slot *conf_slot_find(const struct ec_conf *s, const char *name)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (!strcmp(s->slot[i].row->name, name))
            return &s->slot[i];
    return NULL;
}

struct conf_value *conf_entry_find(const struct conf_slot *slot, const char *key)
{
    for (uint32_t i = 0; i < slot->n; i++)
        if (!strcmp(slot->value[i].key, key))
            return &slot->value[i];
    return NULL;
}

/* The place of a node: its own in a file, that of the variable otherwise. */
static struct conf_place place_of(const struct conf_place *p, const struct yaml_node *n)
{
    struct conf_place at = *p;

    if (p->from == CONF_FILE) {
        at.line = n->line;
        at.col = n->col;
    }
    return at;
}

static void slot_error(struct conf_loader *l, const struct ec_conf *s, const struct conf_slot *slot,
                       const struct conf_place *p, const char *why)
{
    conf_error(l, p, slot->row->flags & EC_R_SECRET, "%s.%s: %s", s->section, slot->row->name, why);
}

/* Files and defaults count from the configuration file's folder; what was typed, from the working
 * directory. */
static const char *path_absolute(struct conf_loader *l, const char *text,
                                 const struct conf_place *p)
{
    char *here, *path;

    if (!*text || *text == '/')
        return conf_strdup(&l->c->mem, text);
    if (p->from != CONF_ENVIRONMENT && p->from != CONF_SET)
        return conf_printf(&l->c->mem, "%s/%s", l->folder, text);
    here = getcwd(NULL, 0);
    path = conf_printf(&l->c->mem, "%s/%s", here ? here : ".", text);
    free(here);
    return path;
}

/* Checks one value and fills *v. */
static bool value_make(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                       const char *text, const struct conf_place *p, struct conf_value *v)
{
    char why[512];

    memset(v, 0, sizeof *v);
    if (!row_parse(slot->row, text, &v->v, why, sizeof why)) {
        slot_error(l, s, slot, p, why);
        return false;
    }
    v->text =
        slot->row->flags & EC_R_PATH ? path_absolute(l, text, p) : conf_strdup(&l->c->mem, text);
    v->where = conf_origin(l, p);
    if (!v->text)
        conf_no_memory(l);
    return v->text != NULL;
}

static bool slot_room(struct conf_loader *l, struct conf_slot *slot, uint32_t n)
{
    struct conf_value *grown;
    uint32_t cap = slot->cap * 2 > n ? slot->cap * 2 : n;

    if (n <= slot->cap)
        return true;
    grown = conf_alloc(&l->c->mem, cap * sizeof *grown);
    if (!grown) {
        conf_no_memory(l);
        return false;
    }
    if (slot->n)
        memcpy(grown, slot->value, slot->n * sizeof *grown);
    slot->value = grown;
    slot->cap = cap;
    return true;
}

/* One source may name an option once: nested and dotted spellings are the same option. */
static bool slot_claim(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                       const struct conf_place *p)
{
    if (slot->source == l->source && (p->from == CONF_FILE || p->from == CONF_ENV_FILE)) {
        conf_error(l, p, slot->row->flags & EC_R_SECRET, "%s.%s is given twice, first at %s",
                   s->section, slot->row->name, slot->where);
        return false;
    }
    slot->source = l->source;
    slot->where = conf_origin(l, p);
    return true;
}

static void put_one(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                    const char *text, const struct conf_place *p)
{
    struct conf_value v;

    if (!slot_claim(l, s, slot, p) || !value_make(l, s, slot, text, p, &v) ||
        !slot_room(l, slot, 1))
        return;
    slot->value[0] = v;
    slot->n = 1;
    slot->present = true;
}

static void put_list_begin(struct conf_slot *slot)
{
    slot->n = 0;
    slot->present = true;
}

static void put_list_item(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                          const char *text, const struct conf_place *p)
{
    struct conf_value v;

    if (value_make(l, s, slot, text, p, &v) && slot_room(l, slot, slot->n + 1))
        slot->value[slot->n++] = v;
}

static void count_check(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                        size_t count, const struct conf_place *p)
{
    if (count > ROW_LIST_MAX)
        slot_error(l, s, slot, p, "more than 65,536 entries");
}

static void list_from_node(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                           const struct yaml_node *n, const struct conf_place *p)
{
    struct conf_place at = place_of(p, n);

    if (n->kind != YAML_SEQUENCE) {
        slot_error(l, s, slot, &at, "a list is expected: write [a, b], or one '- value' a line");
        return;
    }
    if (!slot_claim(l, s, slot, &at))
        return;
    put_list_begin(slot);
    count_check(l, s, slot, n->n, &at);
    for (const struct yaml_node *item = n->child; item && slot->n < ROW_LIST_MAX;
         item = item->next) {
        at = place_of(p, item);
        if (item->kind != YAML_SCALAR || yaml_is_null(item))
            slot_error(l, s, slot, &at, "an entry of this list has to be one value");
        else
            put_list_item(l, s, slot, item->text, &at);
    }
}

static void list_from_text(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                           const char *text, const struct conf_place *p)
{
    if (!slot_claim(l, s, slot, p))
        return;
    put_list_begin(slot);
    text += strspn(text, " \t");
    while (*text && slot->n <= ROW_LIST_MAX) {
        size_t len = strcspn(text, ","), end = len;
        char *item;

        while (end && strchr(" \t", text[end - 1]))
            end--;
        item = conf_strndup(&l->c->mem, text, end);
        if (!item) {
            conf_no_memory(l);
            return;
        }
        if (*item)
            put_list_item(l, s, slot, item, p);
        else
            slot_error(l, s, slot, p, "an entry between two commas is empty");
        text += len;
        if (*text == ',')
            text += 1 + strspn(text + 1, " \t");
    }
    count_check(l, s, slot, slot->n, p);
}

static void map_remove(struct conf_loader *l, struct conf_slot *slot, const char *key)
{
    struct conf_value *v = conf_entry_find(slot, key);
    struct conf_removed *r = v ? conf_alloc(&l->c->mem, sizeof *r) : NULL;

    if (!v)
        return;
    if (!r) {
        conf_no_memory(l);
        return;
    }
    *r = (struct conf_removed){v->key, slot->removed};
    slot->removed = r;
    memmove(v, v + 1, (size_t)(slot->value + slot->n - v - 1) * sizeof *v);
    slot->n--;
}

void conf_apply_entry(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                      const char *key, const char *text, const struct conf_place *p)
{
    struct conf_value v, *old = conf_entry_find(slot, key);

    if (!*key || strlen(key) > KEY_MAX || utf8_valid(key, strlen(key)) != strlen(key)) {
        slot_error(l, s, slot, p, "the name of an entry has to be UTF-8 of 1 to 255 bytes");
        return;
    }
    if (!value_make(l, s, slot, text, p, &v))
        return;
    v.key = conf_strdup(&l->c->mem, key);
    if (!v.key) {
        conf_no_memory(l);
        return;
    }
    if (!old && !slot_room(l, slot, slot->n + 1))
        return;
    *(old ? old : &slot->value[slot->n++]) = v;
    slot->present = true;
    count_check(l, s, slot, slot->n, p);
}

static void map_from_node(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                          const struct yaml_node *n, const struct conf_place *p)
{
    struct conf_place at = place_of(p, n);

    if (n->kind != YAML_MAPPING && !yaml_is_null(n)) {
        slot_error(l, s, slot, &at,
                   "a mapping is expected: one 'name: value' a line, or {name: value}");
        return;
    }
    if (!slot_claim(l, s, slot, &at))
        return;
    slot->present = true;
    for (const struct yaml_node *k = n->child; k; k = k->next) {
        if (!k->value)
            continue;
        at = place_of(p, k->value);
        if (k->value->kind != YAML_SCALAR)
            slot_error(l, s, slot, &at,
                       "an entry of this mapping has to be one text: put it in quotes");
        else if (yaml_is_null(k->value))
            map_remove(l, slot, k->text);
        else
            conf_apply_entry(l, s, slot, k->text, k->value->text, &at);
    }
}

void conf_apply_node(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                     const struct yaml_node *n, const struct conf_place *p)
{
    struct conf_place at = place_of(p, n);
    char why[128];

    if (slot->row->type == EC_T_MAP) {
        map_from_node(l, s, slot, n, p);
    } else if (slot->row->flags & EC_R_LIST) {
        list_from_node(l, s, slot, n, p);
    } else if (n->kind != YAML_SCALAR) {
        snprintf(why, sizeof why, "one value (%s) is expected here, not a %s",
                 row_type_name(slot->row->type), n->kind == YAML_SEQUENCE ? "list" : "mapping");
        slot_error(l, s, slot, &at, why);
    } else if (yaml_is_null(n)) {
        snprintf(why, sizeof why, "there is no value: write a %s, or remove the line",
                 row_type_name(slot->row->type));
        slot_error(l, s, slot, &at, why);
    } else {
        put_one(l, s, slot, n->text, &at);
    }
}

struct flow_errors {
    struct conf_loader *l;
    const struct conf_place *p;
    bool secret;
};

static void flow_error(uint32_t line, uint32_t col, const char *text, void *arg)
{
    struct flow_errors *f = arg;

    (void)line;
    conf_error(f->l, f->p, f->secret, "character %u of the value: %s", col, text);
}

static void flow_from_text(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                           const char *text, const struct conf_place *p)
{
    struct flow_errors f = {l, p, slot->row->flags & EC_R_SECRET};
    struct yaml_node *root;

    if (yaml_parse(&l->c->mem, text, strlen(text), &root, flow_error, &f) && root)
        conf_apply_node(l, s, slot, root, p);
}

/* A default is written as in YAML: without its quotes it is the text. */
static const char *unquoted(struct conf_loader *l, const char *text, const struct conf_place *p)
{
    size_t len = strlen(text);

    if (p->from == CONF_DEFAULT && len >= 2 && strchr("\"'", *text) && text[len - 1] == *text)
        text = conf_strndup(&l->c->mem, text + 1, len - 2);
    return text ? text : "";
}

void conf_apply_text(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                     const char *text, const struct conf_place *p)
{
    const char *first = text + strspn(text, " \t");
    bool map = slot->row->type == EC_T_MAP, list = slot->row->flags & EC_R_LIST;

    if ((map && *first == '{') || (list && *first == '['))
        flow_from_text(l, s, slot, text, p);
    else if (map && *first)
        slot_error(l, s, slot, p, "a mapping is expected: {name: value, …}");
    else if (map)
        slot->present = true;
    else if (list)
        list_from_text(l, s, slot, text, p);
    else
        put_one(l, s, slot, unquoted(l, text, p), p);
}
