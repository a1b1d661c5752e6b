/* The API that only looks: /api/firewall/status, allowlist, ruleset. */
#include "plugins/firewall/drift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ec_row ip_rows[] = {
    ROW(TEXT, 0, 0, struct text_param, text, "ip", "cidr", NULL, NULL, "an address, or a network as ADDRESS/PREFIX", 2,
        63),
};
static const struct ec_record ip_param = EC_RECORD_PART(struct text_param, ip_rows);

enum { ALLOW_CONFIGURED, ALLOW_OWN, ALLOW_ALWAYS };
struct allow { struct ec_span address, why; uint32_t source, pad; };
static const struct ec_row allow_rows[] = {
    EC_FIELD(TEXT, 0, struct allow, address, "address", NULL, "address or network"),
    EC_FIELD_ENUM(0, struct allow, source, "source", "configured,own,always",
                  "configured: it passes in the kernel, whatever is banned around it; the others cannot be banned"),
    EC_FIELD(TEXT, 0, struct allow, why, "why", NULL, "what it is"),
};
static const struct ec_record allow_record = EC_RECORD_ELEMENT(struct allow, allow_rows);
struct allow_reply { struct ec_part part; struct ec_list items; };
static const struct ec_row allow_reply_rows[] = {
    ROW_LIST(&allow_record, struct allow_reply, items, "items",
             "what is never banned: firewall.allow, this machine's addresses, and what nobody bans") };
static const struct ec_record allow_reply = EC_RECORD_PART(struct allow_reply, allow_reply_rows);

struct check_reply { struct ec_part part; struct ec_span ip, entry, why; uint8_t allowed, bannable, banned, pad[5]; };
static const struct ec_row check_rows[] = {
    EC_FIELD(TEXT, 0, struct check_reply, ip, "ip", NULL, "what was asked for"),
    EC_FIELD(BOOL, 0, struct check_reply, allowed, "allowed", NULL, "it is on the allow-list"),
    EC_FIELD(TEXT, 0, struct check_reply, entry, "entry", NULL, "the entry that holds it"),
    EC_FIELD(BOOL, 0, struct check_reply, bannable, "bannable", NULL, "it could be banned"),
    EC_FIELD(TEXT, 0, struct check_reply, why, "why", NULL, "why it could not"),
    EC_FIELD(BOOL, 0, struct check_reply, banned, "banned", NULL, "it is banned now"),
};
static const struct ec_record check_reply = EC_RECORD_PART(struct check_reply, check_rows);

struct status_reply {
    struct ec_part part;
    struct ec_span problem;
    uint64_t bans, pending, allow, starts, failed, queued, pid;
    uint8_t enforcing, in_kernel, replay, pad[5];
};
static const struct ec_row status_rows[] = {
    EC_FIELD(BOOL, 0, struct status_reply, enforcing, "enforcing", NULL, "bans can be enforced"),
    EC_FIELD(TEXT, 0, struct status_reply, problem, "problem", NULL,
             "why not, or what is in the way now, and what to do"),
    EC_FIELD(BOOL, 0, struct status_reply, in_kernel, "in_kernel", NULL, "the kernel has a table of ours"),
    EC_FIELD(BOOL, 0, struct status_reply, replay, "replay", NULL,
             "the daemon replays a capture: bans of live runs are neither listed nor changed"),
    EC_FIELD(U64, 0, struct status_reply, bans, "bans", "bans", "that are desired"),
    EC_FIELD(U64, 0, struct status_reply, pending, "pending", "bans", "that the kernel has not confirmed"),
    EC_FIELD(U64, 0, struct status_reply, allow, "allow", "entries", "of the allow-list"),
    EC_FIELD(U64, 0, struct status_reply, pid, "helper.pid", NULL,
             "process that changes the firewall, or who started it; 0: it is not needed yet"),
    EC_FIELD(U64, 0, struct status_reply, starts, "helper.starts", NULL, "how often there was a new one"),
    EC_FIELD(U64, 0, struct status_reply, failed, "helper.failed", NULL, "requests that it did not carry out"),
    EC_FIELD(U64, 0, struct status_reply, queued, "helper.queued", NULL, "entries that wait for it"),
};
static const struct ec_record status_reply = EC_RECORD_PART(struct status_reply, status_rows);

/* Written by libnftables itself, so these rows only describe it: each element has one member, and more than stands
 * here. */
