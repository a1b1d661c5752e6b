/* Tokens: given out, made anew, ended. */
#include "plugins/auth/plugin.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <time.h>

#define SECOND  UINT64_C(1000000000)
#define PENDING 300 /* seconds from the password to the code */

struct granted {
    struct ec_part part;
    struct ec_span token, type, refresh, pending;
    uint64_t expires_in, refresh_expires_in;
    uint8_t must_change, two_factor, pad[6];
};
enum { HAS_REFRESH, HAS_TOKEN, HAS_PENDING };
static const struct ec_row granted_rows[] = {
    EC_FIELD_OPT(TEXT, 0, HAS_TOKEN, struct granted, token, "access_token", NULL,
                 "to be sent as Authorization: Bearer; absent where a second factor is asked for"),
    EC_FIELD(TEXT, 0, struct granted, type, "token_type", NULL, "bearer"),
    EC_FIELD(U64, 0, struct granted, expires_in, "expires_in", "seconds", "how long it is good for"),
    EC_FIELD(BOOL, 0, struct granted, must_change, "must_change", NULL,
             "the password was given by somebody else: choose another"),
    EC_FIELD(BOOL, 0, struct granted, two_factor, "two_factor_required", NULL,
             "go on with POST /api/auth/login/verify-2fa"),
    EC_FIELD_OPT(TEXT, 0, HAS_PENDING, struct granted, pending, "two_factor_token", NULL, "to be sent there"),
    EC_FIELD_OPT(TEXT, 0, HAS_REFRESH, struct granted, refresh, "refresh_token", NULL,
                 "for POST /api/auth/refresh, one time; absent where the password has to be changed first"),
    EC_FIELD_OPT(U64, 0, HAS_REFRESH, struct granted, refresh_expires_in, "refresh_expires_in", "seconds",
                 "how long that is good for"),
};
const struct ec_record granted_record = EC_RECORD_PART(struct granted, granted_rows);

struct turn {
    struct ec_part part;
    struct ec_span token, grant_type, scope, client_id, client_secret;
};
#define IN(flags, bit, member, name, most, help) \
    { EC_T_TEXT, (flags), (bit), 0, (uint32_t)offsetof(struct turn, member), (name), NULL, NULL, NULL, NULL, (help), \
      0, (most) }
static const struct ec_row turn_rows[] = {
    IN(EC_R_SECRET, 0, token, "refresh_token", 1024, "the one that came last"),
    IN(EC_R_OPT, 0, grant_type, "grant_type", 64, "refresh_token, or absent (RFC 6749 §6)"),
    IN(EC_R_OPT, 1, scope, "scope", 255, "not used"),
    IN(EC_R_OPT, 2, client_id, "client_id", 255, "not used"),
    IN(EC_R_OPT | EC_R_SECRET, 3, client_secret, "client_secret", 255, "not used"),
};
static const struct ec_record turn_record = EC_RECORD_PART(struct turn, turn_rows);

/* A token of this session (0: one that only goes on with the log-in), and the refresh token that was made for it ("":
 * none), as the reply. */
static int32_t give(struct auth *a, struct ec_req *r, const struct user *one, uint64_t session, const char *refresh)
{
    union {
        uint64_t align;
        uint8_t bytes[sizeof(struct ec_event) + sizeof(struct granted) + TOKEN_MAX + SESSION_TEXT + 64];
    } room = {.bytes = {0}};
    struct ec_build b = {.base = room.bytes, .cap = sizeof room};
    struct token t = {.user = one->id, .stamp = one->stamp, .session = session, .issued = (int64_t)time(NULL)};
    int64_t life = session || a->life < PENDING ? a->life : PENDING;
    struct granted *g;
    char *text;
    int32_t err;

    strcpy(t.name, one->name);
    t.expires = t.issued + life;
    text = token_make(a->keys, &t);
    if (!text)
        return a->http->error(r, 500, "No token could be made");
    ec_grow(&b, sizeof(struct ec_event));
    g = ec_add(&b, 0, sizeof *g);
    *(session ? &g->token : &g->pending) = ec_puts(&b, text);
    g->part.has = 1u << (session ? HAS_TOKEN : HAS_PENDING);
    g->type = ec_puts(&b, "bearer");
    g->expires_in = (uint64_t)life;
    g->must_change = one->must_change;
    g->two_factor = !session;
    if (*refresh) {
        g->refresh = ec_puts(&b, refresh);
        g->refresh_expires_in = a->refresh_life;
        g->part.has |= 1u << HAS_REFRESH;
    }
    a->http->set_header(r, "Cache-Control", "no-store");
    err = a->http->reply(r, 200, &g->part);
    OPENSSL_cleanse(&room, sizeof room);
    OPENSSL_cleanse(text, strlen(text));
    free(text);
    return err;
}

int32_t grant_pending(struct auth *a, struct ec_req *r, const struct user *one)
{
    return give(a, r, one, 0, "");
}

/* Who uses a session: where from, and with what. */
static void user_of(struct auth *a, struct ec_req *r, struct session *one)
{
    const char *agent = a->http->header(r, "User-Agent"), *peer = a->http->peer(r);

    snprintf(one->address, sizeof one->address, "%s", peer ? peer : "local");
    snprintf(one->agent, sizeof one->agent, "%s", agent ? agent : "");
    for (char *p = one->agent; *p; p++)
        if (*p < 0x20 || *p > 0x7e)
            *p = '?';
}

