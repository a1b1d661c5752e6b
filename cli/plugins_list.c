#include "cli/plugins.h"

#include <json-c/json.h>

#include "cli/print.h"

void plugins_print(const struct cli *c, struct json_object *list)
{
    static const char *const head[] = {"NAME", "VERSION", "STATUS", "SUMMARY", "WHY", NULL};
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    struct table t;

    table_open(&t, head);
    for (size_t i = 0; i < n; i++) {
        struct json_object *p = json_object_array_get_idx(list, i);

        table_row(&t, (const char *const[]){get_text(p, "name"), get_text(p, "version"),
                                            get_text(p, "status"), get_text(p, "summary"),
                                            get_text(p, "why")});
    }
    table_print(&t, c);
}

int cmd_plugins_list(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *o = cli_ask(c, (const char *const[]){"plugins", NULL}, &code);

    (void)args;
    if (!o)
        return code;
    if (!print_json(c, o))
        plugins_print(c, o);
    json_object_put(o);
    return print_end();
}
