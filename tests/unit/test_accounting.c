/* in = out + dropped, to the event, at fences while publishers run; and a subscriber that counts the gaps in seq for
 * itself comes to the same losses as the counters. */
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

#include "core/clock.h"
#include "core/epoch.h"
#include "core/log/mark.h"
#include "core/metric.h"
#include "core/plan.h"
#include "core/bus/publisher.h"

#include <pthread.h>

#define SECOND UINT64_C(1000000000)
#define ROWS 512u
#define THREADS 4u

/* One publishing thread. */
struct load {
    pthread_t thread;
    uint32_t worker;                /* or EC_PUB_MAILBOX */
    uint32_t events;                /* 0: until told to stop */
    uint32_t pace_us;               /* rest after each 64 events */
    bool waits;                     /* as a replay does */
    uint32_t pad;
    uint64_t tried, refused;        /* EC_EAGAIN */
};

static struct load load[THREADS];
static atomic_bool stop;
static _Atomic uint64_t mailed;     /* events for the mailbox */
static bool mail_follows;           /* see mail_waits(); until load_end() */
static struct bus_row row[ROWS];
static uint32_t n_row;

static void pass(void)
{
    epoch_enter();
    bus_batch(plan_current());
    if (bus_fence_wanted())
        bus_fence_pass();
}

static void boundary(struct load *l)
{
    pass();
    while (l->waits && bus_pressed()) {
        epoch_leave();
        rig_sleep_us(100);
        pass();
    }
    if (l->pace_us) {
        epoch_leave();
        rig_sleep_us(l->pace_us);
        pass();
    }
}

static void publish_some(struct load *l, uint64_t i)
{
    uint32_t topic = i % 7 == 0 ? rig.reserved : i % 2 ? rig.a : rig.b;
    int32_t err = rig_publish(l->worker, topic, i, (uint32_t)(i * 37 % 400) + l->pad);

    l->tried += err != EC_ENOENT;
    l->refused += err == EC_EAGAIN;
}

static bool going(const struct load *l, uint64_t i)
{
    return l->events ? i < l->events : !atomic_load_explicit(&stop, memory_order_relaxed);
}

static bool mail_ahead_of(uint32_t sink)
{
    uint64_t seen = atomic_load(&rig.sink[sink].last[RIG_PUBLISHERS - 1]);

    return atomic_load(&mailed) > seen + 512;
}

/* Nobody waits on the mailbox by himself. Beside workers that do, its publishers let the "*" sinks 0 and 2 follow, or
 * it would hang on when those are scheduled whether the mail fills the queues that the workers share with it. A second
 * at most: the last events may have been lost. */
static void mail_waits(void)
{
    for (uint32_t i = 0; i < 2000 && (mail_ahead_of(0) || mail_ahead_of(2)); i++)
        rig_sleep_us(500);
}

static void *publisher(void *arg)
{
    struct load *l = arg;
    bool worker = l->worker != EC_PUB_MAILBOX;

    mark_register("load");
    epoch_register("load");
    epoch_enter();
    if (worker)
        bus_attach(l->worker);
    for (uint64_t i = 0; going(l, i); i++) {
        if (i % 64 == 0 && worker)
            boundary(l);
        if (i % 64 == 0 && !worker && l->pace_us)
            rig_sleep_us(l->pace_us);
        if (i % 64 == 0 && !worker && mail_follows)
            mail_waits();
        publish_some(l, i);
        if (!worker)
            atomic_fetch_add(&mailed, 1);
    }
    if (worker)
        bus_detach();
    epoch_unregister();
    mark_unregister();
    return NULL;
}

/* Two workers and two threads that publish through the mailbox. */
static void load_begin(uint32_t events, uint32_t pace_us, bool waits, uint32_t pad)
{
    atomic_store(&stop, false);
    atomic_store(&mailed, 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        load[i] = (struct load){ .worker = i < 2 ? i : EC_PUB_MAILBOX, .events = events, .waits = waits, .pad = pad };
        load[i].pace_us = i < 2 || pace_us ? pace_us : 2000;
        pthread_create(&load[i].thread, NULL, publisher, &load[i]);
    }
}

static void load_end(void)
{
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(load[i].thread, NULL);
    mail_follows = false;
}

static void keep(const struct bus_row *r, void *arg)
{
    (void)arg;
    ck_assert_uint_lt(n_row, ROWS);
    row[n_row++] = *r;
}

static uint64_t lost(const struct bus_row *r)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < BUS_REASONS; i++)
        n += r->dropped[i];
    return n;
}

