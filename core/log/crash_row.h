/* crash_row.h: how often each plugin crashed the daemon in a row: the mark file, "STATE/crash". Its
 * first line is the sentence of the last crash, each further one is "row NAME COUNT". Written by
 * the crash handler, so what it calls is async-signal-safe. */
#ifndef CORE_CRASH_ROW_H
#define CORE_CRASH_ROW_H
#include <stdint.h>

#define CRASH_ROWS 64               /* plugins that are remembered; more crashed ones are not */

/* Reads the file of state_dir; NULL: nothing is kept. 0, or −1: the path is too long. A missing
 * file is an empty row, lines that make no sense are passed over. */
int crash_row_open(const char *state_dir);
uint32_t crash_row_count(const char *name);
/* Async-signal-safe. Count one more, and return how many it is now. */
uint32_t crash_row_add(const char *name);
/* Async-signal-safe. Replace the file as a whole; sentence: n bytes, ends with a newline. */
void crash_row_write(const char *sentence, uint32_t n);
/* Forget rows below limit; who reached it stays left out. Without rows the file goes away. */
void crash_row_forget(uint32_t limit);

#endif
