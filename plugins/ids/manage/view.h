/* view.h: a rule as its routes show it. */
#ifndef IDS_MANAGE_VIEW_H
#define IDS_MANAGE_VIEW_H
#include "plugins/ids/manage/manage.h"

struct rule_view {
    struct ec_part part;
    uint64_t version, at, checks, matches;
    uint32_t gid, sid, rev, severity, state, line, column, source;
    struct ec_span id, action, proto, msg, classtype, file, why, hint, by, text, replaces;
    uint8_t enabled, pad[7];
};
enum { VIEW_CLASS, VIEW_FILE, VIEW_WHY, VIEW_HINT, VIEW_CHANGED, VIEW_TEXT, VIEW_COLUMN, VIEW_REPLACES };
#define SOURCE_WORDS "file,managed"
extern const struct ec_record view_record;      /* a reply, or an element of a list */

enum { VIEW_WITH_TEXT = 1 };
/* Room that one takes at most. */
uint32_t view_room(const struct listed *k, uint32_t flags);
/* Into the open part. */
void view_fill(struct manage *m, const struct ids_state *st, struct ec_build *b, struct rule_view *v,
               const struct listed *k, uint32_t flags);
/* [any] The answer: with its ETag. */
void view_reply_one(struct manage *m, const struct ids_state *st, struct ec_req *r, uint32_t status,
                    const struct listed *k);

#endif
