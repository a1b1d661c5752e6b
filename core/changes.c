#include "core/changes.h"

#include "core/conf/conf.h"
#include "core/conf/conf_json.h"
#include "core/control/control.h"
#include "core/daemon.h"
#include "core/log/log.h"
#include "core/plan.h"
#include "core/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGES_MAX 256             /* options in one request */
#define FILE_MAX (1u << 20)

static struct daemon *d;            /* commands carry no argument of their own */

static struct change {              /* one at a time */
    struct control_later *later;    /* NULL: none is under way */
    struct json_object *reply;
    char *before;                   /* of the file; NULL: there was none */
} under_way;

/* --- the file ---------------------------------------------------------------------------------------------------- */

/* NULL: there is none, or it cannot be read; then the configuration was not, either. */
static char *file_read(void)
{
    FILE *f = fopen(daemon_changes(d), "re");
    char *text = f ? calloc(1, FILE_MAX + 1) : NULL;

    if (text)
        text[fread(text, 1, FILE_MAX, f)] = '\0';
    if (f)
        fclose(f);
    return text;
}

static int folder_sync(const char *path)
{
    char folder[4096];
    int fd, rc;

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* JSON is YAML, and keeps one option a line. text NULL: the file goes. 0, or −1 with errno. */
static int file_write(const char *text)
{
    const char *path = daemon_changes(d);
    char draft[4096];
    FILE *f;
    int rc;

    if (!text)
        return unlink(path) && errno != ENOENT ? -1 : folder_sync(path);
    snprintf(draft, sizeof draft, "%s.new", path);
    if (!(f = fopen(draft, "we")))
        return -1;
    rc = fputs(text, f) < 0 || fputc('\n', f) == EOF || fflush(f) || fsync(fileno(f)) ? -1 : 0;
    rc |= fclose(f);
    return rc || strlen(text) > FILE_MAX || rename(draft, path) || folder_sync(path) ? -1 : 0;
}

/* --- what is asked ----------------------------------------------------------------------------------------------- */

static void add_sentence(const char *sentence, void *arg)
{
    json_object_array_add(arg, json_object_new_string(sentence));
}

static struct json_object *argument(char *const *args, char *why, uint32_t n)
{
    struct json_object *o = args[0] ? json_tokener_parse(args[0]) : NULL;

    if (json_object_is_type(o, json_type_object))
        return o;
    json_object_put(o);
    control_error(CONTROL_USAGE);
    snprintf(why, n, "one word is expected, a JSON object");
    return NULL;
}

/* Of all values and their places: FNV-1a, and as many bits as a JSON number has. */
static uint64_t version_of(const struct conf *c)
{
    struct json_object *o = conf_json(c);
    const char *text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : "";
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    json_object_put(o);
    return hash >> 12;
}

static struct json_object *on_version(char *const *args, char *why, uint32_t n)
{
    struct json_object *o = json_object_new_object();

    (void)args;
    (void)why;
    (void)n;
    json_object_object_add(o, "version", json_object_new_uint64(version_of(plan_current()->conf)));
    return o;
}

static struct json_object *on_schema(char *const *args, char *why, uint32_t n)
{
    (void)args;
    (void)why;
    (void)n;
    return conf_schema(plan_current()->conf);
}

static struct json_object *verdict(struct conf *c, struct json_object *errors)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "valid", json_object_new_boolean(c != NULL));
    json_object_object_add(o, "errors", errors);
    if (c)
        conf_free(c);
    return o;
}

/* {"yaml": text}: would the configuration file with this text be taken? */
static struct json_object *on_try(char *const *args, char *why, uint32_t n)
{
    struct json_object *in = argument(args, why, n), *o, *errors;
    struct daemon_conf_with with = { 0 };

    if (!in)
        return NULL;
    with.text = json_object_get_string(json_object_object_get(in, "yaml"));
    errors = json_object_new_array();
    o = verdict(daemon_conf_load(d, with.text ? &with : NULL, add_sentence, errors), errors);
    json_object_put(in);
    return o;
}

/* --- a change ---------------------------------------------------------------------------------------------------- */

