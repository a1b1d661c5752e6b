/* managed.h: what the API made of the rules: rules of its own, and which rules are switched on or off. A version of
 * all that is immutable and shared; a change makes the next one. As text it ends with a checksum, so that half a file
 * is none. */
#ifndef IDS_MANAGE_MANAGED_H
#define IDS_MANAGE_MANAGED_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANAGED_MAX         100000u             /* entries */
#define MANAGED_TEXT_MAX    16384u              /* bytes of a rule */
#define MANAGED_BYTES_MAX   ((size_t)128 << 20) /* of all as text */
#define MANAGED_BY_MAX      64u                 /* with its NUL */

enum managed_switch { SWITCH_NONE, SWITCH_ON, SWITCH_OFF };     /* NONE: as its file has it */

/* One rule, immutable. */
struct managed_rule {
    uint32_t refs;                  /* the list's business */
    uint32_t gid, sid;
    enum managed_switch turn;
    uint64_t version, at_ns;        /* version: of the whole, when it was changed last */
    char by[MANAGED_BY_MAX];        /* who did */
    uint32_t len;
    char text[];                    /* with a NUL behind it; len 0: a switch for a rule of a file, nothing else */
};

struct managed {
    uint32_t refs, n;
    uint64_t version;               /* +1 with each change */
    struct managed_rule *rule[];    /* by gid and sid */
};

struct managed *managed_new(void);              /* none, at version 0. NULL: out of memory */
struct managed *managed_hold(struct managed *m);
void managed_release(struct managed *m);        /* [any]; NULL is taken */
const struct managed_rule *managed_find(const struct managed *m, uint32_t gid, uint32_t sid);

struct managed_edit {
    uint32_t gid, sid;
    enum managed_switch turn;
    const char *text;               /* len bytes; len 0: none */
    uint32_t len;
    const char *by;
    uint64_t at_ns;
};
/* The next version, in which this entry stands in the place of the one with its gid and sid, or beside the others.
 * NULL: out of memory, or MANAGED_MAX are there. m stays. */
struct managed *managed_with(const struct managed *m, const struct managed_edit *e);
struct managed *managed_without(const struct managed *m, uint32_t gid, uint32_t sid);

/* As text, malloc'ed; NULL: out of memory or longer than MANAGED_BYTES_MAX. */
char *managed_write(const struct managed *m, size_t *len);
/* Back. NULL: a sentence stands in why, with the line where something is wrong; *newer: it is of a later format. */
struct managed *managed_read(const char *text, size_t len, bool *newer, char *why, size_t n);

#endif
