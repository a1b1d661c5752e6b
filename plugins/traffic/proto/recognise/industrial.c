/* industrial.c: machines, cars, buildings and the things in them. */
#include "family.h"

/* EtherNet/IP (CIP Networks Library 2, 2-3): a command, its length, a status, options that are 0. */
PROBE(enip)
{
    uint32_t command;

    (void)dir;
    if (n < 24)
        return EC_MORE;
    command = le16(d);
    if (!(command == 1 || command == 4 || (command >= 0x63 && command <= 0x66) || command == 0x6f || command == 0x70))
        return EC_NO;
    return yes_if(!le32(d + 20) && le32(d + 8) < 0x100 && le16(d + 2) <= 4096);
}

/* RFC 1006 and ISO 8073: TPKT around the connect request or confirmation; what speaks over it (S7, MMS) comes later. */
PROBE(cotp)
{
    (void)dir;
    if (n < 7)
        return BEGINS(d, n, "\3\0") == EC_NO ? EC_NO : EC_MORE;
    return yes_if(d[0] == 3 && !d[1] && be16(d + 2) >= 11 && be16(d + 2) < 256 && d[4] + 5u == be16(d + 2) &&
                  (d[5] == 0xe0 || d[5] == 0xd0));
}

/* ASHRAE 135, annex J: BACnet/IP: a function and the length of all. */
PROBE(bacnet)
{
    (void)dir;
    return yes_if(n >= 4 && d[0] == 0x81 && d[1] <= 0x0c && be16(d + 2) == n);
}

/* OPC 10000-6 §7.1.2: a type of three letters, F, the size. */
PROBE(opcua)
{
    (void)dir;
    if (BEGINS(d, n, "HELF") == EC_NO && BEGINS(d, n, "RHEF") == EC_NO && BEGINS(d, n, "ACKF") == EC_NO)
        return EC_NO;
    return n < 8 ? EC_MORE : yes_if(le32(d + 4) >= 28 && le32(d + 4) <= 65536);
}

/* Beckhoff's ADS: two zeros, the length of what follows, of which a head of 32 bytes is part. */
PROBE(ams)
{
    (void)dir;
    if (n < 38)
        return n < 2 || !be16(d) ? EC_MORE : EC_NO;
    return yes_if(!be16(d) && le32(d + 2) >= 32 && le32(d + 26) + 32 == le32(d + 2) && le16(d + 22) <= 9);
}

/* Omron: its name and a length over TCP; over UDP a head that begins with flags, 0 and a gateway count. */
PROBE(fins)
{
    if (is_datagram(dir))
        return yes_if(n >= 12 && (d[0] & 0xbe) == 0x80 && !d[1] && (d[2] == 2 || d[2] == 7));
    if (n < 8)
        return may_begin(BEGINS(d, n, "FINS"));
    return yes_if(BEGINS(d, n, "FINS") == EC_YES && be32(d + 4) >= 8 && be32(d + 4) < 4096);
}

/* HCF_SPEC-085: version, kind, what it is, status, sequence, the length of all. */
PROBE(hart_ip)
{
    if (n < 8)
        return is_datagram(dir) || d[0] != 1 ? EC_NO : EC_MORE;
    return yes_if(d[0] == 1 && d[1] <= 2 && d[2] <= 4 && be16(d + 6) >= 8 && (is_datagram(dir) ? be16(d + 6) == n
                                                                                             : be16(d + 6) <= 4096));
}

PROBE(egd)
{
    (void)dir;
    return yes_if(n >= 32 && d[0] == 0x0d && d[1] == 1);
}

/* AUTOSAR PRS_SOMEIP: service, method, the length of what follows, then versions, kind and return code. */
PROBE(someip)
{
    uint32_t len;

    if (n < 16)
        return is_datagram(dir) ? EC_NO : EC_MORE;
    len = be32(d + 4);
    if (len < 8 || len > 65536 || (is_datagram(dir) && len + 8 != n) || d[12] != 1 || d[15] > 0x5e)
        return EC_NO;
    return yes_if((d[14] & ~0x20u) <= 2 || (d[14] & ~0x20u) == 0x80 || (d[14] & ~0x20u) == 0x81);
}

/* RFC 7252 §3: version 1, a token of at most 8 bytes, a code of a class that there is. */
PROBE(coap)
{
    uint32_t class = n >= 4 ? d[1] >> 5 : 7, token = d[0] & 15u;

    (void)dir;
    return yes_if(n >= 4 + token && d[0] >> 6 == 1 && token <= 8 && class != 1 && class != 3 && class < 6 &&
                  (n == 4 + token || d[1]));
}

/* C706 §12.6: version 5 over TCP, 4 over UDP; a kind, and how numbers are written. */
PROBE(dcerpc)
{
    if (is_datagram(dir))
        return yes_if(n >= 80 && d[0] == 4 && d[1] <= 10 && (d[4] & 0xef) == 0 && d[5] <= 3 && !d[6] && d[7] <= 1 &&
                      (d[4] ? le16(d + 74) : be16(d + 74)) + 80u <= n + 8);
    if (n < 16)
        return n < 2 || (d[0] == 5 && d[1] <= 1) ? EC_MORE : EC_NO;
    return yes_if(d[0] == 5 && d[1] <= 1 && d[2] <= 19 && (d[4] & 0xef) == 0 && d[5] <= 3 && !be16(d + 6) &&
                  (d[4] ? le16(d + 8) : be16(d + 8)) >= 16);
}

static const struct ec_proto protos[] = {
    NAMED("opc-ua", opcua, "tcp/4840", "41 48 52"),
    NAMED("fins", fins, "tcp/9600", "46"),
    NAMED("bacnet", bacnet, "udp/47808", "81"),
    NAMED("dcerpc", dcerpc, "tcp/135 udp/135,34964", "04 05"),
    NAMED("some-ip", someip, "udp/30490", NULL),
    NAMED_AT("enip", enip, "tcp/44818 udp/44818", "01 04 63-66 6f-70"),
    NAMED_AT("cotp", cotp, "tcp/102", "03"),
    NAMED_AT("ams", ams, "tcp/48898", "00"),
    NAMED_AT("fins-udp", fins, "udp/9600", "80 81 c0 c1"),
    NAMED_AT("hart-ip", hart_ip, "tcp/5094 udp/5094,5095", "01"),
    NAMED_AT("egd", egd, "udp/18246", "0d"),
    NAMED_AT("coap", coap, "udp/5683", "40-7f"),
};
FAMILY(industrial);
