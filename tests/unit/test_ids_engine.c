#include "tests/unit/unit.h"

#include "tests/unit/ids_env.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct env_world w;
static struct env_flow f;
static struct env_tx x;

static void setup(void)
{
    env_open(&w);
    env_flow(&w, &f, IPPROTO_TCP);
    env_tx(&w, &x, "http");
}

static void teardown(void)
{
    env_close(&w);
}

static void chunk(uint32_t dir, uint64_t offset, const char *d)
{
    env_chunk(&w, &f, dir, offset, d, strlen(d), 0);
}

#define TCP "alert tcp any any -> any any "
#define HTTP "alert http any any -> any any "

START_TEST(a_content_across_chunks_is_found_once)
{
    env_load(&w, TCP "(content:\"hello world\"; sid:1;)");
    chunk(EC_TO_SERVER, 0, "xx hello");
    ck_assert_str_eq(env_sids(&w), "");
    chunk(EC_TO_SERVER, 8, " world yy");
    ck_assert_uint_eq(w.n_alert, 1);
    ck_assert_uint_eq(w.alert[0].f[0].wire_offset, 3);
    ck_assert_uint_eq(w.alert[0].f[0].wire, WIRE_STREAM);
    ck_assert_str_eq(w.alert[0].bytes[0], "hello world");
    ck_assert_str_eq(env_sids(&w), "1");
    chunk(EC_TO_SERVER, 17, "zz");
    ck_assert_str_eq(env_sids(&w), "");
    chunk(EC_TO_SERVER, 19, "hello world");
    ck_assert_str_eq(env_sids(&w), "1");
}
END_TEST

START_TEST(rules_wait_for_the_rest_of_their_contents)
{
    env_load(&w, TCP "(content:\"the fast one\"; content:\"b\"; distance:0; sid:1;)");
    chunk(EC_TO_SERVER, 0, "the fast one");
    chunk(EC_TO_SERVER, 12, "xxxx");
    ck_assert_str_eq(env_sids(&w), "");
    chunk(EC_TO_SERVER, 16, "b");
    ck_assert_str_eq(env_sids(&w), "1");
}
END_TEST

START_TEST(many_waiting_rules_are_found_by_searching_anew)
{
    char *text = malloc(40 * 200);
    size_t n = 0;

    for (int i = 1; i <= 40; i++)
        n += (size_t)sprintf(text + n, TCP "(content:\"the fast one\"; content:\"b\"; distance:0; sid:%d;)\n", i);
    env_load(&w, text);
    w.engine->o.max_alerts = 100;
    chunk(EC_TO_SERVER, 0, "the fast one");
    chunk(EC_TO_SERVER, 12, "b");
    ck_assert_uint_eq(w.n_alert, 40);
    ck_assert_uint_gt(w.counts[COUNT_PENDING_FULL], 0);
    free(text);
}
END_TEST

START_TEST(nothing_is_found_across_a_gap)
{
    env_load(&w, TCP "(content:\"helloworld\"; sid:1;)");
    chunk(EC_TO_SERVER, 0, "hello");
    env_chunk(&w, &f, EC_TO_SERVER, 15, "world", 5, EC_CH_GAP);
    ck_assert_str_eq(env_sids(&w), "");
}
END_TEST

START_TEST(directions_are_kept_apart)
{
    env_load(&w, TCP "(flow:to_server; content:\"abcd\"; sid:1;)\n" TCP "(flow:to_client; content:\"abcd\"; sid:2;)\n"
             TCP "(content:\"abcd\"; sid:3;)\nalert tcp 10.0.0.1 any -> any 80 (content:\"abcd\"; sid:4;)\n"
             "alert tcp any 80 -> 10.0.0.1 any (content:\"abcd\"; sid:5;)\n"
             "alert tcp 10.0.0.1 any <> any 80 (content:\"abcd\"; sid:6;)\n");
    chunk(EC_TO_SERVER, 0, "abcd");
    ck_assert_str_eq(env_sids(&w), "1 3 4 6");
    chunk(EC_TO_CLIENT, 0, "abcd");
    ck_assert_str_eq(env_sids(&w), "2 3 5 6");
    chunk(EC_TO_SERVER, 4, "ab");
    chunk(EC_TO_CLIENT, 4, "cd");
    ck_assert_str_eq(env_sids(&w), "");
}
END_TEST

