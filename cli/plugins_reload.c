/* ecyberctl plugins reload: the API's word for a reload; there is one configuration for all plugins. */
#include "cli/api.h"
#include "cli/print.h"

#include <json-c/json.h>
#include <stdio.h>

int cmd_plugins_reload(const struct cli *c, char *const *args)
{
    struct json_object *o;
    struct api_path p;
    int code;

    api_path(&p, "/api/system/plugins");
    api_segment(&p, args[0]);
    api_segment(&p, "reload");
    o = api_call(c, "POST", p.text, NULL, &code);
    if (code)
        return code;
    if (!o || !print_json(c, o))
        printf("%s: a reload is asked for\n", args[0]);
    json_object_put(o);
    return print_end();
}
