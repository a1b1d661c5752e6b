/* TCP reassembly against a model: every byte that arrived is delivered once, in order, with the
 * value that the policy says; every byte that never came is part of a reported gap. */
#include "plugins/traffic/proto/app.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/traffic_frames.h"

#define STREAM_MAX 6000
#define SEGMENTS_MAX 400

static const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 80 };

struct seen {                       /* what the chunk hook saw in one direction */
    uint8_t value[STREAM_MAX];
    uint8_t have[STREAM_MAX];
    uint64_t next;
    uint64_t gaps;
    bool ended, wrong;
};
static struct seen seen[2];
static uint32_t overlaps;

static void on_chunk(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f,
                     const struct ec_chunk *k)
{
    struct seen *s = &seen[k->dir];

    (void)self, (void)w, (void)st, (void)gen, (void)f;
    if (s->ended || k->offset != s->next + k->missing || k->offset + k->len > STREAM_MAX
        || !!(k->flags & EC_CH_GAP) != !!k->missing) {
        s->wrong = true;
        return;
    }
    s->gaps += k->missing;
    if (k->len)
        memcpy(s->value + k->offset, k->data, k->len);
    memset(s->have + k->offset, 1, k->len);
    s->next = k->offset + k->len;
    s->ended = k->flags & EC_CH_END;
}

static const struct ec_inspector hooks = {.size = sizeof hooks, .name = "test", .chunk = on_chunk};

static uint64_t rng_state;
static uint32_t rng(uint32_t n)     /* 0 … n − 1; xorshift64* */
{
    rng_state ^= rng_state >> 12;
    rng_state ^= rng_state << 25;
    rng_state ^= rng_state >> 27;
    return (uint32_t)((rng_state * UINT64_C(2685821657736338717)) >> 33) % n;
}

static void feed_start(struct feed *f)
{
    feed_init(f);
    f->tr.inspectors = 1;
    f->tr.inspector[0].hooks = &hooks;
    f->conf.anomalies = false;
    feed_open(f);
}

struct seg { uint32_t dir, off, len; bool evil, fin; };
struct model {
    uint32_t len[2], isn[2];
    uint8_t data[2][STREAM_MAX], value[2][STREAM_MAX], came[2][STREAM_MAX];
    /* of a byte that waits: the piece in which it came */
    uint16_t from[2][STREAM_MAX], to[2][STREAM_MAX];
    bool fin[2];
    uint32_t policy;
};

static void model_make(struct model *m)
{
    for (uint32_t d = 0; d < 2; d++) {
        m->len[d] = rng(4) ? rng(600) : rng(STREAM_MAX);
        m->isn[d] = rng(3) ? rng(UINT32_MAX) : UINT32_MAX - rng(2000); /* often near the wrap */
        for (uint32_t i = 0; i < m->len[d]; i++)
            m->data[d][i] = (uint8_t)rng(256);
        memset(m->came[d], 0, sizeof m->came[d]);
        m->fin[d] = false;
    }
}

/* Cut both streams, repeat some parts, lose some, shuffle within a distance. */
static uint32_t segments_make(const struct model *m, struct seg *s, uint32_t loss, bool evil)
{
    uint32_t n = 0, reach = rng(3) ? 1 + rng(8) : 1 + rng(200), pos[2] = { 0, 0 };
    uint32_t size = 1 + rng(rng(2) ? 60 : 1460);

    while ((pos[0] < m->len[0] || pos[1] < m->len[1]) && n < SEGMENTS_MAX - 4) {
        uint32_t d = pos[0] >= m->len[0] ? 1 : pos[1] >= m->len[1] ? 0 : rng(2);
        uint32_t len = 1 + rng(size);
        struct seg g = { d, pos[d], len, false, false };
        if (g.len > m->len[d] - g.off)
            g.len = m->len[d] - g.off;
        pos[d] += g.len;
        if (rng(100) >= loss)
            s[n++] = g;
        if (!rng(5)) {              /* sent again, cut otherwise */
            g.off = rng(m->len[d]);
            g.len = 1 + rng(m->len[d] - g.off);
            g.evil = evil && !rng(3);
            s[n++] = g;
        }
    }
    for (uint32_t d = 0; d < 2; d++)
        if (rng(2))
            s[n++] = (struct seg){ d, m->len[d], 0, false, true };
    for (uint32_t i = 0; i + 1 < n; i++) {
        uint32_t j = i + rng(reach < n - i ? reach : n - i);
        struct seg t = s[i];
        s[i] = s[j], s[j] = t;
    }
    return n;
}

