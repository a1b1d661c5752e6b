/* fingerprint.c: JA3, JA3S and JA4. */
#include "fingerprint.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 512              /* of one list that are taken; no client comes near it */

static const char hex[] = "0123456789abcdef";
static EVP_MD *md5, *sha1, *sha256;

bool fingerprint_setup(void)
{
    if (!md5)
        md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    if (!sha1)
        sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    if (!sha256)
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    return md5 && sha1 && sha256;
}

/* The sum in hexadecimal, its first `bytes` bytes; false: there is none. */
static bool digest(const EVP_MD *md, const void *d, size_t n, uint32_t bytes, char *out)
{
    uint8_t sum[EVP_MAX_MD_SIZE];

    out[0] = '\0';
    if (!md || !EVP_Digest(d, n, sum, NULL, md, NULL))
        return false;
    for (uint32_t i = 0; i < bytes; i++) {
        out[2 * i] = hex[sum[i] >> 4];
        out[2 * i + 1] = hex[sum[i] & 15];
    }
    out[2 * bytes] = '\0';
    return true;
}

void fingerprint_md5(char *out, const void *d, uint32_t n) { digest(md5, d, n, JA_HASH / 2, out); }

void fingerprint_sha1(char *out, const uint8_t *d, uint32_t n)
{
    char plain[41];

    if (!digest(sha1, d, n, 20, plain)) {
        out[0] = '\0';
        return;
    }
    for (uint32_t i = 0; i < 20; i++)
        out[3 * i] = plain[2 * i], out[3 * i + 1] = plain[2 * i + 1], out[3 * i + 2] = i < 19 ? ':' : '\0';
}

/* A list of values as 16-bit numbers, without GREASE. bytes: of one value on the wire. Returns how many. */
static uint32_t values(const uint8_t *d, struct tls_range list, uint32_t bytes, uint16_t *out)
{
    uint32_t n = 0;

    for (uint32_t at = 0; list.len - at >= bytes && n < VALUES_MAX; at += bytes) {
        uint16_t v = bytes == 1 ? d[list.off + at] : (uint16_t)(d[list.off + at] << 8 | d[list.off + at + 1]);
        if (bytes == 1 || !tls_is_grease(v))
            out[n++] = v;
    }
    return n;
}

/* The types of all extensions, without GREASE. */
static uint32_t extension_types(const struct tls_hello *h, const uint8_t *d, uint16_t *out)
{
    uint32_t at = h->extensions.off, n = 0, type;
    struct tls_range body;

    while (n < VALUES_MAX && tls_extension_next(h, d, &at, &type, &body))
        if (!tls_is_grease(type))
            out[n++] = (uint16_t)type;
    return n;
}

struct line { char *p; size_t n, room; };

/* Room was counted; what is beyond it is left out. */
static void add_text(struct line *l, const char *s, size_t n)
{
    if (n >= l->room - l->n)
        return;
    memcpy(l->p + l->n, s, n);
    l->n += n;
    l->p[l->n] = '\0';
}

/* before: nothing, or one character */
static void add_number(struct line *l, const char *before, uint32_t v)
{
    char s[12];
    size_t at = sizeof s;

    do
        s[--at] = (char)('0' + v % 10);
    while (v /= 10);
    if (*before)
        s[--at] = *before;
    add_text(l, s + at, sizeof s - at);
}

/* ",1-2-3" */
static void add_values(struct line *l, const uint16_t *v, uint32_t n)
{
    if (l->n + 1 < l->room)
        l->p[l->n++] = ',';
    for (uint32_t i = 0; i < n; i++)
        add_number(l, i ? "-" : "", v[i]);
}

