/* plugin.h: the plugin ABI of eCyber. A plugin includes this and links to nothing.
 *
 * RULES   Append only; never reorder, resize or reuse. No enum, bool, bit-field, long, time_t, FILE* or struct by
 *         value crosses the line; no vtable stands inside another struct. Structs start with their size, in bytes, as
 *         their writer knew them; EC_HAS() is the only way to read a field that was appended after level 1. Arrays of
 *         structs carry a stride. Times are nanoseconds, lengths are bytes, text is UTF-8 without NUL inside and ends
 *         with NUL.
 * OWNER   Pointers passed in are borrowed until the call returns, unless marked [keep]: they must stay valid until
 *         destroy(). Whoever allocates frees. Static descriptors live until the process exits: plugins are never
 *         unloaded.
 * THREAD  [ctl]  the control thread           [cfg]  one pool thread, one call at a time
 *         [wrk]  packet worker N, never two calls with the same N at once; must not block, lock or allocate
 *         [sub]  serial for one subscription or timer            [pool] any pool thread           [any] anywhere
 * ERRORS  0 or a negative EC_E*. Say why with host->fail() before returning one: that sentence is what people read.
 *
 * STATUS  released and frozen: this header and record.h. Extensions (ext/) say theirs in their first line.
 *
 * CHANGE LOG
 *   level 1  (eCyber 0.1.0) the first: life cycle, options, records, topics, publish and subscribe, metrics, timers, work,
 *            interned names. Appended since: ec_event.app_side to vlan_third.
 */
#ifndef EC_PLUGIN_H
#define EC_PLUGIN_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "record.h"

#ifndef EC_API_LEVEL                /* the level YOU wrote against: a number of yours, never a macro of ours */
# error "write #define EC_API_LEVEL 1 (or higher) before including ecyber/plugin.h"
#endif
#define EC_ABI_MAJOR 1

