#include "plugins/auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

void hex_of(const unsigned char *p, size_t n, char *to)
{
    for (size_t i = 0; i < n; i++)
        sprintf(to + 2 * i, "%02x", p[i]);
}

int hex_read(const char *text, unsigned char *to, size_t n)
{
    size_t len = strlen(text);

    if (len % 2 || len / 2 > n || strspn(text, "0123456789abcdef") != len)
        return -1;
    for (size_t i = 0; i < len / 2; i++)
        sscanf(text + 2 * i, "%2hhx", &to[i]);
    return (int)(len / 2);
}

void digest_of(const char *text, size_t len, char to[DIGEST_HEX])
{
    unsigned char sum[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)text, len, sum);
    hex_of(sum, sizeof sum, to);
}

int random_hex(char *to, size_t n)
{
    unsigned char r[32];

    if (RAND_bytes(r, (int)(n / 2)) != 1)
        return -1;
    hex_of(r, n / 2, to);
    OPENSSL_cleanse(r, sizeof r);
    return 0;
}
