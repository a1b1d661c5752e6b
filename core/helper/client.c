#include "core/helper/client.h"

#include "core/clock.h"
#include "core/helper/link.h"
#include "core/helper/queue.h"
#include "core/helper/spawn.h"
#include "core/log/log.h"
#include "core/thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define ANSWER_NS (30 * SECOND)     /* for one message; the largest state takes about one */
#define CLOSE_NS (2 * SECOND)
#define WINDOW 64u                  /* messages that are sent and not answered */

static struct {
    pthread_mutex_t lock;           /* of these: */
    struct queue queue;
    struct ec_helper_status status;
    bool open, running, up;         /* up: ready() is called, requests are taken */
    uint64_t close_ns;              /* CLOCK_MONOTONIC: then it ends, whatever waits; 0: it stays */
    void (*ready)(void *arg);
    void *arg;
    const char *refuse, *program;
    pthread_t thread;
    int wake;                       /* eventfd */
    struct link link;               /* the thread's, once it runs */
    bool linked;                    /* the environment has been read */
} client = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = -1 };

void helper_client_configure(const char *refuse, const char *program, bool replay)
{
    client.refuse = refuse;
    client.status.flags = replay ? EC_HELPER_REPLAY : 0;
    client.program = program ? program : HELPER_PROGRAM;
}

static void wake(void)
{
    uint64_t one = 1;

    if (write(client.wake, &one, sizeof one) < 0)
        return;                     /* it is awake: the counter is full */
}

static void answer(struct request *r, int32_t err, const char *text, size_t n)
{
    pthread_mutex_lock(&client.lock);
    client.status.requests++;
    client.status.failed += err != EC_OK;
    pthread_mutex_unlock(&client.lock);
    if (r->done)
        r->done(r->arg, err, text, n);
    request_free(r);
}

/* The helper is gone: nobody will answer what was asked. */
static void fail_all(const char *why)
{
    struct request *all, *next;

    pthread_mutex_lock(&client.lock);
    client.up = false;
    client.status.pid = 0;
    all = queue_empty(&client.queue);
    pthread_mutex_unlock(&client.lock);
    for (; all; all = next) {
        next = all->next;
        answer(all, EC_EAGAIN, why, strlen(why));
    }
}

static void drop(const char *why)
{
    link_drop(&client.link);
    fail_all(why);
}

static void greet(void)
{
    pthread_mutex_lock(&client.lock);
    client.up = true;
    client.status.starts++;
    client.status.pid = link_pid(&client.link);
    pthread_mutex_unlock(&client.lock);
    client.ready(client.arg);
}

