#include "cli/api.h"
#include "cli/listing.h"

#include <json-c/json.h>

static const struct listing host_columns[] = {
    {"ADDRESS", "ip"},  {"#SENT", "bytes_sent"}, {"#RECEIVED", "bytes_received"}, {"#PACKETS OUT", "packets_sent"},
    {"#PACKETS IN", "packets_received"}, {"#FLOWS", "flows"}, {"#ALERTS", "alerts"}, {"FIRST", "first_seen"},
    {"LAST", "last_seen"}, {NULL, NULL},
};
static const struct listing flow_columns[] = {
    {"#FLOW", "flow_id"}, {"PROTO", "proto"}, {"APP", "app_proto"}, {"SOURCE", "<"}, {"DESTINATION", ">"},
    {"#TO SERVER", "bytes_toserver"}, {"#TO CLIENT", "bytes_toclient"}, {"STATE", "state"}, {"LAST", "last"},
    {NULL, NULL},
};

static int list(const struct cli *c, const char *path, const struct listing *columns)
{
    int code;
    struct json_object *o = api_call(c, "GET", path, NULL, &code), *items;

    if (!o)
        return code;
    items = items_of(o);
    if (!print_json(c, items))
        listing_print(c, columns, items);
    json_object_put(items);
    return print_end();
}

int cmd_top(const struct cli *c, char *const *args)
{
    (void)args;
    return list(c, "/api/network/devices?sort=bytes&limit=20", host_columns);
}

int cmd_devices(const struct cli *c, char *const *args)
{
    (void)args;
    return list(c, "/api/network/devices?sort=last_seen&limit=1000", host_columns);
}

int cmd_connections(const struct cli *c, char *const *args)
{
    (void)args;
    return list(c, "/api/network/connections?limit=1000", flow_columns);
}
