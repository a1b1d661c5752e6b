#include "buildconf.h"

#include "core/daemon.h"

#include "core/clock.h"
#include "core/conf/conf.h"
#include "core/log/crash.h"
#include "core/deadline.h"
#include "core/folder.h"
#include "core/freeze.h"
#include "core/generation.h"
#include "core/helper/client.h"
#include "core/host.h"
#include "core/instance.h"
#include "core/listing.h"
#include "core/log/log.h"
#include "core/log/mark.h"
#include "core/metric.h"
#include "core/plan.h"
#include "core/pool.h"
#include "core/questions.h"
#include "core/run.h"
#include "core/services.h"
#include "core/signals.h"
#include "core/status.h"

#include <errno.h>
#include <event2/thread.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STOP_LEAST UINT64_C(1000000000)         /* ns that stop() and destroy() have at least */

static void print_sentence(const char *sentence, void *arg)
{
    (void)arg;
    fprintf(stderr, "%s\n", sentence);
}

static void log_warning(const char *sentence, void *arg)
{
    (void)arg;
    log_f("core", EC_LOG_WARNING, NULL, "%s", sentence);
}

void daemon_conf_input(const struct daemon *d, struct conf_input *in)
{
    *in = (struct conf_input){
        .file = d->file, .environ = (const char *const *)environ,
        .n_set = d->cmd->n_set, .set = (const char *const *)d->cmd->set,
    };
}

const char *daemon_changes(const struct daemon *d)
{
    return d->changes;
}

struct conf *daemon_conf_load(const struct daemon *d, const struct daemon_conf_with *with,
                              void (*err)(const char *sentence, void *arg), void *arg)
{
    uint32_t n = 0;
    struct conf_section *s = plugins_sections(&d->plugins, &n);
    struct conf_input in;
    struct options o;
    struct conf *c;

    if (!s) {
        err("out of memory", arg);
        return NULL;
    }
    daemon_conf_input(d, &in);
    in.warn = log_warning;
    in.changes = daemon_changes(d);
    in.changes_lenient = !d->state_dir;
    if (with) {
        in.text = with->text;
        in.changes_text = with->changes;
        if (in.text && !in.file)
            in.file = ECYBER_CONFDIR "/ecyber.yaml";
    }
    c = conf_load(&in, s, n, err, arg);
    free(s);
    if (!c)
        return NULL;
    options_read(&o, c);
    if (!plugins_check(&d->plugins, &o, err, arg))
        return c;
    conf_free(c);
    return NULL;
}

/* Only a run keeps state; a check or a list must leave no trace. */
static void open_state(struct daemon *d)
{
    if (d->cmd->mode == MODE_RUN) {
        if (folder_make(d->opt.state_dir))
            LOG(EC_LOG_WARNING,
                "core.state_dir: %s cannot be written: %s; nothing outlasts this run",
                d->opt.state_dir, strerror(errno));
        else
            d->state_dir = strdup(d->opt.state_dir);
    }
    crash_install(d->state_dir);
    host_configure(d->opt.workers, d->state_dir);
}

#define VARIABLES_MAX 256

static struct { char *name, *value; } variable[VARIABLES_MAX];
static uint32_t n_variable;

/* Not set at once: the load reads the environment, which setenv() may move. */
static void keep_variable(const char *name, const char *value)
{
    if (n_variable < VARIABLES_MAX) {
        variable[n_variable].name = strdup(name);
        variable[n_variable++].value = strdup(value);
    }
}

/* Plugins that take over a variable of the system that eCyber replaces read the environment. What that says goes before
 * .env, and it is set while there is one thread. */
static void set_variables(void)
{
    while (n_variable) {
        n_variable--;
        if (variable[n_variable].name && variable[n_variable].value)
            setenv(variable[n_variable].name, variable[n_variable].value, 0);
        free(variable[n_variable].name);
        free(variable[n_variable].value);
    }
}

/* The first look: the core's own section says where plugins are and where the log goes. */
static int read_core(struct daemon *d, struct conf **boot)
{
    struct conf_section core = { .name = OPTIONS_SECTION, .options = &options_table };
    struct conf_input in;
    char why[1024];

    daemon_conf_input(d, &in);
    in.partial = true;
    in.other = keep_variable;
    *boot = conf_load(&in, &core, 1, print_sentence, NULL);
    set_variables();
    if (!*boot)
        return EXIT_CONFIG;
    options_read(&d->opt, *boot);
    if (options_check(&d->opt, why, sizeof why) ||
        (d->cmd->mode == MODE_RUN && options_log(&d->opt, why, sizeof why))) {
        print_sentence(why, NULL);
        return EXIT_CONFIG;
    }
    return EXIT_FINE;
}