static void handshake(struct feed *f, const struct model *m)
{
    feed_tcp(f, client, server, TCP_SYN, m->isn[0], 0, NULL, 0);
    feed_tcp(f, server, client, TCP_SYN | TCP_ACK, m->isn[1], m->isn[0] + 1, NULL, 0);
    feed_tcp(f, client, server, TCP_ACK, m->isn[0] + 1, m->isn[1] + 1, NULL, 0);
}

/* Does a later segment [from, to) win over a piece that waits? In the words of the systems' own queues. */
static bool takes_over(uint32_t policy, uint32_t from, uint32_t to, uint32_t old_from, uint32_t old_to)
{
    switch (policy) {
    case POLICY_FIRST: return false;
    case POLICY_LAST: return true;
    case POLICY_LINUX: return from < old_from || (from == old_from && to > old_to);
    case POLICY_SOLARIS: return to > old_to || (to == old_to && from <= old_from);
    default: return from < old_from;
    }
}

static void model_take(struct model *m, const struct seg *g, const uint8_t *bytes)
{
    uint32_t d = g->dir, done = (uint32_t)seen[d].next, end = g->off + g->len;
    uint32_t begin = g->off < done ? done : g->off;

    for (uint32_t i = begin; i < end; i++) {
        if (!m->came[d][i]) {
            uint32_t to = i;
            while (to < end && !m->came[d][to])
                to++;
            for (uint32_t k = i; k < to; k++) {
                m->came[d][k] = 1;
                m->value[d][k] = bytes[k - g->off];
                m->from[d][k] = (uint16_t)i;
                m->to[d][k] = (uint16_t)to;
            }
            i = to - 1;
        } else if (takes_over(m->policy, begin, end, m->from[d][i], m->to[d][i])) {
            m->value[d][i] = bytes[i - g->off];
        }
    }
    for (uint32_t i = g->off; i < begin && i < end; i++)    /* in a hole that was given up, or delivered */
        if (!m->came[d][i]) {
            m->came[d][i] = 1;
            m->value[d][i] = bytes[i - g->off];
        }
}

/* ack: the highest in-order byte of the other direction, as its receiver would say; or nothing new.
 */
static void segment_send(struct feed *f, struct model *m, const struct seg *g, bool acks)
{
    uint8_t bytes[STREAM_MAX];
    uint32_t d = g->dir, ack = m->isn[!d] + 1;

    memcpy(bytes, m->data[d] + g->off, g->len);
    for (uint32_t i = 0; g->evil && i < g->len; i++)
        bytes[i] ^= (uint8_t)rng(256);
    model_take(m, g, bytes);
    m->fin[d] |= g->fin;
    if (acks)
        ack += rng(m->len[!d] + 1);
    feed_tcp(f, d ? server : client, d ? client : server, g->fin ? TCP_FIN | TCP_ACK : TCP_ACK,
             m->isn[d] + 1 + g->off, ack, bytes, g->len);
}

static const char *check_exact(const struct model *m, uint32_t d)
{
    uint32_t last = 0, missing = 0;

    for (uint32_t i = 0; i < m->len[d]; i++)
        if (m->came[d][i])
            last = i + 1;
    if (m->fin[d])
        last = m->len[d];
    for (uint32_t i = 0; i < last; i++) {
        missing += !m->came[d][i];
        if (m->came[d][i] != seen[d].have[i])
            return m->came[d][i] ? "a byte that came was not delivered"
                                 : "a byte that never came was delivered";
        if (m->came[d][i] && m->value[d][i] != seen[d].value[i])
            return "not the value that the policy says";
    }
    if (seen[d].next != last)
        return "the stream ends elsewhere";
    return seen[d].gaps != missing ? "the gaps do not add up" : NULL;
}

/* With acknowledgements a hole may be given up before a late segment fills it; what is delivered
 * must still be right. */
