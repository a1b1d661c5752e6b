/* Another password for who has lost it, by a token that comes by mail; and what a page has to know before a log-in. */
#include "plugins/auth/person.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#define SAYS_SENT  "If an account has this e-mail address, a letter with the next step is on its way."
#define SAYS_RESET "The password is another one now; log in with it."

struct want {
    struct ec_part part;
    struct ec_span email, token, password;
};
#define IN(flags, member, name, most, help) \
    ROW(struct want, EC_T_TEXT, flags, 0, member, name, NULL, NULL, 1, most, help)
static const struct ec_row ask_rows[] = {IN(0, email, "email", USER_EMAIL - 1, "of the account")};
static const struct ec_row reset_rows[] = {
    IN(EC_R_SECRET, token, "token", 255, "out of the letter; good for one time, 30 minutes"),
    IN(EC_R_SECRET, password, "new_password", PASSWORD_MAX, "the one to be used from now on"),
};
static const struct ec_record ask_record = EC_RECORD_PART(struct want, ask_rows);
static const struct ec_record reset_record = EC_RECORD_PART(struct want, reset_rows);

struct said {
    struct ec_part part;
    struct ec_span message;
};
static const struct ec_row said_rows[] = {
    EC_FIELD(TEXT, 0, struct said, message, "message", NULL, "a sentence for people"),
};
static const struct ec_record said_record = EC_RECORD_PART(struct said, said_rows);

struct methods {
    struct ec_part part;
    uint32_t registration;
    uint8_t mail, pad[3];
};
static const struct ec_row methods_rows[] = {
    EC_FIELD_ENUM(0, struct methods, registration, "registration", REGISTRATION_WORDS,
                  "may one make an account oneself?"),
    EC_FIELD(BOOL, 0, struct methods, mail, "recovery_by_mail", NULL, "are tokens for another password sent?"),
};
static const struct ec_record methods_record = EC_RECORD_PART(struct methods, methods_rows);

static int32_t say(struct auth *a, struct ec_req *r, const char *sentence)
{
    union {
        uint64_t align;
        uint8_t bytes[512];
    } room = {.bytes = {0}};
    struct ec_build b = {.base = room.bytes, .cap = sizeof room};
    struct said *reply;

    ec_grow(&b, sizeof(struct ec_event));
    reply = ec_add(&b, 0, sizeof *reply);
    reply->message = ec_puts(&b, sentence);
    return a->http->reply(r, 200, &reply->part);
}

static int32_t methods(void *self, const void *state, struct ec_req *r)
{
    union {
        uint64_t align;
        uint8_t bytes[512];
    } room = {.bytes = {0}};
    struct ec_build b = {.base = room.bytes, .cap = sizeof room};
    struct auth *a = self;
    struct methods *reply;

    (void)state;
    ec_grow(&b, sizeof(struct ec_event));
    reply = ec_add(&b, 0, sizeof *reply);
    reply->registration = a->registration;
    reply->mail = a->mails != NULL;
    return a->http->reply(r, 200, &reply->part);
}

/* The letter. The token stands behind #, which browsers send to nobody. */
static void write_letter(const struct auth *a, const struct user *one, const char *token, char to[MAIL_TEXT])
{
    char link[700] = "";

    if (*a->page_url)
        snprintf(link, sizeof link, "Open this within 30 minutes, once:\n\n%s#reset=%s\n\n", a->page_url, token);
    else
        snprintf(link, sizeof link, "The page of eCyber takes this token within 30 minutes, once:\n\n%s\n\n", token);
    snprintf(to, MAIL_TEXT,
             "Somebody, perhaps you, asked for another password of the user '%s' of eCyber.\n\n%s"
             "If it was not you, do nothing: the password stays as it is.\n",
             one->name, link);
    OPENSSL_cleanse(link, sizeof link);
}

struct asked {
    char email[USER_EMAIL], address[BACKOFF_NET];
};

static void post(struct auth *a, const struct asked *q, const struct user *one)
{
    char token[RECOVERY_TEXT], text[MAIL_TEXT], object[32];
    int32_t err = recovery_make(a->recoveries, one, a->host->now(a->host), token);

    if (!err) {
        write_letter(a, one, token, text);
        err = mail_post(a->mails, one->email, "Another password for eCyber", text, mail_now() + 1800);
    }
    if (err)
        a->host->metric(a->host, M_MAILS_FAILED, 1);
    audit_from(a, q->address, "password.recover", err ? "failure" : "success", one->name, object_of(one, object),
               !err               ? "a token is sent by mail"
               : err == EC_ELIMIT ? "too many letters wait"
                                  : "no token could be made");
    OPENSSL_cleanse(token, sizeof token);
    OPENSSL_cleanse(text, sizeof text);
}

