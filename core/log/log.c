#include "core/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "core/log/log_limit.h"
#include "core/log/log_line.h"
#include "core/log/log_tail.h"
#include "core/log/mark.h"

#define STALL_MS 100 /* how long a line waits for a full pipe; the lines after it do not */

struct level {
    char name[32];
    int32_t level;
};

/* Immutable once current. A writer may hold one for ever, so those that were replaced by different
 * ones stay allocated, chained: a few hundred bytes for each change of the log's options. */
struct settings {
    enum log_target target;
    bool json;
    int32_t level, lowest;          /* lowest: of all levels, so that most calls end there */
    uint32_t rate, burst, n_level;
    char *path;
    struct settings *older;
    struct level levels[];
};

static struct settings first = {LOG_TO_STDERR, false, EC_LOG_INFO, EC_LOG_INFO, 20,
                                100,           0,     NULL,        NULL};
static struct settings *current = &first;
static int file_fd = -1;            /* one number for ever: a new file is dup3()ed onto it */
static uint64_t lost;
static bool stalled;

static const struct {
    int32_t level;
    const char *name;
} names[] = {{EC_LOG_DEBUG, "DEBUG"},
             {EC_LOG_INFO, "INFO"},
             {EC_LOG_WARNING, "WARNING"},
             {EC_LOG_ERROR, "ERROR"},
             {EC_LOG_CRITICAL, "CRITICAL"}};

int32_t log_level_parse(const char *word)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(word, names[i].name))
            return names[i].level;
    return -1;
}

const char *log_level_name(int32_t level)
{
    size_t i = sizeof names / sizeof *names - 1;

    while (i > 0 && level < names[i].level)
        i--;
    return names[i].name;
}

static const struct settings *settings_get(void)
{
    return __atomic_load_n(&current, __ATOMIC_ACQUIRE);
}

static int32_t level_of(const struct settings *s, const char *who)
{
    for (uint32_t i = 0; i < s->n_level; i++)
        if (!strcmp(s->levels[i].name, who))
            return s->levels[i].level;
    return s->level;
}

bool log_enabled(const char *who, int32_t level)
{
    const struct settings *s = settings_get();

    return level >= s->lowest && level >= level_of(s, who);
}

static struct settings *settings_new(const struct log_config *c)
{
    struct settings *s = calloc(1, sizeof *s + c->n_level * sizeof s->levels[0]);

    if (!s)
        return NULL;
    s->target = c->target;
    s->json = c->json;
    s->level = s->lowest = c->level;
    s->rate = c->rate > 1000000 ? 1000000 : c->rate;
    s->burst = c->burst ? c->burst : 1;
    s->n_level = c->n_level;
    for (uint32_t i = 0; i < c->n_level; i++) {
        strncpy(s->levels[i].name, c->names[i], sizeof s->levels[i].name - 1);
        s->levels[i].level = c->levels[i];
        if (c->levels[i] < s->lowest)
            s->lowest = c->levels[i];
    }
    if (c->target == LOG_TO_FILE && !(s->path = strdup(c->path))) {
        free(s);
        return NULL;
    }
    return s;
}

static bool settings_same(const struct settings *a, const struct settings *b)
{
    return a->target == b->target && a->json == b->json && a->level == b->level &&
           a->rate == b->rate && a->burst == b->burst && a->n_level == b->n_level &&
           !a->path == !b->path && (!a->path || !strcmp(a->path, b->path)) &&
           !memcmp(a->levels, b->levels, a->n_level * sizeof a->levels[0]);
}

/* Open path for appending, as file_fd. A pipe without a reader is an error, not a wait. */
static int file_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640), err;

    if (fd < 0)
        return -errno;
    if (file_fd < 0) {
        __atomic_store_n(&file_fd, fd, __ATOMIC_RELEASE);
        return 0;
    }
    err = dup3(fd, file_fd, O_CLOEXEC) < 0 ? -errno : 0;
    close(fd);
    return err;
}

