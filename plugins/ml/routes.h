/* routes.h: /api/ml: what models are in use, what features there are, and, answered from the store, their scores. */
#ifndef ML_ROUTES_H
#define ML_ROUTES_H
#include "plugins/ml/sdk.h"
#include <ecyber/ext/http.h>

#include "plugins/ml/model.h"

struct ml_state {                   /* of one generation, immutable */
    struct model *model;            /* NULL: none is in use, and why says why */
    double threshold;
    uint64_t alert_window_ns;       /* 0: each score above the threshold is an alert */
    uint32_t every;                 /* 1: publish scores below the threshold too */
    uint32_t reserved;
    char why[512];
};

/* [ctl] in setup(). Routes that another plugin has already are left to it. */
int32_t routes_declare(const struct ec_http *http, void *http_self, const struct ec_host *h, void *route_self);

#endif
