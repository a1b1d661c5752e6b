/* settings: what people set while the daemon runs and what no configuration file holds. Each is a document of its own;
 * all are kept in memory. */
#define EC_API_LEVEL 1
#include "plugins/settings/check.h"

#include <ecyber/ext/auth.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/store.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS "admin,operator,analyst,viewer"
#define NAME_ROOM (4 * SETTINGS_NAME + 1)
#define MINUTES_MAX 10080

enum which { SYSTEM_NAME, NOTIFICATION_EMAILS, SESSION_TIMEOUT, SETTINGS };
static const char *const names[SETTINGS] = { "system_name", "notification_emails", "session_timeout" };

struct setting {
    uint64_t doc, version, at_ns;   /* 0: it is the default */
    char by[64];
    char name[NAME_ROOM];
    uint32_t minutes, mails;
    char mail[SETTINGS_MAILS][SETTINGS_MAIL + 1];
};
struct settings {
    const struct ec_host *host;
    const struct ec_http *http;
    const struct ec_store *store;
    void *http_self, *store_self;
    uint32_t kind;
    pthread_mutex_t lock;           /* of what follows; held while the store is written, so on the pool only */
    pthread_rwlock_t seen;          /* of the values alone */
    bool ready;
    struct setting value[SETTINGS];
};

/* The value, as a document and as a body has it; the record says which of the three there is. */
struct held { struct ec_span name; struct ec_list mails; uint32_t minutes, pad; };
struct document {
    struct ec_part part;
    struct ec_span key, by;
    uint64_t at;
    struct held held;
};
enum { HAS_NAME, HAS_MINUTES };
static const struct ec_row document_rows[] = {
    EC_FIELD(TEXT, EC_R_INDEX, struct document, key, "name", NULL, "which setting"),
    EC_FIELD(TEXT, 0, struct document, by, "changed_by", NULL, "who changed it last"),
    EC_FIELD(TIME, 0, struct document, at, "changed_at", NULL, "when"),
    EC_FIELD_OPT(TEXT, 0, HAS_NAME, struct document, held.name, "system_name", NULL, "its value"),
    { EC_T_TEXT, EC_R_LIST, 0, 0, (uint32_t)offsetof(struct document, held.mails), "notification_emails", NULL, NULL,
      NULL, NULL, "its value", 0, 0 },
    EC_FIELD_OPT(U32, 0, HAS_MINUTES, struct document, held.minutes, "session_timeout", NULL, "its value"),
};
static const struct ec_record document_record = EC_RECORD_PART(struct document, document_rows);
static const struct ec_kind kind = { sizeof kind, 1, "settings", &document_record, "name" };

struct body { struct ec_part part; struct held held; };
static const struct ec_row name_body_rows[] = {
    { EC_T_TEXT, 0, 0, 0, (uint32_t)offsetof(struct body, held.name), "value", NULL, NULL, NULL, NULL,
      "how this eCyber is called", 1, SETTINGS_NAME } };
static const struct ec_row mails_body_rows[] = {
    { EC_T_TEXT, EC_R_LIST, 0, 0, (uint32_t)offsetof(struct body, held.mails), "value", NULL, NULL, NULL, NULL,
      "addresses that are written to, at most 20", 3, SETTINGS_MAIL } };
static const struct ec_row minutes_body_rows[] = {
    { EC_T_U32, 0, 0, 0, (uint32_t)offsetof(struct body, held.minutes), "value", NULL, NULL, NULL, "minutes",
      "without a key or a movement, after which the page logs out", 1, MINUTES_MAX } };
static const struct ec_record bodies[SETTINGS] = {
    EC_RECORD_PART(struct body, name_body_rows), EC_RECORD_PART(struct body, mails_body_rows),
    EC_RECORD_PART(struct body, minutes_body_rows) };

