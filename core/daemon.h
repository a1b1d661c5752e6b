/* daemon.h: the daemon as a sequence: load, create, setup, freeze, configure, start, run, stop. */
#ifndef CORE_DAEMON_H
#define CORE_DAEMON_H
#include <stdbool.h>
#include <stdint.h>

#include "core/cmdline.h"
#include "core/options.h"
#include "core/plugins.h"

struct conf;
struct conf_input;
struct event;
struct event_base;

struct daemon {
    const struct cmdline *cmd;
    const char *file;               /* the configuration; NULL: defaults alone */
    struct conf *conf;              /* checked; the first plan takes it over */
    struct options opt;             /* of the current conf */
    struct plugins plugins;
    char *state_dir;                /* NULL: there is none */
    char *changes;                  /* daemon_changes() */
    struct event_base *base;
    struct event *ended;            /* the workers have ended */
    bool workers_ended;             /* atomic; set before `ended` becomes active */
    bool ended_failed;              /* a source could not be opened, or broke */
    bool stopping, frozen, pool, sources;
    bool ran;                       /* to an ordered end: the last-stop record is to be written */
    bool replays, replay_ended;     /* the sources have an end; and are at it, while the daemon stays */
    char lacking[256];              /* plugins that should have seen the replay and could not start; "": none */
    bool stuck;                     /* threads did not end: daemon_abandon() */
    char **uri;                     /* of the sources, while the workers run */
    uint32_t n_uri;
    uint32_t workers;               /* cells and memories: at least 1 */
    uint64_t started_ns;            /* wall clock */
};

int daemon_main(const struct cmdline *c);       /* an exit code */
/* The configuration's input as the command line gives it; `set` stays valid with the daemon. */
void daemon_conf_input(const struct daemon *d, struct conf_input *in);
/* Where core/changes.h keeps them; NULL: this run has none (it only replays). */
const char *daemon_changes(const struct daemon *d);
/* Read and check the whole configuration against the loaded plugins. with NULL: as the files are. NULL after a sentence
 * each to err. [ctl] [cfg] */
struct daemon_conf_with {           /* texts in place of what files have; NULL: the file's */
    const char *text, *changes;
};
struct conf *daemon_conf_load(const struct daemon *d, const struct daemon_conf_with *with,
                              void (*err)(const char *sentence, void *arg), void *arg);
/* Does this run only replay captures and end (-r without --stay)? Known once the configuration is read. */
bool daemon_is_passing(const struct daemon *d);
void daemon_stop(struct daemon *d, const char *why);    /* [ctl] ask for the ordered end */
/* [ctl] Threads are stuck in plugins, so that nothing may be freed: name them, stop the other
 * plugins, and exit. */
_Noreturn void daemon_abandon(struct daemon *d);

#endif
