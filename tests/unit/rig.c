#include "tests/unit/rig.h"

#include "core/metric.h"
#include "core/topic.h"
#include "core/worker.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct rig rig;

/* A bench has no test that could fail. */
static void must(int err, const char *why)
{
    if (!err)
        return;
    fprintf(stderr, "rig: error %d: %s\n", err, why);
    abort();
}

static const struct ec_row rows[] = {
    EC_FIELD(U64, 0, struct rig_note, n, "n", NULL, "a number"),
    EC_FIELD(BYTES, 0, struct rig_note, pad, "pad", NULL, "bytes"),
};
static const struct ec_record record = EC_RECORD_PART(struct rig_note, rows);

#define TOPIC(flags, name, root) { sizeof(struct ec_topic), flags, name, root, &record, NULL, "for tests" }
static const struct ec_topic topics[] = {
    TOPIC(EC_TOPIC_EVENT, "t.a/1", "a"),
    TOPIC(EC_TOPIC_EVENT, "t.b/1", "b"),
    TOPIC(EC_TOPIC_EVENT | EC_TOPIC_RESERVED, "t.reserved/1", "reserved"),
    TOPIC(EC_TOPIC_EVENT | EC_TOPIC_WALL, "t.wall/1", "wall"),
    TOPIC(EC_TOPIC_ATTRIBUTE, "t.look/1", "look"),
};

void rig_sleep_us(uint32_t us)
{
    struct timespec t = { us / 1000000, (long)(us % 1000000) * 1000 };

    nanosleep(&t, NULL);
}

void rig_open(const struct bus_config *c)
{
    uint32_t *ids[] = { &rig.a, &rig.b, &rig.reserved, &rig.wall, &rig.look };
    char why[1024] = "";

    memset(&rig, 0, sizeof rig);
    topic_reset();
    metric_reset();
    worker_reset();
    rig.source.d.name = "source";
    for (uint32_t i = 0; i < RIG_SINKS; i++) {
        rig.sink[i].instance.d.name = "sink";
        rig.sink[i].instance.index = i;
        rig.sink[i].instance.self = &rig.sink[i];
    }
    for (uint32_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        must(topic_declare(&rig.source, &topics[i], ids[i], why, sizeof why), why);
    must(bus_create(c), "bus_create");
    must(metric_workers(c->workers ? c->workers : 1), "metric_workers");
}

void rig_start(void)
{
    must(bus_start(), "bus_start");
}

void rig_close(void)
{
    bus_free();
    topic_reset();
    metric_reset();
}

static void sink_event(void *self, const void *state, const struct ec_event *ev)
{
    struct rig_sink *s = self;
    uint32_t p = ev->publisher == EC_PUB_MAILBOX ? RIG_PUBLISHERS - 1 : ev->publisher;
    uint32_t note, slow = atomic_load_explicit(&s->slow_us, memory_order_relaxed);

    (void)state;
    atomic_store(&s->inside, true);
    if (ev->seq <= s->last[p])
        atomic_fetch_add(&s->disorder, 1);
    else
        atomic_fetch_add_explicit(&s->gaps[p], ev->seq - s->last[p] - 1, memory_order_relaxed);
    s->last[p] = ev->seq;
    note = atomic_fetch_add(&s->notes, 1);
    if (note < RIG_NOTES)
        s->note[note] = ((const struct rig_note *)(const void *)ec_part_first(ev))->n;
    atomic_fetch_add_explicit(&s->got[p], 1, memory_order_release);
    if (slow)
        rig_sleep_us(slow);
    while (atomic_load(&s->stall))
        rig_sleep_us(1000);
    if (s->then)
        s->then(s, ev);
    atomic_store(&s->inside, false);
}

static void sink_idle(void *self, const void *state)
{
    struct rig_sink *s = self;

    (void)state;
    atomic_fetch_add(&s->idles, 1);
}

void rig_subscribe(uint32_t i, const char *topic, uint32_t mode, uint32_t capacity, uint32_t bytes, uint32_t overflow)
{
    struct ec_sub s = { sizeof s, mode, capacity, bytes, overflow, 0, topic, sink_event, sink_idle };
    char why[1024] = "";

    must(bus_subscribe(&rig.sink[i].instance, &s, why, sizeof why), why);
}

int32_t rig_publish(uint32_t worker, uint32_t topic, uint64_t n, uint32_t pad)
{
    static const uint8_t zero[65536];
    struct ec_build b;
    struct rig_note *note;
    struct ec_span span;
    int32_t err = bus_open(&rig.source, worker, topic, &b);

    if (err)
        return err;
    note = ec_add(&b, topic, sizeof *note);
    note->n = n;
    span = ec_put(&b, zero, pad);
    note->pad = span;
    return bus_publish(&rig.source, &b);
}

uint64_t rig_got(const struct rig_sink *s)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < RIG_PUBLISHERS; i++)
        n += atomic_load_explicit(&s->got[i], memory_order_acquire);
    return n;
}
