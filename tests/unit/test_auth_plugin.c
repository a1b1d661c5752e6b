/* The plugin as a whole, in the fake host, with a fake HTTP server and a fake store. */
#include "tests/unit/unit.h"

#include "plugins/auth/plugin.h"
#include "testhost.h"
#include "tests/support/fake_api.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const struct ec_plugin *ec_plugin_entry_1(void);

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define POST(path, ...) fake_ask("POST", path, NULL, LIST(__VA_ARGS__))
#define LOGIN(name, password) POST("/api/auth/login", "username=" name, "password=" password)

/* Time stands still unless a test says otherwise: on a slow machine a wait would be over before it is seen (ld --wrap). */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
static time_t seconds = 1000;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    *now = (struct timespec){ seconds, 0 };
    return 0;
}

static struct testhost *t;
static const struct ec_auth *service;
static char first[4200];

static void stop(void)
{
    testhost_free(t);
    t = NULL;
}

static int start_option(const char *option, const char *value)
{
    int err;

    t = testhost_new(ec_plugin_entry_1());
    testhost_option(t, "hash_cost", "3"); /* what is tested here is not how long a hash takes */
    if (option)
        testhost_option(t, option, value);
    testhost_provide(t, EC_STORE_ID, &fake_store, NULL);
    testhost_provide(t, EC_HTTP_ID, &fake_http, NULL);
    err = testhost_start(t);
    service = testhost_offer(t, EC_AUTH_ID);
    return err;
}

static int start(void)
{
    return start_option(NULL, NULL);
}

static void setup(void)
{
    unsetenv("SECRET_KEY");
    unsetenv("ALGORITHM");
    unsetenv("ACCESS_TOKEN_EXPIRE_MINUTES");
    fake_reset();
    ck_assert_msg(!start(), "%s", testhost_why(t));
    snprintf(first, sizeof first, "%s/first-password", testhost_host(t)->state_dir(testhost_host(t)));
}

static void teardown(void)
{
    char command[5000];
    const char *dir = t ? testhost_host(t)->state_dir(testhost_host(t)) : "nothing";

    snprintf(command, sizeof command, "rm -rf './%s'", dir);
    ck_assert_int_eq(system(command), 0);
    if (t)
        stop();
    fake_reset();
}

/* "password=" and what stands in the file of the one-time password. */
static const char *one_time(void)
{
    static char text[128] = "password=";
    FILE *f = fopen(first, "r");

    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(text + 9, 100, f));
    fclose(f);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static char token[8192];
static struct ec_who who;

/* Who is it, by the token of the last reply? */
static int32_t shown(void)
{
    char why[256];

    return service->bearer(testhost_self(t), token, (uint32_t)strlen(token), &who, why, sizeof why);
}

static void keep_token(void)
{
    snprintf(token, sizeof token, "%s", fake_reply("access_token"));
    ck_assert_int_eq(shown(), EC_OK);
}

static void as_admin(void)
{
    ck_assert_uint_eq(POST("/api/auth/login", "username=admin", one_time()), 200);
    keep_token();
    fake_caller(&who, "127.0.0.1");
}

static const char *audit(uint32_t i, struct ec_span s)
{
    return testhost_text(ec_part_first(testhost_event(t, EC_AUDIT_TOPIC, i)), s);
}

static const struct ec_audit *audit_at(uint32_t i)
{
    return (const struct ec_audit *)(const void *)ec_part_first(testhost_event(t, EC_AUDIT_TOPIC, i));
}

START_TEST(the_one_time_password_is_used_once)
{
    struct stat st;
    const char *given = one_time();
    uint32_t n;

    ck_assert(!stat(first, &st) && (st.st_mode & 07777) == 0600);
    testhost_forget(t);
    ck_assert_uint_eq(POST("/api/auth/login", "username=Admin", given, "grant_type=password"), 200);
    ck_assert_int_ne(access(first, F_OK), 0);
    ck_assert_str_eq(fake_reply("token_type"), "bearer");
    ck_assert_str_eq(fake_reply("must_change"), "true");
    ck_assert_str_eq(fake_reply("expires_in"), "28800");
    ck_assert_str_eq(fake_header("Cache-Control"), "no-store");
    keep_token();
    ck_assert_str_eq(who.name, "admin");
    ck_assert_str_eq(who.roles, "admin");
    n = testhost_count(t, EC_AUDIT_TOPIC);
    ck_assert_uint_eq(n, 1);
    ck_assert_str_eq(audit(0, audit_at(0)->action), "login");
    ck_assert_str_eq(audit(0, audit_at(0)->outcome), "success");
    ck_assert_str_eq(audit(0, audit_at(0)->actor), "admin");
    ck_assert_str_eq(audit(0, audit_at(0)->address), "127.0.0.1");
    ck_assert_uint_eq(who.flags, EC_WHO_MUST_CHANGE);
    fake_caller(&who, "127.0.0.1");
    ck_assert_uint_eq(fake_ask("GET", "/api/auth/me", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("username"), "admin");
    ck_assert_str_eq(fake_reply("roles"), "admin");
    ck_assert_str_eq(fake_reply("must_change"), "true");
}
END_TEST

START_TEST(the_one_time_password_is_spent_when_it_was_used)
{
    char given[128], current[160];
    uint32_t n;

    snprintf(given, sizeof given, "%s", one_time());
    snprintf(current, sizeof current, "current_%s", given);
    as_admin();
    testhost_forget(t);
    ck_assert_uint_eq(POST("/api/auth/login", "username=admin", given), 401);
    ck_assert_str_eq(fake_detail(), "Incorrect username or password");
    n = testhost_count(t, EC_AUDIT_TOPIC);
    ck_assert_uint_eq(n, 1);
    ck_assert_str_eq(audit(0, audit_at(0)->outcome), "failure");
    ck_assert_str_eq(audit(0, audit_at(0)->detail), "one-time password already used");
    ck_assert_int_eq(shown(), EC_OK);
    /* after a restart as well */
    fake_forget_routes();
    testhost_stop(t);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    service = testhost_offer(t, EC_AUTH_ID);
    ck_assert_uint_eq(POST("/api/auth/login", "username=admin", given), 401);
    /* the token that it gave chooses another one, and that one logs in as often as it likes */
    ck_assert_uint_eq(POST("/api/auth/change-password", current, "new_password=correct horse"), 200);
    ck_assert_uint_eq(LOGIN("admin", "correct horse"), 200);
    ck_assert_uint_eq(LOGIN("admin", "correct horse"), 200);
}
END_TEST

START_TEST(a_one_time_password_that_cannot_be_marked_logs_nobody_in)
{
    fake_fails = EC_EIO;
    ck_assert_uint_eq(POST("/api/auth/login", "username=admin", one_time()), 503);
    fake_fails = 0;
    ck_assert_uint_eq(POST("/api/auth/login", "username=admin", one_time()), 200);
}
END_TEST

START_TEST(wrong_passwords_and_unknown_users_get_the_same_answer)
{
    char one[256];

    testhost_forget(t);
    ck_assert_uint_eq(LOGIN("admin", "wrong"), 401);
    strcpy(one, fake_detail());
    ck_assert_str_eq(one, "Incorrect username or password");
    ck_assert_str_eq(fake_header("WWW-Authenticate"), "Bearer");
    ck_assert_uint_eq(LOGIN("nobody", "wrong"), 401);
    ck_assert_str_eq(fake_detail(), one);
    ck_assert_uint_eq(LOGIN("no such\nname", "wrong"), 401);
    ck_assert_uint_eq(testhost_count(t, EC_AUDIT_TOPIC), 3);
    ck_assert_str_eq(audit(0, audit_at(0)->outcome), "failure");
    ck_assert_int_eq(testhost_metric(t, "logins_failed"), 3);
    ck_assert_uint_eq(POST("/api/auth/login", "username=admin", "password=x", "grant_type=refresh"), 422);
}
END_TEST

START_TEST(who_guesses_has_to_wait)
{
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(LOGIN("admin", "wrong"), 401);
    ck_assert_uint_eq(LOGIN("admin", "wrong"), 429);
    ck_assert_str_eq(fake_header("Retry-After"), "1");
    /* the right password waits as well, from there */
    ck_assert_uint_eq(POST("/api/auth/login", "username=admin", one_time()), 429);
    fake_caller(NULL, "192.0.2.7");
    ck_assert_uint_eq(POST("/api/auth/login", "username=admin", one_time()), 200);
    ck_assert_uint_eq(LOGIN("admin", "wrong"), 401);
    ck_assert_int_eq(testhost_metric(t, "backoffs"), 2);
}
END_TEST

/* Of the owner's log-ins from another address, how many fail while somebody guesses as often as the daemon lets him? */
static int failures_of(const char *owner, const char *guesser, int times)
{
    int failed = 0;

    for (int i = 0; i < times; i++) {
        fake_caller(NULL, guesser);
        LOGIN("anna", "wrong");
        seconds += !strcmp(fake_header("Retry-After"), "") ? 0 : atoi(fake_header("Retry-After"));
        fake_caller(NULL, owner);
        failed += LOGIN("anna", "tree house 7") != 200;
    }
    return failed;
}

START_TEST(a_guesser_locks_out_nobody_elsewhere)
{
    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "must_change=false"), 201);
    ck_assert_int_eq(failures_of("192.0.2.1", "192.0.2.2", 8), 0);
    ck_assert_int_eq(failures_of("127.0.0.2", "127.0.0.1", 8), 0);
    ck_assert_int_eq(failures_of("2001:db8:0:1::1", "2001:db8:0:2::1", 8), 0);
    /* a network of IPv6 is one guesser, for all its addresses */
    fake_caller(NULL, "2001:db8::1");
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(LOGIN("anna", "wrong"), 401);
    fake_caller(NULL, "2001:db8::2:1");
    ck_assert_uint_eq(LOGIN("anna", "wrong"), 429);
    /* another password: whoever waited for the old one need not any more */
    fake_caller(&who, "local");
    ck_assert_uint_eq(fake_ask("POST", "/api/users/{id}/reset-password", LIST("id=2"), LIST("password=river boat 9")),
                      204);
    fake_caller(NULL, "2001:db8::2:1");
    ck_assert_uint_eq(LOGIN("anna", "river boat 9"), 200);
    seconds = 1000; /* check measures by this clock, and has no room for hours */
}
END_TEST

