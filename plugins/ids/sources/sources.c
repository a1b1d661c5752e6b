#include "plugins/ids/sources/sources.h"

#include <ecyber/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_SECONDS 30             /* between two looks at the clock: intervals are minutes at least */

struct sources *sources_new(const struct ec_host *h, const struct engine_port *port,
                            const struct keyword_list *external)
{
    struct sources *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->host = h;
    s->port = port;
    s->external = external;
    s->last = &s->first;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    return s;
}

void sources_free(struct sources *s)
{
    struct update *u;

    if (!s)
        return;
    while ((u = s->first)) {
        s->first = u->next;
        free(u);
    }
    list_free(s->list);
    sources_config_free(&s->c);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* --- options ------------------------------------------------------------------------------------------------------ */

void sources_config_free(struct sources_config *c)
{
    free(c->ca_file);
    c->ca_file = NULL;
}

int32_t sources_configure(const struct ec_host *h, const struct ec_conf *c, struct sources_config *to)
{
    uint32_t n = h->conf_count(c, "sources.allow");
    const char *ca = h->conf_text(c, "sources.ca_file", 0);
    int64_t v;

    *to = (struct sources_config){ .ca_file = NULL };
    for (uint32_t i = 0; i < n; i++) {
        const char *net = h->conf_text(c, "sources.allow", i);

        if (to->guard.n == sizeof to->guard.allow / sizeof to->guard.allow[0] ||
            guard_parse(net, &to->guard.allow[to->guard.n++]))
            return ec_failf(h, EC_EINVAL,
                            "%s: ids.sources.allow: %s is no network such as 10.0.0.0/8, or there are more than 64",
                            h->conf_where(c, "sources.allow", i), net);
    }
    to->plain = !h->conf_num(c, "sources.plain", 0, &v) && v;
    to->timeout_ms = h->conf_num(c, "sources.time", 0, &v) ? 120000 : (uint32_t)(v / 1000000);
    to->download = h->conf_num(c, "sources.download", 0, &v) ? 64u << 20 : (size_t)v;
    to->rules = h->conf_num(c, "sources.unpacked", 0, &v) ? 256u << 20 : (size_t)v;
    if (ca && !(to->ca_file = strdup(ca)))
        return h->fail(h, EC_ENOMEM, "out of memory");
    return EC_OK;
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

/* Locked. Whose interval is over; NULL: nobody's. */
static struct source *due(const struct sources *s, uint64_t now_ns)
{
    for (uint32_t i = 0; s->list && i < s->list->n; i++) {
        struct source *e = s->list->source[i];

        if (e->enabled && e->interval_ns && e->id != s->busy &&
            (now_ns < e->looked_ns || now_ns - e->looked_ns >= e->interval_ns))
            return e;
    }
    return NULL;
}

/* Locked. The next one to do, which is then busy. NULL: none. */
static struct update *next(struct sources *s)
{
    const struct source *e;
    struct update *u = NULL;

    if (s->busy)
        return NULL;
    if ((u = s->first)) {
        s->first = u->next;
        s->waiting--;
        if (!s->first)
            s->last = &s->first;
    } else if ((e = due(s, s->host->now(s->host))) && (u = calloc(1, sizeof *u))) {
        u->id = e->id;
    }
    if (u) {
        s->busy = u->id;
        s->doing = u->job;
        s->cancelled = false;
    }
    return u;
}

static void *run(void *arg)
{
    struct sources *s = arg;
    struct update *u;

    ec_thread_plain();
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        struct timespec until;

        if ((u = next(s))) {
            pthread_mutex_unlock(&s->lock);
            sources_update(s, u);
            free(u);
            pthread_mutex_lock(&s->lock);
            s->busy = 0;
            s->doing = 0;
            continue;
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_SECONDS;
        pthread_cond_timedwait(&s->changed, &s->lock, &until);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int32_t sources_ask(struct sources *s, struct update *u)
{
    if (s->waiting == SOURCES_WAITING)
        return EC_ELIMIT;
    *s->last = u;
    s->last = &u->next;
    s->waiting++;
    pthread_cond_broadcast(&s->changed);
    return EC_OK;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

int32_t sources_start(struct sources *s, const struct ec_conf *c)
{
    int32_t err;

    if (!s->reloads || s->daemon->passing(s->daemon_self))
        return EC_OK;
    if ((err = sources_configure(s->host, c, &s->c)))
        return err;
    sources_load(s);
    if (!s->list)
        return EC_OK;
    if (pthread_create(&s->thread, NULL, run, s))
        return s->host->fail(s->host, EC_ENOMEM, "no thread can be started");
    pthread_setname_np(s->thread, "ids-sources");
    s->running = true;
    return EC_OK;
}

void sources_stop(struct sources *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->running)
        pthread_join(s->thread, NULL);
    s->running = false;
}
