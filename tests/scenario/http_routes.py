#!/usr/bin/env python3
"""What a declaration gives a plugin: its parameters and bodies checked and decoded, its replies from any thread, in
time or not; proved with a plugin that the test builds."""
import json
import os
import re
import signal
import subprocess
import sys
import time

from libtest import Local, check, plan

SOURCE = r"""
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/store.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct param { struct ec_part part; uint64_t id; uint32_t level; struct ec_span word; struct ec_list tags; };
static const struct ec_row param_rows[] = {
    { EC_T_U64, 0, 0, 0, offsetof(struct param, id), "id", NULL, NULL, NULL, NULL, "of the thing", 1, 1000 },
    { EC_T_ENUM, 0, 0, 0, offsetof(struct param, level), "level", NULL, "low,high", "low", NULL, "how much", 0, 0 },
    { EC_T_TEXT, EC_R_OPT, 0, 0, offsetof(struct param, word), "word", NULL, NULL, NULL, NULL, "a word", 1, 5 },
    { EC_T_TEXT, EC_R_LIST | EC_R_OPT, 1, 0, offsetof(struct param, tags), "tag", NULL, NULL, NULL, NULL, "tags", 1,
      5 },
};
static const struct ec_record param = EC_RECORD_PART(struct param, param_rows);
struct body { struct ec_part part; struct ec_span name; uint64_t n; struct ec_list tags; };
static const struct ec_row body_rows[] = {
    { EC_T_TEXT, 0, 0, 0, offsetof(struct body, name), "name", NULL, NULL, NULL, NULL, "its name", 1, 10 },
    { EC_T_U64, 0, 0, 0, offsetof(struct body, n), "n", NULL, NULL, "7", NULL, "a number", 0, 100 },
    { EC_T_TEXT, EC_R_LIST, 0, 0, offsetof(struct body, tags), "tags", NULL, NULL, NULL, NULL, "some", 1, 5 },
};
static const struct ec_record body = EC_RECORD_PART(struct body, body_rows);
struct pour_param { struct ec_part part; uint64_t bytes; uint8_t pool; };
static const struct ec_row pour_rows[] = {
    { EC_T_U64, 0, 0, 0, offsetof(struct pour_param, bytes), "bytes", NULL, NULL, NULL, NULL, "how many", 0, 0 },
    { EC_T_BOOL, 0, 0, 0, offsetof(struct pour_param, pool), "pool", NULL, NULL, "false", NULL, "from there", 0, 0 },
};
static const struct ec_record pour_record = EC_RECORD_PART(struct pour_param, pour_rows);
static struct ec_req *slow;          /* of enforce() */
struct self {
    int poured, waited;
    const struct ec_host *h;
    const struct ec_http *http;
    void *http_self;
    struct ec_req *late;
};

static int32_t get_thing(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;
    const struct param *p = s->http->param(r);
    const struct ec_who *who = s->http->who(r);
    char json[512];
    int n;

    (void)state;
    n = snprintf(json, sizeof json,
                 "{\"id\":%llu,\"level\":%u,\"word\":\"%.*s\",\"tags\":%u,\"who\":\"%s\",\"peer\":\"%s\"}",
                 (unsigned long long)p->id, p->level, (int)p->word.len,
                 p->word.off ? (const char *)p + p->word.off : "",
                 p->part.has & 2 ? p->tags.n : 0, who ? who->roles : "", s->http->peer(r));
    return s->http->json(r, 200, json, (uint64_t)n);
}

struct page { struct ec_part part; uint32_t level, pad; };
static const struct ec_row page_rows[] = {
    { EC_T_ENUM, 0, 0, 0, offsetof(struct page, level), "level", NULL, "low,high", "low", NULL, "how much", 0, 0 },
};
static const struct ec_record page = EC_RECORD_PART(struct page, page_rows);

static int32_t list_things(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;
    const struct ec_query *q = s->http->query(r);
    char json[256];
    int n;

    (void)state;
    n = snprintf(json, sizeof json, "{\"level\":%u,\"limit\":%u,\"filters\":%u,\"field\":\"%s\",\"value\":\"%s\"}",
                 ((const struct page *)s->http->param(r))->level, q->limit, q->n_filter,
                 q->n_filter ? q->filter->field : "", q->n_filter ? q->filter->value : "");
    return s->http->json(r, 200, json, (uint64_t)n);
}

static void echo(struct ec_req *r, void *arg)
{
    struct self *s = arg;

    s->http->reply(r, 201, &((const struct body *)s->http->body(r))->part);
}

static int32_t post_thing(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;

    (void)state;
    return s->http->work(r, echo, s) == EC_OK ? EC_EAGAIN : EC_OK;
}

static int32_t busy(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;

    (void)state;
    if (s->http->set_header(r, "Retry-After", "5") || s->http->set_header(r, "Bad", "a\r\nb") != EC_EINVAL)
        return EC_EIO;
    return s->http->error(r, 429, "not so fast");
}

static int32_t refuse(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;

    (void)state;
    return s->http->invalid(r, "body.until", "value_error", "it is over already");
}

static int32_t fails(void *self, const void *state, struct ec_req *r)
{
    (void)self;
    (void)state;
    (void)r;
    return EC_EIO;
}

static int32_t late(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;

    (void)state;
    if (s->late)
        return s->http->error(r, 409, "one at a time");
    s->late = r;
    s->waited = 0;
    return EC_EAGAIN;
}

static void tick(void *self, const void *state, uint64_t now)
{
    struct self *s = self;

    (void)state;
    (void)now;
    if (slow && ++s->waited == 10) {
        s->http->json(slow, 201, "{\"late\":1}", 10);
        slow = NULL;
    }
    if (s->late && ++s->waited == 20) {
        s->http->json(s->late, 200, "{}", 2);
        s->late = NULL;
    }
}

/* A thing that is edited. */
static uint64_t version = 1;

static int32_t get_doc(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;

    (void)state;
    if (s->http->match(r, version))
        return EC_OK;
    s->http->etag(r, version);
    return s->http->json(r, 200, "{}", 2);
}

static int32_t put_doc(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;

    (void)state;
    if (s->http->match(r, version))
        return EC_OK;
    s->http->etag(r, ++version);
    return s->http->json(r, 200, "{}", 2);
}

/* What is enforced says how often it was; "late": after a second. */
static int enforced;
static int32_t enforce(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;
    const struct body *b = s->http->body(r);
    char json[64];
    int n = snprintf(json, sizeof json, "{\"dry\":%u,\"n\":%d}", s->http->dry_run(r), ++enforced);

    (void)state;
    if (b->n == 55)
        return s->http->error(r, 503, "not now");
    if (b->n == 66 && !slow) {
        slow = r;
        s->waited = 0;
        return EC_EAGAIN;
    }
    if (b->n == 77)
        s->http->audit(r, "toy.enforce", "success", "toys/1", "by hand");
    return s->http->json(r, 201, json, (uint64_t)n);
}

/* A reply in pieces of 64 KiB, from the pool or from the loop. */
struct pour { struct self *s; struct ec_req *r; uint64_t left; int pool; };

static void pour(void *arg);

static void pour_again(struct ec_req *r, void *arg)
{
    (void)r;
    pour(arg);
}

static void more(void *arg)
{
    struct pour *p = arg;

    if (p->pool && p->s->http->work(p->r, pour_again, p) == EC_OK)
        return;
    pour(p);
}

static void pour(void *arg)
{
    static char bytes[65536];
    struct pour *p = arg;
    uint32_t n = p->left < sizeof bytes ? (uint32_t)p->left : sizeof bytes;
    int32_t err;

    memset(bytes, 'x', sizeof bytes);
    p->left -= n;
    err = p->s->http->chunk(p->r, bytes, n, more, p);
    if (n && err == EC_OK)
        return;
    if (n)
        p->s->http->chunk(p->r, NULL, 0, NULL, NULL);
    __atomic_add_fetch(&p->s->poured, 1, __ATOMIC_SEQ_CST);
    free(p);
}

static int32_t get_pour(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;
    const struct pour_param *param = s->http->param(r);
    struct pour *p = malloc(sizeof *p);

    (void)state;
    if (param->bytes == 13) {
        free(p);
        return s->http->error(r, 404, "no such thing");
    }
    *p = (struct pour){ s, r, param->bytes, param->pool };
    more(p);
    return EC_EAGAIN;
}

/* An upload: how long it is, and what it begins and ends with. */
static int32_t take_upload(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;
    char json[128], ends[2] = "--";
    uint64_t len = 0;
    int fd = s->http->upload(r, &len), n;

    (void)state;
    if (pread(fd, ends, 1, 0) != 1 || pread(fd, ends + 1, 1, (off_t)len - 1) != 1 ||
        lseek(fd, 0, SEEK_END) != (off_t)len)
        return EC_EIO;
    n = snprintf(json, sizeof json, "{\"len\":%llu,\"ends\":\"%.2s\"}", (unsigned long long)len, ends);
    return s->http->json(r, 201, json, (uint64_t)n);
}

static int32_t get_poured(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;
    char json[32];

    (void)state;
    return s->http->json(r, 200, json, (uint64_t)snprintf(json, sizeof json, "%d",
                                                          __atomic_load_n(&s->poured, __ATOMIC_SEQ_CST)));
}

#define TEXT(member) EC_FIELD(TEXT, 0, struct ec_audit, member, #member, NULL, "")
static const struct ec_row audit_rows[] = { TEXT(action), TEXT(outcome), TEXT(actor), TEXT(object), TEXT(detail) };
static const struct ec_record audit_record = EC_RECORD_PART(struct ec_audit, audit_rows);
static const struct ec_topic audit = { sizeof audit, EC_TOPIC_EVENT, EC_AUDIT_TOPIC, "audit", &audit_record, NULL, "" };

#define ROUTE(m, p, id, ...) { .size = sizeof(struct ec_route), .method = m, .path = p, .opid = id, .summary = id, \
                               .roles = "", __VA_ARGS__ }
static const struct ec_route routes[] = {
    ROUTE("GET", "/api/toy/{id}", "get_toy", .param = &param, .run = get_thing),
    ROUTE("POST", "/api/toy", "post_toy", .body = &body, .reply = &body, .run = post_thing, .flags = EC_RT_FORM,
          .body_max = 200, .status = 201),
    ROUTE("GET", "/api/toy", "list_toys", .flags = EC_RT_EVENTS, .param = &page, .run = list_things,
          .alias = "from=src_ip"),
    ROUTE("GET", "/api/toy/doc", "get_doc", .run = get_doc, .flags = EC_RT_EDITS),
    ROUTE("PUT", "/api/toy/doc", "put_doc", .run = put_doc, .flags = EC_RT_EDITS),
    { .size = sizeof(struct ec_route), .method = "POST", .path = "/api/toy/enforce", .opid = "enforce",
      .summary = "enforce", .roles = "admin", .body = &body, .run = enforce, .flags = EC_RT_ENFORCES, .status = 201,
      .description = "Enforces *it*", .tag = "games", .example = "{\"a\": [1]}", .reply_example = "{\"b\": null}" },
    ROUTE("GET", "/api/toy/pour", "pour", .param = &pour_record, .run = get_pour, .flags = EC_RT_STREAM,
          .type = "text/plain", .errors = "404"),
    { .size = sizeof(struct ec_route), .method = "POST", .path = "/api/toy/upload", .opid = "upload",
      .summary = "upload", .roles = "admin", .run = take_upload, .flags = EC_RT_UPLOAD, .body_max = 50000000, .status = 201 },
    { .size = sizeof(struct ec_route), .method = "POST", .path = "/api/toy/other", .opid = "other", .summary = "other",
      .roles = "nobody", .run = take_upload, .flags = EC_RT_UPLOAD, .body_max = 50000000 },
    ROUTE("GET", "/api/toy/poured", "poured", .run = get_poured, .schema = "{\"type\":\"integer\"}"),
    ROUTE("GET", "/api/toy/busy", "busy", .run = busy),
    ROUTE("POST", "/api/toy/invalid", "invalid", .run = refuse),
    ROUTE("GET", "/api/toy/fails", "fails", .run = fails),
    ROUTE("GET", "/api/toy/late", "late", .run = late, .deadline_ms = 500),
    { .size = sizeof(struct ec_route), .method = "POST", .path = "/api/toy/closed", .opid = "closed",
      .summary = "closed",
      .roles = "nobody", .body = &body, .run = refuse },
};
static const struct ec_use uses[] = { { sizeof uses[0], EC_USE_SETUP, sizeof(struct ec_http), 0, EC_HTTP_ID } };

static int32_t create(const struct ec_host *h, void **self)
{
    struct self *s = *self = calloc(1, sizeof *s);

    return s ? (s->h = h, EC_OK) : EC_ENOMEM;
}

static int32_t setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, 0, 100000000, tick };
    struct self *s = self;
    uint32_t topic;
    int32_t err = s->h->topic(s->h, &audit, &topic);

    s->http = s->h->use(s->h, EC_HTTP_ID, &s->http_self);
    for (unsigned i = 0; i < sizeof routes / sizeof routes[0] && !err; i++)
        err = s->http->route(s->http_self, s->h, &routes[i], s);
    return err ? err : s->h->timer(s->h, &timer);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.example.toy", "toy", "1", "routes", "MIT", NULL, 1, sizeof uses[0], 0, 0, 0, 0, uses,
    NULL, NULL, NULL, create, setup, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
"""
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
PID = 0


