/* rdata.c: the data of a DNS record in text form. */
#include "rdata.h"

#include <stdio.h>
#include <string.h>

#include "message.h"
#include "name.h"
#include "types.h"

bool rdata_has_text(uint16_t type)
{
    switch (type) {
    case DNS_T_A: case DNS_T_AAAA: case DNS_T_NS: case DNS_T_CNAME: case DNS_T_PTR: case DNS_T_MX: case DNS_T_TXT:
    case DNS_T_SRV: case DNS_T_CAA: case DNS_T_SSHFP: case DNS_T_NULL:
        return true;
    default:
        return false;
    }
}

static uint32_t copy(const uint8_t *d, uint32_t len, uint8_t *out, uint32_t n)
{
    if (len > n)
        len = n;
    memcpy(out, d, len);
    return len;
}

static uint32_t text_a(const uint8_t *d, uint8_t *out, uint32_t n)
{
    uint8_t s[16];
    uint32_t len = 0;

    for (int i = 0; i < 4; i++) {
        if (i)
            s[len++] = '.';
        if (d[i] >= 100)
            s[len++] = (uint8_t)('0' + d[i] / 100);
        if (d[i] >= 10)
            s[len++] = (uint8_t)('0' + d[i] / 10 % 10);
        s[len++] = (uint8_t)('0' + d[i] % 10);
    }
    return copy(s, len, out, n);
}

/* All eight groups of four digits, as EVE has them. */
static uint32_t text_aaaa(const uint8_t *d, uint8_t *out, uint32_t n)
{
    static const char digit[] = "0123456789abcdef";
    uint8_t s[40], *at = s;

    for (int i = 0; i < 16; i++) {
        *at++ = (uint8_t)digit[d[i] >> 4];
        *at++ = (uint8_t)digit[d[i] & 15];
        if (i & 1)
            *at++ = ':';
    }
    return copy(s, 39, out, n);
}

/* Character strings (RFC 1035 §3.3.14), joined. */
static uint32_t text_txt(const uint8_t *d, uint32_t len, uint8_t *out, uint32_t n)
{
    uint32_t used = 0;

    while (len) {
        uint32_t one = d[0] < len ? d[0] : len - 1;
        used += copy(d + 1, one, out + used, n - used);
        d += one + 1;
        len -= one + 1;
    }
    return used;
}

static uint32_t text_caa(const uint8_t *d, uint32_t len, uint8_t *out, uint32_t n)
{
    char s[8];
    uint32_t used, tag = d[1];

    if (tag > len - 2)
        return copy(d, len, out, n);
    used = copy((const uint8_t *)s, (uint32_t)snprintf(s, sizeof s, "%u ", d[0]), out, n);
    used += copy(d + 2, tag, out + used, n - used);
    used += copy((const uint8_t *)" ", 1, out + used, n - used);
    return used + copy(d + 2 + tag, len - 2 - tag, out + used, n - used);
}

uint32_t rdata_text(const struct dns_message *m, const struct dns_rr *r, uint8_t *out, uint32_t n)
{
    const uint8_t *d = m->data + r->rdata;
    int whole;

    switch (r->type) {
    case DNS_T_A:
        return r->rdlen == 4 ? text_a(d, out, n) : copy(d, r->rdlen, out, n);
    case DNS_T_AAAA:
        return r->rdlen == 16 ? text_aaaa(d, out, n) : copy(d, r->rdlen, out, n);
    case DNS_T_NS: case DNS_T_CNAME: case DNS_T_PTR:
        return dns_name_text(m, r->rdata, out, n, &whole);
    case DNS_T_MX:
        return r->rdlen > 2 ? dns_name_text(m, r->rdata + 2, out, n, &whole) : 0;
    case DNS_T_TXT:
        return text_txt(d, r->rdlen, out, n);
    case DNS_T_CAA:
        return r->rdlen > 2 ? text_caa(d, r->rdlen, out, n) : copy(d, r->rdlen, out, n);
    default:
        return copy(d, r->rdlen, out, n);
    }
}

bool rdata_soa(const struct dns_message *m, const struct dns_rr *r, struct dns_soa_data *soa)
{
    uint32_t end = r->rdata + r->rdlen, at;

    soa->mname = r->rdata;
    if (!(at = dns_name_skip(m, soa->mname)) || at >= end)
        return false;
    soa->rname = at;
    if (!(at = dns_name_skip(m, soa->rname)) || at > end || end - at < 20)
        return false;
    for (int i = 0; i < 5; i++)
        soa->number[i] = dns_u32(m->data + at + 4 * i);
    return true;
}
