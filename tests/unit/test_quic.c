/* test_quic.c: the QUIC parser: RFC 9001's vectors, hellos in pieces, retries, and damage. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/traffic/proto/quic/frames.h"
#include "plugins/traffic/proto/quic/google.h"
#include "plugins/traffic/proto/quic/keys.h"
#include "plugins/traffic/proto/quic/packet.h"
#include "plugins/traffic/proto/quic/quic.h"
#include "tests/support/fake_text.h"
#include "tests/unit/unit.h"

static uint32_t unhex(uint8_t *out, const char *hex)
{
    uint32_t n = 0;

    for (; hex[0] && hex[1]; hex += 2, n++) {
        unsigned v;
        ck_assert_int_eq(sscanf(hex, "%2x", &v), 1);
        out[n] = (uint8_t)v;
    }
    return n;
}

static void expect_hex(const uint8_t *d, const char *hex)
{
    uint8_t want[2048];
    uint32_t n = unhex(want, hex);

    ck_assert_mem_eq(d, want, n);
}

/* RFC 9001 appendix A.1; RFC 9369 appendix A.1 */
START_TEST(keys_are_those_of_the_rfcs)
{
    uint8_t dcid[8];
    struct quic_keys k;

    unhex(dcid, "8394c8f03e515708");
    ck_assert(keys_setup());
    ck_assert(keys_initial(&k, QUIC_V1, dcid, 8));
    expect_hex(k.side[0].key, "1f369613dd76d5467730efcbe3b1a22d");
    expect_hex(k.side[0].iv, "fa044b2f42a3fd3b46fb255c");
    expect_hex(k.side[0].hp, "9f50449e04a0e810283a1e9933adedd2");
    expect_hex(k.side[1].key, "cf3a5331653c364c88f0f379b6067e37");
    expect_hex(k.side[1].iv, "0ac1493ca1905853b0bba03e");
    expect_hex(k.side[1].hp, "c206b8d9b9f0f37644430b490eeaa314");
    ck_assert(keys_initial(&k, QUIC_V2, dcid, 8));
    expect_hex(k.side[0].key, "8b1a0bc121284290a29e0971b5cd045d");
    expect_hex(k.side[0].iv, "91f73e2351d8fa91660e909f");
    expect_hex(k.side[0].hp, "45b95e15235d6f45a6b19cbcb0294ba9");
    ck_assert(!keys_initial(&k, 0x12345678, dcid, 8));
}
END_TEST

/* RFC 9001 appendix A.3 */
static const char server_packet[] =
    "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf7"
    "3c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f"
    "58891850abbdca3d20398c276456cbc42158407dd074ee";

START_TEST(a_packet_of_the_rfc_is_opened)
{
    uint8_t d[256], out[256], dcid[8];
    uint32_t n = unhex(d, server_packet), len;
    struct crypto c = { 0 };
    struct quic_packet p;
    struct quic_keys k;
    const uint8_t *message;

    unhex(dcid, "8394c8f03e515708");
    ck_assert(keys_setup() && keys_initial(&k, QUIC_V1, dcid, 8));
    ck_assert(quic_packet_read(&p, d, n));
    ck_assert_int_eq(p.type, QUIC_INITIAL);
    ck_assert_uint_eq(p.len, n);
    ck_assert_int_eq(keys_open(&k.side[1], &p, d, out), 99);
    expect_hex(out, "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a");
    ck_assert(frames_read(&c, out, 99));
    ck_assert_ptr_nonnull(message = crypto_message(&c, &len));
    ck_assert_uint_eq(len, 90);
    ck_assert_uint_eq(message[0], 2);
    crypto_drop(&c);
    ck_assert_int_eq(keys_open(&k.side[0], &p, d, out), -1);
    d[60] ^= 1;
    ck_assert_int_eq(keys_open(&k.side[1], &p, d, out), -1);
    for (uint32_t cut = 0; cut < n; cut++)
        ck_assert(!quic_packet_read(&p, d, cut));
}
END_TEST

