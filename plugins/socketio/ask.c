#include "plugins/socketio/ask.h"

#include "plugins/socketio/events.h"
#include "plugins/socketio/job.h"
#include "plugins/socketio/since.h"
#include "plugins/socketio/sniff.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_MAX 4u                 /* of one client at once */
#define SETTLE_BEATS 2u             /* until the store has written what was published before the question */

static struct job *waiting;

static void answer(struct ec_sio *x, const struct ec_sio_event *e, const char *error)
{
    struct text t = { 0 };

    text_puts(&t, "[{\"ok\":false,\"error\":");
    text_jsons(&t, error);
    text_puts(&t, "}]");
    if (t.bad)
        return;
    if (e->flags & EC_SIO_ACK)
        socket_ack(x, e->ack, t.p, (uint32_t)t.n, NULL, 0);
    else
        socket_emit(x, "subscribe_error", t.p, (uint32_t)t.n, NULL, 0, 0);
    text_free(&t);
}

/* --- subscribe ------------------------------------------------------------------------------------------------ */

static bool is_event_type(const struct ec_host *h, const char *type)
{
    for (uint32_t id = 1; id <= h->topic_count(h); id++) {
        const struct ec_topic *t = h->topic_get(h, id);

        if (t && t->root && t->record && t->flags & EC_TOPIC_EVENT && !strcmp(t->root, type))
            return true;
    }
    return false;
}

static const char *add_topic(const struct viewer *v, struct job *j, const char *type)
{
    const struct server *s = v->all->s;

    if (!is_event_type(s->host, type))
        return "there is no such topic";
    if (!s->http->visible(s->http_self, type, v->who.roles))
        return "Not enough permissions for one of the topics";
    for (uint32_t i = 0; i < j->types; i++)
        if (!strcmp(j->type[i], type))
            return NULL;
    if (j->types == TOPICS_MAX)
        return "these are too many topics";
    snprintf(j->type[j->types++], sizeof j->type[0], "%s", type);
    return NULL;
}

static const char *add_all(const struct viewer *v, struct job *j)
{
    const struct server *s = v->all->s;

    for (uint32_t id = 1; id <= s->host->topic_count(s->host); id++) {
        const struct ec_topic *t = s->host->topic_get(s->host, id);

        if (t && t->root && t->record && t->flags & EC_TOPIC_EVENT && j->types < TOPICS_MAX)
            (void)add_topic(v, j, t->root);
    }
    return NULL;
}

static const char *read_topics(const struct viewer *v, struct job *j, struct json_object *o)
{
    const char *why = NULL;

    if (json_object_is_type(o, json_type_string))
        return strcmp(json_object_get_string(o), "*") ? add_topic(v, j, json_object_get_string(o)) : add_all(v, j);
    if (!json_object_is_type(o, json_type_array) || !json_object_array_length(o))
        return "topics: a list of event types is missing, such as [\"alert\"]";
    for (size_t i = 0; !why && i < json_object_array_length(o); i++) {
        struct json_object *one = json_object_array_get_idx(o, i);

        if (!json_object_is_type(one, json_type_string))
            return "topics: each one is the name of an event type";
        why = strcmp(json_object_get_string(one), "*") ? add_topic(v, j, json_object_get_string(one)) : add_all(v, j);
    }
    return why;
}

static const char *read_subscribe(const struct viewer *v, struct job *j, struct json_object *o)
{
    const struct server *s = v->all->s;
    struct json_object *topics = NULL, *filter, *since;
    const char *why;

    if (!json_object_is_type(o, json_type_object))
        return "subscribe takes an object {topics, filter, since}";
    json_object_object_foreach(o, key, value) {
        (void)value;
        if (strcmp(key, "topics") != 0 && strcmp(key, "filter") != 0 && strcmp(key, "since") != 0)
            return "subscribe takes topics, filter and since, and nothing else";
    }
    json_object_object_get_ex(o, "topics", &topics);
    if ((why = read_topics(v, j, topics)))
        return why;
    if (json_object_object_get_ex(o, "filter", &filter) && filter && !(j->filter = filter_new(filter, &why)))
        return why;
    if (!json_object_object_get_ex(o, "since", &since) || !since)
        return NULL;
    if (!s->store)
        return "since: no plugin is there that keeps events (ec.store/1)";
    if (since_read(json_object_get_string(since), s->host->now(s->host), &j->since_ns))
        return "since: a time in RFC 3339, seconds since 1970, or how long ago (15m, 24h, 7d)";
    j->replay = true;
    return NULL;
}

