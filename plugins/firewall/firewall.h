/* firewall.h: the plugin as its files of glue share it. bans.c, guard.c and address.c are the engine and know nothing
 * of plugins; act.c moves bans into the kernel and out of it, keep.c keeps them, tell.c says what happened, routes.c and
 * look.c are the API. */
#ifndef FIREWALL_FIREWALL_H
#define FIREWALL_FIREWALL_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/helper.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/respond.h>
#include <ecyber/ext/store.h>

#include "plugins/firewall/bans.h"
#include "plugins/firewall/guard.h"

#include <pthread.h>

#define SECOND_NS UINT64_C(1000000000)
#define WHO_MAX 128                 /* bytes of a name */
#define WHY_MAX 512                 /* of a reason */

enum { TELL_BANNED, TELL_UNBANNED, TELL_EXPIRED, TELL_REFUSED, TELL_FAILED };   /* words of ban.action */
enum { METRIC_BANS, METRIC_BANNED, METRIC_UNBANNED, METRIC_EXPIRED, METRIC_REFUSED, METRIC_FAILED, METRIC_SYNCS,
       METRIC_FULL, METRICS };

struct keep_delete { struct keep_delete *next; uint64_t doc; };

struct firewall {
    const struct ec_host *host;
    const struct ec_helper *helper;
    void *helper_self;
    const struct ec_store *store;
    void *store_self;
    const struct ec_http *http;
    uint32_t topic, kind;
    uint64_t configured;            /* [cfg] serial of the last configuration */
    char powerless[256];            /* why nothing can be enforced, "": it can */

    pthread_mutex_t lock;           /* of all that follows */
    pthread_cond_t changed;         /* a ban's state, or trouble */
    struct bans bans;
    struct guard *guard;            /* a copy of the newest generation's */
    struct own *own;
    uint64_t op;                    /* of the last operation */
    bool open;                      /* between start() and stop() */
    bool clear_at_exit;
    bool lively;                    /* the helper has been asked for something: it is there, or comes */
    bool blind;                     /* the kernel may hold bans that are not ours to judge: only add to it */
    bool taken, taking;             /* blind: this helper goes on with the table that it found; it is asked to */
    bool replay;                    /* the daemon replays and stays: only a person's word counts, nothing is put back */
    bool unread;                    /* bans of earlier runs could not be read */
    bool stale;                     /* the kernel may hold something else than what is desired */
    uint64_t unsent_op;             /* the last operation that could not be sent */
    bool syncing;
    char trouble[256];              /* what keeps the kernel from what is desired, "": nothing */
    bool dirty;                     /* something is to be written */
    uint64_t witness, witness_until;        /* id and end of the ban that the mark names, 0: none; under keep_lock */
    int32_t unkept;                 /* what the store answered last: not EC_OK, and bans last for this run */
    bool keeping;                   /* a job of keep.c waits or runs */
    struct keep_delete *deletes;
    pthread_mutex_t keep_lock;      /* one writer at a time; taken before `lock` */
};

/* What keeps the firewall from being as desired, and what to do; "": nothing. Under the lock. */
void firewall_problem(const struct firewall *f, char *to, size_t n);

/* act.c. [any] unless it says so. */
/* Ban, move the end of a ban, or say what would happen. As ec_respond.ban(); *id (may be NULL): the ban's. */
int32_t act_ban(struct firewall *f, const struct ec_ban *b, char *why, uint32_t n, uint64_t *id);
int32_t act_unban(struct firewall *f, const struct net *net, const char *who);
/* Wait until the kernel has confirmed what was last asked of this ban. EC_OK; EC_EAGAIN: not within the time, and why
 * says what is in the way. [pool] */
int32_t act_settle(struct firewall *f, uint64_t id, uint64_t wait_ns, char *why, uint32_t n);
void act_ready(void *arg);          /* a new helper is there */
/* [sub] once a second: what has ended, what went wrong, and what a reload has changed. guard: of the state */
void act_tick(struct firewall *f, const struct guard *guard, uint64_t now_ns);
void act_sync(struct firewall *f);  /* send the whole desired state, where there is one, or a helper */
void act_revise(struct firewall *f);    /* take back bans that are not allowed any more */

/* keep.c: bans as documents. All of it does nothing without a store. */
int32_t keep_setup(struct firewall *f);         /* [ctl] */
int32_t keep_restore(struct firewall *f);       /* [ctl] in start(); EC_ENOENT: there is no store, else: it failed */
void keep_later(struct firewall *f);            /* [any] write what is dirty, on the pool; not under the lock */
int32_t keep_now(struct firewall *f);           /* [pool] [ctl] the same, at once */
bool keep_has(struct firewall *f, uint64_t id);  /* [any] is this ban on disk as it is? A ban that is gone is */
void keep_forget(struct firewall *f, struct ban *ban);      /* under the lock: it goes, its document too */

/* A file says that the kernel may hold something of ours, so that the next run clears it up; and which of the bans that
 * the store has kept ends last, so that a store that has begun anew is noticed. */
void keep_mark(const struct firewall *f, bool set);
bool keep_marked(const struct firewall *f);

/* tell.c */
extern const struct ec_topic tell_topic;
struct tell { uint32_t action; bool dry_run; const struct net *net; uint64_t id, until_ns, cause;
              const char *who, *why, *problem; };
void tell(struct firewall *f, const struct tell *t);        /* [any] */
void tell_ban(struct firewall *f, const struct ban *ban, uint32_t action, const char *who);

int32_t routes_setup(struct firewall *f, void *http_self);   /* [ctl] routes.c */

#endif
