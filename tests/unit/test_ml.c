/* The plugin as a whole on the fake host: packets in, scores and alerts out; models that are not there; reloads. */
#include "tests/unit/unit.h"

#include "plugins/ml/model.h"
#include "testhost.h"

#include <ecyber/ext/alert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODEL TOP_SRCDIR "/models/flow-1.json"
#define SECOND UINT64_C(1000000000)
#define START (UINT64_C(1700000040) * SECOND)

EC_EXPORT const struct ec_plugin *ec_plugin_entry_1(void);

/* --- a traffic engine and a table of hosts, of a page ------------------------------------------------ */

static const struct ec_inspector *inspector;
static void *inspector_self;
static struct { struct ec_flow flow; uint8_t lease[1024]; } memory;

static int32_t t_inspect(void *self, const struct ec_host *h, const struct ec_inspector *i, void *insp_self,
                         uint32_t *index)
{
    (void)self, (void)h, (void)index;
    inspector = i;
    inspector_self = insp_self;
    return 0;
}

static int32_t t_lease(void *self, uint32_t what, uint32_t bytes, void (*drop)(void *, void *), void *lease_self,
                       uint32_t *off)
{
    (void)self, (void)drop, (void)lease_self;
    ck_assert_uint_eq(what, EC_LEASE_FLOW);
    ck_assert_uint_le(bytes, sizeof memory.lease);
    *off = (uint32_t)offsetof(__typeof__(memory), lease);
    return 0;
}

static void t_head(void *self, struct ec_build *b, struct ec_flow *f, const struct ec_packet *p)
{
    (void)self, (void)p;
    ec_head(b)->flow_id = f->id;
}

static int32_t t_attach_flow(void *self, struct ec_build *b, struct ec_flow *f)
{
    (void)self, (void)b, (void)f;
    return 0;
}

static const struct ec_traffic traffic = { .size = sizeof traffic, .inspect = t_inspect, .lease = t_lease,
                                           .head = t_head, .attach_flow = t_attach_flow };

enum { ENTRIES = 8192 };
static struct entry { uint32_t space, len; uint8_t key[64]; _Alignas(16) uint8_t data[256]; } entry[ENTRIES];
static uint32_t entries, spaces;

static int32_t h_space(void *self, const char *name, uint32_t bytes, uint32_t cap, uint64_t idle, uint32_t *id)
{
    (void)self, (void)name, (void)bytes, (void)cap, (void)idle;
    *id = spaces++;
    return 0;
}

static void *h_lock(void *self, uint32_t space, const void *key, uint32_t len, uint64_t now)
{
    (void)self, (void)now;
    for (uint32_t i = 0; i < entries; i++)
        if (entry[i].space == space && entry[i].len == len && !memcmp(entry[i].key, key, len))
            return entry[i].data;
    ck_assert_uint_lt(entries, ENTRIES);
    entry[entries].space = space;
    entry[entries].len = len;
    memcpy(entry[entries].key, key, len);
    return entry[entries++].data;
}

static void h_unlock(void *self, void *e) { (void)self, (void)e; }
static const struct ec_hosts hosts = { sizeof hosts, 0, h_space, h_lock, h_unlock };

/* --- traffic ------------------------------------------------------------------------------------------ */

static struct testhost *host;
static struct ec_record alert_shape = { .size = sizeof alert_shape, .bytes = sizeof(struct ec_alert) };
static struct ec_topic alert_topic = { .size = sizeof alert_topic, .flags = EC_TOPIC_EVENT, .name = EC_ALERT_TOPIC,
                                       .root = "alert", .record = &alert_shape };

static void setup(void)
{
    memset(entry, 0, sizeof entry);
    entries = spaces = 0;
    alert_shape.bytes = sizeof(struct ec_alert);
    host = testhost_new(ec_plugin_entry_1());
    testhost_provide(host, EC_TRAFFIC_ID, &traffic, NULL);
    testhost_provide(host, EC_HOSTS_ID, &hosts, NULL);
    testhost_option(host, "model", MODEL);
}

