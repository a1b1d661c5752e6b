/* test_tls_session.c: what follows the hellos: certificates, fingerprints, the form of SSLv2, the end of a session. */
#include <stdlib.h>
#include <string.h>

#include "plugins/traffic/proto/tls/session.h"
#include "plugins/traffic/proto/tls/tls.h"
#include "tests/support/fake_text.h"
#include "tests/unit/unit.h"

/* openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -set_serial 0x97E647098EEAC9B4 -days 3650
 *  -subj "/C=FR/O=Example, Inc./businessCategory=Private/emailAddress=ca@shop.test/CN=shop.test"
 *  -addext "subjectAltName=DNS:shop.test,IP:192.0.2.7,email:ca@shop.test" */
static const uint8_t certificate[] = {
    0x30, 0x82, 0x02, 0x43, 0x30, 0x82, 0x01, 0xea, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x09, 0x00, 0x97, 0xe6,
    0x47, 0x09, 0x8e, 0xea, 0xc9, 0xb4, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
    0x30, 0x68, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, 0x46, 0x52, 0x31, 0x16, 0x30,
    0x14, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x0d, 0x45, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2c, 0x20, 0x49,
    0x6e, 0x63, 0x2e, 0x31, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x04, 0x0f, 0x0c, 0x07, 0x50, 0x72, 0x69, 0x76,
    0x61, 0x74, 0x65, 0x31, 0x1b, 0x30, 0x19, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01,
    0x16, 0x0c, 0x63, 0x61, 0x40, 0x73, 0x68, 0x6f, 0x70, 0x2e, 0x74, 0x65, 0x73, 0x74, 0x31, 0x12, 0x30, 0x10,
    0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x09, 0x73, 0x68, 0x6f, 0x70, 0x2e, 0x74, 0x65, 0x73, 0x74, 0x30, 0x1e,
    0x17, 0x0d, 0x32, 0x36, 0x31, 0x31, 0x32, 0x33, 0x30, 0x38, 0x34, 0x34, 0x33, 0x35, 0x5a, 0x17, 0x0d, 0x33,
    0x36, 0x31, 0x31, 0x32, 0x30, 0x30, 0x38, 0x34, 0x34, 0x33, 0x35, 0x5a, 0x30, 0x68, 0x31, 0x0b, 0x30, 0x09,
    0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, 0x46, 0x52, 0x31, 0x16, 0x30, 0x14, 0x06, 0x03, 0x55, 0x04, 0x0a,
    0x0c, 0x0d, 0x45, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2c, 0x20, 0x49, 0x6e, 0x63, 0x2e, 0x31, 0x10, 0x30,
    0x0e, 0x06, 0x03, 0x55, 0x04, 0x0f, 0x0c, 0x07, 0x50, 0x72, 0x69, 0x76, 0x61, 0x74, 0x65, 0x31, 0x1b, 0x30,
    0x19, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01, 0x16, 0x0c, 0x63, 0x61, 0x40, 0x73,
    0x68, 0x6f, 0x70, 0x2e, 0x74, 0x65, 0x73, 0x74, 0x31, 0x12, 0x30, 0x10, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c,
    0x09, 0x73, 0x68, 0x6f, 0x70, 0x2e, 0x74, 0x65, 0x73, 0x74, 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    0x04, 0x81, 0xd6, 0x38, 0x65, 0xd3, 0x12, 0x4d, 0xdf, 0x72, 0xcd, 0x44, 0x96, 0xcf, 0xe9, 0xfe, 0x54, 0x2c,
    0xd4, 0xb1, 0x1a, 0x06, 0x53, 0x92, 0xbe, 0x9c, 0x28, 0xeb, 0xc9, 0x6a, 0xd1, 0xab, 0x8b, 0x7d, 0x61, 0xaa,
    0x80, 0x83, 0xa5, 0x31, 0xfb, 0xfe, 0x91, 0x78, 0x19, 0x25, 0x86, 0x16, 0x84, 0x7e, 0xfc, 0x6e, 0x96, 0x23,
    0x8f, 0x86, 0x78, 0x07, 0x38, 0xc1, 0x6a, 0x4a, 0x6a, 0xef, 0xe8, 0xa3, 0x7d, 0x30, 0x7b, 0x30, 0x1d, 0x06,
    0x03, 0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14, 0x8c, 0x5f, 0xa1, 0x5c, 0xf5, 0x71, 0x44, 0xf0, 0x64, 0x0a,
    0x36, 0x0d, 0xdb, 0xe1, 0x33, 0xa2, 0x52, 0x0b, 0xda, 0x3d, 0x30, 0x1f, 0x06, 0x03, 0x55, 0x1d, 0x23, 0x04,
    0x18, 0x30, 0x16, 0x80, 0x14, 0x8c, 0x5f, 0xa1, 0x5c, 0xf5, 0x71, 0x44, 0xf0, 0x64, 0x0a, 0x36, 0x0d, 0xdb,
    0xe1, 0x33, 0xa2, 0x52, 0x0b, 0xda, 0x3d, 0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04,
    0x05, 0x30, 0x03, 0x01, 0x01, 0xff, 0x30, 0x28, 0x06, 0x03, 0x55, 0x1d, 0x11, 0x04, 0x21, 0x30, 0x1f, 0x82,
    0x09, 0x73, 0x68, 0x6f, 0x70, 0x2e, 0x74, 0x65, 0x73, 0x74, 0x87, 0x04, 0xc0, 0x00, 0x02, 0x07, 0x81, 0x0c,
    0x63, 0x61, 0x40, 0x73, 0x68, 0x6f, 0x70, 0x2e, 0x74, 0x65, 0x73, 0x74, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x03, 0x47, 0x00, 0x30, 0x44, 0x02, 0x20, 0x5a, 0xcf, 0xac, 0x1a, 0x19,
    0x9a, 0xf6, 0x15, 0x3f, 0xb6, 0x2e, 0x12, 0x97, 0x91, 0xca, 0x41, 0x04, 0x40, 0xa6, 0x9b, 0x2e, 0x11, 0xfd,
    0xd3, 0x56, 0x65, 0xbf, 0x9e, 0x8c, 0x04, 0x57, 0x19, 0x02, 0x20, 0x5c, 0xc6, 0x35, 0x23, 0x03, 0x81, 0xe2,
    0x57, 0xdd, 0x17, 0xdc, 0x33, 0x46, 0x85, 0xc3, 0x2b, 0xa9, 0xa9, 0x98, 0x80, 0x6e, 0x4e, 0x23, 0xdd, 0x72,
    0x6d, 0x56, 0x3a, 0x42, 0x96, 0x2a, 0xab,};

