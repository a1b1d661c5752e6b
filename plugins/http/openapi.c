#include "plugins/http/openapi.h"

#include "plugins/http/field.h"
#include "plugins/http/schema.h"
#include "plugins/http/search.h"
#include "plugins/http/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TOPICS 256u
#define OPS "`field=a,b` is one of them; `field.ne`, `.lt`, `.le`, `.gt`, `.ge` compare; `field.has=true`: it is there"

static const char about[] =
    "Log in with `POST /api/auth/login`, then send `Authorization: Bearer TOKEN`; programs send `X-API-Key`. Errors are "
    "`{\"detail\": \"a sentence\"}`, of validation a list in `detail`. A parameter that a route does not know is 422.";

static const char components[] =
    "\"Error\":{\"type\":\"object\",\"properties\":{\"detail\":{\"type\":\"string\"}},\"required\":[\"detail\"]},"
    "\"ValidationError\":{\"title\":\"ValidationError\",\"type\":\"object\",\"properties\":{"
    "\"loc\":{\"title\":\"Location\",\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},"
    "{\"type\":\"integer\"}]}},"
    "\"msg\":{\"title\":\"Message\",\"type\":\"string\"},\"type\":{\"title\":\"Error Type\",\"type\":\"string\"},"
    "\"input\":{\"title\":\"Input\"},\"ctx\":{\"title\":\"Context\",\"type\":\"object\"}},"
    "\"required\":[\"loc\",\"msg\",\"type\"]},"
    "\"HTTPValidationError\":{\"title\":\"HTTPValidationError\",\"type\":\"object\",\"properties\":{\"detail\":"
    "{\"title\":\"Detail\",\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/ValidationError\"}}}},"
    "\"Count\":{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"properties\":{\"value\":{\"type\":\"string\"},\"count\":{\"type\":\"integer\",\"minimum\":0}},"
    "\"required\":[\"value\",\"count\"]}},\"partial\":{\"type\":\"boolean\"}},\"required\":[\"items\",\"partial\"]}";

static const char security[] =
    "\"OAuth2PasswordBearer\":{\"type\":\"oauth2\",\"flows\":{\"password\":{\"scopes\":{},"
    "\"tokenUrl\":\"/api/auth/login\"}}},"
    "\"Bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"},"
    "\"ApiKey\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-Key\"}";

/* Topics that are of one kind, or that a topic carries. */
static uint32_t attributes(const struct ec_host *h, const struct ec_topic **list)
{
    uint32_t n = 0;

    for (uint32_t id = 1; id <= h->topic_count(h) && n < TOPICS; id++) {
        const struct ec_topic *t = h->topic_get(h, id);

        if (t && t->root && t->record && t->flags & EC_TOPIC_ATTRIBUTE)
            list[n++] = t;
    }
    return n;
}

static uint32_t parts_of(const struct ec_host *h, const struct ec_topic *t, const struct ec_topic **list)
{
    uint32_t n = 0;

    list[n++] = t;
    for (const char *const *c = t->carries; c && *c && n < TOPICS; c++) {
        const struct ec_topic *other = **c == '*' ? NULL : h->topic_get(h, h->topic_find(h, *c));

        if (other && other->root && other->record)
            list[n++] = other;
    }
    return n;
}

static void put_event(struct text *t, const struct ec_host *h, const struct ec_topic *topic)
{
    const struct ec_topic *list[TOPICS];
    char name[128];

    snprintf(name, sizeof name, "Event_%s", topic->root);
    text_key(t, name);
    text_puts(t, "{\"allOf\":[{\"$ref\":\"#/components/schemas/Event\"},{\"type\":\"object\",\"properties\":{");
    schema_topics(t, list, parts_of(h, topic, list));
    text_puts(t, "}}]");
    text_pair(t, "description", topic->help);
    text_puts(t, "}");
}

