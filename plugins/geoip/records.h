/* records.h: a database as look-ups use it: its search tree with the places of its records in place of their offsets.
 * Made once, from every node and every record, so that nothing of the file is needed any more and what is damaged is
 * known. */
#ifndef GEOIP_RECORDS_H
#define GEOIP_RECORDS_H
#include "plugins/geoip/place.h"

/* What a node's side leads to: another node, or a place. */
#define RECORDS_PLACE UINT32_C(0x80000000)
enum { RECORDS_NONE = 0, RECORDS_BAD = 1 /* something damaged */, RECORDS_FIRST = 2 };     /* places */

struct records {
    uint32_t (*node)[2];
    uint32_t nodes, v4;             /* v4: where IPv4 begins, a node or a place */
    uint32_t bad;                   /* damaged records */
    struct place *place;            /* from RECORDS_FIRST on */
    uint32_t places, cap;
    char *text;                     /* names of organisations */
    uint32_t text_len, text_cap;
};

/* NULL, or what is wrong; then there is nothing to free. until_ns: of CLOCK_MONOTONIC. */
const char *records_build(struct records *r, const MMDB_s *db, uint64_t until_ns);
void records_free(struct records *r);
uint64_t records_bytes(const struct records *r);

/* The place of an address of `bits` bits, from node or place `at` on. */
static inline uint32_t records_walk(const struct records *r, uint32_t at, const uint8_t *addr, uint32_t bits)
{
    for (uint32_t i = 0; i < bits && !(at & RECORDS_PLACE); i++)
        at = r->node[at][addr[i >> 3] >> (7 - (i & 7)) & 1];
    return at & RECORDS_PLACE ? at & ~RECORDS_PLACE : RECORDS_BAD;      /* deeper than addresses are long */
}

#endif
