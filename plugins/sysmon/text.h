/* text.h: reading the text files of /proc: lines, words and numbers within bounds that nothing leaves. */
#ifndef SYSMON_TEXT_H
#define SYSMON_TEXT_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct text { const char *at, *end; };          /* [at, end), not terminated */

static inline struct text text_of(const char *p, size_t n) { return (struct text){ p, p + n }; }
static inline uint32_t text_len(struct text t) { return (uint32_t)(t.end - t.at); }

/* Cut the first line off t; it ends before its newline, or at the end of the text. false: there is none. */
bool text_line(struct text *t, struct text *line);
/* Cut the next word off; words stand between blanks and tabs. false: there is none. */
bool text_word(struct text *t, struct text *word);
/* Cut the next word off, which is a decimal number below 2^64; else false, and t stays as it was. */
bool text_u64(struct text *t, uint64_t *v);
/* n numbers, one after the other. */
bool text_u64s(struct text *t, uint64_t *v, uint32_t n);
/* A decimal number with a fraction ("0.52"), in thousandths. */
bool text_milli(struct text *t, uint64_t *v);
static inline bool text_is(struct text t, const char *s)
{
    return text_len(t) == strlen(s) && !memcmp(t.at, s, text_len(t));
}
static inline bool text_begins(struct text t, const char *s)
{
    return text_len(t) >= strlen(s) && !memcmp(t.at, s, strlen(s));
}
/* Copy at most cap bytes; octal: \040 and the like, as mounts has them, become their bytes. Returns the length. */
uint32_t text_copy(struct text t, char *to, uint32_t cap, bool octal);

#endif
