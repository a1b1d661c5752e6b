/* ecyberctl store restore: a backup becomes what the daemon starts with. All of it is copied beside the store's folder
 * and compared with its sums before anything that stands there is touched; what stood there is kept beside it. */
#include "cli/print.h"
#include "cli/store.h"
#include "plugins/store/format.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { O_STATE, O_URL, O_FORCE };
const struct cli_option store_restore_options[] = {
    {"state", "DIR", "the store's folder (" ECYBER_STATEDIR "/store)"},
    {"url", "URL", "PostgreSQL's, as in store.url; else SQLALCHEMY_DATABASE_URL or DATABASE_URL"},
    {"force", NULL, "also where something is kept there already; that is moved aside"},
    {NULL, NULL, NULL},
};

/* A running store holds a lock on its documents. */
static int in_use(const char *state)
{
    char path[STORE_PATH];
    struct stat st;
    sqlite3 *db = NULL;
    int rc;

    if (store_path(path, state, "documents.db") || stat(path, &st))
        return 0;
    rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
    if (!rc)
        rc = sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
    return (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED;
}

static int format_known(const struct store_file *f)
{
    if (!strcmp(f->name, STORE_DUMP))
        return f->format <= PG_VERSION_OURS;
    return f->format <= (strcmp(f->name, "documents.db") ? SEGMENT_VERSION : DOCUMENTS_VERSION);
}

/* Is it a backup for this database, of a format that is known? Said before much is copied. */
static int acceptable(const struct store_files *f, const char *shown, const char *url)
{
    for (uint32_t i = 0; i < f->n; i++) {
        if (!format_known(&f->file[i]))
            return store_fail(CLI_REFUSED,
                              "%s: %s has format %d, which this eCyber does not know: install the newer eCyber "
                              "that made it",
                              shown, f->file[i].name, f->file[i].format);
        if (!strcmp(f->file[i].name, STORE_DUMP) != (url != NULL))
            return store_fail(CLI_REFUSED,
                              url ? "%s holds SQLite files, and --url names PostgreSQL"
                                  : "%s is of PostgreSQL: name the database with --url",
                              shown);
    }
    return CLI_OK;
}

/* One file beside the store's folder, compared with what the manifest says. */
static int take_one(const char *from, const char *staged, const struct store_file *f, const char *shown)
{
    char source[STORE_PATH], to[STORE_PATH], sum[65] = "";
    struct stat st;
    uint64_t bytes = 0;
    int code = store_path(source, from, f->name);

    if (!code && (lstat(source, &st) || !S_ISREG(st.st_mode)))
        return store_fail(CLI_FAILED, "%s is broken: %s is missing", shown, f->name);
    if (!code && (uint64_t)st.st_size != f->bytes)
        return store_fail(CLI_FAILED, "%s is broken: %s has %lld bytes, and " STORE_MANIFEST " says %llu: it is %s",
                          shown, f->name, (long long)st.st_size, (unsigned long long)f->bytes,
                          (uint64_t)st.st_size < f->bytes ? "cut off" : "too long");
    if (!code)
        code = store_path(to, staged, f->name);
    if (!code) /* from a tar it is where it shall be */
        code = file_copy(source, strcmp(from, staged) ? to : NULL, 0600, &bytes, sum);
    if (!code && (bytes != f->bytes || strcmp(sum, f->sha256)))
        code = store_fail(
            CLI_FAILED,
            "%s is broken: the bytes of %s are not those that were written (SHA-256 %.12s…, and " STORE_MANIFEST
            " says %.12s…)",
            shown, f->name, sum, f->sha256);
    return code;
}

static int unpack(const char *file, const char *to)
{
    const char *argv[] = {
        "tar", "--extract", "--file", file, "--directory", to, "--no-same-owner", "--no-same-permissions", NULL};

    return run_program(argv) ? store_fail(CLI_FAILED, "%s is broken: it is no whole tar file", file) : CLI_OK;
}

static int take_all(const char *from, const char *staged, struct store_files *f, const char *url)
{
    const char *source = is_tar(from) ? staged : from;
    int code = is_tar(from) ? unpack(from, staged) : CLI_OK;

    if (!code)
        code = manifest_read(f, source, from);
    if (!code)
        code = acceptable(f, from, url);
    for (uint32_t i = 0; !code && i < f->n; i++)
        code = take_one(source, staged, &f->file[i], from);
    return code;
}

static int move(const char *from, const char *to, const char *name)
{
    char source[STORE_PATH], target[STORE_PATH];
    int code = store_path(source, from, name);

    if (!code)
        code = store_path(target, to, name);
    if (!code && rename(source, target) && errno != ENOENT)
        code = store_fail(CLI_FAILED, "%s cannot become %s: %s", source, target, strerror(errno));
    return code;
}

/* What stands there goes beside, with its journals. */
static int move_aside(const char *state, const struct store_files *old)
{
    static const char *const suffix[] = {"", "-wal", "-shm", "-journal"};
    char aside[STORE_PATH], stamp[32];
    time_t now = time(NULL);
    struct tm tm;
    int code = CLI_OK;

    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    if (snprintf(aside, sizeof aside, "%s.before-%s", state, stamp) >= (int)sizeof aside || mkdir(aside, 0700))
        return store_fail(CLI_FAILED, "%s: %s", aside, strerror(errno));
    for (uint32_t i = 0; i < old->n; i++)
        for (int k = 0; !code && k < 4; k++) {
            char name[80];

            snprintf(name, sizeof name, "%s%s", old->file[i].name, suffix[k]);
            code = move(state, aside, name);
        }
    if (!code)
        printf("what stood in %s is in %s\n", state, aside);
    return code;
}

/* The daemon's user shall read and write it: whoever has the folder, or the one above where it is new. */
static int hand_over(const char *staged, const char *state, const struct store_files *f)
{
    char above[STORE_PATH], path[STORE_PATH];
    struct stat owner;
    int code = CLI_OK, made = 0;

    if (stat(state, &owner)) {
        snprintf(above, sizeof above, "%s/..", state);
        if (mkdir(state, 0700) || stat(above, &owner) || (!geteuid() && lchown(state, owner.st_uid, owner.st_gid)))
            return store_fail(CLI_FAILED, "%s: %s", state, strerror(errno));
        made = 1;
    }
    for (uint32_t i = 0; !code && i < f->n; i++) {
        mode_t mode = strcmp(f->file[i].name, "documents.db") ? 0640 : 0600;

        if ((code = store_path(path, staged, f->file[i].name)))
            break;
        if (chmod(path, mode) || (!geteuid() && lchown(path, owner.st_uid, owner.st_gid)))
            code = store_fail(CLI_FAILED, "%s: %s", path, strerror(errno));
        if (!code)
            code = move(staged, state, f->file[i].name);
    }
    if (!code)
        code = folder_sync(state);
    if (code && made)
        rmdir(state);
    return code;
}

static int into_files(const char *staged, const char *state, const struct store_files *f, int force)
{
    struct store_files old = {NULL, 0};
    int code = store_files_list(&old, state);

    if (!code && old.n && !force)
        code = store_fail(CLI_REFUSED, "%s holds %u files of a store: --force moves them aside", state, old.n);
    if (!code && old.n)
        code = move_aside(state, &old);
    if (!code)
        code = hand_over(staged, state, f);
    store_files_free(&old);
    return code;
}

static int into_postgresql(const char *staged, const char *url, int force)
{
    char dump[STORE_PATH];
    int code = store_path(dump, staged, STORE_DUMP);

    return code ? code : store_pg_restore(url, dump, force);
}

/* A folder of our own at `path` (…XXXXXX), and in `staged` a name that stays its own. The folder above may be the
 * daemon's user's, who could put another in its place while root fills it. -1: see errno. */
static int stage(char *path, char staged[64])
{
    int fd = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) : -1;
    struct stat st;

    if (fd >= 0 && (fstat(fd, &st) || st.st_uid != geteuid() || st.st_mode & 077)) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    snprintf(staged, 64, "/proc/self/fd/%d", fd); /* tar has the descriptor too */
    return fd;
}

