/* keeper.h: what is done to segments that are no longer written: their indices, and their end. */
#ifndef STORE_KEEPER_H
#define STORE_KEEPER_H
#include "plugins/store/stream.h"

struct keeper_limits { uint64_t age, bytes; };  /* ns; of all segments together; 0: no limit */

/* Builds one index of one segment. True: there is more to do at once. Blocks, a second for a million rows. */
bool keeper_finish(struct stream *s, uint64_t now);
/* Deletes what is over the limits. Returns how many segments. */
uint32_t keeper_expire(struct stream *s, uint64_t now, struct keeper_limits limits);
/* Bytes and number of all segments. */
uint64_t keeper_bytes(struct stream *s, uint32_t *n);

#endif
