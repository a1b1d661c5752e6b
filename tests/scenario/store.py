#!/usr/bin/env python3
"""The store in the real daemon: it holds exactly what eve.json holds; kill -9 under load, files that are damaged or
cannot be read, a disk that is full: it stays or restarts clean, keeps what it counted, and counts what it lost."""
import glob
import ipaddress
import json
import os
import resource
import signal
import sqlite3
import subprocess
import time

import libstore
from libstore import INSPECT, LOAD, ask, balanced, configuration, last_stop, log_of, stored_now
from libtest import check, plan, wait_for

NOBODY = 65534


def start(name, *args, limit=None, user=None):
    def bound():
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
    return libstore.start(name, *args, before=bound)


def segments(name):
    files = glob.glob(name + "/state/store/events-*.db")
    return sorted(files, key=lambda f: [int(x) for x in os.path.basename(f)[7:-3].split("-")])


def rows(name, sql):
    found = []
    for path in segments(name):
        db = sqlite3.connect(path)
        found += db.execute(sql).fetchall()
        db.close()
    return found


def texts(name):
    return [row[0] for row in rows(name, "SELECT text FROM json ORDER BY row")]


def eve(name):
    with open(name + "/state/eve/eve.json", encoding="utf-8") as file:
        return file.read().splitlines()


def address(blob):
    ip = ipaddress.IPv6Address(blob)
    return str(ip.ipv4_mapped or ip)


def columns_agree(name):
    """The common keys, and the columns of one record, against the JSON text beside them."""
    wrong, seen = [], 0
    for text, kind, src, dest, sport, proto, flow, cid in rows(
            name, "SELECT text,event_type,src_ip,dest_ip,src_port,proto,flow_id,community_id FROM event JOIN json USING(row)"):
        e = json.loads(text)
        mine = [kind, address(src) if src else None, address(dest) if dest else None, sport, proto, flow, cid]
        if mine != [e.get(k) for k in ("event_type", "src_ip", "dest_ip", "src_port", "proto", "flow_id", "community_id")]:
            wrong.append((mine, text))
    for text, name_, kind in rows(name, "SELECT text,rrname,type FROM t_dns JOIN json ON row=key>>8"):
        e = json.loads(text)["dns"]
        seen += 1
        if [name_, kind] != [e.get("rrname"), e.get("type")]:
            wrong.append((name_, kind, text))
    return wrong, seen


def same_as_eve():
    for capture in ("sample.pcap", "dns-types.pcap", "http-escapes.pcap", "attack-others.pcap"):
        for workers in (0, 2):
            name = "%s-%d" % (capture, workers)
            configuration(name, "capture, traffic, ids, eve, store")
            code = start(name, "-r", os.path.join(os.environ["EC_DATA"], capture), "--workers", str(workers)).wait(timeout=60)
            check(code == 0, name + ": the replay ends well", log_of(name))
            stored, lines = texts(name), eve(name)
            check(lines and sorted(stored) == sorted(lines), name + ": the same events as in eve.json",
                  (len(stored), len(lines)))
            if workers == 0:
                check(stored == lines, name + ": in the same order")
            m = last_stop(name)
            check(balanced(m) and m["events_stored"] == len(lines), name + ": counted", m)
    wrong, seen = columns_agree("dns-types.pcap-0")
    check(seen and not wrong, "columns hold what the JSON holds", wrong[:2])


def whole(name):
    """Every file is sound, and each row of `event` has its text."""
    for path in segments(name) + [name + "/state/store/documents.db"]:
        db = sqlite3.connect(path)
        if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            return path
        db.close()
    torn = rows(name, "SELECT count(*) FROM event LEFT JOIN json USING(row) WHERE text IS NULL")
    return [t for t in torn if t[0]]


def killed_under_load():
    configuration("kill", "traffic, kind_source, kind_inspector, store", LOAD + INSPECT)
    least = 0
    for turn in range(3):
        daemon = start("kill")
        counted = wait_for(lambda: (stored_now("kill") or 0) > 2000 and stored_now("kill"))
        check(counted, "kill %d: events are stored" % turn, log_of("kill")[-600:])
        time.sleep(0.2)
        counted = stored_now("kill") or counted or 0
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        least += counted
        there = sum(r[0] for r in rows("kill", "SELECT count(*) FROM json"))
        check(there >= least, "kill %d: what was counted as stored is there" % turn, (there, least))
        check(not whole("kill"), "kill %d: no file is torn" % turn, whole("kill"))
        least = there
    check("damaged" not in log_of("kill"), "no file was set aside", log_of("kill")[-600:])
    check(not glob.glob("kill/state/store/*.damaged-*"), "and none stands there")


