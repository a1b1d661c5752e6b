#include "plugins/traffic/publish.h"


#include "plugins/traffic/about.h"
#include "plugins/traffic/held.h"
#include "plugins/traffic/inspect.h"
#include "plugins/traffic/outer.h"
#include "plugins/traffic/proto/app.h"

struct bypass_record { uint64_t pkts[2], bytes[2]; uint32_t reason, pad; };
static const struct ec_row bypass_rows[] = {
    EC_FIELD(U64, 0, struct bypass_record, pkts[0], "pkts_toserver", "packets", "From the initiator, of the flow's."),
    EC_FIELD(U64, 0, struct bypass_record, pkts[1], "pkts_toclient", "packets", "To the initiator, of the flow's."),
    EC_FIELD(U64, 0, struct bypass_record, bytes[0], "bytes_toserver", "bytes", "Bytes of those frames."),
    EC_FIELD(U64, 0, struct bypass_record, bytes[1], "bytes_toclient", "bytes", "Bytes of those frames."),
    EC_FIELD_ENUM(0, struct bypass_record, reason, "reason", "none,bytes,encrypted,overload", "Why nobody looked at them."),
};
static const struct ec_record bypass_shape = EC_RECORD_ELEMENT(struct bypass_record, bypass_rows);

enum { STATE_BYPASSED = EC_FLOW_CLOSED + 1 };       /* flow_record.state */
struct flow_record {
    struct ec_part part;
    uint64_t pkts[2], bytes[2], start, end, age;
    uint32_t state, reason, bypass;
    uint8_t alerted, pad[3];
    struct bypass_record bypassed;
    struct ec_list left_out;
};
enum { FLOW_END, FLOW_AGE, FLOW_STATE, FLOW_REASON, FLOW_ALERTED, FLOW_BYPASSED, FLOW_LEFT_OUT };
static const struct ec_row flow_rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct flow_record, pkts[0], "pkts_toserver", "packets",
             "Packets from the initiator."),
    EC_FIELD(U64, EC_R_COLUMN, struct flow_record, pkts[1], "pkts_toclient", "packets",
             "Packets to the initiator."),
    EC_FIELD(U64, EC_R_COLUMN, struct flow_record, bytes[0], "bytes_toserver", "bytes",
             "Bytes of those frames."),
    EC_FIELD(U64, EC_R_COLUMN, struct flow_record, bytes[1], "bytes_toclient", "bytes",
             "Bytes of those frames."),
    EC_FIELD(TIME, EC_R_COLUMN, struct flow_record, start, "start", NULL,
             "Time of the first packet."),
    EC_FIELD_OPT(TIME, 0, FLOW_END, struct flow_record, end, "end", NULL,
                 "Time of the last packet."),
    EC_FIELD_OPT(U64, 0, FLOW_AGE, struct flow_record, age, "age", "s",
                 "Seconds of the clock between the two."),
    {EC_T_ENUM, EC_R_OPT | EC_R_COLUMN, FLOW_STATE, 0, offsetof(struct flow_record, state), "state", NULL,
     "new,established,closed,bypassed", NULL, NULL, "How far the conversation got.", 0, 0},
    {EC_T_ENUM, EC_R_OPT | EC_R_COLUMN, FLOW_REASON, 0, offsetof(struct flow_record, reason), "reason", NULL,
     "unknown,timeout,shutdown,memory,tcp_reuse", NULL, NULL, "Why the flow ended.", 0, 0},
    EC_FIELD_OPT(BOOL, EC_R_COLUMN | EC_R_INDEX, FLOW_ALERTED, struct flow_record, alerted, "alerted", NULL,
                 "A rule fired on it."),
    {EC_T_ENUM, EC_R_OPT, FLOW_BYPASSED, 0, offsetof(struct flow_record, bypass), "bypass", NULL, "local", NULL, NULL,
     "Who bypassed it.", 0, 0},
    {EC_T_RECORD, EC_R_OPT | EC_R_INLINE, FLOW_BYPASSED, 0, offsetof(struct flow_record, bypassed), "bypassed",
     &bypass_shape, NULL, NULL, NULL, "What nobody looked at.", 0, 0},
    {EC_T_TEXT, EC_R_OPT | EC_R_LIST, FLOW_LEFT_OUT, 0, offsetof(struct flow_record, left_out), "inspectors_left_out",
     NULL, NULL, NULL, NULL, "Inspectors that did not see all of it, because the engine was overloaded.", 0, 0},
};
static const struct ec_record flow_shape = EC_RECORD_PART(struct flow_record, flow_rows);

