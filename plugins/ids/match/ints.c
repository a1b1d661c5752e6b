#include "plugins/ids/match/ints.h"

#include <string.h>
#include <sys/mman.h>

bool ints_pool_open(struct ints_pool *p)
{
    void *m = mmap(NULL, INTS_FLOWS * sizeof(struct ints), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    memset(p, 0, sizeof *p);
    if (m == MAP_FAILED)
        return false;
    p->region = m;
    return true;
}

void ints_pool_close(struct ints_pool *p)
{
    if (p->region)
        munmap(p->region, INTS_FLOWS * sizeof(struct ints));
    memset(p, 0, sizeof *p);
}

static struct ints *ints_take(struct ints_pool *p, uint32_t *at)
{
    if (p->free) {
        *at = p->free;
        p->free = p->region[*at - 1].next;
    } else if (p->used < INTS_FLOWS) {
        *at = ++p->used;
    } else {
        return NULL;
    }
    p->region[*at - 1].n = 0;
    return &p->region[*at - 1];
}

const uint32_t *ints_get(const struct ints_pool *p, uint32_t at, uint32_t id)
{
    const struct ints *k = at ? &p->region[at - 1] : NULL;

    for (uint32_t i = 0; k && i < k->n; i++)
        if (k->var[i].id == id)
            return &k->var[i].value;
    return NULL;
}

bool ints_put(struct ints_pool *p, uint32_t *at, uint32_t id, uint32_t value)
{
    struct ints *k = *at ? &p->region[*at - 1] : ints_take(p, at);
    uint32_t i = 0;

    while (k && i < k->n && k->var[i].id != id)
        i++;
    if (!k || i == INTS_VARS)
        return false;
    k->n += i == k->n;
    k->var[i].id = id;
    k->var[i].value = value;
    return true;
}

void ints_drop(struct ints_pool *p, uint32_t *at)
{
    if (!*at)
        return;
    p->region[*at - 1].next = p->free;
    p->free = *at;
    *at = 0;
}
