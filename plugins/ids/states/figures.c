/* GET /api/ids/status, /api/ids/stats, /api/ids/alerts/histogram: the engine and its alerts in figures. */
#include "plugins/ids/states/alerts.h"

#include <stdlib.h>
#include <string.h>

#define SECOND      UINT64_C(1000000000)
#define BUCKETS_MAX 200u
#define SPAN        (24 * 3600 * SECOND)    /* where nobody says since when */
#define BUCKETS     60u                     /* where nobody says how long each is */
#define PATIENCE    (5 * SECOND)            /* then the rest is left out */

/* --- metrics as members of a reply -------------------------------------------------------------------------------- */

struct status {
    struct ec_part part;
    uint64_t loaded, failed, skipped, replaced, disabled, patterns, bytes, by_state[STATES];
};
#define FIGURE(T, member, name, unit, help) EC_FIELD(U64, 0, T, member, name, unit, help)
static const struct ec_row status_rows[] = {
    FIGURE(struct status, loaded, "rules_loaded", "rules", "in use"),
    FIGURE(struct status, failed, "rules_failed", "rules", "with an error"),
    FIGURE(struct status, skipped, "rules_skipped", "rules", "left out: they ask for what this build does not know"),
    FIGURE(struct status, replaced, "rules_replaced", "rules", "replaced by a higher revision"),
    FIGURE(struct status, disabled, "rules_disabled", "rules", "that stand behind a '#'"),
    FIGURE(struct status, patterns, "prefilter_patterns", "patterns", "fast patterns in all groups"),
    FIGURE(struct status, bytes, "prefilter_bytes", "bytes", "memory of the prefilter"),
    FIGURE(struct status, by_state[STATE_OPEN], "states.open", "alerts", "opened again by somebody"),
    FIGURE(struct status, by_state[STATE_ACKNOWLEDGED], "states.acknowledged", "alerts", "acknowledged"),
    FIGURE(struct status, by_state[STATE_CLOSED], "states.closed", "alerts", "closed"),
    FIGURE(struct status, by_state[STATE_FALSE_POSITIVE], "states.false_positive", "alerts", "found to be false"),
};
const struct ec_record status_reply = EC_RECORD_PART(struct status, status_rows);

struct stats {
    struct ec_part part;
    uint64_t alerts, suppressed, over, lost, passed, candidates, verified, verify_limit, pcre_limit, flowbits_full,
        windows_taken, pending_full, tx_full, scan_errors;
};
static const struct ec_row stats_rows[] = {
    FIGURE(struct stats, alerts, "alerts", "alerts", "published"),
    FIGURE(struct stats, suppressed, "alerts_suppressed", "matches", "that a threshold held back"),
    FIGURE(struct stats, over, "alerts_over", "matches", "held back: ids.max_alerts for one packet was reached"),
    FIGURE(struct stats, lost, "alerts_lost", "alerts", "that the bus did not take"),
    FIGURE(struct stats, passed, "passed", "matches", "of pass rules"),
    FIGURE(struct stats, candidates, "candidates", "rules", "that the prefilter proposed"),
    FIGURE(struct stats, verified, "verified", "buffers", "in which all contents of a rule were looked for"),
    FIGURE(struct stats, verify_limit, "verify_limit", "buffers", "searches given up: too many places to try"),
    FIGURE(struct stats, pcre_limit, "pcre_limit", "matches", "regular expressions stopped by their limits"),
    FIGURE(struct stats, flowbits_full, "flowbits_full", "marks", "flowbits that found no room in their flow"),
    FIGURE(struct stats, windows_taken, "windows_taken", "windows", "stream windows taken from other flows"),
    FIGURE(struct stats, pending_full, "pending_full", "searches", "windows and transactions searched anew"),
    FIGURE(struct stats, tx_full, "tx_alerts_full", "transactions", "on which too many rules alerted"),
    FIGURE(struct stats, scan_errors, "scan_errors", "buffers", "that the prefilter could not search"),
};
const struct ec_record stats_reply = EC_RECORD_PART(struct stats, stats_rows);

