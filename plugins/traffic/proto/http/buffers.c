/* buffers.c: the inspection buffers of HTTP/1. */
#include "buffers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "transaction.h"

#define HEADERS_MAX 1024            /* that are offered; libhtp itself stops at 1,024 */

#define REQ(name, progress, help) { name, help, EC_TO_SERVER, EC_BUF_KIND_TX, 0, progress }
#define RES(name, progress, help) { name, help, EC_TO_CLIENT, EC_BUF_KIND_TX, 0, progress }
const struct ec_bufdef http_buffers[HTTP_SLOTS] = {
    [HTTP_METHOD] = REQ("http.method", HTTP_AT_LINE, "request method"),
    [HTTP_URI] = REQ("http.uri", HTTP_AT_LINE, "path and query, normalized"),
    [HTTP_URI_RAW] = REQ("http.uri.raw", HTTP_AT_LINE, "request target as it was sent"),
    [HTTP_PROTOCOL] = REQ("http.protocol", HTTP_AT_LINE, "protocol of the request line"),
    [HTTP_REQUEST_LINE] = REQ("http.request_line", HTTP_AT_LINE, "whole request line"),
    [HTTP_HEADER_REQ] = REQ("http.header", HTTP_AT_HEADERS, "request headers, normalized, without cookies"),
    [HTTP_HEADER_RES] = RES("http.header", HTTP_AT_HEADERS, "response headers, normalized, without cookies"),
    [HTTP_REQUEST_HEADER] = REQ("http.request_header", HTTP_AT_HEADERS, "each request header, \"name: value\""),
    [HTTP_RESPONSE_HEADER] = RES("http.response_header", HTTP_AT_HEADERS, "each response header, \"name: value\""),
    [HTTP_NAMES_REQ] = REQ("http.header_names", HTTP_AT_HEADERS, "names of the request headers, a line each"),
    [HTTP_NAMES_RES] = RES("http.header_names", HTTP_AT_HEADERS, "names of the response headers, a line each"),
    [HTTP_HOST] = REQ("http.host", HTTP_AT_HEADERS, "host name, lower case, without port"),
    [HTTP_HOST_RAW] = REQ("http.host.raw", HTTP_AT_HEADERS, "Host header as it was sent"),
    [HTTP_USER_AGENT] = REQ("http.user_agent", HTTP_AT_HEADERS, "User-Agent header"),
    [HTTP_COOKIE_REQ] = REQ("http.cookie", HTTP_AT_HEADERS, "Cookie header"),
    [HTTP_COOKIE_RES] = RES("http.cookie", HTTP_AT_HEADERS, "Set-Cookie header"),
    [HTTP_REFERER] = REQ("http.referer", HTTP_AT_HEADERS, "Referer header"),
    [HTTP_TYPE_REQ] = REQ("http.content_type", HTTP_AT_HEADERS, "Content-Type of the request"),
    [HTTP_TYPE_RES] = RES("http.content_type", HTTP_AT_HEADERS, "Content-Type of the response"),
    [HTTP_LENGTH_REQ] = REQ("http.content_len", HTTP_AT_HEADERS, "Content-Length of the request"),
    [HTTP_LENGTH_RES] = RES("http.content_len", HTTP_AT_HEADERS, "Content-Length of the response"),
    [HTTP_ACCEPT] = REQ("http.accept", HTTP_AT_HEADERS, "Accept header"),
    [HTTP_ACCEPT_LANG] = REQ("http.accept_lang", HTTP_AT_HEADERS, "Accept-Language header"),
    [HTTP_ACCEPT_ENC] = REQ("http.accept_enc", HTTP_AT_HEADERS, "Accept-Encoding header"),
    [HTTP_CONNECTION] = REQ("http.connection", HTTP_AT_HEADERS, "Connection header"),
    [HTTP_SERVER] = RES("http.server", HTTP_AT_HEADERS, "Server header"),
    [HTTP_LOCATION] = RES("http.location", HTTP_AT_HEADERS, "Location header"),
    [HTTP_RESPONSE_LINE] = RES("http.response_line", HTTP_AT_LINE, "whole status line"),
    [HTTP_STAT_CODE] = RES("http.stat_code", HTTP_AT_LINE, "status code"),
    [HTTP_STAT_MSG] = RES("http.stat_msg", HTTP_AT_LINE, "reason phrase"),
    [HTTP_REQUEST_BODY] = REQ("http.request_body", HTTP_AT_BODY, "request body, a sliding window"),
    [HTTP_RESPONSE_BODY] = RES("http.response_body", HTTP_AT_BODY, "response body, decoded, a sliding window"),
    [HTTP_AUTHORIZATION] = REQ("http.authorization", HTTP_AT_HEADERS, "Authorization header"),
    [HTTP_PROXY_AUTHORIZATION] = REQ("http.proxy_authorization", HTTP_AT_HEADERS, "Proxy-Authorization header"),
};

