#include "plugins/ids/evidence/alert.h"

#include "plugins/ids/evidence/why.h"

#include <string.h>

#include <ecyber/ext/alert.h>

/* Bits of EC_ALERT_METADATA, EC_ALERT_ENDS, EC_ALERT_PORTS. */
enum { METADATA_BIT, ENDS_BIT, PORTS_BIT };
#define ALERT(T, flags, member, name, help) EC_FIELD(T, flags, struct ec_alert, member, name, NULL, help)
#define ALERT_OPT(T, bit, member, name, help) EC_FIELD_OPT(T, 0, bit, struct ec_alert, member, name, NULL, help)
static const struct ec_row alert_rows[] = {
    EC_FIELD_ENUM(EC_R_COLUMN | EC_R_INDEX, struct ec_alert, action, "action", "allowed,blocked",
                  "blocked: an inline source holds the packet back"),
    ALERT(U32, EC_R_COLUMN, gid, "gid", "group of numbers that signature_id belongs to"),
    ALERT(U32, EC_R_COLUMN | EC_R_INDEX, sid, "signature_id", "number of the rule"),
    ALERT(U32, EC_R_COLUMN, rev, "rev", "revision of the rule"),
    ALERT(TEXT, EC_R_COLUMN | EC_R_FTS, signature, "signature", "what the rule says"),
    ALERT(TEXT, EC_R_COLUMN | EC_R_INDEX, category, "category", "class of the rule"),
    ALERT(U32, EC_R_COLUMN | EC_R_INDEX, severity, "severity", "1 is the most severe"),
    ALERT_OPT(IP, ENDS_BIT, source_ip, "source.ip", "who attacks, where the rule says so"),
    ALERT_OPT(U16, PORTS_BIT, source_port, "source.port", "from where"),
    ALERT_OPT(IP, ENDS_BIT, target_ip, "target.ip", "who is attacked, where the rule says so"),
    ALERT_OPT(U16, PORTS_BIT, target_port, "target.port", "and where"),
    EC_FIELD_OPT(MAP, EC_R_LIST | EC_R_DOC, METADATA_BIT, struct ec_alert, metadata, "metadata", NULL,
                 "what the rule's author added"),
};
static const struct ec_record alert_shape = EC_RECORD_PART(struct ec_alert, alert_rows);

static const char *const alert_carries[] = { "ec.evidence/1", "ec.flow/1", "ec.tunnel/1", "ec.score/1", EC_ANY_TX, NULL };
static const struct ec_topic alert_topic = {
    sizeof(struct ec_topic), EC_TOPIC_EVENT | EC_TOPIC_RESERVED, EC_ALERT_TOPIC, "alert", &alert_shape, alert_carries,
    "A rule matched, or another detector found something.",
};

int32_t alert_topics(struct alert_out *o)
{
    int32_t rc = o->host->topic(o->host, &why_topic, &o->why);

    return rc ? rc : o->host->topic(o->host, &alert_topic, &o->topic);
}

static void alert_ends(const struct scope *s, const struct rule *r, struct ec_alert *a)
{
    bool attacked = r->target == 2;         /* the destination is */

    a->part.has |= EC_ALERT_ENDS;
    if (scope_l4(s) & RULE_L4_PORTS)
        a->part.has |= EC_ALERT_PORTS;
    memcpy(a->source_ip, attacked ? scope_src(s) : scope_dst(s), 16);
    memcpy(a->target_ip, attacked ? scope_dst(s) : scope_src(s), 16);
    a->source_port = attacked ? scope_sport(s) : scope_dport(s);
    a->target_port = attacked ? scope_dport(s) : scope_sport(s);
}

/* b->base does not move, so pointers into the part stay good while its tail grows. */
static void alert_metadata(struct ec_build *b, const struct rule *r, struct ec_alert *a)
{
    struct ec_pair *p = ec_rows(b, &a->metadata, r->n_pair, sizeof *p);

    for (uint32_t i = 0; p && i < r->n_pair; i++) {
        p[i].key = ec_puts(b, r->metadata[i].key);
        p[i].value = ec_puts(b, r->metadata[i].value);
    }
    if (p)
        a->part.has |= EC_ALERT_METADATA;
}

static bool alert_part(const struct alert_out *o, struct ec_build *b, const struct scope *s, const struct rule *r)
{
    struct ec_alert *a = ec_add(b, o->topic, sizeof *a);
    bool in_line = s->packet && (s->packet->frame->flags & EC_FR_INLINE);

    if (!a)
        return false;
    a->action = in_line && (r->action == RULE_DROP || r->action == RULE_REJECT);
    a->gid = r->gid;
    a->sid = r->sid;
    a->rev = r->rev;
    a->severity = r->priority;
    a->signature = ec_puts(b, r->msg);
    a->category = ec_puts(b, r->category);
    if (r->target)
        alert_ends(s, r, a);
    if (r->n_pair)
        alert_metadata(b, r, a);
    return true;
}

bool alert_publish(const struct alert_out *o, const struct scope *s, const struct hit *h, uint32_t packet_bytes)
{
    const struct ec_host *host = o->host;
    struct ec_build b;
    int32_t rc = host->open(host, s->w->number, o->topic, &b);

    if (rc == EC_ENOENT)
        return true;                        /* nobody listens */
    if (rc)
        return false;
    o->traffic->head(o->traffic_self, &b, s->flow, s->packet);
    if (s->tx) {
        ec_head(&b)->flags |= EC_EV_TX;
        ec_head(&b)->tx_id = s->tx->id;
    }
    if (!alert_part(o, &b, s, h->rule)) {
        host->discard(host, &b);
        return false;
    }
    why_part(&b, o->why, s, h, packet_bytes);
    if (s->flow)
        o->traffic->attach_flow(o->traffic_self, &b, s->flow);
    if (s->tx)
        o->traffic->attach_tx(o->traffic_self, &b, s->flow, s->tx);
    return host->publish(host, &b) == EC_OK;
}
