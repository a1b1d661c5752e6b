/* process.h: how the launcher makes its two children. */
#ifndef CORE_LAUNCHER_PROCESS_H
#define CORE_LAUNCHER_PROCESS_H
#include <stdbool.h>
#include <sys/types.h>
struct identity;

struct process_pipes {
    int engine;                     /* the engine's end of the helper's socketpair, until it has it; −1: none */
    int launcher[2];                /* over which the engine gets new ends: [0] the launcher's, [1] the engine's */
};
#define PROCESS_NO_PIPES { -1, { -1, -1 } }

/* A new helper, and its socketpair: the running engine is told. Its pid, or −1 and errno. */
pid_t process_helper(struct process_pipes *p);
/* A new engine. Its pid, 0 in the engine itself, or −1 and errno. */
pid_t process_engine(struct process_pipes *p, const struct identity *id);
/* The engine has ended: what it held of the helper is gone, and so will the helper be, which sees the end of its socket. */
void process_engine_gone(struct process_pipes *p);
bool process_helper_exists(void);       /* is its program installed? */
/* The engine has ended for good: the helper sees the end of its socket; who does not go within a second is killed. */
void process_helper_stop(struct process_pipes *p, pid_t pid);

#endif
