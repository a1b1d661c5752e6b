/* test_tls.c: the TLS parser: hellos whole, split and broken. */
#include <stdlib.h>
#include <string.h>

#include "plugins/traffic/proto/tls/hello.h"
#include "plugins/traffic/proto/tls/tls.h"
#include "tests/support/fake_traffic.h"
#include "tests/unit/unit.h"

struct hello { uint8_t d[512]; uint32_t n; };

static void put(struct hello *h, const void *p, uint32_t n)
{
    memcpy(h->d + h->n, p, n);
    h->n += n;
}

/* Write the big-endian length of what follows `at` into the `bytes` bytes before it. */
static void close_vector(struct hello *h, uint32_t at, uint32_t bytes)
{
    uint32_t n = h->n - at;

    for (uint32_t i = 0; i < bytes; i++)
        h->d[at - 1 - i] = (uint8_t)(n >> 8 * i);
}

/* A handshake message: ClientHello with server name and offered versions, or ServerHello that chose 1.3. */
static struct hello message(uint8_t type, const char *sni)
{
    struct hello h = { .n = 0 };
    uint32_t extensions;

    put(&h, (uint8_t[]){ type, 0, 0, 0, 3, 3 }, 6);
    h.n += 32;
    put(&h, "\0", 1);
    if (type == TLS_CLIENT_HELLO)
        put(&h, "\0\x02\x13\x01\x01\0", 6);
    else
        put(&h, "\x13\x01\0", 3);
    put(&h, "\0\0", 2);
    extensions = h.n;
    if (type == TLS_CLIENT_HELLO) {
        uint16_t n = (uint16_t)strlen(sni);
        put(&h, (uint8_t[]){ 0, 0, 0, (uint8_t)(n + 5), 0, (uint8_t)(n + 3), 0, 0, (uint8_t)n }, 9);
        put(&h, sni, n);
        put(&h, "\0\x10\0\x05\0\x03\x02h2", 9);
        put(&h, "\0\x2b\0\x07\x06\x1a\x1a\x03\x04\x03\x03", 11);
    } else {
        put(&h, "\0\x2b\0\x02\x03\x04", 6);
    }
    close_vector(&h, extensions, 2);
    close_vector(&h, 4, 3);
    return h;
}

/* Cut a message into records of at most `each` bytes. */
static uint32_t records(const struct hello *h, uint32_t each, uint8_t *out)
{
    uint32_t n = 0;

    for (uint32_t at = 0; at < h->n; at += each) {
        uint32_t len = h->n - at < each ? h->n - at : each;
        memcpy(out + n, (uint8_t[]){ 22, 3, 1, (uint8_t)(len >> 8), (uint8_t)len }, 5);
        memcpy(out + n + 5, h->d + at, len);
        n += 5 + len;
    }
    return n;
}

START_TEST(hellos_are_read)
{
    struct hello c = message(TLS_CLIENT_HELLO, "www.example"), s = message(TLS_SERVER_HELLO, NULL);
    struct tls_hello h;
    char scratch[TLS_VERSION_NAME];

    ck_assert(tls_hello_read(&h, TLS_CLIENT_HELLO, c.d + 4, c.n - 4));
    ck_assert_uint_eq(h.sni.len, 11);
    ck_assert_mem_eq(c.d + 4 + h.sni.off, "www.example", 11);
    ck_assert_mem_eq(c.d + 4 + h.alpn.off, "h2", 2);
    ck_assert_uint_eq(h.offered, 0x0304);
    ck_assert(tls_hello_read(&h, TLS_SERVER_HELLO, s.d + 4, s.n - 4));
    ck_assert_str_eq(tls_version_name(h.version, scratch), "TLS 1.3");
    ck_assert_str_eq(tls_version_name(0x7f1c, scratch), "TLS 1.3 draft-28");
    ck_assert_str_eq(tls_version_name(0xfb1a, scratch), "TLS 1.3 draft-26-fb");
    ck_assert_str_eq(tls_version_name(0x7f0e, scratch), "TLS 1.3 draft-<16");
    ck_assert_str_eq(tls_version_name(0x7e01, scratch), "0x7e01");
}
END_TEST

/* The ServerHello of the early drafts of TLS 1.3 has neither session nor compression. */
START_TEST(a_draft_is_read)
{
    uint8_t hello[2 + 32 + 2 + 2] = { 0x7f, 0x12 };
    struct tls_hello h;

    hello[34] = 0x13, hello[35] = 0x01;
    ck_assert(tls_hello_read(&h, TLS_SERVER_HELLO, hello, sizeof hello));
    ck_assert_uint_eq(h.cipher, 0x1301);
    ck_assert_uint_eq(h.version, 0x7f12);
}
END_TEST

