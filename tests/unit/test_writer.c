/* What a block becomes: every type of a row, nesting, parts, and blocks that are not as they should be. */
#include "tests/unit/unit.h"

#include "core/record/service.h"
#include "core/record/shape.h"
#include "core/record/writer.h"
#include "testhost.h"

#include <arpa/inet.h>
#include <stdlib.h>

struct question { struct ec_span name; uint32_t kind, pad; };
struct inner { uint32_t a, b; uint64_t has; };
struct all {
    struct ec_part part;
    uint64_t u64, time, duration, size;
    int64_t i64;
    double f64;
    uint32_t u32, word, name, zero;
    uint16_t u16;
    uint8_t u8, yes, ip[16], mac[6], no;
    struct ec_span text, wire, bytes, hex, none, secret;
    struct ec_list texts, numbers, questions, map, maps;
    struct inner inner;
    uint32_t maybe, deep;
    struct plain { uint32_t x; } gone, here;
};

static const struct ec_row question_rows[] = {
    EC_FIELD(WIRE, 0, struct question, name, "rrname", NULL, ""),
    EC_FIELD_ENUM(0, struct question, kind, "rrtype", "A,AAAA", ""),
};
static const struct ec_record question_record = EC_RECORD_ELEMENT(struct question, question_rows);
static const struct ec_row inner_rows[] = {
    EC_FIELD_OPT(U32, 0, 0, struct inner, a, "a", NULL, ""),
    EC_FIELD_OPT(U32, 0, 1, struct inner, b, "sub.b", NULL, ""),
};
static const struct ec_record inner_record = {
    (uint32_t)sizeof(struct ec_record), (uint32_t)sizeof(struct inner), EC_ROWS(inner_rows),
    (uint32_t)offsetof(struct inner, has), 0, inner_rows };
static const struct ec_row plain_rows[] = { EC_FIELD(U32, 0, struct plain, x, "x", NULL, "") };
static const struct ec_record plain_record = EC_RECORD_ELEMENT(struct plain, plain_rows);
static const struct ec_row all_rows[] = {
    EC_FIELD(U8, 0, struct all, u8, "u8", NULL, ""),
    EC_FIELD(U32, 0, struct all, u32, "group.u32", NULL, ""),
    EC_FIELD(U16, 0, struct all, u16, "u16", NULL, ""),
    EC_FIELD(U64, 0, struct all, u64, "group.u64", NULL, ""),
    EC_FIELD(I64, 0, struct all, i64, "group.more.i64", NULL, ""),
    EC_FIELD(F64, 0, struct all, f64, "f64", NULL, ""),
    EC_FIELD(BOOL, 0, struct all, yes, "yes", NULL, ""),
    EC_FIELD(BOOL, 0, struct all, no, "no", NULL, ""),
    EC_FIELD(IP, 0, struct all, ip, "ip", NULL, ""),
    EC_FIELD(MAC, 0, struct all, mac, "mac", NULL, ""),
    EC_FIELD(TIME, 0, struct all, time, "time", NULL, ""),
    EC_FIELD(DURATION, 0, struct all, duration, "duration", "ns", ""),
    EC_FIELD(SIZE, 0, struct all, size, "size", "bytes", ""),
    EC_FIELD(TEXT, 0, struct all, text, "text", NULL, ""),
    EC_FIELD(WIRE, 0, struct all, wire, "wire", NULL, ""),
    EC_FIELD(BYTES, 0, struct all, bytes, "bytes", NULL, ""),
    EC_FIELD(HEX, 0, struct all, hex, "hex", NULL, ""),
    EC_FIELD(TEXT, 0, struct all, none, "none", NULL, ""),
    EC_FIELD(TEXT, EC_R_SECRET, struct all, secret, "secret", NULL, ""),
    EC_FIELD_ENUM(0, struct all, word, "word", "zero,one,two", ""),
    EC_FIELD_NAME(0, struct all, name, "name", "things", ""),
    EC_FIELD_NAME(0, struct all, zero, "zero", "things", ""),
    EC_FIELD(TEXT, EC_R_LIST, struct all, texts, "texts", NULL, ""),
    EC_FIELD(U32, EC_R_LIST, struct all, numbers, "numbers", NULL, ""),
    EC_FIELD_LIST(&question_record, struct all, questions, "questions", ""),
    EC_FIELD(MAP, 0, struct all, map, "map", NULL, ""),
    EC_FIELD(MAP, EC_R_LIST, struct all, maps, "metadata", NULL, ""),
    { EC_T_RECORD, EC_R_INLINE, 0, 0, (uint32_t)offsetof(struct all, inner), "inner", &inner_record, NULL, NULL, NULL, "",
      0, 0 },
    { EC_T_RECORD, EC_R_INLINE | EC_R_OPT, 5, 0, (uint32_t)offsetof(struct all, gone), "gone", &plain_record, NULL, NULL,
      NULL, "", 0, 0 },
    { EC_T_RECORD, EC_R_INLINE | EC_R_OPT, 6, 0, (uint32_t)offsetof(struct all, here), "here", &plain_record, NULL, NULL,
      NULL, "", 0, 0 },
    EC_FIELD_OPT(U32, 0, 3, struct all, maybe, "maybe", NULL, ""),
    EC_FIELD_OPT(U32, 0, 4, struct all, deep, "absent.deep.down", NULL, ""),
};
static const struct ec_record all_record = EC_RECORD_PART(struct all, all_rows);
static const struct ec_topic all_topic = { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.all/1", "all",
                                           &all_record, NULL, "" };

