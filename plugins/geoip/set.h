/* set.h: the databases of one configuration, in order, shared by reference and never changed: a new file makes a new
 * set, which keeps the databases whose files are as they were. */
#ifndef GEOIP_SET_H
#define GEOIP_SET_H
#include "plugins/geoip/database.h"

#define SET_MAX 16u

/* What is known of an address: of each field, what the first database says that has it. */
struct found {
    const struct place *place[2];   /* of the country and continent, of the network; NULL: unknown */
    const char *org;                /* place[1]->org_len bytes, NULL: unknown */
};

struct set;
typedef void set_say_fn(void *arg, const char *sentence);
struct set_source {
    const char *const *path;
    uint32_t n;                     /* at most SET_MAX */
    uint64_t max;                   /* bytes of a file */
    set_say_fn *say;                /* [the caller's] what is wrong with a file */
    void *say_arg;
};
/* old: may be NULL. A file that cannot be read any more: with keep_missing, or where it is there but damaged, the old
 * one's database stays in use. NULL: out of memory. Blocks. */
struct set *set_open(const struct set_source *s, const struct set *old, bool keep_missing);
struct set *set_ref(struct set *s);
void set_unref(struct set *s);      /* NULL is nothing */
/* Has a file changed since it was last tried? Looks at their metadata only. */
bool set_changed(const struct set *s, const struct set_source *from);
uint32_t set_count(const struct set *s);                /* databases that are in use */
uint64_t set_bytes(const struct set *s);
uint32_t set_bad(const struct set *s);                  /* damaged records in them */
uint32_t set_failed(const struct set *s);               /* files that could not be read when it was made */
/* [any] false: nothing known, or an address that is nobody's (loopback, multicast …). *bad: damaged places met. */
bool set_find(const struct set *s, const uint8_t *addr16, struct found *f, uint32_t *bad);

#endif
