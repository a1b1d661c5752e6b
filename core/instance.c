#include "core/instance.h"

#include "core/deadline.h"
#include "core/host.h"
#include "core/intern.h"
#include "core/loader.h"
#include "core/log/mark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct { struct instance *const *list; uint32_t n; } running;

const char *instance_status_name(enum instance_status s)
{
    static const char *const names[] = {
        [INSTANCE_LOADED] = "loaded",    [INSTANCE_CREATED] = "created",
        [INSTANCE_SETUP] = "set up",     [INSTANCE_CONFIGURED] = "configured",
        [INSTANCE_RUNNING] = "running",  [INSTANCE_STOPPED] = "stopped",
        [INSTANCE_REFUSED] = "left out",
    };

    return (size_t)s < sizeof names / sizeof names[0] ? names[s] : "?";
}

struct instance *instance_new(const char *path)
{
    struct instance *i = calloc(1, sizeof *i);
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    size_t n = strlen(file);
    char *name = strndup(file, n > 3 && !strcmp(file + n - 3, ".so") ? n - 3 : n);

    if (i && name) {
        /* marks point to it for ever */
        i->d.name = intern_get("plugin file", intern_name("plugin file", name));
        i->path = strdup(path);
    }
    free(name);
    if (!i || !i->d.name || !i->path) {
        free(i);
        return NULL;
    }
    i->d.id = i->d.version = "";
    i->index = UINT32_MAX;
    return i;
}

static void wants_clear(struct instance_wants *w)
{
    for (uint32_t k = 0; k < w->n_sub; k++)
        free((void *)(uintptr_t)w->sub[k].topic);
    free(w->sub);
    free(w->timer);
    free(w->metric);
    memset(w, 0, sizeof *w);
}

void instance_free(struct instance *i)
{
    if (!i)
        return;
    wants_clear(&i->wants);
    loader_forget(i);
    free(i->worker_mem);
    free(i->bound);
    free(i->state_dir);
    free(i->path);
    free(i);
}

void instance_refuse(struct instance *i, const char *fmt, ...)
{
    char why[sizeof i->why];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    snprintf(i->why, sizeof i->why, "%s: left out: %.900s", i->path ? i->path : i->d.name, why);
    i->status = INSTANCE_REFUSED;
}

static struct ec_mark enter(const struct instance *i, const char *callback)
{
    host_why_clear();
    deadline_begin();
    return mark_enter(i->d.name, callback);
}

static void leave(struct ec_mark old)
{
    mark_leave(old);
    deadline_end();
}

/* The end of a callback on the way up: its status, or its sentence and its refusal. */
static int reached(struct instance *i, int32_t err, enum instance_status status,
                   const char *callback)
{
    if (!err) {
        i->status = status;
        return EC_OK;
    }
    instance_refuse(i, "%s() failed: %s", callback, host_why(i, err));
    return err;
}

int instance_create(struct instance *i)
{
    struct ec_mark old = enter(i, "create");
    int32_t err;

    host_init(i);
    err = i->d.create ? i->d.create(&i->host, &i->self) : EC_OK;
    leave(old);
    if (err)
        i->self = NULL;             /* who fails in create() has cleaned up */
    return reached(i, err, INSTANCE_CREATED, "create");
}

int instance_setup(struct instance *i)
{
    struct ec_mark old = enter(i, "setup");
    int32_t err;

    i->wants.open = true;
    err = i->d.setup ? i->d.setup(i->self) : EC_OK;
    i->wants.open = false;
    leave(old);
    return reached(i, err, INSTANCE_SETUP, "setup");
}

int instance_configure(struct instance *i, const struct ec_conf *c, void **state, char *why,
                       uint32_t n)
{
    struct ec_mark old = enter(i, "configure");
    int32_t err;

    *state = NULL;
    err = i->d.configure ? i->d.configure(i->self, c, state) : EC_OK;
    leave(old);
    if (err) {
        snprintf(why, n, "%s: %s", i->d.name, host_why(i, err));
        *state = NULL;
    }
    return err;
}

int instance_start(struct instance *i, const void *state)
{
    struct ec_mark old = enter(i, "start");
    int32_t err = i->d.start ? i->d.start(i->self, state) : EC_OK;

    leave(old);
    return reached(i, err, INSTANCE_RUNNING, "start");
}

void instance_stop(struct instance *i)
{
    struct ec_mark old;

    if (i->status != INSTANCE_RUNNING)
        return;
    old = enter(i, "stop");
    if (i->d.stop)
        i->d.stop(i->self);
    leave(old);
    i->status = INSTANCE_STOPPED;
}

void instance_state_free(struct instance *i, void *state)
{
    struct ec_mark old;

    if (!state || !i->d.state_free)
        return;
    old = enter(i, "state_free");
    i->d.state_free(i->self, state);
    leave(old);
}

void instance_destroy(struct instance *i)
{
    struct ec_mark old = enter(i, "destroy");

    if (i->self && i->d.destroy)
        i->d.destroy(i->self);
    leave(old);
    i->self = NULL;
    wants_clear(&i->wants);
    free(i->worker_mem);
    i->worker_mem = NULL;
    i->n_metric = i->first_metric = 0;
    if (i->status != INSTANCE_REFUSED)
        i->status = INSTANCE_LOADED;
}

void instance_list(struct instance *const *list, uint32_t n, uint32_t workers)
{
    for (uint32_t k = 0; k < n; k++) {
        list[k]->index = k;
        free(list[k]->worker_mem);
        list[k]->worker_mem = calloc(workers, sizeof *list[k]->worker_mem);
    }
    running.list = list;
    running.n = n;
}

uint32_t instance_count(void)
{
    return running.n;
}

struct instance *instance_at(uint32_t index)
{
    return index < running.n ? running.list[index] : NULL;
}

static void worker_fini(struct instance *i, uint32_t worker)
{
    struct ec_mark old = mark_enter(i->d.name, "worker_fini");

    if (i->d.worker_init && i->d.worker_fini && i->worker_mem)
        i->d.worker_fini(i->self, i->worker_mem[worker]);
    mark_leave(old);
}

int instance_worker_init(uint32_t worker, char *why, uint32_t n)
{
    for (uint32_t k = 0; k < running.n; k++) {
        struct instance *i = running.list[k];
        struct ec_mark old = mark_enter(i->d.name, "worker_init");
        int32_t err;

        host_why_clear();
        err = !i->worker_mem     ? EC_ENOMEM
              : i->d.worker_init ? i->d.worker_init(i->self, worker, &i->worker_mem[worker])
                                 : EC_OK;
        mark_leave(old);
        if (!err)
            continue;
        snprintf(why, n, "%s: worker_init() failed: %s", i->d.name, host_why(i, err));
        while (k--)
            worker_fini(running.list[k], worker);
        return err;
    }
    return EC_OK;
}

void instance_worker_fini(uint32_t worker)
{
    for (uint32_t k = running.n; k--; )
        worker_fini(running.list[k], worker);
}
