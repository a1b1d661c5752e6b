/* The API of bans: /api/firewall/blocks, declared through ec.http/1. */
#include "plugins/firewall/routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENFORCERS "admin,operator"
#define SETTLE_NS (3 * SECOND_NS)   /* how long an answer waits for the kernel */
#define PAGE_MOST 1000
#define YEARS_10 INT64_C(315360000000000000)

/* What is asked. */
struct page_param { struct ec_part part; uint32_t limit, pad; struct ec_span cursor, ip; };
static const struct ec_row page_rows[] = {
    ROW(U32, 0, 0, struct page_param, limit, "limit", NULL, "100", "bans", "at most so many", 1, PAGE_MOST),
    ROW(TEXT, EC_R_OPT, 0, struct page_param, cursor, "cursor", NULL, NULL, NULL, "next_cursor of the page before", 1,
        20),
    ROW(TEXT, EC_R_OPT, 1, struct page_param, ip, "ip", "cidr", NULL, NULL,
        "only bans that hold this address or network", 2, 63),
};
static const struct ec_record page_param = EC_RECORD_PART(struct page_param, page_rows);

static const struct ec_row id_rows[] = {
    ROW(TEXT, 0, 0, struct text_param, text, "id", NULL, NULL, NULL, "id of a ban, or its address", 1, 63),
};
static const struct ec_record id_param = EC_RECORD_PART(struct text_param, id_rows);
/* What is to be unbanned: by a path or by a query. Both begin as struct text_param does. */
struct unban_param { struct ec_part part; struct ec_span text; uint8_t dry_run, pad[7]; };
#define ROW_UNBAN_DRY \
    ROW(BOOL, 0, 0, struct unban_param, dry_run, "dry_run", NULL, "false", NULL, \
        "only say whether there is such a ban: 204 or 404", 0, 0)
static const struct ec_row unban_rows[] = {
    ROW(TEXT, 0, 0, struct unban_param, text, "id", NULL, NULL, NULL, "id of a ban, or its address", 1, 63),
    ROW_UNBAN_DRY,
};
static const struct ec_record unban_param = EC_RECORD_PART(struct unban_param, unban_rows);
static const struct ec_row unban_ip_rows[] = {
    ROW(TEXT, 0, 0, struct unban_param, text, "ip", "cidr", NULL, NULL, "an address, or a network as ADDRESS/PREFIX", 2,
        63),
    ROW_UNBAN_DRY,
};
static const struct ec_record unban_ip_param = EC_RECORD_PART(struct unban_param, unban_ip_rows);

struct ban_body { struct ec_part part; struct ec_span ip, reason, cause; uint64_t duration; uint8_t dry_run, pad[7]; };
static const struct ec_row ban_rows[] = {
    ROW(TEXT, 0, 0, struct ban_body, ip, "ip", "cidr", NULL, NULL, "the address or network to ban", 2, 63),
    ROW(TEXT, 0, 0, struct ban_body, reason, "reason", NULL, NULL, NULL, "why, in a sentence", 1, WHY_MAX - 1),
    ROW(DURATION, 0, 0, struct ban_body, duration, "duration", NULL, "1h", NULL, "until it ends by itself",
        (int64_t)SECOND_NS, YEARS_10),
    ROW(TEXT, EC_R_OPT, 0, struct ban_body, cause, "cause", NULL, NULL, NULL,
        "id of the event that caused it; as text, because it has up to 63 bits", 1, 20),
    ROW(BOOL, 0, 0, struct ban_body, dry_run, "dry_run", NULL, "false", NULL, "only say what would happen", 0, 0),
};
static const struct ec_record ban_body = EC_RECORD_PART(struct ban_body, ban_rows);

/* What is answered. A ban is written once, as an element of a list or as an answer of its own. */
#define BLOCK_MEMBERS \
    uint64_t id, since, until, has; struct ec_span address, who, why, cause, note; uint32_t state, pad32; \
    uint8_t dry_run, pad[7]
