/* The glue between the scoring of flows and the plugin interface. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/ml/export.h"
#include "plugins/ml/routes.h"
#include "plugins/ml/score.h"

#include <ecyber/ext/alert.h>

#define SHIPPED_MODEL ECYBER_DATADIR "/models/flow-1.json"
enum { ALERT_KEYS = 65536 };
#define ALERT_IDLE_NS UINT64_C(7200000000000)

enum { M_FLOWS, M_REPLIES, M_SCORES, M_ALERTS, M_HELD, M_LOST, M_EXPORTED, M_MODEL_ERRORS, M_MODELS, METRICS };
#define METRIC(kind, name, unit, help) { sizeof(struct ec_metric), EC_METRIC_##kind, name, unit, help }
static const struct ec_metric metrics[METRICS] = {
    [M_FLOWS] = METRIC(COUNTER, "flows_scored", "flows", "Finished flows that a model scored."),
    [M_REPLIES] = METRIC(COUNTER, "flows_replies", "flows", "Flows left out: they begin with an answer to what was not seen."),
    [M_SCORES] = METRIC(COUNTER, "flows_suspicious", "flows", "Flows whose score was at the threshold or above."),
    [M_ALERTS] = METRIC(COUNTER, "alerts", "alerts", "Alerts of scores."),
    [M_HELD] = METRIC(COUNTER, "alerts_held", "scores", "Suspicious flows without an alert of their own: ml.alert_window."),
    [M_LOST] = METRIC(COUNTER, "events_lost", "events", "Scores and alerts that the bus did not take; its drops say why."),
    [M_EXPORTED] = METRIC(COUNTER, "flows_exported", "flows", "Rows for ml.export."),
    [M_MODEL_ERRORS] = METRIC(COUNTER, "model_errors", "models", "Models that were missing, damaged or unfit."),
    [M_MODELS] = METRIC(GAUGE, "models", "models", "Models in use."),
};

static const struct ec_row option_rows[] = {
    EC_OPTION(TEXT, EC_R_LIVE | EC_R_PATH, "model", NULL, 0, 4096, NULL,
              "manifest of the model; default: the one that comes with eCyber. \"\": none"),
    EC_OPTION(F64, EC_R_LIVE, "threshold", NULL, 0, 1, NULL, "score from which on a flow is suspicious; default: the model's"),
    EC_OPTION_ENUM(EC_R_LIVE, "publish", "suspicious,all", "suspicious", "which scores become events"),
    EC_OPTION(DURATION, EC_R_LIVE, "alert_window", "60s", 0, INT64_C(3600000000000), NULL,
              "one alert for each source within it, whatever it scores; 0: an alert for each suspicious flow"),
    EC_OPTION(TEXT, EC_R_PATH, "export", NULL, 1, 4096, NULL,
              "write the features of every flow to this file, as CSV, to train from; slows the workers"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

struct ml {
    const struct ec_host *host;
    const struct ec_http *http;
    struct around_tables around;
    struct score_out out;
    struct export export;
    uint32_t lease, alerts;         /* alerts: a space of ec.hosts/1 */
    char *export_path;
};
struct ml_worker {
    uint32_t number;
    uint64_t *cells, spare[METRICS];
    struct export_buffer *export;   /* NULL: there is nothing to export */
    float features[FEATURES], row[MANIFEST_INPUTS];
};

/* Is this the first alert about f's source in its window? Windows stand still on the clock of the packets, and a flow
 * belongs to that of its first one: so who alerts, and how often, does not depend on the order in which flows end. */
static bool alert_due(const struct ml *ml, const struct ml_state *st, const struct ec_flow *f)
{
    uint64_t window = st->alert_window_ns ? f->first_ns / st->alert_window_ns : 0;
    uint8_t key[24];
    uint64_t *alerts;
    bool due;

    if (!st->alert_window_ns || !ml->around.hosts)
        return true;
    memcpy(key, f->src, 16);
    memcpy(key + 16, &window, 8);
    alerts = ml->around.hosts->lock(ml->around.self, ml->alerts, key, sizeof key, f->last_ns);
    if (!alerts)
        return true;
    due = !(*alerts)++;
    ml->around.hosts->unlock(ml->around.self, alerts);
    return due;
}

static void suspicious(const struct ml *ml, struct ml_worker *w, const struct ml_state *st, struct ec_flow *f,
                       const struct verdict *v)
{
    w->cells[M_SCORES]++;
    if (!alert_due(ml, st, f))
        w->cells[M_HELD]++;
    else if (ml->out.alert) {
        w->cells[M_ALERTS]++;
        w->cells[M_LOST] += !score_alert(&ml->out, w->number, f, st->model, v, st->threshold);
    }
}

