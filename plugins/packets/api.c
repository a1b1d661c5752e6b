#include "plugins/packets/api.h"

#include <stdlib.h>
#include <string.h>

void *answer_open(struct ec_build *b, uint32_t bytes, uint32_t tail)
{
    uint32_t cap = ((uint32_t)sizeof(struct ec_event) + bytes + tail + 64u) & ~7u;

    *b = (struct ec_build){ .base = calloc(1, cap), .used = sizeof(struct ec_event), .cap = cap };
    return b->base ? ec_add(b, 0, bytes) : NULL;
}

void answer_send(const struct packets *k, struct ec_req *r, uint32_t status, struct ec_build *b)
{
    if (b->base)
        k->http->reply(r, status, ec_part_open(b));
    else
        k->http->error(r, 503, "out of memory");
    free(b->base);
}

const char *param_text(const struct ec_part *p, struct ec_span s, char *to, size_t n)
{
    size_t len = s.off ? s.len < n - 1 ? s.len : n - 1 : 0;

    memcpy(to, len ? (const char *)ec_bytes(p, s) : "", len);
    to[len] = '\0';
    return to;
}