def ask(method, path, body=None, headers=None):
    c = Local("a.sock")
    c.request(method, path, body, headers or {})
    r = c.getresponse()
    data = r.read()
    c.close()
    return r.status, json.loads(data) if data and data[:1] in b"{[" else data, dict(r.getheaders())


def errors(reply):
    return [(e["type"], e["loc"]) for e in reply[1]["detail"]] if reply[0] == 422 else reply


def metric(name):
    found = re.search(rb"^ecyber_http_%s (\d+)$" % name.encode(), ask("GET", "/metrics")[1], re.M)
    return int(found.group(1)) if found else -1


def parameters():
    good = ask("GET", "/api/toy/12?level=high&word=%C3%A4&tag=a&tag=b")
    check(good[:2] == (200, {"id": 12, "level": 1, "word": "\xe4", "tags": 2, "who": "admin", "peer": "local"}),
          "parameters are decoded from path and query", good)
    check(ask("GET", "/api/toy/5")[1]["level"] == 0, "defaults are filled in")
    cases = [("/api/toy/x", [("int_parsing", ["path", "id"])]),
             ("/api/toy/0", [("greater_than_equal", ["path", "id"])]),
             ("/api/toy/1?level=mid", [("enum", ["query", "level"])]),
             ("/api/toy/1?word=toolong", [("string_too_long", ["query", "word"])]),
             ("/api/toy/1?id=2", [("extra_forbidden", ["query", "id"])]),
             ("/api/toy/1?other=2", [("extra_forbidden", ["query", "other"])]),
             ("/api/toy/1?a.b.c=2", [("extra_forbidden", ["query", "a.b.c"])]),
             ("/api/toy/1?tag=a&tag=", [("string_too_short", ["query", "tag", 1])]),
             ("/api/toy/1001?word=", [("less_than_equal", ["path", "id"]), ("string_too_short", ["query", "word"])])]
    for path, want in cases:
        reply = ask("GET", path)
        check(sorted(map(str, errors(reply))) == sorted(map(str, want)), "%s is refused" % path, reply)
    check(ask("GET", "/api/toy/1?word=%ff")[0] == 422, "what is no UTF-8 is refused")


