/* database.h: one MaxMind DB file (version 2 of the format) in memory, read-only, shared by reference.
 *
 * libmaxminddb maps what it opens, and a mapped file that is cut in place is a SIGBUS. So the file is copied into a
 * memfd, which is sealed, and libmaxminddb opens that. It reads every node and record once, into a tree of our own that
 * look-ups walk (124 instructions for IPv4, where MMDB_lookup_sockaddr() and one
 * MMDB_get_value() take 1,100); then the copy is let go. */
#ifndef GEOIP_DATABASE_H
#define GEOIP_DATABASE_H
#include "plugins/geoip/place.h"

#include <sys/stat.h>

/* What tells one version of a file from another. */
struct version { uint64_t dev, ino, size, mtime_ns, ctime_ns; };

struct database;
struct database_info {
    const char *path;
    struct version version;
    uint64_t bytes;                 /* of memory */
    uint32_t places, bad;           /* records that say something; that are damaged */
};

/* false: there is no such file (errno). [any] */
bool version_of(const char *path, struct version *v);

/* NULL, and why is a sentence: the file is missing (*missing), larger than max bytes, no MaxMind DB, damaged so that
 * its search tree or all of its records cannot be read, or has taken longer than 20 s. Blocks. */
struct database *database_open(const char *path, uint64_t max, bool *missing, char *why, uint32_t n);
struct database *database_ref(struct database *d);
void database_unref(struct database *d);        /* NULL is nothing */
const struct database_info *database_info(const struct database *d);

enum lookup { LOOKUP_NONE, LOOKUP_FOUND, LOOKUP_BAD /* something damaged */ };
/* [any] addr16: IPv4 mapped. No I/O, no lock. *p stays as long as the database. */
enum lookup database_find(const struct database *d, const uint8_t *addr16, const struct place **p);
/* The name of the organisation, place->org_len bytes. */
const char *database_org(const struct database *d, const struct place *p);

#endif
