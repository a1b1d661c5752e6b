#include "plugins/packets/jobs.h"

#include "plugins/packets/packets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH 4352
#define FILE_NAME "%" PRIu64 ".pcapng"

/* Of the folder with id 0. false: there is no state folder. */
static bool path_of(struct packets *k, uint64_t id, char *to, size_t n)
{
    const char *dir = k->host->state_dir(k->host);
    int len;

    if (!dir)
        return false;
    len = id ? snprintf(to, n, "%s/captures/" FILE_NAME, dir, id) : snprintf(to, n, "%s/captures", dir);
    return len > 0 && (size_t)len < n;
}

static struct job *job_by_id(struct jobs *j, uint64_t id)
{
    for (uint32_t i = 0; id && i < JOBS_MAX; i++)
        if (j->job[i].id == id)
            return &j->job[i];
    return NULL;
}

static struct job *free_job(struct jobs *j)
{
    for (uint32_t i = 0; i < j->most; i++)
        if (!j->job[i].id)
            return &j->job[i];
    return NULL;
}

/* What the workers have to know. Under the lock. */
static void count_running(struct jobs *j)
{
    uint32_t n = 0, snap = 0;

    for (uint32_t i = 0; i < JOBS_MAX; i++)
        if (j->job[i].id && j->job[i].state == JOB_RUNNING) {
            n++;
            snap = j->job[i].snap > snap ? j->job[i].snap : snap;
        }
    atomic_store(&j->snap, snap);
    atomic_store(&j->running, n);
}

/* Under the lock. */
static void finish(struct packets *k, struct job *job, enum job_state state, const char *reason)
{
    if (state == JOB_DONE && !pcapng_end(&job->file, job->lost)) {
        state = JOB_FAILED;
        reason = strerror(errno);
    }
    fclose(job->file.out);
    filter_free(job->program);
    job->program = NULL;
    job->bytes = job->file.bytes;
    job->state = state;
    job->ended_ns = k->host->now(k->host);
    snprintf(job->reason, sizeof job->reason, "%s", reason);
    count_running(&k->jobs);
}

/* The oldest packet that this job has not looked at, of all rings. n_ring: none. end: where each ring ended. */
static uint32_t oldest(struct packets *k, struct job *job, const uint64_t *end)
{
    uint32_t best = k->n_ring;
    struct ring_packet p;
    uint64_t ts = 0;

    for (uint32_t i = 0; i < k->n_ring; i++) {
        uint64_t tail, head;

        while (job->next[i] < end[i] && !ring_get(&k->ring[i], job->next[i], &p, NULL, 0)) {
            ring_range(&k->ring[i], &tail, &head);
            if (tail > end[i])
                tail = end[i];
            job->lost += tail > job->next[i] ? tail - job->next[i] : 0;
            job->next[i] = tail > job->next[i] ? tail : job->next[i];
        }
        if (job->next[i] < end[i] && (best == k->n_ring || p.ts_ns < ts)) {
            best = i;
            ts = p.ts_ns;
        }
    }
    return best;
}

/* One packet, if the filter takes it. Under the lock. */
static void look(struct packets *k, struct job *job, uint32_t ring)
{
    uint8_t *data = k->jobs.data;
    struct ring_packet p;

    if (!ring_get(&k->ring[ring], job->next[ring]++, &p, data, RING_PACKET_MAX)) {
        job->lost++;
        return;
    }
    job->looked++;
    if (!filter_takes(job->program, &p, data))
        return;
    if (p.caplen > job->snap)
        p.caplen = job->snap;
    if (job->file.bytes + p.caplen + 256 > job->most_bytes) {
        finish(k, job, JOB_DONE, "the file has reached its size");
        return;
    }
    if (!pcapng_packet(&job->file, &p, p.iface ? k->host->interned(k->host, "iface", p.iface) : NULL, data))
        finish(k, job, JOB_FAILED, strerror(errno));
    else if (++job->packets == job->most_packets)
        finish(k, job, JOB_DONE, "it has as many packets as were asked for");
}

/* Under the lock. */
static void drain(struct packets *k, struct job *job)
{
    uint64_t end[PACKETS_WORKERS], tail;
    uint32_t ring;

    for (uint32_t i = 0; i < k->n_ring; i++)
        ring_range(&k->ring[i], &tail, &end[i]);
    while (job->state == JOB_RUNNING && (ring = oldest(k, job, end)) < k->n_ring)
        look(k, job, ring);
    job->bytes = job->file.bytes;
    if (job->state == JOB_RUNNING && k->host->now(k->host) >= job->started_ns + job->duration_ns)
        finish(k, job, JOB_DONE, "its time is over");
}

static void drain_all(void *self, const void *state, void *arg)
{
    struct packets *k = self;

    (void)state;
    (void)arg;
    pthread_mutex_lock(&k->jobs.lock);
    for (uint32_t i = 0; i < JOBS_MAX; i++)
        if (k->jobs.job[i].id && k->jobs.job[i].state == JOB_RUNNING)
            drain(k, &k->jobs.job[i]);
    pthread_mutex_unlock(&k->jobs.lock);
    atomic_store(&k->jobs.busy, false);
}

void jobs_tick(struct packets *k)
{
    if (atomic_load(&k->jobs.running) && !atomic_exchange(&k->jobs.busy, true) &&
        k->host->work(k->host, drain_all, NULL) != EC_OK)
        atomic_store(&k->jobs.busy, false);     /* the next tick asks again */
}

