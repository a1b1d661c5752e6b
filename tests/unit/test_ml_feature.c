/* Features of flows that are made by hand, packet by packet; and what is counted around them. */
#include "tests/unit/unit.h"

#include "plugins/ml/feature.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define START (UINT64_C(1700000040) * SECOND)   /* a minute begins */

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

static struct ec_flow flow;
static struct seen seen;
static float value[FEATURES];

static void setup(void)
{
    memset(&seen, 0, sizeof seen);
    flow = (struct ec_flow){ .size = sizeof flow, .ip_proto = 6, .sport = 40000, .dport = 80, .first_ns = START,
                             .last_ns = START };
    flow.src[15] = 1;
    flow.dst[15] = 2;
}

/* A TCP segment over IPv4 with n bytes of payload, of which only `captured` are there. */
static void packet(uint64_t ns, uint8_t dir, uint8_t flags, uint16_t n, uint16_t captured)
{
    static uint8_t data[2000];
    struct ec_frame frame = { .size = sizeof frame, .ts_ns = START + ns };
    struct ec_packet p = { .size = sizeof p, .frame = &frame, .flow = &flow, .data = data, .l3 = 0, .l4 = 20,
                           .payload = 40, .len = 40u + captured, .payload_len = captured, .ip_version = 4,
                           .ip_proto = 6, .dir = dir };

    memset(data, 0, 40);
    data[2] = (uint8_t)((40 + n) >> 8);
    data[3] = (uint8_t)(40 + n);
    data[33] = flags;
    flow.pkts[dir]++;
    flow.bytes[dir] += 54u + n;
    flow.last_ns = frame.ts_ns;
    seen_packet(&seen, &p);
}

static double f(const char *name)
{
    int i = feature_find(name);

    ck_assert_msg(i >= 0, "no feature %s", name);
    feature_values(&flow, &seen, value);
    return value[i];
}

START_TEST(conversation)
{
    packet(0, EC_TO_SERVER, SYN, 0, 0);
    packet(1000000, EC_TO_CLIENT, SYN | ACK, 0, 0);
    packet(2000000, EC_TO_SERVER, ACK, 0, 0);
    packet(3000000, EC_TO_SERVER, PSH | ACK, 100, 100);
    packet(1003000000, EC_TO_CLIENT, PSH | ACK, 1000, 60);      /* cut by the snap length */
    packet(1004000000, EC_TO_CLIENT, PSH | ACK, 500, 0);
    packet(2000000000, EC_TO_SERVER, FIN | ACK, 0, 0);
    flow.state = EC_FLOW_CLOSED;
    ck_assert_double_eq(f("tcp"), 1);
    ck_assert_double_eq(f("udp"), 0);
    ck_assert_double_eq(f("established"), 1);
    ck_assert_double_eq_tol(f("duration"), 2.0, 1e-6);
    ck_assert_double_eq(f("packets_to_server"), 4);
    ck_assert_double_eq(f("packets_to_client"), 3);
    ck_assert_double_eq_tol(f("answer_ratio"), 0.75, 1e-6);
    ck_assert_double_eq(f("data_to_server"), 1);
    ck_assert_double_eq(f("payload_to_client"), 1500);
    ck_assert_double_eq(f("payload_mean_to_client"), 750);
    ck_assert_double_eq(f("payload_sd_to_client"), 250);
    ck_assert_double_eq(f("payload_max_to_client"), 1000);
    ck_assert_double_eq(f("first_to_server"), 100);
    ck_assert(isnan(f("second_to_server")));
    ck_assert_double_eq(f("first_to_client"), 1000);
    ck_assert_double_eq(f("second_to_client"), 500);
    ck_assert_double_eq_tol(f("gap_max_to_client"), 1.002, 1e-6);
    ck_assert_double_eq_tol(f("gap_mean_to_server"), 2.0 / 3, 1e-6);
    ck_assert_double_eq(f("syn_to_server"), 1);
    ck_assert_double_eq(f("fin_to_server"), 1);
    ck_assert_double_eq(f("psh_to_client"), 2);
}
END_TEST

START_TEST(probe)
{
    packet(0, EC_TO_SERVER, 0, 0, 0);
    packet(500, EC_TO_CLIENT, RST | ACK, 0, 0);
    ck_assert_double_eq(f("bare_to_server"), 1);
    ck_assert_double_eq(f("rst_to_client"), 1);
    ck_assert_double_eq(f("payload_to_server"), 0);
    ck_assert(isnan(f("payload_mean_to_server")));
    ck_assert(isnan(f("gap_mean_to_server")));
}
END_TEST

START_TEST(clock_goes_back)
{
    packet(SECOND, EC_TO_SERVER, ACK, 1, 1);
    packet(0, EC_TO_SERVER, ACK, 1, 1);
    packet(SECOND, EC_TO_SERVER, ACK, 1, 1);
    ck_assert_double_eq(f("gap_max_to_server"), 0);
}
END_TEST

START_TEST(names)
{
    for (int i = 0; i < FEATURES; i++) {
        ck_assert_int_eq(feature_find(feature_table[i].name), i);   /* so none stands there twice */
        ck_assert_str_ne(feature_table[i].help, "");
        ck_assert_ptr_null(strstr(feature_table[i].name, "addr"));
    }
    ck_assert_int_eq(feature_find("none of these"), -1);
}
END_TEST

START_TEST(port_class_not_port)
{
    flow.dport = 22;
    ck_assert_double_eq(f("port_class"), 0);
    flow.dport = 1023;
    ck_assert_double_eq(f("port_class"), 0);
    flow.dport = 8080;
    ck_assert_double_eq(f("port_class"), 1);
    flow.dport = 50000;
    ck_assert_double_eq(f("port_class"), 2);
}
END_TEST

