#include "plugins/http/events.h"

#include "plugins/http/search.h"
#include "plugins/http/server.h"
#include "plugins/http/visible.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct asking { struct search s; struct text out; uint64_t id; char *hidden; };

static void asking_free(struct asking *a)
{
    text_free(&a->out);
    free(a->hidden);
    free(a);
}

static int32_t add_event(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct asking *a = arg;

    (void)id;
    text_comma(&a->out);
    text_add(&a->out, json, len);
    return a->out.bad;
}

static int32_t add_count(void *arg, const char *value, uint64_t n)
{
    struct asking *a = arg;

    text_comma(&a->out);
    text_puts(&a->out, "{");
    text_pair(&a->out, "value", value ? value : "");
    text_printf(&a->out, ",\"count\":%" PRIu64 "}", n);
    return a->out.bad;
}

static void no_store(struct ec_req *r, int32_t err, const char *why)
{
    if (err == EC_EINVAL) {
        request_note(r, "query", "", "value_error", *why ? why : "the filter cannot be used", NULL, NULL);
        request_invalid(r);
    } else if (err == EC_ENOMEM) {
        request_error(r, 500, "Internal Server Error");
    } else {
        EC_LOG(r->s->host, EC_LOG_WARNING, "%s %s: the store could not answer (%d): %s", r->method,
               r->match.route->r->path,
               (int)err, why);
        request_error(r, 503, "the store cannot be read at the moment");
    }
}

/* [pool] */
static void answer_page(struct ec_req *r, void *arg)
{
    const struct server *s = r->s;
    struct asking *a = arg;
    struct ec_page page = { .size = sizeof page };
    char why[256] = "";
    bool count = r->match.route->r->flags & EC_RT_COUNT;
    int32_t err;

    text_puts(&a->out, "{\"items\":[");
    if (count)
        err = s->store->count(s->store_self, &a->s.q, a->s.by, a->s.top, add_count, a, &page, why, sizeof why);
    else
        err = s->store->events(s->store_self, &a->s.q, add_event, a, &page, why, sizeof why);
    if (err == EC_OK && !a->out.bad) {
        text_puts(&a->out, "]");
        if (!count) {
            text_key(&a->out, "next_cursor");
            text_jsons(&a->out, *page.next ? page.next : NULL);
        }
        text_key(&a->out, "partial");
        text_puts(&a->out, page.flags & EC_PAGE_PARTIAL ? "true}" : "false}");
        if (a->s.pick.n && !pick_page(&a->out, &a->s.pick))
            no_store(r, EC_ENOMEM, "");
        else
            request_bytes(r, 200, "application/json", &a->out);
    } else {
        no_store(r, err == EC_OK ? EC_ENOMEM : err, why);
    }
    asking_free(a);
}

/* An event is found only where its type is the route's, or one that who asks may read. */
static bool may_see(const struct ec_req *r, const char *json, uint32_t len)
{
    const struct ec_host *h = r->s->host;
    const char *topic = r->match.route->r->topic;
    const struct ec_topic *t = topic ? h->topic_get(h, h->topic_find(h, topic)) : NULL;

    return visible_event(&r->s->routes, topic ? t ? t->root : "" : NULL, r->who.roles, json, len);
}

/* [pool] */
static void answer_one(struct ec_req *r, void *arg)
{
    struct asking *a = arg;
    int32_t err = r->s->store->event(r->s->store_self, a->id, add_event, a);

    if (err == EC_OK && a->out.n && !a->out.bad && !may_see(r, a->out.p, (uint32_t)a->out.n))
        request_error(r, 404, "Not Found");
    else if (err == EC_OK && a->out.n && !a->out.bad)
        request_bytes(r, 200, "application/json", &a->out);
    else if (err == EC_ENOENT || (err == EC_OK && !a->out.bad))
        request_error(r, 404, "Not Found");
    else
        no_store(r, err == EC_OK ? EC_ENOMEM : err, "");
    asking_free(a);
}

static void note(void *arg, const char *at, const char *type, const char *msg, const char *value, const char *ctx)
{
    struct text input = { 0 };

    text_jsons(&input, value);
    text_add(&input, "", 1);
    request_note(arg, "query", at, type, msg, input.bad ? NULL : input.p, ctx);
    text_free(&input);
}

/* The number in the path's {id}. */
static bool read_id(struct ec_req *r, uint64_t *id)
{
    const char *p = r->match.value[0];
    uint32_t n = r->match.value_len[0];

    *id = 0;
    for (uint32_t i = 0; i < n; i++)
        if (n > 19 || p[i] < '0' || p[i] > '9')
            n = 0;
        else
            *id = *id * 10 + (uint64_t)(p[i] - '0');
    if (!n)
        request_note(r, "path", "id", "int_parsing",
                     "Input should be a valid integer, unable to parse string as an integer",
                     NULL, NULL);
    return n > 0;
}

/* Of a search over all types: not those that are for other roles. 0, or a status. */
static uint32_t hide_types(struct ec_req *r, struct asking *a)
{
    struct search *s = &a->s;

    if (r->match.route->r->topic)
        return 0;
    if (s->q.type)
        return visible_type(&r->s->routes, s->q.type, r->who.roles) ? 0 : 403;
    if (!visible_not(&r->s->routes, r->who.roles, &a->hidden))
        return 500;
    if (a->hidden)
        s->filter[s->q.n_filter++] = (struct ec_filter){ sizeof s->filter[0], EC_F_NE, "event_type", a->hidden };
    return 0;
}

bool events_read(struct ec_req *r)
{
    const struct ec_host *h = r->s->host;

    if (!(r->search = malloc(sizeof *r->search)))
        request_error(r, 500, "Internal Server Error");
    else if (search_read(r->search, h, r->match.route->r, &r->q, h->now(h), note, r))
        return true;
    else
        request_invalid(r);
    return false;
}

const struct ec_query *request_query(struct ec_req *r)
{
    return r->search ? &r->search->q : NULL;
}

void events_answer(struct ec_req *r)
{
    const struct ec_route *t = r->match.route->r;
    const struct ec_host *h = r->s->host;
    bool one = t->flags & EC_RT_EVENT, good;
    uint32_t hidden = 0;
    struct asking *a = calloc(1, sizeof *a);

    if (!a) {
        request_error(r, 500, "Internal Server Error");
        return;
    }
    if (one) {
        good = read_id(r, &a->id);
        for (uint32_t i = 0; i < r->q.n; i++, good = false)
            note(r, r->q.field[i].name, "extra_forbidden", "Extra inputs are not permitted", r->q.field[i].value, NULL);
    } else {
        good = search_read(&a->s, h, t, &r->q, h->now(h), note, r);
        hidden = good ? hide_types(r, a) : 0;
    }
    if (!good)
        request_invalid(r);
    else if (hidden)
        request_error(r, hidden, hidden == 403 ? "Not enough permissions" : "Internal Server Error");
    else if (!r->s->store)
        request_error(r, 503, "no plugin is there that keeps events (ec.store/1)");
    else if (request_work(r, one ? answer_one : answer_page, a) == EC_OK)
        return;
    asking_free(a);
}
