/* link.h: the connection to a helper that is alive: from the launcher, or started here.
 * One thread after link_init(). */
#ifndef CORE_HELPER_LINK_H
#define CORE_HELPER_LINK_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Under a launcher the daemon finds its end of the socket pair as the number in ECYBER_HELPER_FD, and the ends to later
 * helpers come with SCM_RIGHTS over the Unix socket in ECYBER_LAUNCHER_FD. */
#define HELPER_FD_VARIABLE "ECYBER_HELPER_FD"
#define LAUNCHER_FD_VARIABLE "ECYBER_LAUNCHER_FD"

struct link {
    const char *program;            /* to start where there is no launcher */
    int fd;                         /* non-blocking; −1: there is no helper now */
    int launcher;                   /* −1: none */
    bool launched;                  /* there is, or was, a launcher: nothing is started here */
    pid_t pid;                      /* of a helper of our own, 0: none */
    uint64_t up_ns, next_ns, wait_ns;       /* since when; not before; how long after the next death */
};

void link_init(struct link *l, const char *program);        /* takes the descriptors out of the environment */
bool link_possible(const struct link *l, char *why, uint32_t n);    /* false: there can be no helper, and why */
/* Where there is no helper now, get one if it is time to. At most one start a call; failures are logged. */
bool link_get(struct link *l);
/* The launcher has something to say: take a new end, in place of an old one. true: there is one. */
bool link_replace(struct link *l);
/* When link_get() should be tried again, CLOCK_MONOTONIC ns. */
uint64_t link_due(const struct link *l);
void link_drop(struct link *l);     /* close, and end a helper of our own; waits for it, up to a second */
uint32_t link_pid(const struct link *l);        /* of the helper, 0: not known */

#endif