static void rows_are_exact(void)
{
    for (uint32_t i = 0; i < n_row; i++)
        ck_assert_msg(row[i].in == row[i].out + lost(&row[i]) && !row[i].queued,
                      "publisher %u, %s %s: in %llu, out %llu, arena %llu ring %llu queue %llu sample %llu shutdown %llu, "
                      "queued %llu", row[i].publisher, row[i].plugin ? row[i].plugin : "-",
                      row[i].topic ? row[i].topic : "-", (unsigned long long)row[i].in,
                      (unsigned long long)row[i].out, (unsigned long long)row[i].dropped[0],
                      (unsigned long long)row[i].dropped[1], (unsigned long long)row[i].dropped[2],
                      (unsigned long long)row[i].dropped[3], (unsigned long long)row[i].dropped[4],
                      (unsigned long long)row[i].queued);
}

static void fence(void)
{
    n_row = 0;
    ck_assert(bus_fence(20 * SECOND, keep, NULL));
    rows_are_exact();
}

static void fences_under_load(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        fence();
        rig_sleep_us(3000);
    }
}

/* Rows come publisher by publisher: its own, then one for each subscription in the order of registration. */
static const struct bus_row *row_of(uint32_t slot, uint32_t sink, uint32_t sinks)
{
    return &row[slot * (sinks + 1) + 1 + sink];
}

static uint64_t lost_as(uint32_t sink, uint32_t sinks, uint32_t reason)
{
    uint64_t n = 0;

    for (uint32_t p = 0; p < 3; p++)
        n += row_of(p, sink, sinks)->dropped[reason];
    return n;
}

static uint64_t lost_all(uint32_t sink, uint32_t sinks)
{
    uint64_t n = 0;

    for (uint32_t r = 0; r < BUS_REASONS; r++)
        n += lost_as(sink, sinks, r);
    return n;
}

/* Nobody publishes any more, and the account is complete: what a "*" sink missed, as it saw it itself, is what the
 * counters say it lost; what it got is what they say went out. */
static void sink_agrees(uint32_t sink, uint32_t sinks)
{
    struct rig_sink *s = &rig.sink[sink];

    for (uint32_t p = 0; p < 3; p++) {
        uint32_t at = p == 2 ? RIG_PUBLISHERS - 1 : p;
        const struct bus_row *r = row_of(p, sink, sinks), *origin = &row[p * (sinks + 1)];
        uint64_t missed = atomic_load(&s->gaps[at]) + origin->in - s->last[at];

        ck_assert_ptr_null(origin->plugin);
        ck_assert_uint_eq(atomic_load(&s->got[at]), r->out);
        ck_assert_uint_eq(missed, lost(r));
        ck_assert_uint_eq(atomic_load(&s->disorder), 0);
    }
}

/* What was delivered or lost has given its memory back. */
static void nothing_is_pinned(void)
{
    for (uint32_t p = 0; p < bus.n_pub; p++) {
        uint64_t total;

        ck_assert_uint_eq(arena_used(bus.pub[p].arena, &total), 0);
    }
    ck_assert_int_eq(metric_value(bus.metric[BUS_M_QUEUED]), 0);
}

static void tried_is_in(uint32_t sinks)
{
    uint64_t mailbox = load[2].tried + load[3].tried;

    ck_assert_uint_eq(row[0].in, load[0].tried);
    ck_assert_uint_eq(row[sinks + 1].in, load[1].tried);
    ck_assert_uint_eq(row[2 * (sinks + 1)].in, mailbox);
}

static const struct bus_config two = { .workers = 2, .lanes = 2 };

START_TEST(a_replay_that_waits_loses_nothing)
{
    rig_open(&two);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 4096, 0, EC_OVF_DROP_NEW);
    rig_subscribe(1, "t.a/1", EC_SUB_QUEUED, 0, 0, EC_OVF_DROP_NEW);
    rig_subscribe(2, "*", EC_SUB_OWN_THREAD, 4096, 0, EC_OVF_DROP_OLD);
    rig_subscribe(3, "*", EC_SUB_INLINE, 0, 0, 0);
    rig_start();
    mail_follows = true;
    load_begin(20000, 0, true, 0);
    atomic_store(&rig.sink[2].stall, true);
    rig_sleep_us(200000);
    atomic_store(&rig.sink[2].stall, false);
    fences_under_load(10);
    load_end();
    fence();
    tried_is_in(4);
    for (uint32_t p = 0; p < 2; p++)            /* the workers, which wait */
        for (uint32_t s = 0; s < 4; s++)
            ck_assert_uint_eq(lost(row_of(p, s, 4)), 0);
    sink_agrees(0, 4);
    sink_agrees(2, 4);
    for (uint32_t i = 0; i < THREADS; i++)
        ck_assert_uint_eq(load[i].tried, 20000);
    bus_stop(SECOND);
    nothing_is_pinned();
    rig_close();
}
END_TEST

