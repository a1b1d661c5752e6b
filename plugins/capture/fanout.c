#include "plugins/capture/fanout.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int fanout_set(int fd, uint16_t id, uint32_t type)
{
    uint32_t arg = id | type << 16;

    return setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg) ? -errno : 0;
}

/* Datagrams in fragments have no ports: the kernel puts them together before it hashes them. */
#define FANOUT_TYPE (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG)

static int fanout_make(struct fanout *f, const char *interface, int fd)
{
    int id = 0, err;
    socklen_t len = sizeof id;

    if ((err = fanout_set(fd, 0, FANOUT_TYPE | PACKET_FANOUT_FLAG_UNIQUEID)))
        return err;
    if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &id, &len))
        return -errno;
    if (f->n == FANOUT_INTERFACES)          /* one interface is open at a time: the first ones are closed */
        f->n = 0;
    snprintf(f->group[f->n].name, sizeof f->group[0].name, "%s", interface);
    f->group[f->n++].id = (uint16_t)id;
    return 0;
}

int fanout_join(struct fanout *f, const char *interface, int fd)
{
    uint32_t i = 0;
    int err;

    pthread_mutex_lock(&f->lock);
    while (i < f->n && strcmp(f->group[i].name, interface))
        i++;
    err = i < f->n ? fanout_set(fd, f->group[i].id, FANOUT_TYPE) : fanout_make(f, interface, fd);
    pthread_mutex_unlock(&f->lock);
    return err;
}
