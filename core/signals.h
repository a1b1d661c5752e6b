/* signals.h: signals as events of the control loop. A second SIGINT ends the process at once,
 * whatever it does. */
#ifndef CORE_SIGNALS_H
#define CORE_SIGNALS_H
struct event_base;

/* [ctl] A SIGHUP while the daemon starts waits until it runs; TERM and INT still end it at once. */
void signals_hold(void);
/* [ctl] Block what the loop handles, so that threads made from here on never take a signal; ignore
 * SIGPIPE and SIGXFSZ. */
void signals_block(void);
/* [ctl] fn(signal number) for SIGTERM, SIGINT and SIGHUP, on the loop. Unblocks them for this
 * thread. 0 or −1. */
int signals_open(struct event_base *base, void (*fn)(int sig, void *arg), void *arg);
void signals_close(void);           /* [ctl] TERM and INT end the process from here on */

#endif
