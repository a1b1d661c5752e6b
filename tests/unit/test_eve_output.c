/* Files with rotation, sockets that come and go, full disks; and the plugin as a whole in the test host. */
#include "tests/unit/unit.h"

#include "core/record/service.h"
#include "plugins/eve/output.h"
#include "testhost.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

static char folder[64], why[4600];
static struct output_config c;
static struct output o;

static void setup(void)
{
    strcpy(folder, "/tmp/ecyber-eve-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    memset(&o, 0, sizeof o);
    c = (struct output_config){ .mode = 0640, .rotate_keep = 2 };
    snprintf(c.path, sizeof c.path, "%s/eve.json", folder);
}

static void teardown(void)
{
    char command[128];

    free(o.buffer.base);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static const char *content(const char *suffix)
{
    static char text[65536];
    char path[4200];
    size_t n = 0;
    FILE *f;

    snprintf(path, sizeof path, "%s%s", c.path, suffix);
    f = fopen(path, "r");
    if (f) {
        n = fread(text, 1, sizeof text - 1, f);
        fclose(f);
    }
    text[n] = '\0';
    return f ? text : "(none)";
}

static void put(const char *line)
{
    size_t n = strlen(line);

    ck_assert(output_need(&o, n + 1));
    memcpy(o.buffer.base + o.buffer.len, line, n);
    o.buffer.base[o.buffer.len + n] = '\n';
    output_added(&o, n + 1);
}

static void opened(void)
{
    ck_assert_msg(!output_open(&o, &c, why, sizeof why), "%s", why);
}

START_TEST(lines_are_appended)
{
    struct stat st;

    opened();
    put("a");
    ck_assert_str_eq(content(""), "");
    output_flush(&o, 1);
    ck_assert_str_eq(content(""), "a\n");
    put("b");
    output_close(&o, 1);
    opened();
    put("c");
    output_close(&o, 1);
    ck_assert_str_eq(content(""), "a\nb\nc\n");
    ck_assert_uint_eq(o.n.events, 3);
    ck_assert_uint_eq(o.n.bytes, 6);
    ck_assert_int_eq(stat(c.path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0640);
}
END_TEST

START_TEST(half_a_line_is_taken_away)
{
    FILE *f = fopen(c.path, "w");

    fputs("whole\n{\"half\":", f);
    fclose(f);
    opened();
    put("next");
    output_close(&o, 1);
    ck_assert_str_eq(content(""), "whole\nnext\n");
}
END_TEST

START_TEST(rotation_by_size_keeps_lines_whole)
{
    char all[256];

    c.rotate_size = 10;
    opened();
    for (char line[] = "1234"; line[0] <= '7'; line[0]++)
        put(line);
    put("longer than a file");
    put("end");
    output_close(&o, 1);
    ck_assert_str_eq(content(""), "end\n");
    ck_assert_str_eq(content(".1"), "longer than a file\n");
    ck_assert_str_eq(content(".2"), "7234\n");
    ck_assert_str_eq(content(".3"), "(none)");
    ck_assert_uint_eq(o.n.events, 9);
    ck_assert_uint_eq(o.n.rotations, 5);
    snprintf(all, sizeof all, "%s", content(".2"));
    ck_assert_uint_le(strlen(all), 10);
}
END_TEST

START_TEST(rotation_by_time)
{
    c.rotate_every = 10 * SECOND;
    c.rotate_keep = 0;
    opened();
    put("a");
    output_flush(&o, 100 * SECOND);
    put("b");
    output_flush(&o, 109 * SECOND);
    ck_assert_str_eq(content(""), "a\nb\n");
    put("c");
    output_flush(&o, 110 * SECOND);
    ck_assert_str_eq(content(""), "c\n");
    ck_assert_str_eq(content(".1"), "(none)");
    output_close(&o, 110 * SECOND);
}
END_TEST

START_TEST(a_renamed_file_is_left)
{
    char to[4200];

    opened();
    put("a");
    output_flush(&o, 1);
    snprintf(to, sizeof to, "%s.old", c.path);
    ck_assert_int_eq(rename(c.path, to), 0);
    o.checked_ms = 0;
    put("b");
    output_flush(&o, 1);
    ck_assert_str_eq(content(".old"), "a\n");
    ck_assert_str_eq(content(""), "b\n");
    put("c");
    ck_assert_int_eq(output_reopen(&o, &c, 1, why, sizeof why), 0);
    snprintf(c.path, sizeof c.path, "%s/none/eve.json", folder);
    ck_assert_int_eq(output_reopen(&o, &c, 1, why, sizeof why), -1);
    ck_assert_ptr_nonnull(strstr(why, "/none/eve.json: cannot be opened: No such file"));
    snprintf(c.path, sizeof c.path, "%s/eve.json", folder);
    put("d");
    output_close(&o, 1);
    ck_assert_str_eq(content(""), "b\nc\nd\n");
}
END_TEST

/* A limit on the file's size stands for a full disk: a write is cut in the middle of a line, the next ones fail. */
START_TEST(a_full_disk_tears_no_line)
{
    struct rlimit limit = { 14, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };
    char long_line[4096];
    uint64_t n;

    signal(SIGXFSZ, SIG_IGN);
    opened();
    put("12345");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    put("67890");
    put("abcde");
    output_flush(&o, 1);
    ck_assert_str_eq(content(""), "12345\n67890\n");
    ck_assert(o.trouble);
    ck_assert_int_eq(o.error, ENOSPC);
    ck_assert_uint_eq(o.n.events, 2);
    memset(long_line, 'x', sizeof long_line - 1);
    long_line[sizeof long_line - 1] = '\0';
    for (n = 0; output_room(&o); n++)
        put(long_line);
    ck_assert_uint_eq(n, OUTPUT_HOLD / sizeof long_line);
    output_flush(&o, 1);
    ck_assert_uint_eq(o.pending, n + 1);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    o.retry_ms = 0;
    output_flush(&o, 1);
    ck_assert(!o.trouble);
    ck_assert_uint_eq(o.n.events, n + 3);
    ck_assert_int_eq(strncmp(content(""), "12345\n67890\nabcde\nxxxx", 22), 0);
    output_close(&o, 1);
    ck_assert_uint_eq(o.n.dropped_stop, 0);
    signal(SIGXFSZ, SIG_DFL);
}
END_TEST

START_TEST(devices_and_folders)
{
    strcpy(c.path, "/dev/full");
    opened();
    put("a");
    output_flush(&o, 1);
    ck_assert(o.trouble);
    ck_assert_uint_ge(o.n.errors, 1);
    output_close(&o, 1);
    ck_assert_uint_eq(o.n.dropped_stop, 1);
    strcpy(c.path, folder);
    ck_assert_int_eq(output_open(&o, &c, why, sizeof why), -1);
    ck_assert_ptr_nonnull(strstr(why, "Is a directory"));
}
END_TEST

static int listener(int type)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, type, 0);

    ck_assert_uint_lt(strlen(c.path), sizeof to.sun_path);
    memcpy(to.sun_path, c.path, strlen(c.path));
    unlink(c.path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
    if (type == SOCK_STREAM)
        ck_assert_int_eq(listen(fd, 5), 0);
    return fd;
}

static void socket_config(enum output_socket type)
{
    c.to = OUTPUT_SOCKET;
    c.socket_type = type;
    snprintf(c.path, sizeof c.path, "%s/s", folder);
}

static const char *received(int fd)
{
    static char text[4096];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);

    text[n > 0 ? n : 0] = '\0';
    return n < 0 ? "(nothing)" : n ? text : "(end)";
}

START_TEST(a_stream_socket_comes_and_goes)
{
    int server, client;

    socket_config(OUTPUT_STREAM);
    opened();
    ck_assert(o.trouble);
    put("early");
    output_flush(&o, 1);
    server = listener(SOCK_STREAM);
    o.retry_ms = 0;
    output_flush(&o, 1);
    client = accept(server, NULL, NULL);
    ck_assert_str_eq(received(client), "early\n");
    close(client);
    put("lost or kept, but counted");
    o.retry_ms = 0;
    output_flush(&o, 1);
    ck_assert_uint_eq(o.pending, 1);
    o.retry_ms = 0;
    output_flush(&o, 1);
    client = accept(server, NULL, NULL);
    ck_assert_str_eq(received(client), "lost or kept, but counted\n");
    ck_assert_uint_eq(o.n.events, 2);
    output_close(&o, 1);
    ck_assert_str_eq(received(client), "(end)");
    close(client);
    close(server);
}
END_TEST

START_TEST(a_datagram_holds_one_line)
{
    char *big = calloc(1, 300000);
    int server;

    socket_config(OUTPUT_DATAGRAM);
    server = listener(SOCK_DGRAM);
    opened();
    put("one");
    put("two");
    memset(big, 'x', 299999);
    put(big);
    put("three");
    output_flush(&o, 1);
    ck_assert_str_eq(received(server), "one\n");
    ck_assert_str_eq(received(server), "two\n");
    ck_assert_str_eq(received(server), "three\n");
    ck_assert_uint_eq(o.n.dropped_long, 1);
    ck_assert_uint_eq(o.n.events, 3);
    ck_assert_uint_eq(o.n.bytes, 14);
    output_close(&o, 1);
    close(server);
    free(big);
}
END_TEST

/* A reader that stands still: in = out + dropped + held, and the rest follows without a torn line. */
START_TEST(a_slow_reader_gets_whole_lines)
{
    struct timeval moment = { .tv_usec = 20000 };
    char line[1000], *all = malloc(8u << 20);
    size_t got = 0, lines = 0;
    uint64_t put_in = 0;
    int server, client;
    ssize_t n;

    socket_config(OUTPUT_STREAM);
    server = listener(SOCK_STREAM);
    opened();
    client = accept(server, NULL, NULL);
    ck_assert_int_eq(setsockopt(o.fd, SOL_SOCKET, SO_SNDTIMEO, &moment, sizeof moment), 0);
    memset(line, 'y', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    for (; output_room(&o); put_in++)
        put(line);
    output_flush(&o, 1);
    ck_assert(o.trouble);
    ck_assert_uint_eq(o.n.events + o.pending, put_in);
    for (int i = 0; i < 1000 && (o.pending || i < 5); i++) {
        while ((n = recv(client, all + got, (8u << 20) - got, MSG_DONTWAIT)) > 0)
            got += (size_t)n;
        o.retry_ms = 0;
        output_flush(&o, 1);
    }
    while ((n = recv(client, all + got, (8u << 20) - got, MSG_DONTWAIT)) > 0)
        got += (size_t)n;
    for (size_t i = 0; i < got; i++)
        lines += all[i] == '\n';
    ck_assert_uint_eq(lines, put_in);
    ck_assert_uint_eq(got, put_in * sizeof line);
    ck_assert_uint_eq(o.n.bytes, got);
    output_close(&o, 1);
    close(client);
    close(server);
    free(all);
}
END_TEST

/* The plugin: options, a topic of somebody else, a filter, counters, a reload. */
const struct ec_plugin *ec_plugin_entry_1(void);

struct thing { struct ec_part part; uint32_t n, pad; };
static const struct ec_row thing_rows[] = { EC_FIELD(U32, 0, struct thing, n, "n", NULL, "") };
static const struct ec_record thing_record = EC_RECORD_PART(struct thing, thing_rows);
static const struct ec_topic thing = { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.thing/1", "thing",
                                       &thing_record, NULL, "" };
static const struct ec_topic other = { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.other/1", "other",
                                       &thing_record, NULL, "" };

static void publish(struct testhost *t, uint32_t topic, uint32_t n)
{
    const struct ec_host *h = testhost_host(t);
    struct ec_build b;
    struct thing *p;

    ck_assert_int_eq(h->open(h, 0, topic, &b), EC_OK);
    p = ec_add(&b, topic, sizeof *p);
    p->n = n;
    testhost_deliver(t, &b);
}
#define LINE(type, n) "{\"timestamp\":\"2023-11-14T22:13:20.000000+0000\",\"event_type\":\"" type "\",\"" type "\":{\"n\":" n "}}\n"

static struct record_service *service;

static struct testhost *new_host(void)
{
    struct testhost *t = testhost_new(ec_plugin_entry_1());

    service = record_service_new(testhost_host(t));
    testhost_provide(t, EC_JSON_ID, &record_json, service);
    return t;
}

static void free_host(struct testhost *t)
{
    testhost_free(t);
    record_service_free(service);
}

START_TEST(the_plugin_writes_what_is_wanted)
{
    struct testhost *t = new_host();
    uint32_t a = testhost_topic(t, &thing), b = testhost_topic(t, &other);
    char second[4200];

    ck_assert_int_eq(testhost_option(t, "file", c.path), 0);
    ck_assert_int_eq(testhost_option(t, "types", "thing"), 0);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    publish(t, a, 1);
    publish(t, b, 2);
    ck_assert_str_eq(content(""), LINE("thing", "1"));
    ck_assert_int_eq(testhost_metric(t, "events_written"), 1);
    ck_assert_int_eq(testhost_metric(t, "filtered"), 1);
    ck_assert_int_eq(testhost_metric(t, "bytes_written"), (int64_t)strlen(LINE("thing", "1")));
    snprintf(second, sizeof second, "%s.second", c.path);
    ck_assert_int_eq(testhost_option(t, "file", second), 0);
    ck_assert_int_eq(testhost_option(t, "types", ""), 0);
    ck_assert_int_eq(testhost_reload(t), 0);
    publish(t, b, 3);
    ck_assert_str_eq(content(".second"), LINE("other", "3"));
    free_host(t);
}
END_TEST

static void refused(const char *option, const char *value, const char *says)
{
    struct testhost *t = new_host();

    ck_assert_int_eq(testhost_option(t, option, value), 0);
    ck_assert_int_ne(testhost_start(t), 0);
    ck_assert_msg(strstr(testhost_why(t), says) != NULL, "'%s' does not say '%s'", testhost_why(t), says);
    free_host(t);
}

START_TEST(the_plugin_refuses_what_cannot_be)
{
    refused("types", "no_such_type", "no plugin that runs has events of type 'no_such_type'");
    refused("file", "/no/such/folder/eve.json", "the folder of /no/such/folder/eve.json does not exist");
    refused("to", "socket", "eve.socket has to be its path");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("eve-output");
    TCase *tc = tcase_create("output");

    signal(SIGPIPE, SIG_IGN);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, lines_are_appended);
    tcase_add_test(tc, half_a_line_is_taken_away);
    tcase_add_test(tc, rotation_by_size_keeps_lines_whole);
    tcase_add_test(tc, rotation_by_time);
    tcase_add_test(tc, a_renamed_file_is_left);
    tcase_add_test(tc, a_full_disk_tears_no_line);
    tcase_add_test(tc, devices_and_folders);
    tcase_add_test(tc, a_stream_socket_comes_and_goes);
    tcase_add_test(tc, a_datagram_holds_one_line);
    tcase_add_test(tc, a_slow_reader_gets_whole_lines);
    tcase_add_test(tc, the_plugin_writes_what_is_wanted);
    tcase_add_test(tc, the_plugin_refuses_what_cannot_be);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
