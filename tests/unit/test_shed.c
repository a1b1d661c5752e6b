/* When a worker leaves something out, and when it looks at all again; what that does to flows and inspectors. */
#include "tests/unit/unit.h"

#include "plugins/traffic/shed.h"
#include "tests/unit/traffic_frames.h"

#define MS UINT64_C(1000000)
static const struct shed_conf conf = { true, 500, 100, 50 * MS, 1000 * MS };

START_TEST(up_in_steps)
{
    struct shed s = { 0 };

    ck_assert_uint_eq(shed_look(&s, &conf, 500, 1 * MS), 0);
    ck_assert_uint_eq(shed_look(&s, &conf, 900, 50 * MS), 0);
    ck_assert_uint_eq(shed_look(&s, &conf, 500, 51 * MS), SHED_FLOWS);
    ck_assert_uint_eq(shed_look(&s, &conf, 1000, 100 * MS), SHED_FLOWS);
    ck_assert_uint_eq(shed_look(&s, &conf, 1000, 101 * MS), SHED_INSPECTORS);
    ck_assert_uint_eq(shed_look(&s, &conf, 1000, 900 * MS), SHED_INSPECTORS);   /* there is no more */
}
END_TEST

/* A burst that is over before its time is none; between the two marks nothing changes, however long. */
START_TEST(between)
{
    struct shed s = { 0 };

    shed_look(&s, &conf, 700, 1 * MS);
    ck_assert_uint_eq(shed_look(&s, &conf, 499, 40 * MS), 0);
    ck_assert_uint_eq(shed_look(&s, &conf, 500, 60 * MS), 0);
    ck_assert_uint_eq(shed_look(&s, &conf, 500, 109 * MS), 0);
    ck_assert_uint_eq(shed_look(&s, &conf, 500, 110 * MS), SHED_FLOWS);
    for (uint64_t t = 111; t < 100000; t += 10)
        ck_assert_uint_eq(shed_look(&s, &conf, t % 2 ? 100 : 499, t * MS), SHED_FLOWS);
}
END_TEST

START_TEST(down_in_steps)
{
    struct shed s = { SHED_INSPECTORS, 0, 0 };

    ck_assert_uint_eq(shed_look(&s, &conf, 99, 10 * MS), SHED_INSPECTORS);
    ck_assert_uint_eq(shed_look(&s, &conf, 100, 900 * MS), SHED_INSPECTORS);    /* not that empty any more */
    ck_assert_uint_eq(shed_look(&s, &conf, 0, 1000 * MS), SHED_INSPECTORS);
    ck_assert_uint_eq(shed_look(&s, &conf, 0, 1999 * MS), SHED_INSPECTORS);
    ck_assert_uint_eq(shed_look(&s, &conf, 0, 2000 * MS), SHED_FLOWS);
    ck_assert_uint_eq(shed_look(&s, &conf, 0, 2999 * MS), SHED_FLOWS);
    ck_assert_uint_eq(shed_look(&s, &conf, 0, 3000 * MS), SHED_NOTHING);
    ck_assert_uint_eq(shed_look(&s, &conf, 0, 9000 * MS), SHED_NOTHING);
}
END_TEST

/* Turned off by a reload, it ends at once, however full the buffer is. */
START_TEST(turned_off)
{
    struct shed_conf off = conf;
    struct shed s = { SHED_INSPECTORS, 5 * MS, 0 };

    off.on = false;
    ck_assert_uint_eq(shed_look(&s, &off, 1000, 10 * MS), SHED_FLOWS);
    ck_assert_uint_eq(shed_look(&s, &off, 1000, 11 * MS), SHED_NOTHING);
    ck_assert_uint_eq(shed_look(&s, &off, 1000, 900 * MS), SHED_NOTHING);
}
END_TEST

static uint32_t calls[2], ends[2];
static void on_packet(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p)
{
    (void)w, (void)st, (void)gen, (void)p;
    ++*(uint32_t *)self;
}
static void on_end(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, uint32_t reason)
{
    (void)w, (void)st, (void)gen, (void)f, (void)reason;
    ((uint32_t *)self)[ends - calls]++;
}
static const struct ec_inspector hooks = {
    .size = sizeof hooks, .name = "test", .packet = on_packet, .flow_end = on_end };

static const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 53 }, other = { 0x0a000003, 53 };

