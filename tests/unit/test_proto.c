/* Detection, parsing and transactions, with two protocols of the test's own: "line" (text lines,
 * each a transaction that the answer line ends) and "never" (asks for more for ever). */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "plugins/traffic/proto/app.h"
#include "tests/unit/traffic_frames.h"

static const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 7777 };

struct line_state { uint32_t lines, pad; struct ec_tx *open; };
struct line_tx { char text[64]; };
enum { SLOT_REQUEST, SLOT_ANSWER, SLOT_LENGTH };

static char trace[4096];            /* what happened, in order */
static uint32_t states, txs;

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
    size_t n = strlen(trace);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(trace + n, sizeof trace - n, fmt, ap);
    va_end(ap);
}

static int32_t line_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    uint32_t k = n < 5 ? n : 5;

    if (dir == EC_TO_CLIENT)
        return n >= 3 && !memcmp(d, "OK ", 3) ? EC_YES : EC_NO;
    if (memcmp(d, "LINE ", k))
        return EC_NO;
    return n < 5 ? EC_MORE : EC_YES;
}

static void line_take(struct ec_pctx *c, struct line_state *s, uint32_t dir, const uint8_t *d,
                      uint32_t n, uint64_t wire)
{
    struct line_tx *m;

    s->lines++;
    if (dir == EC_TO_SERVER) {
        s->open = tx_begin(c);
        if (!s->open)
            return;
        txs++;
        m = s->open->mem;
        snprintf(m->text, sizeof m->text, "%.*s", (int)n, (const char *)d);
        ec_buf_set(s->open, SLOT_REQUEST, (const uint8_t *)m->text, (uint32_t)strlen(m->text),
                   EC_BUF_WHOLE | EC_BUF_VERBATIM, wire);
        s->open->buf[SLOT_LENGTH].state = EC_BUF_LAZY;
        tx_step(c, s->open, dir, 1);
    } else if (s->open) {
        ec_buf_set(s->open, SLOT_ANSWER, d, n, EC_BUF_WHOLE, wire);
        tx_end(c, s->open);
        s->open = NULL;
    } else {
        tx_anomaly(c, NULL, 0);
    }
}

static int64_t line_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    uint32_t at = 0;

    (void)self;
    if (k->flags & EC_CH_GAP)
        note("gap%llu ", (unsigned long long)k->missing);
    while (at < k->len) {
        const uint8_t *nl = memchr(k->data + at, '\n', k->len - at);
        uint32_t n;
        if (!nl)
            break;
        n = (uint32_t)(nl - (k->data + at));
        if (n == 4 && !memcmp(k->data + at, "QUIT", 4))
            return EC_EINVAL;
        if (n == 7 && !memcmp(k->data + at, "UPGRADE", 7)) {
            tx_upgrade(c, NULL);
            return at + 8;
        }
        line_take(c, state, k->dir, k->data + at, n, k->offset + at);
        at += n + 1;
    }
    if (k->flags & EC_CH_END)
        note("end%u ", k->dir);
    return at;
}

static void line_fill(void *self, struct ec_tx *x, uint32_t slot, struct ec_buf *out)
{
    static const uint8_t digits[] = "0123456789";

    (void)self;
    ck_assert_uint_eq(slot, SLOT_LENGTH);
    out->u.data = digits + x->buf[SLOT_REQUEST].len % 10;
    out->len = 1;
    out->state = EC_BUF_WHOLE;
}

static void line_tx_drop(void *self, void *mem) { (void)self, (void)mem; note("drop "); txs--; }
static void line_state_drop(void *self, void *mem)
{
    (void)self, (void)mem;
    states--;
    note("state-drop ");
}

static int32_t never_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    (void)d, (void)n, (void)dir;
    return EC_MORE;
}
static int64_t never_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    (void)self, (void)c, (void)state;
    return k->len;
}

static const struct ec_bufdef line_buf[] = {
    { "line.request", "the line", EC_TO_SERVER, EC_BUF_KIND_TX, 0, 1 },
    { "line.answer", "its answer", EC_TO_CLIENT, EC_BUF_KIND_TX, 0, 2 },
    { "line.length", "of the line, modulo ten", EC_TO_SERVER, EC_BUF_KIND_TX, 0, 1 },
};
static const char *const line_anomaly[] = { "line.answer_without_line" };
static const struct ec_proto line = {
    .size = sizeof line,
    .name = "line",
    .hints = "tcp/7777 udp/7777",
    .state_bytes = sizeof(struct line_state),
    .tx_bytes = sizeof(struct line_tx),
    .n_buf = 3,
    .buf_stride = sizeof *line_buf,
    .buf = line_buf,
    .n_anomaly = 1,
    .tx_max = 3,
    .anomaly = line_anomaly,
    .probe = line_probe,
    .parse = line_parse,
    .fill = line_fill,
    .tx_drop = line_tx_drop,
    .state_drop = line_state_drop,
};
static const struct ec_proto never = {.size = sizeof never,
                                      .name = "never",
                                      .hints = "tcp",
                                      .probe = never_probe,
                                      .parse = never_parse};

