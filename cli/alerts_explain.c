#include "cli/api.h"
#include "cli/explain.h"
#include "cli/print.h"

#include <json-c/json.h>

int cmd_alerts_explain(const struct cli *c, char *const *args)
{
    struct json_object *o;
    struct api_path p;
    int code;

    api_path(&p, "/api/ids/alerts");
    api_segment(&p, args[0]);
    o = api_call(c, "GET", p.text, NULL, &code);
    if (!o)
        return code;
    if (!print_json(c, o))
        explain_alert(stdout, o);
    json_object_put(o);
    return print_end();
}
