/* daemon.h: ec.daemon/1, what the daemon says of itself. STATUS: draft 3.
 * The daemon itself offers it; an API or an exporter shows it. */
#ifndef EC_EXT_DAEMON_H
#define EC_EXT_DAEMON_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_DAEMON_ID "ec.daemon/1-draft.3"

/* err: EC_OK, and json is the answer; else json is {"error": {"code", "message"}}. Valid until it returns. */
typedef void ec_daemon_answer_fn(void *arg, int32_t err, const char *json, uint32_t len);
/* plugin: its name, "" for the core. m->name as declared; value: the sum over all workers. */
typedef void ec_daemon_metric_fn(void *arg, const char *plugin, const struct ec_metric *m, int64_t value);

/* A line of the log. who: "core", or a plugin's name; thread: "" where it is not known; text: any bytes but NUL. */
struct ec_log_line {
    uint32_t size;
    int32_t level;                  /* EC_LOG_* */
    uint64_t number;                /* counts lines, from 1: a gap is what was overwritten before it was read */
    uint64_t ts_ns;                 /* since 1970, UTC */
    uint64_t suppressed;            /* lines like it that were left out before it */
    const char *who, *thread, *text;
};
/* Not 0 ends the call. */
typedef int32_t ec_daemon_log_fn(void *arg, const struct ec_log_line *l);

struct ec_daemon {
    uint32_t size, reserved;
    /* [any] Ask what ecyberctl can ask on the control socket: "status", "drops", "plugins", "plugin NAME", "config",
     * "reload", "config-version", "config-schema", "config-try JSON", "config-change JSON"; "help" says more. A word with
     * blanks or quotes stands in double quotes, with \\ before each quote and backslash. At most 1 MiB.
     * Never waits: answer() is called exactly once, on the control thread, where it must not block.
     * EC_EAGAIN: too many questions wait, or the daemon ends; answer() will not be called. */
    int32_t (*ask)(void *self, const char *question, ec_daemon_answer_fn *answer, void *arg);
    /* [any] Call fn for each metric there is. */
    void (*metrics)(void *self, ec_daemon_metric_fn *fn, void *arg);
    /* [any] From start() on: 1 where this run only replays captures and ends with the last of them (-r without --stay).
     * A service of the same host may run beside it, so a plugin that serves others opens nothing then. Else 0. */
    int32_t (*passing)(void *self);
    /* [any] The lines of the log behind the number `after`, oldest first, as far as they are still in memory (256). A line
     * is valid until fn returns; what fn itself logs comes in a later call. */
    void (*log)(void *self, uint64_t after, ec_daemon_log_fn *fn, void *arg);
};

#ifdef __cplusplus
}
#endif
#endif
