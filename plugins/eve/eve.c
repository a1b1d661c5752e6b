/* eve: writes every event as one line of EVE JSON. This file is the glue: options, the
 * subscription, the counters. */
#define EC_API_LEVEL 1
#include <ecyber/ext/json.h>

#include "plugins/eve/output.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct ec_row option_rows[] = {
    EC_OPTION_ENUM(EC_R_LIVE, "to", "file,stdout,socket", "file", "where the lines go"),
    EC_OPTION(TEXT, EC_R_LIVE | EC_R_LOCAL, "file", "eve.json", 1, 4000, NULL,
              "its name; relative to the plugin's state folder"),
    {EC_T_TEXT, EC_R_LIVE | EC_R_LOCAL, 0, 0, 0, "mode", NULL, "octal", "\"0640\"", NULL,
     "permissions of a new file", 0, 0},
    EC_OPTION(TEXT, EC_R_LIVE | EC_R_LIST, "types", NULL, 1, 64, NULL,
              "event types to write; empty: all"),
    EC_OPTION(SIZE, EC_R_LIVE, "rotate_size", "1GiB", 0, INT64_MAX, "bytes",
              "begin a new file before this one is larger; 0: never"),
    EC_OPTION(DURATION, EC_R_LIVE, "rotate_every", "0s", 0, INT64_MAX, NULL,
              "begin a new file after this time; 0: never"),
    EC_OPTION(U32, EC_R_LIVE, "rotate_keep", "4", 0, 1000, "files",
              "old files that are kept, as FILE.1, FILE.2, …"),
    EC_OPTION(TEXT, EC_R_LIVE | EC_R_PATH, "socket", NULL, 1, 107, NULL,
              "path of the Unix socket to connect to"),
    EC_OPTION_ENUM(EC_R_LIVE, "socket_type", "stream,datagram", "stream",
                   "one line after the other, or one a datagram"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

enum {
    M_EVENTS,
    M_BYTES,
    M_ERRORS,
    M_ROTATIONS,
    M_FULL,
    M_LONG,
    M_STOP,
    M_FAILED,
    M_MALFORMED,
    M_FILTERED,
    METRICS
};
#define COUNTER(name, unit, help)                                                                  \
    {                                                                                              \
        (uint32_t)sizeof(struct ec_metric), EC_METRIC_COUNTER, (name), (unit), (help)              \
    }
static const struct ec_metric metrics[METRICS] = {
    [M_EVENTS] = COUNTER("events_written", "events", "written"),
    [M_BYTES] = COUNTER("bytes_written", "bytes", "written"),
    [M_ERRORS] = COUNTER("write_errors", "errors", "attempts to write, open or rotate that failed"),
    [M_ROTATIONS] =
        COUNTER("rotations", "files", "begun because the last one was large or old enough"),
    [M_FULL] = COUNTER("dropped.full", "events",
                       "lost because nothing could be written and the buffer was full"),
    [M_LONG] =
        COUNTER("dropped.too_long", "events", "lost because they do not fit into a datagram"),
    [M_STOP] = COUNTER("dropped.shutdown", "events",
                       "lost because they could not be written before the end"),
    [M_FAILED] = COUNTER("dropped.failed", "events",
                         "lost because there was no memory, or no record in the event"),
    [M_MALFORMED] = COUNTER("malformed", "events",
                            "written without a field or record that lies outside of its block"),
    [M_FILTERED] = COUNTER("filtered", "events", "of types that are not to be written"),
};

struct eve_state { /* one generation's options */
    struct output_config output;
    uint32_t serial, n_topic; /* its number; topics that there are */
    uint8_t wanted[];         /* by topic id */
};
struct eve {
    const struct ec_host *host;
    const struct ec_json *json;
    void *json_self;
    struct output output;
    uint32_t built, applied; /* serials: of the last state made; of the one that is followed */
    bool trouble;            /* and it was said */
    uint64_t lost;           /* dropped_full when trouble began */
    uint64_t count[METRICS], told[METRICS]; /* by us; as the host knows them */
};

static int32_t eve_create(const struct ec_host *host, void **self)
{
    struct eve *e = calloc(1, sizeof *e);

    if (!e)
        return host->fail(host, EC_ENOMEM, "out of memory");
    e->host = host;
    e->output.fd = -1;
    *self = e;
    return EC_OK;
}

static void eve_destroy(void *self)
{
    struct eve *e = self;

    free(e->output.buffer.base);
    free(e);
}

/* Tell the host what was counted since the last time. */
static void count(struct eve *e)
{
    const struct output_counts *n = &e->output.n;

    e->count[M_EVENTS] = n->events;
    e->count[M_BYTES] = n->bytes;
    e->count[M_ERRORS] = n->errors;
    e->count[M_ROTATIONS] = n->rotations;
    e->count[M_FULL] = n->dropped_full;
    e->count[M_LONG] = n->dropped_long;
    e->count[M_STOP] = n->dropped_stop;
    for (uint32_t i = 0; i < METRICS; i++)
        if (e->count[i] != e->told[i]) {
            e->host->metric(e->host, i, (int64_t)(e->count[i] - e->told[i]));
            e->told[i] = e->count[i];
        }
}

/* Say when writing begins to fail, and when it works again. */
static void tell(struct eve *e)
{
    const struct output *o = &e->output;

    if (o->trouble == e->trouble)
        return;
    e->trouble = o->trouble;
    if (o->trouble) {
        e->lost = o->n.dropped_full;
        EC_LOG(e->host, EC_LOG_WARNING,
               "%s cannot be written: %s; 1 MiB of lines is held, what comes after it is lost "
               "until it can",
               o->c.path, strerror(o->error));
    } else {
        EC_LOG(e->host, EC_LOG_INFO, "%s is written again; %llu events were lost", o->c.path,
               (unsigned long long)(o->n.dropped_full - e->lost));
    }
}

static void flush(struct eve *e)
{
    output_flush(&e->output, e->host->now(e->host));
    tell(e);
    count(e);
}

/* A new generation: the file is opened anew, as its options say now. */
static void follow(struct eve *e, const struct eve_state *st)
{
    char why[4600];

    e->applied = st->serial;
    if (output_reopen(&e->output, &st->output, e->host->now(e->host), why, sizeof why))
        EC_LOG(e->host, EC_LOG_ERROR, "%s; the old one stays in use", why);
    count(e);
}

/* Of part 0; 0: there is none. */
static uint32_t topic_of(const struct ec_event *ev)
{
    return ev->parts ? ec_part_first(ev)->topic : 0;
}

/* The event as a line at the end of the buffer. Returns its length, or EC_E*. */
static int64_t line(struct eve *e, const struct ec_event *ev, uint32_t *bad)
{
    struct output_buffer *b = &e->output.buffer;
    size_t room = OUTPUT_ROOM;
    int64_t n;

    for (;; room = (size_t)n + 1) {
        if (!output_need(&e->output, room))
            return EC_ENOMEM;
        room = b->cap - b->len;
        n = e->json->event(e->json_self, ev, 0, b->base + b->len, room - 1, bad);
        if (n < 0 || (size_t)n < room)
            break;
    }
    if (n < 0)
        return n;
    b->base[b->len + (size_t)n] = '\n';
    return n + 1;
}

static void on_event(void *self, const void *state, const struct ec_event *ev)
{
    struct eve *e = self;
    const struct eve_state *st = state;
    uint32_t topic = topic_of(ev), bad = 0;
    int64_t n;

    if (st->serial != e->applied)
        follow(e, st);
    if (topic < st->n_topic && !st->wanted[topic]) {
        e->count[M_FILTERED]++;
        return;
    }
    if (!output_room(&e->output)) {
        flush(e);
        if (!output_room(&e->output)) {
            e->output.n.dropped_full++;
            return;
        }
    }
    n = line(e, ev, &bad);
    if (n < 0) {
        e->count[M_FAILED]++;
        return;
    }
    e->count[M_MALFORMED] += bad;
    if (output_added(&e->output, (size_t)n))
        flush(e);
}

static void on_idle(void *self, const void *state)
{
    struct eve *e = self;
    const struct eve_state *st = state;

    if (st && st->serial != e->applied)
        follow(e, st);
    flush(e);
}

static int32_t eve_setup(void *self)
{
    static const struct ec_sub everything = {
        .size = sizeof everything,
        .mode = EC_SUB_OWN_THREAD,
        .capacity = 262144,
        .bytes = 128u << 20,
        .overflow = EC_OVF_DROP_NEW,
        .topic = "*",
        .fn = on_event,
        .idle = on_idle,
    };
    struct eve *e = self;

    e->json = e->host->use(e->host, EC_JSON_ID, &e->json_self);
    if (!e->json)
        return e->host->fail(e->host, EC_ENOENT, "there is no " EC_JSON_ID);
    return e->host->subscribe(e->host, &everything);
}

static int64_t number(const struct ec_host *h, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    h->conf_num(c, name, 0, &v);
    return v;
}

/* Does the folder of the path exist? */
static bool folder_exists(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (!slash || slash == path)
        return true;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    return !stat(folder, &st) && S_ISDIR(st.st_mode);
}

static int32_t read_path(struct eve *e, const struct ec_conf *c, struct output_config *o)
{
    const struct ec_host *h = e->host;
    const char *option = o->to == OUTPUT_SOCKET ? "socket" : "file",
               *name = h->conf_text(c, option, 0);
    const char *folder = o->to == OUTPUT_FILE && name && *name != '/' ? h->state_dir(h) : NULL;
    int n;

    if (o->to == OUTPUT_STDOUT)
        name = "standard output";
    if (!name)
        return ec_failf(h, EC_EINVAL, "%s: eve.to is socket, so eve.socket has to be its path",
                        h->conf_where(c, "to", 0));
    n = snprintf(o->path, sizeof o->path, "%s%s%s", folder ? folder : "", folder ? "/" : "", name);
    if (n < 0 || (size_t)n >= sizeof o->path - 8)
        return ec_failf(h, EC_EINVAL, "%s: eve.%s is too long", h->conf_where(c, option, 0),
                        option);
    if (o->to == OUTPUT_FILE && *o->path == '/' && !folder_exists(o->path))
        return ec_failf(h, EC_ENOENT, "%s: eve.file: the folder of %s does not exist",
                        h->conf_where(c, option, 0), o->path);
    return EC_OK;
}

static int32_t read_output(struct eve *e, const struct ec_conf *c, struct output_config *o)
{
    const struct ec_host *h = e->host;

    o->to = (enum output_to)number(h, c, "to");
    o->socket_type = (enum output_socket)number(h, c, "socket_type");
    o->mode = (mode_t)strtoul(h->conf_text(c, "mode", 0), NULL, 8) & 0777;
    o->rotate_size = (uint64_t)number(h, c, "rotate_size");
    o->rotate_every = (uint64_t)number(h, c, "rotate_every");
    o->rotate_keep = (uint32_t)number(h, c, "rotate_keep");
    return read_path(e, c, o);
}

/* The types by name: which topics are wanted. */
static int32_t read_types(struct eve *e, const struct ec_conf *c, struct eve_state *st)
{
    const struct ec_host *h = e->host;
    uint32_t n = h->conf_count(c, "types");

    memset(st->wanted, !n, st->n_topic);
    for (uint32_t i = 0; i < n; i++) {
        const char *type = h->conf_text(c, "types", i);
        bool known = false;

        for (uint32_t id = 1; id < st->n_topic; id++) {
            const struct ec_topic *t = h->topic_get(h, id);

            if (t && t->root && (t->flags & EC_TOPIC_EVENT) && !strcmp(t->root, type))
                st->wanted[id] = known = true;
        }
        if (!known)
            return ec_failf(h, EC_ENOENT,
                            "%s: eve.types: no plugin that runs has events of type '%s'",
                            h->conf_where(c, "types", i), type);
    }
    return EC_OK;
}

static int32_t eve_configure(void *self, const struct ec_conf *c, void **state)
{
    struct eve *e = self;
    uint32_t n = e->host->topic_count(e->host) + 1;
    struct eve_state *st = calloc(1, sizeof *st + n);
    int32_t rc;

    if (!st)
        return e->host->fail(e->host, EC_ENOMEM, "out of memory");
    st->n_topic = n;
    st->serial = ++e->built;
    rc = read_output(e, c, &st->output);
    if (!rc)
        rc = read_types(e, c, st);
    if (rc)
        free(st);
    else
        *state = st;
    return rc;
}

static void eve_state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static int32_t eve_start(void *self, const void *state)
{
    struct eve *e = self;
    const struct eve_state *st = state;
    char why[4600];

    /* A mere check of the configuration has no state folder; a run without one fails here. */
    if (st->output.to == OUTPUT_FILE && *st->output.path != '/')
        return ec_failf(e->host, EC_EIO,
                        "eve.file is %s, and there is no state folder: give a whole path",
                        st->output.path);
    if (output_open(&e->output, &st->output, why, sizeof why))
        return e->host->fail(e->host, EC_EIO, why);
    e->applied = st->serial;
    tell(e);
    return EC_OK;
}

static void eve_stop(void *self)
{
    struct eve *e = self;

    output_close(&e->output, e->host->now(e->host));
    tell(e);
    count(e);
}

static const struct ec_use uses[] = {
    { sizeof uses[0], EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_json), 0, EC_JSON_ID },
};

static const struct ec_plugin eve = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.eve",
    .name = "eve",
    .version = "0.1.0",
    .summary = "writes events as EVE JSON lines",
    .license = "MIT",
    .n_use = 1,
    .use_stride = sizeof uses[0],
    .use = uses,
    .n_metric = METRICS,
    .metric_stride = sizeof metrics[0],
    .metric = metrics,
    .options = &options,
    .create = eve_create,
    .setup = eve_setup,
    .configure = eve_configure,
    .state_free = eve_state_free,
    .start = eve_start,
    .stop = eve_stop,
    .destroy = eve_destroy,
};
EC_PLUGIN(eve)
