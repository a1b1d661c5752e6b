/* store.h: ec.store/1, documents and event streams that survive a restart. STATUS: draft 2.
 * One plugin implements it. Event streams need no call to be written: a store subscribes to every topic and writes what
 * the tables say; this service reads them back, and keeps documents. Calls may block: use it on [pool], in start(), or on
 * [sub] of an own thread. */
#ifndef EC_EXT_STORE_H
#define EC_EXT_STORE_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_STORE_ID "ec.store/1-draft.2"

struct ec_kind {                    /* a kind of document, static */
    uint32_t size, version;         /* version: of its shape; rows are only ever appended */
    const char *name;               /* "users"; [a-z][a-z0-9_]{0,31} */
    const struct ec_record *record; /* its struct starts with struct ec_part, like an event's part 0 */
    const char *unique;             /* name of a row that no two documents share, NULL: none */
};

/* One condition; all of them are joined by AND. field: a row's dotted path ("alert.signature_id"; of a document its own
 * rows), a key of the head ("src_ip" "dest_ip" "src_port" "dest_port" "proto" "app_proto" "flow_id" "community_id"
 * "in_iface" "event_type" "id"), "ip" and "port" for either side. value: as it stands in the JSON, without quotes;
 * of an address also a CIDR; several, separated by commas, with EQ and NE. Bound, never pasted into a statement. */
struct ec_filter { uint32_t size, op; const char *field, *value; };
enum { EC_F_EQ = 1, EC_F_NE = 2, EC_F_LT = 3, EC_F_LE = 4, EC_F_GT = 5, EC_F_GE = 6, EC_F_HAS = 7 /* it is there */ };

#define EC_CURSOR_MAX 160           /* with its NUL */
enum { EC_QUERY_OLDEST_FIRST = 1 /* else newest first */ };
struct ec_query {                   /* of a stream */
    uint32_t size, flags;           /* EC_QUERY_* */
    const char *type;               /* an event_type, NULL: all */
    const struct ec_filter *filter;
    uint32_t n_filter, filter_stride;
    uint64_t since_ns, until_ns;    /* of the events' own time, [since, until); 0: no bound */
    const char *text;               /* words that all stand in it (full text), NULL: any */
    const char *cursor;             /* `next` of the page before, NULL: the first */
    uint32_t limit, reserved;       /* 1…1000 */
};
enum { EC_PAGE_PARTIAL = 1 /* time ran out, or a file cannot be read: there may be more rows, behind `next` too */ };
struct ec_page { uint32_t size, flags; char next[EC_CURSOR_MAX]; };      /* next: "" at the end */

/* One row; valid until it returns. Not 0 ends the call. */
typedef int32_t ec_store_event_fn(void *arg, uint64_t id, const char *json, uint32_t len);
typedef int32_t ec_store_count_fn(void *arg, const char *value, uint64_t n);
typedef int32_t ec_store_row_fn(void *arg, uint64_t id, uint64_t version, const struct ec_part *p);

struct ec_store {
    uint32_t size, reserved;
    /* [ctl] setup(); k: [keep]. EC_EEXIST: another plugin has a kind of this name. */
    int32_t (*kind)(void *self, const struct ec_host *h, const struct ec_kind *k, uint32_t *kind);
    /* Write a document. *id 0: a new one, and *id is set. version 0: whatever it is; else EC_EAGAIN where somebody else has
     * changed it meanwhile. EC_EEXIST: another has the same unique value. EC_OK means that it is on disk. */
    int32_t (*put)(void *self, uint32_t kind, uint64_t *id, uint64_t version, const struct ec_part *p);
    int32_t (*del)(void *self, uint32_t kind, uint64_t id, uint64_t version);
    /* The part is valid within fn. EC_ENOENT: no such document. */
    int32_t (*get)(void *self, uint32_t kind, uint64_t id, ec_store_row_fn *fn, void *arg);
    /* Documents by filter in the order of their ids, behind `after`, at most `limit`. EC_EINVAL: unknown field. */
    int32_t (*find)(void *self, uint32_t kind, const struct ec_filter *f, uint32_t n, uint64_t after, uint32_t limit,
                    ec_store_row_fn *fn, void *arg);

    /* Stored events, each as the JSON object that eve.json has, with "id" (as text: it has 63 bits) in front. why (n
     * bytes): a sentence for people where it returns EC_EINVAL (unknown field, a value of another type, a cursor of
     * another query); EC_EIO: the database cannot be read. */
    int32_t (*events)(void *self, const struct ec_query *q, ec_store_event_fn *fn, void *arg, struct ec_page *page,
                      char *why, uint32_t n);
    int32_t (*event)(void *self, uint64_t id, ec_store_event_fn *fn, void *arg);    /* EC_ENOENT */
    /* How often each value of a field occurs, the most frequent first, at most `top`; q->limit and q->cursor are not
     * used. page->flags as above. */
    int32_t (*count)(void *self, const struct ec_query *q, const char *field, uint32_t top, ec_store_count_fn *fn,
                     void *arg, struct ec_page *page, char *why, uint32_t n);
};

#ifdef __cplusplus
}
#endif
#endif