START_TEST(an_address_that_tries_many_names_waits)
{
    char name[64];

    for (int i = 0; i < 22; i++) {
        snprintf(name, sizeof name, "username=user%d", i);
        fake_caller(NULL, "192.0.2.9");
        ck_assert_uint_eq(POST("/api/auth/login", name, "password=x"), i < 20 ? 401 : 429);
        fake_caller(NULL, "127.0.0.1"); /* a proxy, behind which everybody stands */
        ck_assert_uint_eq(POST("/api/auth/login", name, "password=x"), 401);
    }
    fake_caller(NULL, "192.0.2.10");
    ck_assert_uint_eq(LOGIN("someone.else", "x"), 401);
}
END_TEST

static void start_with(const char *option, const char *value)
{
    fake_reset();
    ck_assert_msg(!start_option(option, value), "%s", testhost_why(t));
    snprintf(first, sizeof first, "%s/first-password", testhost_host(t)->state_dir(testhost_host(t)));
}

START_TEST(many_guessers_together_are_bounded_and_known_places_are_not)
{
    char from[32];
    int tried = 0;

    stop();
    start_with("backoff.account_hourly", "10");
    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "must_change=false"), 201);
    fake_caller(NULL, "192.0.2.1");
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    for (int i = 0; i < 20; i++) {
        snprintf(from, sizeof from, "198.51.100.%d", i);
        fake_caller(NULL, from);
        tried += LOGIN("anna", "wrong") == 401;
    }
    ck_assert_int_eq(tried, 10);
    ck_assert_str_eq(fake_header("Retry-After"), "360");
    fake_caller(NULL, "192.0.2.99");
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 429);
    fake_caller(NULL, "192.0.2.1");
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    fake_caller(NULL, "192.0.2.99");
    seconds += 360;
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
}
END_TEST

START_TEST(another_password_ends_older_tokens)
{
    char old[8192], current[160];

    snprintf(current, sizeof current, "current_%s", one_time());
    as_admin();
    strcpy(old, token);
    ck_assert_uint_eq(POST("/api/auth/change-password", "current_password=wrong", "new_password=correct horse"), 403);
    ck_assert_uint_eq(POST("/api/auth/change-password", current, "new_password=short"), 422);
    ck_assert_str_eq(fake_detail(), "body.new_password: value_error: The password is too short");
    ck_assert_uint_eq(POST("/api/auth/change-password", current, "new_password=correct horse"), 200);
    ck_assert_str_eq(fake_reply("must_change"), "false");
    keep_token();
    ck_assert_uint_eq(who.flags, 0);
    strcpy(token, old);
    ck_assert_int_eq(shown(), EC_EPERM);
    ck_assert_uint_eq(LOGIN("admin", "correct horse"), 200);
    keep_token();
    ck_assert_uint_eq(fake_ask("POST", "/api/auth/logout-all", NULL, NULL), 204);
    ck_assert_int_eq(shown(), EC_EPERM);
}
END_TEST

static const char *id_of(char to[32])
{
    snprintf(to, 32, "id=%s", fake_reply("id"));
    return to;
}

START_TEST(users_are_made_changed_and_removed)
{
    char id[32], anna[8192];

    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=Anna", "password=tree house 7", "roles=analyst,sensor",
                           "email=anna@example.org"), 201);
    ck_assert_str_eq(fake_reply("username"), "anna");
    ck_assert_str_eq(fake_reply("roles"), "analyst,sensor");
    ck_assert_str_eq(fake_reply("email"), "anna@example.org");
    ck_assert_str_eq(fake_reply("must_change"), "true");
    id_of(id);
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7"), 409);
    ck_assert_uint_eq(POST("/api/users", "username=../etc", "password=tree house 7"), 422);
    ck_assert_uint_eq(POST("/api/users", "username=berta"), 422);
    ck_assert_uint_eq(fake_ask("GET", "/api/users", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("total"), "2");
    ck_assert_str_eq(fake_reply("items.username"), "admin");
    ck_assert_uint_eq(fake_ask("GET", "/api/users", LIST("limit=1"), NULL), 200);
    ck_assert_str_eq(fake_reply("next_cursor"), "1");
    ck_assert_uint_eq(fake_ask("GET", "/api/users", LIST("limit=1", "cursor=1"), NULL), 200);
    ck_assert_str_eq(fake_reply("items.username"), "anna");
    ck_assert_str_eq(fake_reply("next_cursor"), "");
    ck_assert_uint_eq(fake_ask("GET", "/api/users", LIST("cursor=x"), NULL), 422);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    snprintf(anna, sizeof anna, "%s", fake_reply("access_token"));
    strcpy(token, anna);
    ck_assert_int_eq(shown(), EC_OK);
    ck_assert_str_eq(who.roles, "analyst,sensor");
    /* a change of what is said about her leaves her tokens, one of what she may do does not */
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST(id), LIST("full_name=Anna A.")), 200);
    ck_assert_int_eq(shown(), EC_OK);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST(id), LIST("roles=viewer")), 200);
    ck_assert_int_eq(shown(), EC_EPERM);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    keep_token();
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST(id), LIST("is_active=false")), 200);
    ck_assert_int_eq(shown(), EC_EPERM);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 401);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST(id), LIST("is_active=true")), 200);
    ck_assert_uint_eq(fake_ask("POST", "/api/users/{id}/reset-password", LIST(id), LIST("password=river boat 9")), 204);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 401);
    ck_assert_uint_eq(LOGIN("anna", "river boat 9"), 200);
    keep_token();
    ck_assert_uint_eq(fake_ask("DELETE", "/api/users/{id}", LIST(id), NULL), 204);
    ck_assert_int_eq(shown(), EC_EPERM);
    ck_assert_uint_eq(fake_ask("GET", "/api/users/{id}", LIST(id), NULL), 404);
    ck_assert_uint_eq(LOGIN("anna", "river boat 9"), 401);
    ck_assert_uint_eq(fake_documents(), 1);
}
END_TEST

