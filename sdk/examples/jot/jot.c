/* jot.c: a protocol to copy. Jot keeps notes, over TCP or in single datagrams:
 *
 *     JOT/1 PUT title 5\nhello          JOT/1 OK 0\n
 *     JOT/1 GET title\n                 JOT/1 OK 5\nhello      or      JOT/1 NO reason\n
 *
 * Each request with its reply is a transaction: rules look at its buffers, and it becomes one event "jot". */
#define EC_API_LEVEL 1
#include <stdlib.h>
#include <string.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

#define LINE_MOST 512u              /* bytes of a line: longer ones are no jot */
#define BODY_KEPT 1024u             /* of a note, for rules; what is longer is only counted */
#define BODY_MOST 16777216u

/* --- the event ---------------------------------------------------------------------------------------------------- */

struct jot_event {
    struct ec_part part;
    struct ec_span method, title, reply;
    uint64_t bytes[2];              /* of the notes, by direction */
};
static const struct ec_row event_rows[] = {
    EC_FIELD(WIRE, EC_R_COLUMN, struct jot_event, method, "method", NULL, "PUT or GET"),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct jot_event, title, "title", NULL, "name of the note"),
    EC_FIELD(WIRE, EC_R_COLUMN, struct jot_event, reply, "reply", NULL, "OK, or NO and the reason; absent: no reply was seen"),
    EC_FIELD(U64, 0, struct jot_event, bytes[0], "bytes_toserver", "bytes", "of the note that was sent"),
    EC_FIELD(U64, 0, struct jot_event, bytes[1], "bytes_toclient", "bytes", "of the note that came back"),
};
static const struct ec_record event_record = EC_RECORD_PART(struct jot_event, event_rows);
static const struct ec_topic topic = {
    sizeof topic, EC_TOPIC_EVENT, "org.example.jot/1", "jot", &event_record, NULL, "one request to keep or give a note" };

/* --- what rules look at ------------------------------------------------------------------------------------------- */

enum { AT_LINE = 1, AT_BODY = 2 };  /* progress, of each direction */
enum { SLOT_METHOD, SLOT_TITLE, SLOT_BODY, SLOT_REPLY, SLOT_REPLY_BODY, SLOTS };
static const struct ec_bufdef buffers[SLOTS] = {
    [SLOT_METHOD] = { "jot.method", "PUT or GET", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_LINE },
    [SLOT_TITLE] = { "jot.title", "name of the note", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_LINE },
    [SLOT_BODY] = { "jot.body", "the note that is sent, its first 1,024 bytes", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_BODY },
    [SLOT_REPLY] = { "jot.reply", "OK, or NO and the reason", EC_TO_CLIENT, EC_BUF_KIND_TX, 0, AT_LINE },
    [SLOT_REPLY_BODY] = { "jot.body", "the note that comes back", EC_TO_CLIENT, EC_BUF_KIND_TX, 0, AT_BODY },
};
enum { ANOMALY_LINE, ANOMALY_LENGTH, ANOMALY_UNANSWERED, ANOMALY_UNASKED, ANOMALIES };
static const char *const anomalies[ANOMALIES] = { "invalid_line", "invalid_length", "unanswered_request", "unasked_reply" };

/* --- memory: the engine's, zeroed, within its cap; freed by it ---------------------------------------------------- */

struct jot_side {
    uint64_t bytes, wire;           /* of the note so far; where it begins in the stream */
    uint32_t n_line, kept, gap;
    char line[LINE_MOST];           /* a buffer has to outlive the chunk that it came in */
    uint8_t body[BODY_KEPT];
};
struct jot_tx {
    struct jot_side side[2];
    uint32_t n_method, title, n_title;
};
struct jot_state {
    struct ec_tx *tx;               /* the request that has no reply yet */
    uint64_t left[2];               /* bytes of a note that are still to come */
};

struct jot { const struct ec_host *host; const struct ec_traffic *traffic; void *traffic_self; };

/* By the first bytes of either direction; the port is only a hint. */
static int32_t jot_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    (void)dir;
    if (memcmp(d, "JOT/1 ", n < 6 ? n : 6) != 0)
        return EC_NO;
    return n < 6 ? EC_MORE : EC_YES;
}

static void end(const struct jot *j, struct ec_pctx *c, struct jot_state *s)
{
    struct ec_tx *x = s->tx;

    s->tx = NULL;
    if (x)
        j->traffic->tx_end(c, x);
}

/* A decimal number that is all of n bytes. 0: it is none. */
static int number(const char *p, uint32_t n, uint64_t *to)
{
    uint64_t v = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9' || v > BODY_MOST)
            return 0;
        v = v * 10 + (uint64_t)(p[i] - '0');
    }
    *to = v;
    return n && v <= BODY_MOST;
}

