#include "plugins/sysmon/telemetry.h"

#include "plugins/sysmon/report.h"

#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#define MB 1000000.0

typedef struct json_object object;

static void put(object *o, const char *key, object *v)
{
    json_object_object_add(o, key, v);
}

static object *tenths(double v)
{
    char text[32];

    v = rounded(v, 10);
    snprintf(text, sizeof text, "%.1f", v);
    return json_object_new_double_s(v, text);
}

static object *whole(uint64_t v)
{
    return json_object_new_int64(v < INT64_MAX ? (int64_t)v : INT64_MAX);
}

/* Names are whatever bytes a process chose. */
static object *printable(const struct name *n)
{
    char text[NAME_KEPT];

    for (uint32_t i = 0; i < n->len; i++)
        text[i] = n->s[i] < 0x20 || (unsigned char)n->s[i] > 0x7e ? '?' : n->s[i];
    return json_object_new_string_len(text, (int)n->len);
}

static double percent(uint64_t part, uint64_t of)
{
    return of ? 100.0 * (double)part / (double)of : 0;
}

static uint64_t used(const struct memory *m, unsigned total, unsigned rest)
{
    return m->bytes[total] > m->bytes[rest] ? m->bytes[total] - m->bytes[rest] : 0;
}

/* --- the tiles ------------------------------------------------------------------------------------------------ */

static object *tile(const char *title, const char *value, const char *icon, double full, const char *details)
{
    object *o = json_object_new_object();

    put(o, "title", json_object_new_string(title));
    put(o, "value", json_object_new_string(value));
    put(o, "color", json_object_new_string(full < 70 ? "green" : full < 90 ? "yellow" : "red"));
    put(o, "icon", json_object_new_string(icon));
    put(o, "details", json_object_new_string(details));
    return o;
}

static object *overview(const struct sampler *s)
{
    const struct memory *m = &s->memory;
    object *list = json_object_new_array();
    struct totals t = totals_of(s);
    uint64_t disk = 0, disk_used = 0;
    char value[64], details[96];
    double full = s->total.busy;

    snprintf(value, sizeof value, "%.1f%%", full);
    snprintf(details, sizeof details, "%u cores", s->cpu.n);
    json_object_array_add(list, tile("CPU Usage", value, "cpu", full, details));
    full = percent(used(m, MEM_TOTAL, MEM_AVAILABLE), m->bytes[MEM_TOTAL]);
    snprintf(value, sizeof value, "%.1f%%", full);
    snprintf(details, sizeof details, "%.1f of %.1f GB", (double)used(m, MEM_TOTAL, MEM_AVAILABLE) / 1e9,
             (double)m->bytes[MEM_TOTAL] / 1e9);
    json_object_array_add(list, tile("Memory Usage", value, "memory", full, details));
    for (uint32_t i = 0; i < s->n_space; i++) {
        disk += s->space[i].total;
        disk_used += s->space[i].used;
    }
    full = percent(disk_used, disk);
    snprintf(value, sizeof value, "%.1f%%", full);
    snprintf(details, sizeof details, "%.1f of %.1f GB", (double)disk_used / 1e9, (double)disk / 1e9);
    json_object_array_add(list, tile("Disk Usage", value, "disk", full, details));
    snprintf(value, sizeof value, "%.2f MB/s", (t.rate[0] + t.rate[1]) / MB);
    snprintf(details, sizeof details, "%.2f MB/s sent, %.2f MB/s received", t.rate[1] / MB, t.rate[0] / MB);
    json_object_array_add(list, tile("Network", value, "network", 0, details));
    snprintf(value, sizeof value, "%llud %lluh %llum", (unsigned long long)(s->uptime / 86400),
             (unsigned long long)(s->uptime / 3600 % 24), (unsigned long long)(s->uptime / 60 % 60));
    json_object_array_add(list, tile("System Uptime", value, "clock", 0, ""));
    return list;
}

/* --- the histories -------------------------------------------------------------------------------------------- */

static void remember(struct telemetry *t, const struct sampler *s, uint64_t now_ns)
{
    const struct memory *m = &s->memory;
    struct totals sum = totals_of(s);

    t->point[t->n++ % TELEMETRY_POINTS] = (struct telemetry_point){
        now_ns / 1000000, s->total.busy, percent(used(m, MEM_TOTAL, MEM_AVAILABLE), m->bytes[MEM_TOTAL]), sum.read / MB,
        sum.write / MB };
}

static object *at(uint64_t ms, double v)
{
    object *o = json_object_new_object();

    put(o, "timestamp", whole(ms));
    put(o, "value", tenths(v));
    return o;
}

static void histories(object *o, const struct telemetry *t)
{
    uint32_t n = t->n < TELEMETRY_POINTS ? t->n : TELEMETRY_POINTS;
    object *cpu = json_object_new_array(), *memory = json_object_new_array(), *read = json_object_new_array();
    object *write = json_object_new_array(), *times = json_object_new_array(), *disk = json_object_new_object();

    for (uint32_t i = t->n - n; i != t->n; i++) {
        const struct telemetry_point *p = &t->point[i % TELEMETRY_POINTS];

        json_object_array_add(cpu, at(p->ms, p->cpu));
        json_object_array_add(memory, at(p->ms, p->memory));
        json_object_array_add(read, tenths(p->read));
        json_object_array_add(write, tenths(p->write));
        json_object_array_add(times, whole(p->ms));
    }
    put(o, "cpuHistory", cpu);
    put(o, "memoryHistory", memory);
    put(disk, "read", read);
    put(disk, "write", write);
    put(disk, "timestamps", times);
    put(o, "diskIO", disk);
}

