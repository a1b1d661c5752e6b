#include "plugins/fim/fim.h"

#include <stdlib.h>

#define READERS "admin,operator,analyst,viewer"
#define HAS_LIST 1u                 /* its bit: a list is written even where it is empty */
#define ROW_LIST(T, sub, type, member, name, help) \
    { EC_T_##T, EC_R_LIST | EC_R_OPT, 0, 0, (uint32_t)offsetof(type, member), (name), (sub), NULL, NULL, NULL, \
      (help), 0, 0 }
#define ACTIONS "same,modified,attributes,created,deleted"

static void *answer_open(struct ec_build *b, uint32_t bytes, uint32_t tail)
{
    uint32_t cap = ((uint32_t)sizeof(struct ec_event) + bytes + tail + 64u) & ~7u;

    *b = (struct ec_build){ .base = calloc(1, cap), .used = sizeof(struct ec_event), .cap = cap };
    return b->base ? ec_add(b, 0, bytes) : NULL;
}

static void answer_send(const struct fim *f, struct ec_req *r, struct ec_build *b)
{
    if (b->base)
        f->http->reply(r, 200, ec_part_open(b));
    else
        f->http->error(r, 503, "out of memory");
    free(b->base);
}

/* --- how it is --- */
struct status_reply {
    struct ec_part part;
    uint32_t state, files, folders, over, unreadable, unwatched, missing, differ[META_DELETED + 1];
    uint64_t baseline, scan, scan_took, scans, overflows, events;
    struct ec_list paths, exclude, limits;
};
enum { HAS_BASELINE = 1, HAS_SCAN };
#define U32(member, name, unit, help) EC_FIELD(U32, 0, struct status_reply, member, name, unit, help)
#define U64(member, name, unit, help) EC_FIELD(U64, 0, struct status_reply, member, name, unit, help)
static const struct ec_row status_rows[] = {
    EC_FIELD_ENUM(0, struct status_reply, state, "state", "off,scanning,watching", "what it does"),
    ROW_LIST(TEXT, NULL, struct status_reply, paths, "paths", "that are watched, with all below them"),
    ROW_LIST(TEXT, NULL, struct status_reply, exclude, "exclude", "but not these"),
    U32(files, "files", NULL, "that there are, folders and links too"),
    U32(folders, "folders", NULL, "that inotify tells of"),
    EC_FIELD_OPT(TIME, 0, HAS_BASELINE, struct status_reply, baseline, "baseline", NULL, "when it was kept last"),
    U32(differ[META_CREATED], "changes.created", "files", "that the baseline does not have"),
    U32(differ[META_MODIFIED], "changes.modified", "files", "whose content is not the baseline's"),
    U32(differ[META_ATTRIBUTES], "changes.attributes", "files", "whose mode, owner or time is not the baseline's"),
    U32(differ[META_DELETED], "changes.deleted", "files", "that are gone"),
    U64(events, "events", NULL, "since the start"), U64(scans, "scans", NULL, "of all files, since the start"),
    EC_FIELD_OPT(TIME, 0, HAS_SCAN, struct status_reply, scan, "last_scan", NULL, "when it ended"),
    EC_FIELD_OPT(DURATION, 0, HAS_SCAN, struct status_reply, scan_took, "scan_took", "ns", "that one"),
    U64(overflows, "overflows", NULL, "of inotify: a scan found what it lost"),
    U32(over, "over", "files", "beyond fim.max_files: not watched"),
    U32(unreadable, "unreadable", "files", "whose content or list the daemon may not read"),
    U32(unwatched, "unwatched", "folders", "without inotify: only scans look at them"),
    U32(missing, "missing", "paths", "of those configured that are not there"),
    ROW_LIST(TEXT, NULL, struct status_reply, limits, "limits", "what is not seen, and why"),
};
static const struct ec_record status_record = EC_RECORD_PART(struct status_reply, status_rows);

static void texts_put(struct ec_build *b, struct ec_list *to, const struct list *l)
{
    struct ec_span *row = ec_rows(b, to, l->n, sizeof *row);

    for (uint32_t i = 0; row && i < l->n; i++)
        row[i] = ec_puts(b, l->text[i]);
}

static int count(void *arg, struct entry *e)
{
    struct status_reply *to = arg;

    to->files += e->last.type != 0;
    to->differ[meta_compare(&e->base, &e->last)]++;
    return 0;
}