def pages():
    good = ask("GET", "/api/toy?from=10.0.0.0/8&level=high&limit=7")
    check(good[:2] == (200, {"level": 1, "limit": 7, "filters": 1, "field": "src_ip", "value": "10.0.0.0/8"}),
          "a plugin that answers a page itself has its filters and parameters of its own", good)
    for query, want in (("from=x", [("ip_any_network", ["query", "from"])]), ("level=mid", [("enum", ["query", "level"])]),
                        ("limit=0", [("greater_than_equal", ["query", "limit"])]),
                        ("other=2", [("extra_forbidden", ["query", "other"])])):
        check(errors(ask("GET", "/api/toy?" + query)) == want, "a page with %s is refused" % query)


def bodies():
    good = ask("POST", "/api/toy", '{"name":"a\\u00e4"}', JSON)
    check(good[:2] == (201, {"name": "a\xe4", "n": 7, "tags": []}),
          "a body is decoded, and a record is the reply, from the pool; an empty list is a list", good)
    check(ask("POST", "/api/toy", "name=b+c&n=5", FORM)[:2] == (201, {"name": "b c", "n": 5, "tags": []}),
          "the same from a form")
    cases = [('{"n":1}', [("missing", ["body", "name"])]), ('{"name":1}', [("string_type", ["body", "name"])]),
             ('{"name":"a","n":"x"}', [("int_parsing", ["body", "n"])]),
             ('{"name":"a","x":1}', [("extra_forbidden", ["body", "x"])]),
             ('{"name":"a","tags":["x",""]}', [("string_too_short", ["body", "tags", 1])]),
             ("", [("missing", ["body"])])]
    for text, want in cases:
        reply = ask("POST", "/api/toy", text, JSON)
        check(errors(reply) == want, "%s is refused" % (text or "no body"), reply)
    check(ask("POST", "/api/toy", "{", JSON)[1]["detail"][0]["type"] == "json_invalid",
          "half of a JSON object is refused")
    check(ask("POST", "/api/toy", '{"name":"a"}')[0] == 415, "a body of no type is 415")
    check(ask("POST", "/api/toy", '{"name":"%s"}' % ("a" * 300), JSON)[0] == 413,
          "a body over the route's bound is 413")
    check(ask("POST", "/api/toy/closed", "{", JSON)[0] == 422, "no JSON is 422, whoever asks")
    check(ask("POST", "/api/toy/closed", "{}", JSON)[0] == 403, "then comes the role, before what is missing")


