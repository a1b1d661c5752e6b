#include "cli/api.h"
#include "cli/listing.h"

#include <json-c/json.h>

static const struct listing columns[] = {
    {"#ID", "id"},       {"ADDRESS", "address"}, {"STATE", "state"},   {"SINCE", "since"},
    {"UNTIL", "until"},  {"WHO", "who"},         {"REASON", "reason"}, {"NOTE", "note"},
    {NULL, NULL},
};

int cmd_bans(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *o = api_call(c, "GET", "/api/firewall/blocks?limit=1000", NULL, &code), *items;

    (void)args;
    if (!o)
        return code;
    items = items_of(o);
    if (!print_json(c, items))
        listing_print(c, columns, items);
    json_object_put(items);
    return print_end();
}
