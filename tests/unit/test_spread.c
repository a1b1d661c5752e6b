/* The program that spreads an interface's packets among workers, run by libpcap's machine; what the kernel alone knows
 * of a packet (does it go out, its type, the kind of its interface) is written into the program before. */
#include "tests/unit/unit.h"

#include "lib/spread.h"
#include "plugins/capture/linktype.h"
#include "plugins/capture/share.h"

#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KEY 0x12345678

_Static_assert(sizeof(struct sock_filter) == sizeof(struct bpf_insn), "two names of one thing");

struct packet {
    uint32_t n;
    uint8_t b[256];
};

static void put(struct packet *p, const char *hex)
{
    for (; *hex; hex += 2) {
        char pair[3] = {hex[0], hex[1], 0};

        p->b[p->n++] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

static uint32_t known(uint32_t what, uint32_t pkttype, uint32_t hatype, uint32_t protocol)
{
    switch (what) {
    case (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE:
        return pkttype;
    case (uint32_t)SKF_AD_OFF + SKF_AD_HATYPE:
        return hatype;
    case (uint32_t)SKF_AD_OFF + SKF_AD_PROTOCOL:
        return protocol;
    default:
        ck_abort_msg("the program asks for %#x", what);
    }
}

static uint32_t run(uint32_t key, uint32_t pkttype, uint32_t hatype, uint32_t protocol, const uint8_t *p, uint32_t n)
{
    static struct spread s;
    struct bpf_insn f[SPREAD_MAX];
    uint8_t *exact = malloc(n + 1);
    uint32_t found;

    spread_write(&s, key);
    memcpy(f, s.f, s.n * sizeof *f);
    for (uint32_t i = 0; i < s.n; i++)
        if (f[i].code == (BPF_LD | BPF_W | BPF_ABS))
            f[i] = (struct bpf_insn){BPF_LD | BPF_IMM, 0, 0, known(f[i].k, pkttype, hatype, protocol)};
    ck_assert(bpf_validate(f, s.n));
    memcpy(exact, p, n);
    found = bpf_filter(f, exact, n, n);
    free(exact);
    return found;
}

/* An Ethernet frame as it goes out, and as it comes in: the kernel has then taken the header away. */
static uint32_t out(const struct packet *p)
{
    return run(KEY, PACKET_OUTGOING, ARPHRD_ETHER, 0xffff, p->b, p->n);
}

static uint32_t in(const struct packet *p)
{
    return run(KEY, PACKET_HOST, ARPHRD_ETHER, (uint32_t)p->b[12] << 8 | p->b[13], p->b + 14, p->n - 14);
}

static const char macs[] = "020000000001020000000002";
static const char v4[] = "450000240001000040110000c0a80001c0a800630035ffff00100000", /* UDP */
    v4_back[] = "450000240001000040110000c0a80063c0a80001ffff003500100000",
    v4_first[] = "450000240001200040110000c0a80001c0a800630035ffff00100000",
    v4_later[] = "450000240001005040110000c0a80001c0a80063aaaaaaaaaaaaaaaa",
    v4_gre[] = "450000240001000040" "2f0000c0a80063c0a800010000080045000024",
    v4_options[] = "460000280001000040110000c0a80001c0a80063070400000035ffff";
#define V6_A "20010db8000000000000000000000001"
#define V6_B "20010db8000000010000000000000002"
static const char v6[] = "6000000000081140" V6_A V6_B "0035ffff00080000", v6_back[] = "6000000000081140" V6_B V6_A
                                                                            "ffff003500080000",
    v6_first[] = "6000000000102c40" V6_A V6_B "1100000100000001" "0035ffff00080000",
    v6_later[] = "6000000000102c40" V6_B V6_A "1100000800000001" "aaaaaaaaaaaaaaaa",
    v6_gre[] = "6000000000142f40" V6_B V6_A "0000080045000024";
static const char *const same4[] = {v4, v4_back, v4_first, v4_later, v4_gre, v4_options};
static const char *const same6[] = {v6, v6_back, v6_first, v6_later, v6_gre};

static const struct { const char *before4, *before6; } links[] = {
    {"0800", "86dd"},
    {"810000050800", "8100000586dd"},
    {"88a8000581000006910000070800", "88a80005810000069100000786dd"},
    {"886411000001001e0021", "886411000001001e0057"},
    {"8100000588641100000100" "1e0021", "81000005886411000001001e0057"},
    {"88470001013f", "88470001013f"},
    {"8848000100400002013f", "8848000100400002013f"},
    {"81000005884700010040000200" "40" "0003013f", "8100000588470001004000020040" "0003013f"},
};

static uint32_t plain(const char *packet)
{
    struct packet p = {0, {0}};

    put(&p, packet);
    return run(KEY, PACKET_HOST, ARPHRD_NONE, *packet == '4' ? 0x0800 : 0x86dd, p.b, p.n);
}

/* Behind each link header, in each direction, as it comes and as it goes; cut short it goes to the first. */
START_TEST(two_hosts_stay_together)
{
    const char *const *same = _i & 1 ? same6 : same4;
    uint32_t n = _i & 1 ? sizeof same6 / sizeof *same6 : sizeof same4 / sizeof *same4, want = plain(*same);

    ck_assert_uint_ne(want, 0);
    ck_assert_uint_ne(plain(v4), plain(v6));
    for (uint32_t i = 0; i < n; i++) {
        struct packet p = {0, {0}};
        uint32_t at;

        put(&p, macs);
        put(&p, _i & 1 ? links[_i / 2].before6 : links[_i / 2].before4);
        at = p.n;
        put(&p, same[i]);
        ck_assert_uint_eq(out(&p), want);
        ck_assert_uint_eq(in(&p), want);
        ck_assert_uint_eq(plain(same[i]), want);
        for (p.n = at + (_i & 1 ? 40 : 20); p.n-- > 14;) {
            ck_assert_uint_eq(out(&p), 0);
            ck_assert_uint_eq(in(&p), 0);
        }
    }
}
END_TEST

/* Errors about v4 and v6, of a router. */
static const char error_v4[] = "4500003c000000004001" "0000cb007101c0a80001" "0301000000000000" /* */
                               "460000280001000040110000c0a80001c0a80063070400000035ffff00100000",
    error_v6[] = "6000000000343a4020010db800000002000000000000000f" V6_A "0100000000000000" /* */
                 "6000000000081140" V6_A V6_B "0035ffff";

/* p, of n bytes, as the program and as share.c see it: alone, with another protocol, and as the flow it is about. */
static void agree(uint8_t *p, uint32_t n, const struct packet *flow, uint32_t type, uint32_t proto_at)
{
    uint32_t at[2][2], own, about;
    uint8_t proto = p[proto_at];

    for (int i = 0; i < 2; i++) {
        at[i][0] = run(KEY, PACKET_HOST, ARPHRD_NONE, type, p, n);
        at[i][1] = share_of(LINKTYPE_RAW, p, n, INT32_MAX);
        p[proto_at] = 99;
    }
    p[proto_at] = proto;
    own = at[0][1] == at[1][1];
    about = at[0][1] == share_of(LINKTYPE_RAW, flow->b, flow->n, INT32_MAX);
    ck_assert_uint_eq(own, at[0][0] == at[1][0]);
    ck_assert_uint_eq(about, at[0][0] == run(KEY, PACKET_HOST, ARPHRD_NONE, type, flow->b, flow->n));
}

/* Whatever one of its bytes is, an ICMP error goes as it does in a file: where its flow is, or by its own addresses. */
START_TEST(errors_go_as_in_files)
{
    struct packet error = {0, {0}}, flow = {0, {0}};
    uint32_t length_at = _i ? 5 : 3, most;

    put(&error, _i ? error_v6 : error_v4);
    put(&flow, _i ? v6 : v4);
    most = error.b[length_at];
    ck_assert_uint_eq(error.n, _i ? 40 + most : most);
    ck_assert_uint_eq(run(KEY, PACKET_HOST, ARPHRD_NONE, _i ? 0x86dd : 0x0800, error.b, error.n), plain(_i ? v6 : v4));
    for (uint32_t at = 0; at < error.n; at++)
        for (uint32_t value = 0; value < 256; value++) {
            uint8_t was = error.b[at];
            bool longer = at == length_at ? value > most : at == length_at - 1 && value;
            bool other = at == 0 && value >> 4 != was >> 4;

            error.b[at] = (uint8_t)value;
            if (!longer && !other)                  /* than it is; the engine makes no flow of such */
                agree(error.b, error.n, &flow, _i ? 0x86dd : 0x0800, _i ? 6 : 9);
            error.b[at] = was;
        }
}
END_TEST

/* As for files: what is not IP, and more tags and labels than are looked through. */
START_TEST(what_is_not_ip_goes_to_the_first)
{
    static const char *const not_ip[] = {
        "08060001080006040001", "0021aaaa030000000800", "810000050806", "886411000001001ec021", "8847000101000000",
        "8100000181000002810000038100000481000005810000060800",
        "884700010000000200000003000000040000000500000006000000070100",
    };

    for (uint32_t i = 0; i < sizeof not_ip / sizeof *not_ip; i++) {
        struct packet p = {0, {0}};

        put(&p, macs);
        put(&p, not_ip[i]);
        p.n += 40;                  /* zeros: no version of IP */
        ck_assert_uint_eq(out(&p), 0);
        ck_assert_uint_eq(in(&p), 0);
        if (i < 5)
            ck_assert_uint_eq(share_of(LINKTYPE_ETHERNET, p.b, p.n, 1000003), 0);
    }
}
END_TEST

/* The hosts of one network with those of another, neighbours with neighbours: by any number of workers, each gets its
 * part, and another key deals in another way. */
START_TEST(hosts_spread)
{
    static const uint32_t workers[] = {2, 3, 4, 8, 16};
    uint32_t moved = 0;

    for (uint32_t w = 0; w < 2 * sizeof workers / sizeof *workers; w++) {
        uint32_t count[16] = {0}, n = workers[w / 2], total = 4096;

        for (uint32_t i = 0; i < total; i++) {
            struct packet p = {0, {0}};
            uint32_t a = w & 1 ? i & 63 : i, b = w & 1 ? i >> 6 : i, one;

            put(&p, i & 1 ? v4 : v6);
            p.b[i & 1 ? 14 : 22] = (uint8_t)(a >> 8);
            p.b[i & 1 ? 15 : 23] = (uint8_t)a;
            p.b[i & 1 ? 18 : 38] = (uint8_t)(b >> 8);
            p.b[i & 1 ? 19 : 39] = (uint8_t)b;
            one = run(KEY, PACKET_HOST, ARPHRD_ETHER, i & 1 ? 0x0800 : 0x86dd, p.b, p.n) % n;
            moved += one != run(~(uint32_t)KEY, PACKET_HOST, ARPHRD_ETHER, i & 1 ? 0x0800 : 0x86dd, p.b, p.n) % n;
            count[one]++;
        }
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_uint_gt(count[i], total / n * 3 / 4);
            ck_assert_uint_lt(count[i], total / n * 5 / 4);
        }
    }
    ck_assert_uint_gt(moved, 10 * 4096 / 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spread");
    TCase *tc = tcase_create("spread");

    tcase_add_loop_test(tc, two_hosts_stay_together, 0, 2 * sizeof links / sizeof *links);
    tcase_add_loop_test(tc, errors_go_as_in_files, 0, 2);
    tcase_add_test(tc, what_is_not_ip_goes_to_the_first);
    tcase_add_test(tc, hosts_spread);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