static const uint8_t first_id[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, second_id[8] = { 9, 9, 9, 9, 9, 9, 9, 9 };

/* An Initial packet with these frames, padded to 1,200 bytes; id: whose keys it has, and its destination. */
static uint32_t seal(uint8_t *out, uint32_t dir, const uint8_t id[8], uint32_t number, const uint8_t *frames,
                     uint32_t n)
{
    uint8_t plain[1200] = { 0 }, nonce[12], mask[32], tag[16];
    uint32_t head = 1 + 4 + 9 + 1 + 1 + 2, size = 1200 - head - 1 - 16;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    struct quic_keys k;
    int len;

    ck_assert(keys_setup() && keys_initial(&k, QUIC_V1, id, 8));
    memcpy(plain, frames, n);
    memcpy(out, "\xc0\0\0\0\1\x08", 6);
    memcpy(out + 6, dir == EC_TO_SERVER ? id : second_id, 8);
    memcpy(out + 14, "\0\0", 2);
    out[16] = (uint8_t)(0x40 | (size + 17) >> 8), out[17] = (uint8_t)(size + 17);
    out[18] = (uint8_t)number;
    memcpy(nonce, k.side[dir].iv, 12);
    nonce[11] ^= (uint8_t)number;
    ck_assert(EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, k.side[dir].key, nonce));
    ck_assert(EVP_EncryptUpdate(c, NULL, &len, out, 19) && EVP_EncryptUpdate(c, out + 19, &len, plain, (int)size));
    ck_assert(EVP_EncryptFinal_ex(c, out + 19 + len, &len));
    ck_assert(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag));
    memcpy(out + 19 + size, tag, 16);
    EVP_CIPHER_CTX_reset(c);
    ck_assert(EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, k.side[dir].hp, NULL));
    ck_assert(EVP_EncryptUpdate(c, mask, &len, out + 18 + 4, 16));
    out[0] ^= mask[0] & 0x0f;
    out[18] ^= mask[1];
    EVP_CIPHER_CTX_free(c);
    return head + 1 + size + 16;
}

/* CRYPTO frame. */
static uint32_t crypto_frame(uint8_t *out, uint32_t offset, const uint8_t *d, uint32_t n)
{
    const uint8_t head[5] = { 6, (uint8_t)(0x40 | offset >> 8), (uint8_t)offset, (uint8_t)(0x40 | n >> 8), (uint8_t)n };

    memcpy(out, head, 5);
    memcpy(out + 5, d + offset, n);
    return 5 + n;
}

static uint32_t client_hello(uint8_t *d)
{
    static const char extensions[] = "\0\0\0\x0e\0\x0c\0\0\x09shop.test" "\0\x10\0\x05\0\x03\x02h3" "\0\x2b\0\3\2\3\4";
    uint32_t n = 4, len = sizeof extensions - 1;

    memset(d, 0, 64);
    d[0] = 1;
    d[n++] = 3, d[n++] = 3;
    n += 32 + 1;                                    /* random, no session id */
    memcpy(d + n, "\0\2\x13\1\1\0", 6);
    n += 6;
    d[n++] = 0, d[n++] = (uint8_t)len;
    memcpy(d + n, extensions, len);
    n += len;
    d[3] = (uint8_t)(n - 4);
    return n;
}

static void see_sni(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    const struct ec_buf *sni = fake_buffer(f, x, "quic.sni", EC_TO_SERVER),
                        *ja4 = fake_buffer(f, x, "ja4.hash", EC_TO_SERVER);

    if (!sni || !ja4)
        return;
    ck_assert_mem_eq(sni->u.data, "shop.test", 9);
    ck_assert_mem_eq(ja4->u.data, "q13d0103h3_", 11);
    ++*(uint32_t *)arg;
}