START_TEST(rules_for_a_port_have_a_group)
{
    char text[2000];
    size_t n = 0;

    for (int i = 1; i <= 8; i++)
        n += (size_t)sprintf(text + n, "alert tcp any any -> any %s (content:\"abcd%d\"; sid:%d;)\n",
                             i % 2 ? "80" : "[81,8080]", i, i);
    env_load(&w, text);
    ck_assert_uint_eq(w.engine->groups.stream[0].n_dst, 3);
    chunk(EC_TO_SERVER, 0, "abcd1 abcd2 abcd3 abcd4");
    ck_assert_str_eq(env_sids(&w), "1 3");
    f.f.dport = 8080;
    chunk(EC_TO_SERVER, 23, "abcd5 abcd6");
    ck_assert_str_eq(env_sids(&w), "6");
}
END_TEST

START_TEST(a_start_counts_in_the_stream_and_in_each_packet)
{
    env_load(&w, TCP "(content:\"abcd\"; depth:4; sid:1;)\nalert tcp-stream any any -> any any (content:\"abcd\"; "
             "depth:4; sid:2;)\nalert tcp-pkt any any -> any any (content:\"abcd\"; sid:3;)\n");
    chunk(EC_TO_SERVER, 0, "abcd");
    ck_assert_str_eq(env_sids(&w), "1 2 3");
    chunk(EC_TO_SERVER, 4, "abcd");
    ck_assert_str_eq(env_sids(&w), "1 3");
    chunk(EC_TO_SERVER, 8, "xabcd");
    ck_assert_str_eq(env_sids(&w), "3");
}
END_TEST

START_TEST(what_no_stream_shows_is_seen_in_the_packet)
{
    env_load(&w, TCP "(content:\"abcd\"; sid:1;)");
    env_packet(&w, &f, IPPROTO_TCP, EC_TO_SERVER, "xabcd", 5);
    ck_assert_uint_eq(w.alert[0].f[0].wire, WIRE_PACKET);
    ck_assert_uint_eq(w.alert[0].f[0].wire_offset, 1);
    ck_assert_str_eq(env_sids(&w), "1");
}
END_TEST

START_TEST(datagrams_and_dsize)
{
    env_load(&w, "alert udp any any -> any any (content:\"abcd\"; dsize:>4; sid:1;)\n"
             "alert udp any any -> any any (dsize:4; sid:2;)\nalert ip any any -> any any (content:\"bcd\"; sid:3;)\n"
             TCP "(content:\"abcd\"; sid:4;)\nalert icmp any any -> any any (dsize:2<>6; sid:5;)\n");
    env_flow(&w, &f, IPPROTO_UDP);
    env_packet(&w, &f, IPPROTO_UDP, EC_TO_SERVER, "abcd", 4);
    ck_assert_str_eq(env_sids(&w), "2 3");
    env_packet(&w, &f, IPPROTO_UDP, EC_TO_SERVER, "abcde", 5);
    ck_assert_uint_eq(w.alert[0].f[0].wire, WIRE_DATAGRAM);
    ck_assert_str_eq(env_sids(&w), "1 3");
    env_packet(&w, NULL, IPPROTO_ICMP, EC_TO_SERVER, "xxx", 3);
    ck_assert_str_eq(env_sids(&w), "5");
}
END_TEST

START_TEST(sctp_has_ports)
{
    env_load(&w, "alert sctp any any -> any 80 (content:\"bc\"; sid:1;)\nalert sctp any 80 -> any any (sid:2;)\n"
             "alert ip any any -> any any (content:\"abc\"; sid:3;)\nalert udp any any -> any any (sid:4;)\n"
             "alert sctp any any -> any 81 (sid:5;)\n");
    env_flow(&w, &f, IPPROTO_SCTP);
    env_packet(&w, &f, IPPROTO_SCTP, EC_TO_SERVER, "abcd", 4);
    ck_assert_str_eq(env_sids(&w), "1 3");
    env_packet(&w, &f, IPPROTO_SCTP, EC_TO_CLIENT, "xbcd", 4);
    ck_assert_str_eq(env_sids(&w), "2");
}
END_TEST

