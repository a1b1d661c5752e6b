#include "plugins/socketio/frame.h"

#include <stdlib.h>
#include <string.h>

struct frame_link { struct frame_link *next; struct frame *f; };

struct frame *frame_new(bool binary, const char *prefix, const void *p, size_t n)
{
    size_t head = strlen(prefix);
    struct frame *f = malloc(sizeof *f + head + n + 1);

    if (!f)
        return NULL;
    f->refs = 1;
    f->binary = binary;
    f->n = head + n;
    memcpy(f->p, prefix, head);
    if (n)
        memcpy(f->p + head, p, n);
    f->p[f->n] = '\0';
    return f;
}

struct frame *frame_hold(struct frame *f)
{
    f->refs++;
    return f;
}

void frame_drop(struct frame *f)
{
    if (f && !--f->refs)
        free(f);
}

bool frames_put(struct frames *q, struct frame *f)
{
    struct frame_link *l = malloc(sizeof *l);

    if (!l)
        return false;
    *l = (struct frame_link){ NULL, frame_hold(f) };
    if (!q->first)
        q->last = &q->first;
    *q->last = l;
    q->last = &l->next;
    q->n++;
    q->bytes += f->n + FRAME_COST;
    return true;
}

struct frame *frames_take(struct frames *q)
{
    struct frame_link *l = q->first;
    struct frame *f;

    if (!l)
        return NULL;
    f = l->f;
    q->first = l->next;
    q->n--;
    q->bytes -= f->n + FRAME_COST;
    free(l);
    return f;
}

void frames_free(struct frames *q)
{
    struct frame *f;

    while ((f = frames_take(q)))
        frame_drop(f);
}