int cmd_store_restore(const struct cli *c, char *const *args)
{
    const char *state = c->option[O_STATE] ? c->option[O_STATE] : ECYBER_STATEDIR "/store",
               *url = store_url(c->option[O_URL]);
    struct store_files f = {NULL, 0};
    char path[STORE_PATH], staged[64];
    int code = CLI_OK, fd, force = c->option[O_FORCE] != NULL, n = (int)strlen(state);

    while (n > 1 && state[n - 1] == '/')
        n--;
    if (snprintf(path, sizeof path, "%.*s.restore-XXXXXX", n, state) >= (int)sizeof path)
        return store_fail(CLI_USAGE, "%.64s…: the name is too long", state);
    if (!url && in_use(state))
        return store_fail(CLI_REFUSED, "%s is in use: stop the daemon first", state);
    if (url)
        strcpy(path, "/var/tmp/ecyber-restore-XXXXXX");
    if ((fd = stage(path, staged)) < 0)
        return store_fail(CLI_FAILED, "%s: %s", path, strerror(errno));
    code = take_all(args[0], staged, &f, url);
    if (!code)
        code = url ? into_postgresql(staged, url, force) : into_files(staged, state, &f, force);
    folder_remove(staged);
    close(fd);
    rmdir(path);
    if (!code)
        printf("%s is restored: %u files\n", args[0], f.n);
    store_files_free(&f);
    return code ? code : print_end();
}
