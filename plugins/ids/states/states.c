#include "plugins/ids/states/states.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 500u                   /* documents that are read at once */

static const struct ec_kind kind = { sizeof kind, 1, "alert_states", &copy_record, "event_id" };

struct states {
    pthread_rwlock_t lock;          /* of the list */
    pthread_mutex_t edit;           /* one change at a time, from the store to the list */
    const struct ec_store *store;
    void *store_self;
    uint32_t kind, n, room;
    bool ready;
    _Atomic uint64_t newest;        /* event that was ever in the list */
    struct alert_state **list;      /* in the order of their events */
};

struct states *states_new(const struct ec_store *store, void *store_self)
{
    struct states *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    pthread_rwlock_init(&s->lock, NULL);
    pthread_mutex_init(&s->edit, NULL);
    s->store = store;
    s->store_self = store_self;
    return s;
}

static void state_free(struct alert_state *a)
{
    if (a)
        free(a->note);
    free(a);
}

void states_free(struct states *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        state_free(s->list[i]);
    free(s->list);
    pthread_rwlock_destroy(&s->lock);
    pthread_mutex_destroy(&s->edit);
    free(s);
}

int32_t states_declare(struct states *s, const struct ec_host *h)
{
    return s->store->kind(s->store_self, h, &kind, &s->kind);
}

