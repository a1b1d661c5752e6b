#include "plugins/ids/limits/limits.h"

#include "plugins/ids/state.h"

#include <stdlib.h>

#define READERS "admin,operator,analyst,viewer"
#define EDITORS "admin,operator"
#define ANSWER_MS 120000u           /* a reload of many rules may take a while */

struct list_param { struct ec_part part; uint32_t gid, sid, limit, after; };
enum { ASKED_GID, ASKED_SID };
#define ASK(flags, bit, member, name, def, help, min, max) \
    { EC_T_U32, (flags), (bit), 0, (uint32_t)offsetof(struct list_param, member), (name), NULL, NULL, (def), NULL, \
      (help), (min), (max) }
static const struct ec_row list_rows[] = {
    ASK(EC_R_OPT, ASKED_GID, gid, "gid", NULL, "of this group", 0, UINT32_MAX),
    ASK(EC_R_OPT, ASKED_SID, sid, "sid", NULL, "of this rule", 0, UINT32_MAX),
    ASK(0, 0, limit, "limit", "100", "entries of one page", 1, 1000),
    ASK(0, 0, after, "cursor", "0", "next_cursor of the page before", 0, TUNING_MAX * 2),
};
static const struct ec_record list_param = EC_RECORD_PART(struct list_param, list_rows);

struct many { struct ec_part part; struct ec_list items; uint64_t total; uint32_t next, pad; };
#define MANY(view) \
    { EC_FIELD_LIST(&(view), struct many, items, "items", "entries, by gid and sid"), \
      EC_FIELD(U64, 0, struct many, total, "total", "entries", "on all pages"), \
      EC_FIELD_OPT(U32, 0, 0, struct many, next, "next_cursor", NULL, "for the next page; absent: this is the last") }
static const struct ec_row suppressions_rows[] = MANY(suppression_view), thresholds_rows[] = MANY(threshold_view);
static const struct ec_record suppressions_reply = EC_RECORD_PART(struct many, suppressions_rows);
static const struct ec_record thresholds_reply = EC_RECORD_PART(struct many, thresholds_rows);

static bool is_wanted(const struct list_param *p, enum tune_kind kind, const struct tune *e)
{
    return e->kind == kind && (!(p->part.has >> ASKED_GID & 1) || e->gid == p->gid) &&
           (!(p->part.has >> ASKED_SID & 1) || e->sid == p->sid);
}

/* The entries of one page into the open part; *left: there are more. */
static void fill_page(const struct limits_side *side, const struct ids_state *st, const struct list_param *p,
                      struct ec_build *b, struct many *to)
{
    const struct tuning *t = st->tuning;
    const char *file = limits_file(side->l, st);
    struct limits_view *v;
    uint32_t n = 0, seen = 0;

    for (uint32_t i = 0; i < t->n; i++)
        n += is_wanted(p, side->kind, t->tune[i]);
    to->total = n;
    n = n > p->after ? n - p->after : 0;
    if (n > p->limit) {
        n = p->limit;
        to->next = p->after + n;
        to->part.has |= 1;
    }
    v = ec_rows(b, &to->items, n, sizeof *v);
    for (uint32_t i = 0; v && n && i < t->n; i++)
        if (is_wanted(p, side->kind, t->tune[i]) && seen++ >= p->after) {
            limits_fill(b, v++, t->tune[i], file);
            n--;
        }
}

static int32_t run_list(void *self, const void *state, struct ec_req *r)
{
    const struct limits_side *side = self;
    const struct list_param *p = side->l->http->param(r);
    uint32_t cap = 4096 + p->limit * (uint32_t)(sizeof(struct limits_view) + 5000);
    struct ec_build b = { .base = calloc(1, cap), .cap = cap };
    struct many *to;

    if (!b.base)
        return side->l->http->error(r, 503, "out of memory");
    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    fill_page(side, state, p, &b, to);
    side->l->http->reply(r, 200, &to->part);
    free(b.base);
    return EC_OK;
}

