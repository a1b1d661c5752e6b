/* Rules that ask for anomalies, and the numbers that they count in. */
#include "tests/unit/unit.h"

#include "tests/unit/ids_env.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct env_world w;
static struct env_flow f;
static struct env_tx x;
static struct ec_raised raised;

static void setup(void)
{
    env_open(&w);
    env_flow(&w, &f, IPPROTO_TCP);
    env_tx(&w, &x, "http");
    raised = (struct ec_raised){ .size = sizeof raised };
}

static void teardown(void)
{
    env_close(&w);
}

static const char *packet(struct env_flow *flow, uint8_t proto, const char *payload, uint64_t bits)
{
    raised.bit[0] = bits;
    w.raised = bits || raised.app ? &raised : NULL;
    env_packet(&w, flow, proto, EC_TO_SERVER, payload, strlen(payload));
    w.raised = NULL;
    return env_sids(&w);
}

#define BIT(n) (UINT64_C(1) << (n))
#define PKTHDR "alert pkthdr any any -> any any "
#define TCP "alert tcp any any -> any any "
#define HTTP "alert http any any -> any any "

START_TEST(an_anomaly_of_the_packet_alerts_and_says_its_name)
{
    env_load(&w, PKTHDR "(decode-event:ipv4.trunc_pkt; sid:1;)\n"
                 PKTHDR "(engine-event:decoder.ipv6.frag_overlap; sid:2;)\n"
                 "alert udp any any -> any any (decode-event:IPV4.Trunc_Pkt; sid:3;)\n");
    ck_assert_str_eq(packet(NULL, IPPROTO_TCP, "x", 0), "");
    ck_assert_str_eq(packet(NULL, IPPROTO_TCP, "x", BIT(ENV_TRUNC)), "1");
    ck_assert_uint_eq(w.alert[0].n, 1);
    ck_assert_str_eq(w.alert[0].bytes[0], "ipv4.trunc_pkt");
    ck_assert_str_eq(w.alert[0].f[0].keyword, "decode-event");
    ck_assert_str_eq(w.alert[0].f[0].buffer, "anomaly");
    ck_assert_uint_eq(w.alert[0].f[0].wire, WIRE_NONE);
    ck_assert_str_eq(packet(NULL, IPPROTO_UDP, "", BIT(ENV_OVERLAP) | BIT(ENV_TRUNC)), "1 2 3");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "", BIT(ENV_GAP)), "");
}
END_TEST

START_TEST(what_is_not_ip_is_seen_by_pkthdr_alone)
{
    struct ec_packet p = { .size = sizeof p, .frame = &w.frame, .payload = EC_NOOFF, .raised = &raised };

    env_load(&w, PKTHDR "(decode-event:ipv4.trunc_pkt; sid:1;)\nalert ip any any -> any any "
                 "(decode-event:ipv4.trunc_pkt; sid:2;)\nalert ipv6 any any -> any any (decode-event:ipv4.trunc_pkt; sid:3;)");
    raised.bit[0] = BIT(ENV_TRUNC);
    engine_packet(&w.worker, w.engine, w.gen, &p);
    ck_assert_str_eq(env_sids(&w), "1");
}
END_TEST

START_TEST(all_that_a_rule_asks_for_has_to_hold)
{
    env_load(&w, TCP "(stream-event:reassembly_seq_gap; decode-event:ipv4.trunc_pkt; sid:1;)\n"
                 TCP "(stream-event:reassembly_seq_gap; content:\"abc\"; sid:2;)\n"
                 TCP "(stream-event:reassembly_seq_gap; flow:to_client; sid:3;)\n"
                 "alert ip any any -> any any (app-layer-event:applayer_mismatch_protocol_both_directions; sid:4;)\n");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "x", BIT(ENV_GAP)), "");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "x", BIT(ENV_TRUNC)), "");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "x", BIT(ENV_GAP) | BIT(ENV_TRUNC)), "1");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "abc", 0), "");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "abc", BIT(ENV_GAP)), "2");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "x", BIT(ENV_MISMATCH)), "4");
}
END_TEST

