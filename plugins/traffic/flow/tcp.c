/* The states of a connection as its segments show them: RFC 9293 §3.5 (opening), §3.6 (closing) */
#include "plugins/traffic/engine.h"
#include "plugins/traffic/stream/stream.h"

const char *tcp_state_name(uint32_t state)
{
    static const char *const names[] = {"none",       "syn_sent",  "syn_recv",  "established",
                                        "fin_wait1",  "fin_wait2", "time_wait", "last_ack",
                                        "close_wait", "closing",   "closed"};

    return state < sizeof names / sizeof *names ? names[state] : "none";
}

static void tcp_established(struct worker *w, struct flow *f)
{
    f->tcp_state = TCPS_ESTABLISHED;
    flow_state(w, f, EC_FLOW_ESTABLISHED);
}

static uint32_t microseconds(uint64_t from, uint64_t to)
{
    return to >= from && to - from < UINT64_C(1000) * RTT_NONE ? (uint32_t)((to - from) / 1000) : RTT_NONE;
}

/* What was sent twice says nothing: nobody knows which of the two was answered (P. Karn, C. Partridge, 1987). */
static void rtt_server(struct worker *w, struct flow *f, const struct packet *p)
{
    struct flow_more *m = flow_more(w, f);

    if (!m)
        return;
    m->tcp.syn_ack_ns = p->pub.frame->ts_ns;
    if (f->pub.pkts[EC_TO_SERVER] == 1)
        m->tcp.rtt_us[0] = microseconds(f->pub.first_ns, p->pub.frame->ts_ns);
}

static void rtt_client(struct flow *f, const struct packet *p)
{
    if (f->more && f->more->tcp.syn_ack_ns && f->pub.pkts[EC_TO_CLIENT] == 1)
        f->more->tcp.rtt_us[1] = microseconds(f->more->tcp.syn_ack_ns, p->pub.frame->ts_ns);
}

static void tcp_syn(struct worker *w, struct flow *f, const struct packet *p)
{
    uint32_t dir = p->pub.dir;
    bool est = f->tcp_state == TCPS_ESTABLISHED;

    if (p->tcp_flags & TCP_FIN)
        stream_event(w, f, EV_STREAM_FIN_SYN);
    switch (f->tcp_state) {
    case TCPS_NONE: case TCPS_SYN_SENT:             /* a new attempt may take a new number */
        if (dir == EC_TO_CLIENT && f->tcp_state == TCPS_SYN_SENT)
            return;
        f->tcp_state = TCPS_SYN_SENT;
        f->flags |= FL_SESSION;
        if (!f->dir[dir].offset && !f->dir[dir].wait)
            stream_base(f, dir, p->seq + 1, false);
        break;
    case TCPS_SYN_RECV:
        if (dir == EC_TO_CLIENT)
            stream_event(w, f, EV_STREAM_3WHS_SYN_TOCLIENT_ON_SYN_RECV);
        else if (stream_first(f, dir) != p->seq + 1)
            stream_event(w, f, EV_STREAM_3WHS_SYN_RESEND_DIFF_SEQ_ON_SYN_RECV);
        break;
    default:
        if (stream_first(f, dir) != p->seq + 1) {
            f->sflags[dir] |= SD_SYN_AGAIN;
            stream_event(w, f, !est                  ? EV_STREAM_SHUTDOWN_SYN_RESEND
                               : dir == EC_TO_CLIENT ? EV_STREAM_EST_SYN_TOCLIENT
                                                     : EV_STREAM_EST_SYN_RESEND_DIFF_SEQ);
        } else if (f->tcp_state == TCPS_CLOSED) {   /* refused, and once more */
            f->sflags[dir] |= SD_SYN_AGAIN;
        } else {
            stream_note(w, f, est ? EV_STREAM_EST_SYN_RESEND : EV_STREAM_SHUTDOWN_SYN_RESEND);
        }
    }
}

