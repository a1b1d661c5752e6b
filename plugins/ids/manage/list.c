/* GET /api/rules, /api/rules/failed, /api/rules/{rule}. */
#include "plugins/ids/manage/view.h"

#include <stdlib.h>
#include <strings.h>

#define RANGES 64                   /* of ?sid= */
#define ROOM(characters) (4 * (characters) + 1)     /* bytes: what bounds count may have four each */

struct list_param {
    struct ec_part part;
    struct ec_span sid, q, msg, proto, classtype, file, cursor;
    uint32_t gid, action, severity, state, source, limit;
    uint8_t enabled, pad[7];
};
enum { HAS_SID, HAS_Q, HAS_MSG, HAS_PROTO, HAS_CLASS, HAS_FILE, HAS_CURSOR, HAS_GID, HAS_ACTION, HAS_SEVERITY,
       HAS_STATE, HAS_SOURCE, HAS_ENABLED };
#define ACTIONS "alert,pass,drop,reject,rejectsrc,rejectdst,rejectboth,log,activate,dynamic,sdrop"
#define ASK(T, bit, member, name, allow, help, min, max) \
    { EC_T_##T, EC_R_OPT, (bit), 0, (uint32_t)offsetof(struct list_param, member), (name), NULL, (allow), NULL, NULL, \
      (help), (min), (max) }
#define LIMIT(max, def) \
    { EC_T_U32, 0, 0, 0, (uint32_t)offsetof(struct list_param, limit), "limit", NULL, NULL, (def), "rules", \
      "of one page", 1, (max) }
#define PAGE_ROWS \
    ASK(TEXT, HAS_CURSOR, cursor, "cursor", NULL, "next_cursor of the page before", 1, 48), \
    ASK(TEXT, HAS_SID, sid, "sid", NULL, "numbers and ranges: 2000001,2000010-2000019", 1, 500), \
    ASK(U32, HAS_GID, gid, "gid", NULL, "group of numbers", 0, UINT32_MAX), \
    ASK(TEXT, HAS_FILE, file, "file", NULL, "stands in the name of its file", 1, 256)
static const struct ec_row list_rows[] = {
    LIMIT(1000, "100"),
    PAGE_ROWS,
    ASK(TEXT, HAS_Q, q, "q", NULL, "words that all stand in its message, classtype or number", 1, 200),
    ASK(TEXT, HAS_MSG, msg, "msg", NULL, "stands in its message, upper or lower case", 1, 200),
    ASK(ENUM, HAS_ACTION, action, "action", ACTIONS, "what it does", 0, 0),
    ASK(TEXT, HAS_PROTO, proto, "proto", NULL, "protocol of its header", 1, 32),
    ASK(TEXT, HAS_CLASS, classtype, "classtype", NULL, "a name of the classification file", 1, 64),
    ASK(U32, HAS_SEVERITY, severity, "severity", NULL, "its priority: 1 is the most severe", 0, 255),
    ASK(BOOL, HAS_ENABLED, enabled, "enabled", NULL, "in use, or not", 0, 0),
    ASK(ENUM, HAS_STATE, state, "state", LISTED_WORDS, "what became of it", 0, 0),
    ASK(ENUM, HAS_SOURCE, source, "source", SOURCE_WORDS, "of a file, or made over the API", 0, 0),
};
const struct ec_record list_rules_param = EC_RECORD_PART(struct list_param, list_rows);
static const struct ec_row failed_rows[] = { LIMIT(200, "50"), PAGE_ROWS };
const struct ec_record failed_param = EC_RECORD_PART(struct list_param, failed_rows);

struct many { struct ec_part part; struct ec_list items; uint64_t total; struct ec_span next; };
static const struct ec_row many_rows[] = {
    EC_FIELD_LIST(&view_record, struct many, items, "items", "rules, by gid and sid"),
    EC_FIELD(U64, 0, struct many, total, "total", "rules", "that the filters fit, on all pages"),
    EC_FIELD_OPT(TEXT, 0, 0, struct many, next, "next_cursor", NULL, "for the next page; absent: this is the last"),
};
const struct ec_record list_rules_reply = EC_RECORD_PART(struct many, many_rows);

/* --- what fits --------------------------------------------------------------------------------------------------- */

struct wanted {
    const struct list_param *p;
    bool broken_only;               /* the list of failed ones */
    uint32_t n_range, n_word;
    struct { uint32_t lo, hi; } range[RANGES];
    char words[ROOM(200)], *word[100], msg[ROOM(200)], proto[ROOM(32)], classtype[ROOM(64)], file[ROOM(256)];
    const char *action;
};

static bool has(const struct list_param *p, unsigned bit)
{
    return p->part.has >> bit & 1;
}

