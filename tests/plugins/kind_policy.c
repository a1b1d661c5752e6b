/* kind_policy.c: who calls an actuator: every alert asks for a ban of its source, for an hour. It asks for a replay's
 * alerts too, because it is a test; a real policy must not (EC_EV_REPLAY). */
#define EC_API_LEVEL 1
#include <stdlib.h>
#include <string.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/respond.h>

struct policy { const struct ec_host *host; const struct ec_respond *respond; void *respond_self; };

static void on_event(void *self, const void *state, const struct ec_event *ev)
{
    struct policy *p = self;
    struct ec_ban b = { .size = sizeof b, .prefix = 128, .who = "policy:test", .why = "an alert" };

    (void)state;
    if (!(ev->flags & EC_EV_IP))
        return;
    memcpy(b.addr, ev->src, 16);
    b.until_ns = ev->ts_ns + UINT64_C(3600000000000);
    b.cause = ev->id;
    p->respond->ban(p->respond_self, &b, NULL, 0);
    /* The other end too, which the allow-list has to protect. */
    memcpy(b.addr, ev->dst, 16);
    p->respond->ban(p->respond_self, &b, NULL, 0);
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_respond), 0, EC_RESPOND_ID } };

static int32_t policy_create(const struct ec_host *h, void **self)
{
    struct policy *p = *self = calloc(1, sizeof *p);

    return p ? (p->host = h, EC_OK) : EC_ENOMEM;
}

static int32_t policy_setup(void *self)
{
    static const struct ec_sub sub = { sizeof sub, EC_SUB_QUEUED, 0, 0, EC_OVF_DROP_NEW, 0, "ec.alert/1", on_event, NULL };
    struct policy *p = self;

    p->respond = p->host->use(p->host, EC_RESPOND_ID, &p->respond_self);
    return p->host->subscribe(p->host, &sub);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.policy", "kind_policy", "1", "bans who alerts", "MIT", NULL,
    1, sizeof uses[0], 0, 0, 0, 0, uses, NULL, NULL, NULL,
    policy_create, policy_setup, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
