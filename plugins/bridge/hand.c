#include "plugins/bridge/hand.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/bridge/reject.h"

#define LOOK_NS UINT64_C(250000000)     /* are the interfaces still up? */
#define ANSWERS_A_SECOND 1000u
#define ETHERNET 1u                     /* LINKTYPE_ETHERNET */

struct out { struct ring_frame f; uint8_t side; };

struct hand {
    struct pair *pair;
    uint32_t share;
    uint32_t iface[2];
    struct ring *ring[2];           /* NULL: the interface is away */
    uint32_t made[2];
    bool down[2];                   /* and people were told so */
    struct ring past;               /* counters of rings that are closed */
    uint64_t look_at, count, bytes, held, nic, nic_base;
    uint64_t answers, silent, second;           /* second: of answers_now */
    uint32_t answers_now;
    uint32_t fill;                  /* of the fuller ring; EC_FILL_MAX: full */
    uint32_t n_out, back;           /* the batch: frames that are out, those that came back */
    struct out out[RING_BATCH];
    struct iovec part[2][RING_BATCH][2];
    struct mmsghdr message[2][RING_BATCH];      /* to the side */
};

static uint64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t nic_losses(const struct hand *h)
{
    return link_losses(h->pair->side[0].name) + link_losses(h->pair->side[1].name);
}

struct hand *hand_open(struct pair *p, uint32_t share, const uint32_t iface[2])
{
    struct hand *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->pair = p;
    h->share = share;
    for (uint32_t s = 0; s < 2; s++) {
        h->iface[s] = iface[s];
        h->ring[s] = pair_take(p, s, share, &h->made[s]);
        for (uint32_t i = 0; i < RING_BATCH; i++) {
            h->message[s][i].msg_hdr.msg_iov = h->part[s][i];
            h->message[s][i].msg_hdr.msg_iovlen = 2;
        }
    }
    h->nic_base = nic_losses(h);
    return h;
}

static void add(struct ring *to, const struct ring *r)
{
    to->seen += r->seen;
    to->lost += r->lost;
    to->taken += r->taken;
    to->outgoing += r->outgoing;
    to->bad += r->bad;
    to->tags += r->tags;
    to->sent += r->sent;
    for (uint32_t i = 0; i < RING_LOSSES; i++)
        to->unsent[i] += r->unsent[i];
}

static void lose(struct hand *h, uint32_t side)
{
    if (!h->ring[side])
        return;
    ring_close(h->ring[side]);
    add(&h->past, h->ring[side]);
    free(h->ring[side]);
    h->ring[side] = NULL;
}

static void tell(struct hand *h, uint32_t side, bool down, const char *reason)
{
    char text[256];

    if (h->down[side] == down)
        return;
    h->down[side] = down;
    if (down)
        snprintf(text, sizeof text, "%s is down: %s; nothing crosses the bridge until it is back",
                 h->pair->side[side].name, reason);
    else
        snprintf(text, sizeof text, "%s is up again", h->pair->side[side].name);
    if (!h->share)
        say(&h->pair->c.say, down ? SAY_DOWN : SAY_UP, text);
}

static void renew(struct hand *h, uint32_t side)
{
    char why[1024];

    lose(h, side);
    if (pair_renew(h->pair, side, h->made[side], why, sizeof why))
        return;
    h->ring[side] = pair_take(h->pair, side, h->share, &h->made[side]);
}

/* A ring on an interface that is set down falls silent, and works again when it is up; one that is made anew needs
 * another ring. */
static void look(struct hand *h)
{
    uint64_t now = clock_now();

    if (now < h->look_at)
        return;
    h->look_at = now + LOOK_NS;
    for (uint32_t s = 0; s < 2; s++) {
        enum ring_state is = h->ring[s] ? ring_look(h->ring[s]) : RING_GONE;

        if (is == RING_GONE) {
            tell(h, s, true, "the interface does not exist any more");
            renew(h, s);
            is = h->ring[s] ? ring_look(h->ring[s]) : RING_GONE;
        }
        if (is != RING_GONE)
            tell(h, s, is == RING_IS_DOWN, "it was set down");
    }
}

