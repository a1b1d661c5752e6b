/* pgwriter.h: the one connection that writes events into PostgreSQL: a batch by COPY in one transaction. */
#ifndef STORE_PGWRITER_H
#define STORE_PGWRITER_H
#include "plugins/store/pgschema.h"
#include "plugins/store/segment.h"

struct pgwriter;

/* NULL: out of memory. url stays the caller's. Nothing is connected yet. */
struct pgwriter *pgwriter_new(const struct schema *s, const char *url, segment_json_fn *json, void *arg);
void pgwriter_free(struct pgwriter *w);
void pgwriter_close(struct pgwriter *w); /* the connection; the next batch connects anew */
/* As backend_ops.write: committed and on disk, as far as the server's synchronous_commit says so. Where a commit's
 * answer was lost with the connection, the next call asks whether it came through, and does not write it twice. */
enum db_fault pgwriter_add(struct pgwriter *w, uint32_t day, const struct ec_event *const *ev, uint32_t n_ev,
                           uint32_t *stored, char *why, size_t n);

#endif
