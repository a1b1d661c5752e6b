/* GET /api/ids/alerts: events with their states; with ?status= only those in some of the states. Alerts that are open
 * are those that the store still has and nobody has changed; the others are answered from the copies. */
#include "plugins/ids/states/alerts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS  20u                 /* pages of the store, or windows of copies, for one page */
#define WINDOW  500u                /* copies that are looked at at once */
#define FILTERS 64u
#define EITHER  3u                  /* filters for either side in one query: each doubles the work */

struct param { struct ec_part part; struct ec_span status; };
static const struct ec_row param_rows[] = {
    { EC_T_TEXT, EC_R_OPT, 0, 0, (uint32_t)offsetof(struct param, status), "status", NULL, NULL, NULL, NULL,
      "alerts in this state: " STATE_WORDS ", or several with commas. Without `open` the answer comes from copies, "
      "which outlive the retention of events, and has no `q`", 1, 64 },
};
const struct ec_record list_param = EC_RECORD_PART(struct param, param_rows);

struct row { uint64_t event; struct alert_state state; char *json; uint32_t n; };    /* a copy that fits */
struct page {
    struct alerts *a;
    struct grown out, open;         /* open: the members beside an alert that nobody has changed */
    uint32_t mask, n, limit;
    bool partial, states, up;       /* states: they are known, and shown; up: the oldest first */
    char next[EC_CURSOR_MAX];
    struct row *row;                /* of one window */
    uint32_t rows, room;
    int32_t err;
};

/* Most alerts are open: their members are made once for a page. */
static void put_item(struct page *p, const char *json, uint32_t n, const struct alert_state *state)
{
    struct grown own = { .s = NULL };

    if (p->n++)
        grown_put(&p->out, ",");
    if (!p->states) {
        grown_add(&p->out, json, n);
        return;
    }
    if (state || !p->open.n)
        beside_members(p->a, state ? &own : &p->open, state);
    beside_add(&p->out, json, n, state ? &own : &p->open);
    p->out.failed |= own.failed || p->open.failed;
    free(own.s);
}

static int32_t on_event(void *arg, uint64_t id, const char *json, uint32_t n)
{
    struct page *p = arg;
    const struct alert_state *state;

    if (!p->states || !states_may_have(p->a->states, id)) {
        put_item(p, json, n, NULL);     /* open, and only pages with open ones are read from the store */
        return EC_OK;
    }
    state = states_hold(p->a->states, id);
    if (p->mask >> (state ? state->state : STATE_OPEN) & 1)
        put_item(p, json, n, state);
    states_release(p->a->states);
    return EC_OK;
}

/* From the store: pages of it, until this one is full. */
static int32_t read_stream(struct page *p, const struct ec_query *asked, char *why, uint32_t n)
{
    struct ec_query q = *asked;
    struct ec_page got = { .size = sizeof got };
    int32_t err = EC_OK;

    for (uint32_t i = 0; !err && p->n < p->limit; i++) {
        if (i == ROUNDS) {
            p->partial = true;
            break;
        }
        q.limit = p->limit - p->n;
        err = p->a->store->events(p->a->store_self, &q, on_event, p, &got, why, n);
        memcpy(p->next, got.next, sizeof p->next);
        q.cursor = p->next;
        p->partial |= got.flags & EC_PAGE_PARTIAL;
        if (!*p->next || p->partial)
            break;
    }
    return err;
}

static char *text_of(const struct ec_part *p, struct ec_span s)
{
    return s.off ? strndup((const char *)ec_bytes(p, s), s.len) : strdup("");
}

