/* The API: POST /api/packets/replay, /api/packets/replays/{id}/events, POST /api/rules/test. */
#include "plugins/replay/replay.h"

#include "lib/download.h"
#include "plugins/replay/result.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READERS "admin,operator,analyst,viewer"
#define KEEPERS "admin,operator"
#define PAGE_MOST 1000

#define ROW(T, flags, has, type, member, name, allow, def, unit, help, min, max) \
    { EC_T_##T, (flags), (has), 0, (uint32_t)offsetof(type, member), (name), NULL, (allow), (def), (unit), (help), \
      (min), (max) }
struct post_param { struct ec_part part; uint8_t run, pad[7]; };
static const struct ec_row post_rows[] = {
    ROW(BOOL, 0, 0, struct post_param, run, "run", NULL, "true", NULL,
        "false: only keep the capture, for POST /api/rules/test", 0, 0) };
static const struct ec_record post_param = EC_RECORD_PART(struct post_param, post_rows);

struct page_param { struct ec_part part; uint64_t id; struct ec_span type, cursor; uint32_t limit, pad; };
enum { ASK_TYPE, ASK_CURSOR };
static const struct ec_row page_rows[] = {
    ROW(U64, 0, 0, struct page_param, id, "id", NULL, NULL, NULL, "id of the job", 0, 0),
    ROW(TEXT, EC_R_OPT, ASK_TYPE, struct page_param, type, "type", NULL, NULL, NULL, "only of this event type: alert",
        1, 31),
    ROW(U32, 0, 0, struct page_param, limit, "limit", NULL, "100", "events", "at most so many", 1, PAGE_MOST),
    ROW(TEXT, EC_R_OPT, ASK_CURSOR, struct page_param, cursor, "cursor", NULL, NULL, NULL,
        "next_cursor of the page before", 1, 20),
};
static const struct ec_record page_param = EC_RECORD_PART(struct page_param, page_rows);
static const char page_schema[] =
    "{\"title\":\"ReplayEvents\",\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"],\"properties\":{"
    "\"items\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"description\":\"an event as eve.json has it\"}},"
    "\"next_cursor\":{\"type\":[\"string\",\"null\"]}}}";

struct id_param { struct ec_part part; uint64_t id; };
static const struct ec_row id_rows[] = {
    ROW(U64, 0, 0, struct id_param, id, "id", NULL, NULL, NULL, "id of the job", 0, 0) };
static const struct ec_record id_param = EC_RECORD_PART(struct id_param, id_rows);

struct test_body { struct ec_part part; struct ec_span rules; uint64_t replay, capture, alert; };
enum { BY_REPLAY, BY_CAPTURE, BY_ALERT };
static const struct ec_row test_rows[] = {
    ROW(TEXT, 0, 0, struct test_body, rules, "rules", NULL, NULL, NULL, "as they would stand in a file", 1,
        REPLAY_RULES),
    ROW(U64, EC_R_OPT, BY_REPLAY, struct test_body, replay, "replay", NULL, NULL, NULL,
        "on the capture of this job of POST /api/packets/replay", 0, 0),
    ROW(U64, EC_R_OPT, BY_CAPTURE, struct test_body, capture, "capture", NULL, NULL, NULL,
        "on this one of /api/packets/captures", 0, 0),
    ROW(U64, EC_R_OPT, BY_ALERT, struct test_body, alert, "alert", NULL, NULL, NULL,
        "on the packets of this alert that are still in memory", 0, 0),
};
static const struct ec_record test_body = EC_RECORD_PART(struct test_body, test_rows);

static const char job_schema[] =
    "{\"title\":\"Job\",\"type\":\"object\",\"required\":[\"id\",\"kind\",\"state\",\"progress\"],\"properties\":{"
    "\"id\":{\"type\":\"integer\"},\"kind\":{\"type\":\"string\"},\"state\":{\"type\":\"string\"},"
    "\"progress\":{\"type\":\"integer\"}}}";

static const char *name_of(const struct replay *k, struct ec_req *r)
{
    const struct ec_who *who = k->http->who(r);

    return who ? who->name : "";
}

static void audit(const struct replay *k, struct ec_req *r, const char *action, int32_t err, uint64_t id,
                  const char *detail)
{
    char object[48];

    snprintf(object, sizeof object, "system/jobs/%" PRIu64, id);
    k->http->audit(r, action, err ? "failure" : "success", err ? NULL : object, detail);
}

static void refuse(const struct replay *k, struct ec_req *r, int32_t err, const char *why)
{
    if (err == EC_ELIMIT)
        k->http->set_header(r, "Retry-After", "10");
    k->http->error(r, err == EC_ELIMIT ? 429 : 503, why);
}

