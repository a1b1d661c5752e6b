/* The bus on one thread (--workers 0): order, depth, refusals, inline subscribers, enrichers, timers. Threads and
 * accounts are test_accounting's. */
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

#include "core/metric.h"
#include "core/topic.h"

#include <pthread.h>

static const struct bus_config alone = { .workers = 0 };

static bool attached;               /* this thread is worker 0 */

static void start(void)
{
    rig_start();
    bus_attach(0);
    attached = true;
}

static void end(void)
{
    if (attached)
        bus_detach();
    attached = false;
    rig_close();
}

static int64_t metric_named(const char *name)
{
    for (uint32_t i = 0; i < metric_count(); i++)
        if (!strcmp(metric_get(i, NULL)->name, name))
            return metric_value(i);
    ck_abort_msg("no metric %s", name);
    return 0;
}

START_TEST(events_come_in_order_to_who_asked)
{
    struct rig_sink *all = &rig.sink[0], *b = &rig.sink[1];

    rig_open(&alone);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    rig_subscribe(1, "t.b/1", EC_SUB_OWN_THREAD, 0, 0, 0);
    ck_assert_int_eq(rig_publish(0, rig.a, 1, 0), EC_ENOENT);   /* not started */
    start();
    for (uint64_t i = 0; i < 100; i++)
        ck_assert_int_eq(rig_publish(0, i % 2 ? rig.b : rig.a, i, (uint32_t)i * 10), EC_OK);
    ck_assert_uint_eq(rig_got(all), 0);
    bus_drain(0);
    ck_assert_uint_eq(rig_got(all), 100);
    ck_assert_uint_eq(rig_got(b), 50);
    for (uint64_t i = 0; i < 100; i++)
        ck_assert_uint_eq(all->note[i], i);
    for (uint64_t i = 0; i < 50; i++)
        ck_assert_uint_eq(b->note[i], 2 * i + 1);
    ck_assert_uint_eq(atomic_load(&all->gaps[0]), 0);
    ck_assert_uint_eq(atomic_load(&all->idles), 0);
    bus_drain_idle(0);
    ck_assert_uint_eq(atomic_load(&all->idles), 1);
    bus_drain_idle(0);                                          /* nothing came since: no second flush */
    ck_assert_uint_eq(atomic_load(&all->idles), 1);
    bus_stop(1000000000);
    ck_assert_int_eq(rig_publish(0, rig.a, 1, 0), EC_ENOENT);
    ck_assert_int_eq(metric_named("bus.published"), 100);
    ck_assert_int_eq(metric_named("bus.delivered"), 150);
    end();
}
END_TEST

START_TEST(what_nobody_hears_is_not_built)
{
    struct ec_build b;

    rig_open(&alone);
    rig_subscribe(0, "t.a/1", EC_SUB_QUEUED, 0, 0, 0);
    start();
    ck_assert_int_eq(rig_publish(0, rig.b, 1, 0), EC_ENOENT);
    ck_assert_int_eq(rig_publish(0, rig.a, 1, 0), EC_OK);
    ck_assert_int_eq(bus_open(&rig.source, 0, 0, &b), EC_EINVAL);
    ck_assert_int_eq(bus_open(&rig.source, 0, 99, &b), EC_EINVAL);
    ck_assert_int_eq(bus_open(&rig.source, 1, rig.a, &b), EC_EINVAL);   /* there is no worker 1 */
    bus_drain(0);
    ck_assert_uint_eq(rig.sink[0].last[0], 1);                  /* the first took no number */
    end();
}
END_TEST

static void *borrow_a_number(void *arg)
{
    struct ec_build b;

    *(int32_t *)arg = bus_open(&rig.source, 0, rig.a, &b);
    return NULL;
}

