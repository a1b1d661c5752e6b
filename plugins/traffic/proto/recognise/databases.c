/* databases.c: databases, caches and directories. */
#include "family.h"

/* The server's greeting: its length, packet 0, protocol 10, a version that begins with a number, and 13 bytes
 * (thread and
 * salt) with a zero behind. The client's answer has 23 zero bytes (19 for MariaDB). */
PROBE(mysql)
{
    const uint8_t *end;
    uint32_t at;

    if (n < 6)
        return n >= 4 && d[3] != 0 && d[3] != 1 ? EC_NO : EC_MORE;
    if (!is_server(dir) && d[3] == 1) {
        if (le24(d) < 32 || le24(d) > 4096 || !(d[5] & 0x02))
            return EC_NO;
        return n < 36 ? EC_MORE : yes_if(all_zero(d + 13, 19));
    }
    if (d[3] || d[4] != 10 || le24(d) < 30 || le24(d) > 512)
        return EC_NO;
    end = memchr(d + 5, 0, n - 5);
    if (!end)
        return n < 80 && all_printable(d + 5, n - 5) ? EC_MORE : EC_NO;
    at = (uint32_t)(end - d);
    if (d[5] < '1' || d[5] > '9' || !all_printable(d + 5, at - 5))
        return EC_NO;
    return n < at + 14 ? EC_MORE : yes_if(!d[at + 13]);
}

/* MS-TDS §2.2.3: a whole packet: type, status, length, no process, and for the first one options within it, or the
 * length
 * of a login once more. */
PROBE(tds)
{
    uint32_t len;

    if (n < 9)
        return n < 2 || d[1] <= 1 ? EC_MORE : EC_NO;
    len = be16(d + 2);
    if (d[1] != 1 || len < 9 || len > 4096 || d[7])
        return EC_NO;
    if (is_server(dir))
        return yes_if(d[0] == 4 && d[6] == 1 && (d[8] == 0 || d[8] == 0xad || d[8] == 0xaa || d[8] == 0xe3));
    if (d[0] == 0x12 && n >= 13)
        return yes_if(!d[8] && be16(d + 9) < len && be16(d + 11) == 6);
    if (d[0] == 0x10 && n >= 16)
        return yes_if(le32(d + 8) + 8 == len && d[15] >= 0x70 && d[15] <= 0x74);
    if (d[0] == 1 && n >= 12)           /* a batch, amid a session: all headers, then text in UTF-16 */
        return yes_if(len == n && d[6] <= 1 && le32(d + 8) == 22);
    return d[0] == 0x12 || d[0] == 0x10 ? EC_MORE : EC_NO;
}

/* Oracle: a connect packet, whose versions are above 300, with a description behind its head. */
PROBE(tns)
{
    uint32_t len;

    if (is_server(dir))
        return EC_NO;
    if (n < 28)
        return n < 5 || (!d[2] && !d[3] && d[4] == 1) ? EC_MORE : EC_NO;
    len = be16(d);
    return yes_if(len >= 34 && !be16(d + 2) && d[4] == 1 && !be16(d + 6) && be16(d + 8) >= 0x12c && be16(d + 8) < 0x180 &&
                  be16(d + 10) <= be16(d + 8) && be16(d + 26) >= 34 && be16(d + 26) <= len);
}

/* A request answers nothing, and names a collection or has sections. */
PROBE(mongodb)
{
    uint32_t op;

    if (n < 16)
        return EC_MORE;
    op = le32(d + 12);
    if (le32(d) < 21 || le32(d) > 48u << 20 || (op != 1 && op != 2004 && op != 2010 && op != 2012 && op != 2013))
        return EC_NO;
    if (is_server(dir))
        return yes_if((op == 1 || op == 2013) && le32(d + 8));
    if (le32(d + 8) || n < 26)
        return le32(d + 8) ? EC_NO : EC_MORE;
    if (op == 2013)
        return yes_if(!(le32(d + 16) & ~0x10003u) && d[20] <= 1);
    if (op == 2004) {
        const uint8_t *end = memchr(d + 20, 0, n - 20);
        if (!end && n < 150)
            return yes_if(all_printable(d + 20, n - 20)) == EC_YES ? EC_MORE : EC_NO;
        return end && le32(d + 16) < 256 ? yes_if(all_printable(d + 20, (uint32_t)(end - d) - 20) &&
                                                 memchr(d + 20, '.', (uint32_t)(end - d) - 20)) : EC_NO;
    }
    return yes_if(op == 2012 && le32(d + 16) == 2004);
}

