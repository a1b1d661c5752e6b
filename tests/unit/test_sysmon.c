/* sysmon: its parsers against made-up, cut, huge and hostile files; the records, rates and routes of a made-up host. */
#include "unit.h"

#define EC_API_LEVEL 1
#include <ecyber/ext/http.h>
#include "testhost.h"

#include "plugins/sysmon/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct ec_plugin *ec_plugin_entry_1(void);

static char folder[] = "/tmp/test_sysmon.XXXXXX";

static struct text of(const char *s)
{
    return text_of(s, strlen(s));
}

static const char stat_text[] =
    "cpu  1000 20 300 50000 60 7 8 9 0 0\ncpu0 500 10 150 25000 30 3 4 4 0 0\n"
    "cpu7 500 10 150 25000 30 4 4 5 0 0\nintr 1 2\nprocs_running 3\n";

START_TEST(numbers_end_where_they_end)
{
    struct text t = of("12 18446744073709551615 18446744073709551616");
    uint64_t v;

    ck_assert(text_u64(&t, &v) && v == 12);
    ck_assert(text_u64(&t, &v) && v == UINT64_MAX);
    ck_assert(!text_u64(&t, &v));               /* too large */
    t = of("12x");
    ck_assert(!text_u64(&t, &v));
    t = of("-1");
    ck_assert(!text_u64(&t, &v));
    t = of("0.52");
    ck_assert(text_milli(&t, &v) && v == 520);
    t = of("1.23456");
    ck_assert(text_milli(&t, &v) && v == 1234);
    t = of("7");
    ck_assert(text_milli(&t, &v) && v == 7000);
    t = of("18446744073709551615.9");
    ck_assert(!text_milli(&t, &v));
    t = of("1.x");
    ck_assert(!text_milli(&t, &v));
}
END_TEST

START_TEST(the_processor_is_read)
{
    static struct cpu c;

    proc_stat(of(stat_text), &c);
    ck_assert(c.known);
    ck_assert_uint_eq(c.n, 2);
    ck_assert_uint_eq(c.number[1], 7);
    ck_assert_uint_eq(c.running, 3);
    ck_assert_uint_eq(c.total.t[CPU_IOWAIT], 60);
    ck_assert_uint_eq(c.core[1].t[CPU_STEAL], 5);
    proc_stat(of("cpu  1 2 3\ncpux 1 2 3 4 5 6 7 8\ncpu 1 2 3 4\n"), &c);
    ck_assert(c.known);                         /* an old kernel's line; what is no core is none */
    ck_assert_uint_eq(c.n, 0);
    proc_stat(of(""), &c);
    ck_assert(!c.known);
}
END_TEST

START_TEST(more_cores_than_fit_are_left_out)
{
    static struct cpu c;
    char *text = malloc(3000 * 40);
    size_t n = 0;

    for (uint32_t i = 0; i < 3000; i++)
        n += (size_t)sprintf(text + n, "cpu%u 1 2 3 4 5 6 7 8\n", i);
    proc_stat(text_of(text, n), &c);
    ck_assert_uint_eq(c.n, CPU_MAX);
    free(text);
}
END_TEST

START_TEST(memory_load_and_uptime_are_read)
{
    struct memory m;
    struct load l;
    uint64_t v;

    proc_meminfo(of("MemTotal:  4000 kB\nMemAvailable: 99999999999999999999 kB\nMemFree:\nSwapFree: 7 kB"), &m);
    ck_assert_uint_eq(m.bytes[MEM_TOTAL], 4000 * 1024);
    ck_assert_uint_eq(m.seen, 1u << MEM_TOTAL | 1u << MEM_SWAP_FREE);
    proc_loadavg(of("0.52 1.04 2.10 3/415 12345"), &l);
    ck_assert(l.known && l.milli[0] == 520 && l.milli[2] == 2100);
    proc_loadavg(of("0.52 1.04"), &l);
    ck_assert(!l.known);
    ck_assert(proc_uptime(of("86400.55 170000.01"), &v) && v == 86400);
    ck_assert(!proc_uptime(of("x"), &v));
}
END_TEST