/* Two inspectors, of which the second is optional; shedding begins and ends at once. */
static void start(struct feed *f)
{
    memset(calls, 0, sizeof calls);
    memset(ends, 0, sizeof ends);
    feed_init(f);
    f->tr.inspectors = 2;
    for (uint32_t i = 0; i < 2; i++)
        f->tr.inspector[i] = (struct inspector){ .hooks = &hooks, .self = &calls[i], .metric = M_SHED_RAISED + 100 + i };
    f->conf.anomalies = false;
    f->conf.shed_inspectors = 2;
    f->conf.shed.step = f->conf.shed.calm = 0;
    f->conf.shed_bytes = 500;
    feed_open(f);
}

static void say(struct feed *f, struct side to, uint32_t fill, uint32_t times)
{
    f->fill = fill;
    while (times--)
        feed_udp(f, client, to, "12345678", 8);
}

START_TEST(inspectors_and_flows)
{
    struct feed f;
    struct flow *large, *small;
    uint32_t at = 0;

    start(&f);
    say(&f, server, 499, 7);
    ck_assert_uint_eq(f.w->shed.level, SHED_NOTHING);
    say(&f, server, 500, 1);                        /* its eighth packet: 400 bytes */
    ck_assert_uint_eq(f.w->shed.level, SHED_FLOWS);
    ck_assert_uint_eq(calls[1], 8);
    say(&f, other, 500, 2);
    ck_assert_uint_eq(f.w->shed.level, SHED_INSPECTORS);
    ck_assert_uint_eq(calls[0], 10);
    ck_assert_uint_eq(calls[1], 8);
    say(&f, server, 100, 8);                        /* its sixteenth: large now; the level stays between the marks */
    ck_assert_uint_eq(f.w->shed.level, SHED_INSPECTORS);
    ck_assert_uint_eq(calls[0], 17);
    ck_assert_uint_eq(calls[1], 8);
    large = table_walk(&f.w->table, &at);
    small = table_walk(&f.w->table, &at);
    ck_assert_ptr_nonnull(large->bypass);
    ck_assert_uint_eq(large->bypass->why, BYPASS_OVERLOAD);
    ck_assert_ptr_null(small->bypass);
    ck_assert_uint_eq(large->shed, 2);
    ck_assert_uint_eq(small->shed, 2);
    ck_assert_uint_eq(f.w->cells[M_BYPASS_OVERLOAD], 1);
    ck_assert_uint_eq(f.w->cells[M_SHED_RAISED], 2);
    ck_assert_uint_eq(f.w->cells[M_SHED_LEVEL], SHED_INSPECTORS);
    ck_assert_uint_eq(f.w->cells[f.tr.inspector[1].metric], 2);
    ck_assert_uint_eq(f.w->cells[f.tr.inspector[0].metric], 0);

    say(&f, other, 0, 1);
    say(&f, client, 0, 1);
    ck_assert_uint_eq(f.w->shed.level, SHED_NOTHING);
    ck_assert_uint_eq(calls[1], 9);                 /* a new flow is shown, what was left out stays so */
    say(&f, other, 0, 1);
    ck_assert_uint_eq(calls[0], 20);
    ck_assert_uint_eq(calls[1], 9);
    while (worker_finish(f.w, 0)) {}
    ck_assert_uint_eq(f.w->cells[M_SHED_PKTS], 1);
    ck_assert_uint_eq(ends[0], 3);
    ck_assert_uint_eq(ends[1], 1);
    worker_close(f.w);
}
END_TEST

/* Silence empties the buffer, too. */
START_TEST(silence)
{
    struct feed f;

    start(&f);
    say(&f, server, 900, 2);
    ck_assert_uint_eq(f.w->shed.level, SHED_INSPECTORS);
    worker_idle(f.w, f.now_ns);                     /* these two came since the last time */
    ck_assert_uint_eq(f.w->shed.level, SHED_INSPECTORS);
    worker_idle(f.w, f.now_ns);
    worker_idle(f.w, f.now_ns);
    ck_assert_uint_eq(f.w->shed.level, SHED_NOTHING);
    ck_assert_uint_eq(f.w->cells[M_SHED_LEVEL], 0);
    feed_close(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("shed");
    TCase *tc = tcase_create("shed");

    tcase_add_test(tc, up_in_steps);
    tcase_add_test(tc, between);
    tcase_add_test(tc, down_in_steps);
    tcase_add_test(tc, turned_off);
    tcase_add_test(tc, inspectors_and_flows);
    tcase_add_test(tc, silence);
    suite_add_tcase(s, tc);
    return unit_run(s);
}
