#include "plugins/http/stream.h"

#include "plugins/http/catchup.h"
#include "plugins/http/field.h"
#include "plugins/http/input.h"
#include "plugins/http/reply.h"
#include "plugins/http/server.h"
#include "plugins/http/visible.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_MAX 64 /* bytes of an event type that is looked for, with its NUL */

struct stream_client {
    struct stream_client *next;
    struct server *s;
    struct ec_req *r;
    char *types;                    /* ",alert,flow,"; NULL: every type */
    char *hidden;                   /* "audit": not for who asks; NULL: none */
    uint64_t lost;                  /* events, since the last gap was told */
    struct catchup *catchup;        /* NULL: it is live */
};

/* The root of part 0's topic: "alert". */
static const char *type_of(const struct server *s, const struct ec_event *ev)
{
    const struct ec_topic *t = ev->parts ? s->host->topic_get(s->host, ec_part_first(ev)->topic) : NULL;

    return t ? t->root : NULL;
}

static bool wants(const struct stream_client *c, const char *type)
{
    size_t n = strlen(type);

    for (const char *p = c->hidden; p && *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == n && !memcmp(p, type, n))
            return false;

    if (!c->types)
        return true;
    for (const char *p = c->types; (p = strstr(p, type)); p += n)
        if (p[-1] == ',' && p[n] == ',')
            return true;
    return false;
}

/* "id: …\nevent: …\ndata: {"id":"…",…}\n\n" into s->streams.event: as the store gives it. JSON has no line ends
 * inside. */
static bool render(struct server *s, const struct ec_event *ev, const char *type)
{
    struct text *t = &s->streams.event;
    int64_t n;

    t->n = 0;
    text_printf(t, "id: %" PRIu64 "\nevent: %s\ndata: {\"id\":\"%" PRIu64 "\"", ev->id, type, ev->id);
    if (!text_room(t, 4096))
        return false;
    n = s->json->event(s->json_self, ev, 0, t->p + t->n, t->cap - t->n, NULL);
    if (n > (int64_t)(t->cap - t->n) && text_room(t, (size_t)n))
        n = s->json->event(s->json_self, ev, 0, t->p + t->n, t->cap - t->n, NULL);
    if (n < 0 || n > (int64_t)(t->cap - t->n))
        return false;
    if (n < 2)
        return false;
    t->p[t->n] = t->p[t->n + 1] == '}' ? ' ' : ',';      /* in place of its own brace */
    t->n += (size_t)n;
    text_puts(t, "\n\n");
    return !t->bad;
}

static void tell_gap(struct stream_client *c)
{
    struct text t = { 0 };

    text_printf(&t, "event: gap\ndata: {\"dropped\":%" PRIu64 "}\n\n", c->lost);
    if (!t.bad)
        request_push(c->r, t.p, t.n);
    text_free(&t);
    c->lost = 0;
}

/* How many events of this one's publisher are missing before it: `seq` rises with each event, of whatever topic, lost
 * or not, and all topics are subscribed to. */
static uint64_t missing(struct streams *all, const struct ec_event *ev)
{
    uint32_t i = ev->publisher == EC_PUB_MAILBOX ? all->publishers - 1 : ev->publisher;
    uint64_t last;

    if (!all->publishers || i >= all->publishers)
        return 0;
    last = all->seq[i];
    all->seq[i] = ev->seq;
    return last && ev->seq > last + 1 ? ev->seq - last - 1 : 0;
}

/* Which types they were nobody knows, so every client is told. */
static void miss(struct server *s, uint64_t n)
{
    server_count(s, M_STREAM_MISSED, (int64_t)n);
    for (struct stream_client *c = s->streams.list; c; c = c->next) {
        bool behind = c->catchup || c->lost || request_waiting(c->r) + 64 > s->c.stream_buffer;

        c->lost += n;
        if (!behind)
            tell_gap(c);
    }
}

