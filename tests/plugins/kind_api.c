/* kind_api.c: the kind 'API provider': one route, whose reply is a document that it keeps in the store. */
#define EC_API_LEVEL 1
#include <stdlib.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/store.h>

struct note { struct ec_part part; uint64_t visits; struct ec_span text; };
static const struct ec_row rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct note, visits, "visits", NULL, "how often it was read"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct note, text, "text", NULL, "what it says"),
};
static const struct ec_record record = EC_RECORD_PART(struct note, rows);
static const struct ec_kind kind = { sizeof kind, 1, "notes", &record, NULL };

struct api {
    const struct ec_host *host;
    const struct ec_http *http;
    const struct ec_store *store;
    void *http_self, *store_self;
    uint32_t kind;
    uint64_t note;
};

struct visit { struct api *api; struct ec_req *req; int32_t done; };

/* Reply with the document as it is in the store. */
static int32_t send_note(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    struct visit *v = arg;

    (void)id;
    (void)version;
    v->done = v->api->http->reply(v->req, 200, p);
    return 0;
}

static int32_t get_note(void *self, const void *state, struct ec_req *r)
{
    struct api *a = self;
    struct visit v = { a, r, EC_OK };

    (void)state;
    if (a->store->get(a->store_self, a->kind, a->note, send_note, &v) != EC_OK)
        return a->http->error(r, 404, "Not Found");
    return v.done;
}

static const struct ec_route route = {
    .size = sizeof route, .method = "GET", .path = "/api/test/note", .opid = "get_note", .summary = "the note",
    .roles = "admin,viewer", .reply = &record, .run = get_note };
static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_http), 0, EC_HTTP_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_store), 0, EC_STORE_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, 8, 0, "ec.nobody/1" } };

static int32_t api_create(const struct ec_host *h, void **self)
{
    struct api *a = *self = calloc(1, sizeof *a);

    return a ? (a->host = h, EC_OK) : EC_ENOMEM;
}

static int32_t api_setup(void *self)
{
    struct api *a = self;
    void *none;
    int32_t err;

    a->http = a->host->use(a->host, EC_HTTP_ID, &a->http_self);
    a->store = a->host->use(a->host, EC_STORE_ID, &a->store_self);
    if (a->host->use(a->host, "ec.nobody/1", &none))
        return a->host->fail(a->host, EC_EINVAL, "a service that nobody offers appeared");
    if ((err = a->store->kind(a->store_self, a->host, &kind, &a->kind)))
        return err;
    return a->http->route(a->http_self, a->host, &route, a);
}

static int32_t api_start(void *self, const void *state)
{
    struct api *a = self;
    union { struct note note; uint8_t room[256]; } u = { .room = { 0 } };
    static const char text[] = "kept in the store";

    (void)state;
    u.note.part.size = sizeof u.note;
    u.note.part.total = sizeof u;
    u.note.visits = 7;
    u.note.text.off = sizeof u.note;
    u.note.text.len = sizeof text - 1;
    for (unsigned i = 0; i < sizeof text - 1; i++)
        u.room[sizeof u.note + i] = (uint8_t)text[i];
    return a->store->put(a->store_self, a->kind, &a->note, 0, &u.note.part);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.api", "kind_api", "1", "one route", "MIT", NULL,
    3, sizeof uses[0], 0, 0, 0, 0, uses, NULL, NULL, NULL,
    api_create, api_setup, NULL, NULL, api_start, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
