/* proc.h: what the files of /proc say, as numbers. Each function takes a file's text, whole or cut anywhere, and never
 * fails: what is missing or makes no sense is left out. Sources: proc(5) and Documentation/ of Linux. */
#ifndef SYSMON_PROC_H
#define SYSMON_PROC_H
#include "plugins/sysmon/text.h"

#define CPU_MAX   1024u
#define NET_MAX   256u
#define BLOCK_MAX 128u
#define MOUNT_MAX 64u
#define NAME_KEPT 64u               /* bytes of a name that are kept */
#define PATH_KEPT 256u              /* bytes of a path */

/* To that part of one (10: tenths); more digits say nothing. What cannot be is 0. */
static inline double rounded(double v, double part)
{
    return v >= 0 && v < 1e15 ? (double)(uint64_t)(v * part + 0.5) / part : 0;
}

struct name { uint32_t len; char s[NAME_KEPT]; };
struct path { uint32_t len; char s[PATH_KEPT]; };

enum { CPU_USER, CPU_NICE, CPU_SYSTEM, CPU_IDLE, CPU_IOWAIT, CPU_IRQ, CPU_SOFTIRQ, CPU_STEAL, CPU_TIMES };
struct cpu_times { uint64_t t[CPU_TIMES]; };    /* in ticks since the start of the system */
struct cpu {
    struct cpu_times total;
    uint32_t n;                     /* cores below, in the order of the file */
    uint32_t running;               /* processes that could run */
    bool known;
    uint16_t number[CPU_MAX];
    struct cpu_times core[CPU_MAX];
};
void proc_stat(struct text t, struct cpu *c);

enum {
    MEM_TOTAL, MEM_FREE, MEM_AVAILABLE, MEM_BUFFERS, MEM_CACHED, MEM_SWAP_TOTAL, MEM_SWAP_FREE, MEM_SHARED, MEM_FIELDS
};
struct memory { uint64_t bytes[MEM_FIELDS]; uint32_t seen; };       /* seen: bit for each field */
void proc_meminfo(struct text t, struct memory *m);

struct load { uint64_t milli[3]; bool known; };         /* of 1, 5 and 15 minutes, in thousandths */
void proc_loadavg(struct text t, struct load *l);
bool proc_uptime(struct text t, uint64_t *seconds);

struct block {                      /* one block device */
    struct name name;
    uint64_t reads, read_bytes, writes, write_bytes, busy_ms, in_flight;
};
uint32_t proc_diskstats(struct text t, struct block *b, uint32_t max);

struct mount { struct path device, at; struct name type; };
/* Those on a device of this host, and the root; each device once. */
uint32_t proc_mounts(struct text t, struct mount *m, uint32_t max);

struct net {                        /* one interface; [0] received, [1] sent */
    struct name name;
    uint64_t bytes[2], packets[2], errors[2], drops[2];
};
uint32_t proc_net_dev(struct text t, struct net *n, uint32_t max);

struct process {
    uint32_t pid, parent, threads;
    uint64_t ticks, start, rss_pages;   /* of the processor; start: ticks after the system's */
    struct name name;               /* raw bytes: a process names itself as it likes */
    char state;
};
bool proc_pid_stat(struct text t, struct process *p);

#endif
