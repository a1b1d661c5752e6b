/* pgschema.h: the tables of events in PostgreSQL, all in the schema "ecyber":
 *
 *   event   row, id, ts and the head's columns        json    row, the text as eve.json has it
 *   t_ROOT  key (row × 256 + the part's number) and its record's columns
 *   words   row, the words of the rows that ask for full text (tsvector)
 *   batch   the first and last row of each transaction, its range of ts
 *
 * Each is partitioned by day of arrival; row is the day since 1970 × 2^36 + 1, 2 …, so that rows tell their day. */
#ifndef STORE_PGSCHEMA_H
#define STORE_PGSCHEMA_H
#include "plugins/store/format.h"
#include "plugins/store/pg.h"
#include "plugins/store/schema.h"
#include "plugins/store/segments.h"

#define PG_DAY_SHIFT    36

/* Functions and tables of all days; what misses is made. */
enum db_fault pgschema_make(PGconn *c, const struct schema *s, char *why, size_t n);
/* Adds the days that are there to the list. */
enum db_fault pgschema_days(PGconn *c, struct segments *list, char *why, size_t n);
enum db_fault pgschema_day(PGconn *c, const struct schema *s, uint32_t day, char *why, size_t n);     /* makes it */
enum db_fault pgschema_index(PGconn *c, const struct schema *s, uint32_t day, char *why, size_t n);   /* when closed */
enum db_fault pgschema_drop(PGconn *c, const struct schema *s, uint32_t day, char *why, size_t n);
/* Of one day, 0: of all. */
enum db_fault pgschema_bytes(PGconn *c, uint32_t day, uint64_t *bytes, char *why, size_t n);
int64_t pgschema_base(uint32_t day);            /* below its first row */
const char *pgschema_type(uint16_t type);       /* of a column with this EC_T_* */

#endif