struct tcp_record {
    struct ec_part part;
    struct ec_span flags[3], state;
    uint8_t bit[8], gap[2], pad[6];
    uint64_t missing[2];
    uint32_t rtt_us[2], retrans[2], early[2];
};
enum { TCP_STATE = 8, TCP_GAP, TCP_RTT = 11, TCP_RETRANS = 13, TCP_EARLY = 15 };
static const struct ec_row tcp_rows[] = {
    EC_FIELD(TEXT, 0, struct tcp_record, flags[0], "tcp_flags", NULL,
             "All flags seen, hexadecimal."),
    EC_FIELD(TEXT, 0, struct tcp_record, flags[1], "tcp_flags_ts", NULL,
             "Flags seen from the client."),
    EC_FIELD(TEXT, 0, struct tcp_record, flags[2], "tcp_flags_tc", NULL,
             "Flags seen from the server."),
    EC_FIELD_OPT(BOOL, 0, 1, struct tcp_record, bit[1], "syn", NULL, "A SYN was seen."),
    EC_FIELD_OPT(BOOL, 0, 0, struct tcp_record, bit[0], "fin", NULL, "A FIN was seen."),
    EC_FIELD_OPT(BOOL, 0, 2, struct tcp_record, bit[2], "rst", NULL, "A RST was seen."),
    EC_FIELD_OPT(BOOL, 0, 3, struct tcp_record, bit[3], "psh", NULL, "A PSH was seen."),
    EC_FIELD_OPT(BOOL, 0, 4, struct tcp_record, bit[4], "ack", NULL, "An ACK was seen."),
    EC_FIELD_OPT(BOOL, 0, 5, struct tcp_record, bit[5], "urg", NULL, "An URG was seen."),
    EC_FIELD_OPT(BOOL, 0, 6, struct tcp_record, bit[6], "ecn", NULL, "An ECE was seen."),
    EC_FIELD_OPT(BOOL, 0, 7, struct tcp_record, bit[7], "cwr", NULL, "A CWR was seen."),
    EC_FIELD_OPT(TEXT, 0, TCP_STATE, struct tcp_record, state, "state", NULL,
                 "The state of the connection."),
    EC_FIELD_OPT(BOOL, 0, TCP_GAP, struct tcp_record, gap[0], "ts_gap", NULL, "Bytes from the client are missing."),
    EC_FIELD_OPT(BOOL, 0, TCP_GAP + 1, struct tcp_record, gap[1], "tc_gap", NULL,
                 "Bytes from the server are missing."),
    EC_FIELD_OPT(U64, 0, TCP_GAP, struct tcp_record, missing[0], "missing_ts", "bytes", "How many."),
    EC_FIELD_OPT(U64, 0, TCP_GAP + 1, struct tcp_record, missing[1], "missing_tc", "bytes", "How many."),
    EC_FIELD_OPT(U32, 0, TCP_RTT, struct tcp_record, rtt_us[0], "rtt_server", "us",
                 "Of the handshake, from the sensor to the server and back."),
    EC_FIELD_OPT(U32, 0, TCP_RTT + 1, struct tcp_record, rtt_us[1], "rtt_client", "us",
                 "Of the handshake, from the sensor to the client and back."),
    EC_FIELD_OPT(U32, 0, TCP_RETRANS, struct tcp_record, retrans[0], "retransmitted_ts", "packets",
                 "Segments from the client without a new byte."),
    EC_FIELD_OPT(U32, 0, TCP_RETRANS + 1, struct tcp_record, retrans[1], "retransmitted_tc", "packets",
                 "Segments from the server without a new byte."),
    EC_FIELD_OPT(U32, 0, TCP_EARLY, struct tcp_record, early[0], "out_of_order_ts", "packets",
                 "Segments from the client before their turn."),
    EC_FIELD_OPT(U32, 0, TCP_EARLY + 1, struct tcp_record, early[1], "out_of_order_tc", "packets",
                 "Segments from the server before their turn."),
};
static const struct ec_record tcp_shape = EC_RECORD_PART(struct tcp_record, tcp_rows);

