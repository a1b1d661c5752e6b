/* firewall: bans addresses, through the daemon's helper (ec.respond/1). */
#include "plugins/firewall/firewall.h"

#include <stdlib.h>
#include <string.h>

#define COUNTER(name, unit, help) { sizeof(struct ec_metric), EC_METRIC_COUNTER, name, unit, help }
#define GAUGE(name, unit, help) { sizeof(struct ec_metric), EC_METRIC_GAUGE, name, unit, help }
static const struct ec_metric metrics[] = {
    [METRIC_BANS] = GAUGE("bans", "bans", "Bans that are desired now."),
    [METRIC_BANNED] = COUNTER("banned", "bans", "Bans that the kernel has confirmed."),
    [METRIC_UNBANNED] = COUNTER("unbanned", "bans", "Bans that were taken back."),
    [METRIC_EXPIRED] = COUNTER("expired", "bans", "Bans that came to their end."),
    [METRIC_REFUSED] = COUNTER("refused", "bans", "Bans that were refused: the allow-list, an own address, a replay."),
    [METRIC_FAILED] = COUNTER("failed", "requests", "Requests that the kernel or the helper did not carry out."),
    [METRIC_SYNCS] = COUNTER("syncs", "states", "Whole states that were put into the kernel."),
    [METRIC_FULL] = COUNTER("full", "bans", "Bans refused because firewall.max_bans was reached."),
};