int log_configure(const struct log_config *c, char *why, uint32_t n)
{
    struct settings *s;
    int err;

    if (c->target == LOG_TO_FILE && (!c->path || !*c->path)) {
        snprintf(why, n, "the log goes to a file but none is named: set its path");
        return EC_EINVAL;
    }
    if (!(s = settings_new(c))) {
        snprintf(why, n, "out of memory");
        return EC_ENOMEM;
    }
    if (settings_same(s, settings_get())) {
        free(s->path);
        free(s);
        return EC_OK;
    }
    if (s->target == LOG_TO_FILE && (err = file_open(s->path))) {
        snprintf(why, n, "cannot open the log file %s: %s", s->path, strerror(-err));
        free(s->path);
        free(s);
        return EC_EIO;
    }
    if (s->target == LOG_TO_SYSLOG)
        openlog("ecyberd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    s->older = current;
    __atomic_store_n(&current, s, __ATOMIC_RELEASE);
    return EC_OK;
}

void log_reopen(void)
{
    const struct settings *s = settings_get();
    int err;

    if (s->target == LOG_TO_FILE && (err = file_open(s->path)))
        LOG(EC_LOG_ERROR, "cannot reopen the log file %s: %s; the old one stays open", s->path,
            strerror(-err));
}

int log_fd(void)
{
    int fd = __atomic_load_n(&file_fd, __ATOMIC_ACQUIRE);

    return settings_get()->target == LOG_TO_FILE && fd >= 0 ? fd : STDERR_FILENO;
}

bool log_is_json(void)
{
    return settings_get()->json;
}

uint64_t log_lost(void)
{
    return __atomic_load_n(&lost, __ATOMIC_RELAXED);
}

/* A pipe that nobody empties must not hold up a worker: one line waits, the others are lost and
 * counted. */
static bool is_writable(int fd)
{
    struct pollfd p = {fd, POLLOUT, 0};
    bool was = __atomic_load_n(&stalled, __ATOMIC_RELAXED),
         ok = poll(&p, 1, was ? 0 : STALL_MS) != 0;

    if (was == ok)
        __atomic_store_n(&stalled, !ok, __ATOMIC_RELAXED);
    return ok;
}

static bool status_stands;
static const char status_clear[] = "\r\033[K";

void log_status(bool stands)
{
    __atomic_store_n(&status_stands, stands, __ATOMIC_RELAXED);
}

bool log_is_on_terminal(void)
{
    const struct settings *s = settings_get();

    return s->target == LOG_TO_STDERR && !s->json && isatty(STDERR_FILENO);
}

static void line_send(int fd, const char *buf, uint32_t n)
{
    ssize_t done;

    do
        done = is_writable(fd) ? write(fd, buf, n) : -1;
    while (done < 0 && errno == EINTR);
    if (done != (ssize_t)n)
        __atomic_add_fetch(&lost, 1, __ATOMIC_RELAXED);
}

static int syslog_level(int32_t level)
{
    return level >= EC_LOG_CRITICAL ? LOG_CRIT
           : level >= EC_LOG_ERROR  ? LOG_ERR
           : level >= EC_LOG_WARNING ? LOG_WARNING
           : level >= EC_LOG_INFO    ? LOG_INFO
                                     : LOG_DEBUG;
}

static void line_write(const struct settings *s, const char *who, int32_t level, const char *msg,
                       uint64_t suppressed)
{
    struct log_line l = {0, level, who, mark_self->name, msg, suppressed};
    struct timespec now;
    char all[sizeof status_clear - 1 + LOG_LINE_MAX], *buf = all + sizeof status_clear - 1;
    uint32_t n, before = 0;
    int saved = errno;

    clock_gettime(CLOCK_REALTIME, &now);
    l.ts_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    n = log_line_write(&l,
                       s->json                      ? LOG_FORM_JSON
                       : s->target == LOG_TO_SYSLOG ? LOG_FORM_BARE
                                                    : LOG_FORM_PLAIN,
                       buf);
    if (s->target == LOG_TO_SYSLOG)
        syslog(syslog_level(level), "%.*s", (int)n - 1, buf);
    else if (s->target == LOG_TO_FILE)
        line_send(__atomic_load_n(&file_fd, __ATOMIC_ACQUIRE), buf, n);
    else {
        if (__atomic_load_n(&status_stands, __ATOMIC_RELAXED))
            memcpy(all, status_clear, before = sizeof status_clear - 1);
        line_send(STDERR_FILENO, buf - before, n + before);
    }
    log_tail_add(&l);
    errno = saved;
}

static uint64_t monotonic_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void log_write(const char *who, int32_t level, struct ec_site *site, const char *msg)
{
    const struct settings *s = settings_get();
    uint64_t suppressed = 0;

    if (level < s->lowest || level < level_of(s, who))
        return;
    if (site && EC_HAS(site, struct ec_site, priv) &&
        !log_limit_take(site, who, monotonic_ns(), s->rate, s->burst, &suppressed))
        return;
    line_write(s, who, level, msg, suppressed);
}

void log_f(const char *who, int32_t level, struct ec_site *site, const char *fmt, ...)
{
    char msg[1024];
    va_list ap;

    if (!log_enabled(who, level))
        return;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    log_write(who, level, site, msg);
}

static void flush_one(const struct ec_site *site, const char *who, uint64_t suppressed)
{
    const char *file = site->file ? strrchr(site->file, '/') : NULL;
    char msg[128];

    snprintf(msg, sizeof msg, "%llu lines like the last from %s:%u were suppressed",
             (unsigned long long)suppressed,
             file         ? file + 1
             : site->file ? site->file
                          : "?",
             site->line);
    line_write(settings_get(), who, EC_LOG_WARNING, msg, 0);
}

void log_flush(bool all)
{
    log_limit_flush(monotonic_ns(), all ? 0 : settings_get()->rate, flush_one);
}