START_TEST(a_slow_subscriber_costs_only_its_own_events)
{
    rig_open(&two);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, EC_OVF_DROP_NEW);
    rig_subscribe(1, "*", EC_SUB_OWN_THREAD, 256, 0, EC_OVF_DROP_NEW);
    rig.sink[1].slow_us = 1000;
    rig_start();
    load_begin(0, 5000, false, 0);
    fences_under_load(4);
    load_end();
    fence();
    tried_is_in(2);
    ck_assert_uint_eq(lost_all(0, 2), 0);
    ck_assert_uint_gt(lost_as(1, 2, BUS_DROP_QUEUE), 0);
    ck_assert_uint_eq(lost_all(1, 2), lost_as(1, 2, BUS_DROP_QUEUE));
    sink_agrees(0, 2);
    sink_agrees(1, 2);
    bus_stop(10 * SECOND);
    nothing_is_pinned();
    rig_close();
}
END_TEST

START_TEST(policies_are_exact_under_load)
{
    rig_open(&two);
    rig_subscribe(0, "*", EC_SUB_OWN_THREAD, 128, 0, EC_OVF_DROP_OLD);
    rig_subscribe(1, "*", EC_SUB_OWN_THREAD, 128, 0, EC_OVF_SAMPLE);
    rig_subscribe(2, "*", EC_SUB_QUEUED, 128, 0, EC_OVF_DROP_OLD);
    rig_subscribe(3, "*", EC_SUB_OWN_THREAD, 0, 20000, EC_OVF_DROP_OLD);
    rig.sink[0].slow_us = rig.sink[1].slow_us = rig.sink[3].slow_us = 20;
    rig_start();
    load_begin(0, 200, false, 0);
    fences_under_load(20);
    load_end();
    fence();
    tried_is_in(4);
    ck_assert_uint_gt(lost_as(0, 4, BUS_DROP_QUEUE), 0);
    ck_assert_uint_gt(lost_as(1, 4, BUS_DROP_SAMPLE), 0);
    ck_assert_uint_gt(lost_as(3, 4, BUS_DROP_QUEUE), 0);
    for (uint32_t i = 0; i < 4; i++)
        sink_agrees(i, 4);
    bus_stop(10 * SECOND);
    nothing_is_pinned();
    rig_close();
}
END_TEST

START_TEST(a_full_ring_is_counted_where_it_was_full)
{
    static const struct bus_config small = { .workers = 2, .lanes = 2, .ring_slots = 64 };

    rig_open(&small);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 512, 0, EC_OVF_DROP_NEW);      /* lane 0 */
    rig_subscribe(1, "*", EC_SUB_QUEUED, 0, 0, EC_OVF_DROP_NEW);        /* lane 1 */
    rig_subscribe(2, "*", EC_SUB_OWN_THREAD, 512, 0, EC_OVF_DROP_OLD);  /* lane 0 */
    rig.sink[0].slow_us = 300;
    rig_start();
    load_begin(0, 1000, false, 0);
    fences_under_load(5);
    load_end();
    fence();
    tried_is_in(3);
    ck_assert_uint_gt(lost_as(0, 3, BUS_DROP_RING), 0);
    ck_assert_uint_ge(lost_as(2, 3, BUS_DROP_RING), lost_as(0, 3, BUS_DROP_RING));      /* it hangs on the same ring */
    ck_assert_uint_gt(load[0].refused, 0);
    ck_assert_uint_lt(lost_all(1, 3), lost_all(0, 3));
    for (uint32_t i = 0; i < 3; i++)
        sink_agrees(i, 3);
    bus_stop(20 * SECOND);
    nothing_is_pinned();
    rig_close();
}
END_TEST

