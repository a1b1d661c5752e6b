/* test_ssh.c: the SSH parser: banners, algorithms and their HASSH, whole, cut and broken. */
#include <stdlib.h>
#include <string.h>

#include "plugins/traffic/proto/ssh/session.h"
#include "plugins/traffic/proto/ssh/ssh.h"
#include "tests/support/fake_text.h"
#include "tests/unit/unit.h"

/* What a client might offer; the sum is md5sum's. */
static const char *const lists[10] = {
    "diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1", "ssh-rsa",
    "aes128-cbc,aes128-ctr,aes256-cbc,aes256-ctr,blowfish-cbc,3des-cbc", "aes128-ctr", "hmac-sha1,hmac-sha1-96",
    "hmac-sha2-256", "none", "zlib", "", "" };
static const char client_text[] =
    "diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1;"
    "aes128-cbc,aes128-ctr,aes256-cbc,aes256-ctr,blowfish-cbc,3des-cbc;hmac-sha1,hmac-sha1-96;none";

/* A packet with KEXINIT: length, padding's length, payload, 4 bytes of padding. */
static uint32_t kexinit(uint8_t *out)
{
    uint32_t n = 6 + 16;

    memset(out, 0, n);
    out[4] = 4, out[5] = 20;
    for (int i = 0; i < 10; i++) {
        uint32_t len = (uint32_t)strlen(lists[i]);
        memcpy(out + n, (uint8_t[]){ 0, 0, (uint8_t)(len >> 8), (uint8_t)len }, 4);
        memcpy(out + n + 4, lists[i], len);
        n += 4 + len;
    }
    memset(out + n, 0, 5 + 4);
    n += 5 + 4;
    out[2] = (uint8_t)((n - 4) >> 8), out[3] = (uint8_t)(n - 4);
    return n;
}

START_TEST(banners_are_read)
{
    static const struct { const char *line, *proto, *software; bool sound; } cases[] = {
        { "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "2.0", "OpenSSH_9.2p1", true },
        { "SSH-1.99-Cisco-1.25\n", "1.99", "Cisco-1.25", true },
        { "SSH-2.0-", "2.0", "", false },
        { "SSH-2.0", "", "", false },
        { "SSH--x", "", "x", false },
        { "GET / HTTP/1.1\r\n", "", "", false },
        { "", "", "", false },
    };
    struct ssh_banner b;

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(banner_read(&b, (const uint8_t *)cases[i].line, (uint32_t)strlen(cases[i].line)),
                         cases[i].sound);
        ck_assert_uint_eq(b.n_proto, strlen(cases[i].proto));
        ck_assert_mem_eq(b.text + b.proto, cases[i].proto, b.n_proto);
        ck_assert_uint_eq(b.n_software, strlen(cases[i].software));
        ck_assert_mem_eq(b.text + b.software, cases[i].software, b.n_software);
    }
}
END_TEST

START_TEST(hassh_is_the_sum_of_the_lists)
{
    struct ssh_kex k = { NULL, 0, "" };
    uint8_t packet[1024];
    uint32_t n = kexinit(packet) - 9;

    ck_assert(kex_setup());
    ck_assert(kex_read(&k, false, packet + 5, n));
    ck_assert_uint_eq(k.n, strlen(client_text));
    ck_assert_mem_eq(k.text, client_text, k.n);
    ck_assert_str_eq(k.hash, "87b8f3c79cd90ac20f4b670844a3519e");
    ck_assert(kex_read(&k, true, packet + 5, n));
    ck_assert_ptr_nonnull(memmem(k.text, k.n, ";aes128-ctr;hmac-sha2-256;zlib", 30));
    for (uint32_t cut = 0; cut < n - 5; cut++) {
        uint8_t *d = malloc(cut ? cut : 1);
        memcpy(d, packet + 5, cut);
        ck_assert(!kex_read(&k, false, d, cut));
        free(d);
    }
    kex_free(&k);
}
END_TEST

static void see(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    const struct ec_buf *software = fake_buffer(f, x, "ssh.software", EC_TO_SERVER),
                        *hassh = fake_buffer(f, x, "ssh.hassh", EC_TO_SERVER);

    if (software)
        *(uint64_t *)arg = software->wire;
    if (hassh)
        ck_assert_mem_eq(hassh->u.data, "87b8f3c79cd90ac20f4b670844a3519e", 32);
}

