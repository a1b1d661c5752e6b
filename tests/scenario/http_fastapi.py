#!/usr/bin/env python3
"""Bad requests are answered as FastAPI with pydantic 2 answers them, field by field: the same routes, declared by a
plugin that the test builds, against the table that tests/data/fastapi_app.py wrote."""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

from libtest import check, plan

SOURCE = r"""
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/http.h>
#include <stdlib.h>

#define ROW(T, flags, has, type, member, name, allow, def, min, max) \
    { EC_T_##T, flags, has, 0, offsetof(type, member), name, NULL, allow, def, NULL, "", min, max }
#define LEVELS "low,mid,high"
struct param { struct ec_part part; uint64_t id; double ratio; uint32_t level; uint8_t yes, pad[3]; struct ec_span word;
               struct ec_list tag; };
static const struct ec_row param_rows[] = {
    ROW(U64, 0, 0, struct param, id, "id", NULL, NULL, 1, 1000),
    ROW(ENUM, 0, 0, struct param, level, "level", LEVELS, "low", 0, 0),
    ROW(TEXT, EC_R_OPT, 0, struct param, word, "word", NULL, NULL, 1, 5),
    ROW(F64, EC_R_OPT, 1, struct param, ratio, "ratio", NULL, NULL, 0, 10),
    ROW(BOOL, EC_R_OPT, 2, struct param, yes, "yes", NULL, NULL, 0, 0),
    ROW(TEXT, EC_R_LIST, 0, struct param, tag, "tag", NULL, NULL, 1, 5),
};
static const struct ec_record param = EC_RECORD_PART(struct param, param_rows);

struct port { uint64_t number, has; struct ec_span name; };
static const struct ec_row port_rows[] = {
    ROW(U64, 0, 0, struct port, number, "number", NULL, NULL, 1, 65535),
    ROW(TEXT, EC_R_OPT, 0, struct port, name, "name", NULL, NULL, 1, 5),
};
static const struct ec_record port = {
    sizeof(struct ec_record), sizeof(struct port), EC_ROWS(port_rows), offsetof(struct port, has), 0, port_rows };
struct inner { uint64_t a; };
static const struct ec_row inner_rows[] = { ROW(U64, 0, 0, struct inner, a, "a", NULL, NULL, 0, 9) };
static const struct ec_record inner = EC_RECORD_ELEMENT(struct inner, inner_rows);

struct body { struct ec_part part; uint64_t n; int64_t i; double ratio; uint64_t when; uint8_t ip[16];
              struct inner inner; struct ec_span name; struct ec_list tags, ports; uint32_t level; uint8_t yes, pad[3]; };
static const struct ec_row body_rows[] = {
    ROW(TEXT, 0, 0, struct body, name, "name", NULL, NULL, 1, 10),
    ROW(U64, 0, 0, struct body, n, "n", NULL, "7", 0, 100),
    ROW(I64, EC_R_OPT, 0, struct body, i, "i", NULL, NULL, -5, 5),
    ROW(F64, EC_R_OPT, 1, struct body, ratio, "ratio", NULL, NULL, 0, 10),
    ROW(BOOL, 0, 0, struct body, yes, "yes", NULL, "false", 0, 0),
    ROW(ENUM, 0, 0, struct body, level, "level", LEVELS, "low", 0, 0),
    ROW(TEXT, EC_R_LIST, 0, struct body, tags, "tags", NULL, NULL, 1, 5),
    EC_FIELD_LIST(&port, struct body, ports, "ports", ""),
    ROW(IP, EC_R_OPT, 2, struct body, ip, "ip", NULL, NULL, 0, 0),
    ROW(TIME, EC_R_OPT, 3, struct body, when, "when", NULL, NULL, 0, 0),
    { EC_T_RECORD, EC_R_INLINE | EC_R_OPT, 4, 0, offsetof(struct body, inner), "inner", &inner, NULL, NULL, NULL, "",
      0, 0 },
};
static const struct ec_record body = EC_RECORD_PART(struct body, body_rows);
struct self { const struct ec_host *h; const struct ec_http *http; void *http_self; };

static int32_t fine(void *self, const void *state, struct ec_req *r)
{
    struct self *s = self;

    (void)state;
    return s->http->json(r, 200, "{\"name\":\"a\"}", 12);
}

static const struct ec_route routes[] = {
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/like/{id}", .opid = "get_like", .summary = "get",
      .roles = "", .param = &param, .run = fine },
    { .size = sizeof(struct ec_route), .method = "POST", .path = "/api/like", .opid = "post_like", .summary = "post",
      .roles = "", .body = &body, .run = fine },
};
static const struct ec_use uses[] = { { sizeof uses[0], EC_USE_SETUP, sizeof(struct ec_http), 0, EC_HTTP_ID } };

static int32_t create(const struct ec_host *h, void **self)
{
    struct self *s = *self = calloc(1, sizeof *s);

    return s ? (s->h = h, EC_OK) : EC_ENOMEM;
}

static int32_t setup(void *self)
{
    struct self *s = self;
    int32_t err = EC_OK;

    s->http = s->h->use(s->h, EC_HTTP_ID, &s->http_self);
    for (unsigned i = 0; i < sizeof routes / sizeof routes[0] && !err; i++)
        err = s->http->route(s->http_self, s->h, &routes[i], s);
    return err;
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.example.like", "like", "1", "routes", "MIT", NULL, 1, sizeof uses[0], 0, 0, 0, 0, uses,
    NULL, NULL, NULL, create, setup, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
"""


