#include "plugins/ids/routes.h"

#include <ecyber/ext/http.h>

#define READERS "admin,operator,analyst,viewer"
#define ALIASES "sid=alert.signature_id,gid=alert.gid,severity=alert.severity,action=alert.action," \
    "category=alert.category,signature=alert.signature,src_country=ecyber.geoip.src.country," \
    "dest_country=ecyber.geoip.dst.country"

static const struct ec_route routes[] = {
    { .size = sizeof(struct ec_route), .flags = EC_RT_EVENTS, .method = "GET", .path = "/api/ids/alerts",
      .opid = "list_alerts", .summary = "Alerts, the newest first", .roles = READERS, .topic = "ec.alert/1",
      .alias = ALIASES },
    { .size = sizeof(struct ec_route), .flags = EC_RT_COUNT, .method = "GET", .path = "/api/ids/alerts/groups",
      .opid = "count_alerts", .summary = "How often each value of a field occurs in alerts", .roles = READERS,
      .topic = "ec.alert/1", .alias = ALIASES },
    { .size = sizeof(struct ec_route), .flags = EC_RT_EVENT, .method = "GET", .path = "/api/ids/alerts/{id}",
      .opid = "get_alert", .summary = "One alert with the reason why it fired", .roles = READERS,
      .errors = "404", .topic = "ec.alert/1" },
};

void routes_declare(const struct ec_host *h)
{
    void *self;
    const struct ec_http *http = h->use(h, EC_HTTP_ID, &self);

    for (size_t i = 0; http && i < sizeof routes / sizeof routes[0]; i++)
        if (http->route(self, h, &routes[i], NULL))
            EC_LOG(h, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
}
