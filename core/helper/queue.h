/* queue.h: what the daemon has asked the helper for: requests, cut into messages, and put together again from replies.
 * Not locked. */
#ifndef CORE_HELPER_QUEUE_H
#define CORE_HELPER_QUEUE_H
#include "core/helper/message.h"
#include "core/helper/text.h"

#ifndef EC_API_LEVEL
# define EC_API_LEVEL 1
#endif
#include <ecyber/ext/helper.h>

#define QUEUE_REQUESTS 4096
#define QUEUE_ENTRIES 262144
#define QUEUE_TEXT (64u << 20)      /* bytes of one answer */

struct request {
    struct request *next;
    uint32_t what, n;
    uint32_t sent, answered;        /* messages of it */
    int32_t err;                    /* the first that a message met */
    ec_helper_done_fn *done;
    void *arg;
    struct text text;
    struct ec_helper_entry entry[];
};

struct queue {
    struct request *first, **last, *sending; /* oldest first; sending: NULL, or the first that is not sent whole */
    uint32_t n_request, n_entry;
    uint64_t seq, seen;             /* of the last message that was sent, and answered */
};

void queue_init(struct queue *q);
/* EC_OK; EC_EINVAL, EC_EAGAIN, EC_ENOMEM as ec_helper.request(). */
int32_t queue_add(struct queue *q, uint32_t what, const struct ec_helper_entry *e, uint32_t n, uint32_t stride,
                  ec_helper_done_fn *done, void *arg);
/* The next message to send, without taking it. Its bytes, 0: there is none. */
size_t queue_peek(const struct queue *q, struct helper_request *to);
void queue_sent(struct queue *q);   /* it was sent */
/* Take a valid reply. NULL: fine, and *done is the request that it ends, or NULL; else a sentence: it is no reply to
 * what was asked. */
const char *queue_reply(struct queue *q, const struct helper_reply *r, struct request **done);
/* Everything that waits, oldest first, as a list; the queue is empty then. */
struct request *queue_empty(struct queue *q);
void request_free(struct request *r);

#endif
