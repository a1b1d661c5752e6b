/* files.c: files over the network, and printers. */
#include "family.h"

/* The names of both ends, in the letters A to P (RFC 1002 §4.3.2). */
static bool is_session_request(const uint8_t *d, uint32_t n)
{
    return n >= 72 && be24(d + 1) == 68 && d[4] == 32 && !d[37] && d[38] == 32 && !d[71];
}

/* MS-SMB, MS-SMB2 behind NetBIOS's header of four bytes. */
PROBE(smb)
{
    if (d[0] == 0x82 && is_server(dir) && !all_zero(d + 1, (n < 4 ? n : 4) - 1))
        return EC_NO;
    if (n < 8)
        return EC_MORE;
    if (d[0] == 0x81)
        return n < 72 && be24(d + 1) == 68 && d[4] == 32 ? EC_MORE : yes_if(is_session_request(d, n));
    if (d[0] == 0x82)
        d += 4, n -= 4;
    if (n < 8)
        return EC_MORE;
    return yes_if(!d[0] && be24(d + 1) >= 32 && d[4] >= 0xfd && !memcmp(d + 5, "SMB", 3));
}

/* ONC RPC (RFC 5531): a call of version 2. The program, 0: none. */
static uint32_t rpc_program(const uint8_t *d, uint32_t n, uint32_t dir)
{
    if (!is_datagram(dir)) {
        if (n < 4 || !(d[0] & 0x80))
            return 0;
        d += 4, n -= 4;
    }
    if (n < 40 || be32(d + 4) || be32(d + 8) != 2 || be32(d + 16) > 16 || be32(d + 24) > 6 || be32(d + 28) > 400)
        return 0;
    return be32(d + 12);
}

PROBE(nfs)
{
    if (!is_datagram(dir) && n < 44)
        return d[0] & 0x80 && (n < 12 || all_zero(d + 8, 4)) ? EC_MORE : EC_NO;
    return yes_if(rpc_program(d, n, dir) == 100003);
}

PROBE(sunrpc)
{
    uint32_t program;

    if (!is_datagram(dir) && n < 44)
        return d[0] & 0x80 && (n < 12 || all_zero(d + 8, 4)) ? EC_MORE : EC_NO;
    program = rpc_program(d, n, dir);
    return yes_if(program >= 100000 && program < 101000 && program != 100003);
}

/* Apple's file service over its Data Stream Interface: a session is opened, or the server is asked for its status. */
PROBE(afp)
{
    (void)dir;
    if (n < 16)
        return n < 2 || d[1] == 3 || d[1] == 4 ? EC_MORE : EC_NO;
    return yes_if((d[1] == 3 || d[1] == 4) && !be32(d + 12) && be32(d + 8) < 1024);
}

/* RFC 1350: a name and a mode. */
PROBE(tftp)
{
    static const char *const modes[] = { "octet", "netascii", "mail", NULL };
    const uint8_t *end;

    (void)dir;
    if (n < 9 || d[0] || (d[1] != 1 && d[1] != 2))
        return EC_NO;
    end = memchr(d + 2, 0, n - 2);
    if (!end || end == d + 2 || !all_printable(d + 2, (uint32_t)(end - d) - 2))
        return EC_NO;
    for (uint32_t i = 0; modes[i]; i++) {
        uint32_t len = (uint32_t)strlen(modes[i]) + 1, k = 0;
        if (n - (uint32_t)(end + 1 - d) < len)
            continue;
        while (k < len && (end[1 + k] | (k + 1 < len ? 0x20 : 0)) == (uint8_t)modes[i][k])
            k++;
        if (k == len)
            return EC_YES;
    }
    return EC_NO;
}

PROBE(rsync)
{
    (void)dir;
    return BEGINS(d, n, "@RSYNCD: ");
}

/* A packet line: four hexadecimal digits of length, and the service that is wanted. */
PROBE(git)
{
    (void)dir;
    for (uint32_t i = 0; i < 4 && i < n; i++)
        if (!((d[i] >= '0' && d[i] <= '9') || (d[i] >= 'a' && d[i] <= 'f')))
            return EC_NO;
    if (n < 15)
        return n <= 4 ? EC_MORE : begins_with(d + 4, n - 4, "git-", 4) == EC_NO ? EC_NO : EC_MORE;
    return yes_if(HAS_AT(d, n, 4, "git-upload-") || HAS_AT(d, n, 4, "git-receive"));
}

PROBE(svn)
{
    return is_server(dir) ? BEGINS(d, n, "( success ( ") : BEGINS(d, n, "( 2 ( ");
}

/* Canon's printers: a magic number by kind of device, and whether it is asked or answers. */
PROBE(bjnp)
{
    (void)dir;
    return yes_if(n >= 16 && (!memcmp(d, "BJNP", 4) || !memcmp(d, "BJNB", 4) || !memcmp(d, "MFNP", 4)) &&
                  ((d[4] & 0x7f) == 1 || (d[4] & 0x7f) == 2) && be32(d + 12) == n - 16);
}

/* Rx, the calls of AFS: connection, call, sequence and serial numbers, then type, flags and kind of security. */
PROBE(rx)
{
    (void)dir;
    return yes_if(n >= 28 && d[20] >= 1 && d[20] <= 13 && d[23] <= 4 && be32(d) && be32(d + 16) < 1u << 24);
}

static const struct ec_proto protos[] = {
    NAMED("smb", smb, "tcp/445,139", "00 81 82"),
    NAMED("nfs", nfs, "tcp/2049 udp/2049", NULL),
    NAMED("sunrpc", sunrpc, "tcp/111 udp/111", NULL),
    NAMED("tftp", tftp, "udp/69", "00"),
    NAMED("rsync", rsync, "tcp/873", "40"),
    NAMED("git", git, "tcp/9418", "30"),
    NAMED("svn", svn, "tcp/3690", "28"),
    NAMED("bjnp", bjnp, "udp/8611,8612,8613,8614", "42 4d"),
    NAMED_AT("afp", afp, "tcp/548", "00"),
    NAMED_AT("rx", rx, "udp/7000,7001,7002,7003,7004,7005,7006,7007,7008,7009", NULL),
};
FAMILY(files);
