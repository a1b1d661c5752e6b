/* options.h: the core's own options, section "core": their rows, and their values as the daemon
 * uses them. */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H
#include <stdbool.h>
#include <stdint.h>
struct conf;
struct ec_conf;
struct ec_record;

#define OPTIONS_SECTION "core"
extern const struct ec_record options_table;

struct options {                    /* texts live as long as the conf that they were read from */
    const struct ec_conf *c;
    uint32_t workers, batch, lanes, ring, queue_events, pool_threads;
    bool stay;                                                  /* when the last capture has ended */
    uint64_t arena, queue_bytes;                                /* bytes */
    uint64_t stop_timeout, start_timeout, reload_grace;         /* ns */
    uint64_t watchdog_warn, watchdog_abort;                     /* ns; 0: never */
    /* control_socket NULL: the default */
    const char *state_dir, *control_socket;
};

/* [ctl] of a conf that was checked: cannot fail */
void options_read(struct options *o, const struct conf *c);
/* What the rows cannot say: do the values fit together? 0, or EC_E* with a sentence in why.
 * [ctl] */
int options_check(const struct options *o, char *why, uint32_t n);
/* Set the log as the options say; 0, or EC_E* with a sentence in why. [ctl] */
int options_log(const struct options *o, char *why, uint32_t n);
/* The plugin that `providers` names for an extension, NULL: none. */
const char *options_provider(const struct options *o, const char *id);

#endif
