#include "plugins/ids/manage/view.h"

#include <stdlib.h>

#define MINE(T, type, member, name, unit, help) EC_FIELD(T, 0, type, member, name, unit, help)
#define SOME(T, bit, type, member, name, help) EC_FIELD_OPT(T, 0, bit, type, member, name, NULL, help)
static const struct ec_row rows[] = {
    MINE(TEXT, struct rule_view, id, "id", NULL, "GID:SID"),
    MINE(U32, struct rule_view, gid, "gid", NULL, "group of numbers that sid belongs to"),
    MINE(U32, struct rule_view, sid, "sid", NULL, "number of the rule; 0: it cannot be read"),
    MINE(U32, struct rule_view, rev, "rev", NULL, "revision"),
    MINE(WIRE, struct rule_view, action, "action", NULL, "alert, pass, drop, reject"),
    MINE(WIRE, struct rule_view, proto, "proto", NULL, "protocol of its header"),
    MINE(WIRE, struct rule_view, msg, "msg", NULL, "what its alerts say"),
    SOME(WIRE, VIEW_CLASS, struct rule_view, classtype, "classtype", "a name of the classification file"),
    MINE(U32, struct rule_view, severity, "severity", NULL, "its priority: 1 is the most severe"),
    EC_FIELD_ENUM(0, struct rule_view, state, "state", LISTED_WORDS,
                  "failed: it has an error; unsupported: it asks for what this build does not know; replaced: by a "
                  "newer revision or a managed rule"),
    MINE(BOOL, struct rule_view, enabled, "enabled", NULL, "it is in use"),
    EC_FIELD_ENUM(0, struct rule_view, source, "source", SOURCE_WORDS, "managed: made over the API, and changed there"),
    SOME(WIRE, VIEW_FILE, struct rule_view, file, "file", "where it stands"),
    SOME(U32, VIEW_FILE, struct rule_view, line, "line", "and in which line"),
    SOME(U32, VIEW_COLUMN, struct rule_view, column, "column", "where in the line something is wrong"),
    SOME(WIRE, VIEW_WHY, struct rule_view, why, "why", "why it is not in use"),
    SOME(TEXT, VIEW_HINT, struct rule_view, hint, "hint", "what to do about it"),
    MINE(U64, struct rule_view, checks, "checks", "looks",
         "how often it was looked at in full since the start: an estimate from one look in 256"),
    MINE(U64, struct rule_view, matches, "matches", "matches", "how often it held since the start, thresholds aside"),
    MINE(U64, struct rule_view, version, "version", NULL, "of its ETag; 0: nobody has changed it over the API"),
    SOME(TEXT, VIEW_CHANGED, struct rule_view, by, "changed_by", "who changed it last"),
    SOME(TIME, VIEW_CHANGED, struct rule_view, at, "changed_at", "when"),
    SOME(WIRE, VIEW_REPLACES, struct rule_view, replaces, "replaces", "FILE:LINE of the rule in whose place it stands"),
    SOME(WIRE, VIEW_TEXT, struct rule_view, text, "text", "the rule"),
};
const struct ec_record view_record = EC_RECORD_PART(struct rule_view, rows);

static uint32_t length(const char *s)
{
    return s ? (uint32_t)strlen(s) + 8 : 0;
}

uint32_t view_room(const struct listed *k, uint32_t flags)
{
    uint32_t own = flags & VIEW_WITH_TEXT ? 5200 : 512;

    return (uint32_t)sizeof(struct rule_view) + own + length(k->msg) + length(k->classtype) + length(k->file) +
        length(k->why) + length(k->action) + length(k->proto) + (flags & VIEW_WITH_TEXT ? length(k->text) : 0);
}

/* What to do, by what became of it. */
static const char *hint_of(const struct listed *k)
{
    switch (k->state) {
    case LISTED_FAILED:
        return k->managed ? "write it anew by PUT: POST /api/rules/validate says whether it is sound"
            : "mend it in its file where line and column point, and reload; or switch it off";
    case LISTED_SKIPPED:
        return "GET /api/rules/keywords lists what rules may say; until then it is left out";
    case LISTED_DISABLED:
        return "POST /api/rules/GID:SID/enable switches it on";
    default:
        return NULL;
    }
}