/* A client that reads has its events; one that does not has lost this one, and is told once it has caught up. */
static bool give(struct stream_client *c, const char *p, size_t n)
{
    size_t waiting = request_waiting(c->r);

    if (waiting + n > c->s->c.stream_buffer || (c->lost && waiting))
        return false;
    if (c->lost)
        tell_gap(c);
    request_push(c->r, p, n);
    server_count(c->s, M_STREAM_EVENTS, 1);
    return true;
}

static void lose(struct stream_client *c)
{
    c->lost++;
    server_count(c->s, M_STREAM_DROPPED, 1);
}

void stream_event(struct server *s, const struct ec_event *ev)
{
    const char *type = s->streams.list ? type_of(s, ev) : NULL;
    uint64_t gap = missing(&s->streams, ev);
    bool tried = false, good = false;

    if (gap)
        miss(s, gap);
    for (struct stream_client *c = type ? s->streams.list : NULL; c; c = c->next) {
        if (!wants(c, type))
            continue;
        if (!tried)
            good = render(s, ev, type);
        tried = true;
        if (!good || !(c->catchup ? catchup_hold(c->catchup, ev->id, &s->streams.event)
                                  : give(c, s->streams.event.p, s->streams.event.n)))
            lose(c);
    }
    if (s->streams.event.bad)
        text_free(&s->streams.event);
}

void stream_beat(struct server *s)
{
    for (struct stream_client *c = s->streams.list; c; c = c->next) {
        if (!input_still_allowed(c->r)) {
            request_end(c->r);      /* which leaves the list later */
            continue;
        }
        if (c->lost && !c->catchup && !request_waiting(c->r))
            tell_gap(c);
        if (!request_waiting(c->r))
            request_push(c->r, ": \n\n", 4);
    }
}

static void client_free(struct stream_client *c)
{
    struct stream_client **p = &c->s->streams.list;

    if (c->catchup)
        catchup_leave(c->catchup);
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    c->s->streams.n--;
    c->s->host->gauge(c->s->host, M_STREAMS, c->s->streams.n);
    free(c->types);
    free(c->hidden);
    free(c);
}

static void on_left(void *arg)
{
    client_free(arg);
}

struct stream_param { struct ec_part part; struct ec_span types; };
static const struct ec_row stream_rows[] = {
    { EC_T_TEXT, EC_R_OPT, 0, 0, offsetof(struct stream_param, types), "types", NULL, NULL, NULL, NULL,
      "event types with commas between them; none: all", 0, 1024 },
};
const struct ec_record stream_params = EC_RECORD_PART(struct stream_param, stream_rows);

/* Is each of them a type that a plugin declares? */
static bool types_known(const struct ec_host *h, const struct stream_param *p)
{
    char name[TYPE_MAX];
    const char *at, *end;

    if (!p || !p->types.off || !p->types.len)
        return true;
    at = (const char *)ec_bytes(&p->part, p->types);
    end = at + p->types.len;
    while (at) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t n = (size_t)((comma ? comma : end) - at);

        if (n >= sizeof name)
            return false;
        memcpy(name, at, n);
        name[n] = '\0';
        if (!field_topic(h, name))
            return false;
        at = comma ? comma + 1 : NULL;
    }
    return true;
}

/* ",alert,flow," where the query says "alert,flow". */
static bool read_types(struct stream_client *c, const struct stream_param *p)
{
    if (!p || !p->types.off || !p->types.len)
        return true;
    if (!(c->types = malloc(p->types.len + 3)))
        return false;
    c->types[0] = ',';
    memcpy(c->types + 1, ec_bytes(&p->part, p->types), p->types.len);
    memcpy(c->types + 1 + p->types.len, ",", 2);
    return true;
}

/* --- what it missed ----------------------------------------------------------------------------------- */

static bool on_old(void *arg, const char *sse, size_t n)
{
    struct stream_client *c = arg;

    if (request_waiting(c->r) + n > c->s->c.stream_buffer)
        return false;
    request_push(c->r, sse, n);
    server_count(c->s, M_STREAM_EVENTS, 1);
    return true;
}

