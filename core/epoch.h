/* epoch.h: epoch-based reclamation. Threads that read plans announce where they are; a grace period has passed when
 * each has been offline, or has announced again, since it began. */
#ifndef CORE_EPOCH_H
#define CORE_EPOCH_H
#include <stdbool.h>
#include <stdint.h>

/* [any] This thread; 0 or −1: too many threads (256). Again on a registered thread: nothing, 0. A thread that is not
 * registered holds nothing: enter and leave do nothing there. */
int epoch_register(const char *thread_name);
void epoch_unregister(void);
void epoch_enter(void);                         /* online: what is read from now on stays until epoch_leave() */
void epoch_quiesce(void);                       /* still online, but holding nothing */
void epoch_leave(void);                         /* offline: before anything that blocks */
bool epoch_online(void);                        /* this thread is between enter and leave */
/* Wait for a grace period; the calling thread has to be offline. On a time-out returns false and names a thread that
 * held it up. [ctl] [pool] */
bool epoch_wait(uint64_t timeout_ns, const char **holder);

#endif
