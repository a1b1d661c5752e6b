/* seen.h: what one flow's packets show that the flow record does not keep: sizes, gaps, flags. It lives in bytes leased
 * inside the flow, so nothing is allocated and nothing points anywhere. */
#ifndef ML_SEEN_H
#define ML_SEEN_H
#include <stdbool.h>
#include <stdint.h>

#include "plugins/ml/sdk.h"

#include "plugins/ml/around.h"

enum { SEEN_FIRST = 4 };            /* payload sizes kept of each direction */
enum { SEEN_BEGUN = 1, SEEN_ANSWERED = 2, SEEN_DONE = 4 /* scored: what comes now does not count */ };

struct seen_dir {
    uint64_t last_ns;               /* of its latest packet */
    uint64_t gap_sum, gap_max;      /* ns between its packets */
    double gap_sq;                  /* sum of squares, s² */
    uint64_t len_sum, len_sq;       /* payload bytes, and their squares */
    uint32_t packets, data;         /* all; those with payload */
    uint16_t first[SEEN_FIRST];     /* sizes of its first payloads */
    uint16_t len_max;
    uint16_t syn, fin, rst, psh, bare;      /* TCP segments with that flag; with none at all */
    uint32_t pad;
};

struct seen {                       /* in the flow, zeroed at its birth; 232 bytes */
    uint32_t flags, pad;            /* SEEN_* */
    struct seen_dir dir[2];         /* EC_TO_* */
    struct around around;           /* as it was when the flow began */
};

/* [wrk] Count p, a packet of s's flow. */
void seen_packet(struct seen *s, const struct ec_packet *p);
/* Bytes of p's payload as sent, not as captured. */
uint32_t seen_payload(const struct ec_packet *p);
/* TCP flags of p (RFC 9293 §3.1); 0 where it is no TCP or cut before them. */
uint8_t seen_tcp_flags(const struct ec_packet *p);
/* Is p, the first packet of its flow, an answer or an error about something that was not seen? Then its sender began
 * nothing: a machine that is flooded from made-up addresses answers them all. */
bool seen_is_reply(const struct ec_packet *p);
/* Is p, to the client, an answer that a service gives? A reset is none. */
bool seen_is_answer(const struct ec_packet *p);

#endif