/* Headers with a buffer of their own. */
struct header_slot { const char *name; uint32_t slot, flags; };
static const struct header_slot request_slots[] = {
    { "Host", HTTP_HOST_RAW, 0 }, { "User-Agent", HTTP_USER_AGENT, 0 }, { "Cookie", HTTP_COOKIE_REQ, EC_BUF_SECRET },
    { "Referer", HTTP_REFERER, 0 }, { "Content-Type", HTTP_TYPE_REQ, 0 }, { "Content-Length", HTTP_LENGTH_REQ, 0 },
    { "Accept", HTTP_ACCEPT, 0 }, { "Accept-Language", HTTP_ACCEPT_LANG, 0 }, { "Accept-Encoding", HTTP_ACCEPT_ENC, 0 },
    { "Connection", HTTP_CONNECTION, 0 }, { "Authorization", HTTP_AUTHORIZATION, EC_BUF_SECRET },
    { "Proxy-Authorization", HTTP_PROXY_AUTHORIZATION, EC_BUF_SECRET }, { NULL, 0, 0 } };
static const struct header_slot response_slots[] = {
    { "Set-Cookie", HTTP_COOKIE_RES, EC_BUF_SECRET }, { "Content-Type", HTTP_TYPE_RES, 0 },
    { "Content-Length", HTTP_LENGTH_RES, 0 }, { "Server", HTTP_SERVER, 0 }, { "Location", HTTP_LOCATION, 0 },
    { NULL, 0, 0 } };

static void set_bytes(struct http_tx *t, uint32_t dir, uint32_t slot, const uint8_t *p, uint32_t n, uint32_t flags)
{
    int64_t wire = transaction_wire(t->s, dir, p, n);

    if (wire >= 0)
        ec_buf_set(t->x, slot, p, n, EC_BUF_WHOLE | EC_BUF_VERBATIM | flags, (uint64_t)wire);
    else
        ec_buf_set(t->x, slot, p, n, EC_BUF_WHOLE | flags, 0);
}

static void add_bstr(struct text *to, const bstr *s)
{
    if (s)
        text_add(to, bstr_ptr(s), (uint32_t)bstr_len(s));
}

/* Buffers point into text of our own: libhtp drops its strings when it likes (100 Continue, trailers). Text moves while
 * it grows, so ranges are collected first. */
struct range { uint32_t slot, off, len, flags; };

static void set_ranges(struct http_tx *t, uint32_t dir, const struct text *in, const struct range *r, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        set_bytes(t, dir, r[i].slot, in->p + r[i].off, r[i].len, r[i].flags);
}

static uint32_t add_range(struct text *to, const bstr *s, uint32_t slot, uint32_t flags, struct range *r)
{
    r->slot = slot;
    r->flags = flags;
    r->off = to->n;
    add_bstr(to, s);
    r->len = to->n - r->off;
    return s && r->len;
}

/* Path and query, each decoded once. */
static void build_uri(struct http_tx *t)
{
    const htp_uri_t *u = t->htp->parsed_uri;
    bstr *query;

    if (t->htp->request_method_number == HTP_M_CONNECT || !u) {
        add_bstr(&t->uri, t->htp->request_uri);
        return;
    }
    add_bstr(&t->uri, u->path);
    if (u->query && (query = bstr_dup(u->query))) {
        uint64_t flags = 0;
        htp_urldecode_inplace(t->htp->cfg, HTP_DECODER_URLENCODED, query, &flags);
        text_add(&t->uri, "?", 1);
        add_bstr(&t->uri, query);
        bstr_free(query);
    }
    if (u->fragment) {
        text_add(&t->uri, "#", 1);
        add_bstr(&t->uri, u->fragment);
    }
}

