#include "plugins/sysmon/sampler.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

bool sampler_open(struct sampler *s, const char *root, char *why, uint32_t n)
{
    memset(s, 0, sizeof *s);
    if (strlen(root) >= sizeof s->root - PATH_KEPT) {
        snprintf(why, n, "sysmon.root is too long");
        return false;
    }
    strcpy(s->root, root);
    if (!files_open(&s->files, root) || !tasks_open(&s->tasks)) {
        snprintf(why, n, "sysmon.root: %s: %s", root, strerror(errno));
        files_close(&s->files);
        return false;
    }
    return s->open = true;
}

void sampler_close(struct sampler *s)
{
    if (!s->open)
        return;
    files_close(&s->files);
    tasks_close(&s->tasks);
    s->open = false;
}

static uint64_t grown(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static double percent(uint64_t part, uint64_t sum)
{
    return rounded((double)part * 100 / (double)sum, 100);
}

/* In a second. */
static double rate(uint64_t now, uint64_t before, double seconds)
{
    return rounded((double)grown(now, before) / seconds, 1);
}

static void share_of(struct share *to, const struct cpu_times *now, const struct cpu_times *before)
{
    uint64_t sum = 0, part[CPU_TIMES];

    memset(to, 0, sizeof *to);
    for (uint32_t i = 0; i < CPU_TIMES; i++)
        sum += part[i] = grown(now->t[i], before->t[i]);
    for (uint32_t i = 0; i < CPU_TIMES && sum; i++)
        to->t[i] = percent(part[i], sum);
    if (sum)
        to->busy = percent(sum - part[CPU_IDLE] - part[CPU_IOWAIT], sum);
}

static void look_cpu(struct sampler *s, struct text t)
{
    s->cpu_before = s->cpu;
    proc_stat(t, &s->cpu);
    share_of(&s->total, &s->cpu.total, &s->cpu_before.total);
    for (uint32_t i = 0; i < s->cpu.n; i++)     /* cores come and go: then one look lacks their share */
        share_of(&s->core[i], &s->cpu.core[i],
                 i < s->cpu_before.n && s->cpu_before.number[i] == s->cpu.number[i] ? &s->cpu_before.core[i]
                                                                                    : &s->cpu.core[i]);
}

static void look_space(struct sampler *s, struct text t)
{
    struct mount mount[MOUNT_MAX];
    uint32_t n = proc_mounts(t, mount, MOUNT_MAX);

    s->n_space = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct space *to = &s->space[s->n_space];
        char path[sizeof s->root + PATH_KEPT + 2];
        struct statvfs v;

        snprintf(path, sizeof path, "%s/%.*s", s->root, (int)mount[i].at.len, mount[i].at.s);
        if (statvfs(path, &v) || !v.f_blocks)
            continue;
        to->m = mount[i];
        to->total = (uint64_t)v.f_blocks * v.f_frsize;
        to->used = grown(v.f_blocks, v.f_bfree) * v.f_frsize;
        to->available = (uint64_t)v.f_bavail * v.f_frsize;
        to->inodes = v.f_files;
        to->inodes_free = v.f_ffree;
        s->n_space++;
    }
}

static bool exists(const struct sampler *s, const char *folder, const struct name *name, const char *file)
{
    char path[200];
    struct stat st;

    if (memchr(name->s, '/', name->len) || memchr(name->s, 0, name->len))
        return false;
    snprintf(path, sizeof path, "%s/%.*s%s", folder, (int)name->len, name->s, file);
    return !fstatat(s->files.root, path, &st, 0);
}

static const struct block *block_before(const struct sampler *s, const struct name *name)
{
    for (uint32_t i = 0; i < s->n_block_before; i++)
        if (s->block_before[i].name.len == name->len && !memcmp(s->block_before[i].name.s, name->s, name->len))
            return &s->block_before[i];
    return NULL;
}

/* Whole devices that have done something; their partitions are left out. */
static void look_disks(struct sampler *s, struct text t, double seconds)
{
    struct block block[BLOCK_MAX];
    uint32_t n = proc_diskstats(t, block, BLOCK_MAX);

    s->n_disk = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct block *b = &block[i], *old = block_before(s, &b->name);
        struct disk *d = &s->disk[s->n_disk];

        if ((!b->reads && !b->writes) || !exists(s, "sys/block", &b->name, ""))
            continue;
        *d = (struct disk){ .b = *b, .physical = exists(s, "sys/block", &b->name, "/device") };
        if (old && seconds > 0) {
            d->read = rate(b->read_bytes, old->read_bytes, seconds);
            d->write = rate(b->write_bytes, old->write_bytes, seconds);
            d->busy = rate(b->busy_ms, old->busy_ms, seconds) / 10;
            d->busy = d->busy > 100 ? 100 : d->busy;
        }
        s->n_disk++;
    }
    memcpy(s->block_before, block, n * sizeof block[0]);
    s->n_block_before = n;
}

