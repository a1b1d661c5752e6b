/* upgrade.h: raw requests, and connections that another protocol takes over (RFC 9110 §7.8). The functions of
 * ec.http/1 for them; on the loop's thread, except where [any] stands. */
#ifndef HTTP_UPGRADE_H
#define HTTP_UPGRADE_H
#include "plugins/http/sdk.h"

struct server;

const struct ec_raw *upgrade_raw(struct ec_req *r);                     /* [any] */
int32_t upgrade_bytes(struct ec_req *r, uint32_t status, const char *type, const void *p, uint64_t n);  /* [any] */
int32_t upgrade_watch(struct ec_req *r, void (*gone)(void *arg), void *arg);
int32_t upgrade_take(struct ec_req *r, const char *protocol, const struct ec_conn_ops *ops, void *arg,
                     struct ec_conn **conn);
int32_t upgrade_write(struct ec_conn *c, const void *p, uint32_t n);
uint64_t upgrade_waiting(const struct ec_conn *c);
void upgrade_close(struct ec_conn *c);
void upgrade_stop(struct server *s);            /* the loop has ended; before evhttp and the guards are freed */

#endif