static void subscribe(struct viewer *v, const struct ec_sio_event *e, struct json_object *args)
{
    struct job *j = job_new(v, e);
    const char *why = j ? read_subscribe(v, j, json_object_array_get_idx(args, 0)) : "out of memory";

    if (!why && v->jobs >= JOBS_MAX)
        why = "too many of your requests are being answered: wait for their answers";
    if (!why && j->replay && !v->held && !(v->held = malloc(HELD_MAX * sizeof *v->held)))
        why = "out of memory";
    if (why) {
        answer(v->x, e, why);
        job_free(j);
        return;
    }
    v->jobs++;
    if (j->replay) {                /* live events wait until it is over, so that all come in order */
        v->replays++;
        for (uint32_t i = 0; i < j->types; i++)
            viewer_follow(v, j->type[i], j->filter);
        j->beats = SETTLE_BEATS;
        j->order.next = (struct order *)waiting;
        waiting = j;
    } else if (j->filter && v->all->s->store) {
        job_start(v->all->s, j);
    } else {
        job_end(v->all->s, j);
    }
}

static void unsubscribe(struct viewer *v, const struct ec_sio_event *e, struct json_object *args)
{
    struct json_object *o = json_object_array_get_idx(args, 0), *topics = NULL;
    uint32_t n = 0;
    char reply[64];
    int len;

    json_object_object_get_ex(o, "topics", &topics);
    if (!json_object_is_type(topics, json_type_array)) {
        answer(v->x, e, "unsubscribe takes an object {topics: [...]}");
        return;
    }
    for (size_t i = 0; i < json_object_array_length(topics); i++) {
        struct json_object *one = json_object_array_get_idx(topics, i);

        n += json_object_is_type(one, json_type_string) && viewer_unfollow(v, json_object_get_string(one));
    }
    len = snprintf(reply, sizeof reply, "[{\"ok\":true,\"removed\":%u}]", n);
    if (e->flags & EC_SIO_ACK)
        socket_ack(v->x, e->ack, reply, (uint32_t)len, NULL, 0);
}

/* --- the predecessor's ---------------------------------------------------------------------------------------- */

static void sniffing(struct viewer *v, const struct ec_sio_event *e)
{
    struct job *j = v->jobs < JOBS_MAX ? job_new(v, e) : NULL;
    const char *why = j ? sniff_read(v, j, e) : "too many of your requests are being answered: wait for their answers";

    if (why) {
        sniff_refuse(v->x, why);
        job_free(j);
        return;
    }
    j->sniffs = true;
    v->jobs++;
    job_start(v->all->s, j);
}

static void daily_summary(struct viewer *v, const struct ec_sio_event *e)
{
    struct server *s = v->all->s;
    struct job *j = v->jobs < JOBS_MAX && s->store ? job_new(v, e) : NULL;

    if (!j) {
        static const char none[] = "[{\"error\":\"the events of the day cannot be read now (ec.store/1)\"}]";

        socket_emit(v->x, "daily_summary_error", none, sizeof none - 1, NULL, 0, 0);
        return;
    }
    j->summary = true;
    v->jobs++;
    job_start(s, j);
}

void ask_event(struct viewer *v, const struct ec_sio_event *e)
{
    struct json_object *args;

    if (!strcmp(e->name, "start_sniffing") || !strcmp(e->name, "stop_sniffing")) {
        sniffing(v, e);
    } else if (!strcmp(e->name, "request_daily_summary")) {
        daily_summary(v, e);
    } else if (!strcmp(e->name, "subscribe") || !strcmp(e->name, "unsubscribe")) {
        args = e->args_len ? json_tokener_parse(e->args) : NULL;
        if (args && *e->name == 's')
            subscribe(v, e, args);
        else if (args)
            unsubscribe(v, e, args);
        json_object_put(args);
    } else {
        answer(v->x, e, "there is no such request");
    }
}

void ask_beat(struct server *s)
{
    struct job **p = &waiting;

    while (*p) {
        struct job *j = *p;

        if (--j->beats) {
            p = (struct job **)&j->order.next;
            continue;
        }
        *p = (struct job *)j->order.next;
        job_start(s, j);
    }
}

void ask_stop(struct server *s)
{
    (void)s;
    while (waiting) {
        struct job *j = waiting;

        waiting = (struct job *)j->order.next;
        job_free(j);
    }
}
