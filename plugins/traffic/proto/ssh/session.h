/* session.h: the memory of an SSH transaction. */
#ifndef TRAFFIC_SSH_SESSION_H
#define TRAFFIC_SSH_SESSION_H

#include "banner.h"
#include "kex.h"

struct ssh_end { struct ssh_banner banner; struct ssh_kex kex; };
struct ssh_tx { struct ssh_end end[2]; };       /* by direction of what it sends: client, server */

#endif