static uint32_t lease_off;
static void on_tx(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f,
                  struct ec_tx *x, struct ec_packet *p)
{
    const struct ec_buf *b = x->buf;

    (void)self, (void)w, (void)st, (void)gen, (void)f;
    note("tx%llu:%llx%s%s%s%s", (unsigned long long)x->id, (unsigned long long)x->fresh,
         x->flags & EC_TX_END ? "E" : "", x->flags & EC_TX_CUT ? "C" : "", p ? "" : "-", " ");
    if (b[SLOT_LENGTH].state & EC_BUF_LAZY)
        ck_assert_uint_eq(tx_fill(NULL, x, SLOT_LENGTH)->u.data[0], '0' + b[SLOT_REQUEST].len % 10);
    ck_assert_uint_eq((*EC_LEASED(x, lease_off, uint64_t))++, x->flags & EC_TX_END ? 1 : 0);
}

static void on_chunk(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f,
                     const struct ec_chunk *k)
{
    (void)self, (void)w, (void)st, (void)gen, (void)f, (void)k;
    note("chunk ");
}
static void on_packet(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p)
{
    (void)self, (void)w, (void)st, (void)gen;
    if (p->payload_len)
        note("packet%s ", p->flags & EC_PK_STREAM ? "S" : "");
}
static const struct ec_inspector hooks = {
    .size = sizeof hooks, .name = "test", .chunk = on_chunk, .tx = on_tx, .packet = on_packet};
static const struct ec_inspector tx_only = { .size = sizeof tx_only, .name = "test", .tx = on_tx };

static uint32_t sent[2];

static void start(struct feed *f, const struct ec_inspector *i)
{
    trace[0] = 0;
    txs = 0;
    sent[0] = sent[1] = 0;
    feed_init(f);
    f->tr.inspectors = 1;
    f->tr.inspector[0].hooks = i;
    ck_assert_int_eq(registry_proto(&f->tr, NULL, &never, NULL, NULL), EC_OK);
    ck_assert_int_eq(registry_proto(&f->tr, NULL, &line, NULL, NULL), EC_OK);
    ck_assert_int_eq(registry_proto(&f->tr, NULL, &line, NULL, NULL), EC_EEXIST);
    ck_assert_int_eq(registry_lease(&f->tr, EC_LEASE_TX, 8, NULL, NULL, &lease_off), EC_OK);
    feed_open(f);
    feed_tcp(f, client, server, TCP_SYN, 99, 0, NULL, 0);
    feed_tcp(f, server, client, TCP_SYN | TCP_ACK, 499, 100, NULL, 0);
    feed_tcp(f, client, server, TCP_ACK, 100, 500, NULL, 0);
}

static void say(struct feed *f, uint32_t dir, const char *text)
{
    uint32_t n = (uint32_t)strlen(text);

    feed_tcp(f, dir ? server : client, dir ? client : server, TCP_ACK | TCP_PSH,
             (dir ? 500 : 100) + sent[dir], (dir ? 100 : 500) + sent[!dir], text, n);
    sent[dir] += n;
}

static void lose(uint32_t dir, uint32_t n) { sent[dir] += n; }

START_TEST(order_of_hooks)
{
    struct feed f;

    start(&f, &hooks);
    say(&f, 0, "LINE one\n");
    say(&f, 1, "OK 1\n");
    ck_assert_str_eq(trace, "chunk tx0:1 packetS chunk tx0:2E drop packetS ");
    states = 1;
    feed_close(&f);
    ck_assert_uint_eq(states, 0);
    ck_assert_uint_eq(f.tr.proto[1].id, 2);
}
END_TEST

START_TEST(pieces)
{
    struct feed f;

    start(&f, &tx_only);
    say(&f, 0, "LI");
    say(&f, 0, "NE");
    say(&f, 0, " o");
    say(&f, 0, "ne\nLINE two\nLINE thr");
    ck_assert_str_eq(trace, "tx0:1 tx1:1 ");
    say(&f, 0, "ee\n");
    ck_assert_str_eq(trace, "tx0:1 tx1:1 tx2:1 ");
    say(&f, 0, "LINE four\n");                      /* three are open: refused and counted */
    ck_assert_uint_eq(f.w->cells[M_TX_LIMIT], 1);
    trace[0] = 0;
    feed_close(&f); /* the flow ends: all are cut, without a packet */
    ck_assert_str_eq(trace, "end0 tx0:0EC- drop tx1:0EC- drop tx2:0EC- drop state-drop ");
    ck_assert_uint_eq(txs, 0);
}
END_TEST

