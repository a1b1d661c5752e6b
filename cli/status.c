#include "cli/cli.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "cli/account.h"
#include "cli/plugins.h"
#include "cli/print.h"

static void print_metrics(const struct cli *c, struct json_object *all)
{
    static const char *const head[] = {"PLUGIN", "METRIC", "#VALUE", NULL};
    struct table t;
    uint32_t zero = 0;

    table_open(&t, head);
    if (json_object_is_type(all, json_type_object)) {
        json_object_object_foreach(all, owner, group) {
            json_object_object_foreach(group, name, v) {
                if (json_object_get_int64(v))
                    table_row(&t, (const char *const[]){owner, name, json_object_get_string(v)});
                else
                    zero++;
            }
        }
    }
    table_print(&t, c);
    printf("and %u that are 0 (-o tsv shows them)\n", zero);
}

static void print_reload(struct json_object *r)
{
    if (get_number(r, "failed"))
        printf("reloads: %s done, %s failed; the last reason: %s\n", get_text(r, "done"),
               get_text(r, "failed"),
               *get_text(r, "why") ? get_text(r, "why") : "the last one succeeded");
}

static void print_people(const struct cli *c, struct json_object *o)
{
    uint64_t up = get_number(o, "uptime_s");

    printf("eCyber %s, process %s, up %" PRIu64 " h %02" PRIu64 " min %02" PRIu64
           " s, generation %s, %s workers%s\n",
           get_text(o, "version"), get_text(o, "pid"), up / 3600, up / 60 % 60, up % 60,
           get_text(o, "generation"), get_text(o, "workers"),
           json_object_get_boolean(get(o, "degraded")) ? ", DEGRADED: plugins are left out" : "");
    if (*get_text(o, "replay"))
        printf("replay %s\n", get_text(o, "replay"));
    print_reload(get(o, "reload"));
    print_heading(c, "Plugins");
    plugins_print(c, get(o, "plugins"));
    print_heading(c, "Packets");
    account_packets(c, get(o, "packets"));
    print_heading(c, "Events");
    account_events(c, get(o, "events"));
    print_heading(c, "Metrics");
    print_metrics(c, get(o, "metrics"));
}

int cmd_status(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *o = cli_ask(c, (const char *const[]){"status", NULL}, &code);

    (void)args;
    if (!o)
        return code;
    if (!print_json(c, o)) {
        if (c->form == CLI_TSV)
            print_flat(o);
        else
            print_people(c, o);
    }
    json_object_put(o);
    return print_end();
}
