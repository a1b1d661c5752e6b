/* host.h: the table of functions that one plugin is given: it checks what comes in and hands it to
 * the core's nouns. */
#ifndef CORE_HOST_H
#define CORE_HOST_H
#include <stdint.h>
struct instance;

/* [ctl] once: the number of workers (at least 1) and the folder of state, NULL: there is none. */
void host_configure(uint32_t workers, const char *state_dir);
void host_init(struct instance *i);             /* [ctl] fill i->host */

/* The sentence that this plugin gave with fail() on the calling thread since host_why_clear();
 * where it gave none, one that says so with the error's name. Valid until the next call on this
 * thread. [any] */
const char *host_why(const struct instance *i, int32_t err);
void host_why_clear(void);                      /* [any] before a callback that may fail */
/* Lines that plugins logged as an error or worse, since the start: what a check finds in files that
 * they read. [any] */
uint32_t host_errors(void);

#endif
