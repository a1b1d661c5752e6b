#ifndef CLI_PLUGINS_H
#define CLI_PLUGINS_H
#include "cli/cli.h"

void plugins_print(const struct cli *c, struct json_object *list);     /* one row each */

#endif