def replies():
    status, body, headers = ask("GET", "/api/toy/busy")
    check((status, body, headers.get("Retry-After"), headers.get("Bad")) == (429, {"detail": "not so fast"}, "5", None),
          "a plugin sets status and headers, though no header of two lines", headers)
    check(errors(ask("POST", "/api/toy/invalid")) == [("value_error", ["body", "until"])],
          "a plugin says what is invalid")
    check(ask("GET", "/api/toy/fails")[:2] == (500, {"detail": "Internal Server Error"}), "a handler that fails is 500")
    begin = time.monotonic()
    status = ask("GET", "/api/toy/late")[0]
    check(status == 503 and 0.4 < time.monotonic() - begin < 1.8, "who answers too late is answered for", status)
    check(metric("unanswered_total") == 1, "and counted")
    time.sleep(2.5)
    check(ask("GET", "/api/toy/5")[0] == 200, "the late answer hurts nobody")
    c = Local("a.sock")
    c.request("GET", "/api/toy/late")
    time.sleep(0.2)
    c.close()
    for _ in range(20):
        if metric("gone_total") == 1:
            break
        time.sleep(0.1)
    check(metric("gone_total") == 1 and metric("unanswered_total") == 1,
          "a client that leaves before its reply is noticed")
    time.sleep(2.5)
    check(ask("GET", "/api/toy/5")[0] == 200, "its answer hurts nobody")


