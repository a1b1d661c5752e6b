#include "cli/api.h"
#include "cli/print.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum { O_DRY };
const struct cli_option config_change_options[] = {
    {"dry-run", NULL, "only say what would change"},
    {NULL, NULL, NULL},
};

static void print_changes(const struct cli *c, struct json_object *list)
{
    static const char *const head[] = {"OPTION", "BEFORE", "AFTER", "FROM", NULL};
    struct table t;

    table_open(&t, head);
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *o = json_object_array_get_idx(list, i);

        table_row(&t, (const char *const[]){get_text(o, "option"), get_text(o, "before"), get_text(o, "after"),
                                            get_text(o, "from")});
    }
    table_print(&t, c);
}

static int change(const struct cli *c, struct json_object *body)
{
    const char *path = c->option[O_DRY] ? "/api/system/config?dry_run=true" : "/api/system/config";
    int code;
    struct json_object *o = api_call(c, "PATCH", path, body, &code);

    json_object_put(body);
    if (!o)
        return code;
    if (!print_json(c, o))
        print_changes(c, get(o, "changed"));
    json_object_put(o);
    return print_end();
}

int cmd_config_set(const struct cli *c, char *const *args)
{
    struct json_object *body = json_object_new_object(), *set = json_object_new_object();

    json_object_object_add(body, "set", set);
    for (; *args; args++) {
        const char *equals = strchr(*args, '=');
        char name[160];

        if (!equals || equals - *args >= (int)sizeof name) {
            fprintf(stderr, "ecyberctl: '%s' is no SECTION.OPTION=VALUE\n", *args);
            json_object_put(body);
            return CLI_USAGE;
        }
        snprintf(name, sizeof name, "%.*s", (int)(equals - *args), *args);
        json_object_object_add(set, name, json_object_new_string(equals + 1));
    }
    return change(c, body);
}

int cmd_config_reset(const struct cli *c, char *const *args)
{
    struct json_object *body = json_object_new_object(), *list = json_object_new_array();

    json_object_object_add(body, "set", json_object_new_object());
    json_object_object_add(body, "reset", list);
    for (; *args; args++)
        json_object_array_add(list, json_object_new_string(*args));
    return change(c, body);
}
