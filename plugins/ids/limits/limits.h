/* limits.h: suppressions and thresholds over HTTP: what their routes share. */
#ifndef IDS_LIMITS_LIMITS_H
#define IDS_LIMITS_LIMITS_H
#include "plugins/ids/limits/tuning.h"
#include "plugins/ids/manage/reload.h"

#include <ecyber/ext/auth.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/store.h>
#include <pthread.h>

struct limits;
struct limits_change;

struct limits_side {                /* what a route is declared with: one for each kind */
    struct limits *l;
    enum tune_kind kind;
};
struct limits {
    const struct ec_host *host;
    const struct ec_http *http;     /* NULL: there is no HTTP server */
    const struct ec_store *store;   /* NULL: no previews */
    void *http_self, *store_self;
    struct reloads *reloads;
    struct limits_side side[TUNE_KINDS];

    pthread_mutex_t lock;           /* of all below */
    struct tuning *now;             /* of the API: what the next reload puts in force; NULL: not read yet */
    struct tuning *file;            /* as ids.threshold_file was read last; NULL: not yet */
    const char *shut;               /* why nothing may be changed; NULL: it may */
    struct limits_change *first, **last;
    uint32_t waiting;
    bool busy;                      /* a change is on its way: those that come wait */
};

struct limits *limits_new(const struct ec_host *h);     /* [ctl] create(); NULL: out of memory */
void limits_free(struct limits *l);                     /* [ctl] destroy(), behind limits_drop_changes() */
void limits_declare(struct limits *l, struct reloads *rs);      /* [ctl] setup(): the routes. rs: [keep] */
/* [cfg] What is to be in force: of ids.threshold_file and of the API, held. *errors: lines of the file that were left
 * out, each told. NULL: host->fail() has the reason. The first call reads what is kept. */
struct tuning *limits_current(struct limits *l, const struct ec_conf *c, uint32_t *errors);

/* An entry as it is shown. bits of part.has: */
enum { SHOWN_ID, SHOWN_TRACK, SHOWN_IP, SHOWN_FILE, SHOWN_CHANGED, SHOWN_NOTE };
struct limits_view {
    struct ec_part part;
    struct ec_span ip, file, by, note;
    uint64_t held_back, version, at;
    uint32_t id, gid, sid, type, track, count, seconds, line;
};
extern const struct ec_record suppression_view, threshold_view;
void limits_fill(struct ec_build *b, struct limits_view *v, const struct tune *e, const char *file);
const char *limits_file(const struct limits *l, const void *state);     /* ids.threshold_file; NULL: none */

/* A body that was checked by its rows, as an entry. false: it was answered. */
struct limits_body {
    struct ec_part part;
    struct ec_span ip, note;
    uint32_t gid, sid, type, track, count, seconds;
};
bool limits_take(struct limits *l, struct ec_req *r, enum tune_kind kind, struct tune *e);
extern const struct ec_record suppression_body, threshold_body;

/* change.c */
int32_t limits_create(void *self, const void *state, struct ec_req *r);
int32_t limits_replace(void *self, const void *state, struct ec_req *r);
int32_t limits_remove(void *self, const void *state, struct ec_req *r);
void limits_drop_changes(struct limits *l);             /* [ctl] destroy(): those that nobody began */
struct limits_param { struct ec_part part; uint32_t id; };
extern const struct ec_record limits_param;

/* preview.c */
int32_t limits_preview(void *self, const void *state, struct ec_req *r);
extern const struct ec_record preview_param, preview_reply;

#endif
