/* Its descriptor is shorter than level 1's. */
#include "bad.h"

static const struct ec_plugin bad = {
    .size = 40, .abi_major = EC_ABI_MAJOR, .api_level = 1, .id = "org.example.short",
    .name = "short",
};
EC_PLUGIN(bad)
