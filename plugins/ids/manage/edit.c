#include "plugins/ids/manage/edit.h"

#include "plugins/ids/manage/view.h"

#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>

#define SHOWN 3000                  /* bytes of a rule in the audit log */

#define PATCH_ACTIONS "alert,pass,drop,reject"
static const char *const patch_words[] = { "alert", "pass", "drop", "reject" };

struct rule_body { struct ec_part part; struct ec_span text; uint32_t action; uint8_t enabled, override, pad[2]; };
enum { HAS_ENABLED, HAS_ACTION, HAS_OVERRIDE };
#define TEXT_ROW \
    { EC_T_TEXT, 0, 0, 0, (uint32_t)offsetof(struct rule_body, text), "text", NULL, NULL, NULL, NULL, \
      "one rule, in the language of docs/rules.md", 1, (int64_t)MANAGED_TEXT_MAX }
#define ENABLED_ROW(what) \
    { EC_T_BOOL, EC_R_OPT, HAS_ENABLED, 0, (uint32_t)offsetof(struct rule_body, enabled), "enabled", NULL, NULL, \
      NULL, NULL, (what), 0, 0 }
static const struct ec_row create_rows[] = {
    TEXT_ROW, ENABLED_ROW("in use; absent: yes"),
    { EC_T_BOOL, EC_R_OPT, HAS_OVERRIDE, 0, (uint32_t)offsetof(struct rule_body, override), "override", NULL, NULL,
      NULL, NULL, "take the place of a rule of a file with the same gid and sid; absent: no", 0, 0 },
};
const struct ec_record create_body = EC_RECORD_PART(struct rule_body, create_rows);
static const struct ec_row replace_rows[] = { TEXT_ROW, ENABLED_ROW("in use; absent: as it is") };
const struct ec_record replace_body = EC_RECORD_PART(struct rule_body, replace_rows);
static const struct ec_row patch_rows[] = {
    ENABLED_ROW("in use, or not"),
    { EC_T_ENUM, EC_R_OPT, HAS_ACTION, 0, (uint32_t)offsetof(struct rule_body, action), "action", NULL, PATCH_ACTIONS,
      NULL, NULL, "what it does; of managed rules only", 0, 0 },
};
const struct ec_record patch_body = EC_RECORD_PART(struct rule_body, patch_rows);

void change_free(struct change *c)
{
    free(c->before);
    free(c->after);
    free(c);
}

bool edit_asks(struct manage *m, struct ec_req *r)
{
    const struct rule_body *b = m->http->body(r);

    return b->part.has & (1u << HAS_ENABLED | 1u << HAS_ACTION);
}

/* --- refusals ---------------------------------------------------------------------------------------------------- */

struct managed *edit_refuse(struct manage *m, struct change *c, uint32_t status, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    m->http->error(c->r, status, text);
    return NULL;
}

static struct managed *refuse_text(struct manage *m, struct change *c, const char *why)
{
    char text[1024];

    snprintf(text, sizeof text, "Value error, %s", why);
    m->http->invalid(c->r, "body.text", "value_error", text);
    return NULL;
}

/* What stands in a file is the file's. */
static struct managed *refuse_file(struct manage *m, struct change *c, const struct listed *k, const char *what)
{
    return edit_refuse(m, c, 409,
                       "rule %u:%u stands in %.600s:%u and cannot be %s over the API: switch it off, or put a managed "
                       "rule in its place (POST /api/rules with override)", k->gid, k->sid, k->file, k->line, what);
}

/* --- one change -------------------------------------------------------------------------------------------------- */

/* The rule of a file; NULL: none has this number. */
static const struct listed *of_file(const struct ids_state *st, uint32_t gid, uint32_t sid)
{
    const struct listed *all, *k = ruleset_find(st->engine->set, gid, sid);
    uint32_t n;

    all = ruleset_listed(st->engine->set, &n);
    for (; k && k < all + n && k->gid == gid && k->sid == sid; k++)
        if (!k->managed)
            return k;
    return NULL;
}

/* As it stands now, for the audit log: "on: TEXT". */
static char *describe(const struct managed_rule *own, const struct listed *file)
{
    char *text = NULL;

    if (own && own->len) {
        int n = own->len < SHOWN ? (int)own->len : SHOWN;

        if (asprintf(&text, "%s: %.*s", own->turn == SWITCH_OFF ? "off" : "on", n, own->text) < 0)
            return NULL;
    } else if (file && asprintf(&text, "%s, of a file", own ? own->turn == SWITCH_OFF ? "off" : "on"
                                : file->commented ? "off, as it is written" : "on, as it is written") < 0) {
        return NULL;
    }
    return text;
}

