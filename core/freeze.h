/* freeze.h: the freeze after every setup(): what plugins asked for and what they offer to the core
 * is handed on to the metrics, the bus and the workers. All [ctl]. */
#ifndef CORE_FREEZE_H
#define CORE_FREEZE_H
#include <stdbool.h>
#include <stdint.h>
struct ec_metric;
struct options;
struct plugins;

/* The core's own metrics: their indexes are valid after freeze(). */
enum { FREEZE_GENERATION, FREEZE_RELOADS, FREEZE_RELOAD_FAILURES, FREEZE_METRICS };
uint32_t freeze_metric(uint32_t which);

/* false: a plugin was refused meanwhile (its `why` says why); undo with freeze_undo(), and begin
 * anew. An error of the core itself is a sentence in why. */
bool freeze(struct plugins *p, const struct options *o, uint32_t workers, char *why, uint32_t n);
void freeze_undo(void);

#endif
