#include "core/helper/queue.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct ec_helper_entry) == sizeof(struct helper_entry) &&
               offsetof(struct ec_helper_entry, seconds) == offsetof(struct helper_entry, seconds) &&
               (int)EC_HELPER_ALLOW == (int)HELPER_ALLOW && (int)EC_HELPER_BLOCK == (int)HELPER_BLOCK,
               "an entry is sent as the plugin gives it");

void queue_init(struct queue *q)
{
    memset(q, 0, sizeof *q);
    q->last = &q->first;
}

void request_free(struct request *r)
{
    free(r->text.p);
    free(r);
}

static bool count_fits(uint32_t what, uint32_t n)
{
    switch (what) {
    case EC_HELPER_SYNC:
        return n <= HELPER_TABLE;
    case EC_HELPER_BAN:
    case EC_HELPER_UNBAN:
        return n && n <= HELPER_ENTRIES;
    case EC_HELPER_CLEAR:
    case EC_HELPER_LIST:
    case EC_HELPER_CHECK:
    case EC_HELPER_TAKE:
        return !n;
    default:
        return false;
    }
}

int32_t queue_add(struct queue *q, uint32_t what, const struct ec_helper_entry *e, uint32_t n, uint32_t stride,
                  ec_helper_done_fn *done, void *arg)
{
    struct request *r;

    if (!count_fits(what, n) || (n && stride < sizeof *e))
        return EC_EINVAL;
    if (q->n_request >= QUEUE_REQUESTS || n > QUEUE_ENTRIES - q->n_entry)
        return EC_EAGAIN;
    if (!(r = calloc(1, sizeof *r + n * sizeof r->entry[0])))
        return EC_ENOMEM;
    r->what = what;
    r->n = n;
    r->done = done;
    r->arg = arg;
    for (uint32_t i = 0; i < n; i++) {
        struct helper_entry check;

        memcpy(&r->entry[i], (const uint8_t *)e + (size_t)i * stride, sizeof r->entry[i]);
        memcpy(&check, &r->entry[i], sizeof check);
        if (helper_entry_check(&check)) {
            request_free(r);
            return EC_EINVAL;
        }
    }
    *q->last = r;
    q->last = &r->next;
    if (!q->sending)
        q->sending = r;
    q->n_request++;
    q->n_entry += n;
    return EC_OK;
}

/* How many messages carry it: a state is begun, staged in parts, and put in place. */
static uint32_t messages(const struct request *r)
{
    return r->what == EC_HELPER_SYNC ? 2 + (r->n + HELPER_ENTRIES - 1) / HELPER_ENTRIES : 1;
}

static uint16_t simple_op(uint32_t what)
{
    static const uint16_t op[] = {
        [EC_HELPER_BAN] = HELPER_BAN, [EC_HELPER_UNBAN] = HELPER_UNBAN, [EC_HELPER_CLEAR] = HELPER_CLEAR,
        [EC_HELPER_LIST] = HELPER_LIST, [EC_HELPER_CHECK] = HELPER_PING,
        [EC_HELPER_TAKE] = HELPER_TAKE,
    };

    return op[what];
}

size_t queue_peek(const struct queue *q, struct helper_request *to)
{
    const struct request *r = q->sending;
    uint32_t from = 0;

    if (!r)
        return 0;
    memset(to, 0, HELPER_REQUEST_BYTES(0));
    to->version = HELPER_VERSION;
    to->seq = q->seq + 1;
    if (r->what != EC_HELPER_SYNC) {
        to->op = simple_op(r->what);
        to->n = r->n;
    } else if (!r->sent || r->sent + 1 == messages(r)) {
        to->op = r->sent ? HELPER_COMMIT : HELPER_BEGIN;
    } else {
        from = (r->sent - 1) * HELPER_ENTRIES;
        to->op = HELPER_STAGE;
        to->n = r->n - from < HELPER_ENTRIES ? r->n - from : HELPER_ENTRIES;
    }
    memcpy(to->entry, r->entry + from, to->n * sizeof to->entry[0]);
    return HELPER_REQUEST_BYTES(to->n);
}

void queue_sent(struct queue *q)
{
    q->seq++;
    if (++q->sending->sent == messages(q->sending))
        q->sending = q->sending->next;
}

/* The first error, and its sentence, are what the caller hears. */
static void note(struct request *r, const struct helper_reply *reply)
{
    if (r->err)
        return;
    r->err = reply->err;
    if (r->err)
        text_clear(&r->text);
    if (r->text.n + reply->len > QUEUE_TEXT) {
        r->err = EC_ELIMIT;
        text_clear(&r->text);
        text_add(&r->text, "the answer is longer than 64 MiB");
        return;
    }
    text_add(&r->text, "%.*s", (int)reply->len, reply->text);
}

const char *queue_reply(struct queue *q, const struct helper_reply *reply, struct request **done)
{
    struct request *r = q->first;

    *done = NULL;
    if (!r || r->answered == r->sent || reply->seq != q->seen + 1)
        return "the helper answers what nobody asked";
    note(r, reply);
    if (reply->flags & HELPER_MORE)
        return NULL;
    q->seen++;
    if (++r->answered < messages(r))
        return NULL;
    q->first = r->next;
    if (!q->first)
        q->last = &q->first;
    q->n_request--;
    q->n_entry -= r->n;
    r->next = NULL;
    *done = r;
    return NULL;
}

struct request *queue_empty(struct queue *q)
{
    struct request *all = q->first;

    queue_init(q);
    return all;
}
