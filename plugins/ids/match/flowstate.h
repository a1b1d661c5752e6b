/* flowstate.h: what rules keep with a flow: marks, and a window on each direction's stream. Lies in a lease of the
 * flow, so it holds nothing of a generation but what is stamped with it. */
#ifndef IDS_MATCH_FLOWSTATE_H
#define IDS_MATCH_FLOWSTATE_H
#include <stdbool.h>
#include <stdint.h>

#define FLOWSTATE_BITS 14

enum { FLOWSTATE_PASSED = 1,            /* a pass rule matched: no more alerts */
       FLOWSTATE_DROPPED = 2,           /* a drop rule matched: its packets go no further */
       FLOWSTATE_IPONLY = 4,            /* and << 1: addresses were looked at, by direction */
       FLOWSTATE_UNDECIDED = 16,        /* and << 1: rules wait for the protocol to be known, by direction */
       FLOWSTATE_IPONLY_ABOUT = 64      /* and << 1: those of ICMP errors about the flow, by the errors' direction */ };

struct window;
struct flowstate {
    uint32_t flags, n_bits;
    uint32_t bits[FLOWSTATE_BITS];      /* interned names */
    uint32_t dropped_by;                /* sid */
    uint32_t ints;                      /* its numbers: place + 1 in the worker's pool; 0: none */
    struct window *window[2];           /* by direction; NULL: none */
};

bool flowstate_bit(const struct flowstate *f, uint32_t id);
bool flowstate_bit_put(struct flowstate *f, uint32_t id, bool set);     /* false: no room */

#endif