struct reading { const struct ec_record *record; void *to; };

/* The row of the same name takes it. */
static void on_metric(void *arg, const char *plugin, const struct ec_metric *m, int64_t value)
{
    struct reading *g = arg;

    if (strcmp(plugin, "ids") != 0)
        return;
    for (uint32_t i = 0; i < g->record->n_row; i++)
        if (!strcmp(g->record->row[i].name, m->name))
            *(uint64_t *)(void *)((char *)g->to + g->record->row[i].off) = value < 0 ? 0 : (uint64_t)value;
}

static void read_metrics(struct alerts *a, const struct ec_record *record, void *to, uint32_t bytes)
{
    struct reading g = { record, to };

    memset(to, 0, bytes);
    ((struct ec_part *)to)->size = ((struct ec_part *)to)->total = bytes;
    if (a->daemon)
        a->daemon->metrics(a->daemon_self, on_metric, &g);
}

int32_t ids_status(void *self, const void *state, struct ec_req *r)
{
    struct alerts *a = self;
    struct status to;

    (void)state;
    read_metrics(a, &status_reply, &to, sizeof to);
    if (a->states)
        states_count(a->states, to.by_state);
    return a->http->reply(r, 200, &to.part);
}

int32_t ids_stats(void *self, const void *state, struct ec_req *r)
{
    struct alerts *a = self;
    struct stats to;

    (void)state;
    read_metrics(a, &stats_reply, &to, sizeof to);
    return a->http->reply(r, 200, &to.part);
}

/* --- alerts over time --------------------------------------------------------------------------------------------- */

struct histogram_param { struct ec_part part; uint64_t interval; };
static const struct ec_row param_rows[] = {
    { EC_T_DURATION, EC_R_OPT, 0, 0, (uint32_t)offsetof(struct histogram_param, interval), "interval", NULL, NULL,
      NULL, NULL, "of each bar, such as 5m; without it there are 60", (int64_t)SECOND,
      INT64_C(366) * 86400 * (int64_t)SECOND },
};
const struct ec_record histogram_param = EC_RECORD_PART(struct histogram_param, param_rows);

struct bar { uint64_t time, count, severity[4]; };     /* severity[0]: every other one */
static const struct ec_row bar_rows[] = {
    EC_FIELD(TIME, 0, struct bar, time, "time", NULL, "when the bar begins"),
    EC_FIELD(U64, 0, struct bar, count, "count", "alerts", "in it"),
    EC_FIELD(U64, 0, struct bar, severity[1], "severity_1", "alerts", "of the most severe"),
    EC_FIELD(U64, 0, struct bar, severity[2], "severity_2", "alerts", "of the next"),
    EC_FIELD(U64, 0, struct bar, severity[3], "severity_3", "alerts", "of the one after it"),
    EC_FIELD(U64, 0, struct bar, severity[0], "severity_other", "alerts", "of any other"),
};
static const struct ec_record bar_record = EC_RECORD_ELEMENT(struct bar, bar_rows);
struct histogram { struct ec_part part; struct ec_list items; uint64_t interval; uint8_t partial, pad[7]; };
static const struct ec_row histogram_rows[] = {
    EC_FIELD_LIST(&bar_record, struct histogram, items, "items", "the oldest first, also those with no alert"),
    EC_FIELD(DURATION, 0, struct histogram, interval, "interval", "ns", "of each"),
    EC_FIELD(BOOL, 0, struct histogram, partial, "partial", NULL, "time ran out, or a file cannot be read"),
};
const struct ec_record histogram_reply = EC_RECORD_PART(struct histogram, histogram_rows);

