#include "plugins/http/search.h"

#include "plugins/http/field.h"
#include "plugins/http/route.h"
#include "lib/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND UINT64_C(1000000000)

struct reading {
    struct search *s;
    const struct ec_host *h;
    const struct ec_route *r;
    const struct ec_topic *topic;
    search_error_fn *error;
    void *arg;
    bool wrong;
};

static void complain(struct reading *g, const char *at, const char *type, const char *msg, const char *value,
                     const char *ctx)
{
    g->wrong = true;
    g->error(g->arg, at, type, msg, value, ctx);
}

static int digits(const char **p, unsigned n, int *v)
{
    *v = 0;
    for (; n; n--, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        *v = *v * 10 + (**p - '0');
    }
    return 0;
}

/* ".123456789" after a second. */
static uint64_t fraction(const char **p)
{
    uint64_t v = 0, unit = SECOND / 10;

    if (**p != '.')
        return 0;
    for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
        v += unit * (uint64_t)(**p - '0');
    return v;
}

/* "Z", "+01:00", "+0100", nothing: UTC. A plus has become a space on its way through the query. Seconds, INT32_MAX:
 * bad. */
static int32_t zone(const char *p)
{
    int sign = *p == '-' ? -1 : 1, hours, minutes;

    if (!*p || !strcmp(p, "Z") || !strcmp(p, "z"))
        return 0;
    if (*p != '+' && *p != '-' && *p != ' ')
        return INT32_MAX;
    p++;
    if (digits(&p, 2, &hours))
        return INT32_MAX;
    p += *p == ':';
    if (digits(&p, 2, &minutes) || *p || hours > 14 || minutes > 59)
        return INT32_MAX;
    return sign * (hours * 3600 + minutes * 60);
}

