#include "plugins/capture/fanout.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

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
    f->group[f->n] = (struct fanout_group){.id = (uint16_t)id};
    snprintf(f->group[f->n++].name, sizeof f->group[0].name, "%s", interface);
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

/* f->lock is held. NULL: there is none. */
static struct fanout_group *fanout_find(struct fanout *f, const char *interface)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (!strcmp(f->group[i].name, interface))
            return &f->group[i];
    return NULL;
}

int fanout_join(struct fanout *f, const char *interface, int fd, uint32_t by)
{
    struct fanout_group *g;
    struct timespec t;
    int err;

    pthread_mutex_lock(&f->lock);
    g = fanout_find(f, interface);
    err = g ? fanout_set(fd, g->id, fanout_type(by)) : fanout_make(f, interface, fd, by);
    if (!err && by == FANOUT_ADDRESSES)
        err = fanout_program(f, fd);
    if (!err && (g = fanout_find(f, interface))) {
        clock_gettime(CLOCK_REALTIME, &t);
        g->in++;
        g->joined_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    }
    pthread_mutex_unlock(&f->lock);
    return err;
}

void fanout_leave(struct fanout *f, const char *interface)
{
    struct fanout_group *g;

    pthread_mutex_lock(&f->lock);
    g = fanout_find(f, interface);
    if (g && g->in)
        g->in--;
    pthread_mutex_unlock(&f->lock);
}

uint64_t fanout_since(struct fanout *f, const char *interface, uint32_t n)
{
    struct fanout_group *g;
    uint64_t since;

    pthread_mutex_lock(&f->lock);
    g = fanout_find(f, interface);
    since = g && g->in >= n ? g->joined_ns : 0;
    pthread_mutex_unlock(&f->lock);
    return since;
}