/* Another one, where the connection is past it. */
static void syn_ack_again(struct worker *w, struct flow *f, const struct packet *p)
{
    uint32_t dir = p->pub.dir;
    bool recv = f->tcp_state == TCPS_SYN_RECV;

    if (stream_first(f, dir) != p->seq + 1) {
        if (recv)
            f->sflags[dir] |= SD_SYN_AGAIN;
        stream_event(w, f, recv ? EV_STREAM_3WHS_SYNACK_RESEND_WITH_DIFF_SEQ
                                : EV_STREAM_EST_SYNACK_RESEND_WITH_DIFF_SEQ);
    } else if (seq_diff(p->ack, stream_first(f, !dir)) < 0 || seq_diff(p->ack, f->dir[!dir].next) > 0) {
        stream_event(w, f, recv ? EV_STREAM_3WHS_SYNACK_RESEND_WITH_DIFFERENT_ACK
                                : EV_STREAM_EST_SYNACK_RESEND_WITH_DIFFERENT_ACK);
    } else if (!recv) {
        stream_note(w, f, EV_STREAM_EST_SYNACK_RESEND);
    }
}

static void tcp_syn_ack(struct worker *w, struct flow *f, const struct packet *p)
{
    uint32_t dir = p->pub.dir;
    struct sdir *other = &f->dir[!dir];

    if (f->tcp_state == TCPS_NONE) {
        if (!w->conf->midstream && !(f->flags & FL_SESSION))
            return;
        f->flags |= FL_SESSION | FL_MIDSTREAM;
        f->tcp_state = TCPS_SYN_RECV;
        stream_base(f, dir, p->seq + 1, false);
        stream_base(f, !dir, p->ack, false);
        return;
    }
    if (dir == EC_TO_SERVER && !(f->flags & FL_MIDSTREAM)) {
        stream_event(w, f, f->tcp_state == TCPS_SYN_SENT   ? EV_STREAM_3WHS_SYNACK_IN_WRONG_DIRECTION
                           : f->tcp_state == TCPS_SYN_RECV ? EV_STREAM_3WHS_SYNACK_TOSERVER_ON_SYN_RECV
                                                           : EV_STREAM_EST_SYNACK_TOSERVER);
        return;
    }
    if (f->tcp_state == TCPS_SYN_SENT) {
        if (seq_diff(p->ack, stream_first(f, !dir)) < 0
            || seq_diff(p->ack, other->next) > STREAM_WINDOW) {
            stream_event(w, f, EV_STREAM_3WHS_SYNACK_WITH_WRONG_ACK);
            return;
        }
        if (p->ack == stream_first(f, !dir) && p->ack != other->next)      /* RFC 7413: the SYN's data come again */
            stream_event(w, f, EV_STREAM_3WHS_SYNACK_TFO_DATA_IGNORED);
        f->tcp_state = TCPS_SYN_RECV;
        stream_restart(w, f, dir, p->seq + 1);
        rtt_server(w, f, p);
    } else {
        syn_ack_again(w, f, p);
    }
}

/* Of several SYN-ACKs with different numbers the client takes the one that it acknowledges. */
static void choose_syn_ack(struct flow *f, const struct packet *p)
{
    if (p->pub.dir != EC_TO_SERVER || !(p->tcp_flags & TCP_ACK) || !(f->sflags[EC_TO_CLIENT] & SD_SYN_AGAIN) ||
        f->dir[EC_TO_CLIENT].offset || f->dir[EC_TO_CLIENT].wait)
        return;
    stream_base(f, EC_TO_CLIENT, p->ack, false);
    f->sflags[EC_TO_CLIENT] &= (uint8_t)~SD_SYN_AGAIN;
}

/* A segment behind a SYN-ACK that does not open the connection. */
static void ack_refused(struct worker *w, struct flow *f, const struct packet *p)
{
    if (p->pub.dir == EC_TO_CLIENT && !p->whole_payload && !(p->tcp_flags & TCP_FIN))
        stream_event(w, f, EV_STREAM_3WHS_ACK_IN_WRONG_DIR);
    else if (p->pub.dir == EC_TO_SERVER && (p->tcp_flags & TCP_ACK))
        stream_event(w, f, p->seq == f->dir[EC_TO_SERVER].next ? EV_STREAM_3WHS_RIGHT_SEQ_WRONG_ACK_EVASION
                                                               : EV_STREAM_3WHS_WRONG_SEQ_WRONG_ACK);
}

