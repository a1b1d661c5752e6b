#include "plugins/http/config.h"

#include "plugins/http/request.h"
#include "plugins/http/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- asking the daemon ------------------------------------------------------------------------------------------- */

/* The sentence of {"error": {"code", "message"}}: what control.h writes has no other escapes than these. */
static void message_of(const char *json, uint32_t len, struct text *to)
{
    static const char key[] = "\"message\":\"";
    const char *at = memmem(json, len, key, sizeof key - 1), *end = json + len;

    for (at = at ? at + sizeof key - 1 : end; at < end && *at != '"'; at++) {
        if (*at == '\\' && at + 1 < end)
            at++;
        text_add(to, at, 1);
    }
    text_add(to, "", 1);
}

/* [ctl] */
static void fail(struct ec_req *r, int32_t err, const char *json, uint32_t len)
{
    struct text t = { 0 };
    const char *why;

    message_of(json, len, &t);
    why = t.bad ? "the daemon cannot do this now" : t.p;
    if (err == EC_EINVAL)
        request_invalid_at(r, "body", "value_error", why);
    else
        request_error(r, err == EC_EPERM ? 412 : err == EC_ENOENT ? 404 : 503, why);
    text_free(&t);
}

/* [ctl] The daemon's own answer goes out as it is. */
static void pass(struct ec_req *r, uint32_t status, const char *json, uint32_t len)
{
    struct text t = { 0 };

    text_add(&t, json, len);
    request_bytes(r, status, "application/json", &t);
}

static void on_answer(void *arg, int32_t err, const char *json, uint32_t len)
{
    if (err)
        fail(arg, err, json, len);
    else
        pass(arg, 200, json, len);
}

static void on_accepted(void *arg, int32_t err, const char *json, uint32_t len)
{
    struct ec_req *r = arg;

    if (err) {
        fail(r, err, json, len);
        return;
    }
    request_audit(r, "config.reload", "success", NULL, NULL);
    pass(r, 202, json, len);
}

static int32_t ask(struct ec_req *r, const char *question, ec_daemon_answer_fn *fn)
{
    const struct server *s = r->s;

    if (!s->daemon)
        return request_error(r, 503, "the daemon does not offer ec.daemon/1");
    if (s->daemon->ask(s->daemon_self, question, fn, r) != EC_OK)
        return request_error(r, 503, "the daemon is busy; try again later");
    return EC_EAGAIN;
}

