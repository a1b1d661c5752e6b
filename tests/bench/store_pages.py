#!/usr/bin/env python3
"""Time for a page of 50 events out of ten million (EC_PAGE_EVENTS; some 0.75 kB each on disk), with and without
conditions, at the newest event, in the middle and near the oldest one: first in the engine, by bench_pages, which writes
the events with the store's writer; then over the API of a daemon that serves the same files. The segment that is written
last is open, as in a daemon that runs: it has no indices of addresses and names yet."""
import glob
import json
import os
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.environ["EC_SRC"] + "/tests/scenario")
from libtest import Local, wait_for

EVENTS = os.environ.get("EC_PAGE_EVENTS", "10000000")
PAGES = 100
HERE = os.getcwd()
ROWS = 2000000                      # of a segment
QUESTIONS = (("all", ""), ("alerts", "&event_type=alert"), ("alerts, severity 1", "&severity=1"),
             ("src_ip, 1 in 65,536", "&src_ip=10.0.77.88"), ("src_ip, 1 in 2,000,000", "&src_ip=10.9.9.9"),
             ("an hour in the middle", "&since=2026-11-22T23:00:00Z&until=2026-11-23T00:00:00Z"),
             ("text, a common word", "&q=exploit"), ("text, 1 in 500,000", "&q=needle"),
             ("no column: http.length", "&type=http&http.length=4445"))


def segments():
    """(day, number), the oldest first."""
    names = [os.path.basename(path)[7:-3].split("-") for path in glob.glob("state/store/events-*.db")]
    return sorted((int(day), int(number)) for day, number in names)


def page(c, words, cursor):
    """Items, the next cursor, whether it is partial, milliseconds."""
    begin, path = time.monotonic(), "/api/ids/alerts" if "severity" in words else "/api/events"
    c.request("GET", "%s?limit=50%s%s" % (path, words, "&cursor=" + cursor if cursor else ""))
    r = c.getresponse()
    body = r.read()
    took = (time.monotonic() - begin) * 1000
    if r.status != 200:
        sys.exit("status %d: %s" % (r.status, body[:300]))
    reply = json.loads(body)
    return len(reply["items"]), reply["next_cursor"], bool(reply.get("partial")), took


def measure(c, name, words, where, cursor):
    times, items, partial, at = [], 0, 0, cursor
    for _ in range(PAGES):
        n, after, cut, took = page(c, words, at)
        times.append(took)
        items, partial, at = items + n, partial + cut, after or cursor
    times.sort()
    print("store: API, %-28s %-8s %8.2f ms median, %8.2f ms p99, %4.1f events a page%s"
          % (name, where, statistics.median(times), times[PAGES * 99 // 100], items / PAGES,
             ", partial" if partial else ""), flush=True)


def main():
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [capture, traffic, ids, store, http]\n  state_dir: state\n"
                  "  control_socket: %s/c.sock\nhttp:\n  listen: none\n  socket: %s/a.sock\n"
                  "store:\n  keep: 0\n  keep_bytes: 0\n" % (os.environ["EC_PLUGINDIR"], HERE, HERE))
    os.makedirs("state/store", mode=0o700, exist_ok=True)
    subprocess.run([os.environ["EC_BUILD"] + "/tests/bench/bench_pages", "state/store", EVENTS, str(PAGES)], check=True)
    with open("log", "ab") as log:
        server = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml"], stdout=log, stderr=log)
    if not wait_for(lambda: os.path.exists("a.sock")):
        sys.exit("the daemon does not serve, see log")
    time.sleep(15)                  # it looks at the segments after ten seconds
    c, all_of_them = Local("a.sock", timeout=60), segments()
    for name, words in QUESTIONS:
        first = page(c, words, None)[1]
        measure(c, name, words, "newest", None)
        for where, (day, number), row in (("middle", all_of_them[len(all_of_them) // 2], ROWS // 2),
                                          ("oldest", all_of_them[0], ROWS // 10)):
            if first:               # day.number.row.hash: the hash is of the question
                measure(c, name, words, where, "%d.%d.%d.%s" % (day, number, row, first.split(".")[3]))
    server.send_signal(signal.SIGTERM)
    server.wait(60)
    print("ok")


main()
