#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "plugins/auth/jwt.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEY_MAX 16384
#define SEEN    32   /* tokens that are remembered as verified */
#define SEEN_MAX 2048 /* bytes of one */
#define LEEWAY  60 /* seconds that two clocks may differ */

/* size: of the hash for HS, in bytes; the least bits of an RSA key; the exact bits of an EC key. */
static const struct algorithm {
    const char *name;
    jwt_alg_t alg;
    int type, size;
} algorithms[] = {
    {"HS256", JWT_ALG_HS256, 0, 32},
    {"HS384", JWT_ALG_HS384, 0, 48},
    {"HS512", JWT_ALG_HS512, 0, 64},
    {"RS256", JWT_ALG_RS256, EVP_PKEY_RSA, 2048},
    {"RS384", JWT_ALG_RS384, EVP_PKEY_RSA, 2048},
    {"RS512", JWT_ALG_RS512, EVP_PKEY_RSA, 2048},
    {"ES256", JWT_ALG_ES256, EVP_PKEY_EC, 256},
    {"ES384", JWT_ALG_ES384, EVP_PKEY_EC, 384},
    {"ES512", JWT_ALG_ES512, EVP_PKEY_EC, 521},
};

/* A token that was verified: all of its text, and when. */
struct seen {
    char *text;
    size_t len;
    int64_t at;
    struct token token;
};

struct token_keys {
    pthread_mutex_t lock; /* of what is seen */
    struct seen seen[SEEN];
    uint32_t next;
    const struct algorithm *a;
    unsigned char *sign, *verify; /* equal for HS; PEM, with a NUL behind, for the others */
    int n_sign, n_verify;
    int64_t life;
};

static const struct algorithm *algorithm_find(const char *name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (!strcmp(algorithms[i].name, name))
            return &algorithms[i];
    return NULL;
}

