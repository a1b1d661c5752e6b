#include "plugins/fim/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (256u << 10)

static uint64_t ns(struct timespec t)
{
    return t.tv_sec > 0 ? (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec : 0;
}

static struct meta of_stat(const struct stat *s)
{
    char type = S_ISREG(s->st_mode) ? 'f' : S_ISLNK(s->st_mode) ? 'l' : S_ISDIR(s->st_mode) ? 'd' : 'o';

    return (struct meta){ .type = type, .mode = s->st_mode & 07777, .uid = s->st_uid, .gid = s->st_gid, .size = (uint64_t)s->st_size,
                          .mtime_ns = ns(s->st_mtim), .ctime_ns = ns(s->st_ctim) };
}

static bool same_times(const struct meta *a, const struct meta *b)
{
    return a->type == b->type && a->size == b->size && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

static void wait_for(const struct pace *p, uint64_t bytes)
{
    uint64_t t = p->rate ? bytes * UINT64_C(1000000000) / p->rate : 0;
    struct timespec ts = { (time_t)(t / 1000000000u), (long)(t % 1000000000u) };

    if (t)
        nanosleep(&ts, NULL);
}

static bool content(int fd, const struct pace *p, uint8_t sha256[32])
{
    uint8_t *buffer = malloc(CHUNK);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good = buffer && md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
    uint64_t sum = 0;
    ssize_t n = 0;

    while (good && !atomic_load(p->stop) && sum <= p->most && (n = read(fd, buffer, CHUNK)) > 0) {
        good = EVP_DigestUpdate(md, buffer, (size_t)n) == 1;
        sum += (uint64_t)n;
        if (n == CHUNK)
            wait_for(p, CHUNK);
    }
    good = good && !n && !atomic_load(p->stop) && EVP_DigestFinal_ex(md, sha256, NULL) == 1;
    EVP_MD_CTX_free(md);
    free(buffer);
    return good;
}

/* Only what was looked at before: neither another file at the same path, nor one that changes meanwhile. */
static void hash_file(const char *path, const struct pace *p, struct meta *m, const struct stat *before)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat s;
    struct meta after;

    if (fd < 0)
        return;
    if (!fstat(fd, &s) && s.st_ino == before->st_ino && s.st_dev == before->st_dev && content(fd, p, m->sha256) &&
        !fstat(fd, &s)) {
        after = of_stat(&s);
        m->hashed = same_times(m, &after);
    }
    close(fd);
}

static void hash_link(const char *path, struct meta *m)
{
    char to[PATH_MAX];
    ssize_t n = readlink(path, to, sizeof to);

    m->hashed = n >= 0 && EVP_Digest(to, (size_t)n, m->sha256, NULL, EVP_sha256(), NULL) == 1;
}

int meta_read(const char *path, const struct meta *known, const struct pace *p, struct meta *to)
{
    struct stat s;
    struct meta m;

    if (lstat(path, &s)) {
        if (errno != ENOENT && errno != ENOTDIR)
            return errno;
        *to = (struct meta){ 0 };
        return 0;
    }
    m = of_stat(&s);
    if (known->hashed && same_times(known, &m)) {
        m.hashed = true;
        memcpy(m.sha256, known->sha256, sizeof m.sha256);
    } else if (m.type == 'f' && m.size <= p->most) {
        hash_file(path, p, &m, &s);
    } else if (m.type == 'l') {
        hash_link(path, &m);
    }
    *to = m;
    return 0;
}

uint32_t meta_compare(const struct meta *before, const struct meta *after)
{
    if (!before->type || !after->type)
        return !before->type && !after->type ? META_SAME : before->type ? META_DELETED : META_CREATED;
    if (before->type != after->type)
        return META_MODIFIED;
    if (before->type == 'f' || before->type == 'l') {
        if (before->hashed && after->hashed ? memcmp(before->sha256, after->sha256, 32) != 0
                                            : before->size != after->size || before->mtime_ns != after->mtime_ns)
            return META_MODIFIED;
        if (before->mtime_ns != after->mtime_ns)
            return META_ATTRIBUTES;
    }
    return before->mode != after->mode || before->uid != after->uid || before->gid != after->gid ? META_ATTRIBUTES
                                                                                                : META_SAME;
}