START_TEST(the_last_administrator_stays)
{
    as_admin();
    ck_assert_uint_eq(fake_ask("DELETE", "/api/users/{id}", LIST("id=1"), NULL), 409);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=1"), LIST("roles=viewer")), 409);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=1"), LIST("is_active=false")), 409);
    ck_assert_int_eq(shown(), EC_OK);
    ck_assert_uint_eq(POST("/api/users", "username=second", "password=tree house 7", "roles=admin"), 201);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=1"), LIST("roles=viewer")), 200);
}
END_TEST

START_TEST(a_user_is_put_disabled_and_counted)
{
    char id[32];
    uint64_t etag;

    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "email=anna@example.org"), 201);
    id_of(id);
    ck_assert_uint_eq(fake_ask("GET", "/api/users/{id}", LIST(id), NULL), 200);
    etag = fake_etag();
    ck_assert_uint_ne(etag, 0);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    snprintf(token, sizeof token, "%s", fake_reply("access_token"));
    testhost_forget(t);
    fake_if_match(etag + 100);
    ck_assert_uint_eq(fake_ask("PUT", "/api/users/{id}", LIST(id), LIST("full_name=X")), 412);
    ck_assert_uint_eq(fake_ask("POST", "/api/users/{id}/disable", LIST(id), NULL), 412);
    ck_assert_uint_eq(fake_ask("DELETE", "/api/users/{id}", LIST(id), NULL), 412);
    fake_if_match(etag);
    ck_assert_uint_eq(fake_ask("PUT", "/api/users/{id}", LIST(id),
                               LIST("full_name=Anna A.", "email=a.a@example.org", "password=river boat 9")), 200);
    ck_assert_uint_ne(fake_etag(), etag);
    fake_if_match(0);
    ck_assert_str_eq(fake_reply("full_name"), "Anna A.");
    ck_assert_str_eq(fake_reply("roles"), "viewer"); /* what is not said stays */
    ck_assert_int_eq(shown(), EC_EPERM);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 401);
    ck_assert_uint_eq(LOGIN("anna", "river boat 9"), 200);
    ck_assert_str_eq(audit(0, audit_at(0)->detail), "email 'anna@example.org' -> 'a.a@example.org', full name '' -> "
                                                    "'Anna A.', another password");
    ck_assert_uint_eq(fake_ask("PUT", "/api/users/{id}", LIST(id), LIST("password=short")), 422);
    ck_assert_uint_eq(fake_ask("PUT", "/api/users/{id}", LIST("id=77"), LIST("full_name=X")), 404);
    testhost_forget(t);
    ck_assert_uint_eq(fake_ask("PUT", "/api/users/{id}/roles", LIST(id), LIST("roles=operator,sensor")), 200);
    ck_assert_str_eq(fake_reply("roles"), "operator,sensor");
    ck_assert_uint_eq(fake_ask("PUT", "/api/users/{id}/roles", LIST(id), NULL), 422);
    ck_assert_str_eq(audit(0, audit_at(0)->detail), "roles viewer -> operator,sensor");
    ck_assert_uint_eq(fake_ask("GET", "/api/users/summary", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("total_users"), "2");
    ck_assert_str_eq(fake_reply("admin_users"), "1");
    ck_assert_str_eq(fake_reply("standard_users"), "1");
    ck_assert_str_eq(fake_reply("active_users"), "2");
    ck_assert_str_eq(fake_reply("two_factor_users"), "0");
    ck_assert_str_eq(fake_reply("roles.sensor"), "1");
    ck_assert_uint_eq(fake_ask("POST", "/api/users/{id}/disable", LIST(id), NULL), 200);
    ck_assert_str_eq(fake_reply("is_active"), "false");
    ck_assert_uint_eq(LOGIN("anna", "river boat 9"), 401);
    ck_assert_uint_eq(fake_ask("GET", "/api/users/summary", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("active_users"), "1");
    ck_assert_str_eq(fake_reply("disabled_users"), "1");
    ck_assert_uint_eq(fake_ask("POST", "/api/users/{id}/disable", LIST("id=1"), NULL), 409);
    ck_assert_uint_eq(fake_ask("PUT", "/api/users/{id}/roles", LIST("id=1"), LIST("roles=viewer")), 409);
}
END_TEST

START_TEST(no_two_users_share_an_address)
{
    static const char *const bad[] = {"email=anna", "email=@b.org", "email=a@", "email=a b@c.org", "email=a@b@c.org",
                                      "email=<a@b.org>", "email=a@b.org\r\nRCPT TO:<x@y.z>", "email=a@-b.org",
                                      "email=\xc3\xa4@b.org", "email=-a@b.org", "email=a@[1.2.3.4]"};

    as_admin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(POST("/api/users", "username=berta", "password=tree house 7", bad[i]) == 422, "%s", bad[i]);
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "email=Anna@example.org"), 201);
    ck_assert_uint_eq(POST("/api/users", "username=berta", "password=tree house 7", "email=anna@Example.org"), 409);
    ck_assert_str_eq(fake_detail(), "Email already registered");
    ck_assert_uint_eq(POST("/api/users", "username=berta", "password=tree house 7"), 201);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=3"), LIST("email=anna@example.org")), 409);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=2"), LIST("email=anna@example.org")), 200);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=2"), LIST("email=")), 200);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=3"), LIST("email=anna@example.org")), 200);
}
END_TEST

#define RECOVER(token, password) \
    POST("/api/auth/password-recovery/reset-password", token, "new_password=" password)

/* "token=" and one of user 2, as a letter has it. */
static const char *recovery_token(void)
{
    static char text[RECOVERY_TEXT + 8] = "token=";
    struct auth *a = testhost_self(t);
    struct user one;

    ck_assert_int_eq(users_get(a->users, 2, &one), 0);
    ck_assert_int_eq(recovery_make(a->recoveries, &one, a->host->now(a->host), text + 6), 0);
    return text;
}

