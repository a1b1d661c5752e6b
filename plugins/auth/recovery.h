/* recovery.h: tokens that came by mail, each good for one other password. Only a hash of each is kept. */
#ifndef AUTH_RECOVERY_H
#define AUTH_RECOVERY_H
#include "plugins/auth/shelf.h"
#include "plugins/auth/users.h"

#define RECOVERY_TEXT   96 /* with its NUL */
#define RECOVERY_LIFE   (UINT64_C(1800) * 1000000000)
#define RECOVERIES_MAX  10000
#define RECOVERIES_USER 3 /* the oldest makes room */

struct recovery {
    uint64_t id;
    uint64_t user, stamp; /* ended where the user's stamp is another one: with the first that was used */
    uint64_t expires;     /* ns since 1970 */
    char digest[65];
};

extern const struct shelf_form recovery_form;

/* [pool] A token of this user. EC_OK; EC_ENOMEM; else the store failed. */
int32_t recovery_make(struct shelf *s, const struct user *one, uint64_t now_ns, char text[RECOVERY_TEXT]);
/* [any] Whose is it (len bytes from the wire)? EC_OK and a copy of the active user as the token knew him; EC_EPERM. */
int32_t recovery_judge(struct shelf *s, struct users *users, const char *text, uint32_t len, uint64_t now_ns,
                       struct user *one);
/* [pool] Forget those of a user, and all that have ended. */
void recovery_sweep(struct shelf *s, uint64_t user, uint64_t now_ns);

#endif
