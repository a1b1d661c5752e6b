#include "tests/support/fake_api.h"

#include <inttypes.h>
#include <stdlib.h>

#define ROUTES    64
#define DOCUMENTS 512
#define KINDS     4
#define HEADERS   8

struct ec_req {
    const struct ec_route *route;
    uint64_t room[2][1024];
    const struct ec_part *param, *body;
    uint32_t status;
    char detail[512];
    struct ec_part *reply;
    char header[HEADERS][2][128];
    uint32_t headers;
    char audit[4][1024];            /* action, outcome, object, detail of the last entry */
    uint32_t audits;
    uint64_t etag;
};

struct document {
    uint32_t kind;
    uint64_t id, version;
    struct ec_part *part;
};

int32_t fake_fails;
const char *fake_event;
static struct { const struct ec_route *r; void *self; } routes[ROUTES];
static struct document documents[DOCUMENTS];
static uint32_t n_route, n_document;
static uint64_t last_id[KINDS + 1];
static const struct ec_kind *kinds[KINDS + 1];
static uint32_t n_kind;
static struct ec_who who_room;
static const struct ec_who *who;
static const char *peer = "127.0.0.1";
static struct ec_req req;

static const struct ec_row *row_at(const struct ec_record *r, uint32_t i)
{
    return (const struct ec_row *)(const void *)((const char *)r->row + (size_t)i * r->row_stride);
}

/* --- the store ------------------------------------------------------------------------------------------------- */

static int32_t store_kind(void *self, const struct ec_host *h, const struct ec_kind *k, uint32_t *id)
{
    (void)self;
    (void)h;
    *id = 1;
    while (*id <= n_kind && strcmp(kinds[*id]->name, k->name))
        ++*id;
    if (*id > KINDS)
        return EC_ELIMIT;
    n_kind = *id > n_kind ? *id : n_kind;
    kinds[*id] = k;
    return EC_OK;
}

static struct document *document_find(uint32_t k, uint64_t id)
{
    for (uint32_t i = 0; i < n_document; i++)
        if (documents[i].kind == k && documents[i].id == id)
            return &documents[i];
    return NULL;
}

static uint64_t puts_done;

static int32_t store_put(void *self, uint32_t k, uint64_t *id, uint64_t version, const struct ec_part *p)
{
    struct document *d = *id ? document_find(k, *id) : NULL;

    (void)self;
    if (fake_fails)
        return fake_fails;
    if (*id && !d)
        return EC_ENOENT;
    if (d && version && d->version != version)
        return EC_EAGAIN;
    if (!d) {
        if (n_document == DOCUMENTS)
            abort();
        d = &documents[n_document++];
        *d = (struct document){.kind = k, .id = *id = ++last_id[k]};
    }
    free(d->part);
    d->part = malloc(p->total);
    memcpy(d->part, p, p->total);
    d->version++;
    puts_done++;
    return EC_OK;
}

uint64_t fake_puts(void)
{
    return puts_done;
}

static int32_t store_del(void *self, uint32_t k, uint64_t id, uint64_t version)
{
    struct document *d = document_find(k, id);

    (void)self;
    (void)version;
    if (fake_fails)
        return fake_fails;
    if (!d)
        return EC_ENOENT;
    free(d->part);
    n_document--;
    memmove(d, d + 1, (size_t)(documents + n_document - d) * sizeof *d);
    return EC_OK;
}

static int32_t store_get(void *self, uint32_t k, uint64_t id, ec_store_row_fn *fn, void *arg)
{
    struct document *d = document_find(k, id);

    (void)self;
    if (d)
        fn(arg, d->id, d->version, d->part);
    return d ? EC_OK : EC_ENOENT;
}