/* "FILE:LINE" of the rule of a file whose place a managed one takes. */
static void fill_replaces(const struct ids_state *st, struct ec_build *b, struct rule_view *v, const struct listed *k)
{
    const struct listed *all, *other = ruleset_find(st->engine->set, k->gid, k->sid);
    char text[4500];
    uint32_t n;

    all = ruleset_listed(st->engine->set, &n);
    for (; k->managed && other && other < all + n && other->gid == k->gid && other->sid == k->sid; other++)
        if (!other->managed) {
            snprintf(text, sizeof text, "%s:%u", other->file, other->line);
            v->replaces = ec_puts(b, text);
            v->part.has |= 1u << VIEW_REPLACES;
            return;
        }
}

static void fill_origin(const struct ids_state *st, struct ec_build *b, struct rule_view *v, const struct listed *k)
{
    const struct managed_rule *own = k->sid ? managed_find(st->managed, k->gid, k->sid) : NULL;

    v->source = k->managed;
    if (!k->managed) {
        v->file = ec_puts(b, k->file);
        v->line = k->line;
        v->part.has |= 1u << VIEW_FILE;
    }
    if (own && (k->managed || !own->len)) {
        v->version = own->version;
        v->by = ec_puts(b, own->by);
        v->at = own->at_ns;
        v->part.has |= 1u << VIEW_CHANGED;
    }
}

static void fill_why(struct ec_build *b, struct rule_view *v, const struct listed *k)
{
    const char *hint = hint_of(k);

    if (k->why) {
        v->why = ec_puts(b, k->why);
        v->part.has |= 1u << VIEW_WHY;
    }
    if (k->column) {
        v->column = k->column;
        v->part.has |= 1u << VIEW_COLUMN;
    }
    if (hint) {
        v->hint = ec_puts(b, hint);
        v->part.has |= 1u << VIEW_HINT;
    }
}

void view_fill(struct manage *m, const struct ids_state *st, struct ec_build *b, struct rule_view *v,
               const struct listed *k, uint32_t flags)
{
    struct tally_sum sum = tallies_of(m->tallies, st->engine, k->rule ? k->rule->index : UINT32_MAX, k->gid, k->sid);
    char id[32];

    snprintf(id, sizeof id, "%u:%u", k->gid, k->sid);
    v->id = ec_puts(b, id);
    v->gid = k->gid;
    v->sid = k->sid;
    v->rev = k->rev;
    v->action = ec_puts(b, k->action);
    v->proto = ec_puts(b, k->proto);
    v->msg = ec_puts(b, k->msg ? k->msg : "");
    if (k->classtype) {
        v->classtype = ec_puts(b, k->classtype);
        v->part.has |= 1u << VIEW_CLASS;
    }
    v->severity = k->priority;
    v->state = k->state;
    v->enabled = k->state == LISTED_ENABLED;
    v->checks = sum.checks;
    v->matches = sum.matches;
    fill_origin(st, b, v, k);
    fill_why(b, v, k);
    if (flags & VIEW_WITH_TEXT) {
        v->text = ec_puts(b, k->text);
        v->part.has |= 1u << VIEW_TEXT;
        fill_replaces(st, b, v, k);
    }
}

void view_reply_one(struct manage *m, const struct ids_state *st, struct ec_req *r, uint32_t status,
                    const struct listed *k)
{
    uint32_t cap = 4096 + (uint32_t)sizeof(struct ec_event) + view_room(k, VIEW_WITH_TEXT);
    struct ec_build b = { .base = calloc(1, cap), .cap = cap };
    struct rule_view *v;

    if (!b.base) {
        m->http->error(r, 503, "out of memory");
        return;
    }
    ec_grow(&b, sizeof(struct ec_event));
    v = ec_add(&b, 0, sizeof *v);
    view_fill(m, st, &b, v, k, VIEW_WITH_TEXT);
    m->http->etag(r, v->version);
    m->http->reply(r, status, &v->part);
    free(b.base);
}
