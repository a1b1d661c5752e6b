/* stage.h: ec.stage/1, the interface of packet stages. STATUS: draft 1.
 * Implemented by plugins that understand packets (a traffic engine), called by the host's worker loop for each frame,
 * in the order of the configuration. Batches are a prefetch device and must not be visible: a batch of 1 and one of 64
 * give the same events. */
#ifndef EC_EXT_STAGE_H
#define EC_EXT_STAGE_H
#include "source.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_STAGE_ID "ec.stage/1-draft.1"
#define EC_BATCH_MAX 64

enum { EC_STAGE_END_SHUTDOWN = 1, EC_STAGE_END_SOURCE = 2 /* the capture is at its end */ };

struct ec_frame;
struct ec_stage {
    uint32_t size, flags;
    /* All [wrk]. w: from the plugin's worker_init(); worker: its number; state: the same from prepare() to the last
     * packet() of a batch. */
    void (*prepare)(void *self, void *w, const void *state, uint32_t worker, struct ec_frame *const *f, uint32_t n);
    /* Frame i of the batch that prepare() saw. Raise *verdict, never lower it. */
    void (*packet)(void *self, void *w, const void *state, uint32_t worker, uint32_t i, struct ec_frame *f,
                   uint32_t *verdict);
    /* After each batch, and about every 100 ms where no packet comes. now_ns: the latest packet's time, or the wall
     * clock's on a live source that is idle. Bounded work: expire some flows. */
    void (*idle)(void *self, void *w, const void *state, uint32_t worker, uint64_t now_ns);
    /* End everything that is open and publish it. Called again and again until it returns 0: each call does a bounded
     * part (at most 64 flows) so that the host can drain what was published. reason: EC_STAGE_END_*. */
    uint32_t (*finish)(void *self, void *w, const void *state, uint32_t worker, uint32_t reason);
};

#ifdef __cplusplus
}
#endif
#endif
