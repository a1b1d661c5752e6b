/* geoip: both schemas, several files, what is special, damaged and missing files, the swap under readers. */
#include "unit.h"

#define EC_API_LEVEL 1
#include <ecyber/ext/enrich.h>
#include <ecyber/ext/geoip.h>
#include "testhost.h"

#include "plugins/geoip/set.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA UNIT_DATA "/geoip/"

extern const struct ec_plugin *ec_plugin_entry_1(void);

static char folder[] = "/tmp/test_geoip.XXXXXX", said[1024];
static uint32_t sayings;

static void say(void *arg, const char *sentence)
{
    (void)arg;
    sayings++;
    snprintf(said, sizeof said, "%s", sentence);
}

static const uint8_t *addr(const char *text)
{
    static uint8_t a[16];

    memset(a, 0, sizeof a);
    if (strchr(text, ':')) {
        ck_assert_int_eq(inet_pton(AF_INET6, text, a), 1);
    } else {
        a[10] = a[11] = 0xff;
        ck_assert_int_eq(inet_pton(AF_INET, text, a + 12), 1);
    }
    return a;
}

static struct set *open_set(const char *a, const char *b)
{
    const char *path[] = { a, b };
    struct set_source from = { path, b ? 2 : 1, 1 << 26, say, NULL };
    struct set *s;

    sayings = 0;
    s = set_open(&from, NULL, false);
    ck_assert_ptr_nonnull(s);
    return s;
}

/* "AT EU 64496 Example Home Network" */
static const char *known(const struct set *s, const char *address)
{
    static char line[256];
    struct found f;
    uint32_t bad;

    if (!set_find(s, addr(address), &f, &bad))
        return bad ? "bad" : "";
    snprintf(line, sizeof line, "%s %s %u %.*s", f.place[0] ? f.place[0]->country : "-",
             f.place[0] ? f.place[0]->continent : "-", f.place[1] ? f.place[1]->asn : 0,
             f.place[1] ? (int)f.place[1]->org_len : 0, f.org ? f.org : "");
    return line;
}

START_TEST(both_schemas_are_read)
{
    struct set *s = open_set(DATA "places.mmdb", NULL);

    ck_assert_str_eq(known(s, "10.66.0.10"), "AT EU 64496 Example Home Network");
    ck_assert_str_eq(known(s, "10.66.9.1"), "DE EU 64500 Example Campus");
    ck_assert_str_eq(known(s, "198.51.100.7"), "BR SA 64498 Example Net Two");
    ck_assert_str_eq(known(s, "203.0.113.255"), "JP AS 64501 Example Net Three – 例");
    ck_assert_str_eq(known(s, "2001:db8::7"), "FR EU 64502 Example Net Six");
    ck_assert_str_eq(known(s, "10.67.0.1"), "");
    set_unref(s);
    s = open_set(DATA "flat.mmdb", NULL);
    ck_assert_str_eq(known(s, "10.66.0.10"), "AT  0 ");
    set_unref(s);
    ck_assert_uint_eq(sayings, 0);
}
END_TEST

START_TEST(each_half_comes_from_the_first_file_that_knows_it)
{
    struct set *s = open_set(DATA "flat.mmdb", DATA "asn.mmdb");

    ck_assert_uint_eq(set_count(s), 2);
    ck_assert_str_eq(known(s, "10.66.1.100"), "SE  64497 Example Hosting");
    set_unref(s);
    s = open_set(DATA "asn.mmdb", DATA "places.mmdb");
    ck_assert_str_eq(known(s, "192.0.2.1"), "CA NA 64499 Example Net One");
    set_unref(s);
}
END_TEST

START_TEST(addresses_of_nobody_are_not_looked_up)
{
    static const char *const special[] = { "0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.251", "240.0.0.1",
                                           "255.255.255.255", "::", "::1", "fe80::1", "ff02::fb" };
    struct set *s = open_set(DATA "places.mmdb", NULL);

    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        ck_assert_str_eq(known(s, special[i]), "");
    set_unref(s);
}
END_TEST

