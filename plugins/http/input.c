#include "plugins/http/input.h"

#include "plugins/http/guard.h"
#include "plugins/http/server.h"

#include <event2/buffer.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define PART_EXTRA 8192u            /* bytes of defaults and alignment beyond what the JSON itself can need */

/* What ec.json/1 says of a document goes into the request's list. */
struct noting { struct ec_req *r; const char *where; bool malformed; };

static void note(void *arg, const char *at, const char *type, const char *msg, const char *input, const char *ctx)
{
    struct noting *n = arg;
    const char *where = n->where;

    if (strcmp(where, "query") == 0 && route_has_param(n->r->match.route, at))
        where = "path";
    n->malformed |= !strcmp(type, "json_invalid");
    request_note(n->r, where, at, type, msg, input, ctx);
}

/* A document into a part of its own; NULL where it does not fit the record. */
static struct ec_part *read_part(struct noting *n, const struct ec_record *record, const char *json, size_t len,
                                 uint32_t flags)
{
    const struct server *s = n->r->s;
    const struct ec_shape *shape = s->json ? s->json->shape(s->json_self, record) : NULL;
    size_t cap = (size_t)record->bytes + PART_EXTRA + len * 4;
    struct ec_part *p;
    int32_t err = EC_ENOMEM;

    for (int i = 0; shape && i < 3 && (p = calloc(1, cap)); i++, cap *= 4) {
        err = s->json->read(s->json_self, shape, json, len, flags, p, (uint32_t)cap, note, n);
        if (!err)
            return p;
        free(p);
        if (err != EC_ELIMIT)
            break;
    }
    if (err != EC_EINVAL)
        request_note(n->r, n->where, "", "value_error", "the document cannot be taken in", NULL, NULL);
    return NULL;
}

static bool is_type(const char *header, const char *type)
{
    size_t n = header ? strcspn(header, "; \t") : 0;

    return header && n == strlen(type) && !strncasecmp(header, type, n);
}

void input_object(struct text *t, const struct ec_record *record, const struct decode *d)
{
    text_puts(t, "{");
    for (uint32_t i = 0; i < d->n; i++) {
        bool list = false, again = false;

        for (uint32_t k = 0; record && k < record->n_row; k++)
            list |= record_row(record, k)->flags & EC_R_LIST && !strcmp(record_row(record, k)->name, d->field[i].name);
        for (uint32_t k = list ? 0 : i + 1; k < (list ? i : d->n); k++)
            again |= !strcmp(d->field[k].name, d->field[i].name);
        if (again)
            continue;                   /* of several the last, or all of them where the first stood */
        text_key(t, d->field[i].name);
        text_puts(t, list ? "[" : "");
        for (uint32_t k = i; k < d->n; k++)
            if (!strcmp(d->field[k].name, d->field[i].name) && (list || k == i)) {
                text_comma(t);
                text_json(t, d->field[k].value, d->field[k].value_len);
            }
        text_puts(t, list ? "]" : "");
    }
    text_puts(t, "}");
}

/* Is it JSON's null? FastAPI takes that for no body. */
static bool is_null(const char *p, size_t n)
{
    while (n && strchr(" \t\r\n", p[n - 1]))
        n--;
    while (n && strchr(" \t\r\n", *p))
        p++, n--;
    return n == 4 && !memcmp(p, "null", 4);
}

/* 0; 415; 422: what is wrong was noted, and malformed says whether it is no JSON at all. */
static uint32_t read_body(struct ec_req *r, struct evbuffer *in, bool *malformed, bool *missing)
{
    const struct ec_route *t = r->match.route->r;
    size_t len = evbuffer_get_length(in);
    const char *p = (const char *)evbuffer_pullup(in, -1), *type = request_header(r, "Content-Type"), *why = "";
    struct noting n = { r, "body", false };
    struct decode form;
    struct text json = { 0 };

    *missing = (t->body && (!len || is_null(p, len))) || (t->flags & EC_RT_UPLOAD && r->upload < 0);
    if ((t->body || t->flags & EC_RT_RAW) && t->body_max && len > t->body_max)
        return 413;
    if (t->flags & EC_RT_RAW)
        text_add(&r->raw, p, len);
    if (!t->body || *missing)
        return 0;
    if (t->flags & EC_RT_FORM && is_type(type, "application/x-www-form-urlencoded")) {
        if (decode_query(&form, p, len, &why))
            request_note(r, "body", "", "form_invalid", why, NULL, NULL);
        input_object(&json, t->body, &form);
        decode_free(&form);
        r->body = r->detail.n || json.bad ? NULL : read_part(&n, t->body, json.p, json.n, EC_JSON_COERCE);
        text_free(&json);
    } else if (is_type(type, "application/json")) {
        r->body = read_part(&n, t->body, p, len, EC_JSON_LAX | (strcmp(t->method, "PATCH") ? 0 : EC_JSON_PARTIAL));
    } else {
        return 415;
    }
    *malformed = n.malformed;
    return r->body ? 0 : 422;
}

