/* What is wrong with a segment, by the state of its connection. */
#include "plugins/traffic/publish.h"
#include "plugins/traffic/stream/stream.h"

void stream_event(struct worker *w, struct flow *f, uint32_t event)
{
    stream_note(w, f, event);
    count(w, M_ANOMALY);
    if (flow_event_first(w, f, event))
        publish_anomaly(w, f, w->now, ANOMALY_STREAM, event_name(event), NULL, NULL);
    else
        count(w, M_ANOMALY_LIMITED);
}

void stream_note(struct worker *w, const struct flow *f, uint32_t event)
{
    count(w, M_EVENT + event);
    raised_note(w, f, event);
}

/* 0: there is no name of its own for that state. */
static const struct { uint8_t ack, data, fin; } faults[] = {
    [TCPS_ESTABLISHED] = { EV_STREAM_EST_INVALID_ACK, EV_STREAM_EST_PACKET_OUT_OF_WINDOW, EV_STREAM_FIN_OUT_OF_WINDOW },
    [TCPS_FIN_WAIT1] = { EV_STREAM_FIN1_INVALID_ACK, EV_STREAM_FIN1_ACK_WRONG_SEQ, EV_STREAM_FIN1_FIN_WRONG_SEQ },
    [TCPS_FIN_WAIT2] = { EV_STREAM_FIN2_INVALID_ACK, EV_STREAM_FIN2_ACK_WRONG_SEQ, EV_STREAM_FIN2_FIN_WRONG_SEQ },
    [TCPS_CLOSE_WAIT] = { EV_STREAM_CLOSEWAIT_INVALID_ACK, EV_STREAM_CLOSEWAIT_ACK_OUT_OF_WINDOW,
                          EV_STREAM_CLOSEWAIT_FIN_OUT_OF_WINDOW },
    [TCPS_CLOSING] = { EV_STREAM_CLOSING_INVALID_ACK, 0, 0 },
    [TCPS_LAST_ACK] = { EV_STREAM_LASTACK_INVALID_ACK, 0, 0 },
    [TCPS_TIME_WAIT] = { EV_STREAM_TIMEWAIT_INVALID_ACK, 0, 0 },
    [TCPS_CLOSED] = { 0, 0, 0 },
};

void stream_bad_ack(struct worker *w, struct flow *f, const struct packet *p)
{
    uint8_t event = faults[f->tcp_state].ack;

    if (f->tcp_state == TCPS_ESTABLISHED && (p->tcp_flags & TCP_FIN))
        event = EV_STREAM_FIN_INVALID_ACK;
    stream_event(w, f, EV_STREAM_PKT_INVALID_ACK);
    if (event)
        stream_event(w, f, event);
}

void stream_outside(struct worker *w, struct flow *f, bool fin)
{
    uint8_t event = fin ? faults[f->tcp_state].fin : faults[f->tcp_state].data;

    stream_event(w, f, event ? event : fin ? EV_STREAM_FIN_OUT_OF_WINDOW : EV_STREAM_EST_PACKET_OUT_OF_WINDOW);
}
