#include "plugins/bridge/pair.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugins/bridge/fail.h"
#include "plugins/bridge/offload.h"
#include "plugins/bridge/share.h"

void pair_init(struct pair *p)
{
    memset(p, 0, sizeof *p);
    pthread_mutex_init(&p->lock, NULL);
    p->claim[0] = p->claim[1] = p->hold = -1;
    if (getrandom(&p->key, sizeof p->key, GRND_NONBLOCK) < 0)
        p->key = 0;                 /* before the kernel has collected enough: any number does */
}

void pair_fini(struct pair *p)
{
    pthread_mutex_destroy(&p->lock);
}

/* Two daemons on one interface would send every frame twice. The name of an abstract socket is there once in a network
 * namespace, and gone with its process. −1: another one has it. */
static int claim(const char *interface)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), n;

    n = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "ecyber-bridge/%s", interface);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                                                                      (size_t)n))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int bridged(const char *interface)
{
    int fd = claim(interface);

    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static void offloads_back(const char *folder, int (*busy)(const char *interface), const struct say *to)
{
    char names[256], why[512], text[512];
    int n = offload_back(folder, busy, names, why, sizeof names);

    if (n < 0)
        say(to, SAY_OFFLOADS, why);
    if (n > 0 && busy) {
        snprintf(text, sizeof text, "an earlier run left the offloads of %s off: they are back", names);
        say(to, SAY_BACK, text);
    }
}

void pair_recover(const char *folder, uint32_t open, const struct say *to)
{
    char why[512];

    offloads_back(folder, bridged, to);
    if (!open && fail_closed(folder, bridged, NULL, why, sizeof why))
        say(to, SAY_OFFLOADS, why);
}

static void side_drop(struct side *s)
{
    for (uint32_t i = 0; i < PAIR_WORKERS; i++)
        if (s->ring[i]) {
            ring_close(s->ring[i]);
            free(s->ring[i]);
            s->ring[i] = NULL;
        }
}

static int rings_open(struct pair *p, struct side *s, char *why, uint32_t n)
{
    uint32_t largest = p->kept ? RING_LARGEST : s->link.mtu + 22;       /* Ethernet's head, and two tags */
    struct ring *r;

    for (uint32_t i = 0; i < p->shares; i++) {
        if (!(r = calloc(1, sizeof *r))) {
            snprintf(why, n, "out of memory");
            return -1;
        }
        if (ring_open(r, &s->link, p->c.buffer, largest, why, n)) {
            free(r);
            return -1;
        }
        s->ring[i] = r;
    }
    return 0;
}

/* Each worker has its ring before any of them hears a frame. */
static int side_make(struct pair *p, struct side *s, char *why, uint32_t n)
{
    int err = rings_open(p, s, why, n);

    if (!err)
        err = share_join(s->ring, p->shares, p->key, why, n);
    for (uint32_t i = 0; i < p->shares && !err; i++)
        err = ring_listen(s->ring[i], why, n);
    if (err)
        side_drop(s);
    else
        atomic_fetch_add(&s->made, 1);
    return err;
}

static int links_read(struct pair *p, char *why, uint32_t n)
{
    char text[256];

    for (uint32_t i = 0; i < 2; i++)
        if (link_read(p->side[i].name, &p->side[i].link, why, n))
            return -1;
    if (link_loop(&p->side[0].link, &p->side[1].link, why, n))
        return -1;
    if (p->side[0].link.mtu != p->side[1].link.mtu) {
        snprintf(text, sizeof text, "the MTU of %s is %u, that of %s is %u: longer frames are lost there, and counted",
                 p->side[0].name, p->side[0].link.mtu, p->side[1].name, p->side[1].link.mtu);
        say(&p->c.say, SAY_MTU, text);
    }
    return 0;
}

static int claims(struct pair *p, char *why, uint32_t n)
{
    for (uint32_t i = 0; i < 2; i++)
        if ((p->claim[i] = claim(p->side[i].link.name)) < 0) {
            snprintf(why, n, "cannot bridge %s: another eCyber does, or it cannot be claimed (%s)", p->side[i].name,
                     strerror(errno));
            return -1;
        }
    return 0;
}

/* What needs CAP_NET_ADMIN. Without it offloads stay on, which costs the inspectors the packets as they were, and
 * nothing else; fail: open is no promise that can be kept then, so it is refused. */
static int prepare(struct pair *p, char *why, uint32_t n)
{
    const char *const name[2] = { p->side[0].link.name, p->side[1].link.name };
    const struct link *const l[2] = { &p->side[0].link, &p->side[1].link };
    char text[512];

    p->prepared = true;
    p->kept = p->c.keep;
    if (!p->c.keep && offload_off(p->c.folder, name, 2, text, sizeof text)) {
        p->kept = true;
        say(&p->c.say, SAY_OFFLOADS, text);
    }
    if (fail_closed(p->c.folder, NULL, p->c.open ? l[0]->name : NULL, why, n))
        return -1;
    return p->c.open ? fail_open(p->c.folder, l, &p->hold, why, n) : 0;
}

static void undo(struct pair *p)
{
    if (p->prepared)
        offloads_back(p->c.folder, NULL, &p->c.say);
    p->prepared = false;
    for (uint32_t i = 0; i < 2; i++) {
        side_drop(&p->side[i]);
        if (p->claim[i] >= 0)
            close(p->claim[i]);
        p->claim[i] = -1;
    }
    if (p->hold >= 0)               /* from here on all crosses */
        close(p->hold);
    p->hold = -1;
}

static int first(struct pair *p, const char *text, char *why, uint32_t n)
{
    char name[2][IFNAMSIZ];

    if (link_pair(text, name, why, n))
        return -1;
    for (uint32_t i = 0; i < 2; i++)
        memcpy(p->side[i].name, name[i], IFNAMSIZ);
    if (links_read(p, why, n))
        return -1;
    if (claims(p, why, n) || prepare(p, why, n) || side_make(p, &p->side[0], why, n) ||
        side_make(p, &p->side[1], why, n)) {
        undo(p);
        return -1;
    }
    return 0;
}

int pair_enter(struct pair *p, const char *text, const struct pair_config *c, uint32_t shares, char *why, uint32_t n)
{
    int err = 0;

    if (shares > PAIR_WORKERS) {
        snprintf(why, n, "a bridge is shared by %u workers at most", PAIR_WORKERS);
        return -1;
    }
    pthread_mutex_lock(&p->lock);
    if (!p->users) {
        p->c = *c;
        p->shares = shares;
        err = first(p, text, why, n);
    }
    p->users += !err;
    pthread_mutex_unlock(&p->lock);
    return err;
}

struct ring *pair_take(struct pair *p, uint32_t side, uint32_t share, uint32_t *made)
{
    struct side *s = &p->side[side];
    struct ring *r;

    pthread_mutex_lock(&p->lock);
    r = s->ring[share];
    s->ring[share] = NULL;
    *made = s->made;
    pthread_mutex_unlock(&p->lock);
    return r;
}

int pair_renew(struct pair *p, uint32_t side, uint32_t made, char *why, uint32_t n)
{
    struct side *s = &p->side[side];
    int err = 0;

    pthread_mutex_lock(&p->lock);
    if (s->made == made) {
        side_drop(s);
        err = links_read(p, why, n) || prepare(p, why, n) || side_make(p, s, why, n) ? -1 : 0;
    }
    pthread_mutex_unlock(&p->lock);
    return err;
}

void pair_leave(struct pair *p)
{
    pthread_mutex_lock(&p->lock);
    if (!--p->users)
        undo(p);
    pthread_mutex_unlock(&p->lock);
}