enum { HAS_DRY_RUN, HAS_ID };
enum { STATE_PENDING, STATE_ACTIVE, STATE_LEAVING, STATE_NONE };
#define STATES "pending,active,leaving,none"
#define BLOCK_ROWS(type) \
    EC_FIELD_OPT(U64, 0, HAS_ID, type, id, "id", NULL, "of the ban; absent of a dry run"), \
    EC_FIELD(TEXT, 0, type, address, "address", NULL, "address or network"), \
    EC_FIELD_ENUM(0, type, state, "state", STATES, "active: the kernel has it; pending: it will; none: a dry run"), \
    EC_FIELD(TIME, 0, type, since, "since", NULL, "when it was asked for"), \
    EC_FIELD(TIME, 0, type, until, "until", NULL, "when it ends by itself"), \
    EC_FIELD(TEXT, 0, type, who, "who", NULL, "who or what asked for it"), \
    EC_FIELD(TEXT, 0, type, why, "reason", NULL, "the reason that was given"), \
    EC_FIELD(TEXT, 0, type, cause, "cause", NULL, "id of the event that caused it; absent: none"), \
    EC_FIELD_OPT(BOOL, 0, HAS_DRY_RUN, type, dry_run, "dry_run", NULL, "nothing was done"), \
    EC_FIELD(TEXT, 0, type, note, "note", NULL, "what is worth knowing about it")
struct block { BLOCK_MEMBERS; };
static const struct ec_row block_rows[] = { BLOCK_ROWS(struct block) };
static const struct ec_record block_record = {
    sizeof(struct ec_record), sizeof(struct block), EC_ROWS(block_rows), offsetof(struct block, has), 0, block_rows };
struct block_reply { struct ec_part part; BLOCK_MEMBERS; };
static const struct ec_row block_reply_rows[] = { BLOCK_ROWS(struct block_reply) };
static const struct ec_record block_reply = EC_RECORD_PART(struct block_reply, block_reply_rows);

struct page_reply { struct ec_part part; struct ec_list items; uint64_t total; struct ec_span next; };
static const struct ec_row page_reply_rows[] = {
    ROW_LIST(&block_record, struct page_reply, items, "items", "bans, the newest first"),
    EC_FIELD(U64, 0, struct page_reply, total, "total", NULL, "all bans there are"),
    EC_FIELD(TEXT, 0, struct page_reply, next, "next_cursor", NULL, "for the next page; absent at the end"),
};
static const struct ec_record page_reply = EC_RECORD_PART(struct page_reply, page_reply_rows);

#define BLOCK_TAIL (ADDRESS_TEXT + WHO_MAX + WHY_MAX + 320u)

/* `to` and what it needs in the tail. */
static void fill_block(struct ec_build *b, struct block *to, const struct ban *ban, const char *note)
{
    static const uint32_t state[] = { [BAN_PENDING] = STATE_PENDING, [BAN_ACTIVE] = STATE_ACTIVE,
                                      [BAN_LEAVING] = STATE_LEAVING };
    char text[ADDRESS_TEXT], cause[24];

    address_text(&ban->net, text);
    snprintf(cause, sizeof cause, "%" PRIu64, ban->cause);
    to->id = ban->id;
    to->since = ban->since_ns;
    to->until = ban->until_ns;
    to->state = ban->id ? state[ban->state] : STATE_NONE;
    to->dry_run = !ban->id;
    to->has = (uint64_t)!!ban->id << HAS_ID | (uint64_t)!ban->id << HAS_DRY_RUN;
    to->address = ec_puts(b, text);
    to->who = ec_puts(b, ban->who);
    to->why = ec_puts(b, ban->why);
    to->cause = ec_puts(b, ban->cause ? cause : NULL);
    to->note = ec_puts(b, note);
}

/* The members of struct block stand in that order behind the head of struct block_reply; its bits are the part's. */
_Static_assert(sizeof(struct block_reply) == sizeof(struct ec_part) + sizeof(struct block) &&
               offsetof(struct block_reply, id) == sizeof(struct ec_part), "one shape, two places");

static void fill_reply(struct ec_build *b, struct block_reply *to, const struct ban *ban, const char *note)
{
    fill_block(b, (struct block *)(void *)&to->id, ban, note);
    to->part.has = to->has;
}

static int32_t answer_dry(const struct firewall *f, struct ec_req *r, const struct ban *ban, const char *note)
{
    struct ec_build b;
    struct block_reply *to = answer_open(&b, sizeof *to, BLOCK_TAIL);

    if (to)
        fill_reply(&b, to, ban, note);
    return answer_send(f, r, &b, 200);
}

