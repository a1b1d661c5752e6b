#!/usr/bin/env python3
"""Time for a page of 50 events out of ten million (EC_PAGE_EVENTS), at every depth, through the API: the store's own
file of a replay, whose events are multiplied by SQL, is walked with cursors from the newest to the oldest; at every
tenth of the way 40 pages of 50 are timed."""
import glob
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.environ["EC_SRC"] + "/tests/scenario")
from libtest import Local, wait_for

EVENTS = int(os.environ.get("EC_PAGE_EVENTS", "10000000"))
HERE = os.getcwd()


def daemon(*args):
    return subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml", *args], stdout=open("log", "ab"),
                            stderr=subprocess.STDOUT)


def columns(db, table, change):
    return ",".join(change.get(row[1], '"%s"' % row[1]) for row in db.execute('PRAGMA table_info("%s")' % table))


def multiply(path):
    """Rows are in the order of arrival; a row of batch says which times its rows have."""
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000")
    rows, span, ids = db.execute("SELECT max(row), max(ts) - min(ts) + 1, max(id) - min(id) + 1 FROM event").fetchone()
    tables = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 't_*'")]
    base = {"event": {"row": "row+?1", "id": "id+?2", "ts": "ts+?3"}, "json": {"row": "row+?1"},
            "batch": {"row": "row+?1", "last": "last+?1", "ts_min": "ts_min+?3", "ts_max": "ts_max+?3"}}
    base.update({table: {"key": "key+(?1<<8)"} for table in tables})
    ends = {"event": "row<=%d" % rows, "json": "row<=%d" % rows, "batch": "row<=%d" % rows}
    for k in range(1, EVENTS // rows + 1):
        for table, change in base.items():
            values = {"1": k * rows, "2": k * ids, "3": k * span}
            sql = 'INSERT INTO "%s" SELECT %s FROM "%s" WHERE %s' % (
                table, columns(db, table, change), table, ends.get(table, "key>>8<=%d" % rows))
            db.execute(sql, tuple(values[n] for n in "123"[:3 if "?3" in sql else 1]))
        if k % 100 == 0:
            db.commit()
    db.commit()
    total = db.execute("SELECT max(row) FROM event").fetchone()[0]
    db.close()
    return total


def page(c, limit, cursor):
    """Items, the next cursor, seconds."""
    begin = time.monotonic()
    c.request("GET", "/api/events?limit=%d%s" % (limit, "&cursor=" + cursor if cursor else ""))
    r = c.getresponse()
    body = r.read()
    took = time.monotonic() - begin
    if r.status != 200:
        sys.exit("status %d: %s" % (r.status, body[:300]))
    reply = json.loads(body)
    return len(reply["items"]), reply["next_cursor"], took


def main():
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [capture, traffic, ids, store, http]\n  state_dir: state\n"
                  "  control_socket: %s/c.sock\nhttp:\n  listen: none\n  socket: %s/a.sock\nids:\n"
                  "  rule_files: [%s/etc/rules/ecyber.rules]\nstore:\n  keep_bytes: 100GiB\n"
                  % (os.environ["EC_PLUGINDIR"], HERE, HERE, os.environ["EC_SRC"]))
    if daemon("-r", os.environ["EC_DATA"] + "/sample.pcap").wait(60):
        sys.exit("the replay failed, see log")
    total = multiply(max(glob.glob("state/store/events-*.db")))
    server = daemon()
    if not wait_for(lambda: os.path.exists("a.sock")):
        sys.exit("the daemon does not serve, see log")
    c, cursor, seen, due, worst = Local("a.sock", timeout=60), None, 0, 0, 0
    while True:
        if seen >= due:
            times = []
            for _ in range(40):
                n, after, took = page(c, 50, cursor)
                times.append(took * 1000)
                if after:
                    cursor, seen = after, seen + n
            print("store: a page of 50 of %d events, %d events deep: %.1f ms (median of 40, slowest %.1f)"
                  % (total, seen, statistics.median(times), max(times)), flush=True)
            worst, due = max(worst, statistics.median(times)), due + total // 10
        n, cursor, took = page(c, 1000, cursor)
        seen += n
        if not cursor:
            break
    print("store: %d of %d events were seen; slowest median %.1f ms" % (seen, total, worst))
    server.send_signal(signal.SIGTERM)
    server.wait(30)
    if seen < total:
        sys.exit("events are missing")
    print("ok")


main()
