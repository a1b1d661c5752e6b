#include "cli/cli.h"

#include <json-c/json.h>
#include <stdio.h>

#include "cli/account.h"
#include "cli/print.h"

int cmd_drops(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *o = cli_ask(c, (const char *const[]){"drops", NULL}, &code);

    (void)args;
    if (!o)
        return code;
    if (!print_json(c, o)) {
        if (c->form == CLI_TSV) {
            print_flat(o);
        } else {
            if (!json_object_get_boolean(get(o, "exact")))
                printf("a thread did not reach the fence in time: the figures are not of one "
                       "moment\n");
            account_packets(c, get(o, "packets"));
            printf("\n");
            account_events(c, get(o, "events"));
            account_losses(c, get(o, "losses"));
            account_advice(get(o, "advice"));
        }
    }
    json_object_put(o);
    return print_end();
}
