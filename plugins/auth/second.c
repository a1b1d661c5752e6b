/* The second factor: codes of an app (TOTP), and recovery codes for who has lost it. */
#include "plugins/auth/plugin.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <time.h>

#include "plugins/auth/digest.h"

#define CODE_HASH (RECOVERY_HASH - 1)

struct verify {
    struct ec_part part;
    struct ec_span token, code, password;
};
#define IN(member, name, most, help) \
    { EC_T_TEXT, EC_R_SECRET, 0, 0, (uint32_t)offsetof(struct verify, member), (name), NULL, NULL, NULL, NULL, (help), \
      1, (most) }
#define CODE     IN(code, "code", 64, "of the app, six digits, or a recovery code")
#define PASSWORD IN(password, "password", PASSWORD_MAX, "of the user who asks")
static const struct ec_row verify_rows[] = {
    IN(token, "two_factor_token", TOKEN_MAX, "of the answer to the log-in"), CODE};
static const struct ec_row enable_rows[] = {IN(code, "code", 64, "that the app shows now")};
static const struct ec_row password_rows[] = {PASSWORD};
static const struct ec_row disable_rows[] = {PASSWORD, CODE};
static const struct ec_record verify_record = EC_RECORD_PART(struct verify, verify_rows);
static const struct ec_record enable_record = EC_RECORD_PART(struct verify, enable_rows);
static const struct ec_record password_record = EC_RECORD_PART(struct verify, password_rows);
static const struct ec_record disable_record = EC_RECORD_PART(struct verify, disable_rows);

struct secret {
    struct ec_part part;
    struct ec_span secret, uri;
};
static const struct ec_row secret_rows[] = {
    EC_FIELD(TEXT, 0, struct secret, secret, "secret", NULL, "for the app, in base32"),
    EC_FIELD(TEXT, 0, struct secret, uri, "otpauth_uri", NULL, "the same as apps read it, as a QR code"),
};
static const struct ec_record secret_record = EC_RECORD_PART(struct secret, secret_rows);

struct codes {
    struct ec_part part;
    struct ec_list codes;
};
static const struct ec_row codes_rows[] = {
    EC_FIELD(TEXT, EC_R_LIST, struct codes, codes, "recovery_codes", NULL,
             "each logs in once in place of a code; shown this once"),
};
static const struct ec_record codes_record = EC_RECORD_PART(struct codes, codes_rows);

void second_end(struct user *one)
{
    one->two_factor = false;
    one->totp_step = 0;
    OPENSSL_cleanse(one->totp, sizeof one->totp);
    *one->sealed = '\0';
    OPENSSL_cleanse(one->recovery, sizeof one->recovery);
}

/* Take a recovery code out of the list. 1: it was there. */
static int recovery_spend(struct user *one, const char *code, uint32_t len)
{
    char digest[DIGEST_HEX];

    digest_of(code, len, digest);
    for (char *p = one->recovery; strlen(p) >= CODE_HASH; p += RECOVERY_HASH) {
        if (!CRYPTO_memcmp(p, digest, CODE_HASH)) {
            memmove(p, p + CODE_HASH + (p[CODE_HASH] == ','), strlen(p + CODE_HASH + (p[CODE_HASH] == ',')) + 1);
            len = (uint32_t)strlen(one->recovery);
            if (len && one->recovery[len - 1] == ',')
                one->recovery[len - 1] = '\0';
            return 1;
        }
        if (p[CODE_HASH] != ',')
            return 0;
    }
    return 0;
}

int32_t second_factor(struct auth *a, struct user *one, const char *code, uint32_t len, const char **how)
{
    uint64_t step = totp_step(one->totp, code, len, (int64_t)time(NULL), one->totp_step);
    int32_t err;

    *how = NULL;
    if (step)
        one->totp_step = step;
    else if (recovery_spend(one, code, len))
        *how = "by a recovery code";
    else
        return EC_EPERM;
    err = users_put(a->users, one, a->host->now(a->host));
    return err == EC_EAGAIN ? EC_EPERM : err; /* of two that show it at once, one */
}

