#include "tests/unit/unit.h"

#include "plugins/jobs/table.h"
#include "plugins/jobs/view.h"

#include <stdlib.h>
#include <string.h>

static uint64_t clock_ns = UINT64_C(1700000000000000000);
static uint64_t tick(void *arg) { (void)arg; return clock_ns += 1000; }
static struct { int cancelled, forgotten; uint64_t last; } seen;
static void on_cancel(void *arg, uint64_t id) { (void)arg; seen.cancelled++; seen.last = id; }
static void on_forget(void *arg, uint64_t id) { (void)arg; seen.forgotten++; seen.last = id; }

static uint64_t make(struct table *t, const char *kind)
{
    struct ec_job j = { .size = sizeof j, .kind = kind, .by = "anna", .cancel = on_cancel, .forget = on_forget };
    uint64_t id = 0;

    ck_assert_int_eq(table_create(t, &j, &id), EC_OK);
    return id;
}

static struct job look(struct table *t, uint64_t id)
{
    struct job j;

    ck_assert(table_get(t, id, &j));
    free(j.result);
    j.result = NULL;
    return j;
}

START_TEST(a_job_goes_its_way)
{
    struct table *t = table_new(7, 4, 4, tick, NULL);
    uint64_t id = make(t, "packets.replay");

    ck_assert_uint_eq(id, 7);
    ck_assert_int_eq(look(t, id).state, JOB_QUEUED);
    ck_assert_uint_eq(look(t, id).started_ns, 0);
    ck_assert_int_eq(table_progress(t, id, 40), EC_OK);
    ck_assert_int_eq(table_progress(t, id, 30), EC_OK);     /* never back */
    ck_assert_uint_eq(look(t, id).progress, 40);
    ck_assert_uint_ne(look(t, id).started_ns, 0);
    ck_assert_int_eq(table_progress(t, id, 400), EC_OK);
    ck_assert_uint_eq(look(t, id).progress, 100);
    ck_assert_int_eq(table_end(t, id, JOB_DONE, NULL, "{\"a\":1}"), EC_OK);
    ck_assert_int_eq(table_end(t, id, JOB_FAILED, "late", NULL), EC_EEND);
    ck_assert_int_eq(look(t, id).state, JOB_DONE);
    ck_assert_int_eq(table_progress(t, id, 1), EC_EEND);
    ck_assert_int_eq(table_cancel(t, id), EC_EEND);
    ck_assert_int_eq(table_progress(t, 99, 1), EC_ENOENT);
    table_free(t);
}
END_TEST

START_TEST(cancelled_is_over_at_once)
{
    struct table *t = table_new(1, 4, 4, tick, NULL);
    uint64_t id = make(t, "a");

    seen.cancelled = 0;
    ck_assert_int_eq(table_remove(t, id), EC_EAGAIN);
    ck_assert_int_eq(table_cancel(t, id), EC_OK);
    ck_assert_int_eq(seen.cancelled, 1);
    ck_assert_int_eq(table_progress(t, id, 10), EC_EEND);
    ck_assert_int_eq(table_end(t, id, JOB_DONE, NULL, NULL), EC_EEND);
    ck_assert_int_eq(look(t, id).state, JOB_CANCELLED);
    seen.forgotten = 0;
    ck_assert_int_eq(table_remove(t, id), EC_OK);
    ck_assert_int_eq(seen.forgotten, 1);
    ck_assert_int_eq(table_remove(t, id), EC_ENOENT);
    table_free(t);
}
END_TEST

START_TEST(the_list_is_bounded)
{
    struct table *t = table_new(1, 3, 2, tick, NULL);
    struct ec_job j = { .size = sizeof j, .kind = "a" };
    uint64_t a = make(t, "a"), b = make(t, "b"), c;

    seen.forgotten = 0;
    ck_assert_int_eq(table_create(t, &j, &c), EC_ELIMIT);
    table_end(t, b, JOB_DONE, NULL, NULL);
    make(t, "c");
    table_end(t, a, JOB_FAILED, "why", NULL);
    make(t, "d");                   /* a, the oldest that is over, leaves */
    ck_assert_int_eq(seen.forgotten, 1);
    ck_assert_uint_eq(seen.last, a);
    j.kind = "No";
    ck_assert_int_eq(table_create(t, &j, &c), EC_EINVAL);
    j.kind = "";
    ck_assert_int_eq(table_create(t, &j, &c), EC_EINVAL);
    table_free(t);
    ck_assert_int_eq(seen.forgotten, 1);        /* whoever made the others may have gone */
}
END_TEST

START_TEST(pages_go_backwards)
{
    struct table *t = table_new(10, 100, 100, tick, NULL);
    struct job page[4];
    uint32_t n, all = 0;
    uint64_t before = 0;
    bool more = true;

    for (int i = 0; i < 10; i++)
        make(t, i % 2 ? "odd" : "even");
    table_end(t, 12, JOB_DONE, NULL, NULL);
    while (more) {
        n = table_list(t, before, 0, NULL, 4, page, &more);
        for (uint32_t i = 0; i < n; i++)
            ck_assert_uint_eq(page[i].id, 19 - all++);
        before = page[n - 1].id;
    }
    ck_assert_uint_eq(all, 10);
    ck_assert_uint_eq(table_list(t, 0, 0, "odd", 4, page, &more), 4);
    ck_assert(more);
    ck_assert_uint_eq(table_list(t, 13, 0, "odd", 4, page, &more), 1);
    ck_assert(!more);
    ck_assert_uint_eq(table_list(t, 0, 1u << JOB_DONE, NULL, 4, page, &more), 1);
    ck_assert_uint_eq(page[0].id, 12);
    table_free(t);
}
END_TEST

START_TEST(shown_as_json)
{
    struct table *t = table_new(1, 4, 4, tick, NULL);
    uint64_t id = make(t, "a");
    struct job j;
    char *text;

    table_end(t, id, JOB_FAILED, "it \"broke\"", "{\"packets\":3}");
    ck_assert(table_get(t, id, &j));
    text = view_one(&j);
    ck_assert_ptr_nonnull(strstr(text, "\"state\":\"failed\""));
    ck_assert_ptr_nonnull(strstr(text, "it \\\"broke\\\""));
    ck_assert_ptr_nonnull(strstr(text, "\"packets\":"));
    ck_assert_ptr_nonnull(strstr(text, "2023-11-14T22:13:20."));
    free(text);
    table_free(t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("jobs");
    TCase *c = tcase_create("table");

    tcase_add_test(c, a_job_goes_its_way);
    tcase_add_test(c, cancelled_is_over_at_once);
    tcase_add_test(c, the_list_is_bounded);
    tcase_add_test(c, pages_go_backwards);
    tcase_add_test(c, shown_as_json);
    suite_add_tcase(s, c);
    return unit_run(s);
}