static unsigned char *copy(const void *p, size_t n)
{
    unsigned char *to = malloc(n + 1);

    if (to) {
        memcpy(to, p, n);
        to[n] = '\0';
    }
    return to;
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* The public part of a private key in PEM. */
static int32_t public_part(struct token_keys *k, char *why, uint32_t n)
{
    BIO *in = BIO_new_mem_buf(k->sign, k->n_sign), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    int bits = key ? EVP_PKEY_get_bits(key) : 0;
    int32_t rc = EC_EINVAL;
    char *text;
    long len;

    if (!key)
        snprintf(why, n, "it is no private key in PEM without a passphrase");
    else if (EVP_PKEY_get_base_id(key) != k->a->type ||
             (k->a->type == EVP_PKEY_RSA ? bits < k->a->size : bits != k->a->size))
        snprintf(why, n, "%s needs %s key of %s%d bits", k->a->name, k->a->type == EVP_PKEY_RSA ? "an RSA" : "an EC",
                 k->a->type == EVP_PKEY_RSA ? "at least " : "", k->a->size);
    else if (!out || !PEM_write_bio_PUBKEY(out, key) || (len = BIO_get_mem_data(out, &text)) <= 0 ||
             !(k->verify = copy(text, (size_t)len)))
        snprintf(why, n, "out of memory");
    else {
        k->n_verify = (int)len;
        rc = EC_OK;
    }
    EVP_PKEY_free(key);
    BIO_free(in);
    BIO_free(out);
    return rc;
}

static int32_t keys_fill(struct token_keys *k, const void *key, size_t len, char *why, uint32_t n)
{
    size_t least = k->a->type ? 1 : (size_t)k->a->size;

    if (!key || len < least || len > KEY_MAX) {
        snprintf(why, n, "%s needs a key of %zu to %d bytes; this one has %zu", k->a->name, least, KEY_MAX,
                 key ? len : 0);
        return EC_EINVAL;
    }
    k->sign = copy(key, len);
    k->n_sign = (int)len;
    if (!k->sign) {
        snprintf(why, n, "out of memory");
        return EC_ENOMEM;
    }
    if (k->a->type)
        return public_part(k, why, n);
    k->verify = k->sign;
    k->n_verify = k->n_sign;
    return EC_OK;
}

struct token_keys *token_keys_new(const char *algorithm, const void *key, size_t len, int64_t life, char *why,
                                  uint32_t n)
{
    struct token_keys *k = calloc(1, sizeof *k);

    if (!k) {
        snprintf(why, n, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&k->lock, NULL);
    k->life = life;
    k->a = algorithm_find(algorithm);
    if (!k->a)
        snprintf(why, n, "there is no algorithm of that name: HS256 HS384 HS512, RS256 RS384 RS512, ES256 ES384 ES512");
    if (k->a && !keys_fill(k, key, len, why, n))
        return k;
    token_keys_free(k);
    return NULL;
}

static void seen_forget(struct seen *s)
{
    if (s->text)
        OPENSSL_cleanse(s->text, s->len);
    free(s->text);
    s->text = NULL;
}

void token_keys_free(struct token_keys *k)
{
    if (!k)
        return;
    if (k->verify != k->sign)
        free(k->verify);
    if (k->sign)
        OPENSSL_cleanse(k->sign, (size_t)k->n_sign);
    free(k->sign);
    for (int i = 0; i < SEEN; i++)
        seen_forget(&k->seen[i]);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

/* The numbers, and "jti": 128 random bits, so that no two tokens are equal. As JSON, because libjwt's integers are of
 * the machine's long. */
static int add_numbers(jwt_t *jwt, const struct token *t)
{
    uint64_t r[2];
    char json[256];

    if (RAND_bytes((unsigned char *)r, sizeof r) != 1)
        return -1;
    snprintf(json, sizeof json,
             "{\"uid\":%" PRIu64 ",\"ver\":%" PRIu64 ",\"sid\":%" PRIu64 ",\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"jti\":\"%016" PRIx64
             "%016" PRIx64 "\"}",
             t->user, t->stamp, t->session, t->issued, t->expires, r[0], r[1]);
    return jwt_add_grants_json(jwt, json);
}

char *token_make(const struct token_keys *k, const struct token *t)
{
    char *text = NULL;
    jwt_t *jwt = NULL;

    if (jwt_new(&jwt))
        return NULL;
    if (!jwt_add_grant(jwt, "sub", t->name) && !add_numbers(jwt, t) &&
        !jwt_set_alg(jwt, k->a->alg, k->sign, k->n_sign))
        text = jwt_encode_str(jwt);
    jwt_free(jwt);
    return text;
}

static int32_t refuse(char *why, uint32_t n, const char *sentence)
{
    snprintf(why, n, "%s", sentence);
    return EC_EPERM;
}

/* header.payload.signature, each of base64url without padding (RFC 7515 §3.1), and nothing else. libjwt's own reader
 * skips what it does not know. */
static int well_formed(const char *text, size_t len)
{
    size_t part[3] = {0, 0, 0}, dots = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '.') {
            if (++dots > 2)
                return 0;
        } else if (c < 0x80 && (isalnum(c) || c == '-' || c == '_')) {
            part[dots]++;
        } else {
            return 0;
        }
    }
    return dots == 2 && part[0] && part[1] && part[2] && part[0] % 4 != 1 && part[1] % 4 != 1 && part[2] % 4 != 1;
}

/* A claim that is an integer of JSON: not a text, not 1.0, not 1e9. 1: *v; 0: it is not there; −1: something else. */
static int claim_number(jwt_t *jwt, const char *name, int64_t *v)
{
    char *text = jwt_get_grants_json(jwt, name), *end;
    int rc = -1;

    if (!text)
        return 0;
    errno = 0;
    *v = strtoll(text, &end, 10);
    if (!errno && end != text && !*end && (isdigit((unsigned char)*text) || *text == '-'))
        rc = 1;
    free(text);
    return rc;
}

static int32_t read_times(jwt_t *jwt, const struct token_keys *k, int64_t now, struct token *t, char *why, uint32_t n)
{
    int64_t from;
    int has;

    if (claim_number(jwt, "exp", &t->expires) != 1)
        return refuse(why, n, "exp is missing, or no integer");
    if (t->expires <= now)
        return refuse(why, n, "it has expired");
    if (t->expires - now > k->life + LEEWAY)
        return refuse(why, n, "it expires later than any token of ours");
    has = claim_number(jwt, "nbf", &from);
    if (has < 0 || (has && from > now + LEEWAY))
        return refuse(why, n, "it is not valid yet (nbf)");
    if (claim_number(jwt, "iat", &t->issued) != 1 || t->issued < 0 || t->issued > now + LEEWAY)
        return refuse(why, n, "iat is missing, no integer, or in the future");
    return EC_OK;
}

static int32_t read_claims(jwt_t *jwt, const struct token_keys *k, int64_t now, struct token *t, char *why, uint32_t n)
{
    const char *type = jwt_get_header(jwt, "typ"), *name;
    char *critical;
    int64_t user, stamp, session = 0;

    if (jwt_get_alg(jwt) != k->a->alg)
        return refuse(why, n, "it was signed with another algorithm");
    if (type && strcasecmp(type, "JWT"))
        return refuse(why, n, "its type is not JWT");
    critical = jwt_get_headers_json(jwt, "crit"); /* RFC 7515 §4.1.11 */
    free(critical);
    if (critical)
        return refuse(why, n, "it needs an extension (crit) that is not there");
    if (read_times(jwt, k, now, t, why, n))
        return EC_EPERM;
    name = jwt_get_grant(jwt, "sub");
    if (!name || !*name || strlen(name) >= sizeof t->name)
        return refuse(why, n, "sub is missing, or no name");
    strcpy(t->name, name);
    if (claim_number(jwt, "uid", &user) != 1 || user <= 0 || claim_number(jwt, "ver", &stamp) != 1 || stamp < 0)
        return refuse(why, n, "uid or ver is missing, or no positive integer");
    if (claim_number(jwt, "sid", &session) < 0 || session < 0)
        return refuse(why, n, "sid is no positive integer");
    t->session = (uint64_t)session;
    t->user = (uint64_t)user;
    t->stamp = (uint64_t)stamp;
    return EC_OK;
}

int32_t token_read(const struct token_keys *k, const char *text, size_t len, int64_t now, struct token *t, char *why,
                   uint32_t n)
{
    char copied[TOKEN_MAX + 1];
    jwt_t *jwt = NULL;
    int32_t rc;

    if (!len || len > TOKEN_MAX)
        return refuse(why, n, "it is empty, or longer than 8 KiB");
    if (!k || !k->verify || k->n_verify <= 0)
        return refuse(why, n, "there is no key to verify it with");
    if (!well_formed(text, len))
        return refuse(why, n, "it is not of the form header.payload.signature");
    memcpy(copied, text, len);
    copied[len] = '\0';
    if (jwt_decode(&jwt, copied, k->verify, k->n_verify) || !jwt)
        return refuse(why, n, "its signature is not ours");
    memset(t, 0, sizeof *t);
    rc = read_claims(jwt, k, now, t, why, n);
    jwt_free(jwt);
    return rc;
}

/* Every byte is compared, in a time that does not tell how many are equal. A clock that went back verifies anew. */
static bool seen_find(struct token_keys *k, const char *text, size_t len, int64_t now, struct token *t)
{
    bool found = false;

    pthread_mutex_lock(&k->lock);
    for (int i = 0; i < SEEN && !found; i++) {
        const struct seen *s = &k->seen[i];

        found = s->text && s->len == len && !CRYPTO_memcmp(s->text, text, len) && now >= s->at && now < s->token.expires;
        if (found)
            *t = s->token;
    }
    pthread_mutex_unlock(&k->lock);
    return found;
}

static void seen_keep(struct token_keys *k, const char *text, size_t len, int64_t now, const struct token *t)
{
    char *copied = len <= SEEN_MAX ? malloc(len) : NULL;
    struct seen *s;

    if (!copied)
        return;
    memcpy(copied, text, len);
    pthread_mutex_lock(&k->lock);
    s = &k->seen[k->next++ % SEEN];
    seen_forget(s);
    *s = (struct seen){copied, len, now, *t};
    pthread_mutex_unlock(&k->lock);
}

int32_t token_read_again(struct token_keys *k, const char *text, size_t len, int64_t now, struct token *t, char *why,
                         uint32_t n)
{
    int32_t err;

    if (k && len && seen_find(k, text, len, now, t))
        return EC_OK;
    err = token_read(k, text, len, now, t, why, n);
    if (!err)
        seen_keep(k, text, len, now, t);
    return err;
}