/* The length behind the last space of the line. 0: it has none. */
static int length_of(const char *line, uint32_t n, uint32_t *before, uint64_t *to)
{
    uint32_t at = n;

    while (at && line[at - 1] != ' ')
        at--;
    *before = at ? at - 1 : 0;
    return at && number(line + at, n - at, to);
}

/* "PUT title 5", "GET title": what stands behind JOT/1. 0: no request. */
static int request(const struct jot *j, struct ec_pctx *c, struct jot_state *s, const char *line, uint32_t n, uint64_t wire)
{
    struct ec_tx *x;
    struct jot_tx *t;
    struct jot_side *side;
    uint32_t title_end = n;
    uint64_t length = 0;
    int put = n > 4 && !memcmp(line, "PUT ", 4);

    if (!put && (n <= 4 || memcmp(line, "GET ", 4) != 0))
        return 0;
    if (s->tx) {
        j->traffic->anomaly(c, s->tx, ANOMALY_UNANSWERED);
        end(j, c, s);
    }
    if (!(x = s->tx = j->traffic->tx_begin(c)))
        return 1;                   /* too many: counted by the engine */
    t = x->mem;
    side = &t->side[EC_TO_SERVER];
    side->n_line = n;
    memcpy(side->line, line, n);
    if (put && (!length_of(line + 4, n - 4, &title_end, &length)))
        j->traffic->anomaly(c, x, ANOMALY_LENGTH);
    t->n_method = 3;
    t->title = 4;
    t->n_title = put ? title_end : n - 4;
    ec_buf_set(x, SLOT_METHOD, (const uint8_t *)side->line, 3, EC_BUF_WHOLE | EC_BUF_VERBATIM, wire);
    ec_buf_set(x, SLOT_TITLE, (const uint8_t *)side->line + 4, t->n_title, EC_BUF_WHOLE | EC_BUF_VERBATIM, wire + 4);
    s->left[EC_TO_SERVER] = length;
    j->traffic->tx_step(c, x, EC_TO_SERVER, length ? AT_LINE : AT_BODY);
    return 1;
}

/* "OK 5", "NO reason". 0: no reply. */
static int reply(const struct jot *j, struct ec_pctx *c, struct jot_state *s, const char *line, uint32_t n, uint64_t wire)
{
    struct jot_side *side;
    uint64_t length = 0;
    uint32_t before;
    int ok = n >= 2 && !memcmp(line, "OK", 2);

    if (!ok && (n < 2 || memcmp(line, "NO", 2) != 0))
        return 0;
    if (!s->tx) {
        j->traffic->anomaly(c, NULL, ANOMALY_UNASKED);
        if (!(s->tx = j->traffic->tx_begin(c)))
            return 1;
    }
    side = &((struct jot_tx *)s->tx->mem)->side[EC_TO_CLIENT];
    side->n_line = n;
    memcpy(side->line, line, n);
    if (ok && !length_of(line, n, &before, &length))
        j->traffic->anomaly(c, s->tx, ANOMALY_LENGTH);
    ec_buf_set(s->tx, SLOT_REPLY, (const uint8_t *)side->line, n, EC_BUF_WHOLE | EC_BUF_VERBATIM, wire);
    s->left[EC_TO_CLIENT] = length;
    j->traffic->tx_step(c, s->tx, EC_TO_CLIENT, length ? AT_LINE : AT_BODY);
    if (!length)
        end(j, c, s);
    return 1;
}

/* Some of a note; missing: bytes of it that were lost before d. */
static void body(const struct jot *j, struct ec_pctx *c, struct jot_state *s, uint32_t dir, const uint8_t *d, uint32_t n,
                 uint64_t wire)
{
    struct jot_side *side;
    uint32_t keep, slot = dir == EC_TO_SERVER ? SLOT_BODY : SLOT_REPLY_BODY;

    s->left[dir] -= n;
    if (!s->tx)
        return;
    side = &((struct jot_tx *)s->tx->mem)->side[dir];
    if (!side->bytes)
        side->wire = wire;
    keep = side->gap ? 0 : n < BODY_KEPT - side->kept ? n : BODY_KEPT - side->kept;
    memcpy(side->body + side->kept, d, keep);
    side->kept += keep;
    side->bytes += n;
    ec_buf_set(s->tx, slot, side->body, side->kept,
               (s->left[dir] ? EC_BUF_PART : EC_BUF_WHOLE) | EC_BUF_VERBATIM | (side->gap ? EC_BUF_GAP : 0), side->wire);
    j->traffic->tx_step(c, s->tx, dir, AT_BODY);
    if (!s->left[dir] && dir == EC_TO_CLIENT)
        end(j, c, s);
}

