/* It offers a packet stage without the function that the core calls. */
#include "bad.h"

#include <ecyber/ext/stage.h>

static const struct ec_stage stage = { .size = sizeof stage };
static const struct ec_offer offers[] = { BAD_OFFER(EC_STAGE_ID, &stage) };
static const struct ec_plugin bad =
    BAD_DESCRIPTOR("org.example.null_callback", "null_callback", NULL, 0, offers, 1);
EC_PLUGIN(bad)
