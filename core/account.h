/* account.h: exact accounts, for who must not wait: a fence goes through the bus while the control loop
 * runs on. All [ctl]. */
#ifndef CORE_ACCOUNT_H
#define CORE_ACCOUNT_H
#include <stdbool.h>
struct event_base;

/* exact: every thread has passed the fence. false: some thread did not within two seconds, or the daemon
 * ends. bus_fence_rows(exact, …) gives the rows until it returns. */
typedef void account_fn(void *arg, bool exact);

int account_open(struct event_base *base);      /* 0, or −1: out of memory */
void account_close(void);                       /* whoever still waits is called */
/* fn is called exactly once, after this has returned. Of events published before, nothing is missing. 0,
 * EC_ENOMEM, EC_EAGAIN: the loop does not run. */
int account_ask(account_fn *fn, void *arg);

#endif
