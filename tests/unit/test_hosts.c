/* State across flows: entries by key, idle times, caps, and locks that hold. */
#include "tests/unit/unit.h"

#include <pthread.h>

#include "plugins/traffic/hosts/hosts.h"

START_TEST(entries)
{
    struct hosts *h = hosts_new();
    uint32_t a, b, no;
    uint64_t *v;

    ck_assert_ptr_nonnull(h);
    ck_assert_int_eq(hosts_space(h, "a", 16, 1000, 100, &a), EC_OK);
    ck_assert_int_eq(hosts_space(h, "b", 16, 1000, 100, &b), EC_OK);
    ck_assert_int_eq(hosts_space(h, "b", 16, 1000, 100, &no), EC_EEXIST);
    ck_assert_int_eq(hosts_space(h, "c", 257, 1000, 100, &no), EC_EINVAL);
    v = hosts_lock(h, a, "key", 3, 1000);
    ck_assert_uint_eq(v[0], 0);
    v[0] = 7;
    hosts_unlock(v);
    v = hosts_lock(h, b, "key", 3, 1000);           /* spaces do not share keys */
    ck_assert_uint_eq(v[0], 0);
    hosts_unlock(v);
    v = hosts_lock(h, a, "key", 3, 1100);
    ck_assert_uint_eq(v[0], 7);
    hosts_unlock(v);
    v = hosts_lock(h, a, "key", 3, 1050);           /* packets may be out of order */
    ck_assert_uint_eq(v[0], 7);
    hosts_unlock(v);
    v = hosts_lock(h, a, "key", 3, 1201);           /* idle for more than 100 since 1100 */
    ck_assert_uint_eq(v[0], 0);
    hosts_unlock(v);
    ck_assert_ptr_null(hosts_lock(h, a, "", 0, 0));
    ck_assert_ptr_null(hosts_lock(h, 99, "key", 3, 0));
    hosts_free(h);
}
END_TEST

START_TEST(cap)
{
    struct hosts *h = hosts_new();
    uint32_t id, alive = 0;
    uint64_t *v;

    hosts_key(h, 1, 2);
    ck_assert_int_eq(hosts_space(h, "a", 8, 640, UINT64_MAX, &id), EC_OK);
    for (uint32_t i = 0; i < 10000; i++) {
        v = hosts_lock(h, id, &i, sizeof i, i);
        ck_assert_uint_eq(*v, 0);
        *v = i + 1;
        hosts_unlock(v);
    }
    ck_assert_uint_eq(hosts_reused(h), 10000 - 640);
    for (uint32_t i = 10000;
         i-- > 0;) { /* newest first, so that looking does not push out what is asked next */
        v = hosts_lock(h, id, &i, sizeof i, 20000);
        if (*v) {
            ck_assert_uint_eq(*v, i + 1);
            ck_assert_uint_ge(i, 8000);
            alive++;
        }
        hosts_unlock(v);
        if (i < 9999 - 640 * 2)
            break;
    }
    ck_assert_uint_gt(alive, 300);
    hosts_free(h);
}
END_TEST

static struct hosts *shared;
static uint32_t shared_id;

static void *count_up(void *arg)
{
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t key = i % 50;
        uint64_t *v = hosts_lock(shared, shared_id, &key, sizeof key, i);
        ++*v;
        hosts_unlock(v);
    }
    return arg;
}

START_TEST(two_workers)
{
    pthread_t t[2];
    uint64_t sum = 0;

    shared = hosts_new();
    ck_assert_int_eq(hosts_space(shared, "n", 8, 6400, UINT64_MAX, &shared_id), EC_OK);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, count_up, NULL), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    for (uint32_t key = 0; key < 50; key++) {
        uint64_t *v = hosts_lock(shared, shared_id, &key, sizeof key, 0);
        sum += *v;
        hosts_unlock(v);
    }
    ck_assert_uint_eq(sum, 200000);
    hosts_free(shared);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hosts");
    TCase *c = tcase_create("hosts");

    tcase_add_test(c, entries);
    tcase_add_test(c, cap);
    tcase_add_test(c, two_workers);
    suite_add_tcase(s, c);
    return unit_run(s);
}
