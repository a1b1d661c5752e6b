#include "cli/api.h"
#include "cli/print.h"
#include "cli/users.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int user_number(const struct cli *c, const char *name, char *to, size_t n)
{
    int code;
    struct json_object *all = users_all(c, &code);

    if (!all)
        return code;
    *to = '\0';
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        struct json_object *one = json_object_array_get_idx(all, i);

        if (!strcasecmp(get_text(one, "username"), name))
            snprintf(to, n, "%s", get_text(one, "id"));
    }
    json_object_put(all);
    if (*to)
        return CLI_OK;
    fprintf(stderr, "ecyberctl: there is no user %s\n", name);
    return CLI_NOT_FOUND;
}

struct json_object *user_reset(const struct cli *c, const char *id, struct json_object *body, int *code)
{
    struct api_path p;

    api_path(&p, "/api/users");
    api_segment(&p, id);
    snprintf(p.text + p.n, sizeof p.text - p.n, "/reset-password");
    return api_call(c, "POST", p.text, body, code);
}

int cmd_users_passwd(const struct cli *c, char *const *args)
{
    char id[32], password[PASSWORD_ROOM];
    struct json_object *body, *o;
    int code = user_number(c, args[0], id, sizeof id);

    if (code)
        return code;
    if (password_ask(password))
        return CLI_USAGE;
    body = json_object_new_object();
    json_object_object_add(body, "password", json_object_new_string(password));
    explicit_bzero(password, sizeof password);
    o = user_reset(c, id, body, &code);
    json_object_put(body);
    json_object_put(o);
    if (!code)
        fprintf(stderr, "ecyberctl: %s has another password; whoever was logged in as %s is not any more\n", args[0],
                args[0]);
    return code;
}
