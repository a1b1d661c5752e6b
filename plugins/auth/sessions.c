/* Sessions: shown to their user and to administrators, and ended. */
#include "plugins/auth/plugin.h"

#include <inttypes.h>
#include <stdlib.h>

struct session_param {
    struct ec_part part;
    uint64_t id;
};
#define ID_ROWS(help) \
    { { EC_T_U64, 0, 0, 0, (uint32_t)offsetof(struct session_param, id), "id", NULL, NULL, NULL, NULL, (help), 1, \
        INT64_MAX } }
static const struct ec_row session_rows[] = ID_ROWS("number of the session");
static const struct ec_row owner_rows[] = ID_ROWS("number of the user");
static const struct ec_record session_record = EC_RECORD_PART(struct session_param, session_rows);
static const struct ec_record owner_record = EC_RECORD_PART(struct session_param, owner_rows);

struct shown {
    uint64_t id, created, used, expires;
    struct ec_span address, agent;
    uint8_t current, pad[7];
};
static const struct ec_row shown_rows[] = {
    EC_FIELD(U64, 0, struct shown, id, "id", NULL, "number of the session"),
    EC_FIELD(TIME, 0, struct shown, created, "created_at", NULL, "when it began, with a log-in"),
    EC_FIELD(TIME, 0, struct shown, used, "used_at", NULL, "when a token was made of it last"),
    EC_FIELD(TIME, 0, struct shown, expires, "expires_at", NULL, "when it ends by itself"),
    EC_FIELD(TEXT, 0, struct shown, address, "address", NULL, "from where a token was made of it last"),
    EC_FIELD(TEXT, 0, struct shown, agent, "user_agent", NULL, "and by which program"),
    EC_FIELD(BOOL, 0, struct shown, current, "is_current", NULL, "the token that asks is of it"),
};
static const struct ec_record shown_record = EC_RECORD_ELEMENT(struct shown, shown_rows);
struct many {
    struct ec_part part;
    struct ec_list items;
    uint64_t total;
};
static const struct ec_row many_rows[] = {
    EC_FIELD_LIST(&shown_record, struct many, items, "items", "sessions that go on, by their numbers"),
    EC_FIELD(U64, 0, struct many, total, "total", NULL, "how many they are"),
};
static const struct ec_record many_record = EC_RECORD_PART(struct many, many_rows);

struct wanted {
    uint64_t user, stamp, now;
};

static bool is_wanted(const void *item, void *arg)
{
    const struct session *one = item;
    const struct wanted *w = arg;

    return one->user == w->user && one->stamp == w->stamp && one->expires > w->now;
}

static int32_t list_reply(struct auth *a, struct ec_req *r, const struct session *list, uint32_t n)
{
    struct ec_build b = {.cap = 4096 + n * 512};
    uint64_t current = a->http->who(r)->session;
    struct shown *items;
    struct many *reply;
    int32_t err;

    b.base = calloc(1, b.cap);
    if (!b.base)
        return a->http->error(r, 503, "Out of memory");
    ec_grow(&b, sizeof(struct ec_event));
    reply = ec_add(&b, 0, sizeof *reply);
    reply->total = n;
    items = ec_rows(&b, &reply->items, n, sizeof *items);
    if (!items)                     /* an empty list is there all the same */
        reply->items.off = (uint32_t)sizeof(struct ec_part);
    for (uint32_t i = 0; items && i < n; i++) {
        items[i] = (struct shown){.id = list[i].id, .created = list[i].created, .used = list[i].used,
                                  .expires = list[i].expires, .current = list[i].id == current};
        items[i].address = ec_puts(&b, list[i].address);
        items[i].agent = ec_puts(&b, list[i].agent);
    }
    err = a->http->reply(r, 200, &reply->part);
    free(b.base);
    return err;
}

static int32_t list_of(struct auth *a, struct ec_req *r, const struct user *one)
{
    struct wanted w = {one->id, one->stamp, a->host->now(a->host)};
    struct session *list = calloc(SESSIONS_USER, sizeof *list);
    int32_t err;

    if (!list)
        return a->http->error(r, 503, "Out of memory");
    err = list_reply(a, r, list, shelf_find(a->sessions, is_wanted, &w, 0, list, SESSIONS_USER));
    free(list);
    return err;
}

static int32_t mine(void *self, const void *state, struct ec_req *r)
{
    struct user one;

    (void)state;
    return asker(self, r, &one) ? EC_OK : list_of(self, r, &one);
}

static int32_t theirs(void *self, const void *state, struct ec_req *r)
{
    struct auth *a = self;
    const struct session_param *p = a->http->param(r);
    struct user one;

    (void)state;
    return users_get(a->users, p->id, &one) ? a->http->error(r, 404, "User not found") : list_of(a, r, &one);
}

static void end_mine_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct session_param *p = a->http->param(r);
    struct session session;
    char object[40];
    struct user one;
    int32_t err;

    if (asker(a, r, &one))
        return;
    err = shelf_get(a->sessions, p->id, &session) || session.user != one.id ? EC_ENOENT
                                                                            : shelf_remove(a->sessions, session.id);
    if (err == EC_ENOENT) {
        a->http->error(r, 404, "Session not found");
    } else if (err) {
        a->http->error(r, 503, "The store cannot be written");
    } else {
        snprintf(object, sizeof object, "sessions/%" PRIu64, session.id);
        audit_say(a, r, "session.end", "success", NULL, object, NULL);
        a->http->reply(r, 204, NULL);
    }
}

static void end_theirs_work(struct ec_req *r, void *arg)
{
    struct auth *a = arg;
    const struct session_param *p = a->http->param(r);
    char object[40], detail[64];
    struct user one;

    if (users_get(a->users, p->id, &one)) {
        a->http->error(r, 404, "User not found");
        return;
    }
    snprintf(detail, sizeof detail, "%u sessions", session_end_all(a->sessions, one.id, 0));
    snprintf(object, sizeof object, "users/%" PRIu64, one.id);
    audit_say(a, r, "session.end", "success", NULL, object, detail);
    a->http->reply(r, 204, NULL);
}

LATER(end_mine, end_mine_work)
LATER(end_theirs, end_theirs_work)

#define ROUTE(m, p, id, text, who) \
    .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .summary = text, .roles = who
const struct ec_route session_routes[] = {
    {ROUTE("GET", "/api/auth/sessions", "list_my_sessions", "The sessions of the user who asks", "*"),
     .reply = &many_record, .run = mine, .errors = "409"},
    {ROUTE("DELETE", "/api/auth/sessions/{id}", "end_my_session", "End one of them", "*"), .param = &session_record,
     .run = end_mine, .status = 204, .errors = "404,409"},
    {ROUTE("GET", "/api/users/{id}/sessions", "list_sessions", "The sessions of a user", "admin"),
     .param = &owner_record, .reply = &many_record, .run = theirs, .errors = "404"},
    {ROUTE("DELETE", "/api/users/{id}/sessions", "end_sessions", "End all sessions of a user", "admin"),
     .param = &owner_record, .run = end_theirs, .status = 204, .errors = "404"},
};
const uint32_t session_route_count = sizeof session_routes / sizeof *session_routes;
