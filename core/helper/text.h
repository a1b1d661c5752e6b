/* text.h: a text that grows. */
#ifndef CORE_HELPER_TEXT_H
#define CORE_HELPER_TEXT_H
#include <stdbool.h>
#include <stddef.h>

struct text {
    char *p;                        /* ends with NUL where it is not NULL; free() it */
    size_t n, cap;
    bool failed;                    /* out of memory: what was added since is missing */
};

void text_clear(struct text *t);    /* empty, the room is kept */
__attribute__((format(printf, 2, 3)))
void text_add(struct text *t, const char *fmt, ...);

#endif
