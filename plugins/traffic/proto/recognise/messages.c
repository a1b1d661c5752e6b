/* messages.c: queues, calls, names, news and peers. */
#include "family.h"

/* RFC 9113 §3.4: the preface of a client that knows already. */
PROBE(http2)
{
    return is_server(dir) ? EC_NO : BEGINS(d, n, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}

PROBE(nats)
{
    return is_server(dir) ? BEGINS(d, n, "INFO {\"") : BEGINS(d, n, "CONNECT {");
}

/* A request: its length, which call in which version, a number, and a client with a name. */
PROBE(kafka)
{
    uint32_t name;

    if (is_server(dir))
        return EC_NO;
    if (n < 16)
        return n < 5 || (be16(d) == 0 && !d[4]) ? EC_MORE : EC_NO;
    name = be16(d + 12);
    if (be32(d) < 12 || be32(d) > 1u << 20 || be16(d + 4) > 80 || be16(d + 6) > 20 || !name || name > 128)
        return EC_NO;
    return n < 14 + name ? (all_printable(d + 14, n - 14) ? EC_MORE : EC_NO) : yes_if(all_printable(d + 14, name));
}

/* SMPP 3.4 §5.1: a length, a bind, no status. */
PROBE(smpp)
{
    uint32_t command;

    if (is_server(dir))
        return EC_NO;
    if (n < 16)
        return n < 8 || be32(d) < 256 ? EC_MORE : EC_NO;
    command = be32(d + 4);
    return yes_if((command == 1 || command == 2 || command == 9) && !be32(d + 8) && be32(d) >= 24 && be32(d) < 256);
}

/* The strict binary encoding, and the compact one: a version, a kind, a name. */
PROBE(thrift)
{
    uint32_t at = 2, len;

    (void)dir;
    if (d[0] == 0x80) {
        if (n < 9)
            return may_begin(BEGINS(d, n, "\x80\x01\x00"));
        len = be32(d + 4);
        return yes_if(d[1] == 1 && !d[2] && d[3] >= 1 && d[3] <= 4 && len && len <= 128 &&
                      all_printable(d + 8, len < n - 8 ? len : n - 8));
    }
    if (n < 12 || d[0] != 0x82 || (d[1] & 31) != 1 || !(d[1] >> 5) || d[1] >> 5 > 4)
        return EC_NO;
    while (at < 7 && (d[at] & 0x80))
        at++;
    len = d[at + 1];
    return yes_if(len && len < 128 && at + 2 + len <= n && all_printable(d + at + 2, len));
}

/* ActiveMQ's WireFormatInfo. */
PROBE(openwire)
{
    (void)dir;
    if (n < 13)
        return n < 6 ? EC_MORE : begins_with(d + 5, n - 5, "ActiveMQ", 8);
    return yes_if(d[4] == 1 && HAS_AT(d, n, 5, "ActiveMQ"));
}

PROBE(stomp)
{
    int32_t old = BEGINS(d, n, "CONNECT\n"), new = BEGINS(d, n, "STOMP\n");

    return is_server(dir) ? BEGINS(d, n, "CONNECTED\n") : old == EC_NO ? new : old;
}

PROBE(gearman)
{
    int32_t magic = is_server(dir) ? BEGINS(d, n, "\0RES") : BEGINS(d, n, "\0REQ");

    if (n < 12)
        return may_begin(magic);
    return yes_if(magic == EC_YES && be32(d + 4) <= 45 && be32(d + 8) < 1u << 28);
}

/* FastCGI 1.0 §5.1: it begins a request, with a role. */
PROBE(fastcgi)
{
    if (is_server(dir))
        return EC_NO;
    if (n < 10)
        return may_begin(BEGINS(d, n, "\1\1"));
    return yes_if(d[0] == 1 && d[1] == 1 && be16(d + 4) == 8 && be16(d + 8) >= 1 && be16(d + 8) <= 3);
}

/* CORBA's GIOP (formal/2021-02-01 §9.4.1), within MIOP over groups. */
PROBE(giop)
{
    int32_t tcp = BEGINS(d, n, "GIOP\1");

    return is_datagram(dir) ? yes_if(BEGINS(d, n, "MIOP\x10") == EC_YES || tcp == EC_YES) : tcp;
}

/* FIX: the first field says which version. */
PROBE(fix)
{
    (void)dir;
    return BEGINS(d, n, "8=FIX");
}

/* Parts of kind and length, of which a host's name is the first. */
PROBE(collectd)
{
    static const struct chain parts = { 2, 2, 0, 0 };

    (void)dir;
    return yes_if(n >= 16 && !be16(d) && be16(d + 2) > 5 && be16(d + 2) <= n && !d[be16(d + 2) - 1] &&
                  all_printable(d + 4, be16(d + 2) - 5) && chain_fills(d, n, &parts));
}

/* RFC 2608 §8, RFC 2165 §4.2: version, function, the length of all. */
PROBE(slp)
{
    (void)dir;
    if (n < 12)
        return EC_NO;
    return yes_if((d[0] == 2 && d[1] >= 1 && d[1] <= 11 && be24(d + 2) == n) ||
                  (d[0] == 1 && d[1] >= 1 && d[1] <= 11 && be16(d + 2) == n));
}

PROBE(ws_discovery)
{
    (void)dir;
    return yes_if(n >= 32 && d[0] == '<' && (HOLDS(d, n < 512 ? n : 512, "Envelope")));
}

/* RFC 1002 §4.2.1: a name of 32 letters from A to P. */
PROBE(netbios_ns)
{
    (void)dir;
    if (n < 46 || d[12] != 0x20 || d[45])
        return EC_NO;
    for (uint32_t i = 13; i < 45; i++)
        if (d[i] < 'A' || d[i] > 'P')
            return EC_NO;
    return EC_YES;
}

/* RFC 1002 §4.4.1: a kind, flags, a number, where it comes from. */
PROBE(netbios_dgm)
{
    (void)dir;
    return yes_if(n >= 14 && d[0] >= 0x10 && d[0] <= 0x16 && !(d[1] & 0xf0) && be16(d + 8) == 138);
}

PROBE(nntp)
{
    if (is_server(dir))
        return n < 4 ? may_begin(BEGINS(d, n, "20")) : yes_if(HAS_AT(d, n, 0, "200 ") || HAS_AT(d, n, 0, "201 "));
    return BEGINS(d, n, "MODE READER") == EC_NO ? BEGINS(d, n, "CAPABILITIES") : BEGINS(d, n, "MODE READER");
}

/* RFC 3912: one line, and a text. */
PROBE(whois)
{
    return is_server(dir) ? EC_NO : line_ends(d, n, "");
}

PROBE(irc)
{
    static const char *const words[] = { "NICK ", "USER ", "CAP LS", "PASS ", NULL };
    int32_t best = EC_NO;

    if (is_server(dir))
        return EC_NO;
    for (uint32_t i = 0; words[i] && best != EC_YES; i++) {
        int32_t one = begins_with(d, n, words[i], (uint32_t)strlen(words[i]));
        best = one == EC_NO ? best : one;
    }
    return best;
}

/* Its signature, and a length of 64 bits (Monero and others). */
PROBE(levin)
{
    (void)dir;
    return BEGINS(d, n, "\1\x21\1\1\1\1\1\1");
}

/* The main network's magic, and a command padded with zeros. */
PROBE(bitcoin)
{
    (void)dir;
    if (n < 16)
        return may_begin(BEGINS(d, n, "\xf9\xbe\xb4\xd9"));
    return yes_if(BEGINS(d, n, "\xf9\xbe\xb4\xd9") == EC_YES && d[4] >= 'a' && d[4] <= 'z' && !d[15]);
}

/* How many tags, and among them that of a nonce, or a signature. */
PROBE(roughtime)
{
    (void)dir;
    return yes_if(n >= 64 && le32(d) >= 2 && le32(d) <= 16 && (HOLDS(d, 64, "NONC") || HOLDS(d, 64, "SIG\0")));
}

PROBE(syncthing)
{
    (void)dir;
    return yes_if(HAS_AT(d, n, 0, "\x2e\xa7\xd9\x0b\x0a"));
}

PROBE(spotify)
{
    (void)dir;
    return yes_if(HAS_AT(d, n, 0, "SpotUdp0"));
}

/* A mark, a length, and what it is of a few. */
PROBE(edonkey)
{
    (void)dir;
    if (n < 6)
        return EC_MORE;
    if ((d[5] != 1 && d[5] != 0x4c) || le32(d + 1) < 22 || le32(d + 1) > 1000)
        return EC_NO;
    return n < le32(d + 1) + 5 ? EC_MORE : EC_YES;
}

PROBE(lsd)
{
    (void)dir;
    return yes_if(HAS_AT(d, n, 0, "BT-SEARCH * HTTP/1.1\r\n"));
}

/* BEP 29: the kinds, version 1; a SYN has the number 1 and acknowledges nothing. */
PROBE(utp)
{
    (void)dir;
    return yes_if(n >= 20 && (d[0] & 15) == 1 && d[0] >> 4 <= 4 && d[1] <= 2 && (d[0] >> 4 != 4 || n <= 30));
}

static const struct ec_proto protos[] = {
    NAMED("http2", http2, "tcp/80", "50"),
    NAMED("nats", nats, "tcp/4222", "43 49"),
    NAMED("thrift", thrift, "tcp/9090 udp/6831", "80 82"),
    NAMED("openwire", openwire, "tcp/61616", "00"),
    NAMED("stomp", stomp, "tcp/61613", "43 53"),
    NAMED("gearman", gearman, "tcp/4730", "00"),
    NAMED("fastcgi", fastcgi, "tcp/9000", "01"),
    NAMED("giop", giop, "tcp/2809 udp", "47 4d"),
    NAMED("fix", fix, "tcp", "38"),
    NAMED("collectd", collectd, "udp/25826", "00"),
    NAMED("netbios-dgm", netbios_dgm, "udp/138", "10-16"),
    NAMED("levin", levin, "tcp/18080", "01"),
    NAMED("bitcoin", bitcoin, "tcp/8333", "f9"),
    NAMED("roughtime", roughtime, "udp/2002", "02-10"),
    NAMED("syncthing", syncthing, "udp/21027", "2e"),
    NAMED("spotify", spotify, "udp/57621", "53"),
    NAMED("edonkey", edonkey, "tcp/4662", "c5 d4 e3"),
    NAMED("bittorrent-lsd", lsd, "udp/6771", "42"),
    NAMED_AT("netbios-ns", netbios_ns, "udp/137", NULL),
    NAMED_AT("kafka", kafka, "tcp/9092", "00"),
    NAMED_AT("smpp", smpp, "tcp/2775", "00"),
    NAMED_AT("slp", slp, "udp/427", "01 02"),
    NAMED_AT("ws-discovery", ws_discovery, "udp/3702", "3c"),
    NAMED_AT("nntp", nntp, "tcp/119", NULL),
    NAMED_AT("whois", whois, "tcp/43", NULL),
    NAMED_AT("irc", irc, "tcp/6665,6666,6667,6668,6669,7000", "43 4e 50 55"),
    NAMED_AT("utp", utp, "udp/6881", "01 11 21 31 41"),
};
FAMILY(messages);
