/* packets: the ring and its reader, layers, and the plugin with an HTTP server that the test plays. */
#include "unit.h"

#include "plugins/packets/filter.h"
#include "plugins/packets/layers.h"
#include "plugins/packets/ring.h"
#include "tests/support/fake_api.h"
#include "testhost.h"

#include <ecyber/ext/stage.h>

#include <pcap/pcap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

extern const struct ec_plugin *ec_plugin_entry_1(void);

/* --- the ring -------------------------------------------------------------------------------------------- */

static void put(struct ring *r, uint64_t n, uint32_t bytes)
{
    struct ring_packet p = { .ts_ns = n, .count = n, .caplen = bytes, .wirelen = bytes, .linktype = 1 };
    uint8_t *data = malloc(bytes);

    memset(data, (int)(n & 0xff), bytes);
    ring_put(r, &p, data);
    free(data);
}

/* Packet seq holds what put() wrote for it. */
static bool holds(struct ring *r, uint64_t seq, uint8_t *data)
{
    struct ring_packet p;
    uint32_t wrong = 0;

    if (!ring_get(r, seq, &p, data, RING_PACKET_MAX))
        return false;
    ck_assert_uint_eq(p.seq, seq);
    ck_assert_uint_eq(p.ts_ns, p.count);
    for (uint32_t i = 0; i < p.caplen; i++)
        wrong += data[i] != (p.count & 0xff);
    ck_assert_uint_eq(wrong, 0);            /* one assertion: each costs far more than a comparison */
    return true;
}

START_TEST(ring_keeps_the_newest)
{
    uint8_t *data = malloc(RING_PACKET_MAX);
    uint64_t tail, head;
    struct ring r;

    ck_assert(ring_open(&r, 0, 16));
    ring_range(&r, &tail, &head);
    ck_assert(tail == 1 && head == 1 && !holds(&r, 1, data) && !ring_held(&r));
    for (uint64_t n = 1; n <= 100; n++)
        put(&r, n, 100);
    ring_range(&r, &tail, &head);
    ck_assert_uint_eq(head, 101);
    ck_assert_uint_eq(head - tail, 16);                     /* as many as there are slots */
    ck_assert(!holds(&r, tail - 1, data) && holds(&r, tail, data) && holds(&r, 100, data) && !holds(&r, 101, data));
    for (uint64_t n = 101; n <= 140; n++) {                 /* as the memory holds, wherever they begin */
        put(&r, n, 100000 + (uint32_t)n * 37);
        ring_range(&r, &tail, &head);
        ck_assert_uint_le(ring_held(&r), r.size);
        for (uint64_t seq = tail; seq < head; seq++)
            ck_assert(holds(&r, seq, data));
    }
    ck_assert_uint_le(head - tail, 5);
    put(&r, 141, RING_PACKET_MAX);
    ck_assert(holds(&r, 141, data));
    put(&r, 142, 0);
    ck_assert(holds(&r, 142, data));
    ck_assert_uint_eq(atomic_load(&r.put), 142);
    ck_assert_uint_eq(atomic_load(&r.missed), 0);
    ring_close(&r);
    free(data);
}
END_TEST

START_TEST(ring_never_waits_for_a_reader)
{
    struct ring r;

    ck_assert(ring_open(&r, 0, 16));
    atomic_flag_test_and_set(&r.busy);                      /* a reader that was put to sleep */
    put(&r, 1, 10);
    ck_assert_uint_eq(atomic_load(&r.missed), 1);
    atomic_flag_clear(&r.busy);
    put(&r, 2, 10);
    ck_assert_uint_eq(atomic_load(&r.put), 1);
    ring_close(&r);
}
END_TEST

static struct ring shared;
static atomic_bool over;

static void *write_many(void *unused)
{
    for (uint64_t n = 1; n <= 100000; n++)
        put(&shared, n, 40 + n % 1000);
    atomic_store(&over, true);
    return unused;
}

START_TEST(ring_is_read_while_it_is_written)
{
    uint8_t *data = malloc(RING_PACKET_MAX);
    uint64_t tail, head, seen = 0;
    pthread_t writer;
    bool last;

    ck_assert(ring_open(&shared, 0, 64));
    atomic_store(&over, false);
    ck_assert(!pthread_create(&writer, NULL, write_many, NULL));
    do {
        last = atomic_load(&over);  /* on one processor it may be the only time */
        ring_range(&shared, &tail, &head);
        for (uint64_t seq = tail; seq < head; seq++)
            seen += holds(&shared, seq, data);
    } while (!last);
    pthread_join(writer, NULL);
    ck_assert_uint_gt(seen, 0);
    ck_assert_uint_eq(atomic_load(&shared.put) + atomic_load(&shared.missed), 100000);
    ring_close(&shared);
    free(data);
}
END_TEST

