/* generation.h: building a plan from a configuration: every plugin's configure() in order, and
 * undoing it. */
#ifndef CORE_GENERATION_H
#define CORE_GENERATION_H
#include <stdint.h>
struct conf;
struct instance;
struct plan;

/* Build generation `gen` of the instances order[0…n). It takes over the conf where it succeeds.
 * NULL: a plugin refused, and why says so; what was built is freed, the conf stays the caller's.
 * [cfg] */
struct plan *generation_build(struct instance *const *order, uint32_t n, struct conf *conf,
                              uint32_t gen, char *why, uint32_t why_n);
/* Free the states, in reverse, and the plan; its conf too, where it still has one. Nobody can reach
 * it any more. [cfg] */
void generation_free(struct instance *const *order, struct plan *p);

#endif
