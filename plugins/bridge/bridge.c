/* The glue between the bridge's engine and the plugin interface: the source "bridge:IF1,IF2". */
#include "buildconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/bridge/hand.h"

enum { METRIC_DOWN = HAND_COUNTS };

#define FRAMES(name, help) { sizeof(struct ec_metric), EC_METRIC_COUNTER, (name), "frames", (help) }

static const struct ec_metric metrics[] = {
    [HAND_SENT] = FRAMES("sent", "frames that left, answers to rejected ones included"),
    [HAND_HELD] = FRAMES("held", "frames that their verdict kept back"),
    [HAND_TAGS] = FRAMES("tags", "frames that got back the VLAN tag that the kernel takes out"),
    [HAND_ANSWERS] = FRAMES("reject_answers", "TCP resets and ICMP errors that answer what a rule rejected"),
    [HAND_SILENT] = FRAMES("reject_limited", "answers that were not sent, for there were 1,000 in that second"),
    [HAND_LOST + RING_DOWN] = FRAMES("dropped.down", "that did not cross: the other interface was down, or away"),
    [HAND_LOST + RING_FULL] = FRAMES("dropped.full", "that did not cross: the other interface's queue was full"),
    [HAND_LOST + RING_LONG] = FRAMES("dropped.long",
                                     "that did not cross: longer than the other interface's MTU; give both the same"),
    [HAND_LOST + RING_REFUSED] = FRAMES("dropped.refused", "that did not cross: the kernel would not send them"),
    [METRIC_DOWN] = { sizeof(struct ec_metric), EC_METRIC_COUNTER, "interface_down", "times",
                      "an interface of the bridge went away" },
};