/* A file of an earlier run. */
static void list_again(struct packets *k, const char *name)
{
    struct jobs *j = &k->jobs;
    struct job *job = free_job(j);
    char path[PATH];
    struct stat st;
    uint64_t id;
    int n = 0;

    if (sscanf(name, "%" SCNu64 ".pcapng%n", &id, &n) != 1 || !n || name[n] || !id)
        return;
    if (!path_of(k, id, path, sizeof path) || stat(path, &st))
        return;
    if (id > j->last)
        j->last = id;
    if (!job)
        return;
    *job = (struct job){ .id = id, .state = JOB_DONE, .bytes = (uint64_t)st.st_size,
                         .ended_ns = (uint64_t)st.st_mtime * 1000000000u, .reason = "it is of an earlier run" };
    job->started_ns = job->ended_ns;
}

int32_t jobs_open(struct packets *k, uint32_t most, uint64_t most_bytes)
{
    struct jobs *j = &k->jobs;
    struct dirent *e;
    char path[PATH];
    DIR *d;

    pthread_mutex_init(&j->lock, NULL);
    j->most = most;
    j->most_bytes = most_bytes;
    if (!(j->data = malloc(RING_PACKET_MAX)))
        return EC_ENOMEM;
    d = path_of(k, 0, path, sizeof path) ? opendir(path) : NULL;
    while (d && (e = readdir(d)))
        list_again(k, e->d_name);
    if (d)
        closedir(d);
    return EC_OK;
}

void jobs_stop(struct packets *k)
{
    if (!k->jobs.data)
        return;
    pthread_mutex_lock(&k->jobs.lock);
    for (uint32_t i = 0; i < JOBS_MAX; i++)
        if (k->jobs.job[i].id && k->jobs.job[i].state == JOB_RUNNING)
            finish(k, &k->jobs.job[i], JOB_DONE, "the daemon ends");
    pthread_mutex_unlock(&k->jobs.lock);
}

void jobs_close(struct packets *k)
{
    if (!k->jobs.data)
        return;
    free(k->jobs.data);
    k->jobs.data = NULL;
    pthread_mutex_destroy(&k->jobs.lock);
}

/* A new file, and its first block. NULL: errno. */
static FILE *create(struct packets *k, struct job *job)
{
    char path[PATH], program[96];
    FILE *out;
    int fd;

    errno = ENOENT;
    if (!path_of(k, 0, path, sizeof path) || (mkdir(path, 0700) && errno != EEXIST))
        return NULL;
    path_of(k, job->id, path, sizeof path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || !(out = fdopen(fd, "w"))) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    snprintf(program, sizeof program, "%s %s", k->host->product, k->host->version);
    if (pcapng_begin(&job->file, out, program))
        return out;
    fclose(out);
    unlink(path);
    return NULL;
}

int32_t jobs_start(struct packets *k, struct job *ask, struct filter *program, char *why, size_t n)
{
    struct jobs *j = &k->jobs;
    struct job *job;
    uint64_t tail;
    int32_t err = EC_OK;

    pthread_mutex_lock(&j->lock);
    ask->id = j->last + 1;
    ask->state = JOB_RUNNING;
    ask->started_ns = k->host->now(k->host);
    ask->program = program;
    if (!(job = free_job(j))) {
        err = EC_ELIMIT;
        snprintf(why, n, "there are %u captures already (packets.captures): delete one", j->most);
    } else if (!create(k, ask)) {
        err = EC_EIO;
        snprintf(why, n, "no file can be written for it: %s", strerror(errno));
    }
    if (err) {
        filter_free(program);
    } else {
        j->last++;
        for (uint32_t i = 0; i < k->n_ring; i++)
            ring_range(&k->ring[i], &tail, &ask->next[i]);
        ask->bytes = ask->file.bytes;
        *job = *ask;
        count_running(j);
    }
    pthread_mutex_unlock(&j->lock);
    return err;
}

bool jobs_get(struct packets *k, uint64_t id, struct job *to)
{
    const struct job *job;

    pthread_mutex_lock(&k->jobs.lock);
    if ((job = job_by_id(&k->jobs, id)))
        *to = *job;
    pthread_mutex_unlock(&k->jobs.lock);
    return job != NULL;
}

static int newest_first(const void *a, const void *b)
{
    const struct job *x = a, *y = b;

    return (x->id < y->id) - (x->id > y->id);
}

uint32_t jobs_list(struct packets *k, struct job *to)
{
    uint32_t n = 0;

    pthread_mutex_lock(&k->jobs.lock);
    for (uint32_t i = 0; i < JOBS_MAX; i++)
        if (k->jobs.job[i].id)
            to[n++] = k->jobs.job[i];
    pthread_mutex_unlock(&k->jobs.lock);
    qsort(to, n, sizeof *to, newest_first);
    return n;
}

bool jobs_end(struct packets *k, uint64_t id, bool remove)
{
    struct job *job;
    char path[PATH];

    pthread_mutex_lock(&k->jobs.lock);
    if ((job = job_by_id(&k->jobs, id))) {
        if (job->state == JOB_RUNNING)
            drain(k, job);
        if (job->state == JOB_RUNNING)
            finish(k, job, JOB_DONE, "somebody stopped it");
        if (remove && path_of(k, id, path, sizeof path))
            unlink(path);
        if (remove)
            job->id = 0;
    }
    pthread_mutex_unlock(&k->jobs.lock);
    return job != NULL;
}

int jobs_file(struct packets *k, uint64_t id)
{
    char path[PATH];

    errno = ENOENT;
    return path_of(k, id, path, sizeof path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}
