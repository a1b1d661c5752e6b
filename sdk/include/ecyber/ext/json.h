/* json.h: ec.json/1, records as JSON and back. STATUS: draft 1.
 * The daemon itself offers it; a sink, a store or an API needs no second list of fields. What comes out is what eve.json
 * holds: from the rows of the tables, nothing else. */
#ifndef EC_EXT_JSON_H
#define EC_EXT_JSON_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_JSON_ID "ec.json/1-draft.1"

enum {
    EC_JSON_SECRETS = 1,            /* write: EC_R_SECRET rows as they are, for what stays in a file of ours; else "***" */
    EC_JSON_COERCE = 2,             /* read: text stands for numbers and truth values, as in a query string */
    EC_JSON_PARTIAL = 4,            /* read: what is missing is no error and takes no default (PATCH) */
    EC_JSON_LAX = 16,               /* read: as pydantic 2 without strict: "12" for 12, "yes" or 1 for true, true for 1 */
    EC_JSON_LISTS = 8               /* part(): a list or map stands there though it is empty, unless its bit is not set */
};

/* A record's table, compiled; the host keeps it for the run. */
struct ec_shape;

/* One thing that is wrong in a document, as pydantic 2 says it. at: "ports.0", "": the whole; type: "missing",
 * "int_parsing"; msg: "Field required"; input: its JSON, NULL: null, longer than 4 KiB, or of a record with secrets; ctx: a
 * JSON object such as {"le":5}, NULL: none. Of one document 100 errors at most are told. What is no JSON at all is one
 * error "json_invalid", whose `at` is the byte where it stands ("12"). */
typedef void ec_json_error_fn(void *arg, const char *at, const char *type, const char *msg, const char *input,
                              const char *ctx);

struct ec_json {
    uint32_t size, reserved;
    /* [any] The shape of a table; the same pointer gives the same shape. NULL: out of memory or nested too deep. */
    const struct ec_shape *(*shape)(void *self, const struct ec_record *r);
    /* [any] after setup(). An event as one JSON object, without a newline. Writes at most cap bytes into `to` and returns
     * the length of the whole: where that is over cap, `to` is cut and the call is to be repeated with more room.
     * *bad (may be NULL): 1 where something malformed was left out. Negative: EC_ENOMEM, EC_EINVAL (no record in it). */
    int64_t (*event)(void *self, const struct ec_event *ev, uint32_t flags, char *to, uint64_t cap, uint32_t *bad);
    /* [any] A part alone, as an object. Otherwise as event(). */
    int64_t (*part)(void *self, const struct ec_shape *s, const struct ec_part *p, uint32_t flags, char *to, uint64_t cap);
    /* [any] A JSON object (RFC 8259, nothing after it, 32 levels) into a part in to[0…cap), 8-aligned: defaults filled in,
     * types, ranges and lengths checked (of text: in characters), an unknown key is an error. A row must be given unless it
     * is EC_R_OPT (null: absent), has a default, or is a list or map (then it is empty). DURATION and SIZE: a number is ns or
     * bytes, as part() writes it, a text is what an option takes ("90s", "64MiB"). A NAME must be known already. What part()
     * writes is read back as the same with EC_JSON_PARTIAL. error() (NULL: nobody) is called for each thing that is wrong.
     * EC_OK; EC_EINVAL: error() was called; EC_ELIMIT: cap is too small. */
    int32_t (*read)(void *self, const struct ec_shape *s, const char *json, uint64_t len, uint32_t flags,
                    struct ec_part *to, uint32_t cap, ec_json_error_fn *error, void *arg);
};

#ifdef __cplusplus
}
#endif
#endif
