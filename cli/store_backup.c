/* ecyberctl store backup: a consistent copy, also while the daemon writes. Each database is copied as it stood when the
 * backup began (SQLite's backup API within one transaction that reads; WAL lets the daemon write meanwhile). */
#include "cli/print.h"
#include "cli/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 10000

enum { O_STATE, O_URL };
const struct cli_option store_backup_options[] = {
    {"state", "DIR", "the store's folder (" ECYBER_STATEDIR "/store)"},
    {"url", "URL", "PostgreSQL's, as in store.url; else SQLALCHEMY_DATABASE_URL or DATABASE_URL"},
    {NULL, NULL, NULL},
};

static int say(const char *path, sqlite3 *db)
{
    return store_fail(CLI_FAILED, "%s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");
}

/* Opens it, and holds its state of this moment. */
static int pin(const char *path, sqlite3 **db)
{
    int rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL);

    if (!rc)
        rc = sqlite3_busy_timeout(*db, BUSY_MS);
    if (!rc)
        rc = sqlite3_exec(*db, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
    if (!rc)
        return CLI_OK;
    say(path, *db);
    sqlite3_close(*db);
    *db = NULL;
    return CLI_FAILED;
}

static int format_of(sqlite3 *db)
{
    sqlite3_stmt *st;
    int format = 0;

    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL))
        return 0;
    if (sqlite3_step(st) == SQLITE_ROW)
        format = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return format;
}

/* The pages of `from` into a new file; what is damaged in documents.db is found now, not when it is needed. */
static int copy_pages(sqlite3 *from, const char *path, int check)
{
    sqlite3 *to = NULL;
    sqlite3_backup *b = NULL;
    int code = CLI_OK, rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

    if (!rc)
        rc = sqlite3_exec(to, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF", NULL, NULL, NULL);
    if (!rc && !(b = sqlite3_backup_init(to, "main", from, "main")))
        rc = sqlite3_errcode(to);
    if (b) {
        sqlite3_backup_step(b, -1);
        rc = sqlite3_backup_finish(b);
    }
    if (!rc && check) {
        sqlite3_stmt *st = NULL;

        rc = sqlite3_prepare_v2(to, "PRAGMA quick_check(1)", -1, &st, NULL);
        if (!rc && sqlite3_step(st) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "ok"))
            code = store_fail(CLI_FAILED, "%s is damaged: %s", sqlite3_db_filename(from, "main"),
                              (const char *)sqlite3_column_text(st, 0));
        sqlite3_finalize(st);
    }
    if (!rc) /* one file, without a journal beside it */
        rc = sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    if (rc)
        code = say(path, to);
    sqlite3_close(to);
    return code;
}

/* Without a format where it has no tables yet: the writer has only just made the file, and nothing is left out. */
static int copy_one(const char *state, const char *part, struct store_file *f, sqlite3 *pinned)
{
    char from[STORE_PATH], to[STORE_PATH];
    sqlite3 *db = pinned;
    int code = store_path(from, state, f->name);

    if (!code)
        code = store_path(to, part, f->name);
    if (!code && !db)
        code = pin(from, &db);
    if (!code && (f->format = format_of(db)))
        code = copy_pages(db, to, !strcmp(f->name, "documents.db"));
    if (db != pinned)
        sqlite3_close(db);
    if (!code && f->format && chmod(to, 0600))
        code = store_fail(CLI_FAILED, "%s: %s", to, strerror(errno));
    return code || !f->format ? code : file_copy(to, NULL, 0, &f->bytes, f->sha256);
}

/* Retention may delete the oldest ones meanwhile: that is no fault. */
static int gone(const char *state, const char *name)
{
    char path[STORE_PATH];
    struct stat st;

    return store_path(path, state, name) == CLI_OK && stat(path, &st) && errno == ENOENT;
}

static int copy_all(const char *state, const char *part, struct store_files *f)
{
    sqlite3 *first = NULL, *last = NULL;
    char path[STORE_PATH];
    uint32_t kept = 0;
    int code;

    if ((code = store_files_list(f, state)))
        return code;
    if (!f->n)
        return store_fail(CLI_NOT_FOUND,
                          "there is nothing to keep in %s: name the store's folder with --state, or "
                          "PostgreSQL with --url",
                          state);
    /* The two that change are held as they stand now: documents first, so that what they name is in the events. */
    if (!(code = store_path(path, state, f->file[0].name)))
        code = pin(path, &first);
    if (!code && f->n > 1 && !(code = store_path(path, state, f->file[f->n - 1].name)))
        code = pin(path, &last);
    for (uint32_t i = 0; !code && i < f->n; i++) {
        struct store_file *file = &f->file[i];

        if (i && i + 1 < f->n && gone(state, file->name))
            continue;
        code = copy_one(state, part, file, !i ? first : i + 1 == f->n ? last : NULL);
        if (code || file->format)
            f->file[kept++] = *file;
    }
    if (!code)
        f->n = kept;
    sqlite3_close(first);
    sqlite3_close(last);
    return code;
}

static int pack(const char *part, const char *target)
{
    char file[STORE_PATH + 8];
    const char *argv[] = {"tar", "--create", "--file", file, "--directory", part, "--owner=0", "--group=0", ".", NULL};
    int code;

    snprintf(file, sizeof file, "%s.part", target);
    if ((code = run_program(argv)) ||
        (chmod(file, 0600) && (code = store_fail(CLI_FAILED, "%s: %s", file, strerror(errno)))))
        return code;
    if (rename(file, target))
        return store_fail(CLI_FAILED, "%s: %s", target, strerror(errno));
    folder_remove(part);
    return CLI_OK;
}

/* What is half done is named TARGET.part, never TARGET. */
static int complete(const char *part, const char *target, const struct store_files *f)
{
    int code = manifest_write(f, part);

    if (!code)
        code = folder_sync(part);
    if (!code && is_tar(target))
        return pack(part, target);
    if (!code && rename(part, target))
        code = store_fail(CLI_FAILED, "%s: %s", target, strerror(errno));
    return code;
}

int cmd_store_backup(const struct cli *c, char *const *args)
{
    const char *state = c->option[O_STATE] ? c->option[O_STATE] : ECYBER_STATEDIR "/store",
               *url = store_url(c->option[O_URL]);
    struct store_files f = {NULL, 0};
    char part[STORE_PATH], target[STORE_PATH - 16];
    uint64_t bytes = 0;
    struct stat st;
    int code = CLI_OK, n = snprintf(target, sizeof target, "%s", args[0]);

    while (n > 1 && n < (int)sizeof target && target[n - 1] == '/')
        target[--n] = '\0';
    if (n < 1 || n >= (int)sizeof target)
        return store_fail(CLI_USAGE, "the name of the backup is empty or too long");
    if (!lstat(target, &st))
        return store_fail(CLI_REFUSED, "%s is there already: a backup replaces nothing", target);
    snprintf(part, sizeof part, "%s.part%s", target, is_tar(target) ? ".d" : "");
    folder_remove(part); /* of an earlier one that was cut short */
    if (mkdir(part, 0700))
        return store_fail(CLI_FAILED, "%s: %s", part, strerror(errno));
    code = url ? store_pg_backup(url, part, &f) : copy_all(state, part, &f);
    if (!code)
        code = complete(part, target, &f);
    if (code)
        folder_remove(part);
    for (uint32_t i = 0; !code && i < f.n; i++)
        bytes += f.file[i].bytes;
    if (!code)
        printf("%s: %u files, %llu bytes\n", target, f.n, (unsigned long long)bytes);
    store_files_free(&f);
    return code ? code : print_end();
}