static void on_lost(void *arg, uint64_t n, const char *why)
{
    struct stream_client *c = arg;
    struct text t = { 0 };

    server_count(c->s, M_STREAM_DROPPED, (int64_t)n);
    text_printf(&t, "event: gap\ndata: {\"dropped\":%" PRIu64, n);
    text_pair(&t, "error", why);
    text_puts(&t, "}\n\n");
    if (!t.bad)
        request_push(c->r, t.p, t.n);
    text_free(&t);
}

static void on_live(void *arg)
{
    struct stream_client *c = arg;

    c->catchup = NULL;
    if (c->lost)
        tell_gap(c);
}

/* The id that the client saw last. 0: it says none; false: it is none. */
static bool read_last(struct ec_req *r, uint64_t *last)
{
    const char *p = request_header(r, "Last-Event-ID");
    size_t n = p ? strlen(p) : 0;

    *last = n ? strtoull(p, NULL, 10) : 0;
    return n < 20 && (!n || strspn(p, "0123456789") == n);
}

static void catch_up(struct stream_client *c, uint64_t last)
{
    static const struct catchup_ops ops = { on_old, on_lost, on_live };

    if (!c->s->store)
        on_lost(c, 0, "no plugin is there that keeps events (ec.store/1)");
    else if (!(c->catchup = catchup_start(c->s, last, c->types, c->hidden, &ops, c)))
        on_lost(c, 0, "out of memory");
}

static uint32_t streams_of(const struct server *s, const struct ec_who *who)
{
    uint32_t n = 0;

    for (const struct stream_client *c = s->streams.list; c; c = c->next)
        n += c->r->who.user == who->user && !strcmp(c->r->who.name, who->name);
    return n;
}

static int32_t refuse(struct server *s, struct ec_req *r, uint32_t status, const char *why)
{
    server_count(s, M_STREAM_REFUSED, 1);
    request_set_header(r, "Retry-After", "30");
    return request_error(r, status, why);
}

int32_t stream_run(void *server, const void *state, struct ec_req *r)
{
    struct server *s = server;
    const struct stream_param *p = (const struct stream_param *)(const void *)r->param;
    struct stream_client *c;
    uint64_t last;

    (void)state;
    if (!read_last(r, &last))
        return request_invalid_at(r, "header.last-event-id", "int_parsing",
                                  "Input should be a valid integer, unable to parse string as an integer");
    if (!types_known(s->host, p))
        return request_invalid_at(r, "query.types", "enum", "Input should be types of events that plugins declare");
    if (r->head) {
        struct text none = { 0 };

        return request_bytes(r, 200, "text/event-stream", &none);
    }
    if (s->streams.n >= s->c.stream_clients)
        return refuse(s, r, 503, "too many clients follow events already (http.stream_clients)");
    if (streams_of(s, &r->who) >= s->c.streams_per_user)
        return refuse(s, r, 429, "you follow events with too many clients already (http.streams_per_user)");
    c = calloc(1, sizeof *c);
    if (!c || !visible_not(&s->routes, r->who.roles, &c->hidden) ||
        !read_types(c, p)) {
        if (c)
            free(c->hidden);
        free(c);
        return request_error(r, 500, "Internal Server Error");
    }
    c->s = s;
    c->r = r;
    c->next = s->streams.list;
    s->streams.list = c;
    s->host->gauge(s->host, M_STREAMS, ++s->streams.n);
    r->status = 200;
    r->type = "text/event-stream";
    request_set_header(r, "X-Accel-Buffering", "no");
    request_stream(r, on_left, c);
    request_push(r, ": connected\n\n", 13);
    if (last)
        catch_up(c, last);
    return EC_EAGAIN;
}

bool stream_start(struct server *s)
{
    s->streams.publishers = s->host->workers(s->host) + 1;
    s->streams.seq = calloc(s->streams.publishers, sizeof *s->streams.seq);
    return s->streams.seq != NULL;
}

void stream_stop(struct server *s)
{
    while (s->streams.list) {
        struct ec_req *r = s->streams.list->r;

        client_free(s->streams.list);
        request_free(r);
    }
    text_free(&s->streams.event);
    free(s->streams.seq);
    s->streams.seq = NULL;
    s->streams.publishers = 0;
}