/* A command with one word, which may have any bytes but control characters. */
static int32_t ask_word(struct ec_req *r, const char *command, const struct text *word, ec_daemon_answer_fn *fn)
{
    struct text t = { 0 };
    int32_t err;

    text_puts(&t, command);
    text_puts(&t, " \"");
    for (size_t i = 0; i < word->n; i++) {
        if (word->p[i] == '"' || word->p[i] == '\\')
            text_add(&t, "\\", 1);
        text_add(&t, word->p + i, 1);
    }
    text_add(&t, "\"", 2);          /* with its NUL */
    err = t.bad || word->bad ? request_error(r, 503, "out of memory") : ask(r, t.p, fn);
    text_free(&t);
    return err;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static uint64_t version_of(const char *json, uint32_t len)
{
    static const char key[] = "\"version\":";
    const char *at = memmem(json, len, key, sizeof key - 1);
    uint64_t v = 0;

    for (at = at ? at + sizeof key - 1 : json + len; at < json + len && *at >= '0' && *at <= '9'; at++)
        v = v * 10 + (uint64_t)(*at - '0');
    return v;
}

/* [ctl] Asked before the values, so that a change in between makes the version an old one. */
static void on_read_version(void *arg, int32_t err, const char *json, uint32_t len)
{
    struct ec_req *r = arg;
    uint64_t version = version_of(json, len);

    if (err) {
        fail(r, err, json, len);
    } else if (request_match(r, version) == EC_OK) {
        request_etag(r, version);
        ask(r, "config", on_answer);
    }
}

static int32_t run_read(void *self, const void *state, struct ec_req *r)
{
    (void)self;
    (void)state;
    return ask(r, "config-version", on_read_version);
}

static int32_t run_schema(void *self, const void *state, struct ec_req *r)
{
    (void)self;
    (void)state;
    return ask(r, "config-schema", on_answer);
}

struct try_body { struct ec_part part; struct ec_span yaml; };
static const struct ec_row try_rows[] = {
    { EC_T_TEXT, EC_R_OPT, 0, 0, offsetof(struct try_body, yaml), "yaml", NULL, NULL, NULL, NULL,
      "what the configuration file would have; without it, what the files have now", 0, 262144 },
};
static const struct ec_record try_record = EC_RECORD_PART(struct try_body, try_rows);

static int32_t run_try(void *self, const void *state, struct ec_req *r)
{
    const struct try_body *b = (const void *)r->body;
    struct text word = { 0 };
    int32_t err;

    (void)self;
    (void)state;
    text_puts(&word, "{");
    if (b->part.has) {
        text_key(&word, "yaml");
        text_json(&word, (const char *)ec_bytes(&b->part, b->yaml), b->yaml.len);
    }
    text_puts(&word, "}");
    err = ask_word(r, "config-try", &word, on_answer);
    text_free(&word);
    return err;
}

/* --- changing ---------------------------------------------------------------------------------------------------- */

struct change_body { struct ec_part part; struct ec_list set, reset; };
static const struct ec_row change_rows[] = {
    { EC_T_MAP, 0, 0, 0, offsetof(struct change_body, set), "set", NULL, NULL, NULL, NULL,
      "SECTION.OPTION: text, as --set takes it", 0, 65536 },
    { EC_T_TEXT, EC_R_LIST, 0, 0, offsetof(struct change_body, reset), "reset", NULL, NULL, NULL, NULL,
      "options whose change is taken back, so that the files hold again", 0, 128 },
};
static const struct ec_record change_record = EC_RECORD_PART(struct change_body, change_rows);

static void put_set(struct text *t, const struct ec_part *p, const struct ec_list *l)
{
    text_key(t, "set");
    text_puts(t, "{");
    for (uint32_t i = 0; i < l->n; i++) {
        const struct ec_pair *e = (const void *)((const char *)p + l->off + (size_t)i * l->stride);

        text_comma(t);
        text_json(t, (const char *)ec_bytes(p, e->key), e->key.len);
        text_puts(t, ":");
        text_json(t, (const char *)ec_bytes(p, e->value), e->value.len);
    }
    text_puts(t, "}");
}

static void put_reset(struct text *t, const struct ec_part *p, const struct ec_list *l)
{
    text_key(t, "reset");
    text_puts(t, "[");
    for (uint32_t i = 0; i < l->n; i++) {
        const struct ec_span *e = (const void *)((const char *)p + l->off + (size_t)i * l->stride);

        text_comma(t);
        text_json(t, (const char *)ec_bytes(p, *e), e->len);
    }
    text_puts(t, "]");
}

/* [ctl] The daemon's answer has what was before and what is now: so has the audit log. */
static void on_changed(void *arg, int32_t err, const char *json, uint32_t len)
{
    struct ec_req *r = arg;
    struct text detail = { 0 };

    if (err) {
        message_of(json, len, &detail);
        request_audit(r, "config.change", "failure", NULL, detail.bad ? NULL : detail.p);
        fail(r, err, json, len);
    } else {
        text_add(&detail, json, len < 3000 ? len : 3000);
        text_add(&detail, "", 1);
        if (!r->dry_run)
            request_audit(r, "config.change", "success", NULL, detail.bad ? NULL : detail.p);
        else
            r->audited = true;      /* nothing was changed */
        if (version_of(json, len))
            request_etag(r, version_of(json, len));
        pass(r, 200, json, len);
    }
    text_free(&detail);
}

static int32_t change(struct ec_req *r, bool conditional, uint64_t version)
{
    const struct change_body *b = (const void *)r->body;
    struct text word = { 0 };
    int32_t err;

    text_puts(&word, "{");
    put_set(&word, &b->part, &b->set);
    put_reset(&word, &b->part, &b->reset);
    if (conditional) {
        text_key(&word, "if");
        text_printf(&word, "%" PRIu64, version);
    }
    text_key(&word, "dry_run");
    text_puts(&word, r->dry_run ? "true}" : "false}");
    err = ask_word(r, "config-change", &word, on_changed);
    text_free(&word);
    return err;
}

static void on_change_version(void *arg, int32_t err, const char *json, uint32_t len)
{
    struct ec_req *r = arg;

    if (err)
        fail(r, err, json, len);
    else if (request_match(r, version_of(json, len)) == EC_OK)
        change(r, true, version_of(json, len));
}

static int32_t run_change(void *self, const void *state, struct ec_req *r)
{
    (void)self;
    (void)state;
    if (request_header(r, "If-Match") || request_header(r, "If-None-Match"))
        return ask(r, "config-version", on_change_version);
    return change(r, false, 0);
}

/* --- reloads ----------------------------------------------------------------------------------------------------- */

static int32_t run_reload(void *self, const void *state, struct ec_req *r)
{
    (void)self;
    (void)state;
    return ask(r, "reload", on_accepted);
}

struct name_param { struct ec_part part; struct ec_span name; };
static const struct ec_row name_rows[] = {
    { EC_T_TEXT, 0, 0, 0, offsetof(struct name_param, name), "name", NULL, NULL, NULL, NULL, "of a plugin", 1, 32 },
};
static const struct ec_record name_record = EC_RECORD_PART(struct name_param, name_rows);

/* [ctl] There is such a plugin. Generations are of all plugins together, so that no two disagree. */
static void on_found(void *arg, int32_t err, const char *json, uint32_t len)
{
    if (err == EC_ENOENT || err == EC_EINVAL)
        request_error(arg, 404, "Not Found");
    else if (err)
        fail(arg, err, json, len);
    else
        ask(arg, "reload", on_accepted);
}

static int32_t run_plugin_reload(void *self, const void *state, struct ec_req *r)
{
    const struct name_param *p = (const void *)r->param;
    struct text word = { 0 };
    int32_t err;

    (void)self;
    (void)state;
    text_add(&word, ec_bytes(&p->part, p->name), p->name.len);
    err = ask_word(r, "plugin", &word, on_found);
    text_free(&word);
    return err;
}

#define SHAPE_VERDICT SHAPE_OBJECT("\"valid\":" SHAPE_YES ",\"errors\":" SHAPE_LIST(SHAPE_TEXT), "\"valid\",\"errors\"")
#define SHAPE_CHANGES \
    SHAPE_OBJECT("\"changed\":" SHAPE_LIST(SHAPE_OBJECT("\"option\":" SHAPE_TEXT ",\"before\":{},\"after\":{}," \
                                                         "\"from\":" SHAPE_NULLABLE, "\"option\",\"before\",\"after\",\"from\"")) \
                 ",\"version\":" SHAPE_COUNT, "\"changed\"")
#define SHAPE_ACCEPTED \
    SHAPE_OBJECT("\"generation\":" SHAPE_COUNT ",\"reload\":" SHAPE_RELOAD, "\"generation\",\"reload\"")
#define ROUTE(m, p, id, sum, f, shape) \
    .size = sizeof(struct ec_route), .method = (m), .path = (p), .opid = (id), .summary = (sum), .roles = "admin", \
    .run = (f), .schema = (shape)

static const struct ec_route routes[] = {
    { ROUTE("GET", "/api/system/config", "get_config", "Every option with its value and its place; secrets are masked",
            run_read, SHAPE_CONFIG), .flags = EC_RT_EDITS },
    { ROUTE("GET", "/api/system/config/schema", "get_config_schema", "Every option as JSON Schema", run_schema,
            SHAPE_DOCUMENT) },
    { ROUTE("POST", "/api/system/config/validate", "validate_config", "Would this configuration be taken?", run_try,
            SHAPE_VERDICT), .body = &try_record, .body_max = 300000 },
    { ROUTE("PATCH", "/api/system/config", "change_config", "Change options that need no restart, and reload",
            run_change, SHAPE_CHANGES), .flags = EC_RT_EDITS | EC_RT_ENFORCES, .body = &change_record, .errors = "409,412" },
    { ROUTE("POST", "/api/system/reload", "reload_config", "Read the configuration anew", run_reload, SHAPE_ACCEPTED),
      .status = 202 },
    { ROUTE("POST", "/api/system/plugins/{name}/reload", "reload_plugin",
            "Read the configuration anew, for there is this plugin: a reload is of all together", run_plugin_reload,
            SHAPE_ACCEPTED), .param = &name_record, .status = 202, .errors = "404" },
};

int32_t config_routes(struct server *s, char *why, uint32_t n)
{
    int32_t err = EC_OK;

    for (unsigned i = 0; !err && i < sizeof routes / sizeof routes[0]; i++)
        err = routes_add(&s->routes, s->host, &routes[i], s, why, n);
    return err;
}
