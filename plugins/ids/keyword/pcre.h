/* pcre.h: what a thread needs to run regular expressions (PCRE2, with JIT where the machine has it). */
#ifndef IDS_KEYWORD_PCRE_H
#define IDS_KEYWORD_PCRE_H
#include <stdbool.h>
#include <stdint.h>

struct pcre_thread;

/* match_limit, depth_limit: of PCRE2, always set. NULL: out of memory. */
struct pcre_thread *pcre_thread_new(uint32_t match_limit, uint32_t depth_limit);
void pcre_thread_free(struct pcre_thread *t);
uint64_t pcre_thread_limits(struct pcre_thread *t);     /* how often a limit was hit since the last call */

#endif