static int32_t on_copy(void *arg, uint64_t id, uint64_t version, const struct ec_part *part)
{
    const struct copy *c = (const struct copy *)(const void *)part;
    struct page *p = arg;
    struct row *r;

    (void)id;
    if (p->rows == p->room) {
        uint32_t room = p->room ? 2 * p->room : 64;

        if (!(r = reallocarray(p->row, room, sizeof *r)))
            return p->err = EC_ENOMEM;
        p->row = r;
        p->room = room;
    }
    r = &p->row[p->rows++];
    *r = (struct row){ .event = c->event, .json = text_of(part, c->json), .n = c->json.len };
    r->state = (struct alert_state){ .event = c->event, .version = version, .at_ns = c->at, .state = c->state,
                                     .note = text_of(part, c->note) };
    if (c->by.off)
        memcpy(r->state.by, ec_bytes(part, c->by), c->by.len < sizeof r->state.by ? c->by.len : sizeof r->state.by - 1);
    return p->err = r->json && r->state.note ? EC_OK : EC_ENOMEM;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = ((const struct row *)a)->event, y = ((const struct row *)b)->event;

    return x < y ? 1 : x > y ? -1 : 0;
}

static int oldest_first(const void *a, const void *b)
{
    return newest_first(b, a);
}

static void rows_free(struct page *p)
{
    for (uint32_t i = 0; i < p->rows; i++) {
        free(p->row[i].json);
        free(p->row[i].state.note);
    }
    p->rows = 0;
}

/* The conditions of a page as those of documents. */
struct terms { struct ec_filter f[FILTERS]; uint32_t n, fixed; uint32_t either[EITHER], n_either; char text[4][32]; };

static void add_term(struct terms *t, uint32_t op, const char *field, const char *value)
{
    t->f[t->n++] = (struct ec_filter){ sizeof t->f[0], op, field, value };
}

/* 0; else a sentence about why not, in why. */
static int copy_terms(struct terms *t, const struct ec_query *q, char *why, uint32_t n)
{
    t->n = t->n_either = 0;
    if (q->text)
        return snprintf(why, n, "q: words are looked for among open alerts only"), -1;
    for (uint32_t i = 0; i < q->n_filter; i++) {
        const struct ec_filter *f = (const void *)((const char *)q->filter + (size_t)i * q->filter_stride);
        bool either = !strcmp(f->field, "ip") || !strcmp(f->field, "port");

        if (t->n + 6 > FILTERS || (either && t->n_either == EITHER))
            return snprintf(why, n, "%s: there are too many conditions", f->field), -1;
        if (!strcmp(f->field, "id"))
            add_term(t, f->op, "event_id", f->value);
        else if (either || copy_has(f->field))
            add_term(t, f->op, f->field, f->value);
        else
            return snprintf(why, n, "%s: alerts whose state was changed cannot be filtered by it", f->field), -1;
        if (either)
            t->either[t->n_either++] = t->n - 1;
    }
    t->fixed = t->n;
    return 0;
}

static void time_term(struct terms *t, uint32_t op, uint64_t ns, char text[32])
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    size_t at;

    if (!ns || !gmtime_r(&seconds, &tm))
        return;
    at = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + at, 32 - at, ".%09uZ", (unsigned)(ns % 1000000000));
    add_term(t, op, "timestamp", text);
}

/* Copies of one window: each way in which "ip" and "port" may fit is a search of its own. NE has to fit both sides. */
static int32_t read_window(struct page *p, struct terms *t, const struct ec_query *q, uint64_t from, uint64_t to)
{
    static const char *const side[2][2] = { { "src_ip", "dest_ip" }, { "src_port", "dest_port" } };
    int32_t err = EC_OK;

    t->n = t->fixed;
    snprintf(t->text[0], sizeof t->text[0], "%" PRIu64, from);
    snprintf(t->text[1], sizeof t->text[1], "%" PRIu64, to);
    add_term(t, EC_F_GE, "event_id", t->text[0]);
    add_term(t, EC_F_LE, "event_id", t->text[1]);
    time_term(t, EC_F_GE, q->since_ns, t->text[2]);
    time_term(t, EC_F_LT, q->until_ns, t->text[3]);
    for (uint32_t way = 0; !err && way < 1u << t->n_either; way++) {
        for (uint32_t k = 0; k < t->n_either; k++) {
            const char **field = &t->f[t->either[k]].field;
            bool port = strstr(*field, "port") != NULL;

            *field = side[port][way >> k & 1];
        }
        err = states_find(p->a->states, t->f, t->n, on_copy, p);
    }
    return err ? err : p->err;
}

