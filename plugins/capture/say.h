/* say.h: how the engine talks to people: the plugin's log, by way of the glue. */
#ifndef CAPTURE_SAY_H
#define CAPTURE_SAY_H
#include <stdint.h>

enum say_what {
    SAY_SKIPPED,                    /* a file of a folder is no capture */
    SAY_CUT,                        /* a file ended early */
    SAY_FILTER,                     /* the filter cannot be used for a link type */
    SAY_DOWN, SAY_UP,               /* an interface went away, came back */
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