static void text_take(const struct list_param *p, unsigned bit, struct ec_span from, char *to, size_t room)
{
    size_t n = has(p, bit) && from.off && from.len < room ? from.len : 0;

    if (n)
        memcpy(to, ec_bytes(&p->part, from), n);
    to[n] = '\0';
}

/* "2000001,2000010-2000019" */
static bool read_ranges(struct wanted *w, const char *s)
{
    while (*s) {
        char *end;
        unsigned long long lo, hi;

        if (*s < '0' || *s > '9' || w->n_range == RANGES)
            return false;
        lo = hi = strtoull(s, &end, 10);
        if (*end == '-' && end[1] >= '0' && end[1] <= '9')
            hi = strtoull(end + 1, &end, 10);
        if (lo > hi || hi > UINT32_MAX || (*end && (*end != ',' || !end[1])))
            return false;
        w->range[w->n_range].lo = (uint32_t)lo;
        w->range[w->n_range++].hi = (uint32_t)hi;
        s = end + (*end == ',');
    }
    return true;
}

static const char *word_at(const char *words, uint32_t i, char *to, size_t room)
{
    while (i--)
        words = strchr(words, ',') + 1;
    snprintf(to, room, "%.*s", (int)strcspn(words, ","), words);
    return to;
}

/* false: it was answered. */
static bool read_wanted(struct manage *m, struct ec_req *r, const struct list_param *p, struct wanted *w)
{
    char sids[ROOM(500)], *save = NULL;

    w->p = p;
    text_take(p, HAS_SID, p->sid, sids, sizeof sids);
    text_take(p, HAS_Q, p->q, w->words, sizeof w->words);
    text_take(p, HAS_MSG, p->msg, w->msg, sizeof w->msg);
    text_take(p, HAS_PROTO, p->proto, w->proto, sizeof w->proto);
    text_take(p, HAS_CLASS, p->classtype, w->classtype, sizeof w->classtype);
    text_take(p, HAS_FILE, p->file, w->file, sizeof w->file);
    for (char *t = strtok_r(w->words, " \t\r\n", &save); t && w->n_word < 100; t = strtok_r(NULL, " \t\r\n", &save))
        w->word[w->n_word++] = t;
    if (read_ranges(w, sids))
        return true;
    m->http->invalid(r, "query.sid", "value_error",
                     "Value error, numbers and ranges separated by commas: 2000001,2000010-2000019; at most 64");
    return false;
}

static bool in_ranges(const struct wanted *w, uint32_t sid)
{
    for (uint32_t i = 0; i < w->n_range; i++)
        if (sid >= w->range[i].lo && sid <= w->range[i].hi)
            return true;
    return !w->n_range;
}

static bool has_words(const struct wanted *w, const struct listed *k)
{
    char sid[16];

    snprintf(sid, sizeof sid, "%u", k->sid);
    for (uint32_t i = 0; i < w->n_word; i++)
        if (!(k->msg && strcasestr(k->msg, w->word[i])) && !(k->classtype && strcasestr(k->classtype, w->word[i])) &&
            strcmp(sid, w->word[i]) != 0)
            return false;
    return true;
}

/* Numbers first: they are cheap. */
static bool fits(const struct wanted *w, const struct listed *k)
{
    const struct list_param *p = w->p;

    if (w->broken_only && k->state != LISTED_FAILED && k->state != LISTED_SKIPPED)
        return false;
    if ((has(p, HAS_GID) && p->gid != k->gid) || (has(p, HAS_SEVERITY) && p->severity != k->priority) ||
        (has(p, HAS_ENABLED) && p->enabled != (k->state == LISTED_ENABLED)) ||
        (has(p, HAS_STATE) && p->state != k->state) || (has(p, HAS_SOURCE) && p->source != k->managed) ||
        !in_ranges(w, k->sid))
        return false;
    if ((w->action && strcasecmp(w->action, k->action) != 0) || (*w->proto && strcasecmp(w->proto, k->proto) != 0) ||
        (*w->classtype && (!k->classtype || strcasecmp(w->classtype, k->classtype) != 0)) ||
        (*w->file && (k->managed || !strstr(k->file, w->file))))
        return false;
    return (!*w->msg || (k->msg && strcasestr(k->msg, w->msg))) && has_words(w, k);
}

/* --- pages ------------------------------------------------------------------------------------------------------- */

