/* enrich.h: ec.enrich/1, the interface of enrichers. STATUS: draft 2.
 * An enricher declares its input and a pure look-up; the host calls it before it seals an event and remembers the
 * result for each worker, so the look-up must depend on nothing but the key, the state and what serial() says. A plugin may
 * offer several: one that says different things of the two ends offers one for each, with a topic of its own. */
#ifndef EC_EXT_ENRICH_H
#define EC_EXT_ENRICH_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_ENRICH_ID "ec.enrich/1-draft.2"

enum { EC_ENRICH_ADDRESS = 1 /* key: 16 bytes, IPv4 mapped; called for src and for dst, see `sides` */ };
enum { EC_ENRICH_SRC = 1, EC_ENRICH_DST = 2 };

struct ec_build;
struct ec_enricher {
    uint32_t size, input;           /* EC_ENRICH_ADDRESS */
    const char *topic;              /* the attribute topic that it appends, declared in setup() */
    const char *const *to;          /* NULL-terminated topics that it enriches; NULL: all events with addresses */
    /* [any], several threads at once; at most 100 ns on average, no lock. Appends one part with ec_add() and returns
     * EC_OK, or EC_ENOENT: nothing known. side: EC_ENRICH_SRC or _DST. topic: the id of `topic`. */
    int32_t (*lookup)(void *self, const void *state, const void *key, uint32_t len, uint32_t side, uint32_t topic,
                      struct ec_build *b);
    uint32_t sides, reserved;       /* EC_ENRICH_SRC, EC_ENRICH_DST; 0: both */
    /* [any] Another number once answers have changed within one state: what was remembered is asked anew. Changes after
     * the new answers can be given. NULL: they never do. */
    uint32_t (*serial)(void *self, const void *state);
};

#ifdef __cplusplus
}
#endif
#endif
