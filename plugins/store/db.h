/* db.h: opening SQLite files, and what their errors mean to us. */
#ifndef STORE_DB_H
#define STORE_DB_H
#include "plugins/store/conn.h"

#include <sqlite3.h>
#include <sys/types.h>

enum {
    DB_READ = 1,                    /* else made where it is missing, and written */
    DB_FULL_SYNC = 2,
    DB_ALONE = 4                    /* needs no room on disk, and keeps everybody else out: for a disk that is full */
};
/* Opens path. version: the user_version that we write; an older one is left to the caller, *found says it (0: new).
 * mode: permissions of a new file. why (n bytes): a sentence where it fails; *db is then NULL. */
enum db_fault db_open(sqlite3 **db, const char *path, uint32_t flags, mode_t mode, int version, int *found, char *why,
                      size_t n);
/* Meaning of a result code. */
enum db_fault db_fault(int rc);
/* The meaning of rc, described in why as "PATH: MESSAGE". */
enum db_fault db_say(sqlite3 *db, int rc, char *why, size_t n);
/* arg: a sqlite3 */
enum db_fault db_run_step(void *arg, const char *sql, char *why, size_t n);
enum db_fault db_run(sqlite3 *db, const char *sql, char *why, size_t n);
/* The first column of the first row; no row: *v stays. */
enum db_fault db_number(sqlite3 *db, const char *sql, int64_t *v, char *why, size_t n);
enum db_fault db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **st, char *why, size_t n);
/* Renames the files of a database to PATH.damaged-TIME; to (n bytes): the new name. 0, or −1 with errno. */
int db_set_aside(const char *path, char *to, size_t n);
void db_unlink(const char *path);   /* with its journal */
uint64_t db_bytes(const char *path);/* with its journal */

#endif
