/* kex.h: the algorithms that a side of SSH offers (RFC 4253 §7.1), and HASSH, which names a program by them
 * (github.com/salesforce/hassh, BSD-3-Clause). */
#ifndef TRAFFIC_SSH_KEX_H
#define TRAFFIC_SSH_KEX_H

#include <stdbool.h>
#include <stdint.h>

struct ssh_kex {                    /* all zero: none */
    char *text;                     /* "kex;encryption;mac;compression" of what this side sends; owned: kex_free() */
    uint32_t n;
    char hash[33];                  /* its MD5 sum, hexadecimal */
};

bool kex_setup(void);               /* before any other call; false: OpenSSL has no MD5 */
/* d: a KEXINIT's payload, with its type byte. False: malformed, or out of memory; k is as it was then. */
bool kex_read(struct ssh_kex *k, bool server, const uint8_t *d, uint32_t n);
void kex_free(struct ssh_kex *k);

#endif