/* The credentials of a process on the Unix socket. Without ec.auth/1, root and the daemon's own user are
 * administrators. */
static bool peer_of(const struct server *s, int fd, struct ec_who *who)
{
    struct ucred c;
    socklen_t len = sizeof c;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len))
        return false;
    who->size = sizeof *who;
    if (s->auth)
        return s->auth->peer(s->auth_self, c.uid, c.gid, (uint32_t)c.pid, who) == EC_OK;
    if (c.uid != 0 && c.uid != geteuid())
        return false;
    *who = (struct ec_who){ .size = sizeof *who, .flags = EC_WHO_LOCAL };
    snprintf(who->name, sizeof who->name, "uid %u", (unsigned)c.uid);
    snprintf(who->roles, sizeof who->roles, "admin");
    return true;
}

/* By a token, or by an API key where there is none. */
static bool ask_header(struct ec_req *r)
{
    const char *header = request_header(r, "Authorization"), *key = header ? NULL : request_header(r, "X-API-Key");
    const struct ec_auth *auth = r->s->auth;
    char why[256] = "";
    int32_t err;

    if (!auth || (header ? strncasecmp(header, "Bearer ", 7) != 0 : !key))
        return false;
    r->who.size = sizeof r->who;
    if (header) {
        header += 7 + strspn(header + 7, " ");
        err = auth->bearer(r->s->auth_self, header, (uint32_t)strlen(header), &r->who, why, sizeof why);
    } else {
        err = auth->key(r->s->auth_self, key, (uint32_t)strlen(key), r->peer, &r->who, why, sizeof why);
    }
    if (err)
        EC_LOG(r->s->host, EC_LOG_INFO, "%s from %s was refused: %s", header ? "a token" : "an API key", r->peer, why);
    return err == EC_OK;
}

/* Was there anything that could have said who it is? */
static bool has_credentials(struct ec_req *r)
{
    const char *header = request_header(r, "Authorization");

    return header ? !strncasecmp(header, "Bearer ", 7) : request_header(r, "X-API-Key") != NULL;
}

bool roles_allow(const char *want, const char *have)
{
    if (!*want || !strcmp(want, "*"))
        return true;
    while (*have) {
        size_t n = strcspn(have, ",");

        for (const char *w = want; n; ) {
            size_t m = strcspn(w, ",");

            if (m == n && !memcmp(w, have, n))
                return true;
            if (!w[m])
                break;
            w += m + 1;
        }
        have += n + (have[n] == ',');
    }
    return false;
}

/* Somebody else knows the password of who asks: nothing else is open until it is another one. */
static bool has_to_change(const struct ec_req *r)
{
    return r->who.flags & EC_WHO_MUST_CHANGE && !(r->match.route->r->flags & EC_RT_BEFORE_CHANGE);
}

/* Who asks, and may they? false: it was answered. */
static bool authorise(struct ec_req *r)
{
    const char *roles = r->match.route->r->roles;

    r->who.size = sizeof r->who;
    if (r->local)
        r->known = peer_of(r->s, guard_fd(r->guard), &r->who);
    if (!r->known)
        r->known = ask_header(r);
    if (!*roles)
        return true;
    if (!r->known && !r->s->auth && !r->local)
        request_error(r, 503, "no plugin is there that could say who you are (ec.auth/1)");
    else if (!r->known)
        request_error(r, 401, has_credentials(r) ? "Could not validate credentials" : "Not authenticated");
    else if (!roles_allow(roles, r->who.roles))
        request_error(r, 403, "Not enough permissions");
    else if (has_to_change(r))
        request_error(r, 403, "The password has to be changed first (POST /api/auth/change-password)");
    else
        return true;
    return false;
}

bool input_still_allowed(struct ec_req *r)
{
    const char *roles = r->match.route->r->roles;

    if (!*roles || r->local)
        return true;
    return ask_header(r) && roles_allow(roles, r->who.roles) && !has_to_change(r);
}

