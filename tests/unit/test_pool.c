#include "tests/unit/unit.h"

#include "core/clock.h"
#include "core/log/mark.h"
#include "core/metric.h"
#include "core/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static _Atomic uint32_t ran;
static atomic_bool hold;
static atomic_bool mark_seen;
static pthread_t ran_on;

static void nap(void)
{
    struct timespec t = { 0, 1000000 };

    nanosleep(&t, NULL);
}

static void job(void *arg)
{
    (void)arg;
    ran_on = pthread_self();
    atomic_fetch_add(&ran, 1);
}

static void marked(void *arg)
{
    (void)arg;
    if (mark_self->mark.plugin && !strcmp(mark_self->mark.plugin, "tester") && !strcmp(mark_self->mark.callback, "work"))
        atomic_store(&mark_seen, true);
}

static void blocker(void *arg)
{
    (void)arg;
    atomic_fetch_add(&ran, 1);
    while (atomic_load(&hold))
        nap();
}

START_TEST(without_threads_a_job_runs_in_place)
{
    atomic_store(&ran, 0);
    ck_assert_int_eq(pool_start(0), 0);
    ck_assert_int_eq(pool_run("tester", "work", job, NULL), 0);
    ck_assert_uint_eq(atomic_load(&ran), 1);
    ck_assert(pthread_equal(ran_on, pthread_self()));
    pool_stop(1000000000);
    ck_assert_int_eq(pool_run("tester", "work", job, NULL), EC_EAGAIN);
}
END_TEST

static void count(void *arg)
{
    (void)arg;
    atomic_fetch_add(&ran, 1);
}

START_TEST(every_job_runs_once)
{
    atomic_store(&ran, 0);
    atomic_store(&mark_seen, false);
    ck_assert_int_eq(pool_start(3), 0);
    ck_assert_int_eq(pool_run("tester", "work", marked, NULL), 0);
    for (uint32_t taken = 0; taken < 20000;) {
        if (pool_run("tester", "work", count, NULL))
            nap();
        else
            taken++;
    }
    pool_stop(10000000000);
    ck_assert_uint_eq(atomic_load(&ran), 20000);
    ck_assert(atomic_load(&mark_seen));
}
END_TEST

START_TEST(a_full_queue_refuses_and_a_stop_does_not_wait_for_ever)
{
    uint32_t taken = 0;
    uint64_t begin;

    metric_reset();
    pool_metrics();
    atomic_store(&ran, 0);
    atomic_store(&hold, true);
    ck_assert_int_eq(pool_start(1), 0);
    ck_assert_int_eq(pool_run("tester", "work", blocker, NULL), 0);
    while (!atomic_load(&ran))
        nap();
    while (pool_run("tester", "work", count, NULL) == 0)
        taken++;
    ck_assert_uint_eq(taken, 4096);
    ck_assert_str_eq(metric_get(1, NULL)->name, "pool.rejected");
    ck_assert_int_eq(metric_value(1), 1);
    begin = clock_monotonic();
    pool_stop(50000000);
    ck_assert_uint_lt(clock_monotonic() - begin, 5000000000);
    ck_assert_int_eq(metric_value(2), 4096);    /* pool.abandoned */
    atomic_store(&hold, false);
    nap();
    ck_assert_uint_eq(atomic_load(&ran), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool");
    TCase *tc = tcase_create("pool");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, without_threads_a_job_runs_in_place);
    tcase_add_test(tc, every_job_runs_once);
    tcase_add_test(tc, a_full_queue_refuses_and_a_stop_does_not_wait_for_ever);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