START_TEST(a_connection_in_pieces)
{
    struct fake_traffic *f = fake_new(ssh_register);
    uint8_t client[2048] = "SSH-2.0-first\r\n", server[2048] = "Welcome.\r\nAll is logged.\r\nSSH-2.0-second_1.0 x\r\n";
    uint32_t n = 15, m = 48;
    uint64_t wire = 0;

    n += kexinit(client + n);
    m += kexinit(server + m);
    f->on_step = see;
    f->on_step_arg = &wire;
    for (uint32_t step = 1; step < 200; step += 13) {
        fake_begin(f);
        for (uint32_t at = 0; at < n; at += step)
            fake_feed(f, EC_TO_SERVER, client + at, n - at < step ? n - at : step, 0);
        ck_assert_uint_eq(f->n_begun, 1);
        ck_assert_uint_eq(f->n_ended, 0);
        for (uint32_t at = 0; at < m; at += step)
            fake_feed(f, EC_TO_CLIENT, server + at, m - at < step ? m - at : step, 0);
        ck_assert_uint_eq(f->n_ended, 1);
        fake_feed(f, EC_TO_CLIENT, server, 400, 0);
        ck_assert_uint_eq(f->n_begun, 1);
        fake_end(f);
    }
    ck_assert_uint_eq(wire, 8);
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.ssh/1", 0),
                                 "\"client\":{\"proto_version\":\"2.0\",\"software_version\":\"first\","
                                                "\"hassh\":{\"hash\":\"87b8f3c79cd90ac20f4b670844a3519e\""));
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.ssh/1", 0),
                                 "\"server\":{\"proto_version\":\"2.0\",\"software_version\":"
                                                "\"second_1.0\",\"hassh\""));
    for (uint32_t i = 0; i < f->proto->n_anomaly; i++)
        ck_assert_uint_eq(f->anomaly[i], 0);
    fake_free(f);
}
END_TEST

START_TEST(damage_is_reported)
{
    struct fake_traffic *f = fake_new(ssh_register);
    char line[600];

    memset(line, 'x', sizeof line);
    memcpy(line, "SSH-2.0-", 8);
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, line, sizeof line, 0);
    ck_assert_uint_eq(f->anomaly[1], 1);            /* longer than a banner may be */
    fake_end(f);
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, "GET / HTTP/1.1\r\n\r\n", 18, 0);
    ck_assert_uint_eq(f->anomaly[0], 1);            /* none; only servers may say something before it */
    fake_end(f);
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, "SSH-2.0-a\r\n\x7f\xff\xff\xff\4\24", 17, 0);
    ck_assert_uint_eq(f->anomaly[2], 1);            /* a packet that is too long */
    fake_end(f);
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, "SSH-2.0-a\r\n\0\0\0\x0c\4\24\0\0\0\0\0\0\0\0\0\0", 27, 0);
    ck_assert_uint_eq(f->anomaly[2], 1);            /* a KEXINIT that is too short */
    fake_end(f);
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, "SSH-1.5-a\r\n\0\0\0\1garbage", 22, 0);
    ck_assert_uint_eq(f->anomaly[2], 0);            /* packets of SSH 1 are left alone */
    fake_end(f);
    fake_free(f);
}
END_TEST

START_TEST(banners_alone_make_a_record)
{
    struct fake_traffic *f = fake_new(ssh_register);

    ck_assert_int_eq(f->proto->probe((const uint8_t *)"SS", 2, EC_TO_CLIENT), EC_MORE);
    ck_assert_int_eq(f->proto->probe((const uint8_t *)"SSH-", 4, EC_TO_CLIENT), EC_YES);
    ck_assert_int_eq(f->proto->probe((const uint8_t *)"SSL", 3, EC_TO_CLIENT), EC_NO);
    fake_begin(f);
    fake_feed(f, EC_TO_CLIENT, "SSH-2.0-srv\r\n", 13, 0);
    fake_gap(f, EC_TO_CLIENT, 100);
    fake_end(f);
    ck_assert_uint_eq(testhost_count(f->host, "ec.ssh/1"), 1);
    ck_assert_ptr_nonnull(strstr(fake_text(f, "ec.ssh/1", 0), "\"ssh\":{\"server\":{\"proto_version\":\"2.0\","
                                                "\"software_version\":\"srv\"}}"));
    fake_free(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssh");
    TCase *tc = tcase_create("ssh");

    tcase_add_test(tc, banners_are_read);
    tcase_add_test(tc, hassh_is_the_sum_of_the_lists);
    tcase_add_test(tc, a_connection_in_pieces);
    tcase_add_test(tc, damage_is_reported);
    tcase_add_test(tc, banners_alone_make_a_record);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
