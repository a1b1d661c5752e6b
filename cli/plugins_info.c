#include "cli/cli.h"

#include <json-c/json.h>
#include <stdio.h>

#include "cli/print.h"

static void print_uses(const struct cli *c, struct json_object *list)
{
    static const char *const head[] = {"USES", "WHEN", "OPTIONAL", "FROM", NULL};
    struct table t;

    table_open(&t, head);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *u = json_object_array_get_idx(list, i);

        table_row(&t,
                  (const char *const[]){get_text(u, "id"), get_text(u, "when"),
                                        json_object_get_boolean(get(u, "optional")) ? "yes" : "no",
                                        get_text(u, "provider")});
    }
    printf("\n");
    table_print(&t, c);
}

static void print_offers(const struct cli *c, struct json_object *list)
{
    static const char *const head[] = {"OFFERS", "KIND", NULL};
    struct table t;

    table_open(&t, head);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *u = json_object_array_get_idx(list, i);

        table_row(&t, (const char *const[]){get_text(u, "id"), get_text(u, "kind")});
    }
    printf("\n");
    table_print(&t, c);
}

static void print_metrics(const struct cli *c, struct json_object *group)
{
    static const char *const head[] = {"METRIC", "#VALUE", NULL};
    struct table t;

    table_open(&t, head);
    json_object_object_foreach(group, name, v)
        table_row(&t, (const char *const[]){name, json_object_get_string(v)});
    printf("\n");
    table_print(&t, c);
}

static void print_people(const struct cli *c, struct json_object *o)
{
    static const char *const keys[] = {"name",    "id",  "version", "summary", "status", "why",
                                       "license", "url", "file",    "abi",     "level"};
    struct json_object *list;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (*get_text(o, keys[i]))
            printf("%-8s %s\n", keys[i], get_text(o, keys[i]));
    if ((list = get(o, "uses")) && json_object_is_type(list, json_type_array) &&
        json_object_array_length(list))
        print_uses(c, list);
    if ((list = get(o, "offers")) && json_object_is_type(list, json_type_array) &&
        json_object_array_length(list))
        print_offers(c, list);
    if ((list = get(o, "metrics")) && json_object_is_type(list, json_type_object) &&
        json_object_object_length(list))
        print_metrics(c, list);
}

int cmd_plugins_info(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *o = cli_ask(c, (const char *const[]){"plugin", args[0], NULL}, &code);

    if (!o)
        return code;
    if (!print_json(c, o)) {
        if (c->form == CLI_TSV)
            print_flat(o);
        else
            print_people(c, o);
    }
    json_object_put(o);
    return print_end();
}
