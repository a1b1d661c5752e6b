/* search.h: the query string of a page of events as a query of ec.store/1. */
#ifndef HTTP_SEARCH_H
#define HTTP_SEARCH_H
#include "plugins/http/decode.h"
#include "plugins/http/pick.h"
#include "plugins/http/sdk.h"

#define SEARCH_LIMIT 100u           /* rows of a page where nobody says; at most SEARCH_LIMIT_MAX */
#define SEARCH_LIMIT_MAX 1000u
#define SEARCH_TOP 10u
#define SEARCH_SORTS "-timestamp,timestamp"     /* the first where nobody says */

typedef void search_error_fn(void *arg, const char *at, const char *type, const char *msg, const char *value,
                             const char *ctx);

struct search {
    struct ec_query q;              /* points into this struct and into the decoded fields */
    struct ec_filter filter[DECODE_FIELDS + 1];  /* one for the server itself */
    char field[DECODE_FIELDS][96];
    char by[96];                    /* EC_RT_COUNT */
    uint32_t top;
    struct pick pick;
};

/* error() for each field that is wrong or unknown. true: there was none. now_ns: for times such as "15m". */
bool search_read(struct search *s, const struct ec_host *h, const struct ec_route *r, const struct decode *d,
                 uint64_t now_ns, search_error_fn *error, void *arg);
/* RFC 3339, a date, seconds since 1970, or how long ago ("90s", "15m", "24h", "7d"). 0, or -1. */
int search_time(const char *text, uint64_t now_ns, uint64_t *ns);

#endif
