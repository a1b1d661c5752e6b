/* pressure.h: what a replay waits for: a ring, an arena or a queue that is over half full, while its reader moves. */
#ifndef CORE_PRESSURE_H
#define CORE_PRESSURE_H
#include <stdbool.h>

struct pressure;
struct publisher;
struct pressure *pressure_new(void);        /* [ctl] one publisher's; NULL: out of memory */
void pressure_free(struct pressure *p);
bool pressure_of(struct publisher *p);      /* [publisher] */

#endif
