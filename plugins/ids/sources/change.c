/* POST, PUT, DELETE /api/rules/sources: the list is changed when what follows from it is in force. */
#include "plugins/ids/sources/sources.h"

#include "plugins/ids/files.h"

#include "lib/url.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAST_NS (UINT64_C(600) * 1000000000)       /* publishers ask for no more */

enum { GIVEN_CHECKSUM };
struct body {
    struct ec_part part;
    struct ec_span name, url, checksum_url;
    uint64_t interval;
    uint8_t enabled, pad[7];
};
#define BODY(T, flags, bit, member, name, def, help, min, max) \
    { EC_T_##T, (flags), (bit), 0, (uint32_t)offsetof(struct body, member), (name), NULL, NULL, (def), NULL, (help), \
      (min), (max) }
#define SHARED_ROWS \
    BODY(TEXT, 0, 0, url, "url", NULL, \
         "https://…: a text of rules, compressed or not, or a tar or zip archive of *.rules", 9, SOURCE_URL - 1), \
    BODY(TEXT, EC_R_OPT, GIVEN_CHECKSUM, checksum_url, "checksum_url", NULL, \
         "of a file with the MD5, SHA-256 or SHA-512 of what url gives", 9, SOURCE_URL - 1), \
    BODY(BOOL, 0, 0, enabled, "enabled", "true", "load its rules, and update it by itself", 0, 0), \
    BODY(DURATION, 0, 0, interval, "interval", "0s", \
         "between updates, 10 minutes at least; 0: only when somebody asks", 0, INT64_C(31536000000000000))
static const struct ec_row create_rows[] = {
    BODY(TEXT, 0, 0, name, "name", NULL, "letters, digits, '.', '_' and '-'; its file is NAME.rules", 1,
         SOURCE_NAME - 1),
    SHARED_ROWS,
};
static const struct ec_row replace_rows[] = { SHARED_ROWS };
const struct ec_record source_create_body = EC_RECORD_PART(struct body, create_rows);
const struct ec_record source_replace_body = EC_RECORD_PART(struct body, replace_rows);

static const struct ec_row param_rows[] = {
    { EC_T_U32, 0, 0, 0, (uint32_t)offsetof(struct source_param, id), "id", NULL, NULL, NULL, NULL, "its number", 1,
      UINT32_MAX },
};
const struct ec_record source_param = EC_RECORD_PART(struct source_param, param_rows);

enum op { OP_CREATE, OP_REPLACE, OP_REMOVE };
static const char *const actions[] = { "rules.source.create", "rules.source.replace", "rules.source.delete" };
struct change {                     /* one whose rules a reload puts in force, or takes away */
    struct sources *s;
    struct ec_req *r;
    enum op op;
    struct source after;            /* REPLACE */
    uint32_t id;
    char from[4200], to[4200], before[200 + SOURCE_URL];
};

const char *source_who(const struct sources *s, struct ec_req *r)
{
    const struct ec_who *who = s->http->who(r);

    return who ? who->name : "";
}

static void describe(const struct source *e, char *to, size_t n)
{
    snprintf(to, n, "%s %s%s%s, %s, every %llu s", e->name, e->url, *e->checksum_url ? " checksum " : "",
             e->checksum_url, e->enabled ? "on" : "off", (unsigned long long)(e->interval_ns / 1000000000));
}

static void audit(struct sources *s, struct ec_req *r, enum op op, const char *before, const struct source *after)
{
    char object[90], now[200 + 2 * SOURCE_URL] = "none", detail[sizeof now + 300 + SOURCE_URL];

    if (after)
        describe(after, now, sizeof now);
    snprintf(object, sizeof object, "rules/sources/%s", after ? after->name : "");
    snprintf(detail, sizeof detail, "before: %s; after: %s", before, now);
    s->http->audit(r, actions[op], "success", after ? object : NULL, detail);
}