/* RESP: a command is an array of strings: *number, $number, each a line. */
PROBE(redis)
{
    uint32_t at = 0;

    if (is_server(dir))
        return EC_NO;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t from = at + 1;
        if (at == n)
            return EC_MORE;
        if (d[at++] != (i ? '$' : '*'))
            return EC_NO;
        while (at < n && at < from + 7 && d[at] >= '0' && d[at] <= '9')
            at++;
        if (at < n && (at == from || d[at] != '\r'))
            return EC_NO;
        if (at + 1 < n && d[at + 1] != '\n')
            return EC_NO;
        if (at + 2 > n)
            return EC_MORE;
        at += 2;
    }
    return EC_YES;
}

/* A command of the text protocol (behind eight bytes of numbers over UDP), or a head of the binary one. */
PROBE(memcached)
{
    static const char *const commands[] = { "get ", "gets ", "set ", "add ", "replace ", "delete ", "incr ", "decr ",
                                            "stats", "version", "touch ", "flush_all", "append ", "cas ", NULL };

    if (is_datagram(dir)) {
        if (n < 10 || be16(d + 2) || be16(d + 4) != 1 || be16(d + 6))
            return EC_NO;
        d += 8, n -= 8;
    }
    if (d[0] == 0x80 || d[0] == 0x81)
        return n < 24 ? EC_MORE : yes_if(d[1] <= 0x5f && !d[5] && be16(d + 2) + d[4] <= be32(d + 8));
    if (is_server(dir))
        return yes_if(BEGINS(d, n, "VALUE ") == EC_YES || BEGINS(d, n, "STORED\r\n") == EC_YES ||
                      BEGINS(d, n, "STAT ") == EC_YES || BEGINS(d, n, "END\r\n") == EC_YES);
    for (uint32_t i = 0; commands[i]; i++)
        if (begins_with(d, n, commands[i], (uint32_t)strlen(commands[i])) == EC_YES)
            return EC_YES;
    return n < 10 && all_printable(d, n) ? EC_MORE : EC_NO;
}

/* Native protocol: a client begins with OPTIONS or STARTUP. */
PROBE(cassandra)
{
    if (is_server(dir))
        return EC_NO;
    if (n < 9)
        return EC_MORE;
    return yes_if(d[1] < 0x20 && ((d[4] == 5 && !be32(d + 5)) || (d[4] == 1 && be32(d + 5) < 1024 && be32(d + 5) > 2)));
}

/* DDM (DB2, Derby): the length twice, 0xd0, and the code point of EXCSAT or EXCSATRD, or what may follow them. */
PROBE(drda)
{
    (void)dir;
    if (n < 10)
        return n < 3 || d[2] == 0xd0 ? EC_MORE : EC_NO;
    return yes_if(d[2] == 0xd0 && be16(d) >= 10 && be16(d + 6) + 6 == be16(d) && d[8] >= 0x10 && d[8] <= 0x24 &&
                  !(d[3] & 0x80));
}

/* The transport between nodes: ES and the length of what follows, whose status is of four bits; a ping has −1. */
PROBE(elasticsearch)
{
    (void)dir;
    if (n < 6)
        return BEGINS(d, n, "ES") == EC_NO ? EC_NO : EC_MORE;
    if (d[1] != 'S' || be32(d + 2) == UINT32_MAX)
        return yes_if(d[1] == 'S');
    return n < 19 ? EC_MORE : yes_if(be32(d + 2) > 13 && be32(d + 2) < 1u << 28 && d[14] < 16 && be32(d + 15) > 100000 &&
                                     be32(d + 15) < 100000000);
}

