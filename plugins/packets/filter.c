#include "plugins/packets/filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKS 8                     /* link types with a program of their own; of more nothing passes */
#define LINKTYPE_ETHERNET 1u
#define LINKTYPE_RAW 101u

struct filter {
    char text[FILTER_MAX];
    uint32_t n;
    struct { uint32_t linktype; bool good; struct bpf_program program; } link[LINKS];
};

/* libpcap speaks DLT_*, which differ from LINKTYPE_* in few. */
static int dlt_of(uint32_t linktype)
{
    return linktype == LINKTYPE_RAW ? DLT_RAW : (int)linktype;
}

/* What pcap-filter(7) knows by name. Any other word would be a host, a port or a protocol to look up, and a filter asks
 * nobody: no name server, no file. */
static const char *const words[] = {
    "and", "or", "not", "src", "dst", "host", "net", "mask", "port", "portrange", "less", "greater", "proto",
    "protochain", "ether", "fddi", "tr", "wlan", "ip", "ip6", "arp", "rarp", "decnet", "aarp", "atalk", "ipx",
    "iso", "stp", "lat", "moprc", "mopdl", "sca", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "igrp", "pim",
    "vrrp", "carp", "ah", "esp", "netbeui", "gateway", "broadcast", "multicast", "vlan", "mpls", "pppoed",
    "pppoes", "geneve", "link", "ppp", "slip", "len", "inbound", "outbound", "ifindex", "ifname", "on", "action",
    "type", "subtype", "dir", "ra", "ta", "addr1", "addr2", "addr3", "addr4", "radio", "llc", "tcpflags",
    "tcp-fin", "tcp-syn", "tcp-rst", "tcp-push", "tcp-ack", "tcp-urg", "tcp-ece", "tcp-cwr", "icmptype",
    "icmpcode", "icmp-echo", "icmp-echoreply", "icmp-unreach", "icmp-redirect", "icmp-timxceed", "icmp6type",
    "icmp6code", "icmp6-echo", "icmp6-echoreply", "icmp6-neighborsolicit", "icmp6-neighboradvert",
    "icmp6-routersolicit", "icmp6-routeradvert",
};

/* A number, an address, or one of the words. */
static bool is_plain(const char *p, size_t n)
{
    static const char digits[] = "0123456789./-", hex[] = "0123456789abcdefABCDEF:./-";
    bool colon = memchr(p, ':', n) != NULL, sixteen = n > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
    size_t same = 0;

    while (same < n && strchr(colon || (sixteen && same > 1) ? hex : sixteen ? "0xX" : digits, p[same]))
        same++;
    if (same == n)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == n && !memcmp(words[i], p, n))
            return true;
    return false;
}

static bool asks_nobody(const char *text, char *why, size_t n)
{
    static const char apart[] = " \t\r\n()[]!=<>&|+*^%\\\"";
    size_t len;

    for (; *text; text += len) {
        text += strspn(text, apart);
        len = strcspn(text, apart);
        if (len && !is_plain(text, len)) {
            snprintf(why, n, "'%.*s' is no word of pcap-filter(7): names of hosts, ports and protocols are not looked "
                             "up, write numbers and addresses", (int)(len < 64 ? len : 64), text);
            return false;
        }
    }
    return true;
}

static bool compile(struct filter *f, uint32_t linktype, char *why, size_t n)
{
    pcap_t *dead = pcap_open_dead(dlt_of(linktype), (int)RING_PACKET_MAX);

    f->link[f->n].linktype = linktype;
    f->link[f->n].good = dead && !pcap_compile(dead, &f->link[f->n].program, f->text, 1, PCAP_NETMASK_UNKNOWN);
    if (!f->link[f->n].good)
        snprintf(why, n, "%s", dead ? pcap_geterr(dead) : "out of memory");
    if (dead)
        pcap_close(dead);
    return f->link[f->n++].good;
}

struct filter *filter_new(const char *text, char *why, size_t n)
{
    struct filter *f = calloc(1, sizeof *f);

    if (!f || strlen(text) >= sizeof f->text) {
        snprintf(why, n, f ? "it is too long" : "out of memory");
        free(f);
        return NULL;
    }
    strcpy(f->text, text);
    if (asks_nobody(text, why, n) && compile(f, LINKTYPE_ETHERNET, why, n))
        return f;
    filter_free(f);
    return NULL;
}

void filter_free(struct filter *f)
{
    for (uint32_t i = 0; f && i < f->n; i++)
        if (f->link[i].good)
            pcap_freecode(&f->link[i].program);
    free(f);
}

bool filter_takes(struct filter *f, const struct ring_packet *p, const uint8_t *data)
{
    struct pcap_pkthdr head = { .caplen = p->caplen, .len = p->wirelen };
    char why[PCAP_ERRBUF_SIZE];
    uint32_t i = 0;

    if (!f->text[0])
        return true;
    while (i < f->n && f->link[i].linktype != p->linktype)
        i++;
    if (i == LINKS)
        return false;
    if (i == f->n)
        compile(f, p->linktype, why, sizeof why);
    return f->link[i].good && pcap_offline_filter(&f->link[i].program, &head, data);
}
