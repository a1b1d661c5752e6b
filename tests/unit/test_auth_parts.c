/* Passwords, secrets, back-off and roles, each alone. */
#define EC_API_LEVEL 1
#include "tests/unit/unit.h"

#include "plugins/auth/backoff.h"
#include "plugins/auth/mail.h"
#include "plugins/auth/password.h"
#include "plugins/auth/roles.h"
#include "plugins/auth/seal.h"
#include "plugins/auth/secret.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MATCHES(plain, hash) password_matches(plain, strlen(plain), hash)

START_TEST(a_hash_matches_its_password_only)
{
    char one[PASSWORD_HASH], two[PASSWORD_HASH];

    ck_assert_int_eq(password_hash("correct horse", 13, 7, one, sizeof one), 0);
    ck_assert_int_eq(password_hash("correct horse", 13, 3, two, sizeof two), 0);
    ck_assert(!strncmp(one, "$y$", 3) && strcmp(one, two));
    ck_assert(password_hash_known(one) && !password_hash_stale(one, 7) && password_hash_stale(one, 6));
    ck_assert(password_hash_known(two) && !password_hash_stale(two, 3) && password_hash_stale(two, 7));
    ck_assert(MATCHES("correct horse", one) && MATCHES("correct horse", two));
    ck_assert(!MATCHES("correct Horse", one) && !MATCHES("", one) && !MATCHES("correct horse ", one));
    ck_assert(!password_matches("correct horse\0x", 15, one));
}
END_TEST

START_TEST(the_longest_password_has_a_hash)
{
    char plain[PASSWORD_MAX + 2], hash[PASSWORD_HASH];

    memset(plain, 'x', sizeof plain);
    ck_assert_int_eq(password_hash(plain, PASSWORD_MAX, 3, hash, sizeof hash), 0);
    ck_assert(password_matches(plain, PASSWORD_MAX, hash) && !password_matches(plain, PASSWORD_MAX - 1, hash));
    ck_assert_int_eq(password_hash(plain, PASSWORD_MAX + 1, 3, hash, sizeof hash), -1);
}
END_TEST

