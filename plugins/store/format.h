/* format.h: the newest formats that this eCyber writes, and the oldest that it takes further. Each is the number of the
 * last migration of its kind (migrate.h). */
#ifndef STORE_FORMAT_H
#define STORE_FORMAT_H

#define DOCUMENTS_VERSION 2         /* documents.db */
#define SEGMENT_VERSION   2         /* events-YYYYMMDD-N.db */
#define PG_VERSION_OURS   2         /* the schema "ecyber" in PostgreSQL */

#define PG_LOCK_SCHEMA 7212026      /* advisory locks: of who makes tables, and of who writes events */
#define PG_LOCK_WRITER 7212027

#endif
