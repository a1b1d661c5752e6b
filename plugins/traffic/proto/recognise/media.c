/* media.c: voices, pictures, meetings and games. */
#include "family.h"

/* RFC 3550 §5.1, and what RFC 3551 says of sizes: a frame of 5, 10, 20 or 30 ms of a codec that has one size; or the
 * header
 * extension of WebRTC (RFC 8285 §4.2). */
PROBE(rtp)
{
    uint32_t head = 12 + (d[0] & 15u) * 4, type, size;

    (void)dir;
    if (n <= head || d[0] >> 6 != 2)
        return EC_NO;
    type = d[1] & 0x7f;
    if (d[0] & 0x10)
        return yes_if(type >= 96 && n >= head + 4 && be16(d + head) == 0xbede &&
                      be16(d + head + 2) * 4 + head + 4 <= n);
    size = n - head;
    switch (type) {
    case 0: case 8: case 9:
        return yes_if(size == 80 || size == 160 || size == 240 || size == 320);
    case 3:
        return yes_if(size == 33 || size == 66);
    case 4:
        return yes_if(size == 20 || size == 24);
    case 18:
        return yes_if(size == 10 || size == 20 || size == 30 || size == 40);
    default:
        return EC_NO;
    }
}

/* RFC 3550 §6.1: packets one behind the other, of which a report is the first; their lengths fill the datagram. */
PROBE(rtcp)
{
    uint32_t at = 0;

    (void)dir;
    if (n < 8 || (d[1] != 200 && d[1] != 201))
        return EC_NO;
    while (n - at >= 4 && d[at] >> 6 == 2 && d[at + 1] >= 192 && d[at + 1] <= 213) {
        uint32_t len = (be16(d + at + 2) + 1) * 4;
        if (len > n - at)
            return EC_NO;
        at += len;
    }
    return yes_if(at == n);
}

/* Adobe's RTMP §5.2: version 3, and 1,536 bytes that begin with a time and zeros. */
PROBE(rtmp)
{
    (void)dir;
    if (n < 9)
        return d[0] == 3 ? EC_MORE : EC_NO;
    return yes_if(d[0] == 3 && (all_zero(d + 5, 4) || be32(d + 5) >> 24 >= 9));
}

/* IVI-6.1 §6: "HS", a kind, and a length of 64 bits. */
PROBE(hislip)
{
    (void)dir;
    if (n < 16)
        return may_begin(BEGINS(d, n, "HS"));
    return yes_if(BEGINS(d, n, "HS") == EC_YES && d[2] <= 37 && !be32(d + 8) && be32(d + 12) <= 1u << 20);
}

/* RFC 5456 §8.1: a full frame with the first numbers, of the kind that begins a call. */
PROBE(iax)
{
    (void)dir;
    return yes_if(n >= 12 && (d[0] & 0x80) && !d[8] && !d[9] && d[10] == 6 && d[11] >= 1 && d[11] <= 40);
}

/* RFC 8855 §5.1: version, primitive, and the length in words. */
PROBE(bfcp)
{
    if (n < 12)
        return is_datagram(dir) || (d[0] != 0x20 && d[0] != 0x40) ? EC_NO : EC_MORE;
    return yes_if((d[0] == 0x20 || d[0] == 0x40) && d[1] >= 1 && d[1] <= 19 && be32(d + 4) &&
                  be16(d + 2) * 4 + 12 == n);
}

/* Cisco's SCCP: a length, a version, a message. */
PROBE(skinny)
{
    (void)dir;
    if (n < 12)
        return EC_MORE;
    return yes_if(le32(d) >= 4 && le32(d) <= 4096 && (le32(d + 4) == 0 || (le32(d + 4) >= 8 && le32(d + 4) <= 22)) &&
                  le32(d + 8) < 0x200);
}

PROBE(zoom)
{
    (void)dir;
    return yes_if(n >= 40 && (d[0] == 1 || d[0] == 2) && !d[1] && d[2] == 3);
}

/* Where am I? A kind, 70, and an address to be filled in. */
PROBE(discord)
{
    (void)dir;
    return yes_if(n == 74 && (be16(d) == 1 || be16(d) == 2) && be16(d + 2) == 70);
}

PROBE(steam)
{
    (void)dir;
    return yes_if(HAS_AT(d, n, 0, "\xff\xff\xff\xff\x21\x4c\x5f\xa0") || HAS_AT(d, n, 0, "\1\x81sdping"));
}

PROBE(source_engine)
{
    (void)dir;
    return yes_if(HAS_AT(d, n, 0, "\xff\xff\xff\xff\x54Source Engine Query\0"));
}

/* Its magic stands behind the kind, or a time, or further back. */
PROBE(raknet)
{
    static const char magic[] = "\0\xff\xff\0\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78";

    (void)dir;
    return yes_if(holds(d, n < 80 ? n : 80, magic, sizeof magic - 1));
}

PROBE(netcode)
{
    (void)dir;
    return yes_if(HAS_AT(d, n, 0, "\0NETCODE 1.0"));
}

static const struct ec_proto protos[] = {
    NAMED("rtcp", rtcp, "udp", "80-9f"),
    NAMED("rtp", rtp, "udp", "80-bf"),
    NAMED("hislip", hislip, "tcp/4880", "48"),
    NAMED("bfcp", bfcp, "tcp/5070 udp/5070", "20 40"),
    NAMED("discord", discord, "udp", "00"),
    NAMED("steam", steam, "udp/27036", "01 ff"),
    NAMED("source-engine", source_engine, "udp/27015", "ff"),
    NAMED("raknet", raknet, "udp/19132", "01-02 05-09 10 13 1c-1d 25"),
    NAMED("netcode", netcode, "udp/40000", "00"),
    NAMED_AT("rtmp", rtmp, "tcp/1935", "03"),
    NAMED_AT("iax", iax, "udp/4569", "80-ff"),
    NAMED_AT("skinny", skinny, "tcp/2000", NULL),
    NAMED_AT("zoom", zoom, "udp/8801", "01 02"),
};
FAMILY(media);
