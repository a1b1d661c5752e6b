/* stream.h: the way of events into a database: spool, batches, trouble and its end. Any thread may call; it blocks.
 */
#ifndef STORE_STREAM_H
#define STORE_STREAM_H
#include "plugins/store/backend.h"
#include "plugins/store/spool.h"

struct stream_counts {              /* in = stored + spooled + full + memory + failed + unread + shutdown */
    uint64_t in, stored, spooled, spool_bytes, spool_disk, batches, errors;
    uint64_t full, memory, failed, unread, shutdown;    /* dropped, by reason */
    uint64_t damaged;               /* files that were set aside */
};

struct stream {
    pthread_mutex_t lock;           /* of the spool and the counts; held briefly */
    struct spool spool;
    struct stream_counts n;
    bool trouble;                   /* a write failed and none has worked since */
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
void stream_close(struct stream *s, uint64_t now);     /* one last try; what cannot be written is dropped */
struct stream_counts stream_counts(struct stream *s);

#endif
