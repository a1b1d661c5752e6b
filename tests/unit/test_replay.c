#include "tests/unit/unit.h"

#include "plugins/replay/child.h"
#include "plugins/replay/result.h"
#include "plugins/replay/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/ecyber-replay-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[256];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    ck_assert_ptr_nonnull(out = fopen(path, "w"));
    fputs(text, out);
    fclose(out);
}

static void open_folder(void)
{
    char path[256];

    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/state/eve", folder);
    mkdir(path, 0700);
}

static void close_folder(void)
{
    static const char *const names[] = { "log", "state/last-stop.json", "state/eve/events.json", "state/eve", "state",
                                         "" };
    char path[256];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
}

static const char *path_of(struct json_object *o, const char *pointer)
{
    struct json_object *v = NULL;

    return json_pointer_get(o, pointer, &v) || !v ? "none" : json_object_get_string(v);
}

static const char live[] =
    "{\"core\":{\"plugin_dirs\":{\"value\":[\"/p\"]},\"state_dir\":{\"value\":\"/s\"},\"workers\":{\"value\":4}},"
    "\"ids\":{\"vars\":{\"value\":{\"HOME_NET\":\"10.0.0.0/8\"}},\"rules_dir\":{\"value\":\"/r\"},"
    "\"pcre.match_limit\":{\"value\":7},\"strict\":{\"value\":null}},"
    "\"traffic\":{\"timeouts.tcp.new\":{\"value\":\"60s\"}},"
    "\"geoip\":{\"city\":{\"value\":\"/g\"}},\"http\":{\"listen\":{\"value\":\"0.0.0.0:1\"}}}";

START_TEST(a_child_gets_the_engines_options_alone)
{
    const char *more[] = { "geoip" };
    struct settings s = { .folder = "/f", .plugins = more, .n_plugin = 1, .memory = 1 << 30 };
    char why[128], *text = settings_make(live, &s, why, sizeof why);
    struct json_object *o = json_tokener_parse(text);

    ck_assert_str_eq(path_of(o, "/core/plugin_dirs/0"), "/p");
    ck_assert_str_eq(path_of(o, "/core/plugins/4"), "geoip");
    ck_assert_str_eq(path_of(o, "/core/state_dir"), "/f/state");
    ck_assert_str_eq(path_of(o, "/core/workers"), "none");
    ck_assert_str_eq(path_of(o, "/ids/vars/HOME_NET"), "10.0.0.0/8");
    ck_assert_str_eq(path_of(o, "/ids/pcre/match_limit"), "7");
    ck_assert_str_eq(path_of(o, "/ids/rules_dir"), "/r");
    ck_assert_str_eq(path_of(o, "/ids/strict"), "none");
    ck_assert_str_eq(path_of(o, "/traffic/timeouts/tcp/new"), "60s");
    ck_assert_str_eq(path_of(o, "/traffic/memcap"), "268435456");
    ck_assert_str_eq(path_of(o, "/geoip/city"), "/g");
    ck_assert_str_eq(path_of(o, "/http"), "none");
    ck_assert_str_eq(path_of(o, "/eve/types"), "none");
    json_object_put(o);
    free(text);
    text = settings_state_dir(live);
    ck_assert_str_eq(text, "/s");
    free(text);
}
END_TEST

START_TEST(a_test_of_rules_has_no_others)
{
    struct settings s = { .folder = "/f", .rules = "/f/rules", .memory = 1 << 30 };
    char why[128], *text = settings_make(live, &s, why, sizeof why);
    struct json_object *o = json_tokener_parse(text);

    ck_assert_str_eq(path_of(o, "/ids/rule_files/0"), "/f/rules");
    ck_assert_str_eq(path_of(o, "/ids/rules_dir"), "none");
    ck_assert_str_eq(path_of(o, "/eve/types/0"), "alert");
    json_object_put(o);
    free(text);
    ck_assert_ptr_null(settings_make("[", &s, why, sizeof why));
    ck_assert_ptr_null(settings_make(NULL, &s, why, sizeof why));
}
END_TEST

#define ALERT(sid, sev) "{\"timestamp\":\"x\",\"event_type\":\"alert\",\"alert\":{\"gid\":1,\"signature_id\":" #sid \
    ",\"signature\":\"rule " #sid "\",\"severity\":" #sev "}}\n"
#define FLOW "{\"timestamp\":\"x\",\"event_type\":\"flow\",\"text\":\"\\\"event_type\\\":\\\"alert\\\"\"}\n"

