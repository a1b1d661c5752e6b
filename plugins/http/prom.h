/* prom.h: metrics as text that Prometheus reads (exposition format 0.0.4). */
#ifndef HTTP_PROM_H
#define HTTP_PROM_H
#include "plugins/http/sdk.h"
#include "lib/text.h"

/* One metric: HELP, TYPE, value. ecyber_PLUGIN_NAME_UNIT_total of a counter; the core's are ecyber_NAME. */
void prom_metric(struct text *t, const char *plugin, const struct ec_metric *m, int64_t value);

#endif
