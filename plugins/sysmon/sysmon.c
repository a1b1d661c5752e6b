/* sysmon: what the host does: processor, memory, disks, interfaces, processes. This file is the glue: a timer that
 * sends a look to the pool, the event and the metrics that come from it, the routes that answer with the last look. */
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/socketio.h>

#include "plugins/sysmon/host.h"
#include "plugins/sysmon/report.h"
#include "plugins/sysmon/telemetry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define REPORT_BYTES (1u << 17)     /* of one record with its lists */

static const struct ec_row option_rows[] = {
    EC_OPTION(DURATION, EC_R_LIVE, "every", "1s", 1000000000, INT64_C(3600000000000), NULL,
              "how often to look at the host"),
    EC_OPTION(U32, EC_R_LIVE, "top", "10", 0, TASKS_TOP, "processes",
              "in the lists of those that use most processor and memory"),
    EC_OPTION(TEXT, 0, "root", "/", 1, 3000, NULL, "the folder that holds proc and sys"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

enum {
    M_LOOKS, M_LATE, M_UNREADABLE, M_BUSY, M_IOWAIT, M_LOAD, M_MEMORY, M_MEMORY_USED, M_SWAP_USED, M_READ, M_WRITE,
    M_RX, M_TX, M_NET_ERRORS, M_NET_DROPS, M_PROCESSES, M_UPTIME, METRICS
};
#define METRIC(kind, name, unit, help) { (uint32_t)sizeof(struct ec_metric), EC_METRIC_##kind, (name), (unit), (help) }
static const struct ec_metric metrics[METRICS] = {
    [M_LOOKS] = METRIC(COUNTER, "looks", "times", "the host was looked at"),
    [M_LATE] = METRIC(COUNTER, "late", "times", "it was not, because the look before was not done"),
    [M_UNREADABLE] = METRIC(COUNTER, "unreadable", "files", "of proc and sys that could not be read"),
    [M_BUSY] = METRIC(GAUGE, "cpu_busy", "permille", "of all cores: neither idle nor waiting for disks"),
    [M_IOWAIT] = METRIC(GAUGE, "cpu_iowait", "permille", "of all cores: idle while a disk was waited for"),
    [M_LOAD] = METRIC(GAUGE, "load_1m", "milli", "load of one minute, in thousandths"),
    [M_MEMORY] = METRIC(GAUGE, "memory_total", "bytes", "memory of the host"),
    [M_MEMORY_USED] = METRIC(GAUGE, "memory_used", "bytes", "of it, without what is available"),
    [M_SWAP_USED] = METRIC(GAUGE, "swap_used", "bytes", "swap space in use"),
    [M_READ] = METRIC(GAUGE, "disk_read_rate", "bytes/s", "from all disks"),
    [M_WRITE] = METRIC(GAUGE, "disk_write_rate", "bytes/s", "to all disks"),
    [M_RX] = METRIC(GAUGE, "network_rx_rate", "bytes/s", "by all interfaces but loopback"),
    [M_TX] = METRIC(GAUGE, "network_tx_rate", "bytes/s", "by all interfaces but loopback"),
    [M_NET_ERRORS] = METRIC(GAUGE, "network_errors", "packets", "both ways, since the start of the host"),
    [M_NET_DROPS] = METRIC(GAUGE, "network_drops", "packets", "both ways, since the start of the host"),
    [M_PROCESSES] = METRIC(GAUGE, "processes", "processes", "that there are"),
    [M_UPTIME] = METRIC(GAUGE, "uptime", "s", "since the host was started"),
};

struct state { uint64_t every_ns; uint32_t top; const char *root; };
struct sysmon {
    const struct ec_host *host;
    const struct ec_http *http;
    const struct ec_socketio *io;   /* NULL: nobody is told live */
    void *http_self, *io_self;
    struct looker looker;
    uint32_t topic;
    struct sampler sampler;         /* of whoever has set `looking`, and */
    struct telemetry telemetry;
    atomic_bool looking;
    uint64_t looked_ns;             /* [sub] */
    pthread_mutex_t lock;           /* of what the routes read: */
    bool have;
    uint8_t *block[REPORTS];
};

static int32_t sysmon_create(const struct ec_host *h, void **self)
{
    struct sysmon *m = calloc(1, sizeof *m);

    if (!m)
        return h->fail(h, EC_ENOMEM, "out of memory");
    m->host = h;
    m->looker.root = m->looker.proc = -1;
    pthread_mutex_init(&m->lock, NULL);
    *self = m;
    return EC_OK;
}

static void sysmon_destroy(void *self)
{
    struct sysmon *m = self;

    sampler_close(&m->sampler);
    host_close(&m->looker);
    for (uint32_t i = 0; i < REPORTS; i++)
        free(m->block[i]);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static int32_t sysmon_configure(void *self, const struct ec_conf *c, void **state)
{
    const struct ec_host *h = ((struct sysmon *)self)->host;
    struct state *st = calloc(1, sizeof *st);
    int64_t v = 0;

    if (!st)
        return h->fail(h, EC_ENOMEM, "out of memory");
    h->conf_num(c, "every", 0, &v);
    st->every_ns = (uint64_t)v;
    h->conf_num(c, "top", 0, &v);
    st->top = (uint32_t)v;
    st->root = h->conf_text(c, "root", 0);
    *state = st;
    return EC_OK;
}

static void state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static void say(void *arg, const char *sentence)
{
    EC_LOG(((struct sysmon *)arg)->host, EC_LOG_WARNING, "%s", sentence);
}

static struct ec_build build_on(uint8_t *block)
{
    memset(block, 0, sizeof(struct ec_event));
    return (struct ec_build){ .base = block, .used = sizeof(struct ec_event), .cap = REPORT_BYTES };
}

static void publish(struct sysmon *m)
{
    struct ec_build b;

    if (m->host->open(m->host, EC_PUB_MAILBOX, m->topic, &b) != EC_OK)
        return;
    ec_head(&b)->ts_ns = m->host->now(m->host);
    system_write(&m->sampler, m->topic, &b);
    m->host->publish(m->host, &b);
}

static void measure(struct sysmon *m)
{
    const struct sampler *s = &m->sampler;
    const uint64_t *bytes = s->memory.bytes;
    struct totals t = totals_of(s);
    const int64_t v[METRICS] = {
        [M_BUSY] = (int64_t)(s->total.busy * 10), [M_IOWAIT] = (int64_t)(s->total.t[CPU_IOWAIT] * 10),
        [M_LOAD] = (int64_t)s->load.milli[0], [M_MEMORY] = (int64_t)bytes[MEM_TOTAL],
        [M_MEMORY_USED] = (int64_t)(bytes[MEM_TOTAL] - bytes[MEM_AVAILABLE]),
        [M_SWAP_USED] = (int64_t)(bytes[MEM_SWAP_TOTAL] - bytes[MEM_SWAP_FREE]),
        [M_READ] = (int64_t)t.read, [M_WRITE] = (int64_t)t.write, [M_RX] = (int64_t)t.rate[0],
        [M_TX] = (int64_t)t.rate[1], [M_NET_ERRORS] = (int64_t)t.errors, [M_NET_DROPS] = (int64_t)t.drops,
        [M_PROCESSES] = (int64_t)s->tasks.count + s->tasks.over, [M_UPTIME] = (int64_t)s->uptime,
    };

    for (uint32_t i = M_BUSY; i < METRICS; i++)
        m->host->gauge(m->host, i, v[i] > 0 ? v[i] : 0);
}

/* To those who follow events of the type `system`, as the predecessor's page wants it. */
static void tell(struct sysmon *m, uint64_t now_ns)
{
    char *json = m->io ? telemetry_json(&m->telemetry, &m->sampler, now_ns) : NULL;

    if (json)
        m->io->to(m->io_self, NULL, system_topic.root, "system_telemetry", json, (uint32_t)strlen(json));
    free(json);
}

/* [pool] One at a time. */
static void look(void *self, const void *state, void *arg)
{
    struct sysmon *m = self;
    uint32_t failed = sampler_look(&m->sampler, ((const struct state *)state)->top, say, m);
    uint64_t now = m->host->now(m->host);

    (void)arg;
    m->host->metric(m->host, M_LOOKS, 1);
    if (failed)
        m->host->metric(m->host, M_UNREADABLE, failed);
    measure(m);
    publish(m);
    tell(m, now);
    pthread_mutex_lock(&m->lock);
    for (uint32_t i = 0; i < REPORTS; i++) {
        struct ec_build b = build_on(m->block[i]);

        report_write(i, &m->sampler, now, &b);
    }
    m->have = true;
    pthread_mutex_unlock(&m->lock);
    atomic_store(&m->looking, false);
}

static void on_timer(void *self, const void *state, uint64_t now_ns)
{
    struct sysmon *m = self;

    if (now_ns - m->looked_ns + 500000000u < ((const struct state *)state)->every_ns)
        return;
    m->looked_ns = now_ns;
    if (atomic_exchange(&m->looking, true))
        m->host->metric(m->host, M_LATE, 1);
    else if (m->host->work(m->host, look, NULL) != EC_OK)
        atomic_store(&m->looking, false);
}

/* The first look, which rates count from. */
static int32_t sysmon_start(void *self, const void *state)
{
    struct sysmon *m = self;
    const struct state *st = state;
    char why[4200];

    for (uint32_t i = 0; i < REPORTS; i++)
        if (!m->block[i] && !(m->block[i] = calloc(1, REPORT_BYTES)))
            return m->host->fail(m->host, EC_ENOMEM, "out of memory");
    if (!sampler_open(&m->sampler, st->root, why, sizeof why))
        return m->host->fail(m->host, EC_EIO, why);
    host_open(&m->looker, st->root);
    sampler_look(&m->sampler, st->top, say, m);
    return EC_OK;
}

static int32_t reply(struct sysmon *m, enum report which, struct ec_req *r)
{
    int32_t err;

    pthread_mutex_lock(&m->lock);
    if (m->have)
        err = m->http->reply(r, 200, ec_part_first((const struct ec_event *)(const void *)m->block[which]));
    else
        err = m->http->error(r, 503, "the host has not been looked at yet: the first time is a second after the start");
    pthread_mutex_unlock(&m->lock);
    return err;
}

#define RUN(name, which) \
    static int32_t run_##name(void *self, const void *state, struct ec_req *r) \
    { \
        (void)state; \
        return reply(self, which, r); \
    }
RUN(cpu, REPORT_CPU)
RUN(memory, REPORT_MEMORY)
RUN(disk, REPORT_DISK)
RUN(network, REPORT_NETWORK)
RUN(processes, REPORT_PROCESSES)

#define ROUTE(name, about, which) \
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/system/" #name, .opid = "get_system_" #name, \
      .summary = (about), .roles = READERS, .reply = &report_record[which], .run = run_##name }
static const struct ec_route routes[] = {
    ROUTE(cpu, "Processor, load and uptime of the host", REPORT_CPU),
    ROUTE(memory, "Memory and swap of the host", REPORT_MEMORY),
    ROUTE(disk, "File systems and disks of the host", REPORT_DISK),
    ROUTE(network, "Interfaces of the host", REPORT_NETWORK),
    ROUTE(processes, "Processes of the host that use most processor and memory", REPORT_PROCESSES),
};

static int32_t sysmon_setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, EC_TIMER_WALL, 1000000000, on_timer };
    struct sysmon *m = self;
    int32_t err = m->host->topic(m->host, &system_topic, &m->topic);

    m->http = m->host->use(m->host, EC_HTTP_ID, &m->http_self);
    m->io = m->host->use(m->host, EC_SOCKETIO_ID, &m->io_self);
    for (uint32_t i = 0; m->http && i < sizeof routes / sizeof routes[0]; i++)
        if (m->http->route(m->http_self, m->host, &routes[i], m))
            EC_LOG(m->host, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
    m->looker = (struct looker){ .host = m->host, .http = m->http, .http_self = m->http_self };
    m->looker.daemon = m->host->use(m->host, EC_DAEMON_ID, &m->looker.daemon_self);
    host_declare(&m->looker);
    return err ? err : m->host->timer(m->host, &timer);
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_daemon), 0, EC_DAEMON_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_socketio), 0, EC_SOCKETIO_ID },
};
static const struct ec_plugin sysmon_plugin = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.sysmon",
    .name = "sysmon",
    .version = "0.1.0",
    .summary = "what the host does: processor, memory, disks, interfaces, processes",
    .license = "MIT",
    .n_use = sizeof uses / sizeof uses[0],
    .use_stride = sizeof uses[0],
    .use = uses,
    .n_metric = METRICS,
    .metric_stride = sizeof metrics[0],
    .metric = metrics,
    .options = &options,
    .create = sysmon_create,
    .setup = sysmon_setup,
    .configure = sysmon_configure,
    .state_free = state_free,
    .start = sysmon_start,
    .destroy = sysmon_destroy,
};
EC_PLUGIN(sysmon_plugin)
