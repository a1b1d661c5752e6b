/* say.h: how the engine talks to people: the plugin's log, by way of the glue. */
#ifndef BRIDGE_SAY_H
#define BRIDGE_SAY_H
#include <stdint.h>

enum say_what {
    SAY_DOWN, SAY_UP,               /* an interface went away, came back */
    SAY_OFFLOADS,                   /* they could not be turned off, or put back */
    SAY_BACK,                       /* those that an earlier run left were put back */
    SAY_MTU,                        /* the two differ */
    SAY_KINDS
};

struct say {
    void (*fn)(void *arg, enum say_what what, const char *sentence);
    void *arg;
};

static inline void say(const struct say *s, enum say_what what, const char *sentence)
{
    s->fn(s->arg, what, sentence);
}

#endif
