/* hello.c: a plugin to copy. It says hello once a second of packet time: one record type, one option, one metric. */
#define EC_API_LEVEL 1
#include <stdlib.h>
#include <ecyber/plugin.h>

struct hello_event { struct ec_part part; uint64_t count; struct ec_span greeting; };
static const struct ec_row event_rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct hello_event, count, "count", NULL, "number of this greeting"),
    EC_FIELD(TEXT, 0, struct hello_event, greeting, "greeting", NULL, "what was said"),
};
static const struct ec_record event_record = EC_RECORD_PART(struct hello_event, event_rows);
static const struct ec_topic topic = {
    sizeof topic, EC_TOPIC_EVENT, "org.example.hello/1", "hello", &event_record, NULL, "a greeting" };
static const struct ec_row option_rows[] = {
    EC_OPTION(TEXT, EC_R_LIVE, "greeting", "hello, world", 1, 200, NULL, "what to say") };
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);
static const struct ec_metric metrics[] = {
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "greetings", "events", "greetings published" } };

struct hello { const struct ec_host *host; uint64_t count; uint32_t topic; };

static void hello_say(void *self, const void *state, uint64_t now_ns)
{
    struct hello *p = self;
    struct hello_event *e;
    struct ec_build b;
    (void)now_ns;
    if (p->host->open(p->host, EC_PUB_MAILBOX, p->topic, &b) != EC_OK)
        return;                     /* nobody listens */
    if ((e = ec_add(&b, p->topic, sizeof *e))) {
        e->count = ++p->count;
        e->greeting = ec_puts(&b, p->host->conf_text(state, "greeting", 0));
    }
    if (p->host->publish(p->host, &b) == EC_OK)
        p->host->metric(p->host, 0, 1);
}
static int32_t hello_create(const struct ec_host *h, void **self)
{
    struct hello *p = *self = calloc(1, sizeof *p);
    return p ? (p->host = h, EC_OK) : h->fail(h, EC_ENOMEM, "out of memory");
}
static int32_t hello_setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, 0, UINT64_C(1000000000), hello_say };
    struct hello *p = self;
    int32_t err = p->host->topic(p->host, &topic, &p->topic);
    return err ? err : p->host->timer(p->host, &timer);
}
static int32_t hello_configure(void *self, const struct ec_conf *c, void **state)
{
    (void)self;                     /* the checked configuration is all the state there is */
    *state = (void *)(uintptr_t)c;
    return EC_OK;
}
static const struct ec_plugin hello = {
    EC_PLUGIN_HEAD, "org.example.hello", "hello", "1.0", "says hello", "MIT", NULL, 0, 0, 0, 0, 1, sizeof metrics[0],
    NULL, NULL, metrics, &options, hello_create, hello_setup, hello_configure, NULL, NULL, NULL, NULL, NULL, free,
};
EC_PLUGIN(hello)
