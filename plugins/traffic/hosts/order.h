/* order.h: a replay with several workers, each of which reads ahead at its own pace: state across
 * flows must see packets in the order of the capture, or a threshold by address would depend on
 * chance. Who wants such state waits until every other worker is at a later packet. Live traffic
 * has no such order and never waits. */
#ifndef TRAFFIC_ORDER_H
#define TRAFFIC_ORDER_H
#include <stdint.h>

struct order;
struct order *order_new(uint32_t workers);                      /* [ctl] NULL: no memory */
void order_free(struct order *o);
void order_at(struct order *o, uint32_t worker,
              uint64_t count); /* [wrk] this worker is at the capture's packet */
void order_done(struct order *o, uint32_t worker); /* [wrk] no packet of this worker will come */
void order_wait(struct order *o);            /* [wrk] at most 5 s, then it is counted and goes on */
uint64_t order_waits(const struct order *o); /* [any] how often somebody had to */
uint64_t order_given_up(const struct order *o);                 /* [any] how often in vain */

#endif
