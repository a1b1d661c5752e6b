/* der.c: reading ASN.1 in DER. */
#include "der.h"

bool der_next(struct der *d, uint8_t *tag, struct der *body)
{
    uint32_t n, bytes;

    if (der_left(d) < 2 || (d->p[0] & 0x1f) == 0x1f)
        return false;
    *tag = *d->p++;
    n = *d->p++;
    if (n & 0x80) {
        bytes = n & 0x7f;
        if (!bytes || bytes > 3 || der_left(d) < bytes)
            return false;
        for (n = 0; bytes; bytes--)
            n = n << 8 | *d->p++;
    }
    if (n > der_left(d))
        return false;
    body->p = d->p;
    body->end = d->p += n;
    return true;
}

bool der_take(struct der *d, uint8_t tag, struct der *body)
{
    struct der next = *d;
    uint8_t found;

    if (!der_next(&next, &found, body) || found != tag)
        return false;
    *d = next;
    return true;
}

void der_skip(struct der *d, uint8_t tag)
{
    struct der body;

    der_take(d, tag, &body);
}
