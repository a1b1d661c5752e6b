/* meta.h: what is known of one file: kind, size, mode, owner, times, and the SHA-256 of its content. */
#ifndef FIM_META_H
#define FIM_META_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct meta {
    char type;                      /* f: file, l: symbolic link, d: folder, o: anything else; 0: there is none */
    bool hashed;
    uint32_t mode, uid, gid;        /* mode: the lower 12 bits */
    uint64_t size, mtime_ns, ctime_ns;
    uint8_t sha256[32];             /* of a link: of the path that it names */
};
enum { META_SAME, META_MODIFIED, META_ATTRIBUTES, META_CREATED, META_DELETED };

struct pace {                       /* how fast files are read */
    uint64_t rate, most;            /* bytes a second; files above `most` bytes are not read */
    const atomic_bool *stop;        /* true: give up at once */
};

/* 0: it is read, or there is none (type 0); else an errno: it cannot be looked at, *to is as it was. A file that may not
 * be read, is too large or changes meanwhile is not hashed. known: what was there the last time; where size and both times
 * are the same, its hash is taken. */
int meta_read(const char *path, const struct meta *known, const struct pace *p, struct meta *to);
/* META_*: what has happened between the two. Of folders only mode and owner count. */
uint32_t meta_compare(const struct meta *before, const struct meta *after);

#endif
