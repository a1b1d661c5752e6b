#include "cli/api.h"
#include "cli/listing.h"

int cmd_alerts_show(const struct cli *c, char *const *args)
{
    struct api_path p;

    api_path(&p, "/api/ids/alerts");
    api_segment(&p, args[0]);
    return object_show(c, p.text);
}
