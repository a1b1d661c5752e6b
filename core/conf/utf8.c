#include "core/conf/utf8.h"

static int is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

size_t utf8_char(const unsigned char *s, size_t n)
{
    unsigned char c = s[0];

    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    if (c < 0xe0)
        return n >= 2 && is_tail(s[1]) ? 2 : 0;
    if (c < 0xf0) {
        if (n < 3 || !is_tail(s[1]) || !is_tail(s[2]))
            return 0;
        return (c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) ? 0 : 3;
    }
    if (n < 4 || !is_tail(s[1]) || !is_tail(s[2]) || !is_tail(s[3]))
        return 0;
    return (c == 0xf0 && s[1] < 0x90) || (c == 0xf4 && s[1] > 0x8f) ? 0 : 4;
}

size_t utf8_valid(const char *s, size_t n)
{
    size_t at = 0, len;

    while (at < n && (len = utf8_char((const unsigned char *)s + at, n - at)))
        at += len;
    return at;
}
