#include "cli/api.h"
#include "cli/listing.h"
#include "cli/rules.h"

#include <stdio.h>
#include <string.h>

static const struct listing columns[] = {
    {"ID", "id"},         {"#REV", "rev"},     {"STATE", "state"},       {"ACTION", "action"}, {"PROTO", "proto"},
    {"#SEV", "severity"}, {"MESSAGE", "msg"},  {"#MATCHES", "matches"},  {"SOURCE", "source"}, {"WHY", "why"},
    {NULL, NULL},
};

int cmd_rules_list(const struct cli *c, char *const *args)
{
    return events_list(c, "/api/rules", columns, args);
}

void rule_path(struct api_path *p, const char *word)
{
    char name[64];

    snprintf(name, sizeof name, "%s%.40s", strchr(word, ':') ? "" : "1:", word);
    api_path(p, "/api/rules");
    api_segment(p, name);
}

int cmd_rules_show(const struct cli *c, char *const *args)
{
    struct api_path p;

    rule_path(&p, args[0]);
    return object_show(c, p.text);
}
