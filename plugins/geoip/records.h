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
    uint32_t *v4;                   /* by the first 16 bits of an IPv4 address: the node or place that they lead to */
    uint32_t nodes;
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

static inline uint32_t records_place(uint32_t at)
{
    return at & RECORDS_PLACE ? at & ~RECORDS_PLACE : RECORDS_BAD;      /* deeper than addresses are long */
}

/* The place of an address. */
static inline uint32_t records_find6(const struct records *r, const uint8_t *addr)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < 128 && !(at & RECORDS_PLACE); i++)
        at = r->node[at][addr[i >> 3] >> (7 - (i & 7)) & 1];
    return records_place(at);
}

static inline uint32_t records_find4(const struct records *r, const uint8_t *addr)
{
    uint32_t at = r->v4[addr[0] << 8 | addr[1]], bits = (uint32_t)addr[2] << 24 | (uint32_t)addr[3] << 16;

    for (uint32_t i = 0; i < 16 && !(at & RECORDS_PLACE); i++, bits <<= 1)
        at = r->node[at][bits >> 31];
    return records_place(at);
}

#endif
