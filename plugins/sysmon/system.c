#include "plugins/sysmon/report.h"

struct system_record {
    struct ec_part part;
    double busy, user, system, iowait, steal, load[3], read, write, rate[2];
    uint64_t uptime, memory_total, memory_used, swap_total, swap_used, packets[2], errors, drops;
    uint32_t cores, processes, running, pad;
};
enum { HAS_CPU, HAS_LOAD, HAS_MEMORY, HAS_SWAP, HAS_UPTIME, HAS_RATES, HAS_NET };
#define FIELD(T, bit, member, name, unit, help) EC_FIELD_OPT(T, 0, bit, struct system_record, member, name, unit, help)
static const struct ec_row rows[] = {
    FIELD(U64, HAS_UPTIME, uptime, "uptime", "s", "since the host was started"),
    FIELD(F64, HAS_CPU, busy, "cpu.busy", "%", "neither idle nor waiting for disks"),
    FIELD(F64, HAS_CPU, user, "cpu.user", "%", "programs"),
    FIELD(F64, HAS_CPU, system, "cpu.system", "%", "the kernel"),
    FIELD(F64, HAS_CPU, iowait, "cpu.iowait", "%", "idle while a disk was waited for"),
    FIELD(F64, HAS_CPU, steal, "cpu.steal", "%", "taken by the host of this virtual machine"),
    FIELD(U32, HAS_CPU, cores, "cpu.cores", NULL, "that are on"),
    FIELD(F64, HAS_LOAD, load[0], "load.1m", NULL, "load of one minute"),
    FIELD(F64, HAS_LOAD, load[1], "load.5m", NULL, "of five"),
    FIELD(F64, HAS_LOAD, load[2], "load.15m", NULL, "of fifteen"),
    FIELD(U64, HAS_MEMORY, memory_total, "memory.total", "bytes", "memory of the host"),
    FIELD(U64, HAS_MEMORY, memory_used, "memory.used", "bytes", "total without what is available"),
    FIELD(U64, HAS_SWAP, swap_total, "swap.total", "bytes", "swap space"),
    FIELD(U64, HAS_SWAP, swap_used, "swap.used", "bytes", "of it in use"),
    FIELD(F64, HAS_RATES, read, "disk.read_rate", "bytes/s", "from all disks"),
    FIELD(F64, HAS_RATES, write, "disk.write_rate", "bytes/s", "to all disks"),
    FIELD(F64, HAS_RATES, rate[0], "network.rx_rate", "bytes/s", "by all interfaces but loopback"),
    FIELD(F64, HAS_RATES, rate[1], "network.tx_rate", "bytes/s", "by all interfaces but loopback"),
    FIELD(U64, HAS_NET, packets[0], "network.rx_packets", "packets", "since the start of the host"),
    FIELD(U64, HAS_NET, packets[1], "network.tx_packets", "packets", "since the start of the host"),
    FIELD(U64, HAS_NET, errors, "network.errors", "packets", "both ways, since the start of the host"),
    FIELD(U64, HAS_NET, drops, "network.drops", "packets", "both ways, since the start of the host"),
    EC_FIELD(U32, 0, struct system_record, processes, "processes", NULL, "that there are"),
    EC_FIELD(U32, 0, struct system_record, running, "running", "processes", "that could run"),
};
static const struct ec_record record = EC_RECORD_PART(struct system_record, rows);
const struct ec_topic system_topic = {
    sizeof system_topic, EC_TOPIC_EVENT | EC_TOPIC_WALL, "ec.system/1", "system", &record, NULL,
    "How the host does: totals; the details are in /api/system/cpu and its neighbours." };

struct totals totals_of(const struct sampler *s)
{
    struct totals t = { 0 };

    for (uint32_t i = 0; i < s->n_disk; i++)
        if (s->disk[i].physical) {
            t.read += s->disk[i].read;
            t.write += s->disk[i].write;
        }
    for (uint32_t i = 0; i < s->n_link; i++) {
        const struct link *l = &s->link[i];

        if (l->n.name.len == 2 && !memcmp(l->n.name.s, "lo", 2))
            continue;
        for (uint32_t d = 0; d < 2; d++) {
            t.rate[d] += l->rate[d];
            t.packets[d] += l->n.packets[d];
            t.errors += l->n.errors[d];
            t.drops += l->n.drops[d];
        }
    }
    return t;
}

#define BIT(n) (UINT64_C(1) << (n))

static void memory_write(const struct memory *m, struct system_record *r)
{
    uint64_t need = BIT(MEM_TOTAL) | BIT(MEM_AVAILABLE), swap = BIT(MEM_SWAP_TOTAL) | BIT(MEM_SWAP_FREE);

    r->memory_total = m->bytes[MEM_TOTAL];
    r->swap_total = m->bytes[MEM_SWAP_TOTAL];
    if (m->bytes[MEM_AVAILABLE] < m->bytes[MEM_TOTAL])
        r->memory_used = m->bytes[MEM_TOTAL] - m->bytes[MEM_AVAILABLE];
    if (m->bytes[MEM_SWAP_FREE] < m->bytes[MEM_SWAP_TOTAL])
        r->swap_used = m->bytes[MEM_SWAP_TOTAL] - m->bytes[MEM_SWAP_FREE];
    r->part.has |= ((m->seen & need) == need ? BIT(HAS_MEMORY) : 0) | ((m->seen & swap) == swap ? BIT(HAS_SWAP) : 0);
}

void system_write(const struct sampler *s, uint32_t topic, struct ec_build *b)
{
    struct system_record *r = ec_add(b, topic, sizeof *r);
    struct totals t = totals_of(s);

    if (!r)
        return;
    r->part.has = (s->cpu.known && s->rates ? BIT(HAS_CPU) : 0) | (s->load.known ? BIT(HAS_LOAD) : 0) |
                  (s->uptime ? BIT(HAS_UPTIME) : 0) | (s->rates ? BIT(HAS_RATES) : 0) |
                  (s->n_link ? BIT(HAS_NET) : 0);
    memory_write(&s->memory, r);
    r->busy = s->total.busy;
    r->user = s->total.t[CPU_USER] + s->total.t[CPU_NICE];
    r->system = s->total.t[CPU_SYSTEM];
    r->iowait = s->total.t[CPU_IOWAIT];
    r->steal = s->total.t[CPU_STEAL];
    r->cores = s->cpu.n;
    for (uint32_t i = 0; i < 3; i++)
        r->load[i] = (double)s->load.milli[i] / 1000;
    r->uptime = s->uptime;
    r->read = t.read;
    r->write = t.write;
    memcpy(r->rate, t.rate, sizeof r->rate);
    memcpy(r->packets, t.packets, sizeof r->packets);
    r->errors = t.errors;
    r->drops = t.drops;
    r->processes = s->tasks.count + s->tasks.over;
    r->running = s->cpu.running;
}