/* What the file would have: a copy of it with `set` put in and `reset` taken out. NULL: it is no JSON. */
static struct json_object *merged(struct json_object *in)
{
    char *text = file_read();
    struct json_object *o = text ? json_tokener_parse(text) : json_object_new_object();
    struct json_object *list = json_object_object_get(in, "reset");

    free(text);
    if (!json_object_is_type(o, json_type_object)) {
        json_object_put(o);
        return NULL;
    }
    json_object_object_foreach(json_object_object_get(in, "set"), option, value)
        json_object_object_add(o, option, json_object_get(value));
    for (size_t i = 0; list && i < json_object_array_length(list); i++)
        json_object_object_del(o, json_object_get_string(json_object_array_get_idx(list, i)));
    return o;
}

static bool is_shaped(struct json_object *in)
{
    struct json_object *set = json_object_object_get(in, "set"), *reset = json_object_object_get(in, "reset");
    size_t n = 0;

    if (!json_object_is_type(set, json_type_object) || (reset && !json_object_is_type(reset, json_type_array)))
        return false;
    json_object_object_foreach(set, option, value)
        n += *option && json_object_is_type(value, json_type_string) ? 1 : CHANGES_MAX + 1;
    for (size_t i = 0; reset && i < json_object_array_length(reset); i++)
        n += json_object_is_type(json_object_array_get_idx(reset, i), json_type_string) ? 1 : CHANGES_MAX + 1;
    return n && n <= CHANGES_MAX;
}

/* The option of conf_json(): {"value", "from", "live"}. NULL: there is none. */
static struct json_object *shown(struct json_object *all, const char *option)
{
    const char *dot = strchr(option, '.');
    char section[64];
    struct json_object *s;

    if (!dot || (size_t)(dot - option) >= sizeof section)
        return NULL;
    snprintf(section, sizeof section, "%.*s", (int)(dot - option), option);
    return json_object_object_get_ex(all, section, &s) ? json_object_object_get(s, dot + 1) : NULL;
}

static void note_change(struct json_object *list, const char *option, struct json_object *old, struct json_object *new)
{
    struct json_object *o = json_object_new_object();
    struct json_object *a = shown(old, option), *b = shown(new, option);

    json_object_object_add(o, "option", json_object_new_string(option));
    json_object_object_add(o, "before", json_object_get(json_object_object_get(a, "value")));
    json_object_object_add(o, "after", json_object_get(json_object_object_get(b, "value")));
    json_object_object_add(o, "from", json_object_get(json_object_object_get(b, "from")));
    json_object_array_add(list, o);
}

/* Something that is said behind the file goes before it: then nothing would change, and nobody would know why. */
static bool is_masked(struct json_object *in, struct json_object *new, char *why, uint32_t n)
{
    const char *path = daemon_changes(d);

    json_object_object_foreach(json_object_object_get(in, "set"), option, value) {
        const char *from = json_object_get_string(json_object_object_get(shown(new, option), "from"));

        (void)value;
        if (from && strncmp(from, path, strlen(path))) {
            snprintf(why, n, "%s cannot be changed here, for it is set by %s, which goes before", option, from);
            return true;
        }
    }
    return false;
}

static struct json_object *changes_of(struct json_object *in, const struct conf *c)
{
    struct json_object *list = json_object_new_array(), *reset = json_object_object_get(in, "reset");
    struct json_object *old = conf_json(plan_current()->conf), *new = conf_json(c), *o = json_object_new_object();

    json_object_object_foreach(json_object_object_get(in, "set"), option, value) {
        (void)value;
        note_change(list, option, old, new);
    }
    for (size_t i = 0; reset && i < json_object_array_length(reset); i++)
        note_change(list, json_object_get_string(json_object_array_get_idx(reset, i)), old, new);
    json_object_object_add(o, "changed", list);
    json_object_put(old);
    json_object_put(new);
    return o;
}

/* [ctl] The reload that took the change has ended. */
static void on_reloaded(bool fine, const char *why, void *arg)
{
    struct change done = under_way;

    (void)arg;
    if (!done.later)
        return;
    memset(&under_way, 0, sizeof under_way);
    if (fine) {
        json_object_object_add(done.reply, "version", json_object_new_uint64(version_of(plan_current()->conf)));
        control_finish(done.later, done.reply);
    } else {
        if (file_write(done.before))
            LOG(EC_LOG_ERROR, "%s: what was refused could not be taken back: %s", daemon_changes(d), strerror(errno));
        control_fail(done.later, why ? CONTROL_BAD_CONFIG : CONTROL_FAILED, why ? why : "the daemon ends");
        json_object_put(done.reply);
    }
    free(done.before);
}

