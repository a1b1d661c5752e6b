#include "tests/unit/unit.h"

#include "core/log/mark.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>

static sem_t ready, leave;

static void *worker(void *arg)
{
    struct ec_mark old;

    ck_assert_int_eq(mark_register(arg), 0);
    mark_beat();
    old = mark_enter("outer", "packet");
    old = mark_enter("inner", "chunk");
    mark_leave(old);
    sem_post(&ready);
    sem_wait(&leave);
    mark_sleep();
    mark_unregister();
    sem_post(&ready);
    return NULL;
}

static struct mark_thread seen;
static unsigned found;

static bool note(const struct mark_thread *t, void *arg)
{
    if (!strcmp(t->name, arg)) {
        seen = *t;
        found++;
    }
    return true;
}

START_TEST(another_thread_sees_the_mark_and_the_beat)
{
    static char name[] = "W7";
    pthread_t t;

    sem_init(&ready, 0, 0);
    sem_init(&leave, 0, 0);
    pthread_create(&t, NULL, worker, name);
    sem_wait(&ready);
    found = 0;
    mark_each(note, name);
    ck_assert_uint_eq(found, 1);
    ck_assert_str_eq(seen.mark.plugin, "outer");
    ck_assert_str_eq(seen.mark.callback, "packet");
    ck_assert_uint_gt(seen.beat_ns, 0);
    ck_assert_int_gt(seen.tid, 0);
    sem_post(&leave);
    sem_wait(&ready);
    mark_each(note, name);
    ck_assert_uint_eq(found, 1);
    pthread_join(t, NULL);
}
END_TEST

START_TEST(marks_work_before_registration)
{
    struct ec_mark old = mark_enter("a", "b");

    ck_assert_ptr_nonnull(mark_self);
    mark_beat();
    mark_leave(old);
    mark_unregister();
}
END_TEST

static void *fill(void *arg)
{
    *(int *)arg = mark_register("many");
    sem_post(&ready);
    sem_wait(&leave);
    mark_unregister();
    return NULL;
}

START_TEST(the_table_is_bounded_and_used_again)
{
    enum { N = 257 };
    pthread_t t[N];
    int got[N], refused = 0;

    sem_init(&ready, 0, 0);
    sem_init(&leave, 0, 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++)
            ck_assert_int_eq(pthread_create(&t[i], NULL, fill, &got[i]), 0);
        for (int i = 0; i < N; i++)
            sem_wait(&ready);
        for (int i = 0; i < N; i++)
            sem_post(&leave);
        for (int i = 0; i < N; i++) {
            pthread_join(t[i], NULL);
            refused += got[i] != 0;
        }
    }
    ck_assert_int_eq(refused, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mark");
    TCase *tc = tcase_create("mark");

    tcase_add_test(tc, another_thread_sees_the_mark_and_the_beat);
    tcase_add_test(tc, marks_work_before_registration);
    tcase_add_test(tc, the_table_is_bounded_and_used_again);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
