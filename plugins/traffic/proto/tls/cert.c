/* cert.c: what a certificate says. */
#include "cert.h"

#include <stdio.h>
#include <string.h>

#include "der.h"
#include "fingerprint.h"

struct attribute { const char *name; uint8_t n, oid[11]; };
static const struct attribute attributes[] = {
    { "CN", 3, { 0x55, 4, 3 } },
    { "C", 3, { 0x55, 4, 6 } },
    { "L", 3, { 0x55, 4, 7 } },
    { "ST", 3, { 0x55, 4, 8 } },
    { "O", 3, { 0x55, 4, 10 } },
    { "OU", 3, { 0x55, 4, 11 } },
    { "DC", 10, { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25 } },
    { "Email", 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1 } },
    { "surname", 3, { 0x55, 4, 4 } },
    { "serialNumber", 3, { 0x55, 4, 5 } },
    { "streetAddress", 3, { 0x55, 4, 9 } },
    { "title", 3, { 0x55, 4, 12 } },
    { "description", 3, { 0x55, 4, 13 } },
    { "businessCategory", 3, { 0x55, 4, 15 } },
    { "postalCode", 3, { 0x55, 4, 17 } },
    { "name", 3, { 0x55, 4, 41 } },
    { "givenName", 3, { 0x55, 4, 42 } },
    { "initials", 3, { 0x55, 4, 43 } },
    { "dnQualifier", 3, { 0x55, 4, 46 } },
    { "pseudonym", 3, { 0x55, 4, 65 } },
    { "organizationIdentifier", 3, { 0x55, 4, 97 } },
    { "unstructuredName", 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 2 } },
    { "userId", 10, { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1 } },
    { "jurisdictionLocalityName", 11, { 0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 1 } },
    { "jurisdictionStateOrProvinceName", 11, { 0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 2 } },
    { "jurisdictionCountryName", 11, { 0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 3 } },
};

static void text_put(struct cert_text *t, const void *p, uint32_t n)
{
    if (n > sizeof t->p - t->n)
        n = (uint32_t)sizeof t->p - t->n;
    if (n)
        memcpy(t->p + t->n, p, n);
    t->n = (uint16_t)(t->n + n);
}

/* "1.2.840.113549": numbers of seven bits a byte (X.690 §8.19). */
static void put_oid(struct cert_text *t, const struct der *oid)
{
    uint64_t v = 0;
    bool first = true;

    for (const uint8_t *p = oid->p; p < oid->end; p++) {
        char number[48];
        v = v << 7 | (*p & 0x7f);
        if (*p & 0x80)
            continue;
        if (first)
            text_put(t, number, (uint32_t)snprintf(number, sizeof number, "%u.%llu", v < 80 ? (unsigned)(v / 40) : 2u,
                                                   (unsigned long long)(v < 80 ? v % 40 : v - 80)));
        else
            text_put(t, number, (uint32_t)snprintf(number, sizeof number, ".%llu", (unsigned long long)v));
        first = false;
        v = 0;
    }
}

