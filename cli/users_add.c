#include "cli/api.h"
#include "cli/print.h"
#include "cli/users.h"

#include <json-c/json.h>
#include <string.h>

enum { O_ROLES, O_EMAIL, O_FULL_NAME, O_KEEP };
const struct cli_option users_add_options[] = {
    {"roles", "ROLE,...", "admin, operator, analyst, viewer, sensor (viewer)"},
    {"email", "ADDRESS", "where to write to"},
    {"full-name", "TEXT", "as people say it"},
    {"keep-password", NULL, "the user need not choose another password at the first log-in"},
    {NULL, NULL, NULL},
};

static void text_add(struct json_object *o, const char *key, const char *text)
{
    if (text)
        json_object_object_add(o, key, json_object_new_string(text));
}

struct json_object *words(const char *text)
{
    struct json_object *list = json_object_new_array();

    for (size_t n; *text; text += n + (text[n] == ',')) {
        n = strcspn(text, ",");
        json_object_array_add(list, json_object_new_string_len(text, (int)n));
    }
    return list;
}

int cmd_users_add(const struct cli *c, char *const *args)
{
    struct json_object *body, *o;
    char password[PASSWORD_ROOM];
    int code;

    if (password_ask(password))
        return CLI_USAGE;
    body = json_object_new_object();
    text_add(body, "username", args[0]);
    text_add(body, "password", password);
    text_add(body, "email", c->option[O_EMAIL]);
    text_add(body, "full_name", c->option[O_FULL_NAME]);
    if (c->option[O_ROLES])
        json_object_object_add(body, "roles", words(c->option[O_ROLES]));
    json_object_object_add(body, "must_change", json_object_new_boolean(!c->option[O_KEEP]));
    explicit_bzero(password, sizeof password);
    o = api_call(c, "POST", "/api/users", body, &code);
    json_object_put(body);
    if (!o)
        return code;
    if (!print_json(c, o))
        print_flat(o);
    json_object_put(o);
    return print_end();
}
