/* It offers a service that provider_b offers as well. */
#include "bad.h"

static const struct bad_table table = { sizeof table, 0 };
static const struct ec_offer offers[] = { BAD_OFFER("org.example.store/1", &table) };
static const struct ec_plugin bad =
    BAD_DESCRIPTOR("org.example.provider_a", "provider_a", NULL, 0, offers, 1);
EC_PLUGIN(bad)