START_TEST(a_worker_is_who_runs_on_its_thread)
{
    pthread_t thread;
    int32_t err = 7;

    rig_open(&alone);
    rig_subscribe(0, "t.a/1", EC_SUB_QUEUED, 0, 0, 0);
    start();
    ck_assert_int_eq(pthread_create(&thread, NULL, borrow_a_number, &err), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(err, EC_EINVAL);
    ck_assert_int_eq(rig_publish(0, rig.a, 1, 0), EC_OK);
    end();
}
END_TEST

START_TEST(wall_topics_are_off_without_workers)
{
    rig_open(&alone);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    start();
    ck_assert_int_eq(rig_publish(0, rig.wall, 1, 0), EC_ENOENT);
    end();
}
END_TEST

START_TEST(an_event_without_its_record_is_refused)
{
    struct ec_build b;

    rig_open(&alone);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    start();
    ck_assert_int_eq(bus_open(&rig.source, 0, rig.a, &b), EC_OK);
    ck_assert_int_eq(bus_publish(&rig.source, &b), EC_EINVAL);
    ck_assert_int_eq(bus_open(&rig.source, 0, rig.a, &b), EC_OK);
    ec_add(&b, rig.b, sizeof(struct rig_note));
    ck_assert_int_eq(bus_publish(&rig.source, &b), EC_EINVAL);
    bus_drain(0);
    ck_assert_uint_eq(rig_got(&rig.sink[0]), 0);
    end();
}
END_TEST

START_TEST(opens_nest_four_deep)
{
    struct ec_build b[5];

    rig_open(&alone);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    start();
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 4; i++)
            ck_assert_int_eq(bus_open(&rig.source, i % 2 ? 0 : EC_PUB_MAILBOX, rig.a, &b[i]), EC_OK);
        ck_assert_int_eq(bus_open(&rig.source, 0, rig.a, &b[4]), EC_ELIMIT);
        for (uint32_t i = 0; i < 4; i++)
            bus_discard(&b[i]);
    }
    end();
}
END_TEST

static uint32_t cut_flags, cut_total;

static void note_cut(struct rig_sink *s, const struct ec_event *ev)
{
    (void)s;
    cut_flags = ev->flags;
    cut_total = ev->total;
}

START_TEST(a_long_event_is_cut_and_says_so)
{
    rig_open(&alone);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    rig.sink[0].then = note_cut;
    start();
    ck_assert_int_eq(rig_publish(0, rig.a, 1, 65535), EC_OK);
    bus_drain(0);
    ck_assert(cut_flags & EC_EV_CUT);
    ck_assert_uint_le(cut_total, 65536);
    ck_assert_uint_gt(cut_total, 65000);
    ck_assert_int_eq(rig_publish(0, rig.a, 1, 1000), EC_OK);
    bus_drain(0);
    ck_assert(!(cut_flags & EC_EV_CUT));
    end();
}
END_TEST

static uint64_t ids[3000];
static uint32_t n_id;

static void note_id(struct rig_sink *s, const struct ec_event *ev)
{
    (void)s;
    ids[n_id++] = ev->id;
}

START_TEST(ids_are_unique_and_rise)
{
    rig_open(&alone);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    rig.sink[0].then = note_id;
    start();
    n_id = 0;
    for (uint64_t i = 0; i < 3000; i++)
        rig_publish(0, rig.a, i, 0);
    bus_drain(0);
    ck_assert_uint_eq(n_id, 3000);
    for (uint32_t i = 1; i < n_id; i++)
        ck_assert_uint_gt(ids[i], ids[i - 1]);
    ck_assert_uint_lt(ids[n_id - 1], UINT64_C(1) << 63);
    ck_assert_uint_gt(ids[0], UINT64_C(1) << 61);               /* time-led: of this century */
    end();
}
END_TEST

/* An inline subscriber that answers each event of topic a with three of topic b. */
static void answer(struct rig_sink *s, const struct ec_event *ev)
{
    if (ec_part_first(ev)->topic != rig.a)
        return;
    for (uint64_t i = 1; i <= 3; i++)
        ck_assert_int_eq(rig_publish(ev->publisher, rig.b, s->note[s->notes - 1] + i, 0), EC_OK);
}

START_TEST(what_an_inline_subscriber_publishes_comes_after_it)
{
    static const uint64_t order[] = { 10, 11, 12, 13, 20, 21, 22, 23 };

    rig_open(&alone);
    for (uint32_t i = 0; i < 2; i++)
        rig_subscribe(i, "*", EC_SUB_INLINE, 0, 0, 0);
    rig_subscribe(2, "*", EC_SUB_QUEUED, 0, 0, 0);
    rig.sink[0].then = answer;
    start();
    for (uint32_t worker = 0; worker < 2; worker++) {           /* as a worker, and through the mailbox */
        uint32_t pub = worker ? EC_PUB_MAILBOX : 0;

        for (uint32_t i = 0; i < 3; i++)
            rig.sink[i].notes = 0;
        rig_publish(pub, rig.a, 10, 0);
        ck_assert_uint_eq(rig.sink[0].notes, 4);                /* at once */
        ck_assert_uint_eq(rig.sink[2].notes, 0);
        rig_publish(pub, rig.a, 20, 0);
        bus_drain(0);
        for (uint32_t i = 0; i < 3; i++) {
            ck_assert_uint_eq(rig.sink[i].notes, 8);
            ck_assert_mem_eq(rig.sink[i].note, order, sizeof order);
            ck_assert_uint_eq(atomic_load(&rig.sink[i].disorder), 0);
        }
    }
    end();
}
END_TEST

