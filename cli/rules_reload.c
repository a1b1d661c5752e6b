#include "cli/api.h"
#include "cli/print.h"
#include "cli/safe.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define POLLS   1200                /* two minutes */
#define POLL_NS 100000000

static int tell(const struct cli *c, struct json_object *o)
{
    int failed = !strcmp(get_text(o, "state"), "failed");
    struct json_object *problems = get(o, "problems");
    size_t n = json_object_is_type(problems, json_type_array) ? json_object_array_length(problems) : 0;

    if (failed) {
        fputs("ecyberctl: not reloaded, the rules stay as they were: ", stderr);
        safe_print(stderr, get_text(o, "why"));
        fputc('\n', stderr);
    }
    if (!print_json(c, o) && !failed) {
        for (size_t i = 0; i < n; i++) {
            safe_print(stdout, json_object_get_string(json_object_array_get_idx(problems, i)));
            putchar('\n');
        }
        printf("reloaded: %s rules are in use, %s have errors, %s ask for what is not known, %s are switched off\n",
               get_text(o, "rules_loaded"), get_text(o, "rules_failed"), get_text(o, "rules_skipped"),
               get_text(o, "rules_disabled"));
    }
    return failed ? CLI_BAD_CONFIG : print_end();
}

int cmd_rules_reload(const struct cli *c, char *const *args)
{
    const struct timespec pause = {0, POLL_NS};
    struct api_path p;
    int code;
    struct json_object *o = api_call(c, "POST", "/api/ids/reload", NULL, &code);

    (void)args;
    if (!o)
        return code;
    api_path(&p, "/api/ids/reloads");
    api_segment(&p, get_text(o, "id"));
    for (int i = 0; i < POLLS && o && !strcmp(get_text(o, "state"), "running"); i++) {
        json_object_put(o);
        nanosleep(&pause, NULL);
        o = api_call(c, "GET", p.text, NULL, &code);
    }
    if (!o)
        return code;
    if (!strcmp(get_text(o, "state"), "running")) {
        fprintf(stderr, "ecyberctl: the reload has not ended within two minutes; GET %s shows when it has\n", p.text);
        code = CLI_FAILED;
    } else {
        code = tell(c, o);
    }
    json_object_put(o);
    return code;
}