__attribute__((format(printf, 5, 6)))
static void refuse(struct sources *s, struct ec_req *r, enum op op, uint32_t status, const char *fmt, ...)
{
    char text[SOURCE_WHY + 200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    s->http->audit(r, actions[op], status == 503 ? "failure" : "denied", NULL, text);
    s->http->error(r, status, text);
}

/* --- what was sent ------------------------------------------------------------------------------------------------ */

static bool take_url(struct sources *s, struct ec_req *r, const struct ec_part *p, struct ec_span of, const char *loc,
                     char to[SOURCE_URL])
{
    const char *wrong;
    char sentence[200];

    if (of.len >= SOURCE_URL) {
        s->http->invalid(r, loc, "value_error", "Value error, it is longer than 2,048 bytes");
        return false;
    }
    memcpy(to, ec_bytes(p, of), of.len);
    to[of.len] = '\0';
    if (!(wrong = url_wrong(to, s->c.plain)))
        return true;
    snprintf(sentence, sizeof sentence, "Value error, %s%s", wrong,
             strncmp(wrong, URL_PLAIN, sizeof URL_PLAIN - 1) ? "" : ": ids.sources.plain");
    s->http->invalid(r, loc, "value_error", sentence);
    return false;
}

/* A body that was checked by its rows. false: it was answered. */
static bool take(struct sources *s, struct ec_req *r, enum op op, struct source *e)
{
    const struct body *b = s->http->body(r);

    if (op == OP_CREATE) {
        if (b->name.len < SOURCE_NAME)
            memcpy(e->name, ec_bytes(&b->part, b->name), b->name.len);
        if (!name_is_good(e->name)) {
            s->http->invalid(r, "body.name", "value_error",
                             "Value error, it has letters, digits, '.', '_' and '-', and begins with a letter or a "
                             "digit");
            return false;
        }
    }
    *e->checksum_url = '\0';
    e->enabled = b->enabled;
    e->interval_ns = b->interval;
    if (b->interval && b->interval < LEAST_NS) {
        s->http->invalid(r, "body.interval", "value_error", "Value error, it has to be 10 minutes at least, or 0");
        return false;
    }
    return take_url(s, r, &b->part, b->url, "body.url", e->url) &&
           (!(b->part.has >> GIVEN_CHECKSUM & 1) ||
            take_url(s, r, &b->part, b->checksum_url, "body.checksum_url", e->checksum_url));
}

/* Locked. The change is in the list, and on disk. */
static bool stamp(struct sources *s, struct source *e, const char *by)
{
    e->version = ++s->list->version;
    e->at_ns = s->host->now(s->host);
    snprintf(e->by, sizeof e->by, "%s", by);
    return !sources_save(s);
}

/* --- create ------------------------------------------------------------------------------------------------------- */

/* [pool] */
static void create_job(struct ec_req *r, void *arg)
{
    struct sources *s = arg;
    struct source e = { .id = 0 }, *in = NULL;
    bool kept = false;

    if (!take(s, r, OP_CREATE, &e))
        return;
    pthread_mutex_lock(&s->lock);
    if (list_named(s->list, e.name)) {
        pthread_mutex_unlock(&s->lock);
        refuse(s, r, OP_CREATE, 409, "there is a source %s already", e.name);
        return;
    }
    if (s->http->dry_run(r)) {
        e.id = s->list->next_id;
        e.version = s->list->version + 1;
        pthread_mutex_unlock(&s->lock);
        source_reply(s, r, 200, &e);
        return;
    }
    in = list_add(s->list, &e);
    kept = in && stamp(s, in, source_who(s, r));
    if (in && !kept)
        list_remove(s->list, in->id);
    else if (in)
        e = *in;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (kept) {
        audit(s, r, OP_CREATE, "none", &e);
        source_reply(s, r, 201, &e);
    } else {
        refuse(s, r, OP_CREATE, in ? 503 : 409,
               in ? "sources.json cannot be written: %s" : "there are 64 sources already%.0s", strerror(errno));
    }
}

/* --- replace, remove ---------------------------------------------------------------------------------------------- */

/* Locked. The list, when the files are as they should be. */
static bool settle(struct change *c)
{
    struct sources *s = c->s;
    struct source *e = list_find(s->list, c->id), old = *e;

    if (c->op == OP_REMOVE) {
        list_remove(s->list, c->id);
        s->list->version++;
        return !sources_save(s);
    }
    memcpy(e->url, c->after.url, sizeof e->url);
    memcpy(e->checksum_url, c->after.checksum_url, sizeof e->checksum_url);
    e->enabled = c->after.enabled;
    e->interval_ns = c->after.interval_ns;
    if (strcmp(old.url, e->url) != 0)
        e->tag[0] = e->modified[0] = '\0';      /* of another file */
    if (stamp(s, e, source_who(s, c->r))) {
        c->after = *e;
        return true;
    }
    *e = old;
    return false;
}

/* It was put in force, or needs no reload. */
static void finish(struct change *c)
{
    struct sources *s = c->s;
    bool kept;

    pthread_mutex_lock(&s->lock);
    kept = settle(c);
    s->busy = 0;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (c->op == OP_REMOVE && *c->to)
        unlink(c->to);
    if (!kept) {
        refuse(c->s, c->r, c->op, 503, "sources.json cannot be written: %s", strerror(errno));
    } else if (c->op == OP_REMOVE) {
        audit(s, c->r, c->op, c->before, NULL);
        s->http->reply(c->r, 204, NULL);
    } else {
        audit(s, c->r, c->op, c->before, &c->after);
        source_reply(s, c->r, 200, &c->after);
    }
    free(c);
}

/* Nothing was changed. */
static void give_up(struct change *c, uint32_t status, const char *why)
{
    pthread_mutex_lock(&c->s->lock);
    c->s->busy = 0;
    pthread_cond_broadcast(&c->s->changed);
    pthread_mutex_unlock(&c->s->lock);
    refuse(c->s, c->r, c->op, status, "nothing was changed: %s", why);
    free(c);
}

/* [pool] */
static void on_reloaded(void *arg, const void *state, uint64_t id, bool ok, const char *why)
{
    struct change *c = arg;

    (void)id;
    if (ok && state) {
        finish(c);
        return;
    }
    if (rename(c->to, c->from))
        EC_LOG(c->s->host, EC_LOG_ERROR, "%s cannot be renamed: %s", c->to, strerror(errno));
    give_up(c, state ? 409 : 503, why ? why : "the reload did not take it");
}

/* Its file moves between the names that are loaded and those that are not. */
static void move(struct change *c)
{
    if (rename(c->from, c->to)) {
        give_up(c, 503, strerror(errno));
    } else if (reloads_ask(c->s->reloads, source_who(c->s, c->r), on_reloaded, c, NULL)) {
        if (rename(c->to, c->from))
            EC_LOG(c->s->host, EC_LOG_ERROR, "%s cannot be renamed: %s", c->to, strerror(errno));
        give_up(c, 503, "the daemon takes no reload at the moment");
    }
}

/* Locked. The source is this request's from now on; 0, or a status, and why. */
static uint32_t claim(struct change *c, const struct source *e, const char **why)
{
    struct sources *s = c->s;
    bool was = e && e->enabled, will = c->op == OP_REPLACE && c->after.enabled;

    *why = "there is no source of this number";
    if (!e)
        return 404;
    *why = "an update or a change of a source is under way: try again when it has ended";
    if (s->busy)
        return 409;
    describe(e, c->before, sizeof c->before);
    snprintf(c->after.name, sizeof c->after.name, "%s", e->name);
    *why = "the name of its file is too long";
    if (!sources_path(s, e->name, was ? ".rules" : ".off", c->from) ||
        !sources_path(s, e->name, will ? ".rules" : ".off", c->to))
        return 503;
    if (s->http->dry_run(c->r))
        return 0;
    s->busy = c->id;
    return 0;
}

static void change_job(struct sources *s, struct ec_req *r, enum op op)
{
    const struct source_param *p = s->http->param(r);
    struct change *c = calloc(1, sizeof *c);
    const struct source *e;
    struct source before = { .id = 0 };
    const char *why;
    uint32_t status;

    if (!c) {
        refuse(s, r, op, 503, "out of memory");
        return;
    }
    *c = (struct change){ .s = s, .r = r, .op = op, .id = p->id };
    if (op == OP_REPLACE && !take(s, r, op, &c->after)) {
        free(c);
        return;
    }
    pthread_mutex_lock(&s->lock);
    if ((e = list_find(s->list, p->id)))
        before = *e;
    if (e && s->http->match(r, e->version)) {
        pthread_mutex_unlock(&s->lock);
        free(c);
        return;
    }
    status = claim(c, e, &why);
    pthread_mutex_unlock(&s->lock);
    if (status) {
        refuse(s, r, op, status, "%s", why);
        free(c);
    } else if (s->http->dry_run(r)) {
        c->after.id = before.id;
        c->after.version = before.version;
        if (op == OP_REMOVE)
            s->http->reply(r, 204, NULL);
        else
            source_reply(s, r, 200, &c->after);
        free(c);
    } else if (strcmp(c->from, c->to) != 0 && !access(c->from, F_OK)) {
        move(c);
    } else {
        finish(c);
    }
}

/* [pool] */
static void replace_job(struct ec_req *r, void *arg) { change_job(arg, r, OP_REPLACE); }
static void remove_job(struct ec_req *r, void *arg) { change_job(arg, r, OP_REMOVE); }

#define ON_POOL(name, job) \
    int32_t name(void *self, const void *state, struct ec_req *r) \
    { \
        struct sources *s = self; \
        (void)state; \
        if (!s->running) \
            return s->http->error(r, 503, SOURCES_NONE); \
        s->http->work(r, job, s); \
        return EC_EAGAIN; \
    }
ON_POOL(source_create, create_job)
ON_POOL(source_replace, replace_job)
ON_POOL(source_remove, remove_job)
