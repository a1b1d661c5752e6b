/* job.h: a client's question that the store answers, on a pool thread: old events, a filter's validity, the day's
 * summary. The client may leave meanwhile. */
#ifndef SOCKETIO_JOB_H
#define SOCKETIO_JOB_H
#include "plugins/socketio/events.h"

struct old { uint64_t id; uint32_t type, len; char *json; };     /* type: index into the job's */

struct job {
    struct order order;
    struct server *s;
    char socket[24];                /* who asked */
    bool acks, replay, summary, sniffs;
    struct { bool starts; char interface[64], actor[64], address[64]; } sniff;
    uint64_t ack, since_ns;
    uint32_t beats;                 /* seconds until it starts */
    struct filter *filter;
    char type[TOPICS_MAX][64];
    uint32_t types;
    /* the answer */
    char error[1024];               /* "": none */
    struct text out;                /* the summary's JSON */
    struct old *old;                /* events; while they are read a heap with the latest first, then in order */
    uint32_t n, room, read;         /* read: of the type that is being read */
    uint64_t bytes, limit;          /* of their JSON; what has this id or a later one was left out */
    bool more;                      /* there are more than may be replayed */
    uint32_t now_type;
};

struct job *job_new(struct viewer *v, const struct ec_sio_event *e);
void job_free(struct job *j);               /* NULL: nothing */
void job_start(struct server *s, struct job *j);    /* to the pool */
void job_end(struct server *s, struct job *j);      /* its answer; j is gone */

#endif
