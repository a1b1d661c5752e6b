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
    { "msJurisdictionLocality", 11, { 0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 1 } },
    { "msJurisdictionStateOrProvince", 11, { 0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 2 } },
    { "msJurisdictionCountry", 11, { 0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 3 } },
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

static uint32_t two_digits(const uint8_t *d) { return (uint32_t)(d[0] - '0') * 10 + (uint32_t)(d[1] - '0'); }

/* UTCTime with two digits of the year, GeneralizedTime with four (RFC 5280 §4.1.2.5). */
static bool read_time(char out[24], struct der *validity)
{
    const uint8_t *d;
    struct der body;
    uint32_t year, digits, month, day;
    uint8_t tag;

    if (!der_next(validity, &tag, &body))
        return false;
    digits = tag == DER_UTC_TIME ? 12 : 14;
    if ((tag != DER_UTC_TIME && tag != DER_TIME) || der_left(&body) < digits)
        return false;
    d = body.p;
    for (uint32_t i = 0; i < digits; i++)
        if (d[i] < '0' || d[i] > '9')
            return false;
    year = two_digits(d);
    if (tag == DER_UTC_TIME)
        year += year < 50 ? 2000 : 1900;
    else
        year = year * 100 + two_digits(d + 2);
    d += digits - 10;
    month = two_digits(d);
    day = two_digits(d + 2);
    if (!month || month > 12 || !day || day > 31 || two_digits(d + 4) > 23 || two_digits(d + 6) > 59 ||
        two_digits(d + 8) > 60)
        return false;
    snprintf(out, 24, "%04u-%02u-%02uT%02u:%02u:%02u", year % 10000, month % 100, day % 100, two_digits(d + 4) % 100,
             two_digits(d + 6) % 100, two_digits(d + 8) % 100);
    return true;
}

bool cert_alt_next(const struct cert *c, const uint8_t **at, struct cert_alt *alt)
{
    struct der list = { *at, c->alt_end }, one;

    while (der_next(&list, &alt->kind, &one)) {
        *at = list.p;
        if (alt->kind != CERT_ALT_DNS && alt->kind != CERT_ALT_IP && alt->kind != CERT_ALT_MAIL &&
            alt->kind != CERT_ALT_URI)
            continue;
        alt->p = one.p;
        alt->n = der_left(&one);
        return true;
    }
    return false;
}

static void read_alt_names(struct cert *c, struct der octets)
{
    struct cert_alt alt;
    const uint8_t *at;
    struct der list;

    if (c->alt || !der_take(&octets, DER_SEQUENCE, &list))
        return;
    c->alt = at = list.p;
    c->alt_end = list.end;
    while (!c->more_alts && cert_alt_next(c, &at, &alt)) {
        c->more_alts = c->alts == CERT_ALTS_MAX;
        c->alts += !c->more_alts;
    }
}

/* A part that has to be there. */
static enum cert_fault part_of(struct der *d, uint8_t tag, struct der *body)
{
    struct der next = *d, other;
    uint8_t found;

    if (der_take(d, tag, body))
        return CERT_SOUND;
    return der_next(&next, &found, &other) ? CERT_DER : CERT_CUT;
}

/* RFC 5280 §4.2.1.6 */
static enum cert_fault read_extensions(struct cert *c, struct der rest)
{
    static const uint8_t alt_name[] = { 0x55, 0x1d, 0x11 };
    struct der outer, list, one, oid, octets;
    enum cert_fault fault;

    if (!der_left(&rest))
        return CERT_SOUND;
    if ((fault = part_of(&rest, 0xa3, &outer)) || (fault = part_of(&outer, DER_SEQUENCE, &list)))
        return fault;
    while (der_take(&list, DER_SEQUENCE, &one)) {
        if (!der_take(&one, DER_OID, &oid))
            return CERT_FORM;
        der_skip(&one, 0x01);                   /* critical */
        if (der_left(&oid) == sizeof alt_name && !memcmp(oid.p, alt_name, sizeof alt_name) &&
            der_take(&one, DER_OCTET_STRING, &octets))
            read_alt_names(c, octets);
    }
    return der_left(&list) ? CERT_DER : CERT_SOUND;
}

/* Version and serial number. */
static enum cert_fault read_number(struct cert *c, struct der *tbs)
{
    struct der part, version;

    if (der_take(tbs, 0xa0, &part) && !der_take(&part, DER_INTEGER, &version))
        return CERT_VERSION;
    if (!der_take(tbs, DER_INTEGER, &part))
        return CERT_SERIAL;
    read_serial(c, &part);
    return CERT_SOUND;
}

/* Who vouches for whom, and when. */
static enum cert_fault read_names(struct cert *c, struct der *tbs)
{
    struct der part, name;
    enum cert_fault fault, date = CERT_SOUND;

    if ((fault = part_of(tbs, DER_SEQUENCE, &part)) || (fault = part_of(&part, DER_OID, &name)) ||
        (fault = part_of(tbs, DER_SEQUENCE, &name)))
        return fault;
    read_name(&c->issuer, name);
    if ((fault = part_of(tbs, DER_SEQUENCE, &part)))
        return fault;
    if (!read_time(c->not_before, &part) || !read_time(c->not_after, &part))
        date = CERT_DATE;
    if ((fault = part_of(tbs, DER_SEQUENCE, &name)))
        return date ? date : fault;
    read_name(&c->subject, name);
    return date;
}

enum cert_fault cert_read(struct cert *c, const uint8_t *d, uint32_t n)
{
    struct der all = { d, d + n }, certificate, tbs, part;
    enum cert_fault fault, late;

    memset(c, 0, sizeof *c);
    fingerprint_sha1(c->fingerprint, d, n);
    if (!der_take(&all, DER_SEQUENCE, &certificate) || !der_take(&certificate, DER_SEQUENCE, &tbs))
        return CERT_FORM;
    if ((fault = read_number(c, &tbs)))
        return fault;
    fault = read_names(c, &tbs);
    if (fault && fault != CERT_DATE)
        return fault;
    if ((late = part_of(&tbs, DER_SEQUENCE, &part)))    /* the key */
        return fault ? fault : late;
    der_skip(&tbs, 0x81);
    der_skip(&tbs, 0x82);
    if (!(late = read_extensions(c, tbs)) && !(late = part_of(&certificate, DER_SEQUENCE, &part)))
        late = part_of(&certificate, DER_BIT_STRING, &part);    /* the signature */
    return fault ? fault : late;
}