START_TEST(disks_and_mounts_are_read)
{
    struct block b[2];
    struct mount m[8];

    ck_assert_uint_eq(proc_diskstats(of("   8       0 sda 1000 10 20000 300 2000 20 40000 600 1 700 900 0 0\n"
                                        "   8  1 cut 1 2 3\n   8 2 sdb 1 2 3 4 5 6 7 8 9 10\n"
                                        " 8 3 sdc 1 2 3 4 5 6 7 8 9 10\n"),
                                     b, 2), 2);
    ck_assert_uint_eq(b[0].read_bytes, 20000 * 512);
    ck_assert_uint_eq(b[0].busy_ms, 700);
    ck_assert_mem_eq(b[1].name.s, "sdb", 3);
    ck_assert_uint_eq(proc_mounts(of("proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw 0 0\n"
                                     "/dev/sdb1 /srv/my\\040files xfs rw 0 0\n//server/share /mnt cifs rw 0 0\n"
                                     "/dev/sda1 /again ext4 rw 0 0\n/dev/x relative ext4\n"
                                     "/dev/loop1 /snap squashfs ro 0 0\n/dev/sdc1\n/dev/sdd1 /home ext4 rw 0 0\n"
                                     "tmpfs /home tmpfs rw 0 0\n"), m, 8), 2);
    ck_assert_uint_eq(m[1].at.len, 13);
    ck_assert_mem_eq(m[1].at.s, "/srv/my files", 13);
}
END_TEST

START_TEST(interfaces_are_read)
{
    struct net n[4];

    ck_assert_uint_eq(proc_net_dev(of("Inter-|   Receive\n face |bytes\n"
                                      "  eth0:5000 40 1 2 0 0 0 3 6000 30 4 5 0 0 0 0\n"
                                      "a-name-that-is-too-long: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
                                      "  lo: 1 2 3\n"), n, 4), 1);
    ck_assert_uint_eq(n[0].bytes[0], 5000);
    ck_assert_uint_eq(n[0].drops[1], 5);
}
END_TEST

START_TEST(a_process_names_itself_as_it_likes)
{
    struct process p;
    const char raw[] = "7 (\xff\n) R 1) D 1 7 7 0 -1 4 1 0 0 0 250 50 0 0 20 0 3 0 5000 99 409 1\n";

    ck_assert(proc_pid_stat(text_of(raw, sizeof raw - 1), &p));
    ck_assert_uint_eq(p.pid, 7);
    ck_assert_int_eq(p.state, 'D');
    ck_assert_uint_eq(p.ticks, 300);
    ck_assert_uint_eq(p.threads, 3);
    ck_assert_uint_eq(p.start, 5000);
    ck_assert_uint_eq(p.rss_pages, 409);
    ck_assert_mem_eq(p.name.s, "\xff\n) R 1", 7);
    for (size_t n = 0; n < sizeof raw - 8; n++)         /* cut anywhere: refused, or read */
        if (proc_pid_stat(text_of(raw, n), &p))
            ck_assert_uint_eq(p.pid, 7);
    ck_assert(!proc_pid_stat(of(")("), &p));
    ck_assert(!proc_pid_stat(of("99999999999 (x) S 1"), &p));
}
END_TEST

/* ---- a made-up host ---- */

static void put(const char *name, const char *text)
{
    char path[512];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = 0;
        mkdir(path, 0755);
    }
    out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static void host_make(void)
{
    put("proc/stat", stat_text);
    put("proc/meminfo", "MemTotal: 4000 kB\nMemFree: 500 kB\nMemAvailable: 2500 kB\nSwapTotal: 1000 kB\n"
                        "SwapFree: 900 kB\n");
    put("proc/loadavg", "0.52 1.04 2.10 3/415 12345\n");
    put("proc/uptime", "86400.55 170000.01\n");
    put("proc/diskstats", "8 0 sda 10 0 2000 3 20 0 4000 6 1 700 9\n8 1 sda1 10 0 2000 3 20 0 4000 6 1 700 9\n");
    put("proc/self/mounts", "/dev/sda1 / ext4 rw 0 0\n");
    put("proc/net/dev", "  lo: 9 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0\neth0: 5000 40 1 2 0 0 0 3 6000 30 4 5 0 0 0 0\n");
    put("sys/block/sda/device/x", "");
    put("sys/class/net/eth0/operstate", "up\n");
    put("sys/class/net/eth0/speed", "1000\n");
    put("sys/class/net/lo/operstate", "unknown\n");
    put("proc/1/stat", "1 (init) S 0 1 1 0 -1 4 1 0 0 0 100 0 0 0 20 0 1 0 1 99 300 1\n");
    put("proc/42/stat", "42 (<b>\xff) R 1 42 42 0 -1 4 1 0 0 0 100 0 0 0 20 0 2 0 900 99 200 1\n");
    put("proc/43/stat", "nonsense");
    put("proc/fs/x", "");
}

