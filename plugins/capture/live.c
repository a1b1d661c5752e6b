#include "plugins/capture/live.h"

#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "plugins/capture/kernel_filter.h"
#include "plugins/capture/linktype.h"
#include "plugins/capture/loss.h"

#define FETCH_MAX   64              /* frames that fit the copy buffer */
#define FILL_NS     UINT64_C(2000000)       /* between two looks at how full the ring is: a system call */
#define FRAME_HEAD  80u             /* bytes that a frame takes in the ring beside its own (tpacket3_hdr, address) */
#define REOPEN_NS   UINT64_C(500000000)
#define EARLY_NS    UINT64_C(1000000000)
#define GATHER_NS   UINT64_C(1000000000)
#define GATHER_MS   2
#define LOOK_NS     UINT64_C(250000000)     /* while nothing comes: is the interface still up? */

struct live {
    struct live_config c;
    char name[IFNAMSIZ], *filter;
    pcap_t *pcap;                   /* NULL: the interface is down or away */
    uint32_t linktype;
    bool down;                      /* and people were told so */
    bool libpcap;                   /* of kernel_filter() */
    bool gathers;                   /* other workers have not joined yet */
    uint64_t gather_until;          /* monotonic, ns */
    uint64_t reopen_at, look_at;    /* monotonic, ns */
    uint64_t count;
    uint64_t recv, drop;            /* of the current handle, by the kernel: dropped ones are received, too */
    uint32_t pcap_recv, pcap_drop;  /* the same as libpcap has them, which wrap */
    uint64_t past_recv, past_drop;  /* of handles that are closed */
    uint64_t past_left;             /* of those: received, but never read */
    uint64_t read;                  /* frames read from the current handle */
    uint64_t thrown, maybe_thrown;  /* and such as libpcap threw away itself: see live_settle() */
    uint64_t past_thrown;
    uint64_t joined_ns;             /* frames of before belong to the other workers too, or no filter stood yet */
    uint64_t early_until;           /* monotonic, ns: no frame is older than joined_ns any more */
    uint64_t nic_base, nic;
    uint64_t delivered, filtered, bytes;
    uint32_t fill;                  /* EC_FILL_MAX: the ring is full */
    uint64_t fill_at, fill_read, fill_bytes, fill_drop;     /* when that was looked at: the clock, read, bytes, drop */
    uint8_t *copy; /* FETCH_MAX frames: libpcap gives a block back before the frames are used */
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void live_interfaces(char *buf, uint32_t n)
{
    struct if_nameindex *all = if_nameindex();
    uint32_t at = 0;

    *buf = '\0';
    for (const struct if_nameindex *i = all; i && i->if_name && at < n; i++)
        at += (uint32_t)snprintf(buf + at, n - at, "%s%s", at ? ", " : "", i->if_name);
    if (all)
        if_freenameindex(all);
}

static void activate_explain(const struct live *l, pcap_t *p, int err, char *why, uint32_t n)
{
    char names[512];

    switch (err) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        snprintf(why, n,
                 "cannot capture on %s: CAP_NET_RAW is missing; start as root, or give it with: "
                 "setcap cap_net_raw+ep PROGRAM",
                 l->name);
        break;
    case PCAP_ERROR_NO_SUCH_DEVICE:
        live_interfaces(names, sizeof names);
        snprintf(why, n, "cannot capture on %s: there is no such interface; there are: %s", l->name,
                 names);
        break;
    case PCAP_ERROR_IFACE_NOT_UP:
        snprintf(why, n, "the interface %s is down; set it up with: ip link set %s up", l->name,
                 l->name);
        break;
    default:
        snprintf(why, n, "cannot capture on %s: %s", l->name,
                 *pcap_geterr(p) ? pcap_geterr(p) : pcap_statustostr(err));
    }
}

/* SIOCGIFFLAGS; −1: there is no such interface. */
static int flags_get(const struct live *l, pcap_t *p)
{
    struct ifreq r;

    memset(&r, 0, sizeof r);
    memcpy(r.ifr_name, l->name, sizeof r.ifr_name);
    return ioctl(pcap_fileno(p), SIOCGIFFLAGS, &r) ? -1 : (uint16_t)r.ifr_flags;
}

