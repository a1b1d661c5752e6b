/* It needs the service that two others offer. */
#include "bad.h"

static const struct ec_use uses[] = { BAD_USE(EC_USE_RUN, "org.example.store/1") };
static const struct ec_plugin bad =
    BAD_DESCRIPTOR("org.example.client", "client", uses, 1, NULL, 0);
EC_PLUGIN(bad)
