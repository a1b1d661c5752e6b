#include "plugins/packets/layers.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW = 101, LINK_LOOP = 108, LINK_SLL = 113, LINK_IPV4 = 228,
       LINK_IPV6 = 229, LINK_SLL2 = 276 };
enum { ETHER_IPV4 = 0x0800, ETHER_ARP = 0x0806, ETHER_VLAN = 0x8100, ETHER_IPV6 = 0x86dd, ETHER_QINQ = 0x88a8 };

/* A walk through the packet: `at` is where the next layer begins. */
struct walk { struct layers *l; const uint8_t *p; uint32_t at, n; };

static uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

__attribute__((format(printf, 3, 4)))
static void field(struct layers *l, const char *name, const char *fmt, ...)
{
    struct layer_field *f = &l->field[l->n_field];
    va_list ap;

    if (l->n_field == LAYER_FIELDS || !l->n)
        return;
    va_start(ap, fmt);
    vsnprintf(f->value, sizeof f->value, fmt, ap);
    va_end(ap);
    f->name = name;
    l->n_field++;
    l->layer[l->n - 1].n_field++;
}

__attribute__((format(printf, 3, 4)))
static void inform(struct layers *l, const char *proto, const char *fmt, ...)
{
    va_list ap;

    snprintf(l->proto, sizeof l->proto, "%s", proto);
    va_start(ap, fmt);
    vsnprintf(l->info, sizeof l->info, fmt, ap);
    va_end(ap);
}

/* Begin a layer of at least `least` bytes. Its bytes, NULL: they are not all there, and it is marked as cut. */
static const uint8_t *begin(struct walk *w, const char *name, uint32_t least)
{
    struct layer *y;

    if (w->l->n == LAYERS_MAX)
        return NULL;
    y = &w->l->layer[w->l->n++];
    *y = (struct layer){ name, w->at, w->n - w->at, w->l->n_field, 0, w->n - w->at < least };
    return y->cut ? NULL : w->p + w->at;
}

/* The layer's header is `len` bytes; false: it breaks off. */
static bool end(struct walk *w, uint32_t len)
{
    struct layer *y = &w->l->layer[w->l->n - 1];

    if (len > w->n - w->at) {
        y->cut = true;
        return false;
    }
    y->len = len;
    w->at += len;
    return true;
}

static void payload(struct walk *w)
{
    if (w->at < w->n)
        begin(w, "payload", 0);
}

