#include "cli/api.h"
#include "cli/print.h"
#include "cli/safe.h"

#include <json-c/json.h>
#include <stdio.h>

enum { O_NOTE };
const struct cli_option alerts_change_options[] = {
    {"note", "TEXT", "why, in a sentence; also -m TEXT"},
    {NULL, NULL, NULL},
};

/* Those that were not changed, on stderr. How many. */
static size_t print_failed(struct json_object *o)
{
    struct json_object *failed = get(o, "failed");
    size_t n = json_object_is_type(failed, json_type_array) ? json_object_array_length(failed) : 0;

    for (size_t i = 0; i < n; i++) {
        struct json_object *one = json_object_array_get_idx(failed, i);

        fputs("ecyberctl: ", stderr);
        safe_print(stderr, get_text(one, "id"));
        fputs(": ", stderr);
        safe_print(stderr, get_text(one, "detail"));
        fputc('\n', stderr);
    }
    return n;
}

static int change(const struct cli *c, char *const *args, const char *state)
{
    struct json_object *body = json_object_new_object(), *ids = json_object_new_array(), *o;
    size_t failed;
    int code;

    for (; *args; args++)
        json_object_array_add(ids, json_object_new_string(*args));
    json_object_object_add(body, "ids", ids);
    json_object_object_add(body, "state", json_object_new_string(state));
    if (c->option[O_NOTE])
        json_object_object_add(body, "note", json_object_new_string(c->option[O_NOTE]));
    o = api_call(c, "POST", "/api/ids/alerts/bulk", body, &code);
    json_object_put(body);
    if (!o)
        return code;
    if (!print_json(c, o))
        printf("%llu %s\n", (unsigned long long)get_number(o, "changed"), state);
    failed = print_failed(o);
    json_object_put(o);
    code = print_end();
    return failed ? CLI_NOT_FOUND : code;
}

int cmd_alerts_ack(const struct cli *c, char *const *args)
{
    return change(c, args, "acknowledged");
}

int cmd_alerts_close(const struct cli *c, char *const *args)
{
    return change(c, args, "closed");
}

int cmd_alerts_dismiss(const struct cli *c, char *const *args)
{
    return change(c, args, "false_positive");
}

int cmd_alerts_reopen(const struct cli *c, char *const *args)
{
    return change(c, args, "open");
}
