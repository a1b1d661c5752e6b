/* How many events a second ec.json/1 turns into JSON on one core: small ones (an alert without evidence, a DNS
 * answer) and one with 1 KiB of wire bytes. Prints; asserts nothing. */
#include "core/record/service.h"
#include "testhost.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct alert {
    struct ec_part part;
    uint32_t action, gid, sid, rev, severity, pad;
    struct ec_span signature, category;
};
static const struct ec_row alert_rows[] = {
    EC_FIELD_ENUM(0, struct alert, action, "action", "allowed,blocked", ""),
    EC_FIELD(U32, 0, struct alert, gid, "gid", NULL, ""),
    EC_FIELD(U32, 0, struct alert, sid, "signature_id", NULL, ""),
    EC_FIELD(U32, 0, struct alert, rev, "rev", NULL, ""),
    EC_FIELD(TEXT, 0, struct alert, signature, "signature", NULL, ""),
    EC_FIELD(TEXT, 0, struct alert, category, "category", NULL, ""),
    EC_FIELD(U32, 0, struct alert, severity, "severity", NULL, ""),
};
static const struct ec_record alert_record = EC_RECORD_PART(struct alert, alert_rows);
static const struct ec_topic alert = { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.alert/1", "alert",
                                       &alert_record, NULL, "" };

struct answer { struct ec_span rdata; uint32_t ttl, type; };
static const struct ec_row answer_rows[] = {
    EC_FIELD(U32, 0, struct answer, ttl, "ttl", NULL, ""),
    EC_FIELD_ENUM(0, struct answer, type, "rrtype", "A,AAAA", ""),
    EC_FIELD(WIRE, 0, struct answer, rdata, "rdata", NULL, ""),
};
static const struct ec_record answer_record = EC_RECORD_ELEMENT(struct answer, answer_rows);
struct dns { struct ec_part part; uint32_t id, rcode; struct ec_span rrname; struct ec_list answers; };
static const struct ec_row dns_rows[] = {
    EC_FIELD(U32, 0, struct dns, id, "id", NULL, ""),
    EC_FIELD_ENUM(0, struct dns, rcode, "rcode", "NOERROR,FORMERR", ""),
    EC_FIELD(WIRE, 0, struct dns, rrname, "rrname", NULL, ""),
    EC_FIELD_LIST(&answer_record, struct dns, answers, "answers", ""),
};
static const struct ec_record dns_record = EC_RECORD_PART(struct dns, dns_rows);
static const struct ec_topic dns = { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.dns/1", "dns", &dns_record,
                                     NULL, "" };

static const struct ec_plugin nobody = { EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1" };
static const struct ec_host *h;

static void head(struct ec_build *b)
{
    struct ec_event *ev = ec_head(b);

    ev->ts_ns = UINT64_C(1795357800123456789);
    ev->flags = EC_EV_FLOW | EC_EV_IP | EC_EV_PORTS | EC_EV_COMMUNITY | EC_EV_COUNT | EC_EV_TX;
    ev->flow_id = 1234567890123456;
    ev->count = 4711;
    ev->ip_proto = 6;
    ev->sport = 50816;
    ev->dport = 80;
    ev->dir = EC_DIR_TO_SERVER;
    ev->app_proto = h->intern(h, "app_proto", "http");
    memcpy(ev->src, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x42\x01\x64", 16);
    memcpy(ev->dst, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x42\x00\x0a", 16);
}

static void build_alert(struct ec_build *b, uint32_t topic)
{
    struct alert *a = ec_add(b, topic, sizeof *a);

    a->gid = a->rev = 1;
    a->sid = 2026001;
    a->severity = 2;
    a->signature = ec_puts(b, "ECYBER web: path traversal in a request");
    a->category = ec_puts(b, "Web Application Attack");
}

static void build_dns(struct ec_build *b, uint32_t topic)
{
    struct dns *d = ec_add(b, topic, sizeof *d);
    struct answer *a;

    d->id = 52748;
    d->rrname = ec_puts(b, "www.shop.test");
    a = ec_rows(b, &d->answers, 2, sizeof *a);
    for (int i = 0; i < 2; i++) {
        a[i].ttl = 300;
        a[i].rdata = ec_puts(b, "10.66.0.10");
    }
}

static void build_big(struct ec_build *b, uint32_t topic)
{
    struct dns *d = ec_add(b, topic, sizeof *d);
    char bytes[1024];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i % 64 == 63 ? '\n' : 'a';
    d->rrname = ec_put(b, bytes, sizeof bytes);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void bench(const char *what, struct record_service *w, uint32_t topic, void (*build)(struct ec_build *, uint32_t))
{
    struct ec_build b;
    static char line[262144];
    size_t at = 0;
    int64_t n;
    uint64_t events = 0, bytes = 0;
    double begin, took;

    if (h->open(h, 0, topic, &b))
        exit(1);
    head(&b);
    build(&b, topic);
    ec_head(&b)->total = b.used;
    begin = seconds();
    do {
        for (int i = 0; i < 1000; i++) {
            ec_head(&b)->ts_ns += 1000;
            n = record_json.event(w, ec_head(&b), 0, line + at, sizeof line - at, NULL);
            if (n < 0)
                exit(1);
            line[at + (size_t)n] = '\n';
            at += (size_t)n + 1;
            if (at > 131072) {
                bytes += at;
                at = 0;
            }
        }
        events += 1000;
        took = seconds() - begin;
    } while (took < 0.5);
    printf("writer, %s: %.2f M events/s, %.0f MB/s, %.0f ns an event\n", what, (double)events / took / 1e6,
           (double)bytes / took / 1e6, took * 1e9 / (double)events);
    h->discard(h, &b);
}

int main(void)
{
    struct testhost *t = testhost_new(&nobody);
    uint32_t a = testhost_topic(t, &alert), d = testhost_topic(t, &dns);
    struct record_service *w;

    if (testhost_start(t))
        return 1;
    h = testhost_host(t);
    w = record_service_new(h);
    if (!w)
        return 1;
    bench("alert", w, a, build_alert);
    bench("dns answer", w, d, build_dns);
    bench("1 KiB of wire bytes", w, d, build_big);
    record_service_free(w);
    testhost_free(t);
    return 0;
}
