/* http.h: ec.http/1, one declaration for each route. STATUS: draft 12.
 * One plugin implements it (the HTTP server); any plugin declares routes in setup(). From the declaration come routing,
 * validation in FastAPI's form, authorisation and the OpenAPI document; ecyberctl uses the same routes. */
#ifndef EC_EXT_HTTP_H
#define EC_EXT_HTTP_H
#include "../plugin.h"
#include "auth.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_HTTP_ID "ec.http/1-draft.12"

enum {
    EC_RT_UPLOAD = 1,               /* a body of any type, up to body_max, is kept in a file without a name: see upload().
                                     * It is only taken from whom the route is for */
    EC_RT_STREAM = 2,               /* replies with chunk() */
    EC_RT_ENFORCES = 4,             /* changes what the machine does: adds Idempotency-Key, ?dry_run= (unless a row of param or
                                     * body has that name: then its plugin sees to it), and an entry in the audit log where
                                     * audit() was not called */
    EC_RT_EDITS = 8,                /* adds ETag, If-Match (412) and If-None-Match (304): see etag(), match() */
    EC_RT_FORM = 16,                /* the body may also come as a form (application/x-www-form-urlencoded) */
    /* run is NULL, the server answers from the store (503 where there is none), from events of the type that `topic`
     * has as its root (NULL: every type, chosen by ?type=): */
    EC_RT_EVENTS = 32,              /* a page: filters by every field, since, until, q, limit, cursor */
    EC_RT_EVENT = 64,               /* the one whose id stands in {id} */
    EC_RT_COUNT = 128,              /* the most frequent values of the field ?by=, with the filters of a page */
    /* With run, a route of EC_RT_EVENTS or EC_RT_EVENT is answered by its plugin: query() says what was asked for. What
     * stands in `param` is then taken from the query beside the filters; `reply` is a shape of its own, or with
     * EC_RT_BESIDE what stands beside each event's own members. */
    EC_RT_BESIDE = 512,
    EC_RT_BEFORE_CHANGE = 256,      /* also for who has to choose another password first (EC_WHO_MUST_CHANGE) */
    /* Another protocol over HTTP: method "*" is every one, the query and the body are the handler's to read (raw()), it
     * answers with bytes() or upgrade(), and the route is not in the OpenAPI document. */
    EC_RT_RAW = 1024
};

struct ec_req;
struct ec_query;                    /* store.h */
struct ec_route {                   /* static */
    uint32_t size, flags;           /* EC_RT_* */
    const char *method, *path;      /* "GET", "/api/ids/alerts/{id}" */
    const char *opid, *summary;     /* stable; in one line */
    const char *roles;              /* "admin,operator"; "*": whoever has logged in; "": public */
    const struct ec_record *param;  /* rows named as {x} in the path come from there, the others from the query; decoded
                                     * into its struct, which starts with struct ec_part. NULL: none */
    const struct ec_record *body;   /* the same for a JSON object. NULL: none */
    const struct ec_record *reply;  /* NULL: no body, or json() in a shape of its own; with json() it describes that */
    uint32_t body_max, deadline_ms; /* bytes; 0: the server's defaults */
    /* [sub] EC_OK: replied, EC_EAGAIN: will reply later; else 500. state: the declaring plugin's. Must not block. */
    int32_t (*run)(void *self, const void *state, struct ec_req *r);
    uint32_t status, reserved;      /* of success, 0: 200 */
    const char *errors;             /* "404,429": what else it may answer; the server's own are implied (401 403 409 412
                                     * 413 415 422 500 503). Below 300, "200" of a dry run: as of success */
    const char *topic;              /* with EC_RT_EVENTS, _EVENT, _COUNT: its name; NULL: every one */
    const char *alias;              /* short names of filters, "sid=alert.signature_id,severity=alert.severity" */
    const char *type;               /* of a reply that is no JSON, "application/vnd.tcpdump.pcap"; NULL: JSON, or of
                                     * EC_RT_STREAM application/octet-stream */
    const char *schema;             /* JSON Schema of a reply without a record, for the document; NULL: anything */
    /* For the document alone: what the summary cannot say, in CommonMark; its group, NULL: the path's first word behind
     * /api/; a JSON object as it is sent; a JSON value as it is answered. Each may be NULL. */
    const char *description, *tag, *example, *reply_example;
    /* EC_RT_RAW, [sub] of the server's lane: the head of a request with a body of over 16 KiB is there, and it has no
     * valid token. Not 0: its query says enough (a session's secret), so the body is read. NULL: 401. len: bytes so far, or
     * announced. */
    int32_t (*large)(void *self, const char *query, uint64_t len);
};

