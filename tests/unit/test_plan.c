/* Plans: swapped under readers, held by jobs. */
#include "core/epoch.h"
#include "core/plan.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

START_TEST(a_reference_outlasts_the_swap)
{
    struct plan *one = plan_new(1, 2), *two = plan_new(2, 2), *held;

    ck_assert_ptr_null(plan_current());
    ck_assert_ptr_null(plan_hold("nobody"));
    one->state[1] = one;
    ck_assert_ptr_null(plan_swap(one));
    held = plan_hold("job");
    ck_assert_ptr_eq(held, one);
    ck_assert_uint_eq(plan_refs(one), 1);
    ck_assert_str_eq(one->holder, "job");
    ck_assert_ptr_eq(plan_swap(two), one);
    ck_assert_ptr_eq(plan_current(), two);
    ck_assert_ptr_eq(plan_state(held, 1), one);
    ck_assert_ptr_null(plan_state(held, 2));
    ck_assert_ptr_null(plan_state(NULL, 0));
    plan_release(held);
    ck_assert_uint_eq(plan_refs(one), 0);
    plan_free(one);
    plan_free(plan_swap(NULL));
}
END_TEST

/* Readers look at the state of the plan that they loaded, by epoch or by reference, while another
 * thread swaps and frees. The sanitizers watch. */
#define SWAPS 300
struct number { uint64_t gen, twice; };
static atomic_bool stop;
static atomic_ulong looks, wrong;

static void look(const struct plan *p)
{
    const struct number *s = plan_state(p, 0);

    if (s->gen != p->gen || s->twice != 2 * s->gen)
        atomic_fetch_add(&wrong, 1);
    atomic_fetch_add(&looks, 1);
}

static void *read_by_epoch(void *arg)
{
    ck_assert_int_eq(epoch_register(arg), 0);
    while (!atomic_load(&stop)) {
        epoch_enter();
        for (int i = 0; i < 100; i++)
            look(plan_current());
        epoch_leave();
    }
    epoch_unregister();
    return NULL;
}

static void *read_by_reference(void *arg)
{
    while (!atomic_load(&stop)) {
        struct plan *p = plan_hold(arg);

        look(p);
        plan_release(p);
    }
    return NULL;
}

static struct plan *numbered(uint32_t gen)
{
    struct plan *p = plan_new(gen, 1);
    struct number *s = malloc(sizeof *s);

    s->gen = gen;
    s->twice = 2ul * gen;
    p->state[0] = s;
    return p;
}

START_TEST(readers_never_see_a_freed_state)
{
    static char names[3][16] = { "reader 0", "reader 1", "job" };
    pthread_t t[3];
    struct plan *old;
    const char *holder;

    plan_swap(numbered(1));
    pthread_create(&t[0], NULL, read_by_epoch, names[0]);
    pthread_create(&t[1], NULL, read_by_epoch, names[1]);
    pthread_create(&t[2], NULL, read_by_reference, names[2]);
    while (atomic_load(&looks) < 100)
        sched_yield();
    for (uint32_t gen = 2; gen < SWAPS; gen++) {
        old = plan_swap(numbered(gen));
        ck_assert(epoch_wait(UINT64_C(10000000000), &holder));
        while (plan_refs(old))
            sched_yield();
        free(old->state[0]);
        plan_free(old);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    ck_assert_uint_eq(atomic_load(&wrong), 0);
    old = plan_swap(NULL);
    free(old->state[0]);
    plan_free(old);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("plan");
    TCase *t = tcase_create("plans");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_reference_outlasts_the_swap);
    tcase_add_test(t, readers_never_see_a_freed_state);
    suite_add_tcase(s, t);
    return unit_run(s);
}
