/* The worker's loop with a source and stages of the test's own. */
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

#include "core/clock.h"
#include "core/epoch.h"
#include "core/plan.h"
#include "core/worker.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#define SECOND UINT64_C(1000000000)
#define BASE (UINT64_C(1700000000) * SECOND)
#define LOG_MAX 4096u

/* What the source hands out: "fake:N": N packets, every third for share 0 only where there are shares. */
struct source {
    struct instance instance;
    uint32_t packets;               /* of each handle */
    uint32_t fetch_at_most;         /* fewer than asked for; 0: as many */
    uint32_t error_after;           /* 0: never */
    bool refuse, greedy, endless, idle;
    _Atomic uint32_t opened, closed, fetched, finished, out_of_order, waits;
    _Atomic uint64_t verdicts[4];
};
struct handle { struct source *s; uint32_t share, shares, next, given; };

static struct source source;
static struct instance stage_instance[2];

static int32_t source_open(void *self, const void *state, const char *uri, uint32_t share, uint32_t shares, void **handle)
{
    struct source *s = self;
    struct handle *h;

    (void)state;
    ck_assert_int_eq(strncmp(uri, "fake:", 5), 0);
    if (s->refuse)
        return EC_EIO;
    h = calloc(1, sizeof *h);
    *h = (struct handle){ s, share, shares, 0, 0 };
    atomic_fetch_add(&s->opened, 1);
    *handle = h;
    return EC_OK;
}

static uint32_t wait_wake(struct source *s, int32_t wake_fd, uint32_t timeout_ms, uint32_t *why)
{
    struct pollfd p = { wake_fd, POLLIN, 0 };

    ck_assert(!epoch_online() || !timeout_ms);      /* never online while it waits */
    if (timeout_ms)
        atomic_fetch_add(&s->waits, 1);
    *why = poll(&p, 1, (int)timeout_ms) > 0 ? EC_SRC_INTERRUPTED : EC_SRC_IDLE;
    return 0;
}

static uint32_t source_fetch(void *handle, struct ec_frame *const *f, uint32_t max, int32_t wake_fd, uint32_t timeout_ms,
                             uint32_t *why)
{
    static const uint8_t bytes[60];
    struct handle *h = handle;
    struct source *s = h->s;
    uint32_t n = s->fetch_at_most && s->fetch_at_most < max ? s->fetch_at_most : max;

    ck_assert_uint_ge(max, 1);
    if (s->idle)
        return wait_wake(s, wake_fd, timeout_ms, why);
    if (!s->endless && n > s->packets - h->next)
        n = s->packets - h->next;
    for (uint32_t i = 0; i < n; i++, h->next++) {
        f[i]->data = bytes;
        f[i]->caplen = f[i]->wirelen = sizeof bytes;
        f[i]->ts_ns = BASE + (uint64_t)h->next * 1000000;
        f[i]->count = h->next + 1;
        f[i]->cookie = h->next;
    }
    atomic_fetch_add(&s->fetched, n);
    *why = n ? EC_SRC_MORE : EC_SRC_END;
    if (s->error_after && h->next >= s->error_after)
        *why = EC_SRC_ERROR;
    return s->greedy ? max + 1 : n;
}

static void source_finish(void *handle, struct ec_frame *const *f, const uint32_t *verdict, uint32_t n)
{
    struct handle *h = handle;

    for (uint32_t i = 0; i < n; i++, h->given++) {
        if (f[i]->cookie != h->given)
            atomic_fetch_add(&h->s->out_of_order, 1);
        atomic_fetch_add(&h->s->verdicts[verdict[i] & 3], 1);
    }
    atomic_fetch_add(&h->s->finished, n);
}

static void source_stats(void *handle, uint64_t *c, uint32_t n)
{
    struct handle *h = handle;

    if (n > EC_SRC_DELIVERED)
        c[EC_SRC_SEEN] = c[EC_SRC_DELIVERED] = h->next;
}