/* Whose log-in goes on? 0; else 401 was sent. */
static int32_t pending(struct auth *a, struct ec_req *r, struct user *one)
{
    const struct verify *body = a->http->body(r);
    uint32_t len;
    const char *text = body_text(&body->part, body->token, &len);
    struct token t;
    char why[128];

    if (!token_read(a->keys, text, len, (int64_t)time(NULL), &t, why, sizeof why) && !t.session &&
        !users_get(a->users, t.user, one) && one->stamp == t.stamp && one->active && one->two_factor)
        return EC_OK;
    a->host->metric(a->host, M_REFUSED, 1);
    a->http->set_header(r, "WWW-Authenticate", "Bearer");
    a->http->error(r, 401, "Could not validate credentials");
    return EC_EPERM;
}

static void verify_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct verify *body = a->http->body(r);
    uint32_t len;
    const char *code = body_text(&body->part, body->code, &len), *how;
    struct user one;
    int32_t err;

    if (!pending(a, r, &one)) {
        err = second_factor(a, &one, code, len, &how);
        if (err == EC_EPERM)
            wrong(a, r, one.name, "wrong code");
        else if (err)
            a->http->error(r, 503, "The store cannot be written");
        else
            admit(a, r, &one, how);
        OPENSSL_cleanse(&one, sizeof one);
    }
    guess_done(a);
}

static int32_t verify(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    struct user one;

    (void)state;
    return pending(a, r, &one) ? EC_OK : guess_later(a, r, one.name, verify_work);
}

/* Who asks, and whether the password is theirs: 0; else a reply was sent. */
static int32_t asker_again(struct auth *a, struct ec_req *r, struct user *one)
{
    const struct verify *body = a->http->body(r);
    uint32_t len;
    const char *plain = body_text(&body->part, body->password, &len);

    if (asker(a, r, one))
        return EC_EPERM;
    if (password_matches(plain, len, one->hash))
        return EC_OK;
    audit_say(a, r, "2fa", "failure", NULL, NULL, "wrong password");
    a->http->error(r, 403, "Incorrect password");
    return EC_EPERM;
}

static void secret_reply(struct auth *a, struct ec_req *r, const struct user *one)
{
    union {
        uint64_t align;
        uint8_t bytes[1024];
    } room = {.bytes = {0}};
    struct ec_build b = {.base = room.bytes, .cap = sizeof room};
    struct secret *reply;
    char uri[256];

    snprintf(uri, sizeof uri, "otpauth://totp/eCyber:%s?secret=%s&issuer=eCyber&algorithm=SHA1&digits=6&period=30",
             one->name, one->totp);
    ec_grow(&b, sizeof(struct ec_event));
    reply = ec_add(&b, 0, sizeof *reply);
    reply->secret = ec_puts(&b, one->totp);
    reply->uri = ec_puts(&b, uri);
    a->http->set_header(r, "Cache-Control", "no-store");
    a->http->reply(r, 200, &reply->part);
    OPENSSL_cleanse(&room, sizeof room);
    OPENSSL_cleanse(uri, sizeof uri);
}

static void generate_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    struct user one;

    if (!asker_again(a, r, &one)) {
        guess_good(a, r, one.name);
        if (one.two_factor) {
            a->http->error(r, 409, "There is a second factor already; disable it first");
        } else if (totp_secret(one.totp)) {
            a->http->error(r, 500, "No randomness");
        } else if (!user_write(a, r, &one)) {
            audit_say(a, r, "2fa.secret", "success", NULL, NULL, NULL);
            secret_reply(a, r, &one);
        }
        OPENSSL_cleanse(&one, sizeof one);
    }
    guess_done(a);
}

/* New recovery codes: into the user as hashes, and into the reply. 0, or −1. */
static int codes_make(struct user *one, struct ec_build *b, struct ec_list *list)
{
    struct ec_span *spans = ec_rows(b, list, RECOVERY, sizeof *spans);
    char code[PASSWORD_NEW], digest[DIGEST_HEX];
    int rc = spans ? 0 : -1;

    *one->recovery = '\0';
    for (int i = 0; i < RECOVERY && !rc; i++) {
        rc = password_random(code);
        digest_of(code, strlen(code), digest);
        snprintf(one->recovery + i * RECOVERY_HASH, RECOVERY_HASH, "%.*s", CODE_HASH, digest);
        if (i)
            one->recovery[i * RECOVERY_HASH - 1] = ',';
        spans[i] = ec_puts(b, code);
    }
    OPENSSL_cleanse(code, sizeof code);
    return rc;
}