START_TEST(a_cut_hello_is_malformed)
{
    struct hello c = message(TLS_CLIENT_HELLO, "www.example");
    struct tls_hello h;
    unsigned sound = 0;

    for (uint32_t n = 0; n < c.n - 4; n++)
        sound += tls_hello_read(&h, TLS_CLIENT_HELLO, c.d + 4, n);
    ck_assert_uint_eq(sound, 1);    /* exactly where the extensions, which are optional, would start */
}
END_TEST

static void see_sni(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    const struct ec_buf *b = fake_buffer(f, x, "tls.sni", EC_TO_SERVER);

    if (b)
        *(uint64_t *)arg = b->state & EC_BUF_VERBATIM ? b->wire : 0;
    ck_assert(!b || (b->len == 11 && !memcmp(b->u.data, "www.example", 11)));
}

START_TEST(records_and_segments_are_cut_anywhere)
{
    struct fake_traffic *f = fake_new(tls_register);
    struct hello c = message(TLS_CLIENT_HELLO, "www.example"), s = message(TLS_SERVER_HELLO, NULL);
    uint8_t stream[4096];
    uint64_t wire = 0;

    f->on_step = see_sni;
    f->on_step_arg = &wire;
    for (uint32_t each = 1; each <= c.n; each += 7)
        for (uint32_t step = 1; step < 64; step += 9) {
            uint32_t n = records(&c, each, stream);
            fake_begin(f);
            for (uint32_t at = 0; at < n; at += step)
                fake_feed(f, EC_TO_SERVER, stream + at, at + step < n ? step : n - at, 0);
            ck_assert_uint_eq(f->n_begun, 1);
            fake_feed(f, EC_TO_CLIENT, stream, records(&s, each, stream), 0);
            ck_assert_uint_eq(f->n_ended, 1);
            fake_end(f);
        }
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, stream, records(&c, 1000, stream), 0);
    ck_assert_mem_eq(stream + wire, "www.example", 11);
    fake_end(f);
    ck_assert_uint_eq(f->n_ended, 1);       /* the flow's end ends it without an answer */
    fake_free(f);
}
END_TEST

#define ZEROS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

/* What the client sends behind a sound hello, by the name that EVE has for it. */
START_TEST(damage_is_told)
{
    static const struct { const char *bytes; uint32_t n; const char *name; } cases[] = {
        { "\x63\7\1\0\5hello", 10, "INVALID_TLS_HEADER" },
        { "\x63\3\1\0\5hello", 10, "INVALID_RECORD_TYPE" },
        { "\x16\7\1\0\5hello", 10, "INVALID_RECORD_VERSION" },
        { "\x16\3\1\xff\5hello", 10, "INVALID_RECORD_LENGTH" },
        { "\x16\3\1\0\0", 5, "INVALID_RECORD_LENGTH" },
        { "\x15\3\1\0\0", 5, "INVALID_RECORD_LENGTH" },
        { "\x15\3\1\0\1\2", 6, "INVALID_ALERT_MESSAGE" },
        { "\x16\3\1\0\4\x4d\0\0\0", 9, "INVALID_HANDSHAKE_MESSAGE" },
        { "\x16\3\1\0\4\1\xff\xff\xff", 9, "TOO_LONG_HANDSHAKE_MESSAGE" },
        { "\x18\3\1\0\x13\7\0\0" ZEROS, 24, "INVALID_HEARTBEAT_MESSAGE" },
        { "\x18\3\1\0\3\1\0\0", 8, "INVALID_HEARTBEAT_MESSAGE" },        /* without padding */
        { "\x18\3\1\0\2\1\0", 7, "INVALID_HEARTBEAT_MESSAGE" },
        { "\x18\3\1\0\x13\1\0\0" ZEROS "\x18\3\1\0\x13\1\0\0" ZEROS, 48, "INVALID_HEARTBEAT_MESSAGE" },
        { "\x18\3\1\0\3\1\x40\0", 8, "OVERFLOW_HEARTBEAT_MESSAGE" },     /* Heartbleed */
    };
    struct fake_traffic *f = fake_new(tls_register);
    struct hello c = message(TLS_CLIENT_HELLO, "www.example");
    uint8_t stream[1024];
    uint32_t n = records(&c, 1000, stream);

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_begin(f);
        fake_feed(f, EC_TO_SERVER, stream, n, 0);
        fake_feed(f, EC_TO_SERVER, cases[i].bytes, cases[i].n, 0);
        fake_end(f);
        for (uint32_t k = 0; k < f->proto->n_anomaly; k++)
            ck_assert_msg(f->anomaly[k] == !strcmp(f->proto->anomaly[k], cases[i].name), "%u: %s %u times", i,
                          f->proto->anomaly[k], f->anomaly[k]);
    }
    fake_free(f);
}
END_TEST

