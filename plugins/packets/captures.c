/* The API of captures: /api/packets/captures. */
#include "plugins/packets/api.h"

#include "lib/download.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

struct start_body { struct ec_part part; struct ec_span filter; uint64_t duration, packets, bytes, snap; };
static const struct ec_row start_rows[] = {
    ROW(TEXT, EC_R_OPT, 0, struct start_body, filter, "filter", NULL, NULL, NULL,
        "in tcpdump's language, pcap-filter(7); absent: every packet", 0, FILTER_MAX / 4 - 1),
    ROW(DURATION, 0, 0, struct start_body, duration, "duration", NULL, "60s", NULL, "after which it ends", SECOND,
        24 * 3600 * SECOND),
    ROW(U64, 0, 0, struct start_body, packets, "packets", NULL, "100000", "packets", "in the file, at which it ends", 1,
        100000000),
    ROW(SIZE, 0, 0, struct start_body, bytes, "bytes", NULL, "16MiB", "bytes",
        "of the file, at which it ends; packets.capture_size is the most", 4096, INT64_C(1) << 40),
    ROW(SIZE, 0, 0, struct start_body, snap, "snap", NULL, "256KiB", "bytes", "kept of each packet", 64,
        RING_PACKET_MAX),
};
static const struct ec_record start_body = EC_RECORD_PART(struct start_body, start_rows);

struct id_param { struct ec_part part; uint64_t id; };
static const struct ec_row id_rows[] = {
    ROW(U64, 0, 0, struct id_param, id, "id", NULL, NULL, NULL, "id of a capture", 0, 0) };
static const struct ec_record id_param = EC_RECORD_PART(struct id_param, id_rows);

#define ITEM_MEMBERS \
    uint64_t id, started, ended, duration, packets, most_packets, bytes, most_bytes, snap, looked, lost, has; \
    struct ec_span filter, who, reason; uint32_t state, pad32
enum { HAS_ID, HAS_ENDED, HAS_ASKED };
enum { STATE_RUNNING, STATE_DONE, STATE_FAILED, STATE_NONE };
#define ITEM_ROWS(type) \
    EC_FIELD_OPT(U64, 0, HAS_ID, type, id, "id", NULL, "absent of a dry run"), \
    EC_FIELD_ENUM(0, type, state, "state", "running,done,failed,none", "none: a dry run"), \
    EC_FIELD(TEXT, 0, type, reason, "reason", NULL, "why it ended"), \
    EC_FIELD(TEXT, 0, type, filter, "filter", NULL, "what it takes; absent: every packet"), \
    EC_FIELD(TEXT, 0, type, who, "who", NULL, "who asked for it"), \
    EC_FIELD(TIME, 0, type, started, "started", NULL, "when it began"), \
    EC_FIELD_OPT(TIME, 0, HAS_ENDED, type, ended, "ended", NULL, "when it ended"), \
    EC_FIELD(U64, 0, type, bytes, "bytes", "bytes", "of its file so far"), \
    EC_FIELD_OPT(U64, 0, HAS_ASKED, type, packets, "packets", "packets", "in its file so far"), \
    EC_FIELD_OPT(U64, 0, HAS_ASKED, type, looked, "looked", "packets", "that the filter has seen"), \
    EC_FIELD_OPT(U64, 0, HAS_ASKED, type, lost, "lost", "packets", \
                 "that newer ones had pushed out of the ring before the filter saw them"), \
    EC_FIELD_OPT(DURATION, 0, HAS_ASKED, type, duration, "bounds.duration", "ns", "after which it ends"), \
    EC_FIELD_OPT(U64, 0, HAS_ASKED, type, most_packets, "bounds.packets", "packets", "at which it ends"), \
    EC_FIELD_OPT(U64, 0, HAS_ASKED, type, most_bytes, "bounds.bytes", "bytes", "at which it ends"), \
    EC_FIELD_OPT(U64, 0, HAS_ASKED, type, snap, "bounds.snap", "bytes", "kept of each packet")
struct item { ITEM_MEMBERS; };
static const struct ec_row item_rows[] = { ITEM_ROWS(struct item) };
static const struct ec_record item_record = {
    sizeof(struct ec_record), sizeof(struct item), EC_ROWS(item_rows), offsetof(struct item, has), 0, item_rows };
struct item_reply { struct ec_part part; ITEM_MEMBERS; };
static const struct ec_row item_reply_rows[] = { ITEM_ROWS(struct item_reply) };
static const struct ec_record item_reply = EC_RECORD_PART(struct item_reply, item_reply_rows);
_Static_assert(sizeof(struct item_reply) == sizeof(struct ec_part) + sizeof(struct item) &&
               offsetof(struct item_reply, id) == sizeof(struct ec_part), "one shape, two places");

