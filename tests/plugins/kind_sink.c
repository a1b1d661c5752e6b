/* kind_sink.c: the kind 'sink': takes every event on a thread of its own, as slowly as it is told, and counts for itself
 * what is missing: a gap in a publisher's seq is a lost event. */
#define EC_API_LEVEL 1
#include <stdlib.h>
#include <time.h>
#include <ecyber/plugin.h>

#define PUBLISHERS 64

enum { METRIC_EVENTS, METRIC_GAPS, METRIC_BACKWARDS, METRIC_LAST };
static const struct ec_metric metrics[] = {
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "events", "events", "events that arrived" },
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "gaps", "events", "events that the gaps in seq tell of" },
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "backwards", "events", "events that came out of order" },
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "last", "events", "sum of each publisher's last seq that arrived" },
};
static const struct ec_row option_rows[] = {
    EC_OPTION(DURATION, EC_R_LIVE, "delay", "0s", 0, INT64_C(10000000000), NULL, "what each event takes"),
    EC_OPTION(U64, EC_R_LIVE, "stall_after", "0", 0, INT64_MAX, "events", "stop taking events after so many; 0: never"),
    EC_OPTION(DURATION, EC_R_LIVE, "stall", "3s", 0, INT64_C(60000000000), NULL, "for how long"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

struct sink { const struct ec_host *host; uint64_t taken, last[PUBLISHERS]; };
struct state { int64_t delay_ns, stall_after, stall_ns; };

static void pause_ns(int64_t ns)
{
    struct timespec t = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

    if (ns > 0)
        nanosleep(&t, NULL);
}

static void sink_event(void *self, const void *state, const struct ec_event *ev)
{
    struct sink *s = self;
    const struct state *st = state;
    uint32_t p = ev->publisher == EC_PUB_MAILBOX ? PUBLISHERS - 1 : ev->publisher % (PUBLISHERS - 1);

    s->host->metric(s->host, METRIC_EVENTS, 1);
    if (ev->seq > s->last[p] + 1)
        s->host->metric(s->host, METRIC_GAPS, (int64_t)(ev->seq - s->last[p] - 1));
    if (ev->seq <= s->last[p])
        s->host->metric(s->host, METRIC_BACKWARDS, 1);
    s->host->metric(s->host, METRIC_LAST, (int64_t)(ev->seq - s->last[p]));
    s->last[p] = ev->seq;
    pause_ns(st->delay_ns);
    if (++s->taken == (uint64_t)st->stall_after)
        pause_ns(st->stall_ns);
}

static int32_t sink_create(const struct ec_host *h, void **self)
{
    struct sink *s = *self = calloc(1, sizeof *s);

    return s ? (s->host = h, EC_OK) : EC_ENOMEM;
}

static int32_t sink_setup(void *self)
{
    static const struct ec_sub sub = { sizeof sub, EC_SUB_OWN_THREAD, 0, 0, EC_OVF_DROP_NEW, 0, "*", sink_event, NULL };
    struct sink *s = self;

    return s->host->subscribe(s->host, &sub);
}

static int32_t sink_configure(void *self, const struct ec_conf *c, void **state)
{
    struct sink *s = self;
    struct state *st = *state = calloc(1, sizeof *st);

    if (!st)
        return EC_ENOMEM;
    s->host->conf_num(c, "delay", 0, &st->delay_ns);
    s->host->conf_num(c, "stall_after", 0, &st->stall_after);
    s->host->conf_num(c, "stall", 0, &st->stall_ns);
    return EC_OK;
}

static void sink_state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.sink", "kind_sink", "1", "counts what it misses", "MIT", NULL,
    0, 0, 0, 0, 4, sizeof metrics[0], NULL, NULL, metrics, &options,
    sink_create, sink_setup, sink_configure, sink_state_free, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