START_TEST(a_certificate_is_read)
{
    struct cert_alt alt[4];
    const uint8_t *at;
    struct cert c;

    ck_assert(fingerprint_setup());
    ck_assert_int_eq(cert_read(&c, certificate, sizeof certificate), CERT_SOUND);
    ck_assert_uint_eq(c.subject.n, 81);
    ck_assert_mem_eq(c.subject.p, "C=FR, O=Example, Inc., businessCategory=Private, Email=ca@shop.test, CN=shop.test",
                     81);
    ck_assert_uint_eq(c.issuer.n, c.subject.n);
    ck_assert_str_eq(c.serial, "00:97:E6:47:09:8E:EA:C9:B4");
    ck_assert_str_eq(c.not_before, "2026-11-23T08:44:35");
    ck_assert_str_eq(c.not_after, "2036-11-20T08:44:35");
    ck_assert_str_eq(c.fingerprint, "8b:47:f2:ae:cf:d9:82:d6:0f:0d:4e:3e:58:a4:5a:37:5c:f6:c6:b2");
    ck_assert_uint_eq(c.alts, 3);
    at = c.alt;
    for (uint32_t i = 0; i < 3; i++)
        ck_assert(cert_alt_next(&c, &at, &alt[i]));
    ck_assert(!cert_alt_next(&c, &at, &alt[3]));
    ck_assert_uint_eq(alt[0].n, 9);
    ck_assert_mem_eq(alt[0].p, "shop.test", 9);
    ck_assert_int_eq(alt[1].kind, CERT_ALT_IP);
    ck_assert_mem_eq(alt[1].p, "\xc0\0\2\7", 4);
}
END_TEST

