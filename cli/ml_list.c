#include "cli/api.h"
#include "cli/listing.h"
#include "cli/safe.h"

#include <json-c/json.h>
#include <stdio.h>

static const struct listing columns[] = {
    {"ID", "id"},           {"ACTIVE", "active"}, {"#THRESHOLD", "threshold"}, {"#TREES", "trees"},
    {"TRAINED", "trained"}, {"#ROWS", "rows"},    {"ABOUT", "about"},          {NULL, NULL},
};

int cmd_ml_list(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *o = api_call(c, "GET", "/api/ml/models", NULL, &code), *items;

    (void)args;
    if (!o)
        return code;
    if (*get_text(o, "problem")) {
        fputs("ecyberctl: ", stderr);
        safe_print(stderr, get_text(o, "problem"));
        fputc('\n', stderr);
    }
    items = items_of(o);
    if (!print_json(c, items))
        listing_print(c, columns, items);
    json_object_put(items);
    return print_end();
}