/* Find the first line of a message, so that what belongs to it is not found in an earlier message of the same chunk.
 * Returns where to go on once the line's own parts are set. */
static uint32_t enter_line(struct http_tx *t, uint32_t dir, const bstr *line)
{
    struct http_state *s = t->s;
    int64_t wire = line ? transaction_wire(s, dir, bstr_ptr(line), (uint32_t)bstr_len(line)) : -1;

    if (wire >= 0)
        s->searched[dir] = (uint32_t)((uint64_t)wire - s->k->offset);
    return s->searched[dir] + (wire >= 0 ? (uint32_t)bstr_len(line) : 0);
}

void buffers_request_line(struct http_tx *t)
{
    const htp_tx_t *h = t->htp;
    uint32_t after = enter_line(t, EC_TO_SERVER, h->request_line);
    struct text *line = &t->line[EC_TO_SERVER];
    struct range r[4];
    uint32_t n = 0;

    line->n = 0;
    n += add_range(line, h->request_line, HTTP_REQUEST_LINE, 0, &r[n]);
    n += add_range(line, h->request_method, HTTP_METHOD, 0, &r[n]);
    n += add_range(line, h->request_uri, HTTP_URI_RAW, 0, &r[n]);
    n += add_range(line, h->request_protocol, HTTP_PROTOCOL, 0, &r[n]);
    set_ranges(t, EC_TO_SERVER, line, r, n);
    t->uri.n = 0;
    build_uri(t);
    if (t->uri.n)
        set_bytes(t, EC_TO_SERVER, HTTP_URI, t->uri.p, t->uri.n, 0);
    t->s->searched[EC_TO_SERVER] = after;
}

void buffers_response_line(struct http_tx *t)
{
    const htp_tx_t *h = t->htp;
    uint32_t after = enter_line(t, EC_TO_CLIENT, h->response_line);
    struct text *line = &t->line[EC_TO_CLIENT];
    struct range r[3];
    uint32_t n = 0;

    line->n = 0;
    n += add_range(line, h->response_line, HTTP_RESPONSE_LINE, 0, &r[n]);
    n += add_range(line, h->response_status, HTTP_STAT_CODE, 0, &r[n]);
    n += add_range(line, h->response_message, HTTP_STAT_MSG, 0, &r[n]);
    set_ranges(t, EC_TO_CLIENT, line, r, n);
    t->s->searched[EC_TO_CLIENT] = after;
}

static bool is_header(const bstr *s, const char *name)
{
    size_t n = bstr_len(s);

    return n && (bstr_ptr(s)[0] | 0x20) == (name[0] | 0x20) && n == strlen(name)
        && !strncasecmp((const char *)bstr_ptr(s), name, n);
}

static bool is_cookie(uint32_t dir, const bstr *name)
{
    return is_header(name, dir == EC_TO_SERVER ? "Cookie" : "Set-Cookie");
}

/* The headers of one message while they are taken over: ranges of buffers of their own, in the block and in the cookies;
 * the lines of the block, start and end of each. */
struct intake {
    struct range own[16], cookie[1];
    uint32_t n_own, n_cookie, at[2 * HEADERS_MAX], n_line, taken;       /* taken: bit for each own header */
};

static void add_header(struct http_tx *t, uint32_t dir, const htp_header_t *h, struct intake *in)
{
    const struct header_slot *slots = dir == EC_TO_SERVER ? request_slots : response_slots, *own = slots;
    bool cookie = is_cookie(dir, h->name), first;

    while (own->name && !is_header(h->name, own->name))
        own++;
    first = own->name && !(in->taken & 1u << (own - slots));
    in->taken |= own->name ? 1u << (own - slots) : 0;
    add_bstr(&t->names[dir], h->name);
    text_add(&t->names[dir], "\r\n", 2);
    if (cookie) {
        if (first)
            in->n_cookie += add_range(&t->cookie[dir], h->value, own->slot, own->flags, in->cookie);
        return;
    }
    in->at[2 * in->n_line] = t->header[dir].n;
    add_bstr(&t->header[dir], h->name);
    text_add(&t->header[dir], ": ", 2);
    if (first)
        in->n_own += add_range(&t->header[dir], h->value, own->slot, own->flags, &in->own[in->n_own]);
    else
        add_bstr(&t->header[dir], h->value);
    in->at[2 * in->n_line++ + 1] = t->header[dir].n;
    text_add(&t->header[dir], "\r\n", 2);
}