/* An ICMP error in the flow that it is about: rules on ICMP see it, those on the flow's messages do not, and what it is
 * passed or dropped for, the flow is not. */
START_TEST(icmp_errors)
{
    env_load(&w, "alert udp any any -> any any (content:\"abcd\"; sid:1;)\nalert icmp any any -> any any (sid:2;)\n"
             "alert icmp 203.0.113.1 any -> any any (content:\"abcd\"; sid:3;)\nalert udp any any -> any any (sid:4;)\n"
             "alert ip any any -> any any (content:\"bcd\"; sid:5;)\n");
    env_flow(&w, &f, IPPROTO_UDP);
    env_packet(&w, &f, IPPROTO_UDP, EC_TO_SERVER, "abcd", 4);
    ck_assert_str_eq(env_sids(&w), "1 4 5");
    env_packet(&w, &f, IPPROTO_ICMP, EC_TO_CLIENT, "abcd", 4);
    ck_assert_uint_eq(w.alert[1].f[0].wire, WIRE_PACKET);
    ck_assert_str_eq(env_sids(&w), "2 3 5");
    env_packet(&w, &f, IPPROTO_ICMP, EC_TO_CLIENT, "x", 1);
    ck_assert_str_eq(env_sids(&w), "");
    env_packet(&w, &f, IPPROTO_UDP, EC_TO_CLIENT, "abcd", 4);
    ck_assert_str_eq(env_sids(&w), "1 4 5");
    env_load(&w, "pass icmp any any -> any any (sid:1;)\nalert udp any any -> any any (content:\"abcd\"; sid:2;)\n");
    env_flow(&w, &f, IPPROTO_UDP);
    env_packet(&w, &f, IPPROTO_ICMP, EC_TO_CLIENT, "x", 1);
    env_packet(&w, &f, IPPROTO_UDP, EC_TO_SERVER, "abcd", 4);
    ck_assert_str_eq(env_sids(&w), "2");
    env_load(&w, "drop icmp any any -> any any (sid:1;)\n");
    env_flow(&w, &f, IPPROTO_UDP);
    ck_assert_uint_eq(env_packet(&w, &f, IPPROTO_ICMP, EC_TO_CLIENT, "x", 1), EC_V_DROP);
    ck_assert_uint_eq(env_packet(&w, &f, IPPROTO_UDP, EC_TO_SERVER, "abcd", 4), EC_V_PASS);
}
END_TEST

START_TEST(addresses_alone_alert_once_a_flow_and_direction)
{
    env_load(&w, "alert ip 10.0.0.0/8 any -> any any (sid:1;)\nalert tcp any any -> any 80 (sid:2;)\n"
             "alert ip any any -> 10.0.0.1 any (sid:3;)\n");
    chunk(EC_TO_SERVER, 0, "a");
    ck_assert_str_eq(env_sids(&w), "1 2");
    chunk(EC_TO_CLIENT, 0, "a");
    ck_assert_str_eq(env_sids(&w), "3");
    chunk(EC_TO_SERVER, 1, "a");
    ck_assert_str_eq(env_sids(&w), "2");
}
END_TEST

