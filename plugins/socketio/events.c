#include "plugins/socketio/events.h"

#include "plugins/socketio/ask.h"
#include "plugins/socketio/job.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS "admin,operator,analyst,viewer"
#define RECHECK_BEATS 15u           /* seconds between looks at a token */

struct news { struct order order; uint64_t id; uint32_t n; char type[64]; char json[]; };   /* an event */
struct miss { struct order order; uint64_t n; };

bool has_role(const char *have, const char *want)
{
    for (const char *h = have; *h; h += strcspn(h, ","), h += *h == ',')
        for (const char *w = want; *w; w += strcspn(w, ","), w += *w == ',')
            if (strcspn(h, ",") == strcspn(w, ",") && !memcmp(h, w, strcspn(h, ",")))
                return true;
    return false;
}

/* --- who follows what --------------------------------------------------------------------------------- */

static void count_wanted(struct events *all, const char *type, uint32_t delta)
{
    const struct ec_host *h = all->s->host;

    for (uint32_t id = 1; id <= h->topic_count(h) && id < sizeof all->wanted / sizeof all->wanted[0]; id++) {
        const struct ec_topic *t = h->topic_get(h, id);

        if (t && t->root && !strcmp(t->root, type))
            atomic_fetch_add(&all->wanted[id], delta);
    }
}

static struct following *find(struct viewer *v, const char *type)
{
    for (uint32_t i = 0; i < v->topics; i++)
        if (!strcmp(v->topic[i].type, type))
            return &v->topic[i];
    return NULL;
}

bool viewer_follow(struct viewer *v, const char *type, struct filter *f)
{
    struct following *to = find(v, type);

    if (!to) {
        if (v->topics == TOPICS_MAX || strlen(type) >= sizeof to->type || socket_join(v->x, type) != EC_OK)
            return false;
        to = &v->topic[v->topics++];
        snprintf(to->type, sizeof to->type, "%s", type);
        to->filter = NULL;
        count_wanted(v->all, type, 1);
    }
    filter_drop(to->filter);
    to->filter = filter_hold(f);
    return true;
}

bool viewer_unfollow(struct viewer *v, const char *type)
{
    struct following *t = find(v, type);

    if (!t)
        return false;
    count_wanted(v->all, type, UINT32_MAX);
    socket_leave(v->x, type);
    filter_drop(t->filter);
    *t = v->topic[--v->topics];
    return true;
}

/* --- what goes to one of them ---------------------------------------------------------------------------- */

static void tell_gap(struct viewer *v)
{
    char args[64];
    int n = snprintf(args, sizeof args, "[{\"dropped\":%" PRIu64 "}]", v->lost);

    v->lost = 0;
    socket_emit(v->x, "gap", args, (uint32_t)n, NULL, 0, 0);
}

static void lose(struct viewer *v)
{
    v->lost++;
    server_count(v->all->s, M_DROPPED, 1);
}

void viewer_give(struct viewer *v, uint64_t id, struct frame *f)
{
    struct ec_eio *e = socket_session(v->x);
    struct server *s = v->all->s;

    if (!e)
        return;
    if (v->replays) {
        if (v->n_held == HELD_MAX || !v->held) {
            lose(v);
            return;
        }
        v->held[v->n_held++] = (struct held){ id, frame_hold(f) };
        return;
    }
    if (session_full(e, f->n) || (v->lost && session_waiting(e))) {
        lose(v);
        return;
    }
    if (v->lost)
        tell_gap(v);                /* which may end it, and v */
    if (session_send(e, f))
        server_count(s, M_EVENTS, 1);
}

static int by_id(const void *id, const void *old)
{
    uint64_t x = *(const uint64_t *)id, y = ((const struct old *)old)->id;

    return x < y ? -1 : x > y;
}

void viewer_release(struct viewer *v, const struct old *seen, uint32_t n)
{
    const struct ec_eio *e = socket_session(v->x);
    struct held *held = v->held;
    uint32_t count = v->n_held;

    if (--v->replays)
        return;
    v->held = NULL;
    v->n_held = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (e && !e->closed && (!n || !bsearch(&held[i].id, seen, n, sizeof *seen, by_id)))
            viewer_give(v, held[i].id, held[i].f);
        frame_drop(held[i].f);
    }
    free(held);
}

/* --- coming in ------------------------------------------------------------------------------------------------ */

static void say(char *why, uint32_t cap, const char *text)
{
    snprintf(why, cap, "%s", text);
}

