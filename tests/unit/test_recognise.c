/* test_recognise.c: what tells the protocols that have only a name, and what is nearly theirs. */
#include <stdlib.h>
#include <string.h>

#include "plugins/traffic/proto/recognise/recognise.h"
#include "tests/support/fake_traffic.h"
#include "tests/unit/unit.h"

#define UDP EC_PROBE_DATAGRAM
#define SAMPLE(name, dir, bytes, at) { name, dir, bytes, sizeof bytes - 1, at }
#define ZERO8 "\0\0\0\0\0\0\0\0"
#define ZERO32 ZERO8 ZERO8 ZERO8 ZERO8
#define NB_NAME "\x20" "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0"

/* at: with this byte changed they are another's. */
struct sample { const char *proto; uint32_t dir; const char *bytes; uint32_t n, at; };
static const struct sample samples[] = {
    SAMPLE("smb", 0, "\0\0\0\x54\xffSMBr" ZERO8, 5),
    SAMPLE("smb", 0, "\0\0\0\x54\xfeSMB\x40" ZERO8, 4),
    SAMPLE("smb", 0, "\x81\0\0\x44" NB_NAME NB_NAME, 4),
    SAMPLE("nfs", UDP, "abcd\0\0\0\0\0\0\0\2\0\1\x86\xa3\0\0\0\3\0\0\0\0" ZERO8 ZERO8, 11),
    SAMPLE("nfs", 0, "\x80\0\0\x28" "abcd\0\0\0\0\0\0\0\2\0\1\x86\xa3\0\0\0\3\0\0\0\0" ZERO8 ZERO8, 15),
    SAMPLE("sunrpc", UDP, "abcd\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\3" ZERO8 ZERO8, 11),
    SAMPLE("tftp", UDP, "\0\1boot.img\0octet", 10),
    SAMPLE("rsync", 0, "@RSYNCD: 31.0\n", 3),
    SAMPLE("git", 0, "0033git-upload-pack /a.git\0host=x\0", 5),
    SAMPLE("svn", 1, "( success ( 2 2 ( ) ", 4),
    SAMPLE("bjnp", UDP, "BJNP\1\1\0\0\0\0\0\0\0\0\0\0", 2),
    SAMPLE("afp", 0, "\0\4\0\1\0\0\0\0\0\0\0\6\0\0\0\0\1\4\0\0\4\0", 13),
    SAMPLE("rx", UDP, "\x11\x22\x33\x44\0\0\0\4\0\0\0\1\0\0\0\1\0\0\0\1\1\5\0\0\0\0\0\1", 20),
    SAMPLE("rdp", 0, "\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0", 11),
    SAMPLE("rfb", 1, "RFB 003.008\n", 6),
    SAMPLE("telnet", 1, "\xff\xfd\x18\xff\xfd\x20", 3),
    SAMPLE("x11", 0, "l\0\x0b\0\0\0\0\0\0\0\0\0", 2),
    SAMPLE("radmin", 0, "\1\0\0\0\1\0\0\0\x08\x08", 8),
    SAMPLE("citrix", 1, "\x7f\x7fICA\0", 2),
    SAMPLE("nomachine", 0, "NXD-7.1\n", 2),
    SAMPLE("spice", 0, "REDQ\2\0\0\0\2\0\0\0\x1a\0\0\0", 4),
    SAMPLE("rsh", 0, "1021\0me\0you\0ls\0", 1),
    SAMPLE("rlogin", 0, "\0me\0you\0xterm/9600\0", 14),
    SAMPLE("xdmcp", UDP, "\0\1\0\2\0\1\0", 5),
    SAMPLE("teamviewer", 0, "\x17\x24\x0a\x20\0", 1),
    SAMPLE("openvpn", UDP, "\x38" "abcdefgh\0\0\0\0\0", 9),
    SAMPLE("openvpn", 0, "\0\x0e\x38" "abcdefgh\0\0\0\0\0", 11),
    SAMPLE("wireguard", UDP, "\3\0\0\0" ZERO32 "abcdefghijklmnopqrstuvwxyz12", 1),
    SAMPLE("ike", UDP, "abcdefgh" ZERO8 "\x21\x20\x22\x08\0\0\0\0\0\0\0\x1c", 17),
    SAMPLE("l2tp", UDP, "\xc8\2\0\x14\0\0\0\0\0\0\0\0\x80\x08\0\0\0\0\0\1", 3),
    SAMPLE("pptp", 0, "\0\x9c\0\1\x1a\x2b\x3c\x4d\0\1\0\0", 4),
    SAMPLE("socks", 0, "\5\1\0", 1),
    SAMPLE("dtls", UDP, "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x0c\1\0\0\0\0\0\0\0\0\0\0\0", 12),
    SAMPLE("tailscale", UDP, "TS\xf0\x9f\x92\xac" ZERO32 ZERO8 ZERO8 ZERO8, 3),
    SAMPLE("dnscrypt", UDP | 1, "r6fnvWj8" ZERO32 ZERO32, 3),
    SAMPLE("teredo", UDP, "\x60\0\0\0\0\0\x3b\x15" ZERO32, 5),
    SAMPLE("mysql", 1, "\x2f\0\0\0\x0a" "8.0.1\0abcd12345678\0\xff\xf7", 4),
    SAMPLE("tds", 0, "\x12\1\0\x2f\0\0\1\0\0\0\x1a\0\6\1\0", 12),
    SAMPLE("tns", 0, "\0\x3a\0\0\1\0\0\0\1\x36\1\x2c\0\0\x08\0\x7f\xff\x7f\x08\0\0\0\1\0\x18\0\x22", 4),
    SAMPLE("mongodb", 0, "\x40\0\0\0\1\0\0\0\0\0\0\0\xd4\7\0\0\0\0\0\0admin.$cmd\0\0\0\0\0", 12),
    SAMPLE("redis", 0, "*1\r\n$4\r\nPING\r\n", 4),
    SAMPLE("memcached", 0, "get key\r\n", 0),
    SAMPLE("cassandra", 0, "\4\0\0\0\5\0\0\0\0", 4),
    SAMPLE("drda", 0, "\0\x6a\xd0\1\0\1\0\x64\x10\x41", 2),
    SAMPLE("elasticsearch", 0, "ES\0\0\0\x40\0\0\0\0\0\0\0\1\0\0\x6a\xd3\x4f", 1),
    SAMPLE("ldap", 0, "\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0", 5),
    SAMPLE("krb5", UDP, "\x6a\x0e\x30\x0c\xa1\3\2\1\5\xa2\5\2\3\0\0\1", 8),
    SAMPLE("krb5", 0, "\0\0\0\x10\x6a\x0e\x30\x0c\xa1\3\2\1\5\xa2\5\2\3\0\0\1", 12),
    SAMPLE("snmp", UDP, "\x30\x0f\2\1\1\4\6public\xa0\2\0\0", 1),
    SAMPLE("ntp", UDP, "\x23\0\6\0" ZERO32 ZERO8 "\0\0\0\1", 1),
    SAMPLE("radius", UDP, "\1\1\0\x19" ZERO8 ZERO8 "\1\5" "abc", 3),
    SAMPLE("bgp", 0, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x1d\1", 15),
    SAMPLE("syslog", UDP, "<34>Oct 11 22:14:15 su: failed", 3),
    SAMPLE("zabbix", 0, "ZBXD\1", 3),
    SAMPLE("sip", UDP, "OPTIONS sip:a@b SIP/2.0\r\n", 18),
    SAMPLE("rtsp", 0, "DESCRIBE rtsp://a/b RTSP/1.0\r\n", 22),
    SAMPLE("stun", UDP, "\0\1\0\0\x21\x12\xa4\x42" "abcdefghijkl", 5),
    SAMPLE("ssdp", UDP, "M-SEARCH * HTTP/1.1\r\nHOST: x\r\n", 3),
    SAMPLE("mqtt", 0, "\x10\x0c\0\4MQTT\4\2\0\x3c\0\0", 5),
    SAMPLE("amqp", 0, "AMQP\0\0\x09\1", 2),
    SAMPLE("bittorrent", 0, "\x13" "BitTorrent protocol", 4),
    SAMPLE("bittorrent-dht", UDP, "d1:ad2:id20:abcdefghijklmnopqrst", 8),
    SAMPLE("dnp3", 0, "\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x21", 9),
    SAMPLE("modbus", 0, "\0\1\0\0\0\6\1\3\0\0\0\1", 3),
    SAMPLE("iec104", 0, "\x68\4\7\0\0\0", 3),
};
#define SAMPLES ((int)(sizeof samples / sizeof samples[0]))

static int32_t ask(const struct fake_traffic *f, const struct sample *s, const void *bytes, uint32_t n)
{
    uint8_t *own = malloc(n);           /* of its size, so that a byte too far is seen */
    int32_t answer;

    memcpy(own, bytes, n);
    answer = f->proto->probe(own, n, s->dir);
    free(own);
    return answer;
}

START_TEST(first_bytes_tell)
{
    struct fake_traffic *f = fake_new(recognise_register);
    const struct sample *s = &samples[_i];
    uint8_t other[512];
    /* A string's NUL belongs to it where the sample is a text of C: as long as its sizeof. */
    uint32_t n = s->n + (!strcmp(s->proto, "tftp") ? 1u : 0);

    fake_use(f, s->proto);
    ck_assert_msg(ask(f, s, s->bytes, n) == EC_YES, "%s is not recognised", s->proto);
    memcpy(other, s->bytes, n);
    other[s->at] ^= 0x40;
    ck_assert_msg(ask(f, s, other, n) != EC_YES, "%s with another byte at %u is recognised", s->proto, s->at);
    for (uint32_t cut = 1; cut < n; cut++)
        if (!(s->dir & UDP) && ask(f, s, s->bytes, cut) == EC_NO)
            ck_abort_msg("%s is refused by its first %u bytes", s->proto, cut);
    fake_free(f);
}
END_TEST

START_TEST(they_have_a_name_and_no_parser)
{
    struct fake_traffic *f = fake_new(recognise_register);

    for (uint32_t i = 0; i < f->n_all; i++) {
        bool tested = !strcmp(f->all[i]->name, "dhcp");         /* its own test: it is long */
        for (int k = 0; k < SAMPLES; k++)
            tested = tested || !strcmp(samples[k].proto, f->all[i]->name);
        ck_assert_msg(tested, "%s has no sample", f->all[i]->name);
        ck_assert(f->all[i]->flags & EC_PROTO_NAME_ONLY);
        ck_assert_ptr_null(f->all[i]->parse);
    }
    fake_free(f);
}
END_TEST

START_TEST(cookie_tells_dhcp)
{
    struct fake_traffic *f = fake_new(recognise_register);
    uint8_t d[300] = { 1, 1, 6 };

    fake_use(f, "dhcp");
    memcpy(d + 236, "\x63\x82\x53\x63", 4);
    ck_assert_int_eq(f->proto->probe(d, sizeof d, UDP), EC_YES);
    d[239]++;
    ck_assert_int_eq(f->proto->probe(d, sizeof d, UDP), EC_NO);
    fake_free(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recognise");
    TCase *tc = tcase_create("recognise");

    tcase_add_loop_test(tc, first_bytes_tell, 0, SAMPLES);
    tcase_add_test(tc, they_have_a_name_and_no_parser);
    tcase_add_test(tc, cookie_tells_dhcp);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