static int live_prepare(struct live *l, pcap_t *p, char *why, uint32_t n)
{
    char text[PCAP_ERRBUF_SIZE];
    int err;

    l->libpcap = false;
    if (kernel_filter(p, l->filter, &l->libpcap, l->name, why, n))
        return -1;
    if (pcap_setnonblock(p, 1, text) || pcap_get_selectable_fd(p) < 0) {
        snprintf(why, n, "cannot capture on %s without blocking: %s", l->name, text);
        return -1;
    }
    if (l->c.shares > 1 && (err = fanout_join(l->c.fanout, l->name, pcap_fileno(p), l->c.by))) {
        snprintf(why, n, "cannot share %s between %u workers (PACKET_FANOUT): %s; use --workers 1",
                 l->name, l->c.shares, strerror(-err));
        return -1;
    }
    l->joined_ns = l->c.shares > 1 || l->filter ? clock_ns(CLOCK_REALTIME) : 0;
    l->early_until = clock_ns(CLOCK_MONOTONIC) + EARLY_NS;
    return 0;
}

/* 0; 1: the interface exists but is down, with a sentence; −1: failed, with a sentence. */
static int live_activate(struct live *l, char *why, uint32_t n)
{
    char text[PCAP_ERRBUF_SIZE];
    pcap_t *p = pcap_create(l->name, text);
    int err;

    if (!p) {
        snprintf(why, n, "cannot capture on %s: %s", l->name, text);
        return -1;
    }
    pcap_set_snaplen(p, (int)l->c.snaplen);
    pcap_set_promisc(p, l->c.promiscuous != 0);
    pcap_set_timeout(p, (int)l->c.timeout_ms);
    pcap_set_buffer_size(p, (int)l->c.buffer);
    pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
    err = pcap_activate(p);
    if (err < 0)
        activate_explain(l, p, err, why, n);
    if (err < 0 || live_prepare(l, p, why, n)) {
        pcap_close(p);
        return err == PCAP_ERROR_IFACE_NOT_UP ? 1 : -1;
    }
    l->pcap = p;
    l->recv = l->drop = l->read = l->thrown = l->maybe_thrown = 0;
    l->pcap_recv = l->pcap_drop = l->fill = 0;
    l->fill_read = l->fill_drop = 0;
    l->fill_bytes = l->bytes;
    l->linktype = linktype_from_dlt((uint32_t)pcap_datalink(p));
    return 0;
}

/* Brings recv and drop up to date. −1: libpcap cannot tell. */
static int live_count(struct live *l)
{
    struct pcap_stat s;

    if (!l->pcap || pcap_stats(l->pcap, &s))
        return -1;
    l->recv += s.ps_recv - l->pcap_recv;
    l->drop += s.ps_drop - l->pcap_drop;
    l->pcap_recv = s.ps_recv;
    l->pcap_drop = s.ps_drop;
    return 0;
}

/* Frames that the kernel has for us, or libpcap threw away unseen. */
static uint64_t live_unread(const struct live *l)
{
    uint64_t kept = l->recv - l->drop;

    return kept > l->read ? kept - l->read : 0;
}

/* Every so often: how much of the ring do the frames take that wait in it? They are taken for as long as those that
 * were just read. */
static void live_fill(struct live *l)
{
    uint64_t frames, each, waiting, fill, now = clock_ns(CLOCK_MONOTONIC_COARSE);

    if (now - l->fill_at < FILL_NS || live_count(l) || l->read == l->fill_read)
        return;
    l->fill_at = now;
    frames = l->read - l->fill_read;
    each = (l->bytes - l->fill_bytes) / frames + FRAME_HEAD;
    waiting = live_unread(l) > l->thrown ? live_unread(l) - l->thrown : 0;
    fill = waiting * each * EC_FILL_MAX / l->c.buffer;
    l->fill = l->drop != l->fill_drop || fill > EC_FILL_MAX ? EC_FILL_MAX : (uint32_t)fill;
    l->fill_read = l->read;
    l->fill_bytes = l->bytes;
    l->fill_drop = l->drop;
}

/* Frames that the ring held when it was closed are lost, and counted as the kernel's. */
static void live_drop(struct live *l)
{
    if (!l->pcap)
        return;
    live_count(l);
    l->past_recv += l->recv;
    l->past_drop += l->drop;
    l->past_left += live_unread(l) > l->thrown ? live_unread(l) - l->thrown : 0;
    l->recv = l->drop = 0;
    l->past_thrown += l->thrown;
    l->thrown = 0;
    if (l->c.shares > 1)
        fanout_leave(l->c.fanout, l->name);
    pcap_close(l->pcap);
    l->pcap = NULL;
}

struct batch {
    struct live *live;
    struct ec_frame *const *f;
    uint32_t n;
    uint8_t *to;
};

/* Not for long, and not again: a wall clock that is set back must not make us blind. */
static bool frame_early(struct live *l, uint64_t ts_ns)
{
    if (ts_ns >= l->joined_ns || clock_ns(CLOCK_MONOTONIC) > l->early_until) {
        l->joined_ns = 0;
        return false;
    }
    l->filtered++;
    return true;
}

