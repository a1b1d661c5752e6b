#include "plugins/fim/fim.h"

struct side { uint64_t size, mtime; struct ec_span mode, sha256; uint32_t type, uid, gid, pad; };
struct change {
    struct ec_part part;
    uint32_t action, found;
    struct ec_span path;
    struct side before, after;
};
enum { HAS_BEFORE, HAS_AFTER };
#define TYPES "file,link,folder,other"
#define SIDE(side, bit, of) \
    { EC_T_ENUM, EC_R_OPT, (bit), 0, offsetof(struct change, side.type), #side ".type", NULL, TYPES, NULL, NULL, \
      "what it is, " of, 0, 0 }, \
    EC_FIELD_OPT(U64, 0, (bit), struct change, side.size, #side ".size", "bytes", "its size, " of), \
    { EC_T_TEXT, EC_R_OPT, (bit), 0, offsetof(struct change, side.mode), #side ".mode", NULL, NULL, NULL, NULL, \
      "its permissions in octal, " of, 0, 0 }, \
    EC_FIELD_OPT(U32, 0, (bit), struct change, side.uid, #side ".uid", NULL, "its owner, " of), \
    EC_FIELD_OPT(U32, 0, (bit), struct change, side.gid, #side ".gid", NULL, "its group, " of), \
    EC_FIELD_OPT(TIME, 0, (bit), struct change, side.mtime, #side ".mtime", NULL, "when it was written, " of), \
    EC_FIELD(HEX, 0, struct change, side.sha256, #side ".sha256", NULL, "of its content, " of "; absent: not read")
static const struct ec_row change_rows[] = {
    EC_FIELD_ENUM(EC_R_COLUMN, struct change, action, "action", "same,modified,attributes,created,deleted",
                  "what has happened"),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_FTS, struct change, path, "path", NULL, "of the file"),
    EC_FIELD_ENUM(EC_R_COLUMN, struct change, found, "found_by", FOUND_BY, "how it was noticed"),
    SIDE(before, HAS_BEFORE, "when it was seen last"), SIDE(after, HAS_AFTER, "now"),
};
static const struct ec_record change_record = EC_RECORD_PART(struct change, change_rows);
const struct ec_topic fim_topic = { sizeof fim_topic, EC_TOPIC_EVENT | EC_TOPIC_WALL | EC_TOPIC_RESERVED, "ec.fim/1",
                                    "fim", &change_record, NULL, "a file that is watched has changed" };

static struct side side_of(struct ec_build *b, const struct meta *m)
{
    char mode[16];

    snprintf(mode, sizeof mode, "%04o", (unsigned)m->mode);
    return (struct side){ m->size, m->mtime_ns, ec_puts(b, mode),
                          m->hashed ? ec_put(b, m->sha256, sizeof m->sha256) : (struct ec_span){ 0, 0 },
                          m->type == 'f' ? 0 : m->type == 'l' ? 1 : m->type == 'd' ? 2 : 3, m->uid, m->gid, 0 };
}

bool tell(struct fim *f, const struct entry *e, const struct meta *now, uint32_t what, uint32_t found)
{
    struct ec_build b;
    struct change *c;
    int32_t err = f->host->open(f->host, EC_PUB_MAILBOX, f->topic, &b);

    if (err)
        return err == EC_ENOENT;    /* nobody listens */
    ec_head(&b)->ts_ns = f->host->now(f->host);
    if ((c = ec_add(&b, f->topic, sizeof *c))) {
        c->action = what;
        c->found = found;
        c->path = ec_puts(&b, e->path);
        c->part.has = (uint64_t)(e->last.type != 0) << HAS_BEFORE | (uint64_t)(now->type != 0) << HAS_AFTER;
        if (e->last.type)
            c->before = side_of(&b, &e->last);
        if (now->type)
            c->after = side_of(&b, now);
    }
    return f->host->publish(f->host, &b) == EC_OK;
}
