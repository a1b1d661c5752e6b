/* The cost of a bus hop, in ns an event: building it, publishing it to a queued subscriber, to an inline one, and on one
 * thread; beside it the floor: a bare loop that passes 8-byte values between two threads through a ring, in the same run.
 * Medians of RUNS runs. usage: bench_bus [EVENTS] */
#include "tests/unit/rig.h"

#include "core/clock.h"
#include "core/epoch.h"
#include "core/bus/publisher.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS 9
#define PINGS 20000u

struct cost { double wall, publisher, process; };     /* ns an event: elapsed, CPU of the publisher, of all threads */

static uint32_t events = 1000000;
static uint32_t pad;                /* bytes in the event's tail */
static struct cost runs[RUNS];
static _Atomic uint64_t delivered;

static uint64_t now_of(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(size_t offset)
{
    double v[RUNS];

    for (int i = 0; i < RUNS; i++)
        v[i] = *(const double *)(const void *)((const char *)&runs[i] + offset);
    qsort(v, RUNS, sizeof v[0], by_double);
    return v[RUNS / 2];
}

struct stopwatch { uint64_t wall, thread, process; };

static struct stopwatch watch_start(void)
{
    return (struct stopwatch){ now_of(CLOCK_MONOTONIC), now_of(CLOCK_THREAD_CPUTIME_ID),
                               now_of(CLOCK_PROCESS_CPUTIME_ID) };
}

static struct cost watch_stop(const struct stopwatch *s, uint32_t n)
{
    struct stopwatch e = watch_start();

    return (struct cost){ (double)(e.wall - s->wall) / n, (double)(e.thread - s->thread) / n,
                          (double)(e.process - s->process) / n };
}

static void measure(const char *what, struct cost (*fn)(void))
{
    for (int i = 0; i < RUNS; i++)
        runs[i] = fn();
    printf("%-52s %8.1f %8.1f %8.1f\n", what, median(offsetof(struct cost, wall)),
           median(offsetof(struct cost, publisher)), median(offsetof(struct cost, process)));
}

/* The floor. */
struct bare {
    _Alignas(64) _Atomic uint64_t tail;
    _Alignas(64) _Atomic uint64_t head;
    uint64_t slot[16384];
};
static struct bare bare;

static void *bare_consumer(void *arg)
{
    uint64_t *sum = arg;

    for (uint64_t head = 0; head < events;) {
        uint64_t tail = atomic_load_explicit(&bare.tail, memory_order_acquire);

        if (tail == head)
            sched_yield();
        for (; head < tail; head++)
            *sum += bare.slot[head & 16383];
        atomic_store_explicit(&bare.head, head, memory_order_release);
    }
    return NULL;
}

static struct cost run_floor(void)
{
    uint64_t sum = 0, seen = 0;
    struct stopwatch w;
    struct cost c;
    pthread_t t;

    atomic_store(&bare.tail, 0);
    atomic_store(&bare.head, 0);
    pthread_create(&t, NULL, bare_consumer, &sum);
    w = watch_start();
    for (uint64_t i = 0; i < events; i++) {
        while (i - seen == 16384) {
            seen = atomic_load_explicit(&bare.head, memory_order_acquire);
            if (i - seen == 16384)
                sched_yield();
        }
        bare.slot[i & 16383] = i;
        atomic_store_explicit(&bare.tail, i + 1, memory_order_release);
    }
    pthread_join(t, NULL);
    c = watch_stop(&w, events);
    if (sum != (uint64_t)events * (events - 1) / 2)
        abort();
    return c;
}

static void on_event(void *self, const void *state, const struct ec_event *ev)
{
    (void)self;
    (void)state;
    (void)ev;
    atomic_store_explicit(&delivered, atomic_load_explicit(&delivered, memory_order_relaxed) + 1, memory_order_release);
}

/* As a packet's event is: it brings its time. */
static void publish(uint64_t i)
{
    static const uint8_t zero[65536];
    struct ec_build b;
    struct rig_note *n;

    if (bus_open(&rig.source, 0, rig.a, &b))
        abort();
    ec_head(&b)->ts_ns = i;
    n = ec_add(&b, rig.a, sizeof *n);
    n->pad = ec_put(&b, zero, pad);
    bus_publish(&rig.source, &b);
}

static void subscribe(uint32_t mode)
{
    struct ec_sub s = { sizeof s, mode, 0, 0, 0, 0, "*", on_event, NULL };
    char why[256];

    if (bus_subscribe(&rig.sink[0].instance, &s, why, sizeof why))
        abort();
}

static void begin(uint32_t workers, uint32_t mode)
{
    struct bus_config c = { .workers = workers };

    rig_open(&c);
    subscribe(mode);
    rig_start();
    atomic_store(&delivered, 0);
    epoch_register("bench");
    epoch_enter();
    bus_attach(0);
}

static void finish(void)
{
    bus_detach();
    epoch_leave();
    if (atomic_load(&delivered) != events)
        abort();                    /* a rate with losses means nothing */
    bus_stop(1000000000);
    rig_close();
}

static struct cost run_build(void)
{
    static const uint8_t zero[65536];
    struct stopwatch w;
    struct cost c;

    begin(1, EC_SUB_QUEUED);
    w = watch_start();
    for (uint32_t i = 0; i < events; i++) {
        struct ec_build b;
        struct rig_note *n;

        bus_open(&rig.source, 0, rig.a, &b);
        n = ec_add(&b, rig.a, sizeof *n);
        n->pad = ec_put(&b, zero, pad);
        bus_discard(&b);
    }
    c = watch_stop(&w, events);
    atomic_store(&delivered, events);
    finish();
    return c;
}

/* Allocate, copy, give back: what the one copy of an event costs beside building it in place. */
static struct cost run_copy(void)
{
    static uint8_t scratch[65536];
    uint32_t bytes = (uint32_t)(sizeof(struct ec_event) + sizeof(struct rig_note)) + pad;
    struct arena *a = arena_create(BUS_ARENA_BYTES);
    struct stopwatch w = watch_start();
    struct cost c;

    for (uint32_t i = 0; i < events; i++) {
        struct block *b = arena_alloc(a, bytes, false);

        atomic_store_explicit(&b->refs, 1, memory_order_relaxed);
        memcpy(block_event(b), scratch, bytes);
        block_release(b, 1);
    }
    c = watch_stop(&w, events);
    arena_free(a);
    return c;
}

static struct cost run_queued(void)
{
    struct stopwatch w;
    struct cost c;

    begin(1, EC_SUB_QUEUED);
    w = watch_start();
    for (uint32_t i = 0; i < events; i++) {
        if (i % 64 == 0) {
            bus_batch(NULL);
            while (bus_pressed())
                rig_sleep_us(50);
        }
        publish(i + 1);
    }
    bus_flush();
    while (atomic_load(&delivered) < events)
        sched_yield();
    c = watch_stop(&w, events);
    finish();
    return c;
}

static struct cost run_inline(void)
{
    struct stopwatch w;
    struct cost c;

    begin(1, EC_SUB_INLINE);
    w = watch_start();
    for (uint32_t i = 0; i < events; i++)
        publish(i + 1);
    c = watch_stop(&w, events);
    finish();
    return c;
}

static struct cost run_alone(void)
{
    struct stopwatch w;
    struct cost c;

    begin(0, EC_SUB_QUEUED);
    w = watch_start();
    for (uint32_t i = 0; i < events; i++) {
        publish(i + 1);
        bus_drain(0);
    }
    c = watch_stop(&w, events);
    finish();
    return c;
}

static int by_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* From publish to the callback of a lane that was asleep. */
static void wake_up(void)
{
    static uint64_t took[PINGS];

    begin(1, EC_SUB_QUEUED);
    for (uint64_t i = 1; i <= PINGS; i++) {
        uint64_t from;

        rig_sleep_us(20);
        from = clock_monotonic();
        publish(i);
        bus_flush();
        while (atomic_load(&delivered) < i)
            ;
        took[i - 1] = clock_monotonic() - from;
    }
    atomic_store(&delivered, events);
    finish();
    qsort(took, PINGS, sizeof took[0], by_u64);
    printf("wake-up of a sleeping lane: p50 %.1f us, p99 %.1f us\n", (double)took[PINGS / 2] / 1e3,
           (double)took[PINGS * 99 / 100] / 1e3);
}

int main(int argc, char **argv)
{
    static const uint32_t pads[] = { 100, 1800 };

    if (argc > 1)
        events = (uint32_t)strtoul(argv[1], NULL, 10);
    if (events < 1000)
        events = 1000;
    printf("%u events a run, medians of %d runs; ns an event%10s %8s %8s\n", events, RUNS, "elapsed", "CPU pub.",
           "CPU all");
    measure("floor: 8 bytes through a bare ring, two threads", run_floor);
    for (uint32_t i = 0; i < 2; i++) {
        pad = pads[i];
        printf("events of %zu bytes\n", sizeof(struct ec_event) + sizeof(struct rig_note) + pad);
        measure("  build in the scratch, discard", run_build);
        measure("  allocate, copy, give back", run_copy);
        measure("  build, publish, queued subscriber", run_queued);
        measure("  build, publish, inline subscriber", run_inline);
        measure("  build, publish, --workers 0: drained each time", run_alone);
    }
    pad = 100;
    wake_up();
    return 0;
}
