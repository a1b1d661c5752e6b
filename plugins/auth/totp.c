#include "plugins/auth/totp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define KEY    20 /* bytes of a secret of ours (RFC 4226 §4, R6) */
#define DIGITS 6

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

int totp_secret(char to[TOTP_SECRET])
{
    unsigned char r[TOTP_SECRET - 1];

    if (RAND_bytes(r, sizeof r) != 1)
        return -1;
    for (size_t i = 0; i < sizeof r; i++)
        to[i] = letters[r[i] & 31];
    to[sizeof r] = '\0';
    OPENSSL_cleanse(r, sizeof r);
    return 0;
}

int base32_read(const char *text, unsigned char *to, size_t n)
{
    uint32_t bits = 0, held = 0;
    size_t at = 0;

    for (; *text && *text != '='; text++) {
        char c = *text >= 'a' && *text <= 'z' ? (char)(*text - 32) : *text;
        const char *found = strchr(letters, c);

        if (c == ' ')
            continue;
        if (!found || at == n)
            return -1;
        bits = bits << 5 | (uint32_t)(found - letters);
        held += 5;
        if (held >= 8) {
            held -= 8;
            to[at++] = (unsigned char)(bits >> held);
        }
    }
    return (int)at;
}

uint32_t hotp(const unsigned char *key, size_t len, uint64_t counter, int digits)
{
    static const uint32_t power[] = {1000000, 10000000, 100000000};
    unsigned char moving[8], mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    const unsigned char *p;

    for (int i = 0; i < 8; i++)
        moving[i] = (unsigned char)(counter >> (56 - 8 * i));
    if (!HMAC(EVP_sha1(), key, (int)len, moving, sizeof moving, mac, &n) || n != 20)
        return UINT32_MAX;          /* no code of ours */
    p = mac + (mac[19] & 15);       /* RFC 4226 §5.3 */
    return ((uint32_t)(p[0] & 0x7f) << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]) % power[digits - 6];
}

uint64_t totp_step(const char *secret, const char *code, size_t len, int64_t now, uint64_t used)
{
    uint64_t step = (uint64_t)now / TOTP_STEP, found = 0;
    unsigned char key[64];
    int n = base32_read(secret, key, sizeof key);
    char want[16];

    if (n < 10 || len != DIGITS || now < TOTP_STEP)
        return 0;
    for (uint64_t s = step - 1; s <= step + 1; s++) {
        snprintf(want, sizeof want, "%06u", hotp(key, (size_t)n, s, DIGITS));
        if (!CRYPTO_memcmp(want, code, DIGITS) && s > used && !found)
            found = s;
    }
    OPENSSL_cleanse(key, sizeof key);
    return found;
}
