/* Changing a user: by an administrator, and what users may change of themselves. */
#include "plugins/auth/person.h"

#include <inttypes.h>
#include <openssl/crypto.h>

#define DIFFERENCE 1024 /* bytes of what the audit log says of a change */

static const struct ec_row id_rows[] = {
    ROW(struct id_param, EC_T_U64, 0, 0, id, "id", NULL, NULL, 1, INT64_MAX, "number of the user"),
};
const struct ec_record id_record = EC_RECORD_PART(struct id_param, id_rows);

static const struct ec_row edit_rows[] = {SHARED_ROWS};
static const struct ec_record edit_record = EC_RECORD_PART(struct person, edit_rows);
static const struct ec_row put_rows[] = {
    SHARED_ROWS,
    PERSON(EC_T_TEXT, EC_R_OPT | EC_R_SECRET, HAS_PASSWORD, password, "password", NULL, 1, PASSWORD_MAX,
           "another one; all sessions of the user end"),
};
static const struct ec_record put_record = EC_RECORD_PART(struct person, put_rows);
static const struct ec_row roles_rows[] = {
    PERSON(EC_T_ENUM, EC_R_OPT | EC_R_LIST, HAS_ROLES, roles, "roles", ROLE_WORDS, 0, 0,
           "all that the user is to have; it has to be said"),
};
static const struct ec_record roles_record = EC_RECORD_PART(struct person, roles_rows);
static const struct ec_row self_rows[] = {EMAIL_ROW, FULL_NAME_ROW};
static const struct ec_record self_record = EC_RECORD_PART(struct person, self_rows);

const char *object_of(const struct user *one, char to[32])
{
    snprintf(to, 32, "users/%" PRIu64, one->id);
    return to;
}

void text_take(const struct ec_part *p, struct ec_span s, char *to, size_t n)
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

int32_t bad_name(struct auth *a, struct ec_req *r)
{
    return a->http->invalid(r, "body.username", "string_pattern_mismatch",
                            "String should match pattern '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$'");
}

int32_t person_apply(struct auth *a, struct ec_req *r, const struct person *p, struct user *one)
{
    uint32_t len;
    const char *email = body_text(&p->part, p->email, &len);

    if (part_has(&p->part, HAS_EMAIL)) {
        if (len && !user_email(email, len)) {
            a->http->invalid(r, "body.email", "value_error", "It is no e-mail address, name@host");
            return EC_EINVAL;
        }
        text_take(&p->part, p->email, one->email, sizeof one->email);
    }
    if (part_has(&p->part, HAS_FULL_NAME))
        text_take(&p->part, p->full_name, one->full_name, sizeof one->full_name);
    if (part_has(&p->part, HAS_ROLES))
        one->roles = roles_take(p);
    if (part_has(&p->part, HAS_ACTIVE))
        one->active = p->active;
    return EC_OK;
}

int32_t named(struct auth *a, struct ec_req *r, struct user *one)
{
    const struct id_param *p = a->http->param(r);
    int32_t err = users_get(a->users, p->id, one);

    if (err)
        return user_failed(a, r, err);
    err = a->http->match(r, one->version);
    if (err)
        OPENSSL_cleanse(one, sizeof *one);
    return err;
}

__attribute__((format(printf, 2, 3)))
static void say(char *to, const char *format, ...)
{
    size_t at = strlen(to);
    va_list ap;

    va_start(ap, format);
    if (at && at + 2 < DIFFERENCE) {
        memcpy(to + at, ", ", 3);
        at += 2;
    }
    vsnprintf(to + at, DIFFERENCE - at, format, ap);
    va_end(ap);
}

/* What is another one now, before and after; "" where nothing is. */
static void difference(const struct user *was, const struct user *one, char to[DIFFERENCE])
{
    char before[64], after[64];

    *to = '\0';
    roles_print(was->roles, before, sizeof before);
    roles_print(one->roles, after, sizeof after);
    if (was->roles != one->roles)
        say(to, "roles %s -> %s", *before ? before : "none", *after ? after : "none");
    if (was->active != one->active)
        say(to, "%s", one->active ? "disabled -> active" : "active -> disabled");
    if (strcmp(was->email, one->email))
        say(to, "email '%s' -> '%s'", was->email, one->email);
    if (strcmp(was->full_name, one->full_name))
        say(to, "full name '%s' -> '%s'", was->full_name, one->full_name);
    if (strcmp(was->hash, one->hash))
        say(to, "another password");
    if (!*to)
        say(to, "nothing");
}

