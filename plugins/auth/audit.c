#include "plugins/auth/plugin.h"

#define FIELD(flags, member, help) EC_FIELD(TEXT, flags, struct ec_audit, member, #member, NULL, help)
static const struct ec_row rows[] = {
    FIELD(EC_R_COLUMN, action, "what was done, or tried"),
    FIELD(EC_R_COLUMN, outcome, "success, failure or denied"),
    FIELD(EC_R_COLUMN, actor, "who did it"),
    FIELD(0, address, "where from: an address, or local"),
    FIELD(0, object, "on what"),
    FIELD(0, detail, "in a sentence"),
    FIELD(0, certificate, "name in the client's certificate"),
};
static const struct ec_record record = EC_RECORD_PART(struct ec_audit, rows);
const struct ec_topic audit_topic = {
    sizeof audit_topic, EC_TOPIC_EVENT | EC_TOPIC_RESERVED, EC_AUDIT_TOPIC, "audit", &record, NULL,
    "who did what from where"};

static void say(struct auth *a, const char *address, const char *certificate, const char *action, const char *outcome,
                const char *actor, const char *object, const char *detail)
{
    struct ec_audit *e;
    struct ec_build b;

    if (a->host->open(a->host, EC_PUB_MAILBOX, a->audit, &b))
        return;
    e = ec_add(&b, a->audit, sizeof *e);
    if (!e) {
        a->host->discard(a->host, &b);
        return;
    }
    e->action = ec_puts(&b, action);
    e->outcome = ec_puts(&b, outcome);
    e->actor = ec_puts(&b, actor);
    e->address = ec_puts(&b, address);
    e->certificate = ec_puts(&b, certificate && *certificate ? certificate : NULL);
    e->object = ec_puts(&b, object);
    e->detail = ec_puts(&b, detail);
    a->host->publish(a->host, &b);
}

void audit_say(struct auth *a, struct ec_req *r, const char *action, const char *outcome, const char *actor,
               const char *object, const char *detail)
{
    const struct ec_who *who = actor ? NULL : a->http->who(r);

    say(a, a->http->peer(r), a->http->certificate(r), action, outcome, actor ? actor : who ? who->name : "", object,
        detail);
}

void audit_from(struct auth *a, const char *address, const char *action, const char *outcome, const char *actor,
                const char *object, const char *detail)
{
    say(a, address, NULL, action, outcome, actor, object, detail);
}
