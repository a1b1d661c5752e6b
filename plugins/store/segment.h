/* segment.h: one file of events: its tables, its rows, its indices.
 *
 *   event  row (1, 2, …: the order of arrival) id ts and the head's columns
 *   json   row, the text as eve.json has it
 *   t_ROOT one row for each part of that root: key (row × 256 + the part's number) and its record's columns
 *   words  full text (FTS5, contentless) of the rows that ask for it
 *   batch  one row for each transaction: its first and last row, its range of ts
 *   meta   "finished" once the indices are built */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H
#include "plugins/store/db.h"
#include "plugins/store/format.h"
#include "plugins/store/schema.h"

#define SEGMENT_BATCH 1000          /* most rows of one transaction */
#define PARTS_SHIFT 8               /* of keys: parts of one event */

struct segment_writer;

/* A text of the event as JSON, without "id": *s is valid until the next call. Negative: EC_E*. */
typedef int64_t segment_json_fn(void *arg, const struct ec_event *ev, const char **s);

/* Opens path for writing; tables and columns that miss are made. NULL: *fault and why (n bytes) say why. */
struct segment_writer *segment_writer_open(const struct schema *s, const char *path, segment_json_fn *json, void *arg,
                                           enum db_fault *fault, char *why, size_t n);
void segment_writer_close(struct segment_writer *w);
int64_t segment_writer_rows(const struct segment_writer *w);
/* Has its file been taken away, or another put in its place? */
bool segment_writer_lost(const struct segment_writer *w);
/* All of them in one transaction. bad[i] is set for those that cannot be stored at all, and *stored counts the others.
 * Where it fails nothing of them is stored. */
enum db_fault segment_writer_add(struct segment_writer *w, const struct ec_event *const *ev, uint32_t n_ev,
                                 uint8_t *bad, uint32_t *stored, char *why, size_t n);

/* Builds one more index of a segment that is no longer written; *more: others are missing. */
enum db_fault segment_finish(const struct schema *s, const char *path, bool *more, char *why, size_t n);

#endif
