/* topic.h: the registry of topics. Ids count from 1 in the order of declaration and never change.
 */
#ifndef CORE_TOPIC_H
#define CORE_TOPIC_H
#include <stdint.h>
struct ec_topic;
struct instance;

/* Checks the rows (types, offsets within the struct, names, duplicate names, duplicate roots) and
 * enters the topic. 0, or EC_E* with a sentence in why. [ctl] */
int topic_declare(struct instance *owner, const struct ec_topic *t, uint32_t *id, char *why,
                  uint32_t n);
uint32_t topic_count(void);
const struct ec_topic *topic_get(uint32_t id);      /* NULL: none. [any] after setup */
uint32_t topic_find(const char *name);              /* 0: none */
struct instance *topic_owner(uint32_t id);
void topic_reset(void);                             /* forget all, for tests */

#endif
