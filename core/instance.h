/* instance.h: one loaded plugin and its life: create, setup, configure, start, stop. Each call into it stands under a
 * mark; what it asked of the core in setup() is collected here and handed on at the freeze, so that a plugin that fails
 * before leaves nothing behind. */
#ifndef CORE_INSTANCE_H
#define CORE_INSTANCE_H

#define EC_API_LEVEL 1
#include <stdbool.h>
#include <ecyber/plugin.h>

struct daemon;
struct conf;

enum instance_status {
    INSTANCE_LOADED, INSTANCE_CREATED, INSTANCE_SETUP, INSTANCE_CONFIGURED, INSTANCE_RUNNING, INSTANCE_STOPPED,
    INSTANCE_REFUSED            /* left out: `why` says why */
};

struct instance {
    struct ec_plugin d;         /* the descriptor, min(sizes) copied over zeroes; its arrays at our own strides */
    struct ec_host host;        /* host.ctx points back here */
    struct daemon *daemon;
    char *path;                 /* of the shared object; NULL: built in (tests) */
    void *self;
    uint32_t index;             /* in the list of instances and in every plan: RUN order, providers first */
    enum instance_status status;
    char why[1024];             /* one sentence, from fail() or the core */
    uint32_t first_metric, n_metric;    /* its rows in the metric registry: the table's, then metric_add()'s */
    void **worker_mem;          /* by worker */
    struct instance **bound;    /* provider of use i; NULL: none (optional) */
    struct instance_wants *wants;       /* what setup() asked for; until the freeze */
    char *state_dir;            /* made on first use */
};

static inline struct instance *instance_of(const struct ec_host *h) { return (struct instance *)h->ctx; }
const char *instance_status_name(enum instance_status s);

/* The instances that run, in RUN order; fixed from the freeze to the stop. [any] */
uint32_t instance_count(void);
struct instance *instance_at(uint32_t index);
/* [wrk] worker_init() and worker_fini() of every instance on this worker's thread: once before its first batch and once
 * after its last (in reverse order). init: 0, or EC_E* with a sentence in why; what was initialised is ended again. */
int instance_worker_init(uint32_t worker, char *why, uint32_t n);
void instance_worker_fini(uint32_t worker);

#endif