struct why { struct ec_part part; uint32_t n, pad; };
static const struct ec_row why_rows[] = { EC_FIELD(U32, 0, struct why, n, "n", NULL, "") };
static const struct ec_record why_record = EC_RECORD_PART(struct why, why_rows);
static const struct ec_topic why_topic = { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_NESTED, "t.why/1", "ecyber.why",
                                           &why_record, NULL, "" };
static const struct ec_topic side_topic = { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.side/1", "side",
                                            &why_record, NULL, "" };

static const struct ec_topic from_topic = { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_NESTED, "t.from/1",
                                            "ecyber.at.from", &why_record, NULL, "" };
static const struct ec_topic to_topic = { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_NESTED, "t.to/1", "ecyber.at.to",
                                          &why_record, NULL, "" };

static const struct ec_plugin nobody = { EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1" };
static struct testhost *t;
static const struct ec_host *h;
static uint32_t all_id, why_id, side_id, from_id, to_id;
static struct shapes *shapes;
static struct writer *w;
static struct json j;
static struct ec_build b;

static void setup(void)
{
    const char *topic;

    t = testhost_new(&nobody);
    all_id = testhost_topic(t, &all_topic);
    why_id = testhost_topic(t, &why_topic);
    side_id = testhost_topic(t, &side_topic);
    from_id = testhost_topic(t, &from_topic);
    to_id = testhost_topic(t, &to_topic);
    ck_assert_int_eq(testhost_start(t), 0);
    h = testhost_host(t);
    shapes = shapes_new(h);
    w = writer_new(h, shapes, &topic);
    ck_assert_ptr_nonnull(w);
    memset(&j, 0, sizeof j);
}

static void teardown(void)
{
    writer_free(w);
    shapes_free(shapes);
    json_free(&j);
    testhost_free(t);
}

static void open_event(uint32_t topic)
{
    ck_assert_int_eq(h->open(h, 0, topic, &b), EC_OK);
    ec_head(&b)->ts_ns = UINT64_C(1795357800123456789);
}

static void add_number(uint32_t topic, uint32_t n)
{
    struct why *p = ec_add(&b, topic, sizeof *p);

    p->n = n;
}

static void expect(enum writer_result result, const char *line)
{
    ec_head(&b)->total = b.used;
    j.at = j.base;
    ck_assert_int_eq(writer_event(w, &j, ec_head(&b)), result);
    if (result != WRITER_FAILED) {
        ck_assert(json_need(&j, 1));
        *j.at = '\0';
        ck_assert_str_eq(j.base, line);
    } else {
        ck_assert_uint_eq(json_length(&j), 0);
    }
    h->discard(h, &b);
}
#define STAMP "{\"timestamp\":\"2026-11-22T14:30:00.123456+0000\","

START_TEST(every_type)
{
    struct all *p;
    struct question *q;
    struct ec_pair *pair;
    struct ec_span *text;
    uint32_t *number, part;

    open_event(all_id);
    p = ec_add(&b, all_id, sizeof *p);
    part = b.part;
    p->u8 = 255;
    p->u16 = 65535;
    p->u32 = 4294967295u;
    p->u64 = UINT64_MAX;
    p->i64 = -7;
    p->f64 = 0.25;
    p->yes = 1;
    p->ip[10] = p->ip[11] = 0xff;
    p->ip[12] = 10;
    p->mac[0] = 2;
    p->time = UINT64_C(1795357800000000000);
    p->duration = 1500;
    p->size = 4096;
    p->word = 2;
    p->name = h->intern(h, "things", "a \"thing\"");
    p->text = ec_puts(&b, "caf\xc3\xa9");
    p->wire = ec_put(&b, "a\0\xff", 3);
    p->bytes = ec_put(&b, "hello", 5);
    p->hex = ec_put(&b, "\xde\xad", 2);
    p->secret = ec_puts(&b, "hunter2");
    text = ec_rows(&b, &p->texts, 2, sizeof *text);
    text[0] = ec_puts(&b, "x");
    text[1] = ec_puts(&b, "");
    number = ec_rows(&b, &p->numbers, 2, sizeof *number);
    number[1] = 5;
    q = ec_rows(&b, &p->questions, 2, sizeof *q);
    q[0].name = ec_puts(&b, "example.org");
    q[1].name = ec_puts(&b, "example.net");
    q[1].kind = 1;
    pair = ec_rows(&b, &p->map, 2, sizeof *pair);
    pair[0].key = ec_puts(&b, "k");
    pair[0].value = ec_puts(&b, "v");
    pair[1].key = ec_puts(&b, "l");
    pair[1].value = ec_puts(&b, "w");
    pair = ec_rows(&b, &p->maps, 3, sizeof *pair);      /* pairs of one name need not stand together */
    pair[0].key = pair[2].key = ec_puts(&b, "cve");
    pair[0].value = ec_puts(&b, "2026-1");
    pair[2].value = ec_puts(&b, "2026-2");
    pair[1].key = ec_puts(&b, "level");
    pair[1].value = ec_puts(&b, "high");
    p->inner.has = 2;
    p->inner.b = 9;
    p->part.has = 1u << 3 | 1u << 6;
    p->maybe = 1;
    ck_assert_uint_eq(part, b.part);
    expect(WRITER_OK, STAMP "\"event_type\":\"all\",\"all\":{\"u8\":255,"
           "\"group\":{\"u32\":4294967295,\"u64\":18446744073709551615,\"more\":{\"i64\":-7}},\"u16\":65535,"
           "\"f64\":0.25,\"yes\":true,\"no\":false,\"ip\":\"10.0.0.0\",\"mac\":\"02:00:00:00:00:00\","
           "\"time\":\"2026-11-22T14:30:00.000000+0000\",\"duration\":1500,\"size\":4096,\"text\":\"caf\xc3\xa9\","
           "\"wire\":\"a\\\\x00\\\\xff\",\"bytes\":\"aGVsbG8=\",\"hex\":\"dead\",\"secret\":\"***\",\"word\":\"two\","
           "\"name\":\"a \\\"thing\\\"\",\"texts\":[\"x\",\"\"],\"numbers\":[0,5],"
           "\"questions\":[{\"rrname\":\"example.org\",\"rrtype\":\"A\"},{\"rrname\":\"example.net\",\"rrtype\":\"AAAA\"}],"
           "\"map\":{\"k\":\"v\",\"l\":\"w\"},\"metadata\":{\"cve\":[\"2026-1\",\"2026-2\"],\"level\":[\"high\"]},"
           "\"inner\":{\"sub\":{\"b\":9}},\"here\":{\"x\":0},\"maybe\":1}}");
}
END_TEST

static void fill_head(struct ec_event *ev)
{
    ev->flags = EC_EV_FLOW | EC_EV_IP | EC_EV_PORTS | EC_EV_COMMUNITY | EC_EV_COUNT | EC_EV_TX;
    ev->flow_id = 1234567890123;
    ev->tx_id = 0;
    ev->count = 77;
    ev->iface = h->intern(h, "iface", "eth0");
    ev->app_proto = h->intern(h, "app_proto", "dns");
    ev->app_side[1] = h->intern(h, "app_proto", "failed");
    ev->app_orig = h->intern(h, "app_proto", "http");
    ev->origin = EC_ORIGIN_WIRE;
    inet_pton(AF_INET6, "::ffff:10.0.0.1", ev->src);
    inet_pton(AF_INET6, "2001:db8::53", ev->dst);
    ev->sport = 40000;
    ev->dport = 53;
    ev->ip_proto = 17;
    ev->vlans = 3;
    ev->vlan[0] = 100;
    ev->vlan[1] = 200;
    ev->vlan_third = 300;
    ev->dir = EC_DIR_TO_SERVER;
    memset(ev->community, 0xab, sizeof ev->community);
}

START_TEST(the_head_has_suricatas_names_and_order)
{
    open_event(side_id);
    fill_head(ec_head(&b));
    add_number(side_id, 1);
    expect(WRITER_OK, STAMP "\"flow_id\":1234567890123,\"in_iface\":\"eth0\",\"event_type\":\"side\",\"vlan\":[100,200,300],"
           "\"src_ip\":\"10.0.0.1\",\"src_port\":40000,\"dest_ip\":\"2001:db8::53\",\"dest_port\":53,\"proto\":\"UDP\","
           "\"app_proto\":\"dns\",\"app_proto_tc\":\"failed\",\"app_proto_orig\":\"http\","
           "\"community_id\":\"1:q6urq6urq6urq6urq6urq6urq6s=\",\"pcap_cnt\":77,\"pkt_src\":\"wire/pcap\",\"tx_id\":0,"
           "\"direction\":\"to_server\",\"side\":{\"n\":1}}");
}
END_TEST

START_TEST(icmp_and_unknown_protocols)
{
    open_event(side_id);
    ec_head(&b)->flags = EC_EV_IP | EC_EV_ICMP;
    ec_head(&b)->sport = 8;
    ec_head(&b)->ip_proto = 1;
    ec_head(&b)->vlans = 1;
    ec_head(&b)->dir = EC_DIR_TO_CLIENT;
    add_number(side_id, 1);
    expect(WRITER_OK, STAMP "\"event_type\":\"side\",\"vlan\":[0],\"src_ip\":\"::\",\"dest_ip\":\"::\",\"proto\":\"ICMP\","
           "\"icmp_type\":8,\"icmp_code\":0,\"direction\":\"to_client\",\"side\":{\"n\":1}}");
    open_event(side_id);
    ec_head(&b)->flags = EC_EV_IP;
    ec_head(&b)->ip_proto = 99;
    add_number(side_id, 1);
    expect(WRITER_OK, STAMP "\"event_type\":\"side\",\"src_ip\":\"::\",\"dest_ip\":\"::\",\"proto\":\"099\","
           "\"side\":{\"n\":1}}");
}
END_TEST

START_TEST(parts_stand_under_their_roots)
{
    open_event(side_id);
    ec_head(&b)->flags = EC_EV_REPLAY | EC_EV_CUT;
    add_number(side_id, 1);
    add_number(why_id, 2);
    add_number(side_id, 3);
    add_number(why_id, 4);
    expect(WRITER_OK, STAMP "\"event_type\":\"side\",\"side\":[{\"n\":1},{\"n\":3}],"
           "\"ecyber\":{\"replay\":true,\"cut\":true,\"why\":[{\"n\":2},{\"n\":4}]}}");
    open_event(side_id);
    add_number(side_id, 1);
    add_number(why_id, 2);
    expect(WRITER_OK, STAMP "\"event_type\":\"side\",\"side\":{\"n\":1},\"ecyber\":{\"why\":{\"n\":2}}}");
    open_event(why_id);
    add_number(why_id, 2);
    expect(WRITER_OK, STAMP "\"event_type\":\"ecyber.why\",\"ecyber\":{\"why\":{\"n\":2}}}");
}
END_TEST

START_TEST(parts_with_a_name_in_common_share_an_object)
{
    open_event(side_id);
    add_number(side_id, 1);
    add_number(from_id, 2);
    add_number(why_id, 3);
    add_number(to_id, 4);
    add_number(to_id, 5);
    expect(WRITER_OK, STAMP "\"event_type\":\"side\",\"side\":{\"n\":1},\"ecyber\":{\"at\":{\"from\":{\"n\":2},"
           "\"to\":[{\"n\":4},{\"n\":5}]},\"why\":{\"n\":3}}}");
    open_event(side_id);
    add_number(side_id, 1);
    add_number(to_id, 4);
    expect(WRITER_OK, STAMP "\"event_type\":\"side\",\"side\":{\"n\":1},\"ecyber\":{\"at\":{\"to\":{\"n\":4}}}}");
}
END_TEST

START_TEST(malformed_blocks_are_bounded)
{
    struct all *p;
    struct ec_event *ev;

    open_event(all_id);             /* spans and lists outside of the part */
    p = ec_add(&b, all_id, sizeof *p);
    p->text.off = 1u << 30;
    p->text.len = 5;
    p->wire.off = 8;
    p->wire.len = UINT32_MAX;
    p->numbers = (struct ec_list){ 8, UINT32_MAX, 4, 0 };
    p->questions = (struct ec_list){ 8, 1, 1, 0 };
    p->map = (struct ec_list){ UINT32_MAX, 1, 16, 0 };
    p->word = 77;
    p->name = 4711;
    expect(WRITER_MALFORMED, STAMP "\"event_type\":\"all\",\"all\":{\"u8\":0,\"group\":{\"u32\":0,\"u64\":0,"
           "\"more\":{\"i64\":0}},\"u16\":0,\"f64\":0,\"yes\":false,\"no\":false,\"ip\":\"::\","
           "\"mac\":\"00:00:00:00:00:00\",\"time\":\"1970-01-01T00:00:00.000000+0000\",\"duration\":0,\"size\":0,"
           "\"word\":77}}");
    open_event(all_id);             /* shorter than its table */
    ec_add(&b, all_id, sizeof(struct ec_part));
    expect(WRITER_MALFORMED, STAMP "\"event_type\":\"all\",\"all\":{}}");
    open_event(side_id);            /* a topic that nobody declared */
    add_number(side_id, 1);
    add_number(99, 1);
    expect(WRITER_MALFORMED, STAMP "\"event_type\":\"side\",\"side\":{\"n\":1}}");
    open_event(side_id);            /* fewer parts than the head says */
    add_number(side_id, 1);
    ec_head(&b)->parts = 2;
    expect(WRITER_MALFORMED, STAMP "\"event_type\":\"side\",\"side\":{\"n\":1}}");
    open_event(side_id);
    expect(WRITER_FAILED, NULL);
    open_event(side_id);
    add_number(99, 1);
    expect(WRITER_FAILED, NULL);
    open_event(side_id);
    add_number(side_id, 1);
    ev = ec_head(&b);
    ev->first = 1u << 20;
    expect(WRITER_FAILED, NULL);
}
END_TEST

START_TEST(no_key_stands_twice)
{
    struct all *p;
    struct ec_pair *pair;
    char *map;

    open_event(all_id);
    p = ec_add(&b, all_id, sizeof *p);
    pair = ec_rows(&b, &p->map, 3, sizeof *pair);
    pair[0].key = pair[2].key = ec_puts(&b, "k");
    pair[0].value = ec_puts(&b, "v");
    pair[1].key = ec_puts(&b, "l");
    pair[2].value = ec_puts(&b, "w");
    ec_head(&b)->total = b.used;
    ck_assert_int_eq(writer_event(w, &j, ec_head(&b)), WRITER_MALFORMED);
    map = memmem(j.base, json_length(&j), "\"map\":", 6);
    ck_assert_ptr_nonnull(map);
    ck_assert_int_eq(strncmp(map, "\"map\":{\"k\":\"v\",\"l\":\"\"}", 22), 0);
    h->discard(h, &b);
}
END_TEST

START_TEST(longer_than_the_buffer)
{
    struct all *p;
    char *line;

    open_event(all_id);
    p = ec_add(&b, all_id, sizeof *p);
    while (b.cap - b.used > 1024)
        p->wire = ec_put(&b, "\0\0\0\0\0\0\0\0", 8);
    p->wire.off = (uint32_t)sizeof *p;
    p->wire.len = b.used - b.part - p->wire.off;
    memset((char *)p + p->wire.off, 0, p->wire.len);
    ec_head(&b)->total = b.used;
    ck_assert_int_eq(writer_event(w, &j, ec_head(&b)), WRITER_OK);
    ck_assert_uint_gt(json_length(&j), 5 * p->wire.len);
    line = memmem(j.base, json_length(&j), "\"wire\":\"\\\\x00\\\\x00", 18);
    ck_assert_ptr_nonnull(line);
    h->discard(h, &b);
}
END_TEST

/* Whatever room there is: its start is filled and not a byte more, and the length is that of the whole. */
START_TEST(the_service_says_how_much_room_it_takes)
{
    struct record_service *service = record_service_new(h);
    static char whole[262144], cut[262144];
    struct all *p;
    int64_t n, again;
    uint32_t bad = 7;

    open_event(all_id);
    p = ec_add(&b, all_id, sizeof *p);
    p->wire = ec_put(&b, whole, 20000);
    p->secret = ec_puts(&b, "hunter2");
    ec_head(&b)->total = b.used;
    n = record_json.event(service, ec_head(&b), 0, whole, sizeof whole, &bad);
    ck_assert_int_gt(n, 80000);
    ck_assert_uint_eq(bad, 0);
    ck_assert_int_eq(whole[n - 1], '}');
    ck_assert_ptr_null(memmem(whole, (size_t)n, "hunter2", 7));
    for (int64_t cap = 0; cap <= n + 1; cap += cap < 300 ? 1 : 10007) {
        memset(cut, '#', sizeof cut);
        again = record_json.event(service, ec_head(&b), 0, cut, (uint64_t)cap, NULL);
        ck_assert_int_eq(again, n);
        ck_assert_int_eq(memcmp(cut, whole, (size_t)(cap < n ? cap : n)), 0);
        ck_assert_int_eq(cut[cap], '#');
    }
    n = record_json.event(service, ec_head(&b), EC_JSON_SECRETS, whole, sizeof whole, NULL);
    ck_assert_ptr_nonnull(memmem(whole, (size_t)n, "\"secret\":\"hunter2\"", 18));
    p->text.off = 1u << 30;
    ck_assert_int_gt(record_json.event(service, ec_head(&b), 0, whole, sizeof whole, &bad), 0);
    ck_assert_uint_eq(bad, 1);
    ec_head(&b)->parts = 0;
    ck_assert_int_eq(record_json.event(service, ec_head(&b), 0, whole, sizeof whole, &bad), EC_EINVAL);
    h->discard(h, &b);
    record_service_free(service);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("writer");
    TCase *tc = tcase_create("lines");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_type);
    tcase_add_test(tc, the_head_has_suricatas_names_and_order);
    tcase_add_test(tc, icmp_and_unknown_protocols);
    tcase_add_test(tc, parts_stand_under_their_roots);
    tcase_add_test(tc, parts_with_a_name_in_common_share_an_object);
    tcase_add_test(tc, malformed_blocks_are_bounded);
    tcase_add_test(tc, no_key_stands_twice);
    tcase_add_test(tc, longer_than_the_buffer);
    tcase_add_test(tc, the_service_says_how_much_room_it_takes);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
