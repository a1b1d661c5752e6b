/* Any bytes as a file of /proc: the parsers end, and what they found lies within their bounds. The first byte says
 * which file. */
#include "plugins/sysmon/proc.h"

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
    one(data[0], text_of(copy, size - 1));
    free(copy);
    return 0;
}