def edits():
    status, _, headers = ask("GET", "/api/toy/doc")
    tag = headers.get("ETag")
    check(status == 200 and tag == '"v1"', "what is edited has its version as ETag", headers)
    status, body, headers = ask("GET", "/api/toy/doc", headers={"If-None-Match": tag})
    check((status, body, headers.get("ETag")) == (304, b"", tag), "who has it already gets 304", (status, body))
    status, _, headers = ask("PUT", "/api/toy/doc", headers={"If-Match": tag})
    check(status == 200 and headers["ETag"] == '"v2"', "a change of what was read goes through", headers)
    status, body, headers = ask("PUT", "/api/toy/doc", headers={"If-Match": tag})
    check(status == 412 and headers["ETag"] == '"v2"' and "meanwhile" in body["detail"], "the next one by it does not",
          body)
    cases = [("*", 200), ('"v3"', 200), ('"x", "v4"', 200), ('W/"v5"', 412), ("v5", 412)]
    for value, want in cases:
        status = ask("PUT", "/api/toy/doc", headers={"If-Match": value})[0]
        check(status == want, "If-Match: %s is %d" % (value, want), status)
    check(ask("PUT", "/api/toy/doc", headers={"If-None-Match": "*"})[0] == 412, "nor one that wants to be the first")
    check(ask("PUT", "/api/toy/doc")[0] == 200, "without a header it goes through")


