#include "tests/unit/unit.h"

#include "plugins/capture/filter.h"
#include "plugins/capture/linktype.h"
#include "plugins/capture/replay.h"
#include "plugins/capture/savefile.h"
#include "plugins/capture/share.h"

#include <dirent.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a folder for what the tests write ---- */

static char dir[64];

static void dir_make(void)
{
    strcpy(dir, "/tmp/test_capture.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void dir_remove(void)
{
    char path[512];
    DIR *d = opendir(dir);

    for (struct dirent *e; (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        unlink(path);
    }
    closedir(d);
    rmdir(dir);
}

static const char *in_dir(const char *name)
{
    static char path[4][256];
    static int i;

    i = (i + 1) % 4;
    snprintf(path[i], sizeof path[i], "%s/%s", dir, name);
    return path[i];
}

struct bytes {
    uint8_t b[1 << 20];
    uint32_t n;
};
static struct bytes made;

static void put(const void *p, uint32_t n)
{
    memcpy(made.b + made.n, p, n);
    made.n += n;
}
static void put32(uint32_t v)
{
    put(&v, 4);
}
static void put16(uint16_t v)
{
    put(&v, 2);
}
static void put_file(const char *name)
{
    FILE *f = fopen(in_dir(name), "w");

    ck_assert_uint_eq(fwrite(made.b, 1, made.n, f), made.n);
    fclose(f);
    made.n = 0;
}

static void pcap_header(uint32_t magic, uint32_t network)
{
    put32(magic);
    put16(2);
    put16(4);
    put32(0);
    put32(0);
    put32(65535);
    put32(network);
}
static void pcap_record(uint32_t sec, uint32_t frac, const void *p, uint32_t n, uint32_t len)
{
    put32(sec);
    put32(frac);
    put32(n);
    put32(len);
    put(p, n);
}

static void block(uint32_t type, const void *body, uint32_t n)
{
    uint32_t pad = (4 - n % 4) % 4;

    put32(type);
    put32(12 + n + pad);
    put(body, n);
    put("\0\0\0", pad);
    put32(12 + n + pad);
}
static void section(void)
{
    static const uint32_t body[] = {0x1a2b3c4d, 1, 0xffffffff, 0xffffffff};

    block(0x0a0d0d0a, body, sizeof body);
}
static void interface(uint16_t linktype, uint8_t resolution)
{
    uint8_t body[20] = {0};

    memcpy(body, &linktype, 2);
    body[8] = 9;
    body[10] = 1;
    body[12] = resolution;
    block(1, body, sizeof body);
}
static void enhanced(uint32_t id, uint64_t units, const char *text)
{
    uint32_t body[5 + 64] = {id, (uint32_t)(units >> 32), (uint32_t)units, (uint32_t)strlen(text),
                             9999};

    memcpy(body + 5, text, strlen(text));
    block(6, body, 20 + (uint32_t)strlen(text));
}

/* ---- what a replay says and gives ---- */

#define MAX_SAID 16
static char said[MAX_SAID][4608];
static uint32_t n_said, said_of[SAY_KINDS];

static void hear(void *arg, enum say_what what, const char *sentence)
{
    (void)arg;
    said_of[what]++;
    if (n_said < MAX_SAID)
        snprintf(said[n_said++], sizeof said[0], "%s", sentence);
}

static struct replay *replay(const char *path, const char *filter, uint32_t share, uint32_t shares,
                             char *why)
{
    struct replay_config c = {path, filter, 0, share, shares, {hear, NULL}};

    return replay_open(&c, why, 4608);
}

typedef void frame_fn(const struct ec_frame *f, void *arg);

/* Fetches all, in batches of n. Checks what must hold for every fetch. Returns the number of
 * frames. */
static uint32_t replay_all(struct replay *r, uint32_t batch, frame_fn *fn, void *arg)
{
    struct ec_frame frame[64], *f[64];
    uint32_t why = EC_SRC_MORE, sum = 0, n;
    uint64_t c[EC_SRC_STATS];

    for (uint32_t i = 0; i < 64; i++)
        f[i] = &frame[i];
    while (why == EC_SRC_MORE) {
        n = replay_fetch(r, f, batch, -1, 0, &why);
        ck_assert_uint_le(n, batch);
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_uint_le(f[i]->caplen, f[i]->wirelen);
            if (fn)
                fn(f[i], arg);
        }
        replay_finish(r, n);
        sum += n;
    }
    ck_assert_uint_eq(why, EC_SRC_END);
    replay_stats(r, c, EC_SRC_STATS);
    ck_assert_uint_eq(c[EC_SRC_DELIVERED], sum);
    ck_assert_uint_eq(c[EC_SRC_SEEN], sum + c[EC_SRC_FILTERED] + c[EC_SRC_BAD]);
    return sum;
}

static uint32_t replay_path(const char *path, frame_fn *fn, void *arg)
{
    char why[4608] = "";
    struct replay *r = replay(path, NULL, 0, 1, why);
    uint32_t n;

    ck_assert_msg(r != NULL, "%s", why);
    n = replay_all(r, 64, fn, arg);
    replay_close(r);
    return n;
}

static void hear_nothing(void)
{
    n_said = 0;
    made.n = 0;
    memset(said_of, 0, sizeof said_of);
    dir_make();
}

/* ---- against libpcap, on every capture of ours ---- */

struct reference {
    pcap_t *p;
    uint64_t count;
    int refused;                /* libpcap reads no file of several link types; we do */
};

static void compare(const struct ec_frame *f, void *arg)
{
    struct reference *ref = arg;
    struct pcap_pkthdr *h;
    const u_char *data;

    if (ref->refused)
        return;
    if (pcap_next_ex(ref->p, &h, &data) == PCAP_ERROR) {
        ck_assert_ptr_nonnull(
            strstr(pcap_geterr(ref->p), "different from the type of the first interface"));
        ref->refused = 1;
        return;
    }
    ck_assert_uint_eq(f->count, ++ref->count);
    ck_assert_uint_eq(f->ts_ns, (uint64_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec);
    ck_assert_uint_eq(f->caplen, h->caplen);
    ck_assert_uint_eq(f->wirelen, h->len < h->caplen ? h->caplen : h->len);
    ck_assert_uint_eq(f->linktype, linktype_from_dlt((uint32_t)pcap_datalink(ref->p)));
    ck_assert_int_eq(memcmp(f->data, data, h->caplen), 0);
}

START_TEST(reads_what_libpcap_reads)
{
    char path[1024], text[PCAP_ERRBUF_SIZE];
    const char *data = getenv("EC_DATA") ? getenv("EC_DATA") : UNIT_DATA;
    struct dirent **e;
    int n = scandir(data, &e, NULL, alphasort), compared = 0;

    ck_assert_int_gt(n, 0);
    for (int i = 0; i < n; i++) {
        struct reference ref = {NULL, 0, 0};
        struct pcap_pkthdr *h;
        const u_char *p;

        snprintf(path, sizeof path, "%s/%s", data, e[i]->d_name);
        free(e[i]);
        if (!strstr(path, ".pcap") || !(ref.p = pcap_open_offline_with_tstamp_precision(
                                            path, PCAP_TSTAMP_PRECISION_NANO, text)))
            continue;
        replay_path(path, compare, &ref);
        if (!ref.refused)
            ck_assert_int_le(pcap_next_ex(ref.p, &h, &p), 0);
        pcap_close(ref.p);
        compared++;
    }
    free(e);
    ck_assert_int_ge(compared, 10);
}
END_TEST

/* ---- formats ---- */

static void last_frame(const struct ec_frame *f, void *arg)
{
    *(struct ec_frame *)arg = *f;
}

START_TEST(stamps_of_both_precisions_and_both_byte_orders)
{
    struct ec_frame f;

    pcap_header(0xa1b2c3d4, 1);
    pcap_record(5, 6, "x", 1, 1);
    put_file("us");
    replay_path(in_dir("us"), last_frame, &f);
    ck_assert_uint_eq(f.ts_ns, 5000006000u);

    pcap_header(0xa1b23c4d, 1);
    pcap_record(5, 6, "x", 1, 1);
    put_file("ns");
    replay_path(in_dir("ns"), last_frame, &f);
    ck_assert_uint_eq(f.ts_ns, 5000000006u);

    put("\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\x65", 24);
    put("\0\0\0\5\0\0\0\6\0\0\0\1\0\0\0\2x", 17);
    put_file("be");
    replay_path(in_dir("be"), last_frame, &f);
    ck_assert_uint_eq(f.ts_ns, 5000006000u);
    ck_assert_uint_eq(f.linktype, LINKTYPE_RAW);
    ck_assert_uint_eq(f.flags, EC_FR_REPLAY | EC_FR_CUT);
}
END_TEST

static const struct {
    uint8_t resolution;
    uint64_t units, ns;
} resolutions[] = {
    {6, 1500000, 1500000000},
    {9, 1500000000, 1500000000},
    {0, 2, 2000000000},
    {3, 1500, 1500000000},
    {12, UINT64_C(1500000000000), 1500000000},
    {18, UINT64_C(1500000000000000000), 1500000000},
    {0x80, 2, 2000000000},
    {0x81, 3, 1500000000},
    {0xa0, UINT64_C(3) << 31, 1500000000},
    {0xff, 7, 0},
    {0x7f, 7, 0},
};

START_TEST(pcapng_resolutions)
{
    struct ec_frame f;

    section();
    interface(1, resolutions[_i].resolution);
    enhanced(0, resolutions[_i].units, "abc");
    put_file("ng");
    ck_assert_uint_eq(replay_path(in_dir("ng"), last_frame, &f), 1);
    ck_assert_uint_eq(f.ts_ns, resolutions[_i].ns);
    ck_assert_uint_eq(f.caplen, 3);
    ck_assert_uint_eq(f.wirelen, 9999);
}
END_TEST

static void add_linktype(const struct ec_frame *f, void *arg)
{
    *(uint64_t *)arg = *(uint64_t *)arg * 1000 + f->linktype;
}

START_TEST(pcapng_interfaces_of_different_link_types)
{
    uint64_t types = 0;
    uint32_t simple[2] = {3, 0x636261};

    section();
    interface(1, 6);
    interface(12, 6);       /* DLT_RAW, as some programs write it */
    block(5, "statistics", 10);
    enhanced(0, 1, "a");
    enhanced(1, 2, "b");
    block(3, simple, sizeof simple);
    section();
    interface(276, 6);
    block(0xbad, "custom", 6);
    enhanced(0, 3, "c");
    put_file("ng");
    ck_assert_uint_eq(replay_path(in_dir("ng"), add_linktype, &types), 4);
    ck_assert_uint_eq(types, UINT64_C(1101001276));
    ck_assert_uint_eq(n_said, 0);
}
END_TEST

START_TEST(pcapng_bad_block_is_passed_over_and_counted)
{
    char why[4608];
    uint64_t c[EC_SRC_STATS];
    struct replay *r;
    struct ec_frame f;
    uint32_t too_long[6] = {0, 0, 0, 500, 500, 0};

    section();
    interface(1, 6);
    enhanced(7, 1, "no such interface");
    block(6, too_long, sizeof too_long);
    block(6, "short", 5);
    enhanced(0, 1, "good");
    put_file("ng");
    r = replay(in_dir("ng"), NULL, 0, 1, why);
    ck_assert_uint_eq(replay_all(r, 64, last_frame, &f), 1);
    ck_assert_uint_eq(f.count, 4);
    replay_stats(r, c, EC_SRC_STATS);
    ck_assert_uint_eq(c[EC_SRC_BAD], 3);
    replay_close(r);
}
END_TEST

/* ---- files that end early: read what is there, say where, go on ---- */

START_TEST(cut_at_every_byte)
{
    static const char end[] = " ends early: after ";
    uint32_t whole, first;

    pcap_header(0xa1b2c3d4, 1);
    pcap_record(1, 0, "first", 5, 5);
    first = made.n;
    pcap_record(2, 0, "second", 6, 6);
    whole = made.n;
    for (uint32_t n = 24; n < whole; n++) {
        uint32_t packets = n < first ? 0 : 1;

        n_said = 0;
        made.n = n;
        put_file("cut");
        ck_assert_uint_eq(replay_path(in_dir("cut"), NULL, NULL), packets);
        if (n == 24 || n == first) {
            ck_assert_uint_eq(n_said, 0);
            continue;
        }
        ck_assert_uint_eq(n_said, 1);
        ck_assert_ptr_nonnull(strstr(said[0], end));
        ck_assert_ptr_nonnull(
            strstr(said[0], packets ? "after 1 packet, at byte 45: the file was cut"
                                    : "after 0 packets, at byte 24: the file was cut"));
    }
}
END_TEST

START_TEST(pcapng_cut_at_every_byte)
{
    uint32_t whole;

    section();
    interface(1, 6);
    enhanced(0, 1, "first");
    enhanced(0, 1, "second");
    whole = made.n;
    for (uint32_t n = 28; n < whole; n++) {
        made.n = n;
        put_file("cut");
        ck_assert_uint_lt(replay_path(in_dir("cut"), NULL, NULL), 2);
        made.n = whole;
    }
}
END_TEST

START_TEST(an_absurd_record_ends_the_file_and_not_the_replay)
{
    pcap_header(0xa1b2c3d4, 1);
    pcap_record(1, 0, "first", 5, 5);
    put32(2);
    put32(0);
    put32(0x7fffffff);
    put32(0x7fffffff);
    put("rest", 4);
    put_file("a.pcap");
    pcap_header(0xa1b2c3d4, 1);
    pcap_record(3, 0, "other", 5, 5);
    put_file("b.pcap");
    ck_assert_uint_eq(replay_path(dir, NULL, NULL), 2);
    ck_assert_uint_eq(n_said, 1);
    ck_assert_ptr_nonnull(
        strstr(said[0], "a.pcap ends early: after 1 packet, at byte 45: the next one claims to be "
                        "longer than 256 KiB; what was read counts"));
}
END_TEST

/* ---- refusals ---- */

static const struct {
    const char *bytes;
    uint32_t n;
    const char *says;
} strangers[] = {
    {"", 0, " is empty: it holds no capture; was it recorded to the end?"},
    {"\xd4\xc3", 2, " is no capture, or it was cut: it has only 2 bytes"},
    {"\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0", 12, " is no capture, or it was cut: it has only 12 bytes"},
    {"\x1f\x8b\x08\0\0\0\0\0", 8, " is compressed with gzip; unpack it first: gunzip -k "},
    {"\x28\xb5\x2f\xfd\0\0\0\0", 8, " is compressed with zstd; unpack it first: unzstd "},
    {"\xfd\x37\x7a\x58\x5a\0\0\0", 8, " is compressed with xz; unpack it first: unxz -k "},
    {"BZh91AY&", 8, " is compressed with bzip2; unpack it first: bunzip2 -k "},
    {"snoop\0\0\0", 8, " is a snoop capture; convert it to pcapng first: editcap -F pcapng "},
    {"#!/bin/sh\n", 10,
     " is not a capture: it starts with 23 21 2f 62, which is neither pcap nor pcapng"},
    {"\xd4\xc3\xb2\xa1\1\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0\0", 24,
     " is damaged: its header names a pcap version that was never in use (only 2.x was)"},
    {"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1b\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0",
     28, " is damaged: a section header has no byte-order mark"},
    {"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\2\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0",
     28, " is damaged: a section is of a pcapng version that is not known here (only 1.x is)"},
    {"\x0a\x0d\x0d\x0a\x0c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0",
     28, " is damaged: a section header has an impossible length"},
};

START_TEST(what_is_no_capture_is_refused_in_one_sentence)
{
    char why[4608] = "", want[256];

    put(strangers[_i].bytes, strangers[_i].n);
    put_file("x");
    ck_assert_ptr_null(replay(in_dir("x"), NULL, 0, 1, why));
    snprintf(want, sizeof want, "%s%s", in_dir("x"), strangers[_i].says);
    if (want[strlen(want) - 1] == ' ')
        strcat(want, in_dir("x"));
    ck_assert_str_eq(why, want);
}
END_TEST

START_TEST(paths_that_cannot_be_read)
{
    char why[4608], want[512];

    ck_assert_ptr_null(replay("/nonexistent.pcap", NULL, 0, 1, why));
    ck_assert_str_eq(why, "cannot open /nonexistent.pcap: No such file or directory");
    put("text", 4);
    put_file("readme");
    ck_assert_ptr_null(replay(dir, NULL, 0, 1, why));
    snprintf(want, sizeof want,
             "the folder %s has no capture: none of its 1 files is pcap or pcapng", dir);
    ck_assert_str_eq(why, want);
    ck_assert_uint_eq(said_of[SAY_SKIPPED], 1);
}
END_TEST

/* ---- folders ---- */

static void add_second(const struct ec_frame *f, void *arg)
{
    uint64_t *sum = arg;

    sum[0] = sum[0] * 10 + f->ts_ns / 1000000000u;
    ck_assert_uint_eq(f->count, ++sum[1]);
}

START_TEST(folder_goes_by_the_time_of_the_first_packet)
{
    uint64_t sum[2] = {0, 0};

    pcap_header(0xa1b2c3d4, 1);
    pcap_record(4, 0, "d", 1, 1);
    pcap_record(5, 0, "e", 1, 1);
    put_file("a.pcap");
    section();
    interface(1, 6);
    enhanced(0, 3000000, "c");
    put_file("b.pcapng");
    pcap_header(0xa1b2c3d4, 1);
    put_file("empty.pcap");
    pcap_header(0xa1b2c3d4, 1);
    pcap_record(1, 0, "a", 1, 1);
    pcap_record(2, 0, "b", 1, 1);
    put_file("z.pcap");
    put("not a capture", 13);
    put_file("notes.txt");
    ck_assert_uint_eq(replay_path(dir, add_second, sum), 5);
    ck_assert_uint_eq(sum[0], 12345);
    ck_assert_uint_eq(n_said, 1);
    ck_assert_ptr_nonnull(strstr(said[0], "notes.txt is not a capture"));
}
END_TEST

/* ---- batches, shares and filters ---- */

#define PACKETS 3000

static void ipv4_packet(uint8_t *p, uint32_t a, uint32_t b, uint16_t sport)
{
    memset(p, 0, 42);
    p[12] = 8;
    p[14] = 0x45;
    p[23] = 17;
    memcpy(p + 26, &a, 4);
    memcpy(p + 30, &b, 4);
    p[34] = (uint8_t)(sport >> 8);
    p[35] = (uint8_t)sport;
}

static void many_packets(const char *name)
{
    uint8_t p[42];

    pcap_header(0xa1b2c3d4, 1);
    for (uint32_t i = 0; i < PACKETS - 1; i++) {
        uint32_t a = 0x0a000001 + i % 37 * 65536, b = 0xc0a80001 + i % 41 * 65536;

        ipv4_packet(p, i & 1 ? a : b, i & 1 ? b : a, (uint16_t)i);
        pcap_record(i, 0, p, sizeof p, sizeof p);
    }
    memset(p, 0, sizeof p);
    pcap_record(PACKETS, 0, p, sizeof p, sizeof p);
    put_file(name);
}

static void digest(const struct ec_frame *f, void *arg)
{
    uint64_t *h = arg;

    *h = (*h ^ f->count ^ f->ts_ns) * UINT64_C(0x100000001b3);
    for (uint32_t i = 0; i < f->caplen; i++)
        *h = (*h ^ f->data[i]) * UINT64_C(0x100000001b3);
}

START_TEST(batches_cannot_be_seen)
{
    static const uint32_t batch[] = {1, 2, 63, 64};
    uint64_t h[4] = {1, 1, 1, 1};
    char why[4608];

    many_packets("many");
    for (int i = 0; i < 4; i++) {
        struct replay *r = replay(in_dir("many"), NULL, 0, 1, why);

        ck_assert_uint_eq(replay_all(r, batch[i], digest, &h[i]), PACKETS);
        replay_close(r);
        ck_assert_uint_eq(h[i], h[0]);
    }
}
END_TEST

struct owners {
    uint8_t times[PACKETS + 1];
    uint32_t self;
};

static void own(const struct ec_frame *f, void *arg)
{
    struct owners *o = arg;

    o->times[f->count]++;
    if (!f->data[12])
        ck_assert_uint_eq(o->self, 0);  /* not IP */
}

START_TEST(shares_are_a_partition)
{
    static struct owners o;
    uint32_t sum = 0, most = 0;
    char why[4608];

    many_packets("many");
    for (uint32_t share = 0; share < 4; share++) {
        struct replay *r = replay(in_dir("many"), NULL, share, 4, why);
        uint64_t c[EC_SRC_STATS];
        uint32_t n;

        o.self = share;
        n = replay_all(r, 64, own, &o);
        replay_stats(r, c, EC_SRC_STATS);
        ck_assert_uint_eq(c[EC_SRC_SEEN], n);
        sum += n;
        most = n > most ? n : most;
        replay_close(r);
    }
    ck_assert_uint_eq(sum, PACKETS);
    for (uint32_t i = 1; i <= PACKETS; i++)
        ck_assert_uint_eq(o.times[i], 1);
    ck_assert_uint_lt(most, PACKETS / 2);
}
END_TEST

START_TEST(filter_counts_what_it_refuses)
{
    char why[4608];
    uint64_t c[EC_SRC_STATS], sum = 0, refused = 0;

    many_packets("many");
    for (uint32_t share = 0; share < 2; share++) {
        struct replay *r = replay(in_dir("many"), "udp and src portrange 0-99", share, 2, why);

        sum += replay_all(r, 64, NULL, NULL);
        replay_stats(r, c, EC_SRC_STATS);
        refused += c[EC_SRC_FILTERED];
        replay_close(r);
    }
    ck_assert_uint_eq(sum, 100);
    ck_assert_uint_eq(refused, PACKETS - 100);
}
END_TEST

START_TEST(filter_that_suits_one_link_type_only)
{
    char why[4608];
    struct replay *r;

    section();
    interface(1, 6);
    interface(LINKTYPE_RAW, 6);
    enhanced(0, 1, "..............................");
    enhanced(1, 1, "..............................");
    enhanced(1, 1, "..............................");
    put_file("ng");
    r = replay(in_dir("ng"), "ether host 2e:2e:2e:2e:2e:2e", 0, 1, why);
    ck_assert_uint_eq(replay_all(r, 64, NULL, NULL), 1);
    replay_close(r);
    ck_assert_uint_eq(said_of[SAY_FILTER], 1);
    ck_assert_ptr_nonnull(strstr(said[0], "cannot be used with link type 101: "));
}
END_TEST

static const char hex_v4[] = "45000000000000004011000001020304ffeeddcc";
static const char hex_v4_back[] = "45000000000000004011"
                                  "0000ffeeddcc01020304";
static const char hex_v6[] =
    "6000000000001140200100000000000000000000000000012001000000000000000000000000aabb";
static const char hex_v6_back[] = "6000000000001140"
                                  "2001000000000000000000000000aabb"
                                  "20010000000000000000000000000001";

static uint32_t unhex(const char *hex, uint8_t *to)
{
    uint32_t n = 0;

    for (unsigned v; sscanf(hex, "%2x", &v) == 1; hex += 2)
        to[n++] = (uint8_t)v;
    return n;
}

static const struct {
    uint32_t linktype;
    const char *v4, *v6;            /* link headers */
} links[] = {
    {LINKTYPE_RAW, "", ""},
    {LINKTYPE_ETHERNET, "0102030405060708090a0b0c0800", "0102030405060708090a0b0c86dd"},
    {LINKTYPE_ETHERNET, "0102030405060708090a0b0c810000050800",
     "0102030405060708090a0b0c8100000586dd"},
    {LINKTYPE_ETHERNET, "0102030405060708090a0b0c88a80001810000050800",
     "0102030405060708090a0b0c910000018100000586dd"},
    {LINKTYPE_ETHERNET, "0102030405060708090a0b0c88641100000100040021",
     "0102030405060708090a0b0c88641100000100040057"},
    {LINKTYPE_ETHERNET, "0102030405060708090a0b0c88470000104000002140",
     "0102030405060708090a0b0c88470000104000002140"},
    {LINKTYPE_LINUX_SLL, "00000001000600000000000000000800", "000000010006000000000000000086dd"},
    {LINKTYPE_LINUX_SLL2, "0800000000000001000100060000000000000000",
     "86dd000000000001000100060000000000000000"},
    {LINKTYPE_NULL, "02000000", "1c000000"},
    {LINKTYPE_PPP, "ff030021", "0057"},
};

START_TEST(share_sees_through_link_headers_and_both_ways)
{
    uint8_t p[256];
    uint32_t plain[2], n, at;

    n = unhex(hex_v4, p);
    plain[0] = share_of(LINKTYPE_RAW, p, n, 1000003);
    n = unhex(hex_v6, p);
    plain[1] = share_of(LINKTYPE_RAW, p, n, 1000003);
    ck_assert_uint_ne(plain[0], plain[1]);
    for (int v6 = 0; v6 < 2; v6++) {
        at = unhex(v6 ? links[_i].v6 : links[_i].v4, p);
        n = at + unhex(v6 ? hex_v6 : hex_v4, p + at);
        ck_assert_uint_eq(share_of(links[_i].linktype, p, n, 1000003), plain[v6]);
        ck_assert_uint_eq(share_of(links[_i].linktype, p, n, 1), 0);
        n = at + unhex(v6 ? hex_v6_back : hex_v4_back, p + at);
        ck_assert_uint_eq(share_of(links[_i].linktype, p, n, 1000003), plain[v6]);
        for (uint32_t cut = 0; cut < at + (v6 ? 40 : 20); cut++) {
            uint8_t *exact = malloc(cut + 1);

            memcpy(exact, p, cut);
            ck_assert_uint_eq(share_of(links[_i].linktype, exact, cut, 1000003), 0);
            free(exact);
        }
    }
}
END_TEST

/* A port that is unreachable: what a router says of a packet (IPv4 of hex_v4's addresses, IPv6 of hex_v6's). */
static const char hex_error_v4[] = "450000380000000040010000c0000201010203040301000000000000"
                                   "45000020000000004011000001020304ffeeddcc1234003500080000";
static const char hex_error_v6[] = "6000000000343a40200100000000000000000000000000ff20010000000000000000000000000001"
                                   "0101000000000000" "6000000000041140200100000000000000000000000000012001000000000000"
                                   "000000000000aabb12340035";

/* It goes where the flow is that it is about; one that quotes no ports, or too little, goes by its own addresses. */
START_TEST(share_of_an_icmp_error)
{
    uint8_t p[256];
    uint32_t n, at, flow, own;

    for (int v6 = 0; v6 < 2; v6++) {
        n = unhex(v6 ? hex_v6 : hex_v4, p);
        flow = share_of(LINKTYPE_RAW, p, n, 1000003);
        at = unhex(v6 ? links[1].v6 : links[1].v4, p);
        n = unhex(v6 ? hex_error_v6 : hex_error_v4, p + at);
        ck_assert_uint_eq(n, v6 ? 92 : 56);
        ck_assert_uint_eq(share_of(LINKTYPE_ETHERNET, p, at + n, 1000003), flow);
        ck_assert_uint_eq(share_of(LINKTYPE_RAW, p + at, n, 1000003), flow);
        p[at + (v6 ? 54 : 37)] = 1;             /* it quotes ICMP */
        own = share_of(LINKTYPE_RAW, p + at, n, 1000003);
        ck_assert_uint_ne(own, flow);
        p[at + (v6 ? 54 : 37)] = 6;
        ck_assert_uint_eq(share_of(LINKTYPE_RAW, p + at, n, 1000003), flow);
        p[at + (v6 ? 40 : 20)] = v6 ? 128 : 8;  /* no error */
        ck_assert_uint_eq(share_of(LINKTYPE_RAW, p + at, n, 1000003), own);
        p[at + (v6 ? 40 : 20)] = 3;
        for (uint32_t cut = v6 ? 40 : 20; cut <= n; cut++) {
            uint8_t *exact = malloc(cut);

            memcpy(exact, p + at, cut);
            ck_assert_uint_eq(share_of(LINKTYPE_RAW, exact, cut, 1000003), cut < (v6 ? 92 : 52) ? own : flow);
            free(exact);
        }
    }
}
END_TEST

START_TEST(a_pipe_is_read_and_can_be_woken)
{
    char why_text[4608];
    struct replay *r;
    struct ec_frame frame, *f = &frame;
    uint32_t why;
    int fd[2], wake[2], saved = dup(0);

    ck_assert_int_eq(pipe(fd) | pipe(wake), 0);
    dup2(fd[0], 0);
    pcap_header(0xa1b2c3d4, 1);
    pcap_record(1, 0, "hello", 5, 5);
    ck_assert_int_eq(write(fd[1], made.b, made.n - 2), made.n - 2);
    r = replay("-", NULL, 0, 1, why_text);
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(replay_fetch(r, &f, 1, wake[0], 10, &why), 0);
    ck_assert_uint_eq(why, EC_SRC_IDLE);
    ck_assert_int_eq(write(wake[1], "", 1), 1);
    ck_assert_uint_eq(replay_fetch(r, &f, 1, wake[0], 1000, &why), 0);
    ck_assert_uint_eq(why, EC_SRC_INTERRUPTED);
    ck_assert_int_eq(read(wake[0], why_text, 1), 1);
    ck_assert_int_eq(write(fd[1], made.b + made.n - 2, 2), 2);
    ck_assert_uint_eq(replay_fetch(r, &f, 1, wake[0], 1000, &why), 1);
    ck_assert_int_eq(memcmp(f->data, "hello", 5), 0);
    replay_finish(r, 1);
    close(fd[1]);
    ck_assert_uint_eq(replay_fetch(r, &f, 1, wake[0], 1000, &why), 0);
    ck_assert_uint_eq(why, EC_SRC_END);
    replay_close(r);
    ck_assert_ptr_null(replay("-", NULL, 0, 2, why_text));
    dup2(saved, 0);
    close(saved);
    close(fd[0]);
    close(wake[0]);
    close(wake[1]);
    made.n = 0;
}
END_TEST

START_TEST(filter_errors_are_sentences)
{
    char why[1024];

    ck_assert_int_eq(filter_check("tcp port 80", LINKTYPE_ETHERNET, why, sizeof why), 0);
    ck_assert_int_eq(filter_check("tcp prt 80", LINKTYPE_ETHERNET, why, sizeof why), -1);
    ck_assert_ptr_nonnull(strstr(why, "the filter 'tcp prt 80' cannot be used with link type 1: "));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("capture");
    TCase *tc = tcase_create("savefile");

    tcase_add_checked_fixture(tc, hear_nothing, dir_remove);
    tcase_add_test(tc, reads_what_libpcap_reads);
    tcase_add_test(tc, stamps_of_both_precisions_and_both_byte_orders);
    tcase_add_loop_test(tc, pcapng_resolutions, 0, sizeof resolutions / sizeof *resolutions);
    tcase_add_test(tc, pcapng_interfaces_of_different_link_types);
    tcase_add_test(tc, pcapng_bad_block_is_passed_over_and_counted);
    tcase_add_test(tc, cut_at_every_byte);
    tcase_add_test(tc, pcapng_cut_at_every_byte);
    tcase_add_test(tc, an_absurd_record_ends_the_file_and_not_the_replay);
    tcase_add_loop_test(tc, what_is_no_capture_is_refused_in_one_sentence, 0,
                        sizeof strangers / sizeof *strangers);
    tcase_add_test(tc, paths_that_cannot_be_read);
    suite_add_tcase(suite, tc);

    tc = tcase_create("replay");
    tcase_add_checked_fixture(tc, hear_nothing, dir_remove);
    tcase_add_test(tc, folder_goes_by_the_time_of_the_first_packet);
    tcase_add_test(tc, batches_cannot_be_seen);
    tcase_add_test(tc, shares_are_a_partition);
    tcase_add_test(tc, filter_counts_what_it_refuses);
    tcase_add_test(tc, filter_that_suits_one_link_type_only);
    tcase_add_test(tc, a_pipe_is_read_and_can_be_woken);
    suite_add_tcase(suite, tc);

    tc = tcase_create("share and filter");
    tcase_add_test(tc, share_of_an_icmp_error);
    tcase_add_loop_test(tc, share_sees_through_link_headers_and_both_ways, 0,
                        sizeof links / sizeof *links);
    tcase_add_test(tc, filter_errors_are_sentences);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
