#include "plugins/ids/load.h"

#include "plugins/ids/files.h"
#include "plugins/ids/manage/managed.h"
#include "plugins/ids/match/engine.h"
#include "plugins/ids/rule/address.h"
#include "plugins/ids/rule/set.h"
#include "plugins/ids/rule/vars.h"
#include "plugins/ids/tell.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Keywords of other plugins are compiled one at a time, also where rules are only tried. */
static pthread_mutex_t compiling = PTHREAD_MUTEX_INITIALIZER;

static int32_t load_slot(void *arg, const char *name, uint32_t i, struct ec_slot *out)
{
    const struct engine_port *p = ((const struct load *)arg)->port;

    return p->traffic->slot(p->traffic_self, name, i, out);
}

static uint32_t load_intern(void *arg, const char *space, const char *name)
{
    const struct ec_host *h = ((const struct load *)arg)->host;

    return h->intern(h, space, name);
}

static uint32_t load_proto(void *arg, const char *name)
{
    const struct engine_port *p = ((const struct load *)arg)->port;
    const char *known;
    uint32_t id;

    for (uint32_t i = 0; !p->traffic->proto_at(p->traffic_self, i, &known, &id); i++)
        if (!strcmp(known, name))
            return id;
    return 0;
}

static int32_t load_anomaly(void *arg, uint32_t i, struct ec_anomaly *out)
{
    const struct engine_port *p = ((const struct load *)arg)->port;

    return p->traffic->anomaly_at(p->traffic_self, i, out);
}

/* Of rules that are thrown away again: no name stays for the run. */
static uint32_t load_no_intern(void *arg, const char *space, const char *name)
{
    (void)arg, (void)space, (void)name;
    return 1;
}

static enum decision load_decide(void *arg, uint32_t gid, uint32_t sid)
{
    const struct managed_rule *r = managed_find(((const struct load *)arg)->managed, gid, sid);

    if (!r)
        return DECIDE_WRITTEN;
    if (r->len)
        return DECIDE_REPLACED;
    return r->turn == SWITCH_OFF ? DECIDE_OFF : DECIDE_ON;
}

static void load_managed(const struct load *l, struct ruleset *s, const struct env *env)
{
    for (uint32_t i = 0; l->managed && i < l->managed->n; i++) {
        const struct managed_rule *r = l->managed->rule[i];

        if (r->len)
            ruleset_managed(s, env, r->text, r->len, r->turn == SWITCH_OFF);
    }
}

static struct env load_env(const struct load *l, bool keeps)
{
    return (struct env){ .arg = (void *)(uintptr_t)l, .slot = load_slot, .intern = keeps ? load_intern : load_no_intern,
                         .proto = load_proto, .anomaly = load_anomaly, .decide = load_decide, .external = l->external,
                         .hosts = l->port->hosts != NULL, .may_include = true };
}

/* A variable that is wrong would break every rule that names it; so it is found where it stands. */
static int load_var(const struct load *l, struct ruleset *s, uint32_t i)
{
    const char *key = l->host->conf_key(l->conf, "vars", i), *value = l->host->conf_text(l->conf, "vars", i);
    const char *where = l->host->conf_where(l->conf, "vars", i);
    struct token t = { value, (uint32_t)strlen(value), 0 };
    const struct rangeset *set;
    char why[2][300];
    uint32_t off;

    if (address_parse(ruleset_arena(s), ruleset_vars(s), EXPR_ADDRESS, t, &set, &off, why[0], sizeof why[0]) ||
        address_parse(ruleset_arena(s), ruleset_vars(s), EXPR_PORT, t, &set, &off, why[1], sizeof why[1]))
        return EC_OK;
    return ec_failf(l->host, EC_EINVAL, "%s%sids.vars: %s: %s", where ? where : "", where ? ": " : "", key,
                    strstr(key, "PORT") ? why[1] : why[0]);
}

static int load_vars(const struct load *l, struct ruleset *s)
{
    const struct ec_host *h = l->host;
    uint32_t n = h->conf_count(l->conf, "vars");
    int rc = EC_OK;

    for (uint32_t i = 0; i < n; i++)
        if (!vars_set(ruleset_vars(s), h->conf_key(l->conf, "vars", i), h->conf_text(l->conf, "vars", i)))
            return ec_failf(h, EC_ELIMIT, "ids.vars: more than %d variables", VARS_MAX);
    for (uint32_t i = 0; !rc && i < n; i++)
        rc = load_var(l, s, i);
    return rc;
}

static int load_classes(const struct load *l, struct ruleset *s)
{
    const char *path = l->host->conf_text(l->conf, "classification_file", 0);
    const char *where = l->host->conf_where(l->conf, "classification_file", 0);
    char why[4400];

    if (!path && !files_exist(ECYBER_CONFDIR "/rules/classification.config"))
        return EC_OK;
    if (ruleset_classes(s, path ? path : ECYBER_CONFDIR "/rules/classification.config", why, sizeof why))
        return EC_OK;
    return ec_failf(l->host, EC_EINVAL, "%s%s%s", where ? where : "", where ? ": " : "", why);
}

