/* sampler.h: one look at the host after the other, and what has changed between the last two. */
#ifndef SYSMON_SAMPLER_H
#define SYSMON_SAMPLER_H
#include "plugins/sysmon/files.h"
#include "plugins/sysmon/proc.h"
#include "plugins/sysmon/tasks.h"

struct space { struct mount m; uint64_t total, used, available, inodes, inodes_free; };  /* bytes */
struct disk { struct block b; double read, write, busy; bool physical; };       /* bytes/s, bytes/s, percent */
struct link { struct net n; double rate[2]; int64_t speed; bool up; };          /* bytes/s; Mbit/s, −1: unknown */
struct share { double t[CPU_TIMES], busy; };                                    /* percent of the time */

struct sampler {
    struct files files;
    struct tasks tasks;
    bool open, rates;               /* rates: there was a look before this one */
    uint64_t at_ns;                 /* CLOCK_MONOTONIC */
    uint64_t uptime;                /* seconds, 0: unknown */
    char root[4096];
    struct cpu cpu, cpu_before;
    struct share total, core[CPU_MAX];
    struct memory memory;
    struct load load;
    uint32_t n_space, n_disk, n_link, n_block_before, n_net_before;
    struct space space[MOUNT_MAX];
    struct disk disk[BLOCK_MAX];
    struct link link[NET_MAX];
    struct block block_before[BLOCK_MAX];
    struct net net_before[NET_MAX];
};

typedef void sampler_say_fn(void *arg, const char *sentence);

/* false and a sentence. root: the folder that holds proc and sys. */
bool sampler_open(struct sampler *s, const char *root, char *why, uint32_t n);
void sampler_close(struct sampler *s);
/* Look. Reads files; one thread at a time. Returns how many files could not be read; each is said once. top: processes
 * in each list. */
uint32_t sampler_look(struct sampler *s, uint32_t top, sampler_say_fn *say, void *arg);

#endif
