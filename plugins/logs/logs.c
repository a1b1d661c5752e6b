/* logs: the daemon's own log as events, so that it is stored and served like everything else. A timer reads the last lines
 * from memory; what it publishes is bounded, so that a line about lines that cannot be stored never feeds itself. */
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/daemon.h>
#include <ecyber/ext/http.h>

#include <stdlib.h>
#include <string.h>

#define PERIOD_NS UINT64_C(250000000)
#define BURST_S 10                  /* seconds of the rate that may come at once: those of a start */
#define LEVELS "debug,info,warning,error,critical"

static const struct ec_row option_rows[] = {
    EC_OPTION_ENUM(EC_R_LIVE, "level", LEVELS, "info", "the least that is kept, of what the log has"),
    EC_OPTION(U32, EC_R_LIVE, "rate", "20", 1, 1000, "lines/s", "kept in the long run; ten seconds of it at once"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

enum { M_LINES, M_MISSED, M_RATE, METRICS };
#define COUNTER(name, help) { (uint32_t)sizeof(struct ec_metric), EC_METRIC_COUNTER, (name), "lines", (help) }
static const struct ec_metric metrics[METRICS] = {
    [M_LINES] = COUNTER("lines", "made events of"),
    [M_MISSED] = COUNTER("missed", "overwritten in memory before they were read"),
    [M_RATE] = COUNTER("over_rate", "left out, because there were more than logs.rate"),
};

struct line {
    struct ec_part part;
    uint32_t level;                 /* word of LEVELS */
    struct ec_span who, thread, message;
    uint64_t suppressed;
};
enum { HAS_SUPPRESSED };
static const struct ec_row line_rows[] = {
    EC_FIELD_ENUM(EC_R_COLUMN, struct line, level, "level", LEVELS, "how serious"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct line, who, "plugin", NULL, "who said it: a plugin, or core"),
    EC_FIELD(TEXT, 0, struct line, thread, "thread", NULL, "on which thread"),
    EC_FIELD(WIRE, EC_R_FTS, struct line, message, "message", NULL, "the sentence"),
    EC_FIELD_OPT(U64, 0, HAS_SUPPRESSED, struct line, suppressed, "suppressed", "lines", "like it, left out before it"),
};
static const struct ec_record line_record = EC_RECORD_PART(struct line, line_rows);
static const struct ec_topic topic = {
    sizeof topic, EC_TOPIC_EVENT | EC_TOPIC_WALL, "ec.log/1", "log", &line_record, NULL, "a line of the daemon's own log" };

struct state { uint32_t level, rate; };
struct logs {
    const struct ec_host *host;
    const struct ec_daemon *daemon;
    void *daemon_self;
    uint32_t topic;
    const struct state *state;      /* [sub] from here on */
    uint64_t seen;                  /* number of the last line that was read */
    uint64_t room_ns;               /* time that is not yet used up: one line costs 1 s / rate */
};

static int32_t logs_create(const struct ec_host *h, void **self)
{
    struct logs *l = calloc(1, sizeof *l);

    if (!l)
        return h->fail(h, EC_ENOMEM, "out of memory");
    l->host = h;
    l->room_ns = UINT64_MAX;
    *self = l;
    return EC_OK;
}

static int32_t logs_configure(void *self, const struct ec_conf *c, void **state)
{
    const struct ec_host *h = ((struct logs *)self)->host;
    struct state *s = calloc(1, sizeof *s);
    int64_t v = 0;

    if (!s)
        return h->fail(h, EC_ENOMEM, "out of memory");
    h->conf_num(c, "level", 0, &v);
    s->level = (uint32_t)v;
    h->conf_num(c, "rate", 0, &v);
    s->rate = (uint32_t)v;
    *state = s;
    return EC_OK;
}

static void state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

/* EC_LOG_* as word of LEVELS. */
static uint32_t word_of(int32_t level)
{
    return level < EC_LOG_INFO ? 0 : level < EC_LOG_WARNING ? 1 : level < EC_LOG_ERROR ? 2 : level < EC_LOG_CRITICAL ? 3 : 4;
}

static void publish(struct logs *l, const struct ec_log_line *line)
{
    struct ec_build b;
    struct line *e;

    if (l->host->open(l->host, EC_PUB_MAILBOX, l->topic, &b) != EC_OK)
        return;
    ec_head(&b)->ts_ns = line->ts_ns;
    if ((e = ec_add(&b, l->topic, sizeof *e))) {
        e->level = word_of(line->level);
        e->who = ec_puts(&b, line->who);
        e->thread = ec_puts(&b, *line->thread ? line->thread : NULL);
        e->message = ec_puts(&b, line->text);
        e->suppressed = line->suppressed;
        if (line->suppressed)
            e->part.has |= UINT64_C(1) << HAS_SUPPRESSED;
    }
    l->host->publish(l->host, &b);
    l->host->metric(l->host, M_LINES, 1);
}

static int32_t take(void *arg, const struct ec_log_line *line)
{
    struct logs *l = arg;
    uint64_t cost = UINT64_C(1000000000) / l->state->rate;

    if (line->number > l->seen + 1)
        l->host->metric(l->host, M_MISSED, (int64_t)(line->number - l->seen - 1));
    l->seen = line->number;
    if (word_of(line->level) < l->state->level)
        return 0;
    if (l->room_ns < cost) {
        l->host->metric(l->host, M_RATE, 1);
        return 0;
    }
    l->room_ns -= cost;
    publish(l, line);
    return 0;
}

static void on_timer(void *self, const void *state, uint64_t now_ns)
{
    struct logs *l = self;
    const uint64_t most = BURST_S * UINT64_C(1000000000);

    (void)now_ns;
    l->state = state;
    l->room_ns = l->room_ns > most - PERIOD_NS ? most : l->room_ns + PERIOD_NS;
    if (!l->daemon->passing(l->daemon_self))
        l->daemon->log(l->daemon_self, l->seen, take, l);
}

#define ALIASES "level=log.level,plugin=log.plugin,message=log.message"
static const struct ec_route routes[] = {
    { .size = sizeof(struct ec_route), .flags = EC_RT_EVENTS, .method = "GET", .path = "/api/system/logs",
      .opid = "list_logs", .summary = "Stored lines of the daemon's own log, the newest first", .roles = "admin,operator",
      .topic = "ec.log/1", .alias = ALIASES },
    { .size = sizeof(struct ec_route), .flags = EC_RT_EVENT, .method = "GET", .path = "/api/system/logs/{id}",
      .opid = "get_log", .summary = "One line of the daemon's own log", .roles = "admin,operator", .errors = "404",
      .topic = "ec.log/1" },
};

static int32_t logs_setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, EC_TIMER_WALL, PERIOD_NS, on_timer };
    struct logs *l = self;
    const struct ec_host *h = l->host;
    void *http_self;
    const struct ec_http *http = h->use(h, EC_HTTP_ID, &http_self);
    int32_t err = h->topic(h, &topic, &l->topic);

    l->daemon = h->use(h, EC_DAEMON_ID, &l->daemon_self);
    for (uint32_t i = 0; http && i < sizeof routes / sizeof routes[0]; i++)
        if (http->route(http_self, h, &routes[i], l))
            EC_LOG(h, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
    return err ? err : h->timer(h, &timer);
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP, sizeof(struct ec_daemon), 0, EC_DAEMON_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
};
static const struct ec_plugin logs = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.logs",
    .name = "logs",
    .version = "0.1.0",
    .summary = "the daemon's own log as events: stored, served, followed",
    .license = "MIT",
    .n_use = sizeof uses / sizeof uses[0],
    .use_stride = sizeof uses[0],
    .use = uses,
    .n_metric = METRICS,
    .metric_stride = sizeof metrics[0],
    .metric = metrics,
    .options = &options,
    .create = logs_create,
    .setup = logs_setup,
    .configure = logs_configure,
    .state_free = state_free,
    .destroy = free,
};
EC_PLUGIN(logs)
