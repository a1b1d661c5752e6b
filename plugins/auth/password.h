/* password.h: password hashes by libxcrypt. Each of these takes 50 to 300 ms of processor time: never on a loop. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H
#include <stddef.h>
#include <stdint.h>

#define PASSWORD_HASH 256 /* with its NUL */
#define PASSWORD_MAX  511 /* bytes of a password, as libxcrypt has it: CRYPT_MAX_PASSPHRASE_SIZE with its NUL */
#define PASSWORD_NEW  24  /* of password_random(), with its NUL */

#define PASSWORD_COST_LEAST 3 /* of yescrypt: 2^(cost + 9) KiB and time that doubles with each; 3: 4 MiB, 4 ms */
#define PASSWORD_COST_MOST  9 /* 256 MiB */

/* A new hash (yescrypt). 0, or −1: no memory, no randomness, or not a password (a NUL inside, longer than
 * PASSWORD_MAX). */
int password_hash(const char *plain, size_t len, uint32_t cost, char *hash, size_t n);
/* 1: it is the password of this hash. Hashes: yescrypt; of imported users also $2b$ $2a$ $2y$, where a password of more
 * than 72 bytes, which bcrypt would cut, is refused. */
int password_matches(const char *plain, size_t len, const char *hash);
/* 1: of a scheme that password_matches() takes, and no more costly than is good for a server. */
int password_hash_known(const char *hash);
/* 1: of another scheme or cost, to be made anew when the password is at hand. */
int password_hash_stale(const char *hash, uint32_t cost);
/* 20 random letters and digits in groups of five, 100 bits. 0, or −1: no randomness. */
int password_random(char to[PASSWORD_NEW]);
/* Why it is no good as a new password of that user, a sentence; NULL: it is good. least: characters. */
const char *password_weak(const char *plain, size_t len, const char *name, uint32_t least);

#endif
