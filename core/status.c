#include "core/status.h"

#include "core/account.h"
#include "core/bus/bus.h"
#include "core/clock.h"
#include "core/conf/conf.h"
#include "core/conf/conf_json.h"
#include "core/control/control.h"
#include "core/daemon.h"
#include "core/extension.h"
#include "core/instance.h"
#include "core/log/log.h"
#include "core/metric.h"
#include "core/plan.h"
#include "core/reload.h"
#include "core/version.h"
#include "core/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct daemon *d;            /* commands carry no argument of their own */

static void put_text(struct json_object *o, const char *key, const char *text)
{
    json_object_object_add(o, key, text ? json_object_new_string(text) : NULL);
}

static void put_number(struct json_object *o, const char *key, uint64_t n)
{
    json_object_object_add(o, key, json_object_new_uint64(n));
}

static void put_bool(struct json_object *o, const char *key, bool b)
{
    json_object_object_add(o, key, json_object_new_boolean(b));
}

/* {owner: {metric: value}}; NULL owner: all. */
static struct json_object *metrics(const char *only)
{
    struct json_object *all = json_object_new_object();

    for (uint32_t i = 0; i < metric_count(); i++) {
        const char *owner;
        const struct ec_metric *m = metric_get(i, &owner);
        struct json_object *group;

        if (!m || (only && strcmp(only, owner) != 0))
            continue;
        if (!json_object_object_get_ex(all, owner, &group)) {
            group = json_object_new_object();
            json_object_object_add(all, owner, group);
        }
        json_object_object_add(group, m->name, json_object_new_int64(metric_value(i)));
    }
    return all;
}

static struct json_object *source_counters(const uint64_t *c)
{
    static const char *const names[EC_SRC_STATS] = {
        [EC_SRC_SEEN] = "seen",          [EC_SRC_DELIVERED] = "delivered",
        [EC_SRC_KERNEL] = "lost_kernel", [EC_SRC_NIC] = "lost_nic",
        [EC_SRC_FILTERED] = "filtered",  [EC_SRC_BAD] = "bad",
        [EC_SRC_BYTES] = "bytes",
    };
    struct json_object *o = json_object_new_object();

    for (uint32_t i = 0; i < EC_SRC_STATS; i++)
        put_number(o, names[i], c[i]);
    return o;
}

static const char *source_status(uint32_t why)
{
    static const char *const names[] = {
        [0] = "not started",       [EC_SRC_MORE] = "busy",
        [EC_SRC_IDLE] = "idle",    [EC_SRC_INTERRUPTED] = "interrupted",
        [EC_SRC_DOWN] = "down",    [EC_SRC_END] = "ended",
        [EC_SRC_ERROR] = "broken",
    };

    return why < sizeof names / sizeof names[0] ? names[why] : "?";
}

/* fenced: as each worker's were at its last fence, so that they add up. */
static struct json_object *packets(bool fenced)
{
    struct json_object *list = json_object_new_array();

    for (uint32_t w = 0; d->sources && w < worker_count(); w++) {
        struct json_object *o = json_object_new_object();
        struct worker_account a;

        (fenced ? worker_account_fenced : worker_account_get)(w, &a);
        put_number(o, "worker", w);
        put_text(o, "status", source_status(a.status));
        json_object_object_add(o, "source", source_counters(a.source));
        put_number(o, "fetched", a.fetched);
        put_number(o, "finished", a.finished);
        put_number(o, "dropped_by_verdict", a.dropped_verdict);
        json_object_array_add(list, o);
    }
    return list;
}

static void add_row(const struct bus_row *row, void *arg)
{
    struct json_object *o = json_object_new_object(), *dropped = json_object_new_object();

    if (row->publisher == EC_PUB_MAILBOX)
        put_text(o, "publisher", "mailbox");
    else
        put_number(o, "publisher", row->publisher);
    put_text(o, "plugin", row->plugin);
    put_text(o, "topic", row->topic);
    put_number(o, "in", row->in);
    put_number(o, "out", row->out);
    put_number(o, "queued", row->queued);
    for (uint32_t i = 0; i < BUS_REASONS; i++)
        put_number(dropped, bus_reason_names[i], row->dropped[i]);
    json_object_object_add(o, "dropped", dropped);
    put_number(o, "gaps", row->gaps);
    json_object_array_add(arg, o);
}

static const char *plugin_status(const struct instance *i)
{
    return instance_status_name(i->status);
}

static struct json_object *plugin_short(const struct instance *i)
{
    struct json_object *o = json_object_new_object();

    put_text(o, "name", i->d.name);
    put_text(o, "version", i->d.version);
    put_text(o, "status", plugin_status(i));
    put_text(o, "why", i->status == INSTANCE_REFUSED ? i->why : NULL);
    put_text(o, "summary", i->d.summary);
    put_text(o, "file", i->path);
    return o;
}

static struct json_object *plugin_list(void)
{
    struct json_object *list = json_object_new_array();

