/* Nothing is wrong with it, but others copy its id and its name. All its callbacks are NULL. */
#include "bad.h"

static const struct ec_plugin bad = BAD_DESCRIPTOR("org.example.twin", "twin", NULL, 0, NULL, 0);
EC_PLUGIN(bad)
