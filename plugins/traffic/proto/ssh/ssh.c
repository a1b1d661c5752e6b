/* ssh.c: the SSH protocol. One transaction for each connection: it begins with the first banner and ends when both
 * sides have said which algorithms they offer, or when nothing more can be read. */
#include "ssh.h"

#include <string.h>

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

#include "record.h"
#include "session.h"

#define PACKET_MAX 35000            /* RFC 4253 §6.1 */
#define LINES_MAX 64                /* that a server may send before its banner */

enum { MESSAGE_KEXINIT = 20, MESSAGE_NEWKEYS = 21 };
enum { AT_BANNER = 1, AT_KEX = 2, AT_END = 3 };     /* progress */

struct side { bool banner, closed; uint8_t lines, pad; };
struct ssh_state { struct side side[2]; struct ec_tx *tx; bool done; };

enum { SLOT_PROTO, SLOT_SOFTWARE, SLOT_HASSH, SLOT_HASSH_STRING, SLOT_PROTO_SERVER, SLOT_SOFTWARE_SERVER,
       SLOT_HASSH_SERVER, SLOT_HASSH_SERVER_STRING, SLOTS };
#define TO_SERVER(name, progress, help) { name, help, EC_TO_SERVER, EC_BUF_KIND_TX, 0, progress }
#define TO_CLIENT(name, progress, help) { name, help, EC_TO_CLIENT, EC_BUF_KIND_TX, 0, progress }
static const struct ec_bufdef buffers[SLOTS] = {
    [SLOT_PROTO] = TO_SERVER("ssh.proto", AT_BANNER, "protocol version in the client's banner"),
    [SLOT_SOFTWARE] = TO_SERVER("ssh.software", AT_BANNER, "software in the client's banner"),
    [SLOT_HASSH] = TO_SERVER("ssh.hassh", AT_KEX, "HASSH of the client, hexadecimal"),
    [SLOT_HASSH_STRING] = TO_SERVER("ssh.hassh.string", AT_KEX, "what the client's HASSH is made of"),
    [SLOT_PROTO_SERVER] = TO_CLIENT("ssh.proto", AT_BANNER, "protocol version in the server's banner"),
    [SLOT_SOFTWARE_SERVER] = TO_CLIENT("ssh.software", AT_BANNER, "software in the server's banner"),
    [SLOT_HASSH_SERVER] = TO_CLIENT("ssh.hassh.server", AT_KEX, "HASSH of the server, hexadecimal"),
    [SLOT_HASSH_SERVER_STRING] = TO_CLIENT("ssh.hassh.server.string", AT_KEX, "what the server's HASSH is made of"),
};

enum { ANOMALY_BANNER, ANOMALY_LONG_BANNER, ANOMALY_RECORD, ANOMALIES };
static const char *const anomalies[ANOMALIES] = { "invalid_banner", "long_banner", "invalid_record" };

static const struct ec_traffic *traffic;

static int32_t ssh_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    (void)dir;
    if (memcmp(d, "SSH-", n < 4 ? n : 4))
        return EC_NO;
    return n < 4 ? EC_MORE : EC_YES;
}

static void finish(struct ec_pctx *c, struct ssh_state *s)
{
    struct ec_tx *x = s->tx;

    s->tx = NULL;
    s->done = s->side[0].closed = s->side[1].closed = true;
    if (x)
        traffic->tx_end(c, x);
}

static void set(struct ec_tx *x, uint32_t slot, const void *p, uint32_t n)
{
    if (n)
        ec_buf_set(x, slot, p, n, EC_BUF_WHOLE, 0);
}

/* wire: where the line stands in the stream. */
static void banner(struct ec_pctx *c, struct ssh_state *s, uint32_t dir, const uint8_t *line, uint32_t n, uint64_t wire)
{
    uint32_t shift = dir == EC_TO_SERVER ? 0 : SLOT_PROTO_SERVER - SLOT_PROTO, how = EC_BUF_WHOLE | EC_BUF_VERBATIM;
    struct ssh_banner *b;

    s->side[dir].banner = true;
    if (!s->tx && !(s->tx = traffic->tx_begin(c))) {
        finish(c, s);
        return;
    }
    b = &((struct ssh_tx *)s->tx->mem)->end[dir].banner;
    if (n > BANNER_MAX)
        traffic->anomaly(c, s->tx, ANOMALY_LONG_BANNER);
    if (!banner_read(b, line, n))
        traffic->anomaly(c, s->tx, ANOMALY_BANNER);
    if (b->n_proto)
        ec_buf_set(s->tx, SLOT_PROTO + shift, b->text + b->proto, b->n_proto, how, wire + b->proto);
    if (b->n_software)
        ec_buf_set(s->tx, SLOT_SOFTWARE + shift, b->text + b->software, b->n_software, how, wire + b->software);
    traffic->tx_step(c, s->tx, dir, AT_BANNER);
    /* SSH 1 has other packets. */
    if (!b->n_proto || (b->text[b->proto] == '1' && memcmp(b->text + b->proto, "1.99", 4)))
        s->side[dir].closed = true;
    if (s->side[0].closed && s->side[1].closed)
        finish(c, s);
}