START_TEST(a_recovery_token_is_good_for_one_password)
{
    char refresh[160], one[128], two[128];

    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "email=anna@example.org",
                           "must_change=false"), 201);
    fake_caller(NULL, "192.0.2.1");
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    keep_token();
    snprintf(refresh, sizeof refresh, "refresh_token=%s", fake_reply("refresh_token"));
    snprintf(one, sizeof one, "%s", recovery_token());
    snprintf(two, sizeof two, "%s", recovery_token());
    ck_assert_uint_eq(RECOVER(one, "short"), 422);
    testhost_forget(t);
    ck_assert_uint_eq(RECOVER(one, "river boat 9"), 200);
    ck_assert_str_eq(audit(0, audit_at(0)->action), "password.recover");
    ck_assert_str_eq(audit(0, audit_at(0)->actor), "anna");
    ck_assert_int_eq(shown(), EC_EPERM);
    ck_assert_uint_eq(POST("/api/auth/refresh", refresh), 401);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 401);
    ck_assert_uint_eq(LOGIN("anna", "river boat 9"), 200);
    /* neither a second time, nor another of before */
    ck_assert_uint_eq(RECOVER(one, "river boat 10"), 400);
    ck_assert_uint_eq(RECOVER(two, "river boat 10"), 400);
    ck_assert_str_eq(fake_detail(), "Invalid or expired password reset token.");
    ck_assert_uint_eq(RECOVER("token=ecp_1_2", "river boat 10"), 400);
}
END_TEST

START_TEST(a_recovery_token_ends)
{
    char one[4][128];

    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "email=anna@example.org"), 201);
    for (int i = 0; i < 4; i++)
        snprintf(one[i], sizeof one[i], "%s", recovery_token());
    ck_assert_uint_eq(RECOVER(one[0], "river boat 9"), 400); /* three at once */
    one[1][strlen(one[1]) - 1] ^= 1;
    ck_assert_uint_eq(RECOVER(one[1], "river boat 9"), 400);
    ck_assert_uint_eq(fake_ask("POST", "/api/users/{id}/disable", LIST("id=2"), NULL), 200);
    ck_assert_uint_eq(RECOVER(one[2], "river boat 9"), 400);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=2"), LIST("is_active=true")), 200);
    ck_assert_uint_eq(RECOVER(one[2], "river boat 9"), 400); /* older than a change */
    snprintf(one[0], sizeof one[0], "%s", recovery_token());
    snprintf(one[1], sizeof one[1], "%s", recovery_token());
    fake_forget_routes();
    testhost_stop(t);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    service = testhost_offer(t, EC_AUTH_ID);
    fake_fails = EC_EIO;
    ck_assert_uint_eq(RECOVER(one[0], "river boat 9"), 503);
    fake_fails = 0;
    ck_assert_uint_eq(RECOVER(one[0], "river boat 9"), 200); /* outlives a restart, and a store that failed */
    snprintf(one[0], sizeof one[0], "%s", recovery_token());
    testhost_tick(t, RECOVERY_LIFE + 1);
    ck_assert_uint_eq(RECOVER(one[0], "river boat 99"), 400);
}
END_TEST

START_TEST(who_asks_for_a_token_learns_nothing)
{
    static const char path[] = "/api/auth/password-recovery/request-token";
    char said[256];

    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "email=anna@example.org"), 201);
    fake_caller(NULL, "192.0.2.1");
    testhost_forget(t);
    ck_assert_uint_eq(POST(path, "email=nobody@example.org"), 200);
    snprintf(said, sizeof said, "%s", fake_reply("message"));
    ck_assert_uint_eq(POST(path, "email=Anna@example.org"), 200);
    ck_assert_str_eq(fake_reply("message"), said);
    ck_assert_uint_eq(testhost_count(t, EC_AUDIT_TOPIC), 2);
    ck_assert_str_eq(audit(1, audit_at(1)->detail), "there is no mail server");
    ck_assert_str_eq(audit(1, audit_at(1)->address), "192.0.2.1");
    ck_assert_uint_eq(fake_ask("GET", "/api/auth/methods", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("registration"), "closed");
    ck_assert_str_eq(fake_reply("recovery_by_mail"), "false");
    for (int i = 0; i < 18; i++)
        ck_assert_uint_eq(POST(path, "email=nobody@example.org"), 200);
    ck_assert_uint_eq(POST(path, "email=nobody@example.org"), 429);
    ck_assert_str_eq(fake_header("Retry-After"), "180");
    fake_caller(NULL, "192.0.2.2");
    ck_assert_uint_eq(POST(path, "email=nobody@example.org"), 200);
}
END_TEST

#define REGISTER(name, address) \
    POST("/api/auth/register", "username=" name, "email=" address, "password=tree house 7", "full_name=N. N.")

START_TEST(one_registers_as_far_as_the_option_lets)
{
    ck_assert_uint_eq(REGISTER("anna", "anna@example.org"), 403);
    ck_assert_uint_eq(fake_documents(), 1);
    stop();
    start_with("registration", "approval");
    ck_assert_uint_eq(REGISTER("Anna", "anna@example.org"), 201);
    ck_assert_str_eq(fake_reply("is_active"), "false");
    ck_assert_str_eq(fake_reply("roles"), "viewer");
    ck_assert_str_eq(fake_reply("full_name"), "N. N.");
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 401);
    ck_assert_uint_eq(REGISTER("anna", "a@example.org"), 400);
    ck_assert_str_eq(fake_detail(), "Username already taken");
    ck_assert_uint_eq(REGISTER("berta", "ANNA@example.org"), 400);
    ck_assert_str_eq(fake_detail(), "Email already registered");
    ck_assert_uint_eq(REGISTER("berta", "nothing"), 422);
    ck_assert_uint_eq(REGISTER("ber ta", "b@example.org"), 422);
    as_admin();
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=2"), LIST("is_active=true")), 200);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    stop();
    start_with("registration", "open");
    ck_assert_uint_eq(REGISTER("anna", "anna@example.org"), 201);
    ck_assert_str_eq(fake_reply("must_change"), "false");
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    fake_caller(NULL, "192.0.2.9");
    for (int i = 0; i < 20; i++)
        ck_assert_uint_eq(REGISTER("anna", "anna@example.org"), 400);
    ck_assert_uint_eq(REGISTER("anna", "anna@example.org"), 429);
}
END_TEST

START_TEST(an_imported_hash_is_verified_and_made_anew)
{
    const char *hash = "password_hash=$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a";
    struct auth *a;
    struct user one;

    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=john", "password_hash=$1$x$y"), 422);
    ck_assert_uint_eq(POST("/api/users", "username=john", hash, "must_change=false"), 201);
    ck_assert_uint_eq(LOGIN("john", "wrong"), 401);
    ck_assert_uint_eq(LOGIN("john", "U*U*U"), 200);
    keep_token();
    a = testhost_self(t);
    ck_assert(!users_named(a->users, "john", &one) && !strncmp(one.hash, "$y$", 3));
    ck_assert_uint_eq(LOGIN("john", "U*U*U"), 200);
}
END_TEST

START_TEST(users_and_tokens_outlive_a_restart)
{
    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "roles=analyst"), 201);
    /* stop, and begin anew with the same folder and store */
    fake_forget_routes();
    testhost_stop(t);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    service = testhost_offer(t, EC_AUTH_ID);
    ck_assert_int_eq(shown(), EC_OK);
    ck_assert_int_ne(access(first, F_OK), 0);
}
END_TEST

START_TEST(a_store_that_fails_leaves_everything_as_it_was)
{
    as_admin();
    fake_fails = EC_EIO;
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7"), 503);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=1"), LIST("full_name=X")), 503);
    fake_fails = 0;
    ck_assert_uint_eq(fake_ask("GET", "/api/users", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("total"), "1");
    ck_assert_str_eq(fake_reply("items.full_name"), "");
    ck_assert_int_eq(shown(), EC_OK);
}
END_TEST

