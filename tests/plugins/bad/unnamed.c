/* Its name could be no section of a configuration. */
#include "bad.h"

static const struct ec_plugin bad =
    BAD_DESCRIPTOR("org.example.unnamed", "Un-Named", NULL, 0, NULL, 0);
EC_PLUGIN(bad)
