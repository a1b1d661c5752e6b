/* drift.h: what the kernel holds against what is desired. */
#ifndef FIREWALL_DRIFT_H
#define FIREWALL_DRIFT_H
#include "plugins/firewall/routes.h"

extern const struct ec_record drift_reply;
/* [pool] Answer with the differences. json: the table as libnftables lists it, n bytes; 0: there is none. */
void drift_answer(struct firewall *f, struct ec_req *r, const char *json, size_t n);

#endif