struct list_reply { struct ec_part part; struct ec_list items; };
static const struct ec_row list_rows[] = {
    ROW_LIST(&item_record, struct list_reply, items, "items", "captures, the newest first") };
static const struct ec_record list_reply = EC_RECORD_PART(struct list_reply, list_rows);

#define ITEM_TAIL (FILTER_MAX + JOB_WHO + 256u + 64u)

static void fill(struct ec_build *b, struct item *to, const struct job *job)
{
    to->id = job->id;
    to->started = job->started_ns;
    to->ended = job->ended_ns;
    to->duration = job->duration_ns;
    to->packets = job->packets;
    to->most_packets = job->most_packets;
    to->bytes = job->bytes;
    to->most_bytes = job->most_bytes;
    to->snap = job->snap;
    to->looked = job->looked;
    to->lost = job->lost;
    to->state = job->id ? (uint32_t)job->state : STATE_NONE;
    to->has = (uint64_t)(job->id != 0) << HAS_ID | (uint64_t)(job->ended_ns != 0) << HAS_ENDED |
              (uint64_t)(job->duration_ns != 0) << HAS_ASKED;
    to->filter = ec_puts(b, job->filter[0] ? job->filter : NULL);
    to->who = ec_puts(b, job->who[0] ? job->who : NULL);
    to->reason = ec_puts(b, job->reason[0] ? job->reason : NULL);
}

static void answer(struct packets *k, struct ec_req *r, uint32_t status, const struct job *job)
{
    struct ec_build b;
    struct item_reply *to = answer_open(&b, sizeof *to, ITEM_TAIL);

    if (to) {
        fill(&b, (struct item *)(void *)&to->id, job);
        to->part.has = to->has;
    }
    answer_send(k, r, status, &b);
}

static const char none[] = "there is no such capture";

/* [pool] */
static void list_job(struct ec_req *r, void *arg)
{
    struct packets *k = arg;
    struct job *all = calloc(JOBS_MAX, sizeof *all);
    struct ec_build b = { .base = NULL };
    struct list_reply *to;
    struct item *items;
    uint32_t n = all ? jobs_list(k, all) : 0;

    if (all && (to = answer_open(&b, sizeof *to, n * (uint32_t)(sizeof *items + ITEM_TAIL) + 64))) {
        items = ec_rows(&b, &to->items, n, sizeof *items);
        to->part.has = HAS_LIST;
        for (uint32_t i = 0; items && i < n; i++)
            fill(&b, &items[i], &all[i]);
    }
    free(all);
    answer_send(k, r, 200, &b);
}

/* [pool] */
static void get_job(struct ec_req *r, void *arg)
{
    struct packets *k = arg;
    const struct id_param *p = k->http->param(r);
    struct job job;

    if (jobs_get(k, p->id, &job))
        answer(k, r, 200, &job);
    else
        k->http->error(r, 404, none);
}

/* What the body asks for. NULL: it was refused. */
static struct filter *read_body(struct packets *k, struct ec_req *r, struct job *job)
{
    const struct start_body *body = k->http->body(r);
    const struct ec_who *who = k->http->who(r);
    struct filter *filter;
    char why[512];

    *job = (struct job){ .duration_ns = body->duration, .most_packets = body->packets, .most_bytes = body->bytes,
                         .snap = (uint32_t)body->snap };
    param_text(&body->part, body->filter, job->filter, sizeof job->filter);
    snprintf(job->who, sizeof job->who, "user:%.*s", (int)sizeof job->who - 6, who ? who->name : "nobody");
    if (body->bytes > k->jobs.most_bytes) {
        snprintf(why, sizeof why, "a file has at most %" PRIu64 " bytes (packets.capture_size)", k->jobs.most_bytes);
        k->http->invalid(r, "body.bytes", "value_error", why);
        return NULL;
    }
    if (!(filter = filter_new(job->filter, why, sizeof why)))
        k->http->invalid(r, "body.filter", "value_error", why);
    return filter;
}

/* [pool] */
static void start_job(struct ec_req *r, void *arg)
{
    struct packets *k = arg;
    char why[512], object[64];
    struct filter *filter;
    struct job job;
    int32_t err;

    if (!(filter = read_body(k, r, &job)))
        return;
    if (k->http->dry_run(r)) {
        filter_free(filter);
        answer(k, r, 200, &job);
        return;
    }
    err = jobs_start(k, &job, filter, why, sizeof why);
    snprintf(object, sizeof object, "packets/captures/%" PRIu64, job.id);
    k->http->audit(r, "capture.start", err ? "failure" : "success", err ? NULL : object,
                   err ? why : job.filter[0] ? job.filter : "every packet");
    if (err)
        k->http->error(r, err == EC_ELIMIT ? 409 : 503, why);
    else
        answer(k, r, 201, &job);
}

