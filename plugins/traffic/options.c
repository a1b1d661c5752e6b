#include "plugins/traffic/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define KEY_DIGITS 32               /* of hash_key: 16 bytes, hexadecimal */
#define MIB (INT64_C(1) << 20)
#define WEEK INT64_C(604800000000000)
#define TIMEOUT(name, def, help) EC_OPTION(DURATION, EC_R_LIVE, name, def, 0, WEEK, NULL, help)

static const struct ec_row rows[] = {
    EC_OPTION(SIZE, EC_R_LIVE, "memcap", "512MiB", 4 * MIB, INT64_C(1) << 42, "bytes",
              "flows, protocol states and transactions of all workers; beyond it the flow that is "
              "due first ends early"),
    EC_OPTION(U32, EC_R_LIVE, "max_flows", "1000000", 64, 200000000, "flows",
              "in the tables of all workers"),
    EC_OPTION(SIZE, EC_R_LIVE, "defrag.memcap", "32MiB", MIB, INT64_C(1) << 42, "bytes",
              "IP fragments that wait for others, of all workers; beyond it the oldest datagram is given up"),
    EC_OPTION(DURATION, EC_R_LIVE, "defrag.timeout", "60s", 0, WEEK, NULL,
              "for which the first fragment of a datagram waits for the last one"),
    EC_OPTION_ENUM(EC_R_LIVE, "defrag.policy", POLICY_WORDS, "bsd",
                   "whose bytes count where fragments overlap: as these systems see it"),
    EC_OPTION(MAP, EC_R_LIVE, "targets", NULL, 1, 16, NULL,
              "networks whose systems are known: the policy by which what is sent to them is read"),
    EC_OPTION(SIZE, EC_R_LIVE, "stream.memcap", "64MiB", MIB, INT64_C(1) << 42, "bytes",
              "TCP segments that wait for an earlier one; beyond it holes are given up"),
    EC_OPTION(SIZE, EC_R_LIVE, "stream.reorder", "256KiB", 4096, INT64_C(16) << 20, "bytes",
              "that may wait in one direction of one flow before its hole is given up"),
    EC_OPTION_ENUM(EC_R_LIVE, "stream.policy", POLICY_WORDS, "bsd",
                   "whose bytes count where segments that wait overlap: as these systems see it"),
    EC_OPTION(SIZE, EC_R_LIVE, "stream.depth", "0", 0, INT64_C(1) << 50, "bytes",
              "of each direction that are looked at; 0: all"),
    EC_OPTION(MAP, EC_R_LIVE, "stream.depths", NULL, 1, 32, NULL, "the same for single protocols, by their names"),
    EC_OPTION_ENUM(EC_R_LIVE, "stream.urgent", "oob,inline", "oob",
                   "urgent octets stand beside the stream, as receivers have it, or in it (SO_OOBINLINE)"),
    EC_OPTION(BOOL, EC_R_LIVE, "stream.midstream", "false", 0, 0, NULL,
              "follow TCP connections whose beginning was not seen"),
    EC_OPTION(SIZE, EC_R_LIVE, "bypass.bytes", "0", 0, INT64_C(1) << 50, "bytes",
              "of a flow, in both directions, beyond which nobody looks at it any more; 0: never"),
    EC_OPTION(BOOL, EC_R_LIVE, "bypass.encrypted", "false", 0, 0, NULL,
              "look no more at flows whose handshake is over and whose bytes are encrypted (TLS, QUIC)"),
    EC_OPTION(BOOL, EC_R_LIVE, "overload.shed", "true", 0, 0, NULL,
              "leave out step by step what matters least while packets come faster than they can be looked at: large and "
              "encrypted flows, then optional inspectors; live only"),
    EC_OPTION(U32, EC_R_LIVE, "overload.high", "50", 1, 100, "%",
              "of the source's buffer full: leave out more"),
    EC_OPTION(U32, EC_R_LIVE, "overload.low", "10", 0, 99, "%", "of it full: leave out less"),
    EC_OPTION(DURATION, EC_R_LIVE, "overload.step", "50ms", 0, WEEK, NULL, "for which it is that full before each step up"),
    EC_OPTION(DURATION, EC_R_LIVE, "overload.calm", "5s", 0, WEEK, NULL, "for which it is that empty before each step down"),
    EC_OPTION(SIZE, EC_R_LIVE, "overload.bytes", "1MiB", 0, INT64_C(1) << 50, "bytes",
              "of a flow, in both directions, beyond which it is large"),
    EC_OPTION(TEXT, EC_R_LIVE | EC_R_LIST, "overload.inspectors", NULL, 1, 32, NULL,
              "optional inspectors that may be left out; default: all of them (ml)"),
    EC_OPTION(BOOL, EC_R_LIVE, "checksums", "false", 0, 0, NULL,
              "verify checksums; packets with wrong ones are flagged, and those of TCP not parsed"),
    EC_OPTION(BOOL, EC_R_LIVE, "checksum_offloads", "true", 0, 0, NULL,
              "where checksums are verified, take a sum of the pseudo header alone for one that the "
              "sender left to its network card"),
    EC_OPTION(U32, EC_R_LIVE, "tunnels.depth", "8", 0, TUNNEL_DEPTH_MAX, "packets",
              "packets within packets that are opened; 0: none"),
    EC_OPTION(U16, EC_R_LIVE | EC_R_LIST, "tunnels.vxlan", "4789", 1, 65535, NULL,
              "UDP ports of VXLAN"),
    EC_OPTION(U16, EC_R_LIVE | EC_R_LIST, "tunnels.geneve", "6081", 1, 65535, NULL,
              "UDP ports of Geneve"),
    EC_OPTION(U16, EC_R_LIVE | EC_R_LIST, "tunnels.gtp", "2152", 1, 65535, NULL,
              "UDP ports of GTP-U"),
    EC_OPTION(U16, EC_R_LIVE | EC_R_LIST, "tunnels.teredo", "3544", 1, 65535, NULL,
              "UDP ports of Teredo"),
    EC_OPTION(U16, EC_R_LIVE | EC_R_LIST, "tunnels.vxlan_gpe", "4790", 1, 65535, NULL,
              "UDP ports of VXLAN's generic protocol extension"),
    EC_OPTION(U16, EC_R_LIVE | EC_R_LIST, "tunnels.l2tp", "1701", 1, 65535, NULL,
              "UDP ports of L2TP"),
    EC_OPTION(BOOL, EC_R_LIVE, "anomalies", "true", 0, 0, NULL,
              "publish anomaly events; they are counted anyway"),
    EC_OPTION(BOOL, 0, "vlan_tracking", "true", 0, 0, NULL, "VLAN tags tell flows apart"),
    EC_OPTION(U32, EC_R_LIVE, "max_transactions", "256", 1, 65536, NULL,
              "open at once in one flow"),
    EC_OPTION(U16, 0, "community_id.seed", "0", 0, 65535, NULL, "of Community ID 1.0"),
    EC_OPTION(TEXT, EC_R_LIST, "inspectors", NULL, 1, 32, NULL,
              "the order in which inspectors are called; those that are not named follow"),
    EC_OPTION(
        TEXT, 0, "hash_key", "", 0, KEY_DIGITS, NULL,
        "key of the flow table, 32 hexadecimal digits; empty: random at each start. For tests"),
    TIMEOUT("timeouts.tcp.new", "60s", "TCP before the handshake is over"),
    TIMEOUT("timeouts.tcp.established", "10m", "TCP connections"),
    TIMEOUT("timeouts.tcp.closed", "60s", "TCP after both sides have closed"),
    TIMEOUT("timeouts.udp.new", "30s", "UDP without an answer"),
    TIMEOUT("timeouts.udp.established", "5m", "UDP with packets in both directions"),
    TIMEOUT("timeouts.icmp.new", "30s", "ICMP without an answer"),
    TIMEOUT("timeouts.icmp.established", "5m", "ICMP with packets in both directions"),
    TIMEOUT("timeouts.other.new", "30s", "other protocols without an answer"),
    TIMEOUT("timeouts.other.established", "5m", "other protocols with packets in both directions"),
};
const struct ec_record traffic_options = EC_RECORD_OPTIONS(rows);

