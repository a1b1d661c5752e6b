/* request.h: one request, from evhttp's hands to its reply. Made on the loop; the handler may go on elsewhere. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H
#include "plugins/http/decode.h"
#include "plugins/http/route.h"
#include "plugins/http/sdk.h"
#include "lib/text.h"

struct evhttp_request;
struct guard;
struct server;

struct ec_req {
    struct server *s;
    struct ec_req *next;            /* in server.done */
    struct evhttp_request *http;    /* [loop] NULL: it was answered without the handler, or the client has left */
    struct guard *guard;            /* [loop] NULL: the client has left */
    const char *method;
    const char *path, *query;       /* as they came; in uri */
    size_t path_len, query_len;
    struct route_match match;
    struct decode q;                /* the query's fields */
    struct search *search;          /* EC_RT_EVENTS with run: what the query asks for; points into q */
    struct ec_part *param, *body;
    struct ec_who who;
    bool known, local, head;        /* who is set; came by the Unix socket; HEAD */
    bool plain;                     /* came to http.redirect */
    char peer[48], certificate[128];    /* the name in the client's certificate, "": none */
    char *uri;
    struct text headers;            /* of the request: name NUL value NUL … */
    struct text raw;                /* body of an EC_RT_RAW route */
    struct ec_raw as_raw;
    struct text detail;             /* validation errors, without the brackets */
    /* the reply */
    uint32_t status;
    const char *type;               /* of its body, static; NULL: none */
    struct text reply, set;         /* bytes; headers, name NUL value NUL … */
    uint64_t version;               /* for the ETag, plus one; 0: none */
    int upload;                     /* descriptor of the body, -1: none */
    uint64_t upload_len;
    bool dry_run, audited;
    struct once *once;              /* its Idempotency-Key's place, NULL: none */
    void (*left)(void *arg);        /* [loop] the client of a stream, or of a watched request, has gone */
    void *left_arg;
    /* chunk() */
    bool begun;                     /* [loop] the headers have gone out */
    bool over;                      /* atomic: nobody reads any more */
    bool cut;                       /* [loop] the rest cannot be had */
    uint32_t unsent;                /* atomic: bytes that were taken and have not left */
    void (*more)(void *arg);        /* [loop] once they have */
    void *more_arg;
};

/* For evhttp_set_gencb(); arg: the server. */
void request_tcp(struct evhttp_request *http, void *server);
void request_local(struct evhttp_request *http, void *server);
void request_plain(struct evhttp_request *http, void *server);      /* only says where HTTPS is */
/* [loop] Send what other threads answered. */
void request_done(struct server *s);

/* The functions of ec.http/1 that are not below. [any] */
const void *request_param(struct ec_req *r);
const void *request_body(struct ec_req *r);
const struct ec_query *request_query(struct ec_req *r);
const struct ec_who *request_who(struct ec_req *r);
const char *request_peer(struct ec_req *r);
const char *request_certificate(struct ec_req *r);
int32_t request_part(struct ec_req *r, uint32_t status, const struct ec_part *p);
int32_t request_json(struct ec_req *r, uint32_t status, const char *json, uint64_t len);
int32_t request_json_take(struct ec_req *r, uint32_t status, char *json, uint64_t len);
int32_t request_invalid_at(struct ec_req *r, const char *loc, const char *type, const char *msg);
int32_t request_chunk(struct ec_req *r, const void *p, uint32_t n, void (*more)(void *arg), void *arg);
int32_t request_cut(struct ec_req *r);
int32_t request_etag(struct ec_req *r, uint64_t version);
int32_t request_match(struct ec_req *r, uint64_t version);
int32_t request_upload(struct ec_req *r, uint64_t *len);
uint32_t request_dry_run(struct ec_req *r);
void request_audit(struct ec_req *r, const char *action, const char *outcome, const char *object, const char *detail);

/* Replies for the server's own handlers; each counts as the one reply. [any] */
int32_t request_error(struct ec_req *r, uint32_t status, const char *detail);
int32_t request_bytes(struct ec_req *r, uint32_t status, const char *type, struct text *take);
int32_t request_work(struct ec_req *r, void (*fn)(struct ec_req *r, void *arg), void *arg);
int32_t request_set_header(struct ec_req *r, const char *name, const char *value);
const char *request_header(struct ec_req *r, const char *name);
/* Note a validation error; request_invalid() replies 422 with all that were noted. at: "limit", "ports.0", "": the
 * whole. */
void request_note(struct ec_req *r, const char *where, const char *at, const char *type, const char *msg,
                  const char *input, const char *ctx);
int32_t request_invalid(struct ec_req *r);

/* [loop] A reply without an end: left() is called when the client has gone, and r is freed after it. */
void request_stream(struct ec_req *r, void (*left)(void *arg), void *arg);
size_t request_waiting(const struct ec_req *r);         /* [loop] bytes that have not left */
void request_push(struct ec_req *r, const void *p, size_t n);
void request_end(struct ec_req *r);                     /* [loop] end the stream: left() is called, a little later */

#endif
