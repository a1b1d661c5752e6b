/* catchup.h: what a client of the stream of events missed, by its Last-Event-ID (WHATWG HTML §9.2.4), from the store.
 * Live events wait meanwhile, so that all come in order and none twice. On the loop, except for the reading. */
#ifndef HTTP_CATCHUP_H
#define HTTP_CATCHUP_H
#include "lib/text.h"

#include <stdint.h>

struct server;
struct catchup;

struct catchup_ops {                /* static */
    /* One event as it goes out. false: there is no room any more. */
    bool (*give)(void *arg, const char *sse, size_t n);
    void (*lost)(void *arg, uint64_t n, const char *why);   /* before or among them; why: NULL, or what went wrong */
    void (*done)(void *arg);        /* the client is live; the catch-up is gone */
};

/* last: the id that the client saw last. types: ",alert,flow,", NULL: every type; hidden: "audit", NULL: none; both
 * copied. NULL: out of memory. */
struct catchup *catchup_start(struct server *s, uint64_t last, const char *types, const char *hidden,
                              const struct catchup_ops *ops, void *arg);
/* A live event in the meantime, as it goes out. false: it has to be counted as lost. */
bool catchup_hold(struct catchup *c, uint64_t id, const struct text *sse);
void catchup_leave(struct catchup *c);          /* the client has gone: nobody is called any more */
void catchup_done(struct server *s);            /* hand out what was read on the pool */

#endif