static const char *check_sound(const struct model *m, uint32_t d)
{
    for (uint32_t i = 0; i < m->len[d]; i++)
        if (seen[d].have[i] && (!m->came[d][i] || m->value[d][i] != seen[d].value[i]))
            return "a wrong byte was delivered";
    return NULL;
}

static const char *run_case(struct feed *f, uint64_t seed)
{
    static struct model m;
    static struct seg s[SEGMENTS_MAX];
    uint32_t loss, n;
    bool acks, evil;
    const char *why = NULL;

    rng_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    memset(seen, 0, sizeof seen);
    model_make(&m);
    loss = rng(3) ? 0 : rng(40);
    acks = !rng(4);
    evil = !rng(4);
    m.policy = f->conf.stream_policy = rng(POLICY_SOLARIS + 1);
    handshake(f, &m);
    n = segments_make(&m, s, loss, evil);
    for (uint32_t i = 0; i < n; i++)
        segment_send(f, &m, &s[i], acks);
    while (worker_finish(f->w, 0)) {}
    for (uint32_t d = 0; d < 2 && !why; d++) {
        why = seen[d].wrong ? "offsets, gaps or the end are wrong"
              : acks        ? check_sound(&m, d)
                            : check_exact(&m, d);
        if (!why && f->w->segments.used)
            why = "memory is still charged";
    }
    return why;
}

START_TEST(property)
{
    const char *cases = getenv("EC_STREAM_CASES"), *why = NULL;
    uint64_t n = cases ? strtoull(cases, NULL, 10) : 100000, i;
    struct feed f;

    feed_start(&f);
    f.conf.reorder = 16u << 20;
    for (i = 0; i < n && !why; i++)
        why = run_case(&f, i);
    ck_assert_msg(!why, "case %llu: %s", (unsigned long long)(i - 1), why);
    ck_assert_uint_gt(f.w->cells[M_STREAM_OOO], n);
    ck_assert_uint_gt(f.w->cells[M_STREAM_GAPS], 0);
    feed_close(&f);
}
END_TEST

static const struct model plain = { .len = { 0, 0 }, .isn = { 1000, 5000 } };

static void start(struct feed *f)
{
    memset(seen, 0, sizeof seen);
    feed_start(f);
    handshake(f, &plain);
}

static void say(struct feed *f, uint32_t d, uint32_t off, const char *text, uint8_t flags,
                uint32_t acked)
{
    feed_tcp(f, d ? server : client, d ? client : server, TCP_ACK | flags, plain.isn[d] + 1 + off,
             plain.isn[!d] + 1 + acked, text, (uint32_t)strlen(text));
}

static struct flow *only_flow(struct feed *f)
{
    uint32_t at = 0;

    ck_assert_uint_eq(f->w->table.used, 1);
    return table_walk(&f->w->table, &at);
}

START_TEST(states)
{
    struct feed f;

    start(&f);
    ck_assert_int_eq(only_flow(&f)->tcp_state, TCPS_ESTABLISHED);
    say(&f, 0, 0, "request", TCP_PSH, 0);
    say(&f, 1, 0, "answer", TCP_FIN, 7);
    ck_assert_int_eq(only_flow(&f)->tcp_state, TCPS_FIN_WAIT1);
    ck_assert(seen[1].ended && !seen[0].ended);
    say(&f, 0, 7, "", 0, 7);
    ck_assert_int_eq(only_flow(&f)->tcp_state, TCPS_FIN_WAIT2);
    say(&f, 0, 7, "", TCP_FIN, 7);
    ck_assert(seen[0].ended);
    ck_assert_int_eq(only_flow(&f)->tcp_state, TCPS_TIME_WAIT);
    ck_assert_int_eq(only_flow(&f)->pub.state, EC_FLOW_CLOSED);
    feed_tcp(&f, server, client, TCP_ACK, 5001 + 7, 1001 + 8, NULL, 0);
    ck_assert_int_eq(only_flow(&f)->tcp_state, TCPS_CLOSED);
    feed_tcp(&f, client, server, TCP_SYN, 77777, 0, NULL, 0);      /* the same ports again */
    ck_assert_int_eq(only_flow(&f)->tcp_state, TCPS_SYN_SENT);
    ck_assert_uint_eq(f.w->cells[M_FLOW_REUSED], 1);
    ck_assert_uint_eq(f.w->cells[M_FLOWS], 2);
    feed_close(&f);
}
END_TEST

