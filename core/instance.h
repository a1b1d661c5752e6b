/* instance.h: one loaded plugin and its life: create, setup, configure, start, stop. Each call into
 * it stands under a mark; what it asked of the core in setup() is collected here and handed on at
 * the freeze, so that a plugin that fails before leaves nothing behind. */
#ifndef CORE_INSTANCE_H
#define CORE_INSTANCE_H

#define EC_API_LEVEL 1
#include <stdbool.h>
#include <ecyber/plugin.h>

struct ec_conf;

enum instance_status {
    INSTANCE_LOADED, INSTANCE_CREATED, INSTANCE_SETUP, INSTANCE_CONFIGURED, INSTANCE_RUNNING,
    INSTANCE_STOPPED,
    INSTANCE_REFUSED            /* left out: `why` says why */
};

/* What setup() asked of the core. */
struct instance_wants {
    bool open;                  /* setup() runs: it may ask */
    uint32_t n_sub, n_timer, n_metric;
    struct ec_sub *sub;
    struct ec_timer *timer;
    const struct ec_metric **metric;
};

struct instance {
    /* the descriptor, min(sizes) copied over zeroes; its arrays at our own strides */
    struct ec_plugin d;
    struct ec_host host;        /* host.ctx points back here */
    char *path;                 /* of the shared object; NULL: built in (tests) */
    void *self;
    /* in the list of instances and in every plan: RUN order, providers first */
    uint32_t index;
    enum instance_status status;
    bool told;                  /* its refusal stands in the log */
    char why[1024];             /* one sentence, from fail() or the core */
    /* its rows in the metric registry: the table's, then metric_add()'s */
    uint32_t first_metric, n_metric;
    void **worker_mem;          /* by worker */
    struct instance **bound;    /* provider of use i; NULL: none (optional) */
    struct instance_wants wants;
    char *state_dir;            /* made on first use */
};

static inline struct instance *instance_of(const struct ec_host *h)
{
    return (struct instance *)h->ctx;
}
const char *instance_status_name(enum instance_status s);

/* One plugin that is still to be loaded from `path`; its name is the file's without .so until
 * loader_open(). NULL: out of memory. The name is never freed: marks point to it. [ctl] */
struct instance *instance_new(const char *path);
void instance_free(struct instance *i);
/* Leave it out, with a sentence: "PATH: left out: …". [ctl] */
void instance_refuse(struct instance *i, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The callbacks, each under a mark, and under a deadline where one is set (deadline.h). 0, or what
 * the plugin returned, with its sentence in i->why (create, setup, start) or in why (configure). A
 * callback that is NULL succeeds. */
int instance_create(struct instance *i);                                /* [ctl] */
int instance_setup(struct instance *i);                                 /* [ctl] */
int instance_configure(struct instance *i, const struct ec_conf *c, void **state, char *why,
                       uint32_t n);                                     /* [cfg] */
int instance_start(struct instance *i, const void *state);              /* [ctl] */
void instance_stop(struct instance *i);                                 /* [ctl] */
void instance_state_free(struct instance *i, void *state);              /* [cfg] */
/* Destroy it and forget what it asked for, so that it can be created again. [ctl] */
void instance_destroy(struct instance *i);

/* Fix the list of instances that run: gives each its index. The array is the caller's and stays
 * his. [ctl] */
void instance_list(struct instance *const *list, uint32_t n, uint32_t workers);
/* The instances that run, in RUN order; fixed from the freeze to the stop. [any] */
uint32_t instance_count(void);
struct instance *instance_at(uint32_t index);
/* [wrk] worker_init() and worker_fini() of every instance on this worker's thread: once before its
 * first batch and once after its last (in reverse order). init: 0, or EC_E* with a sentence in why;
 * what was initialised is ended again. */
int instance_worker_init(uint32_t worker, char *why, uint32_t n);
void instance_worker_fini(uint32_t worker);

#endif
