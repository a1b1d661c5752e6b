/* crash_text.h: putting a sentence together where no library function may be called
 * (async-signal-safe). */
#ifndef CORE_CRASH_TEXT_H
#define CORE_CRASH_TEXT_H
#include <stdint.h>

struct crash_text {
    uint32_t n;
    char b[1024];
};

static inline void crash_put(struct crash_text *t, const char *s)
{
    for (; *s && t->n < sizeof t->b; s++)
        t->b[t->n++] = *s;
}

static inline void crash_put_number(struct crash_text *t, uint64_t v, uint32_t base)
{
    char digits[24];
    uint32_t n = sizeof digits;

    digits[--n] = '\0';
    do
        digits[--n] = "0123456789abcdef"[v % base];
    while (v /= base);
    crash_put(t, digits + n);
}

#endif
