#include "plugins/http/catchup.h"

#include "plugins/http/server.h"
#include "plugins/http/visible.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_S 2                  /* until the store has written what was published before the client came */
#define PAGE 1000u
#define PAGES 100u                  /* looked at, at most */

struct piece_of { uint64_t id; size_t at, n; };         /* in the text beside it */
struct pieces { struct piece_of *list; uint32_t n, room; struct text text; };

struct catchup {
    struct catchup *next;           /* in server.caught */
    struct server *s;
    const struct catchup_ops *ops;  /* [loop] NULL: the client has left */
    void *arg;
    struct event *timer;
    uint64_t last;
    char *types, *hidden;           /* "alert,flow"; NULL: every type, none */
    struct pieces held;             /* [loop] */
    struct pieces found;            /* the newest first */
    uint64_t older;                 /* events that had no room */
    uint32_t page_new;              /* events of a page that the client has not seen */
    const char *why;                /* what went wrong; NULL: nothing */
    bool reading;                   /* the pool has it */
};

static void pieces_free(struct pieces *p)
{
    free(p->list);
    text_free(&p->text);
}

static bool pieces_add(struct pieces *p, uint64_t id, size_t at)
{
    if (p->n == p->room) {
        uint32_t room = p->room ? 2 * p->room : 64;
        struct piece_of *bigger = realloc(p->list, room * sizeof *bigger);

        if (!bigger)
            return false;
        p->list = bigger;
        p->room = room;
    }
    p->list[p->n++] = (struct piece_of){ id, at, p->text.n - at };
    return true;
}

static void catchup_free(struct catchup *c)
{
    if (c->timer)
        event_free(c->timer);
    pieces_free(&c->held);
    pieces_free(&c->found);
    free(c->types);
    free(c->hidden);
    free(c);
}

/* --- on the pool ------------------------------------------------------------------------------------------------- */

static int32_t add_event(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct catchup *c = arg;
    size_t at = c->found.text.n;
    char type[VISIBLE_TYPE_MAX];

    if (id <= c->last)
        return 0;
    c->page_new++;
    if (c->older || at + len + 128 > c->s->c.stream_buffer / 2 || !visible_type_of(json, len, type)) {
        c->older++;
        return 0;
    }
    text_printf(&c->found.text, "id: %" PRIu64 "\nevent: %s\ndata: ", id, type);
    text_add(&c->found.text, json, len);
    text_puts(&c->found.text, "\n\n");
    if (c->found.text.bad || !pieces_add(&c->found, id, at)) {
        c->why = "out of memory";
        return 1;
    }
    return 0;
}

/* The newest first, until a whole page has nothing that the client has not seen: ids rise in the order of arrival, but
 * for what arrived at once. */
static void read_back(struct catchup *c)
{
    const struct server *s = c->s;
    struct ec_filter f[2];
    struct ec_query q = { .size = sizeof q, .filter = f, .filter_stride = sizeof f[0], .limit = PAGE };
    struct ec_page page = { .size = sizeof page };
    char cursor[EC_CURSOR_MAX] = "", why[256] = "";
    uint32_t pages = 0;

    if (c->types)
        f[q.n_filter++] = (struct ec_filter){ sizeof f[0], EC_F_EQ, "event_type", c->types };
    if (c->hidden)
        f[q.n_filter++] = (struct ec_filter){ sizeof f[0], EC_F_NE, "event_type", c->hidden };
    do {
        q.cursor = *cursor ? cursor : NULL;
        c->page_new = 0;
        if (s->store->events(s->store_self, &q, add_event, c, &page, why, sizeof why) != EC_OK) {
            EC_LOG(s->host, EC_LOG_WARNING, "the store could not say what a client of the stream missed: %s", why);
            c->why = "the store cannot be read at the moment";
        }
        strcpy(cursor, page.next);
    } while (!c->why && *cursor && (c->page_new || page.flags & EC_PAGE_PARTIAL) && ++pages < PAGES);
    if (!c->why && pages == PAGES)
        c->why = "there are more, and they were not counted";
}

static void on_pool(void *self, const void *state, void *arg)
{
    struct catchup *c = arg;
    struct server *s = c->s;

    (void)self;
    (void)state;
    read_back(c);
    pthread_mutex_lock(&s->lock);
    c->next = s->caught;
    s->caught = c;
    pthread_mutex_unlock(&s->lock);
    event_active(s->wake, 0, 0);
}

/* --- on the loop -------------------------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const struct piece_of *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* What was read, then what was held and not read; live from there on. */
static void hand_out(struct catchup *c)
{
    uint64_t full = 0;

    if (c->older || c->why)
        c->ops->lost(c->arg, c->older, c->why);
    if (c->found.n)
        qsort(c->found.list, c->found.n, sizeof *c->found.list, by_id);
    for (uint32_t i = 0; i < c->found.n; i++)
        full += !c->ops->give(c->arg, c->found.text.p + c->found.list[i].at, c->found.list[i].n);
    for (uint32_t i = 0; i < c->held.n; i++) {
        const struct piece_of *p = &c->held.list[i];

        if (!c->found.n || !bsearch(p, c->found.list, c->found.n, sizeof *c->found.list, by_id))
            full += !c->ops->give(c->arg, c->held.text.p + p->at, p->n);
    }
    if (full)
        c->ops->lost(c->arg, full, NULL);
    c->ops->done(c->arg);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct catchup *c = arg;

    (void)fd;
    (void)what;
    c->reading = c->s->host->work(c->s->host, on_pool, c) == EC_OK;
    if (c->reading)
        return;
    c->why = "the server is busy";
    hand_out(c);
    catchup_free(c);
}

struct catchup *catchup_start(struct server *s, uint64_t last, const char *types, const char *hidden,
                              const struct catchup_ops *ops, void *arg)
{
    static const struct timeval settle = { SETTLE_S, 0 };
    struct catchup *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->s = s;
    c->last = last;
    c->ops = ops;
    c->arg = arg;
    c->timer = evtimer_new(s->base, on_timer, c);
    c->types = types ? strndup(types + 1, strlen(types) - 2) : NULL;
    c->hidden = hidden ? strdup(hidden) : NULL;
    if (!c->timer || (types && !c->types) || (hidden && !c->hidden)) {
        catchup_free(c);
        return NULL;
    }
    evtimer_add(c->timer, &settle);
    return c;
}

bool catchup_hold(struct catchup *c, uint64_t id, const struct text *sse)
{
    size_t at = c->held.text.n;

    if (at + sse->n > c->s->c.stream_buffer / 2)
        return false;
    text_add(&c->held.text, sse->p, sse->n);
    return !c->held.text.bad && pieces_add(&c->held, id, at);
}

void catchup_leave(struct catchup *c)
{
    c->ops = NULL;
    if (!c->reading)
        catchup_free(c);
}

void catchup_done(struct server *s)
{
    struct catchup *list, *next;

    pthread_mutex_lock(&s->lock);
    list = s->caught;
    s->caught = NULL;
    pthread_mutex_unlock(&s->lock);
    for (; list; list = next) {
        next = list->next;
        if (list->ops)
            hand_out(list);
        catchup_free(list);
    }
}
