/* fim.h: the plugin, as its parts see it. guard.c is the thread that looks, tell.c the events, routes.c the API. */
#ifndef FIM_FIM_H
#define FIM_FIM_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/daemon.h>
#include <ecyber/ext/http.h>

#include <pthread.h>

#include "plugins/fim/table.h"
#include "plugins/fim/watch.h"

enum { M_FILES, M_FOLDERS, M_SCANS, M_EVENTS, M_OVERFLOWS, M_OVER, M_UNREADABLE, M_UNWATCHED, M_DAMAGED,
       M_RETRIES, METRICS };
#define FOUND_BY "inotify,scan"
enum { BY_INOTIFY, BY_SCAN };
#define PENDING_MAX 1024u

struct list { uint32_t n; char **text; };
struct settings {                   /* of this run: all of them wait for a restart */
    struct list path, exclude;
    uint64_t every_ns, rate, hash_max;
    uint32_t max_files;
};
struct shown {                      /* what the API shows of the thread; under the lock */
    uint64_t baseline_ns, scan_ns, scan_took_ns, scans, overflows, events;
    uint32_t files, folders, over, unreadable, unwatched, scanning, missing;
    bool fresh;                     /* the baseline was made by this run */
    char damaged[256];              /* why the kept baseline could not be read; "": it could */
    char unsaved[256];              /* why it cannot be kept */
};

struct fim {
    const struct ec_host *host;
    const struct ec_http *http;
    const struct ec_daemon *daemon;
    void *http_self, *daemon_self;
    uint32_t topic;
    struct settings s;
    pthread_t thread;
    atomic_bool runs;
    int wake;                       /* eventfd; -1: none */
    atomic_bool stop, rescan, dirty;
    atomic_bool heard;              /* the daemon runs: what is published now, somebody hears */
    pthread_mutex_t keep_lock;      /* of the file that is being written */
    pthread_mutex_t lock;           /* of table's entries and shown: the thread changes them, routes read and accept */
    struct table table;
    struct shown shown;
    /* of the thread alone: */
    struct watch watch;
    char *pending[PENDING_MAX];
    uint32_t n_pending, round;
    uint64_t scanned_ns, saved_ns, save_took_ns;
    bool baseline;                  /* there is one: what differs is an event */
    struct shown counting;          /* of the scan that runs */
};

/* [ctl] Start and end the thread. EC_OK or an error that was said. */
int32_t guard_start(struct fim *f);
void guard_stop(struct fim *f);
/* [sub] The daemon runs: only from now on the thread looks, for before it nobody heard what it tells. */
void guard_go(struct fim *f);
/* [any] Keep the table on disk, now: 0 or an errno. */
int guard_keep(struct fim *f);
/* Is it a path that we watch, or below one, and not excluded? */
bool guard_wants(const struct fim *f, const char *path);

extern const struct ec_topic fim_topic;
/* false: it could not be published now; try again later. */
bool tell(struct fim *f, const struct entry *e, const struct meta *now, uint32_t what, uint32_t found);
void routes_declare(struct fim *f);

#endif
