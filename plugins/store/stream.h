/* stream.h: the way of events into the segments: spool, batches, trouble and its end. Any thread may call; it blocks.
 */
#ifndef STORE_STREAM_H
#define STORE_STREAM_H
#include "plugins/store/readers.h"
#include "plugins/store/spool.h"

struct stream_counts {              /* in = stored + spooled + full + memory + failed + shutdown */
    uint64_t in, stored, spooled, spool_bytes, batches, errors;
    uint64_t full, memory, failed, shutdown;    /* dropped, by reason */
    uint64_t damaged;               /* files that were set aside */
};
enum stream_level { STREAM_INFO, STREAM_WARNING, STREAM_ERROR };

struct stream {
    pthread_mutex_t lock;           /* of the spool and the counts; held briefly */
    pthread_mutex_t writing;        /* of the writer: held while a batch is written */
    struct spool spool;
    struct stream_counts n;
    bool trouble;                   /* a write failed and none has worked since */
    uint64_t retry, lost, oldest;   /* ns of readers_clock(): when to try again; dropped when trouble began; since when
                                     * the   oldest event waits, 0: none does */
    const struct schema *schema;
    struct segments *segments;
    struct readers *readers;
    struct segment_writer *writer;
    struct segment_id id;           /* of its segment */
    segment_json_fn *json;
    void *json_arg;
    void (*say)(void *arg, enum stream_level level, const char *what);
    void *say_arg;
    uint64_t rows_max, bytes_max;   /* of a segment */
    bool unfinished;                /* the keeper's: an index could not be built, and that was said */
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
/* A segment that a reader or the finisher found damaged. */
void stream_damaged(struct stream *s, struct segment_id id, const char *why);

#endif
