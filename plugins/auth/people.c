/* /api/users: what administrators do with users. */
#include "plugins/auth/person.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>

struct page_param {
    struct ec_part part;
    struct ec_span cursor;
    uint32_t limit, pad;
};
static const struct ec_row page_rows[] = {
    ROW(struct page_param, EC_T_U32, 0, 0, limit, "limit", NULL, "100", 1, 1000, "users of a page"),
    ROW(struct page_param, EC_T_TEXT, EC_R_OPT, 0, cursor, "cursor", NULL, NULL, 1, 20,
        "next_cursor of the page before"),
};
static const struct ec_record page_record = EC_RECORD_PART(struct page_param, page_rows);

static const struct ec_row create_rows[] = {
    PERSON(EC_T_TEXT, 0, 0, username, "username", NULL, 1, USER_NAME - 1, "letters, digits and . _ @ -"),
    SHARED_ROWS,
    PERSON(EC_T_TEXT, EC_R_OPT | EC_R_SECRET, HAS_PASSWORD, password, "password", NULL, 1, PASSWORD_MAX,
           "in place of password_hash"),
    PERSON(EC_T_TEXT, EC_R_OPT | EC_R_SECRET, HAS_HASH, hash, "password_hash", NULL, 1, PASSWORD_HASH - 1,
           "of an imported user: $2b$ $2a$ $2y$ $y$"),
    PERSON(EC_T_TEXT, EC_R_OPT | EC_R_SECRET, HAS_TOTP, totp, "two_factor_secret", NULL, 16, TOTP_SECRET - 1,
           "of an imported user's app, in base32"),
    PERSON(EC_T_BOOL, EC_R_OPT, HAS_MUST_CHANGE, must_change, "must_change", NULL, 0, 0,
           "the user is to choose another password"),
};
static const struct ec_record create_record = EC_RECORD_PART(struct person, create_rows);

struct reset {
    struct ec_part part;
    struct ec_span password;
    uint8_t must_change, disable, pad[6];
};
static const struct ec_row reset_rows[] = {
    ROW(struct reset, EC_T_TEXT, EC_R_SECRET, 0, password, "password", NULL, NULL, 1, PASSWORD_MAX, "the new one"),
    ROW(struct reset, EC_T_BOOL, EC_R_OPT, 0, must_change, "must_change", NULL, NULL, 0, 0,
        "the user is to choose another one"),
    ROW(struct reset, EC_T_BOOL, EC_R_OPT, 1, disable, "disable_2fa", NULL, NULL, 0, 0,
        "and logs in without a code again"),
};
static const struct ec_record reset_record = EC_RECORD_PART(struct reset, reset_rows);

int32_t user_failed(struct auth *a, struct ec_req *r, int32_t err)
{
    switch (err) {
    case EC_ENOENT:
        a->http->error(r, 404, "User not found");
        break;
    case EC_EEXIST:
        a->http->error(r, 409, "Username already taken");
        break;
    case USERS_EMAIL:
        a->http->error(r, 409, "Email already registered");
        break;
    case EC_EPERM:
        a->http->error(r, 409, "The last active administrator has to stay one");
        break;
    case EC_EAGAIN:
        a->http->error(r, 409, "The user was changed by somebody else meanwhile; try again");
        break;
    case EC_ELIMIT:
        a->http->error(r, 409, "There are 10000 users already");
        break;
    default:
        EC_LOG(a->host, EC_LOG_ERROR, "a user could not be written to the store (error %d)", err);
        a->http->error(r, 503, "The store cannot be written");
    }
    return err;
}

int32_t user_write(struct auth *a, struct ec_req *r, struct user *one)
{
    int32_t err = users_put(a->users, one, a->host->now(a->host));

    return err ? user_failed(a, r, err) : EC_OK;
}

int32_t password_set(struct auth *a, struct ec_req *r, struct user *one, const char *plain, uint32_t len,
                     const char *loc)
{
    const char *weak = password_weak(plain, len, one->name, a->password_min);

    if (weak) {
        a->http->invalid(r, loc, "value_error", weak);
        return EC_EINVAL;
    }
    if (password_hash(plain, len, a->hash_cost, one->hash, sizeof one->hash) || users_stamp(one)) {
        a->http->error(r, 500, "The password could not be hashed");
        return EC_ENOMEM;
    }
    one->once = ONCE_NOT;
    return EC_OK;
}

/* The password of a new user, or a hash that is brought along. 0; else a reply was sent. */
static int32_t secret_take(struct auth *a, struct ec_req *r, const struct person *p, struct user *one)
{
    uint32_t len;
    const char *plain;

    if (part_has(&p->part, HAS_PASSWORD)) {
        plain = body_text(&p->part, p->password, &len);
        return password_set(a, r, one, plain, len, "body.password");
    }
    if (!part_has(&p->part, HAS_HASH)) {
        a->http->invalid(r, "body.password", "missing", "Field required");
        return EC_EINVAL;
    }
    text_take(&p->part, p->hash, one->hash, sizeof one->hash);
    if (password_hash_known(one->hash) && !users_stamp(one))
        return EC_OK;
    a->http->invalid(r, "body.password_hash", "value_error",
                     "It is none of $2b$ $2a$ $2y$ with a cost of at most 14, or yescrypt");
    return EC_EINVAL;
}

/* The second factor of an imported user. 0; else a reply was sent. */
static int32_t totp_take(struct auth *a, struct ec_req *r, const struct person *p, struct user *one)
{
    unsigned char key[TOTP_SECRET];

    if (!part_has(&p->part, HAS_TOTP))
        return EC_OK;
    text_take(&p->part, p->totp, one->totp, sizeof one->totp);
    one->two_factor = base32_read(one->totp, key, sizeof key) >= 10;
    OPENSSL_cleanse(key, sizeof key);
    if (one->two_factor)
        return EC_OK;
    a->http->invalid(r, "body.two_factor_secret", "value_error", "It is no secret of at least 80 bits in base32");
    return EC_EINVAL;
}

