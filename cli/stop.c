#include "cli/cli.h"

#include <json-c/json.h>

#include "cli/print.h"

int cmd_stop(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *o = cli_ask(c, (const char *const[]){"stop", NULL}, &code);

    (void)args;
    if (!o)
        return code;
    print_json(c, o);
    json_object_put(o);
    return print_end();
}
