#include "plugins/traffic/stream/stream.h"

#include "plugins/traffic/held.h"
#include "plugins/traffic/inspect.h"
#include "plugins/traffic/proto/app.h"

/* Packets that a hole may outlive its acknowledgement: captures reorder. */
#define HOLE_PATIENCE 3

void stream_base(struct flow *f, uint32_t dir, uint32_t next, bool guessed)
{
    struct sdir *d = &f->dir[dir];

    d->next = next;
    d->offset = 0;
    if (f->more)
        f->more->tcp.beside[dir] = 0;
    f->sflags[dir] |= (uint8_t)(SD_BASE | (guessed ? SD_MID : 0));
}

/* A known protocol whose parser needs no more bytes is encrypted from here on: its ends see themselves what was changed. */
static bool is_sealed(const struct flow *f)
{
    return f->flags & FL_APP_OFF && f->pub.proto;
}

static uint64_t depth_of(const struct worker *w, const struct flow *f, uint32_t dir)
{
    uint8_t side = f->app_side[dir];

    return w->conf->depth[side == APP_SIDE_FAILED ? 0 : side];
}

static void deliver(struct worker *w, struct flow *f, uint32_t dir, const uint8_t *data, uint32_t len,
                    uint32_t missing)
{
    struct sdir *d = &f->dir[dir];
    struct ec_chunk k = {
        .size = sizeof k, .data = data, .len = len, .dir = dir, .missing = missing};
    uint64_t depth = depth_of(w, f, dir);

    d->next += missing + len;
    d->offset += missing;
    k.offset = d->offset;
    d->offset += len;
    k.packet = w->now ? &w->now->pub : NULL;
    k.flags = missing ? EC_CH_GAP : 0;
    if (f->sflags[dir] & SD_MID)
        k.flags |= EC_CH_MIDSTREAM;
    if (depth && d->offset >= depth) {
        k.len = k.offset >= depth ? 0 : (uint32_t)(depth - k.offset);
        f->sflags[dir] |= SD_DEPTH | SD_ENDED;
        count(w, M_STREAM_DEPTH);
        stream_event(w, f, EV_STREAM_REASSEMBLY_DEPTH_REACHED);
    }
    if ((f->sflags[dir] & SD_FIN) && d->next == d->fin)
        f->sflags[dir] |= SD_ENDED;
    if (f->sflags[dir] & SD_ENDED)
        k.flags |= f->sflags[dir] & SD_DEPTH ? EC_CH_END | EC_CH_CUT : EC_CH_END;
    count_add(w, M_STREAM_BYTES, k.len);
    if (len && !is_sealed(f) && flow_more(w, f))
        ledger_note(w, &f->more->tcp.ledger[dir], d->next - len, data, len);
    inspect_chunk(w, f, &k);
    app_chunk(w, f, &k);
}

/* Hand on len bytes that are next in line (or behind a hole of `missing` bytes), but for an urgent octet, which its
 * receiver gets beside the stream (RFC 9293 §3.8.5; RFC 6093: the octet before the one that the pointer names). */
static void stream_deliver(struct worker *w, struct flow *f, uint32_t dir, const uint8_t *data,
                           uint32_t len, uint32_t missing)
{
    struct sdir *d = &f->dir[dir];
    int32_t before;

    if (!(f->urgent >> dir & 1) || (before = seq_diff(f->more->tcp.urgent[dir], d->next + missing)) >= (int32_t)len) {
        deliver(w, f, dir, data, len, missing);
        return;
    }
    f->urgent &= (uint8_t)~(1u << dir);
    if (before < 0) {               /* in the hole */
        deliver(w, f, dir, data, len, missing);
        return;
    }
    if (before || missing)
        deliver(w, f, dir, data, (uint32_t)before, missing);
    count(w, M_STREAM_URGENT);
    f->more->tcp.beside[dir]++;
    d->next++;
    if (len - (uint32_t)before > 1 && !(f->sflags[dir] & SD_ENDED))
        deliver(w, f, dir, data + before + 1, len - (uint32_t)before - 1, 0);
}