/* [pool] */
static void replay_job(struct ec_req *r, void *arg)
{
    struct replay *k = arg;
    const struct post_param *p = k->http->param(r);
    char why[512] = "";
    uint64_t length, id = 0;
    int fd = k->http->upload(r, &length);
    int32_t err;

    if (length > k->o.size) {
        snprintf(why, sizeof why, "a capture has at most %" PRIu64 " bytes (replay.size)", k->o.size);
        k->http->error(r, 413, why);
        return;
    }
    if ((fd = fcntl(fd, F_DUPFD_CLOEXEC, 10)) < 0) {
        k->http->error(r, 503, "there are too many open files");
        return;
    }
    err = p->run ? run_add(k, "packets.replay", name_of(k, r), fd, length, NULL, &id, why, sizeof why)
                 : run_keep(k, name_of(k, r), fd, length, &id, why, sizeof why);
    if (!err)
        snprintf(why, sizeof why, "a capture of %" PRIu64 " bytes", length);
    audit(k, r, p->run ? "replay.start" : "replay.upload", err, id, why);
    if (err)
        refuse(k, r, err, why);
    else
        k->jobs->reply(k->jobs_self, r, id);
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static int open_events(const struct replay *k, struct ec_req *r, uint64_t id)
{
    char folder[4096], path[4200];
    int fd;

    run_folder(k, id, folder, sizeof folder);
    snprintf(path, sizeof path, "%s/events.json", folder);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        k->http->error(r, 404,
                       "there are no events of such a replay: it was never there, is not over, made none, or they "
                               "were removed to make room (replay.keep)");
    return fd;
}

static const char *text_of(const struct ec_part *p, struct ec_span s, char *to, size_t n)
{
    size_t len = s.off ? s.len < n - 1 ? s.len : n - 1 : 0;

    memcpy(to, len ? (const char *)ec_bytes(p, s) : "", len);
    to[len] = '\0';
    return to;
}

/* [pool] */
static void page_job(struct ec_req *r, void *arg)
{
    struct replay *k = arg;
    const struct page_param *p = k->http->param(r);
    char cursor[24], type[32], *end, *page = NULL;
    unsigned long long from;
    size_t len = 0;
    int fd = open_events(k, r, p->id);

    if (fd < 0)
        return;
    text_of(&p->part, p->cursor, cursor, sizeof cursor);
    text_of(&p->part, p->type, type, sizeof type);
    from = strtoull(cursor, &end, 10);
    errno = EINVAL;
    if (!p->cursor.off || (!*end && cursor[0] >= '0' && cursor[0] <= '9'))
        page = result_page(fd, from, type[0] ? type : NULL, p->limit, &len);
    if (page)
        k->http->json(r, 200, page, len);
    else if (errno == EINVAL)
        k->http->invalid(r, "query.cursor", "value_error", "it is no next_cursor of a page of these events");
    else
        k->http->error(r, 503, "the events cannot be read");
    free(page);
    close(fd);
}

/* [pool] */
static void file_job(struct ec_req *r, void *arg)
{
    struct replay *k = arg;
    uint64_t id = ((const struct id_param *)k->http->param(r))->id;
    int fd = open_events(k, r, id);
    char name[64];

    snprintf(name, sizeof name, "ecyber-replay-%" PRIu64 ".jsonl", id);
    if (fd >= 0)
        download(k->host, k->http, r, fd, name);
}

/* --- rules -------------------------------------------------------------------------------------------------------- */

/* The capture that the body names. −1: it was answered. */
static int named_capture(struct replay *k, struct ec_req *r, const struct test_body *b, uint64_t *length)
{
    static const char *const locs[] = { "body.replay", "body.capture", "body.alert" };
    uint32_t which = b->part.has >> BY_REPLAY & 1 ? BY_REPLAY : b->part.has >> BY_CAPTURE & 1 ? BY_CAPTURE : BY_ALERT;
    char why[200] = "there is no such capture any more: hand it in again";
    struct stat st;
    int fd;

    if (__builtin_popcountll(b->part.has) != 1) {
        k->http->invalid(r, "body", "value_error", "exactly one of replay, capture and alert says which packets");
        return -1;
    }
    if (which == BY_REPLAY)
        fd = run_capture(k, b->replay, length);
    else if (!k->captures)
        fd = (snprintf(why, sizeof why, "no plugin keeps packets"), -1);
    else
        fd = which == BY_CAPTURE ? k->captures->capture(k->captures_self, b->capture, why, sizeof why)
                                 : k->captures->alert(k->captures_self, b->alert, why, sizeof why);
    if (fd < 0) {
        k->http->invalid(r, locs[which], "value_error", why);
        return -1;
    }
    if (!fstat(fd, &st))
        *length = (uint64_t)st.st_size;
    return fd;
}

/* 422 with an entry for each. problems is put. */
static void say_problems(struct replay *k, struct ec_req *r, struct json_object *problems)
{
    struct json_object *o = json_object_new_object(), *detail = json_object_new_array();
    const char *text;

    for (size_t i = 0; i < json_object_array_length(problems); i++) {
        struct json_object *one = json_object_new_object(), *loc = json_object_new_array();

        json_object_object_add(one, "type", json_object_new_string("value_error"));
        json_object_array_add(loc, json_object_new_string("body"));
        json_object_array_add(loc, json_object_new_string("rules"));
        json_object_object_add(one, "loc", loc);
        json_object_object_add(one, "msg", json_object_get(json_object_array_get_idx(problems, i)));
        json_object_object_add(one, "input", NULL);
        json_object_array_add(detail, one);
    }
    json_object_object_add(o, "detail", detail);
    text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE);
    k->http->json(r, 422, text, strlen(text));
    json_object_put(o);
    json_object_put(problems);
}

