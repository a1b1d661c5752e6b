#include "plugins/http/route.h"


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENTS (sizeof ((struct route *)0)->segment / sizeof (const char *))

#define ANY "*"                     /* method of a raw route */

static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

/* Cut a path at its slashes. -1: too many segments. */
static int split(const char *p, size_t n, const char **segment, uint16_t *len, uint32_t *count)
{
    *count = 0;
    if (!n || *p != '/' || n > UINT16_MAX)
        return -1;
    for (size_t i = 1; i <= n; ) {
        const char *end = memchr(p + i, '/', n - i);
        size_t l = end ? (size_t)(end - (p + i)) : n - i;

        if (*count == SEGMENTS)
            return -1;
        segment[*count] = p + i;
        len[(*count)++] = (uint16_t)l;
        i += l + 1;
    }
    return 0;
}

static int find_params(struct route *t)
{
    for (uint32_t i = 0; i < t->segments; i++) {
        uint16_t n = t->segment_len[i];

        if (!n || t->segment[i][0] != '{')
            continue;
        if (n < 3 || t->segment[i][n - 1] != '}' || t->params == ROUTE_PARAMS)
            return -1;
        t->param[t->params] = t->segment[i] + 1;
        t->param_len[t->params++] = (uint16_t)(n - 2);
        t->segment[i] = "{";
    }
    return 0;
}

static bool same_path(const struct route *a, const struct route *b)
{
    if (a->segments != b->segments)
        return false;
    for (uint32_t i = 0; i < a->segments; i++) {
        bool pa = a->segment[i][0] == '{', pb = b->segment[i][0] == '{';

        if (pa != pb || (!pa && (a->segment_len[i] != b->segment_len[i] ||
                                 memcmp(a->segment[i], b->segment[i], a->segment_len[i]) != 0)))
            return false;
    }
    return true;
}

static bool is_method(const char *m)
{
    for (unsigned i = 0; m && i < sizeof methods / sizeof methods[0]; i++)
        if (!strcmp(m, methods[i]))
            return true;
    return false;
}

/* Has each {x} of the path a row, where there are rows at all? */
static bool params_declared(const struct route *t)
{
    const struct ec_record *rec = t->r->param;

    for (uint32_t i = 0; i < t->params; i++) {
        bool found = !t->r->run && t->r->flags & EC_RT_EVENT;

        for (uint32_t k = 0; rec && k < rec->n_row; k++) {
            const char *name = record_row(rec, k)->name;

            found |= strlen(name) == t->param_len[i] && !memcmp(name, t->param[i], t->param_len[i]);
        }
        if (!found)
            return false;
    }
    return true;
}

static int32_t check(const struct route *t, char *why, uint32_t n)
{
    const struct ec_route *r = t->r;
    uint32_t from_store = r->flags & (EC_RT_EVENTS | EC_RT_EVENT | EC_RT_COUNT);

    if (!r->opid || !r->roles || !r->summary ||
        !(is_method(r->method) || (r->flags & EC_RT_RAW && r->method && !strcmp(r->method, ANY)))) {
        snprintf(why, n, "the route %s lacks its method, operation, summary or roles", r->path);
        return EC_EINVAL;
    }
    if (r->flags & EC_RT_UPLOAD && (r->body || !r->body_max || !strcmp(r->method, "GET"))) {
        snprintf(why, n, "the route %s takes an upload: it needs body_max, no body of its own, and no GET",
                 r->path);
        return EC_EINVAL;
    }
    if ((!r->run && !from_store) || from_store & (from_store - 1) || (r->run && from_store & EC_RT_COUNT)) {
        snprintf(why, n, "the route %s has to have run() or one of EC_RT_EVENTS, _EVENT, _COUNT; _COUNT not both",
                 r->path);
        return EC_EINVAL;
    }
    if (!params_declared(t)) {
        snprintf(why, n, "the route %s has a parameter in its path without a row", r->path);
        return EC_EINVAL;
    }
    return EC_OK;
}

