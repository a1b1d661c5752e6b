/* fence.h: the exact account. A fence has a number; every publisher notes its counters when it passes and sends a marker
 * through each of its rings; each queue's losses and deliveries are noted as its marker passes. When all have passed,
 * in = out + dropped holds for exactly the events published before. */
#ifndef CORE_FENCE_H
#define CORE_FENCE_H
#include "core/bus/bus_state.h"

/* A reference with bit 0 set is a marker: the fence's number above bit 20, the publisher's slot below. */
static inline bool fence_is_marker(uint64_t ref) { return ref & 1; }

int fence_init(void);                           /* [ctl] in bus_start(); 0 or EC_ENOMEM */
void fence_fini(void);
bool fence_wanted(const struct publisher *p);   /* [publisher] there is a fence that it has not passed */
void fence_pass(struct publisher *p);           /* [publisher] between two events */
/* Under the queue's lock: the losses of this publisher before the marker are complete. Once is enough, more is ignored. */
void fence_note_drops(struct subscription *s, uint64_t marker);
void fence_note_out(struct subscription *s, uint64_t marker);   /* [consumer] it came to the marker */

#endif
