#include "core/record/shape.h"

#include "core/record/record.h"

#include <pthread.h>
#include <stdlib.h>

struct shapes {
    const struct ec_host *host;
    pthread_mutex_t lock;
    struct ec_shape *first;
};

struct shapes *shapes_new(const struct ec_host *h)
{
    struct shapes *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->host = h;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void shape_free(struct ec_shape *s)
{
    tree_free(s->tree);
    program_free(s->program);
    free(s);
}

void shapes_free(struct shapes *s)
{
    struct ec_shape *next;

    if (!s)
        return;
    for (struct ec_shape *at = s->first; at; at = next) {
        next = at->next;
        shape_free(at);
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct ec_shape *shape_make(const struct ec_host *h, const struct ec_record *r)
{
    char why[256];
    struct ec_shape *s;

    if (record_check(r, RECORD_PART, why, sizeof why) || !(s = calloc(1, sizeof *s)))
        return NULL;
    s->record = r;
    s->tree = tree_build(r);
    if (s->tree)
        s->program = program_compile(h, s->tree);
    if (s->program)
        return s;
    shape_free(s);
    return NULL;
}

const struct ec_shape *shapes_get(struct shapes *s, const struct ec_record *r)
{
    struct ec_shape *at;

    pthread_mutex_lock(&s->lock);
    for (at = s->first; at && at->record != r; at = at->next)
        ;
    if (!at && (at = shape_make(s->host, r))) {
        at->next = s->first;
        s->first = at;
    }
    pthread_mutex_unlock(&s->lock);
    return at;
}