/* Are they in order? Otherwise it was answered. */
static bool good_rules(struct replay *k, struct ec_req *r, const char *rules)
{
    char why[1024];
    struct json_object *problems = rules_check(k, rules, why, sizeof why);

    if (!problems) {
        k->http->error(r, 503, why);
        return false;
    }
    if (json_object_array_length(problems)) {
        say_problems(k, r, problems);
        return false;
    }
    json_object_put(problems);
    return true;
}

/* [pool] */
static void test_job(struct ec_req *r, void *arg)
{
    struct replay *k = arg;
    const struct test_body *b = k->http->body(r);
    char why[512] = "", *rules;
    uint64_t length = 0, id = 0;
    int fd = named_capture(k, r, b, &length);
    int32_t err;

    if (fd < 0)
        return;
    rules = strndup((const char *)ec_bytes(&b->part, b->rules), b->rules.len);
    if (!rules || !good_rules(k, r, rules)) {
        if (!rules)
            k->http->error(r, 503, "out of memory");
        free(rules);
        close(fd);
        return;
    }
    err = run_add(k, "rules.test", name_of(k, r), fd, length, rules, &id, why, sizeof why);
    audit(k, r, "rules.test", err, id, why);
    if (err)
        refuse(k, r, err, why);
    else
        k->jobs->reply(k->jobs_self, r, id);
}

/* --- routes ------------------------------------------------------------------------------------------------------- */

/* Everything here may wait for a file or a process. */
#define ON_POOL(name, job) \
    static int32_t name(void *self, const void *state, struct ec_req *r) \
    { \
        struct replay *k = self; \
        (void)state; \
        if (!k->running) \
            return k->http->error(r, 503, "nothing is replayed: the daemon ends, or only replays itself"); \
        k->http->work(r, job, k); \
        return EC_EAGAIN; \
    }
ON_POOL(post_replay, replay_job)
ON_POOL(get_page, page_job)
ON_POOL(get_file, file_job)
ON_POOL(post_test, test_job)

#define ROUTE(m, p, id, what, who) \
    .size = sizeof(struct ec_route), .method = (m), .path = (p), .opid = (id), .summary = (what), .roles = (who)
static const struct ec_route routes[] = {
    { ROUTE("POST", "/api/packets/replay", "replay_capture",
            "Read a capture (pcap, pcapng) as the live engine would, beside it: a job", KEEPERS),
      .flags = EC_RT_UPLOAD, .param = &post_param, .body_max = REPLAY_UPLOAD, .deadline_ms = 60000, .status = 202,
      .schema = job_schema, .run = post_replay, .errors = "411,429" },
    { ROUTE("GET", "/api/packets/replays/{id}/events", "replay_events",
            "What a replay or a test of rules found, in the order of the packets", READERS),
      .param = &page_param, .schema = page_schema, .run = get_page, .errors = "404" },
    { ROUTE("GET", "/api/packets/replays/{id}/eve", "replay_eve",
            "The same as a file, a JSON object in each line", READERS),
      .flags = EC_RT_STREAM, .param = &id_param, .run = get_file, .errors = "404", .type = "application/x-ndjson" },
    { ROUTE("POST", "/api/rules/test", "test_rules", "Which alerts would these rules raise on these packets? A job",
            KEEPERS),
      .body = &test_body, .body_max = 2 * REPLAY_RULES, .deadline_ms = 60000, .status = 202, .schema = job_schema,
      .run = post_test, .errors = "429" },
};

int32_t routes_setup(struct replay *k)
{
    int32_t err = EC_OK;

    for (size_t i = 0; i < sizeof routes / sizeof routes[0] && !err; i++)
        err = k->http->route(k->http_self, k->host, &routes[i], k);
    return err ? ec_failf(k->host, err, "the HTTP server did not take a route of /api/packets/replay") : EC_OK;
}