START_TEST(the_local_socket)
{
    struct ec_who local;

    ck_assert_int_eq(service->peer(testhost_self(t), 0, 0, 1, &local), EC_OK);
    ck_assert_str_eq(local.name, "local:0");
    ck_assert_str_eq(local.roles, "admin");
    ck_assert(local.flags == EC_WHO_LOCAL && !local.user);
    ck_assert_int_eq(service->peer(testhost_self(t), 65534, 65534, 1, &local), EC_EPERM);
    service->peer(testhost_self(t), 0, 0, 1, &local);
    fake_caller(&local, "local");
    ck_assert_uint_eq(fake_ask("GET", "/api/auth/me", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("username"), "local:0");
    ck_assert_uint_eq(POST("/api/auth/change-password", "current_password=x", "new_password=correct horse"), 409);
}
END_TEST

START_TEST(routes_say_who_may)
{
    const struct ec_route *r;
    uint32_t open = 0, early = 0;

    for (uint32_t i = 0; (r = fake_route(i)); i++) {
        open += !*r->roles;
        early += !!(r->flags & EC_RT_BEFORE_CHANGE);
        ck_assert_msg(!strncmp(r->path, "/api/auth/", 10) || !strcmp(r->roles, "admin"), "%s %s", r->method, r->path);
    }
    ck_assert_uint_eq(open, 7);  /* the log-in, its second step, and what is as good as one */
    ck_assert_uint_eq(early, 3); /* with a one-time password: me, choosing another, logging out */
}
END_TEST

static char refresh[256];

static void keep_refresh(void)
{
    snprintf(refresh, sizeof refresh, "refresh_token=%s", fake_reply("refresh_token"));
    ck_assert_uint_gt(strlen(refresh), 100);
}

/* Somebody with a password of his own, logged in. */
static void as_anna(void)
{
    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "roles=viewer",
                           "must_change=false"), 201);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    ck_assert_str_eq(fake_reply("refresh_expires_in"), "2592000");
    keep_refresh();
    keep_token();
    fake_caller(&who, "127.0.0.1");
}

START_TEST(a_refresh_token_is_good_for_one_time)
{
    char first_access[8192], old[256], session[32];

    as_anna();
    snprintf(first_access, sizeof first_access, "%s", token);
    for (int i = 0; i < 3; i++) {
        strcpy(old, refresh);
        ck_assert_uint_eq(POST("/api/auth/refresh", refresh, "grant_type=refresh_token"), 200);
        ck_assert_str_eq(fake_header("Cache-Control"), "no-store");
        keep_token();
        keep_refresh();
        ck_assert_str_ne(old, refresh);
        ck_assert_str_eq(who.name, "anna");
    }
    ck_assert_uint_eq(fake_ask("GET", "/api/auth/sessions", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("total"), "1");
    ck_assert_str_eq(fake_reply("items.is_current"), "true");
    snprintf(session, sizeof session, "sessions/%s", fake_reply("items.id"));
    /* somebody has copied one: whoever comes second ends it for both */
    testhost_forget(t);
    ck_assert_uint_eq(POST("/api/auth/refresh", old), 401);
    ck_assert_str_eq(fake_detail(), "Could not validate credentials");
    ck_assert_str_eq(fake_header("WWW-Authenticate"), "Bearer");
    ck_assert_int_eq(testhost_metric(t, "tokens_reused"), 1);
    ck_assert_str_eq(audit(0, audit_at(0)->outcome), "denied");
    ck_assert_str_eq(audit(0, audit_at(0)->actor), "anna");
    ck_assert_str_eq(audit(0, audit_at(0)->object), session);
    ck_assert_uint_eq(POST("/api/auth/refresh", refresh), 401);
    ck_assert_int_eq(shown(), EC_EPERM);
    strcpy(token, first_access);
    ck_assert_int_eq(shown(), EC_EPERM);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
}
END_TEST

START_TEST(what_is_no_refresh_token_is_refused_and_ends_nothing)
{
#define ZEROS "0000000000000000"
#define TAIL  "_" ZEROS ZEROS "_" ZEROS ZEROS ZEROS ZEROS
    static const char *const bad[] = {
        "x", "ecr_", "ecr_2", "ecr_2_", "ecr_" TAIL, "ecr_999999999999999999999" TAIL, "ecr_2" TAIL, "ecr_77" TAIL,
    };
    char text[300];

    as_anna();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "refresh_token=%s", bad[i]);
        ck_assert_msg(POST("/api/auth/refresh", text) == 401, "%s", bad[i]);
    }
    for (size_t cut = 16; cut < strlen(refresh); cut++) {
        snprintf(text, sizeof text, "%.*s", (int)cut, refresh);
        ck_assert_uint_eq(POST("/api/auth/refresh", text), 401);
    }
    ck_assert_uint_eq(POST("/api/auth/refresh", refresh, "grant_type=password"), 422);
    ck_assert_int_eq(testhost_metric(t, "tokens_reused"), 0);
    ck_assert_uint_eq(POST("/api/auth/refresh", refresh), 200);
}
END_TEST

START_TEST(sessions_end)
{
    struct ec_who admin;
    char other[8192], id[32];

    as_admin();
    ck_assert_str_eq(fake_reply("refresh_token"), ""); /* a one-time password opens nothing that lasts */
    admin = who;
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "roles=viewer",
                           "must_change=false"), 201);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    snprintf(other, sizeof other, "%s", fake_reply("access_token"));
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    keep_refresh();
    keep_token();
    fake_caller(&who, "127.0.0.1");
    ck_assert_uint_eq(fake_ask("GET", "/api/auth/sessions", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("total"), "2");
    ck_assert_str_eq(fake_reply("items.is_current"), "false");
    ck_assert_str_eq(fake_reply("items.address"), "127.0.0.1");
    snprintf(id, sizeof id, "id=%s", fake_reply("items.id"));
    ck_assert_uint_eq(fake_ask("DELETE", "/api/auth/sessions/{id}", LIST("id=1"), NULL), 404); /* the administrator's */
    ck_assert_uint_eq(fake_ask("DELETE", "/api/auth/sessions/{id}", LIST(id), NULL), 204);
    ck_assert_uint_eq(fake_ask("DELETE", "/api/auth/sessions/{id}", LIST(id), NULL), 404);
    ck_assert_int_eq(shown(), EC_OK);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/auth/me", NULL, LIST("full_name=Anna A.")), 200);
    ck_assert_str_eq(fake_reply("full_name"), "Anna A.");
    ck_assert_str_eq(fake_reply("roles"), "viewer");
    ck_assert_int_eq(shown(), EC_OK);
    ck_assert_uint_eq(fake_ask("POST", "/api/auth/logout", NULL, NULL), 204);
    ck_assert_int_eq(shown(), EC_EPERM);
    ck_assert_uint_eq(POST("/api/auth/refresh", refresh), 401);
    strcpy(token, other);
    ck_assert_int_eq(shown(), EC_EPERM);
    /* by an administrator, by another role, by another password */
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    keep_token();
    fake_caller(&admin, "127.0.0.1");
    ck_assert_uint_eq(fake_ask("GET", "/api/users/{id}/sessions", LIST("id=2"), NULL), 200);
    ck_assert_str_eq(fake_reply("total"), "1");
    ck_assert_uint_eq(fake_ask("GET", "/api/users/{id}/sessions", LIST("id=77"), NULL), 404);
    ck_assert_uint_eq(fake_ask("DELETE", "/api/users/{id}/sessions", LIST("id=2"), NULL), 204);
    ck_assert_int_eq(shown(), EC_EPERM);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    keep_refresh();
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=2"), LIST("roles=analyst")), 200);
    ck_assert_uint_eq(POST("/api/auth/refresh", refresh), 401);
}
END_TEST