START_TEST(a_hello_in_pieces_and_out_of_order)
{
    struct fake_traffic *f = fake_new(quic_register);
    uint8_t hello[256], frames[512], packet[1500];
    uint32_t n = client_hello(hello), at, len, seen = 0;

    f->on_step = see_sni;
    f->on_step_arg = &seen;
    fake_begin(f);
    at = crypto_frame(frames, 40, hello, n - 40);
    frames[at++] = 1;                               /* PING */
    at += crypto_frame(frames + at, 10, hello, 20);
    len = seal(packet, 0, first_id, 0, frames, at);
    ck_assert_uint_eq(len, 1200);
    ck_assert_int_eq(f->proto->probe(packet, len, EC_PROBE_DATAGRAM), EC_YES);
    ck_assert_int_eq(f->proto->probe(packet, len, 0), EC_NO);
    fake_feed(f, EC_TO_SERVER, packet, len, EC_CH_DATAGRAM);
    ck_assert_uint_eq(f->n_begun, 1);               /* its record has at least the version, should nothing follow */
    ck_assert_uint_eq(f->n_ended, 0);
    ck_assert_str_eq((const char *)fake_buffer(f, f->open[0], "quic.version", EC_TO_SERVER)->u.data, "1");
    at = crypto_frame(frames, 0, hello, 15);
    at += crypto_frame(frames + at, 30, hello, 12);
    len = seal(packet, 0, first_id, 1, frames, at);
    fake_feed(f, EC_TO_SERVER, packet, len, EC_CH_DATAGRAM);
    ck_assert_uint_eq(f->n_ended, 1);
    ck_assert_uint_eq(seen, 1);
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.quic/1", 0),
                                 "\"quic\":{\"version\":\"1\",\"sni\":\"shop.test\",\"ja3\":{"));
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.quic/1", 0),
                                 "\"extensions\":[{\"name\":\"server_name\",\"type\":0,\"values\":["
                                                "\"shop.test\"]},{\"name\":\"alpn\",\"type\":16,\"values\":[\"h3\"]},"
                                                "{\"name\":\"supported_versions\",\"type\":43,"
                                                "\"values\":[\"Tls13\"]}]"));
    fake_feed(f, EC_TO_SERVER, packet, len, EC_CH_DATAGRAM);    /* nothing more of this side */
    ck_assert_uint_eq(f->n_begun, 1);
    for (uint32_t i = 0; i < f->proto->n_anomaly; i++)
        ck_assert_uint_eq(f->anomaly[i], 0);
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(a_retry_changes_the_keys_once)
{
    struct fake_traffic *f = fake_new(quic_register);
    uint8_t hello[256], frames[512], packet[1500];
    uint32_t n = client_hello(hello), at = crypto_frame(frames, 0, hello, n);
    static const uint8_t retry[] = { 0xf0, 0, 0, 0, 1, 0, 8, 9, 9, 9, 9, 9, 9, 9, 9, 't', 'o', 'k', 'e', 'n' };

    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, packet, seal(packet, 0, first_id, 0, frames, at), EC_CH_DATAGRAM);
    fake_feed(f, EC_TO_CLIENT, retry, sizeof retry, EC_CH_DATAGRAM);
    fake_feed(f, EC_TO_SERVER, packet, seal(packet, 0, second_id, 1, frames, at), EC_CH_DATAGRAM);
    ck_assert_uint_eq(f->n_ended, 3);
    fake_feed(f, EC_TO_CLIENT, retry, sizeof retry, EC_CH_DATAGRAM);
    memcpy(frames + 5, "\2\0\0\x28\3\3", 6);        /* ServerHello of 40 bytes, without extensions */
    frames[5 + 6 + 32] = 0;
    memcpy(frames + 5 + 6 + 33, "\x13\1\0\0\0", 5);
    frames[3] = 0x40, frames[4] = 44;
    fake_feed(f, EC_TO_CLIENT, packet, seal(packet, 1, second_id, 0, frames, 5 + 44), EC_CH_DATAGRAM);
    ck_assert_uint_eq(fake_told(f, "failed_decrypt"), 0);
    ck_assert_uint_eq(f->n_ended, 5);
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.quic/1", 4), "\"ja3s\":{"));
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(damage_is_reported)
{
    struct fake_traffic *f = fake_new(quic_register);
    uint8_t hello[256], frames[512], packet[1500];
    uint32_t n = client_hello(hello), at = crypto_frame(frames, 0, hello, n), len;

    len = seal(packet, 0, first_id, 0, frames, at);
    packet[100] ^= 1;
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, packet, len, EC_CH_DATAGRAM);
    ck_assert_uint_eq(fake_told(f, "failed_decrypt"), 1);
    ck_assert(f->gave_up);
    fake_end(f);
    frames[0] = 0x30;                               /* no frame of Initial packets */
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, packet, seal(packet, 0, first_id, 0, frames, at), EC_CH_DATAGRAM);
    ck_assert_uint_eq(fake_told(f, "error_on_data"), 1);
    fake_end(f);
    frames[0] = 6, frames[5] = 2;                   /* a client that says ServerHello */
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, packet, seal(packet, 0, first_id, 0, frames, at), EC_CH_DATAGRAM);
    ck_assert_uint_eq(fake_told(f, "invalid_handshake_message"), 1);
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(detection_looks_at_the_header)
{
    static const uint8_t offer[] = { 0xca, 0, 0, 0, 0, 1, 7, 0, 0, 0, 0, 1, 0x0a, 0x1a, 0x2a, 0x3a };
    struct fake_traffic *f = fake_new(quic_register);
    int32_t (*probe)(const uint8_t *, uint32_t, uint32_t) = f->proto->probe;

    ck_assert_int_eq(probe(offer, sizeof offer, EC_PROBE_DATAGRAM | EC_TO_CLIENT), EC_YES);
    ck_assert_int_eq(probe(offer, sizeof offer - 1, EC_PROBE_DATAGRAM | EC_TO_CLIENT), EC_NO);
    ck_assert_int_eq(probe(offer, sizeof offer, EC_PROBE_DATAGRAM | EC_TO_SERVER), EC_NO);
    ck_assert_int_eq(probe((const uint8_t *)"\x40 a short header", 17, EC_PROBE_DATAGRAM), EC_NO);
    ck_assert_int_eq(probe((const uint8_t *)"\xc0\x12\x34\x56\x78\0\0\0\0", 9, EC_PROBE_DATAGRAM), EC_NO);
    fake_free(f);
}
END_TEST