int32_t routes_add(struct routes *all, const struct ec_host *h, const struct ec_route *r, void *self, char *why,
                   uint32_t n)
{
    struct route t = { .r = r, .host = h, .self = self }, *bigger;
    int32_t err;

    if (!r || r->size < sizeof *r || !r->path ||
        split(r->path, strlen(r->path), t.segment, t.segment_len, &t.segments) || find_params(&t)) {
        snprintf(why, n, "a route lacks its size, or its path is not one: %s", r && r->path ? r->path : "");
        return EC_EINVAL;
    }
    if ((err = check(&t, why, n)))
        return err;
    for (uint32_t i = 0; i < all->n; i++)
        if ((same_path(&all->route[i], &t) && !strcmp(all->route[i].r->method, r->method)) ||
            !strcmp(all->route[i].r->opid, r->opid)) {
            snprintf(why, n, "there is a route %s %s (%s) already", all->route[i].r->method, all->route[i].r->path,
                     all->route[i].r->opid);
            return EC_EEXIST;
        }
    if (!(bigger = reallocarray(all->route, all->n + 1, sizeof *bigger))) {
        snprintf(why, n, "out of memory");
        return EC_ENOMEM;
    }
    all->route = bigger;
    all->route[all->n++] = t;
    return EC_OK;
}

void routes_free(struct routes *all)
{
    free(all->route);
    *all = (struct routes){ 0 };
}

/* How well does the path fit: 0 not at all, else the more the more segments are fixed, the first ones before the
 * last. */
static uint32_t fits(const struct route *t, const char *const *segment, const uint16_t *len, uint32_t n,
                     struct route_match *m)
{
    uint32_t score = 1, k = 0;

    if (t->segments != n)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        if (t->segment[i][0] == '{') {
            if (!len[i])
                return 0;
            m->value[k] = segment[i];
            m->value_len[k++] = len[i];
        } else if (t->segment_len[i] != len[i] || memcmp(t->segment[i], segment[i], len[i]) != 0) {
            return 0;
        }
        score = score * 2 + (t->segment[i][0] != '{');
    }
    return score;
}

static void allow(struct route_match *m, const char *method)
{
    size_t at = strlen(m->allow);

    snprintf(m->allow + at, sizeof m->allow - at, "%s%s", at ? ", " : "", method);
}

void routes_match(const struct routes *all, const char *method, const char *path, size_t n, struct route_match *m)
{
    const char *segment[SEGMENTS], *wanted = strcmp(method, "HEAD") ? method : "GET";
    uint16_t len[SEGMENTS];
    uint32_t count, best = 0;
    struct route_match other;
    bool seen[sizeof methods / sizeof methods[0]] = { false };

    memset(m, 0, sizeof *m);
    if (split(path, n, segment, len, &count))
        return;
    for (uint32_t i = 0; i < all->n; i++) {
        uint32_t score = fits(&all->route[i], segment, len, count, &other);

        for (unsigned k = 0; score && k < sizeof methods / sizeof methods[0]; k++)
            seen[k] |= !strcmp(methods[k], all->route[i].r->method);
        if (score <= best || (strcmp(all->route[i].r->method, wanted) != 0 && strcmp(all->route[i].r->method, ANY) != 0))
            continue;
        best = score;
        m->route = &all->route[i];
        memcpy(m->value, other.value, sizeof m->value);
        memcpy(m->value_len, other.value_len, sizeof m->value_len);
    }
    for (unsigned k = 0; k < sizeof methods / sizeof methods[0]; k++)
        if (seen[k]) {
            allow(m, methods[k]);
            if (!k)
                allow(m, "HEAD");
        }
}

bool route_from_store(const struct route *r)
{
    return !r->r->run && r->r->flags & (EC_RT_EVENTS | EC_RT_EVENT | EC_RT_COUNT);
}

bool route_runs_dry(const struct ec_route *r)
{
    for (uint32_t i = 0; r->body && i < r->body->n_row; i++)
        if (!strcmp(record_row(r->body, i)->name, "dry_run"))
            return true;
    return !(r->flags & EC_RT_ENFORCES) || route_has_row(r, "dry_run");
}

bool route_pages_events(const struct ec_route *r)
{
    return r->flags & EC_RT_EVENTS && (!r->run || r->flags & EC_RT_BESIDE || (!r->reply && !r->schema));
}

bool route_has_row(const struct ec_route *r, const char *name)
{
    for (uint32_t i = 0; r->run && r->param && i < r->param->n_row; i++)
        if (!strcmp(record_row(r->param, i)->name, name))
            return true;
    return false;
}

bool route_has_param(const struct route *r, const char *name)
{
    for (uint32_t i = 0; i < r->params; i++)
        if (strlen(name) == r->param_len[i] && !memcmp(name, r->param[i], r->param_len[i]))
            return true;
    return false;
}
