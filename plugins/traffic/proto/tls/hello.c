/* hello.c: reading ClientHello and ServerHello. */
#include "hello.h"

#include <stdio.h>
#include <string.h>

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

/* RFC 6066 §3 */
static void read_sni(struct tls_hello *h, struct reader ext)
{
    struct reader list = vector(&ext, 2);

    while (!list.failed && list.at < list.end && !h->has_sni) {
        uint32_t type = number(&list, 1);
        struct reader name = vector(&list, 2);
        if (!name.failed && type == 0) {
            h->has_sni = true;
            h->sni.off = name.at;
            h->sni.len = name.end - name.at;
        }
    }
}

/* RFC 7301 §3.1 */
static void read_alpn(struct tls_hello *h, struct reader ext)
{
    struct reader list = vector(&ext, 2), name = vector(&list, 1);

    if (!name.failed) {
        h->alpn.off = name.at;
        h->alpn.len = name.end - name.at;
    }
}

static bool is_grease(uint16_t v) { return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff); }   /* RFC 8701 */

/* RFC 8446 §4.2.1 */
static void read_versions(struct tls_hello *h, uint32_t type, struct reader ext)
{
    struct reader list;

    if (type == TLS_SERVER_HELLO) {
        uint16_t v = (uint16_t)number(&ext, 2);
        if (!ext.failed)
            h->version = v;
        return;
    }
    list = vector(&ext, 1);
    while (!list.failed && list.at < list.end) {
        uint16_t v = (uint16_t)number(&list, 2);
        if (!list.failed && !is_grease(v) && v > h->offered)
            h->offered = v;
    }
}

static void read_extension(struct tls_hello *h, uint32_t type, uint32_t kind, struct reader ext)
{
    if (kind == 0 && type == TLS_CLIENT_HELLO)
        read_sni(h, ext);
    else if (kind == 16)
        read_alpn(h, ext);
    else if (kind == 43)
        read_versions(h, type, ext);
}

bool tls_hello_read(struct tls_hello *h, uint32_t type, const uint8_t *d, uint32_t n)
{
    struct reader r = { d, 0, n, false }, list;

    memset(h, 0, sizeof *h);
    h->version = h->offered = (uint16_t)number(&r, 2);
    take(&r, 32);                               /* random */
    vector(&r, 1);                              /* session id */
    if (type == TLS_CLIENT_HELLO) {
        vector(&r, 2);                          /* cipher suites */
        vector(&r, 1);                          /* compression methods */
    } else {
        take(&r, 3);                            /* the chosen ones */
    }
    if (r.failed || r.at == r.end)
        return !r.failed;
    list = vector(&r, 2);
    while (!list.failed && list.at < list.end) {
        uint32_t kind = number(&list, 2);
        struct reader ext = vector(&list, 2);
        if (!ext.failed)
            read_extension(h, type, kind, ext);
    }
    return !list.failed && !r.failed;
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
    default:
        snprintf(scratch, 16, "0x%04x", version);
        return scratch;
    }
}
