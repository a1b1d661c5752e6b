/* transaction.c: one request and its response. */
#include "transaction.h"

#include <stdlib.h>
#include <string.h>

int64_t transaction_wire(const struct http_state *s, uint32_t dir, const uint8_t *p, uint32_t n)
{
    const struct ec_chunk *k = s->k;
    const uint8_t *found;
    uint32_t from = s->searched[dir];

    if (!k || k->dir != dir || !n || !k->data)
        return -1;
    if (p >= k->data && p <= k->data + k->len && n <= (uint32_t)(k->data + k->len - p))
        return (int64_t)(k->offset + (uint64_t)(p - k->data));
    if (from >= k->len || !(found = memmem(k->data + from, k->len - from, p, n)))
        return -1;
    return (int64_t)(k->offset + (uint64_t)(found - k->data));
}

void transaction_drop(struct http_tx *t)
{
    for (int dir = 0; dir < 2; dir++) {
        text_free(&t->line[dir]);
        text_free(&t->header[dir]);
        text_free(&t->cookie[dir]);
        text_free(&t->names[dir]);
        text_free(&t->body[dir].window);
        free(t->item[dir]);
        t->item[dir] = NULL;
    }
    free(t->form);
    t->form = NULL;
    text_free(&t->uri);
    text_free(&t->host);
}
