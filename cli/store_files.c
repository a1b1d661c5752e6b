/* The files of a backup: their list, their manifest, and how they are copied. */
#include "buildconf.h"

#include "cli/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <json-c/json.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MANIFEST_MAX     (16 << 20)
#define MANIFEST_VERSION 1

int store_fail(int code, const char *fmt, ...)
{
    va_list ap;

    fputs("ecyberctl: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return code;
}

int store_path(char to[STORE_PATH], const char *folder, const char *name)
{
    int n = snprintf(to, STORE_PATH, "%s/%s", folder, name);

    return n > 0 && n < STORE_PATH ? CLI_OK : store_fail(CLI_USAGE, "%.64s…: the name is too long", folder);
}

/* Only names that the store itself gives, so that no backup leads elsewhere. */
static int name_known(const char *name)
{
    unsigned day, number;
    int end = -1;
    char again[64];

    if (!strcmp(name, "documents.db") || !strcmp(name, STORE_DUMP))
        return 1;
    if (sscanf(name, "events-%8u-%6u.db%n", &day, &number, &end) != 2 || end < 0 || name[end])
        return 0;
    snprintf(again, sizeof again, "events-%08u-%u.db", day, number);
    return !strcmp(name, again);
}

struct store_file *store_files_add(struct store_files *f, const char *name)
{
    struct store_file *grown = name_known(name) ? realloc(f->file, (f->n + 1) * sizeof *grown) : NULL;

    if (!grown)
        return NULL;
    f->file = grown;
    memset(&grown[f->n], 0, sizeof *grown);
    snprintf(grown[f->n].name, sizeof grown[f->n].name, "%s", name);
    return &grown[f->n++];
}

void store_files_free(struct store_files *f)
{
    free(f->file);
    f->file = NULL;
    f->n = 0;
}

/* documents.db, then events by day and number. */
static int by_age(const void *a, const void *b)
{
    unsigned day[2] = {0, 0}, number[2] = {0, 0};
    const struct store_file *const file[2] = {a, b};

    for (int i = 0; i < 2; i++)
        if (sscanf(file[i]->name, "events-%8u-%6u", &day[i], &number[i]) != 2)
            day[i] = 0;
    return day[0] != day[1] ? (day[0] > day[1]) - (day[0] < day[1]) : (number[0] > number[1]) - (number[0] < number[1]);
}

int store_files_list(struct store_files *f, const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    int code = CLI_OK;

    if (!d && errno == ENOENT)
        return CLI_OK;
    if (!d)
        return store_fail(CLI_FAILED, "%s: %s", folder, strerror(errno));
    while (!code && (e = readdir(d)))
        if (name_known(e->d_name) && strcmp(e->d_name, STORE_DUMP) && !store_files_add(f, e->d_name))
            code = store_fail(CLI_FAILED, "out of memory");
    closedir(d);
    if (f->n)
        qsort(f->file, f->n, sizeof *f->file, by_age);
    return code;
}

static struct json_object *text(const char *s)
{
    return json_object_new_string(s);
}

int manifest_write(const struct store_files *f, const char *folder)
{
    struct json_object *o = json_object_new_object(), *list = json_object_new_array();
    char path[STORE_PATH], stamp[32];
    time_t now = time(NULL);
    struct tm tm;
    int fd = -1, code;

    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    json_object_object_add(o, "format", text("ecyber-backup"));
    json_object_object_add(o, "version", json_object_new_int(MANIFEST_VERSION));
    json_object_object_add(o, "ecyber", text(PACKAGE_VERSION));
    json_object_object_add(o, "made", text(stamp));
    for (uint32_t i = 0; i < f->n; i++) {
        struct json_object *file = json_object_new_object();

        json_object_object_add(file, "name", text(f->file[i].name));
        json_object_object_add(file, "bytes", json_object_new_int64((int64_t)f->file[i].bytes));
        json_object_object_add(file, "sha256", text(f->file[i].sha256));
        json_object_object_add(file, "format", json_object_new_int(f->file[i].format));
        json_object_array_add(list, file);
    }
    json_object_object_add(o, "files", list);
    code = store_path(path, folder, STORE_MANIFEST);
    if (!code && ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0 ||
                  json_object_to_fd(fd, o, JSON_C_TO_STRING_PRETTY) || fsync(fd)))
        code = store_fail(CLI_FAILED, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    json_object_put(o);
    return code;
}

static const char *member_text(struct json_object *o, const char *key)
{
    struct json_object *v;

    return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string) ? json_object_get_string(v)
                                                                                             : "";
}

static int64_t member_number(struct json_object *o, const char *key)
{
    struct json_object *v;

    return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_int) ? json_object_get_int64(v)
                                                                                          : -1;
}

