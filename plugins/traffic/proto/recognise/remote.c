/* remote.c: desktops, terminals and shells elsewhere. */
#include "family.h"

/* TPKT (RFC 1006) with a connection request of COTP: RDP's cookie or its negotiation tells; else the MCS that
 * follows. */
PROBE(rdp)
{
    uint32_t len;

    if (n < 7)
        return n < 2 || !d[1] ? EC_MORE : EC_NO;
    len = be16(d + 2);
    if (d[1] || len < 11 || len > 1024)
        return EC_NO;
    if (is_server(dir)) {               /* a confirmation with the answer to the negotiation: types 2 and 3 of 8 bytes */
        if (n < 19)
            return d[5] == 0xd0 && len == 19 ? EC_MORE : EC_NO;
        return yes_if(d[5] == 0xd0 && len == 19 && (d[11] == 2 || d[11] == 3) && le16(d + 13) == 8);
    }
    if (d[5] != 0xe0 || d[4] + 5u != len)
        return EC_NO;
    if (n < len)
        return EC_MORE;
    if (HAS_AT(d, n, 11, "Cookie: mstshash=") || HAS_AT(d, n, 11, "Cookie: msts="))
        return EC_YES;
    if (len == 19 && d[11] == 1 && le16(d + 13) == 8 && le32(d + 15) < 32)
        return EC_YES;
    if (len != 11)
        return EC_NO;
    return n < 20 ? EC_MORE : yes_if(d[11] == 3 && !memcmp(d + 15, "\x02\xf0\x80\x7f\x65", 5));
}

/* RFC 6143 §7.1.1 */
PROBE(rfb)
{
    (void)dir;
    if (n < 12)
        return BEGINS(d, n, "RFB 00") == EC_NO ? EC_NO : EC_MORE;
    return yes_if(!memcmp(d, "RFB 00", 6) && d[6] >= '3' && d[6] <= '5' && d[7] == '.' && d[8] == '0' && d[11] == '\n');
}

/* Two commands of negotiation (RFC 854, 855). */
PROBE(telnet)
{
    (void)dir;
    for (uint32_t at = 0; at < 6; at += 3) {
        if (n > at && d[at] != 0xff)
            return EC_NO;
        if (n > at + 1 && (d[at + 1] < 0xfa || d[at + 1] > 0xfe || (!at && d[1] == 0xfa)))
            return EC_NO;
        if (n > at + 2 && d[at + 2] > 49)
            return EC_NO;
    }
    return n < 6 ? EC_MORE : EC_YES;
}

PROBE(x11)
{
    (void)dir;
    if (n < 12)
        return n < 2 || !d[1] ? EC_MORE : EC_NO;
    return yes_if(!d[1] && !be16(d + 10) &&
                  (d[0] == 'l' ? le16(d + 2) == 11 && !le16(d + 4) && le16(d + 6) < 64
                               : be16(d + 2) == 11 && !be16(d + 4) && be16(d + 6) < 64));
}

PROBE(radmin)
{
    (void)dir;
    return BEGINS(d, n, "\x01\0\0\0\x01\0\0\0\x08\x08");
}

PROBE(citrix)
{
    int32_t ica = BEGINS(d, n, "\x7f\x7fICA\0"), cgp = BEGINS(d, n, "\x1a" "CGP/01");

    (void)dir;
    return ica != EC_NO ? ica : cgp;
}

PROBE(nomachine)
{
    int32_t shell = BEGINS(d, n, "NXSH-"), daemon = BEGINS(d, n, "NXD-");

    (void)dir;
    return shell != EC_NO ? shell : daemon;
}

PROBE(spice)
{
    (void)dir;
    if (n < 16)
        return BEGINS(d, n, "REDQ") == EC_NO ? EC_NO : EC_MORE;
    return yes_if(!memcmp(d, "REDQ", 4) && le32(d + 4) == 2 && le32(d + 12) < 4096);
}

/* Words that end with NUL, printable all of them: how many there are in n bytes; 0: something else is among them. */
static uint32_t words(const uint8_t *d, uint32_t n)
{
    uint32_t found = 0, from = 0;

    for (uint32_t i = 0; i < n; i++)
        if (!d[i]) {
            if (!all_printable(d + from, i - from))
                return 0;
            found++;
            from = i + 1;
        }
    return all_printable(d + from, n - from) ? found : 0;
}

/* A port for errors, both users, a command. */
PROBE(rsh)
{
    uint32_t digits = 0;

    if (is_server(dir))
        return EC_NO;
    while (digits < n && d[digits] >= '0' && d[digits] <= '9')
        digits++;
    if (digits > 5 || (digits < n && d[digits]))
        return EC_NO;
    if (digits + 1 < n && !words(d, n))
        return EC_NO;
    return n < 256 && words(d, n) < 4 ? EC_MORE : yes_if(words(d, n) >= 4);
}

/* RFC 1282: NUL, both users, terminal/speed. */
PROBE(rlogin)
{
    const uint8_t *slash = memchr(d, '/', n);

    if (is_server(dir) || !words(d, n))
        return EC_NO;
    return words(d, n) < 4 ? EC_MORE : yes_if(slash && slash + 1 < d + n && slash[1] >= '0' && slash[1] <= '9');
}

/* XDMCP: version 1, an opcode, the length. */
PROBE(xdmcp)
{
    (void)dir;
    return yes_if(n >= 6 && be16(d) == 1 && be16(d + 2) >= 1 && be16(d + 2) <= 15 && be16(d + 4) == n - 6);
}

PROBE(teamviewer)
{
    (void)dir;
    return n < 5 ? BEGINS(d, n, "\x17\x24") == EC_NO ? EC_NO : EC_MORE : yes_if(d[1] == 0x24 && d[2] <= 0x40);
}

static const struct ec_proto protos[] = {
    NAMED("rdp", rdp, "tcp/3389", "03"),
    NAMED("rfb", rfb, "tcp/5900,5901", "52"),
    NAMED("telnet", telnet, "tcp/23", "ff"),
    NAMED("x11", x11, "tcp/6000,6001,6002,6003", "42 6c"),
    NAMED("radmin", radmin, "tcp/4899", "01"),
    NAMED("citrix", citrix, "tcp/1494,2598", "1a 7f"),
    NAMED("nomachine", nomachine, "tcp/4000", "4e"),
    NAMED("spice", spice, "tcp/5900", "52"),
    NAMED_AT("rsh", rsh, "tcp/514", "00 30-39"),
    NAMED_AT("rlogin", rlogin, "tcp/513", "00"),
    NAMED_AT("xdmcp", xdmcp, "udp/177", "00"),
    NAMED_AT("teamviewer", teamviewer, "tcp/5938", "17"),
};
FAMILY(remote);
