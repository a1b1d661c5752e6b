#include "core/record/read_impl.h"

#include <arpa/inet.h>
#include <string.h>

static int digit64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

ptrdiff_t read_base64(uint8_t *to, const char *s, size_t n)
{
    size_t padding = n && s[n - 1] == '=' ? n > 1 && s[n - 2] == '=' ? 2 : 1 : 0;
    uint32_t bits = 0;
    uint8_t *at = to;

    if (n % 4)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int v = i >= n - padding ? 0 : digit64(s[i]);

        if (v < 0)
            return -1;
        bits = bits << 6 | (uint32_t)v;
        if (i % 4 == 3) {
            size_t whole = i == n - 1 ? 3 - padding : 3;

            for (size_t k = 0; k < whole; k++)
                *at++ = (uint8_t)(bits >> (16 - 8 * k));
            bits = 0;
        }
    }
    return at - to;
}

static int digit16(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

ptrdiff_t read_hex(uint8_t *to, const char *s, size_t n)
{
    if (n % 2)
        return -1;
    for (size_t i = 0; i < n; i += 2) {
        int high = digit16(s[i]), low = digit16(s[i + 1]);

        if (high < 0 || low < 0)
            return -1;
        to[i / 2] = (uint8_t)(high << 4 | low);
    }
    return (ptrdiff_t)(n / 2);
}

bool read_mac(uint8_t to[6], const char *s)
{
    if (strlen(s) != 17)
        return false;
    for (int i = 0; i < 6; i++)
        if (read_hex(to + i, s + 3 * i, 2) != 1 ||
            (i < 5 && s[3 * i + 2] != ':' && s[3 * i + 2] != '-'))
            return false;
    return true;
}

bool read_ip(uint8_t to[16], const char *s)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    memcpy(to, mapped, sizeof mapped);
    return inet_pton(AF_INET, s, to + 12) == 1 || inet_pton(AF_INET6, s, to) == 1;
}
