/* jail.h: what the helper gives up before it reads its first message. */
#ifndef CORE_HELPER_JAIL_H
#define CORE_HELPER_JAIL_H
#include <stddef.h>

/* A sanitizer's runtime needs system calls that the filter does not allow: such a build has none. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
# define JAIL_FILTERS 0
#elif defined(__has_feature)
# if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#  define JAIL_FILTERS 0
# endif
#endif
#ifndef JAIL_FILTERS
# define JAIL_FILTERS 1
#endif

/* Keep CAP_NET_ADMIN and nothing else, for ever: no other capability can come back, no program can be executed, and
 * of the system calls those remain that netlink, memory and the socket need; any other one ends the process (SIGSYS).
 * Call it after libnftables has been opened. 0, or −1 with a sentence in why. */
int jail_enter(char *why, size_t n);

#endif
