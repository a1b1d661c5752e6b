/* GET /api/rules/profile, /api/rules/keywords. */
#include "plugins/ids/manage/manage.h"

#include <stdlib.h>

enum by { BY_TIME, BY_CHECKS, BY_MATCHES };
struct profile_param { struct ec_part part; uint32_t by, limit; };
static const struct ec_row param_rows[] = {
    { EC_T_ENUM, 0, 0, 0, (uint32_t)offsetof(struct profile_param, by), "by", NULL, "time,checks,matches", "time", NULL,
      "what the first ones have most of", 0, 0 },
    { EC_T_U32, 0, 0, 0, (uint32_t)offsetof(struct profile_param, limit), "limit", NULL, NULL, "50", "rules",
      "at most", 1, 1000 },
};
const struct ec_record profile_param = EC_RECORD_PART(struct profile_param, param_rows);

struct cost { struct ec_span id, msg; uint64_t checks, matches, timed, per_check, total; double share; };
static const struct ec_row cost_rows[] = {
    EC_FIELD(TEXT, 0, struct cost, id, "id", NULL, "GID:SID"),
    EC_FIELD(WIRE, 0, struct cost, msg, "msg", NULL, "what its alerts say"),
    EC_FIELD(U64, 0, struct cost, checks, "checks", "looks", "how often it was looked at in full, estimated"),
    EC_FIELD(U64, 0, struct cost, matches, "matches", "matches", "how often it held, thresholds aside"),
    EC_FIELD(U64, 0, struct cost, timed, "timed", "looks",
             "samples, of which the time was taken: about one in 256 of all rules'"),
    EC_FIELD(U64, 0, struct cost, per_check, "ns_per_check", "ns", "their mean"),
    EC_FIELD(U64, 0, struct cost, total, "ns_estimated", "ns", "checks times that mean"),
    EC_FIELD(F64, 0, struct cost, share, "share", NULL, "of the estimated time of all rules, 0 to 1"),
};
static const struct ec_record cost_record = EC_RECORD_ELEMENT(struct cost, cost_rows);
struct profile { struct ec_part part; struct ec_list items; uint64_t rules, checks, matches, total; };
static const struct ec_row profile_rows[] = {
    EC_FIELD_LIST(&cost_record, struct profile, items, "items",
                  "rules in use that were looked at, the most costly first"),
    EC_FIELD(U64, 0, struct profile, rules, "rules", "rules", "that were looked at"),
    EC_FIELD(U64, 0, struct profile, checks, "checks", "looks", "of all rules"),
    EC_FIELD(U64, 0, struct profile, matches, "matches", "matches", "of all rules"),
    EC_FIELD(U64, 0, struct profile, total, "ns_estimated", "ns", "of all rules"),
};
const struct ec_record profile_reply = EC_RECORD_PART(struct profile, profile_rows);

struct row { const struct rule *rule; struct tally_sum sum; uint64_t key, total; };

static int by_key(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return (x->rule->index > y->rule->index) - (x->rule->index < y->rule->index);
}

static uint64_t estimate(const struct tally_sum *s)
{
    return s->timed ? (uint64_t)((double)s->ns / (double)s->timed * (double)s->checks) : 0;
}

static uint32_t gather(struct manage *m, const struct engine *e, enum by by, struct row *row, struct profile *all)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < e->n_rule; i++) {
        struct row *r = &row[n];

        r->rule = e->rule[i];
        r->sum = tallies_of(m->tallies, e, i, r->rule->gid, r->rule->sid);
        if (!r->sum.checks)
            continue;
        r->total = estimate(&r->sum);
        r->key = by == BY_TIME ? r->total : by == BY_CHECKS ? r->sum.checks : r->sum.matches;
        all->checks += r->sum.checks;
        all->matches += r->sum.matches;
        all->total += r->total;
        n++;
    }
    all->rules = n;
    return n;
}

static void cost_fill(struct ec_build *b, struct cost *c, const struct row *r, uint64_t total)
{
    char id[32];

    snprintf(id, sizeof id, "%u:%u", r->rule->gid, r->rule->sid);
    c->id = ec_puts(b, id);
    c->msg = ec_puts(b, r->rule->msg ? r->rule->msg : "");
    c->checks = r->sum.checks;
    c->matches = r->sum.matches;
    c->timed = r->sum.timed;
    c->per_check = r->sum.timed ? r->sum.ns / r->sum.timed : 0;
    c->total = r->total;
    c->share = total ? (double)r->total / (double)total : 0;
}

