#include "plugins/traffic/decode/event.h"

#define DECODE(symbol, name) "decoder." name,
#define STREAM(symbol, name) "stream." name,
static const char *const names[EV_COUNT] = { EVENTS_DECODE(DECODE) EVENTS_STREAM(STREAM) };

const char *event_name(uint32_t id)
{
    return id < EV_COUNT ? names[id] : "unknown";
}
