#include "plugins/socketio/job.h"

#include "plugins/socketio/sniff.h"
#include "plugins/socketio/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job *job_new(struct viewer *v, const struct ec_sio_event *e)
{
    struct job *j = calloc(1, sizeof *j);

    if (!j)
        return NULL;
    j->s = v->all->s;
    j->limit = UINT64_MAX;
    strcpy(j->socket, v->x->id);
    j->acks = e->flags & EC_SIO_ACK;
    j->ack = e->ack;
    return j;
}

static void job_clear(struct job *j)
{
    filter_drop(j->filter);
    text_free(&j->out);
    for (uint32_t i = 0; i < j->n; i++)
        free(j->old[i].json);
    free(j->old);
}

void job_free(struct job *j)
{
    if (j)
        job_clear(j);
    free(j);
}

/* --- on the pool ------------------------------------------------------------------------------------------------- */

static void swap(struct old *a, struct old *b)
{
    struct old c = *a;

    *a = *b;
    *b = c;
}

/* The latest of them stands first. */
static void heap_up(struct old *o, uint32_t i)
{
    for (; i && o[i].id > o[(i - 1) / 2].id; i = (i - 1) / 2)
        swap(&o[i], &o[(i - 1) / 2]);
}

static void heap_down(struct old *o, uint32_t n)
{
    for (uint32_t i = 0, k; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && o[k + 1].id > o[k].id)
            k++;
        if (o[i].id >= o[k].id)
            return;
        swap(&o[i], &o[k]);
    }
}

/* Nothing that is later comes back either, so that what does is without a hole. */
static void leave_out_latest(struct job *j)
{
    j->more = true;
    j->limit = j->old[0].id;
    j->bytes -= j->old[0].len;
    free(j->old[0].json);
    j->old[0] = j->old[--j->n];
    heap_down(j->old, j->n);
}

static bool make_room(struct job *j)
{
    uint32_t room = j->room ? 2 * j->room : 64;
    struct old *bigger;

    if (j->n < j->room)
        return true;
    if (!(bigger = realloc(j->old, room * sizeof *bigger)))
        return false;
    j->old = bigger;
    j->room = room;
    return true;
}

/* Of all types together the oldest ones are kept, as many as may come back. */
static int32_t add_event(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct job *j = arg;
    char *copy;

    if (id >= j->limit || j->read == j->s->c.replay) {
        j->more = true;
        return j->read == j->s->c.replay;
    }
    j->read++;
    if (!make_room(j) || !(copy = malloc(len ? len : 1))) {
        snprintf(j->error, sizeof j->error, "out of memory");
        return 1;
    }
    memcpy(copy, json, len);
    j->old[j->n] = (struct old){ id, j->now_type, len, copy };
    heap_up(j->old, j->n++);
    j->bytes += len;
    while (j->n > j->s->c.replay || (j->n > 1 && j->bytes > j->s->c.buffer))
        leave_out_latest(j);
    return 0;
}

static int32_t nothing(void *arg, uint64_t id, const char *json, uint32_t len)
{
    (void)arg;
    (void)id;
    (void)json;
    (void)len;
    return 1;
}

