#!/usr/bin/env python3
"""Bursts of more events than the bus can hold: what it drops ahead of the live stream is a gap for every client, and
what came and what is missing are what was published."""
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
#define BURST 60000                 /* far more than queue and ring hold */

struct thing { struct ec_part part; uint64_t number; struct ec_span word; };
static const struct ec_row rows[] = {
    EC_FIELD(U64, 0, struct thing, number, "number", NULL, "count"),
    EC_FIELD(TEXT, 0, struct thing, word, "word", NULL, "of 8 bytes"),
};
static const struct ec_record record = EC_RECORD_PART(struct thing, rows);
static const struct ec_topic topics[] = {
    { sizeof topics[0], EC_TOPIC_EVENT, "org.example.burst/1", "burst", &record, NULL, "many" },
    { sizeof topics[0], EC_TOPIC_EVENT, "org.example.trickle/1", "trickle", &record, NULL, "few" },
};
struct self { const struct ec_host *h; uint32_t topic[2]; uint64_t n, count; };

static void publish(struct self *s, uint32_t topic, uint32_t len)
{
    static char pad[8000];
    struct ec_build b;
    struct thing *t;

    if (s->h->open(s->h, EC_PUB_MAILBOX, topic, &b) != EC_OK)
        return;
    if ((t = ec_add(&b, topic, sizeof *t))) {
        t->number = s->count++;
        t->word = ec_put(&b, memset(pad, 'x', sizeof pad), len);
    }
    s->h->publish(s->h, &b);
}

static void tick(void *self, const void *state, uint64_t now)
{
    struct self *s = self;

    (void)state;
    (void)now;
    publish(s, s->topic[1], 8);
    for (int i = 0; s->n % 20 == 10 && i < BURST; i++)
        publish(s, s->topic[0], 8);
    s->n++;
}

static int32_t create(const struct ec_host *h, void **self)
{
    struct self *s = *self = calloc(1, sizeof *s);

    return s ? (s->h = h, EC_OK) : EC_ENOMEM;
}

static int32_t setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, 0, 50000000, tick };
    struct self *s = self;
    int32_t err = EC_OK;

    for (int i = 0; i < 2 && !err; i++)
        err = s->h->topic(s->h, &topics[i], &s->topic[i]);
    return err ? err : s->h->timer(s->h, &timer);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.example.burst", "burst", "1", "many events", "MIT", NULL, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL,
    NULL, create, setup, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
"""


def connect(target, more=""):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect("a.sock")
    s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (target.encode(), more.encode()))
    return s


def read_for(s, seconds, until=None):
    """So long; with a word, so long from when it has come, for which it waits a minute."""
    data, end = [], time.monotonic() + (60 if until else seconds)
    while time.monotonic() < end:
        more = s.recv(1 << 20)
        if not more:
            break
        data.append(more)
        if until and until in more:
            end, until = time.monotonic() + seconds, None
    return b"".join(data)


def follow(data):
    """Numbers of the plugin's own events, how many others there were, and how many are said to be missing between two."""
    numbers, others, gaps, waiting = [], 0, [], 0
    for line in re.findall(rb"^data: (\{.*\})$", data.replace(b"\r\n", b"\n"), re.M):
        event = json.loads(line)
        if "dropped" in event:
            waiting += event["dropped"]
        elif event["event_type"] in ("burst", "trickle"):
            if waiting and numbers:
                gaps.append(waiting)
            numbers.append(event[event["event_type"]]["number"])
            waiting = 0
        else:
            others += 1
    return numbers, others, gaps


def metric(name):
    with connect("/metrics", "Connection: close\r\n") as s:
        found = re.search(rb"^ecyber_http_%s (\d+)$" % name.encode(), read_for(s, 30), re.M)
    return int(found.group(1)) if found else -1


def main():
    os.mkdir("p")
    with open("x.c", "w", encoding="utf-8") as out:
        out.write(SOURCE)
    flags = {"address": ["-fsanitize=address,undefined"], "thread": ["-fsanitize=thread"]}
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-I",
                    os.environ["EC_SRC"] + "/sdk/include",
                    *flags.get(os.environ.get("EC_SANITIZER"), []), "-o", "p/burst.so", "x.c"], check=True)
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s/p]\n  plugins: [burst, http]\n  state_dir: state\n"
                  "  ring: 256\n  queue_bytes: 65536\n  queue_events: 256\n"
                  "  control_socket: %s/c.sock\nhttp:\n  listen: none\n  socket: %s/a.sock\n  stream_buffer: 64MiB\n"
                  % (os.environ["EC_PLUGINDIR"], os.getcwd(), os.getcwd(), os.getcwd()))
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml"], stdout=log, stderr=log)
    for _ in range(400):
        if os.path.exists("a.sock"):
            break
        time.sleep(0.05)
    whole, some = connect("/api/network/events/stream"), connect("/api/network/events/stream?types=trickle")
    data = read_for(whole, 4, b'"dropped":')
    numbers, others, gaps = follow(data)
    check(gaps, "what the bus dropped is a gap", data[-300:])
    missing = numbers[-1] - numbers[0] + 1 - len(numbers)
    check(numbers == sorted(set(numbers)) and missing > 0, "events are missing, the others come in their order once",
          missing)
    check(0 <= sum(gaps) - missing <= others + 20, "the gaps say how many", (sum(gaps), missing, others))
    check(sum(follow(read_for(some, 1))[2]) > 0, "also to who asked for another type")
    check(metric("stream_dropped_total") == 0, "though no client was slow")
    check(metric("stream_missed_total") >= sum(gaps), "and they are counted")
    whole.close()
    some.close()
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(20) == 0, "the daemon ends well")
    plan()


sys.exit(main())