def enforces():
    def send(body, key=None, query=""):
        return ask("POST", "/api/toy/enforce" + query, body, dict(JSON, **({"Idempotency-Key": key} if key else {})))

    log = Local("a.sock")
    log.request("GET", "/api/network/events/stream?types=audit")
    log = log.getresponse()
    first = send('{"name":"a"}', "k1")
    again = send('{ "name" : "a" }', "k1")
    check(first[:2] == (201, {"dry": 0, "n": 1}) and again[:2] == first[:2] and
          again[2].get("Idempotency-Replayed") == "true", "the same request with the same key is carried out once",
          again)
    check(send('{"name":"a"}')[1]["n"] == 2, "without a key twice")
    check(send('{"name":"a"}', "k2")[1]["n"] == 3, "with another key too")
    other = send('{"name":"b"}', "k1")
    check(other[0] == 422 and errors(other) == [("value_error", ["header", "idempotency-key"])],
          "another request with that key is refused", other)
    check(send('{"name":"a","n":55}', "k3")[0] == 503 and send('{"name":"a","n":55}', "k3")[0] == 503 and
          send('{"name":"b"}', "k3")[1]["n"] == 6, "an error of the server is not kept")
    check(errors(send('{"name":"a"}', "a b")) == [("string_pattern_mismatch", ["header", "idempotency-key"])],
          "a key is visible ASCII")
    check(send('{"name":"a"}', query="?dry_run=true")[1]["dry"] == 1, "dry_run is handed over")
    check(errors(send('{"name":"a"}', query="?dry_run=maybe")) == [("bool_parsing", ["query", "dry_run"])],
          "what is no truth value is refused")
    c = Local("a.sock")
    c.request("POST", "/api/toy/enforce", '{"name":"a","n":66}', dict(JSON, **{"Idempotency-Key": "k4"}))
    time.sleep(0.3)
    status, _, headers = send('{"name":"a","n":66}', "k4")
    check(status == 409 and "Retry-After" in headers, "while the first is carried out the second waits", status)
    c.close()                           # the client leaves before its answer
    time.sleep(1.5)
    check(send('{"name":"a","n":66}', "k4")[:2] == (201, {"late": 1}), "who lost the answer gets it")
    send('{"name":"a","n":77}')
    entries, who = [], "uid %d" % os.getuid()
    while not entries or entries[-1]["detail"] != "by hand":
        line = log.fp.readline()
        if line.startswith(b"data: "):
            entries.append(json.loads(line[6:])["audit"])
    log.close()
    path = "/api/toy/enforce"
    wants = [{"action": "enforce", "outcome": "success", "actor": who, "object": path, "detail": "201"},
             {"action": "enforce", "outcome": "failure", "actor": who, "object": path, "detail": "503"},
             {"action": "enforce", "outcome": "success", "actor": who, "object": path, "detail": "dry run, 201"},
             {"action": "toy.enforce", "outcome": "success", "actor": who, "object": "toys/1", "detail": "by hand"}]
    check(all(want in entries for want in wants), "each is in the audit log, in its plugin's words where it has some",
          entries)
    check(len(entries) == 13, "once for each, carried out or refused, though not for an answer that is given again",
          entries)


