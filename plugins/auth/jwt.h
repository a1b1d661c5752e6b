/* jwt.h: tokens (JWT, RFC 7519). The only file that includes libjwt, which is unsafe bare: it takes any token where the
 * key is NULL, lets the token choose the algorithm, and never looks at exp. It brings jansson, whose names clash with
 * json-c's: neither is included or linked here. */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H
#include <stdint.h>
#include <stddef.h>

#define TOKEN_MAX  8192 /* bytes of a token; a longer one is refused unread */
#define TOKEN_NAME 64   /* of a user's name, with its NUL */
#define TOKEN_EXACT ((UINT64_C(1) << 53) - 1) /* numbers up to this one survive every JSON reader */

struct token_keys;

struct token {
    char name[TOKEN_NAME];    /* "sub" */
    uint64_t user, stamp;     /* "uid", "ver": at most TOKEN_EXACT */
    uint64_t session;         /* "sid", the same; 0: not there */
    int64_t issued, expires;  /* "iat", "exp": seconds since 1970 */
};

/* algorithm: HS256 HS384 HS512 (key: the secret itself, at least as long as the hash: RFC 7518 §3.2) or RS256…512,
 * ES256…512 (key: the private key as PEM; its public part is made from it). life: seconds that a token may live at
 * most. NULL: why (n bytes) is a sentence. */
struct token_keys *token_keys_new(const char *algorithm, const void *key, size_t len, int64_t life, char *why,
                                  uint32_t n);
void token_keys_free(struct token_keys *k); /* wipes them */

/* [any] A signed token, to be freed with free(); NULL: out of memory, or the key cannot sign. */
char *token_make(const struct token_keys *k, const struct token *t);

/* [any] Verify: the configured algorithm and key, exp there and in the future, nbf and iat not. text need not end with
 * NUL. EC_OK, and *t is filled in; EC_EPERM, and why says it (never what stood in the token). */
int32_t token_read(const struct token_keys *k, const char *text, size_t len, int64_t now, struct token *t, char *why,
                   uint32_t n);

/* [any] The same. Of a token whose every byte was verified a moment ago only the end is looked at. */
int32_t token_read_again(struct token_keys *k, const char *text, size_t len, int64_t now, struct token *t, char *why,
                         uint32_t n);

#endif