/* As it stands in the list, unless it has gone meanwhile; then as it was asked for. */
static int32_t answer_listed(struct firewall *f, struct ec_req *r, const struct ban *asked, const char *note)
{
    struct ec_build b;
    struct block_reply *to = answer_open(&b, sizeof *to, BLOCK_TAIL);
    const struct ban *ban;

    pthread_mutex_lock(&f->lock);
    ban = bans_by_id(&f->bans, asked->id);
    if (to)
        fill_reply(&b, to, ban ? ban : asked, note);
    pthread_mutex_unlock(&f->lock);
    return answer_send(f, r, &b, 201);
}

static void who_asks(const struct firewall *f, struct ec_req *r, char *to, size_t n)
{
    const struct ec_who *who = f->http->who(r);

    snprintf(to, n, "user:%s", who ? who->name : "nobody");
}

/* Is the event that a person bans for one of a replay? It is his will, but it has to be said. */
static int32_t look_for_replay(void *arg, uint64_t id, const char *json, uint32_t len)
{
    bool *replay = arg;

    (void)id;
    *replay = memmem(json, len, "\"replay\":true", 13) != NULL;
    return 0;
}

static bool of_replay(const struct firewall *f, uint64_t cause)
{
    bool replay = false;

    if (cause && f->store)
        f->store->event(f->store_self, cause, look_for_replay, &replay);
    return replay;
}

static int32_t refuse(const struct firewall *f, struct ec_req *r, int32_t err, const char *why)
{
    if (err == EC_EINVAL)
        return f->http->invalid(r, "body.ip", "value_error", why);
    return f->http->error(r, err == EC_EPERM && !f->powerless[0] ? 409 : 503, why);
}

/* What the body asks for; who and why are the caller's. false: a 422 has been sent. */
static bool read_body(const struct firewall *f, struct ec_req *r, struct ban *to, char *who, char *why)
{
    const struct ban_body *body = f->http->body(r);
    char text[64], cause[24], *end;
    const char *bad;

    if ((bad = address_parse(param_text(&body->part, body->ip, text, sizeof text), &to->net))) {
        f->http->invalid(r, "body.ip", "value_error", bad);
        return false;
    }
    to->cause = strtoull(param_text(&body->part, body->cause, cause, sizeof cause), &end, 10);
    if (*end || (cause[0] && (cause[0] < '0' || cause[0] > '9')) || to->cause > INT64_MAX) {
        f->http->invalid(r, "body.cause", "value_error", "it is no id of an event");
        return false;
    }
    who_asks(f, r, who, WHO_MAX);
    param_text(&body->part, body->reason, why, WHY_MAX);
    to->who = who;
    to->why = why;
    to->since_ns = f->host->now(f->host);
    to->until_ns = to->since_ns + body->duration;
    return true;
}

static const char unkept[] = "it is enforced, but could not be kept: after a restart the daemon does not know it";

/* What became of it; text: the reason that was given, or why it failed. */
static void audit_ban(struct firewall *f, struct ec_req *r, int32_t err, const char *address, const char *text,
                      bool lost)
{
    const char *outcome = lost ? "partial" : "success";
    bool dry = ((const struct ban_body *)f->http->body(r))->dry_run;
    char detail[WHY_MAX + sizeof unkept + 16];

    if (err)
        outcome = err == EC_EPERM ? "denied" : "failure";
    snprintf(detail, sizeof detail, "%s%s%s%s", dry ? "dry run: " : "", text, lost ? "; " : "", lost ? unkept : "");
    f->http->audit(r, "firewall.ban", outcome, address, detail);
}

