/* kind_source.c: the kind 'packet source': numbered UDP datagrams from memory, "synth:COUNT", or "synth:COUNT:hold" to
 * stay open behind the last one; "rush:…" is the same, but never waits for readers; "rush:COUNT:NUMBER" sends so many
 * a second. With several workers each takes its share by flow, as a capture does. */
#define EC_API_LEVEL 1
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/source.h>

#define FRAME 64
#define FLOWS 16                    /* source ports that the datagrams go round */
#define BATCH 64
#define LINKTYPE_RAW 101

struct source { const struct ec_host *host; };
struct handle {
    uint64_t next, end, delivered, began, rate;     /* ns of clock_ns(); a second, 0: no bound */
    uint32_t share, shares, hold;
    uint8_t data[BATCH][FRAME];
};

static uint64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int32_t source_open(void *self, const void *state, const char *uri, uint32_t share, uint32_t shares, void **out)
{
    struct source *s = self;
    struct handle *h = calloc(1, sizeof *h);
    char *rest;

    (void)state;
    if (!h)
        return s->host->fail(s->host, EC_ENOMEM, "out of memory");
    h->next = 1;
    h->end = strtoull(strchr(uri, ':') + 1, &rest, 10);
    h->rate = *rest ? strtoull(rest + 1, NULL, 10) : 0;
    h->began = clock_ns();
    h->hold = strstr(uri, ":hold") != NULL;
    h->share = share;
    h->shares = shares;
    *out = h;
    return EC_OK;
}

/* IPv4 10.1.0.1:2000+n → 10.1.0.2:9, the payload is the number in ASCII. */
static void frame_fill(struct handle *h, struct ec_frame *f, uint32_t slot, uint64_t n)
{
    static const uint8_t head[28] = {
        0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0 };
    uint8_t *d = h->data[slot];
    uint32_t len = (uint32_t)snprintf((char *)d + 28, FRAME - 28, "%llu", (unsigned long long)n);
    uint16_t port = (uint16_t)(2000 + n % FLOWS);

    memcpy(d, head, sizeof head);
    d[3] = (uint8_t)(28 + len);
    d[20] = (uint8_t)(port >> 8);
    d[21] = (uint8_t)port;
    d[25] = (uint8_t)(8 + len);
    f->flags = EC_FR_REPLAY | EC_FR_CSUM_OK;
    f->data = d;
    f->ts_ns = UINT64_C(1700000000000000000) + n * 1000;
    f->count = n;
    f->caplen = f->wirelen = 28 + len;
    f->linktype = LINKTYPE_RAW;
    f->iface = 0;
}

static uint32_t source_fetch(void *handle, struct ec_frame *const *f, uint32_t max, int32_t wake_fd,
                             uint32_t timeout_ms, uint32_t *why)
{
    struct handle *h = handle;
    uint64_t due = h->rate ? (clock_ns() - h->began) * h->rate / 1000000000u : h->end;
    uint64_t end = due < h->end ? due : h->end;
    uint32_t n = 0;

    for (; n < max && n < BATCH && h->next <= end; h->next++)
        if (h->next % FLOWS % h->shares == h->share) {
            frame_fill(h, f[n], n, h->next);
            n++;
        }
    h->delivered += n;
    *why = h->next <= end ? EC_SRC_MORE : h->hold || end < h->end ? EC_SRC_IDLE : EC_SRC_END;
    if (!n && *why == EC_SRC_IDLE) {
        struct pollfd p = { wake_fd, POLLIN, 0 };
        poll(&p, 1, end < h->end && timeout_ms > 10 ? 10 : (int)timeout_ms);
    }
    return n;
}

static void source_finish(void *handle, struct ec_frame *const *f, const uint32_t *verdict, uint32_t n)
{
    (void)handle;
    (void)f;
    (void)verdict;
    (void)n;
}

static void source_stats(void *handle, uint64_t *c, uint32_t n)
{
    const struct handle *h = handle;
    uint64_t all[EC_SRC_STATS] = { h->next - 1, h->delivered, 0, 0, h->next - 1 - h->delivered, 0, h->delivered * FRAME };

    memcpy(c, all, sizeof all[0] * (n < EC_SRC_STATS ? n : EC_SRC_STATS));
}

static const struct ec_source source = {
    sizeof source, EC_SOURCE_MAY_WAIT, "synth", source_open, source_fetch, source_finish, source_stats, free, NULL, NULL };
/* The same without patience: a live interface does not wait for slow readers either. */
static const struct ec_source rush = {
    sizeof rush, 0, "rush", source_open, source_fetch, source_finish, source_stats, free, NULL, NULL };
static const struct ec_offer offers[] = {
    { sizeof(struct ec_offer), 0, EC_SOURCE_ID, &source }, { sizeof(struct ec_offer), 0, EC_SOURCE_ID, &rush } };

static int32_t source_create(const struct ec_host *h, void **self)
{
    struct source *s = *self = calloc(1, sizeof *s);

    return s ? (s->host = h, EC_OK) : EC_ENOMEM;
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.source", "kind_source", "1", "numbered datagrams", "MIT", NULL,
    0, 0, 2, sizeof offers[0], 0, 0, NULL, offers, NULL, NULL,
    source_create, NULL, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