static int32_t store_find(void *self, uint32_t k, const struct ec_filter *f, uint32_t n, uint64_t after, uint32_t limit,
                          ec_store_row_fn *fn, void *arg)
{
    (void)self;
    (void)f;
    (void)n;
    if (fake_fails)
        return fake_fails;
    for (uint32_t i = 0; i < n_document && limit; i++)
        if (documents[i].kind == k && documents[i].id > after) {
            limit--;
            if (fn(arg, documents[i].id, documents[i].version, documents[i].part))
                break;
        }
    return EC_OK;
}

static int32_t store_event(void *self, uint64_t id, ec_store_event_fn *fn, void *arg)
{
    (void)self;
    if (!fake_event)
        return EC_ENOENT;
    fn(arg, id, fake_event, (uint32_t)strlen(fake_event));
    return EC_OK;
}

const struct ec_store fake_store = {
    .size = sizeof fake_store, .kind = store_kind, .put = store_put, .del = store_del, .get = store_get,
    .find = store_find, .event = store_event};

uint32_t fake_documents(void)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < n_document; i++)
        n += documents[i].kind == 1;
    return n;
}

void fake_document_set(uint64_t id, const char *name, uint64_t value)
{
    struct document *d = document_find(1, id);
    const struct ec_record *rec = kinds[1]->record;

    for (uint32_t i = 0; d && i < rec->n_row; i++)
        if (!strcmp(row_at(rec, i)->name, name)) {
            memcpy((uint8_t *)d->part + row_at(rec, i)->off, &value, sizeof value);
            return;
        }
    abort();
}

static struct ec_span *document_span(uint64_t id, const char *name)
{
    struct document *d = document_find(1, id);
    const struct ec_record *rec = kinds[1]->record;

    for (uint32_t i = 0; d && i < rec->n_row; i++)
        if (!strcmp(row_at(rec, i)->name, name))
            return (struct ec_span *)(void *)((uint8_t *)d->part + row_at(rec, i)->off);
    abort();
}

const char *fake_document_text(uint64_t id, const char *name)
{
    static char text[1024];
    const struct ec_span *s = document_span(id, name);

    snprintf(text, sizeof text, "%.*s", s->off ? (int)s->len : 0,
             s->off ? (const char *)ec_bytes(document_find(1, id)->part, *s) : "");
    return text;
}

void fake_document_move(uint64_t id, const char *from, const char *to, const char *text)
{
    struct ec_span *old = document_span(id, from), *new = document_span(id, to);
    size_t len = strlen(text);

    if (!old->off || old->len < len)
        abort();
    *new = (struct ec_span){.off = old->off, .len = (uint32_t)len};
    memcpy((uint8_t *)document_find(1, id)->part + old->off, text, len);
    *old = (struct ec_span){0};
}

/* --- HTTP -------------------------------------------------------------------------------------------------------- */

static int32_t http_route(void *self, const struct ec_host *h, const struct ec_route *r, void *route_self)
{
    (void)self;
    (void)h;
    for (uint32_t i = 0; i < n_route; i++)
        if ((!strcmp(routes[i].r->path, r->path) && !strcmp(routes[i].r->method, r->method)) ||
            !strcmp(routes[i].r->opid, r->opid))
            return EC_EEXIST;
    if (n_route == ROUTES)
        abort();
    routes[n_route].r = r;
    routes[n_route++].self = route_self;
    return EC_OK;
}

static const void *http_param(struct ec_req *r) { return r->param; }
static const void *http_body(struct ec_req *r) { return r->body; }
static const char *http_peer(struct ec_req *r) { return r ? peer : NULL; }
static const char *http_certificate(struct ec_req *r) { return r ? "" : NULL; }
static const struct ec_who *http_who(struct ec_req *r) { return r ? who : NULL; }

static const char *http_header(struct ec_req *r, const char *name)
{
    (void)r;
    (void)name;
    return NULL;
}

static int32_t http_set_header(struct ec_req *r, const char *name, const char *value)
{
    snprintf(r->header[r->headers][0], 128, "%s", name);
    snprintf(r->header[r->headers++][1], 128, "%s", value);
    return EC_OK;
}

