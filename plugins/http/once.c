#include "plugins/http/once.h"

#include "plugins/http/asset.h"
#include "plugins/http/request.h"
#include "plugins/http/server.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400                   /* seconds */
#define MOST 4096u                  /* keys */
#define BYTES_MAX (16u << 20)       /* of all answers */
#define ANSWER_MAX (256u << 10)     /* of one; a longer one is not kept */
#define KEY_MAX 255u

struct once {
    struct once *next, *prev;
    char *key;                      /* user, operation and key */
    char print[24];                 /* of path, query and body */
    time_t since;
    bool busy;                      /* its request is being carried out */
    uint32_t status;
    const char *type;
    uint64_t version;
    struct text reply, set;
};

static time_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void forget(struct onces *all, struct once *o)
{
    *(o->prev ? &o->prev->next : &all->first) = o->next;
    *(o->next ? &o->next->prev : &all->last) = o->prev;
    all->n--;
    all->bytes -= o->reply.n + o->set.n;
    text_free(&o->reply);
    text_free(&o->set);
    free(o->key);
    free(o);
}

/* Those whose day is over, and the oldest while there are too many; one that is being carried out stays. */
static void expire(struct server *s)
{
    struct onces *all = &s->onces;
    struct once *next;

    for (struct once *o = all->first; o; o = next) {
        bool over = o->since + DAY < now(), many = all->n >= MOST || all->bytes > BYTES_MAX;

        next = o->next;
        if (!over && !many)
            break;
        if (o->busy)
            continue;
        if (!over)
            server_count(s, M_KEYS_FORGOTTEN, 1);
        forget(all, o);
    }
}

static bool key_ok(const char *key)
{
    size_t n = strlen(key);

    for (const char *p = key; *p; p++)
        if (*p <= ' ' || *p > '~')
            return false;
    return n > 0 && n <= KEY_MAX;
}

/* What the request is, so that another one with the same key is seen. */
static void print_of(const struct ec_req *r, char to[24])
{
    struct text t = { 0 };

    text_add(&t, r->uri, strlen(r->uri) + 1);
    if (r->body)
        text_add(&t, r->body, r->body->total);
    etag_of(t.p, t.n, to);
    text_free(&t);
}

static char *name_of(const struct ec_req *r, const char *key)
{
    struct text t = { 0 };

    text_printf(&t, "%" PRIu64 " %s %s %s", r->who.user, r->who.name, r->match.route->r->opid, key);
    text_add(&t, "", 1);
    if (t.bad)
        text_free(&t);
    return t.p;
}

static bool remember(struct ec_req *r, char *name, const char *print)
{
    struct onces *all = &r->s->onces;
    struct once *o = all->n < MOST ? calloc(1, sizeof *o) : NULL;

    if (!o) {
        free(name);
        request_set_header(r, "Retry-After", "5");
        request_error(r, 503, "too many requests with an Idempotency-Key are being carried out");
        return false;
    }
    o->key = name;
    memcpy(o->print, print, sizeof o->print);
    o->since = now();
    o->busy = true;
    o->prev = all->last;
    *(all->last ? &all->last->next : &all->first) = o;
    all->last = o;
    all->n++;
    r->once = o;
    return true;
}

/* The first one's answer once more. */
static void replay(struct ec_req *r, const struct once *o)
{
    struct text copy = { 0 };

    text_add(&copy, o->reply.p, o->reply.n);
    text_add(&r->set, o->set.p, o->set.n);
    request_set_header(r, "Idempotency-Replayed", "true");
    r->version = o->version;
    r->audited = true;                  /* by the first */
    request_bytes(r, o->status, o->type, &copy);
}

bool once_begin(struct ec_req *r)
{
    const char *key = r->match.route->r->flags & EC_RT_ENFORCES ? request_header(r, "Idempotency-Key") : NULL;
    struct once *o;
    char print[24], *name;

    if (!key)
        return true;
    if (!key_ok(key)) {
        request_note(r, "header", "idempotency-key", "string_pattern_mismatch",
                     "String should be 1 to 255 visible ASCII characters", NULL, NULL);
        request_invalid(r);
        return false;
    }
    expire(r->s);
    print_of(r, print);
    if (!(name = name_of(r, key))) {
        request_error(r, 500, "Internal Server Error");
        return false;
    }
    for (o = r->s->onces.first; o && strcmp(o->key, name) != 0; o = o->next)
        ;
    if (!o)
        return remember(r, name, print);
    free(name);
    if (strcmp(o->print, print) != 0) {
        request_note(r, "header", "idempotency-key", "value_error",
                     "this Idempotency-Key was used with another request", NULL, NULL);
        request_invalid(r);
    } else if (o->busy) {
        request_set_header(r, "Retry-After", "1");
        request_error(r, 409, "the first request with this Idempotency-Key is still being carried out");
    } else {
        replay(r, o);
    }
    return false;
}

void once_keep(struct ec_req *r)
{
    struct once *o = r->once;

    if (!o)
        return;
    if (r->status >= 500 || r->reply.bad || r->reply.n > ANSWER_MAX || r->begun) {
        once_drop(r);
        return;
    }
    text_add(&o->reply, r->reply.p, r->reply.n);
    text_add(&o->set, r->set.p, r->set.n);
    o->status = r->status;
    o->type = r->type;
    o->version = r->version;
    o->busy = false;
    r->s->onces.bytes += o->reply.n + o->set.n;
    r->once = NULL;
    if (o->reply.bad || o->set.bad)
        forget(&r->s->onces, o);
}

void once_drop(struct ec_req *r)
{
    if (r->once)
        forget(&r->s->onces, r->once);
    r->once = NULL;
}

void onces_free(struct onces *all)
{
    while (all->first)
        forget(all, all->first);
}
