/* states.h: what people made of alerts: open, acknowledged, closed, a false positive. Each changed alert has a document
 * with a copy of its event, so that it outlives the events' retention; an index of all of them is kept in memory. */
#ifndef IDS_STATES_STATES_H
#define IDS_STATES_STATES_H
#include "plugins/ids/states/copy.h"

#include <ecyber/ext/store.h>
#include <stdbool.h>

#define STATE_WORDS   "open,acknowledged,closed,false_positive"
#define STATES_MAX    100000u       /* documents; the oldest closed one makes room for another */
#define STATE_NOTE    1000          /* characters */

enum state { STATE_OPEN, STATE_ACKNOWLEDGED, STATE_CLOSED, STATE_FALSE_POSITIVE, STATES };
#define STATE_CHANGED_MASK ((1u << STATES) - 1)

struct alert_state {
    uint64_t event, doc, version, at_ns;    /* id of the event; id and version of the document; when */
    uint32_t state;
    char by[64];
    char *note;                     /* "": none */
};

struct states;

struct states *states_new(const struct ec_store *store, void *store_self);      /* [ctl] NULL: out of memory */
void states_free(struct states *s);
/* [ctl] setup(): declare the documents. */
int32_t states_declare(struct states *s, const struct ec_host *h);
/* [ctl] start(): read them. Until then, and where it fails, states_ready() is false. */
int32_t states_load(struct states *s);
bool states_ready(struct states *s);

/* [any] False: nobody has changed an alert that new. Costs no lock. */
bool states_may_have(struct states *s, uint64_t event);
/* [any] The state of an alert, locked until states_release(), which is always called. NULL: nobody has changed it. */
const struct alert_state *states_hold(struct states *s, uint64_t event);
void states_release(struct states *s);
/* [any] Alerts in one of the states (bits), at most n. How many. With an id under `from`, the newest first; up: above it,
 * the oldest first. */
uint32_t states_behind(struct states *s, uint32_t mask, uint64_t from, bool up, uint64_t *to, uint32_t n);

/* [any] How many are in each state, of those that somebody changed. */
void states_count(struct states *s, uint64_t to[STATES]);

struct change {
    uint64_t event;
    int64_t version;                /* what it has to have, 0: nobody has changed the alert; -1: whatever it is */
    int32_t state;                  /* -1: as it is */
    const char *note;               /* NULL: as it is; n_note bytes */
    uint32_t n_note;
    const char *by;
    uint64_t now_ns;
};
struct changed { uint32_t before, after; uint64_t version; };
/* [pool] EC_ENOENT: there is no such alert; EC_EPERM: it has another version, which *done holds; EC_EAGAIN: somebody
 * changed it at the same time; EC_ELIMIT: there are STATES_MAX, all of them open or acknowledged; else the store's. */
int32_t states_change(struct states *s, const struct change *c, struct changed *done);

/* [pool] The copy of a changed alert's event. EC_ENOENT. */
int32_t states_event(struct states *s, uint64_t event, int32_t (*fn)(void *arg, const char *json, uint32_t n),
                     void *arg);
/* [pool] Documents that all conditions fit, whose alerts have ids from `from` to `to`; in no order. */
int32_t states_find(struct states *s, const struct ec_filter *f, uint32_t n, ec_store_row_fn *fn, void *arg);

#endif