/* Rules found by their addresses are those that a look at every rule finds. */
START_TEST(rules_are_found_by_their_addresses)
{
    char *text = malloc(600 * 120);
    uint32_t list[600], n = 0;
    struct addr_index x;
    size_t at = 0;

    srand(7);
    for (int i = 1; i <= 600; i++) {
        int a = rand() % 4, b = rand() % 256, c = b + rand() % (256 - b);

        at += (size_t)sprintf(text + at, i % 3 ? "alert ip [10.0.%d.%d-10.0.%d.%d,10.0.9.%d] any -> any any (sid:%d;)\n"
                              : "alert ip 10.0.%d.%d/31 any -> any any (metadata:a%d%d%d; sid:%d;)\n", a, b, a, c, b, i);
    }
    env_load(&w, text);
    for (uint32_t i = 0; i < 600; i++)
        if (addr_index_takes(w.engine->rule[i], ADDR_SRC))
            list[n++] = i;
    ck_assert_uint_eq(n, 600);
    ck_assert(addr_index_build(&x, w.engine->rule, list, n, ADDR_SRC));
    for (int k = 0; k < 4096; k++) {
        uint8_t key[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [14] = (uint8_t)(k >> 8), [15] = (uint8_t)k };
        const uint32_t *rules;
        size_t found, want = 0;

        rules = addr_index_find(&x, key, &found);
        for (uint32_t i = 0; i < 600; i++)
            want += rangeset_has(w.engine->rule[i]->src, key);
        ck_assert_uint_eq(found, want);
        for (size_t i = 0; i < found; i++)
            ck_assert(rangeset_has(w.engine->rule[rules[i]]->src, key));
    }
    addr_index_free(&x);
    free(text);
}
END_TEST

START_TEST(a_transaction_alerts_once)
{
    env_load(&w, HTTP "(http.uri; content:\"/evil\"; sid:1;)\n" HTTP "(content:\"POST\"; http_method; sid:2;)\n"
             HTTP "(http.uri; pcre:\"/e.il/\"; sid:3;)\n" HTTP "(pcre:\"/vil$/U\"; sid:4;)\n");
    env_buf(&x, HTTP_METHOD, "POST", EC_BUF_WHOLE);
    env_buf(&x, HTTP_URI, "/evil", EC_BUF_WHOLE | EC_BUF_VERBATIM);
    x.buf[HTTP_URI].wire = 5;
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_uint_eq(w.alert[0].f[0].wire_offset, 5);
    ck_assert_uint_eq(w.alert[1].f[0].wire, WIRE_NONE);
    ck_assert_str_eq(w.alert[0].f[0].buffer, "http.uri");
    ck_assert_str_eq(env_sids(&w), "1 2 3 4");
    env_buf(&x, HTTP_URI, "/evil", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_CLIENT, EC_TX_END);
    ck_assert_str_eq(env_sids(&w), "");
    env_tx(&w, &x, "http");
    env_buf(&x, HTTP_URI, "/evil", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "1 3 4");
}
END_TEST

START_TEST(buffers_of_both_directions_come_together)
{
    env_load(&w, HTTP "(http.uri; content:\"/evil\"; http.stat_code; content:\"200\"; sid:1;)\n"
             HTTP "(flow:to_client; http.uri; content:\"/evil\"; http.stat_code; content:\"404\"; sid:2;)\n");
    env_buf(&x, HTTP_URI, "/evil", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "");
    env_buf(&x, HTTP_STAT_CODE, "404", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_CLIENT, EC_TX_END);
    ck_assert_uint_eq(w.alert[0].n, 2);
    ck_assert_uint_eq(w.alert[0].dir, EC_TO_CLIENT);
    ck_assert_str_eq(env_sids(&w), "2");
}
END_TEST

START_TEST(negations_wait_until_the_buffer_is_whole)
{
    env_load(&w, HTTP "(http.request_body; content:\"abcd\"; content:!\"zz\"; sid:1;)\n"
             HTTP "(http.request_body; content:\"abcd\"; endswith; sid:2;)\n"
             HTTP "(http.request_body; content:\"abcd\"; sid:3;)\n");
    env_buf(&x, HTTP_REQUEST_BODY, "xabcd", EC_BUF_PART);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "3");
    env_buf(&x, HTTP_REQUEST_BODY, "xabcdzz", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "");
    env_tx(&w, &x, "http");
    env_buf(&x, HTTP_REQUEST_BODY, "xabcd", EC_BUF_PART);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "3");
    env_step(&w, &f, &x, EC_TO_SERVER, EC_TX_END);
    ck_assert_str_eq(env_sids(&w), "1 2");
}
END_TEST

