/* /api/users: what administrators do with users. */
#include "plugins/auth/plugin.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "plugins/auth/roles.h"

#define ROW(T, type, flags, bit, member, name, allow, def, least, most, help) \
    { (type), (flags), (bit), 0, (uint32_t)offsetof(T, member), (name), NULL, (allow), (def), NULL, (help), (least), \
      (most) }

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

struct id_param {
    struct ec_part part;
    uint64_t id;
};
static const struct ec_row id_rows[] = {
    ROW(struct id_param, EC_T_U64, 0, 0, id, "id", NULL, NULL, 1, INT64_MAX, "number of the user"),
};
static const struct ec_record id_record = EC_RECORD_PART(struct id_param, id_rows);

/* A new user, and what is changed of one. */
struct person {
    struct ec_part part;
    struct ec_span username, email, full_name, password, hash, totp;
    struct ec_list roles;
    uint8_t active, must_change, pad[6];
};
enum { HAS_EMAIL, HAS_FULL_NAME, HAS_ROLES, HAS_ACTIVE, HAS_PASSWORD, HAS_HASH, HAS_MUST_CHANGE, HAS_TOTP };
#define PERSON(type, flags, bit, member, name, allow, least, most, help) \
    ROW(struct person, type, flags, bit, member, name, allow, NULL, least, most, help)
#define SHARED_ROWS \
    PERSON(EC_T_TEXT, EC_R_OPT, HAS_EMAIL, email, "email", NULL, 0, USER_EMAIL - 1, "where to write to"), \
    PERSON(EC_T_TEXT, EC_R_OPT, HAS_FULL_NAME, full_name, "full_name", NULL, 0, USER_FULL - 1, "as people say it"), \
    PERSON(EC_T_ENUM, EC_R_OPT | EC_R_LIST, HAS_ROLES, roles, "roles", ROLE_WORDS, 0, 0, "what the user may do"), \
    PERSON(EC_T_BOOL, EC_R_OPT, HAS_ACTIVE, active, "is_active", NULL, 0, 0, "may log in")
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
static const struct ec_row edit_rows[] = {SHARED_ROWS};
static const struct ec_record edit_record = EC_RECORD_PART(struct person, edit_rows);

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

static bool has(const struct ec_part *p, uint32_t bit)
{
    return p->has >> bit & 1;
}

static int32_t failed(struct auth *a, struct ec_req *r, int32_t err)
{
    switch (err) {
    case EC_ENOENT:
        return a->http->error(r, 404, "User not found");
    case EC_EEXIST:
        return a->http->error(r, 409, "Username already taken");
    case EC_EPERM:
        return a->http->error(r, 409, "The last active administrator has to stay one");
    case EC_EAGAIN:
        return a->http->error(r, 409, "The user was changed by somebody else meanwhile; try again");
    case EC_ELIMIT:
        return a->http->error(r, 409, "There are 10000 users already");
    default:
        EC_LOG(a->host, EC_LOG_ERROR, "a user could not be written to the store (error %d)", err);
        return a->http->error(r, 503, "The store cannot be written");
    }
}

int32_t user_write(struct auth *a, struct ec_req *r, struct user *one)
{
    int32_t err = users_put(a->users, one, a->host->now(a->host));

    if (err)
        failed(a, r, err);
    return err;
}

int32_t password_set(struct auth *a, struct ec_req *r, struct user *one, const char *plain, uint32_t len,
                     const char *loc)
{
    const char *weak = password_weak(plain, len, one->name, a->password_min);

    if (weak) {
        a->http->invalid(r, loc, "value_error", weak);
        return EC_EINVAL;
    }
    if (password_hash(plain, len, one->hash, sizeof one->hash) || users_stamp(one)) {
        a->http->error(r, 500, "The password could not be hashed");
        return EC_ENOMEM;
    }
    one->once = ONCE_NOT;
    return EC_OK;
}

static const char *object_of(const struct user *one, char to[32])
{
    snprintf(to, 32, "users/%" PRIu64, one->id);
    return to;
}

static void text_take(const struct ec_part *p, struct ec_span s, char *to, size_t n)
{
    uint32_t len;
    const char *text = body_text(p, s, &len);

    snprintf(to, n, "%.*s", (int)len, text);
}

static uint32_t roles_take(const struct person *p)
{
    uint32_t roles = 0;

    for (uint32_t i = 0; i < p->roles.n; i++)
        roles |= 1u << *(const uint32_t *)(const void *)((const char *)p + p->roles.off + (size_t)i * p->roles.stride);
    return roles & ((1u << ROLES) - 1);
}

/* What stands in the body, into the user. */
static void person_apply(const struct person *p, struct user *one)
{
    if (has(&p->part, HAS_EMAIL))
        text_take(&p->part, p->email, one->email, sizeof one->email);
    if (has(&p->part, HAS_FULL_NAME))
        text_take(&p->part, p->full_name, one->full_name, sizeof one->full_name);
    if (has(&p->part, HAS_ROLES))
        one->roles = roles_take(p);
    if (has(&p->part, HAS_ACTIVE))
        one->active = p->active;
}