static void wait_drop(struct worker *w, struct flow *f, uint32_t dir)
{
    while (f->dir[dir].wait) {
        count_add(w, M_STREAM_DROPPED, f->dir[dir].wait->len);
        segment_pop(w, f, dir);
    }
}

void stream_restart(struct worker *w, struct flow *f, uint32_t dir, uint32_t next)
{
    wait_drop(w, f, dir);
    if (!(f->sflags[dir] & SD_ENDED))
        f->sflags[dir] &= (uint8_t)~(SD_FIN | SD_FIN_ACKED);
    stream_base(f, dir, next, false);
}

/* Everything that waits and is next in line. */
static void wait_drain(struct worker *w, struct flow *f, uint32_t dir)
{
    struct sdir *d = &f->dir[dir];

    while (d->wait && d->wait->seq == d->next && !(f->sflags[dir] & SD_ENDED)) {
        stream_deliver(w, f, dir, d->wait->data, d->wait->len, 0);
        segment_pop(w, f, dir);
    }
    if (f->sflags[dir] & SD_ENDED)
        wait_drop(w, f, dir);
    if (!d->wait)
        f->hole_age[dir] = 0;
}

static void gap_note(struct worker *w, struct flow *f, uint32_t dir, uint32_t missing)
{
    if (flow_more(w, f))
        f->more->tcp.missing[dir] += missing;
    count(w, M_STREAM_GAPS);
    count_add(w, M_STREAM_MISSING, missing);
    stream_event(w, f, EV_STREAM_REASSEMBLY_SEQ_GAP);
}

/* The end of a direction; what was lost before its FIN is a hole like any other. */
static void stream_finish(struct worker *w, struct flow *f, uint32_t dir)
{
    struct sdir *d = &f->dir[dir];
    int32_t missing = f->sflags[dir] & SD_FIN ? seq_diff(d->fin, d->next) : 0;

    if (f->sflags[dir] & SD_ENDED)
        return;
    if (missing > 0)
        gap_note(w, f, dir, (uint32_t)missing);
    f->sflags[dir] |= SD_ENDED;
    stream_deliver(w, f, dir, NULL, 0, missing > 0 ? (uint32_t)missing : 0);
}

/* Give up the hole before the first segment that waits. */
static void hole_skip(struct worker *w, struct flow *f, uint32_t dir)
{
    struct sdir *d = &f->dir[dir];
    uint32_t missing = d->wait->seq - d->next;

    f->hole_age[dir] = 0;
    gap_note(w, f, dir, missing);
    stream_deliver(w, f, dir, d->wait->data, d->wait->len, missing);
    segment_pop(w, f, dir);
    wait_drain(w, f, dir);
}

/* A hole that the other side has acknowledged was lost by the capture, not by the network: it is
 * given up soon. */
static void hole_check(struct worker *w, struct flow *f, uint32_t dir)
{
    struct sdir *d = &f->dir[dir];

    while (d->wait && d->wait_bytes > w->conf->reorder)
        hole_skip(w, f, dir);
    if ((f->sflags[dir] & (SD_ACK | SD_ENDED)) != SD_ACK ||
        seq_diff(d->ack, d->wait ? d->wait->seq : d->fin) < 0)
        return;
    if (++f->hole_age[dir] < HOLE_PATIENCE)
        return;
    while (d->wait && seq_diff(d->ack, d->wait->seq) >= 0)
        hole_skip(w, f, dir);
    if (!d->wait && (f->sflags[dir] & SD_FIN) && seq_diff(d->ack, d->fin) >= 0)
        stream_finish(w, f, dir);
}

/* Data that begin where they are expected, while others wait: holes are filled from data. */
static void stream_merge(struct worker *w, struct flow *f, uint32_t dir, const uint8_t *data,
                         uint32_t len)
{
    struct sdir *d = &f->dir[dir];
    uint32_t seq = d->next, end = seq + len;

    if (segment_overlap(w, f, dir, seq, data, len))
        stream_event(w, f, EV_STREAM_REASSEMBLY_OVERLAP_DIFFERENT_DATA);
    while (seq_diff(end, d->next) > 0 && !(f->sflags[dir] & SD_ENDED)) {
        const uint8_t *at = data + (d->next - seq);
        uint32_t n = end - d->next;
        if (d->wait && seq_diff(d->wait->seq, end) < 0)
            n = d->wait->seq - d->next;
        stream_deliver(w, f, dir, at, n, 0);
        wait_drain(w, f, dir);
    }
    wait_drain(w, f, dir);
}

