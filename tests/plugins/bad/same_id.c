/* The id of `twin` under another name. */
#include "bad.h"

static const struct ec_plugin bad = BAD_DESCRIPTOR("org.example.twin", "same_id", NULL, 0, NULL, 0);
EC_PLUGIN(bad)