START_TEST(events_are_counted)
{
    struct json_object *o;
    uint64_t lost;

    open_folder();
    write_file("state/eve/events.json", ALERT(5, 2) FLOW ALERT(6, 1) ALERT(6, 1) "{\"event_type\":\"alert\",\"cut");
    write_file("state/last-stop.json",
               "{\"packets\":[{\"source\":{\"seen\":9,\"bytes\":900}}],\"metrics\":{\"traffic\":"
               "{\"flow.total\":3},\"eve\":{\"write_errors\":2}}}");
    o = result_read(folder, &lost);
    ck_assert_uint_eq(lost, 2);
    ck_assert_str_eq(path_of(o, "/packets"), "9");
    ck_assert_str_eq(path_of(o, "/bytes"), "900");
    ck_assert_str_eq(path_of(o, "/flows"), "3");
    ck_assert_str_eq(path_of(o, "/events"), "4");
    ck_assert_str_eq(path_of(o, "/alerts"), "3");
    ck_assert_str_eq(path_of(o, "/severity/1"), "2");
    ck_assert_str_eq(path_of(o, "/severity/3"), "0");
    ck_assert_str_eq(path_of(o, "/types/flow"), "1");
    ck_assert_str_eq(path_of(o, "/signatures/0/sid"), "6");
    ck_assert_str_eq(path_of(o, "/signatures/0/alerts"), "2");
    json_object_put(o);
    close_folder();
    o = result_read("/nowhere", &lost);
    ck_assert_str_eq(path_of(o, "/alerts"), "0");
    ck_assert_str_eq(path_of(o, "/packets"), "none");
    json_object_put(o);
}
END_TEST

START_TEST(the_log_says_why)
{
    char why[256];
    struct json_object *o;

    open_folder();
    write_file("log", "{\"level\":\"INFO\",\"plugin\":\"core\",\"message\":\"runs\"}\n");
    ck_assert(!result_sentence(folder, why, sizeof why));
    write_file("log",
               "{\"level\":\"WARNING\",\"plugin\":\"capture\",\"message\":\"/proc/self/fd/3 ends early: at byte 7\"}\n"
               "{\"level\":\"ERROR\",\"plugin\":\"core\",\"message\":\"other\"}\n");
    ck_assert(result_sentence(folder, why, sizeof why));
    ck_assert_str_eq(why, "the capture ends early: at byte 7");
    write_file("log",
               "{\"level\":\"ERROR\",\"plugin\":\"core\",\"message\":\"cannot open file:/proc/self/fd/3: "
               "/proc/self/fd/3 "
               "is empty\"}\n");
    ck_assert(result_sentence(folder, why, sizeof why));
    ck_assert_str_eq(why, "the capture is empty");
    write_file("log", "replay.yaml:1:3: no such option\n");
    ck_assert(result_sentence(folder, why, sizeof why));
    ck_assert_str_eq(why, "replay.yaml:1:3: no such option");
    write_file("log",
               "{\"level\":\"ERROR\",\"plugin\":\"ids\",\"message\":\"/f/rules:2:35: sid 2: open\"}\n"
               "2026-11-23T03 ERROR ids: /f/rules:3:1: y\n"
               "/f/rules are read\n");
    o = result_problems(folder, "/f/rules", 10);
    ck_assert_uint_eq(json_object_array_length(o), 2);
    ck_assert_str_eq(path_of(o, "/0"), "2:35: sid 2: open");
    ck_assert_str_eq(path_of(o, "/1"), "3:1: y");
    json_object_put(o);
    close_folder();
}
END_TEST

START_TEST(pages_follow_each_other)
{
    char path[256], *text;
    struct json_object *o;
    uint64_t at = 0;
    int fd, n = 0, pages = 0;
    size_t len;

    open_folder();
    write_file("log", ALERT(1, 1) FLOW ALERT(2, 1) ALERT(3, 1) FLOW ALERT(4, 1));
    snprintf(path, sizeof path, "%s/log", folder);
    fd = open(path, O_RDONLY);
    do {
        text = result_page(fd, at, "alert", 2, &len);
        ck_assert_ptr_nonnull(text);
        o = json_tokener_parse(text);
        ck_assert_uint_eq(strlen(text), len);
        n += (int)json_object_array_length(json_object_object_get(o, "items"));
        at = strcmp(path_of(o, "/next_cursor"), "none") && json_object_object_get(o, "next_cursor")
                 ? strtoull(path_of(o, "/next_cursor"), NULL, 10) : 0;
        pages++;
        json_object_put(o);
        free(text);
    } while (at);
    ck_assert_int_eq(n, 4);
    ck_assert_int_eq(pages, 2);
    errno = 0;
    ck_assert_ptr_null(result_page(fd, 3, NULL, 2, &len));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_null(result_page(fd, UINT64_MAX, NULL, 2, &len));
    ck_assert_ptr_null(result_page(fd, 1 << 20, NULL, 2, &len));
    close(fd);
    close_folder();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("replay");
    TCase *c = tcase_create("library");

    tcase_add_test(c, a_child_gets_the_engines_options_alone);
    tcase_add_test(c, a_test_of_rules_has_no_others);
    tcase_add_test(c, events_are_counted);
    tcase_add_test(c, the_log_says_why);
    tcase_add_test(c, pages_follow_each_other);
    suite_add_tcase(s, c);
    return unit_run(s);
}