START_TEST(an_absent_buffer_matches_nothing)
{
    env_load(&w, HTTP "(http.cookie; content:!\"abcd\"; sid:1;)\n" HTTP "(http.uri; content:\"/a\"; http.cookie; "
             "content:!\"abcd\"; sid:2;)\n");
    env_buf(&x, HTTP_URI, "/a", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_SERVER, EC_TX_END);
    ck_assert_str_eq(env_sids(&w), "");
}
END_TEST

START_TEST(a_list_matches_in_one_of_its_items)
{
    struct ec_buf item[3] = { { .u.data = (const uint8_t *)"one", .len = 3, .state = EC_BUF_WHOLE },
                              { .u.data = (const uint8_t *)"two", .len = 3, .state = EC_BUF_WHOLE },
                              { .u.data = (const uint8_t *)"six", .len = 3, .state = EC_BUF_WHOLE } };

    env_load(&w, "alert dns any any -> any any (dns.query; content:\"two\"; sid:1;)\n"
             "alert dns any any -> any any (dns_query; content:\"on\"; content:\"tw\"; sid:2;)\n");
    env_tx(&w, &x, "dns");
    x.buf[0] = (struct ec_buf){ .u.item = item, .len = 3, .state = EC_BUF_WHOLE | EC_BUF_LIST };
    x.x.fresh = 1;
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_uint_eq(w.alert[0].f[0].item, 1);
    ck_assert(w.alert[0].f[0].listed);
    ck_assert_str_eq(env_sids(&w), "1");
}
END_TEST

START_TEST(raw_payload_and_buffers_in_one_rule)
{
    env_load(&w, HTTP "(content:\"GET /evil\"; depth:9; http.uri; content:\"/evil\"; sid:1;)\n"
             HTTP "(content:\"PUT\"; http.uri; content:\"/evil\"; sid:2;)\n");
    chunk(EC_TO_SERVER, 0, "GET /evil HTTP/1.0");
    env_buf(&x, HTTP_URI, "/evil", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "1");
}
END_TEST

/* The bytes by which a protocol is known are looked at before it is. */
START_TEST(rules_of_a_protocol_see_the_bytes_that_tell_it)
{
    env_load(&w, HTTP "(content:\"GET /evil\"; sid:1;)\n" HTTP "(content:\"GET\"; content:\"1.1\"; sid:2;)\n"
             "alert dns any any -> any any (content:\"GET /evil\"; sid:3;)\n" TCP "(content:\"evil\"; sid:4;)\n");
    f.f.proto = 0;
    chunk(EC_TO_SERVER, 0, "GET /ev");
    chunk(EC_TO_SERVER, 7, "il HTTP/");
    ck_assert_str_eq(env_sids(&w), "4");
    env_buf(&x, HTTP_URI, "/evil", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);          /* now it is known */
    chunk(EC_TO_SERVER, 15, "1.1\r\n");
    ck_assert_str_eq(env_sids(&w), "1 2");
    chunk(EC_TO_SERVER, 20, "1.1\r\n");
    ck_assert_str_eq(env_sids(&w), "2");
    chunk(EC_TO_SERVER, 25, "none");
    ck_assert_str_eq(env_sids(&w), "");
}
END_TEST

START_TEST(flowbits_carry_from_rule_to_rule)
{
    env_load(&w, TCP "(content:\"bbbb\"; flowbits:isset,seen; sid:1;)\n"
             TCP "(content:\"aaaa\"; flowbits:set,seen; flowbits:noalert; sid:2;)\n"
             TCP "(content:\"cccc\"; flowbits:unset,seen; sid:3;)\n"
             TCP "(content:\"bbbb\"; flowbits:isnotset,seen; sid:4;)\n"
             TCP "(content:\"tttt\"; flowbits:toggle,seen; noalert; sid:5;)\n"
             TCP "(content:\"bbbb\"; flowbits:isset,other|seen; sid:6;)\n");
    chunk(EC_TO_SERVER, 0, "bbbb");
    ck_assert_str_eq(env_sids(&w), "4");
    chunk(EC_TO_SERVER, 4, "aaaa bbbb");
    ck_assert_str_eq(env_sids(&w), "1 6");
    chunk(EC_TO_SERVER, 13, "cccc");
    chunk(EC_TO_SERVER, 17, "bbbb");
    ck_assert_str_eq(env_sids(&w), "3 4");
    chunk(EC_TO_SERVER, 21, "tttt");
    env_load(&w, TCP "(content:\"bbbb\"; flowbits:isset,seen; sid:7;)\n");
    chunk(EC_TO_SERVER, 25, "bbbb");
    ck_assert_str_eq(env_sids(&w), "7");
}
END_TEST