static void frame_take(u_char *arg, const struct pcap_pkthdr *h, const u_char *data)
{
    struct batch *b = (struct batch *)(void *)arg;
    struct live *l = b->live;
    struct ec_frame *f = b->f[b->n];
    uint32_t caplen = h->caplen < l->c.snaplen ? h->caplen : l->c.snaplen;
    /* Of nanosecond precision, as asked for: tv_usec holds them. */
    uint64_t ts_ns = (uint64_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec;

    l->read++;
    if (l->joined_ns && frame_early(l, ts_ns))
        return;
    b->n++;
    memcpy(b->to, data, caplen);
    f->data = b->to;
    b->to += caplen;
    f->ts_ns = ts_ns;
    f->count = ++l->count;
    f->caplen = caplen;
    f->wirelen = h->len < caplen ? caplen : h->len;
    f->flags = caplen < f->wirelen ? EC_FR_CUT : 0u;
    f->linktype = l->linktype;
    f->iface = l->c.iface;
    f->cookie = 0;
    f->fill = l->fill;
    l->bytes += caplen;
}

/* Reads what is there. −1: the interface went away. */
static int live_read(struct live *l, struct ec_frame *const *f, uint32_t max)
{
    struct batch b = {l, f, 0, l->copy};
    int n =
        pcap_dispatch(l->pcap, (int)(max < FETCH_MAX ? max : FETCH_MAX), frame_take, (u_char *)&b);

    l->delivered += b.n;
    if (n > 0)
        live_fill(l);
    else
        l->fill = 0;
    return n < 0 && !b.n ? -1 : (int)b.n;
}

static void live_tell(struct live *l, bool down, const char *reason)
{
    char why[512];

    if (down == l->down)
        return;
    l->down = down;
    if (down)
        snprintf(why, sizeof why, "%s is down: %s; waiting for it to come back", l->name, reason);
    else
        snprintf(why, sizeof why, "%s is up again", l->name);
    if (l->c.share == 0)
        say(&l->c.say, down ? SAY_DOWN : SAY_UP, why);
}

/* The socket is of no use any more: open another one when the interface is back. */
static void live_lose(struct live *l, const char *reason)
{
    live_tell(l, true, reason);
    live_drop(l);
    l->reopen_at = clock_ns(CLOCK_MONOTONIC) + REOPEN_NS;
}

static void live_try(struct live *l)
{
    char why[1024];
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (now < l->reopen_at)
        return;
    l->reopen_at = now + REOPEN_NS;
    if (!live_activate(l, why, sizeof why))
        live_tell(l, false, "");
}

/* A socket on an interface that is set down only falls silent, and works again when it is up. */
static void live_look(struct live *l)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    int flags;

    if (now < l->look_at || !strcmp(l->name, "any"))
        return;
    l->look_at = now + LOOK_NS;
    flags = flags_get(l, l->pcap);
    if (flags < 0)
        live_lose(l, "the interface does not exist any more");
    else
        live_tell(l, !(flags & IFF_UP), "it was set down");
}

/* Some frames the kernel counts and libpcap never hands over: those on loopback that came before the filter stood, or
 * which libpcap's own filter refuses. What is missing at two moments of silence, with time for
 * the ring between them, is such. */
static void live_settle(struct live *l)
{
    uint64_t missing;

    if (live_count(l))
        return;
    missing = live_unread(l);
    if (missing < l->maybe_thrown)
        l->maybe_thrown = missing;
    if (l->maybe_thrown > l->thrown)
        l->thrown = l->maybe_thrown;
    l->maybe_thrown = missing;
}

struct live *live_open(const struct live_config *c, char *why, uint32_t n)
{
    struct live *l = calloc(1, sizeof *l);
    int err;

    if (!l || !(l->copy = malloc((size_t)FETCH_MAX * c->snaplen)) ||
        (c->filter && *c->filter && !(l->filter = strdup(c->filter)))) {
        snprintf(why, n, "out of memory");
        live_close(l);
        return NULL;
    }
    l->c = *c;
    if (!*c->interface ||
        (size_t)snprintf(l->name, sizeof l->name, "%s", c->interface) >= sizeof l->name) {
        snprintf(why, n, "'%s' is no name of an interface: those have 1 to %zu characters",
                 c->interface, sizeof l->name - 1);
        live_close(l);
        return NULL;
    }
    l->nic_base = loss_read(l->name);
    err = live_activate(l, why, n);
    if (err < 0) {
        live_close(l);
        return NULL;
    }
    if (err > 0)
        live_tell(l, true, "it is not up yet");
    l->gathers = l->pcap && c->shares > 1;
    l->gather_until = clock_ns(CLOCK_MONOTONIC) + GATHER_NS;
    return l;
}

