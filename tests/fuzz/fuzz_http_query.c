/* Any bytes as a query string or form, or as what a proxy says of its client: fields, the object for ec.json/1 as strict JSON, and filters of the store. */
/* covers: plugins/http/decode.c plugins/http/proxy.c plugins/http/search.c */
#include "plugins/http/decode.h"
#include "plugins/http/input.h"
#include "plugins/http/proxy.h"
#include "plugins/http/search.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct thing { struct ec_part part; struct ec_span name; struct ec_list tags; };
static const struct ec_row rows[] = {
    EC_FIELD(TEXT, 0, struct thing, name, "name", NULL, ""),
    EC_FIELD(TEXT, EC_R_LIST, struct thing, tags, "tags", NULL, ""),
};
static const struct ec_record record = EC_RECORD_PART(struct thing, rows);
static const struct ec_topic topic = { sizeof topic, EC_TOPIC_EVENT, "t.thing/1", "thing", &record, NULL, "" };

static const struct ec_topic *topic_get(const struct ec_host *h, uint32_t id)
{
    (void)h;
    return id == 1 ? &topic : NULL;
}

static uint32_t topic_count(const struct ec_host *h)
{
    (void)h;
    return 1;
}

static uint32_t topic_find(const struct ec_host *h, const char *name)
{
    (void)h;
    return !strcmp(name, topic.name);
}

static void on_error(void *arg, const char *at, const char *type, const char *msg, const char *value, const char *ctx)
{
    (void)value;
    (void)ctx;
    if (!at || !*type || !*msg)
        abort();
    ++*(uint32_t *)arg;
}

static void check_object(const struct decode *d)
{
    struct json_tokener *tok = json_tokener_new_ex(8);
    struct text t = { 0 };
    struct json_object *o;

    input_object(&t, &record, d);
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    o = t.bad ? NULL : json_tokener_parse_ex(tok, t.p, (int)t.n);
    if (!t.bad && (!o || !json_object_is_type(o, json_type_object) || json_tokener_get_parse_end(tok) != t.n))
        abort();
    json_object_put(o);
    json_tokener_free(tok);
    text_free(&t);
}

/* Whatever a header says, only its own words count behind an address that is trusted. */
static void check_proxy(const char *list, size_t n)
{
    struct proxies p = { .n = 2, .forwarded = n & 1 };
    uint8_t at[16], stranger[16];
    struct net net;
    char text[PEER_TEXT];

    net_read("127.0.0.0/8", &p.net[0]);
    net_read("2001:db8::/32", &p.net[1]);
    net_read("192.0.2.1", &net);
    memcpy(stranger, net.at, sizeof stranger);
    proxies_client(&p, stranger, list, n);
    if (memcmp(stranger, net.at, sizeof stranger) != 0)
        abort();
    memcpy(at, p.net[0].at, sizeof at);
    proxies_client(&p, at, list, n);
    net_print(at, text);
    if (!net_read(text, &net) || memcmp(net.at, at, sizeof at) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ec_host host = { .topic_get = topic_get, .topic_count = topic_count, .topic_find = topic_find };
    static const struct ec_route page = { .size = sizeof page, .flags = EC_RT_EVENTS,
                                          .alias = "n=thing.name,port=dest_port" };
    static const struct ec_route top = { .size = sizeof top, .flags = EC_RT_COUNT, .topic = "t.thing/1" };
    struct search *s = malloc(sizeof *s);
    struct decode d;
    const char *why = NULL;
    uint32_t errors = 0;

    if (!s || size > 65536) {
        free(s);
        return 0;
    }
    check_proxy((const char *)data, size);
    if (decode_query(&d, (const char *)data, size, &why)) {
        if (!why)
            abort();
    } else {
        check_object(&d);
        if (search_read(s, &host, size & 1 ? &page : &top, &d, UINT64_C(1700000000000000000), on_error,
                        &errors) != !errors)
            abort();
    }
    decode_free(&d);
    free(s);
    return 0;
}
