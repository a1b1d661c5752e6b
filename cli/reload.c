#include "cli/cli.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <time.h>

#include "cli/print.h"

#define POLLS   600 /* 60 s: the rules of a large set take some seconds to compile */
#define POLL_NS 100000000

static uint64_t ended(struct json_object *o)
{
    return get_number(get(o, "reload"), "done") + get_number(get(o, "reload"), "failed");
}

static int tell(const struct cli *c, struct json_object *o)
{
    struct json_object *r = get(o, "reload");
    const char *why = get_text(r, "why");

    if (*why) {
        fprintf(stderr, "ecyberctl: not reloaded, generation %s stays: %s\n",
                get_text(o, "generation"), why);
        return CLI_BAD_CONFIG;
    }
    if (c->form == CLI_JSON || c->form == CLI_JSONL)
        printf("{\"generation\":%s}\n", get_text(o, "generation"));
    else
        printf("reloaded: generation %s\n", get_text(o, "generation"));
    return print_end();
}

/* Asks, and then waits until the new generation runs or was refused. */
int cmd_reload(const struct cli *c, char *const *args)
{
    const struct timespec pause = {0, POLL_NS};
    int code = CLI_FAILED;
    struct json_object *o = cli_ask(c, (const char *const[]){"status", NULL}, &code);
    uint64_t before;

    (void)args;
    if (!o)
        return code;
    before = ended(o);
    json_object_put(o);
    if (!(o = cli_ask(c, (const char *const[]){"reload", NULL}, &code)))
        return code;
    for (int i = 0; i < POLLS && o && ended(o) == before; i++) {
        json_object_put(o);
        nanosleep(&pause, NULL);
        o = cli_ask(c, (const char *const[]){"status", NULL}, &code);
    }
    if (!o)
        return code;
    if (ended(o) == before) {
        fprintf(stderr, "ecyberctl: the reload has not ended within a minute; 'ecyberctl status' "
                        "shows when it has\n");
        code = CLI_FAILED;
    } else {
        code = tell(c, o);
    }
    json_object_put(o);
    return code;
}
