/* log_tail.h: the last lines of the log in memory, for who shows or keeps them elsewhere. */
#ifndef CORE_LOG_LOG_TAIL_H
#define CORE_LOG_LOG_TAIL_H
#include <stdbool.h>
#include <stdint.h>

struct log_line;

#define LOG_TAIL_LINES 256

struct log_tail_line {
    uint64_t number;                /* of the line, from 1; the next one has the next */
    uint64_t ts_ns, suppressed;
    int32_t level;
    char who[32], thread[16], msg[768];
};

/* [any] Keep a copy; the oldest one goes. What is too long is cut. */
void log_tail_add(const struct log_line *l);
/* [any] Copies the first line behind `after` that is still there. false: there is none. */
bool log_tail_next(uint64_t after, struct log_tail_line *to);

#endif
