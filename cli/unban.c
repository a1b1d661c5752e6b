#include "cli/api.h"
#include "cli/print.h"

#include <json-c/json.h>

int cmd_unban(const struct cli *c, char *const *args)
{
    struct json_object *o;
    struct api_path p;
    int code;

    api_path(&p, "/api/firewall/blocks");
    api_segment(&p, args[0]);
    o = api_call(c, "DELETE", p.text, NULL, &code);
    if (o)
        print_json(c, o);
    json_object_put(o);
    return code ? code : print_end();
}
