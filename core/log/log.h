/* log.h: the daemon's log: levels by plugin, to stderr, a file or syslog, plain or JSON, limited by
 * call site. Works before it is configured (plain, stderr, INFO). All [any] unless marked. */
#ifndef CORE_LOG_H
#define CORE_LOG_H
#include <stdbool.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

enum log_target { LOG_TO_STDERR, LOG_TO_FILE, LOG_TO_SYSLOG };
struct log_config {
    enum log_target target;
    bool json;
    const char *path;               /* LOG_TO_FILE */
    int32_t level;                  /* EC_LOG_* */
    uint32_t rate, burst; /* lines per second and call site, and at once; rate 0: no limit */
    uint32_t n_level;               /* exceptions: names[i] (plugin or "core") logs at levels[i] */
    const char *const *names;
    const int32_t *levels;
};
int log_configure(const struct log_config *c, char *why,
                  uint32_t n); /* [ctl] 0, or EC_E* and a sentence */
void log_reopen(void);                                                  /* [ctl] SIGHUP */
/* Tell about suppressed lines that no later line told about: of sites that went quiet (once a
 * second), or of all of them (at the end). One thread. */
void log_flush(bool all);
uint64_t log_lost(void);            /* lines that could not be written: full disk, stalled pipe */
int log_fd(
    void); /* where lines go: the file, else stderr. For the crash handler, as the next one */
bool log_is_json(void);
bool log_is_on_terminal(void);      /* plain lines to a stderr that is a terminal */
void log_status(bool stands);       /* [ctl] a line without an end stands there: each line of the log takes its place */
bool log_enabled(const char *who, int32_t level);
/* who: "core" or the plugin's name; site may be NULL: not limited. Suppressed lines are counted,
 * and the next line from that site says how many. */
void log_write(const char *who, int32_t level, struct ec_site *site, const char *msg);
void log_f(const char *who, int32_t level, struct ec_site *site, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#define LOG(level, ...)                                                                            \
    do {                                                                                           \
        static struct ec_site site_ = {                                                            \
            (uint32_t)sizeof(struct ec_site), __LINE__, __FILE__, {0, 0, 0, 0}};                   \
        log_f("core", (level), &site_, __VA_ARGS__);                                               \
    } while (0)
int32_t log_level_parse(const char *word);          /* "debug" …; −1: unknown */
const char *log_level_name(int32_t level);          /* "DEBUG" … */

#endif
