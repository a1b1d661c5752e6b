/* An entry as JSON, and a body as an entry. */
#include "plugins/ids/limits/limits.h"

#define TYPES "limit,threshold,both"
#define WAYS "by_src,by_dst,by_both,by_rule"
#define SIDES "by_src,by_dst,by_either"

#define SEEN(T, member, name, unit, help) EC_FIELD(T, 0, struct limits_view, member, name, unit, help)
#define SOME(T, bit, member, name, help) EC_FIELD_OPT(T, 0, bit, struct limits_view, member, name, NULL, help)
#define HEAD_ROWS \
    SOME(U32, SHOWN_ID, id, "id", "its number; absent: it stands in ids.threshold_file, and is changed there"), \
    SEEN(U32, gid, "gid", NULL, "group of the rule; 0: every rule"), \
    SEEN(U32, sid, "sid", NULL, "number of the rule; 0: every one of gid")
#define TAIL_ROWS \
    SEEN(U64, held_back, "held_back", "matches", "without an alert since the start"), \
    SOME(WIRE, SHOWN_FILE, file, "file", "where it stands"), \
    SOME(U32, SHOWN_FILE, line, "line", "and in which line"), \
    SOME(TEXT, SHOWN_NOTE, note, "note", "why it is there"), \
    SOME(U64, SHOWN_ID, version, "version", "of its ETag"), \
    SOME(TEXT, SHOWN_CHANGED, by, "changed_by", "who changed it last"), \
    SOME(TIME, SHOWN_CHANGED, at, "changed_at", "when")
#define WORD(bit, member, name, words, help) \
    { EC_T_ENUM, EC_R_OPT, (bit), 0, (uint32_t)offsetof(struct limits_view, member), (name), NULL, (words), NULL, \
      NULL, (help), 0, 0 }
static const struct ec_row suppression_rows[] = {
    HEAD_ROWS,
    WORD(SHOWN_TRACK, track, "track", SIDES, "which address has to lie in ip; absent: it always holds"),
    SOME(TEXT, SHOWN_IP, ip, "ip", "address or network"),
    TAIL_ROWS,
};
static const struct ec_row threshold_rows[] = {
    HEAD_ROWS,
    EC_FIELD_ENUM(0, struct limits_view, type, "type", TYPES,
                  "limit: the first count alerts of each span; threshold: each count-th; both: one, at the count-th"),
    EC_FIELD_ENUM(0, struct limits_view, track, "track", WAYS, "what is counted on its own"),
    SEEN(U32, count, "count", "matches", "in seconds"),
    SEEN(U32, seconds, "seconds", "s", "length of the span"),
    TAIL_ROWS,
};
const struct ec_record suppression_view = EC_RECORD_PART(struct limits_view, suppression_rows);
const struct ec_record threshold_view = EC_RECORD_PART(struct limits_view, threshold_rows);

void limits_fill(struct ec_build *b, struct limits_view *v, const struct tune *e, const char *file)
{
    char net[64];

    v->gid = e->gid;
    v->sid = e->sid;
    v->held_back = __atomic_load_n(&e->held_back, __ATOMIC_RELAXED);
    v->type = e->limit.type ? e->limit.type - 1 : 0;
    v->track = e->limit.track ? e->limit.track - 1 : 0;
    v->count = e->limit.count;
    v->seconds = e->limit.seconds;
    if (e->limit.track)
        v->part.has |= 1u << SHOWN_TRACK;
    if (e->kind == TUNE_SUPPRESS && e->limit.track) {
        tune_net_text(e, net);
        v->ip = ec_puts(b, net);
        v->part.has |= 1u << SHOWN_IP;
    }
    if (e->id) {
        v->id = e->id;
        v->version = e->version;
        v->by = ec_puts(b, e->by);
        v->at = e->at_ns;
        v->part.has |= 1u << SHOWN_ID | 1u << SHOWN_CHANGED;
    } else if (file && e->line) {
        v->file = ec_puts(b, file);
        v->line = e->line;
        v->part.has |= 1u << SHOWN_FILE;
    }
    if (*e->note) {
        v->note = ec_puts(b, e->note);
        v->part.has |= 1u << SHOWN_NOTE;
    }
}

