#include "tests/unit/unit.h"

#include "cli/print.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[8192];

/* What fn prints on stdout. */
static const char *printed(void (*fn)(void *arg), void *arg)
{
    FILE *to = tmpfile();
    int saved;
    ssize_t n;

    fflush(stdout);
    saved = dup(1);
    dup2(fileno(to), 1);
    fn(arg);
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    n = pread(fileno(to), text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    fclose(to);
    return text;
}

static void small_table(void *arg)
{
    static const char *const head[] = {"NAME", "#COUNT", "NOTE", NULL};
    struct table t;

    table_open(&t, head);
    table_row(&t, (const char *const[]){"a", "7", "first"});
    table_row(&t, (const char *const[]){"gr\xc3\xbc\xc3\x9f", "1234567", NULL});
    table_row(&t, (const char *const[]){"a\tb\n\x1b[31m", NULL, "\xc2\x9b"});
    table_print(&t, arg);
}

START_TEST(columns_stand_under_each_other)
{
    struct cli c = {.form = CLI_TABLE};

    ck_assert_str_eq(printed(small_table, &c), "NAME                  COUNT  NOTE\n"
                                               "a                         7  first\n"
                                               "gr\xc3\xbc\xc3\x9f                1234567  \n"
                                               "a\\x09b\\x0a\\x1b[31m           \\u009b\n");
}
END_TEST

static void wide_table(void *arg)
{
    static const char *const head[] = {"NAME", "#COUNT", "NOTE", NULL};
    struct table t;

    table_open(&t, head);
    table_row(&t, (const char *const[]){"gr\xc3\xbc\xc3\x9f" "e an alle", "1234567890", "a note that is long"});
    table_print(&t, arg);
}

START_TEST(a_table_fits_the_terminal)
{
    struct cli c = {.form = CLI_TABLE, .width = 36};

    ck_assert_str_eq(printed(wide_table, &c), "NAME              COUNT  NOTE\n"
                              "gr\xc3\xbc\xc3\x9f" "e an a\xe2\x80\xa6  1234567890  a note tha\xe2\x80\xa6\n");
    c.width = 10; /* too narrow: this much of a column stays */
    ck_assert_str_eq(printed(wide_table, &c), "NAME           COUNT  NOTE\n"
                              "gr\xc3\xbc\xc3\x9f" "e a\xe2\x80\xa6  1234567890  a note \xe2\x80\xa6\n");
}
END_TEST

START_TEST(tsv_has_one_line_for_each_row)
{
    struct cli c = {.form = CLI_TSV};

    ck_assert_str_eq(printed(small_table, &c), "NAME\tCOUNT\tNOTE\n"
                                               "a\t7\tfirst\n"
                                               "gr\xc3\xbc\xc3\x9f\t1234567\t\n"
                                               "a\\x09b\\x0a\\x1b[31m\t\t\\u009b\n");
}
END_TEST

START_TEST(headings_are_bold_where_colours_are)
{
    struct cli c = {.form = CLI_TABLE, .color = true};

    ck_assert_ptr_eq(strstr(printed(small_table, &c), "\033[1mNAME "), text);
    ck_assert_ptr_nonnull(strstr(text, "  NOTE\033[0m\na "));
}
END_TEST

static void flat(void *arg)
{
    print_flat(arg);
}

START_TEST(anything_comes_out_flat)
{
    struct json_object *o =
        json_tokener_parse("{\"a\":{\"b\":[1,\"x\\ty\",null]},\"c\":true,\"d\":{},\"e\":[]}");

    ck_assert_str_eq(printed(flat, o), "a.b.0\t1\na.b.1\tx\\x09y\na.b.2\t\nc\ttrue\n");
    json_object_put(o);
}
END_TEST

static void lines(void *arg)
{
    struct cli c = {.form = CLI_JSONL};

    ck_assert_int_eq(print_json(&c, arg), 1);
}

START_TEST(json_lines_one_for_each_element)
{
    struct json_object *o = json_tokener_parse("[{\"a\":\"x/y\"},2]");

    ck_assert_str_eq(printed(lines, o), "{\"a\":\"x/y\"}\n2\n");
    json_object_put(o);
}
END_TEST

START_TEST(what_is_absent_reads_as_nothing)
{
    struct json_object *o = json_tokener_parse("{\"n\":5,\"s\":\"x\",\"z\":null}");

    ck_assert_str_eq(get_text(o, "s"), "x");
    ck_assert_str_eq(get_text(o, "n"), "5");
    ck_assert_str_eq(get_text(o, "z"), "");
    ck_assert_str_eq(get_text(o, "none"), "");
    ck_assert_str_eq(get_text(NULL, "none"), "");
    ck_assert_uint_eq(get_number(o, "n"), 5);
    ck_assert_uint_eq(get_number(get(o, "s"), "n"), 0);
    json_object_put(o);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli print");
    TCase *tc = tcase_create("print");

    tcase_add_test(tc, columns_stand_under_each_other);
    tcase_add_test(tc, a_table_fits_the_terminal);
    tcase_add_test(tc, tsv_has_one_line_for_each_row);
    tcase_add_test(tc, headings_are_bold_where_colours_are);
    tcase_add_test(tc, anything_comes_out_flat);
    tcase_add_test(tc, json_lines_one_for_each_element);
    tcase_add_test(tc, what_is_absent_reads_as_nothing);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