static const struct ec_row option_rows[] = {
    { EC_T_TEXT, EC_R_LIVE | EC_R_LIST, 0, 0, 0, "allow", NULL, "cidr", NULL, NULL,
      "addresses and networks that are never blocked: your own, your gateway, your name servers, who administers it", 1,
      63 },
    EC_OPTION_ENUM(EC_R_LIVE, "at_exit", "keep,clear", "keep",
                   "bans stay in the kernel until they end, also while the daemon is down; or they go when it stops"),
    EC_OPTION(U32, EC_R_LIVE, "widest_ipv4", "8", 1, 32, "bits", "the widest IPv4 network that may be banned"),
    EC_OPTION(U32, EC_R_LIVE, "widest_ipv6", "32", 1, 128, "bits", "the widest IPv6 network that may be banned"),
    EC_OPTION(U32, 0, "max_bans", "65536", 1, 100000, "bans", "at once"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

struct state { uint32_t max_bans; bool clear; struct guard *guard; };

static int32_t firewall_create(const struct ec_host *h, void **self)
{
    struct firewall *f = *self = calloc(1, sizeof *f);
    pthread_condattr_t a;

    if (!f)
        return EC_ENOMEM;
    f->host = h;
    pthread_mutex_init(&f->lock, NULL);
    pthread_mutex_init(&f->keep_lock, NULL);
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&f->changed, &a);
    pthread_condattr_destroy(&a);
    return EC_OK;
}

static void on_tick(void *self, const void *state, uint64_t now_ns)
{
    const struct state *s = state;
    struct firewall *f = self;

    pthread_mutex_lock(&f->lock);
    f->clear_at_exit = s->clear;
    pthread_mutex_unlock(&f->lock);
    act_tick(f, s->guard, now_ns);
}

static int32_t firewall_setup(void *self)
{
    static const struct ec_timer tick = { sizeof tick, EC_TIMER_WALL, SECOND_NS, on_tick };
    struct firewall *f = self;
    void *unused;
    int32_t err;

    f->helper = f->host->use(f->host, EC_HELPER_ID, &f->helper_self);
    f->store = f->host->use(f->host, EC_STORE_ID, &f->store_self);
    f->http = f->host->use(f->host, EC_HTTP_ID, &unused);
    err = f->host->topic(f->host, &tell_topic, &f->topic);
    if (!err)
        err = f->host->timer(f->host, &tick);
    if (!err)
        err = keep_setup(f);
    return err ? err : routes_setup(f, unused);
}

static int32_t read_allow(const struct firewall *f, const struct ec_conf *c, struct guard *g)
{
    const struct ec_host *h = f->host;
    uint32_t n = h->conf_count(c, "allow");

    for (; g->n_allow < n; g->n_allow++) {
        const char *why = address_parse(h->conf_text(c, "allow", g->n_allow), &g->allow[g->n_allow]);

        if (why)
            return ec_failf(h, EC_EINVAL, "%s: firewall.allow: '%s': %s", h->conf_where(c, "allow", g->n_allow),
                            h->conf_text(c, "allow", g->n_allow), why);
    }
    return EC_OK;
}

static uint32_t number(const struct firewall *f, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    f->host->conf_num(c, name, 0, &v);
    return (uint32_t)v;
}

static void firewall_state_free(void *self, void *state)
{
    struct state *s = state;

    (void)self;
    free(s->guard);
    free(s);
}

static int32_t firewall_configure(void *self, const struct ec_conf *c, void **state)
{
    struct firewall *f = self;
    struct state *s = calloc(1, sizeof *s);
    uint32_t n = f->host->conf_count(c, "allow");
    int32_t err = EC_ENOMEM;

    if (s && (s->guard = calloc(1, sizeof *s->guard + n * sizeof s->guard->allow[0]))) {
        s->max_bans = number(f, c, "max_bans");
        s->clear = number(f, c, "at_exit") == 1;
        s->guard->serial = ++f->configured;
        s->guard->widest4 = number(f, c, "widest_ipv4");
        s->guard->widest6 = number(f, c, "widest_ipv6");
        err = read_allow(f, c, s->guard);
    }
    if (!err)
        *state = s;
    else if (s)
        firewall_state_free(f, s);
    return err;
}

static void open_helper(struct firewall *f)
{
    static const char none[] = "this daemon has no helper that could change the firewall";
    int32_t err = EC_EPERM;

    if (f->helper)
        err = f->helper->open(f->helper_self, act_ready, f, f->powerless, sizeof f->powerless);
    else
        snprintf(f->powerless, sizeof f->powerless, "%s", none);
    if (!err)
        f->powerless[0] = '\0';
    else
        EC_LOG(f->host, EC_LOG_INFO, "nothing can be banned: %s", f->powerless);
}

static const char *gap(const struct firewall *f)
{
    if (f->unread || (f->blind && !f->replay))
        return "bans of earlier runs could not be read: those that the kernel holds stay there until they end, and so "
               "does the allow-list that it has. Mend what the log says of the store, or bring back a copy of its "
               "documents, and restart the daemon: then the list is whole again. Until then /api/firewall/ruleset shows "
               "what the kernel holds, and where nothing can be mended 'nft delete table inet ecyber' lets all of it go";
    return NULL;
}

void firewall_problem(const struct firewall *f, char *to, size_t n)
{
    const char *gone = gap(f);

    *to = '\0';
    if (f->powerless[0])
        snprintf(to, n, "%s", f->powerless);
    else if (f->trouble[0])
        snprintf(to, n, "%s", f->trouble);
    else if (gone)
        snprintf(to, n, "%s", gone);
    else if (f->unkept)
        snprintf(to, n, "the store does not take bans (error %d): after a restart the daemon does not know them",
                 f->unkept);
}

/* A replay puts nothing back: what a live run keeps is its own, in the kernel as well. */
static void restore(struct firewall *f)
{
    struct ec_helper_status status = { .size = sizeof status };
    int32_t err;

    if (f->helper)
        f->helper->status(f->helper_self, &status);
    f->replay = status.flags & EC_HELPER_REPLAY;
    if (f->replay) {
        f->blind = true;
        return;
    }
    f->lively = !f->powerless[0] && keep_marked(f);
    err = keep_restore(f);
    f->unread = err && err != EC_ENOENT;
    f->blind = err && f->lively;
    if (gap(f))
        EC_LOG(f->host, EC_LOG_ERROR, "%s", gap(f));
}

static int32_t firewall_start(void *self, const void *state)
{
    const struct state *s = state;
    struct firewall *f = self;

    f->bans.most = s->max_bans;
    f->clear_at_exit = s->clear;
    f->guard = malloc(sizeof *f->guard + s->guard->n_allow * sizeof f->guard->allow[0]);
    if (!f->guard)
        return EC_ENOMEM;
    memcpy(f->guard, s->guard, sizeof *f->guard + s->guard->n_allow * sizeof f->guard->allow[0]);
    f->own = own_read();
    open_helper(f);
    f->open = true;
    restore(f);
    act_revise(f);
    act_sync(f);
    return EC_OK;
}

static bool anything_desired(const struct firewall *f)
{
    for (uint32_t i = 0; i < f->bans.n; i++)
        if (f->bans.all[i]->state != BAN_LEAVING)
            return true;
    return false;
}

/* On the helper's thread. Without an answer the mark stays, and the next run clears up. */
static void on_clear(void *arg, int32_t err, const char *text, uint64_t len)
{
    struct firewall *f = arg;

    (void)len;
    if (!err)
        keep_mark(f, false);
    else
        EC_LOG(f->host, EC_LOG_WARNING, "the firewall's table may still be in the kernel: %s; the next start looks "
                                        "again, 'nft delete table inet ecyber' removes it", text);
}

/* What stays in the kernel ends by itself; without a ban there is no reason to leave a table behind. */
static void firewall_stop(void *self)
{
    struct firewall *f = self;
    bool clear, helper;

    keep_now(f);
    pthread_mutex_lock(&f->lock);
    helper = f->open && !f->powerless[0];
    clear = helper && f->lively && (f->blind ? f->clear_at_exit && !f->replay
                                             : f->clear_at_exit || !anything_desired(f));
    f->open = false;
    if (clear)
        f->helper->request(f->helper_self, EC_HELPER_CLEAR, NULL, 0, 0, on_clear, f);
    pthread_mutex_unlock(&f->lock);
    if (helper)
        f->helper->close(f->helper_self);
}

static void firewall_destroy(void *self)
{
    struct firewall *f = self;

    bans_clear(&f->bans);
    free(f->guard);
    free(f->own);
    for (struct keep_delete *d; (d = f->deletes); free(d))
        f->deletes = d->next;
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->keep_lock);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static int32_t respond_ban(void *self, const struct ec_ban *b, char *why, uint32_t n)
{
    return act_ban(self, b, why, n, NULL);
}

static int32_t respond_unban(void *self, const uint8_t *addr16, uint32_t prefix, const char *who)
{
    struct net net = { .prefix = prefix };

    memcpy(net.addr, addr16, sizeof net.addr);
    return act_unban(self, &net, who);
}

static int32_t respond_banned(void *self, const uint8_t *addr16, uint64_t *until_ns)
{
    struct firewall *f = self;
    struct net net = { .prefix = 128 };
    const struct ban *ban;

    memcpy(net.addr, addr16, sizeof net.addr);
    pthread_mutex_lock(&f->lock);
    ban = bans_holding(&f->bans, &net);
    if (ban)
        *until_ns = ban->until_ns;
    pthread_mutex_unlock(&f->lock);
    return ban != NULL;
}

static const struct ec_respond respond = { sizeof respond, 0, respond_ban, respond_unban, respond_banned };
static const struct ec_offer offers[] = { { sizeof(struct ec_offer), 0, EC_RESPOND_ID, &respond } };
static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN | EC_USE_OPTIONAL, sizeof(struct ec_helper), 0, EC_HELPER_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN | EC_USE_OPTIONAL, sizeof(struct ec_store), 0, EC_STORE_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
};

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.firewall", "firewall", "0.1.0", "bans addresses in the kernel, with reason and end",
    "MIT", NULL,
    3, sizeof uses[0], 1, sizeof offers[0], METRICS, sizeof metrics[0], uses, offers, metrics, &options,
    firewall_create, firewall_setup, firewall_configure, firewall_state_free, firewall_start, firewall_stop, NULL, NULL,
    firewall_destroy };
EC_PLUGIN(plugin)
