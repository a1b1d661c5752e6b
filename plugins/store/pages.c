#include "plugins/store/pages.h"

#include "plugins/store/scan.h"

#include <stdlib.h>
#include <string.h>

void pages_open(struct pages *p)
{
    memset(p, 0, sizeof *p);
    pthread_mutex_init(&p->lock, NULL);
}

static size_t bytes_of(const struct kept *k)
{
    return sizeof *k + k->question.cap + k->json.cap + k->room * sizeof *k->row;
}

static void kept_free(struct kept *k)
{
    text_free(&k->question);
    text_free(&k->json);
    free(k->row);
    free(k);
}

static void let_go(struct kept *k)
{
    if (!--k->users)
        kept_free(k);
}

static void drop(struct pages *p, uint32_t i)
{
    p->n.bytes -= bytes_of(p->kept[i]);
    let_go(p->kept[i]);
    p->kept[i] = NULL;
}

void pages_close(struct pages *p)
{
    for (uint32_t i = 0; i < PAGES_KEPT; i++)
        if (p->kept[i])
            drop(p, i);
    pthread_mutex_destroy(&p->lock);
}

static void put_number(struct text *t, uint64_t v)
{
    text_add(t, &v, sizeof v);
}

static void put_string(struct text *t, const char *s)
{
    put_number(t, s ? strlen(s) : UINT64_MAX);
    text_add(t, s, s ? strlen(s) : 0);
}

/* All that a page depends on but what is stored, in one way of writing it. */
static uint64_t put_question(struct text *t, const struct ec_query *q)
{
    uint64_t hash = UINT64_C(14695981039346656037);     /* FNV-1a */

    put_number(t, q->flags);
    put_number(t, q->limit);
    put_number(t, q->since_ns);
    put_number(t, q->until_ns);
    put_string(t, q->type);
    put_string(t, q->text);
    put_string(t, q->cursor && *q->cursor ? q->cursor : NULL);
    for (uint32_t i = 0; i < q->n_filter; i++) {
        const struct ec_filter *f = (const void *)((const char *)q->filter + (size_t)i * q->filter_stride);

        put_number(t, f->op);
        put_string(t, f->field);
        put_string(t, f->value);
    }
    for (size_t i = 0; i < t->len; i++)
        hash = (hash ^ (uint8_t)t->base[i]) * UINT64_C(1099511628211);
    return hash;
}

static bool same_question(const struct kept *a, const struct kept *b)
{
    return a->hash == b->hash && a->question.len == b->question.len &&
           !memcmp(a->question.base, b->question.base, a->question.len);
}

static uint32_t find(const struct pages *p, const struct kept *k)
{
    uint32_t i = 0;

    while (i < PAGES_KEPT && !(p->kept[i] && same_question(p->kept[i], k)))
        i++;
    return i;
}

/* Is it asked for the second time at least? So what is asked once, such as by a time that runs, costs no copy and takes
 * no other's place. */
static bool asked_before(struct pages *p, const struct kept *k)
{
    if (find(p, k) < PAGES_KEPT)
        return true;
    for (uint32_t i = 0; i < PAGES_ASKED; i++)
        if (p->asked[i] == k->hash)
            return true;
    p->asked[p->n_asked++ % PAGES_ASKED] = k->hash;
    return false;
}

/* What the database says now: events are only added to the last segment, and each transaction moves its last row. */
static bool look(const struct query_host *h, struct stamp *to)
{
    enum db_fault fault;
    struct reader *r;
    char why[256];

    memset(to, 0, sizeof *to);
    if (!segments_last(h->segments, &to->last, &to->changes))
        return false;
    if (!(r = readers_take(h->readers, to->last, &fault, why, sizeof why)))
        return false;
    fault = scan_last_row(r, &to->row, why, sizeof why);
    readers_give(h->readers, r);
    return !fault;
}

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->changes == b->changes && !segment_compare(a->last, b->last) && a->row == b->row;
}

/* One in the list that is of now. What is older goes. */
static struct kept *current(struct pages *p, const struct kept *asked)
{
    uint32_t i = find(p, asked);