struct ec_asset {                   /* a file of the page, static; the bytes are gzipped */
    uint32_t size, len;
    const char *path, *type;        /* "/app.js"; "text/javascript; charset=utf-8" */
    const void *gzip;
    const char *policy;             /* Content-Security-Policy; NULL: the server's, default-src 'self' */
};

struct ec_raw {                     /* a request of an EC_RT_RAW route, until the reply */
    uint32_t size, len;             /* len: bytes of the body */
    const char *method, *path, *query;  /* query: without its '?', as it came */
    const void *body;
};

/* A connection that was taken over: from then on a stream of bytes. Everything about it on [sub] of the server's lane,
 * none of it within another call of it. */
struct ec_conn;
struct ec_conn_ops {                /* static. Not called after conn_close() */
    uint32_t size, reserved;
    void (*data)(void *arg, const void *p, uint32_t n);     /* all of it is taken */
    void (*drained)(void *arg);     /* what had to wait has left. NULL: not told */
    void (*closed)(void *arg);      /* the client has left, or takes nothing (http.write_timeout): the conn is gone */
};

struct ec_http {
    uint32_t size, reserved;
    /* [ctl] setup(). EC_EEXIST: there is one of that method and path, or of that opid. r, a: [keep] */
    int32_t (*route)(void *self, const struct ec_host *h, const struct ec_route *r, void *route_self);
    int32_t (*asset)(void *self, const struct ec_host *h, const struct ec_asset *a);    /* GET, public */

    /* [any] until the reply */
    const void *(*param)(struct ec_req *r);         /* struct of route->param */
    const void *(*body)(struct ec_req *r);
    const struct ec_who *(*who)(struct ec_req *r);  /* NULL: nobody logged in */
    const char *(*peer)(struct ec_req *r);          /* the client's address as text, "local" for the socket */
    const char *(*header)(struct ec_req *r, const char *name);  /* of the request, NULL: none */
    /* Of the reply to come; copied. EC_EINVAL: a byte that has no place in a header. */
    int32_t (*set_header)(struct ec_req *r, const char *name, const char *value);

    /* [any] One of these, exactly once for each request. p: of route->reply's shape, copied; NULL: no body. json: copied.
     * detail: a sentence. invalid(): 422 with one entry, loc: "body.until", "query.limit". */
    int32_t (*reply)(struct ec_req *r, uint32_t status, const struct ec_part *p);
    int32_t (*json)(struct ec_req *r, uint32_t status, const char *json, uint64_t len);
    int32_t (*error)(struct ec_req *r, uint32_t status, const char *detail);
    int32_t (*invalid)(struct ec_req *r, const char *loc, const char *type, const char *msg);
    /* [sub] Go on with fn on the pool; it replies. EC_EAGAIN: the pool is full, and 503 was sent. */
    int32_t (*work)(struct ec_req *r, void (*fn)(struct ec_req *r, void *arg), void *arg);
    /* [any] EC_RT_STREAM, in place of one of the four above: n more bytes, copied; n 0: the end, after which r is gone.
     * more() is called once, [sub], when all bytes have left or the client has: NULL, not. EC_EEND: the client has left or
     * asked by HEAD, so end it. EC_EAGAIN: over 4 MiB wait, so nothing was taken: go on in more(). */
    int32_t (*chunk)(struct ec_req *r, const void *p, uint32_t n, void (*more)(void *arg), void *arg);
    /* [any] until the reply, of a route with EC_RT_EVENTS and run: type, filters, times, text, cursor and limit as the query
     * string has them. NULL: any other route. */
    const struct ec_query *(*query)(struct ec_req *r);

