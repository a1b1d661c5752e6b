#include "tests/unit/unit.h"

#include "core/conf/nearest.h"
#include "core/conf/row.h"
#include "core/conf/utf8.h"

#include <string.h>

struct sample { uint16_t type; const char *text; bool good; int64_t num; };

static const struct sample samples[] = {
    { EC_T_U8, "0", true, 0 }, { EC_T_U8, "255", true, 255 }, { EC_T_U8, "256", false, 0 },
    { EC_T_U8, "-1", false, 0 }, { EC_T_U8, "", false, 0 }, { EC_T_U8, "1 ", false, 0 }, { EC_T_U8, " 1", false, 0 },
    { EC_T_U8, "+1", false, 0 }, { EC_T_U8, "1.0", false, 0 }, { EC_T_U16, "0xffff", true, 65535 },
    { EC_T_U16, "0x", false, 0 }, { EC_T_U32, "4294967295", true, 4294967295 }, { EC_T_U32, "4294967296", false, 0 },
    { EC_T_U64, "9223372036854775807", true, INT64_MAX }, { EC_T_U64, "9223372036854775808", false, 0 },
    { EC_T_I64, "-9223372036854775808", true, INT64_MIN }, { EC_T_I64, "-9223372036854775809", false, 0 },
    { EC_T_I64, "-0x10", true, -16 }, { EC_T_I64, "010", true, 10 },
    { EC_T_BOOL, "Yes", true, 1 }, { EC_T_BOOL, "off", true, 0 }, { EC_T_BOOL, "1", true, 1 },
    { EC_T_BOOL, "2", false, 0 },
    { EC_T_DURATION, "90s", true, 90000000000 }, { EC_T_DURATION, "5m", true, 300000000000 },
    { EC_T_DURATION, "1.5h", true, 5400000000000 }, { EC_T_DURATION, "250ms", true, 250000000 },
    { EC_T_DURATION, "7", true, 7000000000 }, { EC_T_DURATION, "0.1", true, 100000000 },
    { EC_T_DURATION, "2 d", true, 172800000000000 }, { EC_T_DURATION, "1w", true, 604800000000000 },
    { EC_T_DURATION, "0.0000000000000000001h", true, 0 }, { EC_T_DURATION, "300000w", false, 0 },
    { EC_T_DURATION, "-1s", false, 0 }, { EC_T_DURATION, "1.s", false, 0 }, { EC_T_DURATION, ".5s", false, 0 },
    { EC_T_DURATION, "1y", false, 0 }, { EC_T_DURATION, "1s2", false, 0 }, { EC_T_DURATION, "", false, 0 },
    { EC_T_SIZE, "64MiB", true, 67108864 }, { EC_T_SIZE, "10k", true, 10240 }, { EC_T_SIZE, "7", true, 7 },
    { EC_T_SIZE, "1.5G", true, 1610612736 }, { EC_T_SIZE, "1T", true, 1099511627776 }, { EC_T_SIZE, "1MB", false, 0 },
    { EC_T_SIZE, "9999999T", false, 0 },
    { EC_T_TIME, "1970-01-01", true, 0 }, { EC_T_TIME, "2026-11-22T14:30:00Z", true, 1795357800000000000 },
    { EC_T_TIME, "2026-11-22t14:30:00.000000001z", true, 1795357800000000001 },
    { EC_T_TIME, "2026-11-22T14:30:00-02:30", true, 1795357800000000000 + 9000000000000 },
    { EC_T_TIME, "2026-02-30", false, 0 }, { EC_T_TIME, "2026-11-22T14:30:00", false, 0 },
    { EC_T_TIME, "1969-12-31", false, 0 }, { EC_T_TIME, "9999-01-01", false, 0 }, { EC_T_TIME, "now", false, 0 },
    { EC_T_TIME, "2026-11-22T14:30:00.123456+0000", true, 1795357800123456000 },
    { EC_T_TIME, "2026-11-22T14:30:00-0230", true, 1795357800000000000 + 9000000000000 },
    { EC_T_TIME, "2026-11-22T14:30:00+2:00", false, 0 }, { EC_T_TIME, "2026-11-22T14:30:00+00000", false, 0 },
    { EC_T_TIME, "2026-11-22T14:30:00+000", false, 0 }, { EC_T_TIME, "2026-11-22T14:30:00+00", false, 0 },
    { EC_T_TIME, "2026-11-22T14:30:00+-100", false, 0 }, { EC_T_TIME, "2026-11-22T14:30:00+ 1:00", false, 0 },
    { EC_T_TIME, "2026-11-22T14:30:00+2400", false, 0 }, { EC_T_TIME, "2026-11-22T14:30:00+0060", false, 0 },
    { EC_T_IP, "::ffff:1.2.3.4", true, 0 }, { EC_T_IP, "1.2.3", false, 0 }, { EC_T_IP, "::1%eth0", false, 0 },
    { EC_T_MAC, "02-00-5E-10-00-01", true, 0 }, { EC_T_MAC, "02:00:5e:10:00", false, 0 },
    { EC_T_MAC, "02:00:5e:10:00:0g", false, 0 },
    { EC_T_BYTES, "aGk=", true, 0 }, { EC_T_BYTES, "aGk", false, 0 }, { EC_T_BYTES, "a=Gk", false, 0 },
    { EC_T_HEX, "00fF", true, 0 }, { EC_T_HEX, "0", false, 0 }, { EC_T_HEX, "0g", false, 0 },
    { EC_T_TEXT, "", true, 0 }, { EC_T_TEXT, "\xc3\xa9", true, 0 }, { EC_T_TEXT, "\xc3", false, 0 },
};

