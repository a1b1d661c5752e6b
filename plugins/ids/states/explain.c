/* GET /api/ids/alerts/{id}/explain: why an alert fired, as `ecyberctl explain` prints it, in members. */
#include "plugins/ids/states/alerts.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define HEX_SHOWN 64                /* of a match, in digits: more is said by "cut" */

const char explain_schema[] =
    "{\"type\":\"object\",\"required\":[\"id\",\"timestamp\",\"rule_id\",\"signature\",\"severity\",\"action\","
    "\"because\"],\"properties\":{\"id\":{\"type\":\"string\"},\"timestamp\":{\"type\":\"string\"},"
    "\"rule_id\":{\"type\":\"string\"},\"rev\":{\"type\":\"integer\"},\"signature\":{\"type\":\"string\"},"
    "\"category\":{\"type\":\"string\"},"
    "\"severity\":{\"type\":\"integer\"},\"action\":{\"type\":\"string\"},"
    "\"from\":{\"type\":\"object\"},\"to\":{\"type\":\"object\"},\"proto\":{\"type\":\"string\"},"
    "\"app_proto\":{\"type\":\"string\"},\"pcap_cnt\":{\"type\":\"integer\"},\"rule\":{\"type\":\"string\"},"
    "\"file\":{\"type\":\"string\"},\"line\":{\"type\":\"integer\"},\"because\":{\"type\":\"array\",\"items\":"
    "{\"type\":\"object\",\"required\":[\"keyword\",\"buffer\",\"offset\",\"length\",\"text\",\"hex\",\"cut\","
    "\"sentence\"]}}}}";

static struct json_object *child(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static const char *text_of(struct json_object *o, const char *key)
{
    struct json_object *v = child(o, key);

    return v ? json_object_get_string(v) : "";
}

/* The member under another name, where it is there. */
static void take(struct json_object *to, const char *name, struct json_object *from, const char *key)
{
    struct json_object *v = child(from, key);

    if (v)
        json_object_object_add(to, name, json_object_get(v));
}

static void take_end(struct json_object *to, const char *name, struct json_object *event, const char *ip,
                     const char *port)
{
    struct json_object *end = json_object_new_object();

    take(end, "ip", event, ip);
    take(end, "port", event, port);
    json_object_object_add(to, name, end);
}

static struct json_object *match(struct json_object *from)
{
    struct json_object *to = json_object_new_object();
    const char *hex = text_of(from, "bytes");
    size_t n = strlen(hex);
    char sentence[512];

    for (const char *const *key = (const char *const[]){ "keyword", "buffer", "item", "offset", "length", "wire",
                                                         "masked", NULL };
         *key; key++)
        take(to, *key, from, *key);
    json_object_object_add(to, "text", json_object_new_string(text_of(from, "printable")));
    json_object_object_add(to, "hex", json_object_new_string_len(hex, (int)(n < HEX_SHOWN ? n : HEX_SHOWN)));
    json_object_object_add(to, "cut", json_object_new_boolean(n > HEX_SHOWN));
    snprintf(sentence, sizeof sentence, "%.60s in %.100s at offset %" PRId64 ", length %" PRId64,
             text_of(from, "keyword"), text_of(from, "buffer"), json_object_get_int64(child(from, "offset")),
             json_object_get_int64(child(from, "length")));
    json_object_object_add(to, "sentence", json_object_new_string(sentence));
    return to;
}

static struct json_object *explain(struct json_object *event, uint64_t id)
{
    struct json_object *alert = child(event, "alert"), *why = child(child(event, "ecyber"), "why");
    struct json_object *matches = child(why, "matches"), *to = json_object_new_object();
    struct json_object *list = json_object_new_array();
    char text[64];

    snprintf(text, sizeof text, "%" PRIu64, id);
    json_object_object_add(to, "id", json_object_new_string(text));
    take(to, "timestamp", event, "timestamp");
    snprintf(text, sizeof text, "%" PRId64 ":%" PRId64, json_object_get_int64(child(alert, "gid")),
             json_object_get_int64(child(alert, "signature_id")));
    json_object_object_add(to, "rule_id", json_object_new_string(text));
    for (const char *const *key = (const char *const[]){ "rev", "signature", "category", "severity", "action", NULL };
         *key; key++)
        take(to, *key, alert, *key);
    take_end(to, "from", event, "src_ip", "src_port");
    take_end(to, "to", event, "dest_ip", "dest_port");
    for (const char *const *key = (const char *const[]){ "proto", "app_proto", "pcap_cnt", NULL }; *key; key++)
        take(to, *key, event, *key);
    for (const char *const *key = (const char *const[]){ "rule", "file", "line", NULL }; *key; key++)
        take(to, *key, why, *key);
    for (size_t i = 0; json_object_is_type(matches, json_type_array) && i < json_object_array_length(matches); i++)
        json_object_array_add(list, match(json_object_array_get_idx(matches, i)));
    json_object_object_add(to, "because", list);
    return to;
}

struct explaining { struct alerts *a; struct ec_req *r; uint64_t id; bool done; };

static int32_t on_json(void *arg, const char *json, uint32_t n)
{
    struct explaining *e = arg;
    struct json_tokener *t = json_tokener_new();
    struct json_object *event = t && n < INT32_MAX ? json_tokener_parse_ex(t, json, (int)n) : NULL, *told;
    const char *text;

    if (child(event, "alert") && !strcmp(text_of(event, "event_type"), "alert")) {
        told = explain(event, e->id);
        text = json_object_to_json_string_ext(told, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        e->a->http->json(e->r, 200, text, strlen(text));
        e->done = true;
        json_object_put(told);
    }
    json_object_put(event);
    if (t)
        json_tokener_free(t);
    return EC_OK;
}

static int32_t on_event(void *arg, uint64_t id, const char *json, uint32_t n)
{
    (void)id;
    return on_json(arg, json, n);
}

static void explain_work(struct ec_req *r, void *arg)
{
    struct alerts *a = arg;
    struct explaining e = { a, r, *(const uint64_t *)(const void *)((const struct ec_part *)a->http->param(r) + 1),
                            false };
    int32_t err = a->store->event(a->store_self, e.id, on_event, &e);

    if (!e.done && err == EC_ENOENT)
        err = states_event(a->states, e.id, on_json, &e);
    if (!e.done && (!err || err == EC_ENOENT))
        a->http->error(r, 404, "there is no such alert");
    else if (!e.done)
        a->http->error(r, 503, "the store cannot be read at the moment");
}

int32_t alerts_explain(void *self, const void *state, struct ec_req *r)
{
    struct alerts *a = self;

    (void)state;
    if (!a->states)
        return a->http->error(r, 503, "there is no store that keeps alerts");
    return a->http->work(r, explain_work, a) ? EC_OK : EC_EAGAIN;
}
