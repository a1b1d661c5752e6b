/* host.h: routes that look at the host when they are asked: a process, sockets, services, users, health. */
#ifndef SYSMON_HOST_H
#define SYSMON_HOST_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/daemon.h>
#include <ecyber/ext/http.h>

#include "plugins/sysmon/proc.h"

struct looker {                     /* what they share; written before the first request */
    const struct ec_host *host;
    const struct ec_http *http;
    const struct ec_daemon *daemon;
    void *http_self, *daemon_self;
    int root, proc;                 /* folders' descriptors; -1: not there */
};

/* [ctl] setup(): declares the routes; l stays. */
void host_declare(struct looker *l);
/* [ctl] start(): opens the folders below root. */
void host_open(struct looker *l, const char *root);
void host_close(struct looker *l);

#define READERS "admin,operator,analyst,viewer"
#define HAS_LIST 1u                 /* its bit: a list is written even where it is empty */
#define ROW(T, flags, has, type, member, name, allow, def, unit, help, min, max) \
    { EC_T_##T, (flags), (has), 0, (uint32_t)offsetof(type, member), (name), NULL, (allow), (def), (unit), (help), \
      (min), (max) }
#define ROW_LIST(sub, type, member, name, help) \
    { EC_T_RECORD, EC_R_LIST | EC_R_OPT, 0, 0, (uint32_t)offsetof(type, member), (name), (sub), NULL, NULL, NULL, \
      (help), 0, 0 }
#define ROW_NOTES(type, member) \
    { EC_T_TEXT, EC_R_LIST | EC_R_OPT, 0, 0, (uint32_t)offsetof(type, member), "limits", NULL, NULL, NULL, NULL, \
      "what this answer does not show, and why", 0, 0 }

/* An answer that is being built, with `tail` bytes for lists and texts. NULL: out of memory, which answer_send()
 * says. */
void *answer_open(struct ec_build *b, uint32_t bytes, uint32_t tail);
void answer_send(const struct looker *l, struct ec_req *r, struct ec_build *b);     /* and free it */

#define NOTES_MAX 6u
struct notes { uint32_t n; char text[NOTES_MAX][256]; };
__attribute__((format(printf, 2, 3))) void note(struct notes *n, const char *fmt, ...);
void notes_put(struct ec_build *b, struct ec_list *to, const struct notes *n);

extern const struct ec_route process_route, connections_route, services_route, users_route, health_route;

#endif
