/* stream.h: the way of events into a database: spool, batches, trouble and its end. Any thread may call; it blocks.
 */
#ifndef STORE_STREAM_H
#define STORE_STREAM_H
#include "plugins/store/backend.h"
#include "plugins/store/spool.h"

struct stream_counts {              /* in = stored + spooled + full + memory + failed + unread + shutdown */
    uint64_t in, recovered, stored, spooled, spool_bytes, spool_disk, batches, errors;  /* recovered: a part of in */
    uint64_t full, memory, failed, unread, shutdown;    /* dropped, by reason */
    uint64_t damaged;               /* files that were set aside */
    bool trouble;                   /* see struct stream */
};

struct stream {
    pthread_mutex_t lock;           /* of the spool and the counts; held briefly */
    struct spool spool;
    struct stream_counts n;
    bool trouble;                   /* a write failed and none has worked since */
    uint64_t left;                  /* events that stay on disk for the next run, once it is closed */
    uint64_t retry, lost, oldest;   /* ns of readers_clock(): when to try again; dropped when trouble began; since when
                                     * the oldest event waits, 0: none does */
    struct backend *backend;
};

void stream_open(struct stream *s);             /* the other members are the caller's to fill in before */
/* now: wall clock, ns, by which days are told apart. */
void stream_add(struct stream *s, const struct ec_event *ev, uint64_t now);
/* Write what waits. old: only where the oldest has waited so long (ns). */
void stream_flush(struct stream *s, uint64_t now, uint64_t old);
/* Is there something for stream_flush() to do? */
bool stream_due(struct stream *s, uint64_t old);
/* One last try. What cannot be written stays on disk for the next run, or is dropped. */
void stream_close(struct stream *s, uint64_t now);
/* Takes the oldest file of an earlier run into the spool, where there is one and writing works; blocks. h: where events
 * are looked up by their ids, for a part of it may have been written. False: nothing is left to do for now. */
struct query_host;
bool stream_recover(struct stream *s, const struct query_host *h);
bool stream_recoverable(struct stream *s);
struct stream_counts stream_counts(struct stream *s);

#endif
