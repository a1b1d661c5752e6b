/* secret.h: the key that tokens are signed with, and files that only the daemon reads. */
#ifndef AUTH_SECRET_H
#define AUTH_SECRET_H
#include <stddef.h>
#include <stdint.h>

#define SECRET_TEXT 87 /* of a generated one, with its NUL: 512 bits in base64url */

/* Why a configured secret is no good, a sentence; NULL: it is good. Placeholders out of tutorials and examples, short
 * ones and those with little in them are not. */
const char *secret_weak(const char *text);

int secret_random(char to[SECRET_TEXT]); /* 0, or −1: no randomness */

/* A new file of mode 0600 with this text and a newline, on disk when it returns; one that stands there is replaced. 0,
 * or −1: errno. */
int private_write(const char *path, const char *text);
/* The first line of a private file into `to` (n bytes). 1; 0: there is none; −1: why (size bytes) is a sentence: a file
 * that others may read, of another owner, empty, or no file. */
int private_read(const char *path, char *to, size_t n, char *why, size_t size);

#endif
