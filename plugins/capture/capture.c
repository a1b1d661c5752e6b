/* The glue between the capture engine and the plugin interface: two sources, "file" and "live". */
#include "buildconf.h"

#define EC_API_LEVEL 1
#include <ecyber/ext/source.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/capture/filter.h"
#include "plugins/capture/interfaces.h"
#include "plugins/capture/linktype.h"
#include "plugins/capture/live.h"
#include "plugins/capture/replay.h"

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
    EC_OPTION(TEXT, 0, "filter", "", 0, 4096, NULL,
              "BPF expression (pcap-filter(7)): only these packets are looked at; empty: all"),
    EC_OPTION(U32, 0, "snaplen", "262144", 64, 262144, "bytes",
              "live: of each packet, at most so much is taken"),
    EC_OPTION(SIZE, 0, "buffer", "64MiB", 1 << 20, 1 << 30, "bytes",
              "live: size of the kernel's ring, for each worker"),
    EC_OPTION(BOOL, 0, "promiscuous", "true", 0, 0, NULL,
              "live: also take packets for other machines"),
    EC_OPTION(DURATION, 0, "timeout", "50ms", 10000000, 100000000, NULL,
              "live: after so long the kernel hands over packets though its block is not full"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

struct capture {
    const struct ec_host *host;
    struct fanout fanout;
    struct interfaces interfaces;
};

struct settings {
    const char *filter;             /* the configuration's, as long as this state */
    uint32_t snaplen, buffer, timeout_ms, promiscuous;
};

struct handle {                     /* one of both */
    struct replay *replay;
    struct live *live;
    struct interfaces *interfaces;  /* of live: who is told when it is closed */
    char name[64];
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
    struct replay_config c = {uri_rest(uri, "file"), s->filter, share, shares, {capture_say, self}};
    char why[4608];

    return handle_new(self, replay_open(&c, why, sizeof why), NULL, why, handle);
}

static int32_t live_source_open(void *self, const void *state, const char *uri, uint32_t share,
                                uint32_t shares, void **handle)
{
    struct capture *p = self;
    const struct settings *s = state;
    const char *name = uri_rest(uri, "live");
    struct live_config c = {
        .interface = name, .filter = s->filter, .snaplen = s->snaplen, .buffer = s->buffer,
        .timeout_ms = s->timeout_ms, .promiscuous = s->promiscuous, .share = share, .shares = shares,
        .iface = p->host->intern(p->host, "iface", name), .fanout = &p->fanout,
        .say = {capture_say, self},
    };
    char why[1024];
    int32_t err = handle_new(self, NULL, live_open(&c, why, sizeof why), why, handle);

    if (!err) {
        struct handle *h = *handle;

        h->interfaces = &p->interfaces;
        snprintf(h->name, sizeof h->name, "%s", name);
        interfaces_live(h->interfaces, h->name, 1);
    }
    return err;
}

static uint32_t source_fetch(void *handle, struct ec_frame *const *f, uint32_t max, int32_t wake_fd,
                             uint32_t timeout_ms, uint32_t *why)
{
    struct handle *h = handle;

    return h->live ? live_fetch(h->live, f, max, wake_fd, timeout_ms, why)
                   : replay_fetch(h->replay, f, max, wake_fd, timeout_ms, why);
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

static void source_stats(void *handle, uint64_t *c, uint32_t n)
{
    struct handle *h = handle;

    if (h->live)
        live_stats(h->live, c, n);
    else
        replay_stats(h->replay, c, n);
}

static void source_close(void *handle)
{
    struct handle *h = handle;

    if (h->interfaces)
        interfaces_live(h->interfaces, h->name, -1);
    replay_close(h->replay);
    live_close(h->live);
    free(h);
}

static int32_t capture_create(const struct ec_host *host, void **self)
{
    struct capture *p = *self = calloc(1, sizeof *p);

    if (!p)
        return host->fail(host, EC_ENOMEM, "out of memory");
    p->host = host;
    pthread_mutex_init(&p->fanout.lock, NULL);
    pthread_mutex_init(&p->interfaces.lock, NULL);
    return EC_OK;
}

static int32_t capture_setup(void *self)
{
    struct capture *p = self;

    interfaces_declare(&p->interfaces, p->host);
    return EC_OK;
}

/* A filter has to make sense for at least one of the usual link types; which one a capture has is
 * seen later. */
static int filter_usable(const char *text, char *why, uint32_t n)
{
    static const uint32_t usual[] = {LINKTYPE_ETHERNET, LINKTYPE_RAW, LINKTYPE_LINUX_SLL, 105, 127};
    char other[1024];

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
    if (!filter_usable(s->filter, why, sizeof why)) {
        free(s);
        return ec_failf(p->host, EC_EINVAL, "%s%scapture.filter: %s", where ? where : "",
                        where ? ": " : "", why);
    }
    s->snaplen = (uint32_t)number(p, c, "snaplen");
    s->buffer = (uint32_t)number(p, c, "buffer");
    s->timeout_ms = (uint32_t)(number(p, c, "timeout") / 1000000);
    s->promiscuous = (uint32_t)number(p, c, "promiscuous");
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
    pthread_mutex_destroy(&p->fanout.lock);
    free(p);
}

static const struct ec_source file_source = {
    sizeof file_source, EC_SOURCE_MAY_WAIT, "file",
    file_open, source_fetch, source_finish, source_stats, source_close,
};
static const struct ec_source live_source = {
    sizeof live_source, EC_SOURCE_NET_RAW, "live",
    live_source_open, source_fetch, source_finish, source_stats, source_close,
};
static const struct ec_offer offers[] = {
    {sizeof(struct ec_offer), 0, EC_SOURCE_ID, &file_source},
    {sizeof(struct ec_offer), 0, EC_SOURCE_ID, &live_source},
};

static const struct ec_use use_http = {
    sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID };

static const struct ec_plugin capture = {
    .size = sizeof capture,
    .abi_major = EC_ABI_MAJOR,
    .api_level = EC_API_LEVEL,
    .id = "ecyber.capture",
    .name = "capture",
    .version = PACKAGE_VERSION,
    .summary = "packets from capture files and live interfaces",
    .license = "MIT",
    .n_use = 1,
    .use_stride = sizeof use_http,
    .use = &use_http,
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