    for (uint32_t k = 0; k < d->plugins.n; k++)
        json_object_array_add(list, plugin_short(d->plugins.all[k]));
    return list;
}

static struct json_object *reload_status(void)
{
    const struct reload_result *r = reload_last();
    struct json_object *o = json_object_new_object();

    put_bool(o, "running", r->running);
    put_number(o, "done", r->done);
    put_number(o, "failed", r->failed);
    put_text(o, "why", r->why[0] ? r->why : NULL);
    return o;
}

static struct json_object *status_document(void)
{
    struct json_object *o = json_object_new_object(), *rows = json_object_new_array();

    put_text(o, "version", version_string());
    put_number(o, "pid", (uint64_t)getpid());
    put_number(o, "uptime_s", (clock_wall() - d->started_ns) / UINT64_C(1000000000));
    put_number(o, "generation", plan_current()->gen);
    put_number(o, "workers", d->opt.workers);
    put_text(o, "replay", !d->replays ? NULL : d->replay_ended ? "finished" : "running");
    put_bool(o, "degraded", plugins_left_out(&d->plugins) > 0);
    json_object_object_add(o, "plugins", plugin_list());
    json_object_object_add(o, "packets", packets(false));
    bus_rows(add_row, rows);
    json_object_object_add(o, "events", rows);
    json_object_object_add(o, "metrics", metrics(NULL));
    json_object_object_add(o, "reload", reload_status());
    return o;
}

static struct json_object *on_status(char *const *args, char *why, uint32_t n)
{
    (void)args;
    (void)why;
    (void)n;
    return status_document();
}

void status_write_last(struct daemon *daemon)
{
    char path[PATH_MAX], draft[PATH_MAX + 8];
    struct json_object *o;

    d = daemon;
    if (!daemon->state_dir ||
        snprintf(path, sizeof path, "%s/last-stop.json", daemon->state_dir) >= (int)sizeof path)
        return;
    snprintf(draft, sizeof draft, "%s.new", path);
    o = status_document();
    if (json_object_to_file_ext(draft, o, JSON_C_TO_STRING_PRETTY) || rename(draft, path))
        LOG(EC_LOG_WARNING, "%s cannot be written: %s", path, strerror(errno));
    json_object_put(o);
}

static struct json_object *on_plugins(char *const *args, char *why, uint32_t n)
{
    (void)args;
    (void)why;
    (void)n;
    return plugin_list();
}

static struct json_object *uses(const struct instance *i)
{
    struct json_object *list = json_object_new_array();

    for (uint32_t u = 0; u < i->d.n_use; u++) {
        struct json_object *o = json_object_new_object();

        put_text(o, "id", i->d.use[u].id);
        put_text(o, "when", i->d.use[u].flags & EC_USE_RUN ? "run" : "setup");
        put_bool(o, "optional", i->d.use[u].flags & EC_USE_OPTIONAL);
        put_text(o, "provider", i->bound && i->bound[u] ? i->bound[u]->d.name : NULL);
        json_object_array_add(list, o);
    }
    return list;
}

static struct json_object *offers(const struct instance *i)
{
    struct json_object *list = json_object_new_array();

    for (uint32_t k = 0; k < i->d.n_offer; k++) {
        struct json_object *o = json_object_new_object();

        put_text(o, "id", i->d.offer[k].id);
        put_text(o, "kind", extension_is_interface(i->d.offer[k].id) ? "interface" : "service");
        json_object_array_add(list, o);
    }
    return list;
}

static struct json_object *on_plugin(char *const *args, char *why, uint32_t n)
{
    const struct instance *i = args[0] ? plugins_find(&d->plugins, args[0]) : NULL;
    struct json_object *o, *m;

    if (!i) {
        control_error(CONTROL_NOT_FOUND);
        snprintf(why, n, "there is no plugin '%s'; 'plugins' lists them", args[0] ? args[0] : "");
        return NULL;
    }
    o = plugin_short(i);
    put_text(o, "id", i->d.id);
    put_text(o, "license", i->d.license);
    put_text(o, "url", i->d.url);
    put_number(o, "abi", EC_ABI_MAJOR);
    put_number(o, "level", i->d.api_level);
    json_object_object_add(o, "uses", uses(i));
    json_object_object_add(o, "offers", offers(i));
    m = metrics(i->d.name);
    json_object_object_add(o, "metrics", json_object_get(json_object_object_get(m, i->d.name)));
    json_object_put(m);
    return o;
}

static struct json_object *on_reload(char *const *args, char *why, uint32_t n)
{
    struct json_object *o = json_object_new_object();

    (void)args;
    (void)why;
    (void)n;
    reload_request("the control socket");
    put_number(o, "generation", plan_current()->gen);
    json_object_object_add(o, "reload", reload_status());
    return o;
}

static void add_sentence(const char *sentence, void *arg)
{
    json_object_array_add(arg, json_object_new_string(sentence));
}