static void teardown(void) { testhost_free(host); }

static void packet(uint64_t ns, uint8_t dir, uint8_t flags, uint16_t n)
{
    static uint8_t data[2000];
    struct ec_frame frame = { .size = sizeof frame, .ts_ns = ns };
    struct ec_packet p = { .size = sizeof p, .frame = &frame, .flow = &memory.flow, .data = data, .l4 = 20,
                           .payload = 40, .len = 40u + n, .payload_len = n, .ip_version = 4, .ip_proto = 6, .dir = dir };

    data[2] = (uint8_t)((40 + n) >> 8);
    data[3] = (uint8_t)(40 + n);
    data[33] = flags;
    memory.flow.pkts[dir]++;
    memory.flow.bytes[dir] += 54u + n;
    memory.flow.last_ns = ns;
    inspector->packet(inspector_self, testhost_worker(host), testhost_state(host), 1, &p);
}

static void flow_new(uint64_t ns, uint16_t port)
{
    memset(&memory, 0, sizeof memory);
    memory.flow = (struct ec_flow){ .size = sizeof memory.flow, .id = ns % 1000003 + port, .ip_proto = 6, .sport = 40000,
                                    .dport = port, .first_ns = ns, .last_ns = ns };
    memory.flow.src[15] = 1;
    memory.flow.dst[15] = 2;
}

static void flow_over(uint8_t state)
{
    memory.flow.state = state;
    inspector->flow_end(inspector_self, testhost_worker(host), testhost_state(host), 1, &memory.flow, EC_END_TIMEOUT);
}

static void scan(uint32_t ports)
{
    for (uint32_t i = 0; i < ports; i++) {
        uint64_t now = START + i * 2000000;
        flow_new(now, (uint16_t)(1 + i * 7));
        packet(now, EC_TO_SERVER, 2, 0);
        packet(now + 20000, EC_TO_CLIENT, 4 | 16, 0);
        flow_over(EC_FLOW_CLOSED);
    }
}

static void visit(void)
{
    flow_new(START, 80);
    packet(START, EC_TO_SERVER, 2, 0);
    packet(START + 100000, EC_TO_CLIENT, 2 | 16, 0);
    packet(START + 200000, EC_TO_SERVER, 16, 0);
    packet(START + 300000, EC_TO_SERVER, 16 | 8, 420);
    packet(START + 900000, EC_TO_CLIENT, 16 | 8, 1400);
    packet(START + 910000, EC_TO_CLIENT, 16 | 8, 900);
    packet(START + 2 * SECOND, EC_TO_SERVER, 16 | 1, 0);
    packet(START + 2 * SECOND + 1000, EC_TO_CLIENT, 16 | 1, 0);
    flow_over(EC_FLOW_CLOSED);
}

/* Walk a record by its table: this is how sinks read it. */
static double number(const struct ec_part *p, const char *name)
{
    const struct ec_record *r = testhost_host(host)->topic_get(testhost_host(host), p->topic)->record;

    for (uint32_t i = 0; i < r->n_row; i++) {
        double v = NAN;
        if (strcmp(r->row[i].name, name))
            continue;
        memcpy(&v, (const uint8_t *)p + r->row[i].off, sizeof v);
        return v;
    }
    ck_abort_msg("no field %s", name);
    return NAN;
}

static double contributions(const struct ec_part *p)
{
    const struct ec_record *r = testhost_host(host)->topic_get(testhost_host(host), p->topic)->record;
    const struct ec_row *row = &r->row[r->n_row - 1];
    struct ec_list l;
    uint32_t off = 0;
    double sum = 0, v;

    ck_assert_str_eq(row->name, "features");
    memcpy(&l, (const uint8_t *)p + row->off, sizeof l);
    ck_assert_uint_gt(l.n, 2);
    for (uint32_t i = 0; i < row->sub->n_row; i++)
        if (!strcmp(row->sub->row[i].name, "contribution"))
            off = row->sub->row[i].off;
    for (uint32_t i = 0; i < l.n; i++) {
        memcpy(&v, (const uint8_t *)p + l.off + i * l.stride + off, sizeof v);
        sum += v;
    }
    return sum;
}

