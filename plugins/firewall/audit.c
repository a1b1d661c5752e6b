/* Who asked for a change, in the audit log (ec.auth/1). */
#include "plugins/firewall/firewall.h"

#include <string.h>

void audit(struct firewall *f, struct ec_req *r, const char *action, const char *outcome, const char *object,
           const char *detail)
{
    uint32_t topic = f->host->topic_find(f->host, EC_AUDIT_TOPIC);
    const struct ec_who *who = f->http->who(r);
    struct ec_audit *e;
    struct ec_build b;

    if (!topic || f->host->open(f->host, EC_PUB_MAILBOX, topic, &b) != EC_OK)
        return;
    if ((e = ec_add(&b, topic, sizeof *e))) {
        e->action = ec_puts(&b, action);
        e->outcome = ec_puts(&b, outcome);
        e->actor = ec_puts(&b, who ? who->name : "");
        e->address = ec_puts(&b, f->http->peer(r));
        e->object = ec_puts(&b, object);
        e->detail = ec_puts(&b, detail);
    }
    f->host->publish(f->host, &b);
}
