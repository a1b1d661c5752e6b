/* The glue between the rule engine and the plugin interface. */
#include "plugins/ids/host.h"

#include "plugins/ids/evidence/alert.h"
#include "plugins/ids/keyword/external.h"
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/limits/limits.h"
#include "plugins/ids/load.h"
#include "plugins/ids/manage/manage.h"
#include "plugins/ids/match/engine.h"
#include "plugins/ids/match/limit.h"
#include "plugins/ids/routes.h"
#include "plugins/ids/sources/sources.h"

#include <ecyber/ext/daemon.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/json.h>
#include <ecyber/ext/store.h>
#include <stdlib.h>
#include <string.h>

enum { IDS_WINDOWS = 65536,                 /* of one worker: 144 MiB of address space, used as flows need it */
       IDS_LIMITS = 262144                  /* counters of thresholds, over all rules and addresses */ };
#define IDS_LIMIT_IDLE_NS (UINT64_C(7) * 86400 * 1000000000)

struct ids {
    const struct ec_host *host;
    struct engine_port port;
    struct alert_out out;
    struct keyword_list external;
    struct alerts *alerts;                  /* its routes; NULL: there is no HTTP server */
    struct reloads *reloads;                /* NULL: a host without ec.daemon/1 */
    struct manage *manage;
    struct limits *limits;
    struct sources *sources;
};
struct ids_worker { struct worker w; struct ids *ids; uint64_t spare[COUNTS]; };

#define COUNTER(name, unit, help) { sizeof(struct ec_metric), EC_METRIC_COUNTER, name, unit, help }
#define GAUGE(name, unit, help) { sizeof(struct ec_metric), EC_METRIC_GAUGE, name, unit, help }
static const struct ec_metric metrics[] = {
    [COUNT_ALERTS] = COUNTER("alerts", "alerts", "Alerts published."),
    [COUNT_SUPPRESSED] = COUNTER("alerts_suppressed", "matches",
                                 "Matches that a threshold or a suppression held back."),
    [COUNT_OVER] = COUNTER("alerts_over", "matches", "Matches held back: ids.max_alerts for one packet was reached."),
    [COUNT_LOST] = COUNTER("alerts_lost", "alerts", "Alerts that the bus did not take; its drops say why."),
    [COUNT_PASSED] = COUNTER("passed", "matches", "Matches of pass rules."),
    [COUNT_CANDIDATES] = COUNTER("candidates", "rules", "Rules that the prefilter proposed."),
    [COUNT_VERIFIED] = COUNTER("verified", "buffers", "Buffers in which all contents of a rule were looked for."),
    [COUNT_VERIFY_LIMIT] = COUNTER("verify_limit", "buffers", "Searches given up: too many places to try."),
    [COUNT_PCRE_LIMIT] = COUNTER("pcre_limit", "matches", "Regular expressions stopped by ids.pcre limits."),
    [COUNT_FLOWBITS_FULL] = COUNTER("flowbits_full", "marks", "Flowbits that found no room in their flow."),
    [COUNT_FLOWINTS_FULL] = COUNTER("flowints_full", "numbers", "Flowints that found no room in their flow."),
    [COUNT_WINDOWS_TAKEN] = COUNTER("windows_taken", "windows",
                                    "Stream windows taken from other flows: raise ids.stream_windows."),
    [COUNT_PENDING_FULL] = COUNTER("pending_full", "searches", "Windows and transactions searched anew."),
    [COUNT_DONE_FULL] = COUNTER("tx_alerts_full", "transactions", "Transactions on which too many rules alerted."),
    [COUNT_SCAN_ERROR] = COUNTER("scan_errors", "buffers", "Buffers that the prefilter could not search."),
    [COUNT_INLINE] = COUNTER("inline_packets", "packets", "Packets of sources that wait for a verdict."),
    [COUNT_BLOCKED] = COUNTER("blocked_packets", "packets", "Packets of those that a rule holds back."),
    [METRIC_LOADED] = GAUGE("rules_loaded", "rules", "Rules in use."),
    [METRIC_FAILED] = GAUGE("rules_failed", "rules", "Lines of rule and classification files with an error."),
    [METRIC_SKIPPED] = GAUGE("rules_skipped", "rules", "Rules left out: they ask for what this build does not know."),
    [METRIC_REPLACED] = GAUGE("rules_replaced", "rules", "Rules replaced by a higher revision."),
    [METRIC_DISABLED] = GAUGE("rules_disabled", "rules", "Rules that stand behind a '#'."),
    [METRIC_PATTERNS] = GAUGE("prefilter_patterns", "patterns", "Fast patterns in all groups."),
    [METRIC_BYTES] = GAUGE("prefilter_bytes", "bytes", "Memory of the prefilter's databases."),
};

