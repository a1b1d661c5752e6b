/* The last lines of the log in memory: numbered, bounded, cut; the oldest ones go. */
#include "core/log/log_line.h"
#include "core/log/log_tail.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static uint64_t said;

static void say(const char *text)
{
    const struct log_line l = { 1000 + said, 30, "store", "B0", text, said % 2 };

    said++;
    log_tail_add(&l);
}

START_TEST(lines_come_in_their_order_with_their_numbers)
{
    struct log_tail_line l;

    ck_assert(!log_tail_next(0, &l));
    say("one");
    say("two");
    ck_assert(log_tail_next(0, &l));
    ck_assert_str_eq(l.msg, "one");
    ck_assert_uint_eq(l.number, 1);
    ck_assert(log_tail_next(1, &l));
    ck_assert_str_eq(l.msg, "two");
    ck_assert_str_eq(l.who, "store");
    ck_assert_str_eq(l.thread, "B0");
    ck_assert_int_eq(l.level, 30);
    ck_assert_uint_eq(l.ts_ns, 1001);
    ck_assert_uint_eq(l.suppressed, 1);
    ck_assert(!log_tail_next(2, &l));
    ck_assert(!log_tail_next(UINT64_MAX, &l));
}
END_TEST

START_TEST(the_oldest_lines_go_and_what_is_too_long_is_cut)
{
    struct log_tail_line l;
    char text[2000], longest[2000];
    uint64_t first;

    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (uint32_t i = 0; i < 3 * LOG_TAIL_LINES; i++) {
        snprintf(text, sizeof text, "line %u", i);
        say(i == 3 * LOG_TAIL_LINES - 1 ? longest : text);
    }
    ck_assert(log_tail_next(0, &l));
    first = l.number;
    ck_assert_uint_eq(first, said - LOG_TAIL_LINES + 1);
    for (uint64_t n = first; n < said; n++) {
        ck_assert(log_tail_next(n, &l));
        ck_assert_uint_eq(l.number, n + 1);
    }
    ck_assert_uint_eq(strlen(l.msg), sizeof l.msg - 1);
    ck_assert(!log_tail_next(said, &l));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log_tail");
    TCase *t = tcase_create("log_tail");

    tcase_add_test(t, lines_come_in_their_order_with_their_numbers);
    tcase_add_test(t, the_oldest_lines_go_and_what_is_too_long_is_cut);
    suite_add_tcase(s, t);
    return unit_run(s);
}
