/* ssh.h: the SSH protocol (RFC 4253): banners and the algorithms that both sides offer (HASSH). */
#ifndef TRAFFIC_SSH_H
#define TRAFFIC_SSH_H

#include <stdint.h>

struct ec_host;
struct ec_traffic;

/* Register parser, buffers and record; in setup() only. EC_OK or EC_E*. */
int32_t ssh_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self);

#endif