static void enable_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct verify *body = a->http->body(r);
    union {
        uint64_t align;
        uint8_t bytes[2048];
    } room = {.bytes = {0}};
    struct ec_build b = {.base = room.bytes, .cap = sizeof room};
    uint32_t len;
    const char *code = body_text(&body->part, body->code, &len);
    struct codes *reply;
    struct user one;
    uint64_t step;

    if (asker(a, r, &one)) {
        guess_done(a);
        return;
    }
    ec_grow(&b, sizeof(struct ec_event));
    reply = ec_add(&b, 0, sizeof *reply);
    step = totp_step(one.totp, code, len, (int64_t)time(NULL), one.totp_step);
    if (one.two_factor || !*one.totp) {
        a->http->error(r, 409, one.two_factor ? "There is a second factor already"
                                              : "There is no secret yet (POST /api/auth/2fa/generate-secret)");
    } else if (!step) {
        audit_say(a, r, "2fa.enable", "failure", NULL, NULL, "wrong code");
        a->http->error(r, 403, "Incorrect code");
    } else if (codes_make(&one, &b, &reply->codes)) {
        a->http->error(r, 500, "No randomness");
    } else {
        guess_good(a, r, one.name);
        one.two_factor = true;
        one.totp_step = step;
        if (!user_write(a, r, &one)) {
            audit_say(a, r, "2fa.enable", "success", NULL, NULL, NULL);
            a->http->set_header(r, "Cache-Control", "no-store");
            a->http->reply(r, 200, &reply->part);
        }
    }
    OPENSSL_cleanse(&room, sizeof room);
    OPENSSL_cleanse(&one, sizeof one);
    guess_done(a);
}

static void disable_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct verify *body = a->http->body(r);
    uint32_t len;
    const char *code = body_text(&body->part, body->code, &len), *how;
    struct user one;
    int32_t err;

    if (!asker_again(a, r, &one)) {
        err = one.two_factor ? second_factor(a, &one, code, len, &how) : EC_ENOENT;
        if (err == EC_ENOENT) {
            a->http->error(r, 409, "There is no second factor");
        } else if (err == EC_EPERM) {
            audit_say(a, r, "2fa.disable", "failure", NULL, NULL, "wrong code");
            a->http->error(r, 403, "Incorrect code");
        } else if (err) {
            a->http->error(r, 503, "The store cannot be written");
        } else {
            guess_good(a, r, one.name);
            second_end(&one);
            if (!user_write(a, r, &one)) {
                audit_say(a, r, "2fa.disable", "success", NULL, NULL, how);
                a->http->reply(r, 204, NULL);
            }
        }
        OPENSSL_cleanse(&one, sizeof one);
    }
    guess_done(a);
}

#define GUESSED(handler, fn) \
    static int32_t handler(void *self, const void *state, struct ec_req *r) \
    { \
        struct user one; \
        (void)state; \
        return asker(self, r, &one) ? EC_OK : guess_later(self, r, one.name, fn); \
    }
GUESSED(generate, generate_work)
GUESSED(enable, enable_work)
GUESSED(disable, disable_work)

#define POST(p, id, text, who) \
    .size = sizeof(struct ec_route), .method = "POST", .path = p, .opid = id, .summary = text, .roles = who, \
    .body_max = 16384
const struct ec_route second_routes[] = {
    {POST("/api/auth/login/verify-2fa", "verify_two_factor", "Go on with a log-in that asks for a code", ""),
     .flags = EC_RT_FORM, .body = &verify_record, .reply = &granted_record, .run = verify, .errors = "401,429"},
    {POST("/api/auth/2fa/generate-secret", "generate_two_factor_secret", "A secret for an app that shows codes", "*"),
     .body = &password_record, .reply = &secret_record, .run = generate, .errors = "409,429"},
    {POST("/api/auth/2fa/enable", "enable_two_factor", "Ask for a code at each log-in from now on", "*"),
     .body = &enable_record, .reply = &codes_record, .run = enable, .errors = "409,429"},
    {POST("/api/auth/2fa/disable", "disable_two_factor", "Log in with the password alone again", "*"),
     .body = &disable_record, .run = disable, .status = 204, .errors = "409,429"},
};
const uint32_t second_route_count = sizeof second_routes / sizeof *second_routes;
