#include "plugins/geoip/database.h"

#include "plugins/geoip/records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define OPEN_SECONDS 20u            /* a file that takes longer is damaged: 60 MB take about one */

struct database {
    atomic_uint refs;
    uint32_t bits;                  /* of its addresses */
    struct records records;
    struct database_info info;
};

static struct version version_from(const struct stat *st)
{
    return (struct version){
        .dev = st->st_dev,
        .ino = st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec,
        .ctime_ns = (uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec,
    };
}

bool version_of(const char *path, struct version *v)
{
    struct stat st;

    if (stat(path, &st))
        return false;
    *v = version_from(&st);
    return true;
}

/* Copy until the end, at most max bytes. Returns the number, or −1 with errno (EFBIG: there is more). */
static int64_t copy(int from, int to, uint64_t max)
{
    static const size_t piece = 1 << 16;
    char *buffer = malloc(piece);
    uint64_t sum = 0;
    ssize_t n = buffer ? 0 : -1;

    while (buffer && (n = read(from, buffer, piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0 && (sum += (uint64_t)n) > max) {
            errno = EFBIG;
            n = -1;
        }
        if (n < 0)
            break;
        for (ssize_t done = 0, put; done < n; done += put)
            if ((put = write(to, buffer + done, (size_t)(n - done))) < 0) {
                free(buffer);
                return -1;
            }
    }
    free(buffer);
    return n < 0 ? -1 : (int64_t)sum;
}

/* A sealed copy of the file in memory; −1 and errno. */
static int memory_copy(const char *path, uint64_t max, struct version *v)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), to = -1, err;
    struct stat st;

    if (from < 0)
        return -1;
    if (fstat(from, &st)) {
        err = errno;
    } else if (!S_ISREG(st.st_mode)) {
        err = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    } else {
        *v = version_from(&st);
        to = memfd_create("geoip", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        err = to < 0 || copy(from, to, max) < 0 ||
              fcntl(to, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ? errno : 0;
    }
    close(from);
    if (err && to >= 0)
        close(to);
    errno = err;
    return err ? -1 : to;
}

static int memory_open(int fd, MMDB_s *db)
{
    char name[64];

    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return MMDB_open(name, MMDB_MODE_MMAP, db);
}

static uint64_t deadline(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return ((uint64_t)t.tv_sec + OPEN_SECONDS) * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What libmaxminddb does not check but relies on. */
static const char *metadata_check(const MMDB_s *db)
{
    if (db->metadata.ip_version != 4 && db->metadata.ip_version != 6)
        return "its metadata names neither IPv4 nor IPv6";
    if (!db->metadata.node_count)
        return "its search tree is empty";
    return NULL;
}

static struct database *database_new(const char *path, const MMDB_s *db, const struct version *v, char *why, uint32_t n)
{
    struct database *d = calloc(1, sizeof *d);
    const char *bad = d && (d->info.path = strdup(path)) ? metadata_check(db) : "there is no memory for it";

    if (!bad)
        bad = records_build(&d->records, db, deadline());
    if (bad) {
        snprintf(why, n, "%s: %s", path, bad);
        if (d)
            free((void *)(uintptr_t)d->info.path);
        free(d);
        return NULL;
    }
    atomic_init(&d->refs, 1);
    d->bits = db->metadata.ip_version == 6 ? 128 : 32;
    d->info.version = *v;
    d->info.bytes = records_bytes(&d->records);
    d->info.places = d->records.places - RECORDS_FIRST;
    d->info.bad = d->records.bad;
    return d;
}

struct database *database_open(const char *path, uint64_t max, bool *missing, char *why, uint32_t n)
{
    struct database *d;
    struct version v;
    MMDB_s db;
    int fd = memory_copy(path, max, &v), err;

    *missing = false;
    if (fd < 0) {
        *missing = errno == ENOENT;
        if (errno == EFBIG)
            snprintf(why, n, "%s: it is larger than geoip.max_size (%llu bytes)", path, (unsigned long long)max);
        else
            snprintf(why, n, "%s: %s", path, strerror(errno));
        return NULL;
    }
    memset(&db, 0, sizeof db);
    err = memory_open(fd, &db);
    close(fd);
    if (err) {
        snprintf(why, n, "%s: it is no MaxMind DB, or it is damaged: %s", path, MMDB_strerror(err));
        return NULL;
    }
    d = database_new(path, &db, &v, why, n);
    MMDB_close(&db);
    return d;
}

struct database *database_ref(struct database *d)
{
    atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
    return d;
}

void database_unref(struct database *d)
{
    if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
        return;
    records_free(&d->records);
    free((void *)(uintptr_t)d->info.path);
    free(d);
}

const struct database_info *database_info(const struct database *d)
{
    return &d->info;
}

enum lookup database_find(const struct database *d, const uint8_t *addr16, const struct place **p)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    const struct records *r = &d->records;
    uint32_t at;

    if (!memcmp(addr16, mapped, sizeof mapped))
        at = records_find4(r, addr16 + 12);
    else if (d->bits == 128)
        at = records_find6(r, addr16);
    else
        return LOOKUP_NONE;
    if (at < RECORDS_FIRST)
        return at == RECORDS_BAD ? LOOKUP_BAD : LOOKUP_NONE;
    *p = &r->place[at];
    return LOOKUP_FOUND;
}

const char *database_org(const struct database *d, const struct place *p)
{
    return p->org_len ? d->records.text + p->org : "";
}
