#include "cli/listing.h"

static const struct listing columns[] = {
    {"TIME", "timestamp"},       {"#FLOW", "flow_id"},
    {"PROTO", "proto"},          {"APP", "app_proto"},
    {"SOURCE", "<"},             {"DESTINATION", ">"},
    {"#TO SERVER", "flow.bytes_toserver"}, {"#TO CLIENT", "flow.bytes_toclient"},
    {"STATE", "flow.state"},     {"REASON", "flow.reason"},
    {NULL, NULL},
};

int cmd_flows(const struct cli *c, char *const *args)
{
    return events_list(c, "/api/network/flows", columns, args);
}
