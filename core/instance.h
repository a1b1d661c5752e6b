/* instance.h: one loaded plugin and its life: create, setup, configure, start, stop. */
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
    struct ec_plugin d;         /* the descriptor, min(sizes) copied over zeroes */
    struct ec_host host;        /* host.ctx points back here */
    struct daemon *daemon;
    char *path;                 /* of the shared object; NULL: built in (tests) */
    void *self;
    uint32_t index;             /* in the daemon's list and in every plan */
    enum instance_status status;
    char why[1024];             /* one sentence, from fail() or the core */
    uint32_t first_metric, n_metric;    /* its rows in the metric registry */
    void **worker_mem;          /* by worker */
};

#endif
