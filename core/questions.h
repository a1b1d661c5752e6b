/* questions.h: ec.daemon/1, what the daemon says of itself to its plugins. */
#ifndef CORE_QUESTIONS_H
#define CORE_QUESTIONS_H
#define EC_API_LEVEL 1
#include <ecyber/ext/daemon.h>

#include <stdbool.h>

struct event_base;

#define QUESTIONS_MAX 64            /* that wait at once */

extern const struct ec_daemon questions_service;    /* its self is not looked at */

/* [ctl] Before plugins are started: what passing() answers. */
void questions_configure(bool run_is_passing);
/* [ctl] From here on questions are taken; the commands of control.h answer them. 0, or −1: out of memory. */
int questions_open(struct event_base *base);
/* [ctl] No more are taken; those that wait get an error. Before account_close(), so that none is left. */
void questions_close(void);

#endif
