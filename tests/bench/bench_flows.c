/* bench_flows: what the traffic engine costs without a daemon around it.
 *
 *   bench_flows [FLOWS]     memory of so many idle flows (default: 1,000,000), and of TCP ones;
 * time for a new flow and for a packet of an old one, at random bench_flows -r FILE     packets per
 * CPU-second of a capture held in memory, beside a loop that touches each packet */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/traffic_frames.h"

static uint64_t resident(void)
{
    FILE *in = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    if (!in || fscanf(in, "%*s %lu", &pages) != 1)
        pages = 0;
    if (in)
        fclose(in);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec
         + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

struct batch {
    struct ec_frame frame[BATCH_MAX], *list[BATCH_MAX];
    uint8_t bytes[BATCH_MAX][64];
    uint32_t n;
};

static void batch_flush(struct feed *f, struct batch *b)
{
    if (!b->n)
        return;
    worker_prepare(f->w, b->list, b->n);
    for (uint32_t i = 0, verdict = 0; i < b->n; i++)
        worker_packet(f->w, i, &verdict);
    b->n = 0;
}

static void batch_add(struct feed *f, struct batch *b, uint32_t host, bool tcp)
{
    struct ec_frame *r = b->list[b->n] = &b->frame[b->n];
    const struct side from = {0x0a000000 + host / 50000, (uint16_t)(1024 + host % 50000)},
                      to = {0xc0a80001, 80};

    memset(r, 0, sizeof *r);
    r->size = sizeof *r, r->flags = EC_FR_REPLAY, r->data = b->bytes[b->n], r->ts_ns = f->now_ns,
    r->linktype = 101;
    r->count = ++f->count;
    r->caplen = r->wirelen = tcp ? build_tcp(b->bytes[b->n], from, to, TCP_SYN, 1, 0, NULL, 0)
                                 : build_udp(b->bytes[b->n], from, to, "0123456789", 10);
    if (++b->n == BATCH_MAX)
        batch_flush(f, b);
}

static void bench_memory(uint32_t flows, bool tcp)
{
    static struct batch b;
    uint64_t before = resident(), rng = 1;
    struct feed f;
    double t0, t1, t2;

    feed_init(&f);
    f.conf.max_flows = flows;
    f.conf.memcap = UINT64_MAX / 2;
    feed_open(&f);
    t0 = cpu_seconds();
    for (uint32_t i = 0; i < flows; i++)
        batch_add(&f, &b, i, tcp);
    batch_flush(&f, &b);
    t1 = cpu_seconds();
    for (uint32_t i = 0; i < 4000000; i++) {
        rng = rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
        batch_add(&f, &b, (uint32_t)((rng >> 32) % flows), tcp);
    }
    batch_flush(&f, &b);
    t2 = cpu_seconds();
    printf("%s: %u flows, %.0f bytes a flow resident (%.0f MiB), %.0f ns for a new flow, %.0f ns "
           "for a packet at random\n",
           tcp ? "tcp" : "udp", f.w->table.used, (double)(resident() - before) / flows,
           (double)(resident() - before) / 1048576, (t1 - t0) / flows * 1e9, (t2 - t1) / 4e6 * 1e9);
    feed_close(&f);
}

struct capture { struct ec_frame *frame; uint32_t n, room; };

static void capture_load(struct capture *c, const char *path)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
    struct pcap_pkthdr *h;
    const u_char *d;

    if (!p) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    while (pcap_next_ex(p, &h, &d) == 1) {
        struct ec_frame *f;
        uint8_t *copy = malloc(h->caplen ? h->caplen : 1);
        if (c->n == c->room)
            c->frame =
                realloc(c->frame, (c->room = c->room ? c->room * 2 : 1024) * sizeof *c->frame);
        memcpy(copy, d, h->caplen);
        f = &c->frame[c->n++];
        memset(f, 0, sizeof *f);
        f->size = sizeof *f, f->flags = EC_FR_REPLAY, f->data = copy;
        f->ts_ns = (uint64_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec;
        f->count = c->n, f->caplen = h->caplen, f->wirelen = h->len;
        f->linktype = (uint32_t)pcap_datalink(p) == DLT_RAW ? 101 : (uint32_t)pcap_datalink(p);
    }
    pcap_close(p);
}

static void bench_replay(const char *path)
{
    struct capture c = { NULL, 0, 0 };
    uint64_t sum = 0;
    double t0, touch, engine;
    struct feed f;

    capture_load(&c, path);
    t0 = cpu_seconds();
    for (uint32_t i = 0; i < c.n; i++)
        for (uint32_t k = 0; k < c.frame[i].caplen; k += 64)
            sum += c.frame[i].data[k];
    touch = cpu_seconds() - t0;
    __asm__ volatile("" : : "r"(sum));           /* the loop must not vanish */
    feed_init(&f);
    feed_open(&f);
    t0 = cpu_seconds();
    for (uint32_t i = 0; i < c.n; i += BATCH_MAX) {
        struct ec_frame *list[BATCH_MAX];
        uint32_t n = c.n - i < BATCH_MAX ? c.n - i : BATCH_MAX;
        for (uint32_t k = 0; k < n; k++)
            list[k] = &c.frame[i + k];
        worker_prepare(f.w, list, n);
        for (uint32_t k = 0, verdict = 0; k < n; k++)
            worker_packet(f.w, k, &verdict);
    }
    engine = cpu_seconds() - t0;
    printf("%u packets: touching %.1f M/s, engine %.2f M/s (%.0f ns a packet), %u flows open, %llu "
           "in all\n",
           c.n, c.n / touch / 1e6, c.n / engine / 1e6, engine / c.n * 1e9, f.w->table.used,
           (unsigned long long)f.w->cells[M_FLOWS]);
    feed_close(&f);
    for (uint32_t i = 0; i < c.n; i++)
        free((void *)(uintptr_t)c.frame[i].data);
    free(c.frame);
}

int main(int argc, char **argv)
{
    uint32_t flows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;

    if (argc == 3 && !strcmp(argv[1], "-r")) {
        bench_replay(argv[2]);
        return 0;
    }
    printf("struct flow: %zu bytes; slot: %zu bytes\n", sizeof(struct flow), sizeof(struct slot));
    bench_memory(flows ? flows : 1, false);
    bench_memory(flows ? flows : 1, true);
    return 0;
}