static uint64_t peek(const struct hand *h, uint32_t side)
{
    return h->ring[side] ? ring_peek(h->ring[side]) : 0;
}

static void show(struct hand *h, const struct out *o, struct ec_frame *f)
{
    f->data = o->f.data;
    f->ts_ns = o->f.ts_ns;
    f->count = ++h->count;
    f->caplen = f->wirelen = o->f.len;
    f->flags = EC_FR_INLINE | (o->f.sum_ok ? EC_FR_CSUM_OK : 0u);
    f->linktype = ETHERNET;
    f->iface = h->iface[o->side];
    f->cookie = o->side;
    f->fill = h->fill;
    h->bytes += o->f.len;
}

static uint32_t fill(const struct hand *h)
{
    uint32_t most = 0;

    for (uint32_t s = 0; s < 2; s++) {
        uint32_t eighths = h->ring[s] ? ring_eighths(h->ring[s]) : 0;

        if (eighths > most)
            most = eighths;
    }
    return most * (EC_FILL_MAX / 8);
}

/* The older one of both sides first. */
static uint32_t gather(struct hand *h, struct ec_frame *const *f, uint32_t max)
{
    uint32_t n = 0;

    h->fill = fill(h);
    if (max > RING_BATCH)
        max = RING_BATCH;
    for (uint32_t tries = 0; n < max && tries < 4 * RING_BATCH; tries++) {
        uint64_t t[2] = { peek(h, 0), peek(h, 1) };
        struct out *o = &h->out[n];

        if (!t[0] && !t[1])
            break;
        o->side = !t[0] || (t[1] && t[1] < t[0]);
        if (ring_take(h->ring[o->side], n, &o->f))
            show(h, o, f[n++]);
    }
    h->n_out = n;
    h->back = 0;
    return n;
}

static uint32_t await(const struct hand *h, int32_t wake_fd, uint32_t timeout_ms)
{
    struct pollfd p[3] = { { wake_fd, POLLIN, 0 }, { -1, POLLIN, 0 }, { -1, POLLIN, 0 } };

    for (uint32_t s = 0; s < 2; s++)
        if (h->ring[s])
            p[1 + s].fd = h->ring[s]->fd;
    if (poll(p, 3, (int)timeout_ms) <= 0)
        return EC_SRC_IDLE;
    return p[0].revents ? EC_SRC_INTERRUPTED : EC_SRC_MORE;
}

uint32_t hand_fetch(struct hand *h, struct ec_frame *const *f, uint32_t max, int32_t wake_fd, uint32_t timeout_ms,
                    uint32_t *why)
{
    uint32_t n = gather(h, f, max);

    *why = EC_SRC_MORE;
    if (n)
        return n;
    look(h);
    *why = await(h, wake_fd, timeout_ms);
    if (*why == EC_SRC_MORE && (n = gather(h, f, max)))
        return n;
    if (*why == EC_SRC_MORE)        /* an interface has something to say: not before the next look */
        *why = EC_SRC_IDLE;
    if (*why == EC_SRC_IDLE && (h->down[0] || h->down[1]))
        *why = EC_SRC_DOWN;
    return 0;
}

static void send_side(struct hand *h, uint32_t side, uint32_t n)
{
    if (!n)
        return;
    if (h->ring[side])
        ring_send(h->ring[side], h->message[side], n);
    else
        h->past.unsent[RING_DOWN] += n;
}

