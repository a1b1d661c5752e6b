#include "core/cmdline.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct cmdline c;
static char said[512];

/* Parses "ecyberd" and the words of a line. */
static int parse(const char *line)
{
    static char copy[512];
    char *argv[32] = { (char *)(uintptr_t)"ecyberd" };
    int argc = 1, rc;
    FILE *err = fmemopen(said, sizeof said, "w");

    strcpy(copy, line);
    for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    rc = cmdline_parse(&c, argc, argv, err);
    fclose(err);
    return rc;
}

START_TEST(sources_and_options_keep_their_order)
{
    ck_assert_int_eq(parse("-c f.yaml -r a.pcap -i eth0 -r b --workers 2 --set x.y=1 --batch=8"),
                     EXIT_FINE);
    ck_assert_int_eq(c.mode, MODE_RUN);
    ck_assert_str_eq(c.file, "f.yaml");
    ck_assert(c.replay);
    ck_assert_uint_eq(c.n_source, 3);
    ck_assert_str_eq(c.source[0], "file:a.pcap");
    ck_assert_str_eq(c.source[1], "live:eth0");
    ck_assert_str_eq(c.source[2], "file:b");
    ck_assert_uint_eq(c.n_set, 3);
    ck_assert_str_eq(c.set[0], "core.workers=2");
    ck_assert_str_eq(c.set[1], "x.y=1");
    ck_assert_str_eq(c.set[2], "core.batch=8");
    cmdline_free(&c);
}
END_TEST

static const struct { const char *line; enum cmdline_mode mode; } modes[] = {
    { "", MODE_RUN }, { "-T", MODE_TEST }, { "--dump-config", MODE_DUMP }, { "--list-plugins",
      MODE_LIST_PLUGINS },
    { "--list-options", MODE_LIST_OPTIONS }, { "--list-keywords", MODE_LIST }, { "--build-info",
      MODE_BUILD_INFO },
    { "--version", MODE_VERSION }, { "--help", MODE_HELP },
};

START_TEST(each_mode_has_its_word)
{
    ck_assert_int_eq(parse(modes[_i].line), EXIT_FINE);
    ck_assert_int_eq(c.mode, modes[_i].mode);
    if (c.mode == MODE_LIST)
        ck_assert_str_eq(c.list, "keywords");
    ck_assert_str_eq(said, "");
    cmdline_free(&c);
}
END_TEST

static const struct { const char *line, *sentence; } wrong[] = {
    { "--nonsense", "ecyberd: there is no option --nonsense; see --help\n" },
    { "-T -x", "ecyberd: there is no option -x; see --help\n" },
    { "-Txq", "ecyberd: there is no option -x; see --help\n" },
    { "-Tr", "ecyberd: -r needs a value; see --help\n" },
    { "-r", "ecyberd: -r needs a value; see --help\n" },
    { "--set", "ecyberd: --set needs a value; see --help\n" },
    { "-T stray", "ecyberd: 'stray' belongs to no option; see --help\n" },
};

START_TEST(wrong_usage_is_one_sentence)
{
    ck_assert_int_eq(parse(wrong[_i].line), EXIT_USAGE);
    ck_assert_str_eq(said, wrong[_i].sentence);
    cmdline_free(&c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cmdline");
    TCase *t = tcase_create("words");

    tcase_add_test(t, sources_and_options_keep_their_order);
    tcase_add_loop_test(t, each_mode_has_its_word, 0, sizeof modes / sizeof modes[0]);
    tcase_add_loop_test(t, wrong_usage_is_one_sentence, 0, sizeof wrong / sizeof wrong[0]);
    suite_add_tcase(s, t);
    return unit_run(s);
}