static void link_state(const struct sampler *s, struct link *l)
{
    char file[NAME_KEPT + 16], bytes[32];
    struct text t, line, word;
    uint64_t v;

    l->speed = -1;
    l->up = false;
    if (memchr(l->n.name.s, '/', l->n.name.len) || l->n.name.s[0] == '.')
        return;
    snprintf(file, sizeof file, "%.*s/operstate", (int)l->n.name.len, l->n.name.s);
    if (files_short(s->files.net, file, bytes, sizeof bytes, &t) && text_line(&t, &line) && text_word(&line, &word))
        l->up = text_is(word, "up") || text_is(word, "unknown");        /* loopback and tunnels do not know */
    snprintf(file, sizeof file, "%.*s/speed", (int)l->n.name.len, l->n.name.s);
    if (files_short(s->files.net, file, bytes, sizeof bytes, &t) && text_line(&t, &line) &&
        text_u64(&line, &v) && v && v < INT32_MAX)
        l->speed = (int64_t)v;
}

static const struct net *net_before(const struct sampler *s, const struct name *name)
{
    for (uint32_t i = 0; i < s->n_net_before; i++)
        if (s->net_before[i].name.len == name->len && !memcmp(s->net_before[i].name.s, name->s, name->len))
            return &s->net_before[i];
    return NULL;
}

static void look_net(struct sampler *s, struct text t, double seconds)
{
    struct net net[NET_MAX];

    s->n_link = proc_net_dev(t, net, NET_MAX);
    for (uint32_t i = 0; i < s->n_link; i++) {
        const struct net *old = net_before(s, &net[i].name);

        s->link[i] = (struct link){ .n = net[i] };
        for (uint32_t d = 0; d < 2 && old && seconds > 0; d++)
            s->link[i].rate[d] = rate(net[i].bytes[d], old->bytes[d], seconds);
        link_state(s, &s->link[i]);
    }
    memcpy(s->net_before, net, s->n_link * sizeof net[0]);
    s->n_net_before = s->n_link;
}

static void look_file(struct sampler *s, enum file which, struct text t, double seconds)
{
    struct text line = t;

    switch (which) {
    case FILE_STAT:
        look_cpu(s, t);
        break;
    case FILE_MEMINFO:
        proc_meminfo(t, &s->memory);
        break;
    case FILE_LOADAVG:
        if (text_line(&t, &line))
            proc_loadavg(line, &s->load);
        break;
    case FILE_UPTIME:
        if (!text_line(&t, &line) || !proc_uptime(line, &s->uptime))
            s->uptime = 0;
        break;
    case FILE_DISKSTATS:
        look_disks(s, t, seconds);
        break;
    case FILE_MOUNTS:
        look_space(s, t);
        break;
    case FILE_NET:
        look_net(s, t, seconds);
        break;
    case FILE_COUNT:
        break;
    }
}

static void tell(struct sampler *s, enum file which, sampler_say_fn *say, void *arg)
{
    char why[4400];

    if (s->files.told[which])
        return;
    s->files.told[which] = true;
    snprintf(why, sizeof why, "%s/%s: %s; what it would say is left out", strcmp(s->root, "/") ? s->root : "",
             files_name(which), strerror(errno));
    say(arg, why);
}

/* Nothing of the look before stays where a file has gone. */
static void forget(struct sampler *s)
{
    s->uptime = 0;
    s->load.known = false;
    s->memory.seen = 0;
    s->n_space = s->n_disk = s->n_link = 0;
}

uint32_t sampler_look(struct sampler *s, uint32_t top, sampler_say_fn *say, void *arg)
{
    struct timespec now;
    uint64_t ns;
    double seconds;
    uint32_t failed = 0;

    clock_gettime(CLOCK_MONOTONIC, &now);
    ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    seconds = s->at_ns ? (double)(ns - s->at_ns) / 1e9 : 0;
    s->rates = s->at_ns != 0;
    s->at_ns = ns;
    forget(s);
    for (enum file which = 0; which < FILE_COUNT; which++) {
        struct text t;

        if (files_read(&s->files, which, &t)) {
            look_file(s, which, t, seconds);
            s->files.told[which] = false;
            continue;
        }
        failed++;
        if (which == FILE_STAT)
            s->cpu.known = false;
        tell(s, which, say, arg);
    }
    tasks_read(&s->tasks, s->files.proc, seconds, top);
    return failed;
}
