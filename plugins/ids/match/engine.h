/* engine.h: one generation of the rule engine: the rules, their groups, and what each worker needs to search them.
 * Immutable but for the hands, each of which belongs to one worker. */
#ifndef IDS_MATCH_ENGINE_H
#define IDS_MATCH_ENGINE_H
#include "plugins/ids/match/group.h"
#include "plugins/ids/match/scope.h"

struct ruleset;
struct tuning;
struct engine_options { uint32_t workers, max_alerts, pcre_match_limit, pcre_depth_limit, windows; };
struct engine {
    struct engine_options o;
    struct ruleset *set;
    struct rule *const *rule;
    uint32_t n_rule;
    uint64_t (*slots)[2];           /* by protocol and direction: bit s: it has a buffer in slot s */
    uint32_t n_slots;
    bool mixed;                     /* some rule asks for a buffer and for the raw payload */
    struct groups groups;
    struct hand *hand;              /* by worker */
    const struct tuning *tuning;    /* [keep] suppressions and thresholds beside the rules; NULL: none */
};

/* Takes set over. NULL and a sentence on error, set is freed then too. */
struct engine *engine_new(struct ruleset *set, const struct engine_options *o, char *why, size_t n);
void engine_free(struct engine *e);
/* Before the engine is used: a protocol has a buffer in this slot. false: out of memory. */
bool engine_slot(struct engine *e, const struct ec_slot *slot);
static inline uint64_t engine_slots(const struct engine *e, uint32_t proto, uint32_t dir)
{
    return proto < e->n_slots ? e->slots[proto][dir & 1] : 0;
}

bool worker_open(struct worker *w, const struct engine_port *port, uint32_t number, size_t windows);
void worker_close(struct worker *w);

/* The hooks. [wrk] */
void engine_packet(struct worker *w, const struct engine *e, uint32_t gen, struct ec_packet *p);
void engine_chunk(struct worker *w, const struct engine *e, uint32_t gen, struct ec_flow *f, const struct ec_chunk *k);
void engine_tx(struct worker *w, const struct engine *e, uint32_t gen, struct ec_flow *f, struct ec_tx *x,
               struct ec_packet *p);

/* What is kept with a transaction: lies in its lease. */
#define TXSTATE_LIST 30
struct txstate {
    uint32_t gen;                   /* of the rules that wait */
    uint16_t n_wait, n_done;
    uint32_t rescan;                /* too many wait: search every buffer again */
    uint64_t count[2];              /* packet that brought something last, by direction */
    uint32_t list[TXSTATE_LIST];    /* from the front: rules that wait, by index; from the back: sids that alerted */
};

#endif
