/* ints.h: the numbers that rules keep with a flow (flowint). Fixed pieces from a region of each worker: only flows that
 * have a number need one. */
#ifndef IDS_MATCH_INTS_H
#define IDS_MATCH_INTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTS_VARS 7                     /* of one flow */
#define INTS_FLOWS 262144u              /* of one worker: 16 MiB of address space, used as flows need it */

struct ints {
    uint32_t n, next;                   /* next: in the list of free ones, place + 1 */
    struct { uint32_t id, value; } var[INTS_VARS];
};
struct ints_pool { struct ints *region; uint32_t used, free; };

bool ints_pool_open(struct ints_pool *p);       /* false: no memory */
void ints_pool_close(struct ints_pool *p);
/* at: place + 1 of the flow's piece, 0: it has none. NULL: no such number. */
const uint32_t *ints_get(const struct ints_pool *p, uint32_t at, uint32_t id);
/* false: there is no room for it */
bool ints_put(struct ints_pool *p, uint32_t *at, uint32_t id, uint32_t value);
void ints_drop(struct ints_pool *p, uint32_t *at);

#endif
