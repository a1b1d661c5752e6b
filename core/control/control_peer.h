/* control_peer.h: who is at the other end of a Unix socket, and may they command the daemon? */
#ifndef CORE_CONTROL_PEER_H
#define CORE_CONTROL_PEER_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTROL_GROUP "ecyber"

/* Root, the daemon's own user and members of the group ecyber may. Else false and a sentence. */
bool control_peer_allowed(int fd, char *why, uint32_t n);
bool control_peer_owner(int fd);    /* root or the daemon's own user: may read what the daemon may */
gid_t control_group(void);          /* (gid_t)−1: there is no such group */

#endif