/* One line with its end. 0: it is no jot. */
static int line(const struct jot *j, struct ec_pctx *c, struct jot_state *s, uint32_t dir, const char *p, uint32_t n,
                uint64_t wire)
{
    n -= n > 1 && p[n - 2] == '\r' ? 2 : 1;
    if (n < 6 || memcmp(p, "JOT/1 ", 6) != 0)
        return 0;
    return dir == EC_TO_SERVER ? request(j, c, s, p + 6, n - 6, wire + 6) : reply(j, c, s, p + 6, n - 6, wire + 6);
}

/* Bytes in order. What is not eaten comes again with more behind it. */
static int64_t jot_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    const struct jot *j = self;
    struct jot_state *s = state;
    uint32_t at = 0;

    if (k->flags & EC_CH_GAP) {     /* within a note the rest is still its rest; elsewhere nobody knows where a line begins */
        if (k->missing > s->left[k->dir])
            return EC_EINVAL;
        s->left[k->dir] -= k->missing;
        if (s->tx)
            ((struct jot_tx *)s->tx->mem)->side[k->dir].gap = 1;
    }
    while (at < k->len) {
        const uint8_t *d = k->data + at, *stop;
        uint32_t rest = k->len - at, n = rest;

        if (s->left[k->dir]) {
            n = s->left[k->dir] < rest ? (uint32_t)s->left[k->dir] : rest;
            body(j, c, s, k->dir, d, n, k->offset + at);
        } else {
            stop = memchr(d, '\n', rest < LINE_MOST ? rest : LINE_MOST);
            if (!stop && rest < LINE_MOST && !(k->flags & EC_CH_DATAGRAM))
                break;
            if (stop)
                n = (uint32_t)(stop - d) + 1;
            if (!stop || !line(j, c, s, k->dir, (const char *)d, n, k->offset + at)) {
                j->traffic->anomaly(c, s->tx, ANOMALY_LINE);
                end(j, c, s);
                return EC_EINVAL;   /* give up on this flow */
            }
        }
        at += n;
    }
    if (k->flags & EC_CH_END && k->dir == EC_TO_CLIENT)
        end(j, c, s);
    return at;
}

static int32_t jot_record(void *self, const struct ec_tx *x, uint32_t topic_id, struct ec_build *b)
{
    const struct jot_tx *t = x->mem;
    const struct jot_side *up = &t->side[EC_TO_SERVER], *down = &t->side[EC_TO_CLIENT];
    struct jot_event *e = ec_add(b, topic_id, sizeof *e);

    (void)self;
    if (!e)
        return EC_ELIMIT;
    if (up->n_line) {
        e->method = ec_put(b, up->line, t->n_method);
        e->title = ec_put(b, up->line + t->title, t->n_title);
    }
    if (down->n_line)
        e->reply = ec_put(b, down->line, down->n_line);
    e->bytes[0] = up->bytes;
    e->bytes[1] = down->bytes;
    return EC_OK;
}

static const struct ec_proto proto = {
    .size = sizeof proto, .name = "jot", .hints = "tcp/7117 udp/7117", .topic = "org.example.jot/1",
    .state_bytes = sizeof(struct jot_state), .tx_bytes = sizeof(struct jot_tx),
    .n_buf = SLOTS, .buf_stride = sizeof buffers[0], .buf = buffers, .n_anomaly = ANOMALIES, .anomaly = anomalies,
    .probe = jot_probe, .parse = jot_parse, .record = jot_record,
};

/* --- the plugin --------------------------------------------------------------------------------------------------- */

static int32_t jot_create(const struct ec_host *h, void **self)
{
    struct jot *j = *self = calloc(1, sizeof *j);

    return j ? (j->host = h, EC_OK) : h->fail(h, EC_ENOMEM, "out of memory");
}

static int32_t jot_setup(void *self)
{
    struct jot *j = self;
    uint32_t id;
    int32_t err = j->host->topic(j->host, &topic, &id);

    j->traffic = j->host->use(j->host, EC_TRAFFIC_ID, &j->traffic_self);
    return err ? err : j->traffic->proto(j->traffic_self, j->host, &proto, j, &id);
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP, sizeof(struct ec_traffic), 0, EC_TRAFFIC_ID } };
static const struct ec_plugin jot = {
    EC_PLUGIN_HEAD, "org.example.jot", "jot", "1.0", "the jot protocol", "MIT", NULL,
    1, sizeof uses[0], 0, 0, 0, 0, uses, NULL, NULL, NULL, jot_create, jot_setup, NULL, NULL, NULL, NULL, NULL, NULL, free,
};
EC_PLUGIN(jot)
