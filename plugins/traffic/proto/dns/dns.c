/* dns.c: the DNS protocol. Every message is one transaction, so queries and answers are told apart by direction bits in
 * the message and never have to be paired. */
#include "dns.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

#include "faults.h"
#include "message.h"
#include "name.h"
#include "record.h"

#define QUERIES_MAX 4               /* names of one message that are offered to inspectors */

struct dns_state {
    uint8_t begun, client;          /* a message was seen; the direction in which questions go, EC_TO_* */
};

struct dns_tx {
    struct dns_message message;     /* valid while its transaction is: within one parse() */
    struct ec_buf item[QUERIES_MAX];
    uint8_t name[QUERIES_MAX][DNS_NAME_MAX];
};

enum { SLOT_QUERY, SLOT_ANSWER_NAME, SLOTS };
static const struct ec_bufdef buffers[SLOTS] = {
    { "dns.query", "names asked for, labels joined by dots", EC_TO_SERVER, EC_BUF_KIND_TX, 0, 1 },
    { "dns.answer.name", "names asked for, as the answer repeats them", EC_TO_CLIENT, EC_BUF_KIND_TX, 0, 1 },
};

static const struct ec_traffic *traffic;

static int32_t dns_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    struct dns_message m;
    uint32_t whole;

    if (dir & EC_PROBE_DATAGRAM)
        return dns_message_open(&m, d, n) ? dns_message_probe(&m, n) : EC_NO;
    if (n < DNS_HEADER + 2)
        return EC_MORE;
    /* Over TCP a length stands first (RFC 1035 §4.2.2). */
    whole = dns_u16(d);
    if (whole < DNS_HEADER)
        return EC_NO;
    if (!dns_message_open(&m, d + 2, n - 2 < whole ? n - 2 : whole))
        return EC_MORE;
    return dns_message_probe(&m, whole);
}

static void dns_query_item(struct dns_tx *t, uint32_t i, uint32_t at, uint64_t wire)
{
    int whole;

    t->item[i].u.data = t->name[i];
    t->item[i].len = dns_name_text(&t->message, at, t->name[i], sizeof t->name[i], &whole);
    t->item[i].state = EC_BUF_WHOLE;
    t->item[i].wire = wire + at;
}

/* The questions become one buffer, or a list of them where a message has several. Returns how many could be read. */
static uint32_t dns_set_queries(struct ec_tx *x, struct dns_tx *t, uint32_t slot, uint64_t wire)
{
    uint32_t at = DNS_HEADER, n = 0;
    struct dns_rr q;

    while (n < t->message.count[DNS_QUESTION] && n < QUERIES_MAX && dns_question_next(&t->message, &at, &q)) {
        dns_query_item(t, n, q.name, wire);
        n++;
    }
    if (n == 1) {
        ec_buf_set(x, slot, t->item[0].u.data, t->item[0].len, EC_BUF_WHOLE, t->item[0].wire);
    } else if (n) {
        ec_buf_set(x, slot, NULL, n, EC_BUF_WHOLE | EC_BUF_LIST, wire);
        x->buf[slot].u.item = t->item;
    }
    return n;
}

/* The first message tells which side asks: a capture may begin in the middle, and LLMNR answers from elsewhere. */
static uint32_t wrong_side(struct dns_state *s, uint32_t dir, bool answer)
{
    if (!s->begun) {
        s->begun = 1;
        s->client = (uint8_t)(answer ? 1 - dir : dir);
    }
    if ((dir == s->client) == !answer)
        return 0;
    return 1u << (answer ? DNS_NOT_REQUEST : DNS_NOT_RESPONSE);
}

static void dns_message(struct dns_state *s, struct ec_pctx *c, const struct ec_chunk *k, const uint8_t *d, uint32_t n)
{
    struct dns_message m;
    uint32_t faults;
    struct dns_tx *t;
    struct ec_tx *x;

    if (!dns_message_open(&m, d, n)) {
        traffic->anomaly(c, NULL, DNS_MALFORMED);
        return;
    }
    if (!(x = traffic->tx_begin(c)))
        return;
    t = x->mem;
    t->message = m;
    dns_set_queries(x, t, m.flags & DNS_QR ? SLOT_ANSWER_NAME : SLOT_QUERY, k->offset + (uint64_t)(d - k->data));
    faults = dns_message_faults(&m) | wrong_side(s, k->dir, m.flags & DNS_QR);
    for (uint32_t i = 0; faults >> i; i++)
        if (faults >> i & 1)
            traffic->anomaly(c, x, i);
    x->progress[k->dir] = 1;
    x->dir = (uint8_t)k->dir;
    traffic->tx_end(c, x);
}

/* Messages on TCP follow each other, each behind its length. */
static int64_t dns_stream(struct dns_state *s, struct ec_pctx *c, const struct ec_chunk *k)
{
    uint32_t at = 0;

    while (k->len - at >= 2) {
        uint32_t n = dns_u16(k->data + at);
        if (k->len - at - 2 < n)
            break;
        dns_message(s, c, k, k->data + at + 2, n);
        at += 2 + n;
    }
    return at;
}

static int64_t dns_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    (void)self;
    if (k->flags & EC_CH_DATAGRAM) {
        dns_message(state, c, k, k->data, k->len);
        return k->len;
    }
    if (k->flags & EC_CH_GAP)
        return EC_EINVAL;           /* where the next message starts is lost */
    return dns_stream(state, c, k);
}

static int32_t dns_tx_record(void *self, const struct ec_tx *x, uint32_t topic, struct ec_build *b)
{
    const struct dns_tx *t = x->mem;

    (void)self;
    return t->message.data ? dns_record(&t->message, x->id, topic, b) : EC_ENOENT;
}

static const struct ec_proto dns = {
    .size = sizeof(struct ec_proto),
    .name = "dns",
    .hints = "udp/53,5355 tcp/53",
    .topic = "ec.dns/1",
    .state_bytes = sizeof(struct dns_state),
    .tx_bytes = sizeof(struct dns_tx),
    .n_buf = SLOTS,
    .buf_stride = sizeof(struct ec_bufdef),
    .buf = buffers,
    .n_anomaly = DNS_FAULTS,
    .anomaly = dns_faults,
    .probe = dns_probe,
    .parse = dns_parse,
    .record = dns_tx_record,
};

int32_t dns_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self)
{
    uint32_t topic, id;
    int32_t err = h->topic(h, &dns_topic, &topic);

    traffic = t;
    return err ? err : t->proto(t_self, h, &dns, NULL, &id);
}