/* Write what was changed, end what it ends, and reply. */
static void save(struct auth *a, struct ec_req *r, const struct user *was, struct user *one)
{
    char object[32], detail[DIFFERENCE];

    if ((one->roles != was->roles || one->active != was->active) && users_stamp(one)) {
        a->http->error(r, 500, "No randomness");
        return;
    }
    if (user_write(a, r, one))
        return;
    if (one->stamp != was->stamp)
        session_end_all(a->sessions, one->id, 0);
    if (strcmp(was->hash, one->hash)) {
        backoff_good(a->accounts, one->name);
        first_done(a, one);
    }
    difference(was, one, detail);
    audit_say(a, r, "user.change", "success", NULL, object_of(one, object), detail);
    a->http->etag(r, one->version);
    user_reply(a, r, 200, one);
}

static void edit_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct person *p = a->http->body(r);
    struct user one, was;
    uint32_t len;
    const char *plain;
    int32_t err;

    if (named(a, r, &one))
        return;
    was = one;
    err = person_apply(a, r, p, &one);
    if (!err && part_has(&p->part, HAS_PASSWORD)) {
        plain = body_text(&p->part, p->password, &len);
        one.must_change = false;
        err = password_set(a, r, &one, plain, len, "body.password");
    }
    if (!err)
        save(a, r, &was, &one);
    OPENSSL_cleanse(&one, sizeof one);
    OPENSSL_cleanse(&was, sizeof was);
}

static void roles_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct person *p = a->http->body(r);
    struct user one, was;

    /* a list that is absent would be an empty one, and take all roles away */
    if (!part_has(&p->part, HAS_ROLES)) {
        a->http->invalid(r, "body.roles", "missing", "Field required");
        return;
    }
    if (named(a, r, &one))
        return;
    was = one;
    one.roles = roles_take(p);
    save(a, r, &was, &one);
    OPENSSL_cleanse(&one, sizeof one);
    OPENSSL_cleanse(&was, sizeof was);
}

static void disable_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    struct user one, was;

    if (named(a, r, &one))
        return;
    was = one;
    one.active = false;
    save(a, r, &was, &one);
    OPENSSL_cleanse(&one, sizeof one);
    OPENSSL_cleanse(&was, sizeof was);
}

static void self_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    struct user one, was;

    if (asker(a, r, &one))
        return;
    was = one;
    if (!a->http->match(r, one.version) && !person_apply(a, r, a->http->body(r), &one))
        save(a, r, &was, &one);
    OPENSSL_cleanse(&one, sizeof one);
    OPENSSL_cleanse(&was, sizeof was);
}

LATER(edit, edit_work)
LATER(edit_roles, roles_work)
LATER(disable, disable_work)
LATER(edit_self, self_work)

#define ROUTE(m, p, id, text) \
    .size = sizeof(struct ec_route), .flags = EC_RT_EDITS, .method = m, .path = p, .opid = id, .summary = text, \
    .reply = &user_record
#define ADMIN .roles = "admin", .param = &id_record, .errors = "404,409"
const struct ec_route edit_routes[] = {
    {ROUTE("PATCH", "/api/users/{id}", "change_user", "Change a user; new roles, or disabling, end older tokens"),
     ADMIN, .body = &edit_record, .body_max = 8192, .run = edit},
    {ROUTE("PUT", "/api/users/{id}", "put_user", "Change a user and the password; what is not said stays as it is"),
     ADMIN, .body = &put_record, .body_max = 8192, .run = edit},
    {ROUTE("PUT", "/api/users/{id}/roles", "put_user_roles", "Give a user these roles in place of the others"), ADMIN,
     .body = &roles_record, .body_max = 8192, .run = edit_roles},
    {ROUTE("POST", "/api/users/{id}/disable", "disable_user", "Let a user log in no more; sessions and keys end"),
     ADMIN, .run = disable},
    {ROUTE("PATCH", "/api/auth/me", "change_me", "Change the user who asks"), .roles = "*", .body = &self_record,
     .body_max = 8192, .run = edit_self, .errors = "409"},
};
const uint32_t edit_route_count = sizeof edit_routes / sizeof *edit_routes;