/* The token of CONNECT's data, or of the Authorization header. */
static char *token_of(struct ec_sio *x, const char *auth, uint32_t n)
{
    struct json_tokener *t = json_tokener_new_ex(SIO_DEPTH);
    struct json_object *o = t ? json_tokener_parse_ex(t, auth, (int)n) : NULL, *token;
    const char *bearer = socket_session(x)->bearer;
    char *copy = NULL;

    if (json_object_object_get_ex(o, "token", &token) && json_object_is_type(token, json_type_string)) {
        const char *s = json_object_get_string(token);

        copy = strdup(strncmp(s, "Bearer ", 7) ? s : s + 7);
    } else if (bearer) {
        copy = strdup(bearer);
    }
    json_object_put(o);
    if (t)
        json_tokener_free(t);
    return copy;
}

/* EC_OK, or the message. */
static int32_t look_at(struct viewer *v, const char *peer, char *why, uint32_t cap)
{
    const struct server *s = v->all->s;
    char secret[256] = "";

    if (v->token && s->auth) {
        v->who = (struct ec_who){ .size = sizeof v->who };
        if (s->auth->bearer(s->auth_self, v->token, (uint32_t)strlen(v->token), &v->who, secret,
                            sizeof secret) != EC_OK) {
            EC_LOG(s->host, EC_LOG_INFO, "a token from %s was refused: %s", peer, secret);
            say(why, cap, "Could not validate credentials");
            return EC_EPERM;
        }
    } else if (!v->who.size) {
        say(why, cap, s->auth ? "Not authenticated" : "no plugin is there that could say who you are (ec.auth/1)");
        return EC_EPERM;
    }
    if (v->who.flags & EC_WHO_MUST_CHANGE) {
        say(why, cap, "The password has to be changed first (POST /api/auth/change-password)");
        return EC_EPERM;
    }
    if (!has_role(v->who.roles, READERS)) {
        say(why, cap, "Not enough permissions");
        return EC_EPERM;
    }
    return EC_OK;
}

static void viewer_free(struct viewer *v)
{
    while (v->topics)
        viewer_unfollow(v, v->topic[0].type);
    for (uint32_t i = 0; i < v->n_held; i++)
        frame_drop(v->held[i].f);
    free(v->held);
    free(v->token);
    free(v);
}

static int32_t on_connect(void *self, struct ec_sio *x, const char *auth, uint32_t n, char *why, uint32_t cap)
{
    struct viewer *v = calloc(1, sizeof *v);
    int32_t err;

    if (!v) {
        say(why, cap, "out of memory");
        return EC_ENOMEM;
    }
    v->all = self;
    v->x = x;
    v->who = socket_session(x)->who;
    v->token = token_of(x, auth, n);
    if ((err = look_at(v, socket_session(x)->peer, why, cap))) {
        viewer_free(v);
        return err;
    }
    x->data = v;
    return EC_OK;
}

static void on_event(void *self, struct ec_sio *x, const struct ec_sio_event *e)
{
    (void)self;
    ask_event(x->data, e);
}

static void on_left(void *self, struct ec_sio *x)
{
    (void)self;
    viewer_free(x->data);
    x->data = NULL;
}

/* --- events ------------------------------------------------------------------------------------------------------ */

struct giving { struct news *news; struct frame *f; struct json_object *o; bool parsed; };

static void give_one(void *arg, struct ec_sio *x)
{
    struct giving *g = arg;
    struct viewer *v = x->data;
    const struct following *t = find(v, g->news->type);

    if (!t)
        return;
    if (t->filter) {
        if (!g->parsed)
            g->o = json_tokener_parse(g->news->json);
        g->parsed = true;
        if (!filter_match(t->filter, g->o))
            return;
    }
    viewer_give(v, g->news->id, g->f);
}

static void news_done(struct server *s, struct order *o)
{
    struct news *news = (struct news *)o;
    struct giving g = { .news = news };
    struct text args = { 0 };

    if (!s || !s->events)
        return;
    text_puts(&args, "[");
    text_add(&args, news->json, news->n);
    text_puts(&args, "]");
    if (!args.bad && (g.f = socket_frame(s->events->x.name, news->type, args.p, args.n)))
        space_each(s->events->space, news->type, give_one, &g);
    text_free(&args);
    frame_drop(g.f);
    json_object_put(g.o);
}

static void miss_one(void *arg, struct ec_sio *x)
{
    struct viewer *v = x->data;

    if (v->topics)
        v->lost += *(uint64_t *)arg;
}

static void miss_done(struct server *s, struct order *o)
{
    if (s && s->events)
        space_each(s->events->space, NULL, miss_one, &((struct miss *)o)->n);
}