/* On the pool, when the answer is on its way: what takes longer for an account that exists is seen by nobody. */
static void recover_later(void *self, const void *state, void *arg)
{
    struct auth *a = self;
    struct asked *q = arg;
    struct user one;
    char object[32];

    (void)state;
    if (users_mailed(a->users, q->email, &one) || !one.active) {
        audit_from(a, q->address, "password.recover", "denied", "", NULL, "no active user has the e-mail address");
    } else if (!a->mails) {
        EC_LOG(a->host, EC_LOG_WARNING,
               "'%s' asks for another password, and auth.smtp.server is not set: an administrator may run "
               "'ecyberctl users reset %s'", one.name, one.name);
        audit_from(a, q->address, "password.recover", "failure", one.name, object_of(&one, object),
                   "there is no mail server");
    } else if (guess_mail(a, one.name)) {
        audit_from(a, q->address, "password.recover", "denied", one.name, object_of(&one, object),
                   "three letters were sent within an hour");
    } else {
        post(a, q, &one);
    }
    OPENSSL_cleanse(&one, sizeof one);
    free(q);
}

static int32_t request(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    const struct want *p = a->http->body(r);
    const char *peer = a->http->peer(r);
    struct asked *q;

    (void)state;
    if (guess_visit(a, r))
        return EC_OK;
    q = calloc(1, sizeof *q);
    if (!q)
        return a->http->error(r, 503, "Out of memory");
    text_take(&p->part, p->email, q->email, sizeof q->email);
    snprintf(q->address, sizeof q->address, "%s", peer ? peer : "local");
    if (a->host->work(a->host, recover_later, q)) {
        free(q);
        return a->http->error(r, 503, "Too much is going on; try again later");
    }
    return say(a, r, SAYS_SENT);
}

static void not_good(struct auth *a, struct ec_req *r)
{
    a->host->metric(a->host, M_REFUSED, 1);
    audit_say(a, r, "password.recover", "denied", "", NULL, "no token that is good");
    a->http->error(r, 400, "Invalid or expired password reset token.");
}

static void reset_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct want *p = a->http->body(r);
    uint32_t len, next_len;
    const char *token = body_text(&p->part, p->token, &len), *next = body_text(&p->part, p->password, &next_len);
    struct user one;
    char object[32];
    int32_t err;

    if (recovery_judge(a->recoveries, a->users, token, len, a->host->now(a->host), &one)) {
        not_good(a, r);
        guess_done(a);
        return;
    }
    one.must_change = false;
    if (!password_set(a, r, &one, next, next_len, "body.new_password")) {
        err = users_put(a->users, &one, a->host->now(a->host)); /* with another stamp, by which the token is spent */
        if (err == EC_EAGAIN || err == EC_ENOENT) {
            not_good(a, r);
        } else if (err) {
            user_failed(a, r, err);
        } else {
            recovery_sweep(a->recoveries, one.id, a->host->now(a->host));
            session_end_all(a->sessions, one.id, 0);
            apikey_end_all(a->apikeys, one.id);
            backoff_good(a->accounts, one.name);
            first_done(a, &one);
            audit_say(a, r, "password.recover", "success", one.name, object_of(&one, object),
                      "another password, by a token; all sessions and API keys ended");
            say(a, r, SAYS_RESET);
        }
    }
    OPENSSL_cleanse(&one, sizeof one);
    guess_done(a);
}

static int32_t reset(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;

    (void)state;
    return guess_visit(a, r) ? EC_OK : hash_later(a, r, reset_work);
}

#define PUBLIC(m, p, id, text) \
    .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .summary = text, .roles = "", .body_max = 8192
const struct ec_route recover_routes[] = {
    {PUBLIC("GET", "/api/auth/methods", "read_auth_methods", "What may be done without having logged in"),
     .reply = &methods_record, .run = methods},
    {PUBLIC("POST", "/api/auth/password-recovery/request-token", "request_password_token",
            "Have a token for another password sent by mail; the answer is the same where there is no such account"),
     .body = &ask_record, .reply = &said_record, .run = request, .errors = "429"},
    {PUBLIC("POST", "/api/auth/password-recovery/reset-password", "recover_password",
            "Choose another password by the token of a letter; all sessions and API keys of the user end"),
     .body = &reset_record, .reply = &said_record, .run = reset, .errors = "400,429"},
};
const uint32_t recover_route_count = sizeof recover_routes / sizeof *recover_routes;
