/* Making an account oneself, as far as auth.registration lets. */
#include "plugins/auth/person.h"

#include <openssl/crypto.h>

static const struct ec_row rows[] = {
    PERSON(EC_T_TEXT, 0, 0, username, "username", NULL, 1, USER_NAME - 1, "letters, digits and . _ @ -"),
    PERSON(EC_T_TEXT, 0, 0, email, "email", NULL, 3, USER_EMAIL - 1, "where to write to"),
    FULL_NAME_ROW,
    PERSON(EC_T_TEXT, EC_R_SECRET, 0, password, "password", NULL, 1, PASSWORD_MAX, "to log in with"),
};
static const struct ec_record record = EC_RECORD_PART(struct person, rows);

/* The name and the address. 0; else a reply was sent. */
static int32_t take(struct auth *a, struct ec_req *r, const struct person *p, struct user *one)
{
    uint32_t len;
    const char *name = body_text(&p->part, p->username, &len), *email;

    if (user_name(name, len, one->name)) {
        bad_name(a, r);
        return EC_EINVAL;
    }
    email = body_text(&p->part, p->email, &len);
    if (!user_email(email, len)) {
        a->http->invalid(r, "body.email", "value_error", "It is no e-mail address, name@host");
        return EC_EINVAL;
    }
    text_take(&p->part, p->email, one->email, sizeof one->email);
    if (part_has(&p->part, HAS_FULL_NAME))
        text_take(&p->part, p->full_name, one->full_name, sizeof one->full_name);
    return EC_OK;
}

static void register_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct person *p = a->http->body(r);
    struct user one = {.roles = ROLE_VIEWER, .active = a->registration == REGISTRATION_OPEN};
    uint32_t len;
    const char *plain = body_text(&p->part, p->password, &len);
    char object[32];
    int32_t err;

    if (!take(a, r, p, &one) && !password_set(a, r, &one, plain, len, "body.password")) {
        err = users_put(a->users, &one, a->host->now(a->host));
        if (err == EC_EEXIST || err == USERS_EMAIL) {
            a->http->error(r, 400, err == USERS_EMAIL ? "Email already registered" : "Username already taken");
        } else if (err) {
            user_failed(a, r, err);
        } else {
            audit_say(a, r, "user.register", "success", one.name, object_of(&one, object),
                      one.active ? "active at once" : "waits for an administrator");
            user_reply(a, r, 201, &one);
        }
    }
    OPENSSL_cleanse(&one, sizeof one);
    guess_done(a);
}

static int32_t run(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;

    (void)state;
    if (a->registration == REGISTRATION_CLOSED)
        return a->http->error(r, 403, "Registration is closed; an administrator makes accounts");
    return guess_visit(a, r) ? EC_OK : hash_later(a, r, register_work);
}

const struct ec_route register_routes[] = {
    {.size = sizeof(struct ec_route), .method = "POST", .path = "/api/auth/register", .opid = "register_user",
     .summary = "Make an account with the role viewer, where auth.registration lets", .roles = "", .body = &record,
     .reply = &user_record, .body_max = 8192, .run = run, .status = 201, .errors = "400,403,409,429"},
};
const uint32_t register_route_count = sizeof register_routes / sizeof *register_routes;
