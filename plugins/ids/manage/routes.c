#include "plugins/ids/manage/view.h"

#define READERS "admin,operator,analyst,viewer"
#define EDITORS "admin,operator"
#define ONE "/api/rules/{rule}"
#define EDITS (EC_RT_ENFORCES | EC_RT_EDITS)

#define ROUTE(m, p, id, who, text) \
    .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .roles = who, .summary = text
#define CHANGE(m, p, id, text) ROUTE(m, p, id, EDITORS, text), .deadline_ms = MANAGE_ANSWER_MS
static const struct ec_route routes[] = {
    { ROUTE("GET", "/api/rules", "list_rules", READERS, "Rules with what became of them, by gid and sid"),
      .param = &list_rules_param, .reply = &list_rules_reply, .run = rules_list },
    { ROUTE("GET", "/api/rules/failed", "list_failed_rules", READERS,
            "Rules with an error, and those that ask for what this build does not know"),
      .param = &failed_param, .reply = &list_rules_reply, .run = rules_failed },
    { ROUTE("GET", "/api/rules/profile", "profile_rules", READERS, "Which rules cost most since the start"),
      .param = &profile_param, .reply = &profile_reply, .run = rules_profile },
    { ROUTE("GET", "/api/rules/keywords", "list_rule_keywords", READERS, "What rules may say"),
      .reply = &keywords_reply, .run = rules_keywords },
    { ROUTE("POST", "/api/rules/validate", "validate_rules", READERS,
            "What is wrong with rules, and where; nothing is kept"),
      .body = &validate_body, .body_max = 1048576, .reply = &validate_reply, .run = rules_validate },
    { CHANGE("POST", "/api/rules", "create_rule", "Make a rule; answered when it is in force. 200 of a dry run"),
      .flags = EDITS, .body = &create_body, .body_max = 131072, .reply = &view_record, .status = 201,
      .errors = "200,409,412", .run = rules_create },
    { ROUTE("GET", ONE, "get_rule", READERS, "One rule with its text"), .flags = EC_RT_EDITS, .param = &rule_param,
      .reply = &view_record, .errors = "304,404", .run = rules_show },
    { CHANGE("PUT", ONE, "replace_rule", "Give a managed rule another text; answered when it is in force"),
      .flags = EDITS, .param = &rule_param, .body = &replace_body, .body_max = 131072, .reply = &view_record,
      .errors = "404,409,412", .run = rules_replace },
    { CHANGE("PATCH", ONE, "change_rule", "Switch a rule on or off, or change the action of a managed one"),
      .flags = EDITS, .param = &rule_param, .body = &patch_body, .reply = &view_record,
      .errors = "404,409,412", .run = rules_patch },
    { CHANGE("DELETE", ONE, "delete_rule", "Remove a managed rule; that of a file in whose place it stood is back"),
      .flags = EDITS, .param = &rule_param, .status = 204, .errors = "404,409,412", .run = rules_remove },
    { CHANGE("POST", ONE "/enable", "enable_rule", "Switch a rule on"), .flags = EDITS, .param = &rule_param,
      .reply = &view_record, .errors = "404,409,412", .run = rules_enable },
    { CHANGE("POST", ONE "/disable", "disable_rule", "Switch a rule off"), .flags = EDITS, .param = &rule_param,
      .reply = &view_record, .errors = "404,409,412", .run = rules_disable },
    { ROUTE("POST", "/api/ids/reload", "reload_rules", EDITORS,
            "Read the configuration and all rules anew. A dry run reads the rules and says what it found (200)"),
      .deadline_ms = MANAGE_ANSWER_MS, .flags = EC_RT_ENFORCES, .reply = &reload_reply, .status = 202, .errors = "200",
      .run = reload_begin },
    { ROUTE("GET", "/api/ids/reloads/{id}", "get_reload", READERS, "How a reload went"), .param = &reload_param,
      .reply = &reload_reply, .errors = "404", .run = reload_show },
    { ROUTE("GET", "/api/ids/ips/status", "ips_status", READERS, "Does anything hold packets back, and what?"),
      .reply = &ips_status_reply, .run = ips_status },
    { ROUTE("GET", "/api/ids/ips/stats", "ips_stats", READERS, "What was held back since the start"),
      .reply = &ips_stats_reply, .run = ips_stats },
    { ROUTE("GET", "/api/ids/ips/events", "list_ips_events", READERS, "Bans: made, taken back, ended, refused"),
      .flags = EC_RT_EVENTS, .topic = "ec.ban/1", .alias = "action=ban.action,address=ban.address,who=ban.who" },
};

void manage_declare(struct manage *m, struct reloads *rs)
{
    const struct ec_host *h = m->host;

    m->reloads = rs;
    m->http = h->use(h, EC_HTTP_ID, &m->http_self);
    m->daemon = h->use(h, EC_DAEMON_ID, &m->daemon_self);
    if (!m->http)
        return;
    if (!rs) {
        EC_LOG(h, EC_LOG_WARNING, "rules are not served: the host has no " EC_DAEMON_ID);
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (m->http->route(m->http_self, h, &routes[i], m))
            EC_LOG(h, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
}
