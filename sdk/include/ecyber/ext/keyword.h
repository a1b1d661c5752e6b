/* keyword.h: ec.keyword/1, rule keywords of other plugins. STATUS: draft 1.
 * A service of the rule engine. Buffers need no keyword: any parser's buffers are sticky buffers at once. */
#ifndef EC_EXT_KEYWORD_H
#define EC_EXT_KEYWORD_H
#include "traffic.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_KEYWORD_ID "ec.keyword/1-draft.1"

enum { EC_KW_PACKET = 1 /* looks at a packet and its flow */, EC_KW_FLOW = 2 /* at the flow alone */ };

struct ec_keyword {                 /* static */
    uint32_t size, kind;            /* EC_KW_* */
    const char *name, *help;        /* "geoip" */
    /* [cfg] Compile the value of `name:VALUE;` ("" without one). On error write a sentence to err (n bytes). */
    int32_t (*compile)(void *self, const char *value, void **out, char *err, uint32_t n);
    void (*free)(void *self, void *kw);                                     /* [cfg] */
    /* [wrk] 1: it matches. st: the owner's current state. p is NULL only for EC_KW_FLOW. */
    int32_t (*match)(void *self, void *w, const void *st, const void *kw, struct ec_flow *f, struct ec_packet *p);
};

struct ec_keywords {
    uint32_t size, reserved;
    int32_t (*add)(void *self, const struct ec_host *h, const struct ec_keyword *k, void *kw_self);   /* [ctl] setup */
};

#ifdef __cplusplus
}
#endif
#endif
