/* person.h: what /api/users and registration take in of a user. */
#ifndef AUTH_PERSON_H
#define AUTH_PERSON_H
#include "plugins/auth/plugin.h"

#include "plugins/auth/roles.h"

#define ROW(T, type, flags, bit, member, name, allow, def, least, most, help) \
    { (type), (flags), (bit), 0, (uint32_t)offsetof(T, member), (name), NULL, (allow), (def), NULL, (help), (least), \
      (most) }

struct id_param {
    struct ec_part part;
    uint64_t id;
};
extern const struct ec_record id_record; /* the number of a user in the path */

/* A new user, and what is changed of one. */
struct person {
    struct ec_part part;
    struct ec_span username, email, full_name, password, hash, totp;
    struct ec_list roles;
    uint8_t active, must_change, pad[6];
};
enum { HAS_EMAIL, HAS_FULL_NAME, HAS_ROLES, HAS_ACTIVE, HAS_PASSWORD, HAS_HASH, HAS_MUST_CHANGE, HAS_TOTP };
#define PERSON(type, flags, bit, member, name, allow, least, most, help) \
    ROW(struct person, type, flags, bit, member, name, allow, NULL, least, most, help)
#define EMAIL_ROW \
    PERSON(EC_T_TEXT, EC_R_OPT, HAS_EMAIL, email, "email", NULL, 0, USER_EMAIL - 1, \
           "where to write to; no two users share one")
#define FULL_NAME_ROW \
    PERSON(EC_T_TEXT, EC_R_OPT, HAS_FULL_NAME, full_name, "full_name", NULL, 0, (USER_FULL - 1) / 4, "as people say it")
#define SHARED_ROWS \
    EMAIL_ROW, FULL_NAME_ROW, \
    PERSON(EC_T_ENUM, EC_R_OPT | EC_R_LIST, HAS_ROLES, roles, "roles", ROLE_WORDS, 0, 0, "what the user may do"), \
    PERSON(EC_T_BOOL, EC_R_OPT, HAS_ACTIVE, active, "is_active", NULL, 0, 0, "may log in")

static inline bool part_has(const struct ec_part *p, uint32_t bit)
{
    return p->has >> bit & 1;
}

void text_take(const struct ec_part *p, struct ec_span s, char *to, size_t n);
/* [pool] What stands in the body, but for the name and the password, into the user. 0; else 422 was sent. */
int32_t person_apply(struct auth *a, struct ec_req *r, const struct person *p, struct user *one);
/* [pool] The user that the path names, as If-Match has it. 0; else a reply was sent. */
int32_t named(struct auth *a, struct ec_req *r, struct user *one);
/* [any] 422 for a name that is none, and the form that it has to have. */
int32_t bad_name(struct auth *a, struct ec_req *r);
const char *object_of(const struct user *one, char to[32]); /* "users/7" */

#endif
