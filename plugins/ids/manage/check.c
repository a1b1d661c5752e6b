/* POST /api/rules/validate: what is wrong with a text, and what to do. */
#include "plugins/ids/manage/manage.h"

#include <stdlib.h>

#define SHOWN 100u                  /* problems, rules */
#define TEXT_MAX 262144             /* characters */
#define ROOM (4 * TEXT_MAX + 131072)        /* of the answer: messages have \xHH for a byte that is no text; the rest */

struct validate_body { struct ec_part part; struct ec_span text; };
static const struct ec_row body_rows[] = {
    { EC_T_TEXT, 0, 0, 0, (uint32_t)offsetof(struct validate_body, text), "text", NULL, NULL, NULL, NULL,
      "rules, one a line; nothing of it is kept", 0, TEXT_MAX },
};
const struct ec_record validate_body = EC_RECORD_PART(struct validate_body, body_rows);

enum { KIND_ERROR, KIND_UNSUPPORTED, KIND_NOTE, KIND_CONFLICT };
#define KINDS "error,unsupported,note,conflict"
struct fault { struct ec_span msg, hint; uint32_t line, column, sid, kind; };
static const struct ec_row fault_rows[] = {
    EC_FIELD(U32, 0, struct fault, line, "line", NULL, "in the text, from 1"),
    EC_FIELD(U32, 0, struct fault, column, "column", NULL, "byte in the line, from 1"),
    EC_FIELD(U32, 0, struct fault, sid, "sid", NULL, "of the rule; 0: it cannot be read"),
    EC_FIELD_ENUM(0, struct fault, kind, "kind", KINDS,
                  "unsupported: this build does not know it; conflict: such a rule is there already"),
    EC_FIELD(WIRE, 0, struct fault, msg, "msg", NULL, "what is wrong"),
    EC_FIELD(TEXT, 0, struct fault, hint, "hint", NULL, "what to do"),
};
static const struct ec_record fault_record = EC_RECORD_ELEMENT(struct fault, fault_rows);
struct sound { struct ec_span id, msg; uint32_t rev, line; };
static const struct ec_row sound_rows[] = {
    EC_FIELD(TEXT, 0, struct sound, id, "id", NULL, "GID:SID"),
    EC_FIELD(U32, 0, struct sound, rev, "rev", NULL, "revision"),
    EC_FIELD(U32, 0, struct sound, line, "line", NULL, "in the text"),
    EC_FIELD(WIRE, 0, struct sound, msg, "msg", NULL, "what its alerts would say"),
};
static const struct ec_record sound_record = EC_RECORD_ELEMENT(struct sound, sound_rows);
struct verdict {
    struct ec_part part;
    struct ec_list problems, rules;
    uint64_t n_rule, n_problem;
    uint8_t valid, pad[7];
};
static const struct ec_row verdict_rows[] = {
    EC_FIELD(BOOL, 0, struct verdict, valid, "valid", NULL, "there is at least one rule, and nothing is wrong"),
    EC_FIELD(U64, 0, struct verdict, n_rule, "n_rules", "rules", "that are sound"),
    EC_FIELD(U64, 0, struct verdict, n_problem, "n_problems", "problems", "of which the first 100 are listed"),
    EC_FIELD_LIST(&fault_record, struct verdict, problems, "problems", "in the order of the text"),
    EC_FIELD_LIST(&sound_record, struct verdict, rules, "rules", "the first 100 that are sound"),
};
const struct ec_record validate_reply = EC_RECORD_PART(struct verdict, verdict_rows);

static const char *const hints[] = {
    [KIND_ERROR] = "change the text at that place",
    [KIND_UNSUPPORTED] = "GET /api/rules/keywords lists what rules may say; the rule would be left out",
    [KIND_NOTE] = "leave one of the two out",
    [KIND_CONFLICT] = "choose another sid; or replace the managed one by PUT, or that of a file by override: true",
};

static void fault_fill(struct ec_build *b, struct fault *f, uint32_t kind, const char *msg)
{
    f->kind = kind;
    f->msg = ec_puts(b, msg ? msg : "");
    f->hint = ec_puts(b, hints[kind]);
}

/* Of a sound rule: is one of its number in force or kept? */
static bool conflict(const struct ids_state *st, const struct listed *k, char *why, size_t n)
{
    const struct listed *other = ruleset_find(st->engine->set, k->gid, k->sid);

    if (!other)
        return false;
    if (other->managed)
        snprintf(why, n, "there is a managed rule %u:%u already", k->gid, k->sid);
    else
        snprintf(why, n, "rule %u:%u stands in %.600s:%u already", k->gid, k->sid, other->file, other->line);
    return true;
}

/* Numbers first, and the lists, then the texts in their tail. */
static void fill(struct ec_build *b, struct verdict *to, const struct ids_state *st, const struct ruleset *tried)
{
    const struct problems *ps = ruleset_problems(tried);
    uint32_t n, sound = 0, faults = (uint32_t)(ps->n < SHOWN ? ps->n : SHOWN), extra = 0;
    const struct listed *all = ruleset_listed(tried, &n);
    struct fault *f = ec_rows(b, &to->problems, SHOWN, sizeof *f);
    struct sound *s = ec_rows(b, &to->rules, SHOWN, sizeof *s);
    char text[800];

    if (!f || !s)
        return;
    for (uint32_t i = 0; i < faults; i++) {
        f[i].line = ps->list[i].line;
        f[i].column = ps->list[i].column;
        f[i].sid = ps->list[i].sid;
        fault_fill(b, &f[i], ps->list[i].kind, ps->list[i].text);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (all[i].state != LISTED_ENABLED)
            continue;
        to->n_rule++;
        if (sound < SHOWN) {
            snprintf(text, sizeof text, "%u:%u", all[i].gid, all[i].sid);
            s[sound].id = ec_puts(b, text);
            s[sound].rev = all[i].rev;
            s[sound].line = all[i].line;
            s[sound++].msg = ec_puts(b, all[i].msg ? all[i].msg : "");
        }
        if (!conflict(st, &all[i], text, sizeof text))
            continue;
        extra++;
        if (faults < SHOWN) {
            f[faults].line = all[i].line;
            f[faults].column = 1;
            f[faults].sid = all[i].sid;
            fault_fill(b, &f[faults++], KIND_CONFLICT, text);
        }
    }
    to->problems.n = faults;
    to->rules.n = sound;
    to->n_problem = ps->n + extra;
    to->valid = to->n_rule && !to->n_problem;
}

static void validate(struct manage *m, const struct ids_state *st, struct ec_req *r)
{
    const struct validate_body *p = m->http->body(r);
    const struct load l = manage_load(m);
    struct ruleset *tried = load_try(&l, st->engine->set, (const char *)ec_bytes(&p->part, p->text), p->text.len);
    struct ec_build b = { .cap = ROOM };
    struct verdict *to;

    b.base = tried ? calloc(1, b.cap) : NULL;
    if (b.base && ruleset_finish(tried)) {
        ec_grow(&b, sizeof(struct ec_event));
        to = ec_add(&b, 0, sizeof *to);
        fill(&b, to, st, tried);
        m->http->reply(r, 200, &to->part);
    } else {
        m->http->error(r, 503, "out of memory");
    }
    free(b.base);
    load_drop(tried);
}

int32_t rules_validate(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return manage_work(self, r, validate);
}