static void answer(struct hand *h, const struct out *o, bool to_sender)
{
    uint32_t side = to_sender ? o->side : !o->side;
    uint8_t frame[REJECT_ROOM];
    struct virtio_net_hdr none;
    struct iovec part[2] = { { &none, sizeof none }, { frame, 0 } };
    struct mmsghdr m = { .msg_hdr = { .msg_iov = part, .msg_iovlen = 2 } };
    uint64_t second = o->f.ts_ns / 1000000000u;

    memset(&none, 0, sizeof none);
    if (!(part[1].iov_len = reject_answer(frame, o->f.data, o->f.len, to_sender)))
        return;
    if (!h->ring[side]) {
        h->past.unsent[RING_DOWN]++;
        return;
    }
    if (second != h->second)
        h->answers_now = 0;
    h->second = second;
    if (h->answers_now >= ANSWERS_A_SECOND) {       /* a flood that is rejected shall not become another one */
        h->silent++;
        return;
    }
    h->answers_now++;
    h->answers += ring_send(h->ring[side], &m, 1);
}

static void reject(struct hand *h, const struct out *o, uint32_t verdict)
{
    if (verdict != EC_V_REJECT_DST)
        answer(h, o, true);
    if (verdict != EC_V_REJECT)
        answer(h, o, false);
}

void hand_finish(struct hand *h, const uint32_t *verdict, uint32_t n)
{
    struct out *o = &h->out[h->back];
    uint32_t to[2] = { 0, 0 };

    for (uint32_t i = 0; i < n; i++) {
        uint32_t side = !o[i].side;
        struct iovec *part = h->part[side][to[side]];

        if (verdict[i] != EC_V_PASS) {
            h->held++;
            if (verdict[i] >= EC_V_REJECT)
                reject(h, &o[i], verdict[i]);
            continue;
        }
        part[0] = (struct iovec){ &o[i].f.v, sizeof o[i].f.v };
        part[1] = (struct iovec){ o[i].f.data, o[i].f.len };
        to[side]++;
    }
    send_side(h, 0, to[0]);
    send_side(h, 1, to[1]);
    for (uint32_t i = 0; i < n; i++)
        ring_free(h->ring[o[i].side], o[i].f.slot);
    h->back += n;
}

static struct ring sum(const struct hand *h)
{
    struct ring all = h->past;

    for (uint32_t s = 0; s < 2; s++)
        if (h->ring[s])
            add(&all, h->ring[s]);
    return all;
}

void hand_stats(struct hand *h, uint64_t *c, uint32_t n)
{
    uint64_t all[EC_SRC_ALL] = { 0 };
    struct ring r;

    for (uint32_t s = 0; s < 2; s++)
        if (h->ring[s])
            ring_count(h->ring[s]);
    r = sum(h);
    if (!h->share) {
        uint64_t now = nic_losses(h);

        if (now < h->nic_base)      /* an interface was made anew: its counters too */
            h->nic_base = 0;
        h->nic = now - h->nic_base;
    }
    all[EC_SRC_SEEN] = r.seen + h->nic;
    all[EC_SRC_DELIVERED] = r.taken;
    all[EC_SRC_KERNEL] = r.lost;
    all[EC_SRC_NIC] = h->nic;
    all[EC_SRC_FILTERED] = r.outgoing;
    all[EC_SRC_BAD] = r.bad;
    all[EC_SRC_BYTES] = h->bytes;
    memcpy(c, all, (n < EC_SRC_ALL ? n : EC_SRC_ALL) * sizeof *c);
}

void hand_counts(const struct hand *h, uint64_t c[HAND_COUNTS])
{
    struct ring r = sum(h);

    c[HAND_SENT] = r.sent;
    c[HAND_HELD] = h->held;
    c[HAND_TAGS] = r.tags;
    c[HAND_ANSWERS] = h->answers;
    c[HAND_SILENT] = h->silent;
    for (uint32_t i = 0; i < RING_LOSSES; i++)
        c[HAND_LOST + i] = r.unsent[i];
}

void hand_close(struct hand *h)
{
    lose(h, 0);
    lose(h, 1);
    pair_leave(h->pair);
    free(h);
}