START_TEST(scan_is_suspicious)
{
    const struct ec_part *p;
    const struct ec_alert *a;
    const struct ec_event *ev;

    testhost_topic(host, &alert_topic);
    ck_assert_msg(testhost_start(host) == 0, "%s", testhost_why(host));
    scan(300);
    ck_assert_uint_gt(testhost_count(host, "ec.score/1"), 150);
    p = ec_part_first(testhost_event(host, "ec.score/1", 100));
    ck_assert_double_ge(number(p, "score"), number(p, "threshold"));
    ck_assert_double_eq_tol(number(p, "bias") + number(p, "rest") + contributions(p), number(p, "margin"), 1e-9);
    ck_assert_uint_eq(testhost_count(host, EC_ALERT_TOPIC), 1);     /* one for the source and minute */
    ck_assert_int_eq(testhost_metric(host, "flows_scored"), 300);
    ck_assert_int_eq(testhost_metric(host, "alerts"), 1);
    ck_assert_int_eq(testhost_metric(host, "alerts_held") + 1, testhost_metric(host, "flows_suspicious"));
    ev = testhost_event(host, EC_ALERT_TOPIC, 0);
    a = (const void *)ec_part_first(ev);
    ck_assert_uint_eq(a->gid, EC_ALERT_GID_SCORE);
    ck_assert_uint_eq(a->source_ip[15], 1);
    ck_assert_uint_ge(ev->parts, 2);            /* the score stands in the alert */
    ck_assert_double_ge(number(ec_part_next(&a->part), "score"), 0.5);
}
END_TEST

START_TEST(every_score_an_alert)
{
    testhost_topic(host, &alert_topic);
    testhost_option(host, "alert_window", "0");
    ck_assert_int_eq(testhost_start(host), 0);
    scan(200);
    ck_assert_uint_gt(testhost_count(host, EC_ALERT_TOPIC), 50);
    ck_assert_uint_eq(testhost_count(host, EC_ALERT_TOPIC), testhost_count(host, "ec.score/1"));
}
END_TEST

START_TEST(visit_is_normal)
{
    testhost_topic(host, &alert_topic);
    ck_assert_int_eq(testhost_start(host), 0);
    visit();
    ck_assert_uint_eq(testhost_count(host, NULL), 0);
    ck_assert_int_eq(testhost_metric(host, "flows_scored"), 1);
    testhost_option(host, "publish", "all");
    ck_assert_int_eq(testhost_reload(host), 0);
    visit();
    ck_assert_uint_eq(testhost_count(host, "ec.score/1"), 1);
    ck_assert_uint_eq(testhost_count(host, EC_ALERT_TOPIC), 0);
}
END_TEST

START_TEST(without_alerts)
{
    ck_assert_int_eq(testhost_start(host), 0);  /* no rule engine: scores alone */
    scan(200);
    ck_assert_uint_gt(testhost_count(host, "ec.score/1"), 50);
    ck_assert_uint_eq(testhost_count(host, EC_ALERT_TOPIC), 0);
    ck_assert_int_eq(testhost_metric(host, "alerts"), 0);
}
END_TEST

START_TEST(other_shape_of_alerts)
{
    alert_shape.bytes = sizeof(struct ec_alert) - 8;
    testhost_topic(host, &alert_topic);
    ck_assert_int_eq(testhost_start(host), 0);
    scan(200);
    ck_assert_uint_eq(testhost_count(host, EC_ALERT_TOPIC), 0);
}
END_TEST

