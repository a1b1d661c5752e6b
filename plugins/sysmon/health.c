/* What is degraded, in sentences: the daemon's own figures, read through ec.daemon/1, and the disk of its state. No
 * plugin's name stands here: every counter that ec_metric_is_loss() is a loss, every gauge named
 * "trouble.…" that is not 0 something that does not work now. */
#include "plugins/sysmon/host.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#define CHECKS_MAX 48u
#define WORDS "ok,warning,failed"
enum { OK, WARNING, FAILED };

struct check_row { struct ec_span name, sentence; uint32_t status, pad; };
static const struct ec_row check_rows[] = {
    EC_FIELD(TEXT, 0, struct check_row, name, "name", NULL, "what was looked at"),
    EC_FIELD_ENUM(0, struct check_row, status, "status", WORDS, "how it is"),
    EC_FIELD(WIRE, 0, struct check_row, sentence, "sentence", NULL, "why"),
};
static const struct ec_record check_record = EC_RECORD_ELEMENT(struct check_row, check_rows);
struct health_reply { struct ec_part part; uint32_t status, pad; struct ec_list checks; };
static const struct ec_row health_rows[] = {
    EC_FIELD_ENUM(0, struct health_reply, status, "status", WORDS, "the worst of them"),
    ROW_LIST(&check_record, struct health_reply, checks, "checks", "each with a sentence"),
};
static const struct ec_record health_record = EC_RECORD_PART(struct health_reply, health_rows);

struct check { uint32_t status; char name[48], sentence[256]; };
struct health {
    const struct looker *l;
    struct ec_req *r;
    uint32_t n;
    bool loss;
    struct check check[CHECKS_MAX];
};

__attribute__((format(printf, 4, 5)))
static void check(struct health *h, const char *name, uint32_t status, const char *fmt, ...)
{
    struct check *c = &h->check[h->n];
    va_list ap;

    if (h->n == CHECKS_MAX)
        return;
    h->n++;
    c->status = status;
    snprintf(c->name, sizeof c->name, "%s", name);
    va_start(ap, fmt);
    vsnprintf(c->sentence, sizeof c->sentence, fmt, ap);
    va_end(ap);
}

static void on_metric(void *arg, const char *plugin, const struct ec_metric *m, int64_t value)
{
    struct health *h = arg;
    char name[48];

    if (m->kind == EC_METRIC_GAUGE && value && !strncmp(m->name, "trouble.", 8)) {
        snprintf(name, sizeof name, "trouble.%s", *plugin ? plugin : "core");
        check(h, name, FAILED, "%s", m->help);
    }
    if (value <= 0 || !ec_metric_is_loss(m))
        return;
    h->loss = true;
    snprintf(name, sizeof name, "drops.%s", *plugin ? plugin : "core");
    check(h, name, WARNING, "%" PRId64 " %s were lost since the start (%s): %s", value, m->unit ? m->unit : "things",
          m->name, m->help);
}

static void disk(struct health *h)
{
    const char *folder = h->l->host->state_dir(h->l->host);
    struct statvfs v;
    double left;

    if (!folder || statvfs(folder, &v) || !v.f_blocks) {
        check(h, "disk", FAILED, "the file system of the state folder cannot be looked at");
        return;
    }
    left = (double)v.f_bavail * 100 / (double)v.f_blocks;
    check(h, "disk", left < 2 ? FAILED : left < 10 ? WARNING : OK, "%.1f %% of the state folder's file system is free",
          left);
}

static const char *text_in(struct json_object *o, const char *key)
{
    struct json_object *v = json_object_object_get(o, key);

    return v ? json_object_get_string(v) : NULL;
}

static void plugins(struct health *h, struct json_object *list)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0, out = 0;

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_object_array_get_idx(list, i);
        const char *status = text_in(o, "status"), *why = text_in(o, "why"), *name = text_in(o, "name");

        if (status && !strcmp(status, "running"))
            continue;
        out++;
        check(h, "plugins", why ? FAILED : WARNING, "%s is %s: %s", name ? name : "a plugin",
              status ? status : "not there", why ? why : "it has not been started");
    }
    if (!out)
        check(h, "plugins", OK, "all %zu plugins run", n);
}

