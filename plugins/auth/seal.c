#include "plugins/auth/seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "plugins/auth/digest.h"

#define FORM  "1:" /* of the text behind it */
#define NONCE 12
#define TAG   16

int seal_init(struct seal *s, const char *secret, const char *purpose)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(size_t)secret, strlen(secret)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(size_t)purpose, strlen(purpose)),
        OSSL_PARAM_construct_end(),
    };
    int rc = ctx && EVP_KDF_derive(ctx, s->key, sizeof s->key, params) == 1 ? 0 : -1;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return rc;
}

int seal_close(const struct seal *s, const char *bound, const char *plain, char to[SEAL_TEXT])
{
    unsigned char out[NONCE + SEAL_MOST + TAG];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = (int)strlen(plain), n = 0, rc = -1;

    if (ctx && len <= SEAL_MOST && RAND_bytes(out, NONCE) == 1 &&
        EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, s->key, out) == 1 &&
        EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)bound, (int)strlen(bound)) == 1 &&
        EVP_EncryptUpdate(ctx, out + NONCE, &n, (const unsigned char *)plain, len) == 1 &&
        EVP_EncryptFinal_ex(ctx, out + NONCE + n, &n) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + len) == 1) {
        strcpy(to, FORM);
        hex_of(out, (size_t)(NONCE + len + TAG), to + strlen(FORM));
        rc = 0;
    }
    EVP_CIPHER_CTX_free(ctx);
    return rc;
}

int seal_open(const struct seal *s, const char *bound, const char *sealed, char *to, size_t size)
{
    unsigned char in[NONCE + SEAL_MOST + TAG], plain[SEAL_MOST];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int all = strncmp(sealed, FORM, strlen(FORM)) ? -1 : hex_read(sealed + strlen(FORM), in, sizeof in);
    int len = all - NONCE - TAG, n = 0, rc = -1;

    if (ctx && len >= 0 && (size_t)len < size && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, s->key, in) == 1 &&
        EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)bound, (int)strlen(bound)) == 1 &&
        EVP_DecryptUpdate(ctx, plain, &n, in + NONCE, len) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, in + NONCE + len) == 1 &&
        EVP_DecryptFinal_ex(ctx, plain + n, &n) == 1) {
        memcpy(to, plain, (size_t)len);
        to[len] = '\0';
        rc = 0;
    }
    OPENSSL_cleanse(plain, sizeof plain);
    EVP_CIPHER_CTX_free(ctx);
    return rc;
}
