#!/usr/bin/env python3
"""A plugin that nobody knew: its topic and fields have random names, it is built against the SDK alone, and with no
change to any other file its events are in eve.json, in the database, in the API and its document, in the live stream and
in the metrics. In a flood of its events a client of the stream that does not read is told what it missed."""
import json
import os
import random
import re
import signal
import socket
import string
import subprocess
import sys
import time

SOURCE = r"""
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <stdlib.h>

struct thing { struct ec_part part; uint64_t number; struct ec_span word; uint8_t addr[16]; };
static const struct ec_row rows[] = {
    EC_FIELD(U64, EC_R_COLUMN | EC_R_INDEX, struct thing, number, "@NUMBER@", "things", "help of @NUMBER@"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct thing, word, "@INNER@.@WORD@", NULL, "help of @WORD@"),
    EC_FIELD(IP, EC_R_COLUMN, struct thing, addr, "@ADDR@", NULL, "help of @ADDR@"),
};
static const struct ec_record record = EC_RECORD_PART(struct thing, rows);
static const struct ec_topic topic = { sizeof topic, EC_TOPIC_EVENT, "org.example.@ROOT@/1", "@ROOT@", &record, NULL, "h" };
static const struct ec_metric metrics[] = {
    { sizeof metrics[0], EC_METRIC_COUNTER, "@METRIC@", "things", "made" } };
struct self { const struct ec_host *h; uint32_t topic; uint64_t n; };

static void tick(void *self, const void *state, uint64_t now)
{
    static char pad[8000];
    struct self *s = self;
    struct ec_build b;
    struct thing *t;

    (void)state;
    (void)now;
    if (s->h->open(s->h, EC_PUB_MAILBOX, s->topic, &b) != EC_OK)
        return;
    if ((t = ec_add(&b, s->topic, sizeof *t))) {
        t->number = ++s->n;
        t->addr[10] = t->addr[11] = 0xff;
        t->addr[12] = 192, t->addr[14] = 2, t->addr[15] = 7;
        t->word = ec_puts(&b, s->n & 1 ? "odd" : "even <b>");
        if (getenv("FLOOD"))
            t->word = ec_put(&b, memset(pad, 'x', sizeof pad), sizeof pad);
    }
    s->h->publish(s->h, &b);
    s->h->metric(s->h, 0, 1);
}

static int32_t create(const struct ec_host *h, void **self)
{
    struct self *s = *self = calloc(1, sizeof *s);

    return s ? (s->h = h, EC_OK) : EC_ENOMEM;
}

static int32_t setup(void *self)
{
    static struct ec_timer timer = { sizeof timer, 0, 50000000, tick };
    struct self *s = self;
    int32_t err = s->h->topic(s->h, &topic, &s->topic);

    if (getenv("FLOOD"))
        timer.every_ns = 1000000;
    return err ? err : s->h->timer(s->h, &timer);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.example.@ROOT@", "@NAME@", "1", "random", "MIT", NULL, 0, 0, 0, 0, 1, sizeof metrics[0],
    NULL, NULL, metrics, NULL, create, setup, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
"""
count = 0


def check(good, what, detail=""):
    global count
    count += 1
    print("%sok %d - %s" % ("" if good else "not ", count, what), flush=True)
    if not good and detail:
        print("# %s" % str(detail)[:600])


def ask(target):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect("a.sock")
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % target.encode())
        data = b""
        try:
            while more := s.recv(65536):
                data += more
                if target.startswith("/api/network/events/stream") and data.count(b"\ndata: ") > 2:
                    break
        except socket.timeout:
            pass
    return int(data.split()[1]), data.partition(b"\r\n\r\n")[2]