START_TEST(values_are_read_exactly)
{
    const struct sample *s = &samples[_i];
    struct ec_row row = { .type = s->type, .name = "x" };
    struct row_value v;
    char why[256] = "";

    ck_assert_msg(row_parse(&row, s->text, &v, why, sizeof why) == s->good, "type %u, '%s': %s", s->type, s->text, why);
    if (s->good)
        ck_assert_msg(v.num == s->num, "type %u, '%s': %lld", s->type, s->text, (long long)v.num);
    else
        ck_assert_msg(*why, "type %u, '%s': refused without a sentence", s->type, s->text);
}
END_TEST

START_TEST(decimals_ignore_the_locale)
{
    double v;

    ck_assert(row_decimal("1.5e3", &v) && v == 1500.0);
    ck_assert(row_decimal("-.25", &v) && v == -0.25);
    ck_assert(!row_decimal("nan", &v) && !row_decimal("inf", &v) && !row_decimal("1e999", &v));
    ck_assert(!row_decimal("", &v) && !row_decimal("1,5", &v) && !row_decimal("0x1p3", &v));
}
END_TEST

START_TEST(long_values_are_quoted_in_part)
{
    struct ec_row row = { .type = EC_T_U8, .name = "x" };
    struct row_value v;
    char text[400], why[512];

    memset(text, 'x', sizeof text);
    memcpy(text, "a\nb\x1b", 4);
    text[sizeof text - 1] = '\0';
    ck_assert(!row_parse(&row, text, &v, why, sizeof why));
    ck_assert_int_eq(strncmp(why, "'a?b?xxx", 8), 0);
    ck_assert_ptr_nonnull(strstr(why, "x…' is not a whole number"));
    ck_assert_uint_lt(strlen(why), 130);
}
END_TEST

START_TEST(bounds_are_written_as_people_would)
{
    char text[32];

    row_bound_text(EC_T_DURATION, 300000000000, text, sizeof text);
    ck_assert_str_eq(text, "5m");
    row_bound_text(EC_T_SIZE, 67108864, text, sizeof text);
    ck_assert_str_eq(text, "64MiB");
    row_bound_text(EC_T_DURATION, 0, text, sizeof text);
    ck_assert_str_eq(text, "0ns");
    row_bound_text(EC_T_I64, -3, text, sizeof text);
    ck_assert_str_eq(text, "-3");
}
END_TEST

START_TEST(the_nearest_name_is_found)
{
    static const char *const names[] = { "rule_files", "workers", "log.level", "batch" };
    static const char *const words[][2] = {
        { "rules_file", "rule_files" }, { "wrokers", "workers" }, { "LOG.LEVLE", "log.level" }, { "bacht", "batch" },
        { "rule-files", "rule_files" },
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct nearest near = { words[i][0], NULL, 0 };

        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++)
            nearest_try(&near, names[j]);
        ck_assert_str_eq(near.best, words[i][1]);
    }
    ck_assert_uint_eq(nearest_distance("", "abc"), 3);
    ck_assert_uint_eq(nearest_distance("abc", ""), 3);
    ck_assert_uint_eq(nearest_distance("ab", "ba"), 1);
    ck_assert_uint_eq(nearest_distance("kitten", "sitting"), 3);
    ck_assert_uint_eq(nearest_distance("a-b", "A_B"), 0);
}
END_TEST

START_TEST(utf8_is_checked_whole)
{
    static const char *const good[] = { "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
    static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80",
                                       "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
                                       "\xc2\x41", "\xe2\x41\x80", "\xf0\x90\x80\x41" };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_uint_eq(utf8_valid(good[i], strlen(good[i])), strlen(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_uint_eq(utf8_valid(bad[i], strlen(bad[i])), 0);
    ck_assert_uint_eq(utf8_valid("ab\xff" "c", 4), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("row");
    TCase *tc = tcase_create("values");

    tcase_add_loop_test(tc, values_are_read_exactly, 0, (int)(sizeof samples / sizeof samples[0]));
    tcase_add_test(tc, decimals_ignore_the_locale);
    tcase_add_test(tc, long_values_are_quoted_in_part);
    tcase_add_test(tc, bounds_are_written_as_people_would);
    tcase_add_test(tc, the_nearest_name_is_found);
    tcase_add_test(tc, utf8_is_checked_whole);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