static bool wanted(const struct page *p, uint32_t i, const struct terms *t)
{
    uint32_t same = 1;

    if (i && p->row[i].event == p->row[i - 1].event)
        return false;
    if (!(p->mask >> p->row[i].state.state & 1))
        return false;
    for (uint32_t k = 0; k < t->n_either; k++)          /* not equal: both sides, so in each way */
        same <<= t->f[t->either[k]].op == EC_F_NE;
    for (uint32_t k = 1; k < same; k++)
        if (i + k >= p->rows || p->row[i + k].event != p->row[i].event)
            return false;
    return true;
}

/* From the copies, those behind the event `from`. */
static int32_t read_copies(struct page *p, const struct ec_query *q, struct terms *t, uint64_t from)
{
    uint64_t id[WINDOW];
    uint32_t n;
    int32_t err = EC_OK;

    for (uint32_t round = 0; !err && p->n < p->limit; round++) {
        if (!(n = states_behind(p->a->states, p->mask, from, p->up, id, WINDOW)))
            return EC_OK;
        if (round == ROUNDS) {
            p->partial = true;
            break;
        }
        err = read_window(p, t, q, id[p->up ? 0 : n - 1], id[p->up ? n - 1 : 0]);
        if (p->rows)
            qsort(p->row, p->rows, sizeof *p->row, p->up ? oldest_first : newest_first);
        from = id[n - 1];
        for (uint32_t i = 0; !err && i < p->rows && p->n < p->limit; i++)
            if (wanted(p, i, t)) {
                put_item(p, p->row[i].json, p->row[i].n, &p->row[i].state);
                if (p->n == p->limit)
                    from = p->row[i].event;
            }
        rows_free(p);
    }
    if (states_behind(p->a->states, p->mask, from, p->up, id, 1))
        snprintf(p->next, sizeof p->next, "changed-%" PRIu64, from);
    return err;
}

static void reply(struct page *p, struct ec_req *r)
{
    grown_put(&p->out, *p->next ? "],\"next_cursor\":\"" : "],\"next_cursor\":null");
    if (*p->next) {
        grown_put(&p->out, p->next);
        grown_put(&p->out, "\"");
    }
    grown_put(&p->out, p->partial ? ",\"partial\":true}" : ",\"partial\":false}");
    if (p->out.failed) {
        p->a->http->error(r, 503, "out of memory");
    } else {
        p->a->http->json_take(r, 200, p->out.s, p->out.n);
        p->out.s = NULL;
    }
}

/* The same query, or not: 0; else it was answered. */
static int read_copies_for(struct page *p, struct ec_req *r, const struct ec_query *q)
{
    static const char mark[] = "changed-";
    char why[160];
    struct terms t;
    uint64_t from = p->up ? 0 : UINT64_MAX;
    int32_t err;

    if (copy_terms(&t, q, why, sizeof why))
        return p->a->http->invalid(r, "query", "value_error", why), 1;
    if (q->cursor &&
        (strncmp(q->cursor, mark, sizeof mark - 1) != 0 ||
         !event_number(q->cursor + sizeof mark - 1, (uint32_t)(strlen(q->cursor) - sizeof mark + 1), &from)))
        return p->a->http->invalid(r, "query.cursor", "value_error", "It is not the next_cursor of such a page"), 1;
    err = read_copies(p, q, &t, from);
    rows_free(p);
    free(p->row);
    if (err == EC_EINVAL)
        return p->a->http->invalid(r, "query", "value_error", "a filter cannot be used on changed alerts"), 1;
    return err ? (alerts_failed(p->a, r, err), 1) : 0;
}

static int read_stream_for(struct page *p, struct ec_req *r, const struct ec_query *q)
{
    char why[256] = "";
    int32_t err = read_stream(p, q, why, sizeof why);

    if (err == EC_EINVAL)
        return p->a->http->invalid(r, "query", "value_error", *why ? why : "the filter cannot be used"), 1;
    if (err) {
        EC_LOG(p->a->host, EC_LOG_WARNING, "alerts could not be read from the store (%d): %s", (int)err, why);
        return p->a->http->error(r, 503, "the store cannot be read at the moment"), 1;
    }
    return 0;
}