static void copy(const char *from, const char *to, size_t cut)
{
    char bytes[65536], path[512];
    FILE *in = fopen(from, "rb"), *out;
    size_t n;

    ck_assert_ptr_nonnull(in);
    n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    snprintf(path, sizeof path, "%s.new", to);
    out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(bytes, 1, cut < n ? cut : n, out), cut < n ? cut : n);
    fclose(out);
    ck_assert_int_eq(rename(path, to), 0);
}

START_TEST(a_missing_or_damaged_file_is_said_and_left_out)
{
    char path[256];
    struct set *s = open_set("/nowhere/none.mmdb", DATA "flat.mmdb");

    ck_assert_uint_eq(sayings, 1);
    ck_assert_ptr_nonnull(strstr(said, "/nowhere/none.mmdb: No such file or directory"));
    ck_assert_str_eq(known(s, "10.66.0.10"), "AT  0 ");
    set_unref(s);
    snprintf(path, sizeof path, "%s/cut.mmdb", folder);
    for (size_t cut = 0; cut < 2500; cut += 1 + cut / 9) {
        copy(DATA "places.mmdb", path, cut);
        s = open_set(path, NULL);
        ck_assert_uint_eq(set_count(s) + sayings, 1);
        known(s, "10.66.0.10");
        set_unref(s);
    }
    s = open_set(folder, NULL);
    ck_assert_ptr_nonnull(strstr(said, "Is a directory"));
    set_unref(s);
    s = open_set("/dev/zero", NULL);
    ck_assert_uint_eq(set_count(s), 0);
    set_unref(s);
}
END_TEST

START_TEST(a_file_over_the_bound_is_refused)
{
    const char *path[] = { DATA "places.mmdb" };
    struct set_source from = { path, 1, 1024, say, NULL };
    struct set *s = set_open(&from, NULL, false);

    ck_assert_uint_eq(set_count(s), 0);
    ck_assert_ptr_nonnull(strstr(said, "larger than geoip.max_size (1024 bytes)"));
    set_unref(s);
}
END_TEST

START_TEST(a_file_that_is_cut_in_place_does_no_harm)
{
    char path[256];
    struct set *s;

    snprintf(path, sizeof path, "%s/place.mmdb", folder);
    copy(DATA "places.mmdb", path, SIZE_MAX);
    s = open_set(path, NULL);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_str_eq(known(s, "10.66.0.10"), "AT EU 64496 Example Home Network");
    set_unref(s);
}
END_TEST

/* A file of the collection that is not part of the tree: $EC_SHARED_DATA, or shared/data beside the tree. */
static const char *collected(const char *name)
{
    static char path[2][512];
    static uint32_t turn;
    const char *base = getenv("EC_SHARED_DATA");

    turn = !turn;
    snprintf(path[turn], sizeof path[0], "%s/geoip/%s", base ? base : UNIT_DATA "/../../../shared/data", name);
    return path[turn];
}

