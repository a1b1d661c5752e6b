/* The routes of /api/rules/sources. */
#include "plugins/ids/sources/sources.h"

#include <stdio.h>
#include <stdlib.h>

#define READERS "admin,operator,analyst,viewer"
#define EDITORS "admin,operator"
#define ANSWER_MS 120000u           /* a reload of many rules may take a while */

static int32_t none(struct sources *s, struct ec_req *r)
{
    return s->http->error(r, 503, SOURCES_NONE);
}

static int32_t run_list(void *self, const void *state, struct ec_req *r)
{
    struct sources *s = self;

    (void)state;
    if (!s->running)
        return none(s, r);
    sources_reply(s, r);
    return EC_OK;
}

static int32_t run_show(void *self, const void *state, struct ec_req *r)
{
    struct sources *s = self;
    const struct source_param *p = s->http->param(r);
    const struct source *e;
    struct source copy;

    (void)state;
    if (!s->running)
        return none(s, r);
    pthread_mutex_lock(&s->lock);
    if ((e = list_find(s->list, p->id)))
        copy = *e;
    pthread_mutex_unlock(&s->lock);
    if (!e)
        return s->http->error(r, 404, "there is no source of this number");
    if (!s->http->match(r, copy.version))
        source_reply(s, r, 200, &copy);
    return EC_OK;
}

/* [any] Its job was cancelled. */
static void on_cancel(void *arg, uint64_t id)
{
    struct sources *s = arg;

    pthread_mutex_lock(&s->lock);
    s->cancelled |= s->doing == id;
    for (struct update **at = &s->first; *at; at = &(*at)->next)
        if ((*at)->job == id) {
            struct update *u = *at;

            *at = u->next;
            s->waiting--;
            free(u);
            break;
        }
    for (s->last = &s->first; *s->last; )
        s->last = &(*s->last)->next;
    pthread_mutex_unlock(&s->lock);
}

/* An update that is in line with its job; NULL: the status that says why not. */
static int32_t begin(struct sources *s, struct ec_req *r, uint32_t id, uint64_t *job)
{
    struct ec_job j = {
        .size = sizeof j, .kind = "rules.update", .by = source_who(s, r), .cancel = on_cancel, .arg = s };
    struct update *u = calloc(1, sizeof *u);
    int32_t err = u ? s->jobs->create(s->jobs_self, &j, job) : EC_ENOMEM;

    if (err) {
        free(u);
        return err;
    }
    *u = (struct update){ .id = id, .job = *job, .dry = s->http->dry_run(r) };
    snprintf(u->by, sizeof u->by, "%s", j.by);
    pthread_mutex_lock(&s->lock);
    err = sources_ask(s, u);
    pthread_mutex_unlock(&s->lock);
    if (err) {
        s->jobs->fail(s->jobs_self, *job, "too many updates wait", NULL);
        free(u);
    }
    return err;
}

static int32_t run_update(void *self, const void *state, struct ec_req *r)
{
    struct sources *s = self;
    const struct source_param *p = s->http->param(r);
    char object[80] = "";
    const struct source *e;
    uint64_t job;

    (void)state;
    if (!s->running || !s->jobs)
        return none(s, r);
    pthread_mutex_lock(&s->lock);
    if ((e = list_find(s->list, p->id)))
        snprintf(object, sizeof object, "rules/sources/%s", e->name);
    pthread_mutex_unlock(&s->lock);
    if (!e)
        return s->http->error(r, 404, "there is no source of this number");
    if (begin(s, r, p->id, &job))
        return s->http->error(r, 503, "too many updates or jobs wait: try again later");
    if (!s->http->dry_run(r))
        s->http->audit(r, "rules.source.update", "success", object, "it was asked for; its job says what came of it");
    return s->jobs->reply(s->jobs_self, r, job);
}

static const char job_schema[] =
    "{\"title\":\"Job\",\"type\":\"object\",\"required\":[\"id\",\"kind\",\"state\",\"progress\"],\"properties\":"
    "{\"id\":{\"type\":\"integer\"},\"kind\":{\"type\":\"string\"},\"state\":{\"type\":\"string\"},"
    "\"progress\":{\"type\":\"integer\"}}}";

#define EDITS (EC_RT_ENFORCES | EC_RT_EDITS)
#define ROUTE(m, p, id, who, text) \
    .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .roles = who, .summary = text
#define ALL "/api/rules/sources"
#define ONE "/api/rules/sources/{id}"
#define SAMPLE \
    "{\"name\": \"et-open\", " \
    "\"url\": \"https://rules.emergingthreats.net/open/suricata-7.0.3/emerging.rules.tar.gz\", " \
    "\"checksum_url\": \"https://rules.emergingthreats.net/open/suricata-7.0.3/emerging.rules.tar.gz.md5\", " \
    "\"interval\": 86400000000000}"
static const struct ec_route routes[] = {
    { ROUTE("GET", ALL, "list_rule_sources", READERS, "Where rules are fetched from, and how that went"),
      .reply = &sources_view, .run = run_list },
    { ROUTE("POST", ALL, "create_rule_source", EDITORS, "Fetch rules from another host. 200 of a dry run"),
      .flags = EDITS, .body = &source_create_body, .reply = &source_view, .status = 201, .errors = "200,409,412",
      .example = SAMPLE, .run = source_create,
      .description = "Nothing is fetched by this: POST .../update does it, or the first interval, which begins at "
                     "once." },
    { ROUTE("GET", ONE, "get_rule_source", READERS, "One source of rules"), .flags = EC_RT_EDITS,
      .param = &source_param, .reply = &source_view, .errors = "304,404", .run = run_show },
    { ROUTE("PUT", ONE, "replace_rule_source", EDITORS, "Change a source of rules; answered when that is in force"),
      .flags = EDITS, .param = &source_param, .body = &source_replace_body, .reply = &source_view,
      .errors = "404,409,412", .deadline_ms = ANSWER_MS, .run = source_replace,
      .example = "{\"url\": \"https://rules.example.org/all.rules.gz\", \"enabled\": false}" },
    { ROUTE("DELETE", ONE, "delete_rule_source", EDITORS,
            "Take a source away, with its rules; answered when they are gone"),
      .flags = EDITS, .param = &source_param, .status = 204, .errors = "404,409,412", .deadline_ms = ANSWER_MS,
      .run = source_remove },
    { ROUTE("POST", ONE "/update", "update_rule_source", EDITORS, "Fetch its rules and put them in force: a job"),
      .flags = EC_RT_ENFORCES, .param = &source_param, .status = 202, .schema = job_schema, .errors = "404",
      .run = run_update,
      .description = "The job's result has what is new, changed and gone. What cannot be fetched, unpacked or read, or "
                     "is not what its checksum says, changes nothing. With dry_run nothing is kept." },
};

void sources_declare(struct sources *s, struct reloads *rs)
{
    const struct ec_host *h = s->host;

    s->reloads = rs;
    s->http = h->use(h, EC_HTTP_ID, &s->http_self);
    s->jobs = h->use(h, EC_JOBS_ID, &s->jobs_self);
    s->daemon = h->use(h, EC_DAEMON_ID, &s->daemon_self);
    for (size_t i = 0; s->http && rs && i < sizeof routes / sizeof routes[0]; i++)
        if (s->http->route(s->http_self, h, &routes[i], s))
            EC_LOG(h, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
}
