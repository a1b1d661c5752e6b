/* readers.h: connections that read segments, kept for the next query. Any thread; each connection has one user at a
 * time. */
#ifndef STORE_READERS_H
#define STORE_READERS_H
#include "plugins/store/filter.h"
#include "plugins/store/segment.h"
#include "plugins/store/segments.h"

#define READER_STATEMENTS 6         /* that a connection keeps prepared */
#define READERS_KEPT 8              /* connections that wait for the next query */

struct reader {
    struct reader *next;
    struct conn *conn;
    struct segment_id id;
    int64_t first, last;            /* the rows that its segment can have */
    bool stale, finished;           /* finished: its indices are built */
    uint8_t **has;                  /* by table and column, see struct reach */
    struct reach reach;
    uint32_t n_table;
    struct { char *sql; struct stmt *st; uint64_t used; bool out; } kept[READER_STATEMENTS];
    uint64_t uses;
};
struct backend;
struct readers {
    pthread_mutex_t lock;
    struct backend *backend;
    struct reader *idle, *busy;
    uint32_t n_idle;
};

void readers_open(struct readers *r, struct backend *b);
void readers_close(struct readers *r);
/* Is it known which segments there are? */
enum db_fault readers_ready(struct readers *r, char *why, size_t n);
/* A connection to a segment. NULL: *fault and why (n bytes) say why; DB_OK: its file is gone. */
struct reader *readers_take(struct readers *r, struct segment_id id, enum db_fault *fault, char *why, size_t n);
void readers_give(struct readers *r, struct reader *x);
void readers_purge(struct readers *r, struct segment_id id);        /* its file goes, or has changed */
/* A statement of this text, as it was prepared before where that is so; it goes back by reader_done(), NULL is fine. */
enum db_fault reader_prepare(struct reader *x, const char *sql, struct stmt **st, char *why, size_t n);
void reader_done(struct reader *x, struct stmt *st);
uint64_t readers_clock(void);       /* ns, of conn.deadline */

#endif
