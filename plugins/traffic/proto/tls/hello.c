/* hello.c: reading ClientHello and ServerHello. */
#include "hello.h"

#include <stdio.h>
#include <string.h>

/* The high byte of versions of TLS 1.3's drafts; the low one counts. */
enum { TLS_DRAFT = 0x7f, TLS_DRAFT_FACEBOOK = 0xfb };

/* What is left to read. Every take checks; after the first failure nothing more is given. */
struct reader { const uint8_t *d; uint32_t at, end; bool failed; };

static const uint8_t *take(struct reader *r, uint32_t n)
{
    const uint8_t *p = r->d + r->at;

    if (r->failed || r->end - r->at < n) {
        r->failed = true;
        return NULL;
    }
    r->at += n;
    return p;
}

static uint32_t number(struct reader *r, uint32_t bytes)
{
    const uint8_t *p = take(r, bytes);
    uint32_t v = 0;

    while (p && bytes--)
        v = v << 8 | *p++;
    return v;
}

/* A vector with a length of `bytes` bytes in front, as a reader of its own. */
static struct reader vector(struct reader *r, uint32_t bytes)
{
    struct reader sub = { r->d, 0, 0, true };
    uint32_t n = number(r, bytes);

    sub.at = r->at;
    if (take(r, n)) {
        sub.end = r->at;
        sub.failed = false;
    }
    return sub;
}

#define SNI_MAX 255u                /* bytes of a host name (RFC 1035 §2.3.4) */

/* RFC 6066 §3 */
static void read_sni(struct tls_hello *h, struct reader ext)
{
    struct reader list = vector(&ext, 2);

    h->sni_length |= list.failed;
    while (!list.failed && list.at < list.end && !h->sni.len) {
        uint32_t type = number(&list, 1);
        struct reader name = vector(&list, 2);
        h->sni_type |= type != 0;
        h->sni_length |= name.failed || name.end == name.at || name.end - name.at > SNI_MAX;
        if (!name.failed && type == 0) {
            h->sni.off = name.at;
            h->sni.len = name.end - name.at;
        }
    }
}

/* A list with a length of `bytes` bytes in front, as a range. */
static struct tls_range read_list(struct reader ext, uint32_t bytes)
{
    struct reader list = vector(&ext, bytes);
    struct tls_range r = { list.at, list.failed ? 0 : list.end - list.at };

    return r;
}

/* RFC 7301 §3.1 */
static void read_alpn(struct tls_hello *h, const uint8_t *d, struct reader ext)
{
    uint32_t at;

    h->alpns = read_list(ext, 2);
    at = h->alpns.off;
    tls_name_next(h->alpns, d, &at, &h->alpn);
}

/* RFC 8446 §4.2.1 */
static void read_versions(struct tls_hello *h, uint32_t type, struct reader ext)
{
    struct reader list;
    uint16_t best = 0;

    if (type == TLS_SERVER_HELLO) {
        uint16_t v = (uint16_t)number(&ext, 2);
        if (!ext.failed)
            h->version = v;
        return;
    }
    list = vector(&ext, 1);
    while (!list.failed && list.at < list.end) {
        uint16_t v = (uint16_t)number(&list, 2);
        if (!list.failed && !tls_is_grease(v) && v > best)
            best = v;
    }
    if (best)
        h->offered = best;
}

static void read_extension(struct tls_hello *h, uint32_t type, uint32_t kind, struct reader ext)
{
    if (kind == TLS_X_SNI && type == TLS_CLIENT_HELLO) {
        h->sni_again |= h->has_sni;
        h->has_sni = true;
        read_sni(h, ext);
    } else if (kind == TLS_X_GROUPS) {
        h->groups = read_list(ext, 2);
    } else if (kind == TLS_X_FORMATS) {
        h->formats = read_list(ext, 1);
    } else if (kind == TLS_X_SIGNATURES) {
        h->signatures = read_list(ext, 2);
    } else if (kind == TLS_X_ALPN) {
        read_alpn(h, ext.d, ext);
    } else if (kind == TLS_X_VERSIONS) {
        read_versions(h, type, ext);
    }
}