struct anomaly_record {
    struct ec_part part;
    uint32_t type, app;
    struct ec_span event, layer;
};
static const struct ec_row anomaly_rows[] = {
    EC_FIELD_NAME(0, struct anomaly_record, app, "app_proto", "app_proto", "Whose messages they are."),
    EC_FIELD_ENUM(EC_R_COLUMN | EC_R_INDEX, struct anomaly_record, type, "type", "decode,stream,applayer",
                  "Who found it."),
    EC_FIELD(TEXT, EC_R_COLUMN, struct anomaly_record, event, "event", NULL, "What was wrong."),
    EC_FIELD_OPT(TEXT, 0, 0, struct anomaly_record, layer, "layer", NULL,
                 "The part of the application layer."),
};
static const struct ec_record anomaly_shape = EC_RECORD_PART(struct anomaly_record, anomaly_rows);

struct file_record {
    struct ec_part part;
    struct ec_span name;
    uint64_t bytes, first, last, tx_id;
    uint32_t state;
    uint8_t gaps, stored, pad[2];
};
enum { FILE_NAME, FILE_RANGE };
static const struct ec_row file_rows[] = {
    EC_FIELD_OPT(WIRE, EC_R_COLUMN, FILE_NAME, struct file_record, name, "filename", NULL, "What the sender calls it."),
    EC_FIELD(BOOL, 0, struct file_record, gaps, "gaps", NULL, "Bytes in it were lost."),
    EC_FIELD_ENUM(EC_R_COLUMN, struct file_record, state, "state", "TRUNCATED,CLOSED",
                  "Was its end seen, and all of it?"),
    EC_FIELD(BOOL, 0, struct file_record, stored, "stored", NULL, "It was kept."),
    EC_FIELD(U64, EC_R_COLUMN, struct file_record, bytes, "size", "bytes", "Bytes that went by."),
    EC_FIELD_OPT(U64, 0, FILE_RANGE, struct file_record, first, "start", NULL,
                 "Place of its first byte in a larger one."),
    EC_FIELD_OPT(U64, 0, FILE_RANGE, struct file_record, last, "end", NULL, "Place of its last byte there."),
    EC_FIELD(U64, 0, struct file_record, tx_id, "tx_id", NULL, "The transaction that carried it."),
};
static const struct ec_record file_shape = EC_RECORD_PART(struct file_record, file_rows);

static const char *const file_carries[] = { EC_ANY_TX, NULL };
static const char *const flow_carries[] = { "ec.tcp/1", "ec.tunnel/1", "ec.about/1", "ec.icmp/1", NULL };
static const char *const anomaly_carries[] = { "ec.tunnel/1", NULL };
static const struct ec_topic topics[] = {
    { sizeof(struct ec_topic), EC_TOPIC_EVENT, "ec.flow/1", "flow", &flow_shape, flow_carries,
      "A conversation between two addresses, published at its end." },
    { sizeof(struct ec_topic), EC_TOPIC_NESTED, "ec.tcp/1", "tcp", &tcp_shape, NULL,
      "What the TCP headers of a flow said." },
    { sizeof(struct ec_topic), EC_TOPIC_EVENT, "ec.anomaly/1", "anomaly", &anomaly_shape, anomaly_carries,
      "A packet, a stream or a message that breaks the rules of its protocol." },
    { sizeof(struct ec_topic), EC_TOPIC_EVENT, "ec.fileinfo/1", "fileinfo", &file_shape, file_carries,
      "A file that went over the wire." },
};