static bool begin(const char *text, struct json_object *reply, char *why, uint32_t n)
{
    char *before = file_read();

    if (file_write(text)) {
        snprintf(why, n, "%s cannot be written: %s", daemon_changes(d), strerror(errno));
        free(before);
        return false;
    }
    if (!(under_way.later = control_later()) || reload_then(on_reloaded, NULL)) {
        snprintf(why, n, "the daemon ends");
        if (under_way.later)
            control_forget(under_way.later);
        under_way.later = NULL;
        file_write(before);
        free(before);
        return false;
    }
    under_way.reply = reply;
    under_way.before = before;
    reload_request("a change of the configuration");
    return true;
}

static bool is_current(struct json_object *in, char *why, uint32_t n)
{
    struct json_object *version = json_object_object_get(in, "if");

    if (!version || json_object_get_uint64(version) == version_of(plan_current()->conf))
        return true;
    control_error(CONTROL_REFUSED);
    snprintf(why, n, "the configuration was changed by somebody else: read it again");
    return false;
}

/* NULL: it was begun, or why says why not. */
static struct json_object *change(struct json_object *in, struct json_object *file, char *why, uint32_t n)
{
    const char *text = json_object_to_json_string_ext(file, JSON_C_TO_STRING_PRETTY);
    struct daemon_conf_with with = { .changes = text };
    struct json_object *errors = json_object_new_array(), *new = NULL, *reply = NULL;
    struct conf *c = daemon_conf_load(d, &with, add_sentence, errors);
    bool dry = json_object_get_boolean(json_object_object_get(in, "dry_run"));

    control_error(CONTROL_BAD_CONFIG);
    if (!c)
        snprintf(why, n, "%s", json_object_get_string(json_object_array_get_idx(errors, 0)));
    else if (!is_masked(in, new = conf_json(c), why, n))
        reply = changes_of(in, c);
    if (reply && !dry) {
        control_error(CONTROL_FAILED);
        if (!begin(text, reply, why, n))
            json_object_put(reply);
        reply = NULL;
    }
    json_object_put(new);
    json_object_put(errors);
    if (c)
        conf_free(c);
    return reply;
}

/* {"set": {option: text}, "reset": [option], "if": version, "dry_run": bool} */
static struct json_object *on_change(char *const *args, char *why, uint32_t n)
{
    struct json_object *in = argument(args, why, n), *file, *reply = NULL;

    if (!in)
        return NULL;
    control_error(CONTROL_FAILED);
    if (!is_shaped(in)) {
        control_error(CONTROL_USAGE);
        snprintf(why, n, "1 to %d options are expected, as in {\"set\": {\"core.log.level\": \"debug\"}}", CHANGES_MAX);
    } else if (!d->state_dir || !daemon_changes(d)) {
        snprintf(why, n, "there is no state folder to keep changes in");
    } else if (under_way.later) {
        snprintf(why, n, "another change is under way; try again");
    } else if (is_current(in, why, n)) {
        if ((file = merged(in)))
            reply = change(in, file, why, n);
        else
            snprintf(why, n, "%s was written by hand and is no JSON object: write it so, or remove it",
                     daemon_changes(d));
        json_object_put(file);
    }
    json_object_put(in);
    return reply;
}

void changes_close(void)
{
    on_reloaded(false, NULL, NULL);
}

void changes_commands(struct daemon *of)
{
    d = of;
    control_command("config-version", "a number that changes with any option", on_version);
    control_command("config-schema", "every option as JSON Schema", on_schema);
    control_command("config-try", "{\"yaml\": TEXT}: check a text in place of the configuration file", on_try);
    control_command("config-change", "{\"set\": {OPTION: TEXT}, \"reset\": [OPTION], \"if\": VERSION, \"dry_run\": BOOL}: "
                    "change live options", on_change);
}