static int load_rules(const struct load *l, struct ruleset *s, bool keeps)
{
    struct env env = load_env(l, keeps);
    struct files f = { .n = 0 };
    char why[4400];
    int rc = files_find(l->host, l->conf, &f);

    if (!rc)
        rc = files_find_own(l->host, &f, FILES_SOURCES);
    pthread_mutex_lock(&compiling);
    load_managed(l, s, &env);
    for (size_t i = 0; !rc && i < f.n; i++)
        if (!ruleset_file(s, &env, f.path[i], why, sizeof why))
            rc = ec_failf(l->host, EC_EINVAL, "%s", why);
    pthread_mutex_unlock(&compiling);
    files_free(&f);
    if (!rc && !ruleset_finish(s))
        rc = l->host->fail(l->host, EC_ENOMEM, "out of memory for the rules");
    return rc;
}

static uint32_t load_number(const struct load *l, const char *name)
{
    int64_t v = 0;

    l->host->conf_num(l->conf, name, 0, &v);
    return (uint32_t)v;
}

static void load_gauges(const struct load *l, const struct ruleset_counts *c, const struct engine *e)
{
    const struct ec_host *h = l->host;

    h->gauge(h, METRIC_LOADED, c->loaded);
    h->gauge(h, METRIC_FAILED, c->errors);
    h->gauge(h, METRIC_SKIPPED, c->unsupported);
    h->gauge(h, METRIC_REPLACED, c->replaced);
    h->gauge(h, METRIC_DISABLED, c->disabled);
    h->gauge(h, METRIC_PATTERNS, (int64_t)e->groups.n_pattern);
    h->gauge(h, METRIC_BYTES, (int64_t)e->groups.bytes);
}

/* Which slots each protocol has, so that its secrets are found. */
static bool load_slots(const struct engine_port *p, struct engine *e)
{
    struct ec_slot slot = { .size = sizeof slot };
    const char *name, *help;

    for (uint32_t i = 0; !p->traffic->slot_at(p->traffic_self, i, &name, &help); i++)
        for (uint32_t k = 0; !p->traffic->slot(p->traffic_self, name, k, &slot); k++)
            if (slot.kind == EC_BUF_KIND_TX && !engine_slot(e, &slot))
                return false;
    return true;
}

static struct engine *load_set(const struct load *l, struct ruleset *s)
{
    struct engine_options o = {
        .workers = l->host->workers(l->host), .max_alerts = load_number(l, "max_alerts"),
        .pcre_match_limit = load_number(l, "pcre.match_limit"),
        .pcre_depth_limit = load_number(l, "pcre.depth_limit"), .windows = load_number(l, "stream_windows"),
    };
    struct ruleset_counts c;
    struct engine *e;
    char why[512];

    ruleset_count(s, &c);
    e = engine_new(s, &o, why, sizeof why);
    if (!e || !load_slots(l->port, e)) {
        ec_failf(l->host, EC_ENOMEM, "the rules cannot be used: %s", e ? "out of memory" : why);
        engine_free(e);
        return NULL;
    }
    load_gauges(l, &c, e);
    return e;
}

struct engine *load_engine(const struct load *l)
{
    struct ruleset *s = ruleset_new();
    struct ruleset_counts c;

    if (!s) {
        l->host->fail(l->host, EC_ENOMEM, "out of memory");
        return NULL;
    }
    if (load_vars(l, s) || load_classes(l, s) || load_rules(l, s, true)) {
        ruleset_free(s);
        return NULL;
    }
    tell_problems(l->host, s);
    ruleset_count(s, &c);
    if (c.errors && load_number(l, "strict")) {
        tell_first(l->host, s);
        ruleset_free(s);
        return NULL;
    }
    return load_set(l, s);
}

struct ruleset *load_try(const struct load *l, const struct ruleset *base, const char *text, size_t len)
{
    struct ruleset *s = ruleset_like(base);
    struct env env = load_env(l, false);

    if (!s)
        return NULL;
    env.decide = NULL;
    env.may_include = false;
    pthread_mutex_lock(&compiling);
    ruleset_text(s, &env, "text", text, len);
    pthread_mutex_unlock(&compiling);
    return s;
}

struct ruleset *load_look(const struct load *l)
{
    struct ruleset *s = ruleset_new();

    if (!s)
        l->host->fail(l->host, EC_ENOMEM, "out of memory");
    if (!s || (!load_vars(l, s) && !load_classes(l, s) && !load_rules(l, s, false)))
        return s;
    load_drop(s);
    return NULL;
}

void load_drop(struct ruleset *s)
{
    pthread_mutex_lock(&compiling);
    ruleset_free(s);
    pthread_mutex_unlock(&compiling);
}
