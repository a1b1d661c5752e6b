#include "cli/api.h"
#include "cli/listing.h"
#include "cli/safe.h"

#include <json-c/json.h>
#include <stdio.h>

static const struct listing columns[] = {
    {"FEATURE", "name"},
    {"#VALUE", "value"},
    {"#NORMAL FROM", "normal_low"},
    {"#TO", "normal_high"},
    {"#CONTRIBUTION", "contribution"},
    {NULL, NULL},
};

static void line(struct json_object *o, const char *label, const char *path)
{
    printf("%-10s ", label);
    safe_print(stdout, get_path_text(o, path));
    putchar('\n');
}

static void explain(const struct cli *c, struct json_object *o)
{
    struct json_object *features = get_path(o, "score.features");

    line(o, "time", "timestamp");
    line(o, "from", "src_ip");
    line(o, "to", "dest_ip");
    line(o, "model", "score.model");
    line(o, "score", "score.score");
    line(o, "threshold", "score.threshold");
    line(o, "verdict", "score.verdict");
    putchar('\n');
    if (json_object_is_type(features, json_type_array))
        listing_print(c, columns, features);
}

int cmd_ml_explain(const struct cli *c, char *const *args)
{
    struct json_object *o;
    struct api_path p;
    int code;

    api_path(&p, "/api/ml/scores");
    api_segment(&p, args[0]);
    o = api_call(c, "GET", p.text, NULL, &code);
    if (!o)
        return code;
    if (!print_json(c, o)) {
        if (c->form == CLI_TSV)
            print_flat(o);
        else
            explain(c, o);
    }
    json_object_put(o);
    return print_end();
}
