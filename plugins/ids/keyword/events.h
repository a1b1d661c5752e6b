/* events.h: names of anomalies as rules use them: the nearest ones to a wrong one, and those that rules of Suricata ask
 * for though nothing raises them here. */
#ifndef IDS_KEYWORD_EVENTS_H
#define IDS_KEYWORD_EVENTS_H
#include "plugins/ids/rule/lexer.h"

struct event_near { struct token wanted; uint32_t n, distance[3]; const char *name[3]; };   /* the nearest first */

/* near->wanted is set. Names stay the caller's. */
void events_near_try(struct event_near *near, const char *name);
void events_near_print(const struct event_near *near, char *out, size_t room);  /* "'a', 'b'" */

/* Suricata knows the name, and nothing raises it here: why. NULL: it is no name of Suricata's either. kind: EC_ANOMALY_*;
 * prefix: "tls.", of a protocol. */
const char *events_silent(uint32_t kind, const char *prefix, struct token name);

#endif
