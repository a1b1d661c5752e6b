/* crash.h: what remains of a crash: the handler prints one sentence with the thread's mark and
 * leaves a mark file in the state directory; a plugin that crashed the daemon three times in a row
 * is left out from then on, until that file is removed. */
#ifndef CORE_CRASH_H
#define CORE_CRASH_H
#include <stdbool.h>
#include <stdint.h>
struct mark_thread;

#define CRASH_LIMIT 3
/* [ctl] Install the handlers (SIGSEGV SIGBUS SIGILL SIGFPE SIGABRT) on an alternate stack;
 * state_dir may be NULL. */
int crash_install(const char *state_dir);
int crash_thread(void); /* [any] an alternate stack for this thread, and its signals unblocked */
uint32_t crash_count(const char *plugin);       /* crashes in a row, read at crash_install() */
void crash_survived(void); /* [ctl] a clean run: forget the rows of those that are not left out */
/* [any] Crash on purpose, as if that thread (a copy) had: reason stands in the sentence, "did not
 * move for 60 s". */
_Noreturn void crash_blame(const struct mark_thread *t, const char *reason);

#endif
