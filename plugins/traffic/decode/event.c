#include "plugins/traffic/decode/event.h"

#define DECODE(symbol, name) "decoder." name,
#define STREAM(symbol, name) "stream." name,
#define DETECT(symbol, name, metric) name,
static const char *const names[EV_COUNT] = {
    EVENTS_DECODE(DECODE) EVENTS_STREAM(STREAM) EVENTS_DETECT(DETECT) };

const char *event_name(uint32_t id)
{
    return id < EV_COUNT ? names[id] : "unknown";
}
