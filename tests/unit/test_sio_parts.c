/* The pure parts of Socket.IO: packets of Engine.IO and Socket.IO, filters, times, queues. */
#include "plugins/socketio/eio_packet.h"
#include "plugins/socketio/filter.h"
#include "plugins/socketio/frame.h"
#include "plugins/socketio/since.h"
#include "plugins/socketio/sio_packet.h"
#include "tests/unit/unit.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* --- Engine.IO --- */

static const struct { const char *payload; int packets, last; const char *second; } payloads[] = {
    { "4hello", 1, 0, NULL },
    { "4a\x1e" "4b\x1e" "3", 3, 0, "b" },
    { "4a\x1e" "bAQIDBA==", 2, 0, "\1\2\3\4" },
    { "4a\x1e" "bAQIDBA", 2, 0, "\1\2\3\4" },
    { "4a\x1e" "b", 2, 0, "" },
    { "4a\x1e", 1, -1, NULL },
    { "", 0, -1, NULL },
    { "\x1e\x1e", 0, -1, NULL },
    { "abc", 0, -1, NULL },
    { "7x", 0, -1, NULL },
    { "4\xff", 0, -1, NULL },
    { "bA", 0, -1, NULL },
    { "bA*==", 0, -1, NULL },
};

START_TEST(each_payload_has_its_packets)
{
    const char *p = payloads[_i].payload, *end = p + strlen(p), *second = payloads[_i].second;
    struct text room = { 0 };
    struct eio_packet k;
    int n = 0, rc;

    while ((rc = eio_next(&k, &p, end, &room)) == 1)
        if (++n == 2 && second) {
            ck_assert_uint_eq(k.n, strlen(second));
            ck_assert_mem_eq(k.p, second, k.n);
        }
    ck_assert_int_eq(n, payloads[_i].packets);
    ck_assert_int_eq(rc, payloads[_i].last);
    text_free(&room);
}
END_TEST

START_TEST(base64_goes_there_and_back)
{
    unsigned char bytes[64];
    struct text there = { 0 }, back = { 0 };

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37 + 200);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        there.n = back.n = 0;
        eio_base64(&there, bytes, n);
        ck_assert_uint_eq(there.n, (n + 2) / 3 * 4);
        ck_assert_int_eq(eio_unbase64(&back, there.p, there.n), 0);
        ck_assert_uint_eq(back.n, n);
        if (n)
            ck_assert_mem_eq(back.p, bytes, n);
    }
    text_free(&there);
    text_free(&back);
}
END_TEST

START_TEST(a_query_names_version_transport_and_session)
{
    struct eio_query q;

    eio_query(&q, "EIO=4&transport=polling&t=abc&sid=a-b_c");
    ck_assert_int_eq(q.eio, 4);
    ck_assert_int_eq(q.transport, EIO_POLLING);
    ck_assert(q.has_sid);
    ck_assert_str_eq(q.sid, "a-b_c");
    eio_query(&q, "EIO=44&transport=websockets&sid=0123456789012345678901234567890123456789");
    ck_assert_int_eq(q.eio, 0);
    ck_assert_int_eq(q.transport, EIO_NO_TRANSPORT);
    ck_assert(q.has_sid && !*q.sid);
    eio_query(&q, "&&=&EIO&transport=websocket&");
    ck_assert_int_eq(q.transport, EIO_WEBSOCKET);
    ck_assert(!q.has_sid);
}
END_TEST

/* --- Socket.IO --- */