START_TEST(a_cut_or_changed_certificate_does_no_harm)
{
    uint8_t *copy = malloc(sizeof certificate);
    struct cert_alt alt;
    struct cert c;

    ck_assert_ptr_nonnull(copy);
    for (uint32_t n = 0; n < sizeof certificate; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, certificate, n);
        ck_assert_int_ne(cert_read(&c, cut, n), CERT_SOUND);
        free(cut);
    }
    for (uint32_t i = 0; i < sizeof certificate; i++)
        for (uint32_t bit = 0; bit < 8; bit++) {
            memcpy(copy, certificate, sizeof certificate);
            copy[i] ^= (uint8_t)(1u << bit);
            cert_read(&c, copy, sizeof certificate);
            ck_assert_uint_le(c.subject.n, CERT_NAME_MAX);
            for (const uint8_t *at = c.alt; at && cert_alt_next(&c, &at, &alt);)
                ck_assert(alt.p + alt.n <= copy + sizeof certificate);
        }
    free(copy);
}
END_TEST

/* One byte of the certificate changed. */
START_TEST(each_fault_of_a_certificate_is_told)
{
    static const struct { uint32_t at; uint8_t now; enum cert_fault fault; } cases[] = {
        { 0, 0x04, CERT_FORM }, { 4, 0x04, CERT_FORM },             /* the certificate; what is signed */
        { 10, 0x04, CERT_VERSION }, { 13, 0x04, CERT_SERIAL },
        { 24, 0x04, CERT_DER }, { 26, 0x04, CERT_DER },             /* the algorithm and its name */
        { 36, 0x31, CERT_DER },                                     /* the issuer */
        { 142, 0x04, CERT_DER }, { 144, 0x04, CERT_DATE }, { 146, 'x', CERT_DATE }, { 149, '3', CERT_DATE },
        { 174, 0x04, CERT_DER },                                    /* the subject */
        { 280, 0x04, CERT_DER },                                    /* the key */
        { 371, 0x04, CERT_DER }, { 373, 0x04, CERT_DER },           /* the extensions */
        { 377, 0x04, CERT_FORM },                                   /* the first one's name */
        { 498, 0x04, CERT_DER }, { 510, 0x04, CERT_DER },           /* the signature */
    };
    uint8_t copy[sizeof certificate];
    struct cert c;

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(copy, certificate, sizeof copy);
        ck_assert_uint_ne(copy[cases[i].at], cases[i].now);
        copy[cases[i].at] = cases[i].now;
        ck_assert_msg(cert_read(&c, copy, sizeof copy) == cases[i].fault, "at %u: %d", cases[i].at,
                      (int)cert_read(&c, copy, sizeof copy));
    }
}
END_TEST

/* A ClientHello's body: lists as they stand on the wire. */
static uint32_t hello_body(uint8_t *out, const uint16_t *ciphers, uint32_t n_cipher, const uint8_t *extensions,
                           uint32_t n)
{
    uint8_t *p = out;

    *p++ = 3, *p++ = 3;
    memset(p, 7, 32);
    p += 32;
    *p++ = 0;
    *p++ = (uint8_t)(n_cipher >> 7), *p++ = (uint8_t)(2 * n_cipher);
    for (uint32_t i = 0; i < n_cipher; i++)
        *p++ = (uint8_t)(ciphers[i] >> 8), *p++ = (uint8_t)ciphers[i];
    *p++ = 1, *p++ = 0;
    *p++ = (uint8_t)(n >> 8), *p++ = (uint8_t)n;
    memcpy(p, extensions, n);
    return (uint32_t)(p - out) + n;
}

