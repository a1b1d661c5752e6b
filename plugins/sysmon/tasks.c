#include "plugins/sysmon/tasks.h"

#include "plugins/sysmon/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool tasks_open(struct tasks *t)
{
    memset(t, 0, sizeof *t);
    t->before = calloc(TASKS_MAX, sizeof *t->before);
    t->now = calloc(TASKS_MAX, sizeof *t->now);
    if (t->before && t->now)
        return true;
    tasks_close(t);
    return false;
}

void tasks_close(struct tasks *t)
{
    free(t->before);
    free(t->now);
    t->before = t->now = NULL;
}

static int order(const void *a, const void *b)
{
    const struct spent *x = a, *y = b;

    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* Percent of one core since the last time; a process that was not there then has used all of its time since. */
static double percent(const struct tasks *t, const struct process *p, double seconds)
{
    struct spent key = { p->pid, 0, 0 };
    const struct spent *old = bsearch(&key, t->before, t->n_before, sizeof key, order);
    uint64_t ticks = p->ticks;

    if (seconds <= 0)
        return 0;
    if (old && old->start == p->start)
        ticks = p->ticks > old->ticks ? p->ticks - old->ticks : 0;
    return rounded((double)ticks * 100 / (double)sysconf(_SC_CLK_TCK) / seconds, 10);
}

static bool above(const struct task *a, const struct task *b, bool by_cpu)
{
    if (by_cpu && a->cpu != b->cpu)
        return a->cpu > b->cpu;
    if (a->p.rss_pages != b->p.rss_pages)
        return a->p.rss_pages > b->p.rss_pages;
    return a->p.pid < b->p.pid;
}

/* Keep the first `top`, in order. */
static void keep(struct task *list, uint32_t *n, uint32_t top, const struct task *new, bool by_cpu)
{
    uint32_t i = *n < top ? (*n)++ : top;

    for (; i > 0 && above(new, &list[i - 1], by_cpu); i--)
        if (i < *n)
            list[i] = list[i - 1];
    if (i < *n)
        list[i] = *new;
}

static bool task_read(int proc, const char *pid, struct task *k)
{
    char name[300], bytes[1024];
    struct text t;
    struct stat st;

    snprintf(name, sizeof name, "%s/stat", pid);
    if (!files_short(proc, name, bytes, sizeof bytes, &t) || !proc_pid_stat(t, &k->p))
        return false;
    k->uid = fstatat(proc, pid, &st, 0) ? UINT32_MAX : st.st_uid;
    return true;
}

static void task_add(struct tasks *t, struct task *k, double seconds, uint32_t top)
{
    k->cpu = percent(t, &k->p, seconds);
    keep(t->by_cpu, &t->n_cpu, top, k, true);
    keep(t->by_rss, &t->n_rss, top, k, false);
    t->now[t->count++] = (struct spent){ k->p.pid, k->p.start, k->p.ticks };
}

void tasks_read(struct tasks *t, int proc, double seconds, uint32_t top)
{
    int fd = proc < 0 ? -1 : openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct spent *swap = t->now;

    t->count = t->over = t->n_cpu = t->n_rss = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        struct task k;

        if (*e->d_name < '1' || *e->d_name > '9')
            continue;
        if (t->count == TASKS_MAX)
            t->over++;
        else if (task_read(proc, e->d_name, &k))
            task_add(t, &k, seconds, top < TASKS_TOP ? top : TASKS_TOP);
    }
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    qsort(t->now, t->count, sizeof *t->now, order);
    t->now = t->before;
    t->before = swap;
    t->n_before = t->count;
}
