/* Tokens from the wire: any bytes. The first byte chooses what is done with them: as they are; or as a payload that is
 * signed with the right key, so that the reader of claims is reached as well. */
/* covers: plugins/auth/jwt.c:*read* plugins/auth/jwt.c:*claim* */
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "plugins/auth/jwt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1790000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "k7Qw0Zr9-Vb2mXc8Ln4TyUi1Op6AsDf3GhJk5";

static size_t base64url(char *to, const uint8_t *p, size_t n)
{
    int len = EVP_EncodeBlock((unsigned char *)to, p, (int)n);

    while (len && to[len - 1] == '=')
        len--;
    for (int i = 0; i < len; i++)
        to[i] = to[i] == '+' ? '-' : to[i] == '/' ? '_' : to[i];
    return (size_t)len;
}

static void signed_claims(const struct token_keys *k, const uint8_t *data, size_t size)
{
    static char token[8192] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."; /* {"alg":"HS256","typ":"JWT"} */
    const size_t head = 37;
    unsigned char mac[32];
    unsigned len = 0;
    struct token t;
    char why[128];
    size_t n;

    if (size > 4096)
        return;
    n = head + base64url(token + head, data, size);
    HMAC(EVP_sha256(), secret, sizeof secret - 1, (unsigned char *)token, n, mac, &len);
    token[n++] = '.';
    n += base64url(token + n, mac, len);
    if (!token_read(k, token, n, NOW, &t, why, sizeof why) &&
        (t.expires <= NOW || t.expires > NOW + 7200 || !t.user || !*t.name || strlen(t.name) >= TOKEN_NAME))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct token_keys *k;
    struct token t;
    char why[128];

    if (!k)
        k = token_keys_new("HS256", secret, sizeof secret - 1, 3600, why, sizeof why);
    if (!k)
        abort();
    if (!size)
        return 0;
    if (*data & 1) {
        signed_claims(k, data + 1, size - 1);
        return 0;
    }
    /* nobody guesses the key */
    if (!token_read(k, (const char *)data + 1, size - 1, NOW, &t, why, sizeof why))
        abort();
    return 0;
}
