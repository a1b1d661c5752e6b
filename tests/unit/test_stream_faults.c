/* Segments that do not fit the state of their connection, by Suricata's names. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "plugins/traffic/stream/stream.h"
#include "tests/unit/traffic_frames.h"

static const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 80 };
enum { C, S, FAR = 1 << 25 };
struct seg { uint8_t from, flags; uint32_t seq, ack; const char *data; };
#define SYN { C, TCP_SYN, 99, 0, "" }
#define SYNACK { S, TCP_SYN | TCP_ACK, 499, 100, "" }
#define OPEN SYN, SYNACK, { C, TCP_ACK, 100, 500, "" }
#define SFIN { S, TCP_FIN | TCP_ACK, 500, 100, "" }         /* FIN_WAIT1 */
#define CFIN { C, TCP_FIN | TCP_ACK, 100, 500, "" }         /* CLOSE_WAIT */

/* Segments; the last one is of the event, which comes once, and with none before. */
static const struct { uint32_t event; struct seg seg[8]; } cases[] = {
    { EV_STREAM_FIN_SYN, { { C, TCP_SYN | TCP_FIN, 99, 0, "" } } },
    { EV_STREAM_RST_BUT_NO_SESSION, { { C, TCP_RST, 99, 0, "" } } },
    { EV_STREAM_FIN_BUT_NO_SESSION, { { C, TCP_FIN | TCP_ACK, 99, 7, "" } } },
    { EV_STREAM_3WHS_SYNACK_IN_WRONG_DIRECTION, { SYN, { C, TCP_SYN | TCP_ACK, 99, 500, "" } } },
    { EV_STREAM_3WHS_SYNACK_WITH_WRONG_ACK, { SYN, { S, TCP_SYN | TCP_ACK, 499, 50, "" } } },
    { EV_STREAM_3WHS_SYNACK_TFO_DATA_IGNORED, { { C, TCP_SYN, 99, 0, "early" }, SYNACK } },
    { EV_STREAM_3WHS_SYN_TOCLIENT_ON_SYN_RECV, { SYN, SYNACK, { S, TCP_SYN, 499, 0, "" } } },
    { EV_STREAM_3WHS_SYN_RESEND_DIFF_SEQ_ON_SYN_RECV, { SYN, SYNACK, { C, TCP_SYN, 77, 0, "" } } },
    { EV_STREAM_3WHS_SYNACK_TOSERVER_ON_SYN_RECV, { SYN, SYNACK, { C, TCP_SYN | TCP_ACK, 99, 500, "" } } },
    { EV_STREAM_3WHS_SYNACK_RESEND_WITH_DIFF_SEQ, { SYN, SYNACK, { S, TCP_SYN | TCP_ACK, 700, 100, "" } } },
    { EV_STREAM_3WHS_SYNACK_RESEND_WITH_DIFFERENT_ACK, { SYN, SYNACK, { S, TCP_SYN | TCP_ACK, 499, 101, "" } } },
    { EV_STREAM_3WHS_ACK_IN_WRONG_DIR, { SYN, SYNACK, { S, TCP_ACK, 500, 100, "" } } },
    { EV_STREAM_3WHS_RIGHT_SEQ_WRONG_ACK_EVASION, { SYN, SYNACK, { C, TCP_ACK, 100, 400, "" } } },
    { EV_STREAM_3WHS_WRONG_SEQ_WRONG_ACK, { SYN, SYNACK, { C, TCP_ACK, 300, 400, "" } } },
    { EV_STREAM_EST_SYN_RESEND, { OPEN, SYN } },
    { EV_STREAM_EST_SYN_RESEND_DIFF_SEQ, { OPEN, { C, TCP_SYN, 77, 0, "" } } },
    { EV_STREAM_EST_SYN_TOCLIENT, { OPEN, { S, TCP_SYN, 77, 0, "" } } },
    { EV_STREAM_EST_SYNACK_RESEND, { OPEN, SYNACK } },
    { EV_STREAM_EST_SYNACK_RESEND_WITH_DIFF_SEQ, { OPEN, { S, TCP_SYN | TCP_ACK, 700, 100, "" } } },
    { EV_STREAM_EST_SYNACK_RESEND_WITH_DIFFERENT_ACK, { OPEN, { S, TCP_SYN | TCP_ACK, 499, 101, "" } } },
    { EV_STREAM_EST_SYNACK_TOSERVER, { OPEN, { C, TCP_SYN | TCP_ACK, 99, 500, "" } } },
    { EV_STREAM_EST_INVALID_ACK, { OPEN, { C, TCP_ACK, 100, 500 + FAR, "" } } },
    { EV_STREAM_PKT_INVALID_ACK, { OPEN, { C, TCP_ACK, 100, 500 + FAR, "" } } },
    { EV_STREAM_FIN_INVALID_ACK, { OPEN, { C, TCP_FIN | TCP_ACK, 100, 500 + FAR, "" } } },
    { EV_STREAM_EST_PACKET_OUT_OF_WINDOW, { OPEN, { C, TCP_ACK, 100 + FAR, 500, "x" } } },
    { EV_STREAM_FIN_OUT_OF_WINDOW, { OPEN, { C, TCP_FIN | TCP_ACK, 100 + FAR, 500, "" } } },
    { EV_STREAM_PKT_BROKEN_ACK, { OPEN, { C, TCP_PSH, 100, 500, "x" } } },
    { EV_STREAM_PKT_RETRANSMISSION, { OPEN, { C, TCP_ACK, 100, 500, "abc" }, { C, TCP_ACK, 100, 500, "abc" } } },
    { EV_STREAM_PKT_SPURIOUS_RETRANSMISSION, { OPEN, { C, TCP_ACK, 100, 500, "abc" }, { S, TCP_ACK, 500, 103, "" },
                                               { C, TCP_ACK, 100, 500, "abc" } } },
    { EV_STREAM_RST_INVALID_ACK, { OPEN, { C, TCP_RST | TCP_ACK, 100, 500 + FAR, "" } } },
    { EV_STREAM_SUSPECTED_RST_INJECT, { OPEN, { C, TCP_RST, 5000, 0, "" } } },
    { EV_STREAM_SHUTDOWN_SYN_RESEND, { OPEN, SFIN, { C, TCP_SYN, 77, 0, "" } } },
    { EV_STREAM_FIN1_INVALID_ACK, { OPEN, SFIN, { C, TCP_ACK, 100, 501 + FAR, "" } } },
    { EV_STREAM_FIN1_ACK_WRONG_SEQ, { OPEN, SFIN, { C, TCP_ACK, 100 + FAR, 500, "x" } } },
    { EV_STREAM_FIN1_FIN_WRONG_SEQ, { OPEN, SFIN, { C, TCP_FIN | TCP_ACK, 100 + FAR, 500, "" } } },
    { EV_STREAM_FIN2_INVALID_ACK, { OPEN, SFIN, { C, TCP_ACK, 100, 501, "" }, { C, TCP_ACK, 100, 501 + FAR, "" } } },
    { EV_STREAM_FIN2_ACK_WRONG_SEQ, { OPEN, SFIN, { C, TCP_ACK, 100, 501, "" }, { C, TCP_ACK, 100 + FAR, 501, "x" } } },
    { EV_STREAM_FIN2_FIN_WRONG_SEQ, { OPEN, SFIN, { C, TCP_ACK, 100, 501, "" },
                                      { C, TCP_FIN | TCP_ACK, 100 + FAR, 501, "" } } },
    { EV_STREAM_CLOSEWAIT_INVALID_ACK, { OPEN, CFIN, { S, TCP_ACK, 500, 101 + FAR, "" } } },
    { EV_STREAM_CLOSEWAIT_ACK_OUT_OF_WINDOW, { OPEN, CFIN, { S, TCP_ACK, 500 + FAR, 101, "x" } } },
    { EV_STREAM_CLOSEWAIT_FIN_OUT_OF_WINDOW, { OPEN, CFIN, { S, TCP_FIN | TCP_ACK, 500 + FAR, 101, "" } } },
    { EV_STREAM_CLOSING_INVALID_ACK, { OPEN, SFIN, CFIN, { C, TCP_ACK, 101, 501 + FAR, "" } } },
    { EV_STREAM_LASTACK_INVALID_ACK, { OPEN, CFIN, { S, TCP_FIN | TCP_ACK, 500, 101, "" },
                                       { C, TCP_ACK, 101, 501 + FAR, "" } } },
    { EV_STREAM_TIMEWAIT_INVALID_ACK, { OPEN, SFIN, { C, TCP_FIN | TCP_ACK, 100, 501, "" },
                                        { S, TCP_ACK, 501, 101 + FAR, "" } } },
};

