#include "cli/account.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "cli/print.h"

static size_t length(struct json_object *list)
{
    return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

void account_packets(const struct cli *c, struct json_object *list)
{
    static const char *const head[] = {
        "WORKER",       "SOURCE",    "#SEEN",    "#DELIVERED",          "#LOST BY KERNEL",
        "#LOST BY NIC", "#FILTERED", "#DAMAGED", "#DROPPED BY VERDICT", NULL};
    static const char *const key[] = {"seen",     "delivered", "lost_kernel",
                                      "lost_nic", "filtered",  "bad"};
    struct table t;

    table_open(&t, head);
    for (size_t i = 0; i < length(list); i++) {
        struct json_object *w = json_object_array_get_idx(list, i), *s = get(w, "source");
        const char *cell[9] = {get_text(w, "worker"), get_text(w, "status")};


        for (int k = 0; k < 6; k++)
            cell[2 + k] = get_text(s, key[k]);
        cell[8] = get_text(w, "dropped_by_verdict");
        table_row(&t, cell);
    }
    table_print(&t, c);
}

/* "queue 5, arena 2": the reasons that occurred, and their sum. */
static uint64_t reasons(struct json_object *dropped, char *text, size_t n)
{
    uint64_t sum = 0;
    size_t at = 0;

    *text = '\0';
    if (!json_object_is_type(dropped, json_type_object))
        return 0;
    json_object_object_foreach(dropped, key, v) {
        uint64_t some = json_object_get_uint64(v);

        sum += some;
        if (some && at < n)
            at += (size_t)snprintf(text + at, n - at, "%s%s %" PRIu64, at ? ", " : "", key, some);
    }
    return sum;
}

void account_events(const struct cli *c, struct json_object *list)
{
    static const char *const head[] = {"SUBSCRIBER", "TOPIC",    "PUBLISHER", "#IN", "#OUT",
                                       "#QUEUED",    "#DROPPED", "WHY",       NULL};
    struct table t;

    table_open(&t, head);
    for (size_t i = 0; i < length(list); i++) {
        struct json_object *r = json_object_array_get_idx(list, i);
        char why[512], sum[24];

        snprintf(sum, sizeof sum, "%" PRIu64, reasons(get(r, "dropped"), why, sizeof why));
        table_row(&t, (const char *const[]){*get_text(r, "plugin") ? get_text(r, "plugin")
                                                                   : "(published)",
                                            *get_text(r, "topic") ? get_text(r, "topic") : "*",
                                            get_text(r, "publisher"), get_text(r, "in"),
                                            get_text(r, "out"), get_text(r, "queued"), sum, why});
    }
    table_print(&t, c);
}

void account_losses(const struct cli *c, struct json_object *list)
{
    static const char *const head[] = { "PLUGIN", "REASON", "#LOST", "UNIT", "WHY", NULL };
    struct table t;

    if (!length(list))
        return;
    printf("\n");
    table_open(&t, head);
    for (size_t i = 0; i < length(list); i++) {
        struct json_object *r = json_object_array_get_idx(list, i);

        table_row(&t, (const char *const[]){ get_text(r, "plugin"), get_text(r, "reason"), get_text(r, "n"),
                                             get_text(r, "unit"), get_text(r, "why") });
    }
    table_print(&t, c);
}

void account_advice(struct json_object *list)
{
    for (size_t i = 0; i < length(list); i++)
        printf("%s%s.\n", i ? "" : "\n", json_object_get_string(json_object_array_get_idx(list, i)));
}
