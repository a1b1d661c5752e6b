/* jail.h: what the helper gives up before it reads its first message. */
#ifndef CORE_HELPER_JAIL_H
#define CORE_HELPER_JAIL_H
#include <stddef.h>

/* Keep CAP_NET_ADMIN and nothing else, for ever: no other capability can come back, no program can be executed, and
 * of the system calls those remain that netlink, memory and the socket need; any other one ends the process (SIGSYS).
 * Call it after libnftables has been opened. 0, or −1 with a sentence in why. A build with a sanitizer has no filter of
 * system calls: its runtime needs others. */
int jail_enter(char *why, size_t n);

#endif