static void source_close(void *handle)
{
    struct handle *h = handle;

    atomic_fetch_add(&h->s->closed, 1);
    free(h);
}

/* Which states came, and before which packets. */
static struct { const void *state; uint32_t at; } reloads[4];
static uint32_t n_reload;

static void source_reload(void *handle, const void *state)
{
    struct handle *h = handle;

    ck_assert_uint_lt(n_reload, 4);
    ck_assert_uint_eq(h->next, h->given);           /* no frame is out */
    reloads[n_reload].state = state;
    reloads[n_reload++].at = h->next;
}

static struct ec_source fake = { sizeof fake, EC_SOURCE_MAY_WAIT, "fake", source_open, source_fetch, source_finish,
                                 source_stats, source_close, NULL, source_reload };

/* The stage writes down what is called, in order: packet n, idle, finish. */
enum { IDLE = 1000000, FINISH = 2000000 };
static uint32_t called[LOG_MAX];
static _Atomic uint32_t n_called, finishes, finish_reason;
static _Atomic uint64_t idle_now;
static void (*in_packet)(uint32_t worker, uint32_t n);

static void write_down(uint32_t what)
{
    uint32_t at = atomic_fetch_add(&n_called, 1);

    if (at < LOG_MAX)
        called[at] = what;
}

static void stage_packet(void *self, void *w, const void *state, uint32_t worker, uint32_t i, struct ec_frame *f,
                         uint32_t *verdict)
{
    (void)self;
    (void)w;
    (void)state;
    (void)i;
    write_down((uint32_t)f->cookie);
    rig_publish(worker, rig.a, f->cookie, 0);
    if (f->cookie % 5 == 0)
        *verdict = EC_V_DROP;
    if (in_packet)
        in_packet(worker, (uint32_t)f->cookie);
}

static void stage_idle(void *self, void *w, const void *state, uint32_t worker, uint64_t now_ns)
{
    (void)self;
    (void)w;
    (void)state;
    (void)worker;
    atomic_store(&idle_now, now_ns);
    write_down(IDLE);
}

static uint32_t stage_finish(void *self, void *w, const void *state, uint32_t worker, uint32_t reason)
{
    (void)self;
    (void)w;
    (void)state;
    atomic_store(&finish_reason, reason);
    write_down(FINISH);
    for (uint32_t i = 0; i < 10; i++)
        rig_publish(worker, rig.b, i, 0);
    return atomic_fetch_add(&finishes, 1) % 4 == 3 ? 0 : 1;
}

/* A second stage that lowers what the first one raised. */
static void lower(void *self, void *w, const void *state, uint32_t worker, uint32_t i, struct ec_frame *f,
                  uint32_t *verdict)
{
    (void)self;
    (void)w;
    (void)state;
    (void)worker;
    (void)i;
    (void)f;
    *verdict = EC_V_PASS;
}

static struct ec_stage first = { sizeof first, 0, NULL, stage_packet, stage_idle, stage_finish };
static struct ec_stage second = { sizeof second, 0, NULL, lower, NULL, NULL };

static _Atomic uint32_t dones;
static atomic_bool done_failed;

static void on_done(bool failed, void *arg)
{
    (void)arg;
    atomic_store(&done_failed, failed);
    atomic_fetch_add(&dones, 1);
}

static const char *const one_uri[] = { "fake:one" }, *const two_uris[] = { "fake:one", "fake:two" };

static void prepare(uint32_t workers, uint32_t packets)
{
    struct bus_config c = { .workers = workers };
    char why[256];

    rig_open(&c);
    memset(&source, 0, sizeof source);
    source.instance.d.name = "fake";
    source.instance.self = &source;
    source.packets = packets;
    for (uint32_t i = 0; i < 2; i++)
        stage_instance[i].d.name = "stage";
    fake.flags = EC_SOURCE_MAY_WAIT;
    atomic_store(&n_called, 0);
    atomic_store(&finishes, 0);
    atomic_store(&dones, 0);
    in_packet = NULL;
    ck_assert_int_eq(worker_source(&source.instance, &fake, why, sizeof why), EC_OK);
    ck_assert_int_eq(worker_source(&source.instance, &fake, why, sizeof why), EC_EEXIST);
    ck_assert_int_eq(worker_stage(&stage_instance[0], &first, why, sizeof why), EC_OK);
    ck_assert_int_eq(worker_stage(&stage_instance[1], &second, why, sizeof why), EC_OK);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    rig_start();
    epoch_register("test");
}

