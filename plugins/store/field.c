#include "plugins/store/field.h"

#include "plugins/store/text.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 16                /* of records in records */

struct walk {                       /* where we are in a record */
    struct fields *to;
    const char *prefix;
    uint32_t flags, base, depth, n_has, n_hop;
    struct has has[FIELD_CONDITIONS];
    char *hop[FIELD_HOPS];          /* the last one grows */
    char *path;                     /* with the prefix */
    fields_found_fn *fn;
    void *arg;
};

static struct field *field_new(struct fields *s, const char *path, uint16_t type)
{
    struct field *f;

    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 64;
        struct field *grown = realloc(s->field, cap * sizeof *grown);

        if (!grown)
            return NULL;
        s->field = grown;
        s->cap = cap;
    }
    f = &s->field[s->n];
    memset(f, 0, sizeof *f);
    if (!(f->path = strdup(path)))
        return NULL;
    f->type = type;
    f->place = FIELD_JSON;
    s->n++;
    return f;
}

/* base."a"."b" of base and "a.b"; NULL: out of memory. */
static char *json_path(const char *base, const char *name)
{
    struct text t = { 0 };

    text_put(&t, base);
    while (*name) {
        size_t n = strcspn(name, ".");

        text_printf(&t, ".\"%.*s\"", (int)n, name);
        name += n + (name[n] == '.');
    }
    if (t.failed)
        text_free(&t);
    return t.base;
}

static char *joined(const char *a, const char *b)
{
    char *s;

    return asprintf(&s, "%s%s%s", a, *a && *b ? "." : "", b) < 0 ? NULL : s;
}

static bool walk_record(struct walk *w, const struct ec_record *r);

/* A value, or a list of values. */
static bool walk_value(struct walk *w, const struct ec_row *row)
{
    bool list = (row->flags & EC_R_LIST) && row->type != EC_T_MAP;
    struct field *f;

    if (list && w->n_hop == FIELD_HOPS)
        return true;                /* too deep to be asked for */
    for (uint32_t i = 0; i < w->to->n; i++)
        if (!strcmp(w->to->field[i].path, w->path)) {
            f = &w->to->field[i];   /* another topic of the same root */
            goto known;
        }
    if (!(f = field_new(w->to, w->path, row->type)))
        return false;
    for (; f->n_hop < w->n_hop; f->n_hop++)
        if (!(f->hop[f->n_hop] = strdup(w->hop[f->n_hop])))
            return false;
    if (list && !(f->hop[f->n_hop++] = strdup("$")))
        return false;
known:
    if (w->fn && w->n_hop == 1 && !list && row->type < EC_T_RECORD) {
        struct found found = { row, w->path + strlen(w->prefix) + (*w->prefix != '\0'), w->base + row->off, w->n_has,
                               { { 0, 0 } }, f };

        memcpy(found.has, w->has, sizeof found.has);
        return w->fn(w->arg, &found);
    }
    return true;
}

/* A record inside: of the struct itself, or a list of them. */
static bool walk_sub(struct walk *w, const struct ec_row *row)
{
    struct walk in = *w;
    bool ok;

    if (!row->sub || w->depth == DEPTH_MAX)
        return true;
    in.depth++;
    if (row->flags & EC_R_INLINE) {
        in.base += row->off;
        return walk_record(&in, row->sub);
    }
    if (in.n_hop == FIELD_HOPS)
        return true;
    if (!(in.hop[in.n_hop++] = strdup("$")))
        return false;
    ok = walk_record(&in, row->sub);
    free(in.hop[in.n_hop - 1]);
    return ok;
}

static bool walk_row(struct walk *w, const struct ec_record *r, const struct ec_row *row)
{
    struct walk in = *w;
    bool ok = true;

    if (!row->name || strchr(row->name, '"') || ((row->flags & EC_R_SECRET) && !(w->flags & FIELDS_SECRET)))
        return true;
    if ((row->flags & EC_R_OPT) && r->has_off) {
        if (in.n_has == FIELD_CONDITIONS)
            return true;
        in.has[in.n_has++] = (struct has){ w->base + r->has_off, row->has & 63u };
    }
    in.path = joined(w->path, row->name);
    in.hop[in.n_hop - 1] = json_path(w->hop[w->n_hop - 1], row->name);
    ok = in.path && in.hop[in.n_hop - 1] && (row->type == EC_T_RECORD ? walk_sub(&in, row) : walk_value(&in, row));
    free(in.path);
    free(in.hop[w->n_hop - 1]);
    return ok;
}

static bool walk_record(struct walk *w, const struct ec_record *r)
{
    for (uint32_t i = 0; i < r->n_row; i++)
        if (!walk_row(w, r, (const void *)((const char *)r->row + (size_t)i * r->row_stride)))
            return false;
    return true;
}

bool fields_add_record(struct fields *s, const struct ec_record *r, const char *prefix, uint32_t flags,
                       fields_found_fn *fn, void *arg)
{
    struct walk w = { .to = s, .prefix = prefix, .flags = flags, .n_hop = 1, .fn = fn, .arg = arg };
    bool ok;

    w.path = strdup(prefix);
    w.hop[0] = json_path("$", prefix);
    ok = w.path && w.hop[0] && walk_record(&w, r);
    free(w.path);
    free(w.hop[0]);
    return ok;
}