static void limits_put(struct ec_build *b, struct status_reply *to, const struct shown *s, const struct fim *f)
{
    char text[6][360];
    struct list l = { 0, (char *[6]){ text[0], text[1], text[2], text[3], text[4], text[5] } };

    if (!f->s.path.n)
        snprintf(text[l.n++], sizeof text[0], "no path is configured: fim.paths");
    if (s->damaged[0])
        snprintf(text[l.n++], sizeof text[0], "the kept baseline was damaged (%s): what changed before this start is "
                 "not known", s->damaged);
    if (s->unsaved[0])
        snprintf(text[l.n++], sizeof text[0], "the baseline cannot be kept: %s", s->unsaved);
    if (s->over)
        snprintf(text[l.n++], sizeof text[0], "%u files are beyond fim.max_files", s->over);
    if (s->unreadable)
        snprintf(text[l.n++], sizeof text[0], "%u files or folders cannot be read by the daemon's user: of files, size, "
                 "time, mode and owner still count", s->unreadable);
    if (s->unwatched)
        snprintf(text[l.n++], sizeof text[0], "%u folders have no inotify watch: only scans look at them",
                 s->unwatched);
    texts_put(b, &to->limits, &l);
}

static void status_fill(struct fim *f, struct status_reply *to, struct shown *s)
{
    pthread_mutex_lock(&f->lock);
    *s = f->shown;
    if (f->table.slot)
        table_each(&f->table, count, to);
    pthread_mutex_unlock(&f->lock);
    to->state = !f->runs ? 0 : s->scanning || !s->scans ? 1 : 2;
    to->folders = s->folders;
    to->over = s->over;
    to->unreadable = s->unreadable;
    to->unwatched = s->unwatched;
    to->missing = s->missing;
    to->baseline = s->baseline_ns;
    to->scan = s->scan_ns;
    to->scan_took = s->scan_took_ns;
    to->scans = s->scans;
    to->overflows = s->overflows;
    to->events = s->events;
    to->part.has = HAS_LIST | (uint64_t)(s->baseline_ns != 0) << HAS_BASELINE | (uint64_t)(s->scans != 0) << HAS_SCAN;
}

static void status_job(struct ec_req *r, void *arg)
{
    struct fim *f = arg;
    struct shown s;
    struct ec_build b;
    struct status_reply *to = answer_open(&b, sizeof *to, 65536);

    if (to) {
        status_fill(f, to, &s);
        texts_put(&b, &to->paths, &f->s.path);
        texts_put(&b, &to->exclude, &f->s.exclude);
        limits_put(&b, to, &s, f);
    }
    answer_send(f, r, &b);
}

/* --- what differs from the baseline --- */
struct changes_param { struct ec_part part; uint32_t limit, pad; };
static const struct ec_row changes_param_rows[] = {
    { EC_T_U32, 0, 0, 0, offsetof(struct changes_param, limit), "limit", NULL, NULL, "100", "files", "at most so many",
      1, 1000 },
};
static const struct ec_record changes_param = EC_RECORD_PART(struct changes_param, changes_param_rows);
struct change_row { struct ec_span path; uint32_t action, pad; };
static const struct ec_row change_rows[] = {
    EC_FIELD(WIRE, 0, struct change_row, path, "path", NULL, "of the file"),
    EC_FIELD_ENUM(0, struct change_row, action, "action", ACTIONS, "what is not as in the baseline"),
};
static const struct ec_record change_record = EC_RECORD_ELEMENT(struct change_row, change_rows);
struct changes_reply { struct ec_part part; uint64_t count; struct ec_list items; };
static const struct ec_row changes_rows[] = {
    EC_FIELD(U64, 0, struct changes_reply, count, "count", "files", "that differ"),
    ROW_LIST(RECORD, &change_record, struct changes_reply, items, "items", "the first of them, in no order"),
};
static const struct ec_record changes_record = EC_RECORD_PART(struct changes_reply, changes_rows);

struct gather { struct ec_build *b; struct change_row *row; uint32_t n, limit; };

static int gather(void *arg, struct entry *e)
{
    struct gather *g = arg;
    uint32_t what = meta_compare(&e->base, &e->last);

    if (what == META_SAME)
        return 0;
    if (g->row && g->n < g->limit)
        g->row[g->n] = (struct change_row){ ec_puts(g->b, e->path), what, 0 };
    g->n++;
    return 0;
}

static void changes_job(struct ec_req *r, void *arg)
{
    struct fim *f = arg;
    struct gather g = { .limit = ((const struct changes_param *)f->http->param(r))->limit };
    struct ec_build b;
    struct changes_reply *to = answer_open(&b, sizeof *to, g.limit * (uint32_t)(sizeof *g.row + 512));

    if (to) {
        g.b = &b;
        g.row = ec_rows(&b, &to->items, g.limit, sizeof *g.row);
        pthread_mutex_lock(&f->lock);
        if (f->table.slot)
            table_each(&f->table, gather, &g);
        pthread_mutex_unlock(&f->lock);
        to->part.has = HAS_LIST;
        to->count = g.n;
        to->items.n = g.n < g.limit ? g.n : g.limit;
    }
    answer_send(f, r, &b);
}

