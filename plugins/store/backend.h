/* backend.h: where events are kept: what a database does for the stream of events, for questions and for retention. One
 * implementer for each kind of database. */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H
#include "plugins/store/readers.h"

enum stream_level { STREAM_INFO, STREAM_WARNING, STREAM_ERROR };

struct backend_limits {
    uint64_t age, bytes;
}; /* ns; of all segments together; 0: no limit */

/* All may block. [any thread]; those of the writer are called with `writing` held. */
struct backend_ops {
    bool anywhere; /* a connection reads every segment */
    /* The writer's. At most SEGMENT_BATCH events in one transaction; *stored counts them, the others cannot be stored
     * at all. Where it fails (why, n_why bytes) it is called again with the same events in front. now: wall clock, ns,
     * by which days are told apart. */
    enum db_fault (*write)(struct backend *b, const struct ec_event *const *ev, uint32_t n, uint64_t now,
                           uint32_t *stored, char *why, size_t n_why);
    void (*rest)(struct backend *b); /* the writer's, after trouble and at the end: lets go of what it holds open */
    /* Fills in all of a reader but its id; its connection stays where it has one. DB_OK without one: its segment is
     * gone. */
    enum db_fault (*reader)(struct backend *b, struct reader *x, char *why, size_t n);
    void (*damaged)(struct backend *b, struct segment_id id, const char *why); /* a reader found it so */
    /* Is it known which segments there are? Where it is not, all questions fail. NULL: always. */
    enum db_fault (*ready)(struct backend *b, char *why, size_t n);
    /* Builds one index of one segment that is no longer written. True: there is more to do at once. A second for a
     * million rows. */
    bool (*finish)(struct backend *b, uint64_t now);
    uint32_t (*expire)(struct backend *b, uint64_t now, struct backend_limits limits); /* how many segments went */
    uint64_t (*bytes)(struct backend *b, uint32_t *n); /* bytes and number of all segments */
};

struct backend {
    const struct backend_ops *ops;
    const struct schema *schema;
    struct segments *segments;
    struct readers *readers;
    segment_json_fn *json;
    void *json_arg;
    void (*say)(void *arg, enum stream_level level, const char *what);
    void *say_arg;
    pthread_mutex_t writing;      /* held while a batch is written */
    uint64_t rows_max, bytes_max; /* of a segment; with `writing` */
    _Atomic uint64_t set_aside;   /* files that were damaged */
};

void backend_open(struct backend *b); /* the other members are the caller's to fill in before */
void backend_close(struct backend *b);
__attribute__((format(printf, 3, 4))) void backend_sayf(const struct backend *b, enum stream_level level,
                                                        const char *fmt, ...);

#endif