START_TEST(a_full_arena_keeps_its_last_quarter)
{
    static const struct bus_config small = { .workers = 2, .lanes = 1, .arena_bytes = 1 << 20 };
    uint64_t reserved;

    rig_open(&small);
    rig_subscribe(0, "*", EC_SUB_OWN_THREAD, 0, 16 << 20, EC_OVF_DROP_NEW);
    rig_subscribe(1, "t.reserved/1", EC_SUB_OWN_THREAD, 0, 16 << 20, EC_OVF_DROP_NEW);
    atomic_store(&rig.sink[0].stall, true);
    rig_start();
    load_begin(1100, 500, false, 1400);
    load_end();
    n_row = 0;
    ck_assert(!bus_fence(SECOND / 5, keep, NULL));      /* one reader does not answer */
    reserved = row_of(0, 1, 2)->in;
    ck_assert_uint_eq(reserved, 158);
    ck_assert_uint_eq(row_of(0, 1, 2)->out, reserved);  /* all of them found room */
    ck_assert_uint_gt(row[0].dropped[BUS_DROP_ARENA], 0);
    ck_assert_uint_gt(load[0].refused, 0);
    ck_assert_uint_eq(row[0].dropped[BUS_DROP_ARENA], load[0].refused);
    atomic_store(&rig.sink[0].stall, false);
    fence();                                            /* the one before it never ended: no harm */
    tried_is_in(2);
    ck_assert_uint_gt(lost_as(0, 2, BUS_DROP_ARENA), 0);
    sink_agrees(0, 2);
    bus_stop(10 * SECOND);
    nothing_is_pinned();
    rig_close();
}
END_TEST

START_TEST(a_replay_gives_up_on_a_subscriber_that_stalls)
{
    uint64_t begin;

    rig_open(&two);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, EC_OVF_DROP_NEW);
    rig_subscribe(1, "*", EC_SUB_OWN_THREAD, 256, 0, EC_OVF_DROP_NEW);
    atomic_store(&rig.sink[1].stall, true);
    rig_start();
    begin = clock_monotonic();
    load_begin(20000, 0, true, 0);
    load_end();
    ck_assert_uint_ge(clock_monotonic() - begin, 19 * SECOND / 10);     /* it was waited for */
    ck_assert_uint_lt(clock_monotonic() - begin, 12 * SECOND);          /* but not for ever */
    atomic_store(&rig.sink[1].stall, false);
    fence();
    tried_is_in(2);
    for (uint32_t p = 0; p < 2; p++)
        ck_assert_uint_eq(lost(row_of(p, 0, 2)), 0);
    ck_assert_uint_gt(lost_as(1, 2, BUS_DROP_QUEUE), 0);
    sink_agrees(0, 2);
    sink_agrees(1, 2);
    bus_stop(10 * SECOND);
    nothing_is_pinned();
    rig_close();
}
END_TEST

static void stop_case(bool stalls)
{
    uint64_t begin;

    rig_open(&two);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, EC_OVF_DROP_NEW);
    rig_subscribe(1, "*", EC_SUB_OWN_THREAD, 0, 0, EC_OVF_DROP_NEW);
    rig_subscribe(2, "*", EC_SUB_QUEUED, 0, 0, EC_OVF_DROP_NEW);
    rig.sink[1].slow_us = 2000;
    rig_start();
    load_begin(0, 500, false, 0);
    rig_sleep_us(100000);
    atomic_store(&rig.sink[1].stall, stalls);
    load_end();
    begin = clock_monotonic();
    bus_stop(SECOND / 2);
    ck_assert_uint_lt(clock_monotonic() - begin, 5 * SECOND);
    n_row = 0;
    bus_rows(keep, NULL);
    rows_are_exact();
    tried_is_in(3);
    ck_assert_uint_gt(lost_as(1, 3, BUS_DROP_SHUTDOWN), 0);
    ck_assert_uint_eq(lost_all(0, 3), 0);
    sink_agrees(0, 3);
    sink_agrees(1, 3);
    sink_agrees(2, 3);
    ck_assert_int_eq(rig_publish(EC_PUB_MAILBOX, rig.a, 1, 0), EC_ENOENT);
}

/* What a reader hears that has a number it passes on, once, from its own thread. */
static void pass_on(struct rig_sink *s, const struct ec_event *ev)
{
    (void)s;
    if (((const struct rig_note *)(const void *)ec_part_first(ev))->n)
        rig_publish(EC_PUB_MAILBOX, rig.b, 0, 0);
}

/* Events are in the hands of a lane for some microseconds between ring and queue. */
START_TEST(a_stop_waits_for_what_is_on_its_way)
{
    for (uint32_t round = 0; round < 200; round++) {
        rig_open(&two);
        for (uint32_t i = 0; i < 4; i++)
            rig_subscribe(i, "*", i % 2 ? EC_SUB_QUEUED : EC_SUB_OWN_THREAD, 0, 0, EC_OVF_DROP_NEW);
        rig.sink[0].then = pass_on;
        rig_start();
        for (uint32_t i = 1; i <= 16; i++)
            ck_assert_int_eq(rig_publish(EC_PUB_MAILBOX, rig.a, i, 0), EC_OK);
        rig_sleep_us(round);
        ck_assert(bus_stop(20 * SECOND));
        for (uint32_t i = 0; i < 4; i++)
            ck_assert_uint_eq(rig_got(&rig.sink[i]), 32);
        nothing_is_pinned();
        rig_close();
    }
}
END_TEST