    /* EC_RT_RAW. [sub] of the server's lane, except where [any] stands. */
    const struct ec_raw *(*raw)(struct ec_req *r);          /* [any] until the reply */
    /* [any] A reply in any form. p: copied; type NULL: none. */
    int32_t (*bytes)(struct ec_req *r, uint32_t status, const char *type, const void *p, uint64_t n);
    /* gone() is called if the client leaves before the reply; the handler replies all the same, and nothing is sent. */
    int32_t (*watch)(struct ec_req *r, void (*gone)(void *arg), void *arg);
    /* Instead of a reply: "101 Switching Protocols" with `Upgrade: protocol` and the headers of set_header(); then
     * the connection belongs to the caller, and r is gone. It still counts as one of http.connections. Idle clients
     * are the caller's to find. EC_ENOENT: the client has left, reply. */
    int32_t (*upgrade)(struct ec_req *r, const char *protocol, const struct ec_conn_ops *ops, void *arg,
                       struct ec_conn **conn);
    int32_t (*conn_write)(struct ec_conn *c, const void *p, uint32_t n);    /* copied. EC_ENOMEM */
    uint64_t (*conn_waiting)(const struct ec_conn *c);      /* bytes that have not left */
    void (*conn_close)(struct ec_conn *c);                  /* when they have left; c is gone for the caller at once */
    void *(*loop)(void *self);      /* [ctl] start() with EC_USE_RUN: struct event_base of that lane. NULL: none */
    /* [any] after setup(). May who has these roles read events of this type ("alert")? 1 or 0 */
    int32_t (*visible)(void *self, const char *type, const char *roles);

    /* [any] EC_RT_EDITS. etag(): the reply's ETag says this version of the document; of several the last. match(): may the
     * request go on with the document at this version? EC_OK; EC_EEND: no, and it was answered, 412 by If-Match, 304 by
     * If-None-Match of a GET. To lose no edit, hand the same version to the store's put(). */
    int32_t (*etag)(struct ec_req *r, uint64_t version);
    int32_t (*match)(struct ec_req *r, uint64_t version);
    /* [any] EC_RT_ENFORCES: 1 where ?dry_run= says so, else 0. */
    uint32_t (*dry_run)(struct ec_req *r);
    /* [any] until the reply. An entry of the audit log (EC_AUDIT_TOPIC) of who asks and from where. action: "firewall.ban";
     * outcome: "success" "failure" "denied" "partial"; object, detail: may be NULL. */
    void (*audit)(struct ec_req *r, const char *action, const char *outcome, const char *object, const char *detail);
    /* [any] until the reply, EC_RT_UPLOAD: a descriptor of the body, at its start, of *len bytes. It is closed with the
     * reply: dup() it to keep it. -1: any other route. */
    int32_t (*upload)(struct ec_req *r, uint64_t *len);
    const char *(*certificate)(struct ec_req *r);   /* [any] name in the client's certificate, verified; "": none */
    /* [any] As json() without the copy: `json` is of malloc(), and the server's from then on. */
    int32_t (*json_take)(struct ec_req *r, uint32_t status, char *json, uint64_t len);
    /* [any] In place of chunk()'s end, where the rest cannot be had: the connection is closed in the midst, so that no
     * client takes what it has for the whole; r is gone. If nothing has gone out yet: 500. EC_ENOMEM: r is still there. */
    int32_t (*cut)(struct ec_req *r);
};

#ifdef __cplusplus
}
#endif
#endif
