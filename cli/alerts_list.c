#include "cli/listing.h"

const struct listing alert_columns[] = {
    {"TIME", "timestamp"},
    {"#ID", "id"},
    {"#SEV", "alert.severity"},
    {"#SID", "alert.signature_id"},
    {"SIGNATURE", "alert.signature"},
    {"SOURCE", "<"},
    {"DESTINATION", ">"},
    {"FROM", "ecyber.geoip.src.country"},
    {"ACTION", "alert.action"},
    {NULL, NULL},
};

int cmd_alerts_list(const struct cli *c, char *const *args)
{
    return events_list(c, "/api/ids/alerts", alert_columns, args);
}