static void run_alone(uint32_t batch, uint32_t n_uri)
{
    struct worker_config c = { .batch = batch, .n_uri = n_uri, .uri = two_uris };

    ck_assert_int_eq(worker_start(&c, on_done, NULL), EC_OK);
    worker_run();
    ck_assert_uint_eq(atomic_load(&dones), 1);
}

static void end(void)
{
    bus_stop(5 * SECOND);
    rig_close();
    worker_reset();
}

START_TEST(a_batch_is_not_seen)
{
    static const uint32_t batches[] = { 1, 7, 64, 64 };
    static uint32_t before[LOG_MAX];
    static uint64_t notes[RIG_NOTES];

    for (uint32_t k = 0; k < 4; k++) {
        prepare(0, 500);
        source.fetch_at_most = k == 3 ? 5 : 0;
        run_alone(batches[k], 1);
        ck_assert_uint_eq(atomic_load(&n_called), 500 + 7 + 4);     /* packets, idle at each 64th, finish */
        ck_assert_uint_eq(called[63], 63);
        ck_assert_uint_eq(called[64], IDLE);
        ck_assert_uint_eq(atomic_load(&rig.sink[0].notes), 500 + 40);
        if (k) {
            ck_assert_mem_eq(called, before, 511 * sizeof called[0]);
            ck_assert_mem_eq(rig.sink[0].note, notes, 540 * sizeof notes[0]);
        }
        memcpy(before, called, sizeof before);
        memcpy(notes, rig.sink[0].note, sizeof notes);
        end();
    }
}
END_TEST

START_TEST(every_frame_comes_back_once_with_its_verdict)
{
    struct worker_account a;

    prepare(0, 300);
    run_alone(64, 2);
    ck_assert_uint_eq(atomic_load(&source.opened), 2);
    ck_assert_uint_eq(atomic_load(&source.closed), 2);
    ck_assert_uint_eq(atomic_load(&source.finished), 600);
    ck_assert_uint_eq(atomic_load(&source.out_of_order), 0);
    ck_assert_uint_eq(atomic_load(&source.verdicts[EC_V_DROP]), 120);   /* the second stage could not lower them */
    ck_assert_uint_eq(atomic_load(&source.verdicts[EC_V_PASS]), 480);
    ck_assert_uint_eq(atomic_load(&finish_reason), EC_STAGE_END_SOURCE);
    ck_assert_uint_eq(atomic_load(&finishes), 4);                       /* until it said 0, and once for both files */
    worker_account_get(0, &a);
    ck_assert_uint_eq(a.fetched, 600);
    ck_assert_uint_eq(a.finished, 600);
    ck_assert_uint_eq(a.dropped_verdict, 120);
    ck_assert_uint_eq(a.source[EC_SRC_SEEN], 600);                      /* over both handles */
    ck_assert_uint_eq(a.status, EC_SRC_END);
    ck_assert(!atomic_load(&done_failed));
    end();
}
END_TEST

/* --workers 0: what a packet published is delivered before the next packet. */
static void nothing_waits(uint32_t worker, uint32_t n)
{
    (void)worker;
    ck_assert_uint_eq(rig_got(&rig.sink[0]), n);
}

START_TEST(alone_each_packet_is_drained)
{
    prepare(0, 200);
    in_packet = nothing_waits;
    run_alone(64, 1);
    ck_assert_uint_eq(rig_got(&rig.sink[0]), 240);
    ck_assert_uint_ge(atomic_load(&rig.sink[0].idles), 1);
    end();
}
END_TEST