/* YYYY-MM-DD[(T| )hh:mm:ss[.f][zone]] (RFC 3339 §5.6) */
static int calendar(const char *p, uint64_t *ns)
{
    struct tm tm = { 0 };
    uint64_t part = 0;
    int32_t off = 0;
    time_t t;

    if (digits(&p, 4, &tm.tm_year) || *p++ != '-' || digits(&p, 2, &tm.tm_mon) || *p++ != '-' ||
        digits(&p, 2, &tm.tm_mday))
        return -1;
    if (*p) {
        if ((*p != 'T' && *p != 't' && *p != ' ') || (p++, digits(&p, 2, &tm.tm_hour)) || *p++ != ':' ||
            digits(&p, 2, &tm.tm_min) || *p++ != ':' || digits(&p, 2, &tm.tm_sec))
            return -1;
        part = fraction(&p);
        off = zone(p);
    }
    if (off == INT32_MAX || tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    t = timegm(&tm) - off;
    *ns = t < 0 ? 0 : (uint64_t)t * SECOND + part;
    return 0;
}

int search_time(const char *text, uint64_t now_ns, uint64_t *ns)
{
    static const char units[] = "smhdw";
    static const uint32_t seconds[] = { 1, 60, 3600, 86400, 604800 };
    const char *unit, *p = text;
    uint64_t v = 0;

    while (*p >= '0' && *p <= '9' && p - text < 11)
        v = v * 10 + (uint64_t)(*p++ - '0');
    if (p == text)
        return -1;
    if (*p && !p[1] && (unit = strchr(units, *p))) {
        uint64_t ago = v * seconds[unit - units];

        if (ago > now_ns / SECOND)
            return -1;
        *ns = now_ns - ago * SECOND;
        return 0;
    }
    if (!*p || *p == '.') {
        uint64_t part = fraction(&p);

        *ns = v * SECOND + part;
        return *p || v > UINT64_MAX / SECOND - 1 ? -1 : 0;
    }
    return calendar(text, ns);
}

static bool is_number(const char *p, size_t n, bool is_float)
{
    char text[48], *end;

    if (!n || n >= sizeof text || *p == ' ')
        return false;
    memcpy(text, p, n);
    text[n] = '\0';
    errno = 0;
    if (is_float)
        strtod(text, &end);
    else if (*text == '-')
        strtoll(text, &end, 10);
    else
        strtoull(text, &end, 10);
    return !*end && !errno;
}

static bool is_address(const char *p, size_t n)
{
    char text[64], *slash, *end;
    unsigned char bytes[16];
    unsigned long bits = 0;
    bool six;

    if (!n || n >= sizeof text)
        return false;
    memcpy(text, p, n);
    text[n] = '\0';
    if ((slash = strchr(text, '/'))) {
        *slash = '\0';
        if (slash[1] < '0' || slash[1] > '9')
            return false;
        bits = strtoul(slash + 1, &end, 10);
        if (*end)
            return false;
    }
    six = inet_pton(AF_INET6, text, bytes) == 1;
    return (six || inet_pton(AF_INET, text, bytes) == 1) && bits <= (six ? 128 : 32);
}

static bool is_word(const char *list, const char *p, size_t n)
{
    for (; list && *list; list += strcspn(list, ",") + (list[strcspn(list, ",")] == ','))
        if (strcspn(list, ",") == n && !memcmp(list, p, n))
            return true;
    return false;
}

/* "'low', 'medium' or 'high'", as pydantic says it. */
static void put_words(struct text *t, const char *list)
{
    for (const char *p = list; *p; p += *p == ',') {
        size_t n = strcspn(p, ",");

        text_puts(t, p == list ? "'" : p[n] ? ", '" : " or '");
        text_add(t, p, n);
        text_puts(t, "'");
        p += n;
    }
}

static void complain_word(struct reading *g, const char *at, const char *value, const char *list)
{
    struct text words = { 0 }, msg = { 0 }, ctx = { 0 };

    put_words(&words, list);
    text_puts(&msg, "Input should be ");
    text_add(&msg, words.p, words.n);
    text_add(&msg, "", 1);
    text_puts(&ctx, "{\"expected\":");
    text_json(&ctx, words.p, words.n);
    text_add(&ctx, "}", 2);
    complain(g, at, "enum", msg.bad ? "Input should be another word" : msg.p, value,
             ctx.bad || words.bad ? NULL : ctx.p);
    text_free(&words);
    text_free(&msg);
    text_free(&ctx);
}

static bool complain_type(struct reading *g, const char *at, const char *type, const char *msg, const char *value)
{
    complain(g, at, type, msg, value, NULL);
    return false;
}

/* Does one of the values, n bytes at p, fit the field? */
static bool check_one(struct reading *g, const char *at, const struct field *f, const char *value, const char *p,
                      size_t n)
{
    switch (f->type) {
    case EC_T_U8: case EC_T_U16: case EC_T_U32: case EC_T_U64: case EC_T_I64: case EC_T_DURATION: case EC_T_SIZE:
        return is_number(p, n, false) ||
               complain_type(g, at, "int_parsing",
                             "Input should be a valid integer, unable to parse string as an integer", value);
    case EC_T_F64:
        return is_number(p, n, true) ||
               complain_type(g, at, "float_parsing",
                             "Input should be a valid number, unable to parse string as a number", value);
    case EC_T_BOOL:
        return is_word("true,false,1,0", p, n) ||
               complain_type(g, at, "bool_parsing", "Input should be a valid boolean, unable to interpret input",
                             value);
    case EC_T_IP:
        return is_address(p, n) ||
               complain_type(g, at, "ip_any_network", "Input should be an address or a network as CIDR", value);
    case EC_T_ENUM:
        if (is_word(f->row->allow, p, n))
            return true;
        complain_word(g, at, value, f->row->allow);
        return false;
    default:
        return true;
    }
}

/* Does each of the values? */
static void check_value(struct reading *g, const char *at, const struct field *f, const char *value)
{
    const char *p = value;
    size_t n;

    do {
        n = strcspn(p, ",");
        if (!check_one(g, at, f, value, p, n))
            return;
        p += n + 1;
    } while (p[-1]);
}

/* "sid" as the route's aliases have it: the field's name, len bytes; NULL: none. */
static const char *find_alias(const char *list, const char *name, size_t n, size_t *len)
{
    while (list && *list) {
        size_t item = strcspn(list, ","), eq = strcspn(list, "=");

        if (eq < item && eq == n && !memcmp(list, name, n)) {
            *len = item - eq - 1;
            return list + eq + 1;
        }
        list += item + (list[item] == ',');
    }
    return NULL;
}

/* The field that n bytes of `name` mean, its name into to; type 0: none. */
static struct field resolve(const struct reading *g, const char *name, size_t n, char to[96])
{
    size_t len = n;
    const char *alias = find_alias(g->r->alias, name, n, &len);

    if (!alias)
        alias = name, len = n;
    if (!len || len >= 96)
        return (struct field){ 0 };
    memcpy(to, alias, len);
    to[len] = '\0';
    return field_find(g->h, g->topic, to);
}

static bool add_filter(struct reading *g, const struct decode_field *f)
{
    static const struct { const char *suffix; uint32_t op; } ops[] = {
        { ".ne", EC_F_NE }, { ".lt", EC_F_LT }, { ".le", EC_F_LE }, { ".gt", EC_F_GT }, { ".ge", EC_F_GE },
        { ".has", EC_F_HAS },
    };
    struct search *s = g->s;
    uint32_t n = s->q.n_filter, op = EC_F_EQ;
    size_t len = f->name_len;
    struct field found;

    if (strlen(f->name) != len)
        return false;
    found = resolve(g, f->name, len, s->field[n]);
    for (unsigned i = 0; !found.type && i < sizeof ops / sizeof ops[0]; i++) {
        size_t m = strlen(ops[i].suffix);

        if (len > m && !strcmp(f->name + len - m, ops[i].suffix)) {
            op = ops[i].op;
            found = resolve(g, f->name, len - m, s->field[n]);
        }
    }
    if (!found.type)
        return false;
    if (op == EC_F_HAS && strcmp(f->value, "true") != 0)
        complain(g, f->name, "literal_error", "Input should be 'true'", f->value, NULL);
    else if (op != EC_F_HAS)
        check_value(g, f->name, &found, f->value);
    s->filter[n] = (struct ec_filter){ sizeof s->filter[n], op, s->field[n], f->value };
    s->q.n_filter++;
    return true;
}

static void read_limit(struct reading *g, const struct decode_field *f, uint32_t *to)
{
    char *end;
    unsigned long v = strtoul(f->value, &end, 10);

    if (!is_number(f->value, f->value_len, false))
        complain(g, f->name, "int_parsing", "Input should be a valid integer, unable to parse string as an integer",
                 f->value, NULL);
    else if (*f->value == '-' || v < 1)
        complain(g, f->name, "greater_than_equal", "Input should be greater than or equal to 1", f->value,
                 "{\"ge\":1}");
    else if (v > SEARCH_LIMIT_MAX)
        complain(g, f->name, "less_than_equal", "Input should be less than or equal to 1000", f->value,
                 "{\"le\":1000}");
    else
        *to = (uint32_t)v;
}

static void read_when(struct reading *g, const struct decode_field *f, uint64_t now_ns, uint64_t *ns)
{
    if (search_time(f->value, now_ns, ns))
        complain(g, f->name, "datetime_parsing",
                 "Input should be a time: RFC 3339, seconds since 1970, or how long ago, such as 15m, 24h, 7d",
                 f->value, NULL);
}

static void read_cursor(struct reading *g, const struct decode_field *f)
{
    if (f->value_len >= EC_CURSOR_MAX)
        complain(g, f->name, "string_too_long", "String should have at most 159 characters", f->value,
                 "{\"max_length\":159}");
    g->s->q.cursor = *f->value ? f->value : NULL;
}

static void read_sort(struct reading *g, const struct decode_field *f)
{
    if (!is_word(SEARCH_SORTS, f->value, f->value_len))
        complain_word(g, f->name, f->value, SEARCH_SORTS);
    else if (*f->value != '-')
        g->s->q.flags |= EC_QUERY_OLDEST_FIRST;
}

/* Is it something that stands beside the events? */
static bool is_beside(const struct ec_route *r, const char *name)
{
    for (uint32_t i = 0; r->flags & EC_RT_BESIDE && r->reply && i < r->reply->n_row; i++)
        if (!strcmp(record_row(r->reply, i)->name, name))
            return true;
    return false;
}

/* One of ?fields=, len bytes. */
static bool read_pick(struct reading *g, const char *name, size_t len)
{
    struct pick *p = &g->s->pick;
    size_t n = len;
    const char *alias = find_alias(g->r->alias, name, len, &n);

    if (p->n == PICK_FIELDS || !n || n >= PICK_NAME)
        return false;
    memcpy(p->name[p->n], alias ? alias : name, n);
    p->name[p->n][n] = '\0';
    return (is_beside(g->r, p->name[p->n]) || field_names(g->h, g->topic, p->name[p->n])) && ++p->n;
}

static void read_picks(struct reading *g, const struct decode_field *f)
{
    const char *p = f->value;
    size_t n;

    do {
        n = strcspn(p, ",");
        if (!read_pick(g, p, n)) {
            complain(g, f->name, "value_error", g->s->pick.n == PICK_FIELDS ? "64 fields at most can be chosen" :
                     "events have no such field", f->value, NULL);
            return;
        }
        p += n + 1;
    } while (p[-1]);
}

static void read_field(struct reading *g, const struct decode_field *f, uint64_t now_ns)
{
    struct search *s = g->s;
    bool count = g->r->flags & EC_RT_COUNT;

    if (!strcmp(f->name, "since"))
        read_when(g, f, now_ns, &s->q.since_ns);
    else if (!strcmp(f->name, "until"))
        read_when(g, f, now_ns, &s->q.until_ns);
    else if (!strcmp(f->name, "q"))
        s->q.text = *f->value ? f->value : NULL;
    else if (!strcmp(f->name, "limit"))
        read_limit(g, f, count ? &s->top : &s->q.limit);
    else if (!count && !strcmp(f->name, "cursor"))
        read_cursor(g, f);
    else if (!count && !strcmp(f->name, "sort"))
        read_sort(g, f);
    else if (route_pages_events(g->r) && !strcmp(f->name, "fields"))
        read_picks(g, f);
    else if (count && !strcmp(f->name, "by")) {
        if (!resolve(g, f->value, f->value_len, s->by).type)
            complain(g, "by", "value_error", "there is no such field", f->value, NULL);
    } else if (!strcmp(f->name, "type") && !g->r->topic) {
        /* read first */
    } else if (!route_has_row(g->r, f->name) && !add_filter(g, f)) {
        complain(g, f->name, "extra_forbidden", "Extra inputs are not permitted", f->value, NULL);
    }
}

/* The event_type: that of the route's topic, or the one that ?type= names. */
static void read_type(struct reading *g, const struct decode *d)
{
    const struct decode_field *f;

    if (g->r->topic) {
        g->topic = g->h->topic_get(g->h, g->h->topic_find(g->h, g->r->topic));
        g->s->q.type = g->topic ? g->topic->root : "";
    } else if ((f = decode_find(d, "type")) && *f->value) {
        g->topic = field_topic(g->h, f->value);
        g->s->q.type = f->value;
        if (!g->topic)
            complain(g, "type", "enum", "Input should be the type of events that a plugin declares", f->value, NULL);
    }
}

bool search_read(struct search *s, const struct ec_host *h, const struct ec_route *r, const struct decode *d,
                 uint64_t now_ns, search_error_fn *error, void *arg)
{
    struct reading g = { s, h, r, NULL, error, arg, false };

    memset(s, 0, sizeof *s);
    s->q.size = sizeof s->q;
    s->q.limit = SEARCH_LIMIT;
    s->q.filter = s->filter;
    s->q.filter_stride = sizeof s->filter[0];
    s->top = SEARCH_TOP;
    read_type(&g, d);
    for (uint32_t i = 0; i < d->n; i++)
        read_field(&g, &d->field[i], now_ns);
    if (r->flags & EC_RT_COUNT && !decode_find(d, "by"))
        complain(&g, "by", "missing", "Field required", NULL, NULL);
    return !g.wrong;
}
