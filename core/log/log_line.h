/* log_line.h: one line of the log as bytes: what text from the network may not do to it, and how it
 * looks. */
#ifndef CORE_LOG_LINE_H
#define CORE_LOG_LINE_H
#include <stdbool.h>
#include <stdint.h>

#define LOG_LINE_MAX 4096 /* bytes, newline included: one atomic write to a pipe (PIPE_BUF) */

enum log_form {
    LOG_FORM_PLAIN,                 /* "2026-11-22T14:03:11.123456Z WARNING traffic: text" */
    LOG_FORM_BARE,                  /* "traffic: text": for syslog, which adds time and level */
    LOG_FORM_JSON                   /* one object */
};

struct log_line {
    uint64_t ts_ns;                 /* since 1970 UTC */
    int32_t level;                  /* EC_LOG_* */
    const char *who, *thread;       /* thread: "" or NULL: not known */
    const char *msg;                /* any bytes; need not be UTF-8 */
    uint64_t suppressed; /* lines from the same site that were left out before this one */
};

/* Writes the line with its newline into buf (LOG_LINE_MAX bytes, not terminated) and returns its
 * length. Control characters, line separators, direction overrides and bytes that are not UTF-8
 * come out as escapes, so that a line is always one line; what is too long ends in "...". [any] */
uint32_t log_line_write(const struct log_line *l, enum log_form form, char *buf);

#endif
