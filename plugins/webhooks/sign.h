/* sign.h: signatures of webhooks as Standard Webhooks 1.0 has them: base64 of HMAC-SHA256 over "ID.TIME.BODY". */
#ifndef WEBHOOKS_SIGN_H
#define WEBHOOKS_SIGN_H
#include <stddef.h>
#include <stdint.h>

#define SIGN_SECRET 96              /* "whsec_" and base64 of 24 to 64 bytes, with its NUL */
#define SIGN_TEXT   48              /* "v1,…" with its NUL */

int sign_make_secret(char to[SIGN_SECRET]);         /* 32 random bytes. -1: there was no randomness */
int sign_is_secret(const char *text, size_t n);     /* 1: of that form */
/* 0, or -1: it is no secret, or out of memory. */
int sign_body(const char *secret, const char *id, int64_t seconds, const char *body, size_t n, char to[SIGN_TEXT]);

#endif
