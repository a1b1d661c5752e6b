/* network.c: what networks are run with, calls, messages and peers. */
#include "family.h"

/* RFC 1157, 3412: a sequence of the version, then a community and a message; or the head of version 3. */
PROBE(snmp)
{
    uint32_t at, len, next;

    (void)dir;
    if (!ber_length(d, n, &at, &len) || at + len != n || n < at + 5 || d[at] != 2 || d[at + 1] != 1)
        return EC_NO;
    if (d[at + 2] == 3)
        return yes_if(d[at + 3] == 0x30 && d[at + 4] < 0x80);
    if (d[at + 2] > 1 || d[at + 3] != 4 || d[at + 4] >= 0x80)
        return EC_NO;
    next = at + 5 + d[at + 4];
    return yes_if(next < n && d[next] >= 0xa0 && d[next] <= 0xa8);
}

/* RFC 5905 §7.3: mode, version, stratum; control messages (6) and private ones (7) are shorter. */
PROBE(ntp)
{
    uint32_t mode = d[0] & 7, version = d[0] >> 3 & 7;

    (void)dir;
    if (version < 1 || version > 4 || !mode)
        return EC_NO;
    return yes_if(mode < 6 ? n >= 48 && d[1] <= 16 : mode == 6 ? n >= 12 && be16(d + 10) + 12 <= n : n >= 8);
}

/* RFC 2131: the cookie behind the fields of BOOTP. */
PROBE(dhcp)
{
    (void)dir;
    return yes_if(n >= 241 && d[2] <= 16 && HAS_AT(d, n, 236, "\x63\x82\x53\x63"));
}

/* RFC 2865 §3: the length is that of the datagram, and its attributes fill it. */
PROBE(radius)
{
    static const struct chain attributes = { 1, 1, 0, 0 };

    (void)dir;
    if (n < 20 || be16(d + 2) != n || !(d[0] <= 5 || (d[0] >= 11 && d[0] <= 13) || (d[0] >= 40 && d[0] <= 45)))
        return EC_NO;
    return yes_if(n == 20 || chain_fills(d + 20, n - 20, &attributes));
}

/* RFC 4271 §4.1 */
PROBE(bgp)
{
    (void)dir;
    for (uint32_t i = 0; i < n && i < 16; i++)
        if (d[i] != 0xff)
            return EC_NO;
    return n < 19 ? EC_MORE : yes_if(be16(d + 16) >= 19 && be16(d + 16) <= 4096 && d[18] >= 1 && d[18] <= 5);
}

/* RFC 5424 and 3164: a priority up to 191, then text. */
PROBE(syslog)
{
    uint32_t at = 1, priority = 0;

    if (is_server(dir))
        return EC_NO;
    while (at < n && at < 4 && d[at] >= '0' && d[at] <= '9')
        priority = priority * 10 + d[at++] - '0';
    if (at == n)
        return EC_MORE;
    return yes_if(at > 1 && d[at] == '>' && priority <= 191 && all_printable(d + at, n - at < 8 ? n - at : 8));
}

PROBE(zabbix)
{
    (void)dir;
    return n < 5 ? BEGINS(d, n, "ZBXD") == EC_NO ? EC_NO : EC_MORE : yes_if(!memcmp(d, "ZBXD", 4) && d[4] < 8);
}

/* RFC 3261 §7: the version ends a request's first line and begins an answer's. */
PROBE(sip)
{
    int32_t answer = BEGINS(d, n, "SIP/2.0 ");

    (void)dir;
    return answer != EC_NO ? answer : d[0] < 'A' || d[0] > 'Z' ? EC_NO : line_ends(d, n, " SIP/2.0");
}

/* RFC 2326 §6 */
PROBE(rtsp)
{
    int32_t answer = BEGINS(d, n, "RTSP/1.0 ");

    (void)dir;
    return answer != EC_NO ? answer : d[0] < 'A' || d[0] > 'Z' ? EC_NO : line_ends(d, n, " RTSP/1.0");
}

/* RFC 8489 §5: the cookie, and a length in words, which is that of the datagram. */
PROBE(stun)
{
    if (n < 20)
        return is_datagram(dir) || (n >= 8 && memcmp(d + 4, "\x21\x12\xa4\x42", 4)) ? EC_NO : EC_MORE;
    return yes_if(!memcmp(d + 4, "\x21\x12\xa4\x42", 4) && !(d[3] & 3) && (!is_datagram(dir) || be16(d + 2) + 20 == n));
}