/* --- around: a hosts service of a page ---------------------------------------------------------- */

enum { ENTRIES = 4096 };
static struct entry { uint32_t space, len, bytes; uint8_t key[64]; _Alignas(16) uint8_t data[256]; } entry[ENTRIES];
static uint32_t entries, space_bytes[8], spaces, locked;

static int32_t hosts_space(void *self, const char *name, uint32_t bytes, uint32_t cap, uint64_t idle, uint32_t *id)
{
    (void)self, (void)name, (void)cap, (void)idle;
    ck_assert_uint_le(bytes, 256);
    space_bytes[spaces] = bytes;
    *id = spaces++;
    return 0;
}

static void *hosts_lock(void *self, uint32_t space, const void *key, uint32_t len, uint64_t now)
{
    (void)self, (void)now;
    ck_assert_uint_eq(locked++, 0);         /* never two at once */
    for (uint32_t i = 0; i < entries; i++)
        if (entry[i].space == space && entry[i].len == len && !memcmp(entry[i].key, key, len))
            return entry[i].data;
    ck_assert_uint_lt(entries, ENTRIES);
    entry[entries].space = space;
    entry[entries].len = len;
    memcpy(entry[entries].key, key, len);
    return entry[entries++].data;
}

static void hosts_unlock(void *self, void *e)
{
    (void)self, (void)e;
    locked--;
}

static const struct ec_hosts hosts = { sizeof hosts, 0, hosts_space, hosts_lock, hosts_unlock };
static struct around_tables tables;

static void around_setup(void)
{
    setup();
    memset(entry, 0, sizeof entry);
    entries = spaces = locked = 0;
    tables = (struct around_tables){ .hosts = &hosts };
    ck_assert_int_eq(around_open(&tables), 0);
}

static struct around begin(uint8_t src, uint8_t dst, uint16_t port, uint64_t s)
{
    struct around a = { 0 };

    flow.src[15] = src;
    flow.dst[15] = dst;
    flow.dport = port;
    around_begin(&tables, &flow, START + s * SECOND, &a);
    return a;
}

START_TEST(scan)
{
    struct around a = { 0 };

    for (uint16_t port = 1; port <= 200; port++)
        a = begin(1, 2, port, port / 10);
    ck_assert_uint_eq(a.src_flows, 200);
    ck_assert_uint_eq(a.src_unanswered, 200);
    ck_assert_float_gt(a.src_ports, 170);
    ck_assert_float_lt(a.src_ports, 230);
    ck_assert_float_lt(a.src_hosts, 1.1f);
    ck_assert_uint_eq(a.svc_flows, 1);
    ck_assert_uint_eq(a.dst_flows, 200);
    a = begin(7, 2, 80, 30);
    ck_assert_uint_eq(a.src_flows, 1);
    ck_assert_float_gt(a.dst_sources, 1.9f);
}
END_TEST

START_TEST(answers)
{
    struct around a;

    for (int i = 0; i < 10; i++) {
        begin(1, 2, 80, 0);
        around_answer(&tables, &flow, START);
    }
    a = begin(1, 2, 80, 1);
    ck_assert_uint_eq(a.src_flows, 11);
    ck_assert_uint_eq(a.src_unanswered, 1);
    ck_assert_uint_eq(a.svc_flows, 11);
    ck_assert_uint_eq(a.dst_unanswered, 1);
    ck_assert_float_lt(a.src_ports, 1.1f);
}
END_TEST

START_TEST(windows)
{
    for (int i = 0; i < 10; i++)
        begin(1, 2, 80, 0);
    ck_assert_uint_eq(begin(1, 2, 80, 59).src_flows, 11);
    ck_assert_uint_eq(begin(1, 2, 80, 61).src_flows, 12);       /* the minute before still counts */
    ck_assert_uint_eq(begin(1, 2, 80, 121).src_flows, 2);
    ck_assert_uint_eq(begin(1, 2, 80, 300).src_flows, 1);
    ck_assert_uint_eq(begin(1, 2, 80, 301).src_long, 15);
    ck_assert_uint_eq(begin(1, 2, 80, 4000).src_long, 1);
}
END_TEST

START_TEST(no_hosts_service)
{
    struct around_tables none = { 0 };
    struct around a = { 0 }, zero = { 0 };

    ck_assert_int_eq(around_open(&none), 0);
    around_begin(&none, &flow, START, &a);
    around_answer(&none, &flow, START);
    ck_assert_mem_eq(&a, &zero, sizeof a);
}
END_TEST

START_TEST(sketch_is_about_right)
{
    uint64_t word[4] = { 0 };

    ck_assert_float_eq(sketch_count(word, 4), 0);
    for (uint64_t i = 0; i < 100; i++)
        sketch_put(word, 4, i * 3);
    ck_assert_float_gt(sketch_count(word, 4), 85);
    ck_assert_float_lt(sketch_count(word, 4), 115);
    memset(word, 255, sizeof word);
    ck_assert(isfinite(sketch_count(word, 4)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ml_feature");
    TCase *flows = tcase_create("flows"), *around = tcase_create("around");

    tcase_add_checked_fixture(flows, setup, NULL);
    tcase_add_test(flows, conversation);
    tcase_add_test(flows, probe);
    tcase_add_test(flows, clock_goes_back);
    tcase_add_test(flows, names);
    tcase_add_test(flows, port_class_not_port);
    suite_add_tcase(s, flows);
    tcase_add_checked_fixture(around, around_setup, NULL);
    tcase_add_test(around, scan);
    tcase_add_test(around, answers);
    tcase_add_test(around, windows);
    tcase_add_test(around, no_hosts_service);
    tcase_add_test(around, sketch_is_about_right);
    suite_add_tcase(s, around);
    return unit_run(s);
}