START_TEST(server_speaks_first)
{
    struct feed f;

    start(&f, &tx_only);
    say(&f, 1, "hello, who are you?\n"); /* unknown, kept until the client's bytes tell */
    say(&f, 0, "LINE x\n");
    ck_assert_uint_eq(f.w->cells[M_APP_DETECTED], 1);
    ck_assert_uint_eq(f.w->cells[M_ANOMALY], 1); /* the parser got the greeting, before the line */
    ck_assert_str_eq(trace, "tx0:1 ");
    feed_close(&f);
}
END_TEST

START_TEST(nobody_knows)
{
    struct feed f;
    char junk[1200];

    memset(junk, 'j', sizeof junk - 1);
    junk[sizeof junk - 1] = 0;
    start(&f, &tx_only);
    say(&f, 0, junk);
    ck_assert_uint_eq(f.w->cells[M_APP_FAILED], 0);
    say(&f, 1, junk);
    ck_assert_uint_eq(f.w->cells[M_APP_FAILED], 1);
    ck_assert_uint_le(f.w->pool.used, f.w->table.stride + 2 * sizeof(struct sdir) + 2 * sizeof(struct flow_more));   /* nothing of a parser */
    feed_close(&f);

    start(&f, &tx_only);            /* one side only: not kept for ever */
    for (int i = 0; i < 5; i++)
        say(&f, 0, junk);
    ck_assert_uint_eq(f.w->cells[M_APP_FAILED], 1);
    feed_close(&f);
}
END_TEST

START_TEST(gap_and_error)
{
    struct feed f;

    start(&f, &tx_only);
    say(&f, 0, "LINE a\nLINE hal");
    lose(0, 10);
    say(&f, 0, "x\nLINE c\n");
    for (int i = 0; i < 3; i++)
        say(&f, 1, "");             /* acknowledged: the hole is the capture's */
    ck_assert_str_eq(trace, "tx0:1 gap18 tx1:1 tx2:1 ");    /* with the half line that waited */
    trace[0] = 0;
    say(&f, 0, "QUIT\n");
    ck_assert_str_eq(trace, "tx0:0EC drop tx1:0EC drop tx2:0EC drop state-drop ");
    ck_assert_uint_eq(f.w->cells[M_APP_ERROR], 1);
    say(&f, 0, "LINE d\n");
    ck_assert_uint_eq(f.w->cells[M_TX], 3);
    feed_close(&f);
}
END_TEST

START_TEST(changes_protocol)
{
    struct feed f;

    start(&f, &tx_only);
    say(&f, 0, "LINE a\nUPGRADE\nLINE b\n");
    ck_assert_str_eq(trace, "tx0:1 tx0:0EC drop state-drop tx0:1 ");
    ck_assert_uint_eq(f.w->cells[M_APP_DETECTED], 2);
    for (int i = 0; i < 20; i++)
        say(&f, 0, "LINE c\nUPGRADE\n");            /* not for ever */
    ck_assert_uint_eq(f.w->cells[M_APP_ERROR], 1);
    feed_close(&f);
    ck_assert_uint_eq(txs, 0);
}
END_TEST

START_TEST(unread_bytes_are_bounded)
{
    struct feed f;
    char block[1401];

    memset(block, 'b', sizeof block - 1);           /* no newline, ever */
    block[sizeof block - 1] = 0;
    start(&f, &tx_only);
    say(&f, 0, "LINE ");
    for (int i = 0; i < 60; i++) {
        say(&f, 0, block);
        ck_assert_uint_le(f.w->pool.used, (256u << 10) + f.w->table.stride);
    }
    ck_assert_uint_eq(f.w->cells[M_APP_KEPT_LIMIT], 1);
    ck_assert_uint_le(f.w->pool.used, f.w->table.stride + 2 * sizeof(struct sdir) + 2 * sizeof(struct flow_more));
    feed_close(&f);
}
END_TEST

START_TEST(datagrams)
{
    struct feed f;

    start(&f, &hooks);
    trace[0] = 0;
    feed_udp(&f, client, server, "LINE a\nrest", 11);
    feed_udp(&f, client, server, "LINE b\n", 7);
    ck_assert_str_eq(trace,
                     "tx0:1 packet tx1:1 packet "); /* no chunk hooks, and the rest does not wait */
    for (int i = 0; i < 6; i++)
        feed_udp(&f, client, (struct side){ 9, 9 }, "????", 4);
    ck_assert_uint_eq(f.w->cells[M_APP_FAILED], 1);
    feed_close(&f);
}
END_TEST

