/* The look at flows that are alive: piece by piece, while the table grows, with filters, given up, asked anew. */
#include "unit.h"

#include "plugins/traffic/flow/snapshot.h"

#include <stdlib.h>

static struct flow_table table;
static snapshot_slot slot;

static void add(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        struct flow *f = table_new(&table);

        ck_assert_ptr_nonnull(f);
        f->hash = i * 2654435761u;
        f->pub.id = i;
        f->pub.ip_proto = i % 2 ? 6 : 17;
        f->pub.dport = (uint16_t)(i % 10);
        f->pub.src[15] = (uint8_t)i;
        table_enter(&table, f);
    }
}

static struct snapshot *ask(uint32_t max, struct flow_wanted wanted)
{
    struct snapshot *s = snapshot_new(1, max, &wanted);

    ck_assert_ptr_nonnull(s);
    snapshot_ask(&slot, s);
    return s;
}

static void setup(void)
{
    ck_assert_int_eq(table_init(&table, 0, 1, 2, false), 0);
    atomic_store(&slot, NULL);
}

static void teardown(void)
{
    snapshot_forget(&slot);
    table_free(&table);
}

START_TEST(every_flow_is_seen_once_though_the_table_grows)
{
    static uint8_t seen[6000];
    struct snapshot *s;

    memset(seen, 0, sizeof seen);
    add(0, 2000);
    s = ask(10000, (struct flow_wanted){ 0 });
    for (uint32_t i = 0; i < 4; i++)
        snapshot_poll(&slot, 0, &table, 512);
    ck_assert(!s->look[0].done && s->look[0].n > 0);
    add(2000, 6000);                            /* it grows: the look begins anew */
    while (!s->look[0].done)
        snapshot_poll(&slot, 0, &table, 512);
    ck_assert_uint_eq(s->look[0].n, 6000);
    ck_assert_uint_eq(s->look[0].matched, 6000);
    ck_assert_uint_eq(s->look[0].alive, 6000);
    for (uint32_t i = 0; i < 6000; i++)
        ck_assert_uint_eq(seen[s->look[0].flow[i].pub.id]++, 0);
    ck_assert_ptr_null(atomic_load(&slot));
    ck_assert_uint_eq(atomic_load(&s->refs), 1);
    snapshot_unref(s);
}
END_TEST

START_TEST(only_what_is_wanted_is_copied_and_no_more_than_fits)
{
    struct snapshot *s;

    add(0, 1000);
    s = ask(10, (struct flow_wanted){ .has = WANT_PROTO | WANT_PORT, .proto = 6, .port = 3 });
    snapshot_step(&slot, 0, &table, UINT32_MAX);
    ck_assert(s->look[0].done);
    ck_assert_uint_eq(s->look[0].n, 10);
    ck_assert_uint_eq(s->look[0].matched, 100);
    snapshot_unref(s);
    s = ask(100, (struct flow_wanted){ .has = WANT_NET, .bits = 125, .net = { [15] = 8 } });    /* 8 to 15 */
    snapshot_step(&slot, 0, &table, UINT32_MAX);
    ck_assert_uint_eq(s->look[0].matched, 32);
    for (uint32_t i = 0; i < s->look[0].n; i++)
        ck_assert_uint_eq(s->look[0].flow[i].pub.src[15] & 0xf8, 8);
    snapshot_unref(s);
}
END_TEST

START_TEST(what_is_given_up_is_forgotten)
{
    struct snapshot *first, *second;

    add(0, 10);
    first = ask(10, (struct flow_wanted){ 0 });
    atomic_store(&first->cancelled, true);
    snapshot_poll(&slot, 0, &table, 1);
    ck_assert(!first->look[0].done);
    ck_assert_uint_eq(atomic_load(&first->refs), 1);
    snapshot_ask(&slot, first);
    second = ask(10, (struct flow_wanted){ 0 });        /* pushes the first one out */
    ck_assert_uint_eq(atomic_load(&first->refs), 1);
    snapshot_forget(&slot);
    ck_assert_uint_eq(atomic_load(&second->refs), 1);
    snapshot_poll(&slot, 0, &table, 512);               /* nothing is asked */
    snapshot_unref(first);
    snapshot_unref(second);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *c = tcase_create("snapshot");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, every_flow_is_seen_once_though_the_table_grows);
    tcase_add_test(c, only_what_is_wanted_is_copied_and_no_more_than_fits);
    tcase_add_test(c, what_is_given_up_is_forgotten);
    suite_add_tcase(suite, c);
    return unit_run(suite);
}