int32_t publish_topics(struct traffic *tr)
{
    uint32_t *const id[] = { &tr->topic_flow, &tr->topic_tcp, &tr->topic_anomaly, &tr->topic_file };
    int32_t rc = EC_OK;

    for (uint32_t i = 0; i < sizeof id / sizeof id[0] && !rc; i++)
        rc = tr->host->topic(tr->host, &topics[i], id[i]);
    if (!rc)
        rc = tr->host->topic(tr->host, &outer_topic, &tr->topic_tunnel);
    if (!rc)
        rc = tr->host->topic(tr->host, &about_topic, &tr->topic_about);
    if (!rc)
        rc = tr->host->topic(tr->host, &error_topic, &tr->topic_error);
    tr->app_failed = tr->host->intern(tr->host, "app_proto", "failed");
    return rc;
}

void publish_start(struct traffic *tr)
{
    tr->topic_alert = tr->host->topic_find(tr->host, "ec.alert/1");
    for (uint32_t i = 0; i < tr->protos; i++)
        if (tr->proto[i].def->topic)
            tr->proto[i].topic = tr->host->topic_find(tr->host, tr->proto[i].def->topic);
}

static void head_tuple(struct ec_event *e, uint8_t proto, const uint8_t src[16],
                       const uint8_t dst[16], uint16_t sport, uint16_t dport)
{
    memcpy(e->src, src, 16);
    memcpy(e->dst, dst, 16);
    e->ip_proto = proto;
    e->sport = sport;
    e->dport = dport;
    e->flags |= EC_EV_IP;
    if (proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP)
        e->flags |= EC_EV_PORTS;
    if (proto == PROTO_ICMP || proto == PROTO_ICMPV6)
        e->flags |= EC_EV_ICMP;
}

/* The interned name for a place of flow.app_side; 0: unknown, or the flow's own protocol. */
static uint32_t side_name(const struct traffic *tr, const struct flow *f, uint8_t side)
{
    uint32_t id = side == APP_SIDE_FAILED ? tr->app_failed : side ? tr->proto[side - 1].id : 0;

    return id == f->pub.proto ? 0 : id;
}

static void head_sides(const struct traffic *tr, struct ec_event *e, const struct flow *f)
{
    int reply = -1;

    if (!EC_HAS(e, struct ec_event, origin))
        return;
    e->app_side[0] = side_name(tr, f, f->app_side[0]);
    e->app_side[1] = side_name(tr, f, f->app_side[1]);
    e->app_orig = side_name(tr, f, f->app_orig);
    if (f->pub.pkts[1] && (f->pub.ip_proto == PROTO_ICMP || f->pub.ip_proto == PROTO_ICMPV6))
        reply = icmp_counterpart(f->pub.ip_proto, (uint8_t)f->pub.sport);
    if (reply >= 0) {
        e->reply_type = (uint16_t)reply;
        e->flags |= EC_EV_ICMP_REPLY;
    }
}

static void head_packet(struct ec_event *e, const struct ec_packet *p)
{
    e->count = p->frame->count;
    e->flags |= EC_EV_COUNT;
    if (EC_HAS(e, struct ec_event, origin))
        e->origin = p->flags & EC_PK_DEFRAG  ? EC_ORIGIN_DEFRAG
                    : p->flags & EC_PK_INNER ? EC_ORIGIN_NONE
                                             : EC_ORIGIN_WIRE;
}