/* A packet of Q046 with a hello of three tags; the last one's value is cut where n is less than GOOGLE_LEN. */
static const uint8_t google[] =
    "\xc3Q046\x50\xea\xcf\xe6\xe7\x06\xdf\x27\x2d\0\0\0\4" "hash....hash" "\xa4\1\4\0" "CHLO\3\0\0\0"
    "PAD\0\2\0\0\0" "SNI\0\x0b\0\0\0" "UAID\x13\0\0\0" "--" "a.example" "probe/46";
#define GOOGLE_LEN (sizeof google - 1)

static void see_google(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    const struct ec_buf *ua = fake_buffer(f, x, "quic.ua", EC_TO_SERVER),
                        *sni = fake_buffer(f, x, "quic.sni", EC_TO_SERVER),
                        *cyu = fake_buffer(f, x, "quic.cyu.string", EC_TO_SERVER),
                        *hash = fake_buffer(f, x, "quic.cyu.hash", EC_TO_SERVER);

    ck_assert(ua && ua->len == 8 && !memcmp(ua->u.data, "probe/46", 8));
    ck_assert(sni && sni->len == 9 && !memcmp(sni->u.data, "a.example", 9));
    ck_assert(cyu && cyu->len == 15 && !memcmp(cyu->u.data, "46,PAD-SNI-UAID", 15));
    ck_assert(hash && hash->len == 32);
    ++*(uint32_t *)arg;
}

START_TEST(hellos_of_google_are_read)
{
    struct fake_traffic *f = fake_new(quic_register);
    struct google_hello h;
    uint32_t seen = 0, n;

    for (n = 0; n < GOOGLE_LEN; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        uint32_t len;

        memcpy(cut, google, n);
        if (google_hello_find(&h, cut, n)) {
            char cyu[GOOGLE_CYU_MAX];
            ck_assert_uint_eq(google_cyu(&h, 0x51303436, cyu), 15);
            ck_assert_ptr_null(google_value(&h, "UAID", &len));
        } else {
            ck_assert_uint_lt(n, GOOGLE_LEN - 19);      /* the values may be missing, the tags not */
        }
        free(cut);
    }
    f->on_step = see_google;
    f->on_step_arg = &seen;
    fake_begin(f);
    for (uint32_t i = 0; i < 10; i++)                   /* bounded, and not of the server's packets */
        fake_feed(f, i % 2, google, GOOGLE_LEN, EC_CH_DATAGRAM);
    ck_assert_uint_eq(seen, 4);
    ck_assert_uint_eq(f->n_ended, 4);
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.quic/1", 0),
                                 "\"version\":\"Q046\",\"sni\":\"a.example\",\"ua\":\"probe/46\",\"cyu\":[{\"hash\":"));
    fake_end(f);
    fake_free(f);
}
END_TEST