START_TEST(a_source_that_fails_says_so)
{
    prepare(0, 100);
    source.refuse = true;
    run_alone(64, 2);
    ck_assert(atomic_load(&done_failed));
    ck_assert_uint_eq(atomic_load(&finishes), 4);           /* the stages end all the same */
    end();
    prepare(0, 100);
    source.error_after = 50;
    run_alone(10, 1);
    ck_assert(atomic_load(&done_failed));
    ck_assert_uint_eq(atomic_load(&source.finished), 50);
    ck_assert_uint_eq(atomic_load(&source.closed), 1);
    end();
    prepare(0, 100);
    source.greedy = true;
    run_alone(10, 1);
    ck_assert(atomic_load(&done_failed));
    ck_assert_uint_eq(atomic_load(&source.finished), 0);
    end();
}
END_TEST

START_TEST(an_unknown_scheme_is_refused)
{
    static const char *const bad[] = { "other:thing" };
    struct worker_config c = { .batch = 1, .n_uri = 1, .uri = bad };

    prepare(0, 1);
    ck_assert_int_eq(worker_start(&c, on_done, NULL), EC_ENOENT);
    end();
}
END_TEST

static void wait_done(void)
{
    while (!atomic_load(&dones))
        rig_sleep_us(500);
    worker_join();
}

static void keep(const struct bus_row *r, void *arg)
{
    struct bus_row *sum = arg;

    if (!r->plugin)
        return;
    sum->in += r->in;
    sum->out += r->out;
    for (uint32_t i = 0; i < BUS_REASONS; i++)
        sum->dropped[0] += r->dropped[i];
}

START_TEST(two_workers_end_once_and_account_for_all)
{
    struct worker_config c = { .workers = 2, .batch = 64, .n_uri = 2, .uri = two_uris };
    struct worker_account a, b;
    struct bus_row sum = { 0 };
    uint64_t packets = 0;

    prepare(2, 20000);
    rig.sink[0].slow_us = 0;
    ck_assert_int_eq(worker_start(&c, on_done, NULL), EC_OK);
    ck_assert_uint_eq(worker_count(), 2);
    ck_assert(bus_fence(10 * SECOND, keep, &sum));
    for (uint32_t i = 0; i < 2; i++) {          /* under load, and exact all the same */
        worker_account_fenced(i, &a);
        ck_assert_uint_eq(a.fetched, a.finished);
        ck_assert_uint_eq(a.source[EC_SRC_DELIVERED], a.fetched);
        packets += a.finished;
    }
    ck_assert_uint_le(packets, sum.in);         /* an event for each packet; the stages' ends publish some more */
    ck_assert_uint_ge(packets + 80, sum.in);
    wait_done();
    ck_assert_uint_eq(atomic_load(&dones), 1);
    worker_account_get(0, &a);
    worker_account_get(1, &b);
    ck_assert_uint_eq(a.finished + b.finished, 80000);
    ck_assert_uint_eq(atomic_load(&source.out_of_order), 0);
    memset(&sum, 0, sizeof sum);
    ck_assert(bus_fence(10 * SECOND, keep, &sum));
    ck_assert_uint_eq(sum.in, 80000 + 80);
    ck_assert_uint_eq(sum.out, 80000 + 80);     /* a replay waits for its readers */
    end();
}
END_TEST