static int64_t num(const struct ec_host *h, const struct ec_conf *conf, const char *name)
{
    int64_t v = 0;

    h->conf_num(conf, name, 0, &v);
    return v;
}

static int32_t read_key(const struct ec_host *h, const struct ec_conf *conf, uint64_t key[2])
{
    const char *text = h->conf_text(conf, "hash_key", 0);

    if (!text || !*text)
        return getrandom(key, 16, 0) == 16 ? EC_OK
                                           : h->fail(h, EC_EIO, "no random key: getrandom failed");
    if (strlen(text) != KEY_DIGITS || strspn(text, "0123456789abcdefABCDEF") != KEY_DIGITS)
        return ec_failf(h, EC_EINVAL, "%s: hash_key needs %d hexadecimal digits",
                        h->conf_where(conf, "hash_key", 0), KEY_DIGITS);
    for (int i = 0; i < 2; i++) {
        char half[KEY_DIGITS / 2 + 1] = { 0 };
        memcpy(half, text + i * KEY_DIGITS / 2, KEY_DIGITS / 2);
        key[i] = strtoull(half, NULL, 16);
    }
    return EC_OK;
}

static void read_timeouts(const struct ec_host *h, const struct ec_conf *conf, struct tconf *c)
{
    static const char *const class[CLASSES] = { "tcp", "udp", "icmp", "other" };
    static const char *const state[3] = { "new", "established", "closed" };
    char name[64];

    for (uint32_t k = 0; k < CLASSES; k++)
        for (uint32_t s = 0; s < (k == CLASS_TCP ? 3u : 2u); s++) {
            snprintf(name, sizeof name, "timeouts.%s.%s", class[k], state[s]);
            c->timeout[k][s] = (uint64_t)num(h, conf, name);
        }
}