/* Load the plugins, then the whole configuration against their rows. */
static int load(struct daemon *d)
{
    struct conf *boot = NULL;
    char why[1024];
    int rc = read_core(d, &boot);

    if (!rc) {
        open_state(d);
        if (!daemon_is_passing(d) && asprintf(&d->changes, "%s/changes.yaml", d->opt.state_dir) < 0)
            d->changes = NULL;
        deadline_open(d->opt.start_timeout, "core.start_timeout");
        if ((rc = plugins_load(&d->plugins, &d->opt, why, sizeof why))) {
            print_sentence(why, NULL);
            rc = rc == EC_ENOENT ? EXIT_CONFIG : EXIT_FAILED;
        }
    }
    if (!rc) {
        d->conf = daemon_conf_load(d, NULL, print_sentence, NULL);
        rc = d->conf ? EXIT_FINE : EXIT_CONFIG;
    }
    if (!rc)
        options_read(&d->opt, d->conf);
    questions_configure(daemon_is_passing(d));
    if (boot)
        conf_free(boot);
    d->workers = d->opt.workers ? d->opt.workers : 1;
    d->sources = d->cmd->n_source || (!rc && conf_count(d->opt.c, "sources"));
    return rc;
}

/* Everything that up() did, undone; what is left out stays so. */
static void down(struct daemon *d)
{
    struct plan *p;

    if (d->pool && !pool_stop(d->opt.stop_timeout))
        daemon_abandon(d);
    d->pool = false;
    for (uint32_t k = d->plugins.n_order; k--; )
        instance_stop(d->plugins.order[k]);
    if (d->ran)
        status_write_last(d);                   /* what they wrote, or lost, while they stopped is in it */
    d->ran = false;
    if ((p = plan_swap(NULL))) {
        d->conf = p->conf;
        p->conf = NULL;
        generation_free(d->plugins.order, p);
    }
    plugins_unprepare(&d->plugins);
    if (d->frozen)
        freeze_undo();
    d->frozen = false;
}

static int first_generation(struct daemon *d)
{
    char why[1200];
    struct plan *p =
        generation_build(d->plugins.order, d->plugins.n_order, d->conf, 1, why, sizeof why);

    if (!p) {
        print_sentence(why, NULL);
        return EXIT_CONFIG;
    }
    d->conf = NULL;
    plan_swap(p);
    metric_set(freeze_metric(FREEZE_GENERATION), 1);
    for (uint32_t k = 0; k < d->plugins.n_order; k++)
        d->plugins.order[k]->status = INSTANCE_CONFIGURED;
    return EXIT_FINE;
}

bool daemon_is_passing(const struct daemon *d)
{
    return d->cmd->replay && !d->opt.stay;
}

/* EC_EEXIST: what a plugin was told to take (a port) is taken by another program. A service that nobody can reach is
 * none, so that ends it. A replay goes on without whoever cannot start, though its result lacks something. */
static int32_t start_plugins(struct daemon *d)
{
    for (uint32_t k = 0; k < d->plugins.n_order; k++) {
        const struct instance *i = d->plugins.order[k];
        int32_t err = instance_start(d->plugins.order[k], plan_state(plan_current(), k));
        char why[1200];

        if (err == EC_EEXIST && !daemon_is_passing(d)) {
            snprintf(why, sizeof why, "%s: %s", i->d.name, host_why(i, err));
            print_sentence(why, NULL);
        }
        if (err)
            return err;
    }
    return EC_OK;
}

static void note_lacking(struct daemon *d)
{
    size_t at;

    for (uint32_t k = 0; daemon_is_passing(d) && k < d->plugins.n_order; k++) {
        const struct instance *i = d->plugins.order[k];

        if (i->status != INSTANCE_REFUSED)
            continue;
        at = strlen(d->lacking);
        snprintf(d->lacking + at, sizeof d->lacking - at, "%s%s", at ? ", " : "", i->d.name);
    }
}

/* Prepare, freeze, configure, start. Whoever fails is left out, and it begins anew without him; a
 * wrong configuration ends it. */