static void end_job(struct ec_req *r, struct packets *k, bool remove)
{
    const struct id_param *p = k->http->param(r);
    char object[64];
    struct job job;
    bool there = k->http->dry_run(r) ? jobs_get(k, p->id, &job) : jobs_end(k, p->id, remove);

    snprintf(object, sizeof object, "packets/captures/%" PRIu64, p->id);
    if (!k->http->dry_run(r))
        k->http->audit(r, remove ? "capture.delete" : "capture.stop", there ? "success" : "failure", object,
                       there ? NULL : none);
    if (!there)
        k->http->error(r, 404, none);
    else if (remove)
        k->http->reply(r, 204, NULL);
    else
        get_job(r, k);
}

/* [pool] */
static void stop_job(struct ec_req *r, void *arg) { end_job(r, arg, false); }
static void delete_job(struct ec_req *r, void *arg) { end_job(r, arg, true); }

int32_t capture_open(void *self, uint64_t id, char *why, uint32_t n)
{
    struct packets *k = self;
    struct job job;
    int fd;

    if (!jobs_get(k, id, &job)) {
        snprintf(why, n, "%s", none);
        return EC_ENOENT;
    }
    if (job.state == JOB_RUNNING) {
        snprintf(why, n, "it still runs: wait for its end, or stop it");
        return EC_EAGAIN;
    }
    if ((fd = jobs_file(k, id)) >= 0)
        return fd;
    snprintf(why, n, "its file cannot be read: %.30s", strerror(errno));
    return EC_ENOENT;
}

/* [pool] */
static void file_job(struct ec_req *r, void *arg)
{
    struct packets *k = arg;
    const struct id_param *p = k->http->param(r);
    char name[64], why[160];
    int32_t fd = capture_open(k, p->id, why, sizeof why);

    snprintf(name, sizeof name, "ecyber-capture-%" PRIu64 ".pcapng", p->id);
    if (fd < 0)
        k->http->error(r, fd == EC_EAGAIN ? 409 : 404, why);
    else
        download(k->host, k->http, r, fd, name);
}

/* Everything here may wait for a file. */
#define ON_POOL(name, job) \
    static int32_t name(void *self, const void *state, struct ec_req *r) \
    { \
        struct packets *k = self; \
        (void)state; \
        k->http->work(r, job, k); \
        return EC_EAGAIN; \
    }
ON_POOL(get_list, list_job)
ON_POOL(get_one, get_job)
ON_POOL(post_start, start_job)
ON_POOL(post_stop, stop_job)
ON_POOL(delete_one, delete_job)
ON_POOL(get_file, file_job)

#define ROUTE(m, p, id, what, who, f, pa, bo, re, fn, st, er) \
    { .size = sizeof(struct ec_route), .flags = (f), .method = (m), .path = "/api/packets/captures" p, .opid = (id), \
      .summary = (what), .roles = (who), .param = (pa), .body = (bo), .reply = (re), .run = (fn), .status = (st), \
      .errors = (er) }
const struct ec_route capture_routes[] = {
    ROUTE("GET", "", "captures", "Captures, the newest first", PACKETS_WATCHERS, 0, NULL, NULL, &list_reply, get_list,
          0, NULL),
    ROUTE("POST", "", "capture_start", "Write packets to a file, within bounds", PACKETS_KEEPERS, EC_RT_ENFORCES, NULL,
          &start_body, &item_reply, post_start, 201, "200,409"),
    ROUTE("GET", "/{id}", "capture", "One capture", PACKETS_WATCHERS, 0, &id_param, NULL, &item_reply, get_one, 0,
          "404"),
    ROUTE("POST", "/{id}/stop", "capture_stop", "End a capture, and keep its file", PACKETS_KEEPERS, EC_RT_ENFORCES,
          &id_param, NULL, &item_reply, post_stop, 0, "404"),
    ROUTE("DELETE", "/{id}", "capture_delete", "End a capture, and remove its file", PACKETS_KEEPERS, EC_RT_ENFORCES,
          &id_param, NULL, NULL, delete_one, 204, "404"),
    { .size = sizeof(struct ec_route), .flags = EC_RT_STREAM, .method = "GET",
      .path = "/api/packets/captures/{id}/pcap", .opid = "capture_pcap",
      .summary = "The file of a capture that has ended, as pcapng", .roles = PACKETS_WATCHERS,
      .param = &id_param, .run = get_file, .errors = "404,409", .type = "application/x-pcapng" },
};
const size_t capture_n_route = sizeof capture_routes / sizeof capture_routes[0];