/* [pool] */
static void ban_job(struct ec_req *r, void *arg)
{
    struct firewall *f = arg;
    const struct ban_body *body = f->http->body(r);
    char who[WHO_MAX], reason[WHY_MAX], why[512];
    struct ban shown = { .state = BAN_ACTIVE };
    struct ec_ban ask = { .size = sizeof ask, .flags = EC_BAN_PERSON, .who = who, .why = reason };
    char address[ADDRESS_TEXT];
    const char *note = NULL;
    int32_t err;
    bool late;

    if (!read_body(f, r, &shown, who, reason))
        return;
    address_text(&shown.net, address);
    memcpy(ask.addr, shown.net.addr, sizeof ask.addr);
    ask.prefix = shown.net.prefix;
    ask.until_ns = shown.until_ns;
    ask.cause = shown.cause;
    if (body->dry_run)
        ask.flags |= EC_BAN_DRY_RUN;
    if (of_replay(f, shown.cause)) {
        ask.flags |= EC_BAN_REPLAY;
        note = "the event that caused it comes from a replayed capture: what it shows may be long past";
    }
    err = act_ban(f, &ask, why, sizeof why, &shown.id);
    late = !err && shown.id && act_settle(f, shown.id, SETTLE_NS, why, sizeof why);
    if (!err && shown.id && !late) {
        keep_now(f);
        if (!keep_has(f, shown.id))
            note = unkept;
    }
    audit_ban(f, r, late ? EC_EAGAIN : err, address, err || late ? why : reason, note == unkept);
    if (err)
        refuse(f, r, err, why);
    else if (!shown.id)
        answer_dry(f, r, &shown, note ? note : why);
    else if (late)
        f->http->error(r, 503, why);
    else
        answer_listed(f, r, &shown, note);
}

static int32_t post_block(void *self, const void *state, struct ec_req *r)
{
    struct firewall *f = self;

    (void)state;
    f->http->work(r, ban_job, f);
    return EC_EAGAIN;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x < y) - (x > y);
}

/* Ids of the bans of this page, the newest first; how many there are behind it. Under the lock. */
static uint32_t page_ids(const struct firewall *f, const struct net *of, uint64_t before, uint64_t *ids)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->bans.n; i++) {
        const struct ban *ban = f->bans.all[i];

        if (ban->id < before && (!of || address_holds(&ban->net, of)))
            ids[n++] = ban->id;
    }
    qsort(ids, n, sizeof *ids, newest_first);
    return n;
}

static void fill_page(const struct firewall *f, struct ec_build *b, const uint64_t *ids, uint32_t n, uint32_t all)
{
    struct page_reply *to = (struct page_reply *)(void *)(b->base + b->part);
    struct block *items = n ? ec_rows(b, &to->items, n, sizeof *items) : NULL;
    char next[24];

    to->part.has = HAS_LIST;
    to->total = f->bans.n;
    for (uint32_t i = 0; items && i < n; i++)
        fill_block(b, &items[i], bans_by_id(&f->bans, ids[i]), NULL);
    if (all > n) {
        snprintf(next, sizeof next, "%llu", (unsigned long long)ids[n - 1]);
        to->next = ec_puts(b, next);
    }
}

/* [pool] */
static void page_job(struct ec_req *r, void *arg)
{
    struct firewall *f = arg;
    const struct page_param *p = f->http->param(r);
    struct ec_build b = { .base = NULL };
    uint64_t before = UINT64_MAX, *ids;
    char cursor[24], ip[64], *end;
    struct net of;
    uint32_t n, all;

    if (p->cursor.off) {
        before = strtoull(param_text(&p->part, p->cursor, cursor, sizeof cursor), &end, 10);
        if (*end || !before) {
            f->http->invalid(r, "query.cursor", "value_error", "it is no next_cursor of a page of bans");
            return;
        }
    }
    if (p->ip.off && address_parse(param_text(&p->part, p->ip, ip, sizeof ip), &of)) {
        f->http->invalid(r, "query.ip", "value_error", "it is no address or network");
        return;
    }
    pthread_mutex_lock(&f->lock);
    if ((ids = malloc((f->bans.n + 1) * sizeof *ids))) {
        all = page_ids(f, p->ip.off ? &of : NULL, before, ids);
        n = all < p->limit ? all : p->limit;
        if (answer_open(&b, sizeof(struct page_reply), 64 + n * (uint32_t)(sizeof(struct block) + BLOCK_TAIL)))
            fill_page(f, &b, ids, n, all);
        free(ids);
    }
    pthread_mutex_unlock(&f->lock);
    answer_send(f, r, &b, 200);
}

static int32_t get_blocks(void *self, const void *state, struct ec_req *r)
{
    struct firewall *f = self;

    (void)state;
    f->http->work(r, page_job, f);
    return EC_EAGAIN;
}

/* The network of a ban that is named by its id or its address. Under the lock. */
static const struct ban *named(const struct firewall *f, const char *text)
{
    struct net net;
    char *end;
    uint64_t id = strtoull(text, &end, 10);
    const struct ban *ban = NULL;

    if (!*end)
        ban = bans_by_id(&f->bans, id);
    else if (!address_parse(text, &net))
        ban = bans_find(&f->bans, &net);
    return ban && ban->state != BAN_LEAVING ? ban : NULL;
}