/* Versions that are not read have their names all the same, once in a flow. */
START_TEST(foreign_versions_are_named)
{
    static const struct { const char *packet, *name; } t[] = {
        { "\x0d\xe8\x3c\x77\xbd\x8f\x89\x15\xf9Q043\x01\xd4\xa6\xcc\x79\xcf", "Q043" },
        { "\x01Q035\x01\xd4\xa6\xcc\x79\xcf\x57\x63\x92\x12\x01\xd4\xca\xa0\x01", "Q035" },
        { "\xc3Q046\x50\xea\xcf\xe6\xe7\x06\xdf\x27\x2d\x00\x00\x00\x04\x60\xda\x58", "Q046" },
        { "\xcbQ050\x08\xdf\x4a\x08\x9e\x4e\xff\x5e\x7a\x00\x00\x45\x34\x4a\x1f\x86\xea", "Q050" },
        { "\xcbT051\x08\xdf\x4a\x08\x9e\x4e\xff\x5e\x7a\x00\x00\x45\x34\x4a\x1f\x86\xea", "T051" },
        { "\xc3\xfa\xce\xb0\x01\x08\x40\x02\x47\x56\x01\xcf\x78\x7b\x00\x00\x44\xbe\x48\x03", "faceb001" },
        { "\x09\xe8\x3c\x77\xbd\x8f\x89\x15\xf9Q0x3\x01\xd4\xa6\xcc\x79\xcf", NULL },
        { "\x0c\xe8\x3c\x77\xbd\x8f\x89\x15\xf9Q043\x01\xd4\xa6\xcc\x79\xcf", NULL },
        { "\x43Q046\x50\xea\xcf\xe6\xe7\x06\xdf\x27\x2d\x00\x00\x00\x04\x60\xda\x58", NULL },
    };
    struct fake_traffic *f = fake_new(quic_register);
    char scratch[16];

    for (uint32_t i = 0; i < sizeof t / sizeof *t; i++) {
        const uint8_t *d = (const uint8_t *)t[i].packet;
        uint32_t version = quic_foreign_version(d, 20);

        ck_assert_uint_eq(quic_foreign_version(d, 19), 0);
        ck_assert_int_eq(f->proto->probe(d, 20, EC_PROBE_DATAGRAM | EC_TO_SERVER), t[i].name ? EC_YES : EC_NO);
        if (t[i].name)
            ck_assert_str_eq(quic_version_name(version, scratch), t[i].name);
        else
            ck_assert_uint_eq(version, 0);
    }
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, t[0].packet, 20, 0);
    fake_feed(f, EC_TO_CLIENT, t[0].packet, 20, 0);
    ck_assert_uint_eq(f->n_ended, 1);
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(pieces_are_bounded)
{
    uint8_t data[4] = { 1, 2, 3, 4 }, frame[16];
    struct crypto c = { 0 };
    uint32_t n;

    for (uint32_t i = 0; i < CRYPTO_PIECES; i++) {
        n = crypto_frame(frame, 0, data, 1);
        frame[1] = (uint8_t)(0x40 | (4 * i + 2) >> 8), frame[2] = (uint8_t)(4 * i + 2);
        ck_assert(frames_read(&c, frame, n));
    }
    ck_assert_uint_eq(c.pieces, CRYPTO_PIECES);
    n = crypto_frame(frame, 0, data, 1);
    ck_assert(!frames_read(&c, frame, n));          /* one too many */
    n = crypto_frame(frame, 0, data, 2);
    ck_assert(frames_read(&c, frame, n));           /* but not when it joins another */
    ck_assert_uint_eq(c.pieces, CRYPTO_PIECES);
    crypto_drop(&c);
    memcpy(frame, "\6\x80\1\0\0\1x", 7);            /* beyond 16 KiB */
    ck_assert(!frames_read(&c, frame, 7));
    ck_assert(c.too_long);
    memcpy(frame, "\2\0\0\x7f\xff", 5);             /* more ranges than bytes */
    ck_assert(!frames_read(&c, frame, 5));
    memcpy(frame, "\3\0\0\0\0\1\1\1", 8);
    ck_assert(frames_read(&c, frame, 8));
    ck_assert(!frames_read(&c, frame, 7));
    crypto_drop(&c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quic");
    TCase *tc = tcase_create("quic");

    tcase_add_test(tc, keys_are_those_of_the_rfcs);
    tcase_add_test(tc, a_packet_of_the_rfc_is_opened);
    tcase_add_test(tc, a_hello_in_pieces_and_out_of_order);
    tcase_add_test(tc, a_retry_changes_the_keys_once);
    tcase_add_test(tc, damage_is_reported);
    tcase_add_test(tc, detection_looks_at_the_header);
    tcase_add_test(tc, hellos_of_google_are_read);
    tcase_add_test(tc, foreign_versions_are_named);
    tcase_add_test(tc, pieces_are_bounded);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