static void score(const struct ml *ml, struct ml_worker *w, const struct ml_state *st, struct ec_flow *f)
{
    struct verdict v;
    double margin;
    bool above;

    model_row(st->model, w->features, w->row);
    margin = model_margin(st->model, w->row);
    above = forest_probability(margin) >= st->threshold;
    w->cells[M_FLOWS]++;
    if (!above && !st->every)
        return;
    model_explain(st->model, w->row, margin, &v);
    w->cells[M_LOST] += !score_publish(&ml->out, w->number, f, st->model, &v, st->threshold);
    if (above)
        suspicious(ml, w, st, f, &v);
}

/* Nothing that matters is to come: its features go out and its score is made, once. */
static void flow_done(const struct ml *ml, struct ml_worker *w, const struct ml_state *st, struct ec_flow *f,
                      struct seen *s)
{
    if ((s->flags & SEEN_DONE) || (!w->export && !st->model))
        return;
    s->flags |= SEEN_DONE;
    feature_values(f, s, w->features);
    if (w->export) {
        export_row(&ml->export, w->export, f, w->features);
        w->cells[M_EXPORTED]++;
    }
    if (st->model)
        score(ml, w, st, f);
}

/* A TCP connection that is closed is scored at once; its flow lives on for late segments. */
static void on_packet(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p)
{
    struct ml *ml = self;
    uint64_t now = p->frame->ts_ns;
    struct seen *s;

    (void)gen;
    if (!p->flow || (p->flags & EC_PK_ABOUT))
        return;                     /* an ICMP error says what somebody else thinks of the flow */
    s = EC_LEASED(p->flow, ml->lease, struct seen);
    if (s->flags & SEEN_DONE)
        return;
    if (!(s->flags & SEEN_BEGUN)) {
        s->flags |= SEEN_BEGUN;
        if (seen_is_reply(p)) {
            s->flags |= SEEN_DONE;
            ((struct ml_worker *)w)->cells[M_REPLIES]++;
            return;
        }
        around_begin(&ml->around, p->flow, now, &s->around);
    }
    if (!(s->flags & SEEN_ANSWERED) && seen_is_answer(p)) {
        s->flags |= SEEN_ANSWERED;
        around_answer(&ml->around, p->flow, now);
    }
    seen_packet(s, p);
    if (p->flow->state == EC_FLOW_CLOSED)
        flow_done(ml, w, st, p->flow, s);
}

static void on_flow_end(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, uint32_t reason)
{
    const struct ml *ml = self;

    (void)gen, (void)reason;
    flow_done(ml, w, st, f, EC_LEASED(f, ml->lease, struct seen));
}

static const struct ec_inspector inspector = {
    .size = sizeof inspector, .flags = EC_INSPECT_OPTIONAL, .name = "ml", .packet = on_packet, .flow_end = on_flow_end,
};

static int32_t ml_create(const struct ec_host *h, void **self)
{
    struct ml *ml = *self = calloc(1, sizeof *ml);

    if (!ml)
        return h->fail(h, EC_ENOMEM, "out of memory");
    ml->host = ml->out.host = h;
    ml->export.fd = -1;
    return EC_OK;
}

static int32_t setup_hosts(struct ml *ml)
{
    struct around_tables *a = &ml->around;
    int32_t rc;

    a->hosts = ml->host->use(ml->host, EC_HOSTS_ID, &a->self);
    rc = around_open(a);
    if (!rc && a->hosts)
        rc = a->hosts->space(a->self, "ml.alerts", sizeof(uint64_t), ALERT_KEYS, ALERT_IDLE_NS, &ml->alerts);
    return rc ? ml->host->fail(ml->host, rc, "there is no room for state across flows") : EC_OK;
}

static int32_t ml_setup(void *self)
{
    struct ml *ml = self;
    const struct ec_host *h = ml->host;
    struct score_out *o = &ml->out;
    void *http_self;
    int32_t rc;

    o->traffic = h->use(h, EC_TRAFFIC_ID, &o->traffic_self);
    if (!o->traffic)
        return h->fail(h, EC_ENOENT, "there is no traffic engine whose flows could be scored");
    rc = setup_hosts(ml);
    if (!rc)
        rc = score_topic(o);
    if (!rc)
        rc = o->traffic->lease(o->traffic_self, EC_LEASE_FLOW, sizeof(struct seen), NULL, NULL, &ml->lease);
    if (!rc)
        rc = o->traffic->inspect(o->traffic_self, h, &inspector, ml, NULL);
    if (!rc && (ml->http = h->use(h, EC_HTTP_ID, &http_self)))
        rc = routes_declare(ml->http, http_self, h, &ml->http);
    return rc;
}

