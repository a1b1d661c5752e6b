#include "plugins/socketio/summary.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_NS (UINT64_C(86400) * 1000000000)
#define FLOWS_MAX 100000u           /* whose bytes are added up */
#define DETAILS 5u                  /* alerts of each class */

struct summary {
    struct text *out;
    uint64_t counts[3], sent, received;
    uint32_t flows, details;
};

/* Alerts have severities from 1 on, the highest first. */
static unsigned class_of(int64_t severity)
{
    return severity <= 1 ? 0 : severity == 2 ? 1 : 2;
}

static int32_t add_count(void *arg, const char *value, uint64_t n)
{
    struct summary *a = arg;

    a->counts[class_of(value ? atoll(value) : 3)] += n;
    return 0;
}

static int32_t add_flow(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct summary *a = arg;
    struct json_tokener *t = json_tokener_new();
    struct json_object *o = t ? json_tokener_parse_ex(t, json, (int)len) : NULL, *flow, *v;

    (void)id;
    if (json_object_object_get_ex(o, "flow", &flow)) {
        if (json_object_object_get_ex(flow, "bytes_toserver", &v))
            a->sent += (uint64_t)json_object_get_int64(v);
        if (json_object_object_get_ex(flow, "bytes_toclient", &v))
            a->received += (uint64_t)json_object_get_int64(v);
    }
    json_object_put(o);
    if (t)
        json_tokener_free(t);
    return ++a->flows >= FLOWS_MAX;
}

static int32_t add_detail(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct summary *a = arg;

    (void)id;
    text_puts(a->out, a->details++ ? "," : "");
    text_add(a->out, json, len);
    return a->out->bad;
}

static int32_t read_flows(const struct server *s, struct summary *a, uint64_t since, char *error, uint32_t n)
{
    struct ec_query q = { .size = sizeof q, .type = "flow", .since_ns = since, .limit = 1000 };
    struct ec_page page = { .size = sizeof page };
    char cursor[EC_CURSOR_MAX] = "";
    int32_t err;

    do {
        q.cursor = *cursor ? cursor : NULL;
        err = s->store->events(s->store_self, &q, add_flow, a, &page, error, n);
        strcpy(cursor, page.next);
    } while (err == EC_OK && *cursor && a->flows < FLOWS_MAX);
    return err;
}

static int32_t put_details(const struct server *s, struct summary *a, bool alerts, uint64_t since, char *error,
                           uint32_t n)
{
    static const char *const names[] = { "critical", "warning", "info" };
    static const struct ec_filter filters[] = {
        { sizeof filters[0], EC_F_LE, "alert.severity", "1" }, { sizeof filters[0], EC_F_EQ, "alert.severity", "2" },
        { sizeof filters[0], EC_F_GE, "alert.severity", "3" } };
    int32_t err = EC_OK;

    for (unsigned i = 0; i < 3 && err == EC_OK; i++) {
        struct ec_query q = { .size = sizeof q, .type = "alert", .filter = &filters[i], .n_filter = 1,
                              .filter_stride = sizeof filters[0], .since_ns = since, .limit = DETAILS };
        struct ec_page page = { .size = sizeof page };

        text_printf(a->out, "%s\"%s\":[", i ? "," : "", names[i]);
        a->details = 0;
        if (alerts)
            err = s->store->events(s->store_self, &q, add_detail, a, &page, error, n);
        text_puts(a->out, "]");
    }
    return err;
}

/* Without the plugin that makes them there are none, and the store knows no such type. */
static bool is_there(const struct server *s, const char *topic)
{
    return s->host->topic_find(s->host, topic) != 0;
}

void summary_read(const struct server *s, struct text *out, char *error, uint32_t n)
{
    uint64_t now = s->host->now(s->host), since = now > DAY_NS ? now - DAY_NS : 1;
    struct summary a = { .out = out };
    struct ec_query q = { .size = sizeof q, .type = "alert", .since_ns = since, .limit = 1 };
    struct ec_page page = { .size = sizeof page };
    bool alerts = is_there(s, "ec.alert/1"), flows = is_there(s, "ec.flow/1");
    int32_t err = EC_OK;

    *error = '\0';
    if (alerts)
        err = s->store->count(s->store_self, &q, "alert.severity", 100, add_count, &a, &page, error, n);
    if (err == EC_OK && flows)
        err = read_flows(s, &a, since, error, n);
    text_printf(out, "{\"network24h\":{\"sent_mb\":%.3f,\"recv_mb\":%.3f},"
                     "\"threatSummary\":{\"counts\":{\"critical\":%" PRIu64
                     ",\"warning\":%" PRIu64 ",\"info\":%" PRIu64 "},\"details\":{",
                (double)a.sent / 1e6, (double)a.received / 1e6, a.counts[0], a.counts[1], a.counts[2]);
    if (err == EC_OK)
        err = put_details(s, &a, alerts, since, error, n);
    text_puts(out, "}}}");
    if (err == EC_OK && !out->bad)
        *error = '\0';
    else if (!*error)
        snprintf(error, n, "the store cannot be read at the moment");
}
