/* seal.h: what has to be read again and so is no hash, as it stands in the store: AES-256-GCM (NIST SP 800-38D), the key
 * by HKDF-SHA256 (RFC 5869) from a secret that is not in the store. Who has a copy of the store alone reads nothing. */
#ifndef AUTH_SEAL_H
#define AUTH_SEAL_H
#include <stddef.h>

#define SEAL_KEY  32
#define SEAL_TEXT 160 /* of a sealed text, with its NUL */
#define SEAL_MOST 48  /* bytes of what is sealed */

struct seal {
    unsigned char key[SEAL_KEY];
};

/* purpose: keys of different purposes differ. 0, or −1. */
int seal_init(struct seal *s, const char *secret, const char *purpose);
/* bound: whose it is; sealed for another it is not opened. 0, or −1: no randomness, longer than SEAL_MOST. */
int seal_close(const struct seal *s, const char *bound, const char *plain, char to[SEAL_TEXT]);
/* 0, or −1: another key, another owner, changed, not of this form, or too long for n. */
int seal_open(const struct seal *s, const char *bound, const char *sealed, char *to, size_t n);

#endif
