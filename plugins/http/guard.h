/* guard.h: what stands between the socket and evhttp. evhttp has no absolute deadline, no cap, takes malformed headers
 * and does not see that a client has left; so each of its connections gets a filter bufferevent from here, which
 *   - hands over one whole, well-formed request at a time, the next one when the reply has left;
 *   - turns what is wrong or late into a harmless request, marked as refused, so that the one who answers says why;
 *   - writes replies straight to the socket: evhttp closes a connection as soon as the filter has taken its bytes;
 *   - holds a large body only for whom the server knows, and all of them together within a bound;
 *   - speaks TLS, where it is set;
 *   - bounds in time: waiting for a request, reading it, handling it, and writing the reply;
 *   - knows how many connections there are, of whom, and when one ends.
 * All on the loop's thread. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H
#include "plugins/http/crowd.h"
#include "plugins/http/head.h"
#include "plugins/http/proxy.h"

#include <event2/event.h>
#include <event2/http.h>

struct guard;
struct bufferevent;

struct guard_config {
    struct head_limits limits;
    uint32_t connections;           /* at once */
    uint32_t per_client;            /* of one address, but for loopback and trusted proxies; 0: as many */
    struct proxies proxies;
    uint64_t body, bodies;          /* bytes of a body in memory; of all those over BODY_FREE */
    uint32_t request_ms, idle_ms, write_ms;     /* from its first byte; between requests; for 64 KiB of a reply */
};
enum guard_end { GUARD_LEFT, GUARD_IDLE, GUARD_SLOW, GUARD_STUCK, GUARD_EVICTED, GUARD_CROWDED, GUARD_ENDS };
#define BODY_FREE 16384u            /* bytes of a body that anybody may send */
struct guard_body {
    const char *head;               /* well formed, n bytes */
    size_t n;
    uint64_t length;                /* bytes as announced, or of the chunks so far */
    bool chunked;
    int fd, spool;                  /* of the client; -1 */
    const char *why;
};
struct guard_events {               /* what the server wants to know */
    void *arg;
    void (*full)(void *arg, bool full);                     /* the cap is reached, or there is room again */
    void (*opened)(void *arg);
    void (*closed)(void *arg, enum guard_end why);
    void (*wrote)(void *arg, size_t n);
    void (*read)(void *arg, size_t n);
    /* A body is on its way: 0, or the status to refuse it with, and b->why. b->spool may be set to a file that it goes
     * to instead of to memory. */
    int (*body)(void *arg, struct guard_body *b);
    void (*spool_close)(void *arg, int fd);
    void (*tls_failed)(void *arg);
};
struct guards {
    struct event_base *base;
    struct guard_config c;
    struct guard_events on;
    uint32_t n, most;               /* now; since memory was last given back */
    bool full;
    struct event *again;            /* while full: look whether somebody can be sent away by now */
    struct tls *tls;                /* NULL: bytes come and go as they are */
    size_t held;                    /* bytes of bodies over BODY_FREE */
    struct guard *list;             /* all of them */
    struct crowd crowd;
    struct guard *index[256];       /* by their filter */
};

struct guard_refusal { int status; const char *why; };      /* status 0: none */

/* For evhttp_set_bevcb(); arg: struct guards. */
struct bufferevent *guard_new(struct event_base *base, void *arg);
/* The guard of a request that evhttp has handed over; NULL: none. */
struct guard *guard_of(struct guards *g, struct evhttp_request *r);
const struct guard_refusal *guard_refused(const struct guard *g);
int guard_fd(const struct guard *g);
void guard_client(const struct guard *g, char to[128]);      /* the name in its certificate; "": none */
bool guard_peer(struct guard *g, uint8_t at[16]);     /* the address at the other end; false: it has none */
int guard_take_upload(struct guard *g, uint64_t *len);     /* the file that the body went to; -1: none */
/* The request takes time: gone() is called if the client leaves before the reply was handed to evhttp (then there is no
 * connection any more), late() when `ms` are over. */
void guard_wait(struct guard *g, uint32_t ms, void (*late)(void *arg), void (*gone)(void *arg), void *arg);
void guard_wait_no_more(struct guard *g);
/* A reply of its own deadline was handed to evhttp: write it. steady: it has no end of its own (a stream). */
void guard_send(struct guard *g, struct evhttp_request *r, bool steady);
/* A steady reply has come to its end: it has to leave in time. */
void guard_end_steady(struct guard *g);
/* left() is called, in a clean stack, each time that nothing of a steady reply waits any more. */
void guard_left(struct guard *g, void (*left)(void *arg), void *arg);
/* More of a steady reply was handed to evhttp. */
void guard_push(struct guard *g);
size_t guard_waiting(const struct guard *g);        /* bytes of replies that have not left */
/* The connection becomes a stream of bytes: what comes goes to data() (within which nothing is freed), what is written is
 * bounded as a steady reply. drained(): what had to wait has left; then it is closed after guard_finish(). gone(): as
 * for guard_wait(). */
void guard_take(struct guard *g, void (*data)(void *arg, const void *p, size_t n), void (*drained)(void *arg),
                void (*gone)(void *arg), void *arg);
bool guard_write(struct guard *g, const void *p, size_t n);
void guard_finish(struct guard *g);
/* Close it now, whatever it does. */
void guard_close(struct guard *g, enum guard_end why);
/* Make room: close the one that has waited longest for its next request, else the first of those that have been sending
 * one for over a second. false: there is none. */
bool guard_evict(struct guards *g);
void guards_free(struct guards *g);             /* the loop has ended: those that linger */

#endif
