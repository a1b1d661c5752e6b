/* POST /api/ids/reload, GET /api/ids/reloads/{id}. */
#include "plugins/ids/manage/manage.h"

#include <inttypes.h>
#include <stdlib.h>

struct reload_param { struct ec_part part; uint64_t id; };
static const struct ec_row param_rows[] = {
    { EC_T_U64, 0, 0, 0, (uint32_t)offsetof(struct reload_param, id), "id", NULL, NULL, NULL, NULL,
      "number of the reload", 1, INT64_MAX },
};
const struct ec_record reload_param = EC_RECORD_PART(struct reload_param, param_rows);

struct outcome {
    struct ec_part part;
    uint64_t id, asked, ended, duration, loaded, failed, skipped, replaced, disabled, files;
    uint32_t state;
    uint8_t dry_run, pad[3];
    struct ec_span by, why;
    struct ec_list problems;
};
enum { HAS_ID, HAS_ENDED, HAS_WHY };
#define COUNT(member, name, help) EC_FIELD(U64, 0, struct outcome, member, name, "rules", help)
static const struct ec_row reply_rows[] = {
    EC_FIELD_OPT(U64, 0, HAS_ID, struct outcome, id, "id", NULL, "of the reload; absent of a dry run"),
    EC_FIELD_ENUM(0, struct outcome, state, "state", RELOAD_WORDS, "failed: the rules before it stay in force"),
    EC_FIELD(BOOL, 0, struct outcome, dry_run, "dry_run", NULL, "the rules were read, and nothing was changed"),
    EC_FIELD(TIME, 0, struct outcome, asked, "asked_at", NULL, "when it was asked for"),
    EC_FIELD(TEXT, 0, struct outcome, by, "asked_by", NULL, "who asked"),
    EC_FIELD_OPT(TIME, 0, HAS_ENDED, struct outcome, ended, "ended_at", NULL, "when it ended"),
    EC_FIELD(DURATION, 0, struct outcome, duration, "duration", "ns", "until its end, or until now"),
    EC_FIELD_OPT(TEXT, 0, HAS_WHY, struct outcome, why, "why", NULL, "why it failed"),
    COUNT(loaded, "rules_loaded", "in use, as it ended"),
    COUNT(failed, "rules_failed", "lines with an error"),
    COUNT(skipped, "rules_skipped", "left out: they ask for what this build does not know"),
    COUNT(replaced, "rules_replaced", "replaced by a higher revision"),
    COUNT(disabled, "rules_disabled", "switched off"),
    EC_FIELD(U64, 0, struct outcome, files, "files", "files", "that were read"),
    EC_FIELD(TEXT, EC_R_LIST, struct outcome, problems, "problems", NULL,
             "the first 50 errors: FILE:LINE:COL: sentence"),
};
const struct ec_record reload_reply = EC_RECORD_PART(struct outcome, reply_rows);

static void fill(struct ec_build *b, struct outcome *to, const struct reload *r, uint64_t now)
{
    struct ec_span *p = r->n_problem ? ec_rows(b, &to->problems, r->n_problem, sizeof *p) : NULL;

    if (!p)
        to->problems.off = (uint32_t)sizeof(struct ec_part);
    for (uint32_t i = 0; p && i < r->n_problem; i++)
        p[i] = ec_puts(b, r->problem[i]);
    to->state = r->step;
    to->asked = r->asked_ns;
    to->by = ec_puts(b, r->by);
    to->duration = (r->ended_ns ? r->ended_ns : now) - r->asked_ns;
    if (r->ended_ns) {
        to->ended = r->ended_ns;
        to->part.has |= 1u << HAS_ENDED;
    }
    if (*r->why) {
        to->why = ec_puts(b, r->why);
        to->part.has |= 1u << HAS_WHY;
    }
    to->loaded = r->counts.loaded;
    to->failed = r->counts.errors;
    to->skipped = r->counts.unsupported;
    to->replaced = r->counts.replaced;
    to->disabled = r->counts.disabled;
    to->files = r->counts.files;
}

static int32_t send(struct manage *m, struct ec_req *q, uint32_t status, const struct reload *r, bool dry)
{
    struct ec_build b = { .cap = 131072 };
    struct outcome *to;
    int32_t err;

    if (!(b.base = calloc(1, b.cap)))
        return m->http->error(q, 503, "out of memory");
    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    fill(&b, to, r, m->host->now(m->host));
    to->dry_run = dry;
    if (!dry) {
        to->id = r->id;
        to->part.has |= 1u << HAS_ID;
    }
    err = m->http->reply(q, status, &to->part);
    free(b.base);
    return err;
}

static const char *who_asks(struct manage *m, struct ec_req *r)
{
    const struct ec_who *who = m->http->who(r);

    return who ? who->name : "";
}

/* The rules of the configuration that is in force, read anew for no use. */
static void look(struct manage *m, const struct ids_state *st, struct ec_req *q)
{
    struct reload r = { .asked_ns = m->host->now(m->host), .step = RELOAD_DONE };
    struct load l = manage_load(m);
    struct ruleset *s;

    l.conf = st->conf;
    l.managed = manage_current(m);
    s = load_look(&l);
    snprintf(r.by, sizeof r.by, "%s", who_asks(m, q));
    r.ended_ns = m->host->now(m->host);
    if (s) {
        ruleset_count(s, &r.counts);
        reload_problems(&r, s);
    } else {
        r.step = RELOAD_FAILED;
        snprintf(r.why, sizeof r.why,
                 "the rules cannot be read: a file is missing or cannot be read, or memory ran out");
    }
    send(m, q, 200, &r, true);
    reload_clear(&r);
    load_drop(s);
    managed_release((struct managed *)(uintptr_t)l.managed);
}

int32_t reload_begin(void *self, const void *state, struct ec_req *q)
{
    struct manage *m = self;
    struct reload r = { .id = 0 };
    char object[40];
    uint64_t id;
    int32_t err;

    (void)state;
    if (m->http->dry_run(q))
        return manage_work(m, q, look);
    if (reloads_ask(m->reloads, who_asks(m, q), NULL, NULL, &id))
        return m->http->error(q, 503, "the daemon takes no reload at the moment: ask again soon");
    snprintf(object, sizeof object, "reloads/%" PRIu64, id);
    m->http->audit(q, "ids.reload", "success", object, NULL);
    if (!reloads_get(m->reloads, id, &r))
        return m->http->error(q, 503, "too many reloads were asked for");
    err = send(m, q, 202, &r, false);
    reload_clear(&r);
    return err;
}

int32_t reload_show(void *self, const void *state, struct ec_req *q)
{
    struct manage *m = self;
    struct reload r = { .id = 0 };
    int32_t err;

    (void)state;
    if (!reloads_get(m->reloads, ((const struct reload_param *)m->http->param(q))->id, &r))
        return m->http->error(q, 404, "there was no such reload, or it is one of those before the last 32");
    err = send(m, q, 200, &r, false);
    reload_clear(&r);
    return err;
}
