/* decode_bytes.h: bytes of frames that tests of the decoder put together, and what they expect of them. */
#ifndef ECYBER_TESTS_DECODE_BYTES_H
#define ECYBER_TESTS_DECODE_BYTES_H
#include "tests/unit/traffic_frames.h"

extern const struct side client, server;
struct bytes { uint8_t d[4096]; uint32_t n; };

void add(struct bytes *b, const void *d, uint32_t n);
#define ADD(b, ...) add((b), (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})
/* A raw IPv4 packet from client to server with seven bytes of UDP payload. */
void add_udp(struct bytes *b);
/* An IPv6 header; the extension headers and an 8-byte UDP header with one byte of payload follow by
 * hand. */
void add_ip6(struct bytes *b, uint8_t next, uint32_t len);
#define UDP6 0x9c, 0x40, 0, 53, 0, 9, 0, 0, 'x'
#define MACS 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define SNAP_IP 0xaa, 0xaa, 3, 0, 0, 0, 8, 0
#define ADDR3 0, 0, MACS, 2, 0, 0, 0, 0, 3, 0, 0  /* duration, three addresses, sequence */

/* The frame, decoded in an exact allocation. wire: its length on the wire, 0: the same. */
struct packet decode(uint32_t link, const struct bytes *b, uint32_t n, uint32_t wire);
bool has(const struct packet *p, uint32_t event);
/* b is add_udp()'s packet behind other layers, with so many tags, and nothing is wrong. */
void expect_udp(uint32_t link, const struct bytes *b, uint32_t vlans);
/* Change byte `at` of a raw UDP datagram, or TCP segment; decode n bytes of it, or all (0). */
struct packet raw_udp(uint32_t at, uint8_t value, uint32_t n);
struct packet raw_tcp(uint32_t at, uint8_t value, uint32_t n);
/* An IPv4 packet that carries d. */
struct packet ip4_of(uint8_t proto, const uint8_t *d, uint32_t n);

#define EXPECT(p, event) do { struct packet p_ = (p); ck_assert(has(&p_, (event))); } while (0)
#define EXPECT_BAD(p, event)                                                                       \
    do {                                                                                           \
        struct packet p_ = (p);                                                                    \
        ck_assert(has(&p_, (event)) && (p_.what & PK_BAD) && !(p_.what & PK_KEY));                 \
    } while (0)
#define BROKEN(link, event, ...) do { \
        struct bytes b_ = { .n = 0 }; \
        ADD(&b_, __VA_ARGS__); \
        EXPECT_BAD(decode((link), &b_, b_.n, 0), (event)); \
    } while (0)
#define ODD(link, event, ...) do { \
        struct bytes b_ = { .n = 0 }; \
        ADD(&b_, __VA_ARGS__); \
        EXPECT(decode((link), &b_, b_.n, 0), (event)); \
    } while (0)

#endif
