/* test_starttls.c: what tells the protocols that may go on as TLS, and when they do. */
#include <string.h>

#include "plugins/traffic/proto/starttls/starttls.h"
#include "tests/support/fake_traffic.h"
#include "tests/unit/unit.h"

#define HELLO "\x16\x03\x01\x00\x05\x01"

struct said { char side; const char *text; };       /* 'c': the client, 's': the server; 'T': TLS begins here, of either */
struct talk { const char *proto; struct said said[8]; };

static const struct talk talks[] = {
    { "smtp", { { 's', "220 mx.example ESMTP\r\n" }, { 'c', "EHLO a\r\n" }, { 's', "250-mx\r\n250 STARTTLS\r\n" },
                { 'c', "StartTLS\r\n" }, { 's', "220 go\r\n" }, { 'T', HELLO } } },
    { "ftp", { { 's', "220 Authorized\r\n" }, { 'c', "AUTH TLS\r\n" }, { 's', "234 Proceed.\r\n" }, { 'T', HELLO } } },
    { "imap", { { 's', "* OK ready\r\n" }, { 'c', "a1 STARTTLS\r\n" }, { 's', "* CAPABILITY X\r\na1 OK go\r\n" },
                { 'T', HELLO } } },
    { "pop3", { { 's', "+OK ready\r\n" }, { 'c', "STLS\r\n" }, { 's', "+OK go\r\n" }, { 'T', HELLO } } },
    { "jabber", { { 'c', "<?xml version='1.0'?>\n<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>" },
                  { 'c', "\n<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" },
                  { 's', "<stream:features/><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" }, { 'T', HELLO } } },
};

static void say(struct fake_traffic *f, char side, const char *text, uint32_t step)
{
    uint32_t n = side == 'T' ? (uint32_t)sizeof HELLO - 1 : (uint32_t)strlen(text);

    for (uint32_t at = 0; at < n; at += step)
        fake_feed(f, side == 's' ? EC_TO_CLIENT : EC_TO_SERVER, text + at, n - at < step ? n - at : step, 0);
}

START_TEST(tls_begins_where_it_was_granted)
{
    struct fake_traffic *f = fake_new(starttls_register);
    const struct talk *t = &talks[_i];

    fake_use(f, t->proto);
    for (uint32_t step = 1; step < 200; step += step < 8 ? 1 : 191) {
        fake_begin(f);
        for (const struct said *s = t->said; s->text; s++) {
            ck_assert_msg(!f->upgraded, "%s: before \"%s\"", t->proto, s->text);
            say(f, s->side, s->text, step);
        }
        ck_assert_msg(f->upgraded, "%s in pieces of %u", t->proto, step);
        ck_assert_uint_eq(f->n_held[EC_TO_SERVER] > 0, 1);      /* the hello is left for the one who comes */
        fake_end(f);
    }
    fake_free(f);
}
END_TEST

START_TEST(one_letter_of_postgresql_grants)
{
    static const uint8_t request[8] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f };
    struct fake_traffic *f = fake_new(starttls_register);

    fake_use(f, "pgsql");
    for (int granted = 0; granted < 2; granted++) {
        fake_begin(f);
        fake_feed(f, EC_TO_SERVER, request, sizeof request, 0);
        say(f, 's', granted ? "S" : "N", 1);
        say(f, 'T', HELLO, 6);
        ck_assert_int_eq(f->upgraded, granted);
        fake_end(f);
    }
    ck_assert_int_eq(f->proto->probe(request, 8, EC_TO_SERVER), EC_YES);
    ck_assert_int_eq(f->proto->probe(request, 7, EC_TO_SERVER), EC_MORE);
    fake_free(f);
}
END_TEST

