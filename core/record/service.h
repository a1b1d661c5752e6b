/* service.h: ec.json/1 on any host: the daemon offers it to plugins, and tests give it to theirs. */
#ifndef RECORD_SERVICE_H
#define RECORD_SERVICE_H
#define EC_API_LEVEL 1
#include <ecyber/ext/json.h>

struct record_service;
extern const struct ec_json record_json; /* the service; its self is what record_service_new() gave */

struct record_service *record_service_new(const struct ec_host *h); /* NULL: out of memory. h: [keep] */
void record_service_free(struct record_service *s);
/* Topics were declared anew: forget what stood for the old ones. Nobody else is in the service. */
void record_service_reset(struct record_service *s);

#endif
