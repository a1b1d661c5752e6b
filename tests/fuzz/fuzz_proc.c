/* Any bytes as a file of /proc: the parsers end, and what they found lies within their bounds. The first byte says
 * which file. */
/* covers: plugins/sysmon/accounts.c plugins/sysmon/proc.c plugins/sysmon/text.c plugins/sysmon/sockets.c */
#include "plugins/sysmon/accounts.h"
#include "plugins/sysmon/proc.h"
#include "plugins/sysmon/sockets.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good)
{
    if (!good)
        abort();
}

static void names(const struct name *n, uint32_t count, size_t stride)
{
    for (uint32_t i = 0; i < count; i++)
        expect(((const struct name *)(const void *)((const char *)n + i * stride))->len <= NAME_KEPT);
}

static bool within(struct text part, struct text all)
{
    return part.at >= all.at && part.at <= part.end && part.end <= all.end;
}

/* What lies beside proc: accounts, log-ins, sockets. */
static void other(uint8_t which, struct text t)
{
    static struct sock sock[SOCKETS_MAX];
    struct account account[4];
    struct login login[4];
    struct sockets s = { .sock = sock };
    uint32_t n, over;

    switch (which % 3) {
    case 0:
        expect((n = accounts_parse(t, account, 4, &over)) <= 4);
        for (uint32_t i = 0; i < n; i++) {
            expect(within(account[i].name, t) && within(account[i].shell, t) && account[i].uid <= UINT32_MAX);
            account_logs_in(&account[i]);
        }
        break;
    case 1:
        expect((n = logins_parse(t, login, 4, &over)) <= 4);
        for (uint32_t i = 0; i < n; i++)
            expect(strlen(login[i].user) < sizeof login[i].user && strlen(login[i].host) < sizeof login[i].host);
        break;
    default:
        sockets_parse(t, (enum socket_kind)(which / 3 % SOCKET_KINDS), &s);
        expect(s.n <= SOCKETS_MAX);
        for (uint32_t i = 0; i < s.n; i++)
            expect(sock[i].state <= 12 && sock[i].kind < SOCKET_KINDS);
    }
}

static void one(uint8_t which, struct text t)
{
    static struct cpu cpu;
    static struct block block[4];
    static struct mount mount[4];
    static struct net net[4];
    struct memory memory;
    struct load load;
    struct process p;
    uint64_t v;
    uint32_t n;

    switch (which % 8) {
    case 0:
        proc_stat(t, &cpu);
        expect(cpu.n <= CPU_MAX);
        break;
    case 1:
        proc_meminfo(t, &memory);
        expect(memory.seen < 1u << MEM_FIELDS);
        break;
    case 2:
        proc_loadavg(t, &load);
        break;
    case 3:
        proc_uptime(t, &v);
        break;
    case 4:
        expect((n = proc_diskstats(t, block, 4)) <= 4);
        names(&block[0].name, n, sizeof block[0]);
        break;
    case 5:
        expect((n = proc_mounts(t, mount, 4)) <= 4);
        for (uint32_t i = 0; i < n; i++)
            expect(mount[i].at.len < PATH_KEPT && mount[i].at.s[0] == '/');
        break;
    case 6:
        expect((n = proc_net_dev(t, net, 4)) <= 4);
        names(&net[0].name, n, sizeof net[0]);
        break;
    default:
        if (proc_pid_stat(t, &p))
            expect(p.name.len <= NAME_KEPT && p.pid <= INT32_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = size > 1 ? malloc(size - 1) : NULL;

    if (!copy)
        return 0;
    memcpy(copy, data + 1, size - 1);           /* its end is its end, for the sanitizer too */
    if (data[0] < 0xe0)
        one(data[0], text_of(copy, size - 1));
    else
        other(data[0], text_of(copy, size - 1));
    free(copy);
    return 0;
}