struct ruleset_item {
    struct ec_span version, table, chain, hook, set, type, rule;
    int64_t prio;
};
static const struct ec_row ruleset_item_rows[] = {
    EC_FIELD(TEXT, 0, struct ruleset_item, version, "metainfo.version", NULL, "of nftables"),
    EC_FIELD(TEXT, 0, struct ruleset_item, table, "table.name", NULL, "ecyber, of the family inet"),
    EC_FIELD(TEXT, 0, struct ruleset_item, set, "set.name", NULL,
             "allow4, block6, block4_24 ...: a list, IP version and prefix length; its elements stand in elem"),
    EC_FIELD(TEXT, 0, struct ruleset_item, type, "set.type", NULL, "ipv4_addr, ipv6_addr"),
    EC_FIELD(TEXT, 0, struct ruleset_item, chain, "chain.name", NULL, "input, forward, output, source, destination"),
    EC_FIELD(TEXT, 0, struct ruleset_item, hook, "chain.hook", NULL, "where the kernel enters it"),
    EC_FIELD(I64, 0, struct ruleset_item, prio, "chain.prio", NULL, "before which others"),
    EC_FIELD(TEXT, 0, struct ruleset_item, rule, "rule.chain", NULL, "whose rule; what it does stands in expr"),
};
static const struct ec_record ruleset_item = EC_RECORD_ELEMENT(struct ruleset_item, ruleset_item_rows);
struct ruleset_shape { struct ec_part part; struct ec_list nftables; };
static const struct ec_row ruleset_rows[] = {
    ROW_LIST(&ruleset_item, struct ruleset_shape, nftables, "nftables", "as in libnftables-json(5)") };
static const struct ec_record ruleset_reply = EC_RECORD_PART(struct ruleset_shape, ruleset_rows);

static void fill_allow(struct ec_build *b, struct allow *to, const struct net *net, uint32_t source, const char *why)
{
    char text[ADDRESS_TEXT];

    address_text(net, text);
    to->address = ec_puts(b, text);
    to->source = source;
    to->why = ec_puts(b, why);
}

static void fill_always(struct ec_build *b, struct allow *to, uint32_t i)
{
    const char *what;
    const struct net *net = guard_never(i, &what);

    fill_allow(b, to, net, ALLOW_ALWAYS, what);
}

static int32_t get_allowlist(void *self, const void *state, struct ec_req *r)
{
    struct firewall *f = self;
    uint32_t n, own, always = 0, at = 0;
    struct allow_reply *to;
    struct allow *items;
    const char *what;
    struct ec_build b;

    (void)state;
    while (guard_never(always, &what))
        always++;
    pthread_mutex_lock(&f->lock);
    own = f->own ? f->own->n : 0;
    n = f->guard->n_allow + own + always;
    if ((to = answer_open(&b, sizeof *to, 64 + n * (uint32_t)(sizeof *items + ADDRESS_TEXT + 64)))) {
        items = ec_rows(&b, &to->items, n, sizeof *items);
        to->part.has = HAS_LIST;
        for (uint32_t i = 0; items && i < f->guard->n_allow; i++)
            fill_allow(&b, &items[at++], &f->guard->allow[i], ALLOW_CONFIGURED, "firewall.allow");
        for (uint32_t i = 0; items && i < own; i++)
            fill_allow(&b, &items[at++], &f->own->net[i], ALLOW_OWN, "an address of this machine");
        for (uint32_t i = 0; items && i < always; i++)
            fill_always(&b, &items[at++], i);
    }
    pthread_mutex_unlock(&f->lock);
    return answer_send(f, r, &b, 200);
}

static int32_t get_check(void *self, const void *state, struct ec_req *r)
{
    struct firewall *f = self;
    const struct text_param *p = f->http->param(r);
    char text[64], shown[ADDRESS_TEXT], why[512] = "";
    const struct net *entry;
    struct check_reply *to;
    struct ec_build b;
    struct net net;

    (void)state;
    if (address_parse(param_text(&p->part, p->text, text, sizeof text), &net))
        return f->http->invalid(r, "path.ip", "value_error", "it is no address or network");
    if (!(to = answer_open(&b, sizeof *to, 1024)))
        return answer_send(f, r, &b, 200);
    pthread_mutex_lock(&f->lock);
    address_text(&net, shown);
    to->ip = ec_puts(&b, shown);
    to->bannable = !guard_refuses(f->guard, f->own, &net, why, sizeof why);
    if (!to->bannable)
        to->why = ec_puts(&b, why);
    to->banned = bans_holding(&f->bans, &net) != NULL;
    if ((entry = guard_allows(f->guard, &net))) {
        to->allowed = 1;
        address_text(entry, shown);
        to->entry = ec_puts(&b, shown);
    }
    pthread_mutex_unlock(&f->lock);
    return answer_send(f, r, &b, 200);
}

static int32_t get_status(void *self, const void *state, struct ec_req *r)
{
    struct firewall *f = self;
    struct ec_helper_status h = { .size = sizeof h };
    struct status_reply *to;
    struct ec_build b;
    char problem[768];

    (void)state;
    if (f->helper)
        f->helper->status(f->helper_self, &h);
    if (!(to = answer_open(&b, sizeof *to, 1024)))
        return answer_send(f, r, &b, 200);
    pthread_mutex_lock(&f->lock);
    to->enforcing = !f->powerless[0];
    firewall_problem(f, problem, sizeof problem);
    to->problem = ec_puts(&b, problem[0] ? problem : NULL);
    to->replay = f->replay;
    to->in_kernel = f->lively;
    to->bans = f->bans.n;
    to->allow = f->guard->n_allow;
    for (uint32_t i = 0; i < f->bans.n; i++)
        to->pending += f->bans.all[i]->state == BAN_PENDING;
    pthread_mutex_unlock(&f->lock);
    to->pid = h.pid;
    to->starts = h.starts;
    to->failed = h.failed;
    to->queued = h.queued;
    return answer_send(f, r, &b, 200);
}

