/* Built against a later level of this major. */
#include "bad.h"

static const struct ec_plugin bad = {
    .size = sizeof bad + 64, .abi_major = EC_ABI_MAJOR, .api_level = 99,
    .id = "org.example.future", .name = "future",
};
EC_PLUGIN(bad)