/* The list's items, once the block stays where it is. at[2 i], at[2 i + 1]: start and end of line i. */
static void set_items(struct http_tx *t, uint32_t dir, uint32_t slot, const uint32_t *at, uint32_t n)
{
    struct ec_buf *item = n ? calloc(n, sizeof *item) : NULL;

    if (!item)
        return;
    free(t->item[dir]);
    t->item[dir] = item;
    for (uint32_t i = 0; i < n; i++) {
        item[i].u.data = t->header[dir].p + at[2 * i];
        item[i].len = at[2 * i + 1] - at[2 * i];
        item[i].state = EC_BUF_WHOLE;
    }
    ec_buf_set(t->x, slot, NULL, n, EC_BUF_WHOLE | EC_BUF_LIST, 0);
    t->x->buf[slot].u.item = item;
}

static void set_host(struct http_tx *t)
{
    t->host.n = 0;
    add_bstr(&t->host, t->htp->request_hostname);
    for (uint32_t i = 0; i < t->host.n; i++)
        if (t->host.p[i] >= 'A' && t->host.p[i] <= 'Z')
            t->host.p[i] |= 0x20;
    if (t->host.n)
        set_bytes(t, EC_TO_SERVER, HTTP_HOST, t->host.p, t->host.n, 0);
}

static void set_headers(struct http_tx *t, uint32_t dir, const struct intake *in)
{
    set_ranges(t, dir, &t->header[dir], in->own, in->n_own);
    set_ranges(t, dir, &t->cookie[dir], in->cookie, in->n_cookie);
    set_bytes(t, dir, dir == EC_TO_SERVER ? HTTP_HEADER_REQ : HTTP_HEADER_RES, t->header[dir].p, t->header[dir].n, 0);
    ec_buf_set(t->x, dir == EC_TO_SERVER ? HTTP_NAMES_REQ : HTTP_NAMES_RES, t->names[dir].p, t->names[dir].n,
               EC_BUF_WHOLE, 0);
    set_items(t, dir, dir == EC_TO_SERVER ? HTTP_REQUEST_HEADER : HTTP_RESPONSE_HEADER, in->at, in->n_line);
    if (dir == EC_TO_SERVER)
        set_host(t);
}

void buffers_headers(struct http_tx *t, uint32_t dir)
{
    const htp_table_t *table = dir == EC_TO_SERVER ? t->htp->request_headers : t->htp->response_headers;
    uint32_t n = (uint32_t)htp_table_size(table);
    struct intake in;

    in.n_own = in.n_cookie = in.n_line = in.taken = 0;
    t->header[dir].n = t->names[dir].n = t->cookie[dir].n = 0;
    text_add(&t->names[dir], "\r\n", 2);
    for (uint32_t i = 0; i < n && i < HEADERS_MAX; i++)
        add_header(t, dir, htp_table_get_index(table, i, NULL), &in);
    text_add(&t->names[dir], "\r\n", 2);
    set_headers(t, dir, &in);
}

void buffers_body(struct http_tx *t, uint32_t dir, int whole)
{
    const struct http_body *b = &t->body[dir];
    uint32_t slot = dir == EC_TO_SERVER ? HTTP_REQUEST_BODY : HTTP_RESPONSE_BODY;

    if (!b->window.n)
        return;
    ec_buf_set(t->x, slot, b->window.p, b->window.n,
               (whole ? EC_BUF_WHOLE : EC_BUF_PART) | (b->wire >= 0 ? EC_BUF_VERBATIM : 0),
               b->wire >= 0 ? (uint64_t)b->wire : 0);
    t->x->buf[slot].base = b->base;
}
