/* log_limit.h: the token bucket of one call site of the log, kept in the site's private words.
 * Lock-free. */
#ifndef CORE_LOG_LIMIT_H
#define CORE_LOG_LIMIT_H
#include <stdbool.h>
#include <stdint.h>
struct ec_site;

/* May this site write a line now? now_ns: monotonic. rate: lines a second, 0: always; burst: at
 * once, at least 1. True: *suppressed is the number of lines that were refused since the last one.
 * False: counted. who: a string that lives for ever. [any] */
bool log_limit_take(struct ec_site *site, const char *who, uint64_t now_ns, uint32_t rate,
                    uint32_t burst, uint64_t *suppressed);
/* Each site with refused lines that no later line has told about: fn gets the number, once the
 * site's bucket is full again (rate 0: at once). [ctl] */
void log_limit_flush(uint64_t now_ns, uint32_t rate,
                     void (*fn)(const struct ec_site *site, const char *who, uint64_t suppressed));

#endif
