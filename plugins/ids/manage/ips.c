/* GET /api/ids/ips/status, /api/ids/ips/stats: what is held back, and by whom. */
#include "plugins/ids/manage/manage.h"

#define NO_BRIDGE "no source waits for a verdict: rules that say drop or reject alert, and let pass. Bans " \
    "(/api/firewall) hold addresses back"
#define BRIDGE "a source waits for the verdict of each packet: rules that say drop or reject hold packets back"

struct ips_status {
    struct ec_part part;
    uint32_t mode, pad;
    struct ec_span note;
    uint64_t drop_rules, reject_rules, bans;
    uint8_t firewall, pad2[7];
};
static const struct ec_row status_rows[] = {
    EC_FIELD_ENUM(0, struct ips_status, mode, "mode", "ids,ips",
                  "ips: packets of an inline source have been seen since the start"),
    EC_FIELD(TEXT, 0, struct ips_status, note, "note", NULL, "what that means"),
    EC_FIELD(U64, 0, struct ips_status, drop_rules, "drop_rules", "rules", "in use that say drop"),
    EC_FIELD(U64, 0, struct ips_status, reject_rules, "reject_rules", "rules", "in use that say reject"),
    EC_FIELD(BOOL, 0, struct ips_status, firewall, "firewall", NULL, "there is a plugin that bans addresses"),
    EC_FIELD(U64, 0, struct ips_status, bans, "bans", "bans", "that are desired now"),
};
const struct ec_record ips_status_reply = EC_RECORD_PART(struct ips_status, status_rows);

struct ips_stats {
    struct ec_part part;
    uint64_t packets, blocked, bans, banned, unbanned, expired, refused, failed;
};
#define FIGURE(member, name, unit, help) EC_FIELD(U64, 0, struct ips_stats, member, name, unit, help)
static const struct ec_row stats_rows[] = {
    FIGURE(packets, "inline_packets", "packets", "of sources that wait for a verdict, since the start"),
    FIGURE(blocked, "blocked_packets", "packets", "of those that a rule held back"),
    FIGURE(bans, "bans", "bans", "that are desired now"),
    FIGURE(banned, "banned", "bans", "that the kernel has confirmed since the start"),
    FIGURE(unbanned, "unbanned", "bans", "that were taken back"),
    FIGURE(expired, "expired", "bans", "that came to their end"),
    FIGURE(refused, "refused", "bans", "that were refused"),
    FIGURE(failed, "failed", "requests", "that the kernel or the helper did not carry out"),
};
const struct ec_record ips_stats_reply = EC_RECORD_PART(struct ips_stats, stats_rows);

/* The firewall's by the topic of its events, whoever it is; here by the name that its metrics have. */
#define BAN_TOPIC "ec.ban/1"

static void on_metric(void *arg, const char *plugin, const struct ec_metric *m, int64_t value)
{
    struct ips_stats *to = arg;
    uint64_t v = value < 0 ? 0 : (uint64_t)value;
    const struct { const char *plugin, *name; uint64_t *to; } known[] = {
        { "ids", "inline_packets", &to->packets }, { "ids", "blocked_packets", &to->blocked },
        { "firewall", "bans", &to->bans }, { "firewall", "banned", &to->banned },
        { "firewall", "unbanned", &to->unbanned }, { "firewall", "expired", &to->expired },
        { "firewall", "refused", &to->refused }, { "firewall", "failed", &to->failed },
    };

    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(plugin, known[i].plugin) && !strcmp(m->name, known[i].name))
            *known[i].to = v;
}

static struct ips_stats read_stats(struct manage *m)
{
    struct ips_stats s = { .part = { .size = sizeof s, .total = sizeof s } };

    if (m->daemon)
        m->daemon->metrics(m->daemon_self, on_metric, &s);
    return s;
}

int32_t ips_stats(void *self, const void *state, struct ec_req *r)
{
    struct manage *m = self;
    const struct ips_stats s = read_stats(m);

    (void)state;
    return m->http->reply(r, 200, &s.part);
}

int32_t ips_status(void *self, const void *state, struct ec_req *r)
{
    union { uint64_t align; uint8_t bytes[1024]; } room = { .bytes = { 0 } };
    struct ec_build b = { .base = room.bytes, .cap = sizeof room };
    const struct engine *e = ((const struct ids_state *)state)->engine;
    struct manage *m = self;
    const struct ips_stats s = read_stats(m);
    struct ips_status *to;

    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    for (uint32_t i = 0; i < e->n_rule; i++) {
        to->drop_rules += e->rule[i]->action == RULE_DROP;
        to->reject_rules += e->rule[i]->action == RULE_REJECT;
    }
    to->mode = s.packets != 0;
    to->note = ec_puts(&b, s.packets ? BRIDGE : NO_BRIDGE);
    to->firewall = m->host->topic_find(m->host, BAN_TOPIC) != 0;
    to->bans = s.bans;
    return m->http->reply(r, 200, &to->part);
}
