/* child.h: an ecyberd of its own for one capture: no network, no privileges, bounds on what it may use, and gone when
 * its parent is. It is the running daemon's own program, so a check, a replay and the daemon agree on what a rule
 * means. */
#ifndef REPLAY_CHILD_H
#define REPLAY_CHILD_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_CAPTURE "/proc/self/fd/3"         /* how the child names its capture */

struct child {
    const char *folder;             /* its working folder; `log` there gets its standard error */
    char *const *argv;              /* [0]: how it is called; NULL at the end */
    int capture;                    /* becomes descriptor 3; −1: none */
    uint64_t memory, output;        /* bytes of address space, of each file */
};

/* A process group of its own. The thread that calls this must live as long as the child: with the thread it is killed
 * (prctl(2), PR_SET_PDEATHSIG). −1 and errno. */
pid_t child_start(const struct child *c);
void child_kill(pid_t pid);         /* and whatever it may have started; reap it with waitpid() */
/* How far it is in the file that `capture` is: bytes. 0 where that cannot be seen. */
uint64_t child_position(pid_t pid, int capture);

#endif