static void head_flow(struct traffic *tr, struct ec_event *e, struct flow *f)
{
    e->flow_id = f->pub.id;
    e->app_proto = f->pub.proto;
    e->iface = f->iface;
    e->vlans = f->pub.vlans;
    memcpy(e->vlan, f->pub.vlan, sizeof e->vlan);
    if (EC_HAS(e, struct ec_event, vlan_third))
        e->vlan_third = f->vlan_third;
    community_hash(e->community, tr->seed, f->pub.src, f->pub.dst, f->pub.ip_proto, f->pub.sport, f->pub.dport);
    e->flags |= EC_EV_FLOW | EC_EV_COMMUNITY | (f->flags & FL_REPLAY ? EC_EV_REPLAY : 0);
    e->ts_ns = f->pub.last_ns;
}

void publish_head(void *self, struct ec_build *b, struct ec_flow *flow, const struct ec_packet *p)
{
    struct traffic *tr = self;
    struct ec_event *e = ec_head(b);
    struct flow *f = (struct flow *)(void *)flow;

    if (f) {
        head_flow(tr, e, f);
        head_sides(tr, e, f);
        if (tr->topic_alert && b->topic == tr->topic_alert)
            f->flags |= FL_ALERTED;
    }
    if (p) {
        const struct packet *q = (const struct packet *)(const void *)p;
        e->ts_ns = p->frame->ts_ns;
        head_packet(e, p);
        e->iface = p->frame->iface;
        e->vlans = q->vlans;
        memcpy(e->vlan, q->vlan, sizeof e->vlan);
        if (EC_HAS(e, struct ec_event, vlan_third))
            e->vlan_third = q->vlan[2];
        e->flags |= p->frame->flags & EC_FR_REPLAY ? EC_EV_REPLAY : 0;
        if (p->flow)
            e->dir = p->dir == EC_TO_SERVER ? EC_DIR_TO_SERVER : EC_DIR_TO_CLIENT;
        if (q->what & PK_IP)
            head_tuple(e, p->ip_proto, p->src, p->dst, p->sport, p->dport);
        if (q->what & (PK_BAD | PK_FRAGMENT))
            e->flags &= ~(uint32_t)(EC_EV_PORTS | EC_EV_ICMP);
    } else if (f) {
        head_tuple(e, f->pub.ip_proto, f->pub.src, f->pub.dst, f->pub.sport, f->pub.dport);
    }
}

static struct flow_record *flow_part(struct traffic *tr, struct ec_build *b, const struct flow *f)
{
    struct flow_record *r = ec_add(b, tr->topic_flow, sizeof *r);

    if (!r)
        return NULL;
    memcpy(r->pkts, f->pub.pkts, sizeof r->pkts);
    memcpy(r->bytes, f->pub.bytes, sizeof r->bytes);
    r->start = f->pub.first_ns;
    return r;
}

static void tcp_details(struct tcp_record *r, const struct tcp_more *t)
{
    for (uint32_t i = 0; i < 2; i++) {
        r->gap[i] = t->missing[i] != 0;
        r->missing[i] = t->missing[i];
        r->rtt_us[i] = t->rtt_us[i];
        r->retrans[i] = t->retrans[i];
        r->early[i] = t->early[i];
        r->part.has |= (t->missing[i] ? 1u << (TCP_GAP + i) : 0) | (t->retrans[i] ? 1u << (TCP_RETRANS + i) : 0) |
                       (t->early[i] ? 1u << (TCP_EARLY + i) : 0) |
                       (t->rtt_us[i] != RTT_NONE ? 1u << (TCP_RTT + i) : 0);
    }
}

static void tcp_part(struct traffic *tr, struct ec_build *b, const struct flow *f)
{
    uint8_t all = f->tcp_flags[0] | f->tcp_flags[1];
    const uint8_t flags[3] = { all, f->tcp_flags[0], f->tcp_flags[1] };
    struct tcp_record *r = ec_add(b, tr->topic_tcp, sizeof *r);
    static const char digit[] = "0123456789abcdef";

    if (!r)
        return;
    r->part.has = all;
    for (uint32_t i = 0; i < 8; i++)
        r->bit[i] = all >> i & 1;
    for (uint32_t i = 0; i < 3; i++) {
        const char hex[2] = { digit[flags[i] >> 4], digit[flags[i] & 15] };
        r->flags[i] = ec_put(b, hex, sizeof hex);
    }
    if (f->flags & FL_SESSION) {
        r->part.has |= 1u << TCP_STATE;
        r->state = ec_puts(b, tcp_state_name(f->tcp_state));
    }
    if (f->more)
        tcp_details(r, &f->more->tcp);
}