/* Lines before the banner (RFC 4253 §4.2), and the banner. Returns what was eaten. */
static uint32_t lines(struct ec_pctx *c, struct ssh_state *s, const struct ec_chunk *k)
{
    struct side *side = &s->side[k->dir];
    uint32_t at = 0;

    while (!side->banner && !side->closed && at < k->len) {
        const uint8_t *d = k->data + at, *eol = memchr(d, '\n', k->len - at);
        uint32_t n = eol ? (uint32_t)(eol - d) + 1 : k->len - at;
        if (!eol && n <= BANNER_MAX)
            return at;
        if ((n >= 4 && !memcmp(d, "SSH-", 4)) || k->dir == EC_TO_SERVER || ++side->lines == LINES_MAX)
            banner(c, s, k->dir, d, n, k->offset + at);
        else if (!eol)
            side->closed = true;                /* no line, however long we wait */
        at += n;
    }
    return at;
}

static void kexinit(struct ec_pctx *c, struct ssh_state *s, uint32_t dir, const uint8_t *d, uint32_t n)
{
    struct ssh_kex *kex = &((struct ssh_tx *)s->tx->mem)->end[dir].kex;
    uint32_t slot = dir == EC_TO_SERVER ? SLOT_HASSH : SLOT_HASSH_SERVER;

    s->side[dir].closed = true;                 /* what follows says nothing about the program */
    if (kex_read(kex, dir == EC_TO_CLIENT, d, n)) {
        set(s->tx, slot, kex->hash, (uint32_t)strlen(kex->hash));
        set(s->tx, slot + 1, kex->text, kex->n);
    } else {
        traffic->anomaly(c, s->tx, ANOMALY_RECORD);
    }
    traffic->tx_step(c, s->tx, dir, AT_KEX);
    if (s->side[!dir].closed)
        finish(c, s);
}

/* Binary packets (RFC 4253 §6) up to the algorithms. Returns where it stopped. */
static uint32_t packets(struct ec_pctx *c, struct ssh_state *s, const struct ec_chunk *k, uint32_t at)
{
    struct side *side = &s->side[k->dir];

    while (s->tx && !side->closed && k->len - at >= 6) {
        const uint8_t *d = k->data + at;
        uint32_t n = (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3], padding = d[4];
        if (n < 2 || n > PACKET_MAX || padding > n - 2) {
            traffic->anomaly(c, s->tx, ANOMALY_RECORD);
            side->closed = true;
            break;
        }
        if (k->len - at - 4 < n)
            return at;
        if (d[5] == MESSAGE_KEXINIT)
            kexinit(c, s, k->dir, d + 5, n - 1 - padding);
        else if (d[5] == MESSAGE_NEWKEYS)
            side->closed = true;
        at += 4 + n;
    }
    return at;
}

static int64_t ssh_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    struct ssh_state *s = state;
    uint32_t at = 0;

    (void)self;
    if (k->flags & EC_CH_GAP)
        s->side[k->dir].closed = true;
    if (!s->side[k->dir].banner)
        at = lines(c, s, k);
    if (s->side[k->dir].banner)
        at = packets(c, s, k, at);
    if ((k->flags & EC_CH_END) && k->dir == EC_TO_CLIENT && !s->done)
        finish(c, s);
    return s->side[k->dir].closed ? k->len : at;
}

static int32_t ssh_record(void *self, const struct ec_tx *x, uint32_t topic, struct ec_build *b)
{
    (void)self;
    return ssh_record_put(x->mem, topic, b);
}

static void ssh_tx_drop(void *self, void *tx)
{
    struct ssh_tx *t = tx;

    (void)self;
    kex_free(&t->end[0].kex);
    kex_free(&t->end[1].kex);
}

static const struct ec_proto ssh = {
    .size = sizeof(struct ec_proto),
    .name = "ssh",
    .hints = "tcp/22",
    .topic = "ec.ssh/1",
    .state_bytes = sizeof(struct ssh_state),
    .tx_bytes = sizeof(struct ssh_tx),
    .n_buf = SLOTS,
    .buf_stride = sizeof(struct ec_bufdef),
    .buf = buffers,
    .n_anomaly = ANOMALIES,
    .anomaly = anomalies,
    .probe = ssh_probe,
    .parse = ssh_parse,
    .record = ssh_record,
    .tx_drop = ssh_tx_drop,
};

int32_t ssh_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self)
{
    uint32_t topic, id;
    int32_t err = h->topic(h, &ssh_topic, &topic);

    traffic = t;
    if (!err && !kex_setup())
        err = h->fail(h, EC_ENOENT, "OpenSSL has no MD5, which HASSH is made with");
    return err ? err : t->proto(t_self, h, &ssh, NULL, &id);
}