/* Exactly once for each request. Its parameters and body end with it. */
static void answered(struct ec_req *r, uint32_t status)
{
    if (r->status)
        abort();
    r->status = status;
    memset(r->room, 0xdb, sizeof r->room);
    r->param = r->body = NULL;
}

static int32_t http_reply(struct ec_req *r, uint32_t status, const struct ec_part *p)
{
    if (p && !r->status) {
        r->reply = malloc(p->total);
        memcpy(r->reply, p, p->total);
    }
    answered(r, status);
    return EC_OK;
}

static int32_t http_json(struct ec_req *r, uint32_t status, const char *json, uint64_t len)
{
    snprintf(r->detail, sizeof r->detail, "%.*s", (int)len, json);
    answered(r, status);
    return EC_OK;
}

static int32_t http_error(struct ec_req *r, uint32_t status, const char *detail)
{
    snprintf(r->detail, sizeof r->detail, "%s", detail);
    answered(r, status);
    return EC_OK;
}

static int32_t http_invalid(struct ec_req *r, const char *loc, const char *type, const char *msg)
{
    snprintf(r->detail, sizeof r->detail, "%s: %s: %s", loc, type, msg);
    answered(r, 422);
    return EC_OK;
}

static int32_t http_work(struct ec_req *r, void (*fn)(struct ec_req *r, void *arg), void *arg)
{
    fn(r, arg);
    return EC_OK;
}

static uint64_t if_match; /* of the requests to come; 0: none */

/* All that a reply in pieces has sent; the client reads each at once. */
static char stream[1 << 20];
static size_t streamed;

static int32_t http_chunk(struct ec_req *r, const void *p, uint32_t n, void (*more)(void *arg), void *arg)
{
    if (!n) {
        answered(r, 200);
        return EC_OK;
    }
    if (n > sizeof stream - streamed)
        abort();
    memcpy(stream + streamed, p, n);
    streamed += n;
    if (more)
        more(arg);
    return EC_OK;
}

const void *fake_stream(size_t *n)
{
    *n = streamed;
    return stream;
}

static uint32_t http_dry_run(struct ec_req *r)
{
    (void)r;
    return 0;
}

static void http_audit(struct ec_req *r, const char *action, const char *outcome, const char *object, const char *detail)
{
    const char *const text[] = {action, outcome, object, detail};

    for (int i = 0; i < 4; i++)
        snprintf(r->audit[i], sizeof r->audit[i], "%s", text[i] ? text[i] : "");
    r->audits++;
}

uint32_t fake_audits(void)
{
    return req.audits;
}

const char *fake_audit(enum fake_audit what)
{
    return req.audit[what];
}

static int32_t http_etag(struct ec_req *r, uint64_t version)
{
    r->etag = version;
    return EC_OK;
}

static int32_t http_match(struct ec_req *r, uint64_t version)
{
    if (!if_match || if_match == version)
        return EC_OK;
    http_error(r, 412, "changed");
    return EC_EEND;
}

uint64_t fake_etag(void)
{
    return req.etag;
}

void fake_if_match(uint64_t version)
{
    if_match = version;
}

const struct ec_http fake_http = {
    .size = sizeof fake_http, .route = http_route, .param = http_param, .body = http_body, .who = http_who,
    .peer = http_peer, .certificate = http_certificate, .header = http_header, .set_header = http_set_header,
    .reply = http_reply, .json = http_json,
    .error = http_error, .invalid = http_invalid, .work = http_work, .chunk = http_chunk,
    .etag = http_etag, .match = http_match, .dry_run = http_dry_run, .audit = http_audit};

void fake_reset(void)
{
    for (uint32_t i = 0; i < n_document; i++)
        free(documents[i].part);
    free(req.reply);
    memset(&req, 0, sizeof req);
    n_route = n_document = 0;
    n_kind = 0;
    memset(last_id, 0, sizeof last_id);
    fake_fails = 0;
    fake_event = NULL;
    if_match = 0;
    fake_caller(NULL, "127.0.0.1");
}