/* --- accept --- */
struct accept_body { struct ec_part part; struct ec_span path; };
static const struct ec_row accept_rows[] = {
    { EC_T_TEXT, EC_R_OPT, 0, 0, offsetof(struct accept_body, path), "path", NULL, NULL, NULL, NULL,
      "accept only this file, or all below this folder; absent: all", 1, 4095 },
};
static const struct ec_record accept_body = EC_RECORD_PART(struct accept_body, accept_rows);
struct accept_reply { struct ec_part part; uint32_t accepted, differ[META_DELETED + 1]; };
static const struct ec_row accepted_rows[] = {
    EC_FIELD(U32, 0, struct accept_reply, accepted, "accepted", "changes", "that are the baseline now"),
    EC_FIELD(U32, 0, struct accept_reply, differ[META_CREATED], "created", "files", "of them"),
    EC_FIELD(U32, 0, struct accept_reply, differ[META_MODIFIED], "modified", "files", "of them"),
    EC_FIELD(U32, 0, struct accept_reply, differ[META_ATTRIBUTES], "attributes", "files", "of them"),
    EC_FIELD(U32, 0, struct accept_reply, differ[META_DELETED], "deleted", "files", "of them"),
};
static const struct ec_record accept_record = EC_RECORD_PART(struct accept_reply, accepted_rows);

struct acceptance { char path[4096]; struct accept_reply *to; bool dry; };

static int accept_one(void *arg, struct entry *e)
{
    const struct acceptance *a = arg;
    size_t n = strlen(a->path);
    uint32_t what;

    if (n && (strncmp(e->path, a->path, n) || (e->path[n] && e->path[n] != '/' && a->path[n - 1] != '/')))
        return 0;
    what = meta_compare(&e->base, &e->last);
    a->to->differ[what]++;
    a->to->accepted += what != META_SAME;
    if (!a->dry)
        e->base = e->last;
    return 0;
}

static void accepted(struct fim *f, struct ec_req *r, const struct acceptance *a)
{
    const struct accept_reply *to = a->to;
    char detail[200];

    snprintf(detail, sizeof detail, "before: %u created, %u modified, %u attributes, %u deleted; after: accepted",
             to->differ[META_CREATED], to->differ[META_MODIFIED], to->differ[META_ATTRIBUTES],
             to->differ[META_DELETED]);
    f->http->audit(r, "fim.baseline", "success", *a->path ? a->path : NULL, detail);
}

static void accept_job(struct ec_req *r, void *arg)
{
    struct fim *f = arg;
    const struct accept_body *q = f->http->body(r);
    struct ec_build b;
    struct acceptance a = { .to = answer_open(&b, sizeof *a.to, 64), .dry = f->http->dry_run(r) };
    int err = 0;

    if (q && q->part.has & 1)
        snprintf(a.path, sizeof a.path, "%.*s", (int)q->path.len, (const char *)ec_bytes(&q->part, q->path));
    if (a.to) {
        pthread_mutex_lock(&f->lock);
        table_each(&f->table, accept_one, &a);
        if (!a.dry)
            f->shown.baseline_ns = f->host->now(f->host);
        pthread_mutex_unlock(&f->lock);
        if (!a.dry && !(err = guard_keep(f)))
            accepted(f, r, &a);
    }
    if (err) {
        free(b.base);
        f->http->error(r, 503, "it is accepted, but it cannot be written to the disk: a restart tells it again");
        return;
    }
    answer_send(f, r, &b);
}

#define RUN(name, need) \
    static int32_t name##_run(void *self, const void *state, struct ec_req *r) \
    { \
        struct fim *f = self; \
        (void)state; \
        if (!(need)) \
            return f->http->error(r, 409, "no file is watched: fim.paths names none"); \
        return f->http->work(r, name##_job, f) ? EC_OK : EC_EAGAIN; \
    }
RUN(status, true)
RUN(changes, true)
RUN(accept, f->runs)

#define ROUTE(m, p, id, text) \
    .size = sizeof(struct ec_route), .method = m, .path = "/api/system/fim" p, .opid = id, .summary = text
static const struct ec_route routes[] = {
    { ROUTE("GET", "", "get_fim", "Which files are watched, and how many are not as they were accepted"),
      .roles = READERS, .reply = &status_record, .run = status_run },
    { ROUTE("GET", "/changes", "list_fim_changes", "Files that are not as they were accepted"), .roles = READERS,
      .param = &changes_param, .reply = &changes_record, .run = changes_run },
    { ROUTE("GET", "/events", "list_fim_events", "Changes of files as they were noticed, the newest first"),
      .roles = READERS, .flags = EC_RT_EVENTS, .topic = "ec.fim/1", .alias = "action=fim.action,path=fim.path" },
    { ROUTE("POST", "/baseline", "accept_fim_baseline", "Accept files as they are now"), .roles = "admin,operator",
      .flags = EC_RT_ENFORCES, .body = &accept_body, .body_max = 16384, .reply = &accept_record, .run = accept_run,
      .errors = "409" },
};

void routes_declare(struct fim *f)
{
    for (uint32_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (f->http->route(f->http_self, f->host, &routes[i], f))
            EC_LOG(f->host, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
}
