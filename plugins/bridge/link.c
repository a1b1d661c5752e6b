#include "plugins/bridge/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct ask {
    struct nlmsghdr nl;
    struct ifinfomsg info;
    struct rtattr head;
    char name[IFNAMSIZ];
};

union answer { struct nlmsghdr nl; char room[32768]; };

/* The kernel's answer about one name; 0 or an errno. */
static int ask(const char *name, union answer *to, size_t *got)
{
    struct ask a = { .nl = { sizeof a, RTM_GETLINK, NLM_F_REQUEST, 1, 0 }, .info = { .ifi_family = AF_UNSPEC },
                     .head = { sizeof a.head + sizeof a.name, IFLA_IFNAME } };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = 0;
    struct nlmsgerr e;
    ssize_t n;

    if (fd < 0)
        return errno;
    snprintf(a.name, sizeof a.name, "%s", name);
    if (send(fd, &a, sizeof a, 0) < 0)
        err = errno;
    while (!err && (n = recv(fd, to, sizeof *to, 0)) < 0)
        err = errno == EINTR ? 0 : errno;
    close(fd);
    if (err)
        return err;
    *got = (size_t)n;
    if (!NLMSG_OK(&to->nl, *got))
        return EPROTO;
    if (to->nl.nlmsg_type != NLMSG_ERROR)
        return to->nl.nlmsg_type == RTM_NEWLINK ? 0 : EPROTO;
    memcpy(&e, NLMSG_DATA(&to->nl), sizeof e);
    return e.error ? -e.error : EPROTO;
}

static int number(const struct rtattr *a)
{
    int v = 0;

    memcpy(&v, RTA_DATA(a), RTA_PAYLOAD(a) < sizeof v ? RTA_PAYLOAD(a) : sizeof v);
    return v;
}

static void fill(struct link *l, const struct nlmsghdr *m)
{
    const struct ifinfomsg *info = NLMSG_DATA(m);
    const struct rtattr *a = IFLA_RTA(info);
    size_t left = IFLA_PAYLOAD(m);

    memset(l, 0, sizeof *l);
    l->index = info->ifi_index;
    l->flags = info->ifi_flags;
    l->type = info->ifi_type;
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
        switch (a->rta_type) {
        case IFLA_IFNAME:
            snprintf(l->name, sizeof l->name, "%.*s", (int)RTA_PAYLOAD(a), (const char *)RTA_DATA(a));
            break;
        case IFLA_MTU:
            l->mtu = (uint32_t)number(a);
            break;
        case IFLA_LINK:
            l->under = number(a);
            break;
        case IFLA_MASTER:
            l->master = number(a);
            break;
        case IFLA_LINK_NETNSID:
            l->apart = true;
            break;
        }
}

static void interfaces(char *to, uint32_t n)
{
    struct if_nameindex *all = if_nameindex();
    uint32_t at = 0;

    *to = '\0';
    for (const struct if_nameindex *i = all; i && i->if_name && at < n; i++)
        at += (uint32_t)snprintf(to + at, n - at, "%s%s", at ? ", " : "", i->if_name);
    if (all)
        if_freenameindex(all);
}

int link_read(const char *name, struct link *l, char *why, uint32_t n)
{
    union answer m;
    size_t got = 0;
    char names[512];
    int err = ask(name, &m, &got);

    if (err == ENODEV) {
        interfaces(names, sizeof names);
        snprintf(why, n, "cannot bridge %s: there is no such interface; there are: %s", name, names);
        return -1;
    }
    if (err) {
        snprintf(why, n, "cannot bridge %s: %s", name, strerror(err));
        return -1;
    }
    fill(l, &m.nl);
    if (l->type == ARPHRD_ETHER)
        return 0;
    snprintf(why, n, "cannot bridge %s: it is no Ethernet interface", name);
    return -1;
}

uint64_t link_losses(const char *name)
{
    union answer m;
    size_t got = 0, left;
    struct rtnl_link_stats64 s = { 0 };

    if (ask(name, &m, &got))
        return 0;
    left = IFLA_PAYLOAD(&m.nl);
    for (const struct rtattr *a = IFLA_RTA(NLMSG_DATA(&m.nl)); RTA_OK(a, left); a = RTA_NEXT(a, left))
        if (a->rta_type == IFLA_STATS64)
            memcpy(&s, RTA_DATA(a), RTA_PAYLOAD(a) < sizeof s ? RTA_PAYLOAD(a) : sizeof s);
    return s.rx_dropped + s.rx_missed_errors + s.rx_fifo_errors;
}

int link_pair(const char *text, char name[2][IFNAMSIZ], char *why, uint32_t n)
{
    const char *comma = strchr(text, ',');
    size_t first = comma ? (size_t)(comma - text) : 0, second = comma ? strlen(comma + 1) : 0;

    if (!first || !second || strchr(comma + 1, ',')) {
        snprintf(why, n, "'%s' names no two interfaces: write bridge:eth1,eth2", text);
        return -1;
    }
    if (first >= IFNAMSIZ || second >= IFNAMSIZ) {
        snprintf(why, n, "in '%s' a name has more than %d characters, so it is no interface's", text, IFNAMSIZ - 1);
        return -1;
    }
    snprintf(name[0], IFNAMSIZ, "%.*s", (int)first, text);
    snprintf(name[1], IFNAMSIZ, "%s", comma + 1);
    return 0;
}

/* Does a stand on b, or is it its other end? */
static bool stands_on(const struct link *a, const struct link *b)
{
    return !a->apart && a->under == b->index && a->under != a->index;
}

const char *link_loop(const struct link *a, const struct link *b, char *why, uint32_t n)
{
    if (a->index == b->index)
        snprintf(why, n, "%s and %s are one interface: each frame would go round for ever", a->name, b->name);
    else if (stands_on(a, b) || stands_on(b, a))
        snprintf(why, n, "%s and %s are two ends of one, or one stands on the other: each frame would go round for "
                 "ever", a->name, b->name);
    else if (a->master && a->master == b->master)
        snprintf(why, n, "%s and %s are joined by the kernel already (ports of interface %d): each frame would go "
                 "round for ever", a->name, b->name, a->master);
    else
        return NULL;
    return why;
}