/* The only rule of a text that was tried, and it is sound. NULL: it was answered. */
static const struct listed *only_rule(struct manage *m, struct change *c, const struct ruleset *tried)
{
    const struct problems *ps = ruleset_problems(tried);
    uint32_t n;
    const struct listed *k = ruleset_listed(tried, &n);
    char why[700];

    if (ps->n) {
        snprintf(why, sizeof why, "%u:%u: %.600s", ps->list[0].line, ps->list[0].column, ps->list[0].text);
        refuse_text(m, c, why);
        return NULL;
    }
    if (n != 1 || k->state != LISTED_ENABLED) {
        refuse_text(m, c, n > 1 ? "one rule is expected, and there are several" : n
                     ? "it stands behind a '#': leave that out, and say enabled: false" : "there is no rule in it");
        return NULL;
    }
    if (!k->sid || strlen(k->text) > MANAGED_TEXT_MAX) {
        refuse_text(m, c, k->sid ? "it is too long" : "its sid may not be 0");
        return NULL;
    }
    return k;
}

static void answer_dry(struct manage *m, const struct ids_state *st, struct change *c, const struct listed *k, bool on)
{
    struct listed shown = *k;

    shown.rule = NULL;              /* of no engine */
    shown.state = on ? LISTED_ENABLED : LISTED_DISABLED;
    shown.why = on ? NULL : "switched off";
    view_reply_one(m, st, c->r, 200, &shown);
}

/* The next version, with this entry. */
static struct managed *edit(struct manage *m, struct change *c, const struct managed *base, enum managed_switch turn,
                            const char *text, uint32_t len)
{
    const struct managed_edit e = { .gid = c->gid, .sid = c->sid, .turn = turn, .text = text, .len = len, .by = c->by,
                                    .at_ns = m->host->now(m->host) };
    struct managed *next = managed_with(base, &e);

    if (!next)
        return base->n >= MANAGED_MAX
            ? edit_refuse(m, c, 409, "there are %u managed rules and switches already", MANAGED_MAX)
            : edit_refuse(m, c, 503, "out of memory");
    c->after = describe(managed_find(next, c->gid, c->sid), NULL);
    if (!c->after)
        c->after = strdup(turn == SWITCH_OFF ? "off, of a file" : "on, of a file");
    return next;
}

/* POST and PUT: a text. tried is of it. */
static struct managed *take_text(struct manage *m, const struct ids_state *st, struct change *c,
                                 const struct managed *base, const struct ruleset *tried)
{
    const struct rule_body *b = m->http->body(c->r);
    const struct listed *k = only_rule(m, c, tried), *file;
    const struct managed_rule *own;
    struct listed shown;
    bool on;

    if (!k)
        return NULL;                /* and b is gone with the request */
    on = !(b->part.has >> HAS_ENABLED & 1) || b->enabled;
    if (c->op == OP_REPLACE && (k->gid != c->gid || k->sid != c->sid))
        return refuse_text(m, c, "its gid and sid have to be those of the path");
    c->gid = k->gid;
    c->sid = k->sid;
    own = managed_find(base, k->gid, k->sid);
    file = of_file(st, k->gid, k->sid);
    if (c->op == OP_CREATE && own && own->len)
        return edit_refuse(m, c, 409, "there is a managed rule %u:%u already: change it by PUT", k->gid, k->sid);
    if (c->op == OP_CREATE && file && !b->override)
        return edit_refuse(m, c, 409,
                           "rule %u:%u stands in %.600s:%u already: choose another sid, or say override: true, so that "
                           "this one takes its place", k->gid, k->sid, file->file, file->line);
    if (c->op == OP_REPLACE && !(b->part.has >> HAS_ENABLED & 1))
        on = own->turn != SWITCH_OFF;
    c->before = describe(own, file);
    if (!c->dry)
        return edit(m, c, base, on ? SWITCH_NONE : SWITCH_OFF, k->text, (uint32_t)strlen(k->text));
    shown = *k;
    shown.managed = 1;
    answer_dry(m, st, c, &shown, on);
    return NULL;
}

static struct managed *try_text(struct manage *m, const struct ids_state *st, struct change *c,
                                const struct managed *base)
{
    const struct rule_body *b = m->http->body(c->r);
    const struct load l = manage_load(m);
    struct ruleset *tried = load_try(&l, st->engine->set, (const char *)ec_bytes(&b->part, b->text), b->text.len);
    struct managed *next;

    if (!tried)
        return edit_refuse(m, c, 503, "out of memory");
    next = take_text(m, st, c, base, tried);
    load_drop(tried);
    return next;
}