void fake_caller(const struct ec_who *w, const char *from)
{
    who = w ? &who_room : NULL;
    if (w)
        who_room = *w;
    peer = from;
}

const struct ec_route *fake_route(uint32_t i)
{
    return i < n_route ? routes[i].r : NULL;
}

static uint32_t word_index(const char *words, const char *text, size_t n)
{
    for (uint32_t i = 0;; i++) {
        size_t len = strcspn(words, ",");

        if (len == n && !memcmp(words, text, n))
            return i;
        if (!words[len])
            abort();
        words += len + 1;
    }
}

static void enum_list(struct ec_build *b, const struct ec_row *row, struct ec_list *l, const char *value)
{
    uint32_t n = *value ? 1 : 0, *at;

    for (const char *c = value; *c; c++)
        n += *c == ',';
    at = ec_rows(b, l, n, sizeof *at);
    for (uint32_t i = 0; i < n; i++) {
        size_t len = strcspn(value, ",");

        at[i] = word_index(row->allow, value, len);
        value += len + 1;
    }
}

/* "90s", "1h". */
static uint64_t duration(const char *value)
{
    char *unit;
    uint64_t n = strtoull(value, &unit, 10);

    return n * UINT64_C(1000000000) * (*unit == 'h' ? 3600 : 1);
}

static void row_fill(struct ec_build *b, uint32_t part, const struct ec_row *row, const char *value)
{
    uint8_t *at = b->base + part + row->off;

    if (row->flags & EC_R_OPT)
        ((struct ec_part *)(void *)(b->base + part))->has |= UINT64_C(1) << row->has;
    if (row->type == EC_T_ENUM && (row->flags & EC_R_LIST))
        enum_list(b, row, (struct ec_list *)(void *)at, value);
    else if (row->type == EC_T_TEXT)
        *(struct ec_span *)(void *)at = ec_puts(b, value);
    else if (row->type == EC_T_U64)
        *(uint64_t *)(void *)at = strtoull(value, NULL, 10);
    else if (row->type == EC_T_U32)
        *(uint32_t *)(void *)at = (uint32_t)strtoul(value, NULL, 10);
    else if (row->type == EC_T_SIZE)
        *(uint64_t *)(void *)at = strtoull(value, NULL, 10) << (strstr(value, "KiB") ? 10 : strstr(value, "MiB") ? 20 : 0);
    else if (row->type == EC_T_DURATION)
        *(uint64_t *)(void *)at = duration(value);
    else if (row->type == EC_T_BOOL)
        *at = !strcmp(value, "true");
    else
        abort();
}

static const struct ec_part *part_make(uint64_t *room, const struct ec_record *rec, const char *const *pair)
{
    struct ec_build b = {.base = (uint8_t *)room, .cap = 8192};

    if (!rec)
        return NULL;
    memset(room, 0, 8192);
    ec_grow(&b, sizeof(struct ec_event));
    ec_add(&b, 0, rec->bytes);
    for (uint32_t i = 0; i < rec->n_row; i++)
        if (row_at(rec, i)->def)
            row_fill(&b, b.part, row_at(rec, i), row_at(rec, i)->def);
    for (; pair && *pair; pair++) {
        size_t n = strcspn(*pair, "=");
        uint32_t i = 0;

        while (i < rec->n_row && (strlen(row_at(rec, i)->name) != n || memcmp(row_at(rec, i)->name, *pair, n)))
            i++;
        if (i == rec->n_row)
            abort();
        row_fill(&b, b.part, row_at(rec, i), *pair + n + 1);
    }
    return ec_part_open(&b);
}

