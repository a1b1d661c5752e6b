/* alert.h: ec.alert/1, the record of an alert. STATUS: draft 1.
 * The rule engine declares the topic; whoever else finds something that deserves an alert publishes into it under a gid
 * of its own, so that every sink, filter and page that knows alerts knows these. Find the topic once, in start(): it is
 * there when the rule engine is loaded and topic->record->bytes is at least sizeof(struct ec_alert).
 *
 * gid 1: rules; gid 3: scores of trained models. Plugins of others take 1000 and above. */
#ifndef EC_EXT_ALERT_H
#define EC_EXT_ALERT_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_ALERT_TOPIC "ec.alert/1"

enum { EC_ALERT_ALLOWED = 0, EC_ALERT_BLOCKED = 1 };                        /* ec_alert.action */
enum { EC_ALERT_METADATA = 1, EC_ALERT_ENDS = 2, EC_ALERT_PORTS = 4 };      /* bits of part.has */
enum { EC_ALERT_GID_RULE = 1, EC_ALERT_GID_SCORE = 3 };

struct ec_alert {
    struct ec_part part;
    uint32_t action, gid, sid, rev; /* EC_ALERT_ALLOWED, …; gid:sid:rev name what fired */
    uint32_t severity, reserved;    /* 1 is the most severe */
    struct ec_span signature, category;     /* a sentence that is the same each time; a class */
    struct ec_list metadata;        /* of struct ec_pair */
    uint8_t source_ip[16], target_ip[16];   /* who attacks whom, with EC_ALERT_ENDS */
    uint16_t source_port, target_port;      /* with EC_ALERT_PORTS */
    uint32_t pad;
};

/* The topic's id where alerts of this shape can be published, 0: nobody declared it. [any] after setup(). */
static inline uint32_t ec_alert_topic(const struct ec_host *h)
{
    uint32_t id = h->topic_find(h, EC_ALERT_TOPIC);
    const struct ec_topic *t = id ? h->topic_get(h, id) : NULL;

    return t && t->record->bytes >= sizeof(struct ec_alert) ? id : 0;
}

#ifdef __cplusplus
}
#endif
#endif
