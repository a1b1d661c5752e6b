#include "cli/api.h"
#include "cli/listing.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { O_COUNT };
const struct cli_option tail_options[] = {{"count", "N", "end after so many"}, {NULL, NULL, NULL}};

struct tail {
    const struct cli *c;
    uint64_t seen, count; /* count 0: no end */
};

static int on_event(void *arg, const char *type, struct json_object *event)
{
    struct tail *t = arg;

    if (!strcmp(type, "gap")) {
        fprintf(stderr, "ecyberctl: %s alerts came faster than they were read, and are left out here\n",
                get_text(event, "dropped"));
        return 0;
    }
    if (strcmp(type, "alert"))
        return 0;
    if (!print_json(t->c, event))
        listing_line(t->c, alert_columns, event, !t->seen);
    t->seen++;
    if (print_end())
        return -CLI_FAILED;
    return t->seen == t->count;
}

int cmd_alerts_tail(const struct cli *c, char *const *args)
{
    const char *count = c->option[O_COUNT];
    struct tail t = {.c = c};

    (void)args;
    if (count && (strspn(count, "0123456789") != strlen(count) || !(t.count = strtoull(count, NULL, 10)))) {
        fprintf(stderr, "ecyberctl: --count is a number from 1 on\n");
        return CLI_USAGE;
    }
    return api_follow(c, "/api/network/events/stream?types=alert", on_event, &t);
}
