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
    SAMPLE("enip", 0, "\x65\0\4\0\0\0\0\0\0\0\0\0" ZERO8 "\0\0\0\0\1\0\0\0", 20),
    SAMPLE("cotp", 0, "\3\0\0\x16\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2", 5),
    SAMPLE("bacnet", UDP, "\x81\x0a\0\x08\1\0\x10\x08", 3),
    SAMPLE("opc-ua", 0, "HELF\x38\0\0\0\0\0\0\0", 3),
    SAMPLE("ams", 0, "\0\0\x20\0\0\0" ZERO8 ZERO8 "\4\0\4\0\0\0\0\0\0\0\0\0\5\0\0\0", 2),
    SAMPLE("fins", 0, "FINS\0\0\0\x0c\0\0\0\0", 2),
    SAMPLE("fins-udp", UDP, "\x80\0\2\0\0\0\0\0\0\x7a\1\1", 1),
    SAMPLE("hart-ip", UDP, "\1\0\0\0\0\2\0\x0d\1\0\0\x75\x30", 7),
    SAMPLE("egd", UDP, "\x0d\1\xd4\xf0" ZERO32, 1),
    SAMPLE("some-ip", UDP, "\x12\x34\0\x08\0\0\0\x0c\0\0\0\1\1\1\0\0abcd", 12),
    SAMPLE("coap", UDP, "\x44\1\0\1abcd\xb3" "foo", 0),
    SAMPLE("dcerpc", 0, "\5\0\x0b\3\x10\0\0\0\x48\0\0\0\1\0\0\0", 1),
    SAMPLE("rtcp", UDP, "\x80\xc8\0\6" ZERO8 ZERO8 ZERO8 "\x81\xca\0\1" "abcd", 0),
    SAMPLE("rtp", UDP, "\x80\x12\0\1\0\0\0\1abcd" "0123456789" "0123456789", 0),
    SAMPLE("rtp", UDP, "\x90\x6f\0\1\0\0\0\1abcd\xbe\xde\0\1\x10\xff\0\0" "voice", 12),
    SAMPLE("hislip", 0, "HS\0\0\1\0RS\0\0\0\0\0\0\0\7hislip0", 8),
    SAMPLE("bfcp", UDP, "\x20\3\0\1\0\0\0\1\0\2\5\4abcd", 0),
    SAMPLE("discord", UDP, "\0\1\0\x46" ZERO32 ZERO32 "\0\0\0\0\0\0", 3),
    SAMPLE("steam", UDP, "\xff\xff\xff\xff\x21\x4c\x5f\xa0\x16\0\0\0", 5),
    SAMPLE("source-engine", UDP, "\xff\xff\xff\xff\x54Source Engine Query\0", 7),
    SAMPLE("raknet", UDP, "\x05\0\xff\xff\0\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78\x0b", 9),
    SAMPLE("netcode", UDP, "\0NETCODE 1.02\0", 4),
    SAMPLE("rtmp", 0, "\3\0\0\0\1\0\0\0\0abcdef", 0),
    SAMPLE("iax", UDP, "\x80\4\0\0\0\0\0\0\0\0\6\1", 8),
    SAMPLE("skinny", 0, "\x10\0\0\0\0\0\0\0\1\0\0\0" ZERO8, 4),
    SAMPLE("zoom", UDP, "\1\0\3\xc8" ZERO32 ZERO8, 2),
    SAMPLE("netflow", UDP, "\0\5\0\1" ZERO8 ZERO8 "\0\0\0\0" ZERO32 ZERO8 ZERO8, 1),
    SAMPLE("netflow", UDP, "\0\x0a\0\x18" ZERO8 "\0\0\0\0\0\2\0\x08\1\0\0\0", 3),
    SAMPLE("netflow", UDP, "\0\x09\0\1" ZERO8 ZERO8 "\0\0\0\x08\1\0\0\0", 22),
    SAMPLE("diameter", 0, "\1\0\0\x2c\x80\0\1\1\0\0\0\0" "abcdefgh"
           "\0\0\1\x08\x40\0\0\x0chost\0\0\1\x28\x40\0\0\x0crealm", 0),
    SAMPLE("sflow", UDP, "\0\0\0\5\0\0\0\1\x7f\0\0\1\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\1", 3),
    SAMPLE("ldp", UDP, "\0\1\0\x1e\x0a\0\0\6\0\0\1\0\0\x14\0\0\0\0\4\0\0\4\0\x0f\0\0\4\1\0\4\x0a\0\0\6", 1),
    SAMPLE("bfd", UDP, "\x20\x40\3\x18\0\0\0\1\0\0\0\0\0\x0f\x42\x40\0\x0f\x42\x40\0\0\0\0", 3),
    SAMPLE("rip", UDP, "\2\2\0\0\0\2\0\0\x0a\0\0\0\xff\0\0\0\0\0\0\0\0\0\0\1", 2),
    SAMPLE("hsrp", UDP, "\0\0\x08\3\x0a\x50\x0a\0cisco\0\0\0\x0a\x1c\xa8\xfe", 1),
    SAMPLE("gtp", UDP, "\x32\1\0\4\0\0\0\0\0\1\0\0", 2),
    SAMPLE("capwap", UDP, "\1\0\0\0\x16\xfe\xff\0\0", 5),
    SAMPLE("dlep", UDP, "DLEP\0\1\0\4\0\4\0\0", 7),
    SAMPLE("dlep", 0, "\0\1\0\x08\0\5\0\4\0\0\xea\x60", 7),
    SAMPLE("openflow", 0, "\4\0\0\x08\0\0\0\1", 1),
    SAMPLE("http2", 0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 20),
    SAMPLE("nats", 1, "INFO {\"server_id\":\"x\"}\r\n", 5),
    SAMPLE("thrift", 0, "\x80\1\0\1\0\0\0\4ping\0\0\0\0", 2),
    SAMPLE("thrift", UDP, "\x82\x81\x05\x09" "emitBatch", 1),
    SAMPLE("openwire", 0, "\0\0\0\xf0\1ActiveMQ\0\0\0\x0c", 6),
    SAMPLE("stomp", 0, "CONNECT\naccept-version:1.2\n\n", 7),
    SAMPLE("gearman", 0, "\0REQ\0\0\0\1\0\0\0\2wc", 7),
    SAMPLE("fastcgi", 0, "\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0", 8),
    SAMPLE("giop", 0, "GIOP\1\2\0\0\0\0\0\xd8", 3),
    SAMPLE("fix", 0, "8=FIX.4.1\0019=00", 2),
    SAMPLE("collectd", UDP, "\0\0\0\x09host\0\0\x08\0\x0c\x18\xaa\x86\xd9\xff\xbb\xca\xa3", 3),
    SAMPLE("netbios-ns", UDP, "\x45\x7f\x01\x10\0\1\0\0\0\0\0\0" NB_NAME "\0\x20\0\1", 20),
    SAMPLE("netbios-dgm", UDP, "\x11\x0a\0\1\x0a\0\0\1\0\x8a\0\xbb\0\0", 9),
    SAMPLE("levin", 0, "\1\x21\1\1\1\1\1\1\6\1\0\0\0\0\0\0\1", 4),
    SAMPLE("bitcoin", 0, "\xf9\xbe\xb4\xd9version\0\0\0\0\0\x66\0\0\0", 15),
    SAMPLE("roughtime", UDP, "\2\0\0\0\x40\0\0\0NONCPAD\xff" ZERO32 ZERO8 ZERO8, 9),
    SAMPLE("syncthing", UDP, "\x2e\xa7\xd9\x0b\x0a\x20", 1),
    SAMPLE("spotify", UDP, "SpotUdp0abc", 4),
    SAMPLE("edonkey", 0, "\xe3\x17\0\0\0\1" ZERO8 ZERO8 "\0\0\0\0\0\0\0", 5),
    SAMPLE("bittorrent-lsd", UDP, "BT-SEARCH * HTTP/1.1\r\nHost: x\r\n", 4),
    SAMPLE("kafka", 0, "\0\0\0\x34\0\x12\0\3\0\0\0\0\0\4test\0", 4),
    SAMPLE("smpp", 0, "\0\0\0\x28\0\0\0\2\0\0\0\0\0\0\0\1", 7),
    SAMPLE("slp", UDP, "\2\1\0\0\x10\0\0\0\0\0\0\1\0\2" "en", 4),
    SAMPLE("ws-discovery", UDP, "<?xml version=\"1.0\"?><soap:Envelope x>", 30),
    SAMPLE("nntp", 1, "200 ready\r\n", 1),
    SAMPLE("whois", 0, "example.com\r\n", 12),
    SAMPLE("irc", 0, "NICK me\r\n", 2),
    SAMPLE("utp", UDP, "\x41\0\x12\x34" ZERO8 "\0\x10\0\0\0\1\0\0", 1),
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