struct ruleset_ask { const struct ec_http *http; struct ec_req *r; };
static const char empty_ruleset[] = "{\"nftables\": []}";

/* On the helper's thread. */
static void on_ruleset(void *arg, int32_t err, const char *text, uint64_t len)
{
    struct ruleset_ask *ask = arg;

    if (!err)
        ask->http->json(ask->r, 200, text, len);
    else if (err == EC_ENOENT)
        ask->http->json(ask->r, 200, empty_ruleset, sizeof empty_ruleset - 1);
    else
        ask->http->error(ask->r, 503, text);
    free(ask);
}

static int32_t get_ruleset(void *self, const void *state, struct ec_req *r)
{
    struct firewall *f = self;
    struct ruleset_ask *ask;
    bool lively;

    (void)state;
    pthread_mutex_lock(&f->lock);
    lively = f->lively;
    pthread_mutex_unlock(&f->lock);
    if (f->powerless[0])
        return f->http->error(r, 503, f->powerless);
    if (!lively)
        return f->http->json(r, 200, empty_ruleset, sizeof empty_ruleset - 1);
    if (!(ask = malloc(sizeof *ask)))
        return f->http->error(r, 503, "out of memory");
    *ask = (struct ruleset_ask){ f->http, r };
    if (!f->helper->request(f->helper_self, EC_HELPER_LIST, NULL, 0, 0, on_ruleset, ask))
        return EC_EAGAIN;
    free(ask);
    return f->http->error(r, 503, "the helper is being started; ask again in a moment");
}

/* The kernel's table as text, on its way to the pool. */
struct drift_ask { struct firewall *f; struct ec_req *r; size_t n; char json[]; };

static void drift_job(void *self, const void *state, void *arg)
{
    struct drift_ask *ask = arg;

    (void)self;
    (void)state;
    drift_answer(ask->f, ask->r, ask->json, ask->n);
    free(ask);
}

static void drift_later(struct firewall *f, struct ec_req *r, const char *text, size_t n)
{
    struct drift_ask *ask = malloc(sizeof *ask + n + 1);

    if (ask) {
        ask->f = f;
        ask->r = r;
        ask->n = n;
        memcpy(ask->json, text, n);
    }
    if (ask && f->host->work(f->host, drift_job, ask) == EC_OK)
        return;
    free(ask);
    f->http->error(r, 503, "too much waits; ask again in a moment");
}

/* On the helper's thread. */
static void on_drift(void *arg, int32_t err, const char *text, uint64_t len)
{
    struct drift_ask *ask = arg;

    if (err && err != EC_ENOENT)
        ask->f->http->error(ask->r, 503, text);
    else
        drift_later(ask->f, ask->r, text, err ? 0 : len);
    free(ask);
}

static int32_t get_drift(void *self, const void *state, struct ec_req *r)
{
    struct firewall *f = self;
    struct drift_ask *ask;
    bool lively;

    (void)state;
    pthread_mutex_lock(&f->lock);
    lively = f->lively;
    pthread_mutex_unlock(&f->lock);
    if (f->powerless[0])
        return f->http->error(r, 503, f->powerless);
    if (!lively) {
        drift_later(f, r, "", 0);
        return EC_EAGAIN;
    }
    if (!(ask = calloc(1, sizeof *ask)))
        return f->http->error(r, 503, "out of memory");
    ask->f = f;
    ask->r = r;
    if (!f->helper->request(f->helper_self, EC_HELPER_LIST, NULL, 0, 0, on_drift, ask))
        return EC_EAGAIN;
    free(ask);
    return f->http->error(r, 503, "the helper is being started; ask again in a moment");
}

const struct ec_route look_routes[] = {
    ROUTE("GET", "/status", "firewall_status", "Whether bans are enforced, and how many there are", READERS, 0, NULL,
          NULL, &status_reply, get_status, 0, NULL),
    ROUTE("GET", "/allowlist", "firewall_allowlist", "What is never banned", READERS, 0, NULL, NULL, &allow_reply,
          get_allowlist, 0, NULL),
    ROUTE("GET", "/allowlist/check/{ip}", "firewall_allowlist_check", "Could this address be banned, and is it?",
          READERS, 0, &ip_param, NULL, &check_reply, get_check, 0, NULL),
    ROUTE("GET", "/ruleset", "firewall_ruleset", "Our table as the kernel has it, in libnftables' JSON", READERS, 0,
          NULL, NULL, &ruleset_reply, get_ruleset, 0, NULL),
    ROUTE("GET", "/drift", "firewall_drift", "What the kernel holds against what is desired", READERS, 0, NULL, NULL,
          &drift_reply, get_drift, 0, NULL),
};
const size_t look_n_route = sizeof look_routes / sizeof look_routes[0];
