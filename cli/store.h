/* store.h: a backup of what the store keeps: a folder, or a tar file, with copies of its databases and MANIFEST.json,
 * which says of each how long it is, its SHA-256, and its format. */
#ifndef CLI_STORE_H
#define CLI_STORE_H
#include "cli/cli.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_PATH     4096
#define STORE_MANIFEST "MANIFEST.json"
#define STORE_DUMP     "postgresql.dump"

struct store_file {
    char name[64]; /* "documents.db", "events-20261122-1.db", STORE_DUMP */
    uint64_t bytes;
    char sha256[65];
    int format;
};
struct store_files {
    struct store_file *file;
    uint32_t n;
};

/* Errors go to stderr as a sentence; 0, or an exit code of cli.h. */
int store_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int store_path(char to[STORE_PATH], const char *folder, const char *name);
/* One more, zeroed but its name; NULL: out of memory, or no name of ours. */
struct store_file *store_files_add(struct store_files *f, const char *name);
void store_files_free(struct store_files *f);
/* The databases of a folder, documents first, then events by age. */
int store_files_list(struct store_files *f, const char *folder);

int manifest_write(const struct store_files *f, const char *folder);
int manifest_read(struct store_files *f, const char *folder, const char *shown);

/* Copies a file, or reads it alone (to NULL), and takes its length and SHA-256; it is on disk then. */
int file_copy(const char *from, const char *to, mode_t mode, uint64_t *bytes, char sha256[65]);
int folder_sync(const char *path);
void folder_remove(const char *path); /* with all that is in it; also /proc/self/fd/N, but for the folder itself */
int is_tar(const char *path);
/* Runs a program of PATH and waits for it. */
int run_program(const char *const *argv);

/* PostgreSQL: its variables for pg_dump and pg_restore from an URL, so that no password stands on a command line. */
int store_pg_backup(const char *url, const char *folder, struct store_files *f);
int store_pg_restore(const char *url, const char *dump, int force);
/* --url, else SQLALCHEMY_DATABASE_URL or DATABASE_URL; NULL: SQLite files. */
const char *store_url(const char *option);

#endif