def pieces():
    for query in ("bytes=0", "bytes=5", "bytes=10000000", "bytes=10000000&pool=1", "bytes=0&pool=1",
                  "bytes=70000&pool=1"):
        status, body, headers = ask("GET", "/api/toy/pour?" + query)
        want = int(re.search(r"\d+", query).group())
        check(status == 200 and body == b"x" * want and headers["Content-Type"] == "text/plain",
              "a reply in pieces arrives whole (%s)" % query, (status, len(body), headers))
    check(ask("GET", "/api/toy/pour?bytes=13")[:2] == (404, {"detail": "no such thing"}), "or is an error instead")
    status, body, headers = ask("HEAD", "/api/toy/pour?bytes=1000000")
    check((status, body) == (200, b""), "HEAD has no pieces", (status, body))
    check(ask("HEAD", "/api/toy/pour?bytes=1000000&pool=1")[0] == 200, "nor from the pool")
    for pool in "01":
        c = Local("a.sock")
        c.request("GET", "/api/toy/pour?bytes=900000000&pool=" + pool)
        reply = c.getresponse()
        reply.read(100000)
        reply.close()
        c.close()
    for _ in range(100):
        if ask("GET", "/api/toy/poured")[1] == b"10":
            break
        time.sleep(0.1)
    check(ask("GET", "/api/toy/poured")[1] == b"10", "and a plugin hears of clients that leave",
          ask("GET", "/api/toy/poured"))


def uploads():
    data = b"<" + b"." * 39999998 + b">"
    before = resident()
    reply = ask("POST", "/api/toy/upload", data)
    check(reply[:2] == (201, {"len": 40000000, "ends": "<>"}), "an upload of 40 MB arrives, though bodies have 1 MiB",
          reply)
    if os.environ.get("EC_SANITIZER", "none") == "none":        # which keeps what was freed
        check(resident() - before < 10000, "without a place in memory", (before, resident()))
    check(ask("POST", "/api/toy/upload", b"x")[:2] == (201, {"len": 1, "ends": "xx"}), "one of a byte too")
    c = Local("a.sock")
    for body in (b"a" * 100000, b"bc"):
        c.request("POST", "/api/toy/upload", body)
        reply = c.getresponse()
        check(json.loads(reply.read())["len"] == len(body), "two on one connection are told apart")
    c.close()
    check(errors(ask("POST", "/api/toy/upload")) == [("missing", ["body"])], "no body is none")
    check(ask("POST", "/api/toy/other", b"x" * 20000)[0] == 403, "who may not send one is told before it is kept")
    check(ask("POST", "/api/toy/busy", b"x" * 2000000)[0] == 413, "other bodies keep their bound")
    cases = [("Content-Length: 50000001\r\n\r\n", 413),
             ("Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 411)]
    for head, want in cases:
        s = Local("a.sock")
        s.connect()
        s.sock.sendall(b"POST /api/toy/upload HTTP/1.1\r\nHost: x\r\n" + head.encode())
        status = s.sock.recv(1000)[9:12]
        check(status == str(want).encode(), "%s is %d" % (head[:24], want), status)
        s.close()
    held = []
    for _ in range(9):
        s = Local("a.sock")
        s.connect()
        s.sock.sendall(b"POST /api/toy/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        held.append(s)
        time.sleep(0.05)
    check(b" 503 " in held[-1].sock.recv(1000), "there are eight at once")
    held[0].sock.sendall(b"cde")
    check(b" 201 " in held[0].sock.recv(1000), "what stops and goes on arrives")
    for s in held:
        s.close()
    time.sleep(0.3)
    check(ask("POST", "/api/toy/upload", b"xyz")[0] == 201, "and there is room when they are gone")
    for _ in range(20):
        if not spooled():
            break
        time.sleep(0.1)
    check(not spooled(), "no file stays open", spooled())


def spooled():
    files = []
    for fd in os.listdir("/proc/%d/fd" % PID):
        try:
            files.append(os.readlink("/proc/%d/fd/%s" % (PID, fd)))
        except OSError:
            pass                        # closed meanwhile
    return [name for name in files if "state" in name and "deleted" in name]


def resident():
    return int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % PID, encoding="ascii").read()).group(1))