START_TEST(buffers_by_name)
{
    struct feed f;
    struct ec_slot s = { .size = sizeof s };
    const char *name, *help;

    start(&f, &tx_only);
    ck_assert_int_eq(registry_slot(&f.tr, "line.answer", 0, &s), EC_OK);
    ck_assert_uint_eq(s.slot, SLOT_ANSWER);
    ck_assert_uint_eq(s.dir, EC_TO_CLIENT);
    ck_assert_uint_eq(s.proto, f.tr.proto[1].id);
    ck_assert_int_eq(registry_slot(&f.tr, "line.answer", 1, &s), EC_ENOENT);
    ck_assert_int_eq(registry_slot(&f.tr, "line.nothing", 0, &s), EC_ENOENT);
    ck_assert_int_eq(registry_slot_at(&f.tr, 2, &name, &help), EC_OK);
    ck_assert_str_eq(name, "line.length");
    ck_assert_int_eq(registry_slot_at(&f.tr, 3, &name, &help), EC_ENOENT);
    feed_close(&f);
}
END_TEST

/* A name without a parser: the flow has it, inspectors see its bytes, and nothing is kept. A parser of that name takes its
 * place, with hints and first bytes of its own. */
START_TEST(a_name_alone)
{
    static const struct ec_proto name = { .size = sizeof name, .flags = EC_PROTO_NAME_ONLY, .name = "line",
                                          .hints = "tcp/7777", .first = "4c", .probe = line_probe };

    for (uint32_t parsed = 0; parsed < 2; parsed++) {
        struct feed f;
        uint32_t at = 0;

        trace[0] = 0;
        sent[0] = sent[1] = 0;
        feed_init(&f);
        f.tr.inspectors = 1;
        f.tr.inspector[0].hooks = &hooks;
        ck_assert_int_eq(registry_proto(&f.tr, NULL, &name, NULL, NULL), EC_OK);
        ck_assert_int_eq(registry_proto(&f.tr, NULL, &name, NULL, NULL), EC_EEXIST);
        if (parsed) {
            ck_assert_int_eq(registry_proto(&f.tr, NULL, &line, NULL, NULL), EC_OK);
            ck_assert_int_eq(registry_proto(&f.tr, NULL, &name, NULL, NULL), EC_EEXIST);
        }
        ck_assert_uint_eq(f.tr.protos, 1);
        ck_assert_int_eq(registry_lease(&f.tr, EC_LEASE_TX, 8, NULL, NULL, &lease_off), EC_OK);
        feed_open(&f);
        feed_tcp(&f, client, server, TCP_SYN, 99, 0, NULL, 0);
        feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 499, 100, NULL, 0);
        feed_tcp(&f, client, server, TCP_ACK, 100, 500, NULL, 0);
        say(&f, 0, "LINE a\n");
        ck_assert_uint_eq(table_walk(&f.w->table, &at)->pub.proto, 1);
        ck_assert_uint_eq(f.w->cells[M_APP_DETECTED], 1);
        ck_assert_uint_eq(f.w->cells[M_APP_FAILED], 0);
        ck_assert_ptr_nonnull(strstr(trace, "chunk "));
        ck_assert_int_eq(strstr(trace, "tx0") != NULL, parsed);
        feed_close(&f);
    }
}
END_TEST

START_TEST(bad_registrations)
{
    struct ec_proto p = line;
    struct traffic tr = { .protos = 0 };

    p.hints = "tcp/99999";
    ck_assert_int_eq(registry_proto(&tr, NULL, &p, NULL, NULL), EC_EINVAL);
    p.hints = "quic/1";
    ck_assert_int_eq(registry_proto(&tr, NULL, &p, NULL, NULL), EC_EINVAL);
    p = line, p.n_buf = 65;
    ck_assert_int_eq(registry_proto(&tr, NULL, &p, NULL, NULL), EC_EINVAL);
    p = line, p.size = 40;
    ck_assert_int_eq(registry_proto(&tr, NULL, &p, NULL, NULL), EC_EINVAL);
    p = line, p.parse = NULL;
    ck_assert_int_eq(registry_proto(&tr, NULL, &p, NULL, NULL), EC_EINVAL);
    ck_assert_uint_eq(tr.protos, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("proto");
    TCase *c = tcase_create("proto");

    tcase_add_test(c, order_of_hooks);
    tcase_add_test(c, pieces);
    tcase_add_test(c, server_speaks_first);
    tcase_add_test(c, nobody_knows);
    tcase_add_test(c, gap_and_error);
    tcase_add_test(c, changes_protocol);
    tcase_add_test(c, unread_bytes_are_bounded);
    tcase_add_test(c, datagrams);
    tcase_add_test(c, buffers_by_name);
    tcase_add_test(c, a_name_alone);
    tcase_add_test(c, bad_registrations);
    suite_add_tcase(s, c);
    return unit_run(s);
}
