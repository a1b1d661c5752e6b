/* name.c: domain names in a DNS message (RFC 1035 §3.1, §4.1.4). */
#include "name.h"

#include <string.h>

#include "message.h"

#define LABELS_MAX 256              /* with the one that ends it: too many for a name, but its end is known */
#define POINTERS_MAX 32
#define WIRE_MAX 255

uint32_t dns_name_skip(const struct dns_message *m, uint32_t at)
{
    for (int i = 0; i < LABELS_MAX && at < m->len; i++) {
        uint8_t n = m->data[at];
        if (!n)
            return at + 1;
        if ((n & 0xc0) == 0xc0)
            return m->len - at >= 2 ? at + 2 : 0;
        if ((n & 0xc0) || m->len - at <= n)
            return 0;
        at += n + 1u;
    }
    return 0;
}

/* Where the pointer at `at` leads, 0: nowhere that comes before it. */
static uint32_t pointer_target(const struct dns_message *m, uint32_t at)
{
    uint32_t to;

    if (m->len - at < 2)
        return 0;
    to = dns_u16(m->data + at) & 0x3fffu;
    return to >= DNS_HEADER && to < at ? to : 0;
}

uint32_t dns_name_text(const struct dns_message *m, uint32_t at, uint8_t *out, uint32_t n, int *whole)
{
    uint32_t used = 0, wire = 0, pointers = 0;

    *whole = 0;
    while (at && at < m->len && wire <= WIRE_MAX) {
        uint8_t len = m->data[at];
        if (!len) {
            *whole = 1;
            break;
        }
        if ((len & 0xc0) == 0xc0) {
            if (++pointers > POINTERS_MAX)
                break;
            at = pointer_target(m, at);
            continue;
        }
        if ((len & 0xc0) || m->len - at <= len || used + len + 1 > n)
            break;
        if (used)
            out[used++] = '.';
        memcpy(out + used, m->data + at + 1, len);
        used += len;
        wire += len + 1u;
        at += len + 1u;
    }
    return used;
}
