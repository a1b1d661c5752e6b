#include "core/intern.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

START_TEST(a_name_keeps_its_number)
{
    uint32_t a = intern_name("space", "a"), b = intern_name("space", "b");

    ck_assert_uint_eq(a, 1);
    ck_assert_uint_eq(b, 2);
    ck_assert_uint_eq(intern_name("space", "a"), a);
    ck_assert_str_eq(intern_get("space", b), "b");
    ck_assert_uint_eq(intern_name("other", "b"), 1);
    ck_assert_ptr_null(intern_get("space", 0));
    ck_assert_ptr_null(intern_get("space", 3));
    ck_assert_ptr_null(intern_get("space", UINT32_MAX));
    ck_assert_ptr_null(intern_get("nowhere", 1));
    ck_assert_uint_eq(intern_name(NULL, "a"), 0);
    ck_assert_uint_eq(intern_name("space", NULL), 0);
}
END_TEST

/* Each of four threads enters the same names; all get the same numbers, and can be read meanwhile.
 */
#define NAMES 5000
static uint32_t got[4][NAMES];

static void *enter(void *arg)
{
    uint32_t *to = arg;
    char name[16];

    for (uint32_t i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "n%u", i);
        to[i] = intern_name("many", name);
        if (strcmp(intern_get("many", to[i]), name) != 0)
            to[i] = 0;
    }
    return NULL;
}

START_TEST(threads_agree_on_numbers)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, enter, got[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    for (uint32_t i = 0; i < NAMES; i++) {
        ck_assert_uint_ne(got[0][i], 0);
        ck_assert_uint_le(got[0][i], NAMES);
        for (int k = 1; k < 4; k++)
            ck_assert_uint_eq(got[0][i], got[k][i]);
    }
}
END_TEST

START_TEST(there_are_64_spaces_at_most)
{
    char name[32];
    uint32_t made = 0;

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "space%d", i);
        made += intern_name(name, "x") != 0;
    }
    ck_assert_uint_le(made, 64);
    ck_assert_uint_ge(made, 60);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("intern");
    TCase *t = tcase_create("names");

    tcase_add_test(t, a_name_keeps_its_number);
    tcase_add_test(t, threads_agree_on_numbers);
    tcase_add_test(t, there_are_64_spaces_at_most);
    suite_add_tcase(s, t);
    return unit_run(s);
}