/* A cursor is "GID.SID.N": behind the first N of that gid and sid. false: it is none. */
static bool behind(const struct wanted *w, const struct listed *all, uint32_t n, uint32_t *from)
{
    char text[ROOM(48)];
    unsigned gid, sid, skip;
    int used = 0;
    uint32_t to = n;

    *from = 0;
    if (!has(w->p, HAS_CURSOR))
        return true;
    text_take(w->p, HAS_CURSOR, w->p->cursor, text, sizeof text);
    if (strspn(text, "0123456789.") != strlen(text) || sscanf(text, "%10u.%10u.%9u%n", &gid, &sid, &skip, &used) != 3 ||
        text[used])
        return false;
    while (*from < to) {
        uint32_t mid = *from + (to - *from) / 2;

        if (all[mid].gid < gid || (all[mid].gid == gid && all[mid].sid < sid))
            *from = mid + 1;
        else
            to = mid;
    }
    while (skip-- && *from < n && all[*from].gid == gid && all[*from].sid == sid)
        ++*from;
    return true;
}

static void cursor_of(const struct listed *all, uint32_t at, char *to, size_t room)
{
    uint32_t nth = 1;

    while (nth <= at && all[at - nth].gid == all[at].gid && all[at - nth].sid == all[at].sid)
        nth++;
    snprintf(to, room, "%u.%u.%u", all[at].gid, all[at].sid, nth);
}

struct page { uint32_t n, total, room, last; bool more; uint32_t at[1000]; };

static void collect(const struct wanted *w, const struct listed *all, uint32_t n, uint32_t from, uint32_t flags,
                    struct page *g)
{
    g->n = g->total = g->room = 0;
    g->more = false;
    for (uint32_t i = 0; i < n; i++) {
        if (!fits(w, &all[i]))
            continue;
        g->total++;
        if (i < from)
            continue;
        if (g->n == w->p->limit) {
            g->more = true;
            continue;
        }
        g->at[g->n++] = i;
        g->room += view_room(&all[i], flags);
    }
}

static void send_page(struct manage *m, const struct ids_state *st, struct ec_req *r, const struct listed *all,
                      const struct page *g, uint32_t flags)
{
    uint32_t cap = 4096 + g->room;
    struct ec_build b = { .base = calloc(1, cap), .cap = cap };
    struct rule_view *v;
    struct many *to;
    char next[64];

    if (!b.base) {
        m->http->error(r, 503, "out of memory");
        return;
    }
    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    v = g->n ? ec_rows(&b, &to->items, g->n, sizeof *v) : NULL;
    if (!v)
        to->items.off = (uint32_t)sizeof(struct ec_part);
    for (uint32_t i = 0; v && i < g->n; i++)
        view_fill(m, st, &b, &v[i], &all[g->at[i]], flags);
    to->total = g->total;
    if (g->more) {
        cursor_of(all, g->at[g->n - 1], next, sizeof next);
        to->next = ec_puts(&b, next);
        to->part.has |= 1;
    }
    m->http->reply(r, 200, &to->part);
    free(b.base);
}

static void list(struct manage *m, const struct ids_state *st, struct ec_req *r, bool broken_only)
{
    const struct list_param *p = m->http->param(r);
    struct wanted w = { .broken_only = broken_only };
    struct page *g = malloc(sizeof *g);
    uint32_t n, from, flags = broken_only ? VIEW_WITH_TEXT : 0;
    const struct listed *all = ruleset_listed(st->engine->set, &n);
    char action[16];

    if (!g) {
        m->http->error(r, 503, "out of memory");
    } else if (read_wanted(m, r, p, &w)) {
        if (has(p, HAS_ACTION))
            w.action = word_at(ACTIONS, p->action, action, sizeof action);
        if (behind(&w, all, n, &from)) {
            collect(&w, all, n, from, flags, g);
            send_page(m, st, r, all, g, flags);
        } else {
            m->http->invalid(r, "query.cursor", "value_error", "Value error, it is not the next_cursor of a page");
        }
    }
    free(g);
}

static void list_all(struct manage *m, const struct ids_state *st, struct ec_req *r)
{
    list(m, st, r, false);
}

static void list_failed(struct manage *m, const struct ids_state *st, struct ec_req *r)
{
    list(m, st, r, true);
}

static void show(struct manage *m, const struct ids_state *st, struct ec_req *r)
{
    uint32_t gid, sid;
    const struct listed *k;

    if (!rule_named(m, r, &gid, &sid))
        return;
    k = ruleset_find(st->engine->set, gid, sid);
    if (k) {
        const struct managed_rule *own = managed_find(st->managed, gid, sid);

        if (!m->http->match(r, own ? own->version : 0))
            view_reply_one(m, st, r, 200, k);
    } else {
        m->http->error(r, 404, "no rule of this number was read");
    }
}

int32_t rules_list(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return manage_work(self, r, list_all);
}

int32_t rules_failed(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return manage_work(self, r, list_failed);
}

int32_t rules_show(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return manage_work(self, r, show);
}