/* A heartbeat that is answered may be followed by the next one. */
START_TEST(sound_heartbeats_are_no_damage)
{
    struct fake_traffic *f = fake_new(tls_register);
    struct hello c = message(TLS_CLIENT_HELLO, "www.example");
    uint8_t stream[1024];

    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, stream, records(&c, 1000, stream), 0);
    for (int i = 0; i < 3; i++) {
        fake_feed(f, EC_TO_SERVER, "\x18\3\1\0\x13\1\0\0" ZEROS, 24, 0);
        fake_feed(f, EC_TO_CLIENT, "\x18\3\1\0\x13\2\0\0" ZEROS, 24, 0);
    }
    fake_end(f);
    for (uint32_t k = 0; k < f->proto->n_anomaly; k++)
        ck_assert_msg(!f->anomaly[k], "%s", f->proto->anomaly[k]);
    fake_free(f);
}
END_TEST

/* The extension starts behind 4 + 2 + 32 + 1 + 6 + 2 bytes: type, length; length of the list; type, length, name. */
START_TEST(a_server_name_is_checked)
{
    enum { SNI = 47 };
    static const struct { uint32_t at; uint8_t now; const char *name; } cases[] = {
        { SNI + 6, 1, "INVALID_SNI_TYPE" },
        { SNI + 8, 0, "INVALID_SNI_LENGTH" }, { SNI + 5, 200, "INVALID_SNI_LENGTH" },
        { 4 + 34, 200, "HANDSHAKE_INVALID_LENGTH" },            /* a session longer than the message */
        { SNI + 3, 255, "HANDSHAKE_INVALID_LENGTH" },
        { SNI + 20 + 1, 0, "MULTIPLE_SNI_EXTENSIONS" },         /* the next extension is one, too */
    };
    struct fake_traffic *f = fake_new(tls_register);

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hello c = message(TLS_CLIENT_HELLO, "www.example");
        uint8_t stream[1024];

        ck_assert_uint_ne(c.d[cases[i].at], cases[i].now);
        c.d[cases[i].at] = cases[i].now;
        fake_begin(f);
        fake_feed(f, EC_TO_SERVER, stream, records(&c, 1000, stream), 0);
        fake_end(f);
        ck_assert_msg(fake_told(f, cases[i].name) == 1, "%s", cases[i].name);
    }
    fake_free(f);
}
END_TEST

/* A connection whose handshake was not seen is known by records that are encrypted. */
START_TEST(encrypted_records_tell)
{
    static const struct { const char *bytes; uint32_t n; int32_t is; } t[] = {
        { "\x17\x03\x03\x00\x20\x8f", 6, EC_YES }, { "\x15\x03\x01\x00\x16\x07", 6, EC_YES },
        { "\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00\x35", 11, EC_YES }, { "\x14\x03\x03\x00\x01\x01GET /", 11, EC_NO },
        { "\x17\x03\x03\x00", 4, EC_MORE }, { "\x17\x03\x05\x00\x20\x8f", 6, EC_NO }, { "\x17\x04", 2, EC_NO },
        { "\x17\x03\x03\x00\x0f\x8f", 6, EC_NO }, { "\x17\x03\x03\x60\x00\x8f", 6, EC_NO },
        { "\x18\x03\x03\x00\x20\x8f", 6, EC_NO },
    };
    struct fake_traffic *f = fake_new(tls_register);

    for (uint32_t i = 0; i < sizeof t / sizeof *t; i++)
        for (uint32_t dir = 0; dir < 2; dir++)
            ck_assert_msg(f->proto->probe((const uint8_t *)t[i].bytes, t[i].n, dir) == t[i].is, "%u, to %u", i, dir);
    fake_begin(f);
    fake_feed(f, EC_TO_CLIENT, "\x17\x03\x03\x00\x10""0123456789abcdef", 21, 0);
    fake_end(f);
    ck_assert_uint_eq(f->n_ended, 0);           /* no handshake, no record */
    for (uint32_t k = 0; k < f->proto->n_anomaly; k++)
        ck_assert_uint_eq(f->anomaly[k], 0);
    fake_free(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *tc = tcase_create("tls");

    tcase_add_test(tc, hellos_are_read);
    tcase_add_test(tc, a_draft_is_read);
    tcase_add_test(tc, a_cut_hello_is_malformed);
    tcase_add_test(tc, records_and_segments_are_cut_anywhere);
    tcase_add_test(tc, damage_is_told);
    tcase_add_test(tc, sound_heartbeats_are_no_damage);
    tcase_add_test(tc, a_server_name_is_checked);
    tcase_add_test(tc, encrypted_records_tell);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