START_TEST(no_model_then_one)
{
    testhost_option(host, "model", "/nowhere/flow-1.json");
    ck_assert_int_eq(testhost_start(host), 0);
    scan(200);
    ck_assert_uint_eq(testhost_count(host, NULL), 0);
    ck_assert_int_eq(testhost_metric(host, "model_errors"), 1);
    ck_assert_int_eq(testhost_metric(host, "models"), 0);
    ck_assert_int_eq(testhost_metric(host, "flows_scored"), 0);
    flow_new(START, 9);                         /* this one begins before the reload and ends after it */
    packet(START, EC_TO_SERVER, 2, 0);
    testhost_option(host, "model", MODEL);
    ck_assert_int_eq(testhost_reload(host), 0);
    flow_over(EC_FLOW_NEW);
    ck_assert_int_eq(testhost_metric(host, "models"), 1);
    ck_assert_int_eq(testhost_metric(host, "flows_scored"), 1);
    ck_assert_uint_eq(testhost_count(host, "ec.score/1"), 1);
}
END_TEST

START_TEST(own_threshold)
{
    testhost_option(host, "threshold", "1");
    ck_assert_int_eq(testhost_start(host), 0);
    scan(200);
    ck_assert_uint_eq(testhost_count(host, "ec.score/1"), 0);
    testhost_option(host, "threshold", "0");
    ck_assert_int_eq(testhost_reload(host), 0);
    visit();
    ck_assert_uint_eq(testhost_count(host, "ec.score/1"), 1);
}
END_TEST

START_TEST(closed_is_scored_at_once)
{
    ck_assert_int_eq(testhost_start(host), 0);
    flow_new(START, 80);
    packet(START, EC_TO_SERVER, 2, 0);
    ck_assert_int_eq(testhost_metric(host, "flows_scored"), 0);
    memory.flow.state = EC_FLOW_CLOSED;
    packet(START + 1000, EC_TO_CLIENT, 4 | 16, 0);
    ck_assert_int_eq(testhost_metric(host, "flows_scored"), 1);
    packet(START + 2000, EC_TO_CLIENT, 4 | 16, 0);
    flow_over(EC_FLOW_CLOSED);
    ck_assert_int_eq(testhost_metric(host, "flows_scored"), 1);
}
END_TEST

START_TEST(answers_are_left_out)
{
    ck_assert_int_eq(testhost_start(host), 0);
    for (uint32_t i = 0; i < 300; i++) {        /* resets to many ports: somebody used this address */
        flow_new(START + i * 1000000, (uint16_t)(1 + i));
        packet(START + i * 1000000, EC_TO_SERVER, 4 | 16, 0);
        flow_over(EC_FLOW_CLOSED);
    }
    ck_assert_int_eq(testhost_metric(host, "flows_scored"), 0);
    ck_assert_int_eq(testhost_metric(host, "flows_replies"), 300);
    ck_assert_uint_eq(testhost_count(host, NULL), 0);
    visit();
    ck_assert_int_eq(testhost_metric(host, "flows_suspicious"), 0);
}
END_TEST

START_TEST(export_to_a_file)
{
    char path[] = "/tmp/ecyber-ml-export-XXXXXX", line[8192];
    int fd = mkstemp(path), fields = 1;
    FILE *f;

    ck_assert_int_ge(fd, 0);
    close(fd);
    testhost_option(host, "model", "");
    testhost_option(host, "export", path);
    ck_assert_int_eq(testhost_start(host), 0);
    scan(3);
    testhost_stop(host);
    f = fopen(path, "r");
    for (int i = 0; i < 4; i++) {
        int n = 1;
        ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
        for (const char *c = line; *c; c++)
            n += *c == ',';
        fields = i ? fields : n;
        ck_assert_int_eq(n, fields);
    }
    ck_assert_int_eq(fields, FEATURES + 6);
    ck_assert_ptr_null(fgets(line, sizeof line, f));
    fclose(f);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ml");
    TCase *c = tcase_create("plugin");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, scan_is_suspicious);
    tcase_add_test(c, every_score_an_alert);
    tcase_add_test(c, visit_is_normal);
    tcase_add_test(c, without_alerts);
    tcase_add_test(c, other_shape_of_alerts);
    tcase_add_test(c, no_model_then_one);
    tcase_add_test(c, own_threshold);
    tcase_add_test(c, closed_is_scored_at_once);
    tcase_add_test(c, answers_are_left_out);
    tcase_add_test(c, export_to_a_file);
    suite_add_tcase(s, c);
    return unit_run(s);
}
