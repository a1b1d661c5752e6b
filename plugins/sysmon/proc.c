#include "plugins/sysmon/proc.h"

static void name_take(struct name *to, struct text t)
{
    to->len = text_copy(t, to->s, sizeof to->s, false);
}

void proc_stat(struct text t, struct cpu *c)
{
    struct text line, word;
    uint64_t v;

    c->n = c->running = 0;
    c->known = false;
    while (text_line(&t, &line)) {
        struct cpu_times times = { { 0 } };

        if (!text_word(&line, &word))
            continue;
        if (text_is(word, "procs_running") && text_u64(&line, &v) && v <= UINT32_MAX)
            c->running = (uint32_t)v;
        if (!text_begins(word, "cpu") || !text_u64s(&line, times.t, CPU_IDLE + 1))
            continue;
        text_u64s(&line, times.t + CPU_IOWAIT, CPU_TIMES - CPU_IOWAIT);     /* old kernels lack the last ones */
        word.at += 3;
        if (word.at == word.end) {
            c->total = times;
            c->known = true;
        } else if (c->n < CPU_MAX && text_u64(&word, &v) && v <= UINT16_MAX) {
            c->number[c->n] = (uint16_t)v;
            c->core[c->n++] = times;
        }
    }
}

void proc_meminfo(struct text t, struct memory *m)
{
    static const char *const name[MEM_FIELDS] = { "MemTotal:", "MemFree:", "MemAvailable:", "Buffers:", "Cached:",
                                                  "SwapTotal:", "SwapFree:", "Shmem:" };
    struct text line, word;
    uint64_t v;

    memset(m, 0, sizeof *m);
    while (text_line(&t, &line)) {
        if (!text_word(&line, &word))
            continue;
        for (uint32_t i = 0; i < MEM_FIELDS; i++)
            if (text_is(word, name[i]) && text_u64(&line, &v) && v <= UINT64_MAX / 1024) {
                m->bytes[i] = v * 1024;
                m->seen |= 1u << i;
            }
    }
}

void proc_loadavg(struct text t, struct load *l)
{
    l->known = true;
    for (uint32_t i = 0; i < 3; i++)
        l->known &= text_milli(&t, &l->milli[i]);
}

bool proc_uptime(struct text t, uint64_t *seconds)
{
    uint64_t milli;

    if (!text_milli(&t, &milli))
        return false;
    *seconds = milli / 1000;
    return true;
}

uint32_t proc_diskstats(struct text t, struct block *b, uint32_t max)
{
    enum { READS, R_MERGED, R_SECTORS, R_MS, WRITES, W_MERGED, W_SECTORS, W_MS, IN_FLIGHT, BUSY_MS, FIELDS };
    struct text line, word;
    uint64_t number[2], v[FIELDS];
    uint32_t n = 0;

    while (n < max && text_line(&t, &line)) {
        if (!text_u64s(&line, number, 2) || !text_word(&line, &word) || !text_u64s(&line, v, FIELDS))
            continue;
        name_take(&b[n].name, word);
        b[n].reads = v[READS];
        b[n].read_bytes = v[R_SECTORS] * 512;
        b[n].writes = v[WRITES];
        b[n].write_bytes = v[W_SECTORS] * 512;
        b[n].busy_ms = v[BUSY_MS];
        b[n].in_flight = v[IN_FLIGHT];
        n++;
    }
    return n;
}

static void path_take(struct path *to, struct text t)
{
    to->len = text_copy(t, to->s, sizeof to->s, true);
}

/* "/dev/sda1", but not "tmpfs", "server:/share", "//server/share". */
static bool local(struct text device)
{
    return *device.at == '/' && !text_begins(device, "//");
}

/* What is mounted over cannot be seen any more. */
static uint32_t cover(struct mount *m, uint32_t n, const struct path *at)
{
    for (uint32_t i = 0; i < n; i++)
        if (m[i].at.len == at->len && !memcmp(m[i].at.s, at->s, at->len)) {
            memmove(&m[i], &m[i + 1], (n - i - 1) * sizeof *m);
            return n - 1;
        }
    return n;
}

static bool mounted_before(const struct mount *m, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (m[i].device.len == m[n].device.len && !memcmp(m[i].device.s, m[n].device.s, m[n].device.len))
            return true;
    return false;
}

uint32_t proc_mounts(struct text t, struct mount *m, uint32_t max)
{
    struct text line, device, at, type;
    struct path path;
    uint32_t n = 0;

    while (n < max && text_line(&t, &line)) {
        if (!text_word(&line, &device) || !text_word(&line, &at) || !text_word(&line, &type) || *at.at != '/')
            continue;
        path_take(&path, at);
        n = cover(m, n, &path);
        if ((!local(device) && !text_is(at, "/")) || text_is(type, "squashfs") || text_len(at) >= PATH_KEPT)
            continue;
        path_take(&m[n].device, device);
        m[n].at = path;
        name_take(&m[n].type, type);
        n += !mounted_before(m, n);
    }
    return n;
}

uint32_t proc_net_dev(struct text t, struct net *to, uint32_t max)
{
    struct text line, word;
    uint32_t n = 0;

    while (n < max && text_line(&t, &line)) {
        const char *colon = memchr(line.at, ':', text_len(line));
        struct text name = { line.at, colon }, rest = { colon ? colon + 1 : line.end, line.end };
        uint64_t v[16];

        if (!colon || !text_word(&name, &word) || text_len(word) > 15 || !text_u64s(&rest, v, 16))
            continue;
        name_take(&to[n].name, word);
        for (uint32_t d = 0; d < 2; d++) {
            to[n].bytes[d] = v[d * 8];
            to[n].packets[d] = v[d * 8 + 1];
            to[n].errors[d] = v[d * 8 + 2];
            to[n].drops[d] = v[d * 8 + 3];
        }
        n++;
    }
    return n;
}

/* "pid (name) S …": the name may hold blanks, parentheses and newlines, so it ends at the last ')'. */
bool proc_pid_stat(struct text t, struct process *p)
{
    enum { PARENT, UTIME = 10, STIME = 11, THREADS = 16, START = 18, RSS = 20, FIELDS = 21 };   /* behind the state */
    const char *open = memchr(t.at, '(', text_len(t)), *close = memrchr(t.at, ')', text_len(t));
    struct text head, rest, word;
    uint64_t pid, v[FIELDS] = { 0 };

    if (!open || !close || close < open)
        return false;
    head = (struct text){ t.at, open };
    rest = (struct text){ close + 1, t.end };
    if (!text_u64(&head, &pid) || pid > INT32_MAX || !text_word(&rest, &word) || text_len(word) != 1)
        return false;
    p->pid = (uint32_t)pid;
    p->state = *word.at;
    for (uint32_t i = 0; i < FIELDS; i++) {
        struct text at = rest;

        if (!text_word(&rest, &word))
            return false;
        if (!text_u64(&at, &v[i]))
            v[i] = 0;               /* some are negative */
    }
    name_take(&p->name, (struct text){ open + 1, close });
    p->parent = v[PARENT] <= INT32_MAX ? (uint32_t)v[PARENT] : 0;
    p->ticks = v[UTIME] + v[STIME];
    p->threads = v[THREADS] <= UINT32_MAX ? (uint32_t)v[THREADS] : 0;
    p->start = v[START];
    p->rss_pages = v[RSS];
    return true;
}
