/* make_load: the captures that engine.py measures with. The same arguments give the same bytes.
 *
 *   make_load repeat FILE TIMES     FILE (classic pcap, Ethernet) so many times, with other addresses each time
 *   make_load http CONNECTIONS      connections with five requests each, answers of some 4 KiB
 *   make_load dns QUESTIONS         each from a port of its own, and its answer
 *   make_load udp PACKETS           64 bytes on the wire each, each a new flow
 *
 * to standard output. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START UINT64_C(1600000000000000)        /* of the first packet, in microseconds */

static uint64_t now = START, packets;
static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(seed >> 8) * below >> 24);
}

static void capture_begin(void)
{
    static const uint32_t head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1 };

    fwrite(head, sizeof head, 1, stdout);
}

static void frame_write(const uint8_t *frame, uint32_t n, uint32_t wire, uint64_t us)
{
    uint32_t head[4] = { (uint32_t)(us / 1000000), (uint32_t)(us % 1000000), n, wire };

    fwrite(head, sizeof head, 1, stdout);
    fwrite(frame, n, 1, stdout);
    packets++;
}

static void put16(uint8_t *at, uint32_t v) { at[0] = (uint8_t)(v >> 8), at[1] = (uint8_t)v; }
static void put32(uint8_t *at, uint32_t v) { put16(at, v >> 16), put16(at + 2, v); }
static uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static uint32_t sum_of(const uint8_t *at, uint32_t n, uint32_t sum)
{
    for (uint32_t i = 0; i + 1 < n; i += 2)
        sum += get16(at + i);
    if (n & 1)
        sum += (uint32_t)at[n - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* repeat */

static uint32_t ones_add(uint32_t a, uint32_t b)
{
    uint32_t sum = a + b;

    return (sum & 0xffff) + (sum >> 16);
}

/* The lower address of the two moves up by step, the higher one down: no checksum changes, both directions stay one
 * flow, private networks stay private. at: the source; n bytes each. */
static void readdress(uint8_t *at, uint32_t n, uint32_t step)
{
    uint8_t *low = at, *high = at + n;
    uint32_t d = step * 0x0101;

    if (memcmp(low, high, n) > 0)
        low = at + n, high = at;
    if (!memcmp(low, high, n - 2) || high[0] >= 0xe0 || at[n] == 0xff)
        return;                     /* of one network, or to a group: left as they are, or their order might turn */
    put16(low + n - 2, ones_add(get16(low + n - 2), d));
    put16(high + n - 2, ones_add(get16(high + n - 2), ~d & 0xffff));
}

/* An ICMP error quotes a packet, whose flow has other addresses, too. */
static void ip_readdress(uint8_t *ip, uint32_t n, bool v6, uint32_t step)
{
    uint32_t head = v6 ? 40 : (ip[0] & 15u) * 4, quoted = head + 8;
    bool error = v6 ? ip[6] == 58 && n > head && ip[head] >= 1 && ip[head] <= 4
                    : ip[9] == 1 && n > head && memchr("\3\4\5\13\14", ip[head], 5);

    readdress(ip + (v6 ? 8 : 12), v6 ? 16 : 4, step);
    if (error && n >= quoted + (v6 ? 40 : 20))
        readdress(ip + quoted + (v6 ? 8 : 12), v6 ? 16 : 4, step);
}

static void frame_readdress(uint8_t *frame, uint32_t n, uint32_t step)
{
    uint32_t at = 12, kind;

    while (at + 6 <= n && ((kind = get16(frame + at)) == 0x8100 || kind == 0x88a8))
        at += 4;
    if (at + 2 > n)
        return;
    kind = get16(frame + at);
    at += 2;
    if (kind == 0x0800 && n >= at + 20)
        ip_readdress(frame + at, n - at, false, step);
    else if (kind == 0x86dd && n >= at + 40)
        ip_readdress(frame + at, n - at, true, step);
}

static uint8_t *file_read(const char *path, size_t *n)
{
    FILE *in = fopen(path, "rb");
    uint8_t *m = NULL;

    if (!in || fseek(in, 0, SEEK_END) || (*n = (size_t)ftell(in)) < 24 || fseek(in, 0, SEEK_SET) || !(m = malloc(*n))
        || fread(m, *n, 1, in) != 1 || memcmp(m, "\xd4\xc3\xb2\xa1", 4)) {
        fprintf(stderr, "%s cannot be read as a classic capture with microseconds\n", path);
        exit(1);
    }
    fclose(in);
    return m;
}

static void load_repeat(const char *path, uint32_t times)
{
    static uint8_t frame[262144];
    uint64_t first = 0, last = 0;
    size_t size;
    uint8_t *m = file_read(path, &size);

    for (uint32_t step = 0; step < times; step++) {
        uint64_t shift = step * (last - first + 1000000);
        for (size_t i = 24; i + 16 <= size;) {
            uint32_t head[4];
            uint64_t us;
            memcpy(head, m + i, sizeof head);
            if (head[2] > sizeof frame || head[2] > size - i - 16)
                break;
            us = (uint64_t)head[0] * 1000000 + head[1];
            first = first ? first : us;
            last = us > last && !step ? us : last;
            memcpy(frame, m + i + 16, head[2]);
            frame_readdress(frame, head[2], step);
            frame_write(frame, head[2], head[3], us + shift);
            i += 16 + head[2];
        }
    }
    free(m);
}

/* made ones */

struct end { uint32_t ip; uint16_t port; uint32_t seq; };

static void packet_write(uint8_t *frame, uint8_t proto, const struct end *from, const struct end *to, uint32_t l4)
{
    uint32_t n = 34 + l4;
    uint8_t *check = frame + 34 + (proto == 6 ? 16 : 6);

    memcpy(frame, "\2\0\0\0\0\1\2\0\0\0\0\2\10\0\x45\0", 16);
    put16(frame + 16, 20 + l4);
    memset(frame + 18, 0, 16);
    frame[20] = 0x40, frame[22] = 64, frame[23] = proto;
    put32(frame + 26, from->ip);
    put32(frame + 30, to->ip);
    put16(frame + 24, ~sum_of(frame + 14, 20, 0));
    put16(frame + 34, from->port);
    put16(frame + 36, to->port);
    put16(check, 0);
    put16(check, ~sum_of(frame + 34, l4, sum_of(frame + 26, 8, proto + l4)));
    if (n < 60)
        memset(frame + n, 0, 60 - n);
    frame_write(frame, n < 60 ? 60 : n, n < 60 ? 60 : n, now);
}

static void udp_write(uint8_t *frame, const struct end *from, const struct end *to, uint32_t len)
{
    put16(frame + 38, 8 + len);
    packet_write(frame, 17, from, to, 8 + len);
}

static void tcp_write(struct end *from, const struct end *to, uint8_t flags, const void *data, uint32_t len)
{
    uint8_t frame[1600];

    put32(frame + 38, from->seq);
    put32(frame + 42, flags & 0x10 ? to->seq : 0);
    frame[46] = 0x50, frame[47] = flags;
    put16(frame + 48, 65000);
    put16(frame + 52, 0);
    memcpy(frame + 54, data, len);
    packet_write(frame, 6, from, to, 20 + len);
    from->seq += len + ((flags & 3) != 0);      /* SYN and FIN count */
    now += 5;
}

static void http_exchange(struct end *c, struct end *s, uint32_t i)
{
    char text[1460];
    uint32_t body = 3000 + draw(2000), n;

    n = (uint32_t)snprintf(text, sizeof text,
                           "GET /page/%u/item?id=%u&sort=asc HTTP/1.1\r\nHost: www%u.example.org\r\n"
                           "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
                           "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
                           "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: identity\r\n"
                           "Referer: http://www%u.example.org/\r\nCookie: session=%08x%08x\r\n"
                           "Connection: keep-alive\r\n\r\n",
                           i, draw(100000), i % 500, i % 500, draw(1u << 24), draw(1u << 24));
    tcp_write(c, s, 0x18, text, n);
    tcp_write(s, c, 0x10, "", 0);
    n = (uint32_t)snprintf(text, sizeof text,
                           "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sun, 13 Sep 2020 12:26:40 GMT\r\n"
                           "Content-Type: text/html; charset=utf-8\r\nContent-Length: %u\r\n"
                           "Connection: keep-alive\r\nCache-Control: max-age=60\r\n\r\n", body);
    while (body) {
        for (; n < sizeof text && body; body--)
            text[n++] = (char)(32 + draw(95));
        tcp_write(s, c, body ? 0x10 : 0x18, text, n);
        n = 0;
    }
    tcp_write(c, s, 0x10, "", 0);
}

static void load_http(uint32_t connections)
{
    for (uint32_t i = 0; i < connections; i++) {
        struct end c = { 0x0a000000 + i / 60000 + draw(200) * 256, (uint16_t)(1024 + i % 60000), draw(1u << 24) },
                   s = { 0xc0000200 + draw(250), 80, draw(1u << 24) };
        tcp_write(&c, &s, 0x02, "", 0);
        tcp_write(&s, &c, 0x12, "", 0);
        tcp_write(&c, &s, 0x10, "", 0);
        for (uint32_t k = 0; k < 5; k++)
            http_exchange(&c, &s, i * 5 + k);
        tcp_write(&c, &s, 0x11, "", 0);
        tcp_write(&s, &c, 0x11, "", 0);
        tcp_write(&c, &s, 0x10, "", 0);
        now += 2000;
    }
}

static uint32_t dns_question(uint8_t *at, uint32_t i, uint32_t answers, uint32_t type)
{
    uint32_t n = 12;
    char name[64];

    put16(at, i);
    put16(at + 2, answers ? 0x8180 : 0x0100);
    put16(at + 4, 1), put16(at + 6, answers), put32(at + 8, 0);
    snprintf(name, sizeof name, "host%u.dept%u.example%u.com", i % 100000, i % 37, i % 1000);
    for (char *label = strtok(name, "."); label; label = strtok(NULL, ".")) {
        at[n] = (uint8_t)strlen(label);
        memcpy(at + n + 1, label, at[n]);
        n += 1u + at[n];
    }
    at[n++] = 0;
    put16(at + n, type), put16(at + n + 2, 1);
    return n + 4;
}

static uint32_t dns_answer(uint8_t *at, uint32_t type)
{
    uint32_t len = type == 28 ? 16 : 4;

    put16(at, 0xc00c), put16(at + 2, type), put16(at + 4, 1), put32(at + 6, 300), put16(at + 10, len);
    for (uint32_t i = 0; i < len; i++)
        at[12 + i] = (uint8_t)(1 + draw(250));
    return 12 + len;
}

static void load_dns(uint32_t questions)
{
    for (uint32_t i = 0; i < questions; i++) {
        struct end c = { 0x0a010000 + i / 60000 * 256 + draw(250), (uint16_t)(1024 + i % 60000), 0 },
                   s = { 0xc6336400 + draw(4), 53, 0 };
        uint32_t type = draw(4) ? 1 : 28, answers = 1 + draw(3), n;
        uint8_t frame[512];

        n = dns_question(frame + 42, i, 0, type);
        udp_write(frame, &c, &s, n);
        now += 20;
        n = dns_question(frame + 42, i, answers, type);
        for (uint32_t k = 0; k < answers; k++)
            n += dns_answer(frame + 42 + n, type);
        udp_write(frame, &s, &c, n);
        now += 80;
    }
}

static void load_udp(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct end c = { 0x0a020000 + i / 60000 * 256 + draw(250), (uint16_t)(1024 + i % 60000), 0 },
                   s = { 0xc6336500 + draw(250), 9999, 0 };
        uint8_t frame[64];

        memset(frame + 42, (int)(i & 0xff), 18);
        udp_write(frame, &c, &s, 18);
        now += 50;
    }
}

int main(int argc, char **argv)
{
    capture_begin();
    if (argc == 4 && !strcmp(argv[1], "repeat"))
        load_repeat(argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
    else if (argc == 3 && !strcmp(argv[1], "http"))
        load_http((uint32_t)strtoul(argv[2], NULL, 10));
    else if (argc == 3 && !strcmp(argv[1], "dns"))
        load_dns((uint32_t)strtoul(argv[2], NULL, 10));
    else if (argc == 3 && !strcmp(argv[1], "udp"))
        load_udp((uint32_t)strtoul(argv[2], NULL, 10));
    else
        return 2;
    fprintf(stderr, "%lu\n", (unsigned long)packets);
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
