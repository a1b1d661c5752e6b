/* pair.h: the two sides that all workers bridge together. The first worker makes the rings of all of them, in order, so
 * that both sides deal packets out alike; each takes its own. [any] unless it says otherwise. */
#ifndef BRIDGE_PAIR_H
#define BRIDGE_PAIR_H
#include <pthread.h>
#include <stdatomic.h>

#include "plugins/bridge/ring.h"
#include "plugins/bridge/say.h"

#define PAIR_WORKERS 256u

struct pair_config {
    uint32_t buffer;                /* bytes of ring, for each side and worker */
    uint32_t keep;                  /* 1: offloads stay as they are */
    uint32_t open;                  /* 1: fail: open */
    const char *folder;             /* where what was changed is remembered; NULL: nowhere */
    struct say say;
};
struct side {
    char name[IFNAMSIZ];
    struct link link;
    _Atomic uint32_t made;          /* how often rings were made: another number, other rings */
    struct ring *ring[PAIR_WORKERS];        /* that nobody has taken yet */
};
struct pair {
    pthread_mutex_t lock;           /* of all below */
    uint32_t users, shares;
    uint32_t key;                   /* by which packets are dealt out: both sides' */
    struct pair_config c;
    struct side side[2];
    int claim[2], hold;             /* descriptors, −1: none; hold: guard_set() */
    bool prepared;                  /* something of the machine was changed */
    bool kept;                      /* offloads are still on: frames may be as long as RING_LARGEST */
};

void pair_init(struct pair *p);
void pair_fini(struct pair *p);
/* What an earlier run left changed, on interfaces that nobody bridges now, is put back: offloads, and where `open` is 0
 * what was prepared for fail: open. */
void pair_recover(const char *folder, uint32_t open, const struct say *to);
/* text: "eth1,eth2". The first user opens both sides for all `shares`. 0, or −1 and a sentence. */
int pair_enter(struct pair *p, const char *text, const struct pair_config *c, uint32_t shares, char *why, uint32_t n);
/* The ring of this worker, which is its own from now on; NULL: it was taken. *made: which one it is. */
struct ring *pair_take(struct pair *p, uint32_t side, uint32_t share, uint32_t *made);
/* The interface is another one now, or will be: make rings anew, if nobody has done it since `made`. 0: there are new
 * ones to take; −1 and a sentence. */
int pair_renew(struct pair *p, uint32_t side, uint32_t made, char *why, uint32_t n);
void pair_leave(struct pair *p);    /* the last one puts back what was changed */

#endif