struct shown { struct held held; struct ec_span by; uint64_t version, at; };
struct reply { struct ec_part part; struct shown of[SETTINGS]; };
#define AT(i, member) (uint32_t)offsetof(struct reply, of[i].member)
#define BIT(i, what) (2 * (i) + (what))
#define VALUE_ROWS(i, prefix, T, flags, member) \
    { EC_T_##T, (flags), 0, 0, AT(i, held.member), prefix "value", NULL, NULL, NULL, NULL, "what it is", 0, 0 }, \
    { EC_T_U64, 0, 0, 0, AT(i, version), prefix "version", NULL, NULL, NULL, NULL, "grows with each change; 0: the default", 0, 0 }, \
    { EC_T_TEXT, EC_R_OPT, BIT(i, 0), 0, AT(i, by), prefix "changed_by", NULL, NULL, NULL, NULL, "who set it", 0, 0 }, \
    { EC_T_TIME, EC_R_OPT, BIT(i, 1), 0, AT(i, at), prefix "changed_at", NULL, NULL, NULL, NULL, "when", 0, 0 }
static const struct ec_row name_rows[] = { VALUE_ROWS(SYSTEM_NAME, "", TEXT, 0, name) };
static const struct ec_row mails_rows[] = { VALUE_ROWS(NOTIFICATION_EMAILS, "", TEXT, EC_R_LIST, mails) };
static const struct ec_row minutes_rows[] = { VALUE_ROWS(SESSION_TIMEOUT, "", U32, 0, minutes) };
static const struct ec_record replies[SETTINGS] = {
    EC_RECORD_PART(struct reply, name_rows), EC_RECORD_PART(struct reply, mails_rows),
    EC_RECORD_PART(struct reply, minutes_rows) };
static const struct ec_row all_rows[] = {
    VALUE_ROWS(SYSTEM_NAME, "system_name.", TEXT, 0, name),
    VALUE_ROWS(NOTIFICATION_EMAILS, "notification_emails.", TEXT, EC_R_LIST, mails),
    VALUE_ROWS(SESSION_TIMEOUT, "session_timeout.", U32, 0, minutes),
};
static const struct ec_record all_record = EC_RECORD_PART(struct reply, all_rows);

static void defaults(struct settings *s)
{
    memset(s->value, 0, sizeof s->value);
    strcpy(s->value[SYSTEM_NAME].name, "eCyber");
    s->value[SESSION_TIMEOUT].minutes = 480;
}

static void text_take(const struct ec_part *p, struct ec_span from, char *to, size_t room)
{
    size_t n = from.off && from.len < room ? from.len : 0;

    if (n)
        memcpy(to, ec_bytes(p, from), n);
    to[n] = '\0';
}

static const struct ec_span *mail_at(const struct ec_part *p, const struct ec_list *l, uint32_t i)
{
    return (const struct ec_span *)(const void *)((const char *)p + l->off + (size_t)i * l->stride);
}

/* Of a document or a body that was checked. */
static void held_take(struct setting *to, enum which i, const struct ec_part *p, const struct held *h)
{
    if (i == SYSTEM_NAME)
        text_take(p, h->name, to->name, sizeof to->name);
    to->minutes = i == SESSION_TIMEOUT ? h->minutes : 0;
    to->mails = i == NOTIFICATION_EMAILS ? h->mails.n : 0;
    if (to->mails > SETTINGS_MAILS)
        to->mails = SETTINGS_MAILS;
    for (uint32_t k = 0; k < to->mails; k++)
        text_take(p, *mail_at(p, &h->mails, k), to->mail[k], sizeof to->mail[k]);
}

static void held_put(struct ec_build *b, struct held *to, enum which i, const struct setting *v)
{
    struct ec_span *mail = ec_rows(b, &to->mails, v->mails, sizeof *mail);

    if (!mail)                      /* an empty list is there all the same */
        to->mails.off = (uint32_t)sizeof(struct ec_part);
    for (uint32_t k = 0; mail && k < v->mails; k++)
        mail[k] = ec_puts(b, v->mail[k]);
    if (i == SYSTEM_NAME)
        to->name = ec_puts(b, v->name);
    to->minutes = v->minutes;
}

/* --- documents --------------------------------------------------------------------------------------------------- */

static int32_t on_document(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    const struct document *d = (const struct document *)(const void *)p;
    struct settings *s = arg;
    char key[32];

    text_take(p, d->key, key, sizeof key);
    for (enum which i = 0; i < SETTINGS; i++)
        if (!strcmp(key, names[i])) {
            struct setting *v = &s->value[i];

            v->doc = id;
            v->version = version;
            v->at_ns = d->at;
            text_take(p, d->by, v->by, sizeof v->by);
            held_take(v, i, p, &d->held);
        }
    return EC_OK;
}

static int32_t version_seen(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    (void)id;
    (void)p;
    *(uint64_t *)arg = version;
    return EC_OK;
}

#define ROOM 16384
union room { uint64_t align; uint8_t bytes[ROOM]; };

static void *part_open(struct ec_build *b, union room *room, uint32_t bytes)
{
    memset(room, 0, sizeof(struct ec_event));
    *b = (struct ec_build){ .base = room->bytes, .cap = sizeof *room };
    ec_grow(b, sizeof(struct ec_event));
    return ec_add(b, 0, bytes);
}

/* [pool] with the lock */
static int32_t keep(struct settings *s, enum which i, struct setting *v)
{
    union room room;
    struct ec_build b;
    struct document *d = part_open(&b, &room, sizeof *d);
    int32_t err;

    d->key = ec_puts(&b, names[i]);
    d->by = ec_puts(&b, v->by);
    d->at = v->at_ns;
    held_put(&b, &d->held, i, v);
    d->part.has = i == SYSTEM_NAME ? 1u << HAS_NAME : i == SESSION_TIMEOUT ? 1u << HAS_MINUTES : 0;
    err = s->store->put(s->store_self, s->kind, &v->doc, v->version, &d->part);
    if (err)
        return err;
    /* On disk. Should its version not be read, the next change says that somebody else was faster. */
    s->store->get(s->store_self, s->kind, v->doc, version_seen, &v->version);
    pthread_rwlock_wrlock(&s->seen);
    s->value[i] = *v;
    pthread_rwlock_unlock(&s->seen);
    return EC_OK;
}

/* --- HTTP -------------------------------------------------------------------------------------------------------- */

static void shown_put(struct ec_build *b, struct reply *to, enum which i, const struct setting *v)
{
    struct shown *s = &to->of[i];

    held_put(b, &s->held, i, v);
    s->version = v->version;
    if (!v->version)
        return;
    s->by = ec_puts(b, v->by);
    s->at = v->at_ns;
    to->part.has |= UINT64_C(3) << BIT(i, 0);
}

/* reads: a GET, which may know it already. */
static int32_t send_one(struct settings *s, struct ec_req *r, enum which i, bool reads)
{
    union room room;
    struct ec_build b;
    struct reply *to = part_open(&b, &room, sizeof *to);
    uint64_t version;

    pthread_rwlock_rdlock(&s->seen);
    shown_put(&b, to, i, &s->value[i]);
    version = s->value[i].version;
    pthread_rwlock_unlock(&s->seen);
    if (reads && s->http->match(r, version))
        return EC_OK;
    s->http->etag(r, version);
    return s->http->reply(r, 200, &to->part);
}

static int32_t get_all(void *self, const void *state, struct ec_req *r)
{
    struct settings *s = self;
    union room room;
    struct ec_build b;
    struct reply *to = part_open(&b, &room, sizeof *to);

    (void)state;
    pthread_rwlock_rdlock(&s->seen);
    for (enum which i = 0; i < SETTINGS; i++)
        shown_put(&b, to, i, &s->value[i]);
    pthread_rwlock_unlock(&s->seen);
    return s->http->reply(r, 200, &to->part);
}

/* What is wrong with the body, NULL: nothing. */
static const char *body_wrong(enum which i, const struct body *b)
{
    const char *why = NULL;

    if (i == SYSTEM_NAME)
        return check_name((const char *)ec_bytes(&b->part, b->held.name), b->held.name.len);
    if (i == NOTIFICATION_EMAILS && b->held.mails.n > SETTINGS_MAILS)
        return "List should have at most 20 items after validation";
    for (uint32_t k = 0; i == NOTIFICATION_EMAILS && !why && k < b->held.mails.n; k++) {
        const struct ec_span *m = mail_at(&b->part, &b->held.mails, k);

        why = check_mail((const char *)ec_bytes(&b->part, *m), m->len);
    }
    return why;
}

static void value_text(enum which i, const struct setting *v, char *to, size_t n)
{
    if (i == SYSTEM_NAME)
        snprintf(to, n, "%s", v->name);
    else if (i == SESSION_TIMEOUT)
        snprintf(to, n, "%u", v->minutes);
    else
        snprintf(to, n, "%u addresses", v->mails);
}

/* Into the audit log, before r is answered. */
static void audit(struct settings *s, struct ec_req *r, enum which i, const struct setting *old,
                  const struct setting *now)
{
    uint32_t topic = s->host->topic_find(s->host, EC_AUDIT_TOPIC);
    const struct ec_who *who = s->http->who(r);
    char object[48], before[NAME_ROOM], after[NAME_ROOM], detail[2 * NAME_ROOM + 8];
    struct ec_audit *e;
    struct ec_build b;

    if (!topic || s->host->open(s->host, EC_PUB_MAILBOX, topic, &b) != EC_OK)
        return;
    snprintf(object, sizeof object, "settings/%s", names[i]);
    value_text(i, old, before, sizeof before);
    value_text(i, now, after, sizeof after);
    snprintf(detail, sizeof detail, "%s -> %s", before, after);
    if ((e = ec_add(&b, topic, sizeof *e))) {
        e->action = ec_puts(&b, "settings.change");
        e->outcome = ec_puts(&b, "success");
        e->actor = ec_puts(&b, who ? who->name : "");
        e->address = ec_puts(&b, s->http->peer(r));
        e->object = ec_puts(&b, object);
        e->detail = ec_puts(&b, detail);
    }
    s->host->publish(s->host, &b);
}

static void refuse(struct settings *s, struct ec_req *r, int32_t err)
{
    if (err == EC_EAGAIN || err == EC_EEXIST)
        s->http->error(r, 409, "the setting is being changed by somebody else: read it again");
    else
        s->http->error(r, 503, "the store cannot be written at the moment");
}

static void change(struct settings *s, struct ec_req *r, enum which i)
{
    const struct body *body = s->http->body(r);
    const struct ec_who *who = s->http->who(r);
    struct setting old, now;
    int32_t err = EC_EEND;

    pthread_mutex_lock(&s->lock);
    now = old = s->value[i];
    if (!s->http->match(r, old.version)) {
        held_take(&now, i, &body->part, &body->held);
        now.at_ns = s->host->now(s->host);
        snprintf(now.by, sizeof now.by, "%s", who ? who->name : "");
        err = keep(s, i, &now);
    }
    pthread_mutex_unlock(&s->lock);
    if (!err) {
        audit(s, r, i, &old, &now);
        send_one(s, r, i, false);
    } else if (err != EC_EEND) {
        refuse(s, r, err);
    }
}

static int32_t put(struct settings *s, struct ec_req *r, enum which i, void (*work)(struct ec_req *r, void *arg))
{
    const char *why = body_wrong(i, s->http->body(r));

    if (why)
        return s->http->invalid(r, "body.value", "value_error", why);
    if (!s->ready)
        return s->http->error(r, 503, "no settings are kept: there is no store, or it could not be read");
    return s->http->work(r, work, s) ? EC_OK : EC_EAGAIN;
}

#define HANDLERS(name, i) \
    static void change_##name(struct ec_req *r, void *arg) { change(arg, r, i); } \
    static int32_t get_##name(void *self, const void *state, struct ec_req *r) \
    { \
        (void)state; \
        return send_one(self, r, i, true); \
    } \
    static int32_t put_##name(void *self, const void *state, struct ec_req *r) \
    { \
        (void)state; \
        return put(self, r, i, change_##name); \
    }
HANDLERS(system_name, SYSTEM_NAME)
HANDLERS(notification_emails, NOTIFICATION_EMAILS)
HANDLERS(session_timeout, SESSION_TIMEOUT)

#define ROUTES(name, i, what) \
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/settings/" #name, .opid = "get_" #name, \
      .summary = what, .roles = READERS, .reply = &replies[i], .run = get_##name, .flags = EC_RT_EDITS }, \
    { .size = sizeof(struct ec_route), .method = "PUT", .path = "/api/settings/" #name, .opid = "put_" #name, \
      .summary = what, .roles = "admin", .body = &bodies[i], \
      .body_max = 16384, .reply = &replies[i], .run = put_##name, .errors = "409", .flags = EC_RT_EDITS }
static const struct ec_route routes[] = {
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/settings", .opid = "list_settings",
      .summary = "All settings", .roles = READERS, .reply = &all_record, .run = get_all },
    ROUTES(system_name, SYSTEM_NAME, "How this eCyber is called"),
    ROUTES(notification_emails, NOTIFICATION_EMAILS, "Addresses that are written to"),
    ROUTES(session_timeout, SESSION_TIMEOUT, "Minutes without use after which the page logs out"),
};

/* --- life -------------------------------------------------------------------------------------------------------- */

static int32_t settings_create(const struct ec_host *h, void **self)
{
    struct settings *s = *self = calloc(1, sizeof *s);

    if (!s)
        return h->fail(h, EC_ENOMEM, "out of memory");
    s->host = h;
    pthread_mutex_init(&s->lock, NULL);
    pthread_rwlock_init(&s->seen, NULL);
    defaults(s);
    return EC_OK;
}

static int32_t settings_setup(void *self)
{
    struct settings *s = self;
    const struct ec_host *h = s->host;

    s->http = h->use(h, EC_HTTP_ID, &s->http_self);
    s->store = h->use(h, EC_STORE_ID, &s->store_self);
    for (uint32_t i = 0; s->http && i < sizeof routes / sizeof routes[0]; i++)
        if (s->http->route(s->http_self, h, &routes[i], s))
            EC_LOG(h, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
    return s->store ? s->store->kind(s->store_self, h, &kind, &s->kind) : EC_OK;
}

static int32_t settings_start(void *self, const void *state)
{
    struct settings *s = self;
    int32_t err = s->store ? s->store->find(s->store_self, s->kind, NULL, 0, 0, 100, on_document, s) : EC_ENOENT;

    (void)state;
    s->ready = !err;
    if (err && s->store)
        EC_LOG(s->host, EC_LOG_ERROR, "settings could not be read (error %d): the defaults are shown", (int)err);
    return EC_OK;
}

static void settings_destroy(void *self)
{
    struct settings *s = self;

    pthread_mutex_destroy(&s->lock);
    pthread_rwlock_destroy(&s->seen);
    free(s);
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN | EC_USE_OPTIONAL, sizeof(struct ec_store), 0, EC_STORE_ID },
};
static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.settings", .name = "settings", .version = "0.1.0",
    .summary = "what people set while the daemon runs", .license = "MIT",
    .n_use = 2, .use_stride = sizeof uses[0], .use = uses,
    .create = settings_create, .setup = settings_setup, .start = settings_start, .destroy = settings_destroy,
};
EC_PLUGIN(plugin)
