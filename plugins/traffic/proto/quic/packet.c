/* packet.c: the headers of QUIC packets. */
#include "packet.h"

#include <stdio.h>

static bool is_draft(uint32_t version) { return version >= 0xff000017 && version <= 0xff000022; }

/* "Q0", or "T0" (with TLS, before drafts had numbers for it), two digits */
static bool is_google(uint32_t version)
{
    return (version >> 16 == 0x5130 || version >> 16 == 0x5430) && (version >> 8 & 0xff) - '0' < 10u &&
           (version & 0xff) - '0' < 10u;
}

/* mvfst's own */
static bool is_facebook(uint32_t version) { return version >> 8 == 0xfaceb0; }

static uint32_t word_at(const uint8_t *d)
{
    return (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
}

uint32_t quic_foreign_version(const uint8_t *d, uint32_t n)
{
    uint32_t version;

    if (n < 20)
        return 0;
    if (d[0] & 0x80)
        version = word_at(d + 1);
    else                            /* until Q043: a connection id of 8 bytes or none, the version where there is one */
        version = d[0] & 1 && !(d[0] & 0xc0) ? word_at(d + (d[0] & 8 ? 9 : 1)) : 0;
    return is_google(version) || (d[0] & 0x80 && is_facebook(version)) ? version : 0;
}

bool quic_version_known(uint32_t version)
{
    return version == QUIC_V1 || version == QUIC_V2 || is_draft(version);
}

const char *quic_version_name(uint32_t version, char *scratch)
{
    if (version == QUIC_V1 || version == QUIC_V2)
        return version == QUIC_V1 ? "1" : "2";
    if (is_google(version))
        snprintf(scratch, 16, "%c0%c%c", (char)(version >> 24), (char)(version >> 8), (char)version);
    else
        snprintf(scratch, 16, "%x", version);
    return scratch;
}

bool quic_number(const uint8_t *d, uint32_t n, uint32_t *at, uint64_t *out)
{
    uint32_t bytes;

    if (*at >= n || n - *at < (bytes = 1u << (d[*at] >> 6)))
        return false;
    *out = d[*at] & 0x3f;
    for (uint32_t i = 1; i < bytes; i++)
        *out = *out << 8 | d[*at + i];
    *at += bytes;
    return true;
}

/* A connection id behind its length. */
static bool take_id(const uint8_t *d, uint32_t n, uint32_t *at, uint32_t *off, uint32_t *len)
{
    if (*at >= n || (*len = d[*at]) > QUIC_ID_MAX || n - *at - 1 < *len)
        return false;
    *off = *at + 1;
    *at += 1 + *len;
    return true;
}

static enum quic_type long_type(uint32_t version, uint8_t first)
{
    static const enum quic_type one[] = { QUIC_INITIAL, QUIC_0RTT, QUIC_HANDSHAKE, QUIC_RETRY },
                                two[] = { QUIC_RETRY, QUIC_INITIAL, QUIC_0RTT, QUIC_HANDSHAKE };

    return (version == QUIC_V2 ? two : one)[first >> 4 & 3];
}

bool quic_packet_read(struct quic_packet *p, const uint8_t *d, uint32_t n)
{
    uint32_t at = 5, off, len;
    uint64_t v;

    if (!n)
        return false;
    p->type = QUIC_SHORT;
    p->version = p->dcid = p->n_dcid = p->number = 0;
    p->len = n;
    if (!(d[0] & 0x80))
        return (d[0] & 0x40) != 0;
    if (n < 7)
        return false;
    p->version = word_at(d + 1);
    if (!take_id(d, n, &at, &p->dcid, &p->n_dcid) || !take_id(d, n, &at, &off, &len))
        return false;
    if (!p->version) {
        p->type = QUIC_NEGOTIATION;
        return n > at && (n - at) % 4 == 0;     /* versions */
    }
    if (!quic_version_known(p->version) || !(d[0] & 0x40))
        return false;
    p->type = long_type(p->version, d[0]);
    if (p->type == QUIC_RETRY)
        return true;
    if (p->type == QUIC_INITIAL) {              /* a token first */
        if (!quic_number(d, n, &at, &v) || v > n - at)
            return false;
        at += (uint32_t)v;
    }
    if (!quic_number(d, n, &at, &v) || v > n - at)
        return false;
    p->number = at;
    p->len = at + (uint32_t)v;
    return true;
}
