#include "cli/api.h"
#include "cli/listing.h"
#include "cli/users.h"

#include <json-c/json.h>
#include <stdio.h>

static const struct listing columns[] = {
    {"#ID", "id"},         {"NAME", "username"},  {"ROLES", "roles"},       {"ACTIVE", "is_active"},
    {"EMAIL", "email"},    {"FULL NAME", "full_name"}, {"CREATED", "created_at"}, {"CHANGED", "updated_at"},
    {NULL, NULL},
};

struct json_object *users_all(const struct cli *c, int *code)
{
    struct json_object *all = json_object_new_array(), *o, *items;
    struct api_path p;
    char cursor[32] = "";

    do {
        api_path(&p, "/api/users?limit=1000");
        api_query(&p, "cursor", cursor);
        o = api_call(c, "GET", p.text, NULL, code);
        if (!o) {
            json_object_put(all);
            return NULL;
        }
        snprintf(cursor, sizeof cursor, "%s", get_text(o, "next_cursor"));
        items = items_of(o);
        for (size_t i = 0; i < json_object_array_length(items); i++)
            json_object_array_add(all, json_object_get(json_object_array_get_idx(items, i)));
        json_object_put(items);
    } while (*cursor);
    return all;
}

int cmd_users_list(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *all = users_all(c, &code);

    (void)args;
    if (!all)
        return code;
    if (!print_json(c, all))
        listing_print(c, columns, all);
    json_object_put(all);
    return print_end();
}
