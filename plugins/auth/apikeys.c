/* /api/auth/apikeys: the keys of the user who asks; and, for administrators, of another. */
#include "plugins/auth/person.h"
#include "plugins/auth/plugin.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "plugins/auth/roles.h"

#define DAY (UINT64_C(86400) * 1000000000)

struct make {
    struct ec_part part;
    struct ec_span name;
    struct ec_list roles;
    uint32_t days, pad;
};
enum { NAMES_ROLES };
static const struct ec_row make_rows[] = {
    {EC_T_TEXT, 0, 0, 0, (uint32_t)offsetof(struct make, name), "name", NULL, NULL, NULL, NULL, "what it is for", 1,
     (APIKEY_NAME - 1) / 4},
    {EC_T_ENUM, EC_R_OPT | EC_R_LIST, NAMES_ROLES, 0, (uint32_t)offsetof(struct make, roles), "roles", NULL, ROLE_WORDS,
     NULL, NULL, "what the key may do; absent: what its user may", 0, 0},
    {EC_T_U32, 0, 0, 0, (uint32_t)offsetof(struct make, days), "expires_in_days", NULL, NULL, "90", NULL,
     "0: never", 0, 3650},
};
static const struct ec_record make_record = EC_RECORD_PART(struct make, make_rows);

struct which {
    struct ec_part part;
    uint64_t id;
};
static const struct ec_row which_rows[] = {
    {EC_T_U64, 0, 0, 0, (uint32_t)offsetof(struct which, id), "id", NULL, NULL, NULL, NULL, "number of the key", 1,
     INT64_MAX},
};
static const struct ec_record which_record = EC_RECORD_PART(struct which, which_rows);

struct shown {
    uint64_t id, created, expires, used;
    struct ec_span name, address;
    struct ec_list roles;
};
struct made {
    struct ec_part part;
    struct shown v;
    struct ec_span key;
};
struct many {
    struct ec_part part;
    struct ec_list items;
    uint64_t total;
};
#define SHOWN_ROWS(T, at) \
    EC_FIELD(U64, 0, T, at(id), "id", NULL, "number of the key"), \
        EC_FIELD(TEXT, 0, T, at(name), "name", NULL, "what it is for"), \
        {EC_T_ENUM, EC_R_LIST, 0, 0, (uint32_t)offsetof(T, at(roles)), "roles", NULL, ROLE_WORDS, NULL, NULL, \
         "what it may do, as far as its user may", 0, 0}, \
        EC_FIELD(TIME, 0, T, at(created), "created_at", NULL, "when it was made"), \
        EC_FIELD(TIME, 0, T, at(expires), "expires_at", NULL, "when it ends; 1970 where it never does"), \
        EC_FIELD(TIME, 0, T, at(used), "used_at", NULL, "when it was used last; 1970 where it never was"), \
        EC_FIELD(TEXT, 0, T, at(address), "used_from", NULL, "from which address; empty where it never was")
#define ALONE(member)  member
#define INSIDE(member) v.member
static const struct ec_row shown_rows[] = {SHOWN_ROWS(struct shown, ALONE)};
static const struct ec_record shown_record = EC_RECORD_ELEMENT(struct shown, shown_rows);
static const struct ec_row made_rows[] = {
    SHOWN_ROWS(struct made, INSIDE),
    EC_FIELD(TEXT, 0, struct made, key, "key", NULL, "to be sent as X-API-Key; shown this once"),
};
static const struct ec_record made_record = EC_RECORD_PART(struct made, made_rows);
static const struct ec_row many_rows[] = {
    EC_FIELD_LIST(&shown_record, struct many, items, "items", "keys, by their numbers"),
    EC_FIELD(U64, 0, struct many, total, "total", NULL, "how many they are"),
};
static const struct ec_record many_record = EC_RECORD_PART(struct many, many_rows);

static void shown_fill(struct ec_build *b, struct shown *v, const struct apikey *one)
{
    uint32_t at = 0, *roles;

    v->id = one->id;
    v->created = one->created;
    v->expires = one->expires;
    v->used = one->used;
    v->address = ec_puts(b, one->address);
    v->name = ec_puts(b, one->name);
    roles = ec_rows(b, &v->roles, (uint32_t)__builtin_popcount(one->roles), sizeof *roles);
    for (uint32_t i = 0; roles && i < ROLES; i++)
        if (one->roles & (1u << i))
            roles[at++] = i;
}

static int32_t made_reply(struct auth *a, struct ec_req *r, const struct apikey *one, const char *text)
{
    union {
        uint64_t align;
        uint8_t bytes[1024];
    } room = {.bytes = {0}};
    struct ec_build b = {.base = room.bytes, .cap = sizeof room};
    struct made *reply;
    int32_t err;

    ec_grow(&b, sizeof(struct ec_event));
    reply = ec_add(&b, 0, sizeof *reply);
    shown_fill(&b, &reply->v, one);
    reply->key = ec_puts(&b, text);
    a->http->set_header(r, "Cache-Control", "no-store");
    err = a->http->reply(r, 201, &reply->part);
    OPENSSL_cleanse(&room, sizeof room);
    return err;
}

static uint32_t roles_wanted(const struct make *p, uint32_t own)
{
    uint32_t roles = 0;

    if (!(p->part.has >> NAMES_ROLES & 1))
        return own;
    for (uint32_t i = 0; i < p->roles.n; i++)
        roles |= 1u << *(const uint32_t *)(const void *)((const char *)p + p->roles.off + (size_t)i * p->roles.stride);
    return roles;
}