/* FoxIO's example: technical_details/JA4.md. */
START_TEST(ja4_is_as_published)
{
    static const uint16_t ciphers[] = { 0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                                        0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035 };
    static const uint8_t extensions[] = {
        0x1a, 0x1a, 0, 0, 0x00, 0x1b, 0, 0, 0x00, 0x00, 0, 6, 0, 4, 0, 0, 1, 'a', 0x00, 0x33, 0, 0, 0x00, 0x10, 0, 5,
        0, 3, 2, 'h', '2', 0x44, 0x69, 0, 0, 0x00, 0x17, 0, 0, 0x00, 0x2d, 0, 0, 0x00, 0x0d, 0, 18, 0, 16, 4, 3, 8, 4,
        4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1, 0x00, 0x05, 0, 0, 0x00, 0x23, 0, 0, 0x00, 0x12, 0, 0, 0x00, 0x2b, 0, 7, 6,
        0x3a, 0x3a, 3, 4, 3, 3, 0xff, 0x01, 0, 0, 0x00, 0x0b, 0, 0, 0x00, 0x0a, 0, 0, 0x00, 0x15, 0, 0 };
    uint8_t body[512];
    uint32_t n = hello_body(body, ciphers, 16, extensions, sizeof extensions);
    struct tls_hello h;
    char ja4[JA4_LEN + 1];

    ck_assert(fingerprint_setup());
    ck_assert(tls_hello_read(&h, TLS_CLIENT_HELLO, body, n));
    ja4_make(ja4, &h, body, 't');
    ck_assert_str_eq(ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    ja4_make(ja4, &h, body, 'q');
    ck_assert_str_eq(ja4, "q13d1516h2_8daaf6152771_e5627efa2ab1");
}
END_TEST

/* The example of JA3's README, with GREASE added, which does not count. */
START_TEST(ja3_is_as_published)
{
    static const uint16_t ciphers[] = { 0x2a2a, 47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4 };
    static const uint8_t extensions[] = { 0xfa, 0xfa, 0, 0, 0, 0, 0, 6, 0, 4, 0, 0, 1, 'a', 0, 10, 0, 10, 0, 8, 0x1a,
                                          0x1a, 0, 23, 0, 24, 0, 25, 0, 11, 0, 2, 1, 0 };
    struct tls_ja3 j = { NULL, 0, "" };
    struct tls_hello h;
    uint8_t body[256];
    uint32_t n = hello_body(body, ciphers, 13, extensions, sizeof extensions);

    body[1] = 1;
    ck_assert(fingerprint_setup());
    ck_assert(tls_hello_read(&h, TLS_CLIENT_HELLO, body, n));
    ck_assert(ja3_make(&j, &h, TLS_CLIENT_HELLO, body));
    ck_assert_uint_eq(j.n, strlen(j.text));
    ck_assert_str_eq(j.text, "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
    ck_assert_str_eq(j.hash, "ada70206e40642a3e4461f35503241d5");
    ja3_free(&j);
}
END_TEST

static void put_record(uint8_t *out, uint32_t *n, uint8_t type, const void *d, uint32_t len)
{
    const uint8_t head[5] = { type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len };

    memcpy(out + *n, head, 5);
    memcpy(out + *n + 5, d, len);
    *n += 5 + len;
}

/* The server's flight of TLS 1.2: ServerHello, Certificate. */
static uint32_t server_flight(uint8_t *out)
{
    static const char alpn[] = "\0\x09\0\x10\0\5\0\3\2h2";
    uint8_t hello[4 + 38 + 11] = { 2, 0, 0, 38 + 11, 3, 3 }, chain[10 + sizeof certificate] = { 11 };
    uint32_t n = 0, len = sizeof certificate;

    hello[4 + 35] = 0xc0, hello[4 + 36] = 0x2b;
    memcpy(hello + 4 + 38, alpn, sizeof alpn - 1);
    for (uint32_t i = 0; i < 3; i++) {              /* of the message, the list, the certificate */
        uint32_t at = 1 + 3 * i, has = len + 6 - 3 * i;
        chain[at] = (uint8_t)(has >> 16), chain[at + 1] = (uint8_t)(has >> 8), chain[at + 2] = (uint8_t)has;
    }
    memcpy(chain + 10, certificate, sizeof certificate);
    put_record(out, &n, 22, hello, sizeof hello);
    put_record(out, &n, 22, chain, sizeof chain);
    return n;
}

static uint32_t client_flight(uint8_t *out)
{
    uint8_t message[128] = { 1 };
    uint16_t cipher = 0xc02b;
    static const char extensions[] = "\0\0\0\x0e\0\x0c\0\0\x09shop.test" "\0\x10\0\x0e\0\x0c\2h2\x08http/1.1";
    uint32_t n = hello_body(message + 4, &cipher, 1, (const uint8_t *)extensions, sizeof extensions - 1), used = 0;

    message[3] = (uint8_t)n;
    put_record(out, &used, 22, message, n + 4);
    return used;
}

static void see_subject(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    const struct ec_buf *b = fake_buffer(f, x, "tls.cert_subject", EC_TO_CLIENT),
                        *names = fake_buffer(f, x, "tls.subjectaltname", EC_TO_CLIENT),
                        *ja3s = fake_buffer(f, x, "ja3s.string", EC_TO_CLIENT);

    if (!b || !names || !ja3s)
        return;
    ck_assert_mem_eq(b->u.data, "C=FR, O=Example", 15);
    ck_assert_uint_eq(names->len, 1);
    ck_assert_mem_eq(names->u.item[0].u.data, "shop.test", 9);
    ck_assert_mem_eq(ja3s->u.data, "771,49195,", 10);
    ++*(uint32_t *)arg;
}

START_TEST(a_session_ends_when_both_sides_encrypt)
{
    struct fake_traffic *f = fake_new(tls_register);
    uint8_t client[256], server[2048];
    uint32_t n = client_flight(client), m = server_flight(server), seen = 0;
    const char *text;

    f->on_step = see_subject;
    f->on_step_arg = &seen;
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, client, n, 0);
    for (uint32_t at = 0; at < m; at += 100)
        fake_feed(f, EC_TO_CLIENT, server + at, m - at < 100 ? m - at : 100, 0);
    ck_assert_uint_ge(seen, 1);
    fake_feed(f, EC_TO_SERVER, "\x14\3\3\0\1\1", 6, 0);
    ck_assert_uint_eq(f->n_ended, 0);
    fake_feed(f, EC_TO_CLIENT, "\x14\3\3\0\1\1", 6, 0);
    ck_assert_uint_eq(f->n_ended, 1);
    text = fake_text(f, "ec.tls/1", 0);
    ck_assert_ptr_nonnull(strstr(text, "\"serial\":\"00:97:E6:47:09:8E:EA:C9:B4\",\"fingerprint\":\"8b:47:f2:"));
    ck_assert_ptr_nonnull(strstr(text, "\"subjectaltname\":[\"shop.test\",\"192.0.2.7\",\"ca@shop.test\"]"));
    ck_assert_ptr_nonnull(strstr(text, "\"sni\":\"shop.test\",\"version\":\"TLS 1.2\",\"client_alpns\":[\"h2\",\"http/1.1\"],"
                                         "\"server_alpns\":[\"h2\"]"));
    ck_assert_ptr_nonnull(strstr(text, "\"ja4\":\"t12d0102h2_"));
    ck_assert_ptr_null(strstr(text, "session_resumed"));
    fake_end(f);
    fake_free(f);
}
END_TEST

#define MESSAGE(type) "\x16\3\3\0\4" type "\0\0\0", 9

/* All is known when the server has said what it has to say, unless it asks for the client's certificate. */
START_TEST(a_session_is_recorded_with_its_last_certificate)
{
    for (uint32_t asks = 0; asks < 2; asks++) {
        struct fake_traffic *f = fake_new(tls_register);
        uint8_t client[256], server[2048];
        uint32_t n = client_flight(client), m = server_flight(server), hello = 5 + 4 + 38 + 11;

        fake_begin(f);
        fake_feed(f, EC_TO_SERVER, client, n, 0);
        if (!asks)
            fake_feed(f, EC_TO_SERVER, server + hello, m - hello, 0);
        fake_feed(f, EC_TO_CLIENT, server, m, 0);
        if (asks)
            fake_feed(f, EC_TO_CLIENT, MESSAGE("\x0d"), 0);
        ck_assert_uint_eq(testhost_count(f->host, "ec.tls/1"), 0);
        fake_feed(f, EC_TO_CLIENT, MESSAGE("\x0e"), 0);
        ck_assert_uint_eq(testhost_count(f->host, "ec.tls/1"), !asks);
        if (asks)
            fake_feed(f, EC_TO_SERVER, server + hello, m - hello, 0);
        ck_assert_uint_eq(testhost_count(f->host, "ec.tls/1"), 1);
        ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.tls/1", 0), "\"serial\":\"00:97:E6:47:09:8E:EA:C9:B4\""));
        ck_assert_int_eq(strstr(fake_text(f, "ec.tls/1", 0), "\"client\":{") != NULL, 1);
        ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.tls/1", 0), "\"version\":\"TLS 1.2\""));
        ck_assert_uint_eq(f->n_ended, 0);
        fake_end(f);
        ck_assert_uint_eq(f->n_ended, 1);
        ck_assert_uint_eq(testhost_count(f->host, "ec.tls/1"), 1);
        fake_free(f);
    }
}
END_TEST

