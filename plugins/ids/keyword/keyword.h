/* keyword.h: the table of rule keywords. A family of keywords is one file with rows of this type; table.c lists the
 * families. */
#ifndef IDS_KEYWORD_KEYWORD_H
#define IDS_KEYWORD_KEYWORD_H
#include "plugins/ids/rule/build.h"

enum {
    KW_VALUE = 1,               /* needs a value */
    KW_BARE = 2,                /* takes none */
    KW_META = 4,                /* describes the rule, looks at nothing */
    KW_MODIFIER = 8             /* changes the keyword before it */
};

struct keyword {
    const char *name, *alias;   /* alias: another name, or NULL */
    uint32_t flags;             /* KW_* */
    /* b->option is the option. 0, or −1 by build_fail() or build_unsupported(). */
    int (*parse)(struct build *b);
    const char *help;
};

struct keyword_family { const struct keyword *row; size_t n; };
extern const struct keyword_family keyword_content, keyword_modifier, keyword_pcre, keyword_flow, keyword_dsize,
    keyword_event, keyword_flowbits, keyword_flowint, keyword_threshold, keyword_meta, keyword_sticky;

const struct keyword *keyword_find(struct token name);
/* A name without a row: the keyword of another plugin, or any parser's buffer as a sticky buffer. */
int keyword_fallback(struct build *b, const char *name);
/* Each row of the table: fn(arg, row). */
void keyword_each(void (*fn)(void *arg, const struct keyword *k), void *arg);

#define KEYWORD_FAMILY(name, rows) \
    const struct keyword_family name = { (rows), sizeof(rows) / sizeof((rows)[0]) }

#endif