START_TEST(each_is_told_when_it_comes)
{
    struct feed f;
    uint32_t n = 0;
    const uint64_t *cell;

    feed_init(&f), feed_open(&f);
    cell = &f.w->cells[M_EVENT + cases[_i].event];
    while (n < 8 && cases[_i].seg[n].data)
        n++;
    for (uint32_t k = 0; k < n; k++) {
        const struct seg *s = &cases[_i].seg[k];

        ck_assert_msg(*cell == 0, "%s before segment %u", event_name(cases[_i].event), k);
        feed_tcp(&f, s->from == C ? client : server, s->from == C ? server : client, s->flags, s->seq, s->ack, s->data,
                 (uint32_t)strlen(s->data));
    }
    ck_assert_msg(*cell == 1, "%s: %llu times", event_name(cases[_i].event), (unsigned long long)*cell);
    feed_close(&f);
}
END_TEST

/* A whole connection as it ought to be, with a keep-alive and data both ways, raises nothing. */
START_TEST(a_sound_connection_is_silent)
{
    static const struct seg all[] = {
        OPEN, { C, TCP_ACK, 100, 500, "question" }, { S, TCP_ACK, 500, 108, "" }, { S, TCP_ACK, 500, 108, "answer" },
        { C, TCP_ACK, 108, 506, "" }, { S, TCP_ACK, 505, 108, "" }, { C, TCP_ACK, 108, 506, "" },
        { C, TCP_FIN | TCP_ACK, 108, 506, "" }, { S, TCP_ACK, 506, 109, "rest" }, { C, TCP_ACK, 109, 510, "" },
        { S, TCP_FIN | TCP_ACK, 510, 109, "" }, { C, TCP_ACK, 109, 511, "" } };
    struct feed f;

    feed_init(&f), feed_open(&f);
    for (uint32_t k = 0; k < sizeof all / sizeof all[0]; k++)
        feed_tcp(&f, all[k].from == C ? client : server, all[k].from == C ? server : client, all[k].flags, all[k].seq,
                 all[k].ack, all[k].data, (uint32_t)strlen(all[k].data));
    for (uint32_t e = 0; e < EV_COUNT; e++)
        ck_assert_msg(!f.w->cells[M_EVENT + e], "%s", event_name(e));
    feed_close(&f);
}
END_TEST

/* What sound networks do is counted, and no anomaly. */
START_TEST(retransmissions_are_no_anomalies)
{
    struct feed f;
    static const struct seg all[] = { OPEN, { C, TCP_ACK, 100, 500, "abc" }, { C, TCP_ACK, 100, 500, "abc" }, SYNACK, SYN };

    feed_init(&f), feed_open(&f);
    for (uint32_t k = 0; k < sizeof all / sizeof all[0]; k++)
        feed_tcp(&f, all[k].from == C ? client : server, all[k].from == C ? server : client, all[k].flags, all[k].seq,
                 all[k].ack, all[k].data, (uint32_t)strlen(all[k].data));
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_PKT_RETRANSMISSION], 1);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_EST_SYNACK_RESEND], 1);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_EST_SYN_RESEND], 1);
    ck_assert_uint_eq(f.w->cells[M_ANOMALY], 0);
    feed_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream-faults");
    TCase *tc = tcase_create("faults");

    tcase_add_loop_test(tc, each_is_told_when_it_comes, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(tc, a_sound_connection_is_silent);
    tcase_add_test(tc, retransmissions_are_no_anomalies);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
