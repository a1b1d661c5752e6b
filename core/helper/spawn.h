/* spawn.h: start the helper. The launcher does it, and where there is none, the daemon itself. */
#ifndef CORE_HELPER_SPAWN_H
#define CORE_HELPER_SPAWN_H
#include <stdbool.h>
#include <sys/types.h>

#define HELPER_PROGRAM ECYBER_LIBEXECDIR "/ecyber-helper"

/* Fork and execute it with one end of a socket pair as descriptor 3. Returns its process id; *fd is the other end,
 * closed on exec. −1: errno says why. Only async-signal-safe functions run between fork and exec, but for before(arg)
 * (NULL: none), which is for a caller with one thread: in the child, false ends it. [any] */
pid_t helper_spawn(const char *program, bool (*before)(void *arg), void *arg, int *fd);
/* Has this process what the helper needs: CAP_NET_ADMIN? [any] */
bool helper_power(void);

#endif