START_TEST(without_a_grant_it_stays_in_the_clear)
{
    struct fake_traffic *f = fake_new(starttls_register);

    fake_use(f, "smtp");
    fake_begin(f);
    say(f, 'c', "STARTTLS\r\n", 100);
    say(f, 's', "454 not now\r\n", 100);
    say(f, 'T', HELLO "\n", 100);
    ck_assert(!f->upgraded);
    fake_end(f);
    fake_begin(f);                  /* nobody asked */
    say(f, 's', "220 mx ESMTP\r\n", 100);
    say(f, 'T', HELLO "\n", 100);
    ck_assert(!f->upgraded);
    fake_end(f);
    fake_begin(f);                  /* granted, and not used */
    say(f, 'c', "STARTTLS\r\n", 100);
    say(f, 's', "220 go\r\n", 100);
    say(f, 'c', "NOOP\r\n", 100);
    say(f, 'T', HELLO "\n", 100);
    ck_assert(!f->upgraded);
    fake_end(f);
    fake_free(f);
}
END_TEST

static int32_t probed(struct fake_traffic *f, const char *proto, uint32_t dir, const char *text)
{
    fake_use(f, proto);
    return f->proto->probe((const uint8_t *)text, (uint32_t)strlen(text), dir);
}

START_TEST(a_greeting_is_one_protocols_or_waits_for_the_client)
{
    struct fake_traffic *f = fake_new(starttls_register);

    ck_assert_int_eq(probed(f, "smtp", EC_TO_CLIENT, "220 mail.ftp.example ESMTP\r\n"), EC_YES);
    ck_assert_int_eq(probed(f, "ftp", EC_TO_CLIENT, "220 mail.ftp.example ESMTP\r\n"), EC_NO);
    ck_assert_int_eq(probed(f, "ftp", EC_TO_CLIENT, "220 ProFTPD\r\n"), EC_YES);
    ck_assert_int_eq(probed(f, "smtp", EC_TO_CLIENT, "220 ready\r\n"), EC_MORE);
    ck_assert_int_eq(probed(f, "ftp", EC_TO_CLIENT, "220 ready\r\n331 your password\r\n"), EC_YES);
    ck_assert_int_eq(probed(f, "smtp", EC_TO_SERVER, "EHLO a\r\n"), EC_YES);
    ck_assert_int_eq(probed(f, "smtp", EC_TO_SERVER, "EHL"), EC_MORE);
    ck_assert_int_eq(probed(f, "ftp", EC_TO_SERVER, "USER a\r\n"), EC_MORE);
    ck_assert_int_eq(probed(f, "imap", EC_TO_CLIENT, "* OK IMAP4rev1\r\n"), EC_YES);
    ck_assert_int_eq(probed(f, "imap", EC_TO_SERVER, "a1 LOGIN a b\r\n"), EC_MORE);
    ck_assert_int_eq(probed(f, "pop3", EC_TO_CLIENT, "+OK ready\r\n"), EC_YES);
    ck_assert_int_eq(probed(f, "pop3", EC_TO_CLIENT, "+OK\r\n"), EC_NO);       /* Redis says so, too */
    for (uint32_t i = 0; i < f->n_all; i++)
        for (uint32_t dir = 0; dir < 2; dir++) {
            ck_assert_int_eq(probed(f, f->all[i]->name, dir, "GET / HTTP/1.1\r\n\r\n"), EC_NO);
            ck_assert_int_eq(probed(f, f->all[i]->name, dir, "SSH-2.0-x\r\n"), EC_NO);
            ck_assert_int_eq(probed(f, f->all[i]->name, dir, HELLO), EC_NO);
        }
    fake_free(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("starttls");
    TCase *tc = tcase_create("starttls");

    tcase_add_loop_test(tc, tls_begins_where_it_was_granted, 0, (int)(sizeof talks / sizeof talks[0]));
    tcase_add_test(tc, one_letter_of_postgresql_grants);
    tcase_add_test(tc, without_a_grant_it_stays_in_the_clear);
    tcase_add_test(tc, a_greeting_is_one_protocols_or_waits_for_the_client);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