static void list_work(struct ec_req *r, void *arg)
{
    struct alerts *a = arg;
    const struct param *param = a->http->param(r);
    const struct ec_query *q = a->http->query(r);
    struct page p = { .a = a, .mask = STATE_CHANGED_MASK, .limit = q->limit, .states = states_ready(a->states),
                      .up = (q->flags & EC_QUERY_OLDEST_FIRST) != 0 };
    int answered;

    if (param->part.has & 1)
        p.mask = state_words((const char *)ec_bytes(&param->part, param->status), param->status.len);
    grown_put(&p.out, "{\"items\":[");
    answered = p.mask & 1 ? read_stream_for(&p, r, q) : read_copies_for(&p, r, q);
    if (!answered)
        reply(&p, r);
    free(p.out.s);
    free(p.open.s);
}

int32_t alerts_list(void *self, const void *state, struct ec_req *r)
{
    struct alerts *a = self;
    const struct param *p = a->http->param(r);
    bool filtered = p->part.has & 1;

    (void)state;
    if (!a->store || !a->states)
        return a->http->error(r, 503, "no plugin is there that keeps events (ec.store/1)");
    if (filtered && !state_words((const char *)ec_bytes(&p->part, p->status), p->status.len))
        return a->http->invalid(r, "query.status", "enum",
                                "Input should be 'open', 'acknowledged', 'closed' or 'false_positive'");
    if (filtered && !states_ready(a->states))
        return a->http->error(r, 503, "the states of alerts could not be read from the store");
    return a->http->work(r, list_work, a) ? EC_OK : EC_EAGAIN;
}

/* --- one ------------------------------------------------------------------------------------------------------- */

struct showing { struct alerts *a; struct ec_req *r; uint64_t id; bool done; };

static bool is_alert(const char *json, uint32_t n)
{
    static const char key[] = "\"event_type\":\"", type[] = "alert\"";
    const char *p = memmem(json, n, key, sizeof key - 1);   /* the head's own stands first */

    return p && (size_t)(json + n - p) > sizeof key + sizeof type && !memcmp(p + sizeof key - 1, type, sizeof type - 1);
}

static int32_t show_json(void *arg, const char *json, uint32_t n)
{
    struct showing *s = arg;
    struct alerts *a = s->a;
    const struct alert_state *state;
    struct grown members = { .s = NULL }, out = { .s = NULL };
    char tag[24];

    if (!is_alert(json, n))
        return EC_OK;
    state = states_hold(a->states, s->id);
    snprintf(tag, sizeof tag, "\"%" PRIu64 "\"", state ? state->version : 0);
    beside_members(a, &members, state);
    states_release(a->states);
    beside_add(&out, json, n, &members);
    if (!members.failed && !out.failed) {
        a->http->set_header(s->r, "ETag", tag);
        a->http->json_take(s->r, 200, out.s, out.n);
        out.s = NULL;
        s->done = true;
    }
    free(members.s);
    free(out.s);
    return EC_OK;
}

static int32_t show_event(void *arg, uint64_t id, const char *json, uint32_t n)
{
    (void)id;
    return show_json(arg, json, n);
}

static void show_work(struct ec_req *r, void *arg)
{
    struct alerts *a = arg;
    struct showing s = {
        a, r, *(const uint64_t *)(const void *)((const struct ec_part *)a->http->param(r) + 1), false };
    int32_t err = a->store->event(a->store_self, s.id, show_event, &s);

    if (!s.done && err == EC_ENOENT)
        err = states_event(a->states, s.id, show_json, &s);
    if (!s.done && (!err || err == EC_ENOENT))
        a->http->error(r, 404, "Not Found");
    else if (!s.done)
        a->http->error(r, 503, "the store cannot be read at the moment");
}

int32_t alerts_show(void *self, const void *state, struct ec_req *r)
{
    struct alerts *a = self;

    (void)state;
    if (!a->store || !a->states)
        return a->http->error(r, 503, "no plugin is there that keeps events (ec.store/1)");
    return a->http->work(r, show_work, a) ? EC_OK : EC_EAGAIN;
}
