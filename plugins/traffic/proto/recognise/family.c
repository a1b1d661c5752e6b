/* family.c: what probes of several families ask. */
#include "family.h"

#define LINE_LONGEST 512

bool all_printable(const uint8_t *d, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (d[i] < ' ' || d[i] > '~')
            return false;
    return true;
}

bool all_zero(const uint8_t *d, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (d[i])
            return false;
    return true;
}

bool holds(const uint8_t *d, uint32_t n, const void *word, uint32_t len)
{
    const uint8_t *at = d, *end = d + n;

    while ((uint32_t)(end - at) >= len && (at = memchr(at, *(const uint8_t *)word, (uint32_t)(end - at) - len + 1))) {
        if (!memcmp(at, word, len))
            return true;
        at++;
    }
    return false;
}

int32_t line_ends(const uint8_t *d, uint32_t n, const char *word)
{
    uint32_t len = (uint32_t)strlen(word), most = n < LINE_LONGEST ? n : LINE_LONGEST;
    const uint8_t *end = memchr(d, '\n', most);
    uint32_t line = end ? (uint32_t)(end - d) : most;

    if (end && line && end[-1] == '\r')
        line--;
    if (!all_printable(d, line - (!end && line && d[line - 1] == '\r')))
        return EC_NO;
    if (!end)
        return most < LINE_LONGEST ? EC_MORE : EC_NO;
    return yes_if(line >= len && !memcmp(d + line - len, word, len));
}

bool ber_length(const uint8_t *d, uint32_t n, uint32_t *at, uint32_t *len)
{
    uint32_t bytes = n >= 2 && (d[1] & 0x80) ? d[1] & 0x7fu : 0;

    if (n < 2 || bytes > 4 || n < 2 + bytes || (d[1] == 0x80))
        return false;
    *len = bytes ? 0 : d[1];
    for (uint32_t i = 0; i < bytes; i++)
        *len = *len << 8 | d[2 + i];
    *at = 2 + bytes;
    return true;
}

bool chain_fills(const uint8_t *d, uint32_t n, const struct chain *c)
{
    uint32_t at = 0;

    while (at < n) {
        uint32_t len;
        if (n - at < c->off + c->bytes)
            return false;
        len = (c->bytes == 1 ? d[at + c->off] : c->bytes == 2 ? be16(d + at + c->off) : be32(d + at + c->off));
        if (len > n || (len += c->head) < c->off + c->bytes)
            return false;
        len = (len + c->align) & ~c->align;
        if (len > n - at)
            return false;
        at += len;
    }
    return n != 0;
}