def killed_with_documents():
    """A plugin that keeps one more document at each start: what it was told is on disk is there."""
    configuration("document", "http, kind_api, store", "http:\n  listen: none\n  socket: %s/api.sock\n"
                  % os.path.abspath("document"))
    for turn in range(1, 4):
        daemon = start("document")
        up = wait_for(lambda: ask("document", "status"))
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        db = sqlite3.connect("document/state/store/documents.db")
        kept = [json.loads(row[0]) for row in db.execute("SELECT json FROM d_notes ORDER BY id")]
        db.close()
        check(up and kept == [{"visits": 7, "text": "kept in the store"}] * turn, "documents: %d after %d kills" % (turn, turn),
              (kept, log_of("document")[-600:]))


def damaged_files():
    capture = os.path.join(os.environ["EC_DATA"], "sample.pcap")
    configuration("damage", "capture, traffic, ids, eve, store")
    start("damage", "-r", capture).wait(timeout=60)
    for path in segments("damage") + ["damage/state/store/documents.db"]:
        with open(path, "r+b") as file:
            file.write(b"\0garbage" * 64)
    code = start("damage", "-r", capture).wait(timeout=60)
    aside = glob.glob("damage/state/store/*.damaged-*Z")
    check(code == 0 and len(aside) == 2, "damaged files are set aside", (code, aside, log_of("damage")[-900:]))
    check(log_of("damage").count("set aside as") == 2, "with a sentence each", log_of("damage")[-900:])
    m = last_stop("damage")
    check(balanced(m) and len(texts("damage")) == m["events_stored"] == m["events_in"], "and all events are stored", m)


def unreadable_file():
    capture = os.path.join(os.environ["EC_DATA"], "sample.pcap")
    user = NOBODY if os.geteuid() == 0 else None
    if user and subprocess.run(["setpriv", "--reuid=%d" % user, "--clear-groups", "test", "-x", os.environ["ECYBERD"]],
                               check=False).returncode:
        check(True, "a file that cannot be opened: root opens all, and nobody may look into the build # SKIP")
        return
    configuration("unread", "capture, traffic, ids, store")
    if user:
        for path in (".", "unread"):
            os.chmod(path, 0o777)
    start("unread", "-r", capture, user=user).wait(timeout=60)
    stored = len(texts("unread"))
    path = segments("unread")[0]
    os.chmod(path, 0)
    code = start("unread", "-r", capture, user=user).wait(timeout=60)
    os.chmod(path, 0o640)
    check(code == 0 and stored and len(texts("unread")) == 2 * stored, "a file that cannot be opened: events go on in the next",
          (code, stored, len(texts("unread")), log_of("unread")[-900:]))
    check("events go on in" in log_of("unread"), "and the log says so", log_of("unread")[-900:])


def full_disk():
    configuration("full", "traffic, kind_source, kind_inspector, store", "  sources: ['synth:120000']\n" + INSPECT +
                  "store:\n  spool: 1MiB\n  spool_bytes: 0\n")
    code = start("full", limit=4 << 20).wait(timeout=60)
    m, log = last_stop("full"), log_of("full")
    check(code == 0, "full disk: the daemon ends well", log[-600:])
    check(balanced(m) and m["dropped.spool_full"] > 0, "full disk: what is lost is counted", m)
    check(log.count("events cannot be stored") == 1, "full disk: the log says so once", log[-900:])
    check(not whole("full"), "full disk: no file is torn", whole("full"))
    check(len(texts("full")) == m["events_stored"] > 0, "full disk: what was counted as stored is there", m)
    configuration("full", "traffic, kind_source, kind_inspector, store", "  sources: ['synth:1000']\n" + INSPECT)
    before = m["events_stored"]
    start("full").wait(timeout=60)
    m = last_stop("full")
    check(balanced(m) and m["events_in"] == m["events_stored"] and len(texts("full")) == before + m["events_stored"],
          "with room again, all is stored", m)


same_as_eve()
killed_under_load()
killed_with_documents()
damaged_files()
unreadable_file()
full_disk()
plan()
