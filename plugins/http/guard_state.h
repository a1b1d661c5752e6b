/* guard_state.h: one guarded connection, and what the files of guards take from each other: guard.c has its life,
 * guard_input.c what comes, guard_output.c what leaves, guards.c all of them. All on the loop's thread. */
#ifndef HTTP_GUARD_STATE_H
#define HTTP_GUARD_STATE_H
#include "plugins/http/guard.h"
#include "plugins/http/tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <time.h>

enum phase { WAITING, READING, HANDLING, WRITING, STEADY, LINGERING };

struct guard {
    struct guards *all;
    struct guard *next, *prev, *chain;
    struct bufferevent *filter, *socket;
    struct event *timer, *kick, *writable;
    struct head head;
    struct guard_refusal refusal;
    enum phase phase;
    enum guard_end end;
    time_t since;                   /* it began to send a request, or came; seconds of the monotonic clock */
    bool late, close, fresh;        /* fresh: nothing has come yet */
    bool arrived;                   /* its address was looked at */
    bool named;                     /* peer is known: the address, as 16 bytes */
    uint8_t peer[16];
    struct crowd_client *client;    /* NULL: it is not counted */
    size_t written, held;           /* held: of guards.held; 0: its body is small, or has gone */
    bool asked;                     /* on.body() has seen this one */
    int spool;                      /* the body goes to this file, -1: to memory */
    uint64_t spool_left, spooled;
    struct evbuffer *spool_head;    /* what evhttp gets when all of it is there */
    struct tls_session *tls;        /* NULL: none */
    struct evbuffer *plain, *cipher;    /* of TLS: what came, what is to be sent */
    size_t given;                   /* plain bytes that stand in cipher, and still in evhttp's buffer */
    void (*on_late)(void *arg);
    void (*on_gone)(void *arg);
    void (*on_data)(void *arg, const void *p, size_t n);   /* taken over */
    void (*on_drained)(void *arg);
    bool blocked, finish;           /* bytes had to wait; close when they have left */
    void (*on_left)(void *arg);     /* nothing of a steady reply waits any more */
    void *arg, *left_arg;
};

/* guard.c */
void guard_timer(struct guard *g, uint32_t ms);             /* the end of this phase */
/* evhttp has freed the filter, though its guard has still to hear of it. */
bool guard_abandoned(const struct guard *g);
void guard_release(struct guard *g);                        /* what it holds but the filter, and its own memory */

/* guard_input.c */
/* The filter's: what came. */
enum bufferevent_filter_result guard_input(struct evbuffer *in, struct evbuffer *out, ev_ssize_t limit,
                                           enum bufferevent_flush_mode mode, void *arg);
void guard_body_free(struct guard *g);                      /* its body is not in memory any more */

/* guard_output.c */
/* The filter's: what is to be sent. */
enum bufferevent_filter_result guard_output(struct evbuffer *in, struct evbuffer *out, ev_ssize_t limit,
                                            enum bufferevent_flush_mode mode, void *arg);
/* Straight to the socket. false: some has to wait until it takes more, or it is over. */
bool guard_push_bytes(struct guard *g, struct evbuffer *from);
/* Of a connection that was taken over: bytes that came before it was, bytes that have left by now. */
void guard_stream_kick(struct guard *g);

/* guards.c */
time_t guard_seconds(void);                                 /* of the monotonic clock */
void guards_add(struct guards *all, struct guard *g);       /* its filter is there; makes room, or stops who comes next */
void guards_forget_filter(struct guard *g);                 /* it has gone; the guard may stay */
/* Its socket is known by now: has its client too many of them? */
void guard_arrive(struct guard *g);
void guard_leave(struct guard *g);                          /* one fewer: whoever waits may come in; freed */

#endif
