/* message.h: reading a DNS message (RFC 1035 §4). Reads only inside the message; every loop is bounded. */
#ifndef TRAFFIC_DNS_MESSAGE_H
#define TRAFFIC_DNS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#define DNS_HEADER 12
#define DNS_NAME_MAX 256            /* bytes of a name without its last dot (RFC 1035 §2.3.4: 255 on the wire) */

enum { DNS_QR = 0x8000, DNS_AA = 0x0400, DNS_TC = 0x0200, DNS_RD = 0x0100, DNS_RA = 0x0080, DNS_Z = 0x0040 };
enum { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

struct dns_message {
    const uint8_t *data;
    uint32_t len;
    uint16_t id, flags, count[DNS_SECTIONS];
};

struct dns_rr {                     /* a question has neither ttl nor rdata */
    uint32_t name, rdata, rdlen, ttl;   /* name, rdata: offsets in the message */
    uint16_t type, class;
};

/* The header. False: too short. */
bool dns_message_open(struct dns_message *m, const uint8_t *d, uint32_t n);
/* Does it look like DNS: a known opcode and response code, counts that fit into `whole` bytes (m may hold only the
 * beginning of them), a readable first name, and an Internet class where anything is wrong? EC_YES, EC_NO, EC_MORE. For
 * detection. */
int dns_message_probe(const struct dns_message *m, uint32_t whole);
/* The question or record at *at (start with DNS_HEADER); moves *at behind it. False: malformed. */
bool dns_question_next(const struct dns_message *m, uint32_t *at, struct dns_rr *q);
bool dns_rr_next(const struct dns_message *m, uint32_t *at, struct dns_rr *r);

static inline uint8_t dns_opcode(uint16_t flags) { return (flags >> 11) & 15; }
static inline uint8_t dns_rcode(uint16_t flags) { return flags & 15; }
static inline uint16_t dns_u16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t dns_u32(const uint8_t *p) { return (uint32_t)dns_u16(p) << 16 | dns_u16(p + 2); }

#endif
