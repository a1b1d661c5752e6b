/* What a host hears whose packet was rejected. Checksums are verified by sums of their own. */
#include "tests/unit/unit.h"

#include <string.h>

#include "plugins/bridge/reject.h"

static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa };     /* to b, from a */
static uint8_t frame[2000], answer[REJECT_ROOM];
static uint32_t len;

static void add(const void *p, uint32_t n)
{
    memcpy(frame + len, p, n);
    len += n;
}
#define ADD(...) add((const uint8_t[]){ __VA_ARGS__ }, sizeof (const uint8_t[]){ __VA_ARGS__ })

static void ether4(uint8_t proto, uint32_t payload)
{
    uint32_t total = 20 + payload;

    len = 0;
    add(macs, 12);
    ADD(8, 0, 0x45, 0, (uint8_t)(total >> 8), (uint8_t)total, 0, 1, 0, 0, 64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2);
}

static void ether6(uint8_t next, uint32_t payload)
{
    len = 0;
    add(macs, 12);
    ADD(0x86, 0xdd, 0x60, 0, 0, 0, (uint8_t)(payload >> 8), (uint8_t)payload, next, 64,
        0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
}

static void tcp(uint8_t flags, uint32_t data)
{
    ADD(0x9c, 0x40, 0, 80, 0, 0, 0x10, 0, 0, 0, 0x20, 0, 5 << 4, flags, 1, 0, 0, 0, 0, 0);
    memset(frame + len, 'x', data);
    len += data;
}

static uint32_t ones(uint32_t s, const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

/* Is the sum at layer 4 right, and that of an IPv4 header? */
static void sums(uint32_t l3, uint32_t n, bool pseudo)
{
    bool four = answer[l3] >> 4 == 4;
    uint32_t l4 = l3 + (four ? 20 : 40), s = 0;

    if (four)
        ck_assert_uint_eq(ones(0, answer + l3, 20), 0xffff);
    if (pseudo) {
        s = ones(n - l4 + answer[l3 + (four ? 9 : 6)], answer + l3 + (four ? 12 : 8), four ? 8 : 32);
    }
    ck_assert_uint_eq(ones(s, answer + l4, n - l4), 0xffff);
}

static uint32_t number(uint32_t at)
{
    return (uint32_t)answer[at] << 24 | (uint32_t)answer[at + 1] << 16 | (uint32_t)answer[at + 2] << 8 | answer[at + 3];
}

START_TEST(reset_to_the_sender)
{
    static const uint8_t back[] = { 2, 0, 0, 0, 0, 0xa, 2, 0, 0, 0, 0, 0xb, 8, 0 }, ends[] = { 10, 0, 0, 2, 10, 0, 0, 1 };

    ether4(6, 20 + 7);
    tcp(0x18, 7);
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 14 + 20 + 20);
    ck_assert(!memcmp(answer, back, sizeof back) && !memcmp(answer + 26, ends, sizeof ends));
    ck_assert(!memcmp(answer + 34, "\0\x50\x9c\x40", 4));
    ck_assert_uint_eq(answer[47], 4);               /* RST alone: its number is the one that was acknowledged */
    ck_assert_uint_eq(number(38), 0x2000);
    ck_assert_uint_eq(number(42), 0);
    sums(14, 54, true);

    ether4(6, 20);
    tcp(2, 0);                                      /* a SYN acknowledges nothing */
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 54);
    ck_assert_uint_eq(answer[47], 0x14);
    ck_assert_uint_eq(number(38), 0);
    ck_assert_uint_eq(number(42), 0x1001);
    sums(14, 54, true);
}
END_TEST

START_TEST(reset_to_the_receiver)
{
    ether4(6, 20 + 7);
    tcp(0x18, 7);
    ck_assert_uint_eq(reject_answer(answer, frame, len, false), 54);
    ck_assert(!memcmp(answer, frame, 14) && !memcmp(answer + 26, frame + 26, 8) && !memcmp(answer + 34, frame + 34, 4));
    ck_assert_uint_eq(answer[47], 0x14);
    ck_assert_uint_eq(number(38), 0x1000);          /* the next that it waits for: the segment never came */
    ck_assert_uint_eq(number(42), 0x2000);
    sums(14, 54, true);
}
END_TEST

START_TEST(over_ipv6_and_tags)
{
    ether6(60, 8 + 20);
    ADD(6, 0, 1, 4, 0, 0, 0, 0);                    /* destination options */
    tcp(0x10, 0);
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 14 + 40 + 20);
    ck_assert_uint_eq(answer[14 + 6], 6);
    ck_assert_uint_eq(answer[14 + 23], 2);          /* from fd09::2 */
    sums(14, 74, true);

    ether4(17, 8 + 5);
    ADD(0x9c, 0x40, 0, 53, 0, 13, 0, 0, 'h', 'e', 'l', 'l', 'o');
    memmove(frame + 20, frame + 12, len - 12);      /* two tags */
    memcpy(frame + 12, "\x88\xa8\0\x07\x81\0\0\x05", 8);
    len += 8;
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 22 + 20 + 8 + 33);
    ck_assert(!memcmp(answer + 12, frame + 12, 10));
    ck_assert_uint_eq(answer[22 + 9], 1);
    ck_assert_uint_eq(answer[42] << 8 | answer[43], 3 << 8 | 3);
    ck_assert(!memcmp(answer + 50, frame + 22, 33));
    sums(22, 22 + 20 + 8 + 33, false);
    ck_assert_uint_eq(reject_answer(answer, frame, len, false), 0);
}
END_TEST