/* [pool] Of a path or of a query: both are one text. */
static void unban_job(struct ec_req *r, void *arg)
{
    struct firewall *f = arg;
    const struct unban_param *p = f->http->param(r);
    char text[64], who[WHO_MAX], why[512];
    char address[ADDRESS_TEXT];
    const char *problem = NULL;
    const struct ban *ban;
    struct net net;
    uint64_t id = 0;

    param_text(&p->part, p->text, text, sizeof text);
    who_asks(f, r, who, sizeof who);
    pthread_mutex_lock(&f->lock);
    if ((ban = named(f, text))) {
        net = ban->net;
        id = ban->id;
    }
    pthread_mutex_unlock(&f->lock);
    if (!id || (!p->dry_run && act_unban(f, &net, who))) {
        f->http->error(r, 404, "there is no such ban");
        return;
    }
    if (p->dry_run) {
        f->http->reply(r, 204, NULL);
        return;
    }
    address_text(&net, address);
    if (act_settle(f, id, SETTLE_NS, why, sizeof why))
        problem = why;
    else if (keep_now(f))
        problem = "it is unbanned, but the store did not take it: a restart may bring the ban back";
    f->http->audit(r, "firewall.unban", problem ? "failure" : "success", address, problem);
    if (problem)
        f->http->error(r, 503, problem);
    else
        f->http->reply(r, 204, NULL);
}

static int32_t delete_block(void *self, const void *state, struct ec_req *r)
{
    struct firewall *f = self;

    (void)state;
    f->http->work(r, unban_job, f);
    return EC_EAGAIN;
}

static int32_t get_block(void *self, const void *state, struct ec_req *r)
{
    struct firewall *f = self;
    const struct text_param *p = f->http->param(r);
    const struct ban *ban;
    struct ec_build b = { .base = NULL };
    struct block_reply *to;
    char text[64];

    (void)state;
    param_text(&p->part, p->text, text, sizeof text);
    pthread_mutex_lock(&f->lock);
    ban = named(f, text);
    if (ban && (to = answer_open(&b, sizeof *to, BLOCK_TAIL)))
        fill_reply(&b, to, ban, NULL);
    pthread_mutex_unlock(&f->lock);
    return ban ? answer_send(f, r, &b, 200) : f->http->error(r, 404, "there is no such ban");
}

static const struct ec_route routes[] = {
    ROUTE("GET", "/blocks", "firewall_blocks", "Bans, the newest first", READERS, 0, &page_param, NULL, &page_reply,
          get_blocks, 0, NULL),
    ROUTE("POST", "/blocks", "firewall_ban", "Ban an address or a network", ENFORCERS, EC_RT_ENFORCES, NULL, &ban_body,
          &block_reply, post_block, 201, "200,409"),
    ROUTE("GET", "/blocks/{id}", "firewall_block", "One ban, by its id or its address", READERS, 0, &id_param, NULL,
          &block_reply, get_block, 0, "404"),
    ROUTE("DELETE", "/blocks/{id}", "firewall_unban", "Take back a ban, by its id or its address", ENFORCERS,
          EC_RT_ENFORCES, &unban_param, NULL, NULL, delete_block, 204, "404"),
    ROUTE("DELETE", "/blocks", "firewall_unban_ip", "Take back the ban of this address or network", ENFORCERS,
          EC_RT_ENFORCES, &unban_ip_param, NULL, NULL, delete_block, 204, "404"),
};

static int32_t declare(struct firewall *f, void *http_self, const struct ec_route *r, size_t n)
{
    int32_t err = EC_OK;

    for (size_t k = 0; k < n && !err; k++)
        err = f->http->route(http_self, f->host, &r[k], f);
    return err;
}

int32_t routes_setup(struct firewall *f, void *http_self)
{
    int32_t err = EC_OK;

    if (f->http)
        err = declare(f, http_self, routes, sizeof routes / sizeof routes[0]);
    if (f->http && !err)
        err = declare(f, http_self, look_routes, look_n_route);
    return err ? ec_failf(f->host, err, "the HTTP server did not take a route of /api/firewall") : EC_OK;
}