static void put_type(struct cert_text *t, const struct der *oid)
{
    for (uint32_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
        if (der_left(oid) == attributes[i].n && !memcmp(oid->p, attributes[i].oid, attributes[i].n)) {
            text_put(t, attributes[i].name, (uint32_t)strlen(attributes[i].name));
            return;
        }
    put_oid(t, oid);
}

/* A character below U+10000 in UTF-8 (RFC 3629). */
static void put_character(struct cert_text *t, uint32_t c)
{
    uint8_t u[3] = { (uint8_t)c, 0, 0 };
    uint32_t n = 1;

    if (c >= 0x800) {
        u[0] = (uint8_t)(0xe0 | c >> 12);
        u[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        u[2] = (uint8_t)(0x80 | (c & 0x3f));
        n = 3;
    } else if (c >= 0x80) {
        u[0] = (uint8_t)(0xc0 | c >> 6);
        u[1] = (uint8_t)(0x80 | (c & 0x3f));
        n = 2;
    }
    text_put(t, u, n);
}

static void put_value(struct cert_text *t, uint8_t tag, const struct der *value)
{
    if (tag != DER_BMP) {
        text_put(t, value->p, der_left(value));
        return;
    }
    for (const uint8_t *p = value->p; value->end - p >= 2; p += 2)
        put_character(t, (uint32_t)p[0] << 8 | p[1]);
}

/* Attributes of one set are joined by " + ", sets by ", ". */
static void read_name(struct cert_text *t, struct der name)
{
    struct der set, pair, oid, value;
    uint8_t tag;

    while (der_take(&name, DER_SET, &set)) {
        const char *joint = ", ";
        while (der_take(&set, DER_SEQUENCE, &pair)) {
            if (!der_take(&pair, DER_OID, &oid) || !der_next(&pair, &tag, &value))
                return;
            if (t->n)
                text_put(t, joint, (uint32_t)strlen(joint));
            joint = " + ";
            put_type(t, &oid);
            text_put(t, "=", 1);
            put_value(t, tag, &value);
        }
    }
}

static void read_serial(struct cert *c, const struct der *number)
{
    uint32_t used = 0;

    for (const uint8_t *p = number->p; p < number->end && used + 4 < sizeof c->serial; p++) {
        if (used)
            c->serial[used++] = ':';
        c->serial[used++] = "0123456789ABCDEF"[*p >> 4];
        c->serial[used++] = "0123456789ABCDEF"[*p & 15];
    }
    c->serial[used] = '\0';
}

/* UTCTime with two digits of the year, GeneralizedTime with four (RFC 5280 §4.1.2.5). */
static void read_time(char out[24], struct der *validity)
{
    const uint8_t *d;
    struct der body;
    uint32_t year, digits;
    uint8_t tag;

    if (!der_next(validity, &tag, &body))
        return;
    digits = tag == DER_UTC_TIME ? 12 : 14;
    if ((tag != DER_UTC_TIME && tag != DER_TIME) || der_left(&body) < digits)
        return;
    d = body.p;
    for (uint32_t i = 0; i < digits; i++)
        if (d[i] < '0' || d[i] > '9')
            return;
    year = (uint32_t)(d[0] - '0') * 10 + (uint32_t)(d[1] - '0');
    if (tag == DER_UTC_TIME)
        year += year < 50 ? 2000 : 1900;
    else
        year = year * 100 + (uint32_t)(d[2] - '0') * 10 + (uint32_t)(d[3] - '0');
    d += digits - 10;
    snprintf(out, 24, "%04u-%c%c-%c%cT%c%c:%c%c:%c%c", year % 10000, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7],
             d[8], d[9]);
}

static void read_alt_names(struct cert *c, const uint8_t *base, struct der octets)
{
    struct der list, one;
    uint8_t tag;

    if (!der_take(&octets, DER_SEQUENCE, &list))
        return;
    while (c->alts < CERT_ALTS_MAX && der_next(&list, &tag, &one)) {
        if (tag != CERT_ALT_DNS && tag != CERT_ALT_IP && tag != CERT_ALT_MAIL && tag != CERT_ALT_URI)
            continue;
        c->alt_kind[c->alts] = tag;
        c->alt[c->alts].off = (uint32_t)(one.p - base);
        c->alt[c->alts++].len = der_left(&one);
    }
}

/* RFC 5280 §4.2.1.6 */
static void read_extensions(struct cert *c, const uint8_t *base, struct der rest)
{
    static const uint8_t alt_name[] = { 0x55, 0x1d, 0x11 };
    struct der outer, list, one, oid, octets;

    if (!der_take(&rest, 0xa3, &outer) || !der_take(&outer, DER_SEQUENCE, &list))
        return;
    while (der_take(&list, DER_SEQUENCE, &one)) {
        if (!der_take(&one, DER_OID, &oid))
            return;
        der_skip(&one, 0x01);                   /* critical */
        if (der_left(&oid) == sizeof alt_name && !memcmp(oid.p, alt_name, sizeof alt_name) &&
            der_take(&one, DER_OCTET_STRING, &octets))
            read_alt_names(c, base, octets);
    }
}

bool cert_read(struct cert *c, const uint8_t *d, uint32_t n)
{
    struct der all = { d, d + n }, certificate, tbs, part, validity;

    memset(c, 0, sizeof *c);
    fingerprint_sha1(c->fingerprint, d, n);
    if (!der_take(&all, DER_SEQUENCE, &certificate) || !der_take(&certificate, DER_SEQUENCE, &tbs))
        return false;
    der_skip(&tbs, 0xa0);                       /* version */
    if (!der_take(&tbs, DER_INTEGER, &part))
        return false;
    read_serial(c, &part);
    if (!der_take(&tbs, DER_SEQUENCE, &part) || !der_take(&tbs, DER_SEQUENCE, &part))
        return false;
    read_name(&c->issuer, part);
    if (!der_take(&tbs, DER_SEQUENCE, &validity))
        return false;
    read_time(c->not_before, &validity);
    read_time(c->not_after, &validity);
    if (!der_take(&tbs, DER_SEQUENCE, &part))
        return false;
    read_name(&c->subject, part);
    der_skip(&tbs, DER_SEQUENCE);               /* the key */
    der_skip(&tbs, 0x81);
    der_skip(&tbs, 0x82);
    read_extensions(c, d, tbs);
    return true;
}
