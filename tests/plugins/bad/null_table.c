/* It announces three uses, and its table is NULL. */
#include "bad.h"

static const struct ec_plugin bad =
    BAD_DESCRIPTOR("org.example.null_table", "null_table", NULL, 3, NULL, 0);
EC_PLUGIN(bad)
