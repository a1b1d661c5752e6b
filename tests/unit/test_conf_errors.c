/* Broken configurations: each is refused with the exact place and the nearest valid name. */
#include "tests/unit/unit.h"

#include "tests/unit/conf_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


struct broken {
    const char *what;
    const char *yaml;               /* ecyber.yaml; NULL: there is none, though it is asked for */
    const char *extra, *text;       /* another file below the folder */
    const char *environ, *set;
    const char *place;              /* of the first sentence; @ stands for the folder */
    const char *says;               /* stands in it */
    unsigned sentences;             /* how many in all */
};

static const struct broken cases[] = {
    { "unknown section", "cores:\n  workers: 1\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:1:1: ", "the nearest is 'core'", 1 },
    { "unknown option", "core:\n  workers: 1\n  worker: 2\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:3:3: ", "no option 'worker'; the nearest is 'workers'", 1 },
    { "unknown nested option", "core:\n  log:\n    levle: info\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:3:5: ", "no option 'log.levle'; the nearest is 'log.level'", 1 },
    { "option of a section without options", "bare:\n  x: 1\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:3: ", "has no options", 1 },
    { "duplicate key", "core:\n  workers: 1\n  workers: 2\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:3:3: ", "duplicate key 'workers': it stands in line 2", 1 },
    { "duplicate section", "core: {}\nall: {}\ncore: {}\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:3:1: ", "duplicate key 'core'", 1 },
    { "the same option dotted and nested", "core:\n  log.level: info\n  log:\n    level: debug\n", NULL, NULL, NULL,
      NULL, "@/ecyber.yaml:4:12: ", "core.log.level is given twice, first at @/ecyber.yaml:2:14", 1 },
    { "text where a number is expected", "core:\n  workers: many\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:12: ", "core.workers: 'many' is not a whole number", 1 },
    { "a list where a number is expected", "core:\n  workers: [1]\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:12: ", "not a list", 1 },
    { "a mapping where a text is expected", "core:\n  log:\n    file: {a: b}\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:3:11: ", "not a mapping", 1 },
    { "a text where a list is expected", "core:\n  plugins: traffic\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:12: ", "a list is expected", 1 },
    { "a text where a mapping is expected", "all:\n  vars: HOME_NET\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:9: ", "a mapping is expected", 1 },
    { "a mapping within a list", "core:\n  plugins:\n    - a\n    - b: c\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:4:7: ", "has to be one value", 1 },
    { "a value where a group is expected", "core:\n  log: debug\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:3: ", "'core.log' is a group of options", 1 },
    { "a value where a section is expected", "core: 5\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:1:1: ", "section 'core' has to be a mapping", 1 },
    { "no value", "core:\n  workers:\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:", "there is no value", 1 },
    { "out of range", "core:\n  workers: 65\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:12: ", "'65' is out of range: 0 to 64 threads", 1 },
    { "out of its type", "all:\n  u8: 256\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:7: ", "'256' is out of range: 0 to 255", 1 },
    { "a number longer than any type", "all:\n  u64: 99999999999999999999\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:8: ", "out of range", 1 },
    { "an element out of range", "all:\n  ports: [80, 0]\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:15: ", "'0' is out of range: 1 to 65535", 1 },
    { "a duration out of range", "all:\n  timeout: 2h\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:12: ", "'2h' is out of range: 1s to 1h", 1 },
    { "a size with an unknown unit", "all:\n  memory: 64MB\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:11: ", "MiB", 1 },
    { "an unknown word", "core:\n  log:\n    level: debgu\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:3:12: ", "the nearest is 'debug'", 1 },
    { "a decimal out of range", "all:\n  ratio: 1.5\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:10: ", "out of range: 0 to 1", 1 },
    { "no truth", "all:\n  on: maybe\n", NULL, NULL, NULL, NULL, "@/ecyber.yaml:2:7: ", "true or false", 1 },
    { "no address", "all:\n  address: 10.0.0.256\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:12: ", "address", 1 },
    { "no network", "all:\n  nets: [10.0.0.0/8, 10.0.0.0/33]\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:22: ", "network", 1 },
    { "a text that is too short, and secret", "all:\n  pin: 77\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:2:8: ", "'********' is out of range", 1 },
    { "a tab as indentation", "core:\n\tworkers: 1\n", NULL, NULL, NULL, NULL, "@/ecyber.yaml:2:", "", 1 },
    { "a list that is not closed", "core:\n  plugins: [a, b\n", NULL, NULL, NULL, NULL, "@/ecyber.yaml:", "bracket", 1 },
    { "a quote that is not closed", "core:\n  log:\n    file: \"x\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:3:12: ", "quote", 1 },
    { "an alias", "core: &a\n  workers: 1\nall: *a\n", NULL, NULL, NULL, NULL, "@/ecyber.yaml:1:", "anchors", 1 },
    { "a tag", "core:\n  workers: !!int 1\n", NULL, NULL, NULL, NULL, "@/ecyber.yaml:2:", "tags", 1 },
    { "a second document", "core: {}\n---\nall: {}\n", NULL, NULL, NULL, NULL, "@/ecyber.yaml:", "second document", 1 },
    { "a list at the top", "- core\n", NULL, NULL, NULL, NULL, "@/ecyber.yaml:1:1: ", "mapping of sections", 1 },
    { "no UTF-8", "core:\n  log:\n    file: \"a\xff\"\n", NULL, NULL, NULL, NULL, "@/ecyber.yaml:3:13: ", "UTF-8", 1 },
    { "an escaped NUL", "core:\n  log:\n    file: \"a\\0b\"\n", NULL, NULL, NULL, NULL,
      "@/ecyber.yaml:3:11: ", "NUL", 1 },
    { "a mapping as a key", "core:\n  ? {a: b}\n  : c\n", NULL, NULL, NULL, NULL, "@/ecyber.yaml:2:5: ", "key", 1 },
    { "a missing file", NULL, "ecyber.yml", "", NULL, NULL,
      "@/ecyber.yaml: ", "no such file; the nearest in that folder is 'ecyber.yml'", 1 },
    { "a folder in the file's place", NULL, "ecyber.yaml/x", "", NULL, NULL,
      "@/ecyber.yaml: ", "not a regular file", 1 },
    { "a file in conf.d", "core: {}\n", "conf.d/20-x.yaml", "core:\n  workers: no\n", NULL, NULL,
      "@/conf.d/20-x.yaml:2:12: ", "whole number", 1 },
    { "a file in place of conf.d", "core: {}\n", "conf.d", "", NULL, NULL, "@/conf.d: ", "cannot be read", 1 },
    { "a bad value in .env", "", ".env", "# x\n\nexport ECYBER_CORE__WORKERS='many'\n", NULL, NULL,
      "@/.env:3:8: ECYBER_CORE__WORKERS=many: ", "whole number", 1 },
    { "an unknown name in .env", "", ".env", "ECYBER_CORE__WORKER=1\n", NULL, NULL,
      "@/.env:1:1: ECYBER_CORE__WORKER=1: ", "the nearest valid name is ECYBER_CORE__WORKERS", 1 },
    { "a line of .env without =", "", ".env", "ECYBER_CORE__WORKERS\n", NULL, NULL, "@/.env:1:1: ", "NAME=VALUE", 1 },
    { "a quote in .env", "", ".env", "A=b\nECYBER_ALL__PASSWORD=\"x\n", NULL, NULL,
      "@/.env:2:1: ECYBER_ALL__PASSWORD=********: ", "quotes", 1 },
    { "twice in .env", "", ".env", "ECYBER_CORE__WORKERS=1\nECYBER_CORE__WORKERS=2\n", NULL, NULL,
      "@/.env:2:1: ", "given twice", 1 },
    { "a bad environment value", "", NULL, NULL, "ECYBER_CORE__WORKERS=-1", NULL,
      "environment variable ECYBER_CORE__WORKERS=-1: ", "out of range", 1 },
    { "a secret environment value", "", NULL, NULL, "ECYBER_ALL__PASSWORD=short", NULL,
      "environment variable ECYBER_ALL__PASSWORD=********: ", "5 bytes", 1 },
    { "an unknown variable", "", NULL, NULL, "ECYBER_CORE__LOG__LEVLE=info", NULL,
      "environment variable ECYBER_CORE__LOG__LEVLE=info: ", "the nearest valid name is ECYBER_CORE__LOG__LEVEL", 1 },
    { "a variable of an unknown section", "", NULL, NULL, "ECYBER_CORES__WORKERS=1", NULL,
      "environment variable ECYBER_CORES__WORKERS=1: ", "no such section; the nearest valid name is ECYBER_CORE__W", 1 },
    { "one underscore", "", NULL, NULL, "ECYBER_CORE_LOG_LEVEL=info", NULL,
      "environment variable ECYBER_CORE_LOG_LEVEL=info: ", "two underscores", 1 },
    { "an unknown variable that sounds secret", "", NULL, NULL, "ECYBER_ALL__PASWORD=hunter22", NULL,
      "environment variable ECYBER_ALL__PASWORD=********: ", "ECYBER_ALL__PASSWORD", 1 },
    { "a broken flow in the environment", "", NULL, NULL, "ECYBER_ALL__PORTS=[80, 443", NULL,
      "environment variable ECYBER_ALL__PORTS=[80, 443: ", "bracket", 1 },
    { "an empty entry in the environment", "", NULL, NULL, "ECYBER_CORE__PLUGINS=a,,b", NULL,
      "environment variable ECYBER_CORE__PLUGINS=a,,b: ", "empty", 1 },
    { "no mapping in the environment", "", NULL, NULL, "ECYBER_ALL__VARS=x", NULL,
      "environment variable ECYBER_ALL__VARS=x: ", "mapping is expected", 1 },
    { "a bad --set", "", NULL, NULL, NULL, "core.workers=x", "--set core.workers=x: ", "whole number", 1 },
    { "an unknown --set", "", NULL, NULL, NULL, "core.wrokers=2", "--set core.wrokers=2: ", "'core.workers'", 1 },
    { "a secret --set", "", NULL, NULL, NULL, "all.pin=12", "--set all.pin=********: ", "out of range", 1 },
    { "--set without =", "", NULL, NULL, NULL, "core.workers", "--set core.workers: ", "SECTION.OPTION=VALUE", 1 },
    { "all errors are told", "core:\n  workers: x\n  a: 1\nall:\n  u8: 999\n  on: 7\n", NULL, NULL,
      "ECYBER_CORE__X=1", "y.z=1", "@/ecyber.yaml:2:12: ", "whole number", 6 },
};