START_TEST(quotes_what_fits)
{
    ether6(17, 1400);
    memset(frame + len, 'y', 1400);
    len += 1400;
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 14 + 1280);
    ck_assert_uint_eq(answer[54] << 8 | answer[55], 1 << 8 | 4);
    sums(14, 14 + 1280, true);
    ether4(17, 1400);
    memset(frame + len, 'y', 1400);
    len += 1400;
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 14 + 576);
    sums(14, 14 + 576, false);
    ether4(132, 12);
    memset(frame + len, 0, 12);
    len += 12;
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 14 + 28 + 32);
    ck_assert_uint_eq(answer[34] << 8 | answer[35], 3 << 8 | 13);     /* no port, but forbidden */
}
END_TEST

START_TEST(echo_requests_only)
{
    ether4(1, 8);
    ADD(8, 0, 0, 0, 0, 0, 0, 1);
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 14 + 28 + 28);
    frame[34] = 3;                                  /* an error is answered by none */
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 0);
    frame[34] = 0;
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 0);
    ether6(58, 8);
    ADD(128, 0, 0, 0, 0, 0, 0, 1);
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 14 + 48 + 48);
    ck_assert_uint_eq(answer[54] << 8 | answer[55], 1 << 8 | 1);
    frame[54] = 1;
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 0);
}
END_TEST

#define AH_BYTES 16u
static void ah(uint8_t next) { ADD(next, AH_BYTES / 4 - 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0); }

/* What stands behind other headers is the same to the one who hears it. */
START_TEST(behind_other_headers)
{
    ether4(51, AH_BYTES + 8);
    ah(1);
    ADD(3, 0, 0, 0, 0, 0, 0, 0);                    /* an error */
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 0);
    frame[34 + AH_BYTES] = 8;
    ck_assert_uint_gt(reject_answer(answer, frame, len, true), 0);
    frame[34 + 1] = 200;                            /* longer than the packet */
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 0);
    ether4(51, AH_BYTES + 20);
    ah(6);
    tcp(0x10, 0);
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 14 + 20 + 20);
    frame[len - 7] |= 4;                            /* a reset */
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 0);
    ether6(51, AH_BYTES + 8);
    ah(58);
    ADD(1, 0, 0, 0, 0, 0, 0, 0);
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 0);
    for (uint32_t headers = 1; headers < 20; headers++) {
        ether6(60, 8 * headers + 8);
        for (uint32_t i = 1; i <= headers; i++)
            ADD(i == headers ? 58 : 60, 0, 1, 4, 0, 0, 0, 0);
        ADD(128, 0, 0, 0, 0, 0, 0, 1);
        ck_assert_uint_eq(!reject_answer(answer, frame, len, true), headers > 8);
        frame[len - 8] = 1;
        ck_assert_uint_eq(reject_answer(answer, frame, len, true), 0);
    }
}
END_TEST

static uint32_t silent(uint32_t at, uint8_t value)
{
    uint8_t before = frame[at];
    uint32_t n;

    frame[at] = value;
    n = reject_answer(answer, frame, len, true);
    frame[at] = before;
    return !n;
}

START_TEST(nobody_to_tell)
{
    ether4(6, 20);
    tcp(0x10, 0);
    ck_assert(silent(47, 0x14));                    /* a reset */
    ck_assert(silent(0, 0x33) && silent(6, 1));     /* groups */
    ck_assert(silent(30, 224) && silent(26, 0) && silent(30, 255));
    ck_assert(silent(21, 5));                       /* a later fragment */
    ck_assert(silent(13, 6));                       /* ARP */
    ck_assert(silent(46, 4 << 4) && silent(46, 15 << 4) && silent(14, 0x4f) && silent(14, 0x65) && silent(17, 19));
    ether6(6, 20);
    tcp(0x10, 0);
    ck_assert(silent(38, 0xff) && silent(22, 0xff) && silent(20, 44) && silent(20, 0));
    memset(frame + 22, 0, 16);
    ck_assert_uint_eq(reject_answer(answer, frame, len, true), 0);
}
END_TEST

/* Wherever it is cut: no answer, or one that is whole. */
START_TEST(cut)
{
    for (uint32_t v = 0; v < 2; v++) {
        (v ? ether6 : ether4)(6, 20 + 9);
        tcp(0x18, 9);
        for (uint32_t n = 0; n < len; n++) {
            uint32_t whole = 14 + (v ? 40 : 20) + 20;

            ck_assert_uint_eq(reject_answer(answer, frame, n, true), n < whole ? 0 : whole);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reject");
    TCase *tc = tcase_create("reject");

    tcase_add_test(tc, reset_to_the_sender);
    tcase_add_test(tc, reset_to_the_receiver);
    tcase_add_test(tc, over_ipv6_and_tags);
    tcase_add_test(tc, quotes_what_fits);
    tcase_add_test(tc, echo_requests_only);
    tcase_add_test(tc, behind_other_headers);
    tcase_add_test(tc, nobody_to_tell);
    tcase_add_test(tc, cut);
    suite_add_tcase(s, tc);
    return unit_run(s);
}
