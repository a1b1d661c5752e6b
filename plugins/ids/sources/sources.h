/* sources.h: rule sources: files of rules that other hosts keep, fetched on demand and at intervals. One thread does
 * all updates, one after the other. A source's rules stand in sources/NAME.rules of the plugin's state folder, where
 * every load of rules finds them; NAME.off is the file of one that is switched off. */
#ifndef IDS_SOURCES_SOURCES_H
#define IDS_SOURCES_SOURCES_H
#include "plugins/ids/load.h"
#include "plugins/ids/manage/reload.h"
#include "plugins/ids/sources/list.h"

#include "lib/guard.h"

#include <ecyber/ext/auth.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/jobs.h>
#include <pthread.h>

#define SOURCES_NONE \
    "there are no rule sources: the daemon keeps nothing, could not read them (see its log), or ends"
#define SOURCES_WAITING 64u         /* updates that somebody asked for */

struct sources_config {
    struct guard guard;
    char *ca_file;                  /* NULL: the system's authorities */
    bool plain;
    uint32_t timeout_ms;
    size_t download, rules;         /* bytes: of what comes, of what is in it */
};
struct update {                     /* one that is asked for */
    struct update *next;
    uint32_t id;
    uint64_t job;                   /* 0: nobody follows it */
    bool dry;
    char by[SOURCE_BY];
};
struct sources {
    const struct ec_host *host;
    const struct ec_http *http;     /* NULL: there is no HTTP server */
    const struct ec_jobs *jobs;     /* NULL: nobody follows updates */
    const struct ec_daemon *daemon;
    void *http_self, *jobs_self, *daemon_self;
    struct reloads *reloads;        /* NULL: a host without ec.daemon/1 */
    const struct engine_port *port;
    const struct keyword_list *external;
    struct sources_config c;
    pthread_t thread;
    bool running;

    pthread_mutex_t lock;           /* of all below */
    pthread_cond_t changed;
    struct sources_list *list;      /* NULL: they are not kept, or sources.json must not be written */
    struct update *first, **last;
    uint32_t waiting, busy;         /* busy: id of the source that is updated or changed now, 0: none */
    uint64_t doing;                 /* job of the update that runs; 0: none */
    bool stopping, cancelled;       /* cancelled: the one that runs */
    struct { uint64_t id; bool ended, ok; char why[SOURCE_WHY]; } reload;       /* that the thread waits for */
};

/* [ctl] create(): NULL: out of memory. */
struct sources *sources_new(const struct ec_host *h, const struct engine_port *port,
                            const struct keyword_list *external);
void sources_free(struct sources *s);           /* [ctl] destroy() */
/* [ctl] setup(): the routes. rs: [keep], NULL: no reloads, and no sources */
void sources_declare(struct sources *s, struct reloads *rs);
/* [cfg] The options. EC_E*: host->fail() has the reason. */
int32_t sources_configure(const struct ec_host *h, const struct ec_conf *c, struct sources_config *to);
void sources_config_free(struct sources_config *c);
/* [ctl] start(): reads the list, begins to look. */
int32_t sources_start(struct sources *s, const struct ec_conf *c);
void sources_stop(struct sources *s);           /* [ctl] stop() */

/* keep.c. With the lock held. */
char *sources_path(const struct sources *s, const char *name, const char *end, char to[4200]);     /* NULL: too long */
int sources_save(struct sources *s);            /* 0, or −1 with errno */
/* What is damaged is kept as sources.json.bad. s->list stays NULL where it is of a newer eCyber, or cannot be read. */
void sources_load(struct sources *s);
/* In its place, or not at all; the one before it stays as `old` (NULL: not). 0, or −1 with errno. */
int sources_replace(const char *path, const char *old, const char *text, size_t n);

/* update.c: [thread] one update, to its end. */
void sources_update(struct sources *s, const struct update *u);
/* [any] locked: begin a reload that the thread waits for, or one that fn is told of. */
int32_t sources_ask(struct sources *s, struct update *u);   /* locked; takes u. EC_ELIMIT */

/* What an update finds: what stands in the file, beside what stands there now. */
struct looked { uint32_t rules, failed, unsupported, disabled, added, changed, removed, n_problem; char *problem[20]; };
/* look.c: [thread] false: why says why nothing could be judged. text, old: malloc'ed texts; old NULL: none. */
bool sources_look(struct sources *s, const char *text, size_t n, const char *old, size_t old_n, struct looked *to,
                  char *why, size_t m);
void looked_free(struct looked *k);

/* change.c: made, changed, taken away. */
int32_t source_create(void *self, const void *state, struct ec_req *r);
int32_t source_replace(void *self, const void *state, struct ec_req *r);
int32_t source_remove(void *self, const void *state, struct ec_req *r);
extern const struct ec_record source_create_body, source_replace_body;

/* view.c: as it is shown. */
extern const struct ec_record source_view, sources_view;
void source_reply(struct sources *s, struct ec_req *r, uint32_t status, const struct source *e);
void sources_reply(struct sources *s, struct ec_req *r);        /* all of them */

struct source_param { struct ec_part part; uint32_t id; };
extern const struct ec_record source_param;
const char *source_who(const struct sources *s, struct ec_req *r);

#endif
