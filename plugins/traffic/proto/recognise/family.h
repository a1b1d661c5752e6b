/* family.h: what the families of protocols share. Each is a table of struct ec_proto with probes of its own; a probe reads
 * within n, whatever the bytes are, and says EC_MORE only of a beginning that fits. */
#ifndef TRAFFIC_RECOGNISE_FAMILY_H
#define TRAFFIC_RECOGNISE_FAMILY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifndef EC_API_LEVEL
#define EC_API_LEVEL 1
#endif
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

#define PROBE(id) static int32_t id(const uint8_t *d, uint32_t n, uint32_t dir)
#define NAMED(id, function, ports, begin) \
    { .size = sizeof(struct ec_proto), .flags = EC_PROTO_NAME_ONLY, .name = id, .hints = ports, .first = begin, \
      .probe = function }
/* The same, where its port has to agree. */
#define NAMED_AT(id, function, ports, begin) \
    { .size = sizeof(struct ec_proto), .flags = EC_PROTO_NAME_ONLY | EC_PROTO_AT_PORT, .name = id, .hints = ports, \
      .first = begin, .probe = function }

struct family { const struct ec_proto *proto; uint32_t n; };
#define FAMILY(name) const struct family family_##name = { protos, sizeof protos / sizeof protos[0] }

extern const struct family family_databases, family_files, family_industrial, family_media, family_messages, family_network,
    family_remote, family_routing, family_vpn;

static inline uint32_t be16(const uint8_t *d) { return (uint32_t)d[0] << 8 | d[1]; }
static inline uint32_t be24(const uint8_t *d) { return (uint32_t)d[0] << 16 | be16(d + 1); }
static inline uint32_t be32(const uint8_t *d) { return be16(d) << 16 | be16(d + 2); }
static inline uint32_t le16(const uint8_t *d) { return (uint32_t)d[1] << 8 | d[0]; }
static inline uint32_t le24(const uint8_t *d) { return (uint32_t)d[2] << 16 | le16(d); }
static inline uint32_t le32(const uint8_t *d) { return le16(d + 2) << 16 | le16(d); }

static inline int32_t yes_if(bool so) { return so ? EC_YES : EC_NO; }

/* Do they begin so? EC_MORE: as far as they go. */
static inline int32_t begins_with(const uint8_t *d, uint32_t n, const void *word, uint32_t len)
{
    if (memcmp(d, word, n < len ? n : len))
        return EC_NO;
    return n < len ? EC_MORE : EC_YES;
}
#define BEGINS(d, n, word) begins_with(d, n, word, sizeof word - 1)

/* The same where that alone does not tell. */
static inline int32_t may_begin(int32_t begins) { return begins == EC_NO ? EC_NO : EC_MORE; }

/* [at, at + len) of n is the word. */
static inline bool has_at(const uint8_t *d, uint32_t n, uint32_t at, const void *word, uint32_t len)
{
    return n >= at && n - at >= len && !memcmp(d + at, word, len);
}
#define HAS_AT(d, n, at, word) has_at(d, n, at, word, sizeof word - 1)

static inline bool is_datagram(uint32_t dir) { return dir & EC_PROBE_DATAGRAM; }
static inline bool is_server(uint32_t dir) { return (dir & 1) == EC_TO_CLIENT; }

/* family.c */
bool all_printable(const uint8_t *d, uint32_t n);               /* ASCII, without control characters */
bool all_zero(const uint8_t *d, uint32_t n);
bool holds(const uint8_t *d, uint32_t n, const void *word, uint32_t len);
#define HOLDS(d, n, word) holds(d, n, word, sizeof word - 1)
/* Does the first line (without CR) end with the word? EC_MORE: there is no whole line yet, and its bytes are printable. */
int32_t line_ends(const uint8_t *d, uint32_t n, const char *word);
/* The content of a DER or BER element: false where its length does not stand within n. *at: of the content, *len: as said. */
bool ber_length(const uint8_t *d, uint32_t n, uint32_t *at, uint32_t *len);
/* Elements of type and length that fill n exactly: each has its length at `off` in `bytes` bytes (1 or 2), which counts
 * `head` bytes less than all of it. At least one. */
struct chain { uint32_t off, bytes, head, align; };
bool chain_fills(const uint8_t *d, uint32_t n, const struct chain *c);

#endif