#define OPTION(T, flags, name, def, min, max, unit, help) \
    EC_OPTION(T, EC_R_LIVE | (flags), name, def, min, max, unit, help)
static const struct ec_row option_rows[] = {
    OPTION(TEXT, EC_R_LIST | EC_R_PATH, "rule_files", NULL, 1, 4096, NULL,
           "files of rules; a name may hold * and ?. Without this and rules_dir: rules/ecyber.rules of the "
           "configuration"),
    OPTION(TEXT, EC_R_PATH, "rules_dir", NULL, 1, 4096, NULL, "a folder of which every *.rules file is read"),
    OPTION(TEXT, EC_R_PATH, "classification_file", NULL, 1, 4096, NULL,
           "classes of rules; default: rules/classification.config of the configuration, where it exists"),
    OPTION(TEXT, EC_R_PATH, "threshold_file", NULL, 1, 4096, NULL,
           "suppressions and thresholds for rules, one a line, as Suricata's threshold.config has them"),
    OPTION(MAP, 0, "vars", NULL, 1, 65535, NULL, "variables of rules: HOME_NET, HTTP_PORTS …"),
    OPTION(BOOL, 0, "strict", "false", 0, 0, NULL, "a rule with an error stops the start or the reload"),
    OPTION(U32, 0, "max_alerts", "15", 1, 1000, "alerts", "for one packet"),
    OPTION(U32, 0, "pcre.match_limit", "10000", 100, 10000000, NULL, "PCRE2's limit of steps for one match"),
    OPTION(U32, 0, "pcre.depth_limit", "1500", 100, 1000000, NULL, "PCRE2's limit of nested steps"),
    OPTION(U32, 0, "stream_windows", "65536", 16, IDS_WINDOWS, "windows",
           "of 2 KiB, for each worker: streams whose last bytes are kept for contents across packets"),
    OPTION(SIZE, 0, "packet_bytes", "2048", 0, 16384, "bytes", "of the packet that go with an alert"),
    EC_OPTION(TEXT, EC_R_LIST, "sources.allow", NULL, 2, 64, NULL,
              "networks and addresses that rules may be fetched from though they are not public"),
    EC_OPTION(BOOL, 0, "sources.plain", "false", 0, 0, NULL,
              "take http:// for rule sources, which anybody on the way can change"),
    EC_OPTION(TEXT, EC_R_PATH, "sources.ca_file", NULL, 1, 4096, NULL,
              "authorities (PEM) of the hosts that rules are fetched from, instead of the system's"),
    EC_OPTION(DURATION, 0, "sources.time", "2m", INT64_C(1000000000), INT64_C(3600000000000), NULL,
              "for a file to come, at most"),
    EC_OPTION(SIZE, 0, "sources.download", "64MiB", 4096, 1 << 30, "bytes", "of a file that comes, at most"),
    EC_OPTION(SIZE, 0, "sources.unpacked", "256MiB", 4096, 1 << 30, "bytes", "of all that is in it, at most"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

static bool ids_alert(void *arg, const struct scope *s, const struct hit *h)
{
    const struct ids *ids = arg;
    const struct ids_state *st = ids->host->state(ids->host, s->w->number);

    return alert_publish(&ids->out, s, h, st->packet_bytes);
}

static int32_t ids_create(const struct ec_host *h, void **self)
{
    struct ids *ids = *self = calloc(1, sizeof *ids);

    if (!ids)
        return h->fail(h, EC_ENOMEM, "out of memory");
    ids->host = h;
    ids->out.host = h;
    ids->port.arg = ids;
    ids->port.alert = ids_alert;
    ids->manage = manage_new(h, &ids->port, &ids->external);
    ids->limits = limits_new(h);
    ids->sources = sources_new(h, &ids->port, &ids->external);
    if (ids->manage && ids->limits && ids->sources)
        return EC_OK;
    manage_free(ids->manage);
    limits_free(ids->limits);
    sources_free(ids->sources);
    free(ids);
    return h->fail(h, EC_ENOMEM, "out of memory");
}

static void hook_packet(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p)
{
    (void)self;
    engine_packet(&((struct ids_worker *)w)->w, ((const struct ids_state *)st)->engine, gen, p);
}

static void hook_chunk(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, const struct ec_chunk *k)
{
    (void)self;
    engine_chunk(&((struct ids_worker *)w)->w, ((const struct ids_state *)st)->engine, gen, f, k);
}

static void hook_tx(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, struct ec_tx *x,
                    struct ec_packet *p)
{
    (void)self;
    engine_tx(&((struct ids_worker *)w)->w, ((const struct ids_state *)st)->engine, gen, f, x, p);
}

/* [wrk] The flow's own worker. */
static void hook_flow_end(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, uint32_t reason)
{
    struct worker *k = &((struct ids_worker *)w)->w;
    struct flowstate *s = EC_LEASED(f, k->port->flow_lease, struct flowstate);

    (void)self, (void)st, (void)gen, (void)reason;
    window_put(&k->pool, &s->window[0]);
    window_put(&k->pool, &s->window[1]);
    ints_drop(&k->ints, &s->ints);
}

static const struct ec_inspector inspector = {
    .size = sizeof inspector, .name = "ids", .packet = hook_packet, .chunk = hook_chunk, .tx = hook_tx,
    .flow_end = hook_flow_end,
};

static void hook_look(void *self, const void *state, uint64_t now_ns)
{
    (void)state, (void)now_ns;
    reloads_look(((struct ids *)self)->reloads);
}

/* What follows reloads to their end. */
static int32_t setup_reloads(struct ids *ids)
{
    static const struct ec_timer timer = { sizeof timer, 0, RELOADS_LOOK_NS, hook_look };
    const struct ec_host *h = ids->host;
    void *self;
    const struct ec_daemon *d = h->use(h, EC_DAEMON_ID, &self);

    ids->reloads = reloads_new(h, d, self);
    return ids->reloads ? h->timer(h, &timer) : EC_OK;
}

static int32_t ids_setup(void *self)
{
    struct ids *ids = self;
    const struct ec_host *h = ids->host;
    struct engine_port *p = &ids->port;
    int32_t rc;

    p->traffic = ids->out.traffic = h->use(h, EC_TRAFFIC_ID, &p->traffic_self);
    ids->out.traffic_self = p->traffic_self;
    p->hosts = h->use(h, EC_HOSTS_ID, &p->hosts_self);
    if (!p->traffic)
        return h->fail(h, EC_ENOENT, "there is no traffic engine to inspect");
    if (p->hosts && p->hosts->space(p->hosts_self, "ids.thresholds", sizeof(struct limit_entry), IDS_LIMITS,
                                    IDS_LIMIT_IDLE_NS, &p->hosts_space))
        p->hosts = NULL;
    ids->alerts = routes_declare(h);
    rc = setup_reloads(ids);
    manage_declare(ids->manage, ids->reloads);
    limits_declare(ids->limits, ids->reloads);
    sources_declare(ids->sources, ids->reloads);
    if (!rc)
        rc = alert_topics(&ids->out);
    if (!rc)
        rc = p->traffic->lease(p->traffic_self, EC_LEASE_FLOW, sizeof(struct flowstate), NULL, NULL, &p->flow_lease);
    if (!rc)
        rc = p->traffic->lease(p->traffic_self, EC_LEASE_TX, sizeof(struct txstate), NULL, NULL, &p->tx_lease);
    return rc ? rc : p->traffic->inspect(p->traffic_self, h, &inspector, ids, NULL);
}

/* NULL: host->fail() has the reason. */
static struct tuning *configure_tuning(struct ids *ids, const struct ec_conf *c)
{
    uint32_t errors;
    struct tuning *t = limits_current(ids->limits, c, &errors);
    int64_t strict = 0;

    ids->host->conf_num(c, "strict", 0, &strict);
    if (!t || !errors || !strict)
        return t;
    tuning_release(t);
    ec_failf(ids->host, EC_EINVAL, "ids.threshold_file has %u lines with an error, see above", errors);
    return NULL;
}

static int32_t ids_configure(void *self, const struct ec_conf *c, void **state)
{
    struct ids *ids = self;
    struct load l = { .host = ids->host, .conf = c, .port = &ids->port, .external = &ids->external };
    struct ids_state *st;
    struct sources_config sources;
    int32_t err = sources_configure(ids->host, c, &sources);
    int64_t v;

    sources_config_free(&sources);
    if (err)
        return err;
    if (!(st = calloc(1, sizeof *st)))
        return ids->host->fail(ids->host, EC_ENOMEM, "out of memory");
    if (!ids->host->conf_num(c, "packet_bytes", 0, &v))
        st->packet_bytes = (uint32_t)v;
    st->conf = c;
    l.managed = st->managed = manage_current(ids->manage);
    st->tuning = configure_tuning(ids, c);
    st->engine = st->tuning ? load_engine(&l) : NULL;
    if (!st->engine) {
        manage_leave(ids->manage, st);
        tuning_release(st->tuning);
        free(st);
        return EC_EINVAL;
    }
    st->engine->tuning = st->tuning;
    *state = st;
    return EC_OK;
}

static void ids_state_free(void *self, void *state)
{
    struct ids_state *st = state;

    manage_leave(((struct ids *)self)->manage, st);
    engine_free(st->engine);
    tuning_release(st->tuning);
    free(st);
}

static int32_t ids_worker_init(void *self, uint32_t worker, void **w)
{
    struct ids *ids = self;
    struct ids_worker *k = *w = calloc(1, sizeof *k);

    if (!k || !worker_open(&k->w, &ids->port, worker, IDS_WINDOWS)) {
        free(k);
        return ids->host->fail(ids->host, EC_ENOMEM, "out of memory for stream windows");
    }
    k->ids = ids;
    k->w.count = ids->host->cells(ids->host, worker);
    if (!k->w.count)
        k->w.count = k->spare;
    return EC_OK;
}

static void ids_worker_fini(void *self, void *w)
{
    struct ids_worker *k = w;

    (void)self;
    worker_close(&k->w);
    free(k);
}

static int32_t ids_start(void *self, const void *state)
{
    struct ids *ids = self;

    routes_start(ids->alerts);
    return sources_start(ids->sources, ((const struct ids_state *)state)->conf);
}

static void ids_stop(void *self)
{
    sources_stop(((struct ids *)self)->sources);
}

static void ids_destroy(void *self)
{
    struct ids *ids = self;

    routes_free(ids->alerts);
    reloads_free(ids->reloads);
    changes_free(ids->manage);
    manage_free(ids->manage);
    limits_drop_changes(ids->limits);
    limits_free(ids->limits);
    sources_free(ids->sources);
    free(ids);
}

static int32_t keywords_add(void *self, const struct ec_host *h, const struct ec_keyword *k, void *kw_self)
{
    return external_add(&((struct ids *)self)->external, h, k, kw_self);
}

static const struct ec_keywords keywords = { sizeof keywords, 0, keywords_add };

static int32_t list_each(void *self, void (*row)(void *arg, const char *const *cell), void *arg)
{
    const struct ids *ids = self;

    load_list(&ids->port, &ids->external, row, arg);
    return EC_OK;
}

static const char *const columns[] = { "keyword", "status", "help" };
static const struct ec_listing listing = {
    sizeof listing, 3, "keywords", "what rules may say", columns, list_each,
};

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_traffic), 0, EC_TRAFFIC_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN | EC_USE_OPTIONAL, sizeof(struct ec_hosts), 0, EC_HOSTS_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN | EC_USE_OPTIONAL, sizeof(struct ec_store), 0, EC_STORE_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_json), 0, EC_JSON_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_daemon), 0, EC_DAEMON_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN | EC_USE_OPTIONAL, sizeof(struct ec_jobs), 0, EC_JOBS_ID },
};
static const struct ec_offer offers[] = {
    { sizeof(struct ec_offer), 0, EC_KEYWORD_ID, &keywords },
    { sizeof(struct ec_offer), 0, EC_LIST_ID, &listing },
};

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD,
    .id = "org.ecyber.ids", .name = "ids", .version = "0.1.0", .summary = "matches rules and says why",
    .license = "MIT",
    .n_use = sizeof uses / sizeof uses[0], .use_stride = sizeof(struct ec_use), .use = uses,
    .n_offer = 2, .offer_stride = sizeof(struct ec_offer), .offer = offers,
    .n_metric = sizeof metrics / sizeof metrics[0], .metric_stride = sizeof(struct ec_metric), .metric = metrics,
    .options = &options,
    .create = ids_create, .setup = ids_setup, .configure = ids_configure, .state_free = ids_state_free,
    .worker_init = ids_worker_init, .worker_fini = ids_worker_fini, .start = ids_start, .stop = ids_stop,
    .destroy = ids_destroy,
};
EC_PLUGIN(plugin)
