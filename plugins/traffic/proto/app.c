#include "plugins/traffic/proto/app.h"

#include "plugins/traffic/inspect.h"
#include "plugins/traffic/publish.h"

static void app_feed(struct worker *w, struct flow *f, const struct ec_chunk *k);

static void state_drop(struct worker *w, struct app *a)
{
    const struct ec_proto *def = a->proto ? a->proto->def : NULL;

    if (!def || !a->state)
        return;
    if (def->state_drop)
        def->state_drop(a->proto->self, a->state);
    pool_put(&w->pool, a->state, def->state_bytes ? def->state_bytes : 1);
    a->state = NULL;
}

void app_off(struct worker *w, struct flow *f)
{
    struct app *a = f->app;

    f->flags |= FL_APP_OFF;
    f->app = NULL;
    if (!a)
        return;
    state_drop(w, a);
    kept_free(w, &a->kept[0]);
    kept_free(w, &a->kept[1]);
    pool_put(&w->pool, a, sizeof *a);
}

/* Nobody knows what it is. */
static void app_failed(struct worker *w, struct flow *f)
{
    count(w, M_APP_FAILED);
    f->pub.proto = w->tr->app_failed;
    app_off(w, f);
}

/* A parser gave up, or it cannot be served: what it has found until now stands. */
static void app_abandon(struct worker *w, struct flow *f, uint32_t why)
{
    count(w, why);
    tx_end_all(w, f, f->app);
    app_off(w, f);
}

/* Its name is all that there is to know of it. */
static void app_named(struct worker *w, struct flow *f, const struct proto *p)
{
    f->pub.proto = p->id;
    f->app_side[0] = f->app_side[1] = (uint8_t)(p->index + 1);
    count(w, M_APP_DETECTED);
    app_off(w, f);
}

bool app_set(struct worker *w, struct flow *f, const struct proto *p, uint32_t dir)
{
    struct app *a = f->app;

    if (p->def->flags & EC_PROTO_NAME_ONLY) {
        app_named(w, f, p);
        return false;
    }
    state_drop(w, a);
    a->state = pool_zero(&w->pool, p->def->state_bytes ? p->def->state_bytes : 1);
    if (!a->state) {
        app_abandon(w, f, M_APP_NOMEM);
        return false;
    }
    a->proto = p;
    a->phase = APP_PARSE;
    f->pub.proto = p->id;
    for (uint32_t i = 0; i < 2; i++)
        if (dir == i || dir > 1)
            f->app_side[i] = (uint8_t)(p->index + 1);
    count(w, M_APP_DETECTED);
    return true;
}

static struct app *app_make(struct worker *w, struct flow *f)
{
    f->app = pool_zero(&w->pool, sizeof(struct app));
    if (!f->app) {
        count(w, M_APP_NOMEM);
        f->flags |= FL_APP_OFF;
    }
    return f->app;
}

/* The parser asked for another one; `rest` are the bytes that it left. */
static void app_upgrade(struct worker *w, struct flow *f, const struct proto *to,
                        const struct ec_chunk *rest)
{
    struct app *a = f->app;

    tx_end_all(w, f, a);
    if (++a->upgrades > UPGRADES_MAX) {
        app_abandon(w, f, M_APP_ERROR);
        return;
    }
    a->tx_next = 0;
    if (!f->app_orig)
        f->app_orig = (uint8_t)(a->proto->index + 1);
    f->app_side[0] = f->app_side[1] = 0;
    if (to) {
        if (!app_set(w, f, to, 2))
            return;
    } else {
        state_drop(w, a);
        a->proto = NULL;
        a->phase = APP_DETECT;
        memset(a->refused, 0, sizeof a->refused);
        memset(a->failed, 0, sizeof a->failed);
    }
    if (rest->len)
        app_chunk(w, f, rest);
}

/* What the parser did not eat of k waits for more. own: k's bytes are those of `kept` already. */
static void app_keep(struct worker *w, struct flow *f, const struct ec_chunk *k, uint32_t eaten,
                     bool own)
{
    struct kept *kept = &f->app->kept[k->dir];
    uint32_t left = k->len - eaten;

    if (k->flags & (EC_CH_END | EC_CH_DATAGRAM)) {
        kept_free(w, kept);
        return;
    }
    if (left > KEPT_MAX) {
        app_abandon(w, f, M_APP_KEPT_LIMIT);
        return;
    }
    if (own && left)
        kept_eat(kept, eaten);
    else if (own)
        kept_free(w, kept);
    else if (!kept_add(w, kept, k->data + eaten, left, k->offset + eaten))
        app_abandon(w, f, M_APP_NOMEM);
}