static void make_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct make *p = a->http->body(r);
    struct apikey one = {.created = a->host->now(a->host)};
    char text[APIKEY_TEXT], object[40], detail[APIKEY_NAME + 80], roles[64];
    struct user user;
    uint32_t len;
    const char *name = body_text(&p->part, p->name, &len);
    int32_t err;

    if (asker(a, r, &user))
        return;
    one.user = user.id;
    one.roles = roles_wanted(p, user.roles);
    one.expires = p->days ? one.created + p->days * DAY : 0;
    snprintf(one.name, sizeof one.name, "%.*s", (int)len, name);
    if (!one.roles || one.roles & ~user.roles) {
        a->http->invalid(r, "body.roles", "value_error", "A key has at least one role, and none that its user has not");
        return;
    }
    err = apikey_make(a->apikeys, &one, text);
    if (err == EC_ELIMIT) {
        a->http->error(r, 409, "There are 100 keys already; delete one");
    } else if (err) {
        a->http->error(r, 503, "The store cannot be written");
    } else {
        roles_print(one.roles, roles, sizeof roles);
        snprintf(object, sizeof object, "apikeys/%" PRIu64, one.id);
        snprintf(detail, sizeof detail, "%s: %s", one.name, roles);
        audit_say(a, r, "apikey.create", "success", NULL, object, detail);
        made_reply(a, r, &one, text);
    }
    OPENSSL_cleanse(text, sizeof text);
}

static bool is_of(const void *item, void *arg)
{
    return ((const struct apikey *)item)->user == ((const struct user *)arg)->id;
}

static int32_t list_of(struct auth *a, struct ec_req *r, struct user *user)
{
    struct ec_build b = {.cap = 4096 + APIKEYS_USER * 512};
    struct apikey *own = calloc(APIKEYS_USER, sizeof *own);
    struct shown *items;
    struct many *reply;
    int32_t err;

    b.base = calloc(1, b.cap);
    if (!own || !b.base) {
        err = a->http->error(r, 503, "Out of memory");
    } else {
        ec_grow(&b, sizeof(struct ec_event));
        reply = ec_add(&b, 0, sizeof *reply);
        reply->total = shelf_find(a->apikeys, is_of, user, 0, own, APIKEYS_USER);
        items = ec_rows(&b, &reply->items, (uint32_t)reply->total, sizeof *items);
        if (!items)                 /* an empty list is there all the same */
            reply->items.off = (uint32_t)sizeof(struct ec_part);
        for (uint32_t i = 0; items && i < reply->total; i++)
            shown_fill(&b, &items[i], &own[i]);
        err = a->http->reply(r, 200, &reply->part);
    }
    free(b.base);
    free(own);
    return err;
}

static int32_t list(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    struct user user;

    (void)state;
    return asker(a, r, &user) ? EC_OK : list_of(a, r, &user);
}

/* For an administrator who takes back an account. */
static int32_t list_others(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    const struct id_param *p = a->http->param(r);
    struct user user;
    int32_t err = users_get(a->users, p->id, &user);

    (void)state;
    if (err)
        user_failed(a, r, err);
    else
        list_of(a, r, &user);
    OPENSSL_cleanse(&user, sizeof user);
    return EC_OK;
}

/* One's own; an administrator's may be anybody's. */
static void drop_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct ec_who *who = a->http->who(r);
    const struct which *p = a->http->param(r);
    bool any = strstr(who->roles, "admin") && !(who->flags & EC_WHO_KEY);
    struct apikey one;
    char object[40];
    struct user user;
    int32_t err;

    if (!any && asker(a, r, &user))
        return;
    err = shelf_get(a->apikeys, p->id, &one) || (!any && one.user != user.id) ? EC_ENOENT
                                                                              : shelf_remove(a->apikeys, p->id);
    if (err == EC_ENOENT) {
        a->http->error(r, 404, "API key not found");
    } else if (err) {
        a->http->error(r, 503, "The store cannot be written");
    } else {
        snprintf(object, sizeof object, "apikeys/%" PRIu64, one.id);
        audit_say(a, r, "apikey.delete", "success", NULL, object, one.name);
        a->http->reply(r, 204, NULL);
    }
}

LATER(make, make_work)
LATER(drop, drop_work)

#define ROUTE(m, p, id, text) \
    .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .summary = text, .roles = "*"
const struct ec_route apikey_routes[] = {
    {ROUTE("GET", "/api/auth/apikeys", "list_api_keys", "The API keys of the user who asks"), .reply = &many_record,
     .run = list, .errors = "409"},
    {.size = sizeof(struct ec_route), .method = "GET", .path = "/api/users/{id}/apikeys", .opid = "list_user_api_keys",
     .summary = "A user's API keys", .roles = "admin", .param = &id_record, .reply = &many_record, .run = list_others,
     .errors = "404"},
    {ROUTE("POST", "/api/auth/apikeys", "create_api_key", "Make an API key for a program"), .body = &make_record,
     .reply = &made_record, .body_max = 8192, .run = make, .status = 201, .errors = "409"},
    {ROUTE("DELETE", "/api/auth/apikeys/{id}", "delete_api_key", "End one of them; an administrator, anybody's"),
     .param = &which_record, .run = drop, .status = 204, .errors = "404,409"},
};
const uint32_t apikey_route_count = sizeof apikey_routes / sizeof *apikey_routes;
