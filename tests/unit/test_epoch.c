#include "tests/unit/unit.h"

#include "core/epoch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define MS UINT64_C(1000000)

static atomic_int stage;            /* what the reader is told to do, and has done */

static void stage_wait(int at)
{
    struct timespec t = { 0, 100000 };

    while (atomic_load(&stage) < at)
        nanosleep(&t, NULL);
}

static void *reader(void *arg)
{
    (void)arg;
    ck_assert_int_eq(epoch_register("reader"), 0);
    epoch_enter();
    atomic_store(&stage, 1);
    stage_wait(2);
    epoch_quiesce();
    atomic_store(&stage, 3);
    stage_wait(4);
    epoch_leave();
    atomic_store(&stage, 5);
    stage_wait(6);
    epoch_unregister();
    return NULL;
}

START_TEST(a_grace_period_waits_for_whoever_is_inside)
{
    const char *holder = NULL;
    pthread_t t;

    atomic_store(&stage, 0);
    pthread_create(&t, NULL, reader, NULL);
    stage_wait(1);
    ck_assert(!epoch_wait(20 * MS, &holder));
    ck_assert_str_eq(holder, "reader");
    atomic_store(&stage, 2);
    stage_wait(3);
    /* It announced again after that grace period began, but holds up the next one. */
    ck_assert(!epoch_wait(20 * MS, &holder));
    atomic_store(&stage, 4);
    stage_wait(5);
    ck_assert(epoch_wait(20 * MS, &holder));
    atomic_store(&stage, 6);
    pthread_join(t, NULL);
}
END_TEST

static void *waiter(void *arg)
{
    const char *holder = NULL;

    atomic_store(&stage, 1);
    *(bool *)arg = epoch_wait(5000 * MS, &holder);
    return NULL;
}

START_TEST(announcing_again_ends_a_grace_period)
{
    struct timespec some = { 0, 20000000 };
    bool passed = false;
    pthread_t t;

    ck_assert_int_eq(epoch_register("test"), 0);
    epoch_enter();
    ck_assert(epoch_online());
    atomic_store(&stage, 0);
    pthread_create(&t, NULL, waiter, &passed);
    stage_wait(1);
    nanosleep(&some, NULL);
    epoch_quiesce();
    pthread_join(t, NULL);
    ck_assert(passed);
    epoch_unregister();
    ck_assert(!epoch_online());
}
END_TEST

/* What an epoch is for: a pointer that is swapped under readers, freed after a grace period, never read after it. */
static struct thing { uint64_t a, b; } *_Atomic shared;
static atomic_bool done;

static void *chase(void *arg)
{
    uint64_t *bad = arg;

    epoch_register("chase");
    while (!atomic_load_explicit(&done, memory_order_relaxed)) {
        struct thing *t;

        epoch_enter();
        t = atomic_load_explicit(&shared, memory_order_acquire);
        *bad += t->a != t->b;
        epoch_leave();
    }
    epoch_unregister();
    return NULL;
}

START_TEST(nothing_is_freed_under_a_reader)
{
    uint64_t bad[3] = { 0 };
    pthread_t t[3];

    atomic_store(&done, false);
    atomic_store(&shared, calloc(1, sizeof *shared));
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, chase, &bad[i]);
    for (uint64_t n = 1; n <= 300; n++) {
        struct thing *next = malloc(sizeof *next), *old;
        const char *holder;

        next->a = next->b = n;
        old = atomic_exchange(&shared, next);
        ck_assert(epoch_wait(5000 * MS, &holder));
        old->a = n;
        old->b = ~n;                /* a reader that still held it would see this */
        free(old);
    }
    atomic_store(&done, true);
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
        ck_assert_uint_eq(bad[i], 0);
    }
    free(atomic_load(&shared));
}
END_TEST

START_TEST(registration_repeats_and_runs_out)
{
    ck_assert_int_eq(epoch_register("test"), 0);
    ck_assert_int_eq(epoch_register("test"), 0);
    epoch_unregister();
    epoch_enter();                  /* not registered: holds nothing, hurts nothing */
    ck_assert(!epoch_online());
    epoch_leave();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("epoch");
    TCase *tc = tcase_create("epoch");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_grace_period_waits_for_whoever_is_inside);
    tcase_add_test(tc, announcing_again_ends_a_grace_period);
    tcase_add_test(tc, nothing_is_freed_under_a_reader);
    tcase_add_test(tc, registration_repeats_and_runs_out);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
