/* manage.h: rules over HTTP: what their routes share. */
#ifndef IDS_MANAGE_MANAGE_H
#define IDS_MANAGE_MANAGE_H
#include "plugins/ids/load.h"
#include "plugins/ids/manage/managed.h"
#include "plugins/ids/manage/reload.h"
#include "plugins/ids/manage/tallies.h"
#include "plugins/ids/match/engine.h"
#include "plugins/ids/rule/set.h"
#include "plugins/ids/state.h"

#include <ecyber/ext/auth.h>
#include <ecyber/ext/http.h>
#include <pthread.h>

#define MANAGE_ANSWER_MS 120000u    /* a reload of many rules may take a while */

struct change;

struct manage {
    const struct ec_host *host;
    const struct ec_http *http;     /* NULL: there is no HTTP server */
    void *http_self;
    const struct ec_daemon *daemon;
    void *daemon_self;
    struct reloads *reloads;        /* NULL: a host without ec.daemon/1 */
    struct tallies *tallies;
    const struct engine_port *port;
    const struct keyword_list *external;

    pthread_mutex_t lock;           /* of all below */
    struct managed *now;            /* what the next reload puts in force; NULL: not read yet */
    const char *shut;               /* why nothing may be changed; NULL: it may */
    bool busy;                      /* a change is on its way: those that come wait */
    struct change *first, **last;
    uint32_t waiting;
};

/* [ctl] create(): NULL: out of memory. */
struct manage *manage_new(const struct ec_host *h, const struct engine_port *port, const struct keyword_list *external);
void manage_free(struct manage *m);             /* [ctl] destroy(), behind changes_free() */
/* [ctl] setup(): the routes. rs: [keep] */
void manage_declare(struct manage *m, struct reloads *rs);
/* [cfg] What is to be in force, held. The first call reads the file. */
struct managed *manage_current(struct manage *m);
/* [cfg] Nobody uses this state any more. */
void manage_leave(struct manage *m, const struct ids_state *st);

/* Parameters {rule} and those of the list. */
struct rule_param { struct ec_part part; struct ec_span rule; };
extern const struct ec_record rule_param;
/* "GID:SID" of the path. false: it was answered. */
bool rule_named(struct manage *m, struct ec_req *r, uint32_t *gid, uint32_t *sid);
/* [sub] Go on with fn on the pool, with the state of the plugin. Answers 503 where it cannot. */
typedef void manage_fn(struct manage *m, const struct ids_state *st, struct ec_req *r);
int32_t manage_work(struct manage *m, struct ec_req *r, manage_fn *fn);
struct load manage_load(struct manage *m);      /* for load_try() */

/* change.c, edit.c */
int32_t rules_create(void *self, const void *state, struct ec_req *r);
int32_t rules_replace(void *self, const void *state, struct ec_req *r);
int32_t rules_patch(void *self, const void *state, struct ec_req *r);
int32_t rules_remove(void *self, const void *state, struct ec_req *r);
int32_t rules_enable(void *self, const void *state, struct ec_req *r);
int32_t rules_disable(void *self, const void *state, struct ec_req *r);
extern const struct ec_record create_body, replace_body, patch_body;
void changes_free(struct manage *m);            /* [ctl] destroy(): those that nobody began */

/* list.c, profile.c, check.c, outcome.c, ips.c */
int32_t rules_list(void *self, const void *state, struct ec_req *r);
int32_t rules_failed(void *self, const void *state, struct ec_req *r);
int32_t rules_show(void *self, const void *state, struct ec_req *r);
int32_t rules_profile(void *self, const void *state, struct ec_req *r);
int32_t rules_keywords(void *self, const void *state, struct ec_req *r);
int32_t rules_validate(void *self, const void *state, struct ec_req *r);
int32_t reload_begin(void *self, const void *state, struct ec_req *r);
int32_t reload_show(void *self, const void *state, struct ec_req *r);
int32_t ips_status(void *self, const void *state, struct ec_req *r);
int32_t ips_stats(void *self, const void *state, struct ec_req *r);
extern const struct ec_record list_rules_param, list_rules_reply, failed_param, profile_param, profile_reply,
    keywords_reply, validate_body, validate_reply, reload_param, reload_reply, ips_status_reply, ips_stats_reply;

#endif