START_TEST(an_anomaly_of_a_transaction_alerts_once)
{
    env_load(&w, HTTP "(app-layer-event:http.missing_host_header; sid:1;)\n"
                 HTTP "(flow:to_client; app-layer-event:http.missing_host_header; sid:2;)\n"
                 HTTP "(app-layer-event:http.invalid_request_chunk_len; sid:3;)\n"
                 "alert tls any any -> any any (tls.sni; content:\"a\"; sid:4;)\n");
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "");
    x.x.raised = BIT(ENV_HTTP_HOST);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(w.alert[0].bytes[0], "http.missing_host_header");
    ck_assert_str_eq(env_sids(&w), "1");
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "");
    x.x.raised |= BIT(ENV_HTTP_CHUNK);
    env_step(&w, &f, &x, EC_TO_CLIENT, EC_TX_END);
    ck_assert_str_eq(env_sids(&w), "2 3");
}
END_TEST

START_TEST(the_end_asks_for_directions_that_were_seen)
{
    env_load(&w, HTTP "(flow:to_server; app-layer-event:http.missing_host_header; sid:1;)\n");
    x.x.raised = BIT(ENV_HTTP_HOST);
    env_step(&w, &f, &x, EC_TO_CLIENT, EC_TX_END);
    ck_assert_str_eq(env_sids(&w), "");
    env_tx(&w, &x, "http");
    x.x.raised = BIT(ENV_HTTP_HOST);
    x.x.progress[EC_TO_SERVER] = 1;
    env_step(&w, &f, &x, EC_TO_CLIENT, EC_TX_END);
    ck_assert_str_eq(env_sids(&w), "1");
}
END_TEST

START_TEST(buffers_and_anomalies_come_in_any_order)
{
    const char *rule = HTTP "(http.uri; content:\"/a\"; app-layer-event:http.missing_host_header; sid:1;)\n";

    env_load(&w, rule);
    env_buf(&x, HTTP_URI, "/a", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "");
    x.x.raised = BIT(ENV_HTTP_HOST);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "1");
    env_tx(&w, &x, "http");
    x.x.raised = BIT(ENV_HTTP_HOST);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "");
    env_buf(&x, HTTP_URI, "/a", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_SERVER, EC_TX_END);
    ck_assert_str_eq(env_sids(&w), "1");
}
END_TEST

START_TEST(an_anomaly_beside_all_transactions_comes_with_its_packet)
{
    env_load(&w, HTTP "(app-layer-event:http.missing_host_header; sid:1;)\n");
    f.f.proto = raised.proto = env_name(&w, "app_proto", "http");
    raised.app = BIT(ENV_HTTP_CHUNK);
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "x", 0), "");
    raised.app = BIT(ENV_HTTP_HOST);
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "x", 0), "1");
    raised.proto++;
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "x", 0), "");
}
END_TEST

START_TEST(checksums_are_anomalies)
{
    env_load(&w, TCP "(tcpv4-csum:invalid; sid:1;)\n" TCP "(tcpv6-csum:\"invalid\"; sid:2;)\n");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "x", 0), "");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "x", BIT(ENV_SUM)), "1");
}
END_TEST

START_TEST(a_backoff_alerts_ever_less)
{
    struct env_flow other;
    char said[40] = "";

    env_load(&w, TCP "(stream-event:reassembly_seq_gap; threshold:type backoff, track by_flow, count 2, multiplier 3; "
                 "sid:1;)\n");
    for (int i = 1; i <= 18; i++)
        if (*packet(&f, IPPROTO_TCP, "x", BIT(ENV_GAP)))
            sprintf(said + strlen(said), "%d ", i);
    ck_assert_str_eq(said, "2 6 18 ");
    env_flow(&w, &other, IPPROTO_TCP);
    other.f.id = 77;                /* another flow counts on its own */
    packet(&other, IPPROTO_TCP, "x", BIT(ENV_GAP));
    ck_assert_str_eq(packet(&other, IPPROTO_TCP, "x", BIT(ENV_GAP)), "1");
}
END_TEST