bool fields_add_head(struct fields *s)
{
    static const struct { const char *path, *sql, *other; uint16_t type; uint8_t place, list; } head[] = {
        { "timestamp", "ts", NULL, EC_T_TIME, FIELD_HEAD, 0 },
        { "id", "id", NULL, EC_T_U64, FIELD_HEAD, 0 },
        { "event_type", "event_type", NULL, EC_T_TEXT, FIELD_HEAD, 0 },
        { "src_ip", "src_ip", NULL, EC_T_IP, FIELD_HEAD, 0 },
        { "dest_ip", "dest_ip", NULL, EC_T_IP, FIELD_HEAD, 0 },
        { "src_port", "src_port", NULL, EC_T_U16, FIELD_HEAD, 0 },
        { "dest_port", "dest_port", NULL, EC_T_U16, FIELD_HEAD, 0 },
        { "ip", "src_ip", "dest_ip", EC_T_IP, FIELD_EITHER, 0 },
        { "port", "src_port", "dest_port", EC_T_U16, FIELD_EITHER, 0 },
        { "proto", "proto", NULL, EC_T_TEXT, FIELD_HEAD, 0 },
        { "app_proto", "app_proto", NULL, EC_T_TEXT, FIELD_HEAD, 0 },
        { "flow_id", "flow_id", NULL, EC_T_U64, FIELD_HEAD, 0 },
        { "community_id", "community_id", NULL, EC_T_TEXT, FIELD_HEAD, 0 },
        { "in_iface", "in_iface", NULL, EC_T_TEXT, FIELD_HEAD, 0 },
        { "tx_id", NULL, NULL, EC_T_U64, FIELD_JSON, 0 },
        { "pcap_cnt", NULL, NULL, EC_T_U64, FIELD_JSON, 0 },
        { "direction", NULL, NULL, EC_T_TEXT, FIELD_JSON, 0 },
        { "vlan", NULL, NULL, EC_T_U16, FIELD_JSON, 1 },
        { "icmp_type", NULL, NULL, EC_T_U16, FIELD_JSON, 0 },
        { "icmp_code", NULL, NULL, EC_T_U16, FIELD_JSON, 0 },
        { "response_icmp_type", NULL, NULL, EC_T_U16, FIELD_JSON, 0 },
        { "response_icmp_code", NULL, NULL, EC_T_U16, FIELD_JSON, 0 },
        { "app_proto_ts", NULL, NULL, EC_T_TEXT, FIELD_JSON, 0 },
        { "app_proto_tc", NULL, NULL, EC_T_TEXT, FIELD_JSON, 0 },
        { "app_proto_orig", NULL, NULL, EC_T_TEXT, FIELD_JSON, 0 },
        { "app_proto_expected", NULL, NULL, EC_T_TEXT, FIELD_JSON, 0 },
        { "pkt_src", NULL, NULL, EC_T_TEXT, FIELD_JSON, 0 },
        { "ecyber.replay", NULL, NULL, EC_T_BOOL, FIELD_JSON, 0 },
        { "ecyber.cut", NULL, NULL, EC_T_BOOL, FIELD_JSON, 0 },
    };

    for (uint32_t i = 0; i < sizeof head / sizeof head[0]; i++) {
        struct field *f = field_new(s, head[i].path, head[i].type);

        if (!f || !(f->hop[f->n_hop++] = json_path("$", head[i].path)))
            return false;
        if (head[i].list && !(f->hop[f->n_hop++] = strdup("$")))
            return false;
        f->place = head[i].place;
        f->sql[0] = head[i].sql;
        f->sql[1] = head[i].other;
    }
    return true;
}

void fields_free(struct fields *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        free(s->field[i].path);
        for (uint32_t k = 0; k < s->field[i].n_hop; k++)
            free(s->field[i].hop[k]);
    }
    free(s->field);
    memset(s, 0, sizeof *s);
}

const struct field *field_find(const struct fields *s, const char *path, const char **key)
{
    *key = NULL;
    for (uint32_t i = 0; i < s->n; i++)
        if (!strcmp(s->field[i].path, path))
            return &s->field[i];
    for (uint32_t i = 0; i < s->n; i++) {
        size_t n = strlen(s->field[i].path);

        if (s->field[i].type == EC_T_MAP && !strncmp(s->field[i].path, path, n) && path[n] == '.' && path[n + 1] &&
            !strchr(path + n, '"')) {
            *key = path + n + 1;
            return &s->field[i];
        }
    }
    return NULL;
}

#define NEAREST_MAX 64
/* How many letters must be changed, added or taken away (Levenshtein). */
static uint32_t distance(const char *a, const char *b)
{
    uint32_t row[NEAREST_MAX + 1], n = (uint32_t)strlen(b), last, above;

    for (uint32_t k = 0; k <= n; k++)
        row[k] = k;
    for (uint32_t i = 1; *a; i++, a++) {
        last = row[0];
        row[0] = i;
        for (uint32_t k = 1; k <= n; k++) {
            above = row[k];
            last += *a != b[k - 1];
            if (last > above + 1)
                last = above + 1;
            if (last > row[k - 1] + 1)
                last = row[k - 1] + 1;
            row[k] = last;
            last = above;
        }
    }
    return row[n];
}

const char *field_nearest(const struct fields *s, const char *path)
{
    const char *best = NULL;
    uint32_t least = UINT32_MAX;

    if (strlen(path) > NEAREST_MAX)
        return NULL;
    for (uint32_t i = 0; i < s->n; i++) {
        const char *name = s->field[i].path, *last = strrchr(name, '.');
        uint32_t d;

        if (strlen(name) > NEAREST_MAX)
            continue;
        d = distance(path, name);
        if (last && !strchr(path, '.') && distance(path, last + 1) + 1 < d)
            d = distance(path, last + 1) + 1;       /* "rrname" for "dns.rrname" */
        if (d < least) {
            least = d;
            best = name;
        }
    }
    return least <= 1 + strlen(path) / 3 ? best : NULL;
}