static const struct { const char *text; int rc; enum sio_type type; const char *space, *name, *args; int64_t id;
                      uint32_t blobs; } packets[] = {
    { "0", 0, SIO_CONNECT, "/", "", "{}", -1, 0 },
    { "0/custom,", 0, SIO_CONNECT, "/custom", "", "{}", -1, 0 },
    { "0/custom", 0, SIO_CONNECT, "/custom", "", "{}", -1, 0 },
    { "0/custom?token=1,{\"token\":\"x\"}", 0, SIO_CONNECT, "/custom", "", "{\"token\":\"x\"}", -1, 0 },
    { "1/custom", 0, SIO_DISCONNECT, "/custom", "", "{}", -1, 0 },
    { "2[\"a\"]", 0, SIO_EVENT, "/", "a", "[]", -1, 0 },
    { "2[ \"a\" , 1, \"2\" ]", 0, SIO_EVENT, "/", "a", "[ 1, \"2\" ]", -1, 0 },
    { "2[\"a\\\"b\\u0041\",1]", 0, SIO_EVENT, "/", "a\"bA", "[1]", -1, 0 },
    { "2/n,12[\"a\",{\"3\":[true]}]", 0, SIO_EVENT, "/n", "a", "[{\"3\":[true]}]", 12, 0 },
    { "312[1]", 0, SIO_ACK, "/", "", "[1]", 12, 0 },
    { "52-/n,7[\"a\",{\"_placeholder\":true,\"num\":1}]", 0, SIO_BINARY_EVENT, "/n", "a",
      "[{\"_placeholder\":true,\"num\":1}]", 7, 2 },
    { "61-7[{\"_placeholder\":true,\"num\":0}]", 0, SIO_BINARY_ACK, "/", "",
      "[{\"_placeholder\":true,\"num\":0}]", 7, 1 },
    { "", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "abc", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "4{}", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "0[]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "1{}", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "2", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "2{}", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "2[]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "2[1]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "2[\"connect\"]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "2[\"a\"]x", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "2abc[\"a\"]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "21234567890123456[\"a\"]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "2[\"a\\u0000b\"]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "3[1]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "5[\"a\"]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "517-[\"a\"]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "51-[\"a\",{\"_placeholder\":true,\"num\":1}]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "51-[\"a\",{\"_placeholder\":true,\"num\":-1}]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "51-[\"a\",{\"_placeholder\":true}]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "2[\"a\",{\"_placeholder\":true,\"num\":0}]", -1, 0, NULL, NULL, NULL, 0, 0 },
    { "2[\"a\",\"\xff\"]", -1, 0, NULL, NULL, NULL, 0, 0 },
};

START_TEST(each_packet_is_read_or_refused)
{
    struct sio_packet k;
    const char *why = NULL;
    int rc = sio_read(&k, packets[_i].text, strlen(packets[_i].text), &why);

    ck_assert_int_eq(rc, packets[_i].rc);
    if (rc) {
        ck_assert_ptr_nonnull(why);
    } else {
        ck_assert_int_eq(k.type, packets[_i].type);
        ck_assert_str_eq(k.space, packets[_i].space);
        ck_assert_str_eq(k.name, packets[_i].name);
        ck_assert_uint_eq(k.args.n, strlen(packets[_i].args));
        ck_assert_str_eq(k.args.p, packets[_i].args);
        ck_assert_uint_eq(k.blobs, packets[_i].blobs);
        ck_assert_int_eq(k.has_id ? (int64_t)k.id : -1, packets[_i].id);
    }
    sio_free(&k);
}
END_TEST

START_TEST(deep_and_long_packets_are_refused)
{
    char text[4096] = "2[\"a\",";
    struct sio_packet k;
    const char *why;

    memset(text + 6, '[', 2000);
    memset(text + 2006, ']', 2001);
    ck_assert_int_eq(sio_read(&k, text, 4007, &why), -1);
    sio_free(&k);
    memset(text, 'n', sizeof text);
    memcpy(text, "0/", 2);
    ck_assert_int_eq(sio_read(&k, text, sizeof text, &why), -1);
    sio_free(&k);
}
END_TEST

START_TEST(heads_are_as_the_protocol_writes_them)
{
    struct text t = { 0 };

    sio_head(&t, SIO_BINARY_EVENT, "/custom", 2, true, 456);
    ck_assert_uint_eq(t.n, strlen("52-/custom,456"));
    ck_assert_mem_eq(t.p, "52-/custom,456", t.n);
    t.n = 0;
    sio_head(&t, SIO_ACK, "/", 0, true, 12);
    ck_assert_mem_eq(t.p, "312", 3);
    text_free(&t);
}
END_TEST

/* --- filters --- */

static const char event[] =
    "{\"event_type\":\"alert\",\"src_ip\":\"10.1.2.3\",\"dest_ip\":\"fe80::1\",\"dest_port\":443,\"proto\":\"TCP\","
    "\"alert\":{\"severity\":2,\"signature\":\"a word\"},\"dns\":{\"answers\":[{\"rdata\":\"x\"},{\"rdata\":\"y\"}]}}";

static const struct { const char *filter; int match; } filters[] = {      /* -1: no filter */
    { "{}", 1 },
    { "{\"proto\":\"TCP\"}", 1 },
    { "{\"proto\":\"UDP\"}", 0 },
    { "{\"proto\":[\"UDP\",\"TCP\"]}", 1 },
    { "{\"proto.ne\":\"TCP\"}", 0 },
    { "{\"proto.ne\":\"UDP\"}", 1 },
    { "{\"src_ip\":\"10.0.0.0/8\"}", 1 },
    { "{\"src_ip\":\"10.1.2.0/30\"}", 1 },
    { "{\"src_ip\":\"10.1.2.4/30\"}", 0 },
    { "{\"src_ip\":\"0.0.0.0/0\"}", 1 },
    { "{\"dest_ip\":\"fe80::/10\"}", 1 },
    { "{\"dest_ip\":\"FE80:0::1\"}", 1 },
    { "{\"dest_ip\":\"10.0.0.0/8\"}", 0 },
    { "{\"ip\":\"10.1.2.3\"}", 1 },
    { "{\"ip\":\"10.1.2.4\"}", 0 },
    { "{\"port\":443}", 1 },
    { "{\"port.ne\":443}", 0 },
    { "{\"dest_port.lt\":443}", 0 },
    { "{\"dest_port.le\":443}", 1 },
    { "{\"dest_port.gt\":80,\"dest_port.lt\":1000}", 1 },
    { "{\"alert.severity\":2}", 1 },
    { "{\"alert.severity\":\"1,2\"}", 1 },
    { "{\"alert.severity\":1}", 0 },
    { "{\"alert.signature\":\"a word\"}", 1 },
    { "{\"dns.answers.rdata\":\"y\"}", 1 },
    { "{\"dns.answers.rdata\":\"z\"}", 0 },
    { "{\"http.has\":true}", 0 },
    { "{\"http.has\":false}", 1 },
    { "{\"alert.has\":true}", 1 },
    { "{\"nothing\":\"x\"}", 0 },
    { "{\"a\":null}", -1 },
    { "{\"a\":{}}", -1 },
    { "{\"a\":[]}", -1 },
    { "{\"a\":[[1]]}", -1 },
    { "{\"\":1}", -1 },
    { "[]", -1 },
    { "5", -1 },
};

START_TEST(each_filter_decides)
{
    struct json_object *o = json_tokener_parse(filters[_i].filter), *ev = json_tokener_parse(event);
    struct ec_filter to[FILTER_MAX];
    const char *why = NULL;
    struct filter *f = filter_new(o, &why);

    if (filters[_i].match < 0) {
        ck_assert_ptr_null(f);
        ck_assert_ptr_nonnull(why);
    } else {
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(filter_match(f, ev), filters[_i].match);
        ck_assert_uint_eq(filter_store(f, to), (uint32_t)json_object_object_length(o));
    }
    filter_drop(f);
    json_object_put(o);
    json_object_put(ev);
}
END_TEST

START_TEST(a_filter_is_bounded)
{
    struct json_object *o = json_object_new_object();
    const char *why = NULL;
    char key[200];

    for (unsigned i = 0; i <= FILTER_MAX; i++) {
        snprintf(key, sizeof key, "f%u", i);
        json_object_object_add(o, key, json_object_new_int(1));
    }
    ck_assert_ptr_null(filter_new(o, &why));
    json_object_put(o);
    o = json_object_new_object();
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    json_object_object_add(o, key, json_object_new_int(1));
    ck_assert_ptr_null(filter_new(o, &why));
    json_object_put(o);
}
END_TEST

/* --- times --- */

#define S UINT64_C(1000000000)
static const struct { const char *text; int rc; uint64_t ns; } times[] = {      /* now: 1,000,000 s */
    { "15m", 0, (1000000 - 900) * S },
    { "24h", 0, (1000000 - 86400) * S },
    { "7d", 0, (1000000 - 604800) * S },
    { "90s", 0, (1000000 - 90) * S },
    { "9999d", 0, 0 },
    { "1700000000", 0, 1700000000 * S },
    { "2023-11-14T22:13:20Z", 0, 1700000000 * S },
    { "2023-11-14T23:13:20.5+01:00", 0, 1700000000 * S },
    { "", -1, 0 },
    { "m", -1, 0 },
    { "15x", -1, 0 },
    { "15mm", -1, 0 },
    { "2023-13-14T22:13:20Z", -1, 0 },
    { "2023-11-14T22:13:20", -1, 0 },
    { "2023-11-14T22:13:20+1:00", -1, 0 },
    { "yesterday, or so, perhaps", -1, 0 },
};

START_TEST(each_time_is_read)
{
    uint64_t ns = 0;

    ck_assert_int_eq(since_read(times[_i].text, 1000000 * S, &ns), times[_i].rc);
    if (!times[_i].rc)
        ck_assert_uint_eq(ns, times[_i].ns);
}
END_TEST

START_TEST(a_queue_counts_what_waits)
{
    struct frames q = { 0 };
    struct frame *a = frame_new(false, "4", "hello", 5), *f;

    ck_assert(frames_put(&q, a) && frames_put(&q, a));
    ck_assert_uint_eq(q.bytes, 2 * (6 + FRAME_COST));
    frame_drop(a);
    f = frames_take(&q);
    ck_assert_str_eq(f->p, "4hello");
    frame_drop(f);
    ck_assert_uint_eq(q.n, 1);
    frames_free(&q);
    ck_assert_uint_eq(q.bytes, 0);
    ck_assert_ptr_null(frames_take(&q));
}
END_TEST

#define LOOP(test, table) tcase_add_loop_test(t, test, 0, sizeof(table) / sizeof(table)[0])

int main(void)
{
    Suite *s = suite_create("socketio parts");
    TCase *t = tcase_create("parts");

    LOOP(each_payload_has_its_packets, payloads);
    tcase_add_test(t, base64_goes_there_and_back);
    tcase_add_test(t, a_query_names_version_transport_and_session);
    LOOP(each_packet_is_read_or_refused, packets);
    tcase_add_test(t, deep_and_long_packets_are_refused);
    tcase_add_test(t, heads_are_as_the_protocol_writes_them);
    LOOP(each_filter_decides, filters);
    tcase_add_test(t, a_filter_is_bounded);
    LOOP(each_time_is_read, times);
    tcase_add_test(t, a_queue_counts_what_waits);
    suite_add_tcase(s, t);
    return unit_run(s);
}
