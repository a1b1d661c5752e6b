/* How many users there are, and of which sort. */
#include "plugins/auth/plugin.h"

#include "plugins/auth/roles.h"

struct summary {
    struct ec_part part;
    uint64_t total, admin, standard, active, disabled, two_factor, role[ROLES];
};
#define COUNT(member, name, help) EC_FIELD(U64, 0, struct summary, member, name, "users", help)
static const struct ec_row rows[] = {
    COUNT(total, "total_users", "all of them"),
    COUNT(admin, "admin_users", "with the role admin"),
    COUNT(standard, "standard_users", "without it"),
    COUNT(active, "active_users", "who may log in"),
    COUNT(disabled, "disabled_users", "who may not"),
    COUNT(two_factor, "two_factor_users", "who log in with a code as well"),
    COUNT(role[0], "roles.admin", "with this role, whatever others they have"),
    COUNT(role[1], "roles.operator", "with this role"),
    COUNT(role[2], "roles.analyst", "with this role"),
    COUNT(role[3], "roles.viewer", "with this role"),
    COUNT(role[4], "roles.sensor", "with this role"),
};
static const struct ec_record record = EC_RECORD_PART(struct summary, rows);

static void count(const struct user *one, void *arg)
{
    struct summary *s = arg;

    s->total++;
    s->admin += (one->roles & ROLE_ADMIN) != 0;
    s->standard += !(one->roles & ROLE_ADMIN);
    s->active += one->active;
    s->disabled += !one->active;
    s->two_factor += one->two_factor;
    for (uint32_t i = 0; i < ROLES; i++)
        s->role[i] += one->roles >> i & 1;
}

static int32_t run(void *self, const void *state, struct ec_req *r)
{
    union {
        uint64_t align;
        uint8_t bytes[1024];
    } room = {.bytes = {0}};
    struct ec_build b = {.base = room.bytes, .cap = sizeof room};
    struct auth *a = self;
    struct summary *s;

    (void)state;
    ec_grow(&b, sizeof(struct ec_event));
    s = ec_add(&b, 0, sizeof *s);
    users_each(a->users, count, s);
    return a->http->reply(r, 200, &s->part);
}

const struct ec_route summary_routes[] = {
    {.size = sizeof(struct ec_route), .method = "GET", .path = "/api/users/summary", .opid = "summarize_users",
     .summary = "How many users there are, by role and state", .roles = "admin", .reply = &record, .run = run},
};
const uint32_t summary_route_count = sizeof summary_routes / sizeof *summary_routes;
