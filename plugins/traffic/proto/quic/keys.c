/* keys.c: keys of Initial packets, and taking their protection off. */
#include "keys.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "packet.h"

#define SECRET 32
#define TAG 16
#define SAMPLE 16

static EVP_CIPHER *gcm, *ecb;

bool keys_setup(void)
{
    if (!gcm)
        gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    if (!ecb)
        ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
    return gcm && ecb;
}

/* RFC 9001 §5.2, RFC 9369 §3.3.1, and the drafts 29 to 34, 23 to 28 */
static const uint8_t *salt_of(uint32_t version)
{
    static const uint8_t one[20] = { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8,
                                     0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a },
                         two[20] = { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26,
                                     0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 },
                         draft29[20] = { 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c,
                                         0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 },
                         draft23[20] = { 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b,
                                         0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 };

    if (version == QUIC_V2)
        return two;
    if (version >= 0xff000021 || version == QUIC_V1)
        return one;                             /* drafts 33 and 34 have the final salt */
    return version >= 0xff00001d ? draft29 : draft23;
}

/* HKDF-Expand-Label of TLS 1.3 (RFC 8446 §7.1) with an empty context, for up to 32 bytes. */
static bool expand(const uint8_t secret[SECRET], const char *label, uint8_t *out, uint32_t n)
{
    uint8_t info[64] = { 0, (uint8_t)n }, sum[EVP_MAX_MD_SIZE];
    uint32_t len = (uint32_t)strlen(label), at = 3;

    info[2] = (uint8_t)(6 + len);
    memcpy(info + at, "tls13 ", 6);
    memcpy(info + at + 6, label, len);
    at += 6 + len;
    info[at++] = 0;
    info[at++] = 1;                             /* the first block, and the only one */
    if (!HMAC(EVP_sha256(), secret, SECRET, info, at, sum, NULL))
        return false;
    memcpy(out, sum, n);
    return true;
}

bool keys_initial(struct quic_keys *k, uint32_t version, const uint8_t *dcid, uint32_t n)
{
    static const char *const sides[2] = { "client in", "server in" };
    bool two = version == QUIC_V2;
    uint8_t initial[EVP_MAX_MD_SIZE], secret[SECRET];

    if (!quic_version_known(version) || !HMAC(EVP_sha256(), salt_of(version), 20, dcid, n, initial, NULL))
        return false;
    for (uint32_t i = 0; i < 2; i++)
        if (!expand(initial, sides[i], secret, SECRET) ||
            !expand(secret, two ? "quicv2 key" : "quic key", k->side[i].key, sizeof k->side[i].key) ||
            !expand(secret, two ? "quicv2 iv" : "quic iv", k->side[i].iv, sizeof k->side[i].iv) ||
            !expand(secret, two ? "quicv2 hp" : "quic hp", k->side[i].hp, sizeof k->side[i].hp))
            return false;
    return true;
}

/* RFC 9001 §5.4.3 */
static bool mask_of(EVP_CIPHER_CTX *c, const uint8_t *hp, const uint8_t *sample, uint8_t mask[16])
{
    int n = 0;

    return EVP_EncryptInit_ex2(c, ecb, hp, NULL, NULL) && EVP_CIPHER_CTX_set_padding(c, 0) &&
           EVP_EncryptUpdate(c, mask, &n, sample, SAMPLE) && n == SAMPLE;
}

static int32_t decrypt(EVP_CIPHER_CTX *c, const struct quic_key *k, uint8_t *nonce, const uint8_t *head,
                       uint32_t n_head, const uint8_t *d, uint32_t n, uint8_t *out)
{
    uint8_t tag[TAG];
    int len = 0, last = 0;

    memcpy(tag, d + n - TAG, TAG);
    if (!EVP_CIPHER_CTX_reset(c) || !EVP_DecryptInit_ex2(c, gcm, k->key, nonce, NULL) ||
        !EVP_DecryptUpdate(c, NULL, &len, head, (int)n_head) ||
        !EVP_DecryptUpdate(c, out, &len, d, (int)(n - TAG)) ||
        !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) || !EVP_DecryptFinal_ex(c, out + len, &last))
        return -1;
    return len + last;
}

#define HEAD_MAX 2048               /* of a header with its token that is read */

static int32_t packet_open(EVP_CIPHER_CTX *c, const struct quic_key *k, const struct quic_packet *p, const uint8_t *d,
                           uint8_t *out)
{
    uint8_t head[HEAD_MAX], mask[16], nonce[12];
    uint32_t bytes, n_head;

    if (!mask_of(c, k->hp, d + p->number + 4, mask))
        return -1;
    memcpy(head, d, p->number + 4);
    head[0] ^= mask[0] & 0x0f;
    bytes = (head[0] & 3u) + 1;
    n_head = p->number + bytes;
    memcpy(nonce, k->iv, sizeof nonce);
    for (uint32_t i = 0; i < bytes; i++) {
        head[p->number + i] ^= mask[1 + i];
        nonce[12 - bytes + i] ^= head[p->number + i];
    }
    return decrypt(c, k, nonce, head, n_head, d + n_head, p->len - n_head, out);
}

int32_t keys_open(const struct quic_key *k, const struct quic_packet *p, const uint8_t *d, uint8_t *out)
{
    EVP_CIPHER_CTX *c;
    int32_t n;

    if (p->len - p->number < 4 + SAMPLE || p->number + 4 > HEAD_MAX || !(c = EVP_CIPHER_CTX_new()))
        return -1;
    n = packet_open(c, k, p, d, out);
    EVP_CIPHER_CTX_free(c);
    return n;
}