PROBE(ssdp)
{
    (void)dir;
    return yes_if(BEGINS(d, n, "M-SEARCH * HTTP/1.1\r\n") == EC_YES || BEGINS(d, n, "NOTIFY * HTTP/1.1\r\n") == EC_YES ||
                  (BEGINS(d, n, "HTTP/1.1 200 OK\r\n") == EC_YES && HOLDS(d, n, "\r\nUSN:")));
}

/* MQTT 5 §3.1, and its name before 3.1.1; the remaining length has one to four bytes. */
PROBE(mqtt)
{
    uint32_t at = 1;

    if (is_server(dir))
        return EC_NO;
    while (at < n && at < 4 && d[at] & 0x80)
        at++;
    at++;
    if (n < at + 8)
        return n > at && d[at] ? EC_NO : EC_MORE;
    return yes_if(HAS_AT(d, n, at, "\0\4MQTT") || HAS_AT(d, n, at, "\0\6MQIsdp"));
}

PROBE(amqp)
{
    (void)dir;
    return n < 8 ? BEGINS(d, n, "AMQP") == EC_NO ? EC_NO : EC_MORE
                 : yes_if(!memcmp(d, "AMQP", 4) && d[4] <= 3 && d[5] <= 1 && d[6] <= 9 && d[7] <= 10);
}

PROBE(bittorrent)
{
    (void)dir;
    return BEGINS(d, n, "\x13" "BitTorrent protocol");
}

/* BEP 5: the node's number comes first in a question and in an answer. */
PROBE(bittorrent_dht)
{
    (void)dir;
    return yes_if(BEGINS(d, n, "d1:ad2:id20:") == EC_YES || BEGINS(d, n, "d1:rd2:id20:") == EC_YES);
}

/* CRC-16 of DNP (polynomial 0x3d65, reflected). */
static uint32_t dnp_sum(const uint8_t *d, uint32_t n)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        sum ^= d[i];
        for (uint32_t bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xa6bcu : 0);
    }
    return ~sum & 0xffff;
}

/* IEEE 1815 §9.2.4: the head's own sum. */
PROBE(dnp3)
{
    (void)dir;
    if (n < 10)
        return n < 2 || d[1] == 0x64 ? EC_MORE : EC_NO;
    return yes_if(d[1] == 0x64 && d[2] >= 5 && le16(d + 8) == dnp_sum(d, 8));
}

/* A transaction, protocol 0, and a length of at most 254 bytes. */
PROBE(modbus)
{
    (void)dir;
    if (n < 8)
        return n < 4 || !be16(d + 2) ? EC_MORE : EC_NO;
    return yes_if(!be16(d + 2) && be16(d + 4) >= 2 && be16(d + 4) <= 254 && (d[7] & 0x7f));
}

/* IEC 60870-5-104: the length of what follows, from four bytes on. */
PROBE(iec104)
{
    (void)dir;
    if (n < 6)
        return EC_MORE;
    if (d[1] < 4 || d[1] > 253 || (d[1] > 4 && (d[2] & 1)) || (n > d[1] + 2u && d[d[1] + 2] != 0x68))
        return EC_NO;
    return yes_if((d[2] & 3) != 3 || (d[1] == 4 && !d[3] && !d[4] && !d[5]));
}

static const struct ec_proto protos[] = {
    NAMED("snmp", snmp, "udp/161,162", "30"),
    NAMED("dhcp", dhcp, "udp/67,68", "01-02"),
    NAMED("sip", sip, "tcp/5060 udp/5060", "41-5a"),
    NAMED("rtsp", rtsp, "tcp/554,8554", "41-5a"),
    NAMED("stun", stun, "udp/3478 tcp/3478", "00-03"),
    NAMED("ssdp", ssdp, "udp/1900", "48 4d 4e"),
    NAMED("bgp", bgp, "tcp/179", "ff"),
    NAMED("zabbix", zabbix, "tcp/10050,10051", "5a"),
    NAMED("mqtt", mqtt, "tcp/1883", "10"),
    NAMED("amqp", amqp, "tcp/5672", "41"),
    NAMED("bittorrent", bittorrent, "tcp", "13"),
    NAMED("bittorrent-dht", bittorrent_dht, "udp/6881", "64"),
    NAMED("dnp3", dnp3, "tcp/20000 udp/20000", "05"),
    NAMED_AT("ntp", ntp, "udp/123", NULL),
    NAMED_AT("radius", radius, "udp/1812,1813,1645,1646,3799", "01-05 0b-0d 28-2d"),
    NAMED_AT("syslog", syslog, "udp/514 tcp/514,601", "3c"),
    NAMED_AT("modbus", modbus, "tcp/502", NULL),
    NAMED_AT("iec104", iec104, "tcp/2404", "68"),
};
FAMILY(network);