static void echo(struct rig_sink *s, const struct ec_event *ev)
{
    uint64_t n = s->note[s->notes - 1];

    if (n < 5)
        ck_assert_int_eq(rig_publish(ev->publisher, rig.a, n + 1, 0), EC_OK);
}

START_TEST(a_queued_subscriber_may_publish)
{
    rig_open(&alone);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    rig.sink[0].then = echo;
    start();
    rig_publish(0, rig.a, 1, 0);
    bus_drain(0);
    ck_assert_uint_eq(rig.sink[0].notes, 5);
    end();
}
END_TEST

START_TEST(an_attached_part_may_be_the_first)
{
    uint64_t room[64] = { 0 };
    struct ec_build b = { .base = (uint8_t *)room, .used = sizeof(struct ec_event), .cap = sizeof room };
    struct rig_note n = { .part = { .size = sizeof n, .total = sizeof n, .topic = 7 }, .n = 42 };

    ck_assert_int_eq(ec_attach(&b, &n.part), 1);
    ck_assert_uint_eq(ec_head(&b)->parts, 1);
    ck_assert_uint_eq(ec_part_first(ec_head(&b))->topic, 7);
}
END_TEST

/* Enrichers. */
static uint32_t lookups;
static int lookup_mode;             /* 1: says nothing but leaves a part; 2: a part that does not fit; 3: a long part */

static int32_t look(void *self, const void *state, const void *key, uint32_t len, uint32_t side, uint32_t topic,
                    struct ec_build *b)
{
    struct rig_note *n;

    (void)self;
    (void)state;
    ck_assert_uint_eq(len, 16);
    lookups++;
    if (((const uint8_t *)key)[15] == 9)
        return EC_ENOENT;
    n = ec_add(b, topic, sizeof *n);
    if (!n)
        return EC_ENOENT;
    n->n = ((const uint8_t *)key)[15] * 10u + side;
    if (lookup_mode == 2 || lookup_mode == 3)
        n->pad = ec_put(b, memset((char[65536]){ 0 }, 'x', 65536), lookup_mode == 2 ? 65536 : 1000);
    return lookup_mode == 1 ? EC_ENOENT : EC_OK;
}

static uint32_t parts, first_looks[4], flags_seen;

static void note_parts(struct rig_sink *s, const struct ec_event *ev)
{
    const struct ec_part *p = ec_part_first(ev);

    (void)s;
    parts = ev->parts;
    flags_seen = ev->flags;
    for (uint32_t i = 0; i < ev->parts && i < 4; i++, p = ec_part_next(p))
        first_looks[i] = (uint32_t)((const struct rig_note *)(const void *)p)->n;
    ck_assert_ptr_eq((const uint8_t *)p, (const uint8_t *)ev + ev->total);
}

static void publish_between(uint8_t src, uint8_t dst)
{
    struct ec_build b;

    ck_assert_int_eq(bus_open(&rig.source, 0, rig.a, &b), EC_OK);
    ec_head(&b)->src[15] = src;
    ec_head(&b)->dst[15] = dst;
    ec_head(&b)->flags |= EC_EV_IP;
    ec_add(&b, rig.a, sizeof(struct rig_note));
    ck_assert_int_eq(bus_publish(&rig.source, &b), EC_OK);
    bus_drain(0);
}

static uint32_t answers;

static uint32_t look_serial(void *self, const void *state)
{
    (void)self;
    (void)state;
    return answers;
}

