/* verify.h: does a chain of elements hold in a buffer, and where? Finds a way through all elements, trying later places
 * of an element where the ones behind it count from its end. */
#ifndef IDS_MATCH_VERIFY_H
#define IDS_MATCH_VERIFY_H
#include "plugins/ids/rule/rule.h"

#define VERIFY_STEPS 3000           /* attempts for one chain; more is 'no match', counted */

struct pcre_thread;
struct attempt {
    int64_t anchor;                 /* where the element before ended; the buffer's start for the first one */
    uint32_t resume;                /* not before this offset */
    uint32_t off, len;              /* the place that was found */
};
struct place { uint32_t off, len; };
struct verify {
    const uint8_t *data;
    uint32_t len;
    uint64_t base;                  /* where data[0] stands in its stream or body: a distance from the start counts from
                                     * there */
    uint32_t fresh;                 /* at least one place must end behind it; 0: any will do */
    struct pcre_thread *pcre;
    struct place place[RULE_ELEMENTS_MAX];      /* result: of each positive element */
    uint32_t steps;                 /* left */
    bool stop;                      /* no other places can help */
};

/* v: data, len, base, fresh and pcre are set. v->steps is 0 afterwards where the search was given up. */
bool verify_chain(struct verify *v, const struct chain *c);

#endif
