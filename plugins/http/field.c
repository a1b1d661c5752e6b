#include "plugins/http/field.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_ 160
#define DEPTH 6

static const struct field common[] = {
    { "id", NULL, EC_T_U64, "the event's number" },
    { "event_type", NULL, EC_T_TEXT, "its type" },
    { "src_ip", NULL, EC_T_IP, "source address, or a network as CIDR" },
    { "dest_ip", NULL, EC_T_IP, "destination address, or a network as CIDR" },
    { "ip", NULL, EC_T_IP, "address of either side, or a network as CIDR" },
    { "src_port", NULL, EC_T_U16, "source port" },
    { "dest_port", NULL, EC_T_U16, "destination port" },
    { "port", NULL, EC_T_U16, "port of either side" },
    { "proto", NULL, EC_T_TEXT, "transport protocol" },
    { "app_proto", NULL, EC_T_TEXT, "application protocol" },
    { "flow_id", NULL, EC_T_U64, "the flow's number" },
    { "community_id", NULL, EC_T_TEXT, "Community ID of the flow" },
    { "in_iface", NULL, EC_T_TEXT, "interface that saw it" },
};

const char field_common_schema[] =
    "\"id\":{\"type\":\"string\"},\"timestamp\":{\"type\":\"string\"},\"event_type\":{\"type\":\"string\"},"
    "\"flow_id\":{\"type\":\"integer\"},\"tx_id\":{\"type\":\"integer\"},\"pcap_cnt\":{\"type\":\"integer\"},"
    "\"in_iface\":{\"type\":\"string\"},\"vlan\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},"
    "\"src_ip\":{\"type\":\"string\"},\"src_port\":{\"type\":\"integer\"},\"dest_ip\":{\"type\":\"string\"},"
    "\"dest_port\":{\"type\":\"integer\"},\"proto\":{\"type\":\"string\"},\"icmp_type\":{\"type\":\"integer\"},"
    "\"icmp_code\":{\"type\":\"integer\"},\"response_icmp_type\":{\"type\":\"integer\"},"
    "\"response_icmp_code\":{\"type\":\"integer\"},\"pkt_src\":{\"type\":\"string\"},"
    "\"app_proto\":{\"type\":\"string\"},\"app_proto_ts\":{\"type\":\"string\"},"
    "\"app_proto_tc\":{\"type\":\"string\"},\"app_proto_orig\":{\"type\":\"string\"},"
    "\"app_proto_expected\":{\"type\":\"string\"},\"direction\":{\"type\":\"string\"},"
    "\"community_id\":{\"type\":\"string\"}";

struct walk { char name[NAME_MAX_]; void (*fn)(void *arg, const struct field *f); void *arg; };

static void walk_record(struct walk *w, const struct ec_record *r, size_t at, unsigned depth)
{
    for (uint32_t i = 0; r && depth < DEPTH && i < r->n_row; i++) {
        const struct ec_row *row = record_row(r, i);
        int n = snprintf(w->name + at, sizeof w->name - at, "%s%s", at ? "." : "", row->name);

        if (n < 0 || (size_t)n >= sizeof w->name - at || row->flags & EC_R_SECRET)
            continue;
        if (row->type == EC_T_RECORD)
            walk_record(w, row->sub, at + (size_t)n, depth + 1);
        else if (row->type != EC_T_MAP)
            w->fn(w->arg, &(struct field){ w->name, row, row->type, row->help });
    }
}

static void walk_topic(struct walk *w, const struct ec_topic *t)
{
    int n = snprintf(w->name, sizeof w->name, "%s", t && t->root ? t->root : "");

    if (t && t->root && n > 0 && (size_t)n < sizeof w->name)
        walk_record(w, t->record, (size_t)n, 0);
}

void field_each(const struct ec_host *h, const struct ec_topic *topic, void (*fn)(void *arg, const struct field *f),
                void *arg)
{
    struct walk w = { .fn = fn, .arg = arg };

    for (unsigned i = 0; i < sizeof common / sizeof common[0]; i++)
        fn(arg, &common[i]);
    walk_topic(&w, topic);
    for (const char *const *c = topic ? topic->carries : NULL; c && *c; c++)
        if (**c != '*')
            walk_topic(&w, h->topic_get(h, h->topic_find(h, *c)));
    for (uint32_t id = 1; id <= h->topic_count(h); id++) {
        const struct ec_topic *t = h->topic_get(h, id);

        if (t && t->flags & EC_TOPIC_ATTRIBUTE)
            walk_topic(&w, t);
    }
}

struct find { const char *name; struct field found; };

static void look(void *arg, const struct field *f)
{
    struct find *find = arg;

    if (!find->found.type && !strcmp(f->name, find->name))
        find->found = (struct field){ NULL, f->row, f->type, f->help };
}

struct field field_find(const struct ec_host *h, const struct ec_topic *topic, const char *name)
{
    struct find f = { .name = name };

    field_each(h, topic, look, &f);
    return f.found;
}

/* "alert" for "alert.signature" */
static void look_above(void *arg, const struct field *f)
{
    struct find *find = arg;
    size_t n = strlen(find->name);

    if (!strncmp(f->name, find->name, n) && (!f->name[n] || f->name[n] == '.'))
        find->found.type = f->type;
}

/* Is it one of the schema's own properties, not a word within one of them? */
static bool is_common(const char *name)
{
    size_t n = strlen(name);
    uint32_t depth = 0;

    for (const char *p = field_common_schema; *p; p++) {
        if (!depth && *p == '"') {
            const char *end = strchr(p + 1, '"');
            if ((size_t)(end - p - 1) == n && !memcmp(p + 1, name, n))
                return true;
            p = end;
        }
        depth += *p == '{';
        depth -= *p == '}';
    }
    return false;
}

bool field_names(const struct ec_host *h, const struct ec_topic *topic, const char *name)
{
    struct find f = { .name = name };

    if (is_common(name))
        return true;
    field_each(h, topic, look_above, &f);
    for (uint32_t id = 1; !topic && !f.found.type && id <= h->topic_count(h); id++) {
        const struct ec_topic *t = h->topic_get(h, id);

        if (t && t->flags & EC_TOPIC_EVENT)
            field_each(h, t, look_above, &f);
    }
    return f.found.type != 0;
}

const struct ec_topic *field_topic(const struct ec_host *h, const char *event_type)
{
    for (uint32_t id = 1; id <= h->topic_count(h); id++) {
        const struct ec_topic *t = h->topic_get(h, id);

        if (t && t->root && t->flags & EC_TOPIC_EVENT && !strcmp(t->root, event_type))
            return t;
    }
    return NULL;
}
