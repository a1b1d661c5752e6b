/* test_dns.c: the DNS parser: names, records, framing, and what it makes of damage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/traffic/proto/dns/dns.h"
#include "plugins/traffic/proto/dns/message.h"
#include "plugins/traffic/proto/dns/name.h"
#include "plugins/traffic/proto/dns/rdata.h"
#include "plugins/traffic/proto/dns/types.h"
#include "tests/support/fake_text.h"
#include "tests/unit/unit.h"

/* An answer to "a.example A": a CNAME to b.example and its address. */
static const uint8_t answer[] =
    "\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00"
    "\x01" "a\x07" "example\x00\x00\x01\x00\x01"
    "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01" "b\xc0\x0e"
    "\xc0\x27\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01";
#define ANSWER_LEN (sizeof answer - 1)

static struct dns_message opened(const uint8_t *d, uint32_t n)
{
    struct dns_message m;

    ck_assert(dns_message_open(&m, d, n));
    return m;
}

START_TEST(compressed_names_are_followed_backwards_only)
{
    struct dns_message m = opened(answer, ANSWER_LEN);
    uint8_t text[DNS_NAME_MAX], loop[] = "\0\0\0\0\0\0\0\0\0\0\0\0\xc0\x0c";
    int whole;

    ck_assert_uint_eq(dns_name_text(&m, 39, text, sizeof text, &whole), 9);
    ck_assert_int_eq(whole, 1);
    ck_assert_mem_eq(text, "b.example", 9);
    m = opened(loop, sizeof loop - 1);
    ck_assert_uint_eq(dns_name_text(&m, 12, text, sizeof text, &whole), 0);
    ck_assert_int_eq(whole, 0);
}
END_TEST

START_TEST(data_has_its_text_form)
{
    static const struct { uint16_t type; const char *data; uint32_t n; const char *text; } rows[] = {
        { DNS_T_A, "\xc0\x00\x02\x01", 4, "192.0.2.1" },
        { DNS_T_AAAA, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16, "2001:0db8:0000:0000:0000:0000:0000:0001" },
        { DNS_T_MX, "\x00\x0a\x04mail\x00", 8, "mail" },
        { DNS_T_TXT, "\x02hi\x03you", 7, "hiyou" },
        { DNS_T_TXT, "\x09short", 6, "short" },
        { DNS_T_CAA, "\x00\x05issueca.example", 17, "0 issue ca.example" },
        { DNS_T_A, "\x01\x02", 2, "\x01\x02" },
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t d[64] = { 0 }, out[RDATA_MAX];
        struct dns_rr r = { .type = rows[i].type, .rdata = DNS_HEADER, .rdlen = rows[i].n };
        struct dns_message m;
        memcpy(d + DNS_HEADER, rows[i].data, rows[i].n);
        m = opened(d, DNS_HEADER + rows[i].n);
        ck_assert_uint_eq(rdata_text(&m, &r, out, sizeof out), strlen(rows[i].text));
        ck_assert_mem_eq(out, rows[i].text, strlen(rows[i].text));
    }
}
END_TEST

static void see_name(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    const struct ec_buf *b = fake_buffer(f, x, "dns.answer.name", EC_TO_CLIENT);
    unsigned *seen = arg;

    ck_assert_ptr_nonnull(b);
    ck_assert_uint_eq(b->len, 9);
    ck_assert_mem_eq(b->u.data, "a.example", 9);
    ck_assert_uint_eq(b->wire, 12);
    ++*seen;
}

START_TEST(a_datagram_is_a_transaction_with_a_record)
{
    struct fake_traffic *f = fake_new(dns_register);
    unsigned seen = 0;

    f->on_step = see_name;
    f->on_step_arg = &seen;
    fake_begin(f);
    fake_feed(f, EC_TO_CLIENT, answer, ANSWER_LEN, EC_CH_DATAGRAM);
    ck_assert_uint_eq(seen, 1);
    ck_assert_uint_eq(testhost_count(f->host, "ec.dns/1"), 1);
    fake_end(f);
    fake_free(f);
}
END_TEST