static void mac(struct layers *l, const char *name, const uint8_t *m)
{
    field(l, name, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void address(struct layers *l, const char *name, int family, const uint8_t *a)
{
    char text[INET6_ADDRSTRLEN];

    field(l, name, "%s", inet_ntop(family, a, text, sizeof text));
}

static void network(struct walk *w, uint32_t type);

static void transport_tcp(struct walk *w)
{
    static const char names[] = "FSRPAUEC";
    const uint8_t *p = begin(w, "tcp", 20);
    struct layers *l = w->l;
    char flags[9];
    uint32_t n = 0;

    if (!p)
        return;
    for (uint32_t i = 0; i < 8; i++)
        if (p[13] >> i & 1)
            flags[n++] = names[i];
    flags[n] = '\0';
    l->ports = true;
    l->sport = get16(p);
    l->dport = get16(p + 2);
    field(l, "src_port", "%u", l->sport);
    field(l, "dest_port", "%u", l->dport);
    field(l, "seq", "%" PRIu32, get32(p + 4));
    field(l, "ack", "%" PRIu32, get32(p + 8));
    field(l, "flags", "%s", flags);
    field(l, "window", "%u", get16(p + 14));
    field(l, "checksum", "0x%04x", get16(p + 16));
    field(l, "urgent", "%u", get16(p + 18));
    field(l, "header_length", "%u", (p[12] >> 4) * 4u);
    inform(l, "TCP", "%u -> %u [%s] seq %" PRIu32 " ack %" PRIu32 " win %u", l->sport, l->dport, flags, get32(p + 4),
           get32(p + 8), get16(p + 14));
    if ((p[12] >> 4) < 5)
        l->layer[l->n - 1].cut = true;
    else if (end(w, (p[12] >> 4) * 4u))
        payload(w);
}

static void transport_udp(struct walk *w)
{
    const uint8_t *p = begin(w, "udp", 8);
    struct layers *l = w->l;

    if (!p)
        return;
    l->ports = true;
    l->sport = get16(p);
    l->dport = get16(p + 2);
    field(l, "src_port", "%u", l->sport);
    field(l, "dest_port", "%u", l->dport);
    field(l, "length", "%u", get16(p + 4));
    field(l, "checksum", "0x%04x", get16(p + 6));
    inform(l, "UDP", "%u -> %u length %u", l->sport, l->dport, get16(p + 4));
    if (end(w, 8))
        payload(w);
}

static void transport_icmp(struct walk *w, bool v6)
{
    const uint8_t *p = begin(w, v6 ? "icmpv6" : "icmp", 4);
    struct layers *l = w->l;

    if (!p)
        return;
    field(l, "type", "%u", p[0]);
    field(l, "code", "%u", p[1]);
    field(l, "checksum", "0x%04x", get16(p + 2));
    inform(l, v6 ? "ICMPv6" : "ICMP", "type %u code %u", p[0], p[1]);
    if (end(w, w->n - w->at < 8 ? 4 : 8))
        payload(w);
}

static void transport_gre(struct walk *w)
{
    const uint8_t *p = begin(w, "gre", 4);
    uint32_t len = 4;

    if (!p)
        return;
    field(w->l, "flags", "0x%04x", get16(p));
    field(w->l, "protocol", "0x%04x", get16(p + 2));
    inform(w->l, "GRE", "protocol 0x%04x", get16(p + 2));
    len += (p[0] & 0x80 ? 4u : 0) + (p[0] & 0x20 ? 4u : 0) + (p[0] & 0x10 ? 4u : 0);
    if (end(w, len) && !(p[1] & 7))
        network(w, get16(p + 2));
    else
        payload(w);
}

static void transport(struct walk *w, uint8_t proto)
{
    switch (proto) {
    case IPPROTO_TCP: transport_tcp(w); break;
    case IPPROTO_UDP: transport_udp(w); break;
    case IPPROTO_ICMP: transport_icmp(w, false); break;
    case IPPROTO_ICMPV6: transport_icmp(w, true); break;
    case IPPROTO_GRE: transport_gre(w); break;
    case IPPROTO_IPIP: network(w, ETHER_IPV4); break;
    case IPPROTO_IPV6: network(w, ETHER_IPV6); break;
    default:
        snprintf(w->l->proto, sizeof w->l->proto, "IP %u", proto);
        payload(w);
    }
}

static void addresses(struct layers *l, uint8_t proto)
{
    l->ip = true;
    l->ports = false;
    l->ip_proto = proto;
    inform(l, "IP", "protocol %u", proto);
}

static void map4(uint8_t to[16], const uint8_t *from)
{
    memset(to, 0, 10);
    to[10] = to[11] = 0xff;
    memcpy(to + 12, from, 4);
}

static void network_ipv4(struct walk *w)
{
    const uint8_t *p = begin(w, "ipv4", 20);
    struct layers *l = w->l;
    uint32_t head, total, offset;

    if (!p)
        return;
    head = (p[0] & 15) * 4u;
    total = get16(p + 2);
    offset = (get16(p + 6) & 0x1fffu) * 8;
    address(l, "src", AF_INET, p + 12);
    address(l, "dest", AF_INET, p + 16);
    field(l, "protocol", "%u", p[9]);
    field(l, "ttl", "%u", p[8]);
    field(l, "tos", "0x%02x", p[1]);
    field(l, "length", "%u", total);
    field(l, "id", "%u", get16(p + 4));
    field(l, "flags", "%s%s", p[6] & 0x40 ? "DF" : "", p[6] & 0x20 ? "MF" : "");
    field(l, "fragment_offset", "%u", offset);
    field(l, "checksum", "0x%04x", get16(p + 10));
    addresses(l, p[9]);
    map4(l->src, p + 12);
    map4(l->dst, p + 16);
    if (head < 20 || total < head || !end(w, head)) {
        l->layer[l->n - 1].cut = true;
        return;
    }
    if (total - head < w->n - w->at)
        w->n = w->at + total - head;        /* what follows is padding */
    if (offset) {
        inform(l, "IP", "fragment at %u of %u", offset, get16(p + 4));
        payload(w);
    } else {
        transport(w, p[9]);
    }
}

/* Headers between IPv6 and its transport. The protocol that follows; 255: nothing more can be read. */
static uint8_t extensions(struct walk *w, uint8_t next)
{
    while (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT) {
        bool fragment = next == IPPROTO_FRAGMENT;
        const uint8_t *p = begin(w, fragment ? "ipv6_fragment" : "ipv6_extension", 8);

        if (!p)
            return 255;
        field(w->l, "type", "%u", next);
        field(w->l, "next_header", "%u", p[0]);
        if (fragment) {
            field(w->l, "fragment_offset", "%u", get16(p + 2) & ~7u);
            field(w->l, "id", "%" PRIu32, get32(p + 4));
        }
        if (!end(w, fragment ? 8 : (p[1] + 1u) * 8))
            return 255;
        w->l->ip_proto = next = p[0];
        if (fragment && get16(p + 2) & ~7u) {
            inform(w->l, "IP", "fragment at %u of %" PRIu32, get16(p + 2) & ~7u, get32(p + 4));
            payload(w);
            return 255;
        }
    }
    return next;
}

static void network_ipv6(struct walk *w)
{
    const uint8_t *p = begin(w, "ipv6", 40);
    struct layers *l = w->l;
    uint32_t len;
    uint8_t next;

    if (!p)
        return;
    len = get16(p + 4);
    address(l, "src", AF_INET6, p + 8);
    address(l, "dest", AF_INET6, p + 24);
    field(l, "next_header", "%u", p[6]);
    field(l, "hop_limit", "%u", p[7]);
    field(l, "traffic_class", "0x%02x", (p[0] & 15) << 4 | p[1] >> 4);
    field(l, "flow_label", "0x%05" PRIx32, get32(p) & 0xfffff);
    field(l, "length", "%" PRIu32, len);
    addresses(l, p[6]);
    memcpy(l->src, p + 8, 16);
    memcpy(l->dst, p + 24, 16);
    end(w, 40);
    if (len && len < w->n - w->at)          /* 0: a jumbogram */
        w->n = w->at + len;
    if ((next = extensions(w, p[6])) != 255)
        transport(w, next);
}

static void network_arp(struct walk *w)
{
    const uint8_t *p = begin(w, "arp", 28);
    char from[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];
    struct layers *l = w->l;

    if (!p)
        return;
    field(l, "operation", "%u", get16(p + 6));
    mac(l, "sender_mac", p + 8);
    address(l, "sender", AF_INET, p + 14);
    mac(l, "target_mac", p + 18);
    address(l, "target", AF_INET, p + 24);
    inet_ntop(AF_INET, p + 14, from, sizeof from);
    inet_ntop(AF_INET, p + 24, to, sizeof to);
    inform(l, "ARP", get16(p + 6) == 1 ? "who has %2$s? tell %1$s" : "%1$s is there, says it to %2$s", from, to);
    end(w, 28);
}

static void network_vlan(struct walk *w)
{
    const uint8_t *p = begin(w, "vlan", 4);

    if (!p)
        return;
    field(w->l, "id", "%u", get16(p) & 0xfffu);
    field(w->l, "priority", "%u", p[0] >> 5);
    field(w->l, "type", "0x%04x", get16(p + 2));
    end(w, 4);
    network(w, get16(p + 2));
}

/* type: an EtherType. Each call begins a layer or ends the walk, so LAYERS_MAX bounds how deep this goes. */
static void network(struct walk *w, uint32_t type)
{
    switch (type) {
    case ETHER_IPV4: network_ipv4(w); break;
    case ETHER_IPV6: network_ipv6(w); break;
    case ETHER_ARP: network_arp(w); break;
    case ETHER_VLAN: case ETHER_QINQ: network_vlan(w); break;
    default: payload(w);
    }
}

static void by_version(struct walk *w)
{
    uint8_t version = w->at < w->n ? w->p[w->at] >> 4 : 0;

    network(w, version == 4 ? ETHER_IPV4 : version == 6 ? ETHER_IPV6 : 0);
}

static void link_ethernet(struct walk *w)
{
    const uint8_t *p = begin(w, "ethernet", 14);

    if (!p)
        return;
    mac(w->l, "src", p + 6);
    mac(w->l, "dest", p);
    field(w->l, "type", "0x%04x", get16(p + 12));
    inform(w->l, "Ethernet", "type 0x%04x", get16(p + 12));
    end(w, 14);
    network(w, get16(p + 12));
}

/* The pseudo-headers of "any" and of loopback. */
static void link_other(struct walk *w, const char *name, uint32_t len, int type_at)
{
    const uint8_t *p = begin(w, name, len);

    if (!p)
        return;
    end(w, len);
    if (type_at < 0)
        by_version(w);
    else
        network(w, get16(p + type_at));
}

void layers_read(struct layers *l, uint32_t linktype, const uint8_t *data, uint32_t n)
{
    struct walk w = { l, data, 0, n };

    l->n = l->n_field = 0;
    l->ip = l->ports = false;
    l->ip_proto = 0;
    l->sport = l->dport = 0;
    l->info[0] = '\0';
    snprintf(l->proto, sizeof l->proto, "link %" PRIu32, linktype);
    switch (linktype) {
    case LINK_ETHERNET: link_ethernet(&w); break;
    case LINK_RAW: case LINK_IPV4: case LINK_IPV6: by_version(&w); break;
    case LINK_NULL: case LINK_LOOP: link_other(&w, "loopback", 4, -1); break;
    case LINK_SLL: link_other(&w, "sll", 16, 14); break;
    case LINK_SLL2: link_other(&w, "sll2", 20, 0); break;
    default: payload(&w);
    }
}
