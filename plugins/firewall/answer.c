/* What every route answers with. */
#include "plugins/firewall/routes.h"

#include <stdlib.h>
#include <string.h>

void *answer_open(struct ec_build *b, uint32_t bytes, uint32_t tail)
{
    uint32_t cap = ((uint32_t)sizeof(struct ec_event) + bytes + tail + 64u) & ~7u;

    *b = (struct ec_build){ .base = calloc(1, cap), .used = sizeof(struct ec_event), .cap = cap };
    return b->base ? ec_add(b, 0, bytes) : NULL;
}

int32_t answer_send(const struct firewall *f, struct ec_req *r, struct ec_build *b, uint32_t status)
{
    int32_t err = b->base ? f->http->reply(r, status, ec_part_open(b)) : f->http->error(r, 503, "out of memory");

    free(b->base);
    return err;
}

const char *param_text(const struct ec_part *p, struct ec_span s, char *to, size_t n)
{
    const char *from = s.off ? (const char *)ec_bytes(p, s) : "";
    size_t len = s.off ? s.len : 0;

    if (len >= n)
        for (len = n - 1; len && (from[len] & 0xc0) == 0x80; len--)
            ;
    memcpy(to, from, len);
    to[len] = '\0';
    return to;
}