/* Send what the window has room for. 0: nothing is left to send; 1: the socket is full; −1: the helper is gone. */
static int send_some(void)
{
    struct helper_request m;
    int rc = 0;

    pthread_mutex_lock(&client.lock);
    for (size_t n; client.queue.seq - client.queue.seen < WINDOW && (n = queue_peek(&client.queue, &m)); ) {
        if (send(client.link.fd, &m, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n) {
            rc = errno == EAGAIN || errno == EINTR ? 1 : -1;
            break;
        }
        queue_sent(&client.queue);
    }
    pthread_mutex_unlock(&client.lock);
    return rc;
}

/* Take one reply. 1: there was one; 0: none; −1: the helper is gone, or talks nonsense. */
static int take_one(void)
{
    static struct helper_reply m;
    ssize_t n = recv(client.link.fd, &m, sizeof m, MSG_DONTWAIT | MSG_TRUNC);
    struct request *done = NULL;
    const char *why;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return -1;
    why = helper_reply_check(&m, (size_t)n);
    pthread_mutex_lock(&client.lock);
    if (!why)
        why = queue_reply(&client.queue, &m, &done);
    pthread_mutex_unlock(&client.lock);
    if (why) {
        LOG(EC_LOG_ERROR, "%s; it is started again", why);
        return -1;
    }
    if (done)
        answer(done, done->err, done->text.p ? done->text.p : "", done->text.n);
    return 1;
}

static bool waiting(void)
{
    bool is;

    pthread_mutex_lock(&client.lock);
    is = client.queue.n_request != 0;
    pthread_mutex_unlock(&client.lock);
    return is;
}

/* Is it closing, and nothing waits any more, or the time is over? */
static bool ending(void)
{
    bool end;

    pthread_mutex_lock(&client.lock);
    end = client.close_ns && (!client.up || !client.queue.n_request || clock_monotonic() >= client.close_ns);
    pthread_mutex_unlock(&client.lock);
    return end;
}

/* Sleep until there is something to do; the events of the helper's socket. */
static short sleep_until(uint64_t deadline, bool full)
{
    uint64_t now = clock_monotonic(), left = deadline > now ? (deadline - now) / 1000000 + 1 : 0, count;
    struct pollfd p[3] = { { client.wake, POLLIN, 0 },
                           { client.link.fd, (short)(POLLIN | (full ? POLLOUT : 0)), 0 },
                           { client.link.launcher, POLLIN, 0 } };

    if (poll(p, 3, left > 60000 ? 60000 : (int)left) < 0)
        return 0;
    if ((p[0].revents & POLLIN) && read(client.wake, &count, sizeof count) < 0)
        return 0;
    if (p[2].revents && link_replace(&client.link) && p[1].fd >= 0) {
        fail_all("another helper has taken its place");
        greet();
        return 0;
    }
    return p[1].revents;
}

/* Talk to the helper, until it is gone or the end has come. */
static void converse(void)
{
    uint64_t progress = clock_monotonic();
    int took, full = 0;

    while (!ending()) {
        if ((full = send_some()) < 0)
            break;
        sleep_until(waiting() ? progress + ANSWER_NS : UINT64_MAX, full);
        while ((took = take_one()) > 0)
            progress = clock_monotonic();
        if (took < 0)
            break;
        if (!waiting())
            progress = clock_monotonic();
        if (clock_monotonic() - progress > ANSWER_NS) {
            LOG(EC_LOG_ERROR, "the helper has not answered for 30 s and is started again");
            break;
        }
    }
}

static void client_run(void *arg)
{
    (void)arg;
    while (!ending()) {
        if (!link_get(&client.link)) {
            sleep_until(link_due(&client.link), false);
            continue;
        }
        greet();
        converse();
        drop("the helper ended before it answered");
    }
    fail_all("the daemon ends");
}

static int32_t helper_open(void *self, void (*ready)(void *arg), void *arg, char *why, uint32_t n)
{
    int32_t err = EC_OK;

    (void)self;
    if (client.open) {
        snprintf(why, n, "another plugin uses the helper");
        return EC_EEXIST;
    }
    if (client.refuse) {
        snprintf(why, n, "%s", client.refuse);
        return EC_EPERM;
    }
    if (!client.linked)
        link_init(&client.link, client.program ? client.program : HELPER_PROGRAM);
    client.linked = true;
    if (!link_possible(&client.link, why, n))
        return EC_EPERM;
    if ((client.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
        snprintf(why, n, "the helper cannot be waited for: %s", strerror(errno));
        return EC_ENOMEM;
    }
    pthread_mutex_lock(&client.lock);
    queue_init(&client.queue);
    client.ready = ready;
    client.arg = arg;
    client.close_ns = 0;
    client.open = true;
    pthread_mutex_unlock(&client.lock);
    return err;
}

static void helper_close(void *self)
{
    bool running;

    (void)self;
    if (!client.open)
        return;
    pthread_mutex_lock(&client.lock);
    client.close_ns = clock_monotonic() + CLOSE_NS;
    client.open = false;
    running = client.running;
    pthread_mutex_unlock(&client.lock);
    wake();
    if (running)
        thread_join(client.thread, clock_monotonic() + 3 * CLOSE_NS);
    link_drop(&client.link);
    pthread_mutex_lock(&client.lock);
    client.running = false;
    pthread_mutex_unlock(&client.lock);
    close(client.wake);
    client.wake = -1;
}

/* Under the lock. The first who asks starts it. */
static void run_first(void)
{
    if (client.running)
        return;
    if (thread_start(&client.thread, "helper", client_run, NULL))
        LOG(EC_LOG_ERROR, "no thread is left to talk to the helper");
    else
        client.running = true;
}

static int32_t helper_request(void *self, uint32_t what, const struct ec_helper_entry *e, uint32_t n, uint32_t stride,
                              ec_helper_done_fn *done, void *arg)
{
    int32_t err = EC_EAGAIN;

    (void)self;
    pthread_mutex_lock(&client.lock);
    if (client.open) {
        run_first();
        if (client.up)
            err = queue_add(&client.queue, what, e, n, stride, done, arg);
    }
    client.status.refused += err != EC_OK;
    pthread_mutex_unlock(&client.lock);
    if (!err)
        wake();
    return err;
}

static void helper_status(void *self, struct ec_helper_status *s)
{
    uint32_t size = s->size < sizeof *s ? s->size : (uint32_t)sizeof *s;

    (void)self;
    pthread_mutex_lock(&client.lock);
    client.status.queued = client.queue.n_entry;
    client.status.size = size;
    memcpy(s, &client.status, size);
    pthread_mutex_unlock(&client.lock);
}

const struct ec_helper helper_service = {
    sizeof helper_service, 0, helper_open, helper_close, helper_request, helper_status,
};
