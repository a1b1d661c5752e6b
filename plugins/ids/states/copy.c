#include "plugins/ids/states/copy.h"

#include "plugins/ids/states/states.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HAS_NOTE, HAS_TS, HAS_FLOW, HAS_SRC, HAS_DST, HAS_SPORT, HAS_DPORT };

#define OWN_ROWS 6                  /* in front: of the state, not of the event */
static const struct ec_row rows[] = {
    EC_FIELD(U64, EC_R_INDEX, struct copy, event, "event_id", NULL, "number of the alert's event"),
    EC_FIELD_ENUM(0, struct copy, state, "state", STATE_WORDS, "what was made of it"),
    EC_FIELD_OPT(TEXT, 0, HAS_NOTE, struct copy, note, "note", NULL, "in words"),
    EC_FIELD(TEXT, 0, struct copy, by, "changed_by", NULL, "who changed it last"),
    EC_FIELD(TIME, 0, struct copy, at, "changed_at", NULL, "when"),
    EC_FIELD(TEXT, 0, struct copy, json, "event", NULL, "the event as JSON"),
    EC_FIELD_OPT(TIME, 0, HAS_TS, struct copy, ts, "timestamp", NULL, "of the event"),
    EC_FIELD_OPT(U64, 0, HAS_FLOW, struct copy, flow, "flow_id", NULL, "the flow's number"),
    EC_FIELD_OPT(IP, 0, HAS_SRC, struct copy, src, "src_ip", NULL, "source address"),
    EC_FIELD_OPT(IP, 0, HAS_DST, struct copy, dst, "dest_ip", NULL, "destination address"),
    EC_FIELD_OPT(U16, 0, HAS_SPORT, struct copy, sport, "src_port", NULL, "source port"),
    EC_FIELD_OPT(U16, 0, HAS_DPORT, struct copy, dport, "dest_port", NULL, "destination port"),
    EC_FIELD(TEXT, 0, struct copy, proto, "proto", NULL, "transport protocol"),
    EC_FIELD(TEXT, 0, struct copy, app_proto, "app_proto", NULL, "application protocol"),
    EC_FIELD(TEXT, 0, struct copy, community, "community_id", NULL, "Community ID of the flow"),
    EC_FIELD(U32, 0, struct copy, gid, "alert.gid", NULL, "group of the rule"),
    EC_FIELD(U32, 0, struct copy, sid, "alert.signature_id", NULL, "number of the rule"),
    EC_FIELD(U32, 0, struct copy, rev, "alert.rev", NULL, "revision of the rule"),
    EC_FIELD(U32, 0, struct copy, severity, "alert.severity", NULL, "1 is the most severe"),
    EC_FIELD(TEXT, 0, struct copy, action, "alert.action", NULL, "allowed or blocked"),
    EC_FIELD(TEXT, 0, struct copy, signature, "alert.signature", NULL, "what the rule says"),
    EC_FIELD(TEXT, 0, struct copy, category, "alert.category", NULL, "its class"),
    EC_FIELD(TEXT, 0, struct copy, src_country, "ecyber.geoip.src.country", NULL, "country of the source"),
    EC_FIELD(TEXT, 0, struct copy, dst_country, "ecyber.geoip.dst.country", NULL, "country of the destination"),
};
const struct ec_record copy_record = EC_RECORD_PART(struct copy, rows);

int copy_has(const char *field)
{
    for (size_t i = OWN_ROWS; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(rows[i].name, field))
            return 1;
    return 0;
}

/* The member at a dotted path, NULL: none. */
static json_object *at(json_object *o, const char *path)
{
    while (o && *path) {
        char name[64];
        size_t n = strcspn(path, ".");

        if (n >= sizeof name)
            return NULL;
        memcpy(name, path, n);
        name[n] = '\0';
        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, name, &o))
            return NULL;
        path += n + (path[n] == '.');
    }
    return o;
}

static struct ec_span text_of(struct ec_build *b, json_object *o, const char *path)
{
    json_object *v = at(o, path);

    return ec_puts(b, json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "");
}

static uint64_t number_of(json_object *o, const char *path, uint64_t *has, unsigned bit)
{
    json_object *v = at(o, path);

    if (!json_object_is_type(v, json_type_int))
        return 0;
    if (has)
        *has |= UINT64_C(1) << bit;
    return json_object_get_uint64(v);
}

static void address_of(struct copy *c, json_object *o, const char *path, uint8_t to[16], unsigned bit)
{
    json_object *v = at(o, path);
    const char *text = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";

    if (inet_pton(AF_INET, text, to + 12) == 1)
        memset(to + 10, 0xff, 2);
    else if (inet_pton(AF_INET6, text, to) != 1)
        return;
    c->part.has |= UINT64_C(1) << bit;
}

/* "2026-11-22T21:00:00.123456+0000", as every event has it. */
static void time_of(struct copy *c, json_object *o)
{
    json_object *v = at(o, "timestamp");
    const char *text = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
    unsigned micro, hours, minutes;
    struct tm tm = { 0 };
    char sign;
    int64_t off;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6u%c%2u%2u", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &micro, &sign, &hours, &minutes) != 10)
        return;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    off = (int64_t)(hours * 60 + minutes) * (sign == '-' ? -60 : 60);
    c->ts = (uint64_t)(timegm(&tm) - off) * 1000000000 + micro * UINT64_C(1000);
    c->part.has |= UINT64_C(1) << HAS_TS;
}

static void fill(struct ec_build *b, struct copy *c, json_object *o)
{
    uint64_t *has = &c->part.has;

    time_of(c, o);
    c->flow = number_of(o, "flow_id", has, HAS_FLOW);
    address_of(c, o, "src_ip", c->src, HAS_SRC);
    address_of(c, o, "dest_ip", c->dst, HAS_DST);
    c->sport = (uint16_t)number_of(o, "src_port", has, HAS_SPORT);
    c->dport = (uint16_t)number_of(o, "dest_port", has, HAS_DPORT);
    c->gid = (uint32_t)number_of(o, "alert.gid", NULL, 0);
    c->sid = (uint32_t)number_of(o, "alert.signature_id", NULL, 0);
    c->rev = (uint32_t)number_of(o, "alert.rev", NULL, 0);
    c->severity = (uint32_t)number_of(o, "alert.severity", NULL, 0);
    c->proto = text_of(b, o, "proto");
    c->app_proto = text_of(b, o, "app_proto");
    c->community = text_of(b, o, "community_id");
    c->action = text_of(b, o, "alert.action");
    c->signature = text_of(b, o, "alert.signature");
    c->category = text_of(b, o, "alert.category");
    c->src_country = text_of(b, o, "ecyber.geoip.src.country");
    c->dst_country = text_of(b, o, "ecyber.geoip.dst.country");
}

int copy_fill(struct ec_build *b, struct copy *c, const char *json, uint32_t n)
{
    struct json_tokener *k = json_tokener_new_ex(64);
    json_object *o = k ? json_tokener_parse_ex(k, json, (int)n) : NULL, *type = at(o, "event_type");
    int good = json_object_is_type(type, json_type_string) && !strcmp(json_object_get_string(type), "alert");

    if (good) {
        fill(b, c, o);
        c->json = ec_put(b, json, n);
    }
    json_object_put(o);
    if (k)
        json_tokener_free(k);
    return good ? 0 : -1;
}