static void put_page(struct text *t, const char *name, const char *of)
{
    text_key(t, name);
    text_printf(t, "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":{\"$ref\":"
                   "\"#/components/schemas/%s\"}},\"next_cursor\":{\"type\":[\"string\",\"null\"]},\"partial\":"
                   "{\"type\":\"boolean\"}},\"required\":[\"items\",\"next_cursor\",\"partial\"]}", of);
}

static bool is_event(const struct ec_host *h, const struct ec_topic *t)
{
    return t && t->root && t->record && t->flags & EC_TOPIC_EVENT && field_topic(h, t->root) == t;
}

/* Does a route answer pages of these? */
static bool is_paged(const struct routes *all, const struct ec_topic *t)
{
    for (uint32_t i = 0; i < all->n; i++)
        if (all->route[i].r->flags & EC_RT_EVENTS && all->route[i].r->topic && !strcmp(all->route[i].r->topic, t->name))
            return true;
    return false;
}

/* A page of any events: each is of one of these types. */
static void put_any(struct text *t, const struct ec_host *h)
{
    text_key(t, "AnyEvent");
    text_puts(t, "{\"anyOf\":[");
    for (uint32_t id = 1; id <= h->topic_count(h); id++)
        if (is_event(h, h->topic_get(h, id))) {
            text_comma(t);
            text_printf(t, "{\"$ref\":\"#/components/schemas/Event_%s\"}", h->topic_get(h, id)->root);
        }
    text_comma(t);
    text_puts(t, "{\"$ref\":\"#/components/schemas/Event\"}]}");
}

static void put_events(struct text *t, const struct server *s)
{
    const struct ec_host *h = s->host;
    const struct ec_topic *list[TOPICS];
    char page[128], of[128];

    text_key(t, "Event");
    text_puts(t, "{\"type\":\"object\",\"properties\":{");
    text_puts(t, field_common_schema);
    schema_topics(t, list, attributes(h, list));
    text_puts(t, "}}");
    put_any(t, h);
    put_page(t, "Page", "AnyEvent");
    for (uint32_t id = 1; id <= h->topic_count(h); id++) {
        const struct ec_topic *topic = h->topic_get(h, id);

        if (!is_event(h, topic))
            continue;
        put_event(t, h, topic);
        if (!is_paged(&s->routes, topic))
            continue;
        snprintf(page, sizeof page, "Page_%s", topic->root);
        snprintf(of, sizeof of, "Event_%s", topic->root);
        put_page(t, page, of);
    }
}

static void put_parameter(struct text *t, const char *name, bool path, bool required, const char *help)
{
    text_comma(t);
    text_puts(t, "{");
    text_pair(t, "name", name);
    text_pair(t, "in", path ? "path" : "query");
    text_key(t, "required");
    text_puts(t, path || required ? "true" : "false");
    text_pair(t, "description", help && *help ? help : NULL);
    text_key(t, "schema");
}

static void put_simple(struct text *t, const char *name, const char *schema, const char *help)
{
    put_parameter(t, name, false, false, help);
    text_puts(t, schema);
    text_puts(t, "}");
}

static void put_rows(struct text *t, const struct route *route)
{
    const struct ec_record *r = route->r->param;

    for (uint32_t i = 0; r && i < r->n_row; i++) {
        const struct ec_row *row = record_row(r, i);

        put_parameter(t, row->name, route_has_param(route, row->name), schema_required(row), row->help);
        schema_row(t, row, SCHEMA_INPUT);
        text_puts(t, "}");
    }
}

#define ADDRESS "[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?"     /* or a network */

/* The words of a filter: one of them, or several with commas. */
static void put_choice(struct text *t, const char *words)
{
    text_puts(t, "{\"type\":\"string\",\"pattern\":\"^(");
    for (int i = 0; i < 2; i++) {
        text_puts(t, i ? ")(,(" : "");
        for (const char *p = words; *p; p++)
            text_add(t, *p == ',' ? "|" : p, 1);
    }
    text_puts(t, "))*$\"}");
}

static void put_filter_schema(struct text *t, const struct field *f)
{
    const struct ec_row truth = { .type = EC_T_BOOL };

    switch (f->type) {
    case EC_T_BOOL:
        schema_row(t, &truth, 0);
        break;
    case EC_T_ENUM:
        put_choice(t, f->row->allow);
        break;
    case EC_T_U8: case EC_T_U16: case EC_T_U32: case EC_T_U64: case EC_T_DURATION: case EC_T_SIZE:
        text_puts(t, "{\"type\":\"string\",\"pattern\":\"^[0-9]{1,18}(,[0-9]{1,18})*$\"}");
        break;
    case EC_T_I64:
        text_puts(t, "{\"type\":\"string\",\"pattern\":\"^-?[0-9]{1,18}(,-?[0-9]{1,18})*$\"}");
        break;
    case EC_T_IP:
        text_puts(t, "{\"type\":\"string\",\"pattern\":\"^" ADDRESS "(," ADDRESS ")*$\"}");
        break;
    default:
        text_puts(t, "{\"type\":\"string\"}");         /* one value, or several with commas */
    }
}

struct filters { struct text *t; const struct route *route; };

/* A field that has the name of a parameter of the path can be asked for by `filter` only. */
static void put_filter(void *arg, const struct field *f)
{
    const struct filters *l = arg;

    if (route_has_param(l->route, f->name))
        return;
    put_parameter(l->t, f->name, false, false, f->help);
    put_filter_schema(l->t, f);
    text_puts(l->t, "}");
}

static void put_aliases(struct text *t, const struct ec_host *h, const struct ec_topic *topic, const char *list)
{
    char name[64], to[128];

    while (list && *list) {
        size_t item = strcspn(list, ","), eq = strcspn(list, "=");

        if (eq < item && eq < sizeof name) {
            struct field f;

            snprintf(name, sizeof name, "%.*s", (int)eq, list);
            snprintf(to, sizeof to, "%.*s", (int)(item - eq - 1), list + eq + 1);
            f = field_find(h, topic, to);
            put_parameter(t, name, false, false, to);
            put_filter_schema(t, &f);
            text_puts(t, "}");
        }
        list += item + (list[item] == ',');
    }
}

static void put_types(struct text *t, const struct ec_host *h)
{
    put_parameter(t, "type", false, false, "event_type; without it every type, filtered by common keys only");
    text_puts(t, "{\"type\":\"string\",\"enum\":[");
    for (uint32_t id = 1; id <= h->topic_count(h); id++) {
        const struct ec_topic *topic = h->topic_get(h, id);

        if (topic && topic->root && topic->flags & EC_TOPIC_EVENT && field_topic(h, topic->root) == topic) {
            text_comma(t);
            text_jsons(t, topic->root);
        }
    }
    text_puts(t, "]}}");
}

static void put_filters(struct text *t, const struct ec_host *h, const struct route *route)
{
    const struct ec_route *r = route->r;
    struct filters list = { t, route };
    const struct ec_topic *topic = r->topic ? h->topic_get(h, h->topic_find(h, r->topic)) : NULL;

    put_simple(t, "since", "{\"type\":\"string\"}", "RFC 3339, seconds since 1970, or how long ago: 15m, 24h, 7d");
    put_simple(t, "until", "{\"type\":\"string\"}", "the same; not included");
    put_simple(t, "q", "{\"type\":\"string\"}", "words that all stand in the event");
    if (r->flags & EC_RT_COUNT) {
        put_parameter(t, "by", false, true, "the field whose values are counted");
        text_puts(t, "{\"type\":\"string\"}}");
        put_simple(t, "limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":10}", "values");
    } else {
        put_simple(t, "limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":100}", "events");
        put_simple(t, "cursor", "{\"type\":\"string\",\"maxLength\":159}", "`next_cursor` of the page before");
        put_simple(t, "sort", "{\"type\":\"string\",\"enum\":[\"-timestamp\",\"timestamp\"],\"default\":\"-timestamp\"}",
                   "the newest first, or the oldest; as they came");
        if (route_pages_events(r))
            put_simple(t, "fields", "{\"type\":\"string\"}",
                       "of each event only these, beside `id` and `event_type`: names with commas between, of fields or of "
                       "objects of fields");
    }
    if (!r->topic)
        put_types(t, h);
    put_aliases(t, h, topic, r->alias);
    field_each(h, topic, put_filter, &list);
    put_parameter(t, "filter", false, false, r->topic ? OPS : OPS "; with `type` every field of that type");
    text_puts(t, "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
                 "\"style\":\"form\",\"explode\":true}");
}

static void put_header(struct text *t, const char *name, const char *help)
{
    text_comma(t);
    text_puts(t, "{");
    text_pair(t, "name", name);
    text_pair(t, "in", "header");
    text_puts(t, ",\"required\":false");
    text_pair(t, "description", help);
    text_puts(t, ",\"schema\":{\"type\":\"string\",\"maxLength\":255}}");
}

/* What the server adds to a declaration. */
static void put_added(struct text *t, const struct ec_route *r)
{
    bool reads = !strcmp(r->method, "GET");

    if (!route_runs_dry(r))
        put_simple(t, "dry_run", "{\"type\":\"boolean\",\"default\":false}", "only say what would happen");
    if (r->flags & EC_RT_ENFORCES)
        put_header(t, "Idempotency-Key",
                   "the same request with the same key is carried out once; later ones get the first one's answer, for "
                   "a day");
    if (r->flags & EC_RT_EDITS)
        put_header(t, reads ? "If-None-Match" : "If-Match",
                   reads ? "the ETag that is known already: 304"
                         : "the ETag that was read: 412 where it is another by now");
}

static void put_parameters(struct text *t, const struct ec_host *h, const struct route *route)
{
    if (!route->params && !route->r->param &&
        !(route->r->flags & (EC_RT_EVENTS | EC_RT_COUNT | EC_RT_ENFORCES | EC_RT_EDITS)))
        return;
    text_key(t, "parameters");
    text_puts(t, "[");
    if (route_from_store(route) && route->r->flags & EC_RT_EVENT) {
        put_parameter(t, "id", true, true, "the event's number");
        text_puts(t, "{\"type\":\"integer\",\"minimum\":0}}");
    }
    if (!route_from_store(route))
        put_rows(t, route);
    if (route->r->flags & (EC_RT_EVENTS | EC_RT_COUNT))
        put_filters(t, h, route);
    put_added(t, route->r);
    text_puts(t, "]");
}

static void put_example(struct text *t, const char *json)
{
    if (!json)
        return;
    text_key(t, "example");
    text_puts(t, json);
}

static void put_body(struct text *t, const struct ec_route *r)
{
    unsigned flags = SCHEMA_INPUT | (strcmp(r->method, "PATCH") ? SCHEMA_REQUIRED : 0);

    if (r->flags & EC_RT_UPLOAD) {
        text_puts(t, ",\"requestBody\":{\"required\":true,\"content\":{\"application/octet-stream\":{\"schema\":"
                     "{\"type\":\"string\",\"contentMediaType\":\"application/octet-stream\"}}}}");
        return;
    }
    if (!r->body)
        return;
    text_key(t, "requestBody");
    text_puts(t, "{\"required\":true,\"content\":{");
    if (r->flags & EC_RT_FORM) {
        text_puts(t, "\"application/x-www-form-urlencoded\":{\"schema\":");
        schema_record(t, r->body, flags);
        text_puts(t, "},");
    }
    text_puts(t, "\"application/json\":{\"schema\":");
    schema_record(t, r->body, flags);
    put_example(t, r->example);
    text_puts(t, "}}}");
}

static const char *reason(uint32_t status)
{
    static const struct { uint32_t status; const char *text; } known[] = {
        { 200, "Successful Response" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" },
        { 304, "Not Modified" }, { 400, "Bad Request" }, { 401, "Not authenticated" },
        { 403, "Not enough permissions" }, { 404, "Not Found" }, { 409, "Conflict" }, { 411, "Length Required" },
        { 412, "Precondition Failed" }, { 413, "Content Too Large" }, { 415, "Unsupported Media Type" },
        { 422, "Validation Error" }, { 429, "Too Many Requests" }, { 500, "Internal Server Error" },
        { 503, "Service Unavailable" },
    };

    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].status == status)
            return known[i].text;
    return "Error";
}

