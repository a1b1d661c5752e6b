#include "cli/safe.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One character of UTF-8 (RFC 3629), its bytes in *n; −1: it is none. */
static int32_t decode(const unsigned char *s, int *n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c;

    *n = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;
    if (*n < 2)
        return *n ? *s : -1;
    c = *s & (0x7fu >> *n);
    for (int i = 1; i < *n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | (s[i] & 0x3f);
    }
    return c < least[*n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? -1 : (int32_t)c;
}

/* C1, and the marks of bidirectional text (UAX #9). */
static bool drives(int32_t c)
{
    return (c >= 0x80 && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

/* One character at *s as it may be shown, at most 7 bytes with the NUL; *s goes on. */
static void piece(const unsigned char **s, char to[8])
{
    int n;
    int32_t c = decode(*s, &n);

    if (c < 0 || c < 0x20 || c == 0x7f) {
        snprintf(to, 8, "\\x%02x", **s);
        n = 1;
    } else if (drives(c)) {
        snprintf(to, 8, "\\u%04x", (unsigned)c & 0xffff); /* drives() knows none beyond */
    } else {
        memcpy(to, *s, (size_t)n);
        to[n] = '\0';
    }
    *s += n;
}

char *safe_text(const char *text)
{
    const unsigned char *s = (const unsigned char *)(text ? text : "");
    char *to = malloc(4 * strlen((const char *)s) + 8), *w = to;

    if (!to)
        return NULL;
    *w = '\0';
    while (*s) {
        piece(&s, w);
        w += strlen(w);
    }
    return to;
}

void safe_print(FILE *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    char shown[8];

    while (*s) {
        piece(&s, shown);
        fputs(shown, out);
    }
}

void safe_json(FILE *out, const char *json)
{
    const unsigned char *s = (const unsigned char *)json;
    int32_t c;

    while (*s) {
        int n;

        c = decode(s, &n);
        if (c == 0x7f || drives(c))
            fprintf(out, "\\u%04x", (unsigned)c);
        else if (c < 0)
            fputs("\\ufffd", out);
        else
            fwrite(s, 1, (size_t)n, out);
        s += c < 0 ? 1 : n;
    }
}