static uint32_t sayings;

static void say(void *arg, const char *sentence)
{
    (void)arg;
    (void)sentence;
    sayings++;
}

START_TEST(rates_come_from_two_looks)
{
    static struct sampler s;
    char why[512];
    struct totals t;

    host_make();
    ck_assert_msg(sampler_open(&s, folder, why, sizeof why), "%s", why);
    ck_assert_uint_eq(sampler_look(&s, 10, say, NULL), 0);
    ck_assert(!s.rates);
    put("proc/stat", "cpu  1100 20 300 50300 60 7 8 9 0 0\ncpu0 600 10 150 25000 30 3 4 4 0 0\n"
                     "cpu7 500 10 150 25300 30 4 4 5 0 0\nprocs_running 1\n");
    put("proc/diskstats", "8 0 sda 10 0 4000 3 20 0 4000 6 1 700 9\n");
    put("proc/net/dev", "eth0: 9000 40 1 2 0 0 0 3 1 30 4 5 0 0 0 0\n");
    put("proc/42/stat", "42 (<b>\xff) R 1 42 42 0 -1 4 1 0 0 0 150 0 0 0 20 0 2 0 900 99 200 1\n");
    s.at_ns -= 1000000000;                      /* a second ago */
    ck_assert_uint_eq(sampler_look(&s, 10, say, NULL), 0);
    ck_assert_double_eq_tol(s.total.busy, 25, 0.01);
    ck_assert_double_eq_tol(s.core[0].busy, 100, 0.01);
    ck_assert_double_eq_tol(s.core[1].busy, 0, 0.01);
    ck_assert_uint_eq(s.n_disk, 1);
    ck_assert(s.disk[0].physical);
    t = totals_of(&s);
    ck_assert_double_eq_tol(t.read, 2000 * 512, 2000 * 512 * 0.3);
    ck_assert_double_eq_tol(t.rate[0], 4000, 4000 * 0.3);
    ck_assert_double_eq_tol(t.rate[1], 0, 0.01);        /* a counter that went back */
    ck_assert_uint_eq(t.errors, 5);                     /* without those of lo */
    ck_assert_int_eq(s.link[0].speed, 1000);
    ck_assert_uint_eq(s.tasks.count, 2);
    ck_assert_uint_eq(s.tasks.by_cpu[0].p.pid, 42);
    ck_assert_double_eq_tol(s.tasks.by_cpu[0].cpu, 5000.0 / (double)sysconf(_SC_CLK_TCK), 20);
    ck_assert_uint_eq(s.tasks.by_rss[0].p.pid, 1);
    sampler_close(&s);
}
END_TEST

START_TEST(what_cannot_be_read_is_said_once_and_left_out)
{
    static struct sampler s;
    char why[512], path[512];

    host_make();
    snprintf(path, sizeof path, "%s/proc/meminfo", folder);
    unlink(path);
    sayings = 0;
    ck_assert(sampler_open(&s, folder, why, sizeof why));
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_uint_eq(sampler_look(&s, 10, say, NULL), 1);
    ck_assert_uint_eq(sayings, 1);
    ck_assert_uint_eq(s.memory.seen, 0);
    host_make();                                /* it is there again */
    ck_assert_uint_eq(sampler_look(&s, 10, say, NULL), 0);
    ck_assert_uint_eq(s.memory.bytes[MEM_TOTAL], 4000 * 1024);
    sampler_close(&s);
    ck_assert(!sampler_open(&s, "/nowhere/at/all", why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "/nowhere/at/all: No such file or directory"));
}
END_TEST

/* ---- the plugin, with a server that only remembers ---- */

