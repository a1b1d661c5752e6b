/* state.h: what one generation of the configuration is made of. */
#ifndef IDS_STATE_H
#define IDS_STATE_H
#include <stdint.h>

struct ec_conf;
struct engine;
struct managed;
struct tuning;

struct ids_state {
    struct engine *engine;
    const struct ec_conf *conf;
    struct managed *managed;        /* what the API made of the rules, in force with this generation; held */
    struct tuning *tuning;          /* suppressions and thresholds beside the rules; held */
    uint32_t packet_bytes, pad;
};

#endif