/* --- layers ---------------------------------------------------------------------------------------------- */

static const uint8_t tcp[] = {
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0x00,  0x60, 0x05, 0x08, 0x00,
    0x45, 0, 0, 46, 0, 7, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
    0xc7, 0x38, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 0x12, 4, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4, 'h', 'i', 0, 0, 0 };

static const char *value(const struct layers *l, const char *layer, const char *name)
{
    for (uint32_t i = 0; i < l->n; i++)
        for (uint32_t k = 0; !strcmp(l->layer[i].name, layer) && k < l->layer[i].n_field; k++)
            if (!strcmp(l->field[l->layer[i].field + k].name, name))
                return l->field[l->layer[i].field + k].value;
    return "";
}

START_TEST(layers_are_told)
{
    static const char *const names[] = { "ethernet", "vlan", "ipv4", "tcp", "payload" };
    static const uint32_t at[] = { 0, 14, 18, 38, 62 };
    struct layers *l = malloc(sizeof *l);

    layers_read(l, 1, tcp, sizeof tcp);
    ck_assert_uint_eq(l->n, 5);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_str_eq(l->layer[i].name, names[i]);
        ck_assert_uint_eq(l->layer[i].off, at[i]);
        ck_assert(!l->layer[i].cut);
    }
    ck_assert_uint_eq(l->layer[4].len, 2);                  /* what pads the frame is no payload */
    ck_assert(l->ip && l->ports);
    ck_assert_uint_eq(l->sport, 51000);
    ck_assert_uint_eq(l->dport, 80);
    ck_assert_str_eq(l->proto, "TCP");
    ck_assert_str_eq(value(l, "vlan", "id"), "5");
    ck_assert_str_eq(value(l, "vlan", "priority"), "3");
    ck_assert_str_eq(value(l, "ipv4", "src"), "192.0.2.1");
    ck_assert_str_eq(value(l, "ipv4", "flags"), "DF");
    ck_assert_str_eq(value(l, "tcp", "flags"), "SA");
    ck_assert_ptr_nonnull(strstr(l->info, "51000 -> 80 [SA] seq 1 ack 2"));
    for (uint32_t n = 0; n < 62; n++) {                     /* wherever it breaks off */
        layers_read(l, 1, tcp, n);
        ck_assert(n == 14 || n == 18 || n == 38 || l->layer[l->n - 1].cut);
    }
    free(l);
}
END_TEST

/* --- the plugin ------------------------------------------------------------------------------------------ */

static void packet(struct testhost *t, uint64_t n, uint16_t port)
{
    const struct ec_stage *s = testhost_offer(t, EC_STAGE_ID);
    uint8_t data[sizeof tcp];
    struct ec_frame f = { .size = sizeof f, .flags = EC_FR_REPLAY, .data = data, .ts_ns = n * 1000, .count = n,
                          .caplen = sizeof data, .wirelen = 1500, .linktype = 1 };
    uint32_t verdict = 0;

    memcpy(data, tcp, sizeof data);
    data[40] = (uint8_t)(port >> 8);
    data[41] = (uint8_t)port;
    s->packet(testhost_self(t), NULL, testhost_state(t), 0, 0, &f, &verdict);
    ck_assert_uint_eq(verdict, 0);
}

static struct testhost *plugin_start(const char *most)
{
    struct testhost *t;

    fake_reset();
    t = testhost_new(ec_plugin_entry_1());
    testhost_provide(t, EC_HTTP_ID, &fake_http, NULL);
    ck_assert_int_eq(testhost_option(t, "most", most), 0);
    ck_assert_int_eq(testhost_start(t), 0);
    return t;
}

static void plugin_end(struct testhost *t)
{
    char path[128];

    snprintf(path, sizeof path, "testhost-%ld", (long)getpid());
    testhost_free(t);
    rmdir(path);
    fake_reset();
}