static void tunnel_part(struct traffic *tr, struct ec_build *b, const struct flow *f)
{
    if (f->more && f->more->outer.kind)
        outer_part(b, tr->topic_tunnel, &f->more->outer);
}

static void icmp_part(struct traffic *tr, struct ec_build *b, const struct flow *f)
{
    const struct icmp_error *e = flow_error(f);

    if (e)
        error_part(b, tr->topic_error, e);
    else if (flow_about(f))
        about_part(b, tr->topic_about, tr->seed, flow_about(f));
}

static void bypass_part(struct flow_record *r, const struct flow *f)
{
    const struct bypass *b = f->bypass;

    r->part.has |= 1u << FLOW_BYPASSED;
    r->state = STATE_BYPASSED;
    r->bypassed.reason = b->why;
    for (uint32_t dir = 0; dir < 2; dir++) {
        r->bypassed.pkts[dir] = f->pub.pkts[dir] - b->pkts[dir];
        r->bypassed.bytes[dir] = f->pub.bytes[dir] - b->bytes[dir];
    }
}

static void left_out_part(const struct traffic *tr, struct flow_record *r, const struct flow *f, struct ec_build *b)
{
    struct ec_span *s = ec_rows(b, &r->left_out, (uint32_t)__builtin_popcount(f->shed), sizeof *s);

    if (!s)
        return;
    r->part.has |= 1u << FLOW_LEFT_OUT;
    for (uint32_t i = 0; i < tr->inspectors; i++)
        if (f->shed >> i & 1)
            *s++ = ec_puts(b, tr->inspector[i].hooks->name);
}

void publish_flow(struct worker *w, struct flow *f, uint32_t reason)
{
    struct traffic *tr = w->tr;
    struct flow_record *r;
    struct ec_build b;

    if (!tr->host || tr->host->open(tr->host, w->index, tr->topic_flow, &b) != EC_OK)
        return;
    publish_head(tr, &b, &f->pub, NULL);
    if ((r = flow_part(tr, &b, f))) {
        r->end = f->pub.last_ns;
        /* by the clock's seconds, as EVE has it */
        r->age = f->pub.last_ns / 1000000000u - f->pub.first_ns / 1000000000u;
        r->state = f->pub.state;
        r->reason = reason;
        r->alerted = !!(f->flags & FL_ALERTED);
        r->part.has = 1u << FLOW_END | 1u << FLOW_AGE | 1u << FLOW_STATE | 1u << FLOW_REASON |
                      1u << FLOW_ALERTED;
        if (f->bypass)
            bypass_part(r, f);
        if (f->shed)
            left_out_part(tr, r, f, &b);
        if (f->pub.ip_proto == PROTO_TCP)
            tcp_part(tr, &b, f);
        tunnel_part(tr, &b, f);
        icmp_part(tr, &b, f);
    }
    tr->host->publish(tr->host, &b);
}

void publish_anomaly(struct worker *w, struct flow *f, const struct packet *p, uint32_t kind,
                     const char *event, const char *layer, const struct ec_tx *x)
{
    struct traffic *tr = w->tr;
    struct anomaly_record *r;
    struct ec_build b;

    if (!tr->host || !w->conf->anomalies ||
        tr->host->open(tr->host, w->index, tr->topic_anomaly, &b) != EC_OK)
        return;
    publish_head(tr, &b, f ? &f->pub : NULL, p ? &p->pub : NULL);
    if (x) {
        ec_head(&b)->tx_id = x->id;
        ec_head(&b)->flags |= EC_EV_TX;
    }
    if ((r = ec_add(&b, tr->topic_anomaly, sizeof *r))) {
        r->type = kind;
        r->app = kind == ANOMALY_APP && f ? f->pub.proto : 0;
        r->part.has = layer ? 1 : 0;
        r->event = ec_puts(&b, event);
        if (layer)
            r->layer = ec_puts(&b, layer);
        if (p && p->outer) {
            struct outer o = outer_of(p);
            outer_part(&b, tr->topic_tunnel, &o);
        }
    }
    tr->host->publish(tr->host, &b);
}

