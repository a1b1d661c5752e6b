/* edit.h: what one change makes of the managed rules. */
#ifndef IDS_MANAGE_EDIT_H
#define IDS_MANAGE_EDIT_H
#include "plugins/ids/manage/manage.h"

enum edit_op { OP_CREATE, OP_REPLACE, OP_PATCH, OP_REMOVE, OP_ENABLE, OP_DISABLE };

struct change {
    struct change *next;
    struct ec_req *r;
    enum edit_op op;
    bool dry;
    uint32_t gid, sid;              /* CREATE: of the text, once it was looked at */
    char by[MANAGED_BY_MAX];
    char *before, *after;           /* for the audit log */
};

void change_free(struct change *c);
/* [pool] The next version of base, or NULL: it was answered. */
struct managed *edit_apply(struct manage *m, const struct ids_state *st, struct change *c, const struct managed *base);
bool edit_asks(struct manage *m, struct ec_req *r);     /* PATCH: does the body say anything? */
/* An answer. NULL, for whoever returns that. */
__attribute__((format(printf, 4, 5)))
struct managed *edit_refuse(struct manage *m, struct change *c, uint32_t status, const char *fmt, ...);

#endif
