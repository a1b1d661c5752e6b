#include "tests/unit/unit.h"

#include "core/bus/arena.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 16u

static struct block *take(struct arena *a, uint32_t bytes, bool reserved)
{
    struct block *b = arena_alloc(a, bytes, reserved);

    if (b) {
        atomic_store(&b->refs, 1);
        memset(block_event(b), 0xa5, bytes);
    }
    return b;
}

/* How many blocks fit; they are kept in list, and written to, so that a sanitizer or a neighbour's bytes would tell. */
static uint32_t fill(struct arena *a, uint32_t bytes, bool reserved, struct block **list)
{
    uint32_t n = 0;

    while ((list[n] = take(a, bytes, reserved)))
        n++;
    return n;
}

START_TEST(a_block_fits_its_event_and_no_other)
{
    static const uint32_t sizes[] = { 1, 200, 224, 225, 5000, 40000, BLOCK_EVENT_MAX };
    struct arena *a = arena_create((uint64_t)PAGES * ARENA_PAGE);
    struct block *b[7];

    for (uint32_t i = 0; i < 7; i++) {
        b[i] = take(a, sizes[i], false);
        ck_assert_ptr_nonnull(b[i]);
        ck_assert_uint_ge(b[i]->bytes, sizes[i] + sizeof *b[i]);
        ck_assert_uint_eq((uintptr_t)b[i] % 64, 0);
        for (uint32_t k = 0; k < i; k++)
            ck_assert((uint8_t *)b[i] >= (uint8_t *)b[k] + b[k]->bytes || (uint8_t *)b[k] >= (uint8_t *)b[i] + b[i]->bytes);
    }
    ck_assert_ptr_null(arena_alloc(a, BLOCK_EVENT_MAX + 1, true));
    ck_assert_uint_eq(b[0]->bytes, 256);
    ck_assert_uint_eq(b[6]->bytes, 65536);
    arena_free(a);
}
END_TEST

START_TEST(the_last_quarter_is_kept_for_reserved_topics)
{
    struct arena *a = arena_create((uint64_t)PAGES * ARENA_PAGE);
    struct block *list[PAGES + 1], *more[PAGES + 1];
    uint64_t total;

    ck_assert_uint_eq(fill(a, 60000, false, list), PAGES * 3 / 4);
    ck_assert_uint_eq(arena_used(a, &total), total);
    ck_assert_uint_eq(fill(a, 60000, true, more), PAGES / 4);
    /* A block of the last quarter that comes back is not for everybody. */
    block_release(more[0], 1);
    ck_assert_ptr_null(take(a, 60000, false));
    ck_assert_ptr_nonnull(take(a, 60000, true));
    block_release(list[0], 1);
    ck_assert_ptr_nonnull(take(a, 60000, false));
    arena_free(a);
}
END_TEST

START_TEST(a_free_page_changes_its_class)
{
    struct arena *a = arena_create((uint64_t)PAGES * ARENA_PAGE);
    struct block **list = calloc(PAGES * 256u + 1, sizeof(struct block *));
    uint32_t small = fill(a, 100, false, list);
    uint64_t total;

    ck_assert_uint_eq(small, PAGES * 3 / 4 * 256);
    ck_assert_ptr_null(take(a, 60000, false));
    for (uint32_t i = 0; i < small; i++)
        block_release(list[i], 1);
    ck_assert_uint_eq(arena_used(a, &total), 0);
    ck_assert_uint_eq(arena_returned(a), small);
    ck_assert_uint_eq(fill(a, 60000, false, list), PAGES * 3 / 4);
    free(list);
    arena_free(a);
}
END_TEST

START_TEST(one_kept_block_pins_its_own_bytes_only)
{
    struct arena *a = arena_create((uint64_t)PAGES * ARENA_PAGE);
    struct block *kept = take(a, 100, false), *b;

    /* Dozens of arenas' worth of events pass while one reader sits on one block. */
    for (uint32_t i = 0; i < PAGES * 256u * 20u; i++) {
        b = take(a, 100 + i % 300, false);
        ck_assert_ptr_nonnull(b);
        block_release(b, 1);
    }
    ck_assert_uint_eq(((uint8_t *)block_event(kept))[99], 0xa5);
    arena_free(a);
}
END_TEST

START_TEST(the_last_reference_gives_back)
{
    struct arena *a = arena_create((uint64_t)PAGES * ARENA_PAGE);
    struct block *b = arena_alloc(a, 100, false);
    uint64_t total;

    atomic_store(&b->refs, 3);
    block_release(b, 2);
    ck_assert_uint_eq(arena_used(a, &total), 256);
    block_release(b, 1);
    ck_assert_uint_eq(arena_used(a, &total), 0);
    arena_free(a);
}
END_TEST

/* Three readers give back what one owner hands them, as fast as they can. */
#define HAND 128u
static _Atomic(struct block *) hand[3][HAND];
static atomic_bool done;

static void *returner(void *arg)
{
    _Atomic(struct block *) *slot = arg;

    for (;;) {
        bool last = atomic_load(&done);

        for (uint32_t i = 0; i < HAND; i++) {
            struct block *b = atomic_exchange_explicit(&slot[i], NULL, memory_order_acq_rel);

            if (b)
                block_release(b, 1);
        }
        if (last)
            return NULL;
        sched_yield();
    }
}

START_TEST(readers_give_back_from_other_threads)
{
    struct arena *a = arena_create((uint64_t)PAGES * ARENA_PAGE);
    uint64_t taken = 0, total;
    pthread_t t[3];

    atomic_store(&done, false);
    for (uint32_t i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, returner, hand[i]);
    for (uint32_t i = 0; taken < 30000; i++) {
        _Atomic(struct block *) *slot = &hand[i % 3][i / 3 % HAND];
        struct block *b = NULL;

        if (!atomic_load_explicit(slot, memory_order_relaxed))
            b = arena_alloc(a, 64 + i % 3000, false);
        if (!b) {
            sched_yield();
            continue;
        }
        atomic_store_explicit(&b->refs, 1, memory_order_relaxed);
        taken++;
        atomic_store_explicit(slot, b, memory_order_release);
    }
    atomic_store(&done, true);
    for (uint32_t i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    ck_assert_uint_eq(arena_used(a, &total), 0);
    ck_assert_uint_eq(arena_returned(a), taken);
    arena_free(a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena");
    TCase *tc = tcase_create("arena");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_block_fits_its_event_and_no_other);
    tcase_add_test(tc, the_last_quarter_is_kept_for_reserved_topics);
    tcase_add_test(tc, a_free_page_changes_its_class);
    tcase_add_test(tc, one_kept_block_pins_its_own_bytes_only);
    tcase_add_test(tc, the_last_reference_gives_back);
    tcase_add_test(tc, readers_give_back_from_other_threads);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