/* RFC 4511 §4.1.1: a sequence of a number and an operation. */
PROBE(ldap)
{
    uint32_t at, len, op, op_at, op_len;

    if (!ber_length(d, n, &at, &len))
        return n < 6 && !is_datagram(dir) ? EC_MORE : EC_NO;
    if (len < 5 || len > 1u << 24 || (is_datagram(dir) && at + len > n))
        return EC_NO;
    if (n < at + 9 && n < at + len)
        return n > at && d[at] != 2 ? EC_NO : EC_MORE;
    if (d[at] != 2 || d[at + 1] < 1 || d[at + 1] > 4)
        return EC_NO;
    op = at + 2 + d[at + 1];
    if (n < op + 3)
        return n < at + len ? EC_MORE : yes_if(n == op + 2 && d[op] == 0x42 && !d[op + 1]);
    if (d[op] == 0x42 || d[op] == 0x50 || d[op] == 0x4a)
        return yes_if(d[op + 1] + 2u + op == at + len);
    if (!(d[op] == 0x60 || d[op] == 0x61 || (d[op] >= 0x63 && d[op] <= 0x6f) || (d[op] >= 0x73 && d[op] <= 0x79)))
        return EC_NO;
    if (!ber_length(d + op, n - op, &op_at, &op_len))
        return EC_MORE;
    return yes_if(op_len && op - at + op_at <= len && op_len <= len - (op - at + op_at));
}

/* RFC 4120 §5: the element says which message, and within its sequence the version is 5. Over TCP behind its length. */
PROBE(krb5)
{
    uint32_t at, len, in_at, in_len, tag;

    if (!is_datagram(dir)) {
        if (n < 16)
            return (n < 5 || (d[4] >= 0x6a && d[4] <= 0x7e)) && !d[0] ? EC_MORE : EC_NO;
        if (be32(d) < 10 || be32(d) > 1u << 20)
            return EC_NO;
        d += 4, n -= 4;
    }
    tag = d[0];
    if (!(tag >= 0x6a && tag <= 0x6f) && tag != 0x74 && tag != 0x75 && tag != 0x76 && tag != 0x7e)
        return EC_NO;
    if (!ber_length(d, n, &at, &len) || n < at + 2 || (is_datagram(dir) && at + len != n) || d[at] != 0x30)
        return EC_NO;
    if (!ber_length(d + at, n - at, &in_at, &in_len) || at + in_at + 5 > n || in_len > len)
        return EC_NO;
    d += at + in_at;
    return yes_if((d[0] == 0xa0 || d[0] == 0xa1) && d[1] == 3 && d[2] == 2 && d[3] == 1 && d[4] == 5);
}

static const struct ec_proto protos[] = {
    NAMED("ldap", ldap, "tcp/389,3268 udp/389", "30"),
    NAMED("krb5", krb5, "tcp/88 udp/88", "00 6a-6f 74-76 7e"),
    NAMED("drda", drda, "tcp/50000", "00-03"),
    NAMED("elasticsearch", elasticsearch, "tcp/9300", "45"),
    NAMED("redis", redis, "tcp/6379", "2a"),
    NAMED("tds", tds, "tcp/1433", "01 04 10 12"),
    NAMED("tns", tns, "tcp/1521", "00-03"),
    NAMED("mongodb", mongodb, "tcp/27017", NULL),
    NAMED("mysql", mysql, "tcp/3306", NULL),
    NAMED_AT("memcached", memcached, "tcp/11211 udp/11211", NULL),
    NAMED_AT("cassandra", cassandra, "tcp/9042", "03-05"),
};
FAMILY(databases);
