#include "cli/cli.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"

/* The daemon has a folder of its own to count from. */
static const char *path_absolute(const char *file, char *buf)
{
    return file && realpath(file, buf) ? buf : file;
}

static int verdict(struct json_object *o)
{
    struct json_object *list = get(o, "errors");
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%s\n", json_object_get_string(json_object_array_get_idx(list, i)));
    return n ? CLI_BAD_CONFIG : CLI_OK;
}

int cmd_config_check(const struct cli *c, char *const *args)
{
    char buf[PATH_MAX];
    int code, ended;
    struct json_object *o =
        cli_ask(c, (const char *const[]){"config-check", path_absolute(args[0], buf), NULL}, &code);

    if (!o)
        return code;
    code = verdict(o);
    if (!print_json(c, o) && code == CLI_OK)
        printf("%s: the configuration is fine\n", get_text(o, "file"));
    json_object_put(o);
    ended = print_end();
    return code ? code : ended;
}