/* Every file of a folder is opened or refused, and look-ups end. Returns how many there were. */
static uint32_t walk(const char *name)
{
    static const char *const address[] = { "1.1.1.1", "81.2.69.160", "2.125.160.216", "::1.1.1.1", "2001:218::1",
                                           "2002:102:304::1", "67.43.156.1", "175.16.199.1" };
    DIR *d = opendir(name);
    uint32_t n = 0;

    for (struct dirent *e; d && (e = readdir(d));) {
        char path[512];
        struct set *s;

        if (*e->d_name == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", name, e->d_name);
        s = open_set(path, NULL);
        for (size_t i = 0; i < sizeof address / sizeof address[0]; i++)
            known(s, address[i]);
        set_unref(s);
        n++;
    }
    if (d)
        closedir(d);
    return n;
}

START_TEST(public_test_databases_are_read)
{
    struct set *s;

    if (access(collected("test-data"), R_OK)) {
        printf("# the public test databases are not here: not read\n");
        return;
    }
    ck_assert_uint_gt(walk(collected("test-data")), 30);
    ck_assert_uint_gt(walk(collected("bad-data/libmaxminddb")) + walk(collected("bad-data/maxminddb-golang")), 5);
    s = open_set(collected("test-data/GeoIP2-Country-Test.mmdb"), collected("test-data/GeoLite2-ASN-Test.mmdb"));
    ck_assert_str_eq(known(s, "81.2.69.160"), "GB EU 0 ");
    ck_assert_str_eq(known(s, "1.128.0.1"), "- - 1221 Telstra Pty Ltd");
    set_unref(s);
    s = open_set(collected("iptoasn-country.mmdb"), NULL);
    ck_assert_str_eq(known(s, "8.8.8.8"), "US  0 ");
    ck_assert_str_eq(known(s, "10.0.0.1"), "");
    set_unref(s);
}
END_TEST

/* ---- the plugin on the fake host ---- */

static struct testhost *host_start(const char *databases)
{
    struct testhost *t = testhost_new(ec_plugin_entry_1());

    ck_assert_int_eq(testhost_option(t, "databases", databases), 0);
    ck_assert_int_eq(testhost_option(t, "check", "1s"), 0);
    ck_assert_int_eq(testhost_start(t), 0);
    return t;
}

static const char *service(struct testhost *t, const char *address)
{
    static char line[200];
    const struct ec_geoip *g = testhost_offer(t, EC_GEOIP_ID);
    struct ec_place p = { .size = sizeof p };

    if (g->lookup(testhost_self(t), addr(address), &p) != EC_OK)
        return "";
    snprintf(line, sizeof line, "%s %u %s", p.country, p.asn, p.org);
    return line;
}

START_TEST(the_service_and_the_enricher_answer)
{
    struct testhost *t = host_start(DATA "places.mmdb");
    const struct ec_host *h = testhost_host(t);
    const struct ec_enricher *e = testhost_offer(t, EC_ENRICH_ID);
    uint32_t topic = h->topic_find(h, "ec.geoip.src/1");
    _Alignas(8) uint8_t block[512];
    struct ec_build b = { .base = block, .used = sizeof(struct ec_event), .cap = sizeof block };
    const struct ec_part *p;

    memset(block, 0, sizeof block);
    ck_assert_uint_gt(topic, 0);
    ck_assert_str_eq(service(t, "198.51.100.7"), "BR 64498 Example Net Two");
    ck_assert_str_eq(service(t, "10.0.0.1"), "");
    ck_assert_int_eq(testhost_metric(t, "databases"), 1);
    ck_assert_uint_eq(e->sides, EC_ENRICH_SRC);
    ck_assert_int_eq(e->lookup(testhost_self(t), testhost_state(t), addr("10.0.0.1"), 16, 1, topic, &b), EC_ENOENT);
    ck_assert_uint_eq(ec_head(&b)->parts, 0);
    ck_assert_int_eq(e->lookup(testhost_self(t), testhost_state(t), addr("10.66.0.1"), 16, 1, topic, &b), EC_OK);
    p = ec_part_first(ec_head(&b));
    ck_assert_uint_eq(p->topic, topic);
    ck_assert_uint_le(p->total, 208);           /* what the bus remembers */
    testhost_free(t);
}
END_TEST

START_TEST(a_changed_file_is_taken_and_a_damaged_one_is_not)
{
    char path[256];
    struct testhost *t;
    const struct ec_enricher *e;
    uint32_t serial;

    snprintf(path, sizeof path, "%s/live.mmdb", folder);
    copy(DATA "places.mmdb", path, SIZE_MAX);
    t = host_start(path);
    e = testhost_offer(t, EC_ENRICH_ID);
    serial = e->serial(testhost_self(t), testhost_state(t));
    ck_assert_str_eq(service(t, "10.66.0.1"), "AT 64496 Example Home Network");
    testhost_tick(t, 2000000000);
    ck_assert_int_eq(testhost_metric(t, "swaps"), 0);
    copy(DATA "moved.mmdb", path, SIZE_MAX);
    testhost_tick(t, 2000000000);
    ck_assert_str_eq(service(t, "10.66.0.1"), "ZA 64496 Example Home Network");
    ck_assert_uint_ne(e->serial(testhost_self(t), testhost_state(t)), serial);
    ck_assert_int_eq(testhost_metric(t, "swaps"), 1);
    copy(DATA "places.mmdb", path, 1000);
    testhost_tick(t, 2000000000);
    ck_assert_str_eq(service(t, "10.66.0.1"), "ZA 64496 Example Home Network");
    ck_assert_int_eq(testhost_metric(t, "files_failed"), 1);
    ck_assert_int_eq(testhost_reload(t), 0);    /* damaged still */
    testhost_tick(t, 2000000000);
    ck_assert_str_eq(service(t, "10.66.0.1"), "ZA 64496 Example Home Network");
    unlink(path);
    testhost_tick(t, 2000000000);
    ck_assert_str_eq(service(t, "10.66.0.1"), "ZA 64496 Example Home Network");
    ck_assert_int_eq(testhost_reload(t), 0);    /* gone, and asked for again */
    testhost_tick(t, 2000000000);
    ck_assert_str_eq(service(t, "10.66.0.1"), "");
    ck_assert_int_eq(testhost_metric(t, "databases"), 0);
    copy(DATA "places.mmdb", path, SIZE_MAX);
    testhost_tick(t, 2000000000);
    ck_assert_str_eq(service(t, "10.66.0.1"), "AT 64496 Example Home Network");
    testhost_free(t);
}
END_TEST

struct reader { const struct ec_geoip *service; void *self; atomic_bool stop; atomic_uint wrong, n; };

static void *read_on(void *arg)
{
    struct reader *r = arg;
    uint8_t a[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 66, 0, 1 };

    while (!atomic_load(&r->stop)) {
        struct ec_place p = { .size = sizeof p };

        if (r->service->lookup(r->self, a, &p) || (strcmp(p.country, "AT") && strcmp(p.country, "ZA")) ||
            strcmp(p.org, "Example Home Network"))
            atomic_fetch_add(&r->wrong, 1);
        atomic_fetch_add(&r->n, 1);
    }
    return NULL;
}

START_TEST(no_look_up_is_lost_while_files_are_swapped)
{
    char path[256];
    struct testhost *t;
    struct reader r = { 0 };
    pthread_t thread[3];

    snprintf(path, sizeof path, "%s/swap.mmdb", folder);
    copy(DATA "places.mmdb", path, SIZE_MAX);
    t = host_start(path);
    r.service = testhost_offer(t, EC_GEOIP_ID);
    r.self = testhost_self(t);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, read_on, &r), 0);
    for (uint32_t i = 0; i < 200; i++) {
        copy(i % 2 ? DATA "places.mmdb" : DATA "moved.mmdb", path, SIZE_MAX);
        testhost_tick(t, 1000000000);
    }
    atomic_store(&r.stop, true);
    for (uint32_t i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    ck_assert_int_eq(testhost_metric(t, "swaps"), 200);
    ck_assert_uint_eq(atomic_load(&r.wrong), 0);
    ck_assert_uint_gt(atomic_load(&r.n), 0);
    testhost_free(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("geoip");
    TCase *set = tcase_create("set"), *plugin = tcase_create("plugin");
    char command[64];
    int code;

    if (!mkdtemp(folder))
        return 1;
    tcase_add_test(set, both_schemas_are_read);
    tcase_add_test(set, each_half_comes_from_the_first_file_that_knows_it);
    tcase_add_test(set, addresses_of_nobody_are_not_looked_up);
    tcase_add_test(set, a_missing_or_damaged_file_is_said_and_left_out);
    tcase_add_test(set, a_file_over_the_bound_is_refused);
    tcase_add_test(set, a_file_that_is_cut_in_place_does_no_harm);
    tcase_add_test(set, public_test_databases_are_read);
    tcase_add_test(plugin, the_service_and_the_enricher_answer);
    tcase_add_test(plugin, a_changed_file_is_taken_and_a_damaged_one_is_not);
    tcase_add_test(plugin, no_look_up_is_lost_while_files_are_swapped);
    suite_add_tcase(suite, set);
    suite_add_tcase(suite, plugin);
    code = unit_run(suite);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) ? 1 : code;
}