static int32_t key_shown(const char *key, struct ec_who *whose)
{
    char why[256];

    return service->key(testhost_self(t), key, (uint32_t)strlen(key), "192.0.2.7", whose, why, sizeof why);
}

/* "code=" and the code of that secret, some steps from now. */
static const char *code_of(const char *secret, int steps)
{
    static char text[32];
    unsigned char key[64];
    int n = base32_read(secret, key, sizeof key);

    ck_assert_int_eq(n, 20);
    snprintf(text, sizeof text, "code=%06u", hotp(key, 20, (uint64_t)(time(NULL) / TOTP_STEP + steps), 6));
    return text;
}

/* Anna logs in with codes from now on. */
static void with_second_factor(char secret[TOTP_SECRET])
{
    as_anna();
    ck_assert_uint_eq(POST("/api/auth/2fa/enable", "code=123456"), 409);
    ck_assert_uint_eq(POST("/api/auth/2fa/generate-secret", "password=wrong"), 403);
    ck_assert_uint_eq(POST("/api/auth/2fa/generate-secret", "password=tree house 7"), 200);
    snprintf(secret, TOTP_SECRET, "%s", fake_reply("secret"));
    ck_assert(strstr(fake_reply("otpauth_uri"), secret) != NULL);
    ck_assert_uint_eq(POST("/api/auth/2fa/enable", "code=000000x"), 403);
    ck_assert_uint_eq(POST("/api/auth/2fa/enable", code_of(secret, -1)), 200);
    ck_assert_str_eq(fake_header("Cache-Control"), "no-store");
}

START_TEST(a_second_factor_is_asked_for)
{
    char secret[TOTP_SECRET], pending[4200], used[32], half[4096], recovery[64] = "code=";

    with_second_factor(secret);
    ck_assert_uint_eq(strlen(fake_reply("recovery_codes")), 10 * 23 + 9); /* with commas between */
    strncat(recovery, fake_reply("recovery_codes"), 23);
    ck_assert_uint_eq(POST("/api/auth/2fa/generate-secret", "password=tree house 7"), 409);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    ck_assert_str_eq(fake_reply("access_token"), "");
    ck_assert_str_eq(fake_reply("refresh_token"), "");
    ck_assert_str_eq(fake_reply("two_factor_required"), "true");
    ck_assert_str_eq(fake_reply("expires_in"), "300");
    snprintf(half, sizeof half, "%s", fake_reply("two_factor_token"));
    snprintf(pending, sizeof pending, "two_factor_token=%s", half);
    strcpy(token, half);
    ck_assert_int_eq(shown(), EC_EPERM); /* it opens nothing */
    ck_assert_uint_eq(POST("/api/auth/login/verify-2fa", pending, "code=abc"), 401);
    strcpy(used, code_of(secret, 0));
    ck_assert_uint_eq(POST("/api/auth/login/verify-2fa", pending, used), 200);
    keep_token();
    keep_refresh();
    ck_assert_uint_eq(POST("/api/auth/login/verify-2fa", pending, used), 401); /* each code once */
    /* in one step, by a recovery code, once */
    ck_assert_uint_eq(POST("/api/auth/login", "username=anna", "password=tree house 7", recovery), 200);
    keep_token();
    ck_assert_uint_eq(POST("/api/auth/login", "username=anna", "password=tree house 7", recovery), 401);
    ck_assert_uint_eq(POST("/api/auth/login", "username=anna", "password=wrong", code_of(secret, 1)), 401);
    ck_assert_uint_eq(POST("/api/auth/login/verify-2fa", "two_factor_token=x", "code=123456"), 401);
    fake_caller(&who, "127.0.0.1");
    ck_assert_uint_eq(fake_ask("GET", "/api/auth/me", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("is_two_factor_enabled"), "true");
}
END_TEST

START_TEST(who_has_the_password_guesses_few_codes)
{
    char secret[TOTP_SECRET], pending[4096];
    uint32_t codes = 0;

    with_second_factor(secret);
    fake_caller(NULL, "192.0.2.66");
    for (int i = 0; i < 8 && LOGIN("anna", "tree house 7") == 200; i++) {
        snprintf(pending, sizeof pending, "two_factor_token=%s", fake_reply("two_factor_token"));
        codes += POST("/api/auth/login/verify-2fa", pending, "code=000000") == 401;
    }
    ck_assert_uint_le(codes, 2); /* five attempts, of passwords and codes */
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 429);
}
END_TEST

START_TEST(logging_in_with_a_code_uses_nothing_up)
{
    char secret[TOTP_SECRET], codes[512], pending[4200], code[64];
    const char *next = codes;

    stop();
    start_with("backoff.address_tries", "4");
    with_second_factor(secret);
    snprintf(codes, sizeof codes, "%s", fake_reply("recovery_codes"));
    fake_caller(NULL, "192.0.2.67");
    for (int i = 0; i < 6; i++, next += 24) { /* more than the address may fail */
        ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
        snprintf(pending, sizeof pending, "two_factor_token=%s", fake_reply("two_factor_token"));
        snprintf(code, sizeof code, "code=%.23s", next);
        ck_assert_uint_eq(POST("/api/auth/login/verify-2fa", pending, code), 200);
    }
}
END_TEST

/* An older version kept the secret as it is. */
START_TEST(a_secret_is_encrypted_in_the_store)
{
    char secret[TOTP_SECRET], vault[5000], plain[64], code[32];

    with_second_factor(secret);
    snprintf(plain, sizeof plain, "%s", fake_document_text(2, "totp"));
    ck_assert_str_eq(plain, "");
    ck_assert_ptr_nonnull(strstr(fake_document_text(2, "totp_sealed"), "1:"));
    ck_assert_ptr_null(strstr(fake_document_text(2, "totp_sealed"), secret));
    /* with another key it is unreadable and stays so, until the right one is back */
    snprintf(vault, sizeof vault, "%s/vault", testhost_host(t)->state_dir(testhost_host(t)));
    snprintf(plain, sizeof plain, "%.60s", fake_document_text(2, "totp_sealed"));
    ck_assert(!rename(vault, "vault.kept"));
    fake_forget_routes();
    testhost_stop(t);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    service = testhost_offer(t, EC_AUTH_ID);
    strcpy(code, code_of(secret, 0));
    ck_assert_uint_eq(POST("/api/auth/login", "username=anna", "password=tree house 7", code), 401);
    fake_caller(NULL, "192.0.2.8");
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    ck_assert_str_eq(fake_reply("two_factor_required"), "true");
    ck_assert_uint_eq(strncmp(fake_document_text(2, "totp_sealed"), plain, 60), 0);
    ck_assert(!rename("vault.kept", vault));
    fake_forget_routes();
    testhost_stop(t);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    service = testhost_offer(t, EC_AUTH_ID);
    ck_assert_uint_eq(POST("/api/auth/login", "username=anna", "password=tree house 7", code), 200);
}
END_TEST