/* The password of a new user, or a hash that is brought along. 0; else a reply was sent. */
static int32_t secret_take(struct auth *a, struct ec_req *r, const struct person *p, struct user *one)
{
    uint32_t len;
    const char *plain;

    if (has(&p->part, HAS_PASSWORD)) {
        plain = body_text(&p->part, p->password, &len);
        return password_set(a, r, one, plain, len, "body.password");
    }
    if (!has(&p->part, HAS_HASH)) {
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

    if (!has(&p->part, HAS_TOTP))
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
        a->http->invalid(r, "body.username", "string_pattern_mismatch",
                         "String should match pattern '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$'");
        return;
    }
    person_apply(p, &one);
    if (has(&p->part, HAS_MUST_CHANGE))
        one.must_change = p->must_change;
    if (!secret_take(a, r, p, &one) && !totp_take(a, r, p, &one) && !user_write(a, r, &one)) {
        audit_say(a, r, "user.create", "success", NULL, object_of(&one, object), one.name);
        user_reply(a, r, 201, &one);
    }
    OPENSSL_cleanse(&one, sizeof one);
}

/* The user that the path names. 0; else a reply was sent. */
static int32_t named(struct auth *a, struct ec_req *r, struct user *one)
{
    const struct id_param *p = a->http->param(r);
    int32_t err = users_get(a->users, p->id, one);

    if (err)
        failed(a, r, err);
    return err;
}

static void edit_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct person *p = a->http->body(r);
    char object[32], before[64], after[64], detail[192];
    struct user one;
    uint64_t stamp;
    bool was;

    if (named(a, r, &one))
        return;
    roles_print(one.roles, before, sizeof before);
    was = one.active;
    stamp = one.stamp;
    person_apply(p, &one);
    roles_print(one.roles, after, sizeof after);
    if ((strcmp(before, after) || was != one.active) && users_stamp(&one)) {
        a->http->error(r, 500, "No randomness");
        return;
    }
    if (!user_write(a, r, &one)) {
        if (one.stamp != stamp)
            session_end_all(a->sessions, one.id, 0);
        snprintf(detail, sizeof detail, "roles %s -> %s, %s -> %s", before, after, was ? "active" : "disabled",
                 one.active ? "active" : "disabled");
        audit_say(a, r, "user.change", "success", NULL, object_of(&one, object), detail);
        user_reply(a, r, 200, &one);
    }
    OPENSSL_cleanse(&one, sizeof one);
}

/* What a user may change of himself. */
static const struct ec_row self_rows[] = {
    PERSON(EC_T_TEXT, EC_R_OPT, HAS_EMAIL, email, "email", NULL, 0, USER_EMAIL - 1, "where to write to"),
    PERSON(EC_T_TEXT, EC_R_OPT, HAS_FULL_NAME, full_name, "full_name", NULL, 0, USER_FULL - 1, "as people say it"),
};
static const struct ec_record self_record = EC_RECORD_PART(struct person, self_rows);

static void self_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct person *p = a->http->body(r);
    char object[32];
    struct user one;

    if (asker(a, r, &one))
        return;
    person_apply(p, &one);
    if (!user_write(a, r, &one)) {
        audit_say(a, r, "user.change", "success", NULL, object_of(&one, object), "by the user");
        user_reply(a, r, 200, &one);
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
        failed(a, r, err);
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
    one.must_change = has(&p->part, 0) && p->must_change;
    if (has(&p->part, 1) && p->disable)
        second_end(&one);
    err = password_set(a, r, &one, plain, len, "body.password");
    one.once = one.must_change ? ONCE_UNUSED : ONCE_NOT;
    if (!err && !user_write(a, r, &one)) {
        backoff_good(a->accounts, one.name);
        first_done(a, &one);
        session_end_all(a->sessions, one.id, 0);
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
    if (has(&p->part, 0)) {
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
    err = user_reply(a, r, 200, &one);
    OPENSSL_cleanse(&one, sizeof one);
    return err;
}

LATER(create, create_work)
LATER(edit, edit_work)
LATER(edit_self, self_work)
LATER(drop, remove_work)
LATER(reset, reset_work)

#define ROUTE(m, p, id, text) \
    .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .summary = text, .roles = "admin"
const struct ec_route people_routes[] = {
    {ROUTE("GET", "/api/users", "list_users", "The users"), .param = &page_record, .reply = &users_record, .run = page},
    {ROUTE("POST", "/api/users", "create_user", "Make a user"), .body = &create_record, .reply = &user_record,
     .body_max = 8192, .run = create, .status = 201, .errors = "409"},
    {ROUTE("GET", "/api/users/{id}", "read_user", "One user"), .param = &id_record, .reply = &user_record, .run = show,
     .errors = "404"},
    {ROUTE("PATCH", "/api/users/{id}", "change_user", "Change a user; new roles, or disabling, end older tokens"),
     .param = &id_record, .body = &edit_record, .reply = &user_record, .body_max = 8192, .run = edit,
     .errors = "404,409"},
    {ROUTE("DELETE", "/api/users/{id}", "delete_user", "Remove a user"), .param = &id_record, .run = drop,
     .status = 204, .errors = "404,409"},
    {ROUTE("POST", "/api/users/{id}/reset-password", "reset_password", "Give a user another password"),
     .param = &id_record, .body = &reset_record, .body_max = 8192, .run = reset, .status = 204, .errors = "404,409"},
    {.size = sizeof(struct ec_route), .method = "PATCH", .path = "/api/auth/me", .opid = "change_me",
     .summary = "Change the user who asks", .roles = "*", .body = &self_record, .reply = &user_record, .body_max = 8192,
     .run = edit_self, .errors = "409"},
    {ROUTE("GET", "/api/system/audit", "list_audit", "Who did what from where"), .flags = EC_RT_EVENTS,
     .topic = EC_AUDIT_TOPIC},
    {ROUTE("GET", "/api/system/audit/{id}", "read_audit", "One entry of the audit log"), .flags = EC_RT_EVENT,
     .param = &id_record, .topic = EC_AUDIT_TOPIC, .errors = "404"},
};
const uint32_t people_route_count = sizeof people_routes / sizeof *people_routes;
