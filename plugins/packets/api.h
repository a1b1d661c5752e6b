/* api.h: what the files of the API share. routes.c: recent packets; captures.c: captures; download.c: files that leave.
 */
#ifndef PACKETS_API_H
#define PACKETS_API_H
#include "plugins/packets/packets.h"

#define ROW(T, flags, has, type, member, name, allow, def, unit, help, min, max) \
    { EC_T_##T, (flags), (has), 0, (uint32_t)offsetof(type, member), (name), NULL, (allow), (def), (unit), (help), \
      (min), (max) }
#define ROW_LIST(sub, type, member, name, help) \
    { EC_T_RECORD, EC_R_LIST | EC_R_OPT, 0, 0, (uint32_t)offsetof(type, member), (name), (sub), NULL, NULL, NULL, \
      (help), 0, 0 }
#define HAS_LIST 1u                 /* its bit: a list is written even where it is empty */

/* An answer that is being built, a part in memory of its own with `tail` bytes for texts. NULL: out of memory, which
 * answer_send() says. */
void *answer_open(struct ec_build *b, uint32_t bytes, uint32_t tail);
void answer_send(const struct packets *k, struct ec_req *r, uint32_t status, struct ec_build *b);   /* and free it */
/* A text of the request, cut where it is longer than its room. */
const char *param_text(const struct ec_part *p, struct ec_span s, char *to, size_t n);

extern const struct ec_route alert_route;      /* alert.c */
extern const struct ec_route capture_routes[];
extern const size_t capture_n_route;

/* [pool] ec.captures/1: captures.c, alert.c. */
int32_t capture_open(void *self, uint64_t id, char *why, uint32_t n);
int32_t alert_open(void *self, uint64_t event, char *why, uint32_t n);

#endif