static int manifest_files(struct store_files *f, struct json_object *o, const char *shown)
{
    struct json_object *list;

    if (!json_object_object_get_ex(o, "files", &list) || !json_object_is_type(list, json_type_array) ||
        !json_object_array_length(list))
        return store_fail(CLI_FAILED, "%s: " STORE_MANIFEST " names no files", shown);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *o_file = json_object_array_get_idx(list, i);
        const char *name = member_text(o_file, "name"), *sum = member_text(o_file, "sha256");
        int64_t bytes = member_number(o_file, "bytes"), format = member_number(o_file, "format");
        struct store_file *file;

        if (bytes < 0 || format < 0 || format > INT32_MAX || strlen(sum) != 64)
            return store_fail(CLI_FAILED,
                              "%s: " STORE_MANIFEST " is no list of ours: entry %zu has no length, sum or format",
                              shown, i + 1);
        for (uint32_t k = 0; k < f->n; k++)
            if (!strcmp(f->file[k].name, name))
                return store_fail(CLI_FAILED, "%s: " STORE_MANIFEST " names %s twice", shown, name);
        if (!(file = store_files_add(f, name)))
            return store_fail(CLI_FAILED, "%s: " STORE_MANIFEST ": entry %zu has a name that no backup has", shown,
                              i + 1);
        file->bytes = (uint64_t)bytes;
        file->format = (int)format;
        memcpy(file->sha256, sum, sizeof file->sha256);
    }
    return CLI_OK;
}

int manifest_read(struct store_files *f, const char *folder, const char *shown)
{
    char path[STORE_PATH];
    struct json_object *o = NULL;
    struct stat st;
    int code = store_path(path, folder, STORE_MANIFEST);
    int64_t version;

    if (code)
        return code;
    if (stat(path, &st))
        return store_fail(CLI_FAILED, "%s is no whole backup: it has no " STORE_MANIFEST " (%s)", shown,
                          strerror(errno));
    if (st.st_size > MANIFEST_MAX || !(o = json_object_from_file(path)))
        return store_fail(CLI_FAILED, "%s: " STORE_MANIFEST " is broken: no JSON", shown);
    version = member_number(o, "version");
    if (strcmp(member_text(o, "format"), "ecyber-backup") || version < 1)
        code = store_fail(CLI_FAILED, "%s: " STORE_MANIFEST " is not of a backup", shown);
    else if (version > MANIFEST_VERSION)
        code =
            store_fail(CLI_FAILED, "%s has version %lld, and this eCyber knows up to %d: restore it with eCyber %.20s",
                       shown, (long long)version, MANIFEST_VERSION, member_text(o, "ecyber"));
    else
        code = manifest_files(f, o, shown);
    json_object_put(o);
    return code;
}

static int write_all(int fd, const char *s, size_t n)
{
    while (n) {
        ssize_t did = write(fd, s, n);

        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return -1;
        s += did;
        n -= (size_t)did;
    }
    return 0;
}

static int copy_bytes(int in, int out, EVP_MD_CTX *sum, uint64_t *bytes)
{
    static char room[1 << 20];
    ssize_t n;

    *bytes = 0;
    while ((n = read(in, room, sizeof room)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || !EVP_DigestUpdate(sum, room, (size_t)n) || (out >= 0 && write_all(out, room, (size_t)n)))
            return -1;
        *bytes += (uint64_t)n;
    }
    return fsync(out >= 0 ? out : in);
}

int file_copy(const char *from, const char *to, mode_t mode, uint64_t *bytes, char sha256[65])
{
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), out = -1, code = CLI_OK;

    if (in < 0)
        code = store_fail(CLI_FAILED, "%s: %s", from, strerror(errno));
    else if (to && (out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)) < 0)
        code = store_fail(CLI_FAILED, "%s: %s", to, strerror(errno));
    else if (!sum || !EVP_DigestInit_ex(sum, EVP_sha256(), NULL) || copy_bytes(in, out, sum, bytes) ||
             !EVP_DigestFinal_ex(sum, value, &n) || n != 32)
        code = store_fail(CLI_FAILED, "%s: %s", to ? to : from, errno ? strerror(errno) : "it cannot be summed up");
    for (unsigned i = 0; !code && i < n; i++)
        snprintf(sha256 + i * 2, 3, "%02x", value[i]);
    EVP_MD_CTX_free(sum);
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) && !code)
        code = store_fail(CLI_FAILED, "%s: %s", to, strerror(errno));
    return code;
}

int folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int bad = fd < 0 || fsync(fd);

    if (fd >= 0)
        close(fd);
    return bad ? store_fail(CLI_FAILED, "%s: %s", path, strerror(errno)) : CLI_OK;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type;
    if (at->level > 0)
        remove(path);
    return 0;
}

void folder_remove(const char *path)
{
    char inside[STORE_PATH];

    if (!store_path(inside, path, ".")) /* goes on into a link to a folder, and into no other */
        nftw(inside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    rmdir(path);
}

int is_tar(const char *path)
{
    size_t n = strlen(path);

    return n > 4 && !strcmp(path + n - 4, ".tar");
}

int run_program(const char *const *argv)
{
    union {
        const char *const *in;
        char *const *out;
    } words = {argv};
    int status = 0;
    pid_t pid = fork();

    if (!pid) {
        execvp(argv[0], words.out);
        fprintf(stderr, "ecyberctl: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
        return CLI_OK;
    return store_fail(CLI_FAILED, "%s did not do its work", argv[0]);
}
