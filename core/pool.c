#include "core/pool.h"

#include "core/clock.h"
#include "core/log/log.h"
#include "core/log/mark.h"
#include "core/metric.h"
#include "core/thread.h"

#include <stdio.h>
#include <stdlib.h>

#define QUEUE_MAX 4096u             /* a power of two */
#define THREADS_MAX 64u

struct job {
    const char *plugin, *callback;
    void (*fn)(void *arg);
    void *arg;
};

static const struct ec_metric rows[] = {
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "pool.jobs", "jobs", "jobs run by the work pool" },
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "pool.rejected", "jobs", "jobs refused: the pool's queue was full" },
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "pool.abandoned", "jobs",
      "jobs that had not begun when the time to stop was over" },
};
enum { JOBS, REJECTED, ABANDONED, N_ROWS };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct job *queue;
static uint32_t head, tail;         /* tail − head jobs wait; both only grow */
static uint32_t n_thread;
static pthread_t thread[THREADS_MAX];
static bool stopping, running;
static uint32_t metric[N_ROWS] = { METRIC_MAX, METRIC_MAX, METRIC_MAX };   /* before pool_metrics(): nowhere */

void pool_metrics(void)
{
    for (uint32_t i = 0; i < N_ROWS; i++)
        metric_add("core", &rows[i], &metric[i]);
}

static void job_run(const struct job *j)
{
    struct ec_mark old = mark_enter(j->plugin, j->callback);

    j->fn(j->arg);
    mark_leave(old);
    metric_delta(metric[JOBS], 1);
}

static void pool_main(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    for (;;) {
        struct job j;

        while (head == tail && !stopping)
            pthread_cond_wait(&more, &lock);
        if (head == tail)
            break;
        j = queue[head++ % QUEUE_MAX];
        pthread_mutex_unlock(&lock);
        job_run(&j);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
}

int pool_start(uint32_t threads)
{
    char name[16];

    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    if (threads && !queue && !(queue = calloc(QUEUE_MAX, sizeof *queue)))
        return EC_ENOMEM;
    pthread_mutex_lock(&lock);
    stopping = false;
    running = true;
    n_thread = 0;
    pthread_mutex_unlock(&lock);
    for (uint32_t i = 0; i < threads; i++) {
        snprintf(name, sizeof name, "P%u", i);
        if (thread_start(&thread[i], name, pool_main, NULL)) {
            pool_stop(1000000000u);
            return EC_EAGAIN;
        }
        pthread_mutex_lock(&lock);
        n_thread++;
        pthread_mutex_unlock(&lock);
    }
    return EC_OK;
}

int pool_run(const char *plugin, const char *callback, void (*fn)(void *arg), void *arg)
{
    struct job j = { plugin, callback, fn, arg };
    int err = EC_OK;

    pthread_mutex_lock(&lock);
    if (!n_thread && !stopping) {
        pthread_mutex_unlock(&lock);
        job_run(&j);
        return EC_OK;
    }
    if (stopping || tail - head == QUEUE_MAX)
        err = EC_EAGAIN;
    else
        queue[tail++ % QUEUE_MAX] = j;
    pthread_cond_signal(&more);         /* with the lock: without it glibc before 2.41 loses some (its bug 25847) */
    pthread_mutex_unlock(&lock);
    if (err)
        metric_delta(metric[REJECTED], 1);
    return err;
}

bool pool_stop(uint64_t timeout_ns)
{
    uint64_t deadline = clock_monotonic() + timeout_ns;
    uint32_t n, left, stuck = 0;

    pthread_mutex_lock(&lock);
    if (!running) {
        pthread_mutex_unlock(&lock);
        return true;
    }
    stopping = true;
    n = n_thread;
    pthread_cond_broadcast(&more);
    pthread_mutex_unlock(&lock);
    for (uint32_t i = 0; i < n; i++)
        if (!thread_join(thread[i], deadline))
            stuck++;
    pthread_mutex_lock(&lock);
    left = tail - head;
    head = tail;
    n_thread = 0;
    running = false;
    pthread_mutex_unlock(&lock);
    metric_delta(metric[ABANDONED], left);
    if (stuck || left)
        LOG(EC_LOG_ERROR, "the work pool did not end in time: %u jobs still run, %u were not begun", stuck, left);
    else {
        free(queue);
        queue = NULL;
    }
    return !stuck;
}
