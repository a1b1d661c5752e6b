/* It needs what nobody offers. */
#include "bad.h"

static const struct ec_use uses[] = { BAD_USE(EC_USE_RUN, "org.example.nowhere/1") };
static const struct ec_plugin bad =
    BAD_DESCRIPTOR("org.example.orphan", "orphan", uses, 1, NULL, 0);
EC_PLUGIN(bad)
