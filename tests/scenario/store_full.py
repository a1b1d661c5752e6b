#!/usr/bin/env python3
"""A full disk under load, on both databases: SQLite with all of the state folder on a small tmpfs, PostgreSQL with its
data there, and PostgreSQL with its journal there. What the API acknowledged is there afterwards, what cannot be kept is
refused with 503, each event is stored, spooled or counted as lost, the health says so, a start on the full disk is
clean, and with room again all goes on. Needs root, for a mount namespace."""
import glob
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from libstore import LOAD, Postgres, balanced, configuration, last_stop, log_of, now, start, stop, stored_now
from libtest import Local, check, plan, skip, wait_for

PLUGINS = "traffic, kind_source, kind_inspector, http, auth, ids, settings, webhooks, sysmon, store"
RULE = 'alert udp any any -> any any (msg:"x"; threshold: type limit, track by_rule, count 5, seconds 3600; sid:1;)\n'
ALL = {"setting", "alert", "users", "webhooks", "suppressions"}
HASH = "$2b$04$abcdefghijklmnopqrstuuM6dG9VQSgBaWrzQlbVHBvWvFzqPRdEe"


class Api:
    """One daemon's changes: what was acknowledged of each kind, and how often it was refused."""

    def __init__(self, name):
        self.sock = os.path.abspath(name) + "/a.sock"
        self.number = 0
        self.one = {}                           # a value that is changed: what the last answer with 2xx made it
        self.many = {k: set() for k in ("users", "webhooks", "suppressions")}
        self.refused = {}                       # what was not acknowledged
        self.answers = {}                       # kind: statuses since the last clear()
        self.alert = None                       # the path of one

    def ask(self, method, path, body=None, timeout=30):
        c = Local(self.sock, timeout)
        try:
            c.request(method, path, None if body is None else json.dumps(body),
                      {} if body is None else {"Content-Type": "application/json"})
            r = c.getresponse()
            raw = r.read()
            return r.status, json.loads(raw) if raw[:1] in (b"{", b"[") else raw
        except OSError as error:
            return 0, str(error)
        finally:
            c.close()

    def look_for_alert(self):
        found = wait_for(lambda: (self.ask("GET", "/api/ids/alerts?limit=1")[1] or {}).get("items"), 20)
        self.alert = "/api/ids/alerts/" + found[0]["id"] if found else None

    def turn(self):
        """One change of each kind."""
        self.number += 1
        n, word = self.number, "n%d" % self.number
        for kind, method, path, body in (
                ("setting", "PUT", "/api/settings/system_name", {"value": word}),
                ("alert", "PATCH", self.alert, {"note": word + "x" * 900}),
                ("users", "POST", "/api/users", {"username": word, "password_hash": HASH, "roles": ["viewer"]}),
                ("webhooks", "POST", "/api/webhooks",
                 {"name": word, "url": "https://127.0.0.1:9/x", "events": ["audit"], "active": False}),
                ("suppressions", "POST", "/api/rules/suppressions", {"gid": 1, "sid": 100000 + n})):
            status, said = self.ask(method, path, body)
            good = 200 <= status < 300
            self.answers.setdefault(kind, []).append((status, said if not good else ""))
            key = body.get("sid") or body.get("name") or body.get("username") or body.get("value") or body["note"]
            if not good:
                self.refused.setdefault(kind, set()).add(key)
            elif kind in self.many:
                self.many[kind].add(key)
            else:
                self.one[kind] = key

    def statuses(self, kind):
        return {s for s, _ in self.answers.get(kind, [])}

    def pages(self, path):
        items, cursor = [], ""
        while cursor is not None:
            status, page = self.ask("GET", path + cursor)
            if status != 200:
                return [{"error": (status, page)}]
            items += page["items"]
            cursor = "&cursor=" + page["next_cursor"] if page.get("next_cursor") else None
        return items

    def kept(self):
        """What the daemon has of all that, in the same form."""
        return ({"setting": self.ask("GET", "/api/settings")[1]["system_name"]["value"],
                 "alert": self.ask("GET", self.alert)[1].get("state_note", "the database is away")},
                {"users": {u.get("username") for u in self.pages("/api/users?limit=100")} - {"admin"},
                 "webhooks": {w.get("name") for w in self.pages("/api/webhooks")},
                 "suppressions": {s.get("sid") for s in self.pages("/api/rules/suppressions?limit=100")}})

    def agrees(self, base, what):
        one, many = self.kept()
        extra = dict(self.refused) if base.unsure else {}
        extra["alert"] = extra.get("alert", set()) | (set() if base.sound or not base.small.full else
                                                      {"the database is away"})
        wrong = [(k, one[k], self.one.get(k)) for k in one if one[k] not in {self.one.get(k)} | extra.get(k, set())]
        wrong += [(k, self.many[k] - many[k], many[k] - self.many[k]) for k in many
                  if not self.many[k] <= many[k] <= self.many[k] | extra.get(k, set())]
        check(not wrong, "%s: %s: what was acknowledged is there, and nothing else" % (base.name, what),
              (wrong, log_of(base.name)[-900:]))