static int32_t on_severity(void *arg, const char *value, uint64_t n)
{
    struct bar *b = arg;
    uint32_t at = value && *value >= '1' && *value <= '3' && !value[1] ? (uint32_t)(*value - '0') : 0;

    b->severity[at] += n;
    b->count += n;
    return EC_OK;
}

struct span { uint64_t since, interval; uint32_t n; };

/* Whole bars, the last one up to `until` or a little later. False: more than BUCKETS_MAX of them. */
static bool span_of(const struct histogram_param *p, const struct ec_query *q, uint64_t now, struct span *s)
{
    uint64_t until = q->until_ns ? q->until_ns : now, n;
    uint64_t since = q->since_ns ? q->since_ns : until > SPAN ? until - SPAN : 0;

    s->interval = p->part.has & 1 ? p->interval : (until > since ? until - since : 0) / BUCKETS / SECOND * SECOND;
    if (s->interval < SECOND)
        s->interval = SECOND;
    s->since = since / s->interval * s->interval;
    n = until > s->since ? (until - s->since + s->interval - 1) / s->interval : 0;
    s->n = (uint32_t)n;
    return n <= BUCKETS_MAX;
}

static int32_t count_bars(struct alerts *a, const struct ec_query *asked, const struct span *s, struct bar *bar,
                          struct histogram *to, char *why, uint32_t n)
{
    uint64_t end = a->host->now(a->host) + PATIENCE;
    struct ec_query q = *asked;
    int32_t err = EC_OK;

    for (uint32_t i = 0; i < s->n; i++)
        bar[i].time = s->since + i * s->interval;
    for (uint32_t i = s->n; !err && i; i--) {               /* the newest are wanted most */
        struct ec_page page = { .size = sizeof page };

        if (a->host->now(a->host) > end) {
            to->partial = 1;
            break;
        }
        q.since_ns = bar[i - 1].time < asked->since_ns ? asked->since_ns : bar[i - 1].time;
        q.until_ns = bar[i - 1].time + s->interval;
        if (asked->until_ns && q.until_ns > asked->until_ns)
            q.until_ns = asked->until_ns;
        err = a->store->count(a->store_self, &q, "alert.severity", 256, on_severity, &bar[i - 1], &page, why, n);
        to->partial |= page.flags & EC_PAGE_PARTIAL;
    }
    return err;
}

static void histogram_work(struct ec_req *r, void *arg)
{
    struct alerts *a = arg;
    const struct ec_query *q = a->http->query(r);
    struct ec_build b = { .cap = 4096 + BUCKETS_MAX * (uint32_t)sizeof(struct bar) };
    struct histogram *to;
    struct bar *bar;
    char why[256] = "";
    struct span s;
    int32_t err;

    if (!span_of(a->http->param(r), q, a->host->now(a->host), &s)) {
        a->http->invalid(r, "query.interval", "value_error",
                         "there would be more than 200 bars: a longer one, or a later since");
        return;
    }
    if (!(b.base = calloc(1, b.cap))) {
        a->http->error(r, 503, "out of memory");
        return;
    }
    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    to->interval = s.interval;
    bar = s.n ? ec_rows(&b, &to->items, s.n, sizeof *bar) : NULL;
    if (!bar)
        to->items.off = (uint32_t)sizeof(struct ec_part);
    err = bar ? count_bars(a, q, &s, bar, to, why, sizeof why) : EC_OK;
    if (!err)
        a->http->reply(r, 200, &to->part);
    else if (err == EC_EINVAL)
        a->http->invalid(r, "query", "value_error", *why ? why : "the filter cannot be used");
    else
        a->http->error(r, 503, "the store cannot be read at the moment");
    free(b.base);
}

int32_t alerts_histogram(void *self, const void *state, struct ec_req *r)
{
    struct alerts *a = self;

    (void)state;
    if (!a->store)
        return a->http->error(r, 503, "no plugin is there that keeps events (ec.store/1)");
    return a->http->work(r, histogram_work, a) ? EC_OK : EC_EAGAIN;
}
