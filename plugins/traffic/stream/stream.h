/* stream.h: TCP's bytes in order, each exactly once, at their arrival (RFC 9293 §3.4, §3.10). What
 * is in order is handed on without a copy; what is early waits. Bytes once delivered are final; of
 * bytes that wait, those win that the receiver's system would take. */
#ifndef TRAFFIC_STREAM_H
#define TRAFFIC_STREAM_H
#include "plugins/traffic/engine.h"

#define STREAM_WINDOW (INT32_C(1) << 24)    /* further ahead is no segment of this connection */

struct segment {                    /* waits for its turn */
    struct segment *next;
    uint32_t seq, len;
    uint8_t data[];
};

/* The sequence number of the first byte in direction dir is known. */
void stream_base(struct flow *f, uint32_t dir, uint32_t next, bool guessed);
/* The same where its number was only guessed: what waits by that guess is dropped. */
void stream_restart(struct worker *w, struct flow *f, uint32_t dir, uint32_t next);
/* p's acknowledgement, payload, FIN. Its flow is in a session. */
void stream_packet(struct worker *w, struct flow *f, struct packet *p);
/* Deliver what waits, holes and all, and the end of each direction. */
void stream_end(struct worker *w, struct flow *f);
/* Nobody looks at its bytes any more: what waits is dropped, each direction that has begun ends, and from now on only
 * the numbers count. */
void stream_stop(struct worker *w, struct flow *f);

/* fault.c */
/* published once for each flow */
void stream_event(struct worker *w, struct flow *f, uint32_t event);
/* What happens on sound networks, too: counted and seen by rules, not published. */
void stream_note(struct worker *w, const struct flow *f, uint32_t event);
/* p acknowledges what cannot have been sent */
void stream_bad_ack(struct worker *w, struct flow *f, const struct packet *p);
/* data, or a FIN, far from what is expected */
void stream_outside(struct worker *w, struct flow *f, bool fin);

/* segment.c */
/* Keep the parts of data that nobody waits for yet. EC_OK or EC_ENOMEM. */
int segment_insert(struct worker *w, struct flow *f, uint32_t dir, uint32_t seq,
                   const uint8_t *data, uint32_t len);
/* data overlaps what waits: where the receiver's system takes the later bytes they take the place of those. true: they
 * differ. */
bool segment_overlap(struct worker *w, struct flow *f, uint32_t dir, uint32_t seq,
                     const uint8_t *data, uint32_t len);
void segment_pop(struct worker *w, struct flow *f, uint32_t dir);

/* ledger.c */
void ledger_note(const struct worker *w, struct ledger *l, uint32_t seq, const uint8_t *data, uint32_t len);
/* Is data, which was delivered already, not what it was? What is no longer known is the same. */
bool ledger_differs(const struct worker *w, const struct ledger *l, uint32_t seq, const uint8_t *data, uint32_t len);

/* overlap.c: policy: POLICY_* */
bool overlap_later_wins(uint32_t policy, const struct segment *old, uint32_t seq, uint32_t end);

/* a − b, in the arithmetic of RFC 1982. */
static inline int32_t seq_diff(uint32_t a, uint32_t b) { return (int32_t)(a - b); }

/* The sequence number of the first byte. */
static inline uint32_t stream_first(const struct flow *f, uint32_t dir)
{
    return f->dir[dir].next - (uint32_t)f->dir[dir].offset - (f->more ? f->more->tcp.beside[dir] : 0);
}

#endif
