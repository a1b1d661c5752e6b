/* tasks.h: the processes of the host: how many there are, and those that take most of the processor and of memory. */
#ifndef SYSMON_TASKS_H
#define SYSMON_TASKS_H
#include "plugins/sysmon/proc.h"

#define TASKS_MAX 16384u            /* processes that are looked at; the others are counted */
#define TASKS_TOP 50u

struct task { struct process p; uint32_t uid; double cpu; /* percent of one core since the last time */ };
struct tasks {
    uint32_t count, over;           /* processes; those beyond TASKS_MAX */
    uint32_t n_cpu, n_rss;
    struct task by_cpu[TASKS_TOP], by_rss[TASKS_TOP];
    /* What each had used the last time, in the order of pid: before is of that time, now of this one. */
    struct spent { uint32_t pid; uint64_t start, ticks; } *before, *now;
    uint32_t n_before;
};

bool tasks_open(struct tasks *t);
void tasks_close(struct tasks *t);
/* proc: a descriptor of the folder. seconds: since the last time, 0: unknown. top: at most TASKS_TOP. */
void tasks_read(struct tasks *t, int proc, double seconds, uint32_t top);

#endif
