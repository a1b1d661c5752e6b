/* What became of a ban, as an event: ec.ban/1. */
#include "plugins/firewall/firewall.h"

#include <string.h>

struct ban_event {
    struct ec_part part;
    uint32_t action;
    uint8_t dry_run, pad[3];
    struct ec_span address, who, why, problem;
    uint64_t id, until, cause;
    uint8_t ip[16];
};
enum { HAS_ID, HAS_UNTIL, HAS_CAUSE, HAS_DRY_RUN };

static const struct ec_row rows[] = {
    EC_FIELD_ENUM(EC_R_COLUMN, struct ban_event, action, "action", "banned,unbanned,expired,refused,failed",
                  "what became of it; banned: the kernel has confirmed it"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct ban_event, address, "address", NULL, "address or network"),
    EC_FIELD(IP, EC_R_COLUMN | EC_R_INDEX, struct ban_event, ip, "ip", NULL, "its first address"),
    EC_FIELD_OPT(U64, 0, HAS_ID, struct ban_event, id, "id", NULL, "of the ban"),
    EC_FIELD_OPT(TIME, 0, HAS_UNTIL, struct ban_event, until, "until", NULL, "end of the ban"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct ban_event, who, "who", NULL, "who or what asked for it"),
    EC_FIELD(TEXT, EC_R_FTS, struct ban_event, why, "why", NULL, "the reason that was given"),
    EC_FIELD_OPT(U64, 0, HAS_CAUSE, struct ban_event, cause, "cause", NULL, "id of the event that caused it"),
    EC_FIELD_OPT(BOOL, 0, HAS_DRY_RUN, struct ban_event, dry_run, "dry_run", NULL, "nothing was done, only asked"),
    EC_FIELD(TEXT, 0, struct ban_event, problem, "problem", NULL, "why it was refused, or failed"),
};
static const struct ec_record record = EC_RECORD_PART(struct ban_event, rows);
const struct ec_topic tell_topic = {
    sizeof tell_topic, EC_TOPIC_EVENT | EC_TOPIC_RESERVED, "ec.ban/1", "ban", &record, NULL,
    "An address was banned or unbanned, its ban ended by itself, or a ban was refused." };

static void fill(struct ban_event *e, struct ec_build *b, const struct tell *t)
{
    char text[ADDRESS_TEXT];

    address_text(t->net, text);
    e->action = t->action;
    memcpy(e->ip, t->net->addr, sizeof e->ip);
    e->id = t->id;
    e->until = t->until_ns;
    e->cause = t->cause;
    e->dry_run = t->dry_run;
    e->part.has = (uint64_t)!!t->id << HAS_ID | (uint64_t)!!t->until_ns << HAS_UNTIL |
                  (uint64_t)!!t->cause << HAS_CAUSE | (uint64_t)t->dry_run << HAS_DRY_RUN;
    e->address = ec_puts(b, text);
    e->who = ec_puts(b, t->who);
    e->why = ec_puts(b, t->why);
    e->problem = ec_puts(b, t->problem);
}

void tell(struct firewall *f, const struct tell *t)
{
    static const uint32_t metric[] = { METRIC_BANNED, METRIC_UNBANNED, METRIC_EXPIRED, METRIC_REFUSED, METRIC_FAILED };
    struct ban_event *e;
    struct ec_build b;

    if (!t->dry_run)
        f->host->metric(f->host, metric[t->action], 1);
    if (f->host->open(f->host, EC_PUB_MAILBOX, f->topic, &b) != EC_OK)
        return;
    if ((e = ec_add(&b, f->topic, sizeof *e)))
        fill(e, &b, t);
    f->host->publish(f->host, &b);
}

void tell_ban(struct firewall *f, const struct ban *ban, uint32_t action, const char *who)
{
    struct tell t = { .action = action, .net = &ban->net, .id = ban->id, .until_ns = ban->until_ns, .cause = ban->cause,
                      .who = who ? who : ban->who, .why = ban->why };

    tell(f, &t);
}
