/* The glue between the capture engine and the plugin interface: two sources, "file" and "live"; with
 * capture.on_demand the interface of "live" changes while the daemon runs. */
#include "buildconf.h"

#define EC_API_LEVEL 1
#include <ecyber/ext/source.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/capture/filter.h"
#include "plugins/capture/linktype.h"
#include "plugins/capture/live.h"
#include "plugins/capture/replay.h"
#include "plugins/capture/service.h"

enum { METRIC_SKIPPED, METRIC_CUT, METRIC_DOWN };

static const struct ec_metric metrics[] = {
    {sizeof(struct ec_metric), EC_METRIC_COUNTER, "files_skipped", "files",
     "files that are no readable capture"},
    {sizeof(struct ec_metric), EC_METRIC_COUNTER, "files_cut", "files",
     "captures that ended early: cut or damaged"},
    {sizeof(struct ec_metric), EC_METRIC_COUNTER, "interface_down", "times",
     "a live interface went away"},
};

static const struct ec_row option_rows[] = {
    EC_OPTION(TEXT, EC_R_LIVE, "filter", "", 0, 4096, NULL,
              "BPF expression (pcap-filter(7)): only these packets are looked at; empty: all; a reload changes that of a "
              "live interface"),
    EC_OPTION(F64, 0, "pace", "0", 0, 1000000, NULL,
              "files: so many times as fast as they were captured; 1: at that pace; 0: as fast as can be"),
    EC_OPTION(U32, 0, "snaplen", "262144", 64, 262144, "bytes",
              "live: of each packet, at most so much is taken"),
    EC_OPTION(SIZE, 0, "buffer", "64MiB", 1 << 20, 1 << 30, "bytes",
              "live: size of the kernel's ring, for each worker"),
    EC_OPTION(BOOL, 0, "promiscuous", "true", 0, 0, NULL,
              "live: also take packets for other machines"),
    EC_OPTION(DURATION, 0, "timeout", "50ms", 10000000, 100000000, NULL,
              "live: after so long the kernel hands over packets though its block is not full"),
    EC_OPTION_ENUM(0, "fanout", "addresses,flow", "addresses",
                   "live, how several workers share: addresses: all that two hosts say to one another, with fragments "
                   "and tunnels, to one worker; flow: by ports too"),
    EC_OPTION(BOOL, 0, "on_demand", "false", 0, 0, NULL,
              "live: the API may start and stop a capture; the workers keep CAP_NET_RAW for it"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

struct settings {
    const char *filter;             /* the configuration's, as long as this state */
    uint32_t snaplen, buffer, timeout_ms, promiscuous, on_demand, fanout;
    double pace;
};

struct handle {                     /* one of both */
    struct replay *replay;
    struct live *live;              /* NULL: also while none is wanted */
    struct interfaces *interfaces;  /* of live: who is told when it is closed */
    char name[64];
    /* Of a live one that goes by demand. */
    struct capture *demand;         /* NULL: it stays what it is */
    struct settings set;            /* its filter is a copy */
    uint32_t share, shares, serial;
    uint64_t past[EC_SRC_STATS];    /* counters of the interfaces that it had before */
};

static void capture_say(void *arg, enum say_what what, const char *sentence)
{
    static struct ec_site sites[SAY_KINDS];     /* a limit of its own for each kind */
    static const int32_t level[SAY_KINDS] = {EC_LOG_WARNING, EC_LOG_WARNING, EC_LOG_WARNING,
                                             EC_LOG_ERROR, EC_LOG_INFO};
    static const uint32_t metric[SAY_KINDS] = {METRIC_SKIPPED, METRIC_CUT, UINT32_MAX, METRIC_DOWN,
                                               UINT32_MAX};
    const struct ec_host *h = ((struct capture *)arg)->host;

    sites[what].size = sizeof sites[what];
    sites[what].file = __FILE__;
    h->log(h, level[what], &sites[what], sentence);
    if (metric[what] != UINT32_MAX)
        h->metric(h, metric[what], 1);
}

static const char *uri_rest(const char *uri, const char *scheme)
{
    size_t n = strlen(scheme);

    return !strncmp(uri, scheme, n) && uri[n] == ':' ? uri + n + 1 : uri;
}

/* Takes over what was opened; NULL: why says why. */
static int32_t handle_new(const struct capture *c, struct replay *replay, struct live *live,
                          const char *why, void **to)
{
    struct handle *h;

    if (!replay && !live)
        return c->host->fail(c->host, EC_EIO, why);
    if (!(h = calloc(1, sizeof *h))) {
        replay_close(replay);
        live_close(live);
        return c->host->fail(c->host, EC_ENOMEM, "out of memory");
    }
    h->replay = replay;
    h->live = live;
    *to = h;
    return EC_OK;
}

static int32_t file_open(void *self, const void *state, const char *uri, uint32_t share,
                         uint32_t shares, void **handle)
{
    const struct settings *s = state;
    struct replay_config c = {uri_rest(uri, "file"), s->filter, s->pace, share, shares, {capture_say, self}};
    char why[4608];

    return handle_new(self, replay_open(&c, why, sizeof why), NULL, why, handle);
}

static void live_opened(struct capture *p, struct handle *h, const char *name)
{
    h->interfaces = &p->interfaces;
    p->linktype = live_linktype(h->live);
    snprintf(h->name, sizeof h->name, "%s", name);
    interfaces_live(h->interfaces, h->name, 1);
}

static void live_closed(struct handle *h)
{
    if (!h->interfaces)
        return;
    interfaces_live(h->interfaces, h->name, -1);
    h->interfaces = NULL;
    if (h->demand)
        h->demand->linktype = UINT32_MAX;
}

static struct live *live_make(struct capture *p, const struct settings *s, const char *name, uint32_t share,
                              uint32_t shares, char *why, uint32_t n)
{
    struct live_config c = {
        .interface = name, .filter = s->filter, .snaplen = s->snaplen, .buffer = s->buffer,
        .timeout_ms = s->timeout_ms, .promiscuous = s->promiscuous, .share = share, .shares = shares,
        .iface = p->host->intern(p->host, "iface", name), .fanout = &p->fanout, .by = s->fanout,
        .say = {capture_say, p},
    };

    return live_open(&c, why, n);
}

/* The configuration may be another one when the next interface is asked for: its own copy stays. */
static int32_t demand_open(struct capture *p, const struct settings *s, const char *name, uint32_t share,
                           uint32_t shares, void **handle)
{
    struct handle *h = calloc(1, sizeof *h);
    const char *filter;
    char why[1024];

    if (!h || !(h->set.filter = strdup(s->filter))) {
        free(h);
        return p->host->fail(p->host, EC_ENOMEM, "out of memory");
    }
    filter = h->set.filter;
    h->set = *s;
    h->set.filter = filter;
    h->share = share;
    h->shares = shares;
    h->demand = p;
    if (*name && !(h->live = live_make(p, &h->set, name, share, shares, why, sizeof why))) {
        free((char *)h->set.filter);
        free(h);
        return p->host->fail(p->host, EC_EIO, why);
    }
    if (h->live)
        live_opened(p, h, name);
    demand_enter(&p->demand, name, p->host->now(p->host), &h->serial);
    *handle = h;
    return EC_OK;
}

static int32_t live_source_open(void *self, const void *state, const char *uri, uint32_t share,
                                uint32_t shares, void **handle)
{
    struct capture *p = self;
    const struct settings *s = state;
    const char *name = uri_rest(uri, "live");
    char why[1024];
    int32_t err;

    if (p->on_demand)
        return demand_open(p, s, name, share, shares, handle);
    err = handle_new(self, NULL, live_make(p, s, name, share, shares, why, sizeof why), why, handle);
    if (!err)
        live_opened(p, *handle, name);
    return err;
}

static uint32_t live_standing(void *self, const void *state)
{
    (void)state;
    return ((struct capture *)self)->on_demand;
}

/* What is open is closed, and what it counted is kept; then what is wanted now is opened. */
static void demand_follow(struct handle *h)
{
    uint64_t c[EC_SRC_STATS] = {0};
    char name[DEMAND_NAME], why[1024] = "";
    uint32_t serial = demand_take(&h->demand->demand, name);

    live_closed(h);
    if (h->live)
        live_end(h->live, c, EC_SRC_STATS);
    for (uint32_t i = 0; i < EC_SRC_STATS; i++)
        h->past[i] += c[i];
    h->live = *name ? live_make(h->demand, &h->set, name, h->share, h->shares, why, sizeof why) : NULL;
    if (h->live)
        live_opened(h->demand, h, name);
    h->serial = serial;
    demand_answer(&h->demand->demand, serial, *name && !h->live ? why : NULL);
}

/* Nothing is wanted: until that changes, somebody wakes the worker, or its time is over. */
static uint32_t demand_wait(int32_t wake_fd, uint32_t timeout_ms)
{
    struct pollfd p = {wake_fd, POLLIN, 0};

    return poll(&p, 1, (int)timeout_ms) > 0 ? EC_SRC_INTERRUPTED : EC_SRC_IDLE;
}

static uint32_t source_fetch(void *handle, struct ec_frame *const *f, uint32_t max, int32_t wake_fd,
                             uint32_t timeout_ms, uint32_t *why)
{
    struct handle *h = handle;

    if (h->demand && demand_moved(&h->demand->demand, h->serial))
        demand_follow(h);
    if (h->live)
        return live_fetch(h->live, f, max, wake_fd, timeout_ms, why);
    if (h->replay)
        return replay_fetch(h->replay, f, max, wake_fd, timeout_ms, why);
    *why = demand_wait(wake_fd, timeout_ms);
    return 0;
}

static void source_finish(void *handle, struct ec_frame *const *f, const uint32_t *verdict,
                          uint32_t n)
{
    struct handle *h = handle;

    (void)f;
    (void)verdict;                  /* neither source is inline */
    if (h->replay)
        replay_finish(h->replay, n);
}

/* A replay goes on as it began. */
static void live_reload(void *handle, const void *state)
{
    const struct settings *s = state;
    struct handle *h = handle;
    char *kept;

    if (h->live)
        live_refilter(h->live, s->filter);
    if (h->demand && strcmp(h->set.filter, s->filter) && (kept = strdup(s->filter))) {
        free((char *)h->set.filter);
        h->set.filter = kept;
    }
}

static void source_stats(void *handle, uint64_t *c, uint32_t n)
{
    struct handle *h = handle;

    if (h->live)
        live_stats(h->live, c, n);
    else if (h->replay)
        replay_stats(h->replay, c, n);
    else
        memset(c, 0, n * sizeof *c);
    for (uint32_t i = 0; i < n && i < EC_SRC_STATS; i++)
        c[i] += h->past[i];
}

static void source_close(void *handle)
{
    struct handle *h = handle;

    live_closed(h);
    if (h->demand)
        demand_leave(&h->demand->demand, h->serial);
    replay_close(h->replay);
    live_close(h->live);
    free((char *)h->set.filter);
    free(h);
}

static int32_t capture_create(const struct ec_host *host, void **self)
{
    struct capture *p = *self = calloc(1, sizeof *p);

    if (!p)
        return host->fail(host, EC_ENOMEM, "out of memory");
    p->host = host;
    fanout_init(&p->fanout);
    pthread_mutex_init(&p->interfaces.lock, NULL);
    demand_init(&p->demand);
    p->linktype = UINT32_MAX;
    return EC_OK;
}

static int32_t capture_setup(void *self)
{
    struct capture *p = self;
    int32_t err = EC_OK;

    interfaces_declare(&p->interfaces, p->host);
    p->http = p->host->use(p->host, EC_HTTP_ID, &p->http_self);
    for (uint32_t i = 0; p->http && !err && i < capture_n_route; i++)
        err = p->http->route(p->http_self, p->host, &capture_routes[i], p);
    return err;
}

/* A filter has to make sense for the interface that is open, else for at least one of the usual link types; which one a
 * capture has is seen later. */
static int filter_usable(uint32_t linktype, const char *text, char *why, uint32_t n)
{
    static const uint32_t usual[] = {LINKTYPE_ETHERNET, LINKTYPE_RAW, LINKTYPE_LINUX_SLL, 105, 127};
    char other[1024];

    if (*text && linktype != UINT32_MAX)
        return !filter_check(text, linktype, why, n);
    if (!*text || !filter_check(text, usual[0], why, n))
        return 1;
    for (size_t i = 1; i < sizeof usual / sizeof *usual; i++)
        if (!filter_check(text, usual[i], other, sizeof other))
            return 1;
    return 0;
}

static int64_t number(const struct capture *p, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    p->host->conf_num(c, name, 0, &v);
    return v;
}

static int32_t capture_configure(void *self, const struct ec_conf *c, void **state)
{
    struct capture *p = self;
    struct settings *s = calloc(1, sizeof *s);
    const char *where = p->host->conf_where(c, "filter", 0),
               *filter = p->host->conf_text(c, "filter", 0);
    char why[1024];

    if (!s)
        return p->host->fail(p->host, EC_ENOMEM, "out of memory");
    s->filter = filter ? filter : "";
    p->host->conf_f64(c, "pace", 0, &s->pace);
    if (!filter_usable(p->linktype, s->filter, why, sizeof why)) {
        free(s);
        return ec_failf(p->host, EC_EINVAL, "%s%scapture.filter: %s", where ? where : "",
                        where ? ": " : "", why);
    }
    s->snaplen = (uint32_t)number(p, c, "snaplen");
    s->buffer = (uint32_t)number(p, c, "buffer");
    s->timeout_ms = (uint32_t)(number(p, c, "timeout") / 1000000);
    s->promiscuous = (uint32_t)number(p, c, "promiscuous");
    s->fanout = (uint32_t)number(p, c, "fanout");
    s->on_demand = (uint32_t)number(p, c, "on_demand");
    if (!p->configured)             /* later it waits for a restart: CAP_NET_RAW is gone, or stays */
        p->on_demand = s->on_demand != 0;
    p->configured = true;
    *state = s;
    return EC_OK;
}

static void capture_state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static void capture_destroy(void *self)
{
    struct capture *p = self;

    pthread_mutex_destroy(&p->interfaces.lock);
    fanout_fini(&p->fanout);
    demand_fini(&p->demand);
    free(p);
}

static const struct ec_source file_source = {
    sizeof file_source, EC_SOURCE_MAY_WAIT, "file",
    file_open, source_fetch, source_finish, source_stats, source_close, NULL, NULL,
};
static const struct ec_source live_source = {
    sizeof live_source, EC_SOURCE_NET_RAW, "live",
    live_source_open, source_fetch, source_finish, source_stats, source_close, live_standing,
    live_reload,
};
static const struct ec_offer offers[] = {
    {sizeof(struct ec_offer), 0, EC_SOURCE_ID, &file_source},
    {sizeof(struct ec_offer), 0, EC_SOURCE_ID, &live_source},
    {sizeof(struct ec_offer), 0, EC_CAPTURE_ID, &capture_service},
};
static const struct ec_use uses[] = {
    {sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID},
};

static const struct ec_plugin capture = {
    .size = sizeof capture,
    .abi_major = EC_ABI_MAJOR,
    .api_level = EC_API_LEVEL,
    .id = "ecyber.capture",
    .name = "capture",
    .version = PACKAGE_VERSION,
    .summary = "packets from capture files and live interfaces",
    .license = "MIT",
    .n_use = sizeof uses / sizeof *uses,
    .use_stride = sizeof *uses,
    .use = uses,
    .n_offer = sizeof offers / sizeof *offers,
    .offer_stride = sizeof *offers,
    .offer = offers,
    .n_metric = sizeof metrics / sizeof *metrics,
    .metric_stride = sizeof *metrics,
    .metric = metrics,
    .options = &options,
    .create = capture_create,
    .setup = capture_setup,
    .configure = capture_configure,
    .state_free = capture_state_free,
    .destroy = capture_destroy,
};
EC_PLUGIN(capture)
