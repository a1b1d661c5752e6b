/* ecyberctl apikeys: keys belong to users, who make them over the API; whoever has the machine sees and ends them. */
#include "cli/api.h"
#include "cli/listing.h"
#include "cli/users.h"

#include <json-c/json.h>
#include <stdio.h>

static const struct listing columns[] = {
    {"#ID", "id"},           {"NAME", "name"},    {"ROLES", "roles"},     {"CREATED", "created_at"},
    {"EXPIRES", "expires_at"}, {"USED", "used_at"}, {"FROM", "used_from"}, {NULL, NULL},
};

int cmd_apikeys_list(const struct cli *c, char *const *args)
{
    struct json_object *o, *items;
    struct api_path p;
    char id[32];
    int code = user_number(c, args[0], id, sizeof id);

    if (code)
        return code;
    api_path(&p, "/api/users");
    api_segment(&p, id);
    api_segment(&p, "apikeys");
    if (!(o = api_call(c, "GET", p.text, NULL, &code)))
        return code;
    items = items_of(o);
    if (!print_json(c, items))
        listing_print(c, columns, items);
    json_object_put(items);
    return print_end();
}

int cmd_apikeys_delete(const struct cli *c, char *const *args)
{
    int code = CLI_OK;

    for (; *args && !code; args++) {
        struct api_path p;

        api_path(&p, "/api/auth/apikeys");
        api_segment(&p, *args);
        json_object_put(api_call(c, "DELETE", p.text, NULL, &code));
    }
    return code ? code : print_end();
}