START_TEST(reset)
{
    struct feed f;

    start(&f);
    say(&f, 0, 0, "abc", 0, 0);
    feed_tcp(&f, server, client, TCP_RST, 5001 + 90000000, 0, NULL, 0);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_SUSPECTED_RST_INJECT], 1);
    ck_assert_int_eq(only_flow(&f)->pub.state, EC_FLOW_ESTABLISHED);
    feed_tcp(&f, server, client, TCP_RST | TCP_ACK, 0, 1004, NULL, 0);  /* no answer to a SYN any more */
    feed_tcp(&f, client, server, TCP_RST | TCP_ACK, 0, 5001, NULL, 0);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_SUSPECTED_RST_INJECT], 3);
    ck_assert_int_eq(only_flow(&f)->pub.state, EC_FLOW_ESTABLISHED);
    feed_tcp(&f, server, client, TCP_RST, 5001, 0, NULL, 0);
    ck_assert_int_eq(only_flow(&f)->tcp_state, TCPS_CLOSED);
    ck_assert(seen[0].ended);
    say(&f, 0, 3, "late", 0, 0);
    ck_assert_uint_eq(seen[0].next, 3);
    feed_close(&f);
}
END_TEST

START_TEST(reopened)
{
    struct feed f;

    start(&f);
    say(&f, 0, 0, "old", 0, 0);     /* its end is not seen */
    feed_tcp(&f, client, server, TCP_SYN, 70000, 0, NULL, 0);
    say(&f, 0, 3, "still old?", 0, 0);
    ck_assert_uint_eq(seen[0].next, 13);
    memset(seen, 0, sizeof seen);
    feed_tcp(&f, client, server, TCP_SYN, 70000, 0, NULL, 0);
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 90000, 70001, NULL, 0);
    ck_assert_uint_eq(f.w->cells[M_FLOW_REUSED], 1);
    memset(seen, 0, sizeof seen);
    feed_tcp(&f, client, server, TCP_ACK, 70001, 90001, "new", 3);
    feed_tcp(&f, server, client, TCP_ACK, 90001, 70004, "yes", 3);
    ck_assert_mem_eq(seen[0].value, "new", 3);
    ck_assert_mem_eq(seen[1].value, "yes", 3);
    ck_assert_uint_eq(only_flow(&f)->pub.sport, client.port);
    ck_assert_int_eq(only_flow(&f)->tcp_state, TCPS_ESTABLISHED);
    feed_close(&f);
}
END_TEST

/* Somebody answered before the server did: the client says whom it believes. */
START_TEST(several_syn_acks)
{
    struct feed f;

    memset(seen, 0, sizeof seen);
    feed_start(&f);
    feed_tcp(&f, client, server, TCP_SYN, 1000, 0, NULL, 0);
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 70000, 1001, NULL, 0);
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 5000, 1001, NULL, 0);
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 90000, 1001, NULL, 0);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_3WHS_SYNACK_RESEND_WITH_DIFF_SEQ], 2);
    say(&f, 0, 0, "request", 0, 0);
    say(&f, 1, 0, "answer", 0, 7);
    ck_assert_int_eq(only_flow(&f)->tcp_state, TCPS_ESTABLISHED);
    ck_assert_mem_eq(seen[0].value, "request", 7);
    ck_assert_mem_eq(seen[1].value, "answer", 6);
    ck_assert_uint_eq(seen[1].next, 6);
    feed_close(&f);
}
END_TEST

START_TEST(forged_end)
{
    struct feed f;

    start(&f);
    say(&f, 0, 0, "abc", 0, 0);
    say(&f, 0, 6, "", TCP_FIN, 0);  /* somebody's FIN, ahead of the data … */
    say(&f, 0, 6, "ghi", 0, 0);     /* … which the sender goes on with */
    say(&f, 0, 3, "def", 0, 0);
    ck_assert_mem_eq(seen[0].value, "abcdefghi", 9);
    ck_assert(!seen[0].ended);
    say(&f, 0, 9, "jkl", TCP_FIN, 0);
    ck_assert(seen[0].ended);
    ck_assert_uint_eq(seen[0].next, 12);
    feed_tcp(&f, server, client, TCP_RST, plain.isn[1] + 1 + 5000, 0, NULL,
             0); /* in the window, but not next */
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_SUSPECTED_RST_INJECT], 1);
    say(&f, 1, 0, "answer", 0, 12);
    ck_assert_uint_eq(seen[1].next, 6);
    feed_close(&f);
}
END_TEST

