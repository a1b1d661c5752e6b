/* digest.h: random text, and the hashes under which it is kept. */
#ifndef AUTH_DIGEST_H
#define AUTH_DIGEST_H
#include <stddef.h>

#define DIGEST_HEX 65 /* SHA-256 in hexadecimal, with its NUL */

void digest_of(const char *text, size_t len, char to[DIGEST_HEX]);
void hex_of(const unsigned char *p, size_t n, char *to); /* 2 * n small letters and a NUL */
int hex_read(const char *text, unsigned char *to, size_t n); /* how many bytes, or −1: no hexadecimal, more than n */
int random_hex(char *to, size_t n); /* n letters (even, at most 64) and a NUL. 0, or −1: no randomness */

#endif
