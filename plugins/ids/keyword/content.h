/* content.h: bytes to find in a buffer, and the modifiers that bound where. */
#ifndef IDS_KEYWORD_CONTENT_H
#define IDS_KEYWORD_CONTENT_H
#include "plugins/ids/rule/build.h"

enum { CONTENT_DEPTH = 1, CONTENT_OFFSET = 2, CONTENT_DISTANCE = 4, CONTENT_WITHIN = 8, CONTENT_STARTS = 16,
       CONTENT_ENDS = 32, CONTENT_FAST = 64 };

struct content {
    struct element e;
    const uint8_t *data;            /* in lower case with nocase */
    uint32_t len, have;             /* CONTENT_* */
    bool nocase;
    uint32_t depth, offset;         /* depth counts from offset */
    int32_t distance, within;       /* within counts from distance */
    uint32_t fast_off, fast_len;    /* fast_pattern:OFF,LEN; len 0: all of it */
    uint8_t *skip;                  /* for the search with nocase: how far to move on, by the last byte */
};

/* The content that e is; NULL: something else. */
const struct content *content_of(const struct element *e);
/* The whole of a buffer must be t (quoted or not). 0, or −1 with the reason in b. */
int content_whole(struct build *b, const struct view *view, struct token t, const char *keyword);
/* Where `c` stands within d[0…n); false: nowhere. */
bool content_search(const struct content *c, const uint8_t *d, uint32_t n, uint32_t *at);

#endif
