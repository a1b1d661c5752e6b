/* job.h: a client's question that the store answers, on a pool thread: old events, a filter's validity, the day's
 * summary. The client may leave meanwhile. */
#ifndef SOCKETIO_JOB_H
#define SOCKETIO_JOB_H
#include "plugins/socketio/events.h"

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
    struct text out;                /* events, each with its length in front; or the summary's JSON */
    uint64_t *id;                   /* of the events */
    uint32_t n;
    bool more;                      /* there are more than may be replayed */
    const char *now_type;           /* whose events are being read */
};

struct job *job_new(struct viewer *v, const struct ec_sio_event *e);
void job_free(struct job *j);               /* NULL: nothing */
void job_start(struct server *s, struct job *j);    /* to the pool */
void job_end(struct server *s, struct job *j);      /* its answer; j is gone */

#endif
