/* tp_news.c: events on demand: `publish [n, bytes]` in the Socket.IO namespace /control publishes n of type `news`. */
#define EC_API_LEVEL 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/socketio.h>

struct news { struct ec_part part; uint64_t number; struct ec_span word, text; };
static const struct ec_row rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct news, number, "number", NULL, "from 1 on"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct news, word, "word", NULL, "odd or even"),
    EC_FIELD(TEXT, 0, struct news, text, "text", NULL, "as long as it was asked for"),
};
static const struct ec_record record = EC_RECORD_PART(struct news, rows);
static const struct ec_topic topic = {
    sizeof topic, EC_TOPIC_EVENT, "org.ecyber.test.news/1", "news", &record, NULL, "on demand" };

struct paper { const struct ec_host *host; const struct ec_socketio *io; void *io_self; uint32_t topic; uint64_t n; };

static void publish(struct paper *p, uint32_t len)
{
    static char text[4096];
    struct ec_build b;
    struct news *n;

    if (p->host->open(p->host, EC_PUB_MAILBOX, p->topic, &b) != EC_OK)
        return;
    if ((n = ec_add(&b, p->topic, sizeof *n))) {
        n->number = ++p->n;
        n->word = ec_puts(&b, p->n % 2 ? "odd" : "even");
        n->text = ec_put(&b, memset(text, 'x', sizeof text), len < sizeof text ? len : sizeof text);
    }
    p->host->publish(p->host, &b);
}

static void on_event(void *self, struct ec_sio *s, const struct ec_sio_event *e)
{
    struct paper *p = self;
    unsigned n = 0, len = 0;

    if (strcmp(e->name, "publish") != 0 || sscanf(e->args, "[%u,%u]", &n, &len) != 2)
        return;
    while (n--)
        publish(p, len);
    if (e->flags & EC_SIO_ACK)
        p->io->ack(s, e->ack, "[]", 2, NULL, 0);
}

static const struct ec_sio_space space = { sizeof space, 0, "/control", NULL, NULL, on_event, NULL };
static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_socketio), 0, EC_SOCKETIO_ID } };

static int32_t paper_create(const struct ec_host *h, void **self)
{
    struct paper *p = *self = calloc(1, sizeof *p);

    return p ? (p->host = h, EC_OK) : EC_ENOMEM;
}

static int32_t paper_setup(void *self)
{
    struct paper *p = self;
    int32_t err = p->host->topic(p->host, &topic, &p->topic);

    p->io = p->host->use(p->host, EC_SOCKETIO_ID, &p->io_self);
    return err ? err : p->io->space(p->io_self, p->host, &space, p);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.news", "tp_news", "1", "events on demand", "MIT", NULL,
    1, sizeof uses[0], 0, 0, 0, 0, uses, NULL, NULL, NULL,
    paper_create, paper_setup, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