/* A client that has nothing more to say closes its side; the server's answer still comes. Not so after a reset. */
START_TEST(a_client_may_close_its_side_first)
{
    struct ec_flow flow = { .size = sizeof flow, .state = EC_FLOW_ESTABLISHED };
    struct ec_packet packet = { .size = sizeof packet, .flow = &flow };
    uint8_t client[256], server[2048];
    uint32_t n = client_flight(client), m = server_flight(server);

    for (uint32_t reset = 0; reset < 2; reset++) {
        struct fake_traffic *f = fake_new(tls_register);

        f->packet = &packet;
        flow.state = reset ? EC_FLOW_CLOSED : EC_FLOW_ESTABLISHED;
        fake_begin(f);
        fake_feed(f, EC_TO_SERVER, client, n, EC_CH_END);
        ck_assert_uint_eq(f->n_ended, reset);
        if (!reset) {
            fake_feed(f, EC_TO_CLIENT, server, m, 0);
            fake_feed(f, EC_TO_CLIENT, NULL, 0, EC_CH_END);
            ck_assert_uint_eq(f->n_ended, 1);
            ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.tls/1", 0), "\"serial\":\"00:97:E6:47:09:8E:EA:C9:B4\""));
        }
        fake_end(f);
        ck_assert_uint_eq(f->n_ended, 1);
        fake_free(f);
    }
}
END_TEST