/* There is no memory to wait with: give up all holes of this direction, up to seq. */
static void stream_flush_to(struct worker *w, struct flow *f, uint32_t dir, uint32_t seq,
                            const uint8_t *data, uint32_t len)
{
    struct sdir *d = &f->dir[dir];
    int32_t ahead;

    stream_event(w, f, EV_STREAM_REASSEMBLY_MEMCAP);
    while (d->wait && !(f->sflags[dir] & SD_ENDED))
        hole_skip(w, f, dir);
    ahead = seq_diff(seq, d->next);
    if (f->sflags[dir] & SD_ENDED || ahead + (int64_t)len <= 0)
        return;
    if (ahead > 0) {
        gap_note(w, f, dir, (uint32_t)ahead);
        stream_deliver(w, f, dir, data, len, (uint32_t)ahead);
    } else {
        stream_deliver(w, f, dir, data - ahead, len + (uint32_t)ahead, 0);
    }
}

static void stream_early(struct worker *w, struct flow *f, uint32_t dir, uint32_t seq,
                         const uint8_t *data, uint32_t len)
{
    if (seq_diff(seq, f->dir[dir].next) > STREAM_WINDOW) {
        count_add(w, M_STREAM_DROPPED, len);
        stream_outside(w, f, false);
        return;
    }
    count(w, M_STREAM_OOO);
    if (flow_more(w, f))
        f->more->tcp.early[dir]++;
    if (segment_overlap(w, f, dir, seq, data, len))
        stream_event(w, f, EV_STREAM_REASSEMBLY_OVERLAP_DIFFERENT_DATA);
    if (segment_insert(w, f, dir, seq, data, len) == EC_ENOMEM)
        stream_flush_to(w, f, dir, seq, data, len);
}

/* Some of it was delivered before. */
static void stream_again(struct worker *w, struct flow *f, uint32_t dir, uint32_t seq, const uint8_t *data,
                         uint32_t len)
{
    if (!f->more)
        return;
    if (seq_diff(seq + len, f->dir[dir].next) <= 0)
        f->more->tcp.retrans[dir]++;
    if (ledger_differs(w, &f->more->tcp.ledger[dir], seq, data, len))
        stream_event(w, f, EV_STREAM_REASSEMBLY_OVERLAP_DIFFERENT_DATA);
}

static void stream_data(struct worker *w, struct flow *f, uint32_t dir, uint32_t seq,
                        const uint8_t *data, uint32_t len)
{
    struct sdir *d = &f->dir[dir];
    int32_t ahead = seq_diff(seq, d->next);

    if (ahead < 0) {
        stream_again(w, f, dir, seq, data, len);
        if ((uint32_t)-(int64_t)ahead >= len) {
            count(w, M_STREAM_RETRANS);
            stream_note(w, f, (f->sflags[dir] & SD_ACK) && seq_diff(d->ack, seq + len) >= 0
                                  ? EV_STREAM_PKT_SPURIOUS_RETRANSMISSION : EV_STREAM_PKT_RETRANSMISSION);
            return;
        }
        data -= ahead;
        len += (uint32_t)ahead;
        ahead = 0;
    }
    if (ahead > 0)
        stream_early(w, f, dir, seq, data, len);
    else if (d->wait)
        stream_merge(w, f, dir, data, len);
    else
        stream_deliver(w, f, dir, data, len, 0);
}

static bool is_far(uint32_t seq, uint32_t next)
{
    return seq_diff(seq, next) > STREAM_WINDOW || seq_diff(seq, next) < -STREAM_WINDOW;
}