/* SRV, SSHFP and SOA have fields of their own, there and among the answers by type; a broken SRV is written as it is. */
START_TEST(data_of_several_fields_is_written_by_fields)
{
    static const uint8_t message[] =
        "\0\1\x81\x80\0\1\0\4\0\0\0\0" "\1s\0\0\xff\0\1"
        "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x09\0\1\0\2\0\x50\1h\0"
        "\xc0\x0c\0\x2c\0\1\0\0\0\x3c\0\4\1\2\xab\xcd"
        "\xc0\x0c\0\6\0\1\0\0\0\x3c\0\x1a\1m\0\1r\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"
        "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\2no";
    static const char srv[] = "{\"priority\":1,\"weight\":2,\"port\":80,\"name\":\"h\"}",
                      sshfp[] = "{\"fingerprint\":\"ab:cd\",\"algo\":1,\"type\":2}",
                      soa[] = "{\"mname\":\"m\",\"rname\":\"r\",\"serial\":1,\"refresh\":2,\"retry\":3,\"expire\":4,"
                              "\"minimum\":5}";
    struct fake_traffic *f = fake_new(dns_register);
    char wanted[4096];

    fake_begin(f);
    fake_feed(f, EC_TO_CLIENT, message, sizeof message - 1, EC_CH_DATAGRAM);
    snprintf(wanted, sizeof wanted,
             "\"answers\":[{\"rrname\":\"s\",\"rrtype\":\"SRV\",\"ttl\":60,\"srv\":%s},"
             "{\"rrname\":\"s\",\"rrtype\":\"SSHFP\",\"ttl\":60,\"sshfp\":%s},"
             "{\"rrname\":\"s\",\"rrtype\":\"SOA\",\"ttl\":60,\"soa\":%s},"
             "{\"rrname\":\"s\",\"rrtype\":\"SRV\",\"ttl\":60,\"rdata\":\"no\"}],"
             "\"grouped\":{\"SOA\":[%s],\"SRV\":[%s],\"SSHFP\":[%s]}", srv, sshfp, soa, soa, srv, sshfp);
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.dns/1", 0), wanted));
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(messages_on_tcp_are_cut_anywhere)
{
    struct fake_traffic *f = fake_new(dns_register);
    uint8_t stream[3 * (ANSWER_LEN + 2)];

    for (int i = 0; i < 3; i++) {
        uint8_t *p = stream + i * (ANSWER_LEN + 2);
        p[0] = 0;
        p[1] = ANSWER_LEN;
        memcpy(p + 2, answer, ANSWER_LEN);
    }
    for (uint32_t step = 1; step <= sizeof stream; step++) {
        fake_begin(f);
        for (uint32_t at = 0; at < sizeof stream; at += step)
            fake_feed(f, EC_TO_CLIENT, stream + at, at + step < sizeof stream ? step : (uint32_t)sizeof stream - at, 0);
        ck_assert_uint_eq(f->n_ended, 3);
        fake_end(f);
    }
    fake_free(f);
}
END_TEST

START_TEST(damage_is_reported_and_never_read_past)
{
    struct fake_traffic *f = fake_new(dns_register);

    for (uint32_t n = 0; n < ANSWER_LEN; n++) {
        fake_begin(f);
        fake_feed(f, EC_TO_CLIENT, answer, n, EC_CH_DATAGRAM);
        ck_assert_uint_eq(f->anomaly[0], 1);
        ck_assert_uint_eq(f->n_ended, n >= DNS_HEADER);
        fake_end(f);
    }
    fake_free(f);
}
END_TEST

START_TEST(detection_takes_dns_and_leaves_the_rest)
{
    struct fake_traffic *f = fake_new(dns_register);
    const uint8_t http[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    const uint8_t zero[64] = { 0 };
    uint8_t framed[ANSWER_LEN + 2];
    const uint8_t netbios[] = "\x12\x34\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00"
                              " CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01";

    memcpy(framed + 2, answer, ANSWER_LEN);
    framed[0] = 0;
    framed[1] = ANSWER_LEN;
    ck_assert_int_eq(f->proto->probe(answer, ANSWER_LEN, EC_TO_CLIENT | EC_PROBE_DATAGRAM), EC_YES);
    ck_assert_int_eq(f->proto->probe(framed, sizeof framed, EC_TO_CLIENT), EC_YES);
    ck_assert_int_eq(f->proto->probe(framed, 5, EC_TO_CLIENT), EC_MORE);
    ck_assert_int_eq(f->proto->probe(framed, sizeof framed, EC_TO_CLIENT | EC_PROBE_DATAGRAM), EC_NO);
    ck_assert_int_eq(f->proto->probe(answer, 5, EC_TO_CLIENT | EC_PROBE_DATAGRAM), EC_NO);
    for (uint32_t dir = EC_TO_SERVER; dir <= EC_PROBE_DATAGRAM; dir += EC_PROBE_DATAGRAM) {
        ck_assert_int_eq(f->proto->probe(http, sizeof http - 1, dir), EC_NO);
        ck_assert_int_eq(f->proto->probe(zero, sizeof zero, dir), EC_NO);
        ck_assert_int_eq(f->proto->probe(netbios, sizeof netbios - 1, dir), EC_NO);
    }
    fake_free(f);
}
END_TEST

/* An answer to "a.example A" (27 bytes), and records of 12 bytes and their data. */
#define HEAD(counts) "\x12\x34\x81\x80" counts "\x01" "a\x07" "example\x00\x00\x01\x00\x01"
#define RR(name, type, len, data) name "\x00" type "\x00\x01\x00\x00\x00\x3c\x00" len data
#define FIRST RR("\xc0\x0c", "\x01", "\x04", "\xc0\x00\x02\x01")
#define ONE "\x00\x01\x00\x01\x00\x00\x00\x00"
#define TWO "\x00\x01\x00\x02\x00\x00\x00\x00"
#define AUTHORITY "\x00\x01\x00\x01\x00\x01\x00\x00"
#define ADDITIONAL "\x00\x01\x00\x01\x00\x00\x00\x01"
#define BYTES(d) (const uint8_t *)(d), sizeof(d) - 1

/* The anomalies of one message: these, each once, and no other. names: each with a space behind it. */
static void expect_faults(struct fake_traffic *f, uint32_t dir, const uint8_t *d, uint32_t n, const char *names)
{
    fake_begin(f);
    fake_feed(f, dir, d, n, EC_CH_DATAGRAM);
    for (uint32_t i = 0; i < f->proto->n_anomaly; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s ", f->proto->anomaly[i]);
        ck_assert_msg(f->anomaly[i] == (strstr(names, name) ? 1 : 0), "%s: %u, of %s", name, f->anomaly[i], names);
    }
    ck_assert_uint_eq(f->n_ended, 1);
    fake_end(f);
}

START_TEST(each_fault_has_its_name)
{
    static const struct { const uint8_t *d; uint32_t n; const char *names; } rows[] = {
        { BYTES(HEAD(ONE) FIRST), "" },
        { BYTES("\x12\x34\x81\xc0" "\x00\x01\x00\x00\x00\x00\x00\x00" "\x01" "a\x00\x00\x01\x00\x01"), "z_flag_set " },
        /* Pointers that lead to themselves, out of the message, in circles of two and around a label. */
        { BYTES(HEAD(TWO) FIRST RR("\xc0\x2b", "\x01", "\x04", "\xc0\x00\x02\x01")), "malformed_data " },
        { BYTES(HEAD(TWO) RR("\xc0\x0c", "\x0a", "\x02", "\xc0\x27") RR("\xc0\x27", "\x01", "\x00", "")),
          "infinite_loop " },
        { BYTES(HEAD(ONE) RR("\xc0\x0c", "\x05", "\x02", "\xc0\x27")), "malformed_data " },
        { BYTES(HEAD(TWO) RR("\xc0\x0c", "\x05", "\x02", "\xc0\x27") FIRST), "infinite_loop " },
        { BYTES(HEAD(ONE) RR("\xc0\x0c", "\x05", "\x02", "\xff\xff")), "malformed_data " },
        { BYTES(HEAD(TWO) RR("\xc0\x0c", "\x0a", "\x04", "\xc0\x29\xc0\x27") RR("\xc0\x27", "\x01", "\x00", "")),
          "name_too_long too_many_labels " },
        { BYTES(HEAD(TWO) RR("\xc0\x0c", "\x0a", "\x04", "\x01z\xc0\x27") RR("\xc0\x27", "\x01", "\x00", "")),
          "name_too_long too_many_labels " },
        /* Data that is not what its type says; nothing at all is what an update deletes. */
        { BYTES(HEAD(TWO) RR("\xc0\x0c", "\x05", "\x03", "\x09" "ab") FIRST), "malformed_data " },
        { BYTES(HEAD(TWO) RR("\xc0\x0c", "\x02", "\x03", "\x02" "ab") FIRST), "malformed_data " },
        { BYTES(HEAD(ONE) RR("\xc0\x0c", "\x0f", "\x01", "\x00")), "malformed_data " },
        { BYTES(HEAD(ONE) RR("\xc0\x0c", "\x10", "\x03", "\x03" "ab")), "malformed_data " },
        { BYTES(HEAD(ONE) RR("\xc0\x0c", "\x2c", "\x01", "\x00")), "malformed_data " },
        { BYTES(HEAD(ONE) RR("\xc0\x0c", "\x06", "\x08", "\xc0\x0c\xc0\x0c\x00\x00\x00\x01")), "malformed_data " },
        { BYTES(HEAD(ONE) RR("\xc0\x0c", "\x0f", "\x00", "")), "" },
        { BYTES(HEAD(ONE) RR("\xc0\x0c", "\x21", "\x08", "\x00\x00\x00\x00\x00\x50\xc0\x0c")), "" },
        /* The other sections. */
        { BYTES(HEAD(AUTHORITY) FIRST), "invalid_authorities " },
        { BYTES(HEAD(AUTHORITY) FIRST RR("\xc0\x0c", "\x02", "\x02", "\xc0\x0c")), "" },
        { BYTES(HEAD(AUTHORITY) FIRST RR("\xc0\x0c", "\x02", "\x01", "\x80")), "invalid_authorities " },
        { BYTES(HEAD(ADDITIONAL) FIRST RR("\x00", "\x29", "\x00", "")), "" },
        { BYTES(HEAD(ADDITIONAL) FIRST RR("\x00", "\x29", "\x05", "\x00\x08\x00\x01z")), "" },
        { BYTES(HEAD(ADDITIONAL) FIRST RR("\x00", "\x29", "\x05", "\x00\x08\x00\x02z")), "invalid_additionals " },
    };
    struct fake_traffic *f = fake_new(dns_register);
    uint8_t cut[] = HEAD(ADDITIONAL) FIRST "\x00";

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_faults(f, EC_TO_CLIENT, rows[i].d, rows[i].n, rows[i].names);
    expect_faults(f, EC_TO_CLIENT, cut, sizeof cut - 1, "invalid_additionals ");
    cut[2] |= 2;                    /* it says so itself */
    expect_faults(f, EC_TO_CLIENT, cut, sizeof cut - 1, "");
    fake_free(f);
}
END_TEST

/* A question for a name of `labels` labels, each of `size` bytes. Returns its length. */
static uint32_t question(uint8_t *d, uint32_t labels, uint32_t size)
{
    static const uint8_t head[DNS_HEADER] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00";
    uint8_t *p = d + DNS_HEADER;

    memcpy(d, head, DNS_HEADER);
    for (uint32_t i = 0; i < labels; i++) {
        *p++ = (uint8_t)size;
        memset(p, 'x', size);
        p += size;
    }
    memcpy(p, "\x00\x00\x01\x00\x01", 5);
    return (uint32_t)(p + 5 - d);
}

START_TEST(names_have_a_length)
{
    struct fake_traffic *f = fake_new(dns_register);
    uint8_t d[2048];

    expect_faults(f, EC_TO_SERVER, d, question(d, 127, 1), "");
    expect_faults(f, EC_TO_SERVER, d, question(d, 128, 1), "name_too_long ");
    expect_faults(f, EC_TO_SERVER, d, question(d, 255, 1), "name_too_long ");
    expect_faults(f, EC_TO_SERVER, d, question(d, 256, 1), "malformed_data ");
    expect_faults(f, EC_TO_SERVER, d, question(d, 5, 63), "name_too_long ");
    /* Too long by itself, or because of a loop; a loop behind what is too long has too many labels, too. */
    for (uint32_t labels = 10; labels <= 17; labels += 7) {
        uint32_t n = question(d, labels, 63);
        memcpy(d + n - 5, "\xc0\x0c\x00\x01\x00\x01", 6);
        expect_faults(f, EC_TO_SERVER, d, n + 1, labels == 17 ? "name_too_long too_many_labels " : "name_too_long ");
    }
    fake_free(f);
}
END_TEST

START_TEST(each_side_keeps_to_its_part)
{
    struct fake_traffic *f = fake_new(dns_register);
    uint8_t asked[64];
    uint32_t n = question(asked, 2, 3);

    for (uint32_t client = EC_TO_SERVER; client <= EC_TO_CLIENT; client++)
        for (int midstream = 0; midstream < 2; midstream++) {
            fake_begin(f);
            if (!midstream)
                fake_feed(f, client, asked, n, EC_CH_DATAGRAM);
            fake_feed(f, 1 - client, answer, ANSWER_LEN, EC_CH_DATAGRAM);
            fake_feed(f, client, asked, n, EC_CH_DATAGRAM);
            ck_assert_uint_eq(fake_told(f, "not_request") + fake_told(f, "not_response"), 0);
            fake_feed(f, 1 - client, asked, n, EC_CH_DATAGRAM);
            ck_assert_uint_eq(fake_told(f, "not_response"), 1);
            ck_assert_uint_eq(fake_told(f, "not_request"), 0);
            fake_feed(f, client, answer, ANSWER_LEN, EC_CH_DATAGRAM);
            ck_assert_uint_eq(fake_told(f, "not_request"), 1);
            fake_end(f);
        }
    fake_free(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dns");
    TCase *tc = tcase_create("dns");

    tcase_add_test(tc, compressed_names_are_followed_backwards_only);
    tcase_add_test(tc, data_has_its_text_form);
    tcase_add_test(tc, a_datagram_is_a_transaction_with_a_record);
    tcase_add_test(tc, data_of_several_fields_is_written_by_fields);
    tcase_add_test(tc, messages_on_tcp_are_cut_anywhere);
    tcase_add_test(tc, damage_is_reported_and_never_read_past);
    tcase_add_test(tc, each_fault_has_its_name);
    tcase_add_test(tc, names_have_a_length);
    tcase_add_test(tc, each_side_keeps_to_its_part);
    tcase_add_test(tc, detection_takes_dns_and_leaves_the_rest);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
