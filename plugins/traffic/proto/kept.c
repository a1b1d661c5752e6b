/* Bytes that a parser did not eat yet. */
#include "plugins/traffic/proto/app.h"

bool kept_add(struct worker *w, struct kept *k, const uint8_t *d, uint32_t n, uint64_t offset)
{
    uint32_t room = k->room ? k->room : 256;
    uint8_t *m;

    if (!n)
        return true;
    while (room < k->len + n)
        room *= 2;
    if (room != k->room) {
        if (!(m = pool_get(&w->pool, room)))
            return false;
        if (k->len)
            memcpy(m, k->data, k->len);
        pool_put(&w->pool, k->data, k->room);
        k->data = m;
        k->room = room;
    }
    if (!k->len)
        k->offset = offset;
    memcpy(k->data + k->len, d, n);
    k->len += n;
    return true;
}

void kept_eat(struct kept *k, uint32_t n)
{
    if (n > k->len)
        n = k->len;
    memmove(k->data, k->data + n, k->len - n);
    k->len -= n;
    k->offset += n;
}

void kept_free(struct worker *w, struct kept *k)
{
    pool_put(&w->pool, k->data, k->room);
    memset(k, 0, sizeof *k);
}
