/* decode.h: from the bytes of a frame to addresses, ports and payload. Reads nothing outside
 * caplen, keeps no state. */
#ifndef TRAFFIC_DECODE_H
#define TRAFFIC_DECODE_H
#include <stdbool.h>
#include <stdint.h>

#include "plugins/traffic/decode/event.h"
#include "plugins/traffic/sdk.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58, PROTO_SCTP = 132 };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32,
       TCP_ECE = 64, TCP_CWR = 128 };

enum {                              /* packet.what */
    PK_IP = 1,                      /* addresses are there */
    PK_KEY = 2,                     /* it belongs to a flow */
    PK_FRAGMENT = 4,                /* of a datagram: its payload is not whole */
    PK_FRAGMENT_LATER = 8,          /* not the first: there is no layer 4 */
    PK_CUT = 16,                    /* the capture ends before the packet does */
    PK_BAD = 32,                    /* decoding stopped: broken headers */
    PK_LINK_UNSUPPORTED = 64,
    PK_NOT_IP = 128,
    PK_TIMESTAMP = 256,             /* TCP: ts_val and ts_ecr are there */
    PK_ARP = 512
};
#define PACKET_EVENTS 8             /* kept for one packet; more are not */
#define PACKET_LAYERS 16            /* between the link and IP; more is an attack */

struct packet {                     /* ec_packet and what the engine needs besides */
    struct ec_packet pub;
    uint32_t hash, what;
    uint32_t seq, ack;              /* TCP */
    /* payload bytes by the headers: more than payload_len where the capture cut */
    uint32_t whole_payload;
    uint32_t ts_val, ts_ecr;
    uint16_t window, vlan[2];
    uint8_t vlans, tcp_flags, wscale, events;
    uint8_t event[PACKET_EVENTS];
};

/* Fill p from frame f. check_sums: verify checksums (unless the source did) and flag wrong ones. */
void decode_frame(struct packet *p, const struct ec_frame *f, bool check_sums);

/* Within decode/: what is left of the frame for one layer. end: where the layer above says that
 * its data end. */
struct cursor { struct packet *p; const uint8_t *d; uint32_t off, end; bool sums; uint8_t layers, tags; };
void decode_link(struct cursor *c, uint32_t linktype);
void decode_ethernet(struct cursor *c);
void decode_ethertype(struct cursor *c, uint16_t type); /* what follows it; c->off stands behind it */
void decode_llc(struct cursor *c);
void decode_mpls(struct cursor *c);
void decode_ppp(struct cursor *c);
void decode_pppoe(struct cursor *c);
void decode_pppoe_discovery(struct cursor *c);
void decode_arp(struct cursor *c);
void decode_wlan(struct cursor *c);
void decode_wlan_radiotap(struct cursor *c);
void decode_wlan_prism(struct cursor *c);
void decode_wlan_avs(struct cursor *c);
void decode_wlan_ppi(struct cursor *c);
void decode_ip(struct cursor *c);                       /* by the version nibble */
void decode_ipv4(struct cursor *c);
void decode_ipv6(struct cursor *c);
void decode_transport(struct cursor *c, uint8_t proto);
void decode_icmp(struct cursor *c, uint8_t proto);
/* is the frame shorter than it was on the wire? */
bool decode_cut(const struct cursor *c);
/* One more layer below IP. False: there are too many, and decoding ends here. */
bool decode_layer(struct cursor *c);
void decode_event(struct packet *p, uint32_t event);
void decode_bad(struct packet *p, uint32_t event);      /* the same, and decoding ends here */

/* RFC 1071. sum_add() starts with 0; the length may be odd only in the last call. sum_end(): 0
 * where it is right. */
uint32_t sum_add(uint32_t sum, const uint8_t *d, uint32_t n);
uint16_t sum_end(uint32_t sum);
bool sum_transport_ok(const struct packet *p, const uint8_t *d, uint32_t n, uint8_t proto);

static inline uint16_t be16(const uint8_t *d) { return (uint16_t)(d[0] << 8 | d[1]); }
static inline uint32_t be32(const uint8_t *d)
{
    return (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
}

#endif
