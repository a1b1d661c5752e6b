/* The name of `twin` under another id. */
#include "bad.h"

static const struct ec_plugin bad =
    BAD_DESCRIPTOR("org.example.same_name", "twin", NULL, 0, NULL, 0);
EC_PLUGIN(bad)
