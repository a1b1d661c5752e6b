#include "core/helper/claim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef NFT_TABLE_F_OWNER
# define NFT_TABLE_F_OWNER 0x2
#endif
#define MESSAGES 0x0a00             /* subsystem NFNL_SUBSYS_NFTABLES, in the high byte of a type */

/* A transaction of one command: begin, a new table, end. Every part is a multiple of four bytes. */
struct ask {
    struct { struct nlmsghdr nl; struct nfgenmsg nf; } begin;
    struct {
        struct nlmsghdr nl;
        struct nfgenmsg nf;
        struct nlattr name_head;
        char name[(sizeof CLAIM_TABLE + 3) & ~3u];
        struct nlattr flags_head;
        uint32_t flags;
    } table;
    struct { struct nlmsghdr nl; struct nfgenmsg nf; } end;
};

static void fill(struct ask *a)
{
    struct nfgenmsg batch = { .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

    memset(a, 0, sizeof *a);
    a->begin.nl = (struct nlmsghdr){ sizeof a->begin, NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, 1, 0 };
    a->begin.nf = batch;
    a->table.nl = (struct nlmsghdr){ sizeof a->table, MESSAGES | NFT_MSG_NEWTABLE,
                                     NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 2, 0 };
    a->table.nf = (struct nfgenmsg){ .nfgen_family = 1 /* NFPROTO_INET */, .version = NFNETLINK_V0 };
    a->table.name_head = (struct nlattr){ sizeof a->table.name_head + sizeof CLAIM_TABLE, NFTA_TABLE_NAME };
    memcpy(a->table.name, CLAIM_TABLE, sizeof CLAIM_TABLE);
    a->table.flags_head = (struct nlattr){ sizeof a->table.flags_head + sizeof a->table.flags, NFTA_TABLE_FLAGS };
    a->table.flags = htonl(NFT_TABLE_F_OWNER);
    a->end.nl = (struct nlmsghdr){ sizeof a->end, NFNL_MSG_BATCH_END, NLM_F_REQUEST, 3, 0 };
    a->end.nf = batch;
}

int claim_open(void)
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

/* The kernel's answer to the command: 0 or an errno. Nobody but the kernel can send to a netfilter socket. */
static int answer(int fd)
{
    union { struct nlmsghdr nl; char room[8192]; } m;
    struct nlmsgerr e;
    ssize_t n;

    while ((n = recv(fd, &m, sizeof m, 0)) < 0 && errno == EINTR)
        ;
    if (n < 0)
        return errno;
    if ((size_t)n < sizeof m.nl + sizeof e || m.nl.nlmsg_type != NLMSG_ERROR)
        return EPROTO;
    memcpy(&e, NLMSG_DATA(&m.nl), sizeof e);
    return -e.error;
}

const char *claim_take(int fd)
{
    struct ask a;
    int err;

    fill(&a);
    err = send(fd, &a, sizeof a, MSG_NOSIGNAL) == (ssize_t)sizeof a ? answer(fd) : errno;
    switch (err) {
    case 0:
        return NULL;
    case EPERM:                     /* it has an owner */
        return "another eCyber holds the firewall of this network: stop it first";
    case EEXIST:
        return "somebody has made a table 'inet " CLAIM_TABLE "' by hand, so the firewall cannot be claimed: delete it";
    case EOPNOTSUPP:
        return "this kernel knows no tables with an owner: bans need Linux 5.12 or newer";
    default:
        return "the kernel refused the claim on the firewall";
    }
}
