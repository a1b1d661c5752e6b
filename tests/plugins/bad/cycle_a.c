/* While running, it needs cycle_b, which needs it. */
#include "bad.h"

static const struct bad_table table = { sizeof table, 0 };
static const struct ec_use uses[] = { BAD_USE(EC_USE_RUN, "org.example.cycle_b/1") };
static const struct ec_offer offers[] = { BAD_OFFER("org.example.cycle_a/1", &table) };
static const struct ec_plugin bad =
    BAD_DESCRIPTOR("org.example.cycle_a", "cycle_a", uses, 1, offers, 1);
EC_PLUGIN(bad)
