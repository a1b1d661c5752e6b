/* What an entry would have held back of the alerts that the store has: they are read in the order of time, and counted
 * as the engine would. */
#include "plugins/ids/limits/limits.h"

#include "plugins/ids/match/limit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define READ_MAX   20000u           /* alerts */
#define PAGE       1000u
#define COUNTERS   8192u            /* of a threshold; a power of two */
#define EXAMPLES   5u
#define DAY INT64_C(86400000000000)

struct preview_ask { struct ec_part part; uint64_t since; };
static const struct ec_row ask_rows[] = {
    { EC_T_DURATION, 0, 0, 0, (uint32_t)offsetof(struct preview_ask, since), "since", NULL, NULL, "24h", NULL,
      "how far back", 1000000000, 366 * DAY },
};
const struct ec_record preview_param = EC_RECORD_PART(struct preview_ask, ask_rows);

struct preview {
    struct ec_part part;
    uint64_t alerts, held_back;
    struct ec_list examples;
    uint8_t partial, pad[7];
};
static const struct ec_row reply_rows[] = {
    EC_FIELD(U64, 0, struct preview, alerts, "alerts", "alerts", "of these rules that were looked at"),
    EC_FIELD(U64, 0, struct preview, held_back, "held_back", "alerts", "of them that would not have been there"),
    EC_FIELD(TEXT, EC_R_LIST, struct preview, examples, "examples", NULL, "numbers of some of them"),
    EC_FIELD(BOOL, 0, struct preview, partial, "partial", NULL, "there are more alerts than were looked at"),
};
const struct ec_record preview_reply = EC_RECORD_PART(struct preview, reply_rows);

struct counter { bool used; uint32_t gid, sid; uint8_t a[16], b[16]; struct limit_entry e; };
struct looking {
    const struct tune *e;
    struct counter *counter;
    uint64_t alerts, held_back, example[EXAMPLES];
    uint32_t n_example;
    bool partial;
};

static uint32_t hash_of(const struct counter *key)
{
    const uint8_t *p[] = { key->a, key->b };
    uint32_t h = (2166136261u ^ key->gid) * 16777619u ^ key->sid;

    for (unsigned i = 0; i < 32; i++)
        h = (h ^ p[i / 16][i % 16]) * 16777619u;
    return h;
}

/* NULL: there are too many addresses. */
static struct counter *counter_of(struct looking *k, const struct counter *key)
{
    for (uint32_t i = hash_of(key), n = 0; n < 64; i++, n++) {
        struct counter *c = &k->counter[i & (COUNTERS - 1)];

        if (!c->used) {
            *c = *key;
            c->used = true;
            return c;
        }
        if (c->gid == key->gid && c->sid == key->sid && !memcmp(c->a, key->a, 16) && !memcmp(c->b, key->b, 16))
            return c;
    }
    return NULL;
}

static const char *text_at(struct json_object *o, const char *name)
{
    struct json_object *v;

    return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_string)
        ? json_object_get_string(v) : "";
}

static uint32_t number_at(struct json_object *o, const char *name)
{
    struct json_object *v;

    return json_object_object_get_ex(o, name, &v) ? (uint32_t)json_object_get_int64(v) : 0;
}

