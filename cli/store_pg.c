/* Backup and restore of PostgreSQL by its own programs: pg_dump reads one snapshot while the daemon writes; pg_restore
 * puts everything back in one transaction. */
#include "cli/store.h"
#include "plugins/store/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_LIBPQ
#include <libpq-fe.h>
#endif

const char *store_url(const char *option)
{
    const char *url = option ? option : getenv("SQLALCHEMY_DATABASE_URL");

    if (!url || !*url)
        url = getenv("DATABASE_URL");
    return url && !strncmp(url, "postgres", 8) ? url : NULL;
}

#ifdef HAVE_LIBPQ
/* postgresql+asyncpg://… as libpq takes it. */
static void clean_url(const char *url, char to[STORE_PATH])
{
    const char *rest = strstr(url, "://");

    snprintf(to, STORE_PATH, "postgresql%s", rest ? rest : "://");
}

/* Each part of the URL as the variable that libpq's programs read. Options that have none are said. */
static int environment(const char *url, char database[256])
{
    char *why = NULL;
    PQconninfoOption *all = PQconninfoParse(url, &why);

    if (!all) {
        store_fail(CLI_USAGE, "--url: %.*s", why ? (int)strcspn(why, "\n") : 13, why ? why : "out of memory");
        PQfreemem(why);
        return CLI_USAGE;
    }
    snprintf(database, 256, "%s", "postgres");
    for (PQconninfoOption *o = all; o->keyword; o++) {
        if (o->val && *o->val && o->envvar)
            setenv(o->envvar, o->val, 1);
        else if (o->val && *o->val)
            fprintf(stderr, "ecyberctl: --url: pg_dump and pg_restore have no %s; it is passed over\n", o->keyword);
        if (o->val && *o->val &&
            (!strcmp(o->keyword, "dbname") || (!strcmp(o->keyword, "user") && !getenv("PGDATABASE"))))
            snprintf(database, 256, "%s", o->val);
    }
    setenv("PGCONNECT_TIMEOUT", "10", 0);
    PQconninfoFree(all);
    return CLI_OK;
}

static int refused(PGconn *c, const char *what)
{
    const char *why = PQerrorMessage(c);

    return store_fail(CLI_FAILED, "PostgreSQL: %s: %.*s", what, (int)strcspn(why, "\n"), why);
}

/* The first value of a statement as a number; missing: there is none. −1: it failed. */
static long number(PGconn *c, const char *sql, long missing)
{
    PGresult *r = PQexec(c, sql);
    long v = PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK ? -1
             : PQntuples(r) && !PQgetisnull(r, 0, 0) ? strtol(PQgetvalue(r, 0, 0), NULL, 10)
                                                     : missing;

    PQclear(r);
    return v;
}

static PGconn *dial_pg(const char *url, int *code)
{
    PGconn *c = PQconnectdb(url);

    if (PQstatus(c) == CONNECTION_OK)
        return c;
    *code = refused(c, "it does not answer");
    PQfinish(c);
    return NULL;
}

int store_pg_backup(const char *url, const char *folder, struct store_files *f)
{
    char clean[STORE_PATH], database[256], file[STORE_PATH];
    const char *argv[] = {"pg_dump", "--format=custom", "--schema=ecyber", "--no-owner", "--no-privileges", "--file",
                          file,      "--dbname",        database,          NULL};
    struct store_file *one = store_files_add(f, STORE_DUMP);
    int code = one ? CLI_OK : store_fail(CLI_FAILED, "out of memory");
    PGconn *c;

    clean_url(url, clean);
    if (code || (code = store_path(file, folder, STORE_DUMP)) || (code = environment(clean, database)) ||
        !(c = dial_pg(clean, &code)))
        return code;
    one->format = (int)number(c, "SELECT value FROM ecyber.meta WHERE key='version'", 0);
    if (one->format < 1)
        code = store_fail(CLI_NOT_FOUND, "PostgreSQL: the database has no schema \"ecyber\" of ours");
    PQfinish(c);
    if (!code)
        code = run_program(argv);
    return code ? code : file_copy(file, NULL, 0, &one->bytes, one->sha256);
}

/* Makes room for the schema: what stands there is renamed. */
static int make_room(PGconn *c, int force, char aside[64])
{
    char sql[128], stamp[32];
    time_t now = time(NULL);
    struct tm tm;

    *aside = '\0';
    if (number(c, "SELECT pg_try_advisory_lock(7212027)::int", 0) != 1)
        return store_fail(CLI_REFUSED, "PostgreSQL: an eCyber daemon writes into this database: stop it first");
    if (!number(c, "SELECT 1 FROM pg_namespace WHERE nspname='ecyber'", 0))
        return CLI_OK;
    if (!force)
        return store_fail(CLI_REFUSED, "PostgreSQL: the database holds a schema \"ecyber\": --force renames it");
    strftime(stamp, sizeof stamp, "%Y%m%d_%H%M%S", gmtime_r(&now, &tm));
    snprintf(aside, 64, "ecyber_before_%s", stamp);
    snprintf(sql, sizeof sql, "ALTER SCHEMA ecyber RENAME TO %s", aside);
    return number(c, sql, 0) < 0 ? refused(c, "the schema cannot be renamed") : CLI_OK;
}

int store_pg_restore(const char *url, const char *dump, int force)
{
    char clean[STORE_PATH], database[256], aside[64], sql[128];
    const char *argv[] = {"pg_restore",
                          "--single-transaction",
                          "--exit-on-error",
                          "--no-owner",
                          "--no-privileges",
                          "--dbname",
                          database,
                          dump,
                          NULL};
    int code;
    PGconn *c;

    clean_url(url, clean);
    if ((code = environment(clean, database)) || !(c = dial_pg(clean, &code)))
        return code;
    _Static_assert(PG_LOCK_WRITER == 7212027, "the lock that make_room() asks for");
    code = make_room(c, force, aside);
    if (!code && (code = run_program(argv)) && *aside) {
        snprintf(sql, sizeof sql, "ALTER SCHEMA %s RENAME TO ecyber", aside);
        if (number(c, sql, 0) < 0)
            refused(c, "what stood there cannot get its name back");
    } else if (!code && *aside) {
        printf("what stood in the schema \"ecyber\" is in \"%s\"\n", aside);
    }
    PQfinish(c);
    return code;
}
#else
int store_pg_backup(const char *url, const char *folder, struct store_files *f)
{
    (void)url;
    (void)folder;
    (void)f;
    return store_fail(CLI_USAGE, "--url names PostgreSQL, and this eCyber was built without libpq");
}

int store_pg_restore(const char *url, const char *dump, int force)
{
    (void)dump;
    (void)force;
    return store_pg_backup(url, NULL, NULL);
}
#endif
