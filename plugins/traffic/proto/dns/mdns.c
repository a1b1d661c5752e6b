/* mdns.c: the mDNS protocol. Every message is one transaction, of whoever sent it: queries and answers go to the group,
 * so they are told apart by the message, not by its direction. */
#include "mdns.h"

#include <string.h>

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

#include "faults.h"
#include "mdns_record.h"
#include "message.h"
#include "name.h"

#define NAMES_MAX 16                /* of one message that are offered to inspectors */

struct mdns_tx {
    struct dns_message message;     /* valid while its transaction is: within one parse() */
    uint32_t names;
    struct ec_buf item[NAMES_MAX];
    uint8_t name[NAMES_MAX][DNS_NAME_MAX];
};

/* One for each section and direction: slot = section + direction * DNS_SECTIONS. */
#define SECTION(name, dir, what) { "mdns." name ".rrname", "names in the " what, dir, EC_BUF_KIND_TX, 0, 1 }
#define SECTIONS_OF(dir) \
    SECTION("queries", dir, "questions"), SECTION("answers", dir, "answers"), \
    SECTION("authorities", dir, "authority section"), SECTION("additionals", dir, "additional section")
static const struct ec_bufdef buffers[] = { SECTIONS_OF(EC_TO_SERVER), SECTIONS_OF(EC_TO_CLIENT) };
#define SLOTS (sizeof buffers / sizeof buffers[0])

static const struct ec_traffic *traffic;

/* §18.3, §18.11: opcode and response code are zero. */
static int32_t mdns_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    struct dns_message m;

    (void)dir;
    if (n < DNS_HEADER || (d[2] & 0x78) || (d[3] & 0x0f) || !dns_message_open(&m, d, n))
        return EC_NO;
    return dns_message_probe(&m, n);
}

static void take_name(struct mdns_tx *t, uint32_t at, uint64_t wire)
{
    struct ec_buf *item = &t->item[t->names];
    int whole;

    item->u.data = t->name[t->names];
    item->len = dns_name_text(&t->message, at, t->name[t->names], DNS_NAME_MAX, &whole);
    item->state = EC_BUF_WHOLE;
    item->wire = wire + at;
    t->names++;
}

/* The names of one section become a list. *at: where it begins; moves behind it. False: it ends in rubbish. */
static bool take_section(struct ec_tx *x, uint32_t section, uint32_t dir, uint32_t *at, uint64_t wire)
{
    struct mdns_tx *t = x->mem;
    uint32_t first = t->names, slot = section + dir * DNS_SECTIONS;
    struct dns_rr r;

    for (uint32_t i = 0; i < t->message.count[section]; i++) {
        if (section == DNS_QUESTION ? !dns_question_next(&t->message, at, &r) : !dns_rr_next(&t->message, at, &r))
            return false;
        if (t->names < NAMES_MAX && r.type != DNS_T_OPT)
            take_name(t, r.name, wire);
    }
    if (t->names > first) {
        ec_buf_set(x, slot, NULL, t->names - first, EC_BUF_WHOLE | EC_BUF_LIST, wire);
        x->buf[slot].u.item = &t->item[first];
    }
    return true;
}

static int64_t mdns_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    uint32_t at = DNS_HEADER, faults;
    struct dns_message m;
    struct mdns_tx *t;
    struct ec_tx *x;

    (void)self;
    (void)state;
    if (!dns_message_open(&m, k->data, k->len)) {
        traffic->anomaly(c, NULL, DNS_MALFORMED);
        return k->len;
    }
    if (!(x = traffic->tx_begin(c)))
        return k->len;
    t = x->mem;
    t->message = m;
    for (uint32_t i = 0; i < DNS_SECTIONS && take_section(x, i, k->dir, &at, k->offset); i++)
        continue;
    faults = dns_message_faults(&m);
    for (uint32_t i = 0; faults >> i; i++)
        if (faults >> i & 1)
            traffic->anomaly(c, x, i);
    x->progress[k->dir] = 1;
    x->dir = (uint8_t)k->dir;
    traffic->tx_end(c, x);
    return k->len;
}

static int32_t mdns_tx_record(void *self, const struct ec_tx *x, uint32_t topic, struct ec_build *b)
{
    const struct mdns_tx *t = x->mem;

    (void)self;
    return t->message.data ? mdns_record(&t->message, topic, b) : EC_ENOENT;
}

static const struct ec_proto mdns = {
    .size = sizeof(struct ec_proto),
    .name = "mdns",
    .hints = "udp/5353",
    .topic = "ec.mdns/1",
    .tx_bytes = sizeof(struct mdns_tx),
    .n_buf = SLOTS,
    .buf_stride = sizeof(struct ec_bufdef),
    .buf = buffers,
    .n_anomaly = DNS_MDNS_FAULTS,
    .anomaly = dns_faults,
    .probe = mdns_probe,
    .parse = mdns_parse,
    .record = mdns_tx_record,
};

int32_t mdns_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self)
{
    uint32_t topic, id;
    int32_t err = h->topic(h, &mdns_topic, &topic);

    traffic = t;
    return err ? err : t->proto(t_self, h, &mdns, NULL, &id);
}
