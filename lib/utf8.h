/* utf8.h: text of which it is not known whether it is UTF-8 (RFC 3629). */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H
#include <stddef.h>

/* Bytes of the character at s, of which n > 0 are there; 0: none begins there, or it is cut off. */
static inline size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    if (!len || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if (len == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)))
        return 0;
    if (len == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)))
        return 0;
    return len;
}

/* A '?' in the place of each byte of which there is no character. */
static inline void utf8_mend(char *text, size_t n)
{
    for (size_t i = 0, len; i < n; i += len) {
        len = utf8_length((const unsigned char *)text + i, n - i);
        if (!len)
            text[i] = '?';
        len += !len;
    }
}

#endif
