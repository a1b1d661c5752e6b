#include "plugins/store/db.h"

#include "plugins/store/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUSY_MS 250                 /* how long somebody else's lock is waited for */
#define BUSY_READ_MS 5000           /* by readers: a file that begins or ends is locked while a slow disk takes it in */
#define CACHE_KIB "16384"           /* of a connection that writes */
#define CHECKPOINT_PAGES "16384"    /* of 4 KiB: the journal is carried over at 64 MiB */

enum db_fault db_fault(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return DB_OK;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return DB_DAMAGED;
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return DB_ROW;
    case SQLITE_INTERRUPT:
        return DB_STOPPED;
    case SQLITE_NOMEM:
        return DB_MEMORY;
    default:
        return DB_TROUBLE;
    }
}

/* "disk I/O error" alone does not tell a full disk from a broken one. */
static void describe(sqlite3 *db, const char *path, int rc, char *why, size_t n)
{
    bool file = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN;
    int err = db && file ? sqlite3_system_errno(db) : 0;

    snprintf(why, n, "%s: %s%s%s", path && *path ? path : "the database",
             db ? sqlite3_errmsg(db) : sqlite3_errstr(rc), err ? ": " : "", err ? strerror(err) : "");
}

enum db_fault db_say(sqlite3 *db, int rc, char *why, size_t n)
{
    if (db_fault(rc) != DB_OK)
        describe(db, db ? sqlite3_db_filename(db, "main") : NULL, rc, why, n);
    return db_fault(rc);
}

enum db_fault db_run(sqlite3 *db, const char *sql, char *why, size_t n)
{
    return db_say(db, sqlite3_exec(db, sql, NULL, NULL, NULL), why, n);
}

enum db_fault db_run_step(void *arg, const char *sql, char *why, size_t n)
{
    return db_run(arg, sql, why, n);
}

enum db_fault db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **st, char *why, size_t n)
{
    return db_say(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL), why, n);
}

enum db_fault db_number(sqlite3 *db, const char *sql, int64_t *v, char *why, size_t n)
{
    sqlite3_stmt *st;
    enum db_fault fault = db_prepare(db, sql, &st, why, n);
    int rc;

    if (fault)
        return fault;
    rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *v = sqlite3_column_int64(st, 0);
    fault = db_say(db, rc, why, n);
    sqlite3_finalize(st);
    return fault;
}

/* SQLite makes files by the umask; the permissions of ours are our own. */
static bool file_make(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno == EEXIST;
}

/* ec_ip(text): an address as its 16-byte value. */
static void sql_ip(sqlite3_context *c, int n, sqlite3_value **v)
{
    const char *s = (const char *)sqlite3_value_text(v[0]);
    uint8_t first[16], last[16];

    (void)n;
    if (s && !strchr(s, '/') && text_to_ip(s, first, last))
        sqlite3_result_blob(c, first, sizeof first, SQLITE_TRANSIENT);
}

/* ec_time(text): nanoseconds since 1970. */
static void sql_time(sqlite3_context *c, int n, sqlite3_value **v)
{
    const char *s = (const char *)sqlite3_value_text(v[0]);
    int64_t ns;

    (void)n;
    if (s && text_to_time(s, &ns))
        sqlite3_result_int64(c, ns);
}

static int prepare_connection(sqlite3 *db, uint32_t flags)
{
    static const int what = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int rc = sqlite3_busy_timeout(db, flags & DB_READ ? BUSY_READ_MS : BUSY_MS);

    sqlite3_extended_result_codes(db, 0);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* Indices of documents use json_extract(), which SQLite counts as unsafe in a schema before 3.41. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, (flags & DB_FULL_SYNC) != 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    if (!rc)
        rc = sqlite3_create_function(db, "ec_ip", 1, what, NULL, sql_ip, NULL, NULL);
    if (!rc)
        rc = sqlite3_create_function(db, "ec_time", 1, what, NULL, sql_time, NULL, NULL);
    /* The index of the journal is then in memory, and in no file that has to be made. */
    if (!rc && flags & DB_ALONE)
        rc = sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL);
    if (!rc && flags & DB_ALONE && flags & DB_READ)
        rc = sqlite3_exec(db, "PRAGMA query_only=1", NULL, NULL, NULL);
    if (!rc && !(flags & DB_READ))
        rc = sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=" CHECKPOINT_PAGES
                          "; PRAGMA cache_size=-" CACHE_KIB, NULL, NULL, NULL);
    if (!rc && !(flags & DB_READ))
        rc = sqlite3_exec(db, flags & DB_FULL_SYNC ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", NULL,
                          NULL, NULL);
    return rc;
}

enum db_fault db_open(sqlite3 **db, const char *path, uint32_t flags, mode_t mode, int version, int *found, char *why,
                      size_t n)
{
    bool read_only = flags & DB_READ && !(flags & DB_ALONE);
    int rc, open_flags = SQLITE_OPEN_NOMUTEX | (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    enum db_fault fault;
    int64_t user = 0;

    *db = NULL;
    if (!(flags & DB_READ) && !file_make(path, mode)) {
        snprintf(why, n, "%s: %s", path, strerror(errno));
        return DB_TROUBLE;
    }
    rc = sqlite3_open_v2(path, db, open_flags, NULL);
    if (!rc)
        rc = prepare_connection(*db, flags);
    if (rc) {
        describe(*db, path, rc, why, n);
        fault = db_fault(rc);
    } else {
        fault = db_number(*db, "PRAGMA user_version", &user, why, n);
    }
    *found = (int)user;
    if (!fault && user > version) {
        snprintf(why, n,
                 "%s has format %d, and this eCyber knows up to %d: run the newer eCyber that wrote it, or move the "
                 "file away",
                 path, (int)user, version);
        fault = DB_NEWER;
    }
    if (fault) {
        sqlite3_close(*db);
        *db = NULL;
    }
    return fault;
}

static const char *const suffix[] = { "", "-wal", "-shm", "-journal" };
#define SUFFIXES (sizeof suffix / sizeof suffix[0])

int db_set_aside(const char *path, char *to, size_t n)
{
    char name[4200], next[4300], stamp[32];
    time_t now = time(NULL);
    struct tm tm;

    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    snprintf(to, n, "%s.damaged-%s", path, stamp);
    for (int i = 1; !faccessat(AT_FDCWD, to, F_OK, AT_EACCESS) && i < 100; i++)
        snprintf(to, n, "%s.damaged-%s-%d", path, stamp, i);
    if (rename(path, to))
        return -1;
    for (size_t i = 1; i < SUFFIXES; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffix[i]);
        snprintf(next, sizeof next, "%s%s", to, suffix[i]);
        if (rename(name, next) && errno != ENOENT)
            unlink(name);           /* else it would be taken for the journal of the next file */
    }
    return 0;
}

void db_unlink(const char *path)
{
    char name[4200];

    for (size_t i = 0; i < SUFFIXES; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffix[i]);
        unlink(name);
    }
}

uint64_t db_bytes(const char *path)
{
    uint64_t bytes = 0;
    char name[4200];
    struct stat st;

    for (size_t i = 0; i < SUFFIXES; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffix[i]);
        if (!stat(name, &st))
            bytes += (uint64_t)st.st_size;
    }
    return bytes;
}