START_TEST(keepalive_and_far_off)
{
    struct feed f;

    start(&f);
    say(&f, 0, 0, "abc", 0, 0);
    say(&f, 0, 2, "X", 0, 0);       /* one byte before the next: a probe */
    ck_assert_uint_eq(f.w->cells[M_STREAM_KEEPALIVE], 1);
    say(&f, 0, STREAM_MAX * 100000u, "far", 0, 0);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_EST_PACKET_OUT_OF_WINDOW], 1);
    ck_assert_uint_eq(seen[0].next, 3);
    feed_close(&f);
}
END_TEST

START_TEST(acknowledged_hole)
{
    struct feed f;

    start(&f);
    say(&f, 0, 0, "abc", 0, 0);
    say(&f, 0, 6, "ghi", 0, 0);     /* "def" was lost by the capture: the server acknowledges it */
    ck_assert_uint_eq(seen[0].next, 3);
    for (int i = 0; i < 3; i++)
        say(&f, 1, 0, "", 0, 9);
    ck_assert_uint_eq(seen[0].next, 9);
    ck_assert_uint_eq(seen[0].gaps, 3);
    ck_assert_uint_eq(f.w->cells[M_STREAM_GAPS], 1);
    feed_close(&f);
}
END_TEST

START_TEST(bounded_wait)
{
    struct feed f;
    char block[1000];

    start(&f);
    f.conf.reorder = 8192;
    memset(block, 'x', sizeof block - 1);
    block[sizeof block - 1] = 0;
    for (uint32_t i = 0; i < 20; i++) {             /* the first byte never comes */
        if (i * 250 + 1 + 999 > STREAM_MAX)
            break;
        say(&f, 0, 1 + i * 999 % 4995, block, 0, 0);
    }
    ck_assert_uint_le(only_flow(&f)->dir[0].wait_bytes, 8192 + 2048);
    feed_close(&f);

    start(&f);
    f.conf.stream_memcap = 2048;    /* no memory at all: delivered with the gap */
    say(&f, 0, 1, block, 0, 0);
    say(&f, 0, 2001, block, 0, 0);
    say(&f, 0, 4001, block, 0, 0);
    ck_assert_uint_ge(f.w->cells[M_STREAM_GAPS], 1);
    ck_assert_uint_ge(f.w->cells[M_EVENT + EV_STREAM_REASSEMBLY_MEMCAP], 1);
    feed_close(&f);
}
END_TEST

START_TEST(different_overlap)
{
    struct feed f;

    start(&f);
    f.conf.stream_policy = POLICY_FIRST;
    say(&f, 0, 3, "def", 0, 0);
    say(&f, 0, 3, "dXf", 0, 0);
    say(&f, 0, 0, "abcYYY", 0, 0);
    ck_assert_mem_eq(seen[0].value, "abcdef", 6);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_REASSEMBLY_OVERLAP_DIFFERENT_DATA], 2);
    overlaps++;
    feed_close(&f);
}
END_TEST