/* RFC 8446 §4.1.3: SHA-256 of "HelloRetryRequest". */
static bool is_retry(const uint8_t *random)
{
    static const uint8_t retry[32] = {
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
        0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

    return !memcmp(random, retry, sizeof retry);
}

static struct tls_range range_of(struct reader r)
{
    struct tls_range range = { r.at, r.failed ? 0 : r.end - r.at };

    return range;
}

/* Up to the extensions. */
static void read_start(struct tls_hello *h, uint32_t type, struct reader *r)
{
    const uint8_t *random;

    h->legacy = h->version = h->offered = (uint16_t)number(r, 2);
    h->random.off = r->at;
    if ((random = take(r, 32)))
        h->random.len = 32;
    if (type == TLS_SERVER_HELLO && h->legacy >> 8 == TLS_DRAFT) {
        h->cipher = (uint16_t)number(r, 2);     /* up to draft-ietf-tls-tls13-21 §4.1.3 it is all */
        return;
    }
    h->session = range_of(vector(r, 1));
    if (type == TLS_CLIENT_HELLO) {
        h->ciphers = range_of(vector(r, 2));
        vector(r, 1);                           /* compression methods */
        return;
    }
    h->cipher = (uint16_t)number(r, 2);
    take(r, 1);
    h->retry = random && is_retry(random);
}

bool tls_hello_read(struct tls_hello *h, uint32_t type, const uint8_t *d, uint32_t n)
{
    struct reader r = { d, 0, n, false }, list;

    memset(h, 0, sizeof *h);
    read_start(h, type, &r);
    if (r.failed || r.at == r.end)
        return !r.failed && h->ciphers.len % 2 == 0;
    list = vector(&r, 2);
    h->extensions = range_of(list);
    while (!list.failed && list.at < list.end) {
        uint32_t kind = number(&list, 2);
        struct reader ext = vector(&list, 2);
        if (!ext.failed)
            read_extension(h, type, kind, ext);
    }
    return !list.failed && !r.failed && h->ciphers.len % 2 == 0;
}

bool tls_hello_read_v2(struct tls_hello *h, const uint8_t *d, uint32_t n)
{
    struct reader r = { d, 0, n, false };
    uint32_t ciphers, session, challenge;

    memset(h, 0, sizeof *h);
    h->legacy = h->version = h->offered = (uint16_t)number(&r, 2);
    ciphers = number(&r, 2);
    session = number(&r, 2);
    challenge = number(&r, 2);
    h->ciphers.off = r.at;
    if (take(&r, ciphers))
        h->ciphers.len = ciphers;
    take(&r, session);
    take(&r, challenge);
    return !r.failed;
}

bool tls_extension_next(const struct tls_hello *h, const uint8_t *d, uint32_t *at, uint32_t *type,
                        struct tls_range *body)
{
    struct reader r = { d, *at, h->extensions.off + h->extensions.len, false }, ext;

    if (r.at >= r.end)
        return false;
    *type = number(&r, 2);
    ext = vector(&r, 2);
    *body = range_of(ext);
    *at = r.at;
    return !r.failed && !ext.failed;
}

bool tls_name_next(struct tls_range list, const uint8_t *d, uint32_t *at, struct tls_range *name)
{
    struct reader r = { d, *at, list.off + list.len, false }, one;

    if (r.at >= r.end)
        return false;
    one = vector(&r, 1);
    *name = range_of(one);
    *at = r.at;
    return !one.failed;
}

const char *tls_version_name(uint16_t version, char *scratch)
{
    switch (version) {
    case 0x0200: return "SSLv2";
    case 0x0300: return "SSLv3";
    case 0x0301: return "TLSv1";
    case 0x0302: return "TLS 1.1";
    case 0x0303: return "TLS 1.2";
    case 0x0304: return "TLS 1.3";
    default: break;
    }
    if (version >> 8 == TLS_DRAFT && (version & 0xff) < 16)
        return "TLS 1.3 draft-<16";
    if (version >> 8 == TLS_DRAFT || version >> 8 == TLS_DRAFT_FACEBOOK)
        snprintf(scratch, TLS_VERSION_NAME, "TLS 1.3 draft-%u%s", version & 0xffu,
                 version >> 8 == TLS_DRAFT ? "" : "-fb");
    else
        snprintf(scratch, TLS_VERSION_NAME, "0x%04x", version);
    return scratch;
}
