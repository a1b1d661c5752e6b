/* plan.h: a generation: one immutable list of every plugin's state, swapped by one pointer store.
 * Readers are epoch-protected: between epoch_enter() and epoch_leave() the plan that plan_current() gave stays. */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H
#include <stdint.h>

struct instance;
struct plan {
    uint32_t gen, n;            /* generation, from 1; number of instances */
    uint32_t refs;              /* held by pool jobs, atomic */
    void *state[];              /* by instance index; NULL where a plugin has none */
};

struct plan *plan_new(uint32_t gen, uint32_t n);
const struct plan *plan_current(void);                      /* [any] within an epoch, or on the control thread */
struct plan *plan_swap(struct plan *next);                  /* [ctl] returns the old one: free it after a grace period */
static inline const void *plan_state(const struct plan *p, uint32_t i) { return p && i < p->n ? p->state[i] : 0; }

#endif
