/* problem.h: what was wrong with a rule, and where: "FILE:LINE:COL: sid N: sentence". */
#ifndef IDS_RULE_PROBLEM_H
#define IDS_RULE_PROBLEM_H
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum problem_kind {
    PROBLEM_ERROR,              /* the rule breaks the language: somebody has to repair it */
    PROBLEM_UNSUPPORTED,        /* the rule asks for something that this build does not know */
    PROBLEM_NOTE                /* the rule was left out on purpose: replaced by a newer revision */
};

struct problem {
    enum problem_kind kind;
    const char *file, *word, *text;     /* word: what is not supported ("byte_test"), else NULL */
    uint32_t line, column, sid;         /* from 1; 0: unknown */
};

struct problems {
    struct arena *arena;
    struct problem *list;
    size_t n, cap;
    uint32_t count[3];                  /* by kind */
};

/* Note one; everything is copied. */
void problem_add(struct problems *ps, enum problem_kind kind, const struct problem *where, const char *word,
                 const char *text);
/* "FILE:LINE:COL: sid N: text" into out; returns its length, as snprintf() does. */
int problem_print(const struct problem *p, char *out, size_t n);

/* Words of unsupported problems, most frequent first: fn for each with its count and its first problem. */
void problem_words(const struct problems *ps, void (*fn)(void *arg, const char *word, uint32_t n,
                   const struct problem *first), void *arg);

#endif
