/* store.h: ec.store/1, documents and event streams that survive a restart. STATUS: draft 1.
 * One plugin implements it. Event streams need no call: a store subscribes to every topic and writes what the tables
 * say; this service is for documents and for reading streams back. Calls may block: use it on [pool] or [sub] of an
 * own thread. */
#ifndef EC_EXT_STORE_H
#define EC_EXT_STORE_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_STORE_ID "ec.store/1-draft.1"

struct ec_kind {                    /* a kind of document, static */
    uint32_t size, version;         /* version: of its shape; a store migrates older ones by `migrate` */
    const char *name;               /* "users" */
    const struct ec_record *record; /* its struct starts with struct ec_part, like an event's part 0 */
};

struct ec_filter {                  /* column OP value, all of them joined by AND */
    uint32_t size, op;              /* EC_F_* */
    const char *column, *value;     /* bound, never pasted into a statement */
};
enum { EC_F_EQ = 1, EC_F_NE = 2, EC_F_LT = 3, EC_F_GT = 4, EC_F_IN_CIDR = 5, EC_F_MATCH = 6 /* full text */ };

typedef int32_t ec_store_row_fn(void *arg, uint64_t id, uint64_t version, const struct ec_part *p);  /* 0: go on */

struct ec_store {
    uint32_t size, reserved;
    int32_t (*kind)(void *self, const struct ec_kind *k, uint32_t *kind);               /* [ctl] setup; k: [keep] */
    /* Write a document. id 0: a new one, *id is set. version 0: whatever it is; else EC_EAGAIN where somebody else has
     * changed it meanwhile. EC_OK means that it is on disk. */
    int32_t (*put)(void *self, uint32_t kind, uint64_t *id, uint64_t version, const struct ec_part *p);
    int32_t (*del)(void *self, uint32_t kind, uint64_t id, uint64_t version);
    /* The part is valid within fn. EC_ENOENT: no such document. */
    int32_t (*get)(void *self, uint32_t kind, uint64_t id, ec_store_row_fn *fn, void *arg);
    /* Documents by filter in the order of their ids, behind `after`, at most `limit`. EC_EINVAL: unknown column. */
    int32_t (*find)(void *self, uint32_t kind, const struct ec_filter *f, uint32_t n, uint64_t after, uint32_t limit,
                    ec_store_row_fn *fn, void *arg);
};

#ifdef __cplusplus
}
#endif
#endif
