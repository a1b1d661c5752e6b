/* Each attempt to deliver is an event: the log of deliveries is what the store has of them. */
#include "plugins/webhooks/plugin.h"

struct tried {
    struct ec_part part;
    uint64_t hook, took, next;
    uint32_t attempt, status, outcome, pad;
    struct ec_span id, event, type, why;
};
enum { DELIVERED, RETRY, FAILED };
enum { HAS_STATUS, HAS_NEXT, HAS_WHY, HAS_EVENT };
static const struct ec_row rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct tried, hook, "webhook_id", NULL, "number of the webhook"),
    EC_FIELD(TEXT, 0, struct tried, id, "delivery_id", NULL, "webhook-id of the request, the same in each attempt"),
    EC_FIELD_OPT(TEXT, 0, HAS_EVENT, struct tried, event, "event_id", NULL, "number of the event that was told"),
    EC_FIELD(TEXT, 0, struct tried, type, "event_type", NULL, "its type"),
    EC_FIELD(U32, 0, struct tried, attempt, "attempt", NULL, "which one, from 1"),
    EC_FIELD_ENUM(EC_R_COLUMN, struct tried, outcome, "outcome", "delivered,retry,failed", "what came of it"),
    EC_FIELD_OPT(U32, 0, HAS_STATUS, struct tried, status, "status", NULL, "of the answer"),
    EC_FIELD(U64, 0, struct tried, took, "took_ms", "ms", "how long it took"),
    EC_FIELD_OPT(TIME, 0, HAS_NEXT, struct tried, next, "next_attempt", NULL, "when the next attempt follows"),
    EC_FIELD_OPT(TEXT, 0, HAS_WHY, struct tried, why, "detail", NULL, "why it failed, in a sentence"),
};
static const struct ec_record record = EC_RECORD_PART(struct tried, rows);
const struct ec_topic delivery_topic = {
    sizeof delivery_topic, EC_TOPIC_EVENT, DELIVERY_TOPIC, DELIVERY_ROOT, &record, NULL,
    "a webhook was called, or could not be" };

void attempt_tell(struct webhooks *w, const struct delivery *d, const struct attempt *a)
{
    struct tried *t;
    struct ec_build b;

    if (w->host->open(w->host, EC_PUB_MAILBOX, w->topic, &b) != EC_OK)
        return;
    if ((t = ec_add(&b, w->topic, sizeof *t))) {
        t->hook = d->hook;
        t->attempt = d->attempt;
        t->took = a->took_ms;
        t->outcome = !a->why ? DELIVERED : a->next_ns ? RETRY : FAILED;
        t->id = ec_puts(&b, d->id);
        t->type = ec_puts(&b, d->type);
        if (*d->event) {
            t->event = ec_puts(&b, d->event);
            t->part.has |= 1u << HAS_EVENT;
        }
        if ((t->status = a->status))
            t->part.has |= 1u << HAS_STATUS;
        if ((t->next = a->next_ns))
            t->part.has |= 1u << HAS_NEXT;
        if (a->why) {
            t->why = ec_puts(&b, a->why);
            t->part.has |= 1u << HAS_WHY;
        }
    }
    w->host->publish(w->host, &b);
}
