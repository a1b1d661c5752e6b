#include "tests/unit/unit.h"

#include "lib/guard.h"
#include "plugins/webhooks/pending.h"
#include "plugins/webhooks/sign.h"
#include "lib/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The example of Standard Webhooks 1.0's reference libraries. */
START_TEST(signatures_are_those_of_the_standard)
{
    static const char body[] = "{\"test\": 2432232314}";
    char to[SIGN_TEXT];

    ck_assert_int_eq(sign_body("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                               body,
                               sizeof body - 1, to), 0);
    ck_assert_str_eq(to, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}
END_TEST

START_TEST(secrets_have_a_form)
{
    static const char *const bad[] = { "", "whsec_", "whsec_YWJj", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!w" };
    char one[SIGN_SECRET], two[SIGN_SECRET], to[SIGN_TEXT];

    ck_assert(!sign_make_secret(one) && !sign_make_secret(two));
    ck_assert_str_ne(one, two);
    ck_assert(sign_is_secret(one, strlen(one)));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!sign_is_secret(bad[i], strlen(bad[i])), "%s", bad[i]);
        ck_assert_int_eq(sign_body(bad[i], "a", 1, "", 0, to), -1);
    }
}
END_TEST

static bool allows(const struct guard *g, const char *text)
{
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return guard_allows(g, (struct sockaddr *)&four);
    ck_assert_int_eq(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return guard_allows(g, (struct sockaddr *)&six);
}

START_TEST(only_the_public_network_is_told)
{
    static const char *const no[] = {
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "fec0::1" };
    static const char *const yes[] = { "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1",
                                      "::ffff:8.8.8.8" };
    struct guard g = { .n = 0 };

    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        ck_assert_msg(!allows(&g, no[i]), "%s", no[i]);
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        ck_assert_msg(allows(&g, yes[i]), "%s", yes[i]);
    ck_assert(!guard_parse("10.1.0.0/17", &g.allow[g.n++]));
    ck_assert(!guard_parse("::1", &g.allow[g.n++]));
    ck_assert(allows(&g, "10.1.127.255") && !allows(&g, "10.1.128.0") && allows(&g, "::1") && !allows(&g, "::2"));
    ck_assert(allows(&g, "::ffff:10.1.0.1"));
}
END_TEST

START_TEST(networks_are_read)
{
    static const char *const bad[] = { "", "a", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129", "10.0.0/8",
                                      "1.2.3.4/-1" };
    struct guard_net n;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(guard_parse(bad[i], &n) < 0, "%s", bad[i]);
    ck_assert(!guard_parse("10.0.0.0/8", &n) && n.bits == 104);
    ck_assert(!guard_parse("10.0.0.1", &n) && n.bits == 128);
}
END_TEST

START_TEST(addresses_of_webhooks_are_checked)
{
    static const char *const bad[] = { "", "example.org", "http://example.org/", "ftp://example.org/",
                                      "file:///etc/passwd",
                                       "https://", "https://u:p@example.org/", "https://a b/", "https://a\r\nX: y/",
                                       "gopher://example.org/", "https://ex\xc3\xa4mple.org/", "https://example.org:99999/" };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(url_wrong(bad[i], false) != NULL, "%s", bad[i]);
    ck_assert(!url_wrong("https://example.org/hook?x=1", false));
    ck_assert(!url_wrong("https://[2001:db8::1]:8443/", false));
    ck_assert(!url_wrong("http://example.org/", true) && url_wrong("ftp://example.org/", true));
}
END_TEST

static struct delivery *make(uint64_t due, uint32_t len)
{
    struct delivery *d = calloc(1, sizeof *d + len);

    d->due_ns = due;
    d->len = len;
    return d;
}

START_TEST(the_queue_is_bounded_and_in_order)
{
    static const uint64_t due[] = { 5, 1, 3 };
    struct queue q;
    struct delivery *d;

    queue_init(&q, 4, 100);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(queue_put(&q, make(due[i], 10)));
    ck_assert(!queue_put(&q, make(2, 71)));
    ck_assert(queue_put(&q, make(4, 70)) && !queue_put(&q, make(4, 0)));
    ck_assert_uint_eq(queue_count(&q), 4);
    ck_assert(!queue_due(&q, 0) && !queue_take(&q, 0) && queue_due(&q, 1));
    for (uint64_t want = 1; want < 5; want += want == 1 ? 2 : 1) {
        ck_assert_ptr_nonnull(d = queue_take(&q, 4));
        ck_assert_uint_eq(d->due_ns, want);
        free(d);
    }
    ck_assert(!queue_take(&q, 4));
    queue_fini(&q);
}
END_TEST

static struct delivery *named(uint64_t due, const char *event, const char *body)
{
    struct delivery *d = calloc(1, sizeof *d + strlen(body) + 1);

    ck_assert_ptr_nonnull(d);
    d->hook = 7;
    d->due_ns = due;
    d->attempt = 2;
    d->len = (uint32_t)strlen(body);
    strcpy(d->id, "7-12");
    strcpy(d->event, event);
    strcpy(d->type, "alert");
    strcpy(d->body, body);
    return d;
}

START_TEST(what_is_pending_outlasts_a_stop)
{
    char path[] = "/tmp/ecyber-pending-XXXXXX";
    int fd = mkstemp(path);
    struct queue q, again;
    struct delivery *d;
    uint32_t lost;

    ck_assert_int_ge(fd, 0);
    close(fd);
    queue_init(&q, 4, 1000);
    queue_init(&again, 1, 1000);
    ck_assert(queue_put(&q, named(5, "12", "{\"a\":\n1}")) && queue_put(&q, named(1, "", "")));
    ck_assert_int_eq(pending_save(&q, path), 2);
    ck_assert_uint_eq(queue_count(&q), 0);
    ck_assert_int_eq(pending_load(&q, path, &lost), 2);
    ck_assert_uint_eq(lost, 0);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(pending_load(&again, path, &lost), 0);
    ck_assert_int_eq(pending_save(&q, path), 2);
    ck_assert_int_eq(pending_load(&again, path, &lost), 1);
    ck_assert_uint_eq(lost, 1);
    ck_assert_ptr_nonnull(d = queue_take(&again, 9));
    ck_assert(d->hook == 7 && d->due_ns == 1 && d->attempt == 2 && !*d->event && !d->len && !strcmp(d->type, "alert"));
    free(d);
    ck_assert_int_eq(pending_load(&again, "/", &lost), -1);
    queue_fini(&q);
    queue_fini(&again);
}
END_TEST

START_TEST(a_damaged_file_gives_what_stands_before)
{
    static const char *const rest[] = { "x", "7 1 0 5 id ev type\nabc", "7 1 0 99999999999 id ev type\n",
                                       "7 1 0 0 id ev\n\n",
                                        "7 1 0 0 id ev type more\n\n", "7 1 0 2 id ev type\n\n\n", "\n", "7 1 0 0 \x01 e t\n\n",
                                        "7 1 0 4294967295 id ev type\n" };
    struct queue q;
    uint32_t lost;
    char text[512];

    queue_init(&q, 100, 1000);
    for (unsigned i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        snprintf(text, sizeof text, "7 1 0 2 id ev type\n{}\n%s", rest[i]);
        ck_assert_msg(pending_parse(&q, text, strlen(text), &lost) == 1 && lost == 1, "%s", rest[i]);
    }
    queue_fini(&q);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("webhooks");
    TCase *c = tcase_create("parts");

    tcase_add_test(c, signatures_are_those_of_the_standard);
    tcase_add_test(c, secrets_have_a_form);
    tcase_add_test(c, only_the_public_network_is_told);
    tcase_add_test(c, networks_are_read);
    tcase_add_test(c, addresses_of_webhooks_are_checked);
    tcase_add_test(c, the_queue_is_bounded_and_in_order);
    tcase_add_test(c, what_is_pending_outlasts_a_stop);
    tcase_add_test(c, a_damaged_file_gives_what_stands_before);
    suite_add_tcase(s, c);
    return unit_run(s);
}