/* Not of our making: Openwall's test vectors of crypt_blowfish. */
START_TEST(hashes_of_others_match)
{
    static const char xx[] = "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a";
    static const char uu[] = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    static const char cut[] = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
    static const char whole[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "chars after 72 are ignored";
    char y[sizeof uu];

    ck_assert(password_hash_known(xx) && password_hash_stale(xx, 7));
    ck_assert(MATCHES("U*U*U", xx) && !MATCHES("U*U*u", xx) && !MATCHES("U*U", xx));
    ck_assert(MATCHES("U*U", uu) && !MATCHES("U*U*", uu));
    strcpy(y, uu);
    y[2] = 'y';
    ck_assert(MATCHES("U*U", y));
    y[2] = 'b';
    ck_assert(MATCHES("U*U", y));
    /* bcrypt itself would take both */
    ck_assert(password_matches(whole, 72, cut) && !MATCHES(whole, cut));
}
END_TEST

START_TEST(what_is_no_hash_matches_nothing)
{
    static const char *const bad[] = {
        "", "*0", "*1", "x", "plain", "$1$abc$defghijklmnopqrstuvwxy.", "$2b$", "$2x$04$abcdefghijklmnopqrstuu",
        "$2b$31$EixZaKVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW", /* would take weeks */
        "$y$jFT$k2XAnEHBqQ1Ct2aMXFKNa/HAmA1BpMnBsYHMWB4NZ/.$kH0FJLiKPaEsMI8T3uWjkq08EIrpCmTO.qwmcnhxeL/"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!password_hash_known(bad[i]) && !MATCHES("plain", bad[i]) && !MATCHES("", bad[i]) &&
                          !MATCHES("*0", bad[i]),
                      "%s", bad[i]);
}
END_TEST

START_TEST(what_is_sealed_is_opened_by_its_key_alone)
{
    struct seal one, other, purpose;
    char text[SEAL_TEXT], again[SEAL_TEXT], back[64];

    ck_assert(!seal_init(&one, "a secret", "p") && !seal_init(&other, "another", "p") &&
              !seal_init(&purpose, "a secret", "q"));
    ck_assert_int_eq(seal_close(&one, "anna", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", text), 0);
    ck_assert_int_eq(seal_close(&one, "anna", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", again), 0);
    ck_assert(strcmp(text, again) && !strstr(text, "GEZD") && strlen(text) == 2 + 2 * (12 + 32 + 16));
    ck_assert(!seal_open(&one, "anna", text, back, sizeof back) && !strcmp(back, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    ck_assert(seal_open(&other, "anna", text, back, sizeof back) && seal_open(&purpose, "anna", text, back, sizeof back));
    ck_assert(seal_open(&one, "berta", text, back, sizeof back));
    ck_assert(seal_open(&one, "anna", text, back, 32)); /* no room */
    for (size_t i = 0; text[i]; i++) {
        strcpy(again, text);
        again[i] = again[i] == '0' ? '1' : '0';
        ck_assert_msg(seal_open(&one, "anna", again, back, sizeof back), "letter %zu", i);
        again[i] = '\0';
        ck_assert_msg(seal_open(&one, "anna", again, back, sizeof back), "%zu letters", i);
    }
    ck_assert(seal_close(&one, "anna", "more than fits: GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ!", text));
}
END_TEST

START_TEST(a_letter_is_well_formed)
{
    static const char *const bad[][2] = {{"a@b.org\r\nBcc: x@y.z", "c@d.org"},
                                         {"a@b.org", "c@d.org>\nRCPT TO:<e@f.org"}};
    char out[2048];

    ck_assert_int_eq(mail_compose("ecyber@example.org", "anna@example.org", "Hello", "One\nTwo\n", 1795435200, "abc",
                                  out, sizeof out), 0);
    ck_assert_msg(strstr(out, "Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nFrom: eCyber <ecyber@example.org>\r\n"
                              "To: <anna@example.org>\r\nSubject: Hello\r\nMessage-ID: <abc@example.org>\r\n") == out,
                  "%s", out);
    ck_assert_str_eq(strstr(out, "\r\n\r\n"), "\r\n\r\nOne\r\nTwo\r\n");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(mail_compose(bad[i][0], bad[i][1], "Hello", "x", 0, "abc", out, sizeof out), -1);
    ck_assert_int_eq(mail_compose("a@b.org", "c@d.org", "Hello\r\nX: y", "x", 0, "abc", out, sizeof out), -1);
    ck_assert_int_eq(mail_compose("a@b.org", "c@d.org", "Hello", "x", 0, "abc", out, 100), -1);
    ck_assert_int_eq(mail_compose("a@b.org", "c@d.org", "Hello", "a text that fits", 0, "abc", out, sizeof out), 0);
    ck_assert_int_eq(mail_compose("a@b.org", "c@d.org", "Hello", "a text that fits", 0, "abc", out, strlen(out)), -1);
}
END_TEST

START_TEST(a_mail_server_is_a_host_and_a_port)
{
    static const struct { const char *server, *url; uint32_t tls; } good[] = {
        {"mail.example.org", "smtp://mail.example.org:587", MAIL_STARTTLS},
        {"mail.example.org", "smtps://mail.example.org:465", MAIL_TLS},
        {"127.0.0.1:2525", "smtp://127.0.0.1:2525", MAIL_PLAIN},
        {"[::1]", "smtp://[::1]:25", MAIL_PLAIN},
        {"[::1]:2525", "smtp://[::1]:2525", MAIL_STARTTLS}};
    static const char *const bad[] = {"", ":25", "a b", "host:", "host:0", "host:65536", "host:25x", "host/x", "a@b",
                                      "smtp://host", "[::1", "[::1]x", "host?x", "a:b:c"};
    struct mail_server s;
    char url[320];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        s = (struct mail_server){.tls = good[i].tls};
        strcpy(s.server, good[i].server);
        ck_assert_int_eq(mail_url(&s, url, sizeof url), 0);
        ck_assert_str_eq(url, good[i].url);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s = (struct mail_server){.tls = MAIL_PLAIN};
        strcpy(s.server, bad[i]);
        ck_assert_msg(mail_url(&s, url, sizeof url) == -1, "%s", bad[i]);
    }
}
END_TEST

static void told(void *arg, int what, const char *why, uint32_t attempts)
{
    (void)why, (void)attempts;
    atomic_fetch_add((atomic_int *)arg, what == MAIL_AGAIN);
}

/* Nobody listens there: what waits is bounded, and the end does not wait for it. */
START_TEST(letters_wait_within_a_bound)
{
    struct mail_server s = {.server = "127.0.0.1:1", .from = "a@b.org", .tls = MAIL_PLAIN, .timeout_s = 60,
                            .retry_ns = UINT64_C(600000000000)};
    atomic_int again = 0;
    struct mails *m = mails_new(&s, told, &again);

    ck_assert_ptr_nonnull(m);
    for (int i = 0; i < MAILS_MAX; i++)
        ck_assert_int_eq(mail_post(m, "c@d.org", "Hello", "x", mail_now() + 1800), 0);
    ck_assert_int_eq(mail_post(m, "c@d.org", "Hello", "x", mail_now() + 1800), EC_ELIMIT);
    while (!atomic_load(&again))
        usleep(1000);
    ck_assert_uint_eq(mails_free(m), MAILS_MAX);
    ck_assert_uint_eq(mails_free(NULL), 0);
}
END_TEST

START_TEST(weak_passwords_are_named)
{
    static const char *const bad[] = {"short", "aaaaaaaaaaaaaaa", "password12", "Passw0rd!!", "anna1234567"};
    char huge[PASSWORD_MAX + 2];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(password_weak(bad[i], strlen(bad[i]), i == 4 ? "annamaria" : "x", i == 4 ? 12 : 10) != NULL, "%s",
                      bad[i]);
    memset(huge, 'x', sizeof huge);
    ck_assert_ptr_nonnull(password_weak(huge, PASSWORD_MAX + 1, "x", 10));
    ck_assert_ptr_nonnull(password_weak("with a \0 inside", 15, "x", 10));
    ck_assert_ptr_null(password_weak("correct horse", 13, "anna", 10));
    ck_assert_ptr_null(password_weak("gr\xc3\xbc\xc3\x9f gott!", 12, "anna", 10));
}
END_TEST

START_TEST(random_passwords_differ)
{
    char one[PASSWORD_NEW], two[PASSWORD_NEW];

    ck_assert(!password_random(one) && !password_random(two) && strcmp(one, two));
    ck_assert_uint_eq(strlen(one), 23);
    ck_assert(one[5] == '-' && one[11] == '-' && one[17] == '-');
    ck_assert(strspn(one, "abcdefghijkmnpqrstuvwxyz23456789-") == 23);
}
END_TEST

START_TEST(placeholder_secrets_are_refused)
{
    static const char *const bad[] = {
        "",
        "short",
        "1234567890123456789012345678901",
        "changeme-changeme-changeme-changeme",
        "your-secret-key-here-please-change-it",
        "Your_Secret_Key_For_The_Production_Server",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abababababababababababababababababababab",
        "q8Zr4LmXv1q8Zr4LmXv1q8Zr4LmXv1q8Zr4LmXv1",
        "this-is-an-INSECURE-key-for-development"};
    char made[SECRET_TEXT], again[SECRET_TEXT];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(secret_weak(bad[i]) != NULL, "'%s' was taken", bad[i]);
    ck_assert(!secret_random(made) && !secret_random(again) && strcmp(made, again));
    ck_assert_ptr_null(secret_weak(made));
    ck_assert_ptr_null(secret_weak("c3VyZWx5IG5vdCBhIGd1ZXNzYWJsZSB0aGluZyBhdCBhbGw="));
}
END_TEST

START_TEST(private_files)
{
    char folder[] = "/tmp/ecyber-auth-XXXXXX", path[128], to[64], why[512];
    struct stat st;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/secret", folder);
    ck_assert_int_eq(private_read(path, to, sizeof to, why, sizeof why), 0);
    ck_assert(!private_write(path, "first") && !private_write(path, "second"));
    ck_assert(!stat(path, &st) && (st.st_mode & 07777) == 0600);
    ck_assert_int_eq(private_read(path, to, sizeof to, why, sizeof why), 1);
    ck_assert_str_eq(to, "second");
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(private_read(path, to, sizeof to, why, sizeof why), -1);
    ck_assert_msg(strstr(why, "may be read by others (mode 640)") != NULL, "%s", why);
    unlink(path);
    ck_assert_int_eq(symlink("/etc/hostname", path), 0);
    ck_assert_int_eq(private_read(path, to, sizeof to, why, sizeof why), -1);
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(private_read(path, to, sizeof to, why, sizeof why), -1);
    ck_assert_int_eq(private_write(path, "x"), -1);
    rmdir(path);
    rmdir(folder);
}
END_TEST

START_TEST(waits_double_up_to_the_longest)
{
    static const uint32_t wait[] = {1, 2, 4, 8, 10, 10};
    struct backoff *b = backoff_new(3, 10, 0);
    uint64_t now = 1000;

    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(backoff_try(b, "anna", now), 0);
    for (size_t i = 0; i < sizeof wait / sizeof *wait; i++) {
        ck_assert_uint_eq(backoff_try(b, "anna", now), wait[i]);
        ck_assert_uint_eq(backoff_try(b, "anna", now + wait[i] - 1), 1);
        now += wait[i];
        ck_assert_uint_eq(backoff_try(b, "anna", now), 0);
    }
    ck_assert_uint_eq(backoff_try(b, "berta", now), 0);
    backoff_good(b, "anna");
    ck_assert_uint_eq(backoff_try(b, "anna", now), 0);
    ck_assert_uint_eq(backoff_try(b, "anna", now), 0);
    backoff_refund(b, "anna");
    ck_assert_uint_eq(backoff_try(b, "anna", now), 0);
    ck_assert_uint_eq(backoff_try(b, "anna", now), 0);
    ck_assert_uint_eq(backoff_try(b, "anna", now), 1);
    ck_assert_uint_eq(backoff_try(b, "anna", now + 3601), 0);
    ck_assert_uint_eq(backoff_try(b, "anna", now + 3601), 0);
    backoff_free(b);
}
END_TEST

START_TEST(a_flood_of_names_does_not_free_the_guessed_one)
{
    struct backoff *b = backoff_new(5, 300, 0);
    char name[32];

    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(backoff_try(b, "anna", 50), 0);
    ck_assert_uint_ne(backoff_try(b, "anna", 50), 0);
    for (int i = 0; i < 200000; i++) {
        snprintf(name, sizeof name, "name%d", i);
        backoff_try(b, name, 50);
    }
    ck_assert_uint_ne(backoff_try(b, "anna", 50), 0);
    backoff_free(b);
}
END_TEST

START_TEST(an_account_is_forgiven_bit_by_bit)
{
    struct backoff *b = backoff_new(3, 0, 10);

    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(backoff_try(b, "anna", 100), 0);
    ck_assert_uint_eq(backoff_try(b, "anna", 100), 10);
    ck_assert_uint_eq(backoff_try(b, "anna", 109), 1);
    ck_assert_uint_eq(backoff_try(b, "anna", 110), 0);
    ck_assert_uint_eq(backoff_try(b, "anna", 110), 10);
    ck_assert_uint_eq(backoff_try(b, "anna", 125), 0);
    ck_assert_uint_eq(backoff_try(b, "anna", 125), 5); /* it was forgiven at 120; the next is at 130 */
    backoff_refund(b, "anna");
    ck_assert_uint_eq(backoff_try(b, "anna", 125), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(backoff_try(b, "anna", 100000), 0);
    ck_assert_uint_eq(backoff_try(b, "anna", 100000), 10);
    ck_assert(!backoff_noted(b, "berta", 5));
    backoff_note(b, "berta", 5);
    ck_assert(backoff_noted(b, "berta", 5 + 30 * 86400) && !backoff_noted(b, "berta", 6 + 30 * 86400));
    backoff_free(b);
}
END_TEST

START_TEST(whom_an_address_counts_as)
{
    static const char *const net[][2] = {
        {"192.0.2.1", "192.0.2.1"}, {"::ffff:192.0.2.1", "192.0.2.1"}, {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
        {"2001:db8:1:2::", "2001:db8:1:2::"}, {"fe80::1:2", "fe80::1:2"}, {"::1", "::1"}, {"local", "local"},
    };
    char to[BACKOFF_NET];

    for (size_t i = 0; i < sizeof net / sizeof *net; i++) {
        backoff_net(net[i][0], to);
        ck_assert_str_eq(to, net[i][1]);
    }
    ck_assert(backoff_loopback("127.0.0.1") && backoff_loopback("127.9.9.9") && backoff_loopback("::1"));
    ck_assert(!backoff_loopback("128.0.0.1") && !backoff_loopback("::2") && !backoff_loopback("1270::1"));
}
END_TEST

START_TEST(roles_there_and_back)
{
    char text[64];
    uint32_t roles;

    for (uint32_t all = 0; all < 1u << ROLES; all++) {
        roles_print(all, text, sizeof text);
        ck_assert(!roles_parse(text, strlen(text), &roles) && roles == all);
    }
    ck_assert_str_eq(text, ROLE_WORDS);
    ck_assert_int_eq(roles_parse("admin,root", 10, &roles), -1);
    ck_assert_int_eq(roles_parse("admi", 4, &roles), -1);
    ck_assert_int_eq(roles_parse("admin,,viewer", 13, &roles), -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("auth_parts");
    TCase *c = tcase_create("parts");

    tcase_add_test(c, what_is_sealed_is_opened_by_its_key_alone);
    tcase_add_test(c, a_letter_is_well_formed);
    tcase_add_test(c, a_mail_server_is_a_host_and_a_port);
    tcase_add_test(c, letters_wait_within_a_bound);
    tcase_add_test(c, a_hash_matches_its_password_only);
    tcase_add_test(c, the_longest_password_has_a_hash);
    tcase_add_test(c, hashes_of_others_match);
    tcase_add_test(c, what_is_no_hash_matches_nothing);
    tcase_add_test(c, weak_passwords_are_named);
    tcase_add_test(c, random_passwords_differ);
    tcase_add_test(c, placeholder_secrets_are_refused);
    tcase_add_test(c, private_files);
    tcase_add_test(c, waits_double_up_to_the_longest);
    tcase_add_test(c, a_flood_of_names_does_not_free_the_guessed_one);
    tcase_add_test(c, an_account_is_forgiven_bit_by_bit);
    tcase_add_test(c, whom_an_address_counts_as);
    tcase_add_test(c, roles_there_and_back);
    suite_add_tcase(s, c);
    return unit_run(s);
}
