/* hooks.h: who is told of which events. Documents, all of them kept in memory. */
#ifndef WEBHOOKS_HOOKS_H
#define WEBHOOKS_HOOKS_H
#define EC_API_LEVEL 1
#include <ecyber/ext/store.h>
#include <stdbool.h>

#include "plugins/webhooks/sign.h"

#define HOOKS_MAX  100u
#define HOOK_NAME  257              /* 64 characters */
#define HOOK_URL   2049
#define HOOK_TYPES 16
#define HOOK_TYPE  48

struct hook {
    uint64_t id, version, at_ns;    /* at_ns: last changed */
    char name[HOOK_NAME], url[HOOK_URL], secret[SIGN_SECRET], by[64];
    char type[HOOK_TYPES][HOOK_TYPE];   /* event types */
    uint32_t types, severity;       /* severity: alerts of this one and more severe ones, 0: all */
    bool active;
};

struct hooks;
struct hooks *hooks_new(const struct ec_store *store, void *store_self);       /* NULL: out of memory */
void hooks_free(struct hooks *h);
int32_t hooks_declare(struct hooks *h, const struct ec_host *host);            /* [ctl] setup() */
int32_t hooks_load(struct hooks *h);                                           /* [ctl] start() */

/* [any] Copies. EC_ENOENT. */
int32_t hooks_get(struct hooks *h, uint64_t id, struct hook *to);
/* [any] Those behind `after`, at most n, in the order of their ids. */
uint32_t hooks_page(struct hooks *h, uint64_t after, struct hook *to, uint32_t n);
/* [any] Ids of the active ones that want this event; severity 0: it has none. */
uint32_t hooks_wanting(struct hooks *h, const char *type, uint32_t severity, uint64_t to[HOOKS_MAX]);
/* [pool] A new one (id 0), or a changed one of the version that *one has. EC_EAGAIN: it has another; EC_ELIMIT:
 * there are HOOKS_MAX. */
int32_t hooks_put(struct hooks *h, struct hook *one);
int32_t hooks_remove(struct hooks *h, uint64_t id);

#endif
