/* replay: captures that people hand in, read by a daemon of their own, and rules that are tried on them. */
#include "plugins/replay/replay.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ec_row option_rows[] = {
    EC_OPTION(SIZE, 0, "size", "256MiB", 4096, REPLAY_UPLOAD, "bytes", "of a capture that is handed in, at most"),
    EC_OPTION(SIZE, 0, "keep", "2GiB", 1 << 20, INT64_C(1) << 40, "bytes",
              "of captures and events that are kept, all together; the oldest go first"),
    EC_OPTION(SIZE, 0, "output", "256MiB", 1 << 20, INT64_C(1) << 36, "bytes", "of the events of one replay, at most"),
    EC_OPTION(SIZE, 0, "memory", "2GiB", 256 << 20, INT64_C(1) << 40, "bytes",
              "of address space of the process that reads it"),
    EC_OPTION(DURATION, 0, "time", "10m", INT64_C(1000000000), INT64_C(86400000000000), NULL, "of one replay, at most"),
    EC_OPTION(U32, 0, "at_once", "1", 1, 16, "replays", "that run at the same time; the others wait"),
    EC_OPTION(TEXT, EC_R_LIST, "plugins", NULL, 1, 64, NULL,
              "loaded for a replay beside capture, traffic, ids and eve: geoip, ml, parsers of your own"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

static int32_t replay_create(const struct ec_host *h, void **self)
{
    struct replay *k = *self = calloc(1, sizeof *k);

    if (!k)
        return h->fail(h, EC_ENOMEM, "out of memory");
    k->host = h;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->changed, NULL);
    return EC_OK;
}

static int32_t replay_setup(void *self)
{
    struct replay *k = self;
    const struct ec_host *h = k->host;

    k->http = h->use(h, EC_HTTP_ID, &k->http_self);
    k->jobs = h->use(h, EC_JOBS_ID, &k->jobs_self);
    k->daemon = h->use(h, EC_DAEMON_ID, &k->daemon_self);
    k->captures = h->use(h, EC_CAPTURES_ID, &k->captures_self);
    return k->http && k->jobs && k->daemon ? routes_setup(k) : EC_OK;
}

static uint64_t number(const struct ec_host *h, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    h->conf_num(c, name, 0, &v);
    return (uint64_t)v;
}

static void replay_state_free(void *self, void *state)
{
    struct options *o = state;

    (void)self;
    for (uint32_t i = 0; i < o->n_plugin; i++)
        free(o->plugin[i]);
    free(o);
}

static int32_t replay_configure(void *self, const struct ec_conf *c, void **state)
{
    const struct ec_host *h = ((struct replay *)self)->host;
    struct options *o = calloc(1, sizeof *o);
    uint32_t n = h->conf_count(c, "plugins");

    if (!o)
        return h->fail(h, EC_ENOMEM, "out of memory");
    *o = (struct options){ .size = number(h, c, "size"), .keep = number(h, c, "keep"), .output = number(h, c, "output"),
                           .memory = number(h, c, "memory"), .time_ns = number(h, c, "time"),
                           .at_once = (uint32_t)number(h, c, "at_once") };
    for (; o->n_plugin < n && o->n_plugin < REPLAY_PLUGINS; o->n_plugin++)
        if (!(o->plugin[o->n_plugin] = strdup(h->conf_text(c, "plugins", o->n_plugin))))
            break;
    if (o->n_plugin < n) {
        replay_state_free(self, o);
        return ec_failf(h, EC_EINVAL, "replay.plugins: at most %u plugins, or out of memory", REPLAY_PLUGINS);
    }
    *state = o;
    return EC_OK;
}

/* What an earlier run of the daemon left behind. */
static void clear_state(const struct replay *k)
{
    const char *state = k->host->state_dir(k->host);
    DIR *d = state ? opendir(state) : NULL;
    char path[4400];

    for (const struct dirent *e; d && (e = readdir(d)); )
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", state, e->d_name);
            folder_clear(path, true);
        }
    if (d)
        closedir(d);
}

static int32_t replay_start(void *self, const void *state)
{
    struct replay *k = self;
    const struct options *o = state;

    if (!k->http || !k->jobs || !k->daemon || k->daemon->passing(k->daemon_self))
        return EC_OK;
    k->o = *o;
    for (uint32_t i = 0; i < o->n_plugin; i++)
        if (!(k->o.plugin[i] = strdup(o->plugin[i])))
            return k->host->fail(k->host, EC_ENOMEM, "out of memory");
    clear_state(k);
    return runner_start(k);
}

static void replay_stop(void *self)
{
    runner_stop(self);
}

static void replay_destroy(void *self)
{
    struct replay *k = self;

    runs_free(k);
    for (uint32_t i = 0; i < k->o.n_plugin; i++)
        free(k->o.plugin[i]);
    free(k->config);
    pthread_cond_destroy(&k->changed);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN | EC_USE_OPTIONAL, sizeof(struct ec_jobs), 0, EC_JOBS_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_daemon), 0, EC_DAEMON_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_captures), 0, EC_CAPTURES_ID },
};
static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, .id = "org.ecyber.replay", .name = "replay", .version = "0.1.0",
    .summary = "reads captures that are handed in, and tries rules on them, beside the live engine", .license = "MIT",
    .n_use = sizeof uses / sizeof uses[0], .use_stride = sizeof uses[0], .use = uses, .options = &options,
    .create = replay_create, .setup = replay_setup, .configure = replay_configure, .state_free = replay_state_free,
    .start = replay_start, .stop = replay_stop, .destroy = replay_destroy,
};
EC_PLUGIN(plugin)