def main():
    here = os.getcwd()
    name = {k: random.choice(string.ascii_lowercase) + "".join(random.choices(string.ascii_lowercase + string.digits, k=9))
            for k in ("ROOT", "NUMBER", "INNER", "WORD", "ADDR", "METRIC", "NAME")}
    print("# %s" % name)
    source = SOURCE
    for key, value in name.items():
        source = source.replace("@%s@" % key, value)
    os.mkdir("p")
    with open("x.c", "w", encoding="utf-8") as out:
        out.write(source)
    flags = {"address": ["-fsanitize=address,undefined"], "thread": ["-fsanitize=thread"]}
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-I", os.environ["EC_SRC"] + "/sdk/include",
                    *flags.get(os.environ.get("EC_SANITIZER"), []), "-o", "p/%s.so" % name["NAME"], "x.c"], check=True)
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s/p]\n  plugins: [%s, eve, store, http]\n  state_dir: state\n"
                  "  control_socket: %s/c.sock\neve:\n  file: %s/eve.json\nhttp:\n  listen: none\n  socket: %s/a.sock\n"
                  % (os.environ["EC_PLUGINDIR"], here, name["NAME"], here, here, here))
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml"], stdout=log, stderr=log)
    for _ in range(400):
        if os.path.exists("a.sock"):
            break
        time.sleep(0.05)
    root = name["ROOT"]
    items = []
    for _ in range(100):
        status, body = ask("/api/events?type=%s&limit=5" % root)
        items = json.loads(body).get("items", [])
        if status != 200 or len(items) == 5:
            break
        time.sleep(0.1)
    check(status == 200 and len(items) == 5 and items[0][root][name["INNER"]][name["WORD"]] in ("odd", "even <b>") and
          items[0][root][name["ADDR"]] == "192.0.2.7", "/api/events?type=… has its events", (status, body))
    status, body = ask("/api/events?type=%s&%s.%s.%s=odd&%s.%s.ge=3&limit=2" %
                       (root, root, name["INNER"], name["WORD"], root, name["NUMBER"]))
    numbers = [e[root][name["NUMBER"]] for e in json.loads(body).get("items", [])]
    check(status == 200 and numbers and all(n % 2 == 1 and n >= 3 for n in numbers), "filtered by its fields", (status, body))
    status, body = ask("/api/events/" + items[0]["id"] if items else "/api/events/1")
    check(status == 200 and json.loads(body) == items[0], "and one by its id", (status, body))
    status, body = ask("/api/events/top?type=%s&by=%s.%s" % (root, root, name["ADDR"]))
    check(status == 200 and json.loads(body)["items"][0]["value"] == "192.0.2.7", "values of its fields are counted", body)
    document = json.loads(ask("/api/openapi.json")[1])
    schema = json.dumps(document["components"]["schemas"].get("Event_" + root, {}))
    check(all(name[k] in schema for k in ("NUMBER", "INNER", "WORD", "ADDR")), "the document describes it", schema)
    status, body = ask("/api/network/events/stream?types=" + root)
    lines = [json.loads(line[6:]) for line in body.decode("utf-8", "replace").splitlines()
             if line.startswith("data: ") and line.endswith("}")]
    check(status == 200 and lines and root in lines[0], "the live stream has it", body[:300])
    check(("ecyber_%s_%s_total " % (name["NAME"], name["METRIC"])) in ask("/metrics")[1].decode(), "/metrics has its counter")
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(20) == 0, "the daemon ends well", open("log", encoding="utf-8", errors="replace").read()[-400:])
    with open("eve.json", encoding="utf-8") as eve:
        events = [json.loads(line) for line in eve]
    check(any(e["event_type"] == root and e[root][name["NUMBER"]] == 1 for e in events), "eve.json has it")
    found = [f for folder, _, files in os.walk("state") for f in files
             if open(os.path.join(folder, f), "rb").read().find(root.encode()) >= 0]
    check(found, "the database has it", found)
    flood(name)
    print("1..%d" % count)


def flood(name):
    """8 MB a second to a client that does not read for a while: events are dropped for it alone, and it is told."""
    os.unlink("ecyber.yaml")
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s/p]\n  plugins: [%s, http]\n  state_dir: state2\n  control_socket: %s/c.sock\n"
                  "http:\n  listen: none\n  socket: %s/a.sock\n  stream_buffer: 64KiB\n"
                  % (os.environ["EC_PLUGINDIR"], os.getcwd(), name["NAME"], os.getcwd(), os.getcwd()))
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml"], stdout=log, stderr=log,
                                  env=dict(os.environ, FLOOD="1"))
    for _ in range(400):
        if os.path.exists("a.sock"):
            break
        time.sleep(0.05)
    slow, data, begin = socket.socket(socket.AF_UNIX), b"", time.monotonic()
    slow.connect("a.sock")
    slow.sendall(b"GET /api/network/events/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(3)
    check(len(ask("/api/network/events/stream")[1]) > 10000, "another client has its events meanwhile")
    slow.settimeout(5)
    try:
        while b"event: gap" not in data[-200000:] and time.monotonic() - begin < 20:
            more = slow.recv(65536)
            if not more:
                break
            data += more
        data += slow.recv(65536)
    except socket.timeout:
        pass
    told = re.search(rb'event: gap\ndata: {"dropped":(\d+)}', data)
    check(told and int(told.group(1)) > 100, "a client that did not read is told how many events it missed", data[-300:])
    slow.close()
    counted = re.search(r"^ecyber_http_stream_dropped_total (\d+)$", ask("/metrics")[1].decode(), re.M)
    check(told and int(counted.group(1)) >= int(told.group(1)), "and they are counted", counted)
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(20) == 0, "the daemon ends well in a flood")


sys.exit(main())