class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect("a.sock")


def ask(case):
    c = Local("local")
    content = case.get("body")
    if content is not None and not isinstance(content, str):
        content = json.dumps(content)
    c.request(case["method"], case["path"], content,
              {"Content-Type": "application/json"} if content is not None else {})
    r = c.getresponse()
    data = r.read()
    c.close()
    return {"status": r.status, "body": json.loads(data)}


def comparable(reply):
    """The order of errors is not promised, and what no JSON parser says in the same words is left out."""
    detail = reply["body"].get("detail")
    if isinstance(detail, list):
        for e in detail:
            if e["type"] == "json_invalid":
                e["loc"], e["ctx"] = e["loc"][:1], sorted(e["ctx"])
        detail.sort(key=lambda e: (e["loc"][0], str(e["loc"])))
    return reply


def main():
    os.mkdir("p")
    with open("x.c", "w", encoding="utf-8") as out:
        out.write(SOURCE)
    flags = {"address": ["-fsanitize=address,undefined"], "thread": ["-fsanitize=thread"]}
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-I", os.environ["EC_SRC"] + "/sdk/include",
                    *flags.get(os.environ.get("EC_SANITIZER"), []), "-o", "p/like.so", "x.c"], check=True)
    here = os.getcwd()
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s/p]\n  plugins: [like, http]\n  state_dir: state\n"
                  "  control_socket: %s/c.sock\n"
                  "http:\n  listen: none\n  socket: %s/a.sock\n" % (os.environ["EC_PLUGINDIR"], here, here, here))
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml"], stdout=log, stderr=log)
    for _ in range(400):
        if os.path.exists("a.sock"):
            break
        time.sleep(0.05)
    with open(os.environ["EC_DATA"] + "/fastapi_requests.json", encoding="utf-8") as file:
        cases = json.load(file)
    with open(os.environ["EC_DATA"] + "/fastapi_replies.json", encoding="utf-8") as file:
        table = json.load(file)
    check(len(cases) == len(table["replies"]) >= 40, "the table is whole", (len(cases), len(table["replies"])))
    for case, want in zip(cases, table["replies"]):
        got, want = comparable(ask(case)), comparable(want)
        check(got == want, "%s %s %s: as FastAPI %s with pydantic %s"
              % (case["method"], case["path"], json.dumps(case.get("body", "")).replace("#", ""), table["fastapi"],
                 table["pydantic"]), "ours %s\n# want %s" % (json.dumps(got), json.dumps(want)))
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(20) == 0, "the daemon ends well")
    plan()


sys.exit(main())
