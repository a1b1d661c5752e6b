#include "core/control/control_peer.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUPS_MAX 65536

gid_t control_group(void)
{
    struct group g, *found = NULL;
    char buf[4096];

    return !getgrnam_r(CONTROL_GROUP, &g, buf, sizeof buf, &found) && found ? g.gr_gid : (gid_t)-1;
}

/* The supplementary groups that the peer had when it connected. */
static bool peer_in_group(int fd, gid_t group)
{
    socklen_t len = GROUPS_MAX * sizeof(gid_t);
    gid_t *list = malloc(len);
    bool in = false;

    if (list && !getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, list, &len))
        for (size_t i = 0; i < len / sizeof *list; i++)
            in |= list[i] == group;
    free(list);
    return in;
}

bool control_peer_owner(int fd)
{
    struct ucred c;
    socklen_t len = sizeof c;

    return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) && (c.uid == 0 || c.uid == geteuid());
}

bool control_peer_allowed(int fd, char *why, uint32_t n)
{
    gid_t group = control_group();
    struct ucred c;
    socklen_t len = sizeof c;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len)) {
        snprintf(why, n, "who asks is not known: %s", strerror(errno));
        return false;
    }
    if (c.uid == 0 || c.uid == geteuid())
        return true;
    if (group != (gid_t)-1 && (c.gid == group || peer_in_group(fd, group)))
        return true;
    snprintf(why, n,
             "user %u may not command ecyberd: only root, its own user and the group " CONTROL_GROUP
             " may",
             (unsigned)c.uid);
    return false;
}