static const struct { const char *rule, *said; enum problem_kind kind; } wrong[] = {
    { PKTHDR "(decode-event:ipv4.trunk_pkt; sid:1;)",
      "test.rules:1:47: sid 1: decode-event does not know 'ipv4.trunk_pkt'; the nearest names: 'ipv4.trunc_pkt', "
      "'ipv6.frag_overlap', 'tcp.csum_invalid'", PROBLEM_ERROR },
    { HTTP "(app-layer-event:http.missing_hosts_header; sid:1;)",
      "test.rules:1:48: sid 1: app-layer-event does not know 'http.missing_hosts_header'; the nearest names: "
      "'missing_host_header', 'invalid_request_chunk_len'", PROBLEM_ERROR },
    { PKTHDR "(decode-event:!ipv4.trunc_pkt; sid:1;)",
      "test.rules:1:47: sid 1: 'decode-event' cannot be negated", PROBLEM_ERROR },
    { PKTHDR "(engine-event:ipv4.trunc_pkt; sid:1;)",
      "test.rules:1:47: sid 1: engine-event takes a name that begins with 'decoder.' or 'stream.', not "
      "'ipv4.trunc_pkt'", PROBLEM_ERROR },
    { "alert tls any any -> any any (app-layer-event:http.missing_host_header; sid:1;)",
      "test.rules:1:47: sid 1: the rule is not about the protocol 'http'", PROBLEM_ERROR },
    { TCP "(stream-event:wrong_thread; sid:1;)",
      "test.rules:1:31: sid 1: nothing raises 'wrong_thread' here: each flow has one worker", PROBLEM_UNSUPPORTED },
    { TCP "(app-layer-event:dns.malformed_data; sid:1;)",
      "test.rules:1:31: sid 1: no parser raises anomalies of 'dns.malformed_data'", PROBLEM_UNSUPPORTED },
    { TCP "(app-layer-event:smb.file_overlap; sid:1;)",
      "test.rules:1:31: sid 1: no parser detects the protocol 'smb'", PROBLEM_UNSUPPORTED },
    { TCP "(threshold:type backoff, track by_src, count 1, multiplier 2; sid:1;)",
      "test.rules:1:31: sid 1: type backoff takes track by_flow, count and multiplier", PROBLEM_ERROR },
    { TCP "(threshold:type limit, track by_src, count 1, seconds 2, multiplier 2; sid:1;)",
      "test.rules:1:31: sid 1: a multiplier belongs to type backoff", PROBLEM_ERROR },
    { TCP "(tcpv4-csum:valid; sid:1;)",
      "test.rules:1:31: sid 1: a right checksum cannot be asked for", PROBLEM_UNSUPPORTED },
    { TCP "(tcpv4-csum:wrong; sid:1;)",
      "test.rules:1:42: sid 1: 'tcpv4-csum' takes valid or invalid", PROBLEM_ERROR },
    { "alert ipv6 any any -> any any (tcpv4-csum:invalid; sid:1;)",
      "test.rules:1:32: sid 1: the rule is not about IPv4", PROBLEM_ERROR },
    { TCP "(flowint:a,%,1; sid:1;)", "test.rules:1:41: sid 1: flowint does not know '%': =, +, -, <, <=, ==, !=, >=, "
      ">, isset, notset", PROBLEM_ERROR },
    { TCP "(flowint:a,+,-1; sid:1;)",
      "test.rules:1:43: sid 1: 'flowint' takes a number from 0 to 4294967295, not '-1'", PROBLEM_ERROR },
    { TCP "(flowint:a,isset,1; sid:1;)", "test.rules:1:47: sid 1: flowint: nothing may follow 'isset'", PROBLEM_ERROR },
};

