#include "cli/cli.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "cli/print.h"

/* A text as it is, anything else as JSON writes it. */
static const char *value_text(struct json_object *option)
{
    struct json_object *v = get(option, "value");

    return !v || json_object_is_type(v, json_type_string) ? get_text(option, "value")
                                                         : json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN);
}

/* only: "core", "core.log.level", NULL: all. */
static bool is_asked_for(const char *name, const char *only)
{
    size_t n = only ? strlen(only) : 0;

    return !only || (!strncmp(name, only, n) && (!name[n] || name[n] == '.'));
}

static bool is_set(struct json_object *row)
{
    return *get_text(row, "from") && strcmp(get_text(row, "from"), "default");
}

/* {section: {option: …}} to one object by full names, without those that are not asked for. */
static struct json_object *flat(struct json_object *all, const char *only, bool changed)
{
    struct json_object *o = json_object_new_object();

    json_object_object_foreach(all, section, options) {
        json_object_object_foreach(options, option, row) {
            char name[160];

            snprintf(name, sizeof name, "%s.%s", section, option);
            if (is_asked_for(name, only) && (!changed || is_set(row)))
                json_object_object_add(o, name, json_object_get(row));
        }
    }
    return o;
}

static void print_options(const struct cli *c, struct json_object *o)
{
    static const char *const head[] = {"OPTION", "VALUE", "FROM", "CHANGES AT", NULL};
    struct table t;

    table_open(&t, head);
    json_object_object_foreach(o, name, row)
        table_row(&t, (const char *const[]){name, value_text(row), get_text(row, "from"),
                                            json_object_get_boolean(get(row, "live")) ? "reload" : "restart"});
    table_print(&t, c);
}

static int show(const struct cli *c, const char *only, bool changed)
{
    int code;
    struct json_object *all = cli_ask(c, (const char *const[]){"config", NULL}, &code), *o;

    if (!all)
        return code;
    code = CLI_OK;
    o = flat(all, only, changed);
    if (only && !json_object_object_length(o)) {
        fprintf(stderr, "ecyberctl: there is no option '%s'; 'ecyberctl config get' lists them\n", only);
        code = CLI_NOT_FOUND;
    } else if (!print_json(c, o)) {
        print_options(c, o);
    }
    json_object_put(o);
    json_object_put(all);
    return code ? code : print_end();
}

int cmd_config_get(const struct cli *c, char *const *args)
{
    return show(c, args[0], false);
}

int cmd_config_diff(const struct cli *c, char *const *args)
{
    (void)args;
    return show(c, NULL, true);
}
