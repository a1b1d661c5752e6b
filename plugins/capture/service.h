/* service.h: the plugin as its files share it: what was set up once, the capture on demand, and its routes. */
#ifndef CAPTURE_SERVICE_H
#define CAPTURE_SERVICE_H
#define EC_API_LEVEL 1
#include <ecyber/ext/capture.h>
#include <ecyber/ext/http.h>

#include "plugins/capture/demand.h"
#include "plugins/capture/fanout.h"
#include "plugins/capture/interfaces.h"

struct capture {
    const struct ec_host *host;
    const struct ec_http *http;     /* NULL: no routes */
    void *http_self;
    struct fanout fanout;
    struct interfaces interfaces;
    struct demand demand;
    _Atomic uint32_t linktype;      /* LINKTYPE_* of the live interface that was opened last; UINT32_MAX: none was */
    bool configured, on_demand;     /* on_demand: as the daemon was started */
};

extern const struct ec_capture capture_service;         /* its self: struct capture */
extern const struct ec_route capture_routes[];
extern const uint32_t capture_n_route;

#endif