START_TEST(what_is_wrong_is_said)
{
    struct ruleset *s = env_rules(&w, wrong[_i].rule);
    const struct problems *p = ruleset_problems(s);
    char text[512];

    ck_assert_uint_eq(p->n, 1);
    problem_print(&p->list[0], text, sizeof text);
    ck_assert_str_eq(text, wrong[_i].said);
    ck_assert_int_eq(p->list[0].kind, wrong[_i].kind);
    ruleset_free(s);
}
END_TEST

START_TEST(numbers_of_a_flow_are_counted_and_compared)
{
    env_load(&w, TCP "(content:\"one\"; flowint:n,+,1; noalert; sid:1;)\n"
                 TCP "(content:\"one\"; flowint:n,>=,2; flowint:n,<,4; sid:2;)\n"
                 TCP "(content:\"set\"; flowint:m,=,n; flowint:m,-,1; noalert; sid:3;)\n"
                 TCP "(content:\"ask\"; flowint:m,<,n; flowint:m,isset; flowint:o,notset; sid:4;)\n"
                 TCP "(content:\"ask\"; flowint:n,==,o; sid:5;)\n");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "one", 0), "");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "ask", 0), "");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "one", 0), "2");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "one", 0), "2");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "one", 0), "");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "set", 0), "");
    ck_assert_str_eq(packet(&f, IPPROTO_TCP, "ask", 0), "4");
    ck_assert_uint_eq(*ints_get(&w.worker.ints, f.state.ints, env_name(&w, "flowbit", "flowint/m")), 3);
}
END_TEST

START_TEST(numbers_have_ends_and_room)
{
    struct ints_pool *p = &w.worker.ints;
    uint32_t at = 0, other = 0;

    for (uint32_t i = 0; i < INTS_VARS; i++)
        ck_assert(ints_put(p, &at, i + 1, i));
    ck_assert(!ints_put(p, &at, INTS_VARS + 1, 0));
    ck_assert(ints_put(p, &at, 1, 9));
    ck_assert_uint_eq(*ints_get(p, at, 1), 9);
    ints_drop(p, &at);
    ck_assert_uint_eq(at, 0);
    ck_assert(ints_put(p, &other, 1, 5) && !ints_get(p, other, 2));
    ck_assert_uint_eq(p->used, 1);
    for (uint32_t i = 1; i < INTS_FLOWS; i++) {
        at = 0;
        ck_assert(ints_put(p, &at, 1, i));
    }
    at = 0;
    ck_assert(!ints_put(p, &at, 1, 1));
    ck_assert_uint_eq(at, 0);
    env_load(&w, TCP "(content:\"a\"; flowint:n,+,4294967295; noalert; sid:1;)\n");
    packet(&f, IPPROTO_TCP, "a", 0);
    ck_assert_uint_eq(w.counts[COUNT_FLOWINTS_FULL], 1);
    ints_drop(p, &other);
    packet(&f, IPPROTO_TCP, "a", 0);
    packet(&f, IPPROTO_TCP, "a", 0);
    ck_assert_uint_eq(*ints_get(p, f.state.ints, env_name(&w, "flowbit", "flowint/n")), UINT32_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ids-events");
    TCase *tc = tcase_create("events");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_anomaly_of_the_packet_alerts_and_says_its_name);
    tcase_add_test(tc, what_is_not_ip_is_seen_by_pkthdr_alone);
    tcase_add_test(tc, all_that_a_rule_asks_for_has_to_hold);
    tcase_add_test(tc, an_anomaly_of_a_transaction_alerts_once);
    tcase_add_test(tc, the_end_asks_for_directions_that_were_seen);
    tcase_add_test(tc, buffers_and_anomalies_come_in_any_order);
    tcase_add_test(tc, an_anomaly_beside_all_transactions_comes_with_its_packet);
    tcase_add_test(tc, checksums_are_anomalies);
    tcase_add_test(tc, a_backoff_alerts_ever_less);
    tcase_add_loop_test(tc, what_is_wrong_is_said, 0, sizeof wrong / sizeof wrong[0]);
    tcase_add_test(tc, numbers_of_a_flow_are_counted_and_compared);
    tcase_add_test(tc, numbers_have_ends_and_room);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
