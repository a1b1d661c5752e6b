#include "cli/api.h"
#include "cli/print.h"
#include "cli/rules.h"
#include "cli/safe.h"

#include <json-c/json.h>
#include <stdio.h>

enum { O_DRY };
const struct cli_option rules_change_options[] = {
    {"dry-run", NULL, "only say what would happen"},
    {NULL, NULL, NULL},
};

/* One after the other; the first exit code that is none of success, why was printed. */
static int change(const struct cli *c, char *const *args, const char *verb)
{
    struct json_object *all = json_object_new_array();
    int code = CLI_OK, one;

    for (; *args; args++) {
        struct json_object *o;
        struct api_path p;

        rule_path(&p, *args);
        api_segment(&p, verb);
        if (c->option[O_DRY])
            api_query(&p, "dry_run", "true");
        o = api_call(c, "POST", p.text, NULL, &one);
        if (o)
            json_object_array_add(all, o);
        else if (!code)
            code = one;
    }
    if (!print_json(c, all))
        for (size_t i = 0; i < json_object_array_length(all); i++) {
            struct json_object *o = json_object_array_get_idx(all, i);

            safe_print(stdout, get_text(o, "id"));
            putchar('\t');
            safe_print(stdout, get_text(o, "state"));
            putchar('\t');
            safe_print(stdout, get_text(o, "msg"));
            putchar('\n');
        }
    json_object_put(all);
    one = print_end();
    return code ? code : one;
}

int cmd_rules_enable(const struct cli *c, char *const *args)
{
    return change(c, args, "enable");
}

int cmd_rules_disable(const struct cli *c, char *const *args)
{
    return change(c, args, "disable");
}