def described():
    document = ask("GET", "/api/openapi.json")[1]
    paths = document["paths"]
    put, post, pour = (paths["/api/toy/doc"]["put"], paths["/api/toy/enforce"]["post"], paths["/api/toy/pour"]["get"])
    check([p["name"] for p in put["parameters"]] == ["If-Match"] and "412" in put["responses"] and
          "ETag" in put["responses"]["200"]["headers"], "the document says how to edit", put)
    check([(p["in"], p["name"]) for p in post["parameters"]] ==
          [("query", "dry_run"), ("header", "Idempotency-Key")] and
          "409" in post["responses"], "and how to enforce", post)
    body, reply = (o["content"]["application/json"] for o in (post["requestBody"], post["responses"]["201"]))
    check(post["description"] == "Enforces *it*. For the roles admin. It is carried out once for each `Idempotency-Key`, and "
          "stands in the audit log." and post["tags"] == ["games"] and body["example"] == {"a": [1]} and
          reply["example"] == {"b": None}, "with the words and examples of its plugin", post)
    check([t for t in document["tags"] if t["name"] == "games"] == [
        {"name": "games"}] and put["tags"] == ["toy"] and
        put["description"] == "put_doc. For everybody. With `If-Match` only at that version.",
        "and words of its own where there are none", put)
    check(list(pour["responses"]["200"]["content"]) == ["text/plain"] and
          paths["/api/toy/poured"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] ==
          {"type": "integer"}, "and what comes", pour)


def main():
    os.mkdir("p")
    with open("x.c", "w", encoding="utf-8") as out:
        out.write(SOURCE)
    flags = {"address": ["-fsanitize=address,undefined"], "thread": ["-fsanitize=thread"]}
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-I", os.environ["EC_SRC"] + "/sdk/include",
                    *flags.get(os.environ.get("EC_SANITIZER"), []), "-o", "p/toy.so", "x.c"], check=True)
    here = os.getcwd()
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s/p]\n  plugins: [toy, http]\n  state_dir: state\n"
                  "  control_socket: %s/c.sock\n"
                  "http:\n  listen: none\n  socket: %s/a.sock\n" % (os.environ["EC_PLUGINDIR"], here, here, here))
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml"], stdout=log, stderr=log)
    global PID
    PID = daemon.pid
    for _ in range(400):
        if os.path.exists("a.sock"):
            break
        time.sleep(0.05)
    parameters()
    pages()
    bodies()
    replies()
    edits()
    enforces()
    pieces()
    uploads()
    described()
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(20) == 0, "the daemon ends well", open("log", encoding="utf-8", errors="replace").read()[-600:])
    plan()


sys.exit(main())
