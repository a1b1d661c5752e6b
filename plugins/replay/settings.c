#include "plugins/replay/settings.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json_object *member(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;

    return json_object_object_get_ex(o, name, &v) ? v : NULL;
}

/* "pcre.match_limit" is match_limit of pcre. v is taken. */
static void put(struct json_object *to, const char *name, struct json_object *v)
{
    const char *dot = strchr(name, '.');
    struct json_object *group;
    char word[64];

    if (!dot) {
        json_object_object_add(to, name, v);
        return;
    }
    snprintf(word, sizeof word, "%.*s", (int)(dot - name), name);
    if (!(group = member(to, word))) {
        group = json_object_new_object();
        json_object_object_add(to, word, group);
    }
    put(group, dot + 1, v);
}

/* The options of a plugin that have a value, as they are in force. */
static struct json_object *section(struct json_object *live, const char *name)
{
    struct json_object *to = json_object_new_object(), *from = member(live, name);

    if (!json_object_is_type(from, json_type_object))
        return to;
    json_object_object_foreach(from, option, slot) {
        struct json_object *v = member(slot, "value");

        if (v)
            put(to, option, json_object_get(v));
    }
    return to;
}

static struct json_object *text(const char *s) { return json_object_new_string(s); }

static struct json_object *core(struct json_object *live, const struct settings *s)
{
    static const char *const always[] = { "capture", "traffic", "ids", "eve" };
    struct json_object *o = json_object_new_object(), *plugins = json_object_new_array();
    struct json_object *dirs = member(member(member(live, "core"), "plugin_dirs"), "value");
    char state[4096];

    if (dirs)
        json_object_object_add(o, "plugin_dirs", json_object_get(dirs));
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        json_object_array_add(plugins, text(always[i]));
    for (uint32_t i = 0; i < s->n_plugin; i++)
        json_object_array_add(plugins, text(s->plugins[i]));
    json_object_object_add(o, "plugins", plugins);
    snprintf(state, sizeof state, "%s/state", s->folder);
    json_object_object_add(o, "state_dir", text(state));
    put(o, "log.format", text("json"));
    put(o, "log.to", text("stderr"));
    put(o, "log.rate", json_object_new_int(0));
    return o;
}

static struct json_object *rules(struct json_object *live, const struct settings *s)
{
    struct json_object *o = section(live, "ids"), *files;

    if (!s->rules)
        return o;
    files = json_object_new_array();
    json_object_array_add(files, text(s->rules));
    json_object_object_add(o, "rule_files", files);
    json_object_object_del(o, "rules_dir");
    return o;
}

static struct json_object *events(const struct settings *s)
{
    struct json_object *o = json_object_new_object(), *types;

    put(o, "to", text("file"));
    put(o, "file", text("events.json"));
    put(o, "rotate_size", json_object_new_int(0));
    if (!s->rules)
        return o;
    types = json_object_new_array();
    json_object_array_add(types, text("alert"));
    put(o, "types", types);
    return o;
}

char *settings_make(const char *live, const struct settings *s, char *why, size_t n)
{
    struct json_object *from = live ? json_tokener_parse(live) : NULL, *o = json_object_new_object(), *traffic;
    char *made;

    if (!json_object_is_type(from, json_type_object) || !o) {
        snprintf(why, n, "the daemon's configuration cannot be read");
        json_object_put(from);
        json_object_put(o);
        return NULL;
    }
    json_object_object_add(o, "core", core(from, s));
    json_object_object_add(o, "eve", events(s));
    json_object_object_add(o, "ids", rules(from, s));
    traffic = section(from, "traffic");
    put(traffic, "memcap", json_object_new_int64((int64_t)(s->memory / 4)));
    put(traffic, "stream.memcap", json_object_new_int64((int64_t)(s->memory / 32)));
    json_object_object_add(o, "traffic", traffic);
    for (uint32_t i = 0; i < s->n_plugin; i++)
        json_object_object_add(o, s->plugins[i], section(from, s->plugins[i]));
    made = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(from);
    json_object_put(o);
    if (!made)
        snprintf(why, n, "out of memory");
    return made;
}

char *settings_state_dir(const char *live)
{
    struct json_object *o = live ? json_tokener_parse(live) : NULL;
    struct json_object *v = member(member(member(o, "core"), "state_dir"), "value");
    char *found = json_object_is_type(v, json_type_string) ? strdup(json_object_get_string(v)) : NULL;

    json_object_put(o);
    return found;
}
