/* epoch.h: epoch-based reclamation. Threads that read plans announce where they are; a grace period has passed when
 * each has been offline, or has announced again, since it began. */
#ifndef CORE_EPOCH_H
#define CORE_EPOCH_H
#include <stdbool.h>
#include <stdint.h>

int epoch_register(const char *thread_name);    /* [any] this thread; 0 or −1: too many threads (256) */
void epoch_unregister(void);
void epoch_enter(void);                         /* online: what is read from now on stays until epoch_leave() */
void epoch_quiesce(void);                       /* still online, but holding nothing */
void epoch_leave(void);                         /* offline: before anything that blocks */
/* Wait for a grace period. On a time-out returns false and names a thread that held it up. [ctl] [pool] */
bool epoch_wait(uint64_t timeout_ns, const char **holder);

#endif