START_TEST(too_many_flowbits_are_counted)
{
    char text[4000];
    size_t n = 0;

    for (int i = 1; i <= FLOWSTATE_BITS + 3; i++)
        n += (size_t)sprintf(text + n, TCP "(content:\"aaaa\"; flowbits:set,b%d; noalert; sid:%d;)\n", i, i);
    env_load(&w, text);
    chunk(EC_TO_SERVER, 0, "aaaa");
    ck_assert_uint_eq(w.counts[COUNT_FLOWBITS_FULL], 3);
}
END_TEST

START_TEST(pass_rules_silence)
{
    env_load(&w, "pass tcp any any -> any any (content:\"friend\"; sid:1;)\n" TCP "(content:\"aaaa\"; sid:2;)\n"
             "pass ip 10.0.0.9 any -> any any (sid:3;)\n");
    chunk(EC_TO_SERVER, 0, "aaaa");
    ck_assert_str_eq(env_sids(&w), "2");
    chunk(EC_TO_SERVER, 4, "aaaa friend");
    chunk(EC_TO_SERVER, 15, "aaaa");
    ck_assert_str_eq(env_sids(&w), "");
    ck_assert_uint_eq(w.counts[COUNT_PASSED], 1);
    env_flow(&w, &f, IPPROTO_TCP);
    f.f.src[15] = 9;
    chunk(EC_TO_SERVER, 0, "aaaa");
    ck_assert_str_eq(env_sids(&w), "");
}
END_TEST

START_TEST(drop_and_reject_raise_the_verdict_of_packet_and_flow)
{
    env_load(&w, "drop udp any any -> any any (content:\"aaaa\"; sid:1;)\n"
             "reject udp any any -> any any (content:\"bbbb\"; sid:2;)\n");
    env_flow(&w, &f, IPPROTO_UDP);
    ck_assert_uint_eq(env_packet(&w, &f, IPPROTO_UDP, EC_TO_SERVER, "xxxx", 4), EC_V_PASS);
    ck_assert_uint_eq(env_packet(&w, &f, IPPROTO_UDP, EC_TO_SERVER, "bbbb", 4), EC_V_REJECT);
    ck_assert_uint_eq(env_packet(&w, &f, IPPROTO_UDP, EC_TO_CLIENT, "xxxx", 4), EC_V_DROP);
    ck_assert_uint_eq(env_packet(&w, NULL, IPPROTO_UDP, EC_TO_SERVER, "aaaa", 4), EC_V_DROP);
    ck_assert_str_eq(env_sids(&w), "2 1");
}
END_TEST

START_TEST(reject_says_who_is_told)
{
    env_load(&w, "rejectsrc udp any any -> any any (content:\"aaaa\"; sid:1;)\n"
             "rejectdst udp any any -> any any (content:\"bbbb\"; sid:2;)\n"
             "rejectboth udp any any -> any any (content:\"cccc\"; sid:3;)\n");
    ck_assert_uint_eq(env_packet(&w, NULL, IPPROTO_UDP, EC_TO_SERVER, "aaaa", 4), EC_V_REJECT);
    ck_assert_uint_eq(env_packet(&w, NULL, IPPROTO_UDP, EC_TO_SERVER, "bbbb", 4), EC_V_REJECT_DST);
    ck_assert_uint_eq(env_packet(&w, NULL, IPPROTO_UDP, EC_TO_SERVER, "cccc", 4), EC_V_REJECT_BOTH);
    ck_assert_uint_eq(env_packet(&w, NULL, IPPROTO_UDP, EC_TO_SERVER, "ccccbbbbaaaa", 12), EC_V_REJECT_BOTH);
}
END_TEST