/* The other side's acknowledgement; far-off ones are not believed. */
static void stream_ack(struct worker *w, struct flow *f, const struct packet *p)
{
    uint32_t dir = !p->pub.dir;
    struct sdir *d = &f->dir[dir];

    if (!(p->tcp_flags & TCP_ACK) || !(f->sflags[dir] & SD_BASE))
        return;
    if (is_far(p->ack, d->next)) {
        stream_bad_ack(w, f, p);
        return;
    }
    if (!(f->sflags[dir] & SD_ACK) || seq_diff(p->ack, d->ack) > 0)
        d->ack = p->ack;
    f->sflags[dir] |= SD_ACK;
    if (f->flags & FL_HELD)
        held_acked(w, f);
}

/* A FIN fixes the end of its direction: what comes behind it is not part of the stream. But while
 * bytes before it are missing, data from behind it show that it was none of the sender's. */
static uint32_t stream_fin(struct worker *w, struct flow *f, const struct packet *p, uint32_t seq,
                           uint32_t len)
{
    uint32_t dir = p->pub.dir, over;
    struct sdir *d = &f->dir[dir];

    if ((p->tcp_flags & TCP_FIN) && !(f->sflags[dir] & SD_FIN)) {
        if (seq_diff(seq + p->whole_payload, d->next) >= 0 && seq_diff(seq, d->next) <= STREAM_WINDOW) {
            d->fin = seq + p->whole_payload;
            f->sflags[dir] |= SD_FIN;
        } else {
            stream_outside(w, f, true);
        }
    }
    if (!(f->sflags[dir] & SD_FIN) || seq_diff(seq + len, d->fin) <= 0)
        return len;
    if (seq_diff(d->fin, d->next) > 0 && seq_diff(seq, d->next) <= STREAM_WINDOW) {
        f->sflags[dir] &= (uint8_t)~SD_FIN;
        return len;
    }
    over = seq + len - d->fin;
    over = over > len ? len : over;
    count_add(w, M_STREAM_DROPPED, over);
    return len - over;
}

static void urgent_note(struct worker *w, struct flow *f, const struct packet *p, uint32_t seq)
{
    uint32_t dir = p->pub.dir, pointer = p->pub.data[p->pub.l4 + 18] * 256u + p->pub.data[p->pub.l4 + 19];

    if (!pointer || w->conf->urgent_inline || seq_diff(seq + pointer - 1, f->dir[dir].next) < 0 || !flow_more(w, f))
        return;
    f->more->tcp.urgent[dir] = seq + pointer - 1;
    f->urgent |= (uint8_t)(1u << dir);
}

/* Behind the depth, or bypassed: nobody wants the bytes, but the connection goes on. */
static void stream_follow(struct flow *f, const struct packet *p, uint32_t seq)
{
    struct sdir *d = &f->dir[p->pub.dir];
    uint8_t *flags = &f->sflags[p->pub.dir];
    uint32_t end = seq + p->whole_payload;
    int32_t ahead = seq_diff(end, d->next);

    if ((!p->whole_payload && !(p->tcp_flags & TCP_FIN)) || ahead < 0 || ahead > STREAM_WINDOW)
        return;
    if ((*flags & SD_FIN) && seq_diff(end, d->fin) > 0)
        *flags &= (uint8_t)~SD_FIN; /* bytes come behind it: it was none of the sender's */
    d->next = end;
    d->offset += (uint32_t)ahead;
    if ((p->tcp_flags & TCP_FIN) && !(*flags & SD_FIN)) {
        d->fin = end;
        *flags |= SD_FIN;
    }
}

