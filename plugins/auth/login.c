/* Logging in, one's own user, one's own password. */
#include "plugins/auth/plugin.h"

#include <openssl/crypto.h>

struct credentials {
    struct ec_part part;
    struct ec_span username, password, grant_type, scope, client_id, client_secret, code;
};
#define TEXT(T, flags, bit, member, name, least, most, help) \
    { EC_T_TEXT, (flags), (bit), 0, (uint32_t)offsetof(T, member), (name), NULL, NULL, NULL, NULL, (help), (least), \
      (most) }
#define IN(flags, bit, member, least, most, help) \
    TEXT(struct credentials, flags, bit, member, #member, least, most, help)
static const struct ec_row credentials_rows[] = {
    IN(0, 0, username, 1, 255, "who"),
    IN(EC_R_SECRET, 0, password, 1, PASSWORD_MAX, "and with which password"),
    IN(EC_R_OPT, 0, grant_type, 0, 64, "password, or absent (RFC 6749 §4.3.2)"),
    IN(EC_R_OPT, 1, scope, 0, 255, "not used"),
    IN(EC_R_OPT, 2, client_id, 0, 255, "not used"),
    IN(EC_R_OPT | EC_R_SECRET, 3, client_secret, 0, 255, "not used"),
    IN(EC_R_OPT | EC_R_SECRET, 4, code, 0, 64, "of the second factor, or a recovery code, to log in in one step"),
};
static const struct ec_record credentials_record = EC_RECORD_PART(struct credentials, credentials_rows);

struct change {
    struct ec_part part;
    struct ec_span current, next;
};
static const struct ec_row change_rows[] = {
    TEXT(struct change, EC_R_SECRET, 0, current, "current_password", 1, PASSWORD_MAX, "the one in use"),
    TEXT(struct change, EC_R_SECRET, 0, next, "new_password", 1, PASSWORD_MAX, "the one to be used from now on"),
};
static const struct ec_record change_record = EC_RECORD_PART(struct change, change_rows);

/* A hash made by an older scheme is made anew while the password is at hand. */
static void refresh(struct auth *a, struct user *one, const char *plain, uint32_t len)
{
    if (password_hash_stale(one->hash, a->hash_cost) &&
        !password_hash(plain, len, a->hash_cost, one->hash, sizeof one->hash))
        users_put(a->users, one, a->host->now(a->host));
}

int32_t wrong(struct auth *a, struct ec_req *r, const char *name, const char *why)
{
    a->host->metric(a->host, M_FAILURES, 1);
    audit_say(a, r, "login", "failure", name, NULL, why);
    a->http->set_header(r, "WWW-Authenticate", "Bearer");
    return a->http->error(r, 401, "Incorrect username or password");
}

/* A one-time password is spent before its token goes out, so that of two who come at once one is refused. EC_EPERM: it
 * was spent already; else the store failed. */
static int32_t spend(struct auth *a, struct user *one)
{
    int32_t err;

    if (one->once != ONCE_UNUSED)
        return one->once == ONCE_USED ? EC_EPERM : EC_OK;
    one->once = ONCE_USED;
    err = users_put(a->users, one, a->host->now(a->host));
    if (!err)
        first_done(a, one);
    return err == EC_EAGAIN ? EC_EPERM : err;
}

void admit(struct auth *a, struct ec_req *r, const struct user *one, const char *how)
{
    guess_good(a, r, one->name);
    a->host->metric(a->host, M_LOGINS, 1);
    audit_say(a, r, "login", "success", one->name, NULL, how);
    grant(a, r, one);
}

/* The password was right. Until the code was as well, the attempt counts as failed: who has the password guesses at
 * codes no more often than at passwords. */
static void go_on(struct auth *a, struct ec_req *r, struct user *one, const char *plain, uint32_t len)
{
    const struct credentials *c = a->http->body(r);
    uint32_t code_len;
    const char *code = body_text(&c->part, c->code, &code_len), *how = NULL;
    int32_t err;

    refresh(a, one, plain, len);
    err = spend(a, one);
    if (!err && one->two_factor && code_len)
        err = second_factor(a, one, code, code_len, &how);
    if (err == EC_EPERM)
        wrong(a, r, one->name, one->two_factor ? "wrong code" : "one-time password already used");
    else if (err)
        a->http->error(r, 503, "The store cannot be written");
    else if (one->two_factor && !code_len) {
        guess_half(a, r, one->name);
        grant_pending(a, r, one);
    } else
        admit(a, r, one, how);
}

static void login_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct credentials *c = a->http->body(r);
    uint32_t name_len, len;
    const char *given = body_text(&c->part, c->username, &name_len), *plain = body_text(&c->part, c->password, &len);
    struct user one = {.id = 0};
    char name[USER_NAME] = "";
    bool known = !user_name(given, name_len, name) && !users_named(a->users, name, &one);
    bool good = password_matches(plain, len, known ? one.hash : a->nobody) && known;

    if (good && one.active)
        go_on(a, r, &one, plain, len);
    else
        wrong(a, r, name, !known ? "there is no such user" : good ? "the user is disabled" : "wrong password");
    OPENSSL_cleanse(&one, sizeof one);
    guess_done(a);
}

