/* routing.c: what routers, switches and those who watch them say. */
#include "family.h"

/* Cisco's version 5: up to 30 records of 48 bytes; RFC 3954 §5 and RFC 7011 §3: sets whose lengths stand in them. */
PROBE(netflow)
{
    uint32_t version;

    (void)dir;
    if (n < 20)
        return EC_NO;
    version = be16(d);
    if (version == 5)
        return yes_if(be16(d + 2) >= 1 && be16(d + 2) <= 30 && n == 24 + 48 * be16(d + 2));
    if (version == 9)
        return yes_if(n >= 24 && be16(d + 2) >= 1 && (be16(d + 20) <= 1 || be16(d + 20) >= 256) && be16(d + 22) >= 4 &&
                      be16(d + 22) <= n - 20);
    return yes_if(version == 10 && be16(d + 2) == n && n >= 24 &&
                  (be16(d + 16) == 2 || be16(d + 16) == 3 || be16(d + 16) >= 256) && be16(d + 18) >= 4 &&
                  be16(d + 18) <= n - 16);
}

/* sFlow 5: version, kind and bytes of the agent's address, its number, a sequence, a time, how many samples. */
PROBE(sflow)
{
    uint32_t at;

    (void)dir;
    if (n < 28 || be32(d) != 5 || (be32(d + 4) != 1 && be32(d + 4) != 2))
        return EC_NO;
    at = be32(d + 4) == 1 ? 24 : 36;
    return yes_if(n >= at + 4 && be32(d + at) <= 1024);
}

/* RFC 5036 §3.1: version 1, the length of the rest, and a first message that there is. */
PROBE(ldp)
{
    uint32_t kind;

    if (n < 14)
        return is_datagram(dir) ? EC_NO : EC_MORE;
    kind = be16(d + 10) & 0x7fff;
    return yes_if(be16(d) == 1 && be16(d + 2) >= 10 && be16(d + 2) <= 4096 &&
                  (kind == 1 || (kind >= 0x100 && kind <= 0x404)) && be16(d + 12) + 4 <= be16(d + 2) - 6);
}

/* RFC 5880 §4.1 */
PROBE(bfd)
{
    (void)dir;
    return yes_if(n >= 24 && d[0] >> 5 == 1 && d[2] && d[3] == n && be32(d + 4));
}

/* RFC 2453 §3.6, RFC 2080 §2.1: a command, a version, and entries of 20 bytes. */
PROBE(rip)
{
    (void)dir;
    return yes_if(n >= 24 && (d[0] == 1 || d[0] == 2) && (d[1] == 1 || d[1] == 2) && !be16(d + 2) && (n - 4) % 20 == 0);
}

/* RFC 2281 §5.1, and version 2: parts of kind and length. */
PROBE(hsrp)
{
    (void)dir;
    return yes_if(n >= 20 && ((!d[0] && d[1] <= 3 && d[2] <= 16) || (d[0] == 1 && d[1] >= 40 && d[1] + 2u <= n)));
}

/* 3GPP TS 29.060 §6 and TS 29.274 §5.1: the length of what follows. */
PROBE(gtp)
{
    (void)dir;
    if (n < 8)
        return EC_NO;
    if (d[0] >> 5 == 2)
        return yes_if(be16(d + 2) + 4 <= n && be16(d + 2) >= 4);
    return yes_if(d[0] >> 5 == 1 && (d[0] & 0x10) && be16(d + 2) + 8 == n);
}

/* RFC 5415 §4.3: the preamble, then a head of whole words, or DTLS behind three zeros. */
PROBE(capwap)
{
    (void)dir;
    if (n < 8)
        return EC_NO;
    if (d[0] == 1)
        return yes_if(!be24(d + 1) && d[4] >= 20 && d[4] <= 23 && d[5] == 0xfe);
    return yes_if(!d[0] && d[1] >> 3 >= 2 && d[1] >> 3 <= 8);
}

/* RFC 8175 §11: a signal over UDP, a message over TCP whose items fill it. */
PROBE(dlep)
{
    static const struct chain items = { 2, 2, 4, 0 };

    if (is_datagram(dir))
        return yes_if(n >= 8 && HAS_AT(d, n, 0, "DLEP") && be16(d + 6) + 8 == n);
    if (n < 4)
        return EC_MORE;
    if (be16(d) < 1 || be16(d) > 16 || be16(d + 2) > 1020)
        return EC_NO;
    return n < be16(d + 2) + 4 ? EC_MORE : yes_if(chain_fills(d + 4, be16(d + 2), &items));
}

/* RFC 6733 §3: version 1, a length of whole words, flags, and a first pair that is a pair. */
PROBE(diameter)
{
    uint32_t len;

    (void)dir;
    if (n < 28)
        return n < 5 || (d[0] == 1 && !(d[4] & 15)) ? EC_MORE : EC_NO;
    len = be24(d + 1);
    if (d[0] != 1 || len < 28 || len % 4 || (d[4] & 15) || be24(d + 5) < 257 || be24(d + 5) >= 1u << 23)
        return EC_NO;
    return yes_if(be32(d + 20) && be32(d + 20) < 70000 && !(d[24] & 31) && be24(d + 25) >= 8 &&
                  be24(d + 25) <= len - 20);
}

/* OpenFlow's hello. */
PROBE(openflow)
{
    (void)dir;
    if (n < 8)
        return n < 2 || !d[1] ? EC_MORE : EC_NO;
    return yes_if(d[0] >= 1 && d[0] <= 6 && !d[1] && be16(d + 2) >= 8 && be16(d + 2) <= 64);
}

static const struct ec_proto protos[] = {
    NAMED("netflow", netflow, "udp/2055,9995,9996,4739", "00"),
    NAMED("diameter", diameter, "tcp/3868", "01"),
    NAMED_AT("sflow", sflow, "udp/6343", "00"),
    NAMED_AT("ldp", ldp, "tcp/646 udp/646", "00"),
    NAMED_AT("bfd", bfd, "udp/3784,4784", "20-3f"),
    NAMED_AT("rip", rip, "udp/520,521", "01 02"),
    NAMED_AT("hsrp", hsrp, "udp/1985,2029", "00 01"),
    NAMED_AT("gtp", gtp, "udp/2123,2152,3386", "30-5f"),
    NAMED_AT("capwap", capwap, "udp/5246,5247", "00 01"),
    NAMED_AT("dlep", dlep, "tcp/854 udp/854", "00 44"),
    NAMED_AT("openflow", openflow, "tcp/6633,6653", "01-06"),
};
FAMILY(routing);
