/* traffic_frames.h: makes frames for the tests of the traffic engine: raw IPv4 (LINKTYPE_RAW),
 * with a packet clock. */
#ifndef ECYBER_TESTS_TRAFFIC_FRAMES_H
#define ECYBER_TESTS_TRAFFIC_FRAMES_H
#include "plugins/traffic/engine.h"

#define FRAME_ROOM 66000

struct feed {                       /* a worker without a daemon */
    struct traffic tr;
    struct tconf conf;
    struct worker *w;
    uint64_t now_ns, count;
    uint8_t bytes[FRAME_ROOM];
    struct ec_frame frame;
    uint32_t fill;                  /* of the source's buffer: ec_frame.fill */
};
struct side { uint32_t ip; uint16_t port; };

/* Fill in f->tr (inspectors, protocols) and f->conf after feed_init() and before feed_open(). */
void feed_init(struct feed *f);
void feed_open(struct feed *f);
void feed_close(struct feed *f);    /* ends all flows first */

/* Give the engine one frame of link type `link`; returns its verdict. */
uint32_t feed_frame(struct feed *f, uint32_t link, const void *d, uint32_t n);
uint32_t feed_tcp(struct feed *f, struct side from, struct side to, uint8_t flags, uint32_t seq,
                  uint32_t ack,
                  const void *d, uint32_t n);
uint32_t feed_udp(struct feed *f, struct side from, struct side to, const void *d, uint32_t n);
uint32_t feed_icmp(struct feed *f, uint32_t from, uint32_t to, uint8_t type, uint8_t code);
/* Only build it, in out: returns its length. */
uint32_t build_tcp(uint8_t *out, struct side from, struct side to, uint8_t flags, uint32_t seq,
                   uint32_t ack,
                   const void *d, uint32_t n);
uint32_t build_udp(uint8_t *out, struct side from, struct side to, const void *d, uint32_t n);

#endif