/* Its parser has read all that can be read. False: what the other side speaks is still to be seen. */
static bool app_opaque(struct worker *w, struct flow *f)
{
    if (!f->app_side[0] || !f->app_side[1])
        return false;
    f->opaque = true;
    tx_end_all(w, f, f->app);
    app_off(w, f);
    return true;
}

static void app_parse(struct worker *w, struct flow *f, const struct ec_chunk *k, bool own)
{
    struct app *a = f->app;
    const struct proto *p = a->proto;
    struct ec_pctx c = { .w = w, .f = f, .a = a };
    struct ec_mark old = inspect_enter(w, p->def->name, "parse");
    int64_t eaten = p->def->parse(p->self, &c, a->state, k);

    inspect_leave(w, old);
    if (eaten < 0) {
        app_abandon(w, f, M_APP_ERROR);
        return;
    }
    if (eaten > k->len)
        eaten = k->len;
    if (c.upgrade) {
        struct kept mine = a->kept[k->dir];
        struct ec_chunk rest = *k;
        if (own)
            memset(&a->kept[k->dir], 0, sizeof mine);
        rest.flags &= ~(uint32_t)EC_CH_GAP;
        rest.missing = 0;
        rest.data += eaten;
        rest.len -= (uint32_t)eaten;
        rest.offset += (uint64_t)eaten;
        app_upgrade(w, f, c.to, &rest);
        if (own)
            kept_free(w, &mine);
        return;
    }
    if (!c.opaque || !app_opaque(w, f))
        app_keep(w, f, k, (uint32_t)eaten, own);
}

static void app_anomaly(struct worker *w, struct flow *f, uint32_t event)
{
    count(w, M_EVENT + event);
    count(w, M_ANOMALY);
    raised_note(w, f, event);
    publish_anomaly(w, f, w->now, ANOMALY_APP, event_name(event), "proto_detect", NULL);
}

/* The first bytes of the direction that did not name the protocol: do they agree? Only parsers are asked. */
static void app_agree(struct worker *w, struct flow *f, const struct ec_chunk *k)
{
    struct proto_set refused = w->tr->probes.named;
    uint32_t own = f->app->proto->index;
    int found;

    if ((k->flags & EC_CH_GAP) || !k->len)
        return;
    found = detect(w, f, &refused, k->data, k->len, k->dir);
    f->app_side[k->dir] = (uint8_t)(found == -2 ? own + 1 : found == -1 ? APP_SIDE_FAILED : (uint32_t)found + 1);
    if (f->app_side[k->dir] != own + 1)
        app_anomaly(w, f, found == -1 ? EV_DETECT_ONE_DIRECTION
                                      : EV_DETECT_MISMATCH);
}

/* Give k to the parser, behind what it left last time. */
static void app_feed(struct worker *w, struct flow *f, const struct ec_chunk *k)
{
    struct kept *kept = &f->app->kept[k->dir];
    struct ec_chunk all = *k;

    if (!f->app_side[k->dir])
        app_agree(w, f, k);
    if (kept->len &&
        (k->flags & EC_CH_GAP)) { /* what waited for more will never get it: it is missing too */
        all.missing += kept->len;
        kept_free(w, kept);
    }
    if (!kept->len || (k->flags & EC_CH_DATAGRAM)) {
        app_parse(w, f, &all, false);
        return;
    }
    if (!kept_add(w, kept, k->data, k->len, k->offset)) {
        app_abandon(w, f, M_APP_NOMEM);
        return;
    }
    all.data = kept->data;
    all.len = kept->len;
    all.offset = kept->offset;
    app_parse(w, f, &all, true);
}