static void enricher_open(void)
{
    struct ec_enricher e = { sizeof e, EC_ENRICH_ADDRESS, "t.look/1", NULL, look, 0, 0, look_serial };
    char why[256];

    lookups = 0;
    lookup_mode = 0;
    rig_open(&alone);
    ck_assert_int_eq(bus_enricher(&rig.source, &e, why, sizeof why), EC_OK);
    e.topic = "t.none/1";
    ck_assert_int_eq(bus_enricher(&rig.source, &e, why, sizeof why), EC_ENOENT);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    rig.sink[0].then = note_parts;
    start();
}

START_TEST(an_enricher_is_asked_once_for_each_address)
{
    enricher_open();
    for (uint32_t i = 0; i < 5; i++) {
        publish_between(1, 2);
        ck_assert_uint_eq(parts, 3);
        ck_assert_uint_eq(first_looks[1], 11);
        ck_assert_uint_eq(first_looks[2], 22);
    }
    ck_assert_uint_eq(lookups, 2);
    publish_between(2, 9);                      /* the other side, and an address that it does not know */
    ck_assert_uint_eq(parts, 2);
    ck_assert_uint_eq(first_looks[1], 21);
    publish_between(2, 9);
    ck_assert_uint_eq(lookups, 4);
    ck_assert_int_eq(metric_named("bus.enrich.lookups"), 4);
    ck_assert_int_eq(metric_named("bus.enrich.hits"), 10);
    rig_publish(0, rig.a, 1, 0);                /* without addresses */
    ck_assert_uint_eq(lookups, 4);
    answers++;                                  /* what is remembered is out of date */
    publish_between(2, 9);
    ck_assert_uint_eq(lookups, 6);
    publish_between(2, 9);
    ck_assert_uint_eq(lookups, 6);
    end();
}
END_TEST

START_TEST(an_enricher_of_one_side_is_asked_of_that_side)
{
    struct ec_enricher e = { sizeof e, EC_ENRICH_ADDRESS, "t.look/1", NULL, look, EC_ENRICH_DST, 0, NULL };
    char why[256];

    lookups = 0;
    lookup_mode = 0;
    rig_open(&alone);
    ck_assert_int_eq(bus_enricher(&rig.source, &e, why, sizeof why), EC_OK);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    rig.sink[0].then = note_parts;
    start();
    publish_between(1, 2);
    ck_assert_uint_eq(parts, 2);
    ck_assert_uint_eq(first_looks[1], 22);
    ck_assert_uint_eq(lookups, 1);
    end();
}
END_TEST

START_TEST(what_an_enricher_should_not_have_written_is_taken_back)
{
    enricher_open();
    lookup_mode = 1;
    publish_between(1, 2);
    ck_assert_uint_eq(parts, 1);
    ck_assert(!(flags_seen & EC_EV_CUT));
    lookup_mode = 2;
    publish_between(3, 4);
    ck_assert_uint_eq(parts, 1);
    ck_assert(flags_seen & EC_EV_CUT);
    lookup_mode = 3;                            /* too long to remember: right all the same */
    for (uint32_t i = 0; i < 2; i++) {
        publish_between(5, 6);
        ck_assert_uint_eq(parts, 3);
    }
    ck_assert_uint_eq(lookups, 8);
    end();
}
END_TEST

static uint64_t fired[64];
static uint32_t n_fired, wall_fired;

static void on_timer(void *self, const void *state, uint64_t now_ns)
{
    (void)self;
    (void)state;
    fired[n_fired++] = now_ns;
}

static void on_wall(void *self, const void *state, uint64_t now_ns)
{
    (void)self;
    (void)state;
    (void)now_ns;
    wall_fired++;
}

START_TEST(timers_follow_the_packets)
{
    struct ec_timer t = { sizeof t, 0, 1000000000, on_timer }, wall = { sizeof t, EC_TIMER_WALL, 1000000000, on_wall };
    const uint64_t base = UINT64_C(1700000000000000000), s = 1000000000;
    char why[256];

    rig_open(&alone);
    n_fired = wall_fired = 0;
    ck_assert_int_eq(bus_timer(&rig.source, &t, why, sizeof why), EC_OK);
    ck_assert_int_eq(bus_timer(&rig.source, &wall, why, sizeof why), EC_OK);
    t.every_ns = 1000;
    ck_assert_int_eq(bus_timer(&rig.source, &t, why, sizeof why), EC_EINVAL);
    start();
    bus_drain(base);
    bus_drain(base + s - 1);
    ck_assert_uint_eq(n_fired, 0);
    bus_drain(base + s);
    bus_drain(base + s + 1);
    ck_assert_uint_eq(n_fired, 1);
    bus_drain(base + 10 * s + 5);               /* nine periods at once: one call */
    ck_assert_uint_eq(n_fired, 2);
    bus_drain(base + 11 * s);
    ck_assert_uint_eq(n_fired, 3);
    bus_drain(base + 5 * s);                    /* an older packet */
    ck_assert_uint_eq(n_fired, 3);
    ck_assert_uint_eq(wall_fired, 0);
    end();
}
END_TEST