struct heard { char first[2048], last[2048]; unsigned n; };

static void hear(const char *sentence, void *arg)
{
    struct heard *h = arg;

    if (!h->n++)
        snprintf(h->first, sizeof h->first, "%s", sentence);
    snprintf(h->last, sizeof h->last, "%s", sentence);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

/* '@' becomes the folder. */
static void expand(const char *text, const char *folder, char *to, size_t n)
{
    size_t at = 0;

    for (; *text && at + 1 < n; text++) {
        if (*text == '@')
            at += (size_t)snprintf(to + at, n - at, "%s", folder);
        else
            to[at++] = *text;
    }
    to[at] = '\0';
}

static void remove_folder(const char *folder)
{
    char command[512];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(broken_is_refused_at_its_place)
{
    const struct broken *b = &cases[_i];
    char folder[] = "/tmp/ecyber-conf-XXXXXX", path[128], want[1024];
    const char *environ[] = { "PATH=/bin", b->environ, NULL };
    struct conf_input in = { .file = path, .environ = environ, .n_set = b->set != NULL, .set = &b->set };
    struct heard h = { .n = 0 };

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/ecyber.yaml", folder);
    if (b->yaml)
        write_file(folder, "ecyber.yaml", b->yaml);
    if (b->extra)
        write_file(folder, b->extra, b->text);
    ck_assert_msg(!conf_load(&in, fixture_sections, FIXTURE_SECTIONS, hear, &h), "%s: accepted", b->what);
    expand(b->place, folder, want, sizeof want);
    ck_assert_msg(!strncmp(h.first, want, strlen(want)), "%s: '%s' where '%s' was expected", b->what, h.first, want);
    expand(b->says, folder, want, sizeof want);
    ck_assert_msg(strstr(h.first, want) != NULL, "%s: '%s' does not say '%s'", b->what, h.first, want);
    ck_assert_msg(h.n == b->sentences, "%s: %u sentences, the last is '%s'", b->what, h.n, h.last);
    remove_folder(folder);
}
END_TEST

START_TEST(errors_are_bounded)
{
    const char *set[60];
    struct conf_input in = { .n_set = 60, .set = set };
    struct heard h = { .n = 0 };

    for (int i = 0; i < 60; i++)
        set[i] = "core.workers=x";
    ck_assert_ptr_null(conf_load(&in, fixture_sections, FIXTURE_SECTIONS, hear, &h));
    ck_assert_uint_eq(h.n, CONF_ERRORS_MAX + 1);
    ck_assert_ptr_nonnull(strstr(h.last, "10 more errors"));
}
END_TEST

START_TEST(depth_and_size_are_bounded)
{
    char folder[] = "/tmp/ecyber-conf-XXXXXX", path[128], *text = malloc((4u << 20) + 64);
    struct conf_input in = { .file = path };
    struct heard h = { .n = 0 };

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/ecyber.yaml", folder);
    memcpy(text, "core: ", 6);
    memset(text + 6, '[', 40);
    memset(text + 46, ']', 40);
    text[86] = '\0';
    write_file(folder, "ecyber.yaml", text);
    ck_assert_ptr_null(conf_load(&in, fixture_sections, FIXTURE_SECTIONS, hear, &h));
    ck_assert_ptr_nonnull(strstr(h.first, "nested deeper than 32 levels"));
    memset(text, '#', (4u << 20) + 8);
    text[(4u << 20) + 8] = '\0';
    write_file(folder, "ecyber.yaml", text);
    h.n = 0;
    ck_assert_ptr_null(conf_load(&in, fixture_sections, FIXTURE_SECTIONS, hear, &h));
    ck_assert_ptr_nonnull(strstr(h.first, "longer than 4 MiB"));
    free(text);
    remove_folder(folder);
}
END_TEST

static void refuses_table(const struct ec_row *rows, uint32_t n, const char *says)
{
    struct ec_record r = { (uint32_t)sizeof r, 0, n, (uint32_t)sizeof *rows, 0, 0, rows };
    struct conf_section s = { "x", &r, false };
    struct conf_input in = { 0 };
    struct heard h = { .n = 0 };

    ck_assert_msg(!conf_load(&in, &s, 1, hear, &h), "accepted: %s", says);
    ck_assert_msg(strstr(h.first, says) != NULL, "'%s' does not say '%s'", h.first, says);
}

START_TEST(unfit_tables_are_refused)
{
    static const struct ec_row bad_name[] = { EC_OPTION(U8, 0, "Upper", NULL, 0, 0, NULL, "") };
    static const struct ec_row same[] = { EC_OPTION(U8, 0, "a", NULL, 0, 0, NULL, ""),
                                          EC_OPTION(U8, 0, "a", NULL, 0, 0, NULL, "") };
    static const struct ec_row within[] = { EC_OPTION(U8, 0, "a", NULL, 0, 0, NULL, ""),
                                            EC_OPTION(U8, 0, "a.b", NULL, 0, 0, NULL, "") };
    static const struct ec_row record[] = { EC_OPTION(RECORD, 0, "a", NULL, 0, 0, NULL, "") };
    static const struct ec_row words[] = { EC_OPTION_ENUM(0, "a", NULL, NULL, "") };
    static const struct ec_row value[] = { EC_OPTION(U8, 0, "a", "300", 0, 0, NULL, "") };

    refuses_table(bad_name, 1, "the name 'Upper' is not fit");
    refuses_table(same, 2, "'a' and 'a' stand in each other's way");
    refuses_table(within, 2, "'a' and 'a.b' stand in each other's way");
    refuses_table(record, 1, "not fit for an option");
    refuses_table(words, 1, "not fit for an option");
    refuses_table(value, 1, "option x.a: x.a: '300' is out of range");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf-errors");
    TCase *tc = tcase_create("broken");

    tcase_add_loop_test(tc, broken_is_refused_at_its_place, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tc, errors_are_bounded);
    tcase_add_test(tc, depth_and_size_are_bounded);
    tcase_add_test(tc, unfit_tables_are_refused);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