/* A model that cannot be used is no reason to stop: nothing is scored, and it is said and counted. */
static void load(struct ml *ml, const struct ec_conf *c, struct ml_state *st)
{
    const struct ec_host *h = ml->host;
    const char *path = h->conf_text(c, "model", 0);

    if (!path)
        path = SHIPPED_MODEL;
    if (!*path)
        return;
    st->model = model_load(path, st->why, sizeof st->why);
    if (!st->model) {
        h->metric(h, M_MODEL_ERRORS, 1);
        EC_LOG(h, EC_LOG_WARNING, "no flow is scored: %s", st->why);
    }
}

static int32_t ml_configure(void *self, const struct ec_conf *c, void **state)
{
    struct ml *ml = self;
    const struct ec_host *h = ml->host;
    struct ml_state *st = calloc(1, sizeof *st);
    const char *path = h->conf_text(c, "export", 0);
    int64_t v = 0;

    if (!st || (path && !ml->export_path && !(ml->export_path = strdup(path)))) {
        free(st);
        return h->fail(h, EC_ENOMEM, "out of memory");
    }
    load(ml, c, st);
    if (h->conf_f64(c, "threshold", 0, &st->threshold) && st->model)
        st->threshold = st->model->manifest.threshold;
    if (!h->conf_num(c, "publish", 0, &v))
        st->every = v == 1;
    if (!h->conf_num(c, "alert_window", 0, &v))
        st->alert_window_ns = (uint64_t)v;
    h->gauge(h, M_MODELS, st->model != NULL);
    *state = st;
    return EC_OK;
}

static void ml_state_free(void *self, void *state)
{
    struct ml_state *st = state;

    (void)self;
    model_free(st->model);
    free(st);
}

static int32_t ml_start(void *self, const void *state)
{
    struct ml *ml = self;
    const struct ml_state *st = state;
    int rc;

    ml->out.alert = ec_alert_topic(ml->host);
    if (st->model)
        EC_LOG(ml->host, EC_LOG_INFO, "scoring flows with %s: %u trees, threshold %.3f", st->model->manifest.id,
               st->model->forest.trees, st->threshold);
    if (ml->export_path && (rc = export_open(&ml->export, ml->export_path)))
        return ec_failf(ml->host, EC_EIO, "ml.export: %s: %s", ml->export_path, strerror(-rc));
    return EC_OK;
}

static void ml_stop(void *self)
{
    export_close(&((struct ml *)self)->export);
}

static int32_t ml_worker_init(void *self, uint32_t worker, void **out)
{
    struct ml *ml = self;
    struct ml_worker *w = *out = calloc(1, sizeof *w);

    if (w && ml->export_path && !(w->export = calloc(1, sizeof *w->export))) {
        free(w);
        w = NULL;
    }
    if (!w)
        return ml->host->fail(ml->host, EC_ENOMEM, "out of memory for a worker");
    w->number = worker;
    w->cells = ml->host->cells(ml->host, worker);
    if (!w->cells)
        w->cells = w->spare;
    return EC_OK;
}

static void ml_worker_fini(void *self, void *worker)
{
    struct ml *ml = self;
    struct ml_worker *w = worker;

    if (w->export) {
        export_flush(&ml->export, w->export);
        if (w->export->lost)
            EC_LOG(ml->host, EC_LOG_WARNING, "ml.export: %s: rows were lost, is the disk full?", ml->export_path);
    }
    free(w->export);
    free(w);
}

static void ml_destroy(void *self)
{
    struct ml *ml = self;

    free(ml->export_path);
    free(ml);
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_traffic), 0, EC_TRAFFIC_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN | EC_USE_OPTIONAL, sizeof(struct ec_hosts), 0, EC_HOSTS_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
};

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD,
    .id = "org.ecyber.ml", .name = "ml", .version = "0.1.0", .summary = "scores finished flows and says why",
    .license = "MIT",
    .n_use = 3, .use_stride = sizeof(struct ec_use), .use = uses,
    .n_metric = METRICS, .metric_stride = sizeof(struct ec_metric), .metric = metrics,
    .options = &options,
    .create = ml_create, .setup = ml_setup, .configure = ml_configure, .state_free = ml_state_free,
    .start = ml_start, .stop = ml_stop, .worker_init = ml_worker_init, .worker_fini = ml_worker_fini,
    .destroy = ml_destroy,
};
EC_PLUGIN(plugin)
