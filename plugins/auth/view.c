/* Users as they are shown: without the hash of their password. */
#include "plugins/auth/plugin.h"

#include <inttypes.h>
#include <stdlib.h>

#include "plugins/auth/roles.h"

struct view {
    uint64_t id, created, updated;
    struct ec_span name, email, full_name;
    struct ec_list roles;
    uint8_t active, superuser, must_change, two_factor, pad[4];
};
struct one {
    struct ec_part part;
    struct view v;
};
struct many {
    struct ec_part part;
    struct ec_list items;
    uint64_t total;
    struct ec_span next;
};

#define VIEW_ROWS(T, at) { \
        EC_FIELD(U64, 0, T, at(id), "id", NULL, "number of the user"), \
        EC_FIELD(TEXT, 0, T, at(name), "username", NULL, "unique, in small letters"), \
        EC_FIELD(TEXT, 0, T, at(email), "email", NULL, "where to write to"), \
        EC_FIELD(TEXT, 0, T, at(full_name), "full_name", NULL, "as people say it"), \
        {EC_T_ENUM, EC_R_LIST, 0, 0, (uint32_t)offsetof(T, at(roles)), "roles", NULL, ROLE_WORDS, NULL, NULL, \
         "what the user may do", 0, 0}, \
        EC_FIELD(BOOL, 0, T, at(active), "is_active", NULL, "may log in"), \
        EC_FIELD(BOOL, 0, T, at(superuser), "is_superuser", NULL, "has the role admin"), \
        EC_FIELD(BOOL, 0, T, at(must_change), "must_change", NULL, "the password was given by somebody else"), \
        EC_FIELD(BOOL, 0, T, at(two_factor), "is_two_factor_enabled", NULL, "logs in with a code as well"), \
        EC_FIELD(TIME, 0, T, at(created), "created_at", NULL, "when the user was made"), \
        EC_FIELD(TIME, 0, T, at(updated), "updated_at", NULL, "when the user was last changed"), \
    }
#define ALONE(member)  member
#define INSIDE(member) v.member
static const struct ec_row view_rows[] = VIEW_ROWS(struct view, ALONE);
static const struct ec_record view_record = EC_RECORD_ELEMENT(struct view, view_rows);
static const struct ec_row one_rows[] = VIEW_ROWS(struct one, INSIDE);
const struct ec_record user_record = EC_RECORD_PART(struct one, one_rows);
static const struct ec_row many_rows[] = {
    EC_FIELD_LIST(&view_record, struct many, items, "items", "users, by their numbers"),
    EC_FIELD(U64, 0, struct many, total, "total", NULL, "how many users there are"),
    EC_FIELD(TEXT, 0, struct many, next, "next_cursor", NULL, "of the next page; absent at the end"),
};
const struct ec_record users_record = EC_RECORD_PART(struct many, many_rows);

static void view_fill(struct ec_build *b, struct view *v, const struct user *one)
{
    uint32_t n = (uint32_t)__builtin_popcount(one->roles), at = 0, *roles;

    v->id = one->id;
    v->created = one->created;
    v->updated = one->updated;
    v->name = ec_puts(b, one->name);
    v->email = ec_puts(b, one->email);
    v->full_name = ec_puts(b, one->full_name);
    roles = ec_rows(b, &v->roles, n, sizeof *roles);
    for (uint32_t i = 0; roles && i < ROLES; i++)
        if (one->roles & (1u << i))
            roles[at++] = i;
    v->active = one->active;
    v->superuser = (one->roles & ROLE_ADMIN) != 0;
    v->must_change = one->must_change;
    v->two_factor = one->two_factor;
}

int32_t user_reply(struct auth *a, struct ec_req *r, uint32_t status, const struct user *one)
{
    union {
        uint64_t align;
        uint8_t bytes[2048];
    } room = {.bytes = {0}};
    struct ec_build b = {.base = room.bytes, .cap = sizeof room};
    struct one *reply;

    ec_grow(&b, sizeof(struct ec_event));
    reply = ec_add(&b, 0, sizeof *reply);
    view_fill(&b, &reply->v, one);
    return a->http->reply(r, status, &reply->part);
}

int32_t users_reply(struct auth *a, struct ec_req *r, const struct user *list, uint32_t n, bool more)
{
    struct ec_build b = {.cap = 4096 + n * 1024};
    struct view *items;
    struct many *reply;
    char next[24];
    int32_t err;

    b.base = calloc(1, b.cap);
    if (!b.base)
        return a->http->error(r, 503, "Out of memory");
    ec_grow(&b, sizeof(struct ec_event));
    reply = ec_add(&b, 0, sizeof *reply);
    reply->total = users_count(a->users);
    items = ec_rows(&b, &reply->items, n, sizeof *items);
    if (!items)                     /* an empty list is there all the same */
        reply->items.off = (uint32_t)sizeof(struct ec_part);
    for (uint32_t i = 0; items && i < n; i++)
        view_fill(&b, &items[i], &list[i]);
    if (more) {
        snprintf(next, sizeof next, "%" PRIu64, list[n - 1].id);
        reply->next = ec_puts(&b, next);
    }
    err = a->http->reply(r, 200, &reply->part);
    free(b.base);
    return err;
}
