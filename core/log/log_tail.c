#include "core/log/log_tail.h"

#include "core/log/log_line.h"

#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_tail_line line[LOG_TAIL_LINES];
static uint64_t newest;

void log_tail_add(const struct log_line *l)
{
    struct log_tail_line *t;

    pthread_mutex_lock(&lock);
    t = &line[++newest % LOG_TAIL_LINES];
    t->number = newest;
    t->ts_ns = l->ts_ns;
    t->suppressed = l->suppressed;
    t->level = l->level;
    snprintf(t->who, sizeof t->who, "%s", l->who);
    snprintf(t->thread, sizeof t->thread, "%s", l->thread ? l->thread : "");
    snprintf(t->msg, sizeof t->msg, "%s", l->msg);
    pthread_mutex_unlock(&lock);
}

bool log_tail_next(uint64_t after, struct log_tail_line *to)
{
    bool found;

    pthread_mutex_lock(&lock);
    if (newest > LOG_TAIL_LINES && after < newest - LOG_TAIL_LINES)
        after = newest - LOG_TAIL_LINES;
    found = after < newest;
    if (found)
        *to = line[(after + 1) % LOG_TAIL_LINES];
    pthread_mutex_unlock(&lock);
    return found;
}
