#include "plugins/auth/password.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define YESCRYPT      "$y$"
#define BCRYPT_BYTES  72
#define BCRYPT_COST   14 /* 0.8 s; a hash that asks for more is not ours to compute */

/* One of libxcrypt's own structs holds 32 KiB of what must not remain. */
static int with_setting(const char *plain, const char *setting, char *hash, size_t n)
{
    struct crypt_data *data = calloc(1, sizeof *data);
    const char *out = data ? crypt_rn(plain, setting, data, sizeof *data) : NULL;
    int rc = -1;

    if (out && *out != '*' && strlen(out) < n) {
        strcpy(hash, out);
        rc = 0;
    }
    if (data)
        OPENSSL_cleanse(data, sizeof *data);
    free(data);
    return rc;
}

/* crypt() takes what ends with a NUL. */
static char *ended(const char *plain, size_t len)
{
    char *text = len <= PASSWORD_MAX && !memchr(plain, 0, len) ? malloc(len + 1) : NULL;

    if (text) {
        memcpy(text, plain, len);
        text[len] = '\0';
    }
    return text;
}

static void wipe(char *text, size_t len)
{
    if (text)
        OPENSSL_cleanse(text, len);
    free(text);
}

int password_hash(const char *plain, size_t len, uint32_t cost, char *hash, size_t n)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE], salt[32], *text = ended(plain, len);
    int rc = -1;

    if (text && RAND_bytes((unsigned char *)salt, sizeof salt) == 1 &&
        crypt_gensalt_rn(YESCRYPT, cost, salt, sizeof salt, setting, sizeof setting))
        rc = with_setting(text, setting, hash, n);
    wipe(text, len);
    return rc;
}

static int is_bcrypt(const char *hash)
{
    return hash[0] == '$' && hash[1] == '2' && hash[2] && strchr("bay", hash[2]) && hash[3] == '$';
}

int password_hash_known(const char *hash)
{
    if (is_bcrypt(hash))
        return strlen(hash) == 60 && strspn(hash + 4, "0123456789") == 2 && hash[6] == '$' &&
               atoi(hash + 4) <= BCRYPT_COST;
    /* a yescrypt setting of ours: "$y$", the cost as one letter, "9T$" */
    return !strncmp(hash, YESCRYPT, 3) && strlen(hash) > 60 && strlen(hash) < PASSWORD_HASH && hash[3] == 'j' &&
           hash[4] >= '7' && hash[4] <= 'D' && hash[5] == 'T' && hash[6] == '$';
}

/* A setting says log2(N) - 1, which is 6 more than the cost, as one letter of crypt's alphabet. */
int password_hash_stale(const char *hash, uint32_t cost)
{
    return is_bcrypt(hash) || hash[4] != "./0123456789ABCDEF"[cost + 6];
}

int password_matches(const char *plain, size_t len, const char *hash)
{
    char made[PASSWORD_HASH], *text;
    int same = 0;

    if (!password_hash_known(hash) || (is_bcrypt(hash) && len > BCRYPT_BYTES))
        return 0;
    text = ended(plain, len);
    if (text && !with_setting(text, hash, made, sizeof made) && strlen(made) == strlen(hash))
        same = !CRYPTO_memcmp(made, hash, strlen(hash));
    OPENSSL_cleanse(made, sizeof made);
    wipe(text, len);
    return same;
}

int password_random(char to[PASSWORD_NEW])
{
    static const char letters[33] = "abcdefghijkmnpqrstuvwxyz23456789"; /* no l and o, no 0 and 1 */
    unsigned char r[20];
    size_t at = 0;

    if (RAND_bytes(r, sizeof r) != 1)
        return -1;
    for (size_t i = 0; i < sizeof r; i++) {
        if (i && i % 5 == 0)
            to[at++] = '-';
        to[at++] = letters[r[i] & 31];
    }
    to[at] = '\0';
    OPENSSL_cleanse(r, sizeof r);
    return 0;
}

static size_t characters(const char *p, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)p[i] & 0xc0) != 0x80;
    return n;
}

static size_t different(const char *p, size_t len)
{
    unsigned char seen[256] = {0};
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += !seen[(unsigned char)p[i]]++;
    return n;
}

const char *password_weak(const char *plain, size_t len, const char *name, uint32_t least)
{
    static const char *const common[] = {"password", "passw0rd", "12345678", "qwerty", "letmein",
                                         "iloveyou", "changeme", "welcome1", "ecyber", "administrator"};

    if (len > PASSWORD_MAX || memchr(plain, 0, len))
        return "A password has at most 511 bytes and no NUL";
    if (characters(plain, len) < least)
        return "The password is too short";
    if (different(plain, len) < 5)
        return "The password has fewer than five different characters";
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (len < strlen(common[i]) + 4 && !strncasecmp(plain, common[i], strlen(common[i])))
            return "The password is one of those that are tried first";
    if (len < strlen(name) + 4 && !strncasecmp(plain, name, strlen(name)))
        return "The password is too near to the user's name";
    return NULL;
}