/* Its ids are in the order of time. */
static int by_id(const void *a, const void *b)
{
    const struct old *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* Type by type, because a field may be of one type only. */
static void read_events(struct job *j)
{
    const struct server *s = j->s;
    struct ec_filter f[FILTER_MAX];
    uint32_t n = filter_store(j->filter, f);
    struct ec_page page = { .size = sizeof page };

    for (uint32_t i = 0; i < j->types && !*j->error; i++) {
        struct ec_query q = { .size = sizeof q, .flags = EC_QUERY_OLDEST_FIRST, .type = j->type[i], .filter = f,
                              .n_filter = n, .filter_stride = sizeof f[0], .since_ns = j->since_ns, .limit = 1000 };
        char cursor[EC_CURSOR_MAX] = "", why[sizeof j->error] = "";
        int32_t err;

        j->now_type = i;
        j->read = 0;
        do {
            q.cursor = *cursor ? cursor : NULL;
            q.limit = j->replay ? 1000 : 1;
            err = s->store->events(s->store_self, &q, j->replay ? add_event : nothing, j, &page, why, sizeof why);
            if (err != EC_OK && !*j->error)
                snprintf(j->error, sizeof j->error, "%s", *why ? why : "the store cannot be read at the moment");
            strcpy(cursor, page.next);
        } while (err == EC_OK && !*j->error && j->replay && *cursor && j->read < s->c.replay);
        j->more |= j->replay && *cursor;
    }
    if (j->n)
        qsort(j->old, j->n, sizeof *j->old, by_id);
}

static void on_done(struct server *s, struct order *o)
{
    struct job *j = (struct job *)o, *copy;

    if (!s) {
        job_clear(j);
        return;
    }
    copy = malloc(sizeof *copy);
    if (copy) {
        *copy = *j;
        job_end(s, copy);
    } else {
        job_clear(j);
    }
}

static void on_pool(void *self, const void *state, void *arg)
{
    struct job *j = arg;

    (void)self;
    (void)state;
    if (j->sniffs)
        sniff_run(j);
    else if (j->summary)
        summary_read(j->s, &j->out, j->error, sizeof j->error);
    else
        read_events(j);
    j->order = (struct order){ .bytes = sizeof *j + j->out.n + j->bytes, .done = on_done };
    if (!orders_post(j->s, &j->order, true))
        job_free(j);
}

void job_start(struct server *s, struct job *j)
{
    if (s->host->work(s->host, on_pool, j) == EC_OK)
        return;
    snprintf(j->error, sizeof j->error, "the daemon is busy; try again later");
    job_end(s, j);
}

/* --- back on the lane --------------------------------------------------------------------------------------------- */

struct looking { const char *id; struct viewer *found; };

static void look(void *arg, struct ec_sio *x)
{
    struct looking *l = arg;

    if (!strcmp(x->id, l->id))
        l->found = x->data;
}

static void send_one(struct ec_eio *e, const char *space, const char *type, const char *json, uint32_t len)
{
    struct text args = { 0 };
    struct frame *f;

    text_puts(&args, "[");
    text_add(&args, json, len);
    text_puts(&args, "]");
    f = args.bad ? NULL : socket_frame(space, type, args.p, args.n);
    if (f)
        session_send(e, f);
    frame_drop(f);
    text_free(&args);
}

static void send_events(const struct viewer *v, const struct job *j)
{
    struct ec_eio *e = socket_session(v->x);

    for (uint32_t i = 0; i < j->n && !e->closed; i++)
        send_one(e, v->all->x.name, j->type[j->old[i].type], j->old[i].json, j->old[i].len);
}

static void acknowledge(const struct job *j, struct ec_sio *x, const char *error)
{
    struct text t = { 0 };

    if (*error) {
        text_puts(&t, "[{\"ok\":false,\"error\":");
        text_jsons(&t, error);
        text_puts(&t, "}]");
    } else {
        text_puts(&t, "[{\"ok\":true,\"topics\":[");
        for (uint32_t i = 0; i < j->types; i++) {
            text_puts(&t, i ? "," : "");
            text_jsons(&t, j->type[i]);
        }
        text_printf(&t, "],\"replayed\":%u,\"more\":%s}]", j->replay ? j->n : 0, j->more ? "true" : "false");
    }
    if (!t.bad && j->acks)
        socket_ack(x, j->ack, t.p, (uint32_t)t.n, NULL, 0);
    else if (!t.bad && *error)
        socket_emit(x, "subscribe_error", t.p, (uint32_t)t.n, NULL, 0, 0);
    text_free(&t);
}

static void end_subscribe(struct viewer *v, struct job *j)
{
    struct ec_sio *x = v->x;
    struct ec_eio *e = socket_session(x);
    const char *error = j->error;

    for (uint32_t i = 0; i < j->types && !*error && !j->replay; i++)
        if (!viewer_follow(v, j->type[i], j->filter))
            error = "these are too many topics";
    if (j->replay && !*error)
        send_events(v, j);
    if (j->replay && *error)
        for (uint32_t i = 0; i < j->types; i++)
            viewer_unfollow(v, j->type[i]);
    if (e->closed)
        return;
    acknowledge(j, x, error);
    if (j->replay && !e->closed)
        viewer_release(v, j->old, j->n);
}

static void end_summary(struct viewer *v, struct job *j)
{
    struct text t = { 0 };

    text_puts(&t, "[");
    if (*j->error) {
        text_puts(&t, "{\"error\":");
        text_jsons(&t, j->error);
        text_puts(&t, "}");
    } else {
        text_add(&t, j->out.p, j->out.n);
    }
    text_puts(&t, "]");
    if (!t.bad)
        socket_emit(v->x, *j->error ? "daily_summary_error" : "daily_summary", t.p, (uint32_t)t.n, NULL, 0, 0);
    text_free(&t);
}

void job_end(struct server *s, struct job *j)
{
    struct looking l = { j->socket, NULL };

    if (s->events)
        space_each(s->events->space, NULL, look, &l);
    if (l.found) {
        l.found->jobs--;
        if (j->sniffs)
            sniff_end(l.found, j);
        else if (j->summary)
            end_summary(l.found, j);
        else
            end_subscribe(l.found, j);
    }
    job_free(j);
}
