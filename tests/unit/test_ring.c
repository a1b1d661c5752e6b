#include "tests/unit/unit.h"

#include "core/bus/ring.h"

#include <pthread.h>
#include <sched.h>

START_TEST(it_keeps_order_and_says_when_it_is_full)
{
    struct ring r;
    uint64_t out[64];

    ck_assert_int_eq(ring_init(&r, 16), 0);
    for (uint64_t round = 0; round < 5; round++) {      /* so that the indexes wrap */
        for (uint64_t i = 0; i < 12; i++)
            ck_assert(ring_push(&r, round * 100 + i, 10, 4));
        ck_assert(!ring_push(&r, 7, 10, 4));
        ck_assert_uint_eq(ring_fill(&r), 12);
        ck_assert_uint_eq(ring_bytes(&r), 120);
        for (uint64_t i = 12; i < 16; i++)              /* the room that only some may take */
            ck_assert(ring_push(&r, round * 100 + i, 0, 0));
        ck_assert(!ring_push(&r, 7, 0, 0));
        ck_assert_uint_eq(ring_pop(&r, out, 5), 5);
        ck_assert_uint_eq(out[0], round * 100);
        ck_assert_uint_eq(ring_pop(&r, out, 64), 11);
        ck_assert_uint_eq(out[10], round * 100 + 15);
        ring_took(&r, 120);
        ck_assert(ring_empty(&r));
        ck_assert_uint_eq(ring_bytes(&r), 0);
        ck_assert_uint_eq(ring_pop(&r, out, 64), 0);
    }
    ring_fini(&r);
}
END_TEST

START_TEST(slots_are_rounded_up)
{
    struct ring r;

    ck_assert_int_eq(ring_init(&r, 1000), 0);
    for (uint64_t i = 0; i < 1024; i++)
        ck_assert(ring_push(&r, i, 0, 0));
    ck_assert(!ring_push(&r, 0, 0, 0));
    ring_fini(&r);
}
END_TEST

#define MANY UINT64_C(400000)

static void *producer(void *arg)
{
    struct ring *r = arg;

    for (uint64_t i = 1; i <= MANY;) {
        if (ring_push(r, i, 1, 0))
            i++;
        else
            sched_yield();
    }
    return NULL;
}

START_TEST(two_threads_lose_nothing)
{
    uint64_t out[32], next = 1, wrong = 0;
    struct ring r;
    pthread_t t;

    ring_init(&r, 64);
    pthread_create(&t, NULL, producer, &r);
    while (next <= MANY) {
        uint32_t n = ring_pop(&r, out, 32);

        for (uint32_t i = 0; i < n; i++)
            wrong += out[i] != next++;
        ring_took(&r, n);
        if (!n)
            sched_yield();
    }
    pthread_join(t, NULL);
    ck_assert_uint_eq(wrong, 0);
    ck_assert(ring_empty(&r));
    ck_assert_uint_eq(ring_bytes(&r), 0);
    ring_fini(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ring");
    TCase *tc = tcase_create("ring");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, it_keeps_order_and_says_when_it_is_full);
    tcase_add_test(tc, slots_are_rounded_up);
    tcase_add_test(tc, two_threads_lose_nothing);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
