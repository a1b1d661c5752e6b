/* What a good configuration gives: order of the sources, types, places, dump, diff and keep. */
#include "tests/unit/unit.h"

#include "core/conf/conf_json.h"
#include "tests/unit/conf_fixture.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], file[96];

static void fail_on_error(const char *sentence, void *arg)
{
    (void)arg;
    ck_abort_msg("%s", sentence);
}

static void remember(const char *sentence, void *arg)
{
    snprintf(arg, 512, "%s", sentence);
}

static void write_file(const char *name, const char *text)
{
    char path[160];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static void make_folder(void)
{
    char path[128];

    strcpy(folder, "/tmp/ecyber-conf-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/conf.d", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(file, sizeof file, "%s/ecyber.yaml", folder);
    write_file("ecyber.yaml", "{}\n");
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static struct conf *load(const char *const *environ, const char *set)
{
    struct conf_input in = { .file = file, .environ = environ, .n_set = set != NULL, .set = &set };
    struct conf *c = conf_load(&in, fixture_sections, FIXTURE_SECTIONS, fail_on_error, NULL);

    ck_assert_ptr_nonnull(c);
    return c;
}

static int64_t num(const struct conf *c, const char *section, const char *name, uint32_t i)
{
    int64_t v = -999;

    ck_assert_int_eq(conf_num(conf_of(c, section), name, i, &v), EC_OK);
    return v;
}

START_TEST(defaults_are_typed)
{
    struct conf *c = load(NULL, NULL);
    const struct ec_conf *all = conf_of(c, "all");
    int64_t v;
    double d;

    ck_assert_int_eq(num(c, "core", "workers", 0), 2);
    ck_assert_int_eq(num(c, "core", "log.level", 0), 1);
    ck_assert_str_eq(conf_text(conf_of(c, "core"), "log.level", 0), "info");
    ck_assert_int_eq(num(c, "all", "timeout", 0), 90000000000);
    ck_assert_int_eq(num(c, "all", "memory", 0), 67108864);
    ck_assert_int_eq(num(c, "all", "on", 0), 0);
    ck_assert_int_eq(num(c, "all", "i64", 0), -5);
    ck_assert_uint_eq(conf_count(all, "ports"), 2);
    ck_assert_int_eq(num(c, "all", "ports", 1), 443);
    ck_assert_int_eq(conf_f64(all, "ratio", 0, &d), EC_OK);
    ck_assert(d == 0.5);
    ck_assert_str_eq(conf_text(all, "greeting", 0), "hello: world");
    ck_assert_str_eq(conf_key(all, "vars", 1), "EXTERNAL_NET");
    ck_assert_str_eq(conf_text(all, "vars", 1), "!$HOME_NET");
    ck_assert_uint_eq(conf_count(all, "nets"), 0);
    ck_assert_str_eq(conf_where(all, "greeting", 0), "default");
    ck_assert_int_eq(conf_num(all, "ports", 2, &v), EC_ENOENT);
    ck_assert_int_eq(conf_num(all, "since", 0, &v), EC_ENOENT);
    ck_assert_int_eq(conf_num(all, "greeting", 0, &v), EC_EINVAL);
    ck_assert_int_eq(conf_num(all, "no-such", 0, &v), EC_EINVAL);
    ck_assert_ptr_null(conf_text(all, "password", 0));
    ck_assert_ptr_null(conf_of(c, "no-such"));
    ck_assert_ptr_nonnull(conf_of(c, "bare"));
    conf_free(c);
}
END_TEST

/* Each source overrides the one before it; the place tells which it was. */
START_TEST(sources_have_an_order)
{
    const char *environ[] = { "ECYBER_ALL__U8=6", "ECYBER_ALL__I64=6", "HOME=/", NULL };
    char where[128];
    struct conf *c;
    const struct ec_conf *all;

    write_file("ecyber.yaml", "all:\n  u64: 2\n  ports: [1]\n  mode: '0600'\n  u8: 2\n  i64: 2\n");
    write_file("conf.d/10-a.yaml", "all:\n  ports: [2]\n  mode: '0601'\n  u8: 3\n  i64: 3\n");
    write_file("conf.d/20-b.yaml", "all:\n  mode: '0602'\n  u8: 4\n  i64: 4\n");
    write_file("conf.d/30-ignored.yml", "all:\n  mode: '0777'\n");
    write_file(".env", "ECYBER_ALL__U8=5\nECYBER_ALL__I64=5\nECYBER_ALL__MODE=\"0603\" # why\nDATABASE_URL=x\n");
    c = load(environ, "all.i64=7");
    all = conf_of(c, "all");
    ck_assert_int_eq(num(c, "all", "u64", 0), 2);
    ck_assert_int_eq(num(c, "all", "ports", 0), 2);
    ck_assert_uint_eq(conf_count(all, "ports"), 1);
    ck_assert_str_eq(conf_text(all, "mode", 0), "0603");
    ck_assert_int_eq(num(c, "all", "u8", 0), 6);
    ck_assert_int_eq(num(c, "all", "i64", 0), 7);
    snprintf(where, sizeof where, "%s:2:8", file);
    ck_assert_str_eq(conf_where(all, "u64", 0), where);
    snprintf(where, sizeof where, "%s/.env:3:1", folder);
    ck_assert_str_eq(conf_where(all, "mode", 0), where);
    ck_assert_str_eq(conf_where(all, "u8", 0), "environment variable ECYBER_ALL__U8");
    ck_assert_str_eq(conf_where(all, "i64", 0), "--set all.i64");
    conf_free(c);
}
END_TEST

START_TEST(mappings_are_merged_and_lists_replaced)
{
    const char *environ[] = { "ECYBER_ALL__VARS={A: '1', B: 2}", "ECYBER_ALL__VARS__DNS=9.9.9.9",
                              "ECYBER_ALL__PORTS= 22 , 25,", "ECYBER_CORE__PLUGINS=['x, y', z]", NULL };
    struct conf *c;
    const struct ec_conf *all;

    write_file("ecyber.yaml", "all:\n  vars:\n    HOME_NET: 10.0.0.0/8\n    EXTERNAL_NET: ~\n    B: 1\n");
    c = load(environ, "all.vars.HTTP=[80, 8080]");
    all = conf_of(c, "all");
    ck_assert_uint_eq(conf_count(all, "vars"), 5);
    ck_assert_str_eq(conf_key(all, "vars", 0), "HOME_NET");
    ck_assert_str_eq(conf_text(all, "vars", 0), "10.0.0.0/8");
    ck_assert_str_eq(conf_key(all, "vars", 1), "B");
    ck_assert_str_eq(conf_text(all, "vars", 1), "2");
    ck_assert_str_eq(conf_key(all, "vars", 3), "DNS");
    ck_assert_str_eq(conf_text(all, "vars", 4), "[80, 8080]");
    ck_assert_str_eq(conf_where(all, "vars", 4), "--set all.vars.HTTP");
    ck_assert_uint_eq(conf_count(all, "ports"), 2);
    ck_assert_int_eq(num(c, "all", "ports", 1), 25);
    ck_assert_str_eq(conf_text(conf_of(c, "core"), "plugins", 0), "x, y");
    conf_free(c);
}
END_TEST

START_TEST(paths_count_from_the_folder)
{
    char want[160], here[512];
    struct conf *c;

    write_file("ecyber.yaml", "core:\n  log:\n    file: log/x\nall:\n  rule_files: [/etc/a, b]\n");
    c = load(NULL, NULL);
    snprintf(want, sizeof want, "%s/log/x", folder);
    ck_assert_str_eq(conf_text(conf_of(c, "core"), "log.file", 0), want);
    ck_assert_str_eq(conf_text(conf_of(c, "all"), "rule_files", 0), "/etc/a");
    snprintf(want, sizeof want, "%s/b", folder);
    ck_assert_str_eq(conf_text(conf_of(c, "all"), "rule_files", 1), want);
    conf_free(c);
    write_file("ecyber.yaml", "{}");
    c = load(NULL, "core.log.file=x");
    ck_assert_ptr_nonnull(getcwd(here, sizeof here - 2));
    strcat(here, "/x");
    ck_assert_str_eq(conf_text(conf_of(c, "core"), "log.file", 0), here);
    snprintf(want, sizeof want, "%s/rules/a.rules", folder);
    ck_assert_str_eq(conf_text(conf_of(c, "all"), "rule_files", 0), want);
    conf_free(c);
}
END_TEST

static void dump(const struct conf *c, char **text)
{
    size_t n;
    FILE *to = open_memstream(text, &n);

    conf_dump(c, to);
    fclose(to);
}

/* Without its comments, that is, without places. */
static char *bare(char *text)
{
    char *to = text;

    for (char *s = text; *s; s++)
        if (!strncmp(s, "   #", 4))
            s += strcspn(s, "\n"), *to++ = '\n';
        else
            *to++ = *s;
    *to = '\0';
    return text;
}

START_TEST(as_json_with_types_places_and_masks)
{
    struct json_object *o, *v;
    struct conf *c;

    write_file("ecyber.yaml", "core:\n  workers: 3\n  log: {level: debug}\n  plugins: [a, b]\nall:\n  password: hunter22\n"
                              "  vars: {HOME: x}\n");
    c = load(NULL, NULL);
    o = conf_json(c);
    ck_assert_ptr_nonnull(o);
    ck_assert_ptr_null(strstr(json_object_to_json_string(o), "hunter22"));
    ck_assert(json_pointer_get(o, "/core/workers/value", &v) == 0 && json_object_get_int(v) == 3);
    ck_assert(json_pointer_get(o, "/core/workers/from", &v) == 0 && strstr(json_object_get_string(v), "ecyber.yaml:2:"));
    ck_assert(json_pointer_get(o, "/core/log.level/value", &v) == 0 && !strcmp(json_object_get_string(v), "debug"));
    ck_assert(json_pointer_get(o, "/core/plugins/value/1", &v) == 0 && !strcmp(json_object_get_string(v), "b"));
    ck_assert(json_pointer_get(o, "/all/password/value", &v) == 0 && !strcmp(json_object_get_string(v), "********"));
    ck_assert(json_pointer_get(o, "/all/vars/value/HOME", &v) == 0 && !strcmp(json_object_get_string(v), "x"));
    ck_assert(json_pointer_get(o, "/all/password/live", &v) == 0 && json_object_is_type(v, json_type_boolean));
    json_object_put(o);
    conf_free(c);
}
END_TEST

START_TEST(dump_loads_again)
{
    char *first = NULL, *second = NULL;
    struct conf *c;

    write_file("ecyber.yaml",
               "core:\n  log: {level: debug, levels: {ids: debug, 'a b': \"x\\ty\"}, file: /x}\n  plugins: []\n"
               "all:\n  greeting: \"\\u00e9 'q' \\\"d\\\" #\"\n  mac: 02:00:5e:10:00:01\n  since: 2026-11-22T14:30:00.5+01:00\n"
               "  hex: 00ff\n  password: hunter22\n  vars: {EXTERNAL_NET: ~, N: 'null', T: '~', S: '', D: '- x'}\n  nets: [2001:db8::/32]\n");
    c = load(NULL, NULL);
    ck_assert_int_eq(num(c, "all", "since", 0), 1795354200500000000);
    dump(c, &first);
    conf_free(c);
    ck_assert_ptr_null(strstr(first, "hunter22"));
    ck_assert_ptr_nonnull(strstr(first, "# password: \"********\"   # "));
    ck_assert_ptr_nonnull(strstr(first, "    level: debug   # "));
    ck_assert_ptr_nonnull(strstr(first, "ecyber.yaml:2:16\n"));
    write_file("ecyber.yaml", first);
    c = load(NULL, NULL);
    ck_assert_str_eq(conf_text(conf_of(c, "all"), "vars", 1), "null");
    dump(c, &second);
    conf_free(c);
    ck_assert_ptr_nonnull(strstr(second, "# password:   # no value"));
    *strstr(first, "# password") = '\0';
    *strstr(second, "# password") = '\0';
    ck_assert_str_eq(bare(first), bare(second));
    free(first);
    free(second);
}
END_TEST

static void list_names(const char *section, const char *name, void *arg)
{
    strcat(strcat(strcat(strcat(arg, section), "."), name), " ");
}

START_TEST(diff_and_keep_skip_what_is_live)
{
    char names[256] = "";
    struct conf *old, *next;

    old = load(NULL, NULL);
    write_file("ecyber.yaml", "core:\n  workers: 4\n  log: {level: debug}\nall:\n  timeout: 2m\n  memory: 65536k\n"
                              "  vars: {X: y}\n  rule_files: []\n  since: 2026-01-01\n");
    next = load(NULL, NULL);
    conf_diff(old, next, list_names, names);
    ck_assert_str_eq(names, "core.workers all.since all.vars all.rule_files ");
    names[0] = '\0';
    ck_assert_int_eq(conf_keep(next, old, list_names, names), EC_OK);
    ck_assert_str_eq(names, "core.workers all.since all.vars all.rule_files ");
    conf_free(old);
    ck_assert_int_eq(num(next, "core", "workers", 0), 2);
    ck_assert_int_eq(num(next, "core", "log.level", 0), 0);
    ck_assert_int_eq(num(next, "all", "timeout", 0), 120000000000);
    ck_assert_uint_eq(conf_count(conf_of(next, "all"), "vars"), 2);
    ck_assert_str_eq(conf_key(conf_of(next, "all"), "vars", 0), "HOME_NET");
    ck_assert_uint_eq(conf_count(conf_of(next, "all"), "rule_files"), 1);
    ck_assert_uint_eq(conf_count(conf_of(next, "all"), "since"), 0);
    conf_free(next);
}
END_TEST

START_TEST(sections_that_sleep_are_warned_of)
{
    const char *environ[] = { "ECYBER_PORT=tcp://10.0.0.1:80", "ECYBERD=x", NULL };
    char heard[512] = "", want[256];
    struct conf_input in = { .file = file, .environ = environ, .warn = remember };
    struct conf *c;

    write_file("ecyber.yaml", "asleep:\n  anything: [goes]\n");
    c = conf_load(&in, fixture_sections, FIXTURE_SECTIONS, fail_on_error, heard);
    ck_assert_ptr_nonnull(c);
    snprintf(want, sizeof want, "%s:1:1: section 'asleep' is skipped: its plugin is installed but does not run", file);
    ck_assert_str_eq(heard, want);
    conf_free(c);
}
END_TEST

START_TEST(the_first_look_is_silent)
{
    const char *environ[] = { "ECYBER_IDS__X=y", NULL }, *set[] = { "ids.x=y", "core.log.level=debug" };
    struct conf_input in = { .file = file, .environ = environ, .n_set = 2, .set = set, .partial = true,
                             .warn = remember };
    char heard[512] = "";
    struct conf *c;

    write_file("ecyber.yaml", "ids:\n  x: y\ncore:\n  workers: many\n  plugins: [a]\n  unknown: 1\n");
    c = conf_load(&in, fixture_sections, 1, fail_on_error, heard);
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(num(c, "core", "workers", 0), 2);
    ck_assert_int_eq(num(c, "core", "log.level", 0), 0);
    ck_assert_uint_eq(conf_count(conf_of(c, "core"), "plugins"), 1);
    ck_assert_str_eq(heard, "");
    conf_free(c);
}
END_TEST

START_TEST(no_file_means_defaults)
{
    struct conf_input in = { 0 };
    struct conf *c = conf_load(&in, fixture_sections, FIXTURE_SECTIONS, fail_on_error, NULL);

    ck_assert_ptr_nonnull(c);
    ck_assert_str_eq(conf_text(conf_of(c, "all"), "rule_files", 0), ECYBER_CONFDIR "/rules/a.rules");
    conf_free(c);
}
END_TEST

static void keep_sentence(const char *sentence, void *arg)
{
    snprintf(arg, 512, "%s", sentence);
}

START_TEST(changes_are_live_options_alone)
{
    static const char *const wrong[][2] = {
        { "all.u64: \"1\"", "takes effect at a start only" }, { "core.log.file: \"/x\"", "names a file" },
        { "all.password: \"12345678\"", "is a secret" }, { "all.timeout: \"1ms\"", "out of range" },
        { "all.timeou: \"1m\"", "the nearest is 'timeout'" }, { "asleep.x: \"1\"", "no plugin 'asleep' runs" },
        { "timeout: \"1m\"", "write SECTION.OPTION" }, { "all.timeout: [1m]", "a text is expected" },
        { "[1]", "a mapping is expected" }, { "{", "" } };
    const char *environ[] = { "ECYBER_ALL__RATIO=0.75", NULL };
    struct conf_input in = { .file = file, .environ = environ, .changes = "changes.yaml" };
    char why[512];
    struct conf *c;

    write_file("ecyber.yaml", "all:\n  timeout: 1m\n  on: false\n");
    in.changes_text = "{\n  \"all.timeout\": \"2m\",\n  \"all.ratio\": \"0.25\",\n"
                      "  \"core.log.levels\": \"{a: debug}\" }";
    c = conf_load(&in, fixture_sections, FIXTURE_SECTIONS, fail_on_error, NULL);
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(num(c, "all", "timeout", 0), INT64_C(120000000000));
    ck_assert_str_eq(conf_where(conf_of(c, "all"), "timeout", 0), "changes.yaml:2:3");
    ck_assert_str_eq(conf_text(conf_of(c, "all"), "ratio", 0), "0.75");
    ck_assert_str_eq(conf_text(conf_of(c, "core"), "log.levels", 0), "debug");
    conf_free(c);
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        in.changes_text = wrong[i][0];
        ck_assert_ptr_null(conf_load(&in, fixture_sections, FIXTURE_SECTIONS, keep_sentence, why));
        ck_assert_msg(strstr(why, "changes.yaml:") == why && strstr(why, wrong[i][1]), "%s: %s", wrong[i][0], why);
    }
}
END_TEST

START_TEST(a_text_stands_for_the_file)
{
    struct conf_input in = { .file = file, .text = "all:\n  u64: 5\n" };
    struct conf *c = conf_load(&in, fixture_sections, FIXTURE_SECTIONS, fail_on_error, NULL);

    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(num(c, "all", "u64", 0), 5);
    conf_free(c);
}
END_TEST

static char others[256];

static void note_other(const char *name, const char *value)
{
    size_t n = strlen(others);

    snprintf(others + n, sizeof others - n, "%s=%s;", name, value);
}

START_TEST(other_variables_of_the_env_file_are_told)
{
    struct conf_input in = { .file = file, .other = note_other };

    write_file(".env", "ECYBER_ALL__U8=5\nSECRET_KEY='a b'\nexport URL=\"x\\ty\" # why\n");
    conf_free(conf_load(&in, fixture_sections, FIXTURE_SECTIONS, fail_on_error, NULL));
    ck_assert_str_eq(others, "SECRET_KEY=a b;URL=x\ty;");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf");
    TCase *tc = tcase_create("good");

    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_add_test(tc, defaults_are_typed);
    tcase_add_test(tc, sources_have_an_order);
    tcase_add_test(tc, mappings_are_merged_and_lists_replaced);
    tcase_add_test(tc, paths_count_from_the_folder);
    tcase_add_test(tc, as_json_with_types_places_and_masks);
    tcase_add_test(tc, dump_loads_again);
    tcase_add_test(tc, diff_and_keep_skip_what_is_live);
    tcase_add_test(tc, sections_that_sleep_are_warned_of);
    tcase_add_test(tc, the_first_look_is_silent);
    tcase_add_test(tc, no_file_means_defaults);
    tcase_add_test(tc, changes_are_live_options_alone);
    tcase_add_test(tc, a_text_stands_for_the_file);
    tcase_add_test(tc, other_variables_of_the_env_file_are_told);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