#ifdef __cplusplus
# define EC_EXPORT extern "C" __attribute__((visibility("default")))
extern "C" {
#else
# define EC_EXPORT __attribute__((visibility("default")))
#endif

/* Does the struct that p points to reach as far as the field f? */
#define EC_HAS(p, type, f) ((p)->size >= offsetof(type, f) + sizeof(((type *)0)->f))

enum {
    EC_OK = 0, EC_EINVAL = -1, EC_ENOMEM = -2, EC_ENOTSUP = -3, EC_EAGAIN = -4, EC_EIO = -5, EC_EPERM = -6,
    EC_ENOENT = -7, EC_EEND = -8, EC_ELIMIT = -9, EC_EEXIST = -10
};
enum { EC_LOG_DEBUG = 10, EC_LOG_INFO = 20, EC_LOG_WARNING = 30, EC_LOG_ERROR = 40, EC_LOG_CRITICAL = 50 };

/* One row of the metric table. A counter only grows; a gauge is set. Name: "events_written", "decode.ipv4.trunc". A
 * counter whose name begins with "dropped." counts what was lost or not looked at: /api/system/drops lists it with its
 * help, which should say why and what can be done, and the health says that something was lost. */
enum { EC_METRIC_COUNTER = 1, EC_METRIC_GAUGE = 2 };
struct ec_metric { uint32_t size, kind; const char *name, *unit, *help; };

/* An extension is an INTERFACE (many implement it, one calls it: ec.source, ec.stage, ec.enrich) or a SERVICE
 * (exactly one implements it: ec.traffic, ec.hosts, ec.keyword, ec.store, ec.http, ec.respond …). */
enum {
    EC_USE_SETUP = 1,               /* needed in setup(); may form cycles */
    EC_USE_RUN = 2,                 /* needed while running: orders start and stop, a cycle is refused */
    EC_USE_OPTIONAL = 4             /* NULL once, in setup(), where missing; it never appears later */
};
struct ec_use { uint32_t size, flags, min_size, reserved; const char *id; };        /* "ec.traffic/1-draft.1" */
struct ec_offer { uint32_t size, reserved; const char *id; const void *vtable; };   /* static; starts with its size */

struct ec_conf;                     /* one plugin's configuration: immutable, checked against its option rows */

/* An event as it arrives. state: the plugin's, of the generation that is current. [sub] */
typedef void ec_event_fn(void *self, const void *state, const struct ec_event *ev);
enum {
    EC_SUB_QUEUED = 1,              /* on a lane's thread, from a queue of the subscriber's own */
    EC_SUB_INLINE = 2,              /* on the publisher's thread at once, under the packet lane's rules */
    EC_SUB_OWN_THREAD = 3           /* from its own queue on a thread of its own: may block */
};
enum { EC_OVF_DROP_NEW = 1, EC_OVF_DROP_OLD = 2, EC_OVF_SAMPLE = 3 /* keep one of 16 while over half full */ };
struct ec_sub {
    uint32_t size, mode;            /* EC_SUB_* */
    uint32_t capacity, bytes;       /* of its own queue: events, bytes; 0: the configured default */
    uint32_t overflow, reserved;    /* EC_OVF_* */
    const char *topic;              /* "ec.alert/1", or "*": every topic, also those declared later */
    ec_event_fn *fn;
    void (*idle)(void *self, const void *state);    /* [sub] its queue ran empty: flush now. May be NULL */
};

enum { EC_TIMER_WALL = 1 /* off with --workers 0, where the other timers follow the packets' clock */ };
struct ec_timer {
    uint32_t size, flags;
    uint64_t every_ns;              /* at least 1 ms; the first time after one period */
    void (*fn)(void *self, const void *state, uint64_t now_ns);                      /* [sub] */
};

/* A call site of the log, static and zeroed: the host keeps its rate limit in it. */
struct ec_site { uint32_t size, line; const char *file; uint64_t priv[4]; };

/* What a thread is doing, for the crash handler and the watchdog. Who calls hooks of another plugin on a worker writes
 * the names (static strings) before the call and puts back what stood there after it. */
struct ec_mark { const char *volatile plugin, *volatile callback; };

struct ec_host {                    /* one for each plugin; [keep]. Its functions take it as first argument */
    uint32_t size, abi_major, api_level, reserved;
    const char *product, *version;
    void *ctx;                      /* the host's */

    void (*log)(const struct ec_host *h, int32_t level, struct ec_site *site, const char *msg);    /* [any] */
    int32_t (*log_on)(const struct ec_host *h, int32_t level);          /* [any] 1: this level is written */
    int32_t (*fail)(const struct ec_host *h, int32_t err, const char *why);         /* [any] returns err */

    /* Options, typed by the plugin's rows. [cfg] within configure(); strings live as long as the state.
     * i: index in a list or map, 0 otherwise. EC_ENOENT: absent and without default. */
    int32_t (*conf_num)(const struct ec_conf *c, const char *name, uint32_t i, int64_t *v);
    int32_t (*conf_f64)(const struct ec_conf *c, const char *name, uint32_t i, double *v);
    const char *(*conf_text)(const struct ec_conf *c, const char *name, uint32_t i);
    const char *(*conf_key)(const struct ec_conf *c, const char *name, uint32_t i);  /* of a map's entry i */
    uint32_t (*conf_count)(const struct ec_conf *c, const char *name);
    const char *(*conf_where)(const struct ec_conf *c, const char *name, uint32_t i); /* "FILE:LINE:COL", for errors */

    /* [ctl] in setup() only; the host undoes all of it. */
    const void *(*use)(const struct ec_host *h, const char *id, void **self);       /* vtable, NULL: none */
    int32_t (*topic)(const struct ec_host *h, const struct ec_topic *t, uint32_t *id);      /* t: [keep] */
    int32_t (*subscribe)(const struct ec_host *h, const struct ec_sub *s);
    int32_t (*timer)(const struct ec_host *h, const struct ec_timer *t);
    int32_t (*metric_add)(const struct ec_host *h, const struct ec_metric *m, uint32_t *index);  /* m: [keep] */

    /* Topics. [any] after setup(). NULL: there is no such topic. */
    uint32_t (*topic_count)(const struct ec_host *h);                   /* ids are 1 … count */
    const struct ec_topic *(*topic_get)(const struct ec_host *h, uint32_t id);
    uint32_t (*topic_find)(const struct ec_host *h, const char *name);  /* 0: none */

    /* Publishing. worker: the caller's number on [wrk], EC_PUB_MAILBOX elsewhere. open() gives a build with a zeroed
     * head; EC_ENOENT: nobody listens to this topic, so do not build it. publish() runs the enrichers, seals the
     * block and hands it over; it never blocks. EC_EAGAIN: it was lost, and that is already counted. Every open()
     * is ended by exactly one publish() or discard() on the same thread; opens may nest 4 deep. */
    int32_t (*open)(const struct ec_host *h, uint32_t worker, uint32_t topic, struct ec_build *b);  /* [any] */
    int32_t (*publish)(const struct ec_host *h, struct ec_build *b);                                /* [any] */
    void (*discard)(const struct ec_host *h, struct ec_build *b);                                   /* [any] */

    /* Metrics. cells: one for each metric index, private to the worker: write with plain stores. [wrk] */
    uint64_t *(*cells)(const struct ec_host *h, uint32_t worker);
    void (*metric)(const struct ec_host *h, uint32_t index, int64_t delta);         /* [any] */
    void (*gauge)(const struct ec_host *h, uint32_t index, int64_t value);          /* [any] */

    /* Names that survive generations: the same number for the same name for the whole run, from 1 on.
     * intern: [ctl] [cfg], and [wrk] in open() of a source; 0: out of memory. interned: [any], NULL: unknown. */
    uint32_t (*intern)(const struct ec_host *h, const char *space, const char *name);
    const char *(*interned)(const struct ec_host *h, const char *space, uint32_t id);

    /* What belongs to the plugin that h was made for. [wrk] within a batch, the same for the whole batch. */
    const void *(*state)(const struct ec_host *h, uint32_t worker);
    void *(*worker_mem)(const struct ec_host *h, uint32_t worker);      /* from its worker_init() */
    uint32_t (*gen)(const struct ec_host *h, uint32_t worker);
    uint32_t (*workers)(const struct ec_host *h);                       /* [any] at least 1 */
    struct ec_mark *(*mark)(const struct ec_host *h, uint32_t worker);  /* [wrk] */

    /* fn runs on a pool thread; state: of the current generation, held until fn returns. [any] */
    int32_t (*work)(const struct ec_host *h, void (*fn)(void *self, const void *state, void *arg), void *arg);
    uint64_t (*now)(const struct ec_host *h);       /* [any] wall clock, ns; the packets' clock with --workers 0 */
    const char *(*state_dir)(const struct ec_host *h);      /* [any] the plugin's own folder, made on first use */
    void *(*loop)(const struct ec_host *h);         /* [ctl] [sub] struct event_base of its lane; NULL: none */
};

struct ec_plugin {
    uint32_t size, abi_major, api_level, reserved;  /* these four first, for ever */
    const char *id;                 /* "org.example.hello": unique in the world */
    const char *name;               /* "hello": its section in the configuration, [a-z][a-z0-9_]{0,31}, unique here */
    const char *version, *summary, *license, *url;
    uint32_t n_use, use_stride, n_offer, offer_stride, n_metric, metric_stride;
    const struct ec_use *use;
    const struct ec_offer *offer;
    const struct ec_metric *metric;
    const struct ec_record *options;

    /* Any of these may be NULL. Order: create all, setup all, (configure), start in RUN order, stop in reverse.
     * Who fails in create() has cleaned up: its destroy() is not called. Where one fails before it runs, those
     * that were created are destroyed and all begins anew without it, so create() may be called again. */
    int32_t (*create)(const struct ec_host *h, void **self);         /* [ctl] cheap, no I/O; services work after it */
    int32_t (*setup)(void *self);                                    /* [ctl] topics, uses, parsers, keywords, leases */
    /* [cfg] Build an immutable state: at start and at each reload, while the old one is in use. c is valid as
     * long as the state. */
    int32_t (*configure)(void *self, const struct ec_conf *c, void **state);
    void (*state_free)(void *self, void *state);                     /* [cfg] nobody can reach it any more */
    int32_t (*start)(void *self, const void *state);                 /* [ctl] */
    void (*stop)(void *self);                                        /* [ctl] */
    int32_t (*worker_init)(void *self, uint32_t worker, void **w);   /* [wrk] before the first batch; may allocate */
    void (*worker_fini)(void *self, void *w);                        /* [wrk] after the last */
    void (*destroy)(void *self);                                     /* [ctl] */
};

/* The one exported symbol. Pure: returns a static, touches nothing. */
#define EC_ENTRY_SYMBOL "ec_plugin_entry_1"
#define EC_PLUGIN(desc) \
    EC_EXPORT const struct ec_plugin *ec_plugin_entry_1(void); \
    EC_EXPORT const struct ec_plugin *ec_plugin_entry_1(void) { return &(desc); }
/* The first fields of the descriptor. */
#define EC_PLUGIN_HEAD (uint32_t)sizeof(struct ec_plugin), EC_ABI_MAJOR, EC_API_LEVEL, 0

/* Does it count losses? A counter of the daemon's own bus ("bus.dropped.…") does, too. */
static inline int32_t ec_metric_is_loss(const struct ec_metric *m)
{
    const char *name = m->name;

    return m->kind == EC_METRIC_COUNTER && (!strncmp(name, "dropped.", 8) || !strncmp(name, "bus.dropped.", 12));
}

/* Log and fail with a format; at most 1,023 bytes. */
__attribute__((format(printf, 4, 5)))
static inline void ec_logf(const struct ec_host *h, int32_t level, struct ec_site *site, const char *fmt, ...)
{
    char msg[1024];
    va_list ap;
    if (!h->log_on(h, level))
        return;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    h->log(h, level, site, msg);
}
#define EC_LOG(h, level, ...) do { \
        static struct ec_site ec_site_ = { (uint32_t)sizeof(struct ec_site), __LINE__, __FILE__, { 0, 0, 0, 0 } }; \
        ec_logf((h), (level), &ec_site_, __VA_ARGS__); \
    } while (0)

__attribute__((format(printf, 3, 4)))
static inline int32_t ec_failf(const struct ec_host *h, int32_t err, const char *fmt, ...)
{
    char msg[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    return h->fail(h, err, msg);
}

#ifdef __cplusplus
}
#endif
#endif
