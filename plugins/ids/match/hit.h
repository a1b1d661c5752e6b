/* hit.h: a rule that matched, and what it found where. */
#ifndef IDS_MATCH_HIT_H
#define IDS_MATCH_HIT_H
#include "plugins/ids/match/scope.h"
#include "plugins/ids/match/verify.h"

#define HIT_FINDINGS 64

enum { WIRE_NONE = 0, WIRE_STREAM = 1, WIRE_DATAGRAM = 2, WIRE_PACKET = 3 };

struct finding {
    const char *keyword, *buffer;
    const uint8_t *bytes;
    uint32_t len, order;            /* order: of the element in its rule */
    uint32_t before;                /* so many bytes of the buffer lie in memory before `bytes` */
    uint64_t offset;                /* in the buffer */
    uint32_t item;                  /* in a list of buffers, from 0 */
    bool listed, secret;
    uint32_t wire, dir;             /* WIRE_*; EC_TO_* of the wire range */
    uint64_t wire_offset, count;    /* count: the packet that it counts in (WIRE_DATAGRAM, WIRE_PACKET); 0: not known */
};

struct hit {
    const struct rule *rule;
    uint32_t n;
    struct finding finding[HIT_FINDINGS];
};

/* Where a chain was looked for: of it and a verified v, the findings are appended to h. */
struct hit_source {
    const char *buffer;
    uint32_t item, wire, dir;
    bool listed, secret;
    uint64_t wire_base, count;      /* of v's data[0] */
};
void hit_add(struct hit *h, const struct chain *c, const struct verify *v, const struct hit_source *src);
/* A word that held, as evidence without a place. Nothing is copied. */
void hit_add_word(struct hit *h, const char *keyword, const char *buffer, const char *word, uint32_t order);
void hit_sort(struct hit *h);       /* in the order of the rule */

#endif