/* --- the lists --------------------------------------------------------------------------------------------------- */

static const char *status_of(char state)
{
    switch (state) {
    case 'R': return "running";
    case 'S': return "sleeping";
    case 'D': return "disk-sleep";
    case 'T': case 't': return "stopped";
    case 'Z': return "zombie";
    case 'I': return "idle";
    default: return "unknown";
    }
}

static object *processes(const struct sampler *s)
{
    object *list = json_object_new_array();
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    for (uint32_t i = 0; i < s->tasks.n_cpu; i++) {
        const struct task *t = &s->tasks.by_cpu[i];
        object *o = json_object_new_object();
        char user[16];

        snprintf(user, sizeof user, "%u", t->uid);
        put(o, "pid", whole(t->p.pid));
        put(o, "name", printable(&t->p.name));
        put(o, "user", json_object_new_string(user));
        put(o, "cpu", tenths(t->cpu));
        put(o, "memory", tenths(percent(t->p.rss_pages * page, s->memory.bytes[MEM_TOTAL])));
        put(o, "status", json_object_new_string(status_of(t->p.state)));
        json_object_array_add(list, o);
    }
    return list;
}

static object *interfaces(const struct sampler *s, uint64_t bytes[2])
{
    object *list = json_object_new_array();

    for (uint32_t i = 0; i < s->n_link; i++) {
        const struct link *l = &s->link[i];
        object *o = json_object_new_object(), *stats = json_object_new_object();

        put(o, "name", printable(&l->n.name));
        if (l->speed >= 0)
            put(o, "speed", json_object_new_int64(l->speed));
        put(o, "is_up", json_object_new_boolean(l->up));
        put(o, "status", json_object_new_string(l->up ? "up" : "down"));
        put(stats, "bytes_recv", whole(l->n.bytes[0]));
        put(stats, "bytes_sent", whole(l->n.bytes[1]));
        put(stats, "packets_recv", whole(l->n.packets[0]));
        put(stats, "packets_sent", whole(l->n.packets[1]));
        put(o, "stats", stats);
        json_object_array_add(list, o);
        for (uint32_t d = 0; d < 2; d++)
            bytes[d] += l->n.name.len == 2 && !memcmp(l->n.name.s, "lo", 2) ? 0 : l->n.bytes[d];
    }
    return list;
}

static object *processor(const struct sampler *s)
{
    static const char *const name[CPU_TIMES] = {
        "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal",
    };
    object *o = json_object_new_object(), *cores = json_object_new_object(), *times = json_object_new_object();

    put(cores, "logical", whole(s->cpu.n));
    put(o, "cores", cores);
    put(o, "usage", tenths(s->total.busy));
    for (uint32_t i = 0; i < CPU_TIMES; i++)
        put(times, name[i], tenths(s->total.t[i]));
    put(o, "times", times);
    return o;
}

static object *memory(const struct memory *m)
{
    object *o = json_object_new_object(), *swap = json_object_new_object();
    uint64_t in_use = used(m, MEM_TOTAL, MEM_AVAILABLE), swapped = used(m, MEM_SWAP_TOTAL, MEM_SWAP_FREE);

    put(o, "total", whole(m->bytes[MEM_TOTAL]));
    put(o, "used", whole(in_use));
    put(o, "available", whole(m->bytes[MEM_AVAILABLE]));
    put(o, "percent", tenths(percent(in_use, m->bytes[MEM_TOTAL])));
    put(swap, "total", whole(m->bytes[MEM_SWAP_TOTAL]));
    put(swap, "used", whole(swapped));
    put(swap, "percent", tenths(percent(swapped, m->bytes[MEM_SWAP_TOTAL])));
    put(o, "swap", swap);
    return o;
}

char *telemetry_json(struct telemetry *t, const struct sampler *s, uint64_t now_ns)
{
    object *list = json_object_new_array(), *o = json_object_new_object(), *io = json_object_new_object();
    uint64_t bytes[2] = { 0 };
    const char *text;
    char *copy;

    remember(t, s, now_ns);
    put(o, "systemOverview", overview(s));
    histories(o, t);
    put(o, "processes", processes(s));
    put(o, "networkInterfaces", interfaces(s, bytes));
    put(io, "timestamp", whole(now_ns / 1000000));
    put(io, "sent", whole(bytes[1]));
    put(io, "received", whole(bytes[0]));
    put(o, "networkIO", io);
    put(o, "cpuDetails", processor(s));
    put(o, "memoryDetails", memory(&s->memory));
    json_object_array_add(list, o);
    text = json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN);
    copy = text ? strdup(text) : NULL;
    json_object_put(list);
    return copy;
}
