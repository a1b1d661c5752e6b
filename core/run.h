/* run.h: the daemon while it runs, from the start of the bus and the workers to their end. */
#ifndef CORE_RUN_H
#define CORE_RUN_H
struct daemon;

int run(struct daemon *d);          /* [ctl] plugins are started; an exit code */
/* [ctl] Could the sources be opened as they are named? What cannot is logged. 0, or EC_E*. */
int run_check(struct daemon *d);

#endif
