/* progress.h: how far a replay has got, in the last line of a terminal: a bar where the length is known, the rate, the time
 * left; and at the end a line with what was read. Nothing where stderr is no terminal, or the log goes elsewhere. [ctl] */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H
#include <stdint.h>

struct event_base;

struct progress_state {             /* what a line is made of */
    uint64_t done, whole;           /* bytes; whole 0: not known */
    uint64_t packets, elapsed_ns;
    uint32_t file, files;           /* which of them, from 1 */
};

#define PROGRESS_WIDTH_MAX 120u
/* One line, without its end, of at most `width` columns (at least 20). */
void progress_line(const struct progress_state *s, uint32_t width, char to[PROGRESS_WIDTH_MAX + 1]);

/* files: sources that will be read one after the other. 0 or EC_ENOMEM. */
int progress_open(struct event_base *base, uint32_t files);
void progress_close(void);          /* the last line; again: nothing */

#endif
