#include "plugins/ids/routes.h"

#include "plugins/ids/states/alerts.h"

#include <stdlib.h>

#define READERS "admin,operator,analyst,viewer"
#define EDITORS "admin,operator,analyst"
#define ALIASES "sid=alert.signature_id,gid=alert.gid,severity=alert.severity,action=alert.action," \
    "category=alert.category,signature=alert.signature,src_country=ecyber.geoip.src.country," \
    "dest_country=ecyber.geoip.dst.country"

#define ROUTE(m, p, id, who, text) \
    .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .roles = who, .summary = text
static const struct ec_route routes[] = {
    { ROUTE("GET", "/api/ids/alerts", "list_alerts", READERS, "Alerts, the newest first, with their states"),
      .flags = EC_RT_EVENTS | EC_RT_BESIDE, .topic = "ec.alert/1", .alias = ALIASES, .param = &list_param,
      .reply = &beside_record, .run = alerts_list },
    { ROUTE("GET", "/api/ids/alerts/groups", "count_alerts", READERS,
            "How often each value of a field occurs in alerts"),
      .flags = EC_RT_COUNT, .topic = "ec.alert/1", .alias = ALIASES },
    { ROUTE("GET", "/api/ids/alerts/histogram", "alert_histogram", READERS,
            "How many alerts there were over time, by severity; the last 24 h where nobody says since when"),
      .flags = EC_RT_EVENTS, .topic = "ec.alert/1", .alias = ALIASES, .param = &histogram_param,
      .reply = &histogram_reply, .run = alerts_histogram },
    { ROUTE("GET", "/api/ids/status", "ids_status", READERS, "The rules in use, and alerts by their states"),
      .reply = &status_reply, .run = ids_status },
    { ROUTE("GET", "/api/ids/stats", "ids_stats", READERS, "What the rule engine counted since the start"),
      .reply = &stats_reply, .run = ids_stats },
    { ROUTE("GET", "/api/ids/alerts/changes", "list_alert_changes", READERS,
            "Who changed which alert's state, and when"),
      .flags = EC_RT_EVENTS, .topic = STATE_TOPIC },
    { ROUTE("POST", "/api/ids/alerts/bulk", "change_alerts", EDITORS, "Change the state of many alerts"),
      .body = &bulk_body, .body_max = 65536, .reply = &bulk_reply, .run = alerts_bulk },
    { ROUTE("GET", "/api/ids/alerts/{id}", "get_alert", READERS,
            "One alert with the reason why it fired, and its state; its ETag is the state's"),
      .flags = EC_RT_EVENT | EC_RT_BESIDE, .topic = "ec.alert/1", .param = &one_param, .reply = &beside_record,
      .run = alerts_show, .errors = "404" },
    { ROUTE("GET", "/api/ids/alerts/{id}/explain", "explain_alert", READERS,
            "Why an alert fired, as ecyberctl explain says it"),
      .param = &one_param, .run = alerts_explain, .errors = "404", .schema = explain_schema },
    { ROUTE("PATCH", "/api/ids/alerts/{id}", "change_alert", EDITORS,
            "Change the state of an alert"),
      .flags = EC_RT_EDITS, .param = &one_param, .body = &change_body, .body_max = 16384, .reply = &change_reply,
      .run = alerts_change, .errors = "404,409" },
};

static int open_services(struct alerts *a)
{
    const struct ec_host *h = a->host;

    a->json = h->use(h, EC_JSON_ID, &a->json_self);
    a->store = h->use(h, EC_STORE_ID, &a->store_self);
    a->daemon = h->use(h, EC_DAEMON_ID, &a->daemon_self);
    if (!a->json || h->topic(h, &state_topic, &a->topic))
        return -1;
    if (!a->store)
        return 0;
    a->states = states_new(a->store, a->store_self);
    if (a->states && !states_declare(a->states, h))
        return 0;
    states_free(a->states);
    a->states = NULL;
    return -1;
}

struct alerts *routes_declare(const struct ec_host *h)
{
    void *self;
    const struct ec_http *http = h->use(h, EC_HTTP_ID, &self);
    struct alerts *a = http ? calloc(1, sizeof *a) : NULL;

    if (!a)
        return NULL;
    *a = (struct alerts){ .host = h, .http = http, .http_self = self };
    if (open_services(a)) {
        EC_LOG(h, EC_LOG_WARNING, "alerts are not served: what their routes need is not there");
        free(a);
        return NULL;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (http->route(self, h, &routes[i], a))
            EC_LOG(h, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
    return a;
}

void routes_start(struct alerts *a)
{
    int32_t err = a && a->states ? states_load(a->states) : EC_OK;

    if (err)
        EC_LOG(a->host, EC_LOG_ERROR, "the states of alerts could not be read (error %d): none is shown or changed",
               (int)err);
}

void routes_free(struct alerts *a)
{
    if (a)
        states_free(a->states);
    free(a);
}