START_TEST(a_stop_under_load_ends_the_stages)
{
    struct worker_config c = { .workers = 2, .batch = 64, .n_uri = 1, .uri = one_uri };
    struct bus_row sum = { 0 };

    prepare(2, 0);
    source.endless = true;
    fake.flags = 0;                             /* live: nobody waits for readers */
    rig.sink[0].slow_us = 20;
    ck_assert_int_eq(worker_start(&c, on_done, NULL), EC_OK);
    rig_sleep_us(50000);
    worker_stop();
    wait_done();
    ck_assert_uint_eq(atomic_load(&source.fetched), atomic_load(&source.finished));
    ck_assert_uint_eq(atomic_load(&finish_reason), EC_STAGE_END_SHUTDOWN);
    ck_assert_uint_eq(atomic_load(&finishes), 8);
    ck_assert_uint_eq(atomic_load(&source.closed), 2);
    bus_stop(SECOND / 10);
    bus_rows(keep, &sum);
    ck_assert_uint_eq(sum.in, atomic_load(&source.fetched) + 80);
    ck_assert_uint_eq(sum.in, sum.out + sum.dropped[0]);
    rig_close();
    worker_reset();
}
END_TEST

START_TEST(a_quiet_source_is_woken)
{
    struct worker_config c = { .workers = 2, .batch = 64, .n_uri = 1, .uri = one_uri };
    struct bus_row sum = { 0 };
    uint64_t begin, slowest = 0;

    prepare(2, 0);
    source.idle = true;
    fake.flags = 0;
    ck_assert_int_eq(worker_start(&c, on_done, NULL), EC_OK);
    rig_sleep_us(20000);
    for (uint32_t i = 0; i < 5; i++) {
        begin = clock_monotonic();
        ck_assert(bus_fence(5 * SECOND, keep, &sum));
        if (clock_monotonic() - begin > slowest)
            slowest = clock_monotonic() - begin;
        rig_sleep_us(10000);
    }
    ck_assert_uint_lt(slowest, 90000000);       /* not only at the time-out of the fetch, 100 ms */
    rig_sleep_us(250000);
    ck_assert_uint_ge(atomic_load(&n_called), 2);               /* idle() without packets, by the wall clock */
    ck_assert_uint_gt(atomic_load(&idle_now), BASE);
    ck_assert(epoch_wait(SECOND, &(const char *){ NULL }));     /* and they hold up no grace period */
    begin = clock_monotonic();
    worker_stop();
    wait_done();
    ck_assert_uint_lt(clock_monotonic() - begin, 90000000);
    ck_assert_uint_lt(atomic_load(&source.waits), 100);         /* no spinning */
    end();
}
END_TEST

/* A plan that is swapped in the middle of a batch is seen at the next one, and its state given to the source once. */
static struct plan *plans[2];
static uint32_t gens[200];

static void note_gen(uint32_t worker, uint32_t n)
{
    gens[n] = worker_plan(worker)->gen;
    if (n == 20)
        plan_swap(plans[1]);
}

START_TEST(a_batch_has_one_plan)
{
    prepare(0, 100);
    n_reload = 0;
    for (uint32_t i = 0; i < 2; i++) {
        plans[i] = plan_new(i + 1, 1);
        plans[i]->state[0] = &gens[i];
    }
    plan_swap(plans[0]);
    in_packet = note_gen;
    run_alone(32, 1);
    for (uint32_t i = 0; i < 100; i++)
        ck_assert_uint_eq(gens[i], i < 32 ? 1 : 2);
    ck_assert_uint_eq(n_reload, 1);
    ck_assert_uint_eq(reloads[0].at, 64);           /* before the first fetch under the new plan */
    ck_assert_ptr_eq(reloads[0].state, &gens[1]);
    end();
    plan_swap(NULL);
    plan_free(plans[0]);
    plan_free(plans[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker");
    TCase *tc = tcase_create("worker");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_batch_is_not_seen);
    tcase_add_test(tc, every_frame_comes_back_once_with_its_verdict);
    tcase_add_test(tc, alone_each_packet_is_drained);
    tcase_add_test(tc, a_source_that_fails_says_so);
    tcase_add_test(tc, an_unknown_scheme_is_refused);
    tcase_add_test(tc, two_workers_end_once_and_account_for_all);
    tcase_add_test(tc, a_stop_under_load_ends_the_stages);
    tcase_add_test(tc, a_quiet_source_is_woken);
    tcase_add_test(tc, a_batch_has_one_plan);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