START_TEST(a_packet_has_a_limit_of_alerts)
{
    char text[4000];
    size_t n = 0;

    for (int i = 1; i <= 20; i++)
        n += (size_t)sprintf(text + n, TCP "(content:\"aaaa\"; sid:%d;)\n", i);
    env_load(&w, text);
    chunk(EC_TO_SERVER, 0, "aaaa");
    ck_assert_uint_eq(w.n_alert, 15);
    ck_assert_uint_eq(w.counts[COUNT_OVER], 5);
    ck_assert_uint_eq(w.counts[COUNT_ALERTS], 15);
}
END_TEST

static uint32_t alerts_of(const char *threshold, int packets)
{
    char text[300];

    snprintf(text, sizeof text, "alert udp any any -> any any (content:\"aaaa\"; %s sid:1;)\n", threshold);
    env_load(&w, text);
    w.n_alert = w.n_entry = 0;
    memset(w.entry, 0, sizeof w.entry);
    for (int i = 0; i < packets; i++)
        env_packet(&w, NULL, IPPROTO_UDP, EC_TO_SERVER, "aaaa", 4);
    return w.n_alert;
}

START_TEST(thresholds_hold_alerts_back)
{
    ck_assert_uint_eq(alerts_of("threshold:type limit,track by_src,count 2,seconds 60;", 10), 2);
    ck_assert_uint_eq(alerts_of("threshold:type threshold,track by_dst,count 3,seconds 60;", 10), 3);
    ck_assert_uint_eq(alerts_of("threshold:type both,track by_both,count 3,seconds 60;", 10), 1);
    ck_assert_uint_eq(alerts_of("detection_filter:track by_rule,count 4,seconds 60;", 10), 6);
    ck_assert_uint_gt(w.counts[COUNT_SUPPRESSED], 0);
}
END_TEST

START_TEST(a_reload_between_chunks_loses_and_doubles_nothing)
{
    static const char rules[] = TCP "(content:\"aaaa\"; content:\"bbbb\"; distance:0; sid:1;)\n"
                                HTTP "(http.uri; content:\"/evil\"; http.stat_code; content:\"200\"; sid:2;)\n"
                                HTTP "(http.uri; content:\"/evil\"; sid:3;)\n";

    env_load(&w, rules);
    chunk(EC_TO_SERVER, 0, "aaaa");
    env_buf(&x, HTTP_URI, "/evil", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_SERVER, 0);
    ck_assert_str_eq(env_sids(&w), "3");
    env_load(&w, rules);
    chunk(EC_TO_SERVER, 4, "bbbb");
    ck_assert_str_eq(env_sids(&w), "1");
    env_load(&w, rules);
    chunk(EC_TO_SERVER, 8, "cccc");
    env_buf(&x, HTTP_STAT_CODE, "200", EC_BUF_WHOLE);
    env_step(&w, &f, &x, EC_TO_CLIENT, EC_TX_END);
    ck_assert_str_eq(env_sids(&w), "2");
}
END_TEST

START_TEST(windows_are_taken_in_turn_and_given_back)
{
    struct env_flow *many = calloc(100, sizeof *many);

    env_load(&w, TCP "(content:\"helloworld\"; sid:1;)");
    for (int i = 0; i < 100; i++) {
        env_flow(&w, &many[i], IPPROTO_TCP);
        env_chunk(&w, &many[i], EC_TO_SERVER, 0, "hello", 5, 0);
    }
    ck_assert_uint_eq(w.counts[COUNT_WINDOWS_TAKEN], 36);
    ck_assert_ptr_null(many[0].state.window[0]);
    env_chunk(&w, &many[99], EC_TO_SERVER, 5, "world", 5, EC_CH_END);
    ck_assert_str_eq(env_sids(&w), "1");
    ck_assert_ptr_null(many[99].state.window[0]);
    env_chunk(&w, &many[0], EC_TO_SERVER, 5, "hello", 5, 0);
    ck_assert_uint_eq(w.counts[COUNT_WINDOWS_TAKEN], 36);
    free(many);
}
END_TEST