/* Where it stands, or would stand. */
static uint32_t place(const struct states *s, uint64_t event)
{
    uint32_t low = 0, high = s->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (s->list[mid]->event < event)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct alert_state *find(const struct states *s, uint64_t event)
{
    uint32_t i = place(s, event);

    return i < s->n && s->list[i]->event == event ? s->list[i] : NULL;
}

/* Takes it; one of the same event is replaced. */
static int32_t insert(struct states *s, struct alert_state *a)
{
    uint32_t i, room = s->room ? 2 * s->room : 64;
    struct alert_state **list;

    if (s->n == s->room) {
        pthread_rwlock_wrlock(&s->lock);
        if ((list = realloc(s->list, room * sizeof *list)))
            s->list = list, s->room = room;
        pthread_rwlock_unlock(&s->lock);
        if (!list) {
            state_free(a);
            return EC_ENOMEM;
        }
    }
    pthread_rwlock_wrlock(&s->lock);
    if (a->event > s->newest)
        s->newest = a->event;
    i = place(s, a->event);
    if (i < s->n && s->list[i]->event == a->event)
        state_free(s->list[i]);
    else
        memmove(s->list + i + 1, s->list + i, (s->n++ - i) * sizeof *s->list);
    s->list[i] = a;
    pthread_rwlock_unlock(&s->lock);
    return EC_OK;
}

static char *span_dup(const struct ec_part *p, struct ec_span s)
{
    return s.off ? strndup((const char *)ec_bytes(p, s), s.len) : strdup("");
}

struct loading { struct states *s; uint64_t last; uint32_t n; int32_t err; };

static int32_t on_document(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    const struct copy *c = (const struct copy *)(const void *)p;
    struct loading *l = arg;
    struct alert_state *a = calloc(1, sizeof *a);
    uint32_t n = c->by.len < sizeof a->by ? c->by.len : (uint32_t)sizeof a->by - 1;

    l->last = id;
    l->n++;
    if (!a || !(a->note = span_dup(p, c->note))) {
        free(a);
        return l->err = EC_ENOMEM;
    }
    a->event = c->event;
    a->doc = id;
    a->version = version;
    a->at_ns = c->at;
    a->state = c->state < STATES ? c->state : STATE_OPEN;
    if (c->by.off)
        memcpy(a->by, ec_bytes(p, c->by), n);
    return l->err = insert(l->s, a);
}

int32_t states_load(struct states *s)
{
    struct loading l = { .s = s };
    int32_t err;

    do {
        l.n = 0;
        err = s->store->find(s->store_self, s->kind, NULL, 0, l.last, PAGE, on_document, &l);
    } while (!err && !l.err && l.n == PAGE);
    err = l.err ? l.err : err;
    pthread_rwlock_wrlock(&s->lock);
    s->ready = !err;
    pthread_rwlock_unlock(&s->lock);
    return err;
}

bool states_ready(struct states *s)
{
    bool ready;

    pthread_rwlock_rdlock(&s->lock);
    ready = s->ready;
    pthread_rwlock_unlock(&s->lock);
    return ready;
}

bool states_may_have(struct states *s, uint64_t event)
{
    return event <= s->newest;
}

const struct alert_state *states_hold(struct states *s, uint64_t event)
{
    pthread_rwlock_rdlock(&s->lock);
    return find(s, event);
}

void states_release(struct states *s)
{
    pthread_rwlock_unlock(&s->lock);
}

uint32_t states_behind(struct states *s, uint32_t mask, uint64_t from, bool up, uint64_t *to, uint32_t n)
{
    uint32_t got = 0, i;

    pthread_rwlock_rdlock(&s->lock);
    i = place(s, from);
    if (up && i < s->n && s->list[i]->event == from)
        i++;
    for (; (up ? i < s->n : i > 0) && got < n; i += up ? 1u : UINT32_MAX) {
        const struct alert_state *one = s->list[up ? i : i - 1];

        if (mask >> one->state & 1)
            to[got++] = one->event;
    }
    pthread_rwlock_unlock(&s->lock);
    return got;
}

void states_count(struct states *s, uint64_t to[STATES])
{
    memset(to, 0, STATES * sizeof *to);
    pthread_rwlock_rdlock(&s->lock);
    for (uint32_t i = 0; i < s->n; i++)
        to[s->list[i]->state]++;
    pthread_rwlock_unlock(&s->lock);
}

/* An event's JSON, copied. */
struct text { char *p; uint32_t n; };

static int32_t take_json(void *arg, const char *json, uint32_t n)
{
    struct text *t = arg;

    t->p = malloc(n + 1u);
    if (!t->p)
        return EC_ENOMEM;
    memcpy(t->p, json, n);
    t->n = n;
    return EC_OK;
}

static int32_t take_event(void *arg, uint64_t id, const char *json, uint32_t n)
{
    (void)id;
    return take_json(arg, json, n);
}

struct reading { int32_t (*fn)(void *arg, const char *json, uint32_t n); void *arg; int32_t err; uint64_t version; };

static int32_t read_copy(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    const struct copy *c = (const struct copy *)(const void *)p;
    struct reading *r = arg;

    (void)id;
    r->version = version;
    if (r->fn)
        r->err = r->fn(r->arg, c->json.off ? (const char *)ec_bytes(p, c->json) : "", c->json.off ? c->json.len : 0);
    return EC_OK;
}

int32_t states_event(struct states *s, uint64_t event, int32_t (*fn)(void *arg, const char *json, uint32_t n),
                     void *arg)
{
    struct reading r = { .fn = fn, .arg = arg };
    const struct alert_state *a = states_hold(s, event);
    uint64_t doc = a ? a->doc : 0;
    int32_t err;

    states_release(s);
    if (!doc)
        return EC_ENOENT;
    err = s->store->get(s->store_self, s->kind, doc, read_copy, &r);
    return err ? err : r.err;
}

int32_t states_find(struct states *s, const struct ec_filter *f, uint32_t n, ec_store_row_fn *fn, void *arg)
{
    return s->store->find(s->store_self, s->kind, f, n, 0, STATES_MAX, fn, arg);
}

/* On disk: *doc and its version. */
static int32_t store_write(struct states *s, const struct alert_state *a, const struct text *event, uint64_t *doc)
{
    uint32_t cap = (uint32_t)(sizeof(struct ec_event) + sizeof(struct copy)) + 2 * event->n + 8192 +
        (uint32_t)strlen(a->note);
    struct ec_build b = { .base = calloc(1, cap), .cap = cap };
    struct copy *c;
    int32_t err;

    if (!b.base)
        return EC_ENOMEM;
    ec_grow(&b, sizeof(struct ec_event));
    c = ec_add(&b, 0, sizeof *c);
    c->event = a->event;
    c->state = a->state;
    c->at = a->at_ns;
    c->by = ec_puts(&b, a->by);
    if (*a->note) {
        c->note = ec_puts(&b, a->note);
        c->part.has |= 1;
    }
    err = copy_fill(&b, c, event->p, event->n) ? EC_ENOENT
        : s->store->put(s->store_self, s->kind, doc, a->version, &c->part);
    free(b.base);
    return err;
}

/* Room for one more: the oldest that needs nobody's attention goes. */
static int32_t make_room(struct states *s)
{
    uint32_t i = 0;
    struct alert_state *old;
    int32_t err;

    if (s->n < STATES_MAX)
        return EC_OK;
    while (i < s->n && s->list[i]->state < STATE_CLOSED)
        i++;
    if (i == s->n)
        return EC_ELIMIT;
    old = s->list[i];
    err = s->store->del(s->store_self, s->kind, old->doc, 0);
    if (err && err != EC_ENOENT)
        return err;
    pthread_rwlock_wrlock(&s->lock);
    memmove(s->list + i, s->list + i + 1, (--s->n - i) * sizeof *s->list);
    pthread_rwlock_unlock(&s->lock);
    state_free(old);
    return EC_OK;
}

/* What it will be, from what it is. NULL: out of memory. */
static struct alert_state *make(const struct alert_state *old, const struct change *c)
{
    struct alert_state *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->event = c->event;
    a->doc = old ? old->doc : 0;
    a->version = old ? old->version : 0;
    a->state = c->state >= 0 ? (uint32_t)c->state : old ? old->state : STATE_OPEN;
    a->at_ns = c->now_ns;
    strncpy(a->by, c->by, sizeof a->by - 1);
    a->note = c->note ? strndup(c->note, c->n_note) : strdup(old ? old->note : "");
    if (!a->note) {
        free(a);
        return NULL;
    }
    return a;
}

/* Of a changed alert its copy, of another one the event itself. */
static int32_t read_event(struct states *s, const struct alert_state *old, uint64_t event, struct text *to)
{
    int32_t err = old ? states_event(s, event, take_json, to)
        : s->store->event(s->store_self, event, take_event, to);

    return err ? err : to->p ? EC_OK : EC_ENOMEM;
}

static int32_t change(struct states *s, const struct change *c, struct changed *done)
{
    const struct alert_state *old = find(s, c->event);     /* nobody else writes the list: `edit` is held */
    struct reading r = { .fn = NULL };
    struct text event = { NULL, 0 };
    struct alert_state *a;
    int32_t err;

    done->before = old ? old->state : STATE_OPEN;
    done->version = old ? old->version : 0;
    if (c->version >= 0 && (uint64_t)c->version != done->version)
        return EC_EPERM;
    if ((err = read_event(s, old, c->event, &event)) || (!old && (err = make_room(s)))) {
        free(event.p);
        return err;
    }
    a = make(old, c);
    err = a ? store_write(s, a, &event, &a->doc) : EC_ENOMEM;
    free(event.p);
    if (err) {
        state_free(a);
        return err;
    }
    /* It is on disk; should its version not be read, the next change says that somebody else changed it meanwhile. */
    s->store->get(s->store_self, s->kind, a->doc, read_copy, &r);
    done->version = a->version = r.version;
    done->after = a->state;
    return insert(s, a);
}

int32_t states_change(struct states *s, const struct change *c, struct changed *done)
{
    int32_t err;

    pthread_mutex_lock(&s->edit);
    err = change(s, c, done);
    pthread_mutex_unlock(&s->edit);
    return err;
}
