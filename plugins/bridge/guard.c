#include "plugins/bridge/guard.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef NFT_TABLE_F_OWNER
# define NFT_TABLE_F_OWNER 0x2
#endif
#define FAMILY 5                    /* NFPROTO_NETDEV */
#define BEFORE (-200)               /* priorities of the two */
#define AFTER 200
#define NAME 48

/* A transaction of nfnetlink: messages one after the other. */
struct batch {
    union { struct nlmsghdr align; uint8_t b[4096]; } room;
    uint32_t n, last, seq;          /* bytes; where the last message begins */
};

static struct nlmsghdr *last(struct batch *b)
{
    return (struct nlmsghdr *)(void *)(b->room.b + b->last);
}

static void put(struct batch *b, const void *p, uint32_t n)
{
    memcpy(b->room.b + b->n, p, n);
    memset(b->room.b + b->n + n, 0, NLMSG_ALIGN(n) - n);
    b->n += NLMSG_ALIGN(n);
    last(b)->nlmsg_len = b->n - b->last;
}

static void message(struct batch *b, uint16_t type, uint16_t flags)
{
    bool edge = type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END;
    struct nlmsghdr nl = { 0, edge ? type : (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
                           (uint16_t)(NLM_F_REQUEST | flags | (edge ? 0 : NLM_F_ACK)), ++b->seq, 0 };
    struct nfgenmsg nf = { edge ? AF_UNSPEC : FAMILY, NFNETLINK_V0, edge ? htons(NFNL_SUBSYS_NFTABLES) : 0 };

    b->last = b->n;
    put(b, &nl, sizeof nl);
    put(b, &nf, sizeof nf);
}

static void attribute(struct batch *b, uint16_t type, const void *p, size_t n)
{
    struct nlattr a = { (uint16_t)(sizeof a + n), type };

    put(b, &a, sizeof a);
    put(b, p, (uint32_t)n);
}

static void text(struct batch *b, uint16_t type, const char *s)
{
    attribute(b, type, s, strlen(s) + 1);
}

static void number(struct batch *b, uint16_t type, uint32_t v)
{
    v = htonl(v);
    attribute(b, type, &v, sizeof v);
}

static uint32_t nest(struct batch *b, uint16_t type)
{
    uint32_t at = b->n;

    attribute(b, (uint16_t)(type | NLA_F_NESTED), "", 0);
    return at;
}

static void nest_end(struct batch *b, uint32_t at)
{
    ((struct nlattr *)(void *)(b->room.b + at))->nla_len = (uint16_t)(b->n - at);
}

static void table(struct batch *b, const char *name, uint32_t flags)
{
    message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    text(b, NFTA_TABLE_NAME, name);
    number(b, NFTA_TABLE_FLAGS, flags);
}

/* Whether it is there or not. */
static void table_remove(struct batch *b, const char *name, uint32_t flags)
{
    table(b, name, flags);
    message(b, NFT_MSG_DELTABLE, 0);
    text(b, NFTA_TABLE_NAME, name);
}

static void chain(struct batch *b, const char *table, const char *interface, int priority, uint32_t policy)
{
    uint32_t hook;

    message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    text(b, NFTA_CHAIN_TABLE, table);
    text(b, NFTA_CHAIN_NAME, interface);
    hook = nest(b, NFTA_CHAIN_HOOK);
    number(b, NFTA_HOOK_HOOKNUM, 0);            /* ingress */
    number(b, NFTA_HOOK_PRIORITY, (uint32_t)priority);
    text(b, NFTA_HOOK_DEV, interface);
    nest_end(b, hook);
    number(b, NFTA_CHAIN_POLICY, policy);
    text(b, NFTA_CHAIN_TYPE, "filter");
}

/* An expression; what it is made of goes between this and the ends of both nests. */
static void expression(struct batch *b, const char *name, uint32_t at[2])
{
    at[0] = nest(b, NFTA_LIST_ELEM);
    text(b, NFTA_EXPR_NAME, name);
    at[1] = nest(b, NFTA_EXPR_DATA);
}

static void expression_end(struct batch *b, const uint32_t at[2])
{
    nest_end(b, at[1]);
    nest_end(b, at[0]);
}

/* fwd to the interface with this index. */
static void forward(struct batch *b, const char *table, const char *chain, int index)
{
    uint32_t all, one[2], data, v = (uint32_t)index;

    message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    text(b, NFTA_RULE_TABLE, table);
    text(b, NFTA_RULE_CHAIN, chain);
    all = nest(b, NFTA_RULE_EXPRESSIONS);
    expression(b, "immediate", one);
    number(b, NFTA_IMMEDIATE_DREG, NFT_REG_1);
    data = nest(b, NFTA_IMMEDIATE_DATA);
    attribute(b, NFTA_DATA_VALUE, &v, sizeof v);
    nest_end(b, data);
    expression_end(b, one);
    expression(b, "fwd", one);
    number(b, NFTA_FWD_SREG_DEV, NFT_REG_1);
    expression_end(b, one);
    nest_end(b, all);
}

static int guard_socket(void)
{
    static const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
    static const struct timeval patience = { .tv_sec = 5 };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

    if (fd >= 0 && (bind(fd, (const struct sockaddr *)&any, sizeof any) ||
                    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* The first error of what the kernel answers, 0: each message was acknowledged. */
static int answers(int fd, uint32_t wanted)
{
    union { struct nlmsghdr nl; char room[8192]; } m;

    while (wanted) {
        ssize_t got = recv(fd, &m, sizeof m, 0);
        size_t left = got > 0 ? (size_t)got : 0;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        for (struct nlmsghdr *nl = &m.nl; NLMSG_OK(nl, left) && wanted; nl = NLMSG_NEXT(nl, left)) {
            struct nlmsgerr e;

            if (nl->nlmsg_type != NLMSG_ERROR)
                continue;
            memcpy(&e, NLMSG_DATA(nl), sizeof e);
            if (e.error)
                return -e.error;
            wanted--;
        }
    }
    return 0;
}

/* Whatever an earlier transaction that failed left to be read is thrown away. */
static int run(int fd, struct batch *b)
{
    char old[8192];

    while (recv(fd, old, sizeof old, MSG_DONTWAIT) > 0)
        ;
    message(b, NFNL_MSG_BATCH_END, 0);
    if (send(fd, b->room.b, b->n, MSG_NOSIGNAL) != (ssize_t)b->n)
        return errno;
    return answers(fd, b->seq - 2);
}

static void begin(struct batch *b)
{
    memset(b, 0, sizeof *b);
    message(b, NFNL_MSG_BATCH_BEGIN, 0);
}

/* Names of interfaces may have characters that nft(8) would not take. */
static void table_name(char to[NAME], const char *what, const char *interface)
{
    int n = snprintf(to, NAME, "ecyber_%s_%s", what, interface);

    for (int i = 0; i < n; i++)
        if (!isalnum((unsigned char)to[i]))
            to[i] = '_';
}

static int explain(int err, const char *what, char *why, uint32_t n)
{
    if (err == EPERM)
        snprintf(why, n, "%s: CAP_NET_ADMIN is missing (the daemon has it when root starts it), or another "
                 "daemon owns the table", what);
    else if (err == EOPNOTSUPP || err == ENOENT)
        snprintf(why, n, "%s: this kernel cannot (nft_fwd_netdev, and tables with an owner: Linux 5.12): %s", what,
                 strerror(err));
    else
        snprintf(why, n, "%s: %s", what, strerror(err));
    return -1;
}

int guard_set(int *fd, const struct link *const l[2], char *why, uint32_t n)
{
    char hold[NAME], open[NAME];
    struct batch b;
    int err;

    table_name(hold, "hold", l[0]->name);
    table_name(open, "open", l[0]->name);
    if (*fd < 0)
        *fd = guard_socket();
    if (*fd < 0)
        return explain(errno, "bridge.fail: open", why, n);
    begin(&b);
    table_remove(&b, hold, NFT_TABLE_F_OWNER);
    table(&b, hold, NFT_TABLE_F_OWNER);
    for (uint32_t i = 0; i < 2; i++)
        chain(&b, hold, l[i]->name, BEFORE, NF_DROP);
    table_remove(&b, open, 0);
    table(&b, open, 0);
    for (uint32_t i = 0; i < 2; i++) {
        chain(&b, open, l[i]->name, AFTER, NF_ACCEPT);
        forward(&b, open, l[i]->name, l[!i]->index);
    }
    if (!(err = run(*fd, &b)))
        return 0;
    close(*fd);
    *fd = -1;
    return explain(err, "bridge.fail: open", why, n);
}

int guard_remove(const char *first, char *why, uint32_t n)
{
    char open[NAME];
    struct batch b;
    int fd = guard_socket(), err = fd < 0 ? errno : 0;

    table_name(open, "open", first);
    begin(&b);
    table_remove(&b, open, 0);
    if (!err)
        err = run(fd, &b);
    if (fd >= 0)
        close(fd);
    return err ? explain(err, "what bridge.fail: open prepared cannot be removed", why, n) : 0;
}
