#include "plugins/network/devices.h"

#include <stdlib.h>
#include <string.h>

bool devices_open(struct devices *t, uint32_t max)
{
    uint32_t slots = 64;

    while (slots < max)
        slots *= 2;
    *t = (struct devices){ .max = max, .mask = slots - 1 };
    t->slot = calloc(slots, sizeof *t->slot);
    t->d = malloc(max * sizeof *t->d);
    if (t->slot && t->d)
        return true;
    devices_close(t);
    return false;
}

void devices_close(struct devices *t)
{
    free(t->slot);
    free(t->d);
    t->slot = NULL;
    t->d = NULL;
    t->n = 0;
}

/* The table is small and its chains are only as long as somebody makes them: multiply and fold all bytes. */
static uint32_t slot_of(const struct devices *t, const uint8_t ip[16])
{
    uint64_t w[2];

    memcpy(w, ip, sizeof w);
    w[0] = (w[0] ^ w[1] * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);
    w[0] ^= w[0] >> 32;
    return (uint32_t)(w[0] * UINT64_C(0xd6e8feb86659fd93) >> 32) & t->mask;
}

static void order_out(struct devices *t, struct device *d)
{
    if (d->older)
        t->d[d->older - 1].newer = d->newer;
    else
        t->oldest = d->newer;
    if (d->newer)
        t->d[d->newer - 1].older = d->older;
    else
        t->newest = d->older;
}

static void order_in(struct devices *t, struct device *d)
{
    uint32_t self = (uint32_t)(d - t->d) + 1;

    d->newer = 0;
    d->older = t->newest;
    if (t->newest)
        t->d[t->newest - 1].newer = self;
    else
        t->oldest = self;
    t->newest = self;
}

static void slot_out(struct devices *t, const struct device *d)
{
    uint32_t *at = &t->slot[slot_of(t, d->ip)], self = (uint32_t)(d - t->d) + 1;

    while (*at != self)
        at = &t->d[*at - 1].next;
    *at = d->next;
}

static struct device *room(struct devices *t)
{
    struct device *d;

    if (t->n < t->max)
        return &t->d[t->n++];
    d = &t->d[t->oldest - 1];
    order_out(t, d);
    slot_out(t, d);
    t->evicted++;
    return d;
}

struct device *devices_see(struct devices *t, const uint8_t ip[16], uint64_t at_ns)
{
    uint32_t *slot = &t->slot[slot_of(t, ip)], i = *slot;
    struct device *d;

    while (i && memcmp(t->d[i - 1].ip, ip, 16))
        i = t->d[i - 1].next;
    if (i) {
        d = &t->d[i - 1];
        order_out(t, d);
    } else {
        d = room(t);
        *d = (struct device){ .first_ns = at_ns, .last_ns = at_ns, .next = *slot };
        memcpy(d->ip, ip, 16);
        *slot = (uint32_t)(d - t->d) + 1;
    }
    if (at_ns < d->first_ns)
        d->first_ns = at_ns;
    if (at_ns > d->last_ns)
        d->last_ns = at_ns;
    order_in(t, d);
    return d;
}

void devices_zero(struct devices *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        struct device *d = &t->d[i];

        memset(d->bytes, 0, sizeof d->bytes);
        memset(d->packets, 0, sizeof d->packets);
        d->flows = d->alerts = 0;
    }
}
