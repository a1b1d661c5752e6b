/* The whole engine on the frames of a classic pcap file: decode, flows, streams, protocols; no
 * inspector. */
/* covers: plugins/traffic/decode/[a-z]*.c plugins/traffic/defrag/[a-z]*.c plugins/traffic/flow/tcp.c
 * plugins/traffic/flow/key.c plugins/traffic/stream/[a-z]*.c */
#include <stdlib.h>

#include "sdk/testhost/testhost.h"
#include <ecyber/ext/stage.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const struct ec_plugin *ec_plugin_entry_1(void);

#define FILE_HEAD 24u
#define RECORD_HEAD 16u
#define BATCH 8u

#define HOSTS 8u

static struct testhost *host, *hosts[HOSTS];    /* each with a policy of its own; every other one verifies checksums */
static const struct ec_stage *stage;

static uint32_t le32(const uint8_t *d)
{
    return (uint32_t)d[0] | (uint32_t)d[1] << 8 | (uint32_t)d[2] << 16 | (uint32_t)d[3] << 24;
}

static void give(struct ec_frame *const *f, uint32_t n)
{
    void *self = testhost_self(host), *w = testhost_worker(host);
    const void *state = testhost_state(host);

    stage->prepare(self, w, state, 0, f, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t verdict = 0;
        stage->packet(self, w, state, 0, i, f[i], &verdict);
        free((void *)(uintptr_t)f[i]->data);
    }
    stage->idle(self, w, state, 0, f[n - 1]->ts_ns);
}

/* An exact copy of each packet lets a sanitizer see a read past its end. Returns the bytes used, 0:
 * the end. */
static size_t record_read(const uint8_t *d, size_t left, struct ec_frame *f)
{
    uint32_t caplen, wirelen;
    uint8_t *copy;

    if (left < RECORD_HEAD)
        return 0;
    caplen = le32(d + 8);
    wirelen = le32(d + 12);
    if (caplen > left - RECORD_HEAD)
        caplen = (uint32_t)(left - RECORD_HEAD);
    if (!(copy = malloc(caplen ? caplen : 1)))
        return 0;
    memcpy(copy, d + RECORD_HEAD, caplen);
    f->data = copy;
    f->ts_ns = le32(d) * UINT64_C(1000000000) + le32(d + 4) * UINT64_C(1000);
    f->caplen = caplen;
    f->wirelen = wirelen < caplen ? caplen : wirelen;
    return RECORD_HEAD + caplen;
}

static void start(uint32_t k)
{
    static const char *const policy[HOSTS] = { "bsd",       "bsd",   "first",   "last",
                                               "bsd_right", "linux", "windows", "solaris" };

    host = hosts[k] = testhost_new(ec_plugin_entry_1());
    testhost_option(host, "checksums", k & 1 ? "true" : "false");
    testhost_option(host, "defrag.policy", policy[k]);
    testhost_option(host, "stream.midstream", "true");
    testhost_option(host, "hash_key", "000102030405060708090a0b0c0d0e0f");
    if (testhost_start(host) != EC_OK || !(stage = testhost_offer(host, EC_STAGE_ID)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ec_frame frame[BATCH], *f[BATCH];
    uint32_t n = 0, link;
    uint64_t count = 0;

    if (size < FILE_HEAD)
        return 0;
    host = hosts[data[8] % HOSTS];  /* the file's time zone, which nobody uses */
    if (!host)
        start(data[8] % HOSTS);
    link = le32(data + 20) & 0x0fffffff;
    for (size_t at = FILE_HEAD, used; ; at += used) {
        memset(&frame[n], 0, sizeof frame[n]);
        if (!(used = record_read(data + at, size - at, &frame[n])))
            break;
        frame[n].size = sizeof frame[n];
        frame[n].flags = EC_FR_REPLAY;
        frame[n].linktype = link;
        frame[n].count = ++count;
        f[n] = &frame[n];
        if (++n == BATCH) {
            give(f, n);
            n = 0;
        }
    }
    if (n)
        give(f, n);
    while (stage->finish(testhost_self(host), testhost_worker(host), testhost_state(host), 0,
                         EC_STAGE_END_SOURCE)) {
    }
    testhost_forget(host);
    return 0;
}
