/* stream.h: server-sent events (WHATWG HTML §9.2): every event as it happens, to many clients. Each event is written
 * as JSON once. A client that reads too slowly loses events; it is told how many by an event `gap`, as is every client
 * when the bus has dropped events ahead of this queue. All on the loop's thread. */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H
#include "lib/text.h"

#include <stdint.h>

struct ec_event;
struct ec_req;
struct server;
struct stream_client;
struct ec_record;

struct streams {
    struct stream_client *list;
    uint32_t n;
    struct text event;              /* the present one, as it goes out */
    uint64_t *seq;                  /* of each worker the number of its last event, then the mailbox's; 0: none yet */
    uint32_t publishers;
};

extern const struct ec_record stream_params;
/* The handler of GET /api/network/events/stream. */
int32_t stream_run(void *server, const void *state, struct ec_req *r);
void stream_event(struct server *s, const struct ec_event *ev);
/* every 15 s: comments keep proxies awake and find clients that are gone */
void stream_beat(struct server *s);
bool stream_start(struct server *s);            /* false: out of memory */
void stream_stop(struct server *s);

#endif