/* What was kept of the other direction, while nobody knew whose it was, comes before k. */
static void app_start(struct worker *w, struct flow *f, const struct ec_chunk *k)
{
    struct kept other = f->app->kept[!k->dir];
    struct ec_chunk before = {.size = sizeof before,
                              .data = other.data,
                              .len = other.len,
                              .dir = !k->dir,
                              .offset = other.offset,
                              .packet = k->packet};

    memset(&f->app->kept[!k->dir], 0, sizeof other);
    if (other.len)
        app_feed(w, f, &before);
    kept_free(w, &other);
    if (f->app)
        app_feed(w, f, k);
}

static void app_detect(struct worker *w, struct flow *f, const struct ec_chunk *k)
{
    struct app *a = f->app;
    struct kept *kept = &a->kept[k->dir];
    const uint8_t *d = k->data;
    uint32_t n = k->len;
    int found = -1;

    if ((k->flags & EC_CH_GAP) || !k->len) { /* with a hole in its first bytes it stays unknown */
        if (k->flags & (EC_CH_GAP | EC_CH_END))
            a->failed[k->dir] = true;
        if ((k->flags & EC_CH_GAP) || (a->failed[0] && a->failed[1]))
            app_failed(w, f);
        return;
    }
    if (!a->failed[k->dir]) {
        struct ec_chunk all = *k;
        if (kept->len) {
            if (!kept_add(w, kept, k->data, k->len, k->offset)) {
                app_abandon(w, f, M_APP_NOMEM);
                return;
            }
            d = kept->data, n = kept->len;
        }
        found = detect(w, f, &a->refused[k->dir], d, n, k->dir);
        if (found >= 0) {
            bool own = kept->len != 0;
            struct kept mine = *kept;
            if (!app_set(w, f, &w->tr->proto[found], k->dir))
                return;
            if ((a->proto->def->flags & EC_PROTO_CLIENT_FIRST) && k->dir == EC_TO_CLIENT && !a->kept[0].len)
                app_anomaly(w, f, EV_DETECT_WRONG_DIRECTION);
            if (own) {
                all.data = mine.data, all.len = mine.len, all.offset = mine.offset;
                memset(kept, 0, sizeof *kept);
            }
            app_start(w, f, &all);
            if (own)
                kept_free(w, &mine);
            return;
        }
        a->failed[k->dir] = found == -1;
        if (kept->len && d == kept->data)
            n = 0;                                  /* kept already */
    }
    if ((a->failed[0] && a->failed[1]) || kept->len + n > DETECT_KEPT
        || !kept_add(w, kept, k->data, n, k->offset))
        app_failed(w, f);
}

void app_chunk(struct worker *w, struct flow *f, const struct ec_chunk *k)
{
    if ((f->flags & FL_APP_OFF) || !w->tr->protos)
        return;
    if (!f->app && (!k->len || !app_make(w, f)))
        return;
    if (f->app->phase == APP_PARSE)
        app_feed(w, f, k);
    else
        app_detect(w, f, k);
}

void app_datagram(struct worker *w, struct flow *f, struct packet *p)
{
    struct ec_chunk k = {.size = sizeof k,
                         .flags = EC_CH_DATAGRAM,
                         .data = p->pub.data + p->pub.payload,
                         .len = p->pub.payload_len,
                         .dir = p->pub.dir,
                         .packet = &p->pub};
    struct proto_set refused = { { 0 } };
    int found;

    if ((f->flags & FL_APP_OFF) || !w->tr->protos || !k.len)
        return;
    if (f->app) {
        if (!f->app_side[k.dir])
            app_agree(w, f, &k);
        app_parse(w, f, &k, false);
        return;
    }
    found = detect(w, f, &refused, k.data, k.len, k.dir);
    if (found < 0) {
        if (++f->hole_age[k.dir] >= DETECT_DATAGRAMS)
            app_failed(w, f);
        return;
    }
    if (w->tr->proto[found].def->flags & EC_PROTO_NAME_ONLY)
        app_named(w, f, &w->tr->proto[found]);
    else if (app_make(w, f) && app_set(w, f, &w->tr->proto[found], k.dir))
        app_parse(w, f, &k, false);
}

void app_end(struct worker *w, struct flow *f)
{
    if (f->app && f->app->phase == APP_DETECT)
        app_failed(w, f);
    if (!f->app)
        return;
    tx_end_all(w, f, f->app);
    app_off(w, f);
}