/* A segment without SYN and RST. */
static void tcp_segment(struct worker *w, struct flow *f, const struct packet *p)
{
    uint32_t dir = p->pub.dir;

    if (!(p->tcp_flags & TCP_ACK) && p->ack)
        stream_event(w, f, EV_STREAM_PKT_BROKEN_ACK);
    switch (f->tcp_state) {
    case TCPS_NONE:
        if (!w->conf->midstream || (f->flags & FL_SESSION))
            break;
        f->flags |= FL_SESSION | FL_MIDSTREAM;
        tcp_established(w, f);
        break;
    case TCPS_SYN_RECV:
        choose_syn_ack(f, p);
        if (dir == EC_TO_SERVER && (p->tcp_flags & TCP_ACK) &&
            seq_diff(p->ack, f->dir[1].next) >= 0) {
            rtt_client(f, p);
            tcp_established(w, f);
        } else {
            ack_refused(w, f, p);
        }
        break;
    case TCPS_SYN_SENT:             /* the SYN-ACK was not seen, but somebody answers */
        if (dir == EC_TO_CLIENT && (p->tcp_flags & TCP_ACK) &&
            seq_diff(p->ack, f->dir[0].next) >= 0)
            tcp_established(w, f);
        break;
    default:
        break;
    }
}

void tcp_track(struct worker *w, struct flow *f, struct packet *p)
{
    uint32_t dir = p->pub.dir, kind = p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST);

    f->tcp_flags[dir] |= p->tcp_flags;
    if (kind & TCP_RST) {
        if (!(f->flags & FL_SESSION)) {
            count(w, M_STREAM_NO_SESSION);
            stream_note(w, f, EV_STREAM_RST_BUT_NO_SESSION);
        }
        return;
    }
    if (kind == TCP_SYN)
        tcp_syn(w, f, p);
    else if (kind == (TCP_SYN | TCP_ACK))
        tcp_syn_ack(w, f, p);
    else
        tcp_segment(w, f, p);
    if (!(f->flags & FL_SESSION)) {
        count(w, M_STREAM_NO_SESSION);
        if (p->tcp_flags & TCP_FIN)
            stream_note(w, f, EV_STREAM_FIN_BUT_NO_SESSION);
    }
}

static bool fin_acked(struct flow *f, uint32_t dir)
{
    if ((f->sflags[dir] & (SD_FIN | SD_ACK)) == (SD_FIN | SD_ACK) &&
        seq_diff(f->dir[dir].ack, f->dir[dir].fin) > 0)
        f->sflags[dir] |= SD_FIN_ACKED;
    return f->sflags[dir] & SD_FIN_ACKED;
}

void tcp_track_end(struct worker *w, struct flow *f)
{
    bool fin[2] = { f->sflags[0] & SD_FIN, f->sflags[1] & SD_FIN };
    bool acked[2] = { fin_acked(f, 0), fin_acked(f, 1) };

    if (f->tcp_state < TCPS_SYN_RECV || f->tcp_state == TCPS_CLOSED || !(fin[0] | fin[1]))
        return;
    if (acked[0] && acked[1])
        f->tcp_state = TCPS_CLOSED;
    else if (fin[0] && fin[1])
        f->tcp_state = acked[1] ? TCPS_TIME_WAIT : acked[0] ? TCPS_LAST_ACK : TCPS_CLOSING;
    else if (fin[1])
        f->tcp_state = acked[1] ? TCPS_FIN_WAIT2 : TCPS_FIN_WAIT1;
    else
        f->tcp_state = TCPS_CLOSE_WAIT;
    if (f->tcp_state == TCPS_CLOSED || f->tcp_state == TCPS_LAST_ACK ||
        f->tcp_state == TCPS_TIME_WAIT)
        flow_state(w, f, EC_FLOW_CLOSED);
}