void live_refilter(struct live *l, const char *text)
{
    char why[1024] = "out of memory", *next = NULL;
    int err = 0;

    if (!strcmp(text, l->filter ? l->filter : ""))
        return;
    if (*text && !(next = strdup(text)))
        err = -1;
    else if (l->pcap)
        err = kernel_filter(l->pcap, text, &l->libpcap, l->name, why, sizeof why);
    if (err) {
        free(next);
        if (l->c.share == 0)
            say(&l->c.say, SAY_FILTER, why);
        return;
    }
    free(l->filter);
    l->filter = next;
}

uint32_t live_linktype(const struct live *l)
{
    return l->pcap ? l->linktype : UINT32_MAX;
}

/* Waits for frames, the wake-up or the time-out. Returns EC_SRC_MORE, _IDLE or _INTERRUPTED. */
static uint32_t live_wait(const struct live *l, int32_t wake_fd, uint32_t timeout_ms)
{
    struct pollfd p[2] = {{wake_fd, POLLIN, 0}, {-1, POLLIN, 0}};
    int n;

    if (l->pcap)
        p[1].fd = pcap_get_selectable_fd(l->pcap);
    n = poll(p, 2, (int)timeout_ms);
    if (n <= 0)
        return EC_SRC_IDLE;
    return p[0].revents ? EC_SRC_INTERRUPTED : EC_SRC_MORE;
}

/* A packet that came before the last worker was there went to another one than those behind it: a capture begins when all
 * are. Who is not there in time is not waited for. */
static bool live_gathered(struct live *l)
{
    uint64_t since = fanout_since(l->c.fanout, l->name, l->c.shares), now = clock_ns(CLOCK_MONOTONIC);

    if (!since && now < l->gather_until)
        return false;
    l->gathers = false;
    if (since) {
        l->joined_ns = since;
        l->early_until = now + EARLY_NS;
    }
    return true;
}

static uint32_t live_gather_wait(int32_t wake_fd, uint32_t timeout_ms)
{
    struct pollfd p = {wake_fd, POLLIN, 0};

    return poll(&p, 1, timeout_ms < GATHER_MS ? (int)timeout_ms : GATHER_MS) > 0 ? EC_SRC_INTERRUPTED : EC_SRC_IDLE;
}

uint32_t live_fetch(struct live *l, struct ec_frame *const *f, uint32_t max, int32_t wake_fd,
                    uint32_t timeout_ms, uint32_t *why)
{
    int n;

    if (l->gathers && !live_gathered(l)) {
        *why = live_gather_wait(wake_fd, timeout_ms);
        return 0;
    }
    if (!l->pcap)
        live_try(l);
    n = l->pcap ? live_read(l, f, max) : 0;
    if (n > 0) {
        *why = EC_SRC_MORE;
        return (uint32_t)n;
    }
    if (n < 0)
        live_lose(l, pcap_geterr(l->pcap));
    else if (l->pcap)
        live_look(l);
    *why = live_wait(l, wake_fd, timeout_ms);
    if (*why == EC_SRC_IDLE && l->pcap && timeout_ms >= l->c.timeout_ms)
        live_settle(l);
    if (*why == EC_SRC_IDLE && (l->down || !l->pcap))
        *why = EC_SRC_DOWN;
    return 0;
}

void live_stats(struct live *l, uint64_t *c, uint32_t n)
{
    uint64_t all[EC_SRC_ALL] = {0};

    live_count(l);
    if (l->c.share == 0) {
        uint64_t now = loss_read(l->name);

        if (now < l->nic_base)          /* the interface was made anew: its counters too */
            l->nic_base = 0;
        l->nic = now - l->nic_base;
    }
    all[EC_SRC_DELIVERED] = l->delivered;
    all[EC_SRC_BYTES] = l->bytes;
    all[EC_SRC_KERNEL] = l->past_drop + l->past_left + l->drop;
    all[EC_SRC_NIC] = l->nic;
    all[EC_SRC_FILTERED] = l->filtered + l->past_thrown + l->thrown;
    all[EC_SRC_SEEN] = l->past_recv + l->recv + l->nic;
    memcpy(c, all, (n < EC_SRC_ALL ? n : EC_SRC_ALL) * sizeof *c);
}

void live_end(struct live *l, uint64_t *c, uint32_t n)
{
    live_drop(l);
    if (c)
        live_stats(l, c, n);
    free(l->copy);
    free(l->filter);
    free(l);
}

void live_close(struct live *l)
{
    if (l)
        live_end(l, NULL, 0);
}