uint32_t fake_ask(const char *method, const char *path, const char *const *param, const char *const *body)
{
    uint32_t i = 0;
    int32_t err;

    while (i < n_route && (strcmp(routes[i].r->method, method) || strcmp(routes[i].r->path, path)))
        i++;
    if (i == n_route || !routes[i].r->run)
        abort();
    free(req.reply);
    memset(&req, 0, sizeof req);
    streamed = 0;
    req.route = routes[i].r;
    req.param = part_make(req.room[0], req.route->param, param);
    req.body = part_make(req.room[1], req.route->body, body);
    err = routes[i].r->run(routes[i].self, NULL, &req);
    if (err && err != EC_EAGAIN)
        req.status = 500;
    return req.status;
}

static const char *value_text(const struct ec_row *row, const uint8_t *at)
{
    static char text[8][16384];
    static uint32_t turn;
    char *to = text[turn++ % 8];
    struct ec_span s;
    struct ec_list l;
    size_t n = 0;

    *to = '\0';
    if (row->type == EC_T_TEXT && row->flags & EC_R_LIST) {
        memcpy(&l, at, sizeof l);
        for (uint32_t i = 0; i < l.n && n < sizeof text[0]; i++) {
            memcpy(&s, (const char *)req.reply + l.off + i * l.stride, sizeof s);
            n += (size_t)snprintf(to + n, sizeof text[0] - n, "%s%.*s", n ? "," : "", (int)s.len,
                                  (const char *)req.reply + s.off);
        }
    } else if (row->type == EC_T_TEXT) {
        memcpy(&s, at, sizeof s);
        snprintf(to, sizeof text[0], "%.*s", (int)s.len, (const char *)req.reply + s.off);
    } else if (row->type == EC_T_U64 || row->type == EC_T_TIME) {
        snprintf(to, sizeof text[0], "%" PRIu64, *(const uint64_t *)(const void *)at);
    } else if (row->type == EC_T_BOOL) {
        strcpy(to, *at ? "true" : "false");
    } else if (row->type == EC_T_ENUM && !(row->flags & EC_R_LIST)) {
        const char *word = row->allow;

        for (uint32_t k = *(const uint32_t *)(const void *)at; k; k--)
            word += strcspn(word, ",") + 1;
        snprintf(to, sizeof text[0], "%.*s", (int)strcspn(word, ","), word);
    } else if (row->type == EC_T_ENUM) {
        memcpy(&l, at, sizeof l);
        for (uint32_t i = 0; i < l.n; i++) {
            const char *word = row->allow;

            for (uint32_t k = *(const uint32_t *)(const void *)((const char *)req.reply + l.off + i * l.stride); k; k--)
                word += strcspn(word, ",") + 1;
            n += (size_t)snprintf(to + n, 64, "%s%.*s", n ? "," : "", (int)strcspn(word, ","), word);
        }
    }
    return to;
}

const char *fake_reply(const char *name)
{
    const struct ec_record *rec = req.route->reply;
    const uint8_t *base = (const uint8_t *)req.reply;

    for (uint32_t i = 0; rec && base && i < rec->n_row;) {
        const struct ec_row *row = row_at(rec, i++);
        size_t n = strlen(row->name);

        if (!strcmp(row->name, name))
            return value_text(row, base + row->off);
        if (row->type == EC_T_RECORD && !strncmp(row->name, name, n) && name[n] == '.') {
            const struct ec_list *l = (const struct ec_list *)(const void *)(base + row->off);

            if (!l->n)
                return "";
            base = (const uint8_t *)req.reply + l->off;
            name += n + 1;
            rec = row->sub;
            i = 0;
        }
    }
    return "";
}

const char *fake_header(const char *name)
{
    for (uint32_t i = 0; i < req.headers; i++)
        if (!strcmp(req.header[i][0], name))
            return req.header[i][1];
    return "";
}

const char *fake_detail(void)
{
    return req.detail;
}

void fake_forget_routes(void)
{
    n_route = 0;
}