void publish_now(struct worker *w, struct ec_event *e)
{
    if (!w->now)
        return;
    e->ts_ns = w->now->pub.frame->ts_ns;
    head_packet(e, &w->now->pub);
}

static void file_part(struct file_record *r, const struct ec_tx *x, const struct ec_file *file, struct ec_build *b)
{
    r->bytes = file->bytes;
    r->first = file->first;
    r->last = file->last;
    r->tx_id = x->id;
    r->gaps = !!(file->flags & EC_FILE_GAPS);
    r->state = (file->flags & (EC_FILE_WHOLE | EC_FILE_GAPS)) == EC_FILE_WHOLE;
    if (file->flags & EC_FILE_RANGE)
        r->part.has |= 1u << FILE_RANGE;
    if (!file->name)
        return;
    r->name = ec_put(b, file->name, file->name_len);
    r->part.has |= 1u << FILE_NAME;
}

void publish_file(struct worker *w, struct flow *f, struct ec_tx *x, const struct ec_file *file)
{
    struct traffic *tr = w->tr;
    struct file_record *r;
    struct ec_event *e;
    struct ec_build b;

    if (!tr->host || tr->host->open(tr->host, w->index, tr->topic_file, &b) != EC_OK)
        return;
    publish_head(tr, &b, &f->pub, NULL);
    e = ec_head(&b);
    publish_now(w, e);
    e->tx_id = x->id;
    e->flags |= EC_EV_TX;
    if (file->dir == EC_TO_CLIENT)              /* from who sent it to who got it */
        head_tuple(e, f->pub.ip_proto, f->pub.dst, f->pub.src, f->pub.dport, f->pub.sport);
    if ((r = ec_add(&b, tr->topic_file, sizeof *r)))
        file_part(r, x, file, &b);
    publish_attach_tx(tr, &b, &f->pub, x);
    tr->host->publish(tr->host, &b);
}

void publish_tx(struct worker *w, struct flow *f, struct ec_tx *x, const struct proto *p)
{
    const struct ec_host *h = w->tr->host;
    struct ec_mark old;
    struct ec_event *e;
    struct ec_build b;
    int32_t rc;

    if (!h || !p->topic || !p->def->record || h->open(h, w->index, p->topic, &b) != EC_OK)
        return;
    publish_head(w->tr, &b, &f->pub, NULL);
    e = ec_head(&b);
    e->tx_id = x->id;
    e->flags |= EC_EV_TX;
    publish_now(w, e);
    old = inspect_enter(w, p->def->name, "record");
    rc = p->def->record(p->self, x, p->topic, &b);
    inspect_leave(w, old);
    if (rc == EC_OK)
        held_publish(w, f, &b);
    else
        h->discard(h, &b);
}

int32_t publish_attach_flow(void *self, struct ec_build *b, struct ec_flow *f)
{
    const struct flow *own = (const struct flow *)(const void *)f;

    if (!flow_part(self, b, own))
        return EC_ELIMIT;
    tunnel_part(self, b, own);
    return EC_OK;
}

int32_t publish_attach_tx(void *self, struct ec_build *b, struct ec_flow *f, struct ec_tx *x)
{
    const struct proto *p = ((struct txi *)(void *)x)->proto;

    (void)self;
    (void)f;
    if (!p->topic || !p->def->record)
        return EC_ENOENT;
    return p->def->record(p->self, x, p->topic, b);
}