class Small:
    """A small file system, and a file that takes all its room, and takes it again whenever some is given back."""

    def __init__(self, path, megabytes):
        self.path, self.filler, self.thread, self.full = path, path + "/filler", None, False
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % megabytes, "tmpfs", path], check=True)

    def fill(self):
        self.full = True
        self.thread = threading.Thread(target=self.keep_full, daemon=True)
        self.thread.start()

    def keep_full(self):
        zeros = b"\0" * 65536
        fd = os.open(self.filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        while self.full:
            try:
                os.write(fd, zeros)
            except OSError:
                time.sleep(0.02)
        os.close(fd)

    def clear(self):
        self.full = False
        self.thread.join()
        os.unlink(self.filler)

    def away(self):
        self.full = False
        subprocess.run(["umount", "-l", self.path], check=True)


def health(api):
    """What it says is failed."""
    status, said = api.ask("GET", "/api/system/health")
    if status != 200:
        return {"?": (status, said)}
    return {c["name"]: c["sentence"] for c in said["checks"] if c["status"] == "failed"}


def configured(name):
    here = os.path.abspath(name)
    configuration(name, PLUGINS, LOAD.replace("']", ":3000']") + "kind_inspector:\n  every_packet: true\n"
                  "http:\n  listen: none\n  socket: %s/a.sock\nids:\n  rule_files: [%s/x.rules]\n"
                  "store:\n  spool: 256KiB\n  spool_bytes: 512KiB\n  segment_rows: 5000\n  keep_bytes: 0\n"
                  % (here, here))
    with open(name + "/x.rules", "w", encoding="utf-8") as file:
        file.write(RULE)


def until_full(base, api):
    """Changes go on until each kind that cannot be kept was refused."""
    name, refused = base.name, base.refused
    api.answers.clear()
    wait_for(lambda: api.turn() or all(503 in api.statuses(k) for k in refused), 20)
    for kind, answers in api.answers.items():
        good = api.statuses(kind) <= {200, 201, 503} and (kind not in refused or 503 in api.statuses(kind))
        check(good, "%s: full: %s: acknowledged, or refused with 503" % (name, kind), answers)
    lost = wait_for(lambda: now(name).get("dropped.spool_full"), 20)
    check(lost and balanced(now(name)), name + ": full: each event is stored, spooled, or counted as lost", now(name))
    said = wait_for(lambda: base.finding in health(api) and health(api), 5)
    check(said, name + ": full: the health says so", health(api))
    status, page = api.ask("GET", "/api/events?limit=50")
    good = (status, len(page.get("items", ()))) == (200, 50)
    check(good if base.sound else status in (200, 503),
          name + ": full: what is stored can be read, or is 503", (status, page, log_of(name)[-1500:]))
    check("events cannot be stored" in log_of(name), name + ": full: the log says so", log_of(name)[-900:])


def goes_on(name, api, stored):
    """With room again: changes of each kind are kept, and events."""
    def all_kept():
        api.answers.clear()
        api.turn()
        return all(api.statuses(k) <= {200, 201} for k in api.answers)
    check(wait_for(all_kept, 20), name + ": room again: changes are kept", api.answers)
    check(wait_for(lambda: stored_now(name) > stored + 2000, 20), name + ": room again: events are stored",
          (stored, now(name), log_of(name)[-900:]))
    check(wait_for(lambda: not health(api), 5), name + ": room again: the health is good", health(api))


def full(base):
    name, api, small = base.name, Api(base.name), base.small
    configured(name)
    base.serves(api)
    api.look_for_alert()
    check(api.alert and wait_for(lambda: stored_now(name) > 1000), name + ": events are stored", log_of(name)[-900:])
    api.turn()
    check(all(api.statuses(k) <= {200, 201} for k in api.answers), name + ": changes are kept", api.answers)

    small.fill()
    until_full(base, api)
    stored = stored_now(name)
    small.clear()
    base.revive()
    goes_on(name, api, stored)
    api.agrees(base, "room again")

    small.fill()
    until_full(base, api)
    stored = stored_now(name)
    base.daemon.send_signal(signal.SIGKILL)
    base.daemon.wait()
    base.serves(api)
    api.agrees(base, "a start on the full disk")
    small.clear()
    base.revive()
    check(base.rows() >= stored, name + ": what was counted as stored is there after kill -9", (base.rows(), stored))
    goes_on(name, api, stored_now(name))
    stop(base.daemon, name)
    check(balanced(last_stop(name)), name + ": counted at the end", last_stop(name))
    there = base.rows()
    base.serves(api)
    api.agrees(base, "a start with room")
    stop(base.daemon, name)
    m = last_stop(name)
    check(balanced(m) and base.rows() == there + m["events_stored"], name + ": and the events are exact",
          (there, base.rows(), m))


class Base:
    """One database on a file system that fills up under load. refused: kinds of changes that it cannot keep then;
    finding: what the health names; unsure: what was refused may be there; sound: events can be read meanwhile;
    revive(): what an administrator does when there is room again; rows(): events that are stored."""
    daemon = None

    def __init__(self, name, url):
        self.name, self.url = name, url

    def serves(self, api):
        self.daemon = start(self.name, env={"DATABASE_URL": self.url})
        check(wait_for(lambda: api.ask("GET", "/readyz")[0] == 200, 30), self.name + ": the daemon serves",
              log_of(self.name)[-1500:])


class Lite(Base):
    refused, finding, unsure, sound = ALL, "disk", False, True

    def __init__(self):
        super().__init__("lite", "")
        self.small = Small(os.path.abspath("lite/state"), 96)

    def revive(self):
        pass

    def rows(self):
        """Of a daemon that has ended in a copy, for the disk may be full again."""
        folder, n = "lite/state/store", 0
        if self.daemon.poll() is not None:
            shutil.rmtree("copied", ignore_errors=True)
            folder = shutil.copytree(folder, "copied")
        for path in sorted(glob.glob(folder + "/*.db")):
            db = sqlite3.connect(path)
            if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                check(False, path + " is sound")
            made = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'json'").fetchone()[0]
            if "events-" in path and made:      # a kill may come between a file and its tables
                n += db.execute("SELECT count(*) FROM json").fetchone()[0]
            db.close()
        return n

    def away(self):
        self.small.away()


class Pg(Base):
    """A server whose data, or whose journal, is on the small file system."""
    unsure, sound = True, False
    finding = "trouble.store"

    def __init__(self, name, journal):
        self.folder = tempfile.mkdtemp(prefix="ecyber-full-", dir="/tmp")       # the server's user may look into it
        os.chmod(self.folder, 0o755)
        self.small = Small(self.folder + "/small", 24 if journal else 128)
        self.server, self.journal = None, journal
        # Without room the server may stop itself; what it was about to answer may be there, or not.
        self.refused = ALL - {"suppressions"} if journal else {"users", "webhooks"}
        paths = [self.small.path + "/files", self.folder + "/other"]
        for path in paths:
            os.mkdir(path)
            shutil.chown(path, "postgres")
        small, other = paths
        data, wal = (other, small) if journal else (small, other)
        self.server = Postgres(data, "--waldir=" + wal, "--wal-segsize=1")
        self.revive()
        super().__init__(name, self.server.url())

    def revive(self):
        if not self.server.answers():
            self.server.kill()
            self.server.start("-c", "min_wal_size=2MB", "-c", "max_wal_size=8MB")

    def rows(self):
        return self.server.stored()

    def away(self):
        if self.server:
            self.server.kill()
            self.server.remove()
        self.small.away()
        shutil.rmtree(self.folder)


def main():
    for make in (Lite, lambda: Pg("pg-data", False), lambda: Pg("pg-wal", True)):
        base = make()
        try:
            full(base)
        finally:
            if base.daemon:
                base.daemon.kill()
                base.daemon.wait()
            base.away()


if len(sys.argv) < 2:
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        skip("a full disk", "needs root and a mount namespace of its own")
        plan()
        sys.exit(0)
    os.execvp("unshare", ["unshare", "-m", sys.executable, os.path.abspath(__file__), "inside"])
main()
plan()
