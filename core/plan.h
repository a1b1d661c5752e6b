/* plan.h: a generation: one immutable list of every plugin's state, swapped by one pointer store.
 * Readers are epoch-protected: between epoch_enter() and epoch_leave() the plan that plan_current()
 * gave stays. */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H
#include <stdint.h>

struct conf;
struct plan {
    uint32_t gen, n;            /* generation, from 1; number of instances */
    uint32_t refs;              /* held by pool jobs, atomic */
    struct conf *conf;          /* what the states were built from; goes with the plan */
    const char *holder;         /* the plugin that took the last reference, for the log; atomic */
    void *state[];              /* by instance index; NULL where a plugin has none */
};

struct plan *plan_new(uint32_t gen, uint32_t n);            /* NULL: out of memory */
/* [any] within an epoch, or on the control thread */
const struct plan *plan_current(void);
/* [ctl] returns the old one: free it after a grace period */
struct plan *plan_swap(struct plan *next);
/* The current plan with a reference that outlasts epochs, for a job of plugin `who` (a static
 * name); [any], locks. NULL: there is no plan yet. Every plan_hold() is ended by one
 * plan_release(). */
struct plan *plan_hold(const char *who);
void plan_release(struct plan *p);
uint32_t plan_refs(const struct plan *p);
/* the plan alone: states and conf are freed before */
void plan_free(struct plan *p);
static inline const void *plan_state(const struct plan *p, uint32_t i)
{
    return p && i < p->n ? p->state[i] : 0;
}

#endif
