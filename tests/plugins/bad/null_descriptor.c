/* Its entry gives nothing. */
#include "bad.h"

EC_EXPORT const struct ec_plugin *ec_plugin_entry_1(void);
EC_EXPORT const struct ec_plugin *ec_plugin_entry_1(void)
{
    return NULL;
}