static int32_t login(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    const struct credentials *c = a->http->body(r);
    uint32_t name_len, len;
    const char *given = body_text(&c->part, c->username, &name_len);
    const char *type = body_text(&c->part, c->grant_type, &len);
    char name[USER_NAME];

    (void)state;
    if ((c->part.has & 1) && len && (len != 8 || memcmp(type, "password", 8)))
        return a->http->invalid(r, "body.grant_type", "string_pattern_mismatch",
                                "String should match pattern '^password$'");
    if (user_name(given, name_len, name))
        strcpy(name, "?"); /* nobody's: all of them share one back-off */
    return guess_later(a, r, name, login_work);
}

static int32_t me(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    const struct ec_who *who = a->http->who(r);
    struct user one = {.active = true};
    int32_t err;

    (void)state;
    if (!who)
        return a->http->error(r, 401, "Not authenticated");
    if (!who->user) {
        snprintf(one.name, sizeof one.name, "%s", who->name);
        one.roles = 1; /* whoever the local socket lets in is an administrator */
    } else if (users_get(a->users, who->user, &one)) {
        return a->http->error(r, 401, "Not authenticated");
    }
    if (a->http->match(r, one.version))
        return EC_OK;
    a->http->etag(r, one.version);
    err = user_reply(a, r, 200, &one);
    OPENSSL_cleanse(&one, sizeof one);
    return err;
}

static void change_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct change *c = a->http->body(r);
    uint32_t len, next_len;
    const char *plain = body_text(&c->part, c->current, &len), *next = body_text(&c->part, c->next, &next_len);
    struct user one;

    if (!asker(a, r, &one)) {
        if (!password_matches(plain, len, one.hash)) {
            audit_say(a, r, "password.change", "failure", NULL, NULL, "wrong current password");
            a->http->error(r, 403, "Incorrect password");
        } else {
            guess_good(a, r, one.name);
            one.must_change = false;
            if (!password_set(a, r, &one, next, next_len, "body.new_password") && !user_write(a, r, &one)) {
                first_done(a, &one);
                session_end_all(a->sessions, one.id, 0);
                audit_say(a, r, "password.change", "success", NULL, NULL, NULL);
                grant(a, r, &one);
            }
        }
        OPENSSL_cleanse(&one, sizeof one);
    }
    guess_done(a);
}

static int32_t change(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    struct user one;

    (void)state;
    if (asker(a, r, &one))
        return EC_OK;
    return guess_later(a, r, one.name, change_work);
}

const struct ec_route login_routes[] = {
    {.size = sizeof(struct ec_route), .flags = EC_RT_FORM, .method = "POST", .path = "/api/auth/login", .opid = "login",
     .summary = "Log in with a password (OAuth2 password flow)", .roles = "", .body = &credentials_record,
     .reply = &granted_record, .body_max = 8192, .run = login, .errors = "401,429"},
    {.size = sizeof(struct ec_route), .flags = EC_RT_BEFORE_CHANGE | EC_RT_EDITS, .method = "GET",
     .path = "/api/auth/me",
     .opid = "read_me", .summary = "The user who asks", .roles = "*", .reply = &user_record, .run = me},
    {.size = sizeof(struct ec_route), .flags = EC_RT_BEFORE_CHANGE, .method = "POST",
     .path = "/api/auth/change-password", .opid = "change_password",
     .summary = "Choose another password; older tokens end, a new one comes back", .roles = "*",
     .body = &change_record, .reply = &granted_record, .body_max = 8192, .run = change, .errors = "409,429"},
};
const uint32_t login_route_count = sizeof login_routes / sizeof *login_routes;
