/* network: the table of hosts makes room in the order of the last sight; the series keeps what was measured, and only
 * that. */
#include "unit.h"

#include "plugins/network/devices.h"
#include "plugins/network/series.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t *ip(uint32_t i)
{
    static uint8_t a[16];

    memset(a, 0, sizeof a);
    memcpy(a + 12, &i, 4);
    return a;
}

START_TEST(the_one_not_seen_for_longest_makes_room)
{
    struct devices t;
    struct device *d;

    ck_assert(devices_open(&t, 3));
    devices_see(&t, ip(1), 10)->flows = 7;
    devices_see(&t, ip(2), 20);
    devices_see(&t, ip(3), 30);
    ck_assert_uint_eq(devices_see(&t, ip(1), 5)->flows, 7);     /* it is the newest now */
    ck_assert_uint_eq(devices_see(&t, ip(1), 5)->first_ns, 5);
    ck_assert_uint_eq(devices_see(&t, ip(1), 40)->last_ns, 40);
    d = devices_see(&t, ip(4), 50);                             /* 2 goes */
    ck_assert_uint_eq(d->flows, 0);
    ck_assert_uint_eq(t.n, 3);
    ck_assert_uint_eq(t.evicted, 1);
    ck_assert_uint_eq(devices_see(&t, ip(3), 60)->first_ns, 30);
    ck_assert_uint_eq(devices_see(&t, ip(1), 60)->flows, 7);
    ck_assert_uint_eq(devices_see(&t, ip(2), 70)->first_ns, 70);        /* as a new one; 4 went */
    ck_assert_uint_eq(t.evicted, 2);
    devices_zero(&t);
    ck_assert_uint_eq(devices_see(&t, ip(1), 70)->flows, 0);
    ck_assert_uint_eq(devices_see(&t, ip(1), 70)->first_ns, 5);
    devices_close(&t);
}
END_TEST

/* Against a plain list, with addresses that come and go. */
START_TEST(many_hosts_are_found_again)
{
    enum { ROOM = 100, ADDRESSES = 300, SIGHTS = 20000 };
    static uint64_t last[ADDRESSES], flows[ADDRESSES];
    struct devices t;
    uint64_t evicted = 0;
    uint32_t live = 0;

    ck_assert(devices_open(&t, ROOM));
    srand(7);
    for (uint64_t now = 1; now <= SIGHTS; now++) {
        uint32_t i = (uint32_t)rand() % ADDRESSES, old = ADDRESSES;

        if (!last[i] && live == ROOM) {
            for (uint32_t k = 0; k < ADDRESSES; k++)
                if (last[k] && (old == ADDRESSES || last[k] < last[old]))
                    old = k;
            last[old] = flows[old] = 0;
            evicted++;
            live--;
        }
        live += !last[i];
        last[i] = now;
        flows[i]++;
        ck_assert_uint_eq(++devices_see(&t, ip(i), now)->flows, flows[i]);
        ck_assert_uint_eq(t.evicted, evicted);
    }
    devices_close(&t);
}
END_TEST

START_TEST(a_series_has_what_was_measured)
{
    static struct series s;
    static struct bucket b[SERIES_SECONDS];
    const uint64_t one[COUNTS] = { 1, 100, 2, 3, 4 };

    series_add(&s, 6000, one);
    series_add(&s, 6001, one);
    series_add(&s, 6001, one);
    series_add(&s, 6003, one);
    ck_assert_uint_eq(series_read(&s, false, 6003, b, 10), 3);  /* 6002 was not measured */
    ck_assert_uint_eq(b[1].at_s, 6001);
    ck_assert_uint_eq(b[1].n[COUNT_BYTES], 200);
    ck_assert_uint_eq(series_read(&s, false, 6003, b, 2), 1);
    ck_assert_uint_eq(series_read(&s, true, 6003, b, 10), 1);
    ck_assert_uint_eq(b[0].at_s, 6000);
    ck_assert_uint_eq(b[0].n[COUNT_DROPS], 16);
    series_add(&s, 6000 + SERIES_SECONDS, one);                 /* takes the place of 6000 */
    ck_assert_uint_eq(series_read(&s, false, 6000 + SERIES_SECONDS, b, SERIES_SECONDS), 3);
    ck_assert_uint_eq(b[0].at_s, 6001);
    ck_assert_uint_eq(series_read(&s, false, 50000, b, SERIES_SECONDS), 0);     /* all of it is too old */
    ck_assert_uint_eq(series_read(&s, false, 2, b, SERIES_SECONDS), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network");
    TCase *c = tcase_create("network");

    tcase_add_test(c, the_one_not_seen_for_longest_makes_room);
    tcase_add_test(c, many_hosts_are_found_again);
    tcase_add_test(c, a_series_has_what_was_measured);
    suite_add_tcase(suite, c);
    return unit_run(suite);
}