static int32_t run_show(void *self, const void *state, struct ec_req *r)
{
    const struct limits_side *side = self;
    const struct ids_state *st = state;
    const struct limits_param *p = side->l->http->param(r);
    const struct tune *e = tuning_by_id(st->tuning, side->kind, p->id);
    union { uint64_t align; uint8_t bytes[512 * 8]; } room = { 0 };
    struct ec_build b = { .base = room.bytes, .cap = sizeof room };
    struct limits_view *v;

    if (!e)
        return side->l->http->error(r, 404, "there is none of this number");
    if (side->l->http->match(r, e->version))
        return EC_OK;
    ec_grow(&b, sizeof(struct ec_event));
    v = ec_add(&b, 0, sizeof *v);
    limits_fill(&b, v, e, NULL);
    side->l->http->etag(r, e->version);
    return side->l->http->reply(r, 200, &v->part);
}

#define EDITS (EC_RT_ENFORCES | EC_RT_EDITS)
#define ROUTE(m, p, id, who, text) \
    .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .roles = who, .summary = text
#define GROUP(path, one, name, names, what, shape, shapes, body_shape, sample) \
    { ROUTE("GET", path, "list_" names, READERS, what "s, of ids.threshold_file too, with what they held back"), \
      .param = &list_param, .reply = &(shapes), .run = run_list }, \
    { ROUTE("POST", path, "create_" name, EDITORS, "Make a " name "; answered when it is in force. 200 of a dry run"), \
      .flags = EDITS, .body = &(body_shape), .reply = &(shape), .status = 201, .errors = "200,409,412", \
      .deadline_ms = ANSWER_MS, .example = sample, .run = limits_create }, \
    { ROUTE("POST", path "/preview", "preview_" name, READERS, "What it would have held back of the stored alerts"), \
      .param = &preview_param, .body = &(body_shape), .reply = &preview_reply, .deadline_ms = 30000, \
      .example = sample, .run = limits_preview }, \
    { ROUTE("GET", one, "get_" name, READERS, "One " name), .flags = EC_RT_EDITS, .param = &limits_param, \
      .reply = &(shape), .errors = "304,404", .run = run_show }, \
    { ROUTE("PUT", one, "replace_" name, EDITORS, "Change a " name "; answered when it is in force"), .flags = EDITS, \
      .param = &limits_param, .body = &(body_shape), .reply = &(shape), .errors = "404,409,412", \
      .deadline_ms = ANSWER_MS, .example = sample, .run = limits_replace }, \
    { ROUTE("DELETE", one, "delete_" name, EDITORS, "Remove a " name "; answered when it no longer holds"), \
      .flags = EDITS, .param = &limits_param, .status = 204, .errors = "404,409,412", .deadline_ms = ANSWER_MS, \
      .run = limits_remove }
static const struct ec_route suppressions[] = {
    GROUP("/api/rules/suppressions", "/api/rules/suppressions/{id}", "suppression", "suppressions", "Suppression",
          suppression_view, suppressions_reply, suppression_body,
          "{\"sid\": 1000003, \"track\": \"by_src\", \"ip\": \"10.0.0.0/8\", \"note\": \"our scanner\"}"),
}, thresholds[] = {
    GROUP("/api/rules/thresholds", "/api/rules/thresholds/{id}", "threshold", "thresholds", "Threshold",
          threshold_view, thresholds_reply, threshold_body,
          "{\"sid\": 1000003, \"type\": \"limit\", \"track\": \"by_src\", \"count\": 1, \"seconds\": 60}"),
};

void limits_declare(struct limits *l, struct reloads *rs)
{
    const struct ec_host *h = l->host;

    l->reloads = rs;
    l->http = h->use(h, EC_HTTP_ID, &l->http_self);
    l->store = h->use(h, EC_STORE_ID, &l->store_self);
    for (size_t i = 0; l->http && rs && i < sizeof thresholds / sizeof thresholds[0]; i++)
        if (l->http->route(l->http_self, h, &suppressions[i], &l->side[TUNE_SUPPRESS]) ||
            l->http->route(l->http_self, h, &thresholds[i], &l->side[TUNE_THRESHOLD]))
            EC_LOG(h, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", thresholds[i].path);
}
