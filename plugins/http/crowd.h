/* crowd.h: how many connections each client has, so that none holds all of them. An IPv6 client is its /64. All on the
 * loop's thread. */
#ifndef HTTP_CROWD_H
#define HTTP_CROWD_H
#include <stdint.h>

struct crowd_client { struct crowd_client *next; uint8_t at[16]; uint32_t n; };
struct crowd { struct crowd_client *bucket[1024]; };

/* One more of this address; NULL: out of memory. */
struct crowd_client *crowd_join(struct crowd *c, const uint8_t at[16]);
void crowd_leave(struct crowd *c, struct crowd_client *client);     /* NULL: nothing */

#endif
