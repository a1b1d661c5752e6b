/* test_mdns.c: the mDNS parser: what tells it from rubbish, sections as lists, the record. */
#include <string.h>

#include "plugins/traffic/proto/dns/mdns.h"
#include "tests/support/fake_text.h"
#include "tests/unit/unit.h"

/* A service that announces itself: PTR, TXT with two strings, SRV and A in the additional section. */
static const uint8_t announce[] =
    "\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x03"
    "\x04" "_ipp\x04" "_tcp\x05" "local\x00\x00\x0c\x00\x01\x00\x00\x11\x94\x00\x04\x01" "p\xc0\x0c"
    "\xc0\x27\x00\x10\x80\x01\x00\x00\x11\x94\x00\x08\x03" "a=1\x03" "b=2"
    "\xc0\x27\x00\x21\x80\x01\x00\x00\x00\x78\x00\x0a\x00\x00\x00\x00\x02\x77\x01" "h\xc0\x16"
    "\xc0\x51\x00\x01\x80\x01\x00\x00\x00\x78\x00\x04\xc0\x00\x02\x07";
#define ANNOUNCE_LEN (sizeof announce - 1)

/* Two questions. */
static const uint8_t question[] =
    "\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00"
    "\x04" "_ipp\x04" "_tcp\x05" "local\x00\x00\x0c\x80\x01\x01" "h\xc0\x16\x00\x1c\x00\x01";
#define QUESTION_LEN (sizeof question - 1)

static void expect_list(struct fake_traffic *f, struct ec_tx *x, const char *name, uint32_t dir, const char *first,
                        uint32_t n)
{
    const struct ec_buf *b = fake_buffer(f, x, name, dir);

    ck_assert_msg(b && (b->state & EC_BUF_LIST), "%s", name);
    ck_assert_uint_eq(b->len, n);
    ck_assert_uint_eq(b->u.item[0].len, strlen(first));
    ck_assert_mem_eq(b->u.item[0].u.data, first, strlen(first));
}

static void see_announce(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    expect_list(f, x, "mdns.answers.rrname", EC_TO_SERVER, "_ipp._tcp.local", 1);
    expect_list(f, x, "mdns.additionals.rrname", EC_TO_SERVER, "p._ipp._tcp.local", 3);
    ck_assert_ptr_null(fake_buffer(f, x, "mdns.queries.rrname", EC_TO_SERVER));
    ++*(unsigned *)arg;
}

static void see_question(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    expect_list(f, x, "mdns.queries.rrname", EC_TO_CLIENT, "_ipp._tcp.local", 2);
    ++*(unsigned *)arg;
}

START_TEST(each_section_is_a_list_in_the_direction_it_came)
{
    struct fake_traffic *f = fake_new(mdns_register);
    unsigned seen = 0;

    f->on_step_arg = &seen;
    fake_begin(f);
    f->on_step = see_announce;
    fake_feed(f, EC_TO_SERVER, announce, ANNOUNCE_LEN, EC_CH_DATAGRAM);
    f->on_step = see_question;
    fake_feed(f, EC_TO_CLIENT, question, QUESTION_LEN, EC_CH_DATAGRAM);
    ck_assert_uint_eq(seen, 2);
    ck_assert_uint_eq(testhost_count(f->host, "ec.mdns/1"), 2);
    ck_assert_uint_eq(f->anomaly[0], 0);
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(data_is_written_by_the_name_of_its_type)
{
    static const uint8_t message[] =
        "\0\0\x84\0\0\0\0\1\0\0\0\2"
        "\1h\5local\0\0\x0d\0\1\0\0\0\x78\0\5\1x\2os"
        "\xc0\x0c\0\x2f\0\1\0\0\0\x78\0\3n:s"
        "\0\0\x29\5\xa0\0\0\0\0\0\x0d\0\4\0\2\xab\xcd\0\x09\0\0\0\x0a\0";  /* the third option is cut */
    struct fake_traffic *f = fake_new(mdns_register);
    const char *text;

    fake_begin(f);
    fake_feed(f, EC_TO_CLIENT, message, sizeof message - 1, EC_CH_DATAGRAM);
    text = fake_text(f, "ec.mdns/1", 0);
    ck_assert_ptr_nonnull(strstr(text, "\"answers\":[{\"rrname\":\"h.local\",\"hinfo\":\"\\u0001x\\u0002os\"}]"));
    ck_assert_ptr_nonnull(strstr(text, "\"additionals\":[{\"rrname\":\"h.local\",\"nsec\":\"n:s\"},"
                                       "{\"rrname\":\"\",\"opt\":[{\"code\":4,\"data\":\"abcd\"},"
                                       "{\"code\":9,\"data\":\"\"}]}]"));
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(damage_is_reported_and_never_read_past)
{
    struct fake_traffic *f = fake_new(mdns_register);

    for (uint32_t n = 0; n < ANNOUNCE_LEN; n++) {
        fake_begin(f);
        fake_feed(f, EC_TO_SERVER, announce, n, EC_CH_DATAGRAM);
        ck_assert_uint_eq(fake_told(f, "malformed_data") + fake_told(f, "invalid_additionals"), 1);
        fake_end(f);
    }
    fake_free(f);
}
END_TEST

START_TEST(faults_have_the_names_of_dns)
{
    struct fake_traffic *f = fake_new(mdns_register);
    uint8_t d[ANNOUNCE_LEN];

    memcpy(d, announce, sizeof d);
    d[3] |= 0x40;
    d[2] |= 0x38;
    d[46] = 0x29;                   /* the first additional record: an option, whose data is none */
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, d, sizeof d, EC_CH_DATAGRAM);
    fake_feed(f, EC_TO_CLIENT, question, QUESTION_LEN, EC_CH_DATAGRAM);
    fake_feed(f, EC_TO_CLIENT, announce, ANNOUNCE_LEN, EC_CH_DATAGRAM);
    ck_assert_uint_eq(fake_told(f, "z_flag_set"), 1);
    ck_assert_uint_eq(fake_told(f, "invalid_opcode"), 1);
    ck_assert_uint_eq(fake_told(f, "malformed_data"), 0);
    ck_assert_uint_eq(fake_told(f, "invalid_additionals"), 1);
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(detection_wants_opcode_and_response_code_zero)
{
    struct fake_traffic *f = fake_new(mdns_register);
    uint8_t d[ANNOUNCE_LEN];

    memcpy(d, announce, sizeof d);
    ck_assert_int_eq(f->proto->probe(d, sizeof d, EC_TO_SERVER | EC_PROBE_DATAGRAM), EC_YES);
    ck_assert_int_eq(f->proto->probe(question, QUESTION_LEN, EC_TO_SERVER | EC_PROBE_DATAGRAM), EC_YES);
    ck_assert_int_eq(f->proto->probe(d, 11, EC_TO_SERVER | EC_PROBE_DATAGRAM), EC_NO);
    d[3] = 3;
    ck_assert_int_eq(f->proto->probe(d, sizeof d, EC_TO_SERVER | EC_PROBE_DATAGRAM), EC_NO);
    fake_free(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mdns");
    TCase *tc = tcase_create("mdns");

    tcase_add_test(tc, each_section_is_a_list_in_the_direction_it_came);
    tcase_add_test(tc, data_is_written_by_the_name_of_its_type);
    tcase_add_test(tc, damage_is_reported_and_never_read_past);
    tcase_add_test(tc, faults_have_the_names_of_dns);
    tcase_add_test(tc, detection_wants_opcode_and_response_code_zero);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
