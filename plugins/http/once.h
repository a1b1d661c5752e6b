/* once.h: Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request that is sent again is not carried
 * out again, but gets the first one's answer. Kept in memory for a day, within bounds: the oldest answers are forgotten
 * first, and a restart forgets all. Errors of the server (5xx) are not kept. All on the loop's thread. */
#ifndef HTTP_ONCE_H
#define HTTP_ONCE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ec_req;
struct once;
struct onces { struct once *first, *last; uint32_t n; size_t bytes; };    /* the oldest first */

/* May the request go on? false: it was answered, from what is kept or because the key is wrong. */
bool once_begin(struct ec_req *r);
void once_keep(struct ec_req *r);               /* r has its answer */
void once_drop(struct ec_req *r);               /* it never got one */
void onces_free(struct onces *all);

#endif