static void send_profile(struct manage *m, struct ec_req *r, const struct row *row, uint32_t n,
                         const struct profile *all)
{
    uint32_t cap = 4096;
    struct ec_build b;
    struct profile *to;
    struct cost *c;

    for (uint32_t i = 0; i < n; i++)
        cap += (uint32_t)sizeof *c + 64 + (uint32_t)(row[i].rule->msg ? strlen(row[i].rule->msg) : 0);
    b = (struct ec_build){ .base = calloc(1, cap), .cap = cap };
    if (!b.base) {
        m->http->error(r, 503, "out of memory");
        return;
    }
    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    to->rules = all->rules;
    to->checks = all->checks;
    to->matches = all->matches;
    to->total = all->total;
    c = n ? ec_rows(&b, &to->items, n, sizeof *c) : NULL;
    if (!c)
        to->items.off = (uint32_t)sizeof(struct ec_part);
    for (uint32_t i = 0; c && i < n; i++)
        cost_fill(&b, &c[i], &row[i], all->total);
    m->http->reply(r, 200, &to->part);
    free(b.base);
}

static void profile(struct manage *m, const struct ids_state *st, struct ec_req *r)
{
    const struct profile_param *p = m->http->param(r);
    struct row *row = calloc(st->engine->n_rule + 1u, sizeof *row);
    struct profile all = { .rules = 0 };
    uint32_t n;

    if (!row) {
        m->http->error(r, 503, "out of memory");
        return;
    }
    n = gather(m, st->engine, (enum by)p->by, row, &all);
    if (n)
        qsort(row, n, sizeof *row, by_key);
    send_profile(m, r, row, n < p->limit ? n : p->limit, &all);
    free(row);
}

int32_t rules_profile(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return manage_work(self, r, profile);
}

/* --- keywords ---------------------------------------------------------------------------------------------------- */

struct word { struct ec_span keyword, status, help; };
static const struct ec_row word_rows[] = {
    EC_FIELD(TEXT, 0, struct word, keyword, "keyword", NULL, "as a rule writes it"),
    EC_FIELD(TEXT, 0, struct word, status, "status", NULL,
             "supported; describes the rule; of another plugin; buffer: what stands behind it looks there"),
    EC_FIELD(TEXT, 0, struct word, help, "help", NULL, "what it means"),
};
static const struct ec_record word_record = EC_RECORD_ELEMENT(struct word, word_rows);
struct words { struct ec_part part; struct ec_list items; };
static const struct ec_row words_rows[] = {
    EC_FIELD_LIST(&word_record, struct words, items, "items",
                  "all that rules may say, as ecyberd --list-keywords has it") };
const struct ec_record keywords_reply = EC_RECORD_PART(struct words, words_rows);

struct listing { struct ec_build *b; struct word *to; uint32_t n, room, bytes; };

static void count_row(void *arg, const char *const *cell)
{
    struct listing *l = arg;

    l->n++;
    for (uint32_t i = 0; i < 3; i++)
        l->bytes += (uint32_t)strlen(cell[i] ? cell[i] : "") + 8;
}

static void fill_row(void *arg, const char *const *cell)
{
    struct listing *l = arg;

    if (l->n == l->room)
        return;
    l->to[l->n].keyword = ec_puts(l->b, cell[0] ? cell[0] : "");
    l->to[l->n].status = ec_puts(l->b, cell[1] ? cell[1] : "");
    l->to[l->n++].help = ec_puts(l->b, cell[2] ? cell[2] : "");
}

static void keywords(struct manage *m, const struct ids_state *st, struct ec_req *r)
{
    struct listing l = { .n = 0 };
    struct words *to;
    struct ec_build b;

    (void)st;
    load_list(m->port, m->external, count_row, &l);
    b = (struct ec_build){ .cap = 4096 + l.bytes + l.n * (uint32_t)sizeof *l.to };
    if (!(b.base = calloc(1, b.cap))) {
        m->http->error(r, 503, "out of memory");
        return;
    }
    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    l = (struct listing){ .b = &b, .room = l.n, .to = ec_rows(&b, &to->items, l.n, sizeof *l.to) };
    if (l.to)
        load_list(m->port, m->external, fill_row, &l);
    m->http->reply(r, 200, &to->part);
    free(b.base);
}

int32_t rules_keywords(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return manage_work(self, r, keywords);
}