static void source(struct health *h, struct json_object *worker)
{
    struct json_object *counters = json_object_object_get(worker, "source");
    const char *status = text_in(worker, "status"), *number = text_in(worker, "worker");
    bool runs = status && strcmp(status, "down") && strcmp(status, "broken") && strcmp(status, "not started");

    check(h, "capture", runs ? OK : FAILED, "the source of worker %s: %s", number, status ? status : "not known");
    if (!json_object_is_type(counters, json_type_object))
        return;
    json_object_object_foreach(counters, name, v)
        if (!strncmp(name, "lost_", 5) && json_object_get_int64(v) > 0) {
            h->loss = true;
            check(h, "capture", WARNING, "worker %s: %s packets were lost before they were read, since the start (%s)",
                  number, json_object_get_string(v), name);
        }
}

static void sources(struct health *h, struct json_object *list)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    if (!n)
        check(h, "capture", WARNING, "no packets are read: core.sources names none");
    for (size_t i = 0; i < n; i++)
        source(h, json_object_array_get_idx(list, i));
}

static void reload(struct health *h, struct json_object *o)
{
    const char *why = json_object_is_type(o, json_type_object) ? text_in(o, "why") : NULL;

    if (why)
        check(h, "reload", WARNING, "the last reload failed, so the configuration before it is in force: %s", why);
    else
        check(h, "reload", OK, "the configuration is the one that was asked for");
}

static void send(struct health *h)
{
    struct ec_build b;
    struct health_reply *to = answer_open(&b, sizeof *to, CHECKS_MAX * 400);
    struct check_row *row = to ? ec_rows(&b, &to->checks, h->n, sizeof *row) : NULL;

    for (uint32_t i = 0; row && i < h->n; i++) {
        row[i] = (struct check_row){ ec_puts(&b, h->check[i].name), ec_puts(&b, h->check[i].sentence),
                                     h->check[i].status, 0 };
        to->status = h->check[i].status > to->status ? h->check[i].status : to->status;
    }
    if (to)
        to->part.has = HAS_LIST;
    answer_send(h->l, h->r, &b);
    free(h);
}

/* [ctl] */
static void on_status(void *arg, int32_t err, const char *json, uint32_t len)
{
    struct json_tokener *tok = json_tokener_new_ex(32);
    struct json_object *o = err || !tok ? NULL : json_tokener_parse_ex(tok, json, (int)len);
    struct health *h = arg;

    if (json_object_is_type(o, json_type_object)) {
        plugins(h, json_object_object_get(o, "plugins"));
        sources(h, json_object_object_get(o, "packets"));
        reload(h, json_object_object_get(o, "reload"));
    } else {
        check(h, "daemon", FAILED, "the daemon does not say how it is");
    }
    if (!h->loss)
        check(h, "drops", OK, "nothing was lost since the start");
    json_object_put(o);
    if (tok)
        json_tokener_free(tok);
    send(h);
}

static void health_job(struct ec_req *r, void *arg)
{
    const struct looker *l = arg;
    struct health *h = calloc(1, sizeof *h);

    if (!h) {
        l->http->error(r, 503, "out of memory");
        return;
    }
    h->l = l;
    h->r = r;
    disk(h);
    l->daemon->metrics(l->daemon_self, on_metric, h);
    if (l->daemon->ask(l->daemon_self, "status", on_status, h) == EC_OK)
        return;
    free(h);
    l->http->error(r, 503, "the daemon is busy; try again later");
}

static int32_t health_run(void *self, const void *state, struct ec_req *r)
{
    struct looker *l = self;

    (void)state;
    if (!l->daemon)
        return l->http->error(r, 503, "the daemon does not offer ec.daemon/1");
    return l->http->work(r, health_job, l) ? EC_OK : EC_EAGAIN;
}

const struct ec_route health_route = {
    .size = sizeof(struct ec_route), .method = "GET", .path = "/api/system/health",
    .opid = "get_system_health", .summary = "What is degraded, each with a sentence",
    .roles = READERS, .reply = &health_record, .run = health_run };
