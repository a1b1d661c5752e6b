/* jobs: long work that people ask for, one list of all plugins. */
#include "plugins/jobs/table.h"
#include "plugins/jobs/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS "admin,operator,analyst,viewer"
#define KEEPERS "admin,operator"
#define PAGE_MOST 200

struct jobs {
    const struct ec_host *host;
    const struct ec_http *http;
    struct table *table;
};
struct state { uint32_t keep, most; };

static const struct ec_row option_rows[] = {
    EC_OPTION(U32, 0, "keep", "200", 1, TABLE_KEEP_MAX, "jobs", "in the list; the oldest that is over leaves it"),
    EC_OPTION(U32, 0, "most", "64", 1, TABLE_KEEP_MAX, "jobs", "that may wait or run at once"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

#define ROW(T, flags, has, type, member, name, allow, def, unit, help, min, max) \
    { EC_T_##T, (flags), (has), 0, (uint32_t)offsetof(type, member), (name), NULL, (allow), (def), (unit), (help), \
      (min), (max) }
struct list_param { struct ec_part part; struct ec_span cursor, kind; uint32_t limit, state; };
enum { ASK_CURSOR, ASK_KIND, ASK_STATE };
static const struct ec_row list_rows[] = {
    ROW(U32, 0, 0, struct list_param, limit, "limit", NULL, "50", "jobs", "at most so many", 1, PAGE_MOST),
    ROW(TEXT, EC_R_OPT, ASK_CURSOR, struct list_param, cursor, "cursor", NULL, NULL, NULL,
        "next_cursor of the page before", 1, 20),
    ROW(ENUM, EC_R_OPT, ASK_STATE, struct list_param, state, "state", JOB_WORDS, NULL, NULL, "only those", 0, 0),
    ROW(TEXT, EC_R_OPT, ASK_KIND, struct list_param, kind, "kind", NULL, NULL, NULL, "only of this kind", 1, 32),
};
static const struct ec_record list_param = EC_RECORD_PART(struct list_param, list_rows);
struct id_param { struct ec_part part; uint64_t id; };
static const struct ec_row id_rows[] = {
    ROW(U64, 0, 0, struct id_param, id, "id", NULL, NULL, NULL, "id of a job", 0, 0) };
static const struct ec_record id_param = EC_RECORD_PART(struct id_param, id_rows);

static const char none[] = "there is no such job: it was never there, or left the list, or ended with an earlier run";

/* NUL-terminated; "" where it is absent. */
static const char *text_of(const struct ec_part *p, struct ec_span s, char *to, size_t n)
{
    size_t len = s.off ? s.len < n - 1 ? s.len : n - 1 : 0;

    memcpy(to, len ? (const char *)ec_bytes(p, s) : "", len);
    to[len] = '\0';
    return to;
}

static int32_t send_json(const struct jobs *k, struct ec_req *r, uint32_t status, char *json)
{
    int32_t err = json ? k->http->json(r, status, json, strlen(json)) : k->http->error(r, 503, "out of memory");

    free(json);
    return err;
}

static int32_t send_one(const struct jobs *k, struct ec_req *r, uint32_t status, uint64_t id)
{
    struct job *j = malloc(sizeof *j);
    int32_t err;

    if (!j || !table_get(k->table, id, j))
        err = k->http->error(r, j ? 404 : 503, j ? none : "out of memory");
    else
        err = send_json(k, r, status, view_one(j));
    free(j);
    return err;
}

static int32_t get_list(void *self, const void *state, struct ec_req *r)
{
    struct jobs *k = self;
    const struct list_param *p = k->http->param(r);
    char cursor[24], kind[33], *end;
    struct job *all = calloc(p->limit, sizeof *all);
    uint64_t before;
    bool more;
    uint32_t n;

    (void)state;
    if (!all)
        return k->http->error(r, 503, "out of memory");
    text_of(&p->part, p->cursor, cursor, sizeof cursor);
    before = strtoull(cursor, &end, 10);
    if (p->cursor.off && (*end || end == cursor || !before || cursor[0] < '0' || cursor[0] > '9')) {
        free(all);
        return k->http->invalid(r, "query.cursor", "value_error", "it is no next_cursor of a page of jobs");
    }
    text_of(&p->part, p->kind, kind, sizeof kind);
    n = table_list(k->table, before, p->part.has >> ASK_STATE & 1 ? 1u << p->state : 0, kind[0] ? kind : NULL, p->limit,
                   all, &more);
    send_json(k, r, 200, view_list(all, n, more));
    free(all);
    return EC_OK;
}

static int32_t get_one(void *self, const void *state, struct ec_req *r)
{
    struct jobs *k = self;

    (void)state;
    return send_one(k, r, 200, ((const struct id_param *)k->http->param(r))->id);
}

static void audit(const struct jobs *k, struct ec_req *r, const char *action, uint64_t id, const char *why)
{
    char object[48];

    snprintf(object, sizeof object, "system/jobs/%" PRIu64, id);
    k->http->audit(r, action, why ? "failure" : "success", object, why);
}

static int32_t post_cancel(void *self, const void *state, struct ec_req *r)
{
    struct jobs *k = self;
    uint64_t id = ((const struct id_param *)k->http->param(r))->id;
    int32_t err = table_cancel(k->table, id);
    const char *why = err == EC_ENOENT ? none : err ? "it is over already" : NULL;

    (void)state;
    audit(k, r, "job.cancel", id, why);
    return why ? k->http->error(r, err == EC_ENOENT ? 404 : 409, why) : send_one(k, r, 200, id);
}

static int32_t delete_one(void *self, const void *state, struct ec_req *r)
{
    struct jobs *k = self;
    uint64_t id = ((const struct id_param *)k->http->param(r))->id;
    int32_t err = table_remove(k->table, id);
    const char *why = err == EC_ENOENT ? none : err ? "it is not over: cancel it first" : NULL;

    (void)state;
    audit(k, r, "job.delete", id, why);
    return why ? k->http->error(r, err == EC_ENOENT ? 404 : 409, why) : k->http->reply(r, 204, NULL);
}

#define ROUTE(m, p, id, what, who, pa, sc, fn, st, er) \
    { .size = sizeof(struct ec_route), .method = (m), .path = "/api/system/jobs" p, .opid = (id), .summary = (what), \
      .roles = (who), .param = (pa), .schema = (sc), .run = (fn), .status = (st), .errors = (er) }
static const struct ec_route routes[] = {
    ROUTE("GET", "", "list_jobs", "Long work, the newest first", READERS, &list_param, view_list_schema, get_list, 0,
          NULL),
    ROUTE("GET", "/{id}", "get_job", "How far a job is, and what came of it", READERS, &id_param, view_one_schema,
          get_one, 0, "404"),
    ROUTE("POST", "/{id}/cancel", "cancel_job", "End a job that waits or runs", KEEPERS, &id_param, view_one_schema,
          post_cancel, 0, "404,409"),
    ROUTE("DELETE", "/{id}", "delete_job", "Forget a job that is over, and what it left", KEEPERS, &id_param, NULL,
          delete_one, 204, "404,409"),
};

/* --- the service -------------------------------------------------------------------------------------------------- */

static int32_t job_create(void *self, const struct ec_job *j, uint64_t *id)
{
    return table_create(((struct jobs *)self)->table, j, id);
}

static int32_t job_progress(void *self, uint64_t id, uint32_t percent)
{
    return table_progress(((struct jobs *)self)->table, id, percent);
}

static int32_t job_finish(void *self, uint64_t id, const char *result)
{
    return table_end(((struct jobs *)self)->table, id, JOB_DONE, NULL, result);
}

static int32_t job_fail(void *self, uint64_t id, const char *why, const char *result)
{
    return table_end(((struct jobs *)self)->table, id, JOB_FAILED, why, result);
}

static int32_t job_reply(void *self, struct ec_req *r, uint64_t id)
{
    struct jobs *k = self;
    char path[64];

    if (!k->http)
        return EC_ENOTSUP;
    snprintf(path, sizeof path, "/api/system/jobs/%" PRIu64, id);
    k->http->set_header(r, "Location", path);
    return send_one(k, r, 202, id);
}

static const struct ec_jobs service = { sizeof service, 0, job_create, job_progress, job_finish, job_fail, job_reply };

/* --- life --------------------------------------------------------------------------------------------------------- */

static int32_t jobs_create(const struct ec_host *h, void **self)
{
    struct jobs *k = *self = calloc(1, sizeof *k);

    if (!k)
        return h->fail(h, EC_ENOMEM, "out of memory");
    k->host = h;
    return EC_OK;
}

static int32_t jobs_setup(void *self)
{
    struct jobs *k = self;
    void *http_self;
    int32_t err = EC_OK;

    k->http = k->host->use(k->host, EC_HTTP_ID, &http_self);
    for (size_t i = 0; k->http && !err && i < sizeof routes / sizeof routes[0]; i++)
        err = k->http->route(http_self, k->host, &routes[i], k);
    return err ? ec_failf(k->host, err, "the HTTP server did not take a route of /api/system/jobs") : EC_OK;
}

static int32_t jobs_configure(void *self, const struct ec_conf *c, void **state)
{
    const struct ec_host *h = ((struct jobs *)self)->host;
    struct state *s = *state = calloc(1, sizeof *s);
    int64_t v = 0;

    if (!s)
        return h->fail(h, EC_ENOMEM, "out of memory");
    h->conf_num(c, "keep", 0, &v);
    s->keep = (uint32_t)v;
    h->conf_num(c, "most", 0, &v);
    s->most = (uint32_t)v;
    return EC_OK;
}

static void jobs_state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static uint64_t now_ns(void *arg)
{
    const struct ec_host *h = arg;

    return h->now(h);
}

static int32_t jobs_start(void *self, const void *state)
{
    const struct state *s = state;
    struct jobs *k = self;
    struct timespec t;

    /* Milliseconds since 1970: above every id of an earlier run, below 2^53. */
    clock_gettime(CLOCK_REALTIME, &t);
    k->table = table_new((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u, s->keep, s->most, now_ns,
                         (void *)(uintptr_t)k->host);
    return k->table ? EC_OK : k->host->fail(k->host, EC_ENOMEM, "out of memory");
}

static void jobs_destroy(void *self)
{
    table_free(((struct jobs *)self)->table);
    free(self);
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
};
static const struct ec_offer offers[] = { { sizeof(struct ec_offer), 0, EC_JOBS_ID, &service } };
static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, .id = "org.ecyber.jobs", .name = "jobs", .version = "0.1.0",
    .summary = "long work that people ask for, with its progress", .license = "MIT",
    .n_use = 1, .use_stride = sizeof uses[0], .use = uses,
    .n_offer = 1, .offer_stride = sizeof offers[0], .offer = offers, .options = &options,
    .create = jobs_create, .setup = jobs_setup, .configure = jobs_configure, .state_free = jobs_state_free,
    .start = jobs_start, .destroy = jobs_destroy,
};
EC_PLUGIN(plugin)