/* A stream cut anywhere gives what the uncut one gives. */
START_TEST(cutting_a_stream_changes_nothing)
{
    static const char text[] = "GET /evil/path HTTP/1.1\r\nHost: example.org\r\nUser-Agent: sqlmap\r\n\r\n";

    for (size_t cut = 1; cut + 1 < sizeof text - 1; cut++)
        for (size_t cut2 = cut; cut2 + 1 < sizeof text - 1; cut2 += 7) {
            env_flow(&w, &f, IPPROTO_TCP);
            env_load(&w, TCP "(content:\"GET\"; depth:3; content:\"HTTP\"; distance:0; sid:1;)\n"
                     TCP "(content:\"Host|3a|\"; pcre:\"/^ ex[a-z]+/R\"; content:\"sqlmap\"; sid:2;)\n"
                     TCP "(content:\"evil\"; content:\"path\"; within:5; sid:3;)\n");
            env_chunk(&w, &f, EC_TO_SERVER, 0, text, cut, 0);
            if (cut2 > cut)
                env_chunk(&w, &f, EC_TO_SERVER, cut, text + cut, cut2 - cut, 0);
            env_chunk(&w, &f, EC_TO_SERVER, cut2, text + cut2, sizeof text - 1 - cut2, 0);
            ck_assert_uint_eq(w.n_alert, 3);
            w.n_alert = 0;
            if (cut % 9)
                break;
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ids-engine");
    TCase *tc = tcase_create("inspection");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_content_across_chunks_is_found_once);
    tcase_add_test(tc, rules_wait_for_the_rest_of_their_contents);
    tcase_add_test(tc, many_waiting_rules_are_found_by_searching_anew);
    tcase_add_test(tc, nothing_is_found_across_a_gap);
    tcase_add_test(tc, directions_are_kept_apart);
    tcase_add_test(tc, rules_for_a_port_have_a_group);
    tcase_add_test(tc, a_start_counts_in_the_stream_and_in_each_packet);
    tcase_add_test(tc, what_no_stream_shows_is_seen_in_the_packet);
    tcase_add_test(tc, datagrams_and_dsize);
    tcase_add_test(tc, sctp_has_ports);
    tcase_add_test(tc, icmp_errors);
    tcase_add_test(tc, addresses_alone_alert_once_a_flow_and_direction);
    tcase_add_test(tc, rules_are_found_by_their_addresses);
    tcase_add_test(tc, a_transaction_alerts_once);
    tcase_add_test(tc, buffers_of_both_directions_come_together);
    tcase_add_test(tc, negations_wait_until_the_buffer_is_whole);
    tcase_add_test(tc, an_absent_buffer_matches_nothing);
    tcase_add_test(tc, a_list_matches_in_one_of_its_items);
    tcase_add_test(tc, raw_payload_and_buffers_in_one_rule);
    tcase_add_test(tc, rules_of_a_protocol_see_the_bytes_that_tell_it);
    tcase_add_test(tc, flowbits_carry_from_rule_to_rule);
    tcase_add_test(tc, too_many_flowbits_are_counted);
    tcase_add_test(tc, pass_rules_silence);
    tcase_add_test(tc, drop_and_reject_raise_the_verdict_of_packet_and_flow);
    tcase_add_test(tc, reject_says_who_is_told);
    tcase_add_test(tc, a_packet_has_a_limit_of_alerts);
    tcase_add_test(tc, thresholds_hold_alerts_back);
    tcase_add_test(tc, a_reload_between_chunks_loses_and_doubles_nothing);
    tcase_add_test(tc, windows_are_taken_in_turn_and_given_back);
    tcase_add_test(tc, cutting_a_stream_changes_nothing);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
