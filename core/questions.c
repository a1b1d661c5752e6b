#include "core/questions.h"

#include "core/control/control.h"
#include "core/log/log_tail.h"
#include "core/metric.h"
#include "core/options.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (1u << 20)

static const char ending[] = "{\"error\":{\"code\":\"failed\",\"message\":\"the daemon ends\"}}";

struct question {
    ec_daemon_answer_fn *answer;
    void *arg;
    struct question *next;
    char line[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;    /* of all below */
static struct event *asked;         /* NULL: none are taken */
static struct question *first;
static uint32_t open_count;         /* asked and not answered */

static void on_answer(void *arg, int32_t err, char *text)
{
    struct question *q = arg;
    size_t n = text ? strlen(text) : 0;

    pthread_mutex_lock(&lock);
    open_count--;
    pthread_mutex_unlock(&lock);
    if (text)
        q->answer(q->arg, err, text, (uint32_t)(text[n - 1] == '\n' ? n - 1 : n));
    else
        q->answer(q->arg, EC_ENOMEM, ending, sizeof ending - 1);
    free(text);
    free(q);
}

static struct question *take(void)
{
    struct question *q;

    pthread_mutex_lock(&lock);
    q = first;
    if (q)
        first = q->next;
    pthread_mutex_unlock(&lock);
    return q;
}

static void on_asked(evutil_socket_t fd, short what, void *arg)
{
    struct question *q;

    (void)fd;
    (void)what;
    (void)arg;
    while ((q = take()))
        control_ask(q->line, false, on_answer, q);
}

/* What changes more than the configuration's generation is for who may use the socket. */
static bool is_allowed(const char *line)
{
    static const char *const words[] = { "status", "drops", "plugins", "plugin", "config", "reload", "help",
                                        "config-version", "config-schema", "config-try", "config-change" };
    size_t n = strcspn(line, " ");

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == n && !memcmp(words[i], line, n))
            return true;
    return false;
}

static int32_t ask(void *self, const char *line, ec_daemon_answer_fn *answer, void *arg)
{
    struct question *q, **last = &first;
    size_t n = line ? strlen(line) : 0;
    int32_t err = EC_OK;

    (void)self;
    if (!answer || !n || n > LINE_MAX_BYTES || !is_allowed(line))
        return EC_EINVAL;
    if (!(q = malloc(sizeof *q + n + 1)))
        return EC_ENOMEM;
    *q = (struct question){ answer, arg, NULL };
    memcpy(q->line, line, n + 1);
    pthread_mutex_lock(&lock);
    if (asked && open_count < QUESTIONS_MAX) {
        while (*last)
            last = &(*last)->next;
        *last = q;
        open_count++;
        event_active(asked, EV_READ, 0);
    } else {
        err = EC_EAGAIN;
    }
    pthread_mutex_unlock(&lock);
    if (err)
        free(q);
    return err;
}

static void metrics(void *self, ec_daemon_metric_fn *fn, void *arg)
{
    (void)self;
    for (uint32_t i = 0; i < metric_count(); i++) {
        const char *owner;
        const struct ec_metric *m = metric_get(i, &owner);

        if (m)
            fn(arg, strcmp(owner, OPTIONS_SECTION) ? owner : "", m, metric_value(i));
    }
}

static bool is_passing;

static int32_t passing(void *self)
{
    (void)self;
    return is_passing;
}

/* Bounded, so that an fn that logs comes to an end. */
static void log_lines(void *self, uint64_t after, ec_daemon_log_fn *fn, void *arg)
{
    struct log_tail_line t;

    (void)self;
    for (uint32_t i = 0; i < LOG_TAIL_LINES && log_tail_next(after, &t); i++, after = t.number) {
        const struct ec_log_line l = { (uint32_t)sizeof l, t.level, t.number, t.ts_ns, t.suppressed, t.who, t.thread, t.msg };

        if (fn(arg, &l))
            return;
    }
}

void questions_configure(bool run_is_passing)
{
    is_passing = run_is_passing;
}

const struct ec_daemon questions_service = {
    .size = sizeof questions_service,
    .ask = ask,
    .metrics = metrics,
    .passing = passing,
    .log = log_lines,
};

int questions_open(struct event_base *base)
{
    struct event *e = event_new(base, -1, 0, on_asked, NULL);

    pthread_mutex_lock(&lock);
    asked = e;
    pthread_mutex_unlock(&lock);
    return e ? 0 : -1;
}

void questions_close(void)
{
    struct event *e;
    struct question *q;

    pthread_mutex_lock(&lock);
    e = asked;
    asked = NULL;
    pthread_mutex_unlock(&lock);
    if (e)
        event_free(e);
    while ((q = take())) {
        pthread_mutex_lock(&lock);
        open_count--;
        pthread_mutex_unlock(&lock);
        q->answer(q->arg, EC_EAGAIN, ending, sizeof ending - 1);
        free(q);
    }
}
