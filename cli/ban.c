#include "cli/api.h"
#include "cli/print.h"

#include <json-c/json.h>
#include <stdio.h>

enum { O_REASON, O_FOR, O_CAUSE, O_DRY };
const struct cli_option ban_options[] = {
    {"reason", "TEXT", "why, in a sentence"},
    {"for", "TIME", "until it ends by itself: 10m, 1h, 7d (1h)"},
    {"cause", "ID", "the event that caused it"},
    {"dry-run", NULL, "only say what would happen"},
    {NULL, NULL, NULL},
};

int cmd_ban(const struct cli *c, char *const *args)
{
    struct json_object *body = json_object_new_object(), *o;
    int code;

    json_object_object_add(body, "ip", json_object_new_string(args[0]));
    json_object_object_add(body, "reason", json_object_new_string(c->option[O_REASON] ? c->option[O_REASON]
                                                                                      : "by hand, with ecyberctl"));
    if (c->option[O_FOR])
        json_object_object_add(body, "duration", json_object_new_string(c->option[O_FOR]));
    if (c->option[O_CAUSE])
        json_object_object_add(body, "cause", json_object_new_string(c->option[O_CAUSE]));
    if (c->option[O_DRY])
        json_object_object_add(body, "dry_run", json_object_new_boolean(1));
    o = api_call(c, "POST", "/api/firewall/blocks", body, &code);
    json_object_put(body);
    if (!o)
        return code;
    if (!print_json(c, o))
        print_flat(o);
    json_object_put(o);
    return print_end();
}