/* The same rule with another first word. NULL: out of memory. */
static char *with_action(const struct managed_rule *own, const char *word, uint32_t *len)
{
    size_t old = strcspn(own->text, " \t");
    char *text;
    int n = asprintf(&text, "%s%s", word, own->text + old);

    if (n < 0 || (size_t)n > MANAGED_TEXT_MAX) {
        if (n >= 0)
            free(text);
        return NULL;
    }
    *len = (uint32_t)n;
    return text;
}

static struct managed *patch_managed(struct manage *m, const struct ids_state *st, struct change *c,
                                     const struct managed *base, const struct managed_rule *own, int on,
                                     const char *action)
{
    const struct listed *k = ruleset_find(st->engine->set, c->gid, c->sid);
    enum managed_switch turn = on < 0 ? own->turn : on ? SWITCH_NONE : SWITCH_OFF;
    uint32_t len = own->len;
    char *text = action ? with_action(own, action, &len) : NULL;
    struct managed *next = NULL;
    struct listed shown;

    if (action && !text)
        return edit_refuse(m, c, 409, "the rule would be too long");
    if (c->dry && !k) {
        free(text);
        return edit_refuse(m, c, 503, "the rule is just being made: ask again in a moment");
    }
    if (k && (c->dry || (turn == own->turn && (!text || !strcmp(text, own->text))))) {
        shown = *k;
        if (action)
            shown.action = action;
        if (text)
            shown.text = text;
        if (c->dry)
            answer_dry(m, st, c, &shown, turn != SWITCH_OFF);
        else
            view_reply_one(m, st, c->r, 200, k);        /* it is so already */
    } else {
        next = edit(m, c, base, turn, text ? text : own->text, len);
    }
    free(text);
    return next;
}

static struct managed *patch_file(struct manage *m, const struct ids_state *st, struct change *c,
                                  const struct managed *base, const struct managed_rule *own, const struct listed *k,
                                  bool on)
{
    if (c->dry)
        answer_dry(m, st, c, k, on);
    else if (own ? (own->turn == SWITCH_ON) == on : !k->commented == on)
        view_reply_one(m, st, c->r, 200, k);            /* it is so already */
    else
        return edit(m, c, base, on ? SWITCH_ON : SWITCH_OFF, NULL, 0);
    return NULL;
}

static struct managed *patch(struct manage *m, const struct ids_state *st, struct change *c, const struct managed *base,
                             const struct managed_rule *own, const struct listed *file)
{
    const struct rule_body *b = c->op == OP_PATCH ? m->http->body(c->r) : NULL;
    const char *action = b && b->part.has >> HAS_ACTION & 1 ? patch_words[b->action] : NULL;
    int on = !b ? c->op == OP_ENABLE : b->part.has >> HAS_ENABLED & 1 ? b->enabled : -1;

    if (own && own->len)
        return patch_managed(m, st, c, base, own, on, action);
    if (action)
        return refuse_file(m, c, file, "changed");
    return patch_file(m, st, c, base, own, file, on == 1);
}

struct managed *edit_apply(struct manage *m, const struct ids_state *st, struct change *c, const struct managed *base)
{
    const struct managed_rule *own = c->op == OP_CREATE ? NULL : managed_find(base, c->gid, c->sid);
    const struct listed *file = c->op == OP_CREATE ? NULL : of_file(st, c->gid, c->sid);
    bool managed = own && own->len;
    struct managed *next;

    if (m->shut && !c->dry)
        return edit_refuse(m, c, 409, "%s", m->shut);
    if (c->op == OP_CREATE)
        return try_text(m, st, c, base);
    if (!managed && !file)
        return edit_refuse(m, c, 404, "no rule of this number was read");
    if (m->http->match(c->r, own ? own->version : 0))
        return NULL;
    if (c->op == OP_REPLACE)
        return managed ? try_text(m, st, c, base) : refuse_file(m, c, file, "changed");
    c->before = describe(own, file);
    if (c->op != OP_REMOVE)
        return patch(m, st, c, base, own, file);
    if (!managed)
        return refuse_file(m, c, file, "removed");
    if (c->dry)
        return m->http->reply(c->r, 204, NULL), NULL;
    if (!(next = managed_without(base, c->gid, c->sid)))
        return edit_refuse(m, c, 503, "out of memory");
    c->after = describe(NULL, file);
    return next;
}