static struct { const struct ec_route *route[16]; void *self[16]; uint32_t n, status, cut; } server;

static int32_t remember(void *self, const struct ec_host *h, const struct ec_route *r, void *route_self)
{
    (void)self;
    (void)h;
    server.route[server.n] = r;
    server.self[server.n++] = route_self;
    return EC_OK;
}

static int32_t answer(struct ec_req *r, uint32_t status, const struct ec_part *p)
{
    (void)r;
    server.status = status;
    server.cut = p->total < p->size;
    return EC_OK;
}

static int32_t refuse(struct ec_req *r, uint32_t status, const char *detail)
{
    (void)r;
    (void)detail;
    server.status = status;
    return EC_OK;
}

static void ask(const char *path, const void *state, uint32_t status)
{
    for (uint32_t i = 0; i < server.n; i++)
        if (!strcmp(server.route[i]->path, path)) {
            server.status = 0;
            ck_assert_int_eq(server.route[i]->run(server.self[i], state, NULL), EC_OK);
            ck_assert_uint_eq(server.status, status);
            return;
        }
    ck_abort_msg("no route %s", path);
}

START_TEST(the_plugin_publishes_measures_and_answers)
{
    static const struct ec_http http = { .size = sizeof http, .route = remember, .reply = answer, .error = refuse };
    static const char *const paths[] = { "/api/system/cpu", "/api/system/memory", "/api/system/disk",
                                         "/api/system/network", "/api/system/processes" };
    struct testhost *t = testhost_new(ec_plugin_entry_1());

    memset(&server, 0, sizeof server);
    host_make();
    testhost_provide(t, EC_HTTP_ID, &http, NULL);
    ck_assert_int_eq(testhost_option(t, "root", folder), 0);
    ck_assert_msg(testhost_start(t) == 0, "%s", testhost_why(t));
    ask(paths[0], testhost_state(t), 503);
    testhost_tick(t, 1000000000);
    testhost_tick(t, 1000000000);
    ck_assert_uint_eq(testhost_count(t, "ec.system/1"), 2);
    ck_assert_uint_lt(testhost_event(t, "ec.system/1", 0)->total, 600);
    ck_assert_int_eq(testhost_metric(t, "memory_used"), 1500 * 1024);
    ck_assert_int_eq(testhost_metric(t, "swap_used"), 100 * 1024);
    ck_assert_int_eq(testhost_metric(t, "load_1m"), 520);
    ck_assert_int_eq(testhost_metric(t, "uptime"), 86400);
    ck_assert_int_eq(testhost_metric(t, "processes"), 2);
    ck_assert_int_eq(testhost_metric(t, "looks"), 2);
    for (uint32_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        ask(paths[i], testhost_state(t), 200);
    testhost_free(t);
}
END_TEST

START_TEST(a_root_that_is_not_there_is_a_sentence)
{
    struct testhost *t = testhost_new(ec_plugin_entry_1());

    ck_assert_int_eq(testhost_option(t, "root", "/nowhere"), 0);
    ck_assert_int_eq(testhost_start(t), EC_EIO);
    ck_assert_str_eq(testhost_why(t), "sysmon.root: /nowhere: No such file or directory");
    testhost_free(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sysmon");
    TCase *proc = tcase_create("proc"), *host = tcase_create("host");
    char command[64];
    int code;

    if (!mkdtemp(folder))
        return 1;
    tcase_add_test(proc, numbers_end_where_they_end);
    tcase_add_test(proc, the_processor_is_read);
    tcase_add_test(proc, more_cores_than_fit_are_left_out);
    tcase_add_test(proc, memory_load_and_uptime_are_read);
    tcase_add_test(proc, disks_and_mounts_are_read);
    tcase_add_test(proc, interfaces_are_read);
    tcase_add_test(proc, a_process_names_itself_as_it_likes);
    tcase_add_test(host, rates_come_from_two_looks);
    tcase_add_test(host, what_cannot_be_read_is_said_once_and_left_out);
    tcase_add_test(host, the_plugin_publishes_measures_and_answers);
    tcase_add_test(host, a_root_that_is_not_there_is_a_sentence);
    suite_add_tcase(suite, proc);
    suite_add_tcase(suite, host);
    code = unit_run(suite);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) ? 1 : code;
}
