/* transaction.c: one request and its response. */
#include "transaction.h"

#include <stdlib.h>
#include <string.h>

/* The first place of p in d; NULL: none. Names and values are short, and stand near: memmem()'s preparations for a long
 * needle cost more than it saves. */
static const uint8_t *find(const uint8_t *d, uint32_t len, const uint8_t *p, uint32_t n)
{
    const uint8_t *end = d + len;

    while ((uint32_t)(end - d) >= n && (d = memchr(d, *p, (size_t)(end - d) - n + 1))) {
        if (d[n - 1] == p[n - 1] && d[n / 2] == p[n / 2] && !memcmp(d, p, n))
            return d;
        d++;
    }
    return NULL;
}

int64_t transaction_wire(const struct http_state *s, uint32_t dir, const uint8_t *p, uint32_t n)
{
    const struct ec_chunk *k = s->k;
    const uint8_t *found;
    uint32_t from = s->searched[dir];

    if (!k || k->dir != dir || !n || !k->data)
        return -1;
    if (p >= k->data && p <= k->data + k->len && n <= (uint32_t)(k->data + k->len - p))
        return (int64_t)(k->offset + (uint64_t)(p - k->data));
    if (from >= k->len || !(found = find(k->data + from, k->len - from, p, n)))
        return -1;
    return (int64_t)(k->offset + (uint64_t)(found - k->data));
}

void transaction_report(const struct ec_traffic *traffic, struct http_tx *t, uint32_t event)
{
    uint64_t bit = UINT64_C(1) << event;

    if (!(t->events & bit))
        traffic->anomaly(t->s->c, t->x, event);
    t->events |= bit;
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
    brotli_close(t->brotli);
    t->brotli = NULL;
    text_free(&t->uri);
    text_free(&t->host);
}