#define UPLOADS 8u                  /* at once */

/* The token, the API key, or on the Unix socket the peer, of a body that has not been read yet. */
static bool sender(const struct server *s, const struct guard_body *b, bool local, struct ec_who *who)
{
    char reason[256] = "";
    size_t len;
    const char *value;

    if (local && peer_of(s, b->fd, who))
        return true;
    value = head_value(b->head, b->n, "Authorization", &len);
    if (s->auth && !value && (value = head_value(b->head, b->n, "X-API-Key", &len)))
        return s->auth->key(s->auth_self, value, (uint32_t)len, NULL, who, reason, sizeof reason) == EC_OK;
    if (!s->auth || !value || len < 7 || strncasecmp(value, "Bearer ", 7) != 0)
        return false;
    for (value += 7, len -= 7; len && *value == ' '; len--)
        value++;
    return s->auth->bearer(s->auth_self, value, (uint32_t)len, who, reason, sizeof reason) == EC_OK;
}

/* The route of a request whose head is there, and where its path ends; NULL: of none. */
static const struct route *route_of(const struct server *s, const struct guard_body *b, const char **end)
{
    const char *space = memchr(b->head, ' ', b->n), *path = space ? space + 1 : b->head;
    size_t n = strcspn(path, "? ");
    char method[8] = "";
    struct route_match m;

    if (!space || (size_t)(space - b->head) >= sizeof method)
        return NULL;
    memcpy(method, b->head, (size_t)(space - b->head));
    routes_match(&s->routes, method, path, n, &m);
    *end = path + n;
    return m.route;
}

/* Does its handler want a large body of a request that says who sends it in its query only? at: behind the path. */
static bool wants_large(const struct route *t, const char *at, uint64_t len)
{
    size_t n = *at == '?' ? strcspn(at, " ") - 1 : 0;
    char query[1024];

    if (!(t->r->flags & EC_RT_RAW) || !t->r->large || n >= sizeof query)
        return false;
    memcpy(query, at + 1, n);
    query[n] = '\0';
    return t->r->large(t->self, query, len) != 0;
}

static int refuse(struct guard_body *b, int status, const char *why)
{
    b->why = why;
    return status;
}

static int take_upload(struct server *s, const struct ec_route *t, struct guard_body *b, bool local)
{
    struct ec_who who = { .size = sizeof who };
    bool known = sender(s, b, local, &who);
    const char *folder = s->host->state_dir(s->host);

    if (*t->roles && !known)
        return refuse(b, 401, "Not authenticated");
    if (!roles_allow(t->roles, who.roles))
        return refuse(b, 403, "Not enough permissions");
    if (b->chunked)
        return refuse(b, 411, "an upload has to say its Content-Length");
    if (b->length > t->body_max)
        return refuse(b, 413, "the body is too large");
    if (s->uploads >= UPLOADS)
        return refuse(b, 503, "too many uploads are being sent at once");
    b->spool = folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
    if (b->spool < 0)
        return refuse(b, 503, "the body cannot be kept: the state folder takes no file");
    s->uploads++;
    return 0;
}

void input_upload_close(struct server *s, int fd)
{
    close(fd);
    s->uploads--;
}

int input_body(struct server *s, struct guard_body *b, bool local)
{
    const char *end = NULL;
    const struct route *t = route_of(s, b, &end);
    struct ec_who who = { .size = sizeof who };

    if (t && t->r->flags & EC_RT_UPLOAD)
        return take_upload(s, t->r, b, local);
    if (b->length > s->c.guard.body)
        return refuse(b, 413, "the body is too large");
    if (b->length > BODY_FREE && !local && !sender(s, b, local, &who) && !(t && wants_large(t, end, b->length)))
        return refuse(b, 401, "a body over 16 KiB needs a valid token or API key");
    return 0;
}

/* Fields of the path beside those of the query, which may not have their names. */
static bool join_path(struct ec_req *r, struct decode *all, char **room)
{
    const struct route *t = r->match.route;
    size_t need = r->path_len + 16 * ROUTE_PARAMS + 256;
    char *to = *room = malloc(need);

    if (!to)
        return false;
    for (uint32_t i = 0; i < t->params; i++) {
        struct decode_field *f = &all->field[all->n];
        int64_t n;

        if (all->n == DECODE_FIELDS || t->param_len[i] > 64)
            return false;
        memcpy(to, t->param[i], t->param_len[i]);
        to[t->param_len[i]] = '\0';
        if (decode_find(all, to))
            request_note(r, "query", to, "extra_forbidden", "Extra inputs are not permitted", NULL, NULL);
        f->name = to;
        f->name_len = t->param_len[i];
        to += t->param_len[i] + 1;
        n = decode_text(r->match.value[i], r->match.value_len[i], 0, to);
        f->value = n < 0 ? "" : to;
        f->value_len = n < 0 ? 0 : (uint32_t)n;
        if (n < 0)
            request_note(r, "path", f->name, "string_unicode", "the path is not percent-encoded UTF-8", NULL, NULL);
        to += n < 0 ? 0 : n + 1;
        all->n++;
    }
    return true;
}