static void create_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct person *p = a->http->body(r);
    struct user one = {.roles = ROLE_VIEWER, .active = true, .must_change = true};
    char object[32];
    uint32_t len;
    const char *name = body_text(&p->part, p->username, &len);

    if (user_name(name, len, one.name)) {
        bad_name(a, r);
        return;
    }
    if (person_apply(a, r, p, &one))
        return;
    if (part_has(&p->part, HAS_MUST_CHANGE))
        one.must_change = p->must_change;
    if (!secret_take(a, r, p, &one) && !totp_take(a, r, p, &one) && !user_write(a, r, &one)) {
        audit_say(a, r, "user.create", "success", NULL, object_of(&one, object), one.name);
        user_reply(a, r, 201, &one);
    }
    OPENSSL_cleanse(&one, sizeof one);
}

static void remove_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    char object[32];
    struct user one;
    int32_t err;

    if (named(a, r, &one))
        return;
    err = users_remove(a->users, one.id);
    if (err) {
        user_failed(a, r, err);
    } else {
        session_end_all(a->sessions, one.id, 0);
        apikey_end_all(a->apikeys, one.id);
        audit_say(a, r, "user.delete", "success", NULL, object_of(&one, object), one.name);
        a->http->reply(r, 204, NULL);
    }
    OPENSSL_cleanse(&one, sizeof one);
}

static void reset_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct reset *p = a->http->body(r);
    uint32_t len;
    const char *plain = body_text(&p->part, p->password, &len);
    char object[32];
    struct user one;
    int32_t err;

    if (named(a, r, &one))
        return;
    one.must_change = part_has(&p->part, 0) && p->must_change;
    if (part_has(&p->part, 1) && p->disable)
        second_end(&one);
    err = password_set(a, r, &one, plain, len, "body.password");
    one.once = one.must_change ? ONCE_UNUSED : ONCE_NOT;
    if (!err && !user_write(a, r, &one)) {
        backoff_good(a->accounts, one.name);
        first_done(a, &one);
        session_end_all(a->sessions, one.id, 0);
        apikey_end_all(a->apikeys, one.id);
        audit_say(a, r, "password.reset", "success", NULL, object_of(&one, object), one.name);
        a->http->reply(r, 204, NULL);
    }
    OPENSSL_cleanse(&one, sizeof one);
}

static int32_t page(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    const struct page_param *p = a->http->param(r);
    uint32_t len, n, limit = p->limit; /* with the reply p ends */
    const char *cursor = body_text(&p->part, p->cursor, &len);
    struct user *list;
    char text[24];
    uint64_t after = 0;
    int32_t err;

    (void)state;
    if (part_has(&p->part, 0)) {
        snprintf(text, sizeof text, "%.*s", (int)len, cursor);
        if (!len || strspn(text, "0123456789") != len || len > 18)
            return a->http->invalid(r, "query.cursor", "value_error", "It is not the next_cursor of a page");
        after = strtoull(text, NULL, 10);
    }
    list = calloc(limit + 1u, sizeof *list);
    if (!list)
        return a->http->error(r, 503, "Out of memory");
    n = users_page(a->users, after, list, limit + 1u);
    err = users_reply(a, r, list, n > limit ? limit : n, n > limit);
    OPENSSL_cleanse(list, (limit + 1u) * sizeof *list);
    free(list);
    return err;
}

static int32_t show(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    struct user one;
    int32_t err;

    (void)state;
    if (named(a, r, &one))
        return EC_OK;
    a->http->etag(r, one.version);
    err = user_reply(a, r, 200, &one);
    OPENSSL_cleanse(&one, sizeof one);
    return err;
}

LATER(create, create_work)
LATER(drop, remove_work)
LATER(reset, reset_work)

#define ROUTE(m, p, id, text) \
    .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .summary = text, .roles = "admin"
const struct ec_route people_routes[] = {
    {ROUTE("GET", "/api/users", "list_users", "The users"), .param = &page_record, .reply = &users_record, .run = page},
    {ROUTE("POST", "/api/users", "create_user", "Make a user"), .body = &create_record, .reply = &user_record,
     .body_max = 8192, .run = create, .status = 201, .errors = "409"},
    {ROUTE("GET", "/api/users/{id}", "read_user", "One user"), .flags = EC_RT_EDITS, .param = &id_record,
     .reply = &user_record, .run = show, .errors = "404"},
    {ROUTE("DELETE", "/api/users/{id}", "delete_user", "Remove a user"), .flags = EC_RT_EDITS, .param = &id_record,
     .run = drop, .status = 204, .errors = "404,409"},
    {ROUTE("POST", "/api/users/{id}/reset-password", "reset_password", "Give a user another password; all sessions and API keys of the user end"),
     .param = &id_record, .body = &reset_record, .body_max = 8192, .run = reset, .status = 204, .errors = "404,409"},
    {ROUTE("GET", "/api/system/audit", "list_audit", "Who did what from where"), .flags = EC_RT_EVENTS,
     .topic = EC_AUDIT_TOPIC},
    {ROUTE("GET", "/api/system/audit/{id}", "read_audit", "One entry of the audit log"), .flags = EC_RT_EVENT,
     .param = &id_record, .topic = EC_AUDIT_TOPIC, .errors = "404"},
};
const uint32_t people_route_count = sizeof people_routes / sizeof *people_routes;
