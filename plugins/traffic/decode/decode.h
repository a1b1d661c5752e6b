/* decode.h: from the bytes of a frame to addresses, ports and payload. Reads nothing outside
 * caplen, keeps no state. */
#ifndef TRAFFIC_DECODE_H
#define TRAFFIC_DECODE_H
#include <stdbool.h>
#include <stdint.h>

#include "plugins/traffic/decode/event.h"
#include "plugins/traffic/sdk.h"

enum { PROTO_ICMP = 1, PROTO_IGMP = 2, PROTO_IPIP = 4, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_IPV6 = 41, PROTO_GRE = 47,
       PROTO_ESP = 50, PROTO_AH = 51, PROTO_ICMPV6 = 58, PROTO_L2TP = 115, PROTO_SCTP = 132 };
enum {                              /* EtherTypes, also of what is inside a tunnel */
    ETHER_IPV4 = 0x0800,
    ETHER_ARP = 0x0806,
    ETHER_BRIDGE = 0x6558,          /* an Ethernet frame */
    ETHER_VLAN = 0x8100,
    ETHER_IPV6 = 0x86dd,
    ETHER_PPP = 0x880b,
    ETHER_MPLS = 0x8847,
    ETHER_MPLS_MULTI = 0x8848,
    ETHER_QINQ = 0x88a8,
    ETHER_NSH = 0x894f
};
enum { TUNNEL_NONE, TUNNEL_IP, TUNNEL_GRE, TUNNEL_ERSPAN, TUNNEL_PPTP, TUNNEL_VXLAN, TUNNEL_GENEVE, TUNNEL_GTP,
       TUNNEL_TEREDO, TUNNEL_VXLAN_GPE, TUNNEL_L2TP };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32,
       TCP_ECE = 64, TCP_CWR = 128 };

enum {                              /* packet.what */
    PK_IP = 1,                      /* addresses are there */
    PK_KEY = 2,                     /* it belongs to a flow */
    PK_FRAGMENT = 4,                /* of a datagram: there is no layer 4; frag */
    PK_CUT = 16,                    /* the capture ends before the packet does */
    PK_BAD = 32,                    /* decoding stopped: broken headers */
    PK_LINK_UNSUPPORTED = 64,
    PK_NOT_IP = 128,
    PK_TIMESTAMP = 256,             /* TCP: ts_val and ts_ecr are there */
    PK_ARP = 512,
    PK_INNER = 1024,                /* there is a packet inside: inner_* */
    PK_OFFLOAD = 2048,              /* the sender left its checksum, or the cutting, to the network card */
    PK_ICMP_ABOUT = 4096            /* an ICMP error about a packet: icmp */
};
#define VLANS_MAX 3u                /* tags that are told; more are broken */
#define PACKET_EVENTS 8             /* kept for one packet; more are not */
#define PACKET_LAYERS 16            /* between the link and IP; more is an attack */
#define TUNNEL_DEPTH 8u             /* packets in packets: by default, and at most */
#define TUNNEL_DEPTH_MAX 16u
#define TUNNEL_PORTS 16

struct decode_conf {
    bool sums;                      /* verify checksums (unless the source did) and flag wrong ones */
    bool offloads;                  /* a sum of the pseudo header alone is an offload's, and right */
    uint8_t depth, ports;           /* of tunnels; 0: they are not opened */
    uint64_t port_mask;             /* bit (port % 64): it may be among these */
    struct { uint16_t port; uint8_t kind; } port[TUNNEL_PORTS];
};

struct packet {                     /* ec_packet and what the engine needs besides */
    struct ec_packet pub;
    uint32_t hash, what;
    uint32_t seq, ack;              /* TCP */
    /* payload bytes by the headers: more than payload_len where the capture cut */
    uint32_t whole_payload;
    uint32_t wire;                  /* its bytes on the wire, as flows count them */
    const struct packet *outer;     /* the one it came in; NULL: it is the frame's own */
    uint16_t window, vlan[VLANS_MAX];
    uint8_t vlans, tcp_flags, wscale, events;
    uint8_t event[PACKET_EVENTS];   /* from here on nothing is cleared for the next packet */
    uint32_t ts_val, ts_ecr;        /* with PK_TIMESTAMP */
    union {
        /* With PK_INNER: where the packet inside stands in pub.data, its EtherType, the tunnel, a VLAN that it names;
         * itself, once it is decoded; the id of the flow around it (0: none), which may have ended since. */
        struct {
            uint32_t inner_at, inner_end;
            uint16_t inner_type, inner_vlan;
            uint8_t inner_kind;
            struct packet *inner;
            uint64_t inner_of;
        };
        /* With PK_FRAGMENT: where its data stand in pub.data, and in the datagram; the headers before them end at cut.
         * head: their bytes that count for the datagram's length. IPv6: nh is what the data begin with, nh_at the byte
         * that says 'fragment'. */
        struct {
            uint32_t at, end, cut, head, nh_at, id, off;
            uint8_t nh;
            bool more;
        } frag;
        /* With PK_ICMP_ABOUT: the addresses (4 or 16 bytes) and ports of the packet that it is about. */
        struct { const uint8_t *src, *dst; uint16_t sport, dport; uint8_t proto; } icmp;
    };
};

