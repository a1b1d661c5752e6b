/* target.h: which system stands at an address, so that what is ambiguous is read as that system reads it. */
#ifndef TRAFFIC_TARGET_H
#define TRAFFIC_TARGET_H
#include <stdbool.h>
#include <stdint.h>

#define TARGETS_MAX 256u
#define POLICY_WORDS "first,last,bsd,bsd_right,linux,windows,solaris"      /* POLICY_*, in their order */

struct target { uint8_t net[16], bits, policy; };               /* IPv4 mapped; bits: of the sixteen bytes */
struct targets { uint32_t n; struct target list[TARGETS_MAX]; };    /* the longest prefixes first */

/* network: "10.0.0.0/8", "fd00::1"; policy: one of POLICY_WORDS. NULL, or what is wrong with them. [cfg] */
const char *target_add(struct targets *t, const char *network, const char *policy);
/* The policy of the longest prefix that addr is in; otherwise: where it is in none. [wrk] */
uint32_t target_policy(const struct targets *t, const uint8_t addr[16], uint32_t otherwise);

#endif
