#include "plugins/traffic/routes.h"

#include <ecyber/ext/http.h>

#define READERS "admin,operator,analyst,viewer"
#define PLACES "src_country=ecyber.geoip.src.country,dest_country=ecyber.geoip.dst.country"
#define ROUTE(kind, last, id, about, of, names) \
    { .size = sizeof(struct ec_route), .flags = (kind), .method = "GET", .path = "/api/network/" last, .opid = (id), \
      .summary = (about), .roles = READERS, .topic = (of), .alias = names PLACES }

static const struct ec_route routes[] = {
    ROUTE(EC_RT_EVENTS, "flows", "list_flows", "Conversations that have ended, the newest first", "ec.flow/1",
          "state=flow.state,reason=flow.reason,alerted=flow.alerted,"),
    ROUTE(EC_RT_COUNT, "top", "count_flows", "How often each value of a field occurs in flows: ?by=src_ip", "ec.flow/1",
          "state=flow.state,reason=flow.reason,alerted=flow.alerted,"),
    ROUTE(EC_RT_EVENTS, "dns", "list_dns", "DNS messages, the newest first", "ec.dns/1",
          "rrname=dns.rrname,rrtype=dns.rrtype,rcode=dns.rcode,"),
    ROUTE(EC_RT_EVENTS, "http", "list_http", "HTTP requests, the newest first", "ec.http/1",
          "hostname=http.hostname,url=http.url,method=http.http_method,status=http.status,"),
    ROUTE(EC_RT_EVENTS, "tls", "list_tls", "TLS handshakes, the newest first", "ec.tls/1",
          "sni=tls.sni,version=tls.version,"),
    ROUTE(EC_RT_EVENTS, "anomalies", "list_anomalies", "What breaks the rules of its protocol, the newest first",
          "ec.anomaly/1", "type=anomaly.type,event=anomaly.event,"),
    { .size = sizeof(struct ec_route), .flags = EC_RT_EVENT, .method = "GET", .path = "/api/network/flows/{id}",
      .opid = "get_flow", .summary = "One flow", .roles = READERS, .errors = "404", .topic = "ec.flow/1" },
};

void routes_declare(const struct ec_host *h)
{
    void *self;
    const struct ec_http *http = h->use(h, EC_HTTP_ID, &self);

    for (size_t i = 0; http && i < sizeof routes / sizeof routes[0]; i++)
        if (http->route(self, h, &routes[i], NULL))
            EC_LOG(h, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
}
