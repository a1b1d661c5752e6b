/* GET /api/firewall/drift: what the kernel holds against what is desired. */
#include "plugins/firewall/drift.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 100u                  /* entries that are named */

enum { LIST_ALLOW, LIST_BLOCK };
enum { WHAT_MISSING, WHAT_EXTRA };
struct entry { struct ec_span address; uint32_t list, what; };
static const struct ec_row entry_rows[] = {
    EC_FIELD(TEXT, 0, struct entry, address, "address", NULL, "address or network"),
    EC_FIELD_ENUM(0, struct entry, list, "list", "allow,block", "which list"),
    EC_FIELD_ENUM(0, struct entry, what, "what", "missing,extra", "missing in the kernel, or there and not desired"),
};
static const struct ec_record entry_record = EC_RECORD_ELEMENT(struct entry, entry_rows);
struct drift_reply { struct ec_part part; uint64_t missing, extra; struct ec_list items; uint8_t same, table, pad[6]; };
static const struct ec_row drift_rows[] = {
    EC_FIELD(BOOL, 0, struct drift_reply, same, "in_sync", NULL, "the kernel holds what is desired, and no more"),
    EC_FIELD(BOOL, 0, struct drift_reply, table, "in_kernel", NULL, "the kernel has a table of ours"),
    EC_FIELD(U64, 0, struct drift_reply, missing, "missing", "entries", "desired, and not in the kernel"),
    EC_FIELD(U64, 0, struct drift_reply, extra, "extra", "entries", "in the kernel, and not desired"),
    ROW_LIST(&entry_record, struct drift_reply, items, "items", "the first 100 of them"),
};
const struct ec_record drift_reply = EC_RECORD_PART(struct drift_reply, drift_rows);

struct seen { struct net *net; uint32_t n, cap; };       /* of one list, in the kernel */

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct net));
}

static bool holds(const struct seen *s, const struct net *n)
{
    return s->n && bsearch(n, s->net, s->n, sizeof *n, compare);
}

static bool take(struct seen *s, const struct net *n)
{
    uint32_t cap = s->cap ? 2 * s->cap : 256;
    struct net *more = s->n < s->cap ? s->net : realloc(s->net, cap * sizeof *more);

    if (!more)
        return false;
    if (s->n == s->cap)
        s->cap = cap;
    s->net = more;
    s->net[s->n++] = *n;
    return true;
}

/* An element: a text, or an object around it that says when it ends. len: of the prefix, −1: the whole address. */
static bool read_element(struct json_object *e, int len, struct seen *to)
{
    struct json_object *inner, *value;
    char text[ADDRESS_TEXT + 8];
    struct net net;

    if (json_object_is_type(e, json_type_object) && json_object_object_get_ex(e, "elem", &inner) &&
        json_object_object_get_ex(inner, "val", &value))
        e = value;
    if (!json_object_is_type(e, json_type_string))
        return true;
    snprintf(text, sizeof text, len < 0 ? "%s" : "%s/%d", json_object_get_string(e), len);
    memset(&net, 0, sizeof net);
    return address_parse(text, &net) || take(to, &net);
}

/* One set: "block4", "allow6_48". */
static bool read_set(struct json_object *set, struct seen lists[2])
{
    struct json_object *name, *elements;
    const char *text;
    int len = -1;

    if (!json_object_object_get_ex(set, "name", &name) || !json_object_object_get_ex(set, "elem", &elements) ||
        !json_object_is_type(elements, json_type_array))
        return true;
    text = json_object_get_string(name);
    if (strchr(text, '_'))
        len = atoi(strchr(text, '_') + 1);
    for (size_t i = 0; i < json_object_array_length(elements); i++)
        if (!read_element(json_object_array_get_idx(elements, i), len,
                          &lists[!strncmp(text, "block", 5) ? LIST_BLOCK : LIST_ALLOW]))
            return false;
    return true;
}