START_TEST(packets_are_listed)
{
    static const char *const one[] = { "limit=1", NULL };
    static const char *const port[] = { "port=443", NULL };
    static const char *const net[] = { "ip=192.0.2.2/31", "proto=tcp", NULL };
    static const char *const other[] = { "ip=192.0.2.4/30", NULL };
    static const char *const udp[] = { "proto=UDP", NULL };
    static const char *const six[] = { "ip=2001:db8::/32", NULL };
    struct testhost *t = plugin_start("16");
    char cursor[64];
    const char *const next[] = { "limit=1", cursor, NULL };

    ck_assert_uint_eq(fake_ask("GET", "/api/packets", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("items.id"), "");
    packet(t, 1, 443);
    packet(t, 2, 80);
    ck_assert_uint_eq(fake_ask("GET", "/api/packets", one, NULL), 200);
    ck_assert_str_eq(fake_reply("items.pcap_cnt"), "2");
    ck_assert_str_eq(fake_reply("items.src_ip"), "192.0.2.1");
    ck_assert_str_eq(fake_reply("items.length"), "1500");
    ck_assert_str_eq(fake_reply("items.replay"), "true");
    snprintf(cursor, sizeof cursor, "cursor=%s", fake_reply("next_cursor"));
    ck_assert_uint_eq(fake_ask("GET", "/api/packets", next, NULL), 200);
    ck_assert_str_eq(fake_reply("items.pcap_cnt"), "1");
    ck_assert_str_eq(fake_reply("next_cursor"), "");
    ck_assert_uint_eq(fake_ask("GET", "/api/packets", port, NULL), 200);
    ck_assert_str_eq(fake_reply("items.pcap_cnt"), "1");
    ck_assert_uint_eq(fake_ask("GET", "/api/packets", net, NULL), 200);
    ck_assert_str_eq(fake_reply("items.pcap_cnt"), "2");
    ck_assert_uint_eq(fake_ask("GET", "/api/packets", other, NULL), 200);
    ck_assert_str_eq(fake_reply("items.pcap_cnt"), "");
    ck_assert_uint_eq(fake_ask("GET", "/api/packets", udp, NULL), 200);
    ck_assert_str_eq(fake_reply("items.pcap_cnt"), "");
    ck_assert_uint_eq(fake_ask("GET", "/api/packets", six, NULL), 200);
    ck_assert_str_eq(fake_reply("items.pcap_cnt"), "");
    plugin_end(t);
}
END_TEST

START_TEST(wrong_questions_are_refused)
{
    static const char *const bad[][2] = { { "cursor=x", NULL }, { "cursor=1-2x", NULL }, { "ip=nonsense", NULL },
                                          { "ip=192.0.2.1/33", NULL }, { "ip=192.0.2.1/", NULL },
                                          { "ip=192.0.2.1/-1", NULL }, { "ip=::/129", NULL } };
    struct testhost *t = plugin_start("16");

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(fake_ask("GET", "/api/packets", bad[i], NULL) == 422, "%s", bad[i][0]);
    plugin_end(t);
}
END_TEST

START_TEST(one_packet_is_shown)
{
    static const char first[] = "00000000  02 00 00 00 00 02 02 00  00 00 00 01 81 00 60 05  |..............`.|\n";
    static const char last[] = "\n00000040  00 00 00                                          |...|\n";
    struct testhost *t = plugin_start("16");
    char id[64];
    const char *const ask[] = { id, NULL };

    packet(t, 1, 80);
    ck_assert_uint_eq(fake_ask("GET", "/api/packets", NULL, NULL), 200);
    snprintf(id, sizeof id, "id=%s", fake_reply("items.id"));
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/{id}", ask, NULL), 200);
    ck_assert_str_eq(fake_reply("layers.layer"), "ethernet");
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/{id}/hex", ask, NULL), 200);
    ck_assert_str_eq(fake_reply("captured"), "67");
    ck_assert_int_eq(strncmp(fake_reply("dump"), first, strlen(first)), 0);
    ck_assert_ptr_nonnull(strstr(fake_reply("dump"), last));
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/stats", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("packets"), "1");
    ck_assert_str_eq(fake_reply("oldest"), "1000");
    for (uint64_t n = 2; n < 20; n++)
        packet(t, n, 80);
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/{id}", ask, NULL), 404);
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/{id}/hex", ask, NULL), 404);
    strcpy(id, "id=63");                                    /* of a worker that there is not */
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/{id}", ask, NULL), 404);
    plugin_end(t);
}
END_TEST

/* --- captures -------------------------------------------------------------------------------------------- */

static const char id1[] = "id=1";
static const char *const first_id[] = { id1, NULL };

/* Frames in the capture that was downloaded last; the first one's TCP source port in *port. */
static uint32_t downloaded(uint16_t *port)
{
    char why[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr head;
    const u_char *data;
    uint32_t frames = 0;
    size_t n;
    const void *bytes = fake_stream(&n);
    FILE *in = fmemopen((void *)(uintptr_t)bytes, n, "r");
    pcap_t *p = pcap_fopen_offline_with_tstamp_precision(in, PCAP_TSTAMP_PRECISION_NANO, why);

    ck_assert_msg(p != NULL, "%s", why);
    for (; (data = pcap_next(p, &head)); frames++) {
        ck_assert_uint_eq(head.len, 1500);
        ck_assert_int_eq(head.ts.tv_sec, 0);
        if (!frames)
            *port = (uint16_t)(data[40] << 8 | data[41]);
    }
    pcap_close(p);
    return frames;
}

static void captures_gone(void)
{
    char path[128];

    for (int i = 1; i < 4; i++) {
        snprintf(path, sizeof path, "testhost-%ld/captures/%d.pcapng", (long)getpid(), i);
        unlink(path);
    }
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

START_TEST(a_filter_asks_nobody)
{
    static const char *const good[] = { "", "tcp port 443", "host 192.0.2.1 and not (udp or icmp)",
        "tcp[13] & 0x12 != 0", "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", "ip6 host 2001:db8::1",
        "ether host 00:0a:95:9d:68:16",
        "net 10.0.0.0/8", "portrange 1-1024", "vlan 7 && udp", "ip[2:2] > 576", "len >= 100" };
    static const char *const bad[] = { "host example.org", "host localhost", "dead.beef", "port http", "1and1.example",
        "host a-b", "ifname eth0", "tcp prt 80", "port 99999", "(", "0xzz" };
    char text[512];
    struct filter *f;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        f = filter_new(good[i], text, sizeof text);
        ck_assert_msg(f != NULL, "%s: %s", good[i], text);
        filter_free(f);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        text[0] = '\0';
        ck_assert_msg(!filter_new(bad[i], text, sizeof text) && text[0], "%s", bad[i]);
    }
    filter_new(bad[0], text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "'example.org' is no word of pcap-filter(7)"));
}
END_TEST

START_TEST(a_capture_is_written)
{
    static const char *const body[] = { "filter=vlan and tcp port 443", "packets=2", NULL };
    struct testhost *t = plugin_start("1024");
    uint16_t port = 0;

    packet(t, 1, 443);                                      /* before it was asked for */
    ck_assert_uint_eq(fake_ask("POST", "/api/packets/captures", NULL, body), 201);
    ck_assert_str_eq(fake_reply("id"), "1");
    packet(t, 2, 80);
    packet(t, 3, 443);
    testhost_tick(t, SECOND / 10);
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/captures/{id}", first_id, NULL), 200);
    ck_assert_str_eq(fake_reply("state"), "running");
    ck_assert_str_eq(fake_reply("packets"), "1");
    ck_assert_str_eq(fake_reply("looked"), "2");
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/captures/{id}/pcap", first_id, NULL), 409);
    for (uint64_t n = 4; n < 8; n++)
        packet(t, n, 443);
    testhost_tick(t, SECOND / 10);
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/captures", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("items.state"), "done");
    ck_assert_str_eq(fake_reply("items.packets"), "2");
    ck_assert_ptr_nonnull(strstr(fake_reply("items.reason"), "as many packets"));
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/captures/{id}/pcap", first_id, NULL), 200);
    ck_assert_str_eq(fake_header("Content-Disposition"), "attachment; filename=\"ecyber-capture-1.pcapng\"");
    ck_assert_uint_eq(downloaded(&port), 2);
    ck_assert_uint_eq(port, 443);
    ck_assert_uint_eq(fake_ask("DELETE", "/api/packets/captures/{id}", first_id, NULL), 204);
    ck_assert_uint_eq(fake_ask("DELETE", "/api/packets/captures/{id}", first_id, NULL), 404);
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/captures/{id}/pcap", first_id, NULL), 404);
    captures_gone();
    plugin_end(t);
}
END_TEST

START_TEST(captures_have_bounds)
{
    static const char *const bad[] = { "filter=no such word", NULL };
    static const char *const wide[] = { "bytes=65MiB", NULL };
    static const char *const brief[] = { "duration=2s", NULL };
    static const char *const small[] = { "bytes=4096", NULL };
    struct testhost *t = plugin_start("16");
    uint16_t port;

    ck_assert_uint_eq(fake_ask("POST", "/api/packets/captures", NULL, bad), 422);
    ck_assert_uint_eq(fake_ask("POST", "/api/packets/captures", NULL, wide), 422);
    ck_assert_ptr_nonnull(strstr(fake_detail(), "packets.capture_size"));
    ck_assert_uint_eq(fake_ask("POST", "/api/packets/captures", NULL, brief), 201);
    for (uint64_t n = 1; n <= 100; n++)                     /* more than the ring holds before it is read */
        packet(t, n, 443);
    testhost_tick(t, SECOND / 10);
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/captures/{id}", first_id, NULL), 200);
    ck_assert_str_eq(fake_reply("lost"), "84");
    ck_assert_str_eq(fake_reply("packets"), "16");
    testhost_tick(t, 2 * SECOND);
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/captures/{id}", first_id, NULL), 200);
    ck_assert_str_eq(fake_reply("reason"), "its time is over");
    ck_assert_uint_eq(fake_ask("POST", "/api/packets/captures", NULL, small), 201);
    for (uint64_t n = 0; n < 100; n++) {
        packet(t, 100 + n, 443);
        testhost_tick(t, SECOND / 10);
    }
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/captures", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("items.reason"), "the file has reached its size");
    ck_assert_uint_eq(fake_ask("POST", "/api/packets/captures", NULL, NULL), 201);
    packet(t, 200, 443);
    testhost_stop(t);                                       /* while one runs: its file is whole */
    testhost_free(t);

    fake_forget_routes();
    t = testhost_new(ec_plugin_entry_1());
    testhost_provide(t, EC_HTTP_ID, &fake_http, NULL);
    testhost_option(t, "captures", "3");
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/captures/{id}", first_id, NULL), 200);
    ck_assert_str_eq(fake_reply("reason"), "it is of an earlier run");
    ck_assert_uint_eq(fake_ask("GET", "/api/packets/captures/{id}/pcap", first_id, NULL), 200);
    ck_assert_uint_eq(downloaded(&port), 16);
    ck_assert_uint_eq(fake_ask("POST", "/api/packets/captures", NULL, NULL), 409);
    captures_gone();
    plugin_end(t);
}
END_TEST

START_TEST(the_packets_of_an_alert)
{
    struct testhost *t;
    uint16_t port;

    fake_reset();
    t = testhost_new(ec_plugin_entry_1());
    testhost_provide(t, EC_HTTP_ID, &fake_http, NULL);
    testhost_provide(t, EC_STORE_ID, &fake_store, NULL);
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(fake_ask("GET", "/api/ids/alerts/{id}/pcap", first_id, NULL), 404);
    fake_event = "{\"event_type\":\"alert\",\"src_ip\":\"192.0.2.2\",\"src_port\":443,\"dest_ip\":\"192.0.2.1\","
                 "\"dest_port\":51000,\"proto\":\"TCP\"}";
    ck_assert_uint_eq(fake_ask("GET", "/api/ids/alerts/{id}/pcap", first_id, NULL), 404);
    ck_assert_ptr_nonnull(strstr(fake_detail(), "in memory any more"));
    packet(t, 1, 443);
    packet(t, 2, 80);
    packet(t, 3, 443);
    ck_assert_uint_eq(fake_ask("GET", "/api/ids/alerts/{id}/pcap", first_id, NULL), 200);
    ck_assert_uint_eq(downloaded(&port), 2);
    ck_assert_uint_eq(port, 443);
    fake_event = "{\"event_type\":\"alert\",\"src_ip\":\"192.0.2.2\",\"dest_ip\":\"192.0.2.1\",\"proto\":\"ICMP\"}";
    ck_assert_uint_eq(fake_ask("GET", "/api/ids/alerts/{id}/pcap", first_id, NULL), 404);
    fake_event = "{\"event_type\":\"alert\",\"src_ip\":\"nonsense\"}";
    ck_assert_uint_eq(fake_ask("GET", "/api/ids/alerts/{id}/pcap", first_id, NULL), 404);
    fake_event = "{\"event_type\":\"flow\",\"src_ip\":\"192.0.2.2\",\"dest_ip\":\"192.0.2.1\"}";
    ck_assert_uint_eq(fake_ask("GET", "/api/ids/alerts/{id}/pcap", first_id, NULL), 404);
    fake_event = "no JSON";
    ck_assert_uint_eq(fake_ask("GET", "/api/ids/alerts/{id}/pcap", first_id, NULL), 404);
    plugin_end(t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("packets");
    TCase *c = tcase_create("packets");

    tcase_set_timeout(c, 60);
    tcase_add_test(c, ring_keeps_the_newest);
    tcase_add_test(c, ring_never_waits_for_a_reader);
    tcase_add_test(c, ring_is_read_while_it_is_written);
    tcase_add_test(c, layers_are_told);
    tcase_add_test(c, packets_are_listed);
    tcase_add_test(c, wrong_questions_are_refused);
    tcase_add_test(c, one_packet_is_shown);
    tcase_add_test(c, a_filter_asks_nobody);
    tcase_add_test(c, a_capture_is_written);
    tcase_add_test(c, captures_have_bounds);
    tcase_add_test(c, the_packets_of_an_alert);
    suite_add_tcase(s, c);
    return unit_run(s);
}