/* What was delivered is final; that somebody sent something else in its place shows, however it is cut. */
START_TEST(sent_again_with_another_content)
{
    struct feed f;
    const uint64_t *events;

    start(&f);
    events = &f.w->cells[M_EVENT + EV_STREAM_REASSEMBLY_OVERLAP_DIFFERENT_DATA];
    say(&f, 0, 0, "GET /index.html HTTP/1.1\r\n", 0, 0);
    say(&f, 0, 26, "Host: one.example\r\n", 0, 0);
    say(&f, 0, 0, "GET /index.html HTTP/1.1\r\n", 0, 0);
    say(&f, 0, 0, "GET /index.html HTTP/1.1\r\nHost: one.example\r\n\r\n", 0, 0);     /* and two new bytes */
    ck_assert_uint_eq(*events, 0);
    ck_assert_uint_eq(seen[0].next, 47);
    ck_assert_uint_eq(only_flow(&f)->more->tcp.retrans[0], 1);
    say(&f, 0, 26, "Host: two.example\r\n", 0, 0);
    ck_assert_uint_eq(*events, 1);
    say(&f, 0, 0, "GET /admin.html HTTP/1.1\r\nHost: one.example\r\n", 0, 0);
    ck_assert_uint_eq(*events, 2);
    say(&f, 0, 4, "/admin.html", 0, 0);         /* a part of what was one segment: not compared */
    ck_assert_uint_eq(*events, 2);
    ck_assert_mem_eq(seen[0].value, "GET /index.html HTTP/1.1\r\nHost: one.example\r\n\r\n", 47);
    ck_assert_uint_eq(seen[0].next, 47);
    for (uint32_t i = 0; i < LEDGER_LINES; i++)
        say(&f, 0, 47 + i, "x", 0, 0);
    say(&f, 0, 0, "PUT /index.html HTTP/1.1\r\n", 0, 0);  /* too long ago */
    ck_assert_uint_eq(*events, 2);
    feed_close(&f);
}
END_TEST

START_TEST(details)
{
    struct feed f;
    const struct tcp_more *t;

    memset(seen, 0, sizeof seen);
    feed_start(&f);
    f.now_ns = 1000000000;
    feed_tcp(&f, client, server, TCP_SYN, 1000, 0, NULL, 0);
    f.now_ns = 1000020000;
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 5000, 1001, NULL, 0);
    f.now_ns = 1000025000;
    feed_tcp(&f, client, server, TCP_ACK, 1001, 5001, NULL, 0);
    t = &only_flow(&f)->more->tcp;
    ck_assert_uint_ge(t->rtt_us[0], 20);
    ck_assert_uint_lt(t->rtt_us[0], 24);
    ck_assert_uint_ge(t->rtt_us[1], 5);
    ck_assert_uint_lt(t->rtt_us[1], 9);
    say(&f, 1, 3, "late", 0, 0);
    say(&f, 1, 0, "abc", 0, 0);
    say(&f, 1, 0, "abc", 0, 0);
    say(&f, 1, 10, "z", 0, 0);
    ck_assert_uint_eq(t->early[1], 2);
    ck_assert_uint_eq(t->retrans[1], 1);
    for (int i = 0; i < 3; i++)
        say(&f, 0, 0, "", 0, 11);
    ck_assert_uint_eq(t->missing[1], 3);
    ck_assert_uint_eq(t->missing[0] + t->early[0] + t->retrans[0], 0);
    feed_close(&f);

    feed_start(&f);                     /* a SYN that was sent twice: nobody knows which one was answered */
    feed_tcp(&f, client, server, TCP_SYN, 1000, 0, NULL, 0);
    feed_tcp(&f, client, server, TCP_SYN, 1000, 0, NULL, 0);
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 5000, 1001, NULL, 0);
    feed_tcp(&f, client, server, TCP_ACK, 1001, 5001, NULL, 0);
    ck_assert_uint_eq(only_flow(&f)->more->tcp.rtt_us[0], RTT_NONE);
    ck_assert_uint_ne(only_flow(&f)->more->tcp.rtt_us[1], RTT_NONE);
    feed_close(&f);
}
END_TEST

/* The same segments as each system reads them, and as the receiver's network tells which it is. */
START_TEST(policies)
{
    static const struct { const char *word, *bytes; } t[] = {
        { "first", "012aABCDEFGHbbdd" }, { "last", "0123bbccbbdddddd" }, { "bsd", "0123aaCDEFGHdddd" },
        { "windows", "0123aaCDEFGHdddd" }, { "linux", "0123bbbbbbbbdddd" }, { "solaris", "0123bbbbbbdddddd" },
    };

    for (uint32_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct feed f;

        start(&f);
        ck_assert_ptr_null(target_add(&f.conf.targets, "10.0.0.2", t[i].word));
        ck_assert_ptr_null(target_add(&f.conf.targets, "10.0.0.1", "first"));       /* the sender's does not count */
        say(&f, 0, 4, "ABCDEFGH", 0, 0);
        say(&f, 0, 3, "aaa", 0, 0);         /* begins before */
        say(&f, 0, 4, "bbbbbbbbbb", 0, 0);  /* begins with it, ends behind */
        say(&f, 0, 6, "cc", 0, 0);          /* within */
        say(&f, 0, 10, "dddddd", 0, 0);     /* begins within, ends behind */
        say(&f, 0, 0, "0123", 0, 0);
        ck_assert_uint_eq(seen[0].next, 16);
        ck_assert_msg(!memcmp(seen[0].value, t[i].bytes, 16), "%s: %.16s", t[i].word, (const char *)seen[0].value);
        ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_REASSEMBLY_OVERLAP_DIFFERENT_DATA], 5);
        feed_close(&f);
    }
}
END_TEST

