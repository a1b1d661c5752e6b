/* ids_env.h: a world for tests of the rule engine: an interner, three protocols with their buffers, a sink for alerts,
 * and ways to feed packets, chunks and transactions without a daemon. */
#ifndef ECYBER_TESTS_IDS_ENV_H
#define ECYBER_TESTS_IDS_ENV_H
#include "plugins/ids/match/engine.h"
#include "plugins/ids/match/hit.h"
#include "plugins/ids/rule/set.h"

#include <ecyber/ext/hosts.h>

enum { ENV_ALERTS = 256 };
/* Slots of the protocol http. */
enum { HTTP_METHOD, HTTP_URI, HTTP_USER_AGENT, HTTP_REQUEST_BODY, HTTP_STAT_CODE, HTTP_RESPONSE_BODY, HTTP_HEADER_TS,
       HTTP_HEADER_TC, HTTP_COOKIE, HTTP_SLOTS };

struct env_alert { uint32_t sid, n; struct finding f[8]; char bytes[8][64]; uint32_t dir; };
struct env_world {
    struct env env;
    struct ec_traffic traffic;
    struct ec_hosts hosts;
    struct engine_port port;
    struct worker worker;
    struct engine *engine;
    uint64_t counts[COUNTS];
    uint32_t gen, n_alert, n_entry;
    struct env_alert alert[ENV_ALERTS];
    char names[512][64];
    uint32_t n_names;
    struct { uint8_t key[64]; uint32_t len; uint64_t entry[4]; } entry[64];
    struct ec_frame frame;
    const struct ec_raised *raised; /* with the packets to come; NULL: nothing */
};
/* Bits of the anomalies that this world has: three of the decoder, one of the stream, one of the detection; of http. */
enum { ENV_TRUNC, ENV_OVERLAP, ENV_GAP, ENV_MISMATCH, ENV_SUM };
enum { ENV_HTTP_HOST, ENV_HTTP_CHUNK };

/* A flow with its lease behind it, as traffic lays it out. */
struct env_flow { struct ec_flow f; struct flowstate state; };
struct env_tx { struct ec_tx x; struct txstate state; struct ec_buf buf[HTTP_SLOTS]; };

void env_open(struct env_world *w);
void env_close(struct env_world *w);
uint32_t env_name(struct env_world *w, const char *space, const char *name);
/* A set of these rules, finished. */
struct ruleset *env_rules(struct env_world *w, const char *text);
/* Load them into the engine; a later call is a reload. Returns the number of rules. */
uint32_t env_load(struct env_world *w, const char *text);

void env_flow(struct env_world *w, struct env_flow *f, uint8_t ip_proto);
void env_tx(struct env_world *w, struct env_tx *x, const char *proto);
/* A TCP chunk at `offset`, with its own packet, then the packet hook. */
void env_chunk(struct env_world *w, struct env_flow *f, uint32_t dir, uint64_t offset, const char *d, size_t n,
               uint32_t flags);
/* A packet whose payload went into no stream. f may be NULL. Returns the verdict. */
uint32_t env_packet(struct env_world *w, struct env_flow *f, uint8_t ip_proto, uint32_t dir, const char *d, size_t n);
/* Set a buffer, then env_step() runs the hook for all that were set. */
void env_buf(struct env_tx *x, uint32_t slot, const char *d, uint32_t state);
void env_step(struct env_world *w, struct env_flow *f, struct env_tx *x, uint32_t dir, uint32_t flags);
/* "1 2 2": the sids that alerted since the last call, in order. */
const char *env_sids(struct env_world *w);

#endif
