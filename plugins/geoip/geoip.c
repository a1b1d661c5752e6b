/* geoip: the country and the network of an address, from MaxMind databases. This file is the glue: options, two
 * enrichers (one for each end), the service, the timer that sees new files.
 *
 * A generation's state holds the set of databases that is in use. A pool job replaces the set within the state when a
 * file has changed; readers stand under the guard, so the old set goes when the last of them has left. The service has
 * no state at hand and reads a pointer of its own, which follows the current state's. */
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/enrich.h>
#include <ecyber/ext/geoip.h>

#include "plugins/geoip/guard.h"
#include "plugins/geoip/set.h"

#include <stdlib.h>

static const struct ec_row option_rows[] = {
    EC_OPTION(TEXT, EC_R_LIVE | EC_R_LIST | EC_R_PATH, "databases", NULL, 1, 4000, NULL,
              "MaxMind DB files; of each field, the first that has it is right"),
    EC_OPTION(DURATION, EC_R_LIVE, "check", "30s", 1000000000, INT64_C(86400000000000), NULL,
              "how often to look for new versions of the files"),
    EC_OPTION(SIZE, EC_R_LIVE, "max_size", "512MiB", 1024, INT64_C(3) << 30, "bytes",
              "a larger file is refused: databases are read into memory"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

enum { M_BAD, M_FAILED, M_SWAPS, M_DATABASES, M_MEMORY, M_DAMAGED, METRICS };
#define METRIC(kind, name, unit, help) { (uint32_t)sizeof(struct ec_metric), EC_METRIC_##kind, (name), (unit), (help) }
static const struct ec_metric metrics[METRICS] = {
    [M_BAD] = METRIC(COUNTER, "bad_data", "look-ups", "that led to a damaged place of a database"),
    [M_FAILED] = METRIC(COUNTER, "files_failed", "files", "that were missing or damaged when they were read"),
    [M_SWAPS] = METRIC(COUNTER, "swaps", "times", "a changed file was taken while running"),
    [M_DATABASES] = METRIC(GAUGE, "databases", "files", "in use"),
    [M_MEMORY] = METRIC(GAUGE, "memory", "bytes", "that the databases take"),
    [M_DAMAGED] = METRIC(GAUGE, "damaged_records", "records", "of the databases in use"),
};

/* What an event gets, for each end that something is known of. */
struct where {
    struct ec_part part;
    uint32_t asn, pad;
    struct ec_span country, continent, org;
};
enum { HAS_ASN };
static const struct ec_row where_rows[] = {
    EC_FIELD(TEXT, EC_R_COLUMN, struct where, country, "country", NULL, "ISO 3166-1 code of the country"),
    EC_FIELD(TEXT, 0, struct where, continent, "continent", NULL, "code of the continent: AF AN AS EU NA OC SA"),
    EC_FIELD_OPT(U32, EC_R_COLUMN, HAS_ASN, struct where, asn, "asn", NULL, "number of the autonomous system"),
    EC_FIELD(TEXT, 0, struct where, org, "org", NULL, "who runs the autonomous system"),
};
static const struct ec_record where_record = EC_RECORD_PART(struct where, where_rows);
static const struct ec_topic topics[2] = {
    { sizeof topics[0], EC_TOPIC_ATTRIBUTE, "ec.geoip.src/1", "ecyber.geoip.src", &where_record, NULL,
      "where src_ip is" },
    { sizeof topics[0], EC_TOPIC_ATTRIBUTE, "ec.geoip.dst/1", "ecyber.geoip.dst", &where_record, NULL,
      "where dest_ip is" },
};

struct state {
    struct set *_Atomic set;
    struct set_source source;
    uint64_t check_ns;
    const char *path[SET_MAX];      /* of the configuration */
};
struct geoip {
    const struct ec_host *host;
    struct guard guard;
    struct set *_Atomic set;        /* the service's, with a reference of its own; NULL: not started */
    atomic_uint serial;             /* +1 for each change within a state */
    atomic_bool checking;           /* a pool job is on its way */
    uint64_t checked_ns;            /* [sub] */
};

static int32_t geoip_create(const struct ec_host *h, void **self)
{
    struct geoip *g = *self = aligned_alloc(64, sizeof *g);

    if (!g)
        return h->fail(h, EC_ENOMEM, "out of memory");
    memset(g, 0, sizeof *g);
    g->host = h;
    return EC_OK;
}

static void geoip_destroy(void *self)
{
    struct geoip *g = self;

    set_unref(atomic_load(&g->set));
    free(g);
}

/* Let the pointer, which holds a reference, hold one to `to`. Blocks until nobody reads the old one. */
static void set_exchange(struct geoip *g, struct set *_Atomic *at, struct set *to)
{
    struct set *old = atomic_exchange(at, to ? set_ref(to) : NULL);

    guard_wait(&g->guard);
    set_unref(old);
}

static void say(void *arg, const char *sentence)
{
    struct geoip *g = arg;

    EC_LOG(g->host, EC_LOG_WARNING, "%s", sentence);
}

static void tell(struct geoip *g, const struct set *s)
{
    g->host->gauge(g->host, M_DATABASES, set_count(s));
    g->host->gauge(g->host, M_MEMORY, (int64_t)set_bytes(s));
    g->host->gauge(g->host, M_DAMAGED, set_bad(s));
}

/* Copies what the configuration says; paths stay its own. */
static int32_t source_read(struct geoip *g, const struct ec_conf *c, struct state *st)
{
    uint32_t n = g->host->conf_count(c, "databases");
    int64_t v = 0;

    if (n > SET_MAX)
        return ec_failf(g->host, EC_ELIMIT, "%s: geoip.databases: %u files, at most %u can be used",
                        g->host->conf_where(c, "databases", SET_MAX), n, SET_MAX);
    for (uint32_t i = 0; i < n; i++)
        st->path[i] = g->host->conf_text(c, "databases", i);
    g->host->conf_num(c, "check", 0, &v);
    st->check_ns = (uint64_t)v;
    g->host->conf_num(c, "max_size", 0, &v);
    st->source = (struct set_source){ st->path, n, (uint64_t)v, say, g };
    return EC_OK;
}

static int32_t geoip_configure(void *self, const struct ec_conf *c, void **state)
{
    struct geoip *g = self;
    struct state *st = calloc(1, sizeof *st);
    struct set *old, *set;
    atomic_uint *in;
    int32_t err;

    if (!st)
        return g->host->fail(g->host, EC_ENOMEM, "out of memory");
    if ((err = source_read(g, c, st))) {
        free(st);
        return err;
    }
    in = guard_enter(&g->guard);
    old = (old = atomic_load(&g->set)) ? set_ref(old) : NULL;
    guard_leave(in);
    set = set_open(&st->source, old, false);
    set_unref(old);
    if (!set) {
        free(st);
        return g->host->fail(g->host, EC_ENOMEM, "out of memory");
    }
    g->host->metric(g->host, M_FAILED, set_failed(set));
    atomic_init(&st->set, set);
    *state = st;
    return EC_OK;
}

static void state_free(void *self, void *state)
{
    struct state *st = state;

    (void)self;                     /* nobody can reach it any more, readers included */
    set_unref(atomic_load(&st->set));
    free(st);
}

static int32_t geoip_start(void *self, const void *state)
{
    struct geoip *g = self;
    const struct state *st = state;

    set_exchange(g, &g->set, atomic_load(&st->set));
    tell(g, atomic_load(&st->set));
    return EC_OK;
}

/* [pool] The service follows the state of the generation; files that have changed make a new set. The state is held,
 * and only this job, of which there is never more than one, changes the set in it. */
static void check(void *self, const void *state, void *arg)
{
    struct geoip *g = self;
    struct state *st = (struct state *)(uintptr_t)state;
    struct set *now = atomic_load(&st->set), *next = NULL;

    (void)arg;
    if (set_changed(now, &st->source))
        next = set_open(&st->source, now, true);
    if (next) {
        g->host->metric(g->host, M_FAILED, set_failed(next));
        EC_LOG(g->host, EC_LOG_INFO, "databases have changed: %u of %u files are in use", set_count(next),
               st->source.n);
        set_exchange(g, &st->set, next);
        set_unref(next);
        atomic_fetch_add(&g->serial, 1);
        g->host->metric(g->host, M_SWAPS, 1);
        now = next;
    }
    if (atomic_load(&g->set) != now) {
        set_exchange(g, &g->set, now);
        tell(g, now);
    }
    atomic_store(&g->checking, false);
}

static void on_timer(void *self, const void *state, uint64_t now_ns)
{
    struct geoip *g = self;
    const struct state *st = state;
    bool behind = atomic_load(&st->set) != atomic_load(&g->set);

    if (!behind && now_ns - g->checked_ns < st->check_ns)
        return;
    g->checked_ns = now_ns;
    if (!atomic_exchange(&g->checking, true) && g->host->work(g->host, check, NULL) != EC_OK)
        atomic_store(&g->checking, false);
}

static bool find(struct geoip *g, const struct set *s, const uint8_t *addr16, struct found *f)
{
    uint32_t bad = 0;
    bool known = s && set_find(s, addr16, f, &bad);

    if (bad)
        g->host->metric(g->host, M_BAD, bad);
    return known;
}

static int32_t where_add(const struct found *f, uint32_t topic, struct ec_build *b)
{
    struct where *w = ec_add(b, topic, sizeof *w);
    const struct place *at = f->place[0], *of = f->place[1];

    if (!w)
        return EC_ELIMIT;
    if (at && *at->country)
        w->country = ec_put(b, at->country, 2);
    if (at && *at->continent)
        w->continent = ec_put(b, at->continent, 2);
    if (of && of->asn) {
        w->asn = of->asn;
        w->part.has |= UINT64_C(1) << HAS_ASN;
    }
    if (of && of->org_len)
        w->org = ec_put(b, f->org, of->org_len);
    return EC_OK;
}

static int32_t enrich(void *self, const void *state, const void *key, uint32_t len, uint32_t side, uint32_t topic,
                      struct ec_build *b)
{
    struct geoip *g = self;
    const struct state *st = state;
    atomic_uint *in;
    struct found f;
    int32_t err = EC_ENOENT;

    (void)side;                     /* each enricher is asked of one */
    if (!st || len != 16)
        return err;
    in = guard_enter(&g->guard);
    if (find(g, atomic_load(&st->set), key, &f))
        err = where_add(&f, topic, b);
    guard_leave(in);
    return err;
}

static uint32_t enrich_serial(void *self, const void *state)
{
    struct geoip *g = self;

    (void)state;
    return atomic_load_explicit(&g->serial, memory_order_acquire);
}

static int32_t service_lookup(void *self, const uint8_t *addr16, struct ec_place *place)
{
    struct geoip *g = self;
    atomic_uint *in = guard_enter(&g->guard);
    struct found f;
    bool known = place->size >= sizeof *place && find(g, atomic_load(&g->set), addr16, &f);

    if (known) {
        const struct place *at = f.place[0], *of = f.place[1];

        place->asn = of ? of->asn : 0;
        memset(place->country, 0, sizeof place->country);
        memset(place->org, 0, sizeof place->org);
        if (at)
            memcpy(place->country, at->country, sizeof at->country);
        if (of)
            memcpy(place->org, f.org, of->org_len);
    }
    guard_leave(in);
    return known ? EC_OK : EC_ENOENT;
}

static int32_t geoip_setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, EC_TIMER_WALL, 1000000000, on_timer };
    struct geoip *g = self;
    uint32_t id;
    int32_t err = EC_OK;

    for (uint32_t i = 0; i < 2 && !err; i++)
        err = g->host->topic(g->host, &topics[i], &id);
    return err ? err : g->host->timer(g->host, &timer);
}