START_TEST(a_subscription_is_checked)
{
    struct ec_sub s = { sizeof s, EC_SUB_QUEUED, 0, 0, 0, 0, "t.a/1", NULL, NULL };
    char why[256] = "";

    rig_open(&alone);
    ck_assert_int_eq(bus_subscribe(&rig.source, &s, why, sizeof why), EC_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "function"));
    rig_subscribe(0, "t.nobody/1", EC_SUB_QUEUED, 0, 0, 0);     /* may be declared by a plugin that is not here */
    start();
    ck_assert_int_eq(rig_publish(0, rig.a, 1, 0), EC_ENOENT);
    end();
}
END_TEST

static void policy_case(uint32_t overflow, uint64_t got, uint64_t first, int64_t queue, int64_t sample)
{
    rig_open(&alone);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 64, 0, overflow);
    start();
    for (uint64_t i = 1; i <= 200; i++)
        rig_publish(0, rig.a, i, 0);
    bus_drain(0);
    ck_assert_uint_eq(rig_got(&rig.sink[0]), got);
    ck_assert_uint_eq(rig.sink[0].note[0], first);
    ck_assert_int_eq(metric_named("bus.dropped.queue"), queue);
    ck_assert_int_eq(metric_named("bus.dropped.sample"), sample);
    end();
}

START_TEST(overflow_policies_drop_what_they_say)
{
    policy_case(EC_OVF_DROP_NEW, 64, 1, 136, 0);
    policy_case(EC_OVF_DROP_OLD, 64, 137, 136, 0);
    /* 33 come in, then one of 16 of the 167 others: 11. */
    policy_case(EC_OVF_SAMPLE, 44, 1, 0, 156);
}
END_TEST

START_TEST(a_queue_is_bounded_in_bytes)
{
    rig_open(&alone);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 100000, EC_OVF_DROP_NEW);
    rig_subscribe(1, "*", EC_SUB_QUEUED, 0, 1000, EC_OVF_DROP_OLD);
    start();
    for (uint64_t i = 1; i <= 20; i++)
        rig_publish(0, rig.a, i, 30000);        /* 32 KiB each */
    bus_drain(0);
    ck_assert_uint_eq(rig_got(&rig.sink[0]), 3);
    ck_assert_uint_eq(rig_got(&rig.sink[1]), 1);    /* one always fits into an empty queue */
    ck_assert_uint_eq(rig.sink[1].note[0], 20);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bus");
    TCase *tc = tcase_create("one thread");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, events_come_in_order_to_who_asked);
    tcase_add_test(tc, what_nobody_hears_is_not_built);
    tcase_add_test(tc, a_worker_is_who_runs_on_its_thread);
    tcase_add_test(tc, wall_topics_are_off_without_workers);
    tcase_add_test(tc, an_event_without_its_record_is_refused);
    tcase_add_test(tc, opens_nest_four_deep);
    tcase_add_test(tc, a_long_event_is_cut_and_says_so);
    tcase_add_test(tc, ids_are_unique_and_rise);
    tcase_add_test(tc, what_an_inline_subscriber_publishes_comes_after_it);
    tcase_add_test(tc, a_queued_subscriber_may_publish);
    tcase_add_test(tc, an_enricher_is_asked_once_for_each_address);
    tcase_add_test(tc, an_enricher_of_one_side_is_asked_of_that_side);
    tcase_add_test(tc, what_an_enricher_should_not_have_written_is_taken_back);
    tcase_add_test(tc, timers_follow_the_packets);
    tcase_add_test(tc, a_subscription_is_checked);
    tcase_add_test(tc, overflow_policies_drop_what_they_say);
    tcase_add_test(tc, a_queue_is_bounded_in_bytes);
    tcase_add_test(tc, an_attached_part_may_be_the_first);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
