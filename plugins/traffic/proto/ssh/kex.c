/* kex.c: the algorithms that a side of SSH offers. */
#include "kex.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { KEX, HOST_KEY, CIPHER_CS, CIPHER_SC, MAC_CS, MAC_SC, COMPRESSION_CS, COMPRESSION_SC, LANGUAGE_CS, LANGUAGE_SC,
       LISTS };
#define COOKIE 16

struct list { const uint8_t *p; uint32_t n; };

static EVP_MD *md5;

bool kex_setup(void)
{
    if (!md5)
        md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    return md5 != NULL;
}

static bool lists_read(struct list *list, const uint8_t *d, uint32_t n)
{
    uint32_t at = 1 + COOKIE;

    if (n < at)
        return false;
    for (int i = 0; i < LISTS; i++) {
        uint32_t len;
        if (n - at < 4)
            return false;
        len = (uint32_t)d[at] << 24 | (uint32_t)d[at + 1] << 16 | (uint32_t)d[at + 2] << 8 | d[at + 3];
        if (len > n - at - 4)
            return false;
        list[i].p = d + at + 4;
        list[i].n = len;
        at += 4 + len;
    }
    return true;
}

static void hash_text(char out[33], const char *text, uint32_t n)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t sum[EVP_MAX_MD_SIZE];

    out[0] = '\0';
    if (!md5 || !EVP_Digest(text, n, sum, NULL, md5, NULL))
        return;
    for (int i = 0; i < 16; i++) {
        out[2 * i] = hex[sum[i] >> 4];
        out[2 * i + 1] = hex[sum[i] & 15];
    }
    out[32] = '\0';
}

bool kex_read(struct ssh_kex *k, bool server, const uint8_t *d, uint32_t n)
{
    static const uint8_t of_client[] = { KEX, CIPHER_CS, MAC_CS, COMPRESSION_CS },
                         of_server[] = { KEX, CIPHER_SC, MAC_SC, COMPRESSION_SC };
    const uint8_t *which = server ? of_server : of_client;
    struct list list[LISTS];
    uint32_t used = 0;
    char *text;

    if (!lists_read(list, d, n) || !(text = malloc(n)))     /* n holds the lists and their lengths */
        return false;
    for (int i = 0; i < 4; i++) {
        if (i)
            text[used++] = ';';
        memcpy(text + used, list[which[i]].p, list[which[i]].n);
        used += list[which[i]].n;
    }
    kex_free(k);
    k->text = text;
    k->n = used;
    hash_text(k->hash, text, used);
    return true;
}

void kex_free(struct ssh_kex *k)
{
    free(k->text);
    memset(k, 0, sizeof *k);
}