bool ja3_make(struct tls_ja3 *j, const struct tls_hello *h, uint32_t type, const uint8_t *d)
{
    uint16_t v[VALUES_MAX];
    /* Five digits and what stands before them, for each value of at most four lists. */
    struct line l = { NULL, 0, 64 + 6 * ((size_t)h->ciphers.len / 2 + h->extensions.len / 4 + h->groups.len / 2 +
                                         h->formats.len) };

    ja3_free(j);
    if (!(l.p = malloc(l.room)))
        return false;
    l.p[0] = '\0';
    add_number(&l, "", h->legacy);
    if (type == TLS_CLIENT_HELLO)
        add_values(&l, v, values(d, h->ciphers, 2, v));
    else
        add_number(&l, ",", h->cipher);
    add_values(&l, v, extension_types(h, d, v));
    if (type == TLS_CLIENT_HELLO) {
        add_values(&l, v, values(d, h->groups, 2, v));
        add_values(&l, v, values(d, h->formats, 1, v));
    }
    j->text = l.p;
    j->n = (uint32_t)l.n;
    digest(md5, l.p, l.n, JA_HASH / 2, j->hash);
    return true;
}

void ja3_free(struct tls_ja3 *j)
{
    free(j->text);
    memset(j, 0, sizeof *j);
}

static const char *version_digits(uint16_t version)
{
    static const struct { uint16_t version; char digits[3]; } known[] = {
        { 0x0304, "13" }, { 0x0303, "12" }, { 0x0302, "11" }, { 0x0301, "10" }, { 0x0300, "s3" }, { 0x0002, "s2" },
        { 0xfeff, "d1" }, { 0xfefd, "d2" }, { 0xfefc, "d3" } };

    for (uint32_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].version == version)
            return known[i].digits;
    return "00";
}

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* First and last character of the first protocol; of its hexadecimal form where one of them is neither letter nor
 * digit. */
static void alpn_ends(char out[3], const uint8_t *d, struct tls_range alpn)
{
    uint8_t first, last;

    memcpy(out, "00", 3);
    if (!alpn.len)
        return;
    first = d[alpn.off];
    last = d[alpn.off + alpn.len - 1];
    out[0] = is_alnum(first) && is_alnum(last) ? (char)first : hex[first >> 4];
    out[1] = is_alnum(first) && is_alnum(last) ? (char)last : hex[last & 15];
}

static int ascending(const void *a, const void *b) { return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b; }

static void add_hex(struct line *l, const char *before, const uint16_t *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        char s[5] = { i ? ',' : *before, hex[v[i] >> 12], hex[v[i] >> 8 & 15], hex[v[i] >> 4 & 15], hex[v[i] & 15] };
        add_text(l, *s ? s : s + 1, *s ? 5 : 4);
    }
}

/* The first twelve digits of the list's SHA-256; zeros for an empty one. */
static void short_hash(char out[13], const struct line *l)
{
    memcpy(out, "000000000000", 13);
    if (l->n)
        digest(sha256, l->p, l->n, 6, out);
}

void ja4_make(char *out, const struct tls_hello *h, const uint8_t *d, char transport)
{
    uint16_t v[VALUES_MAX];
    char text[2 * VALUES_MAX * 5 + 2], alpn[3], ciphers_hash[13], extensions_hash[13];
    struct line l = { text, 0, sizeof text };
    uint32_t ciphers = values(d, h->ciphers, 2, v), extensions, kept = 0;

    qsort(v, ciphers, sizeof v[0], ascending);
    add_hex(&l, "", v, ciphers);
    short_hash(ciphers_hash, &l);
    extensions = extension_types(h, d, v);
    for (uint32_t i = 0; i < extensions; i++)
        if (v[i] != TLS_X_SNI && v[i] != TLS_X_ALPN)
            v[kept++] = v[i];
    qsort(v, kept, sizeof v[0], ascending);
    l.n = 0;
    add_hex(&l, "", v, kept);
    add_hex(&l, "_", v, values(d, h->signatures, 2, v));
    short_hash(extensions_hash, &l);
    alpn_ends(alpn, d, h->alpn);
    snprintf(out, JA4_LEN + 1, "%c%s%c%02u%02u%s_%s_%s", transport, version_digits(h->offered), h->has_sni ? 'd' : 'i',
             ciphers < 99 ? ciphers : 99, extensions < 99 ? extensions : 99, alpn, ciphers_hash, extensions_hash);
}
