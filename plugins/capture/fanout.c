#include "plugins/capture/fanout.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "lib/spread.h"

void fanout_init(struct fanout *f)
{
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    if (getrandom(&f->key, sizeof f->key, GRND_NONBLOCK) < 0)
        f->key = 0;                 /* before the kernel has collected enough: any number does */
}

void fanout_fini(struct fanout *f)
{
    pthread_mutex_destroy(&f->lock);
}

static int fanout_set(int fd, uint16_t id, uint32_t type)
{
    uint32_t arg = id | type << 16;

    return setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg) ? -errno : 0;
}

/* Where ports count, fragments are put together first: most of them have none. */
static uint32_t fanout_type(uint32_t by)
{
    return by == FANOUT_FLOW ? PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG : PACKET_FANOUT_CBPF;
}

static int fanout_make(struct fanout *f, const char *interface, int fd, uint32_t by)
{
    int id = 0, err;
    socklen_t len = sizeof id;

    if ((err = fanout_set(fd, 0, fanout_type(by) | PACKET_FANOUT_FLAG_UNIQUEID)))
        return err;
    if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &id, &len))
        return -errno;
    if (f->n == FANOUT_INTERFACES)          /* one interface is open at a time: the first ones are closed */
        f->n = 0;
    snprintf(f->group[f->n].name, sizeof f->group[0].name, "%s", interface);
    f->group[f->n++].id = (uint16_t)id;
    return 0;
}

/* A group ends with its last socket, and its program with it: so everybody brings the same one. */
static int fanout_program(const struct fanout *f, int fd)
{
    struct spread p;
    struct sock_fprog program;

    spread_write(&p, f->key);
    program = (struct sock_fprog){p.n, p.f};
    return setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof program) ? -errno : 0;
}

int fanout_join(struct fanout *f, const char *interface, int fd, uint32_t by)
{
    uint32_t i = 0;
    int err;

    pthread_mutex_lock(&f->lock);
    while (i < f->n && strcmp(f->group[i].name, interface))
        i++;
    err = i < f->n ? fanout_set(fd, f->group[i].id, fanout_type(by)) : fanout_make(f, interface, fd, by);
    if (!err && by == FANOUT_ADDRESSES)
        err = fanout_program(f, fd);
    pthread_mutex_unlock(&f->lock);
    return err;
}
