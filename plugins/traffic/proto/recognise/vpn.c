/* vpn.c: tunnels, proxies and what encrypts datagrams. */
#include "family.h"

#define YEAR_2005 1104537600u       /* OpenVPN's clock stands behind it */

/* A reset that begins the control channel: opcode, session, [HMAC, number 1, time,] no or one acknowledgement,
 * message 0.
 * With tls-crypt only the numbers in the clear can be looked at. */
static bool is_openvpn(const uint8_t *d, uint32_t n)
{
    static const uint8_t sums[] = { 0, 16, 20, 32, 48, 64 };
    uint32_t opcode = d[0] >> 3;

    if (n < 14 || (opcode != 7 && opcode != 8 && opcode != 10) || (d[0] & 7) || all_zero(d + 1, 8))
        return false;
    if (n >= 54 && be32(d + 9) == 1 && be32(d + 13) > YEAR_2005)
        return true;
    for (uint32_t i = 0; i < sizeof sums; i++) {
        uint32_t at = 9u + sums[i] + (i ? 8 : 0);
        if (i && (n < at || be32(d + at - 8) != 1 || be32(d + at - 4) < YEAR_2005))
            continue;
        if (n == at + 5 && all_zero(d + at, 5) && opcode != 8)
            return true;
        if (n == at + 17 && d[at] == 1 && all_zero(d + at + 1, 4) && all_zero(d + at + 13, 4))
            return true;
    }
    return false;
}

PROBE(openvpn)
{
    uint32_t len;

    if (is_datagram(dir))
        return yes_if(is_openvpn(d, n));
    if (n < 3)
        return EC_MORE;
    len = be16(d);
    if (len < 14 || len > 255 || (d[2] != 0x38 && d[2] != 0x40 && d[2] != 0x50))
        return EC_NO;
    return n < len + 2 ? EC_MORE : yes_if(is_openvpn(d + 2, len));
}

/* The handshake: a type, three zero bytes, and its one length. */
PROBE(wireguard)
{
    (void)dir;
    return yes_if(n >= 64 && !d[1] && !d[2] && !d[3] &&
                  ((d[0] == 1 && n == 148) || (d[0] == 2 && n == 92) || (d[0] == 3 && n == 64)));
}

/* RFC 7296 §3.1; on port 4500 behind four zero bytes (RFC 3948). */
PROBE(ike)
{
    uint32_t type, version;

    (void)dir;
    if (n > 32 && !be32(d))
        d += 4, n -= 4;
    if (n < 28 || all_zero(d, 8) || be32(d + 24) != n)
        return EC_NO;
    version = d[17], type = d[18];
    return yes_if((version == 0x10 && ((type >= 1 && type <= 6) || type == 32 || type == 33)) ||
                  (version == 0x20 && type >= 34 && type <= 44));
}

/* RFC 2661 §3.1: a control message has its length and its numbers, and its attributes fill it. */
PROBE(l2tp)
{
    static const struct chain attributes = { 1, 1, 0, 0 };

    (void)dir;
    if (n < 12 || (d[1] & 0x0f) != 2 || (d[0] & 0xc8) != 0xc8 || be16(d + 2) != n || (d[1] & 0xf0))
        return EC_NO;
    return yes_if(n == 12 || (!(d[12] & 3) && chain_fills(d + 12, n - 12, &attributes)) || n > 255);
}

PROBE(pptp)
{
    (void)dir;
    if (n < 8)
        return n < 4 || (d[2] == 0 && d[3] == 1) ? EC_MORE : EC_NO;
    return yes_if(be16(d) >= 16 && be16(d + 2) == 1 && be32(d + 4) == 0x1a2b3c4d);
}

/* RFC 1928 §3 and SOCKS 4: what the client offers, or whom it wants. */
PROBE(socks)
{
    if (is_server(dir))
        return EC_NO;
    if (d[0] == 5)
        return n < 2 ? EC_MORE : !d[1] || d[1] > 10 || n > d[1] + 2u ? EC_NO : n < d[1] + 2u ? EC_MORE : EC_YES;
    if (n < 9)
        return n > 1 && d[1] != 1 && d[1] != 2 ? EC_NO : EC_MORE;
    return yes_if((d[1] == 1 || d[1] == 2) && be16(d + 2) && memchr(d + 8, 0, n - 8));
}

/* RFC 6347 §4.1: records until the end; the first of a handshake. Also DTLS 1.0 as OpenSSL had it first (version
 * 1.0). */
PROBE(dtls)
{
    uint32_t at = 0;

    (void)dir;
    if (n < 13 || !((d[1] == 0xfe && (d[2] == 0xff || d[2] == 0xfd)) || (d[1] == 1 && !d[2] && d[0] == 22)))
        return EC_NO;
    if (d[0] == 22 && !be16(d + 3) && (n < 25 || (d[13] > 25 && d[13] != 254)))
        return EC_NO;
    while (n - at >= 13 && d[at] >= 20 && d[at] <= 25 && be16(d + at + 1) == be16(d + 1) && be16(d + at + 11)) {
        at += 13 + be16(d + at + 11);
        if (at >= n)
            return yes_if(at == n);
    }
    return EC_NO;
}

/* The discovery messages between peers. */
PROBE(tailscale)
{
    (void)dir;
    return yes_if(n >= 62 && HAS_AT(d, n, 0, "TS\xf0\x9f\x92\xac"));
}

/* What the answers of a server begin with (version 2 of the protocol). */
PROBE(dnscrypt)
{
    if (is_datagram(dir))
        return yes_if(n >= 64 && HAS_AT(d, n, 0, "r6fnvWj8"));
    return n < 10 ? n < 3 || d[2] == 'r' ? EC_MORE : EC_NO : yes_if(HAS_AT(d, n, 2, "r6fnvWj8"));
}

/* IPv6 with its length, as it is, or behind an indication of authentication or of the origin (RFC 4380 §5.1.1). */
PROBE(teredo)
{
    (void)dir;
    if (n > 13 && !d[0] && d[1] == 1 && n > 13u + d[2] + d[3]) {
        uint32_t skip = 13u + d[2] + d[3];
        d += skip, n -= skip;
    }
    if (n > 8 && !d[0] && !d[1])
        d += 8, n -= 8;
    return yes_if(n >= 40 && d[0] >> 4 == 6 && be16(d + 4) + 40 == n);
}

static const struct ec_proto protos[] = {
    NAMED("openvpn", openvpn, "tcp/1194 udp/1194", "00 38 40 50"),
    NAMED("wireguard", wireguard, "udp/51820", "01-03"),
    NAMED("pptp", pptp, "tcp/1723", "00"),
    NAMED("dtls", dtls, "udp/443,853,4433,5684", "14-19"),
    NAMED("tailscale", tailscale, "udp/41641", "54"),
    NAMED("dnscrypt", dnscrypt, "udp/443,5443 tcp/443", NULL),
    NAMED_AT("ike", ike, "udp/500,4500", NULL),
    NAMED_AT("l2tp", l2tp, "udp/1701", "c8-cf"),
    NAMED_AT("socks", socks, "tcp/1080,1081,9050,9150", "04 05"),
    NAMED_AT("teredo", teredo, "udp/3544", "00 60-6f"),
};
FAMILY(vpn);
