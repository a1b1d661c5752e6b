#!/usr/bin/env python3
"""Live events in a flood of 8 MB a second, from a plugin that the test builds: a client that does not read loses
events for itself alone and is told how many; others have theirs; one client too many is turned away."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

from libtest import check, plan

SOURCE = r"""
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <stdlib.h>

struct thing { struct ec_part part; uint64_t number; struct ec_span word; };
static const struct ec_row rows[] = {
    EC_FIELD(U64, 0, struct thing, number, "number", NULL, "count"),
    EC_FIELD(TEXT, 0, struct thing, word, "word", NULL, "8,000 bytes"),
};
static const struct ec_record record = EC_RECORD_PART(struct thing, rows);
static const struct ec_topic topics[] = {
    { sizeof topics[0], EC_TOPIC_EVENT, "org.example.flood/1", "flood", &record, NULL, "many" },
    { sizeof topics[0], EC_TOPIC_EVENT, "org.example.trickle/1", "trickle", &record, NULL, "few" },
};
struct self { const struct ec_host *h; uint32_t topic[2]; uint64_t n; };

static void publish(struct self *s, uint32_t topic, uint32_t len)
{
    static char pad[8000];
    struct ec_build b;
    struct thing *t;

    if (s->h->open(s->h, EC_PUB_MAILBOX, topic, &b) != EC_OK)
        return;
    if ((t = ec_add(&b, topic, sizeof *t))) {
        t->number = s->n;
        t->word = ec_put(&b, memset(pad, 'x', sizeof pad), len);
    }
    s->h->publish(s->h, &b);
}

static void tick(void *self, const void *state, uint64_t now)
{
    struct self *s = self;

    (void)state;
    (void)now;
    publish(s, s->topic[0], 8000);
    if (s->n++ % 50 == 0)
        publish(s, s->topic[1], 8);
}

static int32_t create(const struct ec_host *h, void **self)
{
    struct self *s = *self = calloc(1, sizeof *s);

    return s ? (s->h = h, EC_OK) : EC_ENOMEM;
}

static int32_t setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, 0, 1000000, tick };
    struct self *s = self;
    int32_t err = EC_OK;

    for (int i = 0; i < 2 && !err; i++)
        err = s->h->topic(s->h, &topics[i], &s->topic[i]);
    return err ? err : s->h->timer(s->h, &timer);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.example.flood", "flood", "1", "many events", "MIT", NULL, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL,
    NULL, create, setup, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
"""


def connect(target):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    s.connect("a.sock")
    s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % target.encode())
    return s


def read_until(s, enough, seconds=20):
    data, end = b"", time.monotonic() + seconds
    try:
        while not enough(data) and time.monotonic() < end:
            more = s.recv(65536)
            if not more:
                break
            data += more
    except socket.timeout:
        pass
    return data


def metric(name):
    with connect("/metrics") as s:
        data = read_until(s, lambda d: b"# TYPE ecyber_http_stream_refused_total" in d and d.endswith(b"\n"), 3)
    found = re.search(rb"^ecyber_http_%s (\d+)$" % name.encode(), data, re.M)
    return int(found.group(1)) if found else -1


def main():
    os.mkdir("p")
    with open("x.c", "w", encoding="utf-8") as out:
        out.write(SOURCE)
    flags = {"address": ["-fsanitize=address,undefined"], "thread": ["-fsanitize=thread"]}
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-I",
                    os.environ["EC_SRC"] + "/sdk/include",
                    *flags.get(os.environ.get("EC_SANITIZER"), []), "-o", "p/flood.so", "x.c"], check=True)
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s/p]\n  plugins: [flood, http]\n  state_dir: state\n"
                  "  control_socket: %s/c.sock\nhttp:\n  listen: none\n  socket: %s/a.sock\n  stream_buffer: 64KiB\n"
                  "  stream_clients: 3\n" % (os.environ["EC_PLUGINDIR"], os.getcwd(), os.getcwd(), os.getcwd()))
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml"], stdout=log, stderr=log)
    for _ in range(400):
        if os.path.exists("a.sock"):
            break
        time.sleep(0.05)
    slow = connect("/api/network/events/stream")
    with connect("/api/network/events/stream?types=trickle") as quick:
        data = read_until(quick, lambda d: d.count(b"\nevent: ") >= 20)
    lines = [line[6:] for line in data.decode().splitlines() if line.startswith("data: ")]
    events = [json.loads(line) for line in lines if line.endswith("}")]
    check(len(events) >= 19 and all(e["event_type"] == "trickle" for e in events),
          "who asks for one type gets that type",
          data[-300:])
    numbers = [e["trickle"]["number"] for e in events]
    check(numbers == list(range(numbers[0], numbers[0] + 50 * len(numbers), 50)), "and every event of it", numbers)
    check(b"event: gap" not in data, "though another client does not read at all")
    check(all(re.search(rb"^id: %s$" % e["id"].encode(), data, re.M) for e in events), "each has its id")
    others = [connect("/api/network/events/stream") for _ in range(3)]
    statuses = sorted(read_until(s, lambda d: b"\r\n" in d)[9:12] for s in others)
    check(statuses == [b"200", b"200", b"503"], "one client too many is turned away", statuses)
    for s in others:
        s.close()
    data = read_until(slow, lambda d: b"event: gap" in d[-200000:])
    data += read_until(slow, lambda d: b"}\n\n" in d, 2)
    told = re.search(rb'event: gap\ndata: {"dropped":(\d+)}', data)
    check(told and int(told.group(1)) > 100, "a client that did not read is told how many events it missed",
          data[-300:])
    check(told and metric("stream_dropped_total") >= int(told.group(1)), "and they are counted")
    slow.close()
    for _ in range(50):
        if metric("stream_clients") == 0:
            break
        time.sleep(0.1)
    check(metric("stream_clients") == 0, "clients that leave are noticed")
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(20) == 0, "the daemon ends well in a flood")
    plan()


sys.exit(main())