_Static_assert(sizeof(((struct ec_place *)0)->org) > PLACE_ORG_MAX, "an organisation and its NUL");
static const struct ec_enricher ends[2] = {
    { sizeof ends[0], EC_ENRICH_ADDRESS, "ec.geoip.src/1", NULL, enrich, EC_ENRICH_SRC, 0, enrich_serial },
    { sizeof ends[0], EC_ENRICH_ADDRESS, "ec.geoip.dst/1", NULL, enrich, EC_ENRICH_DST, 0, enrich_serial },
};
static const struct ec_geoip service = { sizeof service, 0, service_lookup };
static const struct ec_offer offers[] = {
    { sizeof offers[0], 0, EC_ENRICH_ID, &ends[0] },
    { sizeof offers[0], 0, EC_ENRICH_ID, &ends[1] },
    { sizeof offers[0], 0, EC_GEOIP_ID, &service },
};
static const struct ec_plugin geoip_plugin = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.geoip",
    .name = "geoip",
    .version = "0.1.0",
    .summary = "the country and the network of an address",
    .license = "MIT",
    .n_offer = sizeof offers / sizeof offers[0],
    .offer_stride = sizeof offers[0],
    .offer = offers,
    .n_metric = METRICS,
    .metric_stride = sizeof metrics[0],
    .metric = metrics,
    .options = &options,
    .create = geoip_create,
    .setup = geoip_setup,
    .configure = geoip_configure,
    .state_free = state_free,
    .start = geoip_start,
    .destroy = geoip_destroy,
};
EC_PLUGIN(geoip_plugin)