START_TEST(a_stop_under_load_counts_what_is_left)
{
    stop_case(false);
    nothing_is_pinned();
    rig_close();
}
END_TEST

START_TEST(a_stop_does_not_wait_for_a_reader_that_never_returns)
{
    uint64_t got;

    stop_case(true);
    got = rig_got(&rig.sink[1]);
    atomic_store(&rig.sink[1].stall, false);    /* it comes back late: nothing more is delivered to it */
    while (atomic_load(&rig.sink[1].inside))
        rig_sleep_us(1000);
    rig_sleep_us(20000);
    ck_assert_uint_eq(rig_got(&rig.sink[1]), got);
}
END_TEST

/* Its queue ran empty: the lane is about to sleep. An event that comes just then is delivered all the same, without the
 * help of another one. */
START_TEST(a_lane_that_falls_asleep_misses_nothing)
{
    uint64_t deadline;

    rig_open(&two);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, EC_OVF_DROP_NEW);
    rig_subscribe(1, "*", EC_SUB_OWN_THREAD, 0, 0, EC_OVF_DROP_NEW);
    rig_start();
    for (uint64_t i = 1; i <= 30000; i++) {
        ck_assert_int_eq(rig_publish(EC_PUB_MAILBOX, i % 4 ? rig.a : rig.b, i, 0), EC_OK);
        deadline = clock_monotonic() + 5 * SECOND;
        while ((atomic_load(&rig.sink[0].idles) < i || rig_got(&rig.sink[1]) < i) && clock_monotonic() < deadline)
            ;
        ck_assert_uint_eq(rig_got(&rig.sink[0]), i);
        ck_assert_uint_eq(rig_got(&rig.sink[1]), i);
        for (volatile uint64_t k = 0; k < i % 64; k++)      /* shift where the next one meets it */
            ;
    }
    bus_stop(SECOND);
    nothing_is_pinned();
    rig_close();
}
END_TEST

START_TEST(mailbox_threads_alone_are_fenced)
{
    rig_open(&two);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, EC_OVF_DROP_NEW);
    rig_start();
    for (uint64_t i = 0; i < 100; i++)
        ck_assert_int_eq(rig_publish(EC_PUB_MAILBOX, rig.a, i, 0), EC_OK);
    fence();                                    /* workers that never began are passed for */
    ck_assert_uint_eq(row_of(2, 0, 1)->out, 100);
    ck_assert_uint_eq(row_of(0, 0, 1)->in, 0);
    bus_stop(SECOND);
    nothing_is_pinned();
    rig_close();
}
END_TEST

START_TEST(one_thread_is_fenced_too)
{
    static const struct bus_config alone = { .workers = 0 };

    rig_open(&alone);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 64, 0, EC_OVF_DROP_OLD);
    rig_start();
    bus_attach(0);
    for (uint64_t i = 0; i < 100; i++) {
        rig_publish(0, rig.a, i, 0);
        rig_publish(EC_PUB_MAILBOX, rig.b, i, 0);
    }
    fence();
    ck_assert_uint_eq(row[0].in, 100);
    ck_assert_uint_eq(row_of(0, 0, 1)->out + row_of(1, 0, 1)->out, 64);
    ck_assert_uint_eq(row_of(0, 0, 1)->gaps + row_of(1, 0, 1)->gaps, 136);
    bus_detach();
    bus_stop(SECOND);
    nothing_is_pinned();
    rig_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("accounting");
    TCase *tc = tcase_create("accounting");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_replay_that_waits_loses_nothing);
    tcase_add_test(tc, a_slow_subscriber_costs_only_its_own_events);
    tcase_add_test(tc, policies_are_exact_under_load);
    tcase_add_test(tc, a_full_ring_is_counted_where_it_was_full);
    tcase_add_test(tc, a_full_arena_keeps_its_last_quarter);
    tcase_add_test(tc, a_replay_gives_up_on_a_subscriber_that_stalls);
    tcase_add_test(tc, a_stop_waits_for_what_is_on_its_way);
    tcase_add_test(tc, a_stop_under_load_counts_what_is_left);
    tcase_add_test(tc, a_lane_that_falls_asleep_misses_nothing);
    tcase_add_test(tc, mailbox_threads_alone_are_fenced);
    tcase_add_test(tc, one_thread_is_fenced_too);
    tcase_add_test(tc, a_stop_does_not_wait_for_a_reader_that_never_returns);     /* last: it leaves a thread behind */
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
