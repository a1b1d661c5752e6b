#include "plugins/bridge/share.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>

#include "lib/spread.h"

#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
# define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

static int join(struct ring *const *r, uint32_t n, uint32_t key)
{
    uint32_t type = PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_IGNORE_OUTGOING, arg;
    struct spread p;
    struct sock_fprog f;
    int id = 0;
    socklen_t size = sizeof id;

    arg = (type | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
    if (setsockopt(r[0]->fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg)) {
        type = PACKET_FANOUT_CBPF;              /* before Linux 5.8 */
        arg = (type | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
        if (setsockopt(r[0]->fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg))
            return -1;
    }
    if (getsockopt(r[0]->fd, SOL_PACKET, PACKET_FANOUT, &id, &size))
        return -1;
    arg = (uint32_t)(id & 0xffff) | type << 16;
    for (uint32_t i = 1; i < n; i++)            /* in this order: a packet's number counts from the first who joined */
        if (setsockopt(r[i]->fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg))
            return -1;
    spread_write(&p, key);
    f = (struct sock_fprog){ p.n, p.f };
    return setsockopt(r[0]->fd, SOL_PACKET, PACKET_FANOUT_DATA, &f, sizeof f);
}

int share_join(struct ring *const *r, uint32_t n, uint32_t key, char *why, uint32_t size)
{
    if (n < 2 || !join(r, n, key))
        return 0;
    snprintf(why, size, "cannot share %s between %u workers (PACKET_FANOUT): %s; use --workers 1", r[0]->link.name, n,
             strerror(errno));
    return -1;
}