START_TEST(a_secret_of_before_is_encrypted_at_the_start)
{
    static const char secret[] = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    as_admin();
    ck_assert_uint_eq(POST("/api/users", "username=anna", "password=tree house 7", "must_change=false",
                           "two_factor_secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), 201);
    fake_document_move(2, "totp_sealed", "totp", secret);
    ck_assert_str_eq(fake_document_text(2, "totp"), secret);
    fake_forget_routes();
    testhost_stop(t);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    service = testhost_offer(t, EC_AUTH_ID);
    ck_assert_str_eq(fake_document_text(2, "totp"), "");
    ck_assert_ptr_nonnull(strstr(fake_document_text(2, "totp_sealed"), "1:"));
    ck_assert_uint_eq(POST("/api/auth/login", "username=anna", "password=tree house 7", code_of(secret, 0)), 200);
}
END_TEST

START_TEST(a_second_factor_ends)
{
    char secret[TOTP_SECRET], again[TOTP_SECRET];

    with_second_factor(secret);
    ck_assert_uint_eq(POST("/api/auth/2fa/disable", "password=wrong", code_of(secret, 0)), 403);
    ck_assert_uint_eq(POST("/api/auth/2fa/disable", "password=tree house 7", "code=1"), 403);
    fake_forget_routes();
    testhost_stop(t);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    service = testhost_offer(t, EC_AUTH_ID);
    ck_assert_uint_eq(POST("/api/auth/2fa/disable", "password=tree house 7", code_of(secret, 0)), 204);
    ck_assert_uint_eq(POST("/api/auth/2fa/disable", "password=tree house 7", code_of(secret, 1)), 409);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    keep_token();
    /* by an administrator, for who has lost the app and the codes */
    ck_assert_uint_eq(POST("/api/auth/2fa/generate-secret", "password=tree house 7"), 200);
    snprintf(again, sizeof again, "%s", fake_reply("secret"));
    ck_assert_uint_eq(POST("/api/auth/2fa/enable", code_of(again, 0)), 200);
    service->peer(testhost_self(t), 0, 0, 1, &who);
    fake_caller(&who, "local");
    ck_assert_uint_eq(fake_ask("POST", "/api/users/{id}/reset-password", LIST("id=2"), LIST("password=river boat 9",
                               "disable_2fa=true")), 204);
    ck_assert_uint_eq(LOGIN("anna", "river boat 9"), 200);
    keep_token();
}
END_TEST

START_TEST(an_api_key_is_its_user_with_fewer_roles)
{
    struct ec_who machine, admin;
    char key[128], cut[128], id[32];

    as_anna();
    ck_assert_uint_eq(POST("/api/auth/apikeys", "name=probe", "roles=admin"), 422);
    ck_assert_uint_eq(POST("/api/auth/apikeys", "name=probe"), 201);
    ck_assert_str_eq(fake_header("Cache-Control"), "no-store");
    ck_assert_str_eq(fake_reply("roles"), "viewer");
    snprintf(key, sizeof key, "%s", fake_reply("key"));
    id_of(id);
    ck_assert_int_eq(key_shown(key, &machine), EC_OK);
    ck_assert(!strcmp(machine.name, "anna") && !strcmp(machine.roles, "viewer") && machine.flags == EC_WHO_KEY);
    ck_assert(machine.user == who.user && !machine.session && machine.until_ns);
    for (size_t n = 0; n < strlen(key); n++) {
        snprintf(cut, sizeof cut, "%.*s", (int)n, key);
        ck_assert_int_eq(key_shown(cut, &machine), EC_EPERM);
        strcpy(cut, key);
        cut[n] ^= 1;
        ck_assert_int_eq(key_shown(cut, &machine), EC_EPERM);
    }
    ck_assert_uint_eq(fake_ask("GET", "/api/auth/apikeys", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("total"), "1");
    ck_assert_str_eq(fake_reply("items.name"), "probe");
    /* a key makes no other, and takes over no user */
    ck_assert_int_eq(key_shown(key, &machine), EC_OK);
    fake_caller(&machine, "127.0.0.1");
    ck_assert_uint_eq(POST("/api/auth/apikeys", "name=other"), 409);
    ck_assert_uint_eq(POST("/api/auth/change-password", "current_password=tree house 7", "new_password=correct horse"),
                      409);
    ck_assert_uint_eq(fake_ask("DELETE", "/api/auth/apikeys/{id}", LIST(id), NULL), 409);
    /* it outlives another password and a restart, not the loss of its roles or the end of its user */
    service->peer(testhost_self(t), 0, 0, 1, &admin);
    fake_caller(&admin, "local");
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=2"), LIST("roles=sensor")), 200);
    ck_assert_int_eq(key_shown(key, &machine), EC_EPERM);
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=2"), LIST("roles=sensor,viewer,operator")), 200);
    fake_forget_routes();
    testhost_stop(t);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    service = testhost_offer(t, EC_AUTH_ID);
    ck_assert_int_eq(key_shown(key, &machine), EC_OK);
    ck_assert_str_eq(machine.roles, "viewer");
    ck_assert_uint_eq(fake_ask("PATCH", "/api/users/{id}", LIST("id=2"), LIST("is_active=false")), 200);
    ck_assert_int_eq(key_shown(key, &machine), EC_EPERM);
    ck_assert_uint_eq(fake_ask("DELETE", "/api/users/{id}", LIST("id=2"), NULL), 204);
    ck_assert_uint_eq(fake_ask("DELETE", "/api/auth/apikeys/{id}", LIST(id), NULL), 404);
}
END_TEST

START_TEST(the_last_use_of_a_key_is_written_later)
{
    char key[128];
    struct ec_who whose;
    uint64_t put;

    as_anna();
    ck_assert_uint_eq(POST("/api/auth/apikeys", "name=probe"), 201);
    snprintf(key, sizeof key, "%s", fake_reply("key"));
    ck_assert_str_eq(fake_reply("used_from"), "");
    put = fake_puts();
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(key_shown(key, &whose), EC_OK);
    ck_assert_uint_eq(fake_puts(), put); /* a request costs no write */
    ck_assert_uint_eq(fake_ask("GET", "/api/auth/apikeys", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("items.used_from"), "192.0.2.7");
    ck_assert_str_ne(fake_reply("items.used_at"), "0");
    testhost_tick(t, UINT64_C(301) * 1000000000);
    ck_assert_uint_eq(fake_puts(), put + 1);
    testhost_tick(t, UINT64_C(301) * 1000000000);
    ck_assert_uint_eq(fake_puts(), put + 1); /* nor does a key that rests */
    ck_assert_int_eq(key_shown(key, &whose), EC_OK);
    fake_forget_routes();
    testhost_stop(t);
    ck_assert_uint_eq(fake_puts(), put + 2);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    service = testhost_offer(t, EC_AUTH_ID);
    ck_assert_uint_eq(fake_ask("GET", "/api/auth/apikeys", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("items.used_from"), "192.0.2.7");
}
END_TEST

START_TEST(api_keys_end)
{
    struct auth *a = testhost_self(t);
    struct apikey short_one = {.user = 1, .roles = 1, .created = 1, .expires = 2};
    char key[APIKEY_TEXT], id[32];
    struct ec_who machine;

    as_anna();
    ck_assert_uint_eq(POST("/api/auth/apikeys", "name=for ever", "expires_in_days=0"), 201);
    id_of(id);
    snprintf(key, sizeof key, "%s", fake_reply("key"));
    ck_assert_int_eq(key_shown(key, &machine), EC_OK);
    ck_assert_uint_eq(machine.until_ns, 0);
    ck_assert_uint_eq(fake_ask("DELETE", "/api/auth/apikeys/{id}", LIST("id=77"), NULL), 404);
    fake_fails = EC_EIO;
    ck_assert_uint_eq(fake_ask("DELETE", "/api/auth/apikeys/{id}", LIST(id), NULL), 503);
    ck_assert_uint_eq(POST("/api/auth/apikeys", "name=more"), 503);
    fake_fails = 0;
    ck_assert_int_eq(key_shown(key, &machine), EC_OK);
    ck_assert_uint_eq(fake_ask("DELETE", "/api/auth/apikeys/{id}", LIST(id), NULL), 204);
    ck_assert_int_eq(key_shown(key, &machine), EC_EPERM);
    ck_assert_int_eq(apikey_make(a->apikeys, &short_one, key), EC_OK);
    ck_assert_int_eq(key_shown(key, &machine), EC_EPERM);
    for (int i = 0; i < APIKEYS_USER; i++)
        ck_assert_uint_eq(POST("/api/auth/apikeys", "name=one of many"), 201);
    ck_assert_uint_eq(POST("/api/auth/apikeys", "name=one too many"), 409);
}
END_TEST

START_TEST(sessions_outlive_a_restart)
{
    as_anna();
    fake_forget_routes();
    testhost_stop(t);
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
    service = testhost_offer(t, EC_AUTH_ID);
    ck_assert_int_eq(shown(), EC_OK);
    ck_assert_uint_eq(POST("/api/auth/refresh", refresh), 200);
    keep_token();
}
END_TEST

START_TEST(without_a_store_one_logs_in_for_a_time)
{
    as_anna();
    fake_fails = EC_EIO;
    ck_assert_uint_eq(POST("/api/auth/refresh", refresh), 503);
    ck_assert_uint_eq(LOGIN("anna", "tree house 7"), 200);
    ck_assert_str_eq(fake_reply("refresh_token"), "");
    keep_token();
    fake_fails = 0;
    ck_assert_uint_eq(POST("/api/auth/refresh", refresh), 200); /* it was as good as before */
}
END_TEST

START_TEST(a_user_has_so_many_sessions)
{
    char oldest[8192];
    struct auth *a = testhost_self(t);
    struct session one = {.user = 2};
    struct user user;
    uint64_t now;

    as_anna();
    snprintf(oldest, sizeof oldest, "%s", token);
    now = a->host->now(a->host);
    ck_assert(!users_named(a->users, "anna", &user));
    one.stamp = user.stamp;
    fake_fails = EC_EIO; /* in memory, where there is room enough */
    for (uint32_t i = 1; i < SESSIONS_USER; i++)
        ck_assert(!session_begin(a->sessions, &one, now + 1 + i, 1000000, NULL));
    ck_assert_int_eq(shown(), EC_OK);
    fake_fails = 0;
    ck_assert(!session_begin(a->sessions, &one, now + 10000, 1000000, NULL));
    strcpy(token, oldest);
    ck_assert_int_eq(shown(), EC_EPERM);
    ck_assert_uint_eq(shelf_count(a->sessions), SESSIONS_USER + 1); /* and the administrator's */
}
END_TEST

static void refused_with(const char *variable, const char *value, const char *sentence)
{
    stop();
    fake_reset();
    setenv(variable, value, 1);
    ck_assert_int_ne(start(), 0);
    ck_assert_msg(strstr(testhost_why(t), sentence) != NULL, "%s", testhost_why(t));
    unsetenv(variable);
}

START_TEST(bad_configuration_is_refused_with_a_sentence)
{
    refused_with("ALGORITHM", "none", "ALGORITHM: tokens are not signed with 'none'");
    refused_with("SECRET_KEY", "changeme", "SECRET_KEY: the secret is refused: it is shorter than 32 bytes");
    refused_with("SECRET_KEY", "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", "placeholder");
    refused_with("ACCESS_TOKEN_EXPIRE_MINUTES", "soon", "is no number of minutes");
    refused_with("ALGORITHM", "RS256", "auth.key_file has to name its private key");
    setenv("SECRET_KEY", "q8Zr4LmXv1Ty7Ui0Op3AsDf6GhJk9ZxCv2Bn5Mw", 1);
    refused_with("ALGORITHM", "HS512", "HS512 needs a key of 64");
    setenv("ACCESS_TOKEN_EXPIRE_MINUTES", "30", 1);
    stop();
    fake_reset();
    ck_assert_msg(!start(), "%s", testhost_why(t));
    ck_assert_uint_eq(POST("/api/auth/login", "username=admin", one_time()), 200);
    ck_assert_str_eq(fake_reply("expires_in"), "1800");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("auth_plugin");
    TCase *c = tcase_create("plugin");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 120);
    tcase_add_test(c, the_one_time_password_is_used_once);
    tcase_add_test(c, wrong_passwords_and_unknown_users_get_the_same_answer);
    tcase_add_test(c, the_one_time_password_is_spent_when_it_was_used);
    tcase_add_test(c, a_one_time_password_that_cannot_be_marked_logs_nobody_in);
    tcase_add_test(c, who_guesses_has_to_wait);
    tcase_add_test(c, a_guesser_locks_out_nobody_elsewhere);
    tcase_add_test(c, an_address_that_tries_many_names_waits);
    tcase_add_test(c, many_guessers_together_are_bounded_and_known_places_are_not);
    tcase_add_test(c, another_password_ends_older_tokens);
    tcase_add_test(c, users_are_made_changed_and_removed);
    tcase_add_test(c, the_last_administrator_stays);
    tcase_add_test(c, a_user_is_put_disabled_and_counted);
    tcase_add_test(c, no_two_users_share_an_address);
    tcase_add_test(c, a_recovery_token_is_good_for_one_password);
    tcase_add_test(c, a_recovery_token_ends);
    tcase_add_test(c, who_asks_for_a_token_learns_nothing);
    tcase_add_test(c, one_registers_as_far_as_the_option_lets);
    tcase_add_test(c, an_imported_hash_is_verified_and_made_anew);
    tcase_add_test(c, users_and_tokens_outlive_a_restart);
    tcase_add_test(c, a_store_that_fails_leaves_everything_as_it_was);
    tcase_add_test(c, the_local_socket);
    tcase_add_test(c, routes_say_who_may);
    tcase_add_test(c, a_refresh_token_is_good_for_one_time);
    tcase_add_test(c, what_is_no_refresh_token_is_refused_and_ends_nothing);
    tcase_add_test(c, sessions_end);
    tcase_add_test(c, a_second_factor_is_asked_for);
    tcase_add_test(c, who_has_the_password_guesses_few_codes);
    tcase_add_test(c, logging_in_with_a_code_uses_nothing_up);
    tcase_add_test(c, a_secret_is_encrypted_in_the_store);
    tcase_add_test(c, a_secret_of_before_is_encrypted_at_the_start);
    tcase_add_test(c, a_second_factor_ends);
    tcase_add_test(c, an_api_key_is_its_user_with_fewer_roles);
    tcase_add_test(c, api_keys_end);
    tcase_add_test(c, the_last_use_of_a_key_is_written_later);
    tcase_add_test(c, sessions_outlive_a_restart);
    tcase_add_test(c, without_a_store_one_logs_in_for_a_time);
    tcase_add_test(c, a_user_has_so_many_sessions);
    tcase_add_test(c, bad_configuration_is_refused_with_a_sentence);
    suite_add_tcase(s, c);
    return unit_run(s);
}
