/* plugin.h: what the parts of the webhooks plugin share. */
#ifndef WEBHOOKS_PLUGIN_H
#define WEBHOOKS_PLUGIN_H
#include "lib/guard.h"
#include "plugins/webhooks/hooks.h"
#include "plugins/webhooks/pending.h"
#include "plugins/webhooks/queue.h"

#include <ecyber/ext/auth.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/json.h>
#include <stdatomic.h>

enum { M_DELIVERED, M_FAILED, M_RETRIED, M_REFUSED, M_FULL, M_REPLAYED, M_PENDING, METRICS };

/* Options, one for each generation. */
struct config {
    struct guard guard;
    uint64_t retry_ns;              /* before the second attempt; four times as long before each further one */
    uint32_t attempts, timeout_ms;
    bool plain;                     /* http:// is taken */
};

struct webhooks {
    const struct ec_host *host;
    const struct ec_http *http;     /* NULL: there is no HTTP server */
    const struct ec_store *store;
    const struct ec_json *json;
    void *http_self, *store_self, *json_self;
    uint32_t topic, alert_topic;    /* of deliveries; of alerts, 0: none */
    struct hooks *hooks;            /* NULL without a store */
    struct queue queue;
    atomic_bool pumping, stopping;
    bool ready;                     /* from start() on */
    char pending[4096];             /* file of what a stop leaves undone, "": none is kept */
};

/* [any] A body of {"type","timestamp","data"}; json: the event as an object. NULL: out of memory. */
struct delivery *delivery_new(uint64_t hook, const char *type, uint64_t ts_ns, uint64_t event, const char *json,
                              uint32_t n);
/* [any] Take it into the queue, and see that somebody works on it. False: the queue is full, and d is gone. */
bool deliver(struct webhooks *w, struct delivery *d);
/* [sub] Once in a while: begin what is due. */
void pump_wake(struct webhooks *w, uint64_t now_ns);

/* One attempt, as an event. status: of HTTP, 0: none; next_ns: when the next one follows, 0: none does. */
struct attempt { uint32_t status, took_ms; uint64_t next_ns; const char *why; };
void attempt_tell(struct webhooks *w, const struct delivery *d, const struct attempt *a);
#define DELIVERY_TOPIC "ec.webhook_delivery/1"
#define DELIVERY_ROOT  "webhook_delivery"
extern const struct ec_topic delivery_topic;

/* [ctl] setup(). */
void routes_declare(struct webhooks *w);

#endif
