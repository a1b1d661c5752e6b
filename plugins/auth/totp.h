/* totp.h: one-time codes of an app: TOTP (RFC 6238) with SHA-1, six digits and steps of 30 s, as the apps have it. */
#ifndef AUTH_TOTP_H
#define AUTH_TOTP_H
#include <stddef.h>
#include <stdint.h>

#define TOTP_SECRET 33 /* 160 bits in base32 (RFC 4648 §6), with its NUL */
#define TOTP_STEP   30 /* seconds */

int totp_secret(char to[TOTP_SECRET]); /* 0, or −1: no randomness */
/* The bytes of a base32 text, spaces and small letters taken as well, at most n. How many, or −1: it is none. */
int base32_read(const char *text, unsigned char *to, size_t n);
/* HOTP (RFC 4226) of a key and a counter: a number of so many digits (6 to 8). */
uint32_t hotp(const unsigned char *key, size_t len, uint64_t counter, int digits);
/* The step of which this is the code, now or one step off, later than `used`; 0: it is none. A step counts once
 * (RFC 6238 §5.2). */
uint64_t totp_step(const char *secret, const char *code, size_t len, int64_t now, uint64_t used);

#endif
