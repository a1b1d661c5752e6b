/* fim: file integrity: what has changed in files that should not, as events, against a baseline that somebody accepted.
 * This file is the glue. */
#include "plugins/fim/fim.h"

#include <stdlib.h>

static const struct ec_row option_rows[] = {
    { EC_T_TEXT, EC_R_LIST, 0, 0, 0, "paths", NULL, NULL, NULL, NULL,
      "files and folders that are watched, with all below them", 1, 4095 },
    { EC_T_TEXT, EC_R_LIST, 0, 0, 0, "exclude", NULL, NULL, NULL, NULL,
      "what is left out: a path with all below it, or a pattern of whole paths (fnmatch(3); * takes / too)", 1, 4095 },
    EC_OPTION(DURATION, 0, "every", "1h", INT64_C(1000000000), INT64_C(604800000000000), NULL,
              "how often all files are looked at, beside what inotify tells"),
    EC_OPTION(U32, 0, "max_files", "50000", 1, 5000000, "files", "that are watched at most; about 300 bytes each"),
    EC_OPTION(SIZE, 0, "hash_max", "64MiB", 0, INT64_C(1) << 50, "bytes",
              "of a larger file only size, time, mode and owner count"),
    EC_OPTION(SIZE, 0, "rate", "32MiB", 65536, INT64_C(1) << 40, "bytes/s", "that are read at most"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

#define METRIC(kind, name, unit, help) { (uint32_t)sizeof(struct ec_metric), EC_METRIC_##kind, (name), (unit), (help) }
static const struct ec_metric metrics[METRICS] = {
    [M_FILES] = METRIC(GAUGE, "files", "files", "that are known"),
    [M_FOLDERS] = METRIC(GAUGE, "folders", "folders", "that inotify tells of"),
    [M_SCANS] = METRIC(COUNTER, "scans", "times", "all files were looked at"),
    [M_EVENTS] = METRIC(COUNTER, "events", "changes", "that were told"),
    [M_OVERFLOWS] = METRIC(COUNTER, "overflows", "times", "inotify lost some, and a scan followed"),
    [M_OVER] = METRIC(GAUGE, "over", "files", "beyond max_files at the last scan"),
    [M_UNREADABLE] = METRIC(GAUGE, "unreadable", "files", "that could not be read at the last scan"),
    [M_UNWATCHED] = METRIC(GAUGE, "unwatched", "folders", "without inotify at the last scan"),
    [M_DAMAGED] = METRIC(COUNTER, "damaged", "times", "the kept baseline could not be read"),
    [M_RETRIES] = METRIC(COUNTER, "retries", "changes", "that could not be told at once, and were found again"),
};

static int32_t fim_create(const struct ec_host *h, void **self)
{
    struct fim *f = calloc(1, sizeof *f);

    if (!f)
        return h->fail(h, EC_ENOMEM, "out of memory");
    f->host = h;
    f->wake = f->watch.fd = -1;
    pthread_mutex_init(&f->lock, NULL);
    pthread_mutex_init(&f->keep_lock, NULL);
    *self = f;
    return EC_OK;
}

static void list_free(struct list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        free(l->text[i]);
    free(l->text);
    *l = (struct list){ 0 };
}

static void settings_free(void *self, void *state)
{
    struct settings *s = state;

    (void)self;
    list_free(&s->path);
    list_free(&s->exclude);
    free(s);
}

static void fim_destroy(void *self)
{
    struct fim *f = self;

    guard_stop(f);
    table_close(&f->table);
    list_free(&f->s.path);
    list_free(&f->s.exclude);
    pthread_mutex_destroy(&f->keep_lock);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* Absolute, and without what would make two names of one file: "//", "/./", "/../", "/" at the end. */
static bool path_plain(const char *p)
{
    size_t n = strlen(p);

    return *p == '/' && !strstr(p, "//") && !strstr(p, "/./") && !strstr(p, "/../") && (n == 1 || p[n - 1] != '/') &&
           (n < 2 || strcmp(p + n - 2, "/.")) && (n < 3 || strcmp(p + n - 3, "/.."));
}

static int32_t list_read(const struct fim *f, const struct ec_conf *c, const char *name, bool patterns, struct list *to)
{
    const struct ec_host *h = f->host;
    uint32_t n = h->conf_count(c, name);

    if (n && !(to->text = calloc(n, sizeof *to->text)))
        return h->fail(h, EC_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        const char *text = h->conf_text(c, name, i), *where = h->conf_where(c, name, i);

        if (!path_plain(text) && !(patterns && *text == '*'))
            return ec_failf(h, EC_EINVAL,
                            "%s%sfim.%s: %s: a path has to be absolute, without . or .. or a / at its end", where ? where : "", where ? ": " : "", name, text);
        if (!(to->text[to->n] = strdup(text)))
            return h->fail(h, EC_ENOMEM, "out of memory");
        to->n++;
    }
    return EC_OK;
}

static int64_t number(const struct fim *f, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    f->host->conf_num(c, name, 0, &v);
    return v;
}

static int32_t fim_configure(void *self, const struct ec_conf *c, void **state)
{
    const struct fim *f = self;
    struct settings *s = calloc(1, sizeof *s);
    int32_t err;

    if (!s)
        return f->host->fail(f->host, EC_ENOMEM, "out of memory");
    if ((err = list_read(f, c, "paths", false, &s->path)) || (err = list_read(f, c, "exclude", true, &s->exclude))) {
        settings_free(NULL, s);
        return err;
    }
    s->every_ns = (uint64_t)number(f, c, "every");
    s->max_files = (uint32_t)number(f, c, "max_files");
    s->hash_max = (uint64_t)number(f, c, "hash_max");
    s->rate = (uint64_t)number(f, c, "rate");
    *state = s;
    return EC_OK;
}

/* The thread has a copy of its own: a state ends with its generation. */
static bool list_copy(const struct list *from, struct list *to)
{
    *to = (struct list){ 0, calloc(from->n + 1u, sizeof *to->text) };
    for (; to->text && to->n < from->n; to->n++)
        if (!(to->text[to->n] = strdup(from->text[to->n])))
            return false;
    return to->text;
}

static int32_t fim_start(void *self, const void *state)
{
    struct fim *f = self;
    const struct settings *s = state;

    if (!s->path.n || (f->daemon && f->daemon->passing(f->daemon_self)))
        return EC_OK;
    f->s = *s;
    f->s.exclude = (struct list){ 0 };
    if (!list_copy(&s->path, &f->s.path) || !list_copy(&s->exclude, &f->s.exclude))
        return f->host->fail(f->host, EC_ENOMEM, "out of memory");
    return guard_start(f);
}

static void fim_stop(void *self)
{
    guard_stop(self);
}

static void on_timer(void *self, const void *state, uint64_t now_ns)
{
    (void)state;
    (void)now_ns;
    guard_go(self);
}

static int32_t fim_setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, EC_TIMER_WALL, 250000000, on_timer };
    struct fim *f = self;
    const struct ec_host *h = f->host;

    f->http = h->use(h, EC_HTTP_ID, &f->http_self);
    f->daemon = h->use(h, EC_DAEMON_ID, &f->daemon_self);
    if (f->http)
        routes_declare(f);
    return h->topic(h, &fim_topic, &f->topic) || h->timer(h, &timer) ? EC_EINVAL : EC_OK;
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_daemon), 0, EC_DAEMON_ID },
};
static const struct ec_plugin fim = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.fim",
    .name = "fim",
    .version = "0.1.0",
    .summary = "file integrity: what has changed in files that should not",
    .license = "MIT",
    .n_use = sizeof uses / sizeof uses[0],
    .use_stride = sizeof uses[0],
    .use = uses,
    .n_metric = METRICS,
    .metric_stride = sizeof metrics[0],
    .metric = metrics,
    .options = &options,
    .create = fim_create,
    .setup = fim_setup,
    .configure = fim_configure,
    .state_free = settings_free,
    .start = fim_start,
    .stop = fim_stop,
    .destroy = fim_destroy,
};
EC_PLUGIN(fim)