/* A client that sends early data behind its hello does not hide the server's answer. */
START_TEST(early_data_do_not_end_it)
{
    struct fake_traffic *f = fake_new(tls_register);
    uint8_t client[256], server[2048];
    uint32_t n = client_flight(client), m = server_flight(server);

    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, client, n, 0);
    fake_feed(f, EC_TO_SERVER, "\x17\3\3\0\5early", 10, 0);
    ck_assert_uint_eq(f->n_ended, 0);
    ck_assert(!f->opaque);
    fake_feed(f, EC_TO_CLIENT, server, m, 0);
    fake_feed(f, EC_TO_CLIENT, "\x14\3\3\0\1\1", 6, 0);
    ck_assert_uint_eq(f->n_ended, 1);
    ck_assert(f->opaque);
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.tls/1", 0), "\"serial\":\"00:97:E6:47:09:8E:EA:C9:B4\""));
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(a_session_that_goes_on_has_no_certificate)
{
    struct fake_traffic *f = fake_new(tls_register);
    uint8_t client[256], server[2048];
    uint32_t n = client_flight(client);

    server_flight(server);
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, client, n, 0);
    fake_feed(f, EC_TO_CLIENT, server, 5 + 53, 0);
    fake_feed(f, EC_TO_CLIENT, "\x14\3\3\0\1\1", 6, 0);
    fake_feed(f, EC_TO_SERVER, "\x14\3\3\0\1\1", 6, 0);
    ck_assert_uint_eq(f->n_ended, 1);
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.tls/1", 0), "\"session_resumed\":true"));
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(a_hello_in_the_form_of_sslv2_is_read)
{
    struct fake_traffic *f = fake_new(tls_register);
    uint8_t hello[2 + 9 + 3 + 16] = { 0x80, 9 + 3 + 16, 1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 0x2f }, server[2048];
    uint32_t m = server_flight(server);

    fake_begin(f);
    ck_assert_int_eq(f->proto->probe(hello, sizeof hello, EC_TO_SERVER), EC_YES);
    ck_assert_int_eq(f->proto->probe(hello, sizeof hello, EC_TO_CLIENT), EC_NO);
    fake_feed(f, EC_TO_SERVER, hello, 10, 0);
    ck_assert_uint_eq(f->n_begun, 0);
    fake_feed(f, EC_TO_SERVER, hello + 10, sizeof hello - 10, 0);
    ck_assert_uint_eq(f->n_begun, 1);
    fake_feed(f, EC_TO_CLIENT, server, m, 0);
    fake_end(f);
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.tls/1", 0), "\"issuerdn\":\"C=FR, "));
    fake_free(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls_session");
    TCase *tc = tcase_create("tls_session");

    tcase_add_test(tc, a_certificate_is_read);
    tcase_add_test(tc, a_cut_or_changed_certificate_does_no_harm);
    tcase_add_test(tc, each_fault_of_a_certificate_is_told);
    tcase_add_test(tc, ja4_is_as_published);
    tcase_add_test(tc, ja3_is_as_published);
    tcase_add_test(tc, a_session_ends_when_both_sides_encrypt);
    tcase_add_test(tc, a_session_that_goes_on_has_no_certificate);
    tcase_add_test(tc, a_session_is_recorded_with_its_last_certificate);
    tcase_add_test(tc, a_client_may_close_its_side_first);
    tcase_add_test(tc, early_data_do_not_end_it);
    tcase_add_test(tc, a_hello_in_the_form_of_sslv2_is_read);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