/* The k-th inspector of a list. */
static int32_t read_inspector(const struct traffic *tr, const struct ec_conf *conf, const char *list, uint32_t k,
                              uint32_t *index)
{
    const char *name = tr->host->conf_text(conf, list, k);
    uint32_t i = 0;

    while (i < tr->inspectors && strcmp(tr->inspector[i].hooks->name, name))
        i++;
    *index = i;
    return i < tr->inspectors ? EC_OK : ec_failf(tr->host, EC_EINVAL, "%s: there is no inspector '%s'",
                                                 tr->host->conf_where(conf, list, k), name);
}

static int32_t read_overload(const struct traffic *tr, const struct ec_conf *conf, struct tconf *c)
{
    static const char list[] = "overload.inspectors";
    const struct ec_host *h = tr->host;
    uint32_t named = h->conf_count(conf, list), i;
    int32_t rc;

    c->shed.on = num(h, conf, "overload.shed") != 0;
    c->shed.high = (uint32_t)num(h, conf, "overload.high") * EC_FILL_MAX / 100;
    c->shed.low = (uint32_t)num(h, conf, "overload.low") * EC_FILL_MAX / 100;
    c->shed.step = (uint64_t)num(h, conf, "overload.step");
    c->shed.calm = (uint64_t)num(h, conf, "overload.calm");
    c->shed_bytes = (uint64_t)num(h, conf, "overload.bytes");
    if (c->shed.low >= c->shed.high)
        return ec_failf(h, EC_EINVAL, "%s: overload.low has to be below overload.high (%u %%)",
                        h->conf_where(conf, "overload.low", 0), c->shed.high * 100 / EC_FILL_MAX);
    for (uint32_t k = 0; k < named; k++) {
        if ((rc = read_inspector(tr, conf, list, k, &i)))
            return rc;
        if (!(tr->inspector[i].hooks->flags & EC_INSPECT_OPTIONAL))
            return ec_failf(h, EC_EINVAL, "%s: the inspector '%s' is not optional: it has to see the flows whole",
                            h->conf_where(conf, list, k), tr->inspector[i].hooks->name);
        c->shed_inspectors |= UINT32_C(1) << i;
    }
    for (i = 0; !named && i < tr->inspectors; i++)
        if (tr->inspector[i].hooks->flags & EC_INSPECT_OPTIONAL)
            c->shed_inspectors |= UINT32_C(1) << i;
    return EC_OK;
}

/* The inspectors that the configuration names, then the others as they registered. */
static int32_t read_order(const struct traffic *tr, const struct ec_conf *conf, struct tconf *c)
{
    uint32_t named = tr->host->conf_count(conf, "inspectors"), n = 0, done = 0;

    for (uint32_t k = 0; k < named; k++) {
        uint32_t i;
        int32_t rc = read_inspector(tr, conf, "inspectors", k, &i);

        if (rc)
            return rc;
        if (!(done >> i & 1))
            c->order[n++] = i;
        done |= UINT32_C(1) << i;
    }
    for (uint32_t i = 0; i < tr->inspectors; i++)
        if (!(done >> i & 1))
            c->order[n++] = i;
    return EC_OK;
}

static int32_t read_tunnels(const struct ec_host *h, const struct ec_conf *conf, struct decode_conf *d)
{
    static const struct { const char *name; uint8_t kind; } list[] = {
        { "tunnels.vxlan", TUNNEL_VXLAN }, { "tunnels.geneve", TUNNEL_GENEVE },
        { "tunnels.gtp", TUNNEL_GTP }, { "tunnels.teredo", TUNNEL_TEREDO },
        { "tunnels.vxlan_gpe", TUNNEL_VXLAN_GPE }, { "tunnels.l2tp", TUNNEL_L2TP } };

    d->depth = (uint8_t)num(h, conf, "tunnels.depth");
    d->ports = 0;
    d->port_mask = 0;
    for (uint32_t i = 0; i < sizeof list / sizeof *list; i++)
        for (uint32_t k = 0, n = h->conf_count(conf, list[i].name); k < n; k++) {
            int64_t port = 0;
            h->conf_num(conf, list[i].name, k, &port);
            if (!decode_tunnel_port(d, (uint16_t)port, list[i].kind))
                return ec_failf(h, EC_EINVAL, "%s: more than %d ports of tunnels",
                                h->conf_where(conf, list[i].name, k), TUNNEL_PORTS);
        }
    return EC_OK;
}