    if (i < PAGES_KEPT && !same(&p->kept[i]->stamp, &asked->stamp)) {
        drop(p, i);
        i = PAGES_KEPT;
    }
    if (i == PAGES_KEPT)
        return NULL;
    p->kept[i]->users++;
    p->kept[i]->used = ++p->uses;
    return p->kept[i];
}

struct kept *pages_ask(struct pages *p, const struct query_host *h, const struct ec_query *q)
{
    struct kept *k = calloc(1, sizeof *k), *there = NULL;
    bool again;

    if (!k)
        return NULL;
    k->users = 1;
    k->hash = put_question(&k->question, q);
    pthread_mutex_lock(&p->lock);
    again = !k->question.failed && asked_before(p, k);
    pthread_mutex_unlock(&p->lock);
    again = again && look(h, &k->stamp);
    pthread_mutex_lock(&p->lock);
    if (again)
        there = current(p, k);
    p->n.hits += there != NULL;
    p->n.misses += !there;
    pthread_mutex_unlock(&p->lock);
    if (there || !again) {
        kept_free(k);
        k = there;
    }
    return k;
}

static uint32_t oldest(const struct pages *p, const struct kept *but)
{
    uint32_t i, at = PAGES_KEPT;

    for (i = 0; i < PAGES_KEPT; i++)
        if (p->kept[i] && p->kept[i] != but && (at == PAGES_KEPT || p->kept[i]->used < p->kept[at]->used))
            at = i;
    return at;
}

/* Room that the text has grown and does not need. */
static void fit(struct text *t)
{
    char *less = t->base ? realloc(t->base, t->len + 1) : NULL;

    if (!less)
        return;
    t->base = less;
    t->cap = t->len + 1;
}

static void take_in(struct pages *p, struct kept *k)
{
    uint32_t i = find(p, k);

    fit(&k->json);
    if (i < PAGES_KEPT)
        drop(p, i);                 /* another thread has read it, too */
    for (i = 0; i < PAGES_KEPT && p->kept[i];)
        i++;
    if (i == PAGES_KEPT)
        drop(p, i = oldest(p, NULL));
    k->whole = true;
    k->used = ++p->uses;
    p->kept[i] = k;
    p->n.bytes += bytes_of(k);
    while (p->n.bytes > PAGES_BYTES)
        drop(p, oldest(p, k));
}

void pages_done(struct pages *p, struct kept *k)
{
    if (!k)
        return;
    pthread_mutex_lock(&p->lock);
    if (!k->whole && !k->failed)
        take_in(p, k);
    else
        let_go(k);
    pthread_mutex_unlock(&p->lock);
}

struct pages_counts pages_counts(struct pages *p)
{
    struct pages_counts n;

    pthread_mutex_lock(&p->lock);
    n = p->n;
    pthread_mutex_unlock(&p->lock);
    return n;
}

void kept_add(struct kept *k, uint64_t id, struct cursor at, size_t begin)
{
    uint32_t room = k->room ? 2 * k->room : 64;
    struct kept_row *more;

    if (k->n == k->room) {
        if (!(more = realloc(k->row, room * sizeof *more))) {
            k->failed = true;
            return;
        }
        k->row = more;
        k->room = room;
    }
    k->row[k->n++] = (struct kept_row){ id, at, begin, (uint32_t)(k->json.len - begin) };
    text_add(&k->json, "", 1);      /* each has its NUL */
    k->failed |= k->json.failed || k->json.len > PAGE_BYTES;
}

void kept_hand_out(const struct kept *k, ec_store_event_fn *fn, void *arg, struct ec_page *page)
{
    page->flags = 0;
    memcpy(page->next, k->next, sizeof page->next);
    for (uint32_t i = 0; i < k->n; i++)
        if (fn(arg, k->row[i].id, k->json.base + k->row[i].begin, k->row[i].len)) {
            cursor_write(&k->row[i].at, k->filter, page->next);
            return;
        }
}
