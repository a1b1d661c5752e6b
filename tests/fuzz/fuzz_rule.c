/* The rule parser on any text; what loads is also matched against that text. */
/* covers: plugins/ids/rule/[a-z]*.c plugins/ids/keyword/[a-z]*.c */
#include "plugins/ids/keyword/pcre.h"
#include "plugins/ids/match/verify.h"
#include "plugins/ids/rule/set.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t fuzz_intern(void *arg, const char *space, const char *name)
{
    uint32_t h = 1;

    (void)arg, (void)space;
    for (; *name; name++)
        h = h * 31 + (unsigned char)*name;
    return h % 1000 + 1;
}

static uint32_t fuzz_proto(void *arg, const char *name)
{
    (void)arg;
    return !strcmp(name, "http") ? 1 : !strcmp(name, "dns") ? 2 : 0;
}

/* Buffers of two protocols, one of them with two directions. */
static int32_t fuzz_slot(void *arg, const char *name, uint32_t i, struct ec_slot *out)
{
    (void)arg;
    if (i > 1 || (strncmp(name, "http.", 5) && strcmp(name, "dns.query")))
        return EC_ENOENT;
    out->proto = name[0] == 'h' ? 1 : 2;
    out->slot = (uint32_t)strlen(name) % EC_SLOTS_MAX;
    out->dir = i;
    out->kind = EC_BUF_KIND_TX;
    return 0;
}

static int32_t fuzz_anomaly(void *arg, uint32_t i, struct ec_anomaly *out)
{
    static const struct ec_anomaly all[] = {
        { sizeof *all, EC_ANOMALY_DECODE, 0, 0, "decoder.ipv4.trunc_pkt" },
        { sizeof *all, EC_ANOMALY_DECODE, 1, 0, "decoder.tcp.csum_invalid" },
        { sizeof *all, EC_ANOMALY_STREAM, 2, 0, "stream.reassembly_seq_gap" },
        { sizeof *all, EC_ANOMALY_DETECT, 3, 0, "APPLAYER_WRONG_DIRECTION_FIRST_DATA" },
        { sizeof *all, EC_ANOMALY_PROTO, 0, 1, "MISSING_HOST_HEADER" } };

    (void)arg;
    if (i >= sizeof all / sizeof *all)
        return EC_ENOENT;
    *out = all[i];
    return 0;
}

static void fuzz_match(const struct rule *r, struct pcre_thread *pcre, const uint8_t *data, size_t size)
{
    for (uint32_t i = 0; i < r->n_chain; i++) {
        struct verify v = { .data = data, .len = (uint32_t)size, .base = i * 100, .fresh = i, .pcre = pcre };

        if (!verify_chain(&v, r->chain[i]))
            continue;
        for (uint32_t k = 0; k < r->chain[i]->n; k++)
            if (!(r->chain[i]->element[k]->flags & ELEMENT_NEGATED) && v.place[k].off + v.place[k].len > size)
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pcre_thread *pcre;
    struct env env = { .slot = fuzz_slot, .intern = fuzz_intern, .proto = fuzz_proto, .anomaly = fuzz_anomaly,
                       .hosts = true };
    struct ruleset *s = ruleset_new();
    struct rule *const *r;
    uint32_t n;

    if (!pcre)
        pcre = pcre_thread_new(1000, 100);
    if (!s || size > 1 << 20)
        abort();
    ruleset_text(s, &env, "fuzz.rules", (const char *)data, size);
    if (!ruleset_finish(s))
        abort();
    r = ruleset_rules(s, &n);
    for (uint32_t i = 0; i < n; i++)
        fuzz_match(r[i], pcre, data, size);
    ruleset_free(s);
    return 0;
}