static const struct ec_row option_rows[] = {
    EC_OPTION_ENUM(0, "fail", "closed,open", "closed",
                   "what crosses while the daemon does not run, however it ended: closed: nothing; open: everything, "
                   "by the kernel (needs CAP_NET_ADMIN)"),
    EC_OPTION(SIZE, 0, "buffer", "16MiB", 1 << 20, 1 << 30, "bytes",
              "size of the kernel's ring, for each worker and direction"),
    EC_OPTION_ENUM(0, "offloads", "off,keep", "off",
                   "off: packets are looked at as they came over the wire; keep: as the card or the kernel put them "
                   "together, up to 64 KiB each, which is faster"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

struct settings { uint32_t buffer, keep, open; };

struct bridge {
    const struct ec_host *host;
    struct pair pair;
};

struct handle {
    const struct bridge *bridge;
    struct hand *hand;
    uint32_t worker;
};

static void bridge_say(void *arg, enum say_what what, const char *sentence)
{
    static struct ec_site sites[SAY_KINDS];     /* a limit of its own for each kind */
    static const int32_t level[SAY_KINDS] = { EC_LOG_ERROR, EC_LOG_INFO, EC_LOG_WARNING, EC_LOG_INFO, EC_LOG_WARNING };
    const struct ec_host *h = ((struct bridge *)arg)->host;

    sites[what].size = sizeof sites[what];
    sites[what].file = __FILE__;
    h->log(h, level[what], &sites[what], sentence);
    if (what == SAY_DOWN)
        h->metric(h, METRIC_DOWN, 1);
}

static int32_t source_open(void *self, const void *state, const char *uri, uint32_t share, uint32_t shares,
                           void **handle)
{
    struct bridge *b = self;
    const struct settings *s = state;
    const char *names = strncmp(uri, "bridge:", 7) ? uri : uri + 7;
    struct pair_config c = { s->buffer, s->keep, s->open, b->host->state_dir(b->host), { bridge_say, b } };
    struct handle *h = calloc(1, sizeof *h);
    uint32_t iface[2];
    char why[1024];

    if (!h)
        return b->host->fail(b->host, EC_ENOMEM, "out of memory");
    if (pair_enter(&b->pair, names, &c, shares, why, sizeof why)) {
        free(h);
        return b->host->fail(b->host, EC_EIO, why);
    }
    for (uint32_t i = 0; i < 2; i++)
        iface[i] = b->host->intern(b->host, "iface", b->pair.side[i].name);
    h->bridge = b;
    h->worker = share;
    h->hand = hand_open(&b->pair, share, iface);
    if (!h->hand) {
        pair_leave(&b->pair);
        free(h);
        return b->host->fail(b->host, EC_ENOMEM, "out of memory");
    }
    *handle = h;
    return EC_OK;
}

static uint32_t source_fetch(void *handle, struct ec_frame *const *f, uint32_t max, int32_t wake_fd,
                             uint32_t timeout_ms, uint32_t *why)
{
    return hand_fetch(((struct handle *)handle)->hand, f, max, wake_fd, timeout_ms, why);
}

static void source_finish(void *handle, struct ec_frame *const *f, const uint32_t *verdict, uint32_t n)
{
    (void)f;
    hand_finish(((struct handle *)handle)->hand, verdict, n);
}

static void source_stats(void *handle, uint64_t *c, uint32_t n)
{
    struct handle *h = handle;
    const struct ec_host *host = h->bridge->host;
    uint64_t *cells = host->cells(host, h->worker);

    hand_stats(h->hand, c, n);
    hand_counts(h->hand, cells);    /* the first metrics are these */
}

static void source_close(void *handle)
{
    hand_close(((struct handle *)handle)->hand);
    free(handle);
}

static int32_t bridge_create(const struct ec_host *host, void **self)
{
    struct bridge *b = *self = calloc(1, sizeof *b);

    if (!b)
        return host->fail(host, EC_ENOMEM, "out of memory");
    b->host = host;
    pair_init(&b->pair);
    return EC_OK;
}

static uint32_t number(const struct bridge *b, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    b->host->conf_num(c, name, 0, &v);
    return (uint32_t)v;
}

static int32_t bridge_configure(void *self, const struct ec_conf *c, void **state)
{
    struct bridge *b = self;
    struct settings *s = calloc(1, sizeof *s);

    if (!s)
        return b->host->fail(b->host, EC_ENOMEM, "out of memory");
    s->buffer = number(b, c, "buffer");
    s->keep = number(b, c, "offloads");
    s->open = number(b, c, "fail");
    *state = s;
    return EC_OK;
}

static void bridge_state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static int32_t bridge_start(void *self, const void *state)
{
    struct bridge *b = self;
    const struct say to = { bridge_say, b };

    pair_recover(b->host->state_dir(b->host), ((const struct settings *)state)->open, &to);
    return EC_OK;
}

static void bridge_destroy(void *self)
{
    struct bridge *b = self;

    pair_fini(&b->pair);
    free(b);
}

static const struct ec_source source = {
    sizeof source, EC_SOURCE_VERDICTS | EC_SOURCE_NET_RAW | EC_SOURCE_NET_ADMIN, "bridge",
    source_open, source_fetch, source_finish, source_stats, source_close, NULL, NULL,
};
static const struct ec_offer offers[] = {
    { sizeof(struct ec_offer), 0, EC_SOURCE_ID, &source },
};

static const struct ec_plugin bridge = {
    .size = sizeof bridge,
    .abi_major = EC_ABI_MAJOR,
    .api_level = EC_API_LEVEL,
    .id = "ecyber.bridge",
    .name = "bridge",
    .version = PACKAGE_VERSION,
    .summary = "packets that cross between two interfaces, and only by their verdict",
    .license = "MIT",
    .n_offer = sizeof offers / sizeof *offers,
    .offer_stride = sizeof *offers,
    .offer = offers,
    .n_metric = sizeof metrics / sizeof *metrics,
    .metric_stride = sizeof *metrics,
    .metric = metrics,
    .options = &options,
    .create = bridge_create,
    .configure = bridge_configure,
    .state_free = bridge_state_free,
    .start = bridge_start,
    .destroy = bridge_destroy,
};
EC_PLUGIN(bridge)
