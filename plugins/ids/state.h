/* state.h: what one generation of the configuration is made of. */
#ifndef IDS_STATE_H
#define IDS_STATE_H
#include <stdint.h>

struct engine;

struct ids_state { struct engine *engine; uint32_t packet_bytes, pad; };

#endif
