#include "tests/unit/unit.h"

#include "core/metric.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

static const struct ec_metric rows[] = {
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "events", "events", "a counter" },
    { sizeof(struct ec_metric), EC_METRIC_GAUGE, "level", "things", "a gauge" },
    { sizeof(struct ec_metric), 7, "odd", "", "neither" },
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "", "", "without a name" },
};

START_TEST(a_value_is_the_sum_of_cells_and_what_others_added)
{
    uint32_t events, level;
    const char *owner = NULL;

    metric_reset();
    ck_assert_int_eq(metric_add("one", &rows[0], &events), EC_OK);
    ck_assert_int_eq(metric_add("one", &rows[1], &level), EC_OK);
    ck_assert_int_eq(metric_workers(2), EC_OK);
    metric_cells(0)[events] += 3;
    metric_cells(1)[events] += 4;
    metric_delta(events, 10);
    ck_assert_int_eq(metric_value(events), 17);
    metric_set(level, 5);
    metric_set(level, -2);
    ck_assert_int_eq(metric_value(level), -2);
    ck_assert_ptr_null(metric_cells(2));
    ck_assert_uint_eq(metric_count(), 2);
    ck_assert_ptr_eq(metric_get(level, &owner), &rows[1]);
    ck_assert_str_eq(owner, "one");
    ck_assert_ptr_null(metric_get(2, &owner));
    metric_reset();
    ck_assert_uint_eq(metric_count(), 0);
    ck_assert_ptr_null(metric_cells(0));
}
END_TEST

START_TEST(a_row_is_checked)
{
    uint32_t i;

    metric_reset();
    ck_assert_int_eq(metric_add("one", &rows[2], &i), EC_EINVAL);
    ck_assert_int_eq(metric_add("one", &rows[3], &i), EC_EINVAL);
    ck_assert_int_eq(metric_add("one", &rows[0], &i), EC_OK);
    ck_assert_int_eq(metric_add("one", &rows[0], &i), EC_EEXIST);
    ck_assert_int_eq(metric_add("two", &rows[0], &i), EC_OK);
    ck_assert_uint_eq(i, 1);
    metric_delta(METRIC_MAX, 1);    /* out of range: nothing */
    ck_assert_int_eq(metric_value(METRIC_MAX), 0);
    metric_reset();
}
END_TEST

START_TEST(the_registry_has_an_end)
{
    static struct ec_metric many[METRIC_MAX + 1];
    static char names[METRIC_MAX + 1][8];
    uint32_t i, index;

    metric_reset();
    for (i = 0; i <= METRIC_MAX; i++) {
        snprintf(names[i], sizeof names[i], "m%u", i);
        many[i] = (struct ec_metric){ sizeof many[i], EC_METRIC_COUNTER, names[i], "", "" };
        if (metric_add("one", &many[i], &index))
            break;
    }
    ck_assert_uint_eq(i, METRIC_MAX);
    ck_assert_int_eq(metric_add("one", &many[i], &index), EC_ELIMIT);
    metric_reset();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metric");
    TCase *tc = tcase_create("metric");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_value_is_the_sum_of_cells_and_what_others_added);
    tcase_add_test(tc, a_row_is_checked);
    tcase_add_test(tc, the_registry_has_an_end);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
