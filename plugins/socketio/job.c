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
    strcpy(j->socket, v->x->id);
    j->acks = e->flags & EC_SIO_ACK;
    j->ack = e->ack;
    return j;
}

static void job_clear(struct job *j)
{
    filter_drop(j->filter);
    text_free(&j->out);
    free(j->id);
}

void job_free(struct job *j)
{
    if (j)
        job_clear(j);
    free(j);
}

/* --- on the pool ------------------------------------------------------------------------------------------------- */

struct row { uint64_t id; uint32_t at, type; };

/* "type NUL length JSON" in j->out. */
static int32_t add_event(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct job *j = arg;
    uint64_t *bigger;

    if (j->n >= j->s->c.replay || j->out.n + len + 128 > j->s->c.buffer) {
        j->more = true;
        return 1;
    }
    if (!(bigger = realloc(j->id, (j->n + 1) * sizeof *bigger)))
        return 1;
    j->id = bigger;
    j->id[j->n++] = id;
    text_add(&j->out, j->now_type, strlen(j->now_type) + 1);
    text_add(&j->out, &len, sizeof len);
    text_add(&j->out, json, len);
    return j->out.bad;
}

static int32_t nothing(void *arg, uint64_t id, const char *json, uint32_t len)
{
    (void)arg;
    (void)id;
    (void)json;
    (void)len;
    return 1;
}

/* Type by type, because a field may be of one type only; they are sorted afterwards. */
static void read_events(struct job *j)
{
    const struct server *s = j->s;
    struct ec_filter f[FILTER_MAX];
    uint32_t n = filter_store(j->filter, f);
    struct ec_page page = { .size = sizeof page };

    for (uint32_t i = 0; i < j->types && !*j->error && !j->more; i++) {
        struct ec_query q = { .size = sizeof q, .flags = EC_QUERY_OLDEST_FIRST, .type = j->type[i], .filter = f,
                              .n_filter = n, .filter_stride = sizeof f[0], .since_ns = j->since_ns, .limit = 1000 };
        char cursor[EC_CURSOR_MAX] = "";
        int32_t err;

        j->now_type = j->type[i];
        do {
            q.cursor = *cursor ? cursor : NULL;
            q.limit = j->replay ? 1000 : 1;
            err = s->store->events(s->store_self, &q, j->replay ? add_event : nothing, j, &page, j->error,
                                   sizeof j->error);
            if (err != EC_OK && !*j->error)
                snprintf(j->error, sizeof j->error, "the store cannot be read at the moment");
            strcpy(cursor, page.next);
        } while (err == EC_OK && j->replay && *cursor && !j->more);
        if (err == EC_OK)
            *j->error = '\0';
    }
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
    j->order = (struct order){ .bytes = sizeof *j + j->out.n, .done = on_done };
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

/* Sorted by their ids, which are in the order of time. */
static int by_id(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
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

static void send_events(struct viewer *v, struct job *j)
{
    struct ec_eio *e = socket_session(v->x);
    struct row *row = j->n ? malloc(j->n * sizeof *row) : NULL;
    size_t at = 0;
    uint32_t len;

    for (uint32_t i = 0; row && i < j->n; i++) {
        row[i] = (struct row){ j->id[i], 0, (uint32_t)at };
        at += strlen(j->out.p + at) + 1;
        memcpy(&len, j->out.p + at, sizeof len);
        row[i].at = (uint32_t)at;
        at += sizeof len + len;
    }
    if (row)
        qsort(row, j->n, sizeof *row, by_id);
    for (uint32_t i = 0; row && i < j->n; i++) {
        memcpy(&len, j->out.p + row[i].at, sizeof len);
        send_one(e, v->all->x.name, j->out.p + row[i].type, j->out.p + row[i].at + sizeof len, len);
        j->id[i] = row[i].id;
        if (e->closed)
            break;
    }
    free(row);
}

static void acknowledge(const struct job *j, struct ec_sio *x, const char *error)
{
    struct text t = { 0 };

    if (*error) {
        text_puts(&t, "[{\"ok\":false,\"error\":");
        text_json(&t, error);
        text_puts(&t, "}]");
    } else {
        text_puts(&t, "[{\"ok\":true,\"topics\":[");
        for (uint32_t i = 0; i < j->types; i++) {
            text_puts(&t, i ? "," : "");
            text_json(&t, j->type[i]);
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
        viewer_release(v, j->id, j->n);
}

static void end_summary(struct viewer *v, struct job *j)
{
    struct text t = { 0 };

    text_puts(&t, "[");
    if (*j->error) {
        text_puts(&t, "{\"error\":");
        text_json(&t, j->error);
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