static void put_error(struct text *t, uint32_t status)
{
    char key[16];

    snprintf(key, sizeof key, "%" PRIu32, status);
    text_key(t, key);
    text_puts(t, "{");
    text_pair(t, "description", reason(status));
    if (status < 400)
        text_puts(t, "}");
    else
        text_printf(t, ",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}}}",
                status == 422 ? "HTTPValidationError" : "Error");
}

static const char *content_type(const struct ec_route *r)
{
    if (r->type)
        return r->type;
    return r->flags & EC_RT_STREAM ? "application/octet-stream" : "application/json";
}

/* Events with what their plugin writes beside their own members. */
static void put_beside(struct text *t, const struct ec_route *r, const char *kind, const struct ec_topic *topic)
{
    bool page = r->flags & EC_RT_EVENTS;

    text_printf(t, "{\"allOf\":[{\"$ref\":\"#/components/schemas/%s%s%s\"},", kind, topic ? "_" : "",
                topic ? topic->root : "");
    text_puts(t, page ? "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":" : "");
    schema_record(t, r->reply, 0);
    text_puts(t, page ? "}}}]}" : "]}");
}

static void put_success_schema(struct text *t, const struct ec_host *h, const struct ec_route *r)
{
    const struct ec_topic *topic = r->topic ? h->topic_get(h, h->topic_find(h, r->topic)) : NULL;
    const char *kind = r->flags & EC_RT_EVENTS ? "Page" : "Event";

    if (r->reply && r->flags & EC_RT_BESIDE)
        put_beside(t, r, kind, topic);
    else if (r->reply && r->run)
        schema_record(t, r->reply, 0);
    else if (r->flags & EC_RT_COUNT)
        text_puts(t, "{\"$ref\":\"#/components/schemas/Count\"}");
    else if (r->flags & (EC_RT_EVENTS | EC_RT_EVENT))
        text_printf(t, "{\"$ref\":\"#/components/schemas/%s%s%s\"}", kind, topic ? "_" : "", topic ? topic->root : "");
    else if (strncmp(content_type(r), "application/json", 16))
        text_puts(t, "{\"type\":\"string\"}");
    else
        text_puts(t, r->schema ? r->schema : "{}");
}

static bool has_status(const char *list, unsigned status)
{
    for (const char *p = list; p && *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
        unsigned v = 0;

        if (sscanf(p, "%3u", &v) == 1 && v == status)
            return true;
    }
    return false;
}

/* Nobody has to log in for it, and yet its plugin may say 401; a large body is not read without a token either. */
static bool may_be_401(const struct ec_route *r)
{
    return *r->roles || r->body || has_status(r->errors, 401);
}

/* Who has to choose another password first may do little. */
static bool may_be_403(const struct ec_route *r)
{
    bool everybody = !strcmp(r->roles, "*") && r->flags & EC_RT_BEFORE_CHANGE;

    return (*r->roles && !everybody) || has_status(r->errors, 403);
}

/* Answered by the server itself, whatever the plugin does. */
static bool is_implied(const struct ec_route *r, unsigned status)
{
    switch (status) {
    case 304:
        return r->flags & EC_RT_EDITS && !strcmp(r->method, "GET");
    case 401:
        return may_be_401(r);
    case 403:
        return may_be_403(r);
    case 409:
        return r->flags & EC_RT_ENFORCES;
    case 412:
        return r->flags & EC_RT_EDITS && strcmp(r->method, "GET");
    case 413:
        return r->body || r->flags & EC_RT_UPLOAD;
    case 415:
        return r->body;
    default:
        return status == 422 || status == 500 || status == 503;
    }
}

static void put_success(struct text *t, const struct ec_host *h, const struct ec_route *r, uint32_t status)
{
    char key[16];

    snprintf(key, sizeof key, "%" PRIu32, status);
    text_key(t, key);
    text_puts(t, "{");
    text_pair(t, "description", reason(status));
    if (status != 204) {
        text_key(t, "content");
        text_puts(t, "{");
        text_key(t, content_type(r));
        text_puts(t, "{\"schema\":");
        put_success_schema(t, h, r);
        put_example(t, r->reply_example);
        text_puts(t, "}}");
    }
    if (r->flags & EC_RT_EDITS)
        text_puts(t, ",\"headers\":{\"ETag\":{\"description\":\"the document's version\",\"schema\":"
                     "{\"type\":\"string\"}}}");
    text_puts(t, "}");
}

static void put_responses(struct text *t, const struct ec_host *h, const struct ec_route *r)
{
    static const uint32_t general[] = { 304, 401, 403, 409, 412, 413, 415, 422, 500, 503 };

    text_key(t, "responses");
    text_puts(t, "{");
    put_success(t, h, r, r->status ? r->status : 200);
    for (const char *p = r->errors; p && *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
        unsigned v = 0;

        if (sscanf(p, "%3u", &v) != 1 || is_implied(r, v))
            continue;
        if (v < 300)
            put_success(t, h, r, v);
        else
            put_error(t, v);
    }
    for (unsigned i = 0; i < sizeof general / sizeof *general; i++)
        if (is_implied(r, general[i]))
            put_error(t, general[i]);
    text_puts(t, "}");
}

/* "/api/ids/alerts" belongs to "ids". Returns the tag's length. */
static size_t tag_of(const struct ec_route *r, const char **tag)
{
    *tag = r->tag ? r->tag : strncmp(r->path, "/api/", 5) ? "server" : r->path + 5;
    return strcspn(*tag, "/.");
}

static void put_tag(struct text *t, const struct ec_route *r)
{
    const char *tag;
    size_t n = tag_of(r, &tag);

    text_key(t, "tags");
    text_puts(t, "[");
    text_json(t, tag, n);
    text_puts(t, "]");
}

/* Each tag once, in the order of the routes. */
static void put_tags(struct text *t, const struct routes *all)
{
    text_key(t, "tags");
    text_puts(t, "[");
    for (uint32_t i = 0; i < all->n; i++) {
        const char *tag, *other;
        size_t n = tag_of(all->route[i].r, &tag);
        bool again = all->route[i].r->flags & EC_RT_RAW;

        for (uint32_t k = 0; !again && k < i; k++)
            again = !(all->route[k].r->flags & EC_RT_RAW) && tag_of(all->route[k].r, &other) == n &&
                    !memcmp(tag, other, n);
        if (again)
            continue;
        text_comma(t);
        text_puts(t, "{");
        text_key(t, "name");
        text_json(t, tag, n);
        text_puts(t, all->route[i].r->tag ? "}" : ",\"description\":\"Routes below `/api/");
        if (!all->route[i].r->tag) {
            text_add(t, tag, n);
            text_puts(t, "`\"}");
        }
    }
    text_puts(t, "]");
}

static void put_who(struct text *t, const char *roles)
{
    if (!*roles)
        text_puts(t, "For everybody");
    else if (!strcmp(roles, "*"))
        text_puts(t, "For whoever has logged in");
    else
        text_puts(t, "For the roles ");
    for (size_t n; *roles && *roles != '*'; roles += n + (roles[n] == ',')) {
        n = strcspn(roles, ",");
        text_add(t, roles, n);
        text_puts(t, roles[n] ? ", " : "");
    }
    text_puts(t, ".");
}

/* What the declaration says by its flags, behind what its plugin says. */
static void put_description(struct text *t, const struct ec_route *r)
{
    struct text d = { 0 };

    text_puts(&d, r->description ? r->description : r->summary);
    if (d.n && !strchr(".!?`", d.p[d.n - 1]))
        text_puts(&d, ".");
    text_puts(&d, " ");
    put_who(&d, r->roles);
    if (r->flags & EC_RT_EVENTS)
        text_puts(&d, " The newest come first; `next_cursor` leads to the page behind.");
    if (r->flags & EC_RT_ENFORCES)
        text_puts(&d, " It is carried out once for each `Idempotency-Key`, and stands in the audit log.");
    if (r->flags & EC_RT_EDITS && strcmp(r->method, "GET"))
        text_puts(&d, " With `If-Match` only at that version.");
    text_key(t, "description");
    text_json(t, d.p, d.n);
    t->bad |= d.bad;
    text_free(&d);
}

static void put_roles(struct text *t, const char *roles)
{
    text_key(t, "security");
    text_puts(t, *roles ? "[{\"OAuth2PasswordBearer\":[]},{\"Bearer\":[]},{\"ApiKey\":[]}]" : "[]");
    text_key(t, "x-roles");
    text_puts(t, "[");
    while (*roles) {
        size_t n = strcspn(roles, ",");

        text_comma(t);
        text_json(t, roles, n);
        roles += n + (roles[n] == ',');
    }
    text_puts(t, "]");
}

static void put_operation(struct text *t, const struct ec_host *h, const struct route *route)
{
    const struct ec_route *r = route->r;
    char method[8] = "";

    for (unsigned i = 0; r->method[i] && i < sizeof method - 1; i++)
        method[i] = (char)(r->method[i] | 0x20);
    text_key(t, method);
    text_puts(t, "{");
    text_pair(t, "operationId", r->opid);
    text_pair(t, "summary", r->summary);
    put_description(t, r);
    put_tag(t, r);
    put_roles(t, r->roles);
    put_parameters(t, h, route);
    put_body(t, r);
    put_responses(t, h, r);
    text_puts(t, "}");
}

static void put_paths(struct text *t, const struct ec_host *h, const struct routes *all)
{
    for (uint32_t i = 0; i < all->n; i++) {
        const char *path = all->route[i].r->path;
        bool again = all->route[i].r->flags & EC_RT_RAW;

        for (uint32_t k = 0; k < i; k++)
            again |= !strcmp(all->route[k].r->path, path);
        if (again)
            continue;
        text_key(t, path);
        text_puts(t, "{");
        for (uint32_t k = i; k < all->n; k++)
            if (!(all->route[k].r->flags & EC_RT_RAW) && !strcmp(all->route[k].r->path, path))
                put_operation(t, h, &all->route[k]);
        text_puts(t, "}");
    }
}

bool openapi_build(struct server *s)
{
    struct text *t = &s->openapi;

    t->n = 0;
    text_puts(t, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"eCyber\"");
    text_pair(t, "version", s->host->version);
    text_pair(t, "summary", "Watches a network, explains what it finds, acts on it");
    text_pair(t, "description", about);
    text_puts(t, ",\"contact\":{\"name\":\"The developers of eCyber\"},"
                 "\"license\":{\"name\":\"MIT\",\"identifier\":\"MIT\"}},"
                 "\"servers\":[{\"url\":\"/\"}],\"paths\":{");
    put_paths(t, s->host, &s->routes);
    text_puts(t, "}");
    put_tags(t, &s->routes);
    text_puts(t, ",\"components\":{\"schemas\":{");
    text_puts(t, components);
    put_events(t, s);
    text_puts(t, "},\"securitySchemes\":{");
    text_puts(t, security);
    text_puts(t, "}}}");
    if (!t->bad)
        etag_of(t->p, t->n, s->etag);
    return !t->bad;
}