/* false: it cannot be read, or memory ended. */
static bool read_table(const char *json, size_t n, struct seen lists[2])
{
    struct json_tokener *t = json_tokener_new();
    struct json_object *o = t ? json_tokener_parse_ex(t, json, (int)n) : NULL, *all, *set;
    bool good = json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, "nftables", &all) &&
                json_object_is_type(all, json_type_array);

    for (size_t i = 0; good && i < json_object_array_length(all); i++)
        if (json_object_object_get_ex(json_object_array_get_idx(all, i), "set", &set))
            good = read_set(set, lists);
    json_object_put(o);
    if (t)
        json_tokener_free(t);
    for (int i = 0; good && i < 2; i++)
        if (lists[i].n)
            qsort(lists[i].net, lists[i].n, sizeof(struct net), compare);
    return good;
}

struct answer { struct ec_build b; struct drift_reply *to; struct entry *items; };

static void add(struct answer *a, const struct net *net, uint32_t list, uint32_t what)
{
    struct drift_reply *to = a->to;
    char text[ADDRESS_TEXT];

    *(what == WHAT_MISSING ? &to->missing : &to->extra) += 1;
    if (!a->items || to->items.n == SHOWN)
        return;
    address_text(net, text);
    a->items[to->items.n].list = list;
    a->items[to->items.n].what = what;
    a->items[to->items.n++].address = ec_puts(&a->b, text);
}

static bool is_allowed(const struct guard *g, const struct net *n)
{
    for (uint32_t i = 0; i < g->n_allow; i++)
        if (!memcmp(&g->allow[i].addr, n->addr, 16) && g->allow[i].prefix == n->prefix)
            return true;
    return false;
}

/* Under the lock. A ban that is on its way in or out is no drift. */
static void compare_all(const struct firewall *f, const struct seen lists[2], struct answer *a)
{
    for (uint32_t i = 0; i < f->bans.n; i++)
        if (f->bans.all[i]->state == BAN_ACTIVE && !holds(&lists[LIST_BLOCK], &f->bans.all[i]->net))
            add(a, &f->bans.all[i]->net, LIST_BLOCK, WHAT_MISSING);
    for (uint32_t i = 0; i < lists[LIST_BLOCK].n; i++)
        if (!bans_find(&f->bans, &lists[LIST_BLOCK].net[i]))
            add(a, &lists[LIST_BLOCK].net[i], LIST_BLOCK, WHAT_EXTRA);
    for (uint32_t i = 0; a->to->table && i < f->guard->n_allow; i++)
        if (!holds(&lists[LIST_ALLOW], &f->guard->allow[i]))
            add(a, &f->guard->allow[i], LIST_ALLOW, WHAT_MISSING);
    for (uint32_t i = 0; i < lists[LIST_ALLOW].n; i++)
        if (!is_allowed(f->guard, &lists[LIST_ALLOW].net[i]))
            add(a, &lists[LIST_ALLOW].net[i], LIST_ALLOW, WHAT_EXTRA);
}

void drift_answer(struct firewall *f, struct ec_req *r, const char *json, size_t n)
{
    struct seen lists[2] = { { NULL, 0, 0 }, { NULL, 0, 0 } };
    struct answer a = { .items = NULL };

    a.to = answer_open(&a.b, sizeof *a.to, 64 + SHOWN * (uint32_t)(sizeof *a.items + ADDRESS_TEXT + 8));
    if (n && !read_table(json, n, lists)) {
        free(a.b.base);
        f->http->error(r, 503, "what the kernel says of its table cannot be read");
    } else {
        if (a.to) {
            a.items = ec_rows(&a.b, &a.to->items, SHOWN, sizeof *a.items);
            a.to->items.n = 0;
            a.to->part.has = HAS_LIST;
            a.to->table = n != 0;
            pthread_mutex_lock(&f->lock);
            compare_all(f, lists, &a);
            pthread_mutex_unlock(&f->lock);
            a.to->same = !a.to->missing && !a.to->extra;
        }
        answer_send(f, r, &a.b, 200);
    }
    free(lists[0].net);
    free(lists[1].net);
}
