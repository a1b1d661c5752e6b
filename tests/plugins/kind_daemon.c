/* kind_daemon.c: an API or exporter that shows what the daemon says of itself: it asks everything that can be asked once
 * a second from its lane, and publishes each answer as an event. */
#define EC_API_LEVEL 1
#include <stdlib.h>
#include <string.h>
#include <ecyber/ext/daemon.h>

struct answer { struct ec_part part; int64_t err, metrics, core_metrics, own; uint32_t at_once, pad; struct ec_span question, text; };
static const struct ec_row rows[] = {
    EC_FIELD(TEXT, 0, struct answer, question, "question", NULL, "as it was asked"),
    EC_FIELD(I64, 0, struct answer, err, "err", NULL, "of the answer, or of ask()"),
    EC_FIELD(U32, 0, struct answer, at_once, "at_once", NULL, "1: ask() refused it"),
    EC_FIELD(I64, 0, struct answer, metrics, "metrics", NULL, "of all plugins"),
    EC_FIELD(I64, 0, struct answer, core_metrics, "core_metrics", NULL, "of the core"),
    EC_FIELD(I64, 0, struct answer, own, "own", NULL, "value of the plugin's own metric"),
    EC_FIELD(WIRE, 0, struct answer, text, "text", NULL, "the answer"),
};
static const struct ec_record record = EC_RECORD_PART(struct answer, rows);
static const struct ec_topic topic = {
    sizeof topic, EC_TOPIC_EVENT, "org.ecyber.test.answer/1", "testanswer", &record, NULL, "what the daemon said" };
static const struct ec_metric metrics[] = { { sizeof metrics[0], EC_METRIC_COUNTER, "asked", "questions", "asked so far" } };

struct asker { const struct ec_host *host; const struct ec_daemon *daemon; void *daemon_self; uint32_t topic; };
struct question { struct asker *asker; const char *text; };
struct count { int64_t all, core, own; };

static void on_metric(void *arg, const char *plugin, const struct ec_metric *m, int64_t value)
{
    struct count *c = arg;

    c->all++;
    c->core += !*plugin;
    if (!strcmp(plugin, "kind_daemon") && !strcmp(m->name, "asked"))
        c->own = value;
}

static void tell(struct asker *a, const char *question, int32_t err, uint32_t at_once, const char *json, uint32_t len)
{
    struct count c = { 0, 0, -1 };
    struct ec_build b;
    struct answer *p;

    if (a->host->open(a->host, EC_PUB_MAILBOX, a->topic, &b))
        return;
    a->daemon->metrics(a->daemon_self, on_metric, &c);
    if ((p = ec_add(&b, a->topic, sizeof *p))) {
        p->err = err;
        p->at_once = at_once;
        p->metrics = c.all;
        p->core_metrics = c.core;
        p->own = c.own;
        p->question = ec_puts(&b, question);
        p->text = ec_put(&b, json, len);
    }
    a->host->publish(a->host, &b);
}

static void on_answer(void *arg, int32_t err, const char *json, uint32_t len)
{
    struct question *q = arg;

    tell(q->asker, q->text, err, 0, json, len);
    free(q);
}

static void ask_all(void *self, const void *state, uint64_t now_ns)
{
    static const char *const questions[] = { "status", "drops", "plugins", "plugin eve", "plugin nobody", "stop", "drops" };
    struct asker *a = self;

    (void)state;
    (void)now_ns;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        struct question *q = malloc(sizeof *q);
        int32_t err;

        if (!q)
            return;
        *q = (struct question){ a, questions[i] };
        a->host->metric(a->host, 0, 1);
        err = a->daemon->ask(a->daemon_self, questions[i], on_answer, q);
        if (!err)
            continue;
        tell(a, questions[i], err, 1, "", 0);
        free(q);
    }
}

static int32_t create(const struct ec_host *host, void **self)
{
    struct asker *a = calloc(1, sizeof *a);

    if (!a)
        return host->fail(host, EC_ENOMEM, "out of memory");
    a->host = host;
    *self = a;
    return EC_OK;
}

static int32_t setup(void *self)
{
    static const struct ec_timer every = { sizeof every, 0, UINT64_C(500000000), ask_all };
    struct asker *a = self;
    int32_t err = a->host->topic(a->host, &topic, &a->topic);

    a->daemon = a->host->use(a->host, EC_DAEMON_ID, &a->daemon_self);
    if (!err && !a->daemon)
        err = a->host->fail(a->host, EC_ENOENT, "there is no " EC_DAEMON_ID);
    return err ? err : a->host->timer(a->host, &every);
}

static const struct ec_use uses[] = {
    { sizeof uses[0], EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_daemon), 0, EC_DAEMON_ID },
};
static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, .id = "org.ecyber.test.daemon", .name = "kind_daemon", .version = "1",
    .summary = "asks the daemon about itself", .n_use = 1, .use_stride = sizeof uses[0], .use = uses,
    .n_metric = 1, .metric_stride = sizeof metrics[0], .metric = metrics,
    .create = create, .setup = setup, .destroy = free,
};
EC_PLUGIN(plugin)