static int up(struct daemon *d, bool start)
{
    char why[512];
    int32_t err;
    int rc;

    clock_follow_packets(!d->opt.workers && d->sources);
    for (;; down(d), plugins_tell(&d->plugins)) {
        plugins_prepare(&d->plugins, &d->opt, d->workers);
        d->frozen = true;
        if (!freeze(&d->plugins, &d->opt, d->workers, why, sizeof why)) {
            if (!why[0])
                continue;
            print_sentence(why, NULL);
            return EXIT_FAILED;
        }
        if ((rc = first_generation(d)) || !start)
            return rc;
        signals_block();
        if (pool_start(d->opt.workers ? d->opt.pool_threads : 0)) {
            print_sentence("the work pool cannot be started: no threads are left", NULL);
            return EXIT_FAILED;
        }
        d->pool = true;
        if (!(err = start_plugins(d)))
            return EXIT_FINE;
        if (err == EC_EEXIST && !daemon_is_passing(d))
            return EXIT_FAILED;
        note_lacking(d);
    }
}

static int test(struct daemon *d)
{
    int rc = up(d, false);

    if (!rc && run_check(d))
        rc = EXIT_CONFIG;

    /* A run goes on without a broken rule; a check is there to find it. */
    if (!rc && host_errors()) {
        fprintf(stderr, "%s: %u errors in what the plugins read, see above\n",
                d->file ? d->file : "defaults", host_errors());
        rc = EXIT_CONFIG;
    }
    if (folder_check(d->opt.state_dir))
        LOG(EC_LOG_WARNING, "core.state_dir: %s cannot be written by who runs this check: %s", d->opt.state_dir,
            strerror(errno));
    if (!rc)
        printf("%s: the configuration is fine; %u plugins, %u left out\n",
               d->file ? d->file : "defaults", d->plugins.n_order, plugins_left_out(&d->plugins));
    down(d);
    return rc;
}

static int list(struct daemon *d)
{
    int rc;

    plugins_prepare(&d->plugins, &d->opt, d->workers);
    rc = d->cmd->mode == MODE_LIST ? listing_print(&d->plugins, d->cmd->list, stdout)
                                   : listing_plugins(&d->plugins, stdout);
    plugins_unprepare(&d->plugins);
    return rc;
}

static int act(struct daemon *d)
{
    int rc;

    switch (d->cmd->mode) {
    case MODE_TEST:
        return test(d);
    case MODE_DUMP:
        conf_dump(d->conf, stdout);
        return fflush(stdout) ? EXIT_FAILED : EXIT_FINE;
    case MODE_LIST_OPTIONS:
        return listing_options(&d->plugins, stdout);
    case MODE_LIST_PLUGINS:
    case MODE_LIST:
        return list(d);
    default:
        rc = up(d, true);
        if (!rc)
            rc = run(d);
        if (!rc && *d->lacking) {
            LOG(EC_LOG_ERROR, "the replay lacks what %s would have done of it", d->lacking);
            rc = EXIT_FAILED;
        }
        deadline_open(d->opt.stop_timeout > STOP_LEAST ? d->opt.stop_timeout : STOP_LEAST,
                      "core.stop_timeout");
        down(d);
        return rc;
    }
}

/* Answers of 100 KB and more come and go with each request. Each would get its pages from the kernel and give them
 * back. glibc comes to limits like these by itself, but only once blocks of that size were freed that it had mapped. */
static void keep_pages(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 2 << 20);
}

int daemon_main(const struct cmdline *c)
{
    struct daemon d = { .cmd = c, .file = c->file, .started_ns = clock_wall() };
    int rc;

    if (!d.file && !folder_access(ECYBER_CONFDIR "/ecyber.yaml", F_OK))
        d.file = ECYBER_CONFDIR "/ecyber.yaml";
    keep_pages();
    evthread_use_pthreads();
    mark_register("control");
    helper_client_configure(c->replay && !c->stay ? "a replay (-r) changes no firewall" : NULL, NULL, c->replay);
    if (c->mode == MODE_RUN)
        signals_hold();
    rc = load(&d);
    if (!rc)
        rc = act(&d);
    deadline_close();
    if (d.conf)
        conf_free(d.conf);
    plugins_free(&d.plugins);
    services_close();
    free(d.state_dir);
    free(d.changes);
    mark_unregister();
    return rc;
}
