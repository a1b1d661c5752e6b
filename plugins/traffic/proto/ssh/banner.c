/* banner.c: the line with which each side of SSH begins. */
#include "banner.h"

#include <string.h>

bool banner_read(struct ssh_banner *b, const uint8_t *line, uint32_t n)
{
    const uint8_t *dash, *end;

    memset(b, 0, sizeof *b);
    if (n > BANNER_MAX)
        n = BANNER_MAX;
    while (n && (line[n - 1] == '\r' || line[n - 1] == '\n'))
        n--;
    if (n)
        memcpy(b->text, line, n);
    b->n = n;
    if (n < 4 || memcmp(b->text, "SSH-", 4) || !(dash = memchr(b->text + 4, '-', n - 4)))
        return false;
    b->proto = 4;
    b->n_proto = (uint32_t)(dash - b->text) - 4;
    b->software = 4 + b->n_proto + 1;
    /* Comments follow a space. */
    end = memchr(b->text + b->software, ' ', n - b->software);
    b->n_software = (end ? (uint32_t)(end - b->text) : n) - b->software;
    return b->n_proto && b->n_software;
}