int32_t grant(struct auth *a, struct ec_req *r, const struct user *one)
{
    struct session session = {.user = one->id, .stamp = one->stamp};
    uint64_t now = a->host->now(a->host), life = one->must_change ? (uint64_t)a->life : a->refresh_life;
    char refresh[SESSION_TEXT] = "";
    int32_t err;

    user_of(a, r, &session);
    session_sweep(a->sessions, a->users, now);
    err = session_begin(a->sessions, &session, now, life * SECOND, one->must_change ? NULL : refresh);
    if (err)
        err = a->http->error(r, 503, "No session can be begun");
    else
        err = give(a, r, one, session.id, refresh);
    OPENSSL_cleanse(refresh, sizeof refresh);
    return err;
}

static void not_good(struct auth *a, struct ec_req *r, const char *name, uint64_t session, const char *why)
{
    char object[40];

    a->host->metric(a->host, M_REFUSED, 1);
    snprintf(object, sizeof object, "sessions/%" PRIu64, session);
    audit_say(a, r, "session.refresh", "denied", name, session ? object : NULL, why);
    a->http->set_header(r, "WWW-Authenticate", "Bearer");
    a->http->error(r, 401, "Could not validate credentials");
}

static void turn_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct turn *body = a->http->body(r);
    struct session by = {.id = 0}, session = {.id = 0};
    struct user one = {.id = 0};
    char next[SESSION_TEXT], object[40];
    uint32_t len;
    const char *text = body_text(&body->part, body->token, &len);
    int32_t err;

    user_of(a, r, &by);
    err = session_refresh(a->sessions, text, len, &by, a->host->now(a->host), a->refresh_life * SECOND, &session, next);
    if (!err || err == EC_EEXIST)
        users_get(a->users, session.user, &one);
    if (err == EC_EEXIST) {
        a->host->metric(a->host, M_REUSES, 1);
        EC_LOG(a->host, EC_LOG_WARNING, "a refresh token of '%s' was used a second time, from %s: its session is ended",
               one.name, by.address);
        not_good(a, r, one.name, session.id, "a refresh token was used a second time: the session is ended");
    } else if (err == EC_EPERM) {
        not_good(a, r, "", 0, "no refresh token of a session that goes on");
    } else if (err) {
        a->http->error(r, 503, "The store cannot be written");
    } else if (!one.active || one.stamp != session.stamp) {
        shelf_remove(a->sessions, session.id);
        not_good(a, r, one.name, session.id, "the user was changed or is disabled");
    } else {
        snprintf(object, sizeof object, "sessions/%" PRIu64, session.id);
        audit_say(a, r, "session.refresh", "success", one.name, object, NULL);
        give(a, r, &one, session.id, next);
    }
    OPENSSL_cleanse(next, sizeof next);
    OPENSSL_cleanse(&one, sizeof one);
}

static int32_t turn(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    const struct turn *body = a->http->body(r);
    uint32_t len;
    const char *type = body_text(&body->part, body->grant_type, &len);

    (void)state;
    if ((body->part.has & 1) && len && (len != 13 || memcmp(type, "refresh_token", 13)))
        return a->http->invalid(r, "body.grant_type", "string_pattern_mismatch",
                                "String should match pattern '^refresh_token$'");
    return a->http->work(r, turn_work, a) ? EC_OK : EC_EAGAIN;
}

int32_t asker(struct auth *a, struct ec_req *r, struct user *one)
{
    const struct ec_who *who = a->http->who(r);

    if (who && who->user && !(who->flags & EC_WHO_KEY) && !users_get(a->users, who->user, one))
        return EC_OK;
    a->http->error(r, 409, "This works for users who have logged in, not over the local socket or by an API key");
    return EC_EPERM;
}

static void logout_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    uint64_t session = a->http->who(r)->session;
    char object[40];
    struct user one;
    int32_t err;

    if (asker(a, r, &one))
        return;
    err = shelf_remove(a->sessions, session);
    if (err && err != EC_ENOENT) {
        a->http->error(r, 503, "The store cannot be written");
        return;
    }
    snprintf(object, sizeof object, "sessions/%" PRIu64, session);
    audit_say(a, r, "logout", "success", NULL, object, NULL);
    a->http->reply(r, 204, NULL);
}

static void logout_all_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    struct user one;

    if (asker(a, r, &one))
        return;
    if (users_stamp(&one)) {
        a->http->error(r, 500, "No randomness");
    } else if (!user_write(a, r, &one)) {
        session_end_all(a->sessions, one.id, 0);
        audit_say(a, r, "logout.all", "success", NULL, NULL, NULL);
        a->http->reply(r, 204, NULL);
    }
}

LATER(logout, logout_work)
LATER(logout_all, logout_all_work)

const struct ec_route grant_routes[] = {
    {.size = sizeof(struct ec_route), .flags = EC_RT_FORM, .method = "POST", .path = "/api/auth/refresh",
     .opid = "refresh_token", .summary = "Other tokens for a refresh token, which is good for one time", .roles = "",
     .body = &turn_record, .reply = &granted_record, .body_max = 8192, .run = turn, .errors = "401"},
    {.size = sizeof(struct ec_route), .flags = EC_RT_BEFORE_CHANGE, .method = "POST", .path = "/api/auth/logout",
     .opid = "logout", .summary = "End the session of the token that asks", .roles = "*", .run = logout, .status = 204,
     .errors = "409"},
    {.size = sizeof(struct ec_route), .method = "POST", .path = "/api/auth/logout-all", .opid = "logout_all",
     .summary = "End all sessions of the user who asks", .roles = "*", .run = logout_all, .status = 204,
     .errors = "409"},
};
const uint32_t grant_route_count = sizeof grant_routes / sizeof *grant_routes;
