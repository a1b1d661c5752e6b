#include "plugins/sysmon/report.h"

#include <unistd.h>

/* --- the processor --- */
struct cpu_row { uint32_t core, pad; double busy, user, nice, system, iowait, irq, softirq, steal; };
#define CPU(member, help) EC_FIELD(F64, 0, struct cpu_row, member, #member, "%", help)
static const struct ec_row cpu_row_rows[] = {
    EC_FIELD(U32, 0, struct cpu_row, core, "core", NULL, "number of the core"),
    CPU(busy, "neither idle nor waiting for disks"), CPU(user, "programs"), CPU(nice, "programs of low priority"),
    CPU(system, "the kernel"), CPU(iowait, "idle while a disk was waited for"), CPU(irq, "interrupts"),
    CPU(softirq, "what interrupts left to do"), CPU(steal, "taken by the host of this virtual machine"),
};
static const struct ec_record cpu_row = EC_RECORD_ELEMENT(struct cpu_row, cpu_row_rows);
struct cpu_report {
    struct ec_part part;
    uint64_t time, uptime;
    struct cpu_row total;
    double load[3];
    uint32_t running, cores;
    struct ec_list core;
};
enum { HAS_CPU, HAS_LOAD, HAS_UPTIME };
#define TOTAL(member, help) \
    EC_FIELD_OPT(F64, 0, HAS_CPU, struct cpu_report, total.member, "total." #member, "%", help)
static const struct ec_row cpu_rows[] = {
    EC_FIELD(TIME, 0, struct cpu_report, time, "time", NULL, "when it was looked at"),
    EC_FIELD_OPT(U64, 0, HAS_UPTIME, struct cpu_report, uptime, "uptime", "s", "since the host was started"),
    TOTAL(busy, "all cores: neither idle nor waiting for disks"), TOTAL(user, "programs"),
    TOTAL(nice, "programs of low priority"), TOTAL(system, "the kernel"),
    TOTAL(iowait, "idle while a disk was waited for"), TOTAL(irq, "interrupts"),
    TOTAL(softirq, "what interrupts left to do"), TOTAL(steal, "taken by the host of this virtual machine"),
    EC_FIELD_OPT(F64, 0, HAS_LOAD, struct cpu_report, load[0], "load.1m", NULL, "load of one minute"),
    EC_FIELD_OPT(F64, 0, HAS_LOAD, struct cpu_report, load[1], "load.5m", NULL, "of five"),
    EC_FIELD_OPT(F64, 0, HAS_LOAD, struct cpu_report, load[2], "load.15m", NULL, "of fifteen"),
    EC_FIELD(U32, 0, struct cpu_report, running, "running", "processes", "that could run"),
    EC_FIELD(U32, 0, struct cpu_report, cores, "count", "cores", "that are on"),
    EC_FIELD_LIST(&cpu_row, struct cpu_report, core, "cores", "each core"),
};

/* --- memory --- */
struct memory_report { struct ec_part part; uint64_t time, bytes[MEM_FIELDS], used, swap_used; };
enum { HAS_USED = MEM_FIELDS, HAS_SWAP_USED };
#define MEMORY(field, name, help) \
    EC_FIELD_OPT(U64, 0, field, struct memory_report, bytes[field], name, "bytes", help)
static const struct ec_row memory_rows[] = {
    EC_FIELD(TIME, 0, struct memory_report, time, "time", NULL, "when it was looked at"),
    MEMORY(MEM_TOTAL, "total", "memory of the host"),
    EC_FIELD_OPT(U64, 0, HAS_USED, struct memory_report, used, "used", "bytes", "total without what is available"),
    MEMORY(MEM_AVAILABLE, "available", "that programs can get without swapping"),
    MEMORY(MEM_FREE, "free", "that nobody uses"), MEMORY(MEM_BUFFERS, "buffers", "blocks of disks"),
    MEMORY(MEM_CACHED, "cached", "contents of files"), MEMORY(MEM_SHARED, "shared", "shared memory and tmpfs"),
    MEMORY(MEM_SWAP_TOTAL, "swap.total", "swap space"),
    EC_FIELD_OPT(U64, 0, HAS_SWAP_USED, struct memory_report, swap_used, "swap.used", "bytes", "of it in use"),
    MEMORY(MEM_SWAP_FREE, "swap.free", "of it free"),
};

/* --- disks --- */
struct space_row { struct ec_span mount, device, type; uint64_t total, used, available, inodes, inodes_free; };
static const struct ec_row space_rows[] = {
    EC_FIELD(WIRE, 0, struct space_row, mount, "mount", NULL, "where it is mounted"),
    EC_FIELD(WIRE, 0, struct space_row, device, "device", NULL, "on which device"),
    EC_FIELD(WIRE, 0, struct space_row, type, "type", NULL, "kind of file system"),
    EC_FIELD(U64, 0, struct space_row, total, "total", "bytes", "its size"),
    EC_FIELD(U64, 0, struct space_row, used, "used", "bytes", "in use"),
    EC_FIELD(U64, 0, struct space_row, available, "available", "bytes", "for programs without privileges"),
    EC_FIELD(U64, 0, struct space_row, inodes, "inodes", NULL, "files that it can hold; 0: it does not say"),
    EC_FIELD(U64, 0, struct space_row, inodes_free, "inodes_free", NULL, "that it can still take"),
};
static const struct ec_record space_row = EC_RECORD_ELEMENT(struct space_row, space_rows);
struct disk_row {
    struct ec_span name;
    uint64_t reads, writes, read_bytes, write_bytes, in_flight;
    double read, write, busy;
};
static const struct ec_row disk_rows[] = {
    EC_FIELD(WIRE, 0, struct disk_row, name, "name", NULL, "of the device"),
    EC_FIELD(U64, 0, struct disk_row, reads, "reads", NULL, "requests since the start of the host"),
    EC_FIELD(U64, 0, struct disk_row, writes, "writes", NULL, "requests since the start of the host"),
    EC_FIELD(U64, 0, struct disk_row, read_bytes, "read_bytes", "bytes", "since the start of the host"),
    EC_FIELD(U64, 0, struct disk_row, write_bytes, "write_bytes", "bytes", "since the start of the host"),
    EC_FIELD(U64, 0, struct disk_row, in_flight, "in_flight", NULL, "requests that are not done"),
    EC_FIELD(F64, 0, struct disk_row, read, "read_rate", "bytes/s", "now"),
    EC_FIELD(F64, 0, struct disk_row, write, "write_rate", "bytes/s", "now"),
    EC_FIELD(F64, 0, struct disk_row, busy, "busy", "%", "of the time"),
};
static const struct ec_record disk_row = EC_RECORD_ELEMENT(struct disk_row, disk_rows);
struct disk_report { struct ec_part part; uint64_t time; struct ec_list space, disk; };
static const struct ec_row disk_report_rows[] = {
    EC_FIELD(TIME, 0, struct disk_report, time, "time", NULL, "when it was looked at"),
    EC_FIELD_LIST(&space_row, struct disk_report, space, "filesystems", "space, by file system"),
    EC_FIELD_LIST(&disk_row, struct disk_report, disk, "devices", "requests, by device"),
};

/* --- interfaces --- */
struct link_row { struct ec_span name; uint64_t n[2][4], speed; double rate[2]; uint8_t up, pad[7]; uint64_t has; };
#define LINK(d, i, name, unit, help) EC_FIELD(U64, 0, struct link_row, n[d][i], name, unit, help)
static const struct ec_row link_rows[] = {
    EC_FIELD(WIRE, 0, struct link_row, name, "name", NULL, "of the interface"),
    EC_FIELD(BOOL, 0, struct link_row, up, "up", NULL, "it carries packets, or does not know"),
    EC_FIELD_OPT(U64, 0, 0, struct link_row, speed, "speed", "Mbit/s", "of the link"),
    LINK(0, 0, "rx_bytes", "bytes", "received"), LINK(0, 1, "rx_packets", "packets", "received"),
    LINK(0, 2, "rx_errors", "packets", "received damaged"), LINK(0, 3, "rx_drops", "packets", "received and dropped"),
    LINK(1, 0, "tx_bytes", "bytes", "sent"), LINK(1, 1, "tx_packets", "packets", "sent"),
    LINK(1, 2, "tx_errors", "packets", "that could not be sent"), LINK(1, 3, "tx_drops", "packets", "dropped unsent"),
    EC_FIELD(F64, 0, struct link_row, rate[0], "rx_rate", "bytes/s", "now"),
    EC_FIELD(F64, 0, struct link_row, rate[1], "tx_rate", "bytes/s", "now"),
};
static const struct ec_record link_row = {
    (uint32_t)sizeof(struct ec_record), (uint32_t)sizeof(struct link_row), EC_ROWS(link_rows),
    (uint32_t)offsetof(struct link_row, has), 0, link_rows };
struct network_report { struct ec_part part; uint64_t time; struct ec_list link; };
static const struct ec_row network_rows[] = {
    EC_FIELD(TIME, 0, struct network_report, time, "time", NULL, "when it was looked at"),
    EC_FIELD_LIST(&link_row, struct network_report, link, "interfaces", "each interface"),
};

/* --- processes --- */
struct task_row { uint32_t pid, uid, threads, state; struct ec_span name; uint64_t rss; double cpu; };
static const struct ec_row task_rows[] = {
    EC_FIELD(U32, 0, struct task_row, pid, "pid", NULL, "number of the process"),
    EC_FIELD(WIRE, 0, struct task_row, name, "name", NULL, "as it calls itself"),
    EC_FIELD(U32, 0, struct task_row, uid, "uid", NULL, "number of its user"),
    EC_FIELD_ENUM(0, struct task_row, state, "state", "unknown,running,sleeping,disk,stopped,zombie,idle",
                  "what it does"),
    EC_FIELD(F64, 0, struct task_row, cpu, "cpu", "%", "of one core"),
    EC_FIELD(U64, 0, struct task_row, rss, "rss", "bytes", "of its memory that is in RAM"),
    EC_FIELD(U32, 0, struct task_row, threads, "threads", NULL, "how many it has"),
};
static const struct ec_record task_row = EC_RECORD_ELEMENT(struct task_row, task_rows);
struct tasks_report { struct ec_part part; uint64_t time; uint32_t count, over; struct ec_list by_cpu, by_rss; };
static const struct ec_row tasks_rows[] = {
    EC_FIELD(TIME, 0, struct tasks_report, time, "time", NULL, "when it was looked at"),
    EC_FIELD(U32, 0, struct tasks_report, count, "count", "processes", "that were looked at"),
    EC_FIELD(U32, 0, struct tasks_report, over, "over", "processes", "that were too many to look at"),
    EC_FIELD_LIST(&task_row, struct tasks_report, by_cpu, "by_cpu", "those that use the processor most"),
    EC_FIELD_LIST(&task_row, struct tasks_report, by_rss, "by_rss", "those that use memory most"),
};

const struct ec_record report_record[REPORTS] = {
    [REPORT_CPU] = EC_RECORD_PART(struct cpu_report, cpu_rows),
    [REPORT_MEMORY] = EC_RECORD_PART(struct memory_report, memory_rows),
    [REPORT_DISK] = EC_RECORD_PART(struct disk_report, disk_report_rows),
    [REPORT_NETWORK] = EC_RECORD_PART(struct network_report, network_rows),
    [REPORT_PROCESSES] = EC_RECORD_PART(struct tasks_report, tasks_rows),
};

#define BIT(n) (UINT64_C(1) << (n))

static void share_write(struct cpu_row *to, uint32_t core, const struct share *from)
{
    *to = (struct cpu_row){ core, 0, from->busy, from->t[CPU_USER], from->t[CPU_NICE], from->t[CPU_SYSTEM],
                            from->t[CPU_IOWAIT], from->t[CPU_IRQ], from->t[CPU_SOFTIRQ], from->t[CPU_STEAL] };
}

static void cpu_write(const struct sampler *s, struct cpu_report *r, struct ec_build *b)
{
    struct cpu_row *row;

    share_write(&r->total, 0, &s->total);
    r->uptime = s->uptime;
    r->running = s->cpu.running;
    r->cores = s->cpu.n;
    r->part.has = (s->cpu.known && s->rates ? BIT(HAS_CPU) : 0) | (s->load.known ? BIT(HAS_LOAD) : 0) |
                  (s->uptime ? BIT(HAS_UPTIME) : 0);
    for (uint32_t i = 0; i < 3; i++)
        r->load[i] = (double)s->load.milli[i] / 1000;
    if (s->cpu.known && s->rates && (row = ec_rows(b, &r->core, s->cpu.n, sizeof *row)))
        for (uint32_t i = 0; i < s->cpu.n; i++)
            share_write(&row[i], s->cpu.number[i], &s->core[i]);
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static void memory_write(const struct sampler *s, struct memory_report *r)
{
    const struct memory *m = &s->memory;

    memcpy(r->bytes, m->bytes, sizeof r->bytes);
    r->part.has = m->seen;
    r->used = less(m->bytes[MEM_TOTAL], m->bytes[MEM_AVAILABLE]);
    r->swap_used = less(m->bytes[MEM_SWAP_TOTAL], m->bytes[MEM_SWAP_FREE]);
    if ((m->seen & BIT(MEM_TOTAL)) && (m->seen & BIT(MEM_AVAILABLE)))
        r->part.has |= BIT(HAS_USED);
    if ((m->seen & BIT(MEM_SWAP_TOTAL)) && (m->seen & BIT(MEM_SWAP_FREE)))
        r->part.has |= BIT(HAS_SWAP_USED);
}

static void disk_write(const struct sampler *s, struct disk_report *r, struct ec_build *b)
{
    struct space_row *space = ec_rows(b, &r->space, s->n_space, sizeof *space);
    struct disk_row *disk = ec_rows(b, &r->disk, s->n_disk, sizeof *disk);

    for (uint32_t i = 0; space && i < s->n_space; i++) {
        const struct space *f = &s->space[i];

        space[i] = (struct space_row){ ec_put(b, f->m.at.s, f->m.at.len), ec_put(b, f->m.device.s, f->m.device.len),
                                       ec_put(b, f->m.type.s, f->m.type.len), f->total, f->used, f->available,
                                       f->inodes, f->inodes_free };
    }
    for (uint32_t i = 0; disk && i < s->n_disk; i++) {
        const struct disk *d = &s->disk[i];

        disk[i] = (struct disk_row){ ec_put(b, d->b.name.s, d->b.name.len), d->b.reads, d->b.writes, d->b.read_bytes,
                                     d->b.write_bytes, d->b.in_flight, d->read, d->write, d->busy };
    }
}

static void network_write(const struct sampler *s, struct network_report *r, struct ec_build *b)
{
    struct link_row *row = ec_rows(b, &r->link, s->n_link, sizeof *row);

    for (uint32_t i = 0; row && i < s->n_link; i++) {
        const struct link *l = &s->link[i];
        const struct net *n = &l->n;

        row[i].name = ec_put(b, n->name.s, n->name.len);
        row[i].up = l->up;
        row[i].speed = l->speed > 0 ? (uint64_t)l->speed : 0;
        row[i].has = l->speed > 0;
        for (uint32_t d = 0; d < 2; d++) {
            const uint64_t v[4] = { n->bytes[d], n->packets[d], n->errors[d], n->drops[d] };

            memcpy(row[i].n[d], v, sizeof v);
            row[i].rate[d] = l->rate[d];
        }
    }
}

static uint32_t state_word(char c)
{
    static const char letters[] = "?RSDTZI";
    const char *at = c == 't' ? letters + 4 : c ? strchr(letters, c) : NULL;

    return at ? (uint32_t)(at - letters) : 0;
}

static void list_write(const struct task *t, uint32_t n, struct ec_list *to, struct ec_build *b)
{
    struct task_row *row = ec_rows(b, to, n, sizeof *row);
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    for (uint32_t i = 0; row && i < n; i++)
        row[i] = (struct task_row){ t[i].p.pid, t[i].uid, t[i].p.threads, state_word(t[i].p.state),
                                    ec_put(b, t[i].p.name.s, t[i].p.name.len), t[i].p.rss_pages * page, t[i].cpu };
}

static void tasks_write(const struct sampler *s, struct tasks_report *r, struct ec_build *b)
{
    r->count = s->tasks.count;
    r->over = s->tasks.over;
    list_write(s->tasks.by_cpu, s->tasks.n_cpu, &r->by_cpu, b);
    list_write(s->tasks.by_rss, s->tasks.n_rss, &r->by_rss, b);
}

/* The time of the look: the first member of each report. */
struct any { struct ec_part part; uint64_t time; };

void report_write(enum report which, const struct sampler *s, uint64_t now_ns, struct ec_build *b)
{
    void *r = ec_add(b, 0, report_record[which].bytes);

    if (!r)
        return;
    ((struct any *)r)->time = now_ns;
    switch (which) {
    case REPORT_CPU:
        cpu_write(s, r, b);
        break;
    case REPORT_MEMORY:
        memory_write(s, r);
        break;
    case REPORT_DISK:
        disk_write(s, r, b);
        break;
    case REPORT_NETWORK:
        network_write(s, r, b);
        break;
    case REPORT_PROCESSES:
        tasks_write(s, r, b);
        break;
    case REPORTS:
        break;
    }
}
