#include "plugins/ids/match/prefilter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct prefilter_input { const struct rule **rule; size_t n, cap; };

struct prefilter {
    hs_database_t *db;                  /* NULL: no patterns */
    uint32_t n_pattern, n_always;
    uint32_t *first;                    /* of pattern i: its rules are rules[first[i]] … rules[first[i + 1] - 1] */
    uint32_t *rules;
    uint32_t *always;
    size_t bytes;
};

void candidates_begin(struct candidates *c)
{
    c->n = 0;
    if (++c->serial == 0) {
        memset(c->stamp, 0, c->room * sizeof *c->stamp);
        c->serial = 1;
    }
}

void candidates_add(struct candidates *c, uint32_t rule)
{
    if (rule >= c->room || c->stamp[rule] == c->serial)
        return;
    c->stamp[rule] = c->serial;
    c->list[c->n++] = rule;
}

static int by_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

void candidates_sort(struct candidates *c)
{
    if (c->n > 1)
        qsort(c->list, c->n, sizeof *c->list, by_index);
}

struct prefilter_input *prefilter_input_new(void)
{
    return calloc(1, sizeof(struct prefilter_input));
}

void prefilter_input_free(struct prefilter_input *in)
{
    if (in)
        free(in->rule);
    free(in);
}

size_t prefilter_input_count(const struct prefilter_input *in)
{
    return in->n;
}

bool prefilter_input_add(struct prefilter_input *in, const struct rule *r)
{
    if (in->n == in->cap) {
        size_t cap = in->cap ? in->cap * 2 : 16;
        const struct rule **p = realloc(in->rule, cap * sizeof *p);

        if (!p)
            return false;
        in->rule = p;
        in->cap = cap;
    }
    in->rule[in->n++] = r;
    return true;
}

/* Rules without a pattern last, equal patterns together. */
static int by_pattern(const void *a, const void *b)
{
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    int d;

    if (!x->fast.len != !y->fast.len)
        return x->fast.len ? -1 : 1;
    if (x->fast.len != y->fast.len)
        return x->fast.len < y->fast.len ? -1 : 1;
    if (x->fast.nocase != y->fast.nocase)
        return x->fast.nocase ? 1 : -1;
    d = x->fast.len ? memcmp(x->fast.data, y->fast.data, x->fast.len) : 0;
    return d ? d : (x->index > y->index) - (x->index < y->index);
}

static bool same_pattern(const struct rule *x, const struct rule *y)
{
    return x->fast.len == y->fast.len && x->fast.nocase == y->fast.nocase &&
           !memcmp(x->fast.data, y->fast.data, x->fast.len);
}

/* Fill p's tables; in is sorted. Returns the number of patterns. */
static uint32_t prefilter_tables(struct prefilter *p, const struct prefilter_input *in, const char **text,
                                 unsigned *flags, unsigned *ids, size_t *lens)
{
    uint32_t n = 0, rules = 0;

    for (size_t i = 0; i < in->n; i++) {
        const struct rule *r = in->rule[i];

        if (!r->fast.len) {
            p->always[p->n_always++] = r->index;
            continue;
        }
        if (!rules || !same_pattern(r, in->rule[i - 1])) {
            text[n] = (const char *)r->fast.data;
            lens[n] = r->fast.len;
            flags[n] = HS_FLAG_SINGLEMATCH | (r->fast.nocase ? HS_FLAG_CASELESS : 0);
            ids[n] = n;
            p->first[n++] = rules;
        }
        p->rules[rules++] = r->index;
    }
    p->first[n] = rules;
    return n;
}

static int prefilter_compile(struct prefilter *p, struct prefilter_input *in, char *why, size_t n)
{
    const char **text = calloc(in->n + 1, sizeof *text);
    unsigned *flags = calloc(in->n + 1, sizeof *flags), *ids = calloc(in->n + 1, sizeof *ids);
    size_t *lens = calloc(in->n + 1, sizeof *lens);
    hs_compile_error_t *err = NULL;
    int rc = -1;

    snprintf(why, n, "out of memory");
    if (text && flags && ids && lens) {
        rc = 0;
        p->n_pattern = prefilter_tables(p, in, text, flags, ids, lens);
        if (p->n_pattern && hs_compile_lit_multi(text, flags, ids, lens, p->n_pattern, HS_MODE_BLOCK, NULL, &p->db,
                                                 &err) != HS_SUCCESS) {
            snprintf(why, n, "the prefilter cannot be compiled: %s", err ? err->message : "unknown error");
            hs_free_compile_error(err);
            rc = -1;
        }
    }
    free(text);
    free(flags);
    free(ids);
    free(lens);
    return rc;
}

struct prefilter *prefilter_build(struct prefilter_input *in, hs_scratch_t **scratch, char *why, size_t n)
{
    struct prefilter *p = calloc(1, sizeof *p);

    snprintf(why, n, "out of memory");
    if (p) {
        p->first = calloc(in->n + 1, sizeof *p->first);
        p->rules = calloc(in->n + 1, sizeof *p->rules);
        p->always = calloc(in->n + 1, sizeof *p->always);
    }
    if (!p || !p->first || !p->rules || !p->always)
        goto failed;
    if (in->n)
        qsort(in->rule, in->n, sizeof *in->rule, by_pattern);
    if (prefilter_compile(p, in, why, n))
        goto failed;
    if (p->db && (hs_alloc_scratch(p->db, scratch) != HS_SUCCESS || hs_database_size(p->db, &p->bytes) != HS_SUCCESS)) {
        snprintf(why, n, "the prefilter found no memory for its scratch space");
        goto failed;
    }
    prefilter_input_free(in);
    return p;
failed:
    prefilter_input_free(in);
    prefilter_free(p);
    return NULL;
}

void prefilter_free(struct prefilter *p)
{
    if (!p)
        return;
    if (p->db)
        hs_free_database(p->db);
    free(p->first);
    free(p->rules);
    free(p->always);
    free(p);
}

size_t prefilter_bytes(const struct prefilter *p)
{
    return p->bytes;
}

size_t prefilter_patterns(const struct prefilter *p)
{
    return p->n_pattern;
}

struct scan { const struct prefilter *p; struct candidates *c; };

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
    const struct scan *s = arg;

    (void)from, (void)to, (void)flags;
    for (uint32_t i = s->p->first[id]; i < s->p->first[id + 1]; i++)
        candidates_add(s->c, s->p->rules[i]);
    return 0;
}

bool prefilter_scan(const struct prefilter *p, hs_scratch_t *scratch, const uint8_t *d, uint32_t n,
                    struct candidates *c)
{
    struct scan s = { p, c };

    for (uint32_t i = 0; i < p->n_always; i++)
        candidates_add(c, p->always[i]);
    return !p->db || !n || hs_scan(p->db, (const char *)d, n, 0, scratch, on_match, &s) == HS_SUCCESS;
}