static int32_t read_targets(const struct ec_host *h, const struct ec_conf *conf, struct targets *t)
{
    for (uint32_t i = 0, n = h->conf_count(conf, "targets"); i < n; i++) {
        const char *network = h->conf_key(conf, "targets", i), *policy = h->conf_text(conf, "targets", i);
        const char *why = target_add(t, network, policy);
        if (why)
            return ec_failf(h, EC_EINVAL, "%s: %s: %s: %s", h->conf_where(conf, "targets", i), network, policy, why);
    }
    return EC_OK;
}

/* "1048576", "64KiB", "16 MiB": bytes. −1: none. */
static int64_t bytes_of(const char *text)
{
    static const struct { const char *unit; uint32_t shift; } units[] = {
        { "", 0 }, { "B", 0 }, { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 } };
    char *end;
    long long n;

    if (*text < '0' || *text > '9')
        return -1;
    n = strtoll(text, &end, 10);
    while (*end == ' ')
        end++;
    for (uint32_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(end, units[i].unit) && n <= (INT64_C(1) << 50) >> units[i].shift)
            return n << units[i].shift;
    return -1;
}

static int32_t read_depths(const struct traffic *tr, const struct ec_conf *conf, uint64_t *depth)
{
    const struct ec_host *h = tr->host;
    uint64_t all = (uint64_t)num(h, conf, "stream.depth");

    for (uint32_t i = 0; i <= tr->protos; i++)
        depth[i] = all;
    for (uint32_t i = 0, n = h->conf_count(conf, "stream.depths"); i < n; i++) {
        const char *name = h->conf_key(conf, "stream.depths", i), *text = h->conf_text(conf, "stream.depths", i);
        int64_t bytes = bytes_of(text);
        uint32_t k = 0;

        while (k < tr->protos && strcmp(tr->proto[k].def->name, name) != 0)
            k++;
        if (bytes < 0)
            return ec_failf(h, EC_EINVAL, "%s: %s: \"%s\" is no number of bytes (\"65536\", \"64KiB\", \"16MiB\"; 0: all)",
                            h->conf_where(conf, "stream.depths", i), name, text);
        if (k == tr->protos)
            return ec_failf(h, EC_EINVAL, "%s: no plugin parses a protocol \"%s\"",
                            h->conf_where(conf, "stream.depths", i), name);
        depth[k + 1] = (uint64_t)bytes;
    }
    return EC_OK;
}

int32_t options_read(const struct traffic *tr, const struct ec_conf *conf, struct tconf *c)
{
    const struct ec_host *h = tr->host;
    uint32_t workers = h->workers(h);
    int32_t rc;

    tconf_defaults(c);
    workers = workers ? workers : 1;
    c->memcap = (uint64_t)num(h, conf, "memcap") / workers;
    c->max_flows = (uint32_t)num(h, conf, "max_flows") / workers;
    c->defrag_memcap = (uint64_t)num(h, conf, "defrag.memcap") / workers;
    c->defrag_timeout = (uint64_t)num(h, conf, "defrag.timeout");
    c->defrag_policy = (uint32_t)num(h, conf, "defrag.policy");
    c->stream_memcap = (uint64_t)num(h, conf, "stream.memcap") / workers;
    c->reorder = (uint64_t)num(h, conf, "stream.reorder");
    c->stream_policy = (uint32_t)num(h, conf, "stream.policy");
    c->urgent_inline = num(h, conf, "stream.urgent") != 0;
    c->midstream = num(h, conf, "stream.midstream") != 0;
    c->bypass_bytes = (uint64_t)num(h, conf, "bypass.bytes");
    c->bypass_encrypted = num(h, conf, "bypass.encrypted") != 0;
    c->decode.sums = num(h, conf, "checksums") != 0;
    c->decode.offloads = num(h, conf, "checksum_offloads") != 0;
    c->anomalies = num(h, conf, "anomalies") != 0;
    c->vlans = num(h, conf, "vlan_tracking") != 0;
    c->tx_max = (uint32_t)num(h, conf, "max_transactions");
    c->seed = (uint16_t)num(h, conf, "community_id.seed");
    read_timeouts(h, conf, c);
    if ((rc = read_tunnels(h, conf, &c->decode)) || (rc = read_targets(h, conf, &c->targets)) ||
        (rc = read_depths(tr, conf, c->depth)) || (rc = read_overload(tr, conf, c)) ||
        (rc = read_key(h, conf, c->key)))
        return rc;
    return read_order(tr, conf, c);
}