/* Against the option rows of the loaded plugins; what a plugin makes of its values (rules, filters)
 * `ecyberd -T` says. Its sentences quote the file, so others than the owner would read by the
 * daemon what they may not read themselves. */
static struct json_object *on_config_check(char *const *args, char *why, uint32_t n)
{
    struct json_object *o, *errors;
    struct daemon other = *d;
    struct conf *c;

    if (args[0] && !control_asked_by_owner()) {
        control_error(CONTROL_REFUSED);
        snprintf(why, n, "only root and ecyberd's own user may name a file: 'ecyberd -T -c FILE' "
                 "checks it without the daemon");
        return NULL;
    }
    o = json_object_new_object();
    errors = json_object_new_array();
    if (args[0])
        other.file = args[0];
    c = daemon_conf_load(&other, NULL, add_sentence, errors);
    put_text(o, "file", other.file ? other.file : "defaults");
    put_bool(o, "ok", c != NULL);
    json_object_object_add(o, "errors", errors);
    if (c)
        conf_free(c);
    return o;
}

/* What to do about packets that were lost before they were read: a sentence for each of the two reasons that occurred. */
static struct json_object *advice(bool fenced)
{
    static const struct { uint32_t counter; const char *what; } known[] = {
        { EC_SRC_NIC, "by the network interface, before the kernel had them: make its receive queue longer (ethtool -G), "
                      "spread it over more processors (ethtool -L), or send less to it" },
        { EC_SRC_KERNEL, "by the kernel, because they came faster than the workers read them: use more workers "
                         "(--workers), a larger buffer of the source for bursts, a filter for what need not be looked at, "
                         "or fewer rules and plugins" },
    };
    struct json_object *list = json_object_new_array();

    for (uint32_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint64_t lost = 0;
        struct worker_account a;
        char text[400];

        for (uint32_t w = 0; d->sources && w < worker_count(); w++) {
            (fenced ? worker_account_fenced : worker_account_get)(w, &a);
            lost += a.source[known[i].counter];
        }
        snprintf(text, sizeof text, "%" PRIu64 " packets were lost %s", lost, known[i].what);
        if (lost)
            json_object_array_add(list, json_object_new_string(text));
    }
    return list;
}

/* What plugins have lost or left out themselves. */
static struct json_object *plugin_losses(void)
{
    struct json_object *list = json_object_new_array();

    for (uint32_t i = 0; i < metric_count(); i++) {
        const char *owner;
        const struct ec_metric *m = metric_get(i, &owner);
        int64_t n = metric_value(i);
        struct json_object *o;

        if (!m || n <= 0 || !ec_metric_is_loss(m) || !strncmp(m->name, "bus.", 4))
            continue;               /* those of the bus are in the rows of events */
        o = json_object_new_object();
        put_text(o, "plugin", owner);
        put_text(o, "reason", m->name + strlen("dropped."));
        put_number(o, "n", (uint64_t)n);
        put_text(o, "unit", m->unit && *m->unit ? m->unit : NULL);
        put_text(o, "why", m->help);
        json_object_array_add(list, o);
    }
    return list;
}

static void drops_document(void *later, bool exact)
{
    struct json_object *o = json_object_new_object(), *rows = json_object_new_array();

    bus_fence_rows(exact, add_row, rows);
    put_bool(o, "exact", exact);
    json_object_object_add(o, "events", rows);
    json_object_object_add(o, "packets", packets(exact));
    json_object_object_add(o, "losses", plugin_losses());
    json_object_object_add(o, "advice", advice(exact));
    control_finish(later, o);
}

static struct json_object *on_drops(char *const *args, char *why, uint32_t n)
{
    struct control_later *later = control_later();
    int err = later ? account_ask(drops_document, later) : EC_ENOMEM;

    (void)args;
    if (err) {
        control_forget(later);
        snprintf(why, n, err == EC_ENOMEM ? "out of memory" : "the daemon ends");
    }
    return NULL;
}

static struct json_object *on_config(char *const *args, char *why, uint32_t n)
{
    (void)args;
    (void)why;
    (void)n;
    return conf_json(plan_current()->conf);
}

static struct json_object *on_stop(char *const *args, char *why, uint32_t n)
{
    struct json_object *o = json_object_new_object();

    (void)args;
    (void)why;
    (void)n;
    put_bool(o, "stopping", true);
    daemon_stop(d, "the control socket");
    return o;
}

void status_commands(struct daemon *of)
{
    d = of;
    control_command("status", "the daemon, its packets, events and metrics", on_status);
    control_command("plugins", "every plugin, and why one is left out", on_plugins);
    control_command("plugin", "NAME: one plugin, what it uses and offers, its metrics", on_plugin);
    control_command("reload", "read the configuration anew", on_reload);
    control_command("drops", "an exact account of every event and packet", on_drops);
    control_command("config", "every option with its value and where it comes from; secrets are masked", on_config);
    control_command("config-check", "[FILE]: check a configuration against the loaded plugins",
                    on_config_check);
    control_command("stop", "end in order", on_stop);
}