START_TEST(depth)
{
    struct feed f;

    start(&f);
    f.conf.depth[0] = 5;
    say(&f, 0, 0, "abc", 0, 0);
    say(&f, 0, 3, "defgh", 0, 0);
    say(&f, 0, 8, "more", 0, 0);
    ck_assert_uint_eq(seen[0].next, 5);
    ck_assert(seen[0].ended && !seen[0].wrong);
    ck_assert_uint_eq(f.w->cells[M_STREAM_DEPTH], 1);
    feed_close(&f);
}
END_TEST

START_TEST(depth_of_a_protocol)
{
    struct feed f;

    start(&f);
    f.conf.depth[2] = 4;
    only_flow(&f)->app_side[0] = 2;
    only_flow(&f)->app_side[1] = APP_SIDE_FAILED;
    say(&f, 0, 0, "abcdefgh", 0, 0);
    say(&f, 1, 0, "abcdefgh", 0, 0);
    ck_assert_uint_eq(seen[0].next, 4);
    ck_assert(seen[0].ended);
    ck_assert_uint_eq(seen[1].next, 8);
    feed_close(&f);
}
END_TEST

/* As say(), with the urgent pointer. */
static void say_urgent(struct feed *f, uint32_t off, const char *text, uint16_t pointer)
{
    uint8_t frame[200];
    uint32_t n = build_tcp(frame, client, server, TCP_ACK | TCP_URG, plain.isn[0] + 1 + off, plain.isn[1] + 1, text,
                           (uint32_t)strlen(text));

    frame[20 + 18] = (uint8_t)(pointer >> 8);
    frame[20 + 19] = (uint8_t)pointer;
    feed_frame(f, 101, frame, n);
}

/* The octet before the one that the pointer names is no part of the stream: as its receiver reads it. */
START_TEST(urgent)
{
    struct feed f;

    start(&f);
    say_urgent(&f, 0, "GExT", 3);               /* amid */
    say_urgent(&f, 4, "x /", 1);                /* the first one */
    say_urgent(&f, 7, "aby", 3);                /* the last one */
    say_urgent(&f, 13, "fzg", 2);               /* early */
    say_urgent(&f, 10, "cde", 0);               /* no pointer at all: which goes for the one before, too, that did not come yet */
    ck_assert_uint_eq(f.w->cells[M_STREAM_URGENT], 4);
    ck_assert_mem_eq(seen[0].value, "GET /abcdefg", 12);
    ck_assert_uint_eq(seen[0].next, 12);
    ck_assert(!seen[0].wrong && !seen[0].ended);
    feed_tcp(&f, client, server, TCP_SYN, plain.isn[0], 0, NULL, 0);    /* the SYN once more is no other one */
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_EST_SYN_RESEND_DIFF_SEQ], 0);
    say_urgent(&f, 16, "hi", 4);                /* it comes with a later segment */
    say(&f, 0, 18, "jwk", TCP_FIN, 0);
    ck_assert_mem_eq(seen[0].value, "GET /abcdefghijk", 16);
    ck_assert(seen[0].ended && !seen[0].wrong);
    feed_close(&f);

    start(&f);                                  /* the urgent octet is the last one of all */
    say_urgent(&f, 0, "abx", 3);
    say(&f, 0, 3, "", TCP_FIN, 0);
    ck_assert(seen[0].ended && !seen[0].wrong);
    ck_assert_uint_eq(seen[0].next, 2);
    feed_close(&f);

    start(&f);
    f.conf.urgent_inline = true;
    say_urgent(&f, 0, "GExT", 3);
    ck_assert_mem_eq(seen[0].value, "GExT", 4);
    ck_assert_uint_eq(f.w->cells[M_STREAM_URGENT], 0);
    feed_close(&f);

    start(&f);                                  /* in a hole that is given up */
    say_urgent(&f, 0, "", 2);
    say(&f, 0, 4, "efgh", 0, 0);
    for (int i = 0; i < 3; i++)
        say(&f, 1, 0, "", 0, 8);
    ck_assert_uint_eq(seen[0].next, 8);
    ck_assert(!seen[0].wrong);
    ck_assert_uint_eq(f.w->cells[M_STREAM_URGENT], 0);
    feed_close(&f);
}
END_TEST