static void stream_payload(struct worker *w, struct flow *f, struct packet *p)
{
    uint32_t dir = p->pub.dir, len = p->pub.payload_len, seq = p->seq + !!(p->tcp_flags & TCP_SYN);
    struct sdir *d = &f->dir[dir];

    if (!(f->sflags[dir] & SD_BASE)) {
        if (!len && !(p->tcp_flags & TCP_FIN))
            return;
        stream_base(f, dir, seq, true);
    }
    if (f->sflags[dir] & SD_ENDED) {
        if (!f->bypass)
            count_add(w, M_STREAM_DROPPED, seq_diff(seq + len, d->next) > 0 ? len : 0);
        if (f->sflags[dir] & SD_DEPTH)
            stream_follow(f, p, seq);
        return;
    }
    if (len <= 1 && seq == d->next - 1 && !(p->tcp_flags & (TCP_SYN | TCP_FIN))) {
        count(w, M_STREAM_KEEPALIVE);
        return;
    }
    if (p->tcp_flags & TCP_URG)
        urgent_note(w, f, p, seq);
    if ((len = stream_fin(w, f, p, seq, len))) {
        p->pub.flags |= EC_PK_STREAM;
        stream_data(w, f, dir, seq, p->pub.data + p->pub.payload, len);
    }
    if ((f->sflags[dir] & SD_FIN) && d->next == d->fin)
        stream_finish(w, f, dir);
}

/* A reset counts where its receiver expects the next byte (RFC 5961 §3.2): behind what was
 * delivered, what waits, or what was acknowledged; a FIN takes a number of its own. One out of the
 * blue may be anybody's. */
static bool reset_believed(const struct flow *f, const struct packet *p)
{
    uint32_t dir = p->pub.dir;
    const struct sdir *d = &f->dir[dir];
    const struct segment *s = d->wait;
    int32_t ahead = seq_diff(p->seq, d->next);

    if (!(f->sflags[dir] & SD_BASE) ||
        (p->seq == 0 && (p->tcp_flags & TCP_ACK) && f->tcp_state < TCPS_ESTABLISHED))
        return true;                /* the answer to a SYN */
    if ((ahead >= -1 && ahead <= 1) || ((f->sflags[dir] & SD_ACK) && p->seq == d->ack))
        return true;
    while (s && s->next)
        s = s->next;
    return s && p->seq - (s->seq + s->len) <= 1;
}

static void stream_reset(struct worker *w, struct flow *f, const struct packet *p)
{
    uint32_t other = !p->pub.dir;

    if ((p->tcp_flags & TCP_ACK) && p->ack && (f->sflags[other] & SD_BASE) && is_far(p->ack, f->dir[other].next))
        stream_event(w, f, EV_STREAM_RST_INVALID_ACK);
    if (!reset_believed(f, p)) {
        stream_event(w, f, EV_STREAM_SUSPECTED_RST_INJECT);
        return;
    }
    f->flags |= FL_RST;
    f->tcp_state = TCPS_CLOSED;
    flow_state(w, f, EC_FLOW_CLOSED);
    held_flush(w, f);
    stream_end(w, f);
}

void stream_packet(struct worker *w, struct flow *f, struct packet *p)
{
    if (p->tcp_flags & TCP_RST) {
        stream_reset(w, f, p);
        return;
    }
    stream_ack(w, f, p);
    stream_payload(w, f, p);
    for (uint32_t dir = 0; dir < 2; dir++)
        if (f->dir[dir].wait || (f->sflags[dir] & (SD_FIN | SD_ENDED)) == SD_FIN)
            hole_check(w, f, dir);
}

void stream_end(struct worker *w, struct flow *f)
{
    if (f->pub.ip_proto != PROTO_TCP)
        return;
    for (uint32_t dir = 0; dir < 2; dir++) {
        struct sdir *d = &f->dir[dir];
        while (d->wait && !(f->sflags[dir] & SD_ENDED))
            hole_skip(w, f, dir);
        wait_drop(w, f, dir);
        if (d->offset || (f->sflags[dir] & SD_FIN))
            stream_finish(w, f, dir);
        f->sflags[dir] |= SD_ENDED;
    }
}

void stream_stop(struct worker *w, struct flow *f)
{
    if (f->pub.ip_proto != PROTO_TCP)
        return;
    for (uint32_t dir = 0; dir < 2; dir++) {
        wait_drop(w, f, dir);
        if (f->sflags[dir] & SD_ENDED)
            continue;
        f->sflags[dir] |= SD_DEPTH | SD_ENDED;
        if (f->dir[dir].offset)
            stream_deliver(w, f, dir, NULL, 0, 0);
    }
}
