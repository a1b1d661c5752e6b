/* pgstore.h: events in PostgreSQL, one segment a day: a backend; and documents there. */
#ifndef STORE_PGSTORE_H
#define STORE_PGSTORE_H
#include "plugins/store/backend.h"
#include "plugins/store/documents.h"

/* Connects and makes what misses; adds the days that are there to b.segments, an empty list. b: all but its ops. NULL:
 * why (n bytes) says why, without the password. */
struct backend *pgstore_open(const struct backend *b, const char *url, char *why, size_t n);
void pgstore_close(struct backend *b);
extern const struct documents_ops documents_pg; /* arg: the URL */

#endif