/* "2026-11-23T03:00:00.123456+0000", as the store has it. */
static uint64_t time_at(struct json_object *o)
{
    struct tm tm = { 0 };
    const char *rest = strptime(text_at(o, "timestamp"), "%Y-%m-%dT%H:%M:%S", &tm);
    unsigned us = 0, hours = 0, minutes = 0;
    char sign = '+';
    int64_t off;

    if (!rest || sscanf(rest, ".%6u%c%2u%2u", &us, &sign, &hours, &minutes) < 1)
        return 0;
    off = (int64_t)(hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return (uint64_t)((int64_t)timegm(&tm) - off) * UINT64_C(1000000000) + us * UINT64_C(1000);
}

static bool holds_back(struct looking *k, const char *json)
{
    struct json_object *o = json_tokener_parse(json), *alert;
    struct counter key = { .gid = 0 }, *c;
    uint8_t src[16] = { 0 }, dst[16] = { 0 };
    uint32_t bits, track = k->e->limit.track;
    bool held = false;

    tune_net(text_at(o, "src_ip"), src, &bits);
    tune_net(text_at(o, "dest_ip"), dst, &bits);
    if (k->e->kind == TUNE_SUPPRESS) {
        held = tune_covers(k->e, src, dst);
    } else if (json_object_object_get_ex(o, "alert", &alert)) {
        key.gid = number_at(alert, "gid");
        key.sid = number_at(alert, "signature_id");
        if (track == TRACK_SRC || track == TRACK_BOTH)
            memcpy(key.a, src, 16);
        if (track == TRACK_DST || track == TRACK_BOTH)
            memcpy(key.b, dst, 16);
        if ((c = counter_of(k, &key)))
            held = limit_step(&k->e->limit, &c->e, time_at(o)) != LIMIT_ALERT;
        else
            k->partial = true;
    }
    json_object_put(o);
    return held;
}

static int32_t on_alert(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct looking *k = arg;
    char *text = strndup(json, len);

    k->alerts++;
    if (text && holds_back(k, text)) {
        k->held_back++;
        if (k->n_example < EXAMPLES)
            k->example[k->n_example++] = id;
    }
    free(text);
    return EC_OK;
}

/* EC_OK, or why. */
static int32_t look(const struct limits *l, struct looking *k, uint64_t since, char *why, uint32_t n)
{
    char gid[16], sid[16];
    struct ec_filter f[] = { { sizeof f[0], EC_F_EQ, "alert.gid", gid },
                             { sizeof f[0], EC_F_EQ, "alert.signature_id", sid } };
    struct ec_page page = { .size = sizeof page };
    struct ec_query q = { .size = sizeof q, .flags = EC_QUERY_OLDEST_FIRST, .type = "alert", .filter = f,
                          .n_filter = !k->e->gid ? 0 : k->e->sid ? 2 : 1, .filter_stride = sizeof f[0],
                          .since_ns = since, .limit = PAGE };
    int32_t err = EC_OK;

    snprintf(gid, sizeof gid, "%u", k->e->gid);
    snprintf(sid, sizeof sid, "%u", k->e->sid);
    do {
        char cursor[EC_CURSOR_MAX];

        memcpy(cursor, page.next, sizeof cursor);
        q.cursor = *cursor ? cursor : NULL;
        err = l->store->events(l->store_self, &q, on_alert, k, &page, why, n);
        k->partial |= (page.flags & EC_PAGE_PARTIAL) != 0;
    } while (!err && *page.next && k->alerts < READ_MAX);
    k->partial |= !err && *page.next;
    return err;
}

static void reply(const struct limits *l, struct ec_req *r, const struct looking *k)
{
    union { uint64_t align; uint8_t bytes[256 * 8]; } room = { 0 };
    struct ec_build b = { .base = room.bytes, .cap = sizeof room };
    struct preview *to;
    struct ec_span *example;
    char text[24];

    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    to->alerts = k->alerts;
    to->held_back = k->held_back;
    to->partial = k->partial;
    example = ec_rows(&b, &to->examples, k->n_example, sizeof *example);
    if (!example)
        to->examples.off = (uint32_t)sizeof(struct ec_part);        /* an empty list is there all the same */
    for (uint32_t i = 0; example && i < k->n_example; i++) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)k->example[i]);
        example[i] = ec_puts(&b, text);
    }
    l->http->reply(r, 200, &to->part);
}

/* [pool] */
static void work(struct ec_req *r, void *arg)
{
    const struct limits_side *side = arg;
    const struct limits *l = side->l;
    const struct preview_ask *p = l->http->param(r);
    struct tune e;
    struct looking k = { .e = &e, .counter = calloc(COUNTERS, sizeof *k.counter) };
    char why[300] = "";
    uint64_t now = l->host->now(l->host);

    if (!k.counter)
        l->http->error(r, 503, "out of memory");
    else if (!limits_take(side->l, r, side->kind, &e))
        ;                               /* it was answered */
    else if (look(l, &k, now > p->since ? now - p->since : 0, why, sizeof why))
        l->http->error(r, 503, *why ? why : "the store cannot be read at the moment");
    else
        reply(l, r, &k);
    free(k.counter);
}

int32_t limits_preview(void *self, const void *state, struct ec_req *r)
{
    const struct limits_side *side = self;

    (void)state;
    if (!side->l->store)
        return side->l->http->error(r, 503, "no plugin keeps events, so there is nothing to look at");
    return side->l->http->work(r, work, self) ? EC_OK : EC_EAGAIN;
}
