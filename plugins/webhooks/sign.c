#include "plugins/webhooks/sign.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "whsec_"
#define KEY_MIN 24
#define KEY_MAX 64

int sign_make_secret(char to[SIGN_SECRET])
{
    unsigned char key[32];

    if (RAND_bytes(key, sizeof key) != 1)
        return -1;
    strcpy(to, PREFIX);
    EVP_EncodeBlock((unsigned char *)to + sizeof PREFIX - 1, key, sizeof key);
    OPENSSL_cleanse(key, sizeof key);
    return 0;
}

/* The key's length, -1: it is none. */
static int key_of(const char *text, size_t n, unsigned char key[KEY_MAX + 3])
{
    const char *p = text + sizeof PREFIX - 1;
    int len, pad;

    if (n < sizeof PREFIX || n >= SIGN_SECRET || memcmp(text, PREFIX, sizeof PREFIX - 1) != 0)
        return -1;
    n -= sizeof PREFIX - 1;
    if (n % 4 || n / 4 * 3 > KEY_MAX + 2)
        return -1;
    pad = p[n - 1] != '=' ? 0 : p[n - 2] != '=' ? 1 : 2;
    len = EVP_DecodeBlock(key, (const unsigned char *)p, (int)n);
    return len - pad < KEY_MIN || len - pad > KEY_MAX ? -1 : len - pad;
}

int sign_is_secret(const char *text, size_t n)
{
    unsigned char key[KEY_MAX + 3];
    int len = key_of(text, n, key);

    OPENSSL_cleanse(key, sizeof key);
    return len > 0;
}

int sign_body(const char *secret, const char *id, int64_t seconds, const char *body, size_t n, char to[SIGN_TEXT])
{
    unsigned char key[KEY_MAX + 3], sum[EVP_MAX_MD_SIZE];
    int len = key_of(secret, strlen(secret), key);
    char head[160];
    size_t sum_len = 0, head_len = (size_t)snprintf(head, sizeof head, "%s.%" PRId64 ".", id, seconds);
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *c = mac ? EVP_MAC_CTX_new(mac) : NULL;
    OSSL_PARAM sha[] = { OSSL_PARAM_construct_utf8_string("digest", (char[]){ "SHA256" }, 0), OSSL_PARAM_construct_end() };
    int good = len > 0 && head_len < sizeof head && c && EVP_MAC_init(c, key, (size_t)len, sha) &&
               EVP_MAC_update(c, (const unsigned char *)head, head_len) &&
               EVP_MAC_update(c, (const unsigned char *)body, n) && EVP_MAC_final(c, sum, &sum_len, sizeof sum);

    OPENSSL_cleanse(key, sizeof key);
    EVP_MAC_CTX_free(c);
    EVP_MAC_free(mac);
    if (!good)
        return -1;
    strcpy(to, "v1,");
    EVP_EncodeBlock((unsigned char *)to + 3, sum, (int)sum_len);
    return 0;
}
