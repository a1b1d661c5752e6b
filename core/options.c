#include "buildconf.h"

#include "core/options.h"

#include "core/conf/conf.h"
#include "core/log/log.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define MIB INT64_C(1048576)

static const struct ec_row rows[] = {
    EC_OPTION(TEXT, EC_R_LIST | EC_R_PATH, "plugin_dirs", "[\"" ECYBER_PLUGINDIR "\"]", 1, 4096,
              NULL, "folders whose *.so files are loaded"),
    EC_OPTION(TEXT, EC_R_LIST, "plugins", NULL, 1, 32, NULL,
              "names of the plugin files (without .so) to load; empty: all that are found"),
    EC_OPTION(MAP, 0, "providers", NULL, 1, 32, NULL,
              "which plugin serves an extension that several offer, as \"ec.store/1\": name"),
    EC_OPTION(
        TEXT, EC_R_LIST, "stages", NULL, 1, 32, NULL,
        "order of the packet stages, as plugin names; others follow in the order of their needs"),
    EC_OPTION(TEXT, EC_R_LIST, "sources", NULL, 1, 4096, NULL,
              "where packets come from: file:PATH (one after the other), live:INTERFACE or bridge:IF1,IF2"),
    EC_OPTION_ENUM(0, "after_replay", "end,stay", "end",
                   "what the daemon does when the last capture has been read: end, or stay (as --stay says) "
                   "until it is asked to stop"),
    EC_OPTION(U32, 0, "workers", "1", 0, 64, "threads",
              "packet workers; 0: everything on one thread"),
    EC_OPTION(U32, 0, "batch", "64", 1, 64, "frames", "fetched at once by a worker"),
    EC_OPTION(U32, 0, "lanes", "1", 1, 16, "threads", "that deliver events"),
    EC_OPTION(SIZE, 0, "arena", "32MiB", MIB, 4096 * MIB, "bytes",
              "for events on their way, of each publisher"),
    EC_OPTION(U32, 0, "ring", "16384", 64, 1048576, "events",
              "between a worker and a lane; rounded up to a power of two"),
    EC_OPTION(U32, 0, "queue_events", "65536", 64, 1048576, "events",
              "in a subscriber's queue, where it does not say itself"),
    EC_OPTION(SIZE, 0, "queue_bytes", "8MiB", 65536, 2048 * MIB, "bytes",
              "in a subscriber's queue, where it does not say itself"),
    EC_OPTION(U32, 0, "pool_threads", "2", 1, 64, "threads", "for what blocks"),
    EC_OPTION(TEXT, EC_R_PATH, "state_dir", ECYBER_STATEDIR, 1, 4096, NULL,
              "folder that keeps what outlasts a run"),
    EC_OPTION(TEXT, EC_R_PATH, "control_socket", NULL, 1, 107, NULL,
              "Unix socket for ecyberctl; unset: " ECYBER_RUNDIR "/control.sock, or none with -r"),
    EC_OPTION(DURATION, EC_R_LIVE, "stop_timeout", "10s", 0, 600 * SECOND, NULL,
              "in which queues are drained at the end; what is left is counted as dropped"),
    EC_OPTION(DURATION, 0, "start_timeout", "2m", SECOND / 10, 3600 * SECOND, NULL,
              "for one callback of a plugin at the start; after it the daemon ends with the "
              "plugin's name"),
    EC_OPTION(DURATION, EC_R_LIVE, "reload_grace", "30s", SECOND / 100, 3600 * SECOND, NULL,
              "after which a reload names who still holds the old generation"),
    EC_OPTION(DURATION, 0, "watchdog.warn", "5s", SECOND / 10, 3600 * SECOND, NULL,
              "without a sign of life from a thread, after which it is named"),
    EC_OPTION(DURATION, 0, "watchdog.abort", "0s", 0, 3600 * SECOND, NULL,
              "after which the daemon ends with that thread's plugin as the reason; 0: never"),
    EC_OPTION_ENUM(EC_R_LIVE, "log.level", "debug,info,warning,error,critical", "info",
                   "the least that is written"),
    EC_OPTION(MAP, EC_R_LIVE, "log.levels", NULL, 1, 32, NULL,
              "exceptions by plugin, as name: level"),
    EC_OPTION_ENUM(EC_R_LIVE, "log.to", "stderr,file,syslog", "stderr", "where the log goes"),
    EC_OPTION(TEXT, EC_R_LIVE | EC_R_PATH, "log.file", NULL, 1, 4096, NULL,
              "its file with log.to: file; opened anew on SIGHUP"),
    EC_OPTION_ENUM(EC_R_LIVE, "log.format", "plain,json", "plain",
                   "one line each, for people or for programs"),
    EC_OPTION(U32, EC_R_LIVE, "log.rate", "10", 0, 1000000, "lines/s",
              "of one call site; 0: no limit"),
    EC_OPTION(U32, EC_R_LIVE, "log.burst", "20", 1, 1000000, "lines", "of one call site at once"),
};
const struct ec_record options_table = EC_RECORD_OPTIONS(rows);

