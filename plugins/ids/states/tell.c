/* A changed state goes out twice: as an event for whoever looks at alerts, and into the audit log. */
#include "plugins/ids/states/alerts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct state_event {
    struct ec_part part;
    uint32_t state, before;
    uint64_t version;
    struct ec_span alert, note, by;
};
static const struct ec_row rows[] = {
    EC_FIELD(TEXT, EC_R_COLUMN, struct state_event, alert, "alert_id", NULL, "number of the alert's event"),
    EC_FIELD_ENUM(EC_R_COLUMN, struct state_event, state, "state", STATE_WORDS, "what people made of the alert"),
    EC_FIELD_ENUM(0, struct state_event, before, "before", STATE_WORDS, "the same, before"),
    EC_FIELD(U64, 0, struct state_event, version, "version", NULL, "of the state"),
    EC_FIELD_OPT(TEXT, 0, 0, struct state_event, note, "note", NULL, "why, in words"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct state_event, by, "by", NULL, "who changed it"),
};
static const struct ec_record record = EC_RECORD_PART(struct state_event, rows);
const struct ec_topic state_topic = {
    sizeof state_topic, EC_TOPIC_EVENT | EC_TOPIC_RESERVED, STATE_TOPIC, "alert_state", &record, NULL,
    "an alert was acknowledged, closed or opened again" };

void state_tell(struct alerts *a, uint64_t event, const struct changed *done, const char *note, uint32_t n_note,
                const char *by)
{
    struct state_event *e;
    struct ec_build b;
    char id[24];

    if (a->host->open(a->host, EC_PUB_MAILBOX, a->topic, &b) != EC_OK)
        return;
    snprintf(id, sizeof id, "%" PRIu64, event);
    if ((e = ec_add(&b, a->topic, sizeof *e))) {
        e->alert = ec_puts(&b, id);
        e->state = done->after;
        e->before = done->before;
        e->version = done->version;
        e->by = ec_puts(&b, by);
        if (note) {
            e->note = ec_put(&b, note, n_note);
            e->part.has = 1;
        }
    }
    a->host->publish(a->host, &b);
}

void state_audit(struct alerts *a, struct ec_req *r, uint64_t event, const struct changed *done, const char *note,
                 uint32_t n_note)
{
    uint32_t topic = a->host->topic_find(a->host, EC_AUDIT_TOPIC);
    const struct ec_who *who = a->http->who(r);
    char object[40], detail[4 * STATE_NOTE + 80];
    struct ec_audit *e;
    struct ec_build b;

    if (!topic || a->host->open(a->host, EC_PUB_MAILBOX, topic, &b) != EC_OK)
        return;
    snprintf(object, sizeof object, "alerts/%" PRIu64, event);
    snprintf(detail, sizeof detail, "%s -> %s%s%.*s", state_word(done->before), state_word(done->after),
             note ? ": " : "", note ? (int)n_note : 0, note ? note : "");
    if ((e = ec_add(&b, topic, sizeof *e))) {
        e->action = ec_puts(&b, "alert.state");
        e->outcome = ec_puts(&b, "success");
        e->actor = ec_puts(&b, who ? who->name : "");
        e->address = ec_puts(&b, a->http->peer(r));
        e->object = ec_puts(&b, object);
        e->detail = ec_puts(&b, detail);
    }
    a->host->publish(a->host, &b);
}