/* Nobody knows which ones they were: everybody is told. */
static void miss(struct server *s, uint64_t n)
{
    struct miss *m = malloc(sizeof *m);

    server_count(s, M_MISSED, (int64_t)n);
    if (!m)
        return;
    *m = (struct miss){ .order = { .bytes = sizeof *m, .done = miss_done }, .n = n };
    if (!orders_post(s, &m->order, true))
        free(m);
}

/* How many events of this one's publisher are missing before it: its numbers rise by one. */
static uint64_t missing(struct events *all, const struct ec_event *ev)
{
    uint32_t i = ev->publisher == EC_PUB_MAILBOX ? all->publishers - 1 : ev->publisher;
    uint64_t last;

    if (i >= all->publishers)
        return 0;
    last = all->seq[i];
    all->seq[i] = ev->seq;
    return last && ev->seq > last + 1 ? ev->seq - last - 1 : 0;
}

/* As the store gives it: {"id":"…",…}. NULL: no memory, or it cannot be written. */
static struct news *render(struct server *s, const struct ec_event *ev, const char *type)
{
    size_t cap = 4096;

    for (int i = 0; i < 2; i++) {
        struct news *n = malloc(sizeof *n + cap);
        int head = n ? snprintf(n->json, cap, "{\"id\":\"%" PRIu64 "\"", ev->id) : 0;
        int64_t len = n ? s->json->event(s->json_self, ev, 0, n->json + head, cap - (size_t)head - 1, NULL) : -1;

        if (len >= 2 && len <= (int64_t)cap - head - 1) {
            n->json[head] = n->json[head + 1] == '}' ? ' ' : ',';       /* in place of its own brace */
            n->n = (uint32_t)(head + len);
            n->json[n->n] = '\0';
            n->id = ev->id;
            n->order = (struct order){ .bytes = sizeof *n + n->n, .done = news_done };
            snprintf(n->type, sizeof n->type, "%s", type);
            return n;
        }
        free(n);
        if (len < 2)
            return NULL;
        cap = (size_t)len + 64;
    }
    return NULL;
}

void events_on(struct server *s, const struct ec_event *ev)
{
    struct events *all = s->events;
    const struct ec_topic *t;
    struct news *n;
    uint64_t gap;
    uint16_t topic = ev->parts ? ec_part_first(ev)->topic : 0;

    if (!all)
        return;
    if ((gap = missing(all, ev)))
        miss(s, gap);
    if (topic >= sizeof all->wanted / sizeof all->wanted[0] || !atomic_load(&all->wanted[topic]))
        return;
    if (!(t = s->host->topic_get(s->host, topic)) || !t->root)
        return;
    n = render(s, ev, t->root);
    if (!n || !orders_post(s, &n->order, false)) {
        free(n);
        miss(s, 1);
    }
}

static void look_again(struct viewer *v)
{
    char why[128];

    if (v->token && look_at(v, socket_session(v->x)->peer, why, sizeof why) != EC_OK) {
        socket_disconnect(v->x);
        return;
    }
    for (uint32_t i = 0; i < v->topics; )
        if (v->all->s->http->visible(v->all->s->http_self, v->topic[i].type, v->who.roles))
            i++;
        else
            viewer_unfollow(v, v->topic[i].type);
}

static void beat_one(void *arg, struct ec_sio *x)
{
    struct viewer *v = x->data;

    (void)arg;
    if (v->lost && !v->replays && !session_waiting(socket_session(x)))
        tell_gap(v);
    if (x->client && v->all->beats % RECHECK_BEATS == 0)
        look_again(v);
}

void events_beat(struct server *s)
{
    if (!s->events)
        return;
    s->events->beats++;
    ask_beat(s);
    space_each(s->events->space, NULL, beat_one, NULL);
}

bool events_start(struct server *s)
{
    struct events *all;

    if (!*s->c.space)
        return true;
    all = calloc(1, sizeof *all);
    if (!all)
        return false;
    all->s = s;
    all->x = (struct ec_sio_space){ .size = sizeof all->x, .name = s->c.space, .connect = on_connect, .event = on_event,
                                    .left = on_left };
    all->publishers = s->host->workers(s->host) + 1;
    all->seq = calloc(all->publishers, sizeof *all->seq);
    if (!all->seq || space_add(s, s->host, &all->x, all) != EC_OK) {
        free(all->seq);
        free(all);
        return false;
    }
    all->space = space_find(s, s->c.space);
    s->events = all;
    return true;
}

void events_stop(struct server *s)
{
    ask_stop(s);
    if (s->events)
        free(s->events->seq);
    free(s->events);
    s->events = NULL;
}