static int64_t number(const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    conf_num(c, name, 0, &v);
    return v;
}

static uint32_t power_of_two(uint32_t n)
{
    uint32_t p = 1;

    while (p < n)
        p *= 2;
    return p;
}

void options_read(struct options *o, const struct conf *conf)
{
    const struct ec_conf *c = conf_of(conf, OPTIONS_SECTION);

    *o = (struct options){
        .c = c,
        .workers = (uint32_t)number(c, "workers"),
        .stay = number(c, "after_replay") == 1,
        .batch = (uint32_t)number(c, "batch"),
        .lanes = (uint32_t)number(c, "lanes"),
        .ring = power_of_two((uint32_t)number(c, "ring")),
        .queue_events = (uint32_t)number(c, "queue_events"),
        .pool_threads = (uint32_t)number(c, "pool_threads"),
        .arena = (uint64_t)number(c, "arena"),
        .queue_bytes = (uint64_t)number(c, "queue_bytes"),
        .stop_timeout = (uint64_t)number(c, "stop_timeout"),
        .start_timeout = (uint64_t)number(c, "start_timeout"),
        .reload_grace = (uint64_t)number(c, "reload_grace"),
        .watchdog_warn = (uint64_t)number(c, "watchdog.warn"),
        .watchdog_abort = (uint64_t)number(c, "watchdog.abort"),
        .state_dir = conf_text(c, "state_dir", 0),
        .control_socket = conf_text(c, "control_socket", 0),
    };
}

/* The place of an option's value, for a sentence. */
static const char *place(const struct ec_conf *c, const char *name, uint32_t i)
{
    const char *where = conf_where(c, name, i);

    return where ? where : OPTIONS_SECTION;
}

int options_check(const struct options *o, char *why, uint32_t n)
{
    for (uint32_t i = 0; i < conf_count(o->c, "log.levels"); i++) {
        const char *word = conf_text(o->c, "log.levels", i);

        if (word && log_level_parse(word) >= 0)
            continue;
        snprintf(
            why, n,
            "%s: core.log.levels: '%s' is no level; take debug, info, warning, error or critical",
            place(o->c, "log.levels", i), word ? word : "");
        return EC_EINVAL;
    }
    if (number(o->c, "log.to") == LOG_TO_FILE && !conf_text(o->c, "log.file", 0)) {
        snprintf(why, n, "%s: core.log.to is file, and core.log.file does not say which",
                 place(o->c, "log.to", 0));
        return EC_EINVAL;
    }
    return EC_OK;
}

int options_log(const struct options *o, char *why, uint32_t n)
{
    const struct ec_conf *c = o->c;
    uint32_t count = conf_count(c, "log.levels");
    const char **names = calloc(count + 1, sizeof *names);
    int32_t *levels = calloc(count + 1, sizeof *levels);
    struct log_config lc = {
        .target = (enum log_target)number(c, "log.to"),
        .json = number(c, "log.format") == 1,
        .path = conf_text(c, "log.file", 0),
        .level = (int32_t)(number(c, "log.level") + 1) * 10,
        .rate = (uint32_t)number(c, "log.rate"),
        .burst = (uint32_t)number(c, "log.burst"),
        .n_level = count, .names = names, .levels = levels,
    };
    int rc = EC_ENOMEM;

    for (uint32_t i = 0; names && levels && i < count; i++) {
        names[i] = conf_key(c, "log.levels", i);
        levels[i] = log_level_parse(conf_text(c, "log.levels", i));
    }
    if (names && levels)
        rc = log_configure(&lc, why, n);
    else
        snprintf(why, n, "out of memory");
    free(names);
    free(levels);
    return rc;
}

const char *options_provider(const struct options *o, const char *id)
{
    uint32_t n = conf_count(o->c, "providers");

    for (uint32_t i = 0; i < n; i++) {
        const char *key = conf_key(o->c, "providers", i);

        if (key && !strcmp(key, id))
            return conf_text(o->c, "providers", i);
    }
    return NULL;
}