enum { GIVEN_TRACK, GIVEN_IP, GIVEN_NOTE };
#define BODY(T, flags, bit, member, name, allow, def, help, min, max) \
    { EC_T_##T, (flags), (bit), 0, (uint32_t)offsetof(struct limits_body, member), (name), NULL, (allow), (def), NULL, \
      (help), (min), (max) }
#define NET_CHARACTERS 49           /* of up to four bytes each, like all that bounds count */
#define NOTE_ROW BODY(TEXT, EC_R_OPT, GIVEN_NOTE, note, "note", NULL, NULL, "why", 1, (TUNE_NOTE - 1) / 4)
#define RULE_ROWS \
    BODY(U32, 0, 0, gid, "gid", NULL, "1", "group of the rule; 0, with sid 0: every rule", 0, UINT32_MAX), \
    BODY(U32, 0, 0, sid, "sid", NULL, NULL, "number of the rule; 0: every one of gid", 0, UINT32_MAX)
static const struct ec_row suppression_body_rows[] = {
    RULE_ROWS,
    BODY(ENUM, EC_R_OPT, GIVEN_TRACK, track, "track", SIDES, NULL, "which address has to lie in ip; with ip only", 0,
         0),
    BODY(TEXT, EC_R_OPT, GIVEN_IP, ip, "ip", NULL, NULL, "address or network; with track only", 2,
         NET_CHARACTERS),
    NOTE_ROW,
};
static const struct ec_row threshold_body_rows[] = {
    RULE_ROWS,
    BODY(ENUM, 0, 0, type, "type", TYPES, NULL, "limit: the first count alerts of each span; threshold: each count-th; "
         "both: one, at the count-th", 0, 0),
    BODY(ENUM, 0, 0, track, "track", WAYS, NULL, "what is counted on its own", 0, 0),
    BODY(U32, 0, 0, count, "count", NULL, NULL, "matches in seconds", 1, INT32_MAX),
    BODY(U32, 0, 0, seconds, "seconds", NULL, NULL, "length of the span", 1, INT32_MAX),
    NOTE_ROW,
};
const struct ec_record suppression_body = EC_RECORD_PART(struct limits_body, suppression_body_rows);
const struct ec_record threshold_body = EC_RECORD_PART(struct limits_body, threshold_body_rows);

static bool given(const struct limits_body *b, unsigned bit)
{
    return b->part.has >> bit & 1;
}

static bool take_net(struct limits *l, struct ec_req *r, const struct limits_body *b, struct tune *e)
{
    char text[NET_CHARACTERS * 4 + 1] = "";

    if (given(b, GIVEN_TRACK) != given(b, GIVEN_IP)) {
        l->http->invalid(r, given(b, GIVEN_IP) ? "body.track" : "body.ip", "missing",
                         "track and ip are given together, or neither");
        return false;
    }
    if (!given(b, GIVEN_IP))
        return true;
    memcpy(text, ec_bytes(&b->part, b->ip), b->ip.len);
    e->limit.track = b->track + 1;
    if (tune_net(text, e->net, &e->bits))
        return true;
    l->http->invalid(r, "body.ip", "value_error",
                     "Value error, an address or a network such as 10.0.0.0/8 is expected");
    return false;
}

bool limits_take(struct limits *l, struct ec_req *r, enum tune_kind kind, struct tune *e)
{
    const struct limits_body *b = l->http->body(r);

    *e = (struct tune){ .kind = kind, .gid = b->gid, .sid = b->sid };
    if (!b->gid && b->sid) {
        l->http->invalid(r, "body.gid", "value_error", "Value error, gid 0 is every rule, so sid has to be 0 too");
        return false;
    }
    if (given(b, GIVEN_NOTE)) {
        memcpy(e->note, ec_bytes(&b->part, b->note), b->note.len);
        if (e->note[strcspn(e->note, "\r\n")]) {
            l->http->invalid(r, "body.note", "value_error", "Value error, it has to be one line");
            return false;
        }
    }
    if (kind == TUNE_SUPPRESS)
        return take_net(l, r, b, e);
    e->limit = (struct limit){ .type = b->type + 1, .track = b->track + 1, .count = b->count, .seconds = b->seconds };
    return true;
}