/* The path's values and the query's, into the struct of route->param. Of a page only those that are the plugin's own:
 * the others are filters. */
static void read_own(struct ec_req *r)
{
    const struct ec_route *t = r->match.route->r;
    struct noting n = { r, "query", false };
    struct decode own = { .n = 0 };
    struct text json = { 0 };
    char *room = NULL;

    for (uint32_t i = 0; i < r->q.n; i++)
        if (!(t->flags & EC_RT_EVENTS) || route_has_row(t, r->q.field[i].name))
            own.field[own.n++] = r->q.field[i];
    if (!join_path(r, &own, &room))
        request_note(r, "path", "", "value_error", "the path has too many parameters", NULL, NULL);
    input_object(&json, t->param, &own);
    if (!json.bad && json.p)
        r->param = read_part(&n, t->param, json.p, json.n, EC_JSON_COERCE);
    text_free(&json);
    free(room);
}

/* As pydantic reads a truth value. -1: it is none. */
static int truth(const char *s)
{
    static const char *const words[2][6] = { { "false", "0", "no", "off", "f", "n" },
                                             { "true", "1", "yes", "on", "t", "y" } };

    for (int v = 0; v < 2; v++)
        for (unsigned i = 0; i < 6; i++)
            if (!strcasecmp(s, words[v][i]))
                return v;
    return -1;
}

/* ?dry_run= of a route that enforces something is the server's, unless the plugin has a row of that name. */
static void take_dry_run(struct ec_req *r)
{
    const struct ec_route *t = r->match.route->r;
    const struct decode_field *f;
    struct text input = { 0 };
    int v;

    if (route_runs_dry(t) || !(f = decode_find(&r->q, "dry_run")))
        return;
    v = truth(f->value);
    r->dry_run = v > 0;
    if (v < 0) {
        text_json(&input, f->value, f->value_len);
        text_add(&input, "", 1);
        request_note(r, "query", "dry_run", "bool_parsing",
                     "Input should be a valid boolean, unable to interpret input", input.bad ? NULL : input.p, NULL);
        text_free(&input);
    }
    for (uint32_t i = 0; i < r->q.n; )
        if (!strcmp(r->q.field[i].name, "dry_run"))
            r->q.field[i] = r->q.field[--r->q.n];
        else
            i++;
}

static void read_params(struct ec_req *r)
{
    const struct ec_route *t = r->match.route->r;
    struct noting n = { r, "query", false };
    const char *why = "";

    if (decode_query(&r->q, r->query, r->query_len, &why)) {
        request_note(r, "query", "", "query_invalid", why, NULL, NULL);
        return;
    }
    take_dry_run(r);
    if (route_from_store(r->match.route))
        return;                         /* its fields are filters */
    if (t->param)
        read_own(r);
    else if (!(t->flags & EC_RT_EVENTS))
        for (uint32_t i = 0; i < r->q.n; i++)
            note(&n, r->q.field[i].name, "extra_forbidden", "Extra inputs are not permitted", NULL, NULL);
}

bool input_read(struct ec_req *r, struct evbuffer *body)
{
    bool malformed = false, missing = false;
    uint32_t status = read_body(r, body, &malformed, &missing);

    if (status == 413)
        request_error(r, 413, "the body is too large");
    else if (status == 415)
        request_error(r, 415, r->match.route->r->flags & EC_RT_FORM
                                  ? "the body has to be application/json or application/x-www-form-urlencoded"
                                  : "the body has to be application/json");
    else if (malformed)
        request_invalid(r);
    else if (authorise(r)) {
        if (missing)
            request_note(r, "body", "", "missing", "Field required", NULL, NULL);
        if (!(r->match.route->r->flags & EC_RT_RAW))
            read_params(r);
        if (!r->detail.n)
            return true;
        request_invalid(r);
    }
    return false;
}