/* Segments that came before the SYN-ACK, with other numbers than its own, are none of this connection's. */
START_TEST(before_the_syn_ack)
{
    struct feed f;

    memset(seen, 0, sizeof seen);
    feed_start(&f);
    feed_tcp(&f, client, server, TCP_SYN, plain.isn[0], 0, NULL, 0);
    say(&f, 1, 0, "guess", 0, UINT32_MAX);
    say(&f, 1, 100, "waits", TCP_FIN, UINT32_MAX);
    ck_assert_uint_gt(f.w->segments.used, 0);
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, plain.isn[1] + 5000, plain.isn[0] + 1, NULL, 0);
    ck_assert_uint_eq(f.w->segments.used, 0);
    ck_assert_uint_eq(f.w->cells[M_STREAM_DROPPED], 5);
    say(&f, 1, 5000, "right", 0, 0);
    ck_assert_uint_eq(f.w->cells[M_STREAM_BYTES], 10);
    ck_assert_uint_eq(f.w->cells[M_STREAM_GAPS], 0);
    feed_close(&f);
}
END_TEST

START_TEST(midstream)
{
    struct feed f;

    memset(seen, 0, sizeof seen);
    feed_start(&f);
    say(&f, 0, 100, "middle", 0, 0);
    ck_assert_uint_eq(seen[0].next, 0);
    ck_assert_uint_eq(f.w->cells[M_STREAM_NO_SESSION], 1);
    feed_close(&f);
    feed_start(&f);
    f.conf.midstream = true;
    say(&f, 0, 100, "middle", 0, 0);
    say(&f, 1, 50, "other", 0, 0);
    ck_assert_uint_eq(seen[0].next, 6);
    ck_assert_uint_eq(seen[1].next, 5);
    feed_close(&f);

    memset(seen, 0,
           sizeof seen); /* the SYN was not seen: its answer still tells who is the server */
    feed_start(&f);
    f.conf.midstream = true;
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, plain.isn[1], plain.isn[0] + 1, NULL, 0);
    say(&f, 0, 0, "request", 0, 0);
    say(&f, 1, 0, "answer", 0, 7);
    ck_assert_uint_eq(only_flow(&f)->pub.sport, client.port);
    ck_assert_int_eq(only_flow(&f)->tcp_state, TCPS_ESTABLISHED);
    ck_assert_uint_eq(seen[0].next, 7);
    ck_assert_uint_eq(seen[1].next, 6);
    feed_close(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("stream");
    TCase *c = tcase_create("stream");

    tcase_set_timeout(c, 600);
    tcase_add_test(c, states);
    tcase_add_test(c, reset);
    tcase_add_test(c, reopened);
    tcase_add_test(c, several_syn_acks);
    tcase_add_test(c, forged_end);
    tcase_add_test(c, keepalive_and_far_off);
    tcase_add_test(c, acknowledged_hole);
    tcase_add_test(c, bounded_wait);
    tcase_add_test(c, different_overlap);
    tcase_add_test(c, sent_again_with_another_content);
    tcase_add_test(c, details);
    tcase_add_test(c, policies);
    tcase_add_test(c, depth);
    tcase_add_test(c, depth_of_a_protocol);
    tcase_add_test(c, urgent);
    tcase_add_test(c, before_the_syn_ack);
    tcase_add_test(c, midstream);
    tcase_add_test(c, property);
    suite_add_tcase(s, c);
    return unit_run(s);
}
