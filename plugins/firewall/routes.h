/* routes.h: what the files of the API share. routes.c: bans; look.c: what only looks; answer.c: how they answer. */
#ifndef FIREWALL_ROUTES_H
#define FIREWALL_ROUTES_H
#include "plugins/firewall/firewall.h"

#define READERS "admin,operator,analyst,viewer"

#define ROW(T, flags, has, type, member, name, allow, def, unit, help, min, max) \
    { EC_T_##T, (flags), (has), 0, (uint32_t)offsetof(type, member), (name), NULL, (allow), (def), (unit), (help), \
      (min), (max) }

/* A list that is written even where it is empty: it has a bit, which is always set. */
#define ROW_LIST(sub, type, member, name, help) \
    { EC_T_RECORD, EC_R_LIST | EC_R_OPT, 0, 0, (uint32_t)offsetof(type, member), (name), (sub), NULL, NULL, NULL, \
      (help), 0, 0 }
#define HAS_LIST 1u

#define ROUTE(m, p, id, what, who, f, pa, bo, re, fn, st, er) \
    { .size = sizeof(struct ec_route), .flags = (f), .method = (m), .path = "/api/firewall" p, .opid = (id), \
      .summary = (what), .roles = (who), .param = (pa), .body = (bo), .reply = (re), .run = (fn), .status = (st), \
      .errors = (er) }

struct text_param { struct ec_part part; struct ec_span text; };        /* a path with one parameter */

/* An answer that is being built, a part in memory of its own with `tail` bytes for texts. NULL: out of memory, which
 * answer_send() says. */
void *answer_open(struct ec_build *b, uint32_t bytes, uint32_t tail);
int32_t answer_send(const struct firewall *f, struct ec_req *r, struct ec_build *b, uint32_t status);  /* and free it */
/* A text of the request; where it is longer than its room (bounds count characters), it is cut before a character. */
const char *param_text(const struct ec_part *p, struct ec_span s, char *to, size_t n);

extern const struct ec_route look_routes[];
extern const size_t look_n_route;

#endif