/* Fill p from frame f. conf must not be NULL. */
void decode_frame(struct packet *p, const struct ec_frame *f, const struct decode_conf *conf);
/* Fill p from what is inside outer, which has PK_INNER. Offsets are those of outer's data. */
void decode_inner(struct packet *p, const struct packet *outer, const struct decode_conf *conf);
/* Fill p from a datagram of which `last` was the fragment that was missing: IP begins at d + l3. */
void decode_whole(struct packet *p, const struct packet *last, const uint8_t *d, uint32_t l3, uint32_t len,
                  const struct decode_conf *conf);
void decode_conf_defaults(struct decode_conf *conf);
/* UDP packets to this port (Teredo, L2TP: or from it) may be a tunnel. False: there are too many ports. */
bool decode_tunnel_port(struct decode_conf *conf, uint16_t port, uint8_t kind);
const char *tunnel_name(uint32_t kind);                 /* "vxlan" */

/* Within decode/: what is left of the frame for one layer. end: where the layer above says that
 * its data end. */
struct cursor {
    struct packet *p;
    const struct decode_conf *conf;
    const uint8_t *d;
    uint32_t off, end;
    bool sums;
    uint8_t layers, tags;
};
void decode_link(struct cursor *c, uint32_t linktype);
void decode_ethernet(struct cursor *c);
void decode_ethertype(struct cursor *c, uint16_t type); /* what follows it; c->off stands behind it */
void decode_llc(struct cursor *c);
void decode_mpls(struct cursor *c);
void decode_ppp(struct cursor *c);
void decode_pppoe(struct cursor *c);
void decode_pppoe_discovery(struct cursor *c);
void decode_nsh(struct cursor *c);
void decode_arp(struct cursor *c);
void decode_wlan(struct cursor *c);
void decode_wlan_radiotap(struct cursor *c);
void decode_wlan_prism(struct cursor *c);
void decode_wlan_avs(struct cursor *c);
void decode_wlan_ppi(struct cursor *c);
void decode_ip(struct cursor *c);                       /* by the version nibble */
void decode_ipv4(struct cursor *c);
void decode_ipv6(struct cursor *c);
void decode_ipv4_options(struct packet *p, const uint8_t *d, uint32_t n);
void decode_ipv6_options(struct packet *p, const uint8_t *d, uint32_t n, bool hop);     /* hop: hop by hop */
void decode_transport(struct cursor *c, uint8_t proto);
void decode_icmp(struct cursor *c, uint8_t proto);
/* is the frame shorter than it was on the wire? */
bool decode_cut(const struct cursor *c);
/* The packet's payload is a tunnel: what stands at c->off is of this type. Nothing happens where it cannot be. */
void decode_inner_at(struct cursor *c, uint16_t type, uint8_t kind);
void decode_ip_in_ip(struct cursor *c, bool six);
void decode_gre(const struct cursor *ip);
void decode_l2tp_udp(struct cursor *c);
void decode_l2tp_ip(const struct cursor *ip);
void decode_udp_tunnel(const struct cursor *udp, uint16_t sport, uint16_t dport);
/* A length of 0 in an IP header before room bytes: is it a packet that the sender's network card was to cut? */
bool decode_large_send(const struct cursor *c, uint8_t proto, uint32_t room);
/* One more layer below IP. False: there are too many, and decoding ends here. */
bool decode_layer(struct cursor *c);
void decode_event(struct packet *p, uint32_t event);
void decode_bad(struct packet *p, uint32_t event);      /* the same, and decoding ends here */

/* RFC 1071. sum_add() starts with 0; the length may be odd only in the last call. sum_end(): 0
 * where it is right. */
uint32_t sum_add(uint32_t sum, const uint8_t *d, uint32_t n);
uint16_t sum_end(uint32_t sum);
bool sum_transport_ok(const struct packet *p, const uint8_t *d, uint32_t n, uint8_t proto);
/* Is a checksum field of n bytes of TCP or UDP as hosts leave it to their network cards: the sum of the pseudo header
 * (for segmentation by the card: without the length)? */
bool sum_offloaded(const struct packet *p, uint32_t n, uint8_t proto, uint16_t field);

static inline uint16_t be16(const uint8_t *d) { return (uint16_t)(d[0] << 8 | d[1]); }
static inline uint32_t be32(const uint8_t *d)
{
    return (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
}

#endif
