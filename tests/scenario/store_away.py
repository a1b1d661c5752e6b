#!/usr/bin/env python3
"""A PostgreSQL server that is away when the daemon starts, that hangs (SIGSTOP), or that vanishes behind a network that
swallows everything: the daemon starts and goes on, questions get 503 within a bound, users are known from the copy,
events are spooled, and all of them are stored, once each, when the server is back."""
import json
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from libstore import INSPECT, Postgres, balanced, configuration, last_stop, log_of, now, start, stop, stored_now
from libtest import Local, check, free_port, plan, wait_for

PLUGINS = "traffic, kind_source, kind_inspector, http, auth, ids, settings, webhooks, store"
EVENTS = 30000
PASSWORD = "a lake of one's own"
BOUND = 14                          # s: an answer is waited for 10 s, and a connection 3 s


class Hole:
    """A TCP peer between daemon and server; closed, it keeps all connections and passes nothing on."""

    def __init__(self, path):
        self.path, self.open = path, True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.held = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.held.append(client)
            if not self.open:
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.path)
            self.held.append(server)
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    def carry(self, a, b):
        try:
            while True:
                data = a.recv(65536)
                while not self.open:
                    time.sleep(0.05)
                if not data:
                    break
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def get(name, path):
    """Status and seconds."""
    c, begin = Local(os.path.abspath(name) + "/api.sock", timeout=60), time.monotonic()
    c.request("GET", path)
    r = c.getresponse()
    body = r.read()
    c.close()
    return r.status, time.monotonic() - begin, body


def log_in(port, password):
    form = urllib.parse.urlencode({"username": "admin", "password": password}).encode()
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d/api/auth/login" % port, form, timeout=60) as reply:
            return reply.status, json.load(reply)["access_token"]
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def prepared(name, port):
    configuration(name, PLUGINS, "  sources: ['synth:%d:hold']\n" % EVENTS + INSPECT +
                  "http:\n  listen: 127.0.0.1:%d\n  socket: %s/api.sock\nstore:\n  spool: 256KiB\n  spool_bytes: 2GiB\n"
                  % (port, os.path.abspath(name)))


def questions(name, what):
    """All that reads events says 503, and what needs no database answers, each within the bound."""
    slow = []
    for path in ("/api/events?limit=5", "/api/ids/alerts?limit=5", "/api/events?limit=5"):
        status, took, body = get(name, path)
        check(status == 503, "%s: %s gets 503" % (what, path), (status, body[:200]))
        slow.append(took)
    check(max(slow) < BOUND and slow[-1] < 5, what + ": within a bound", slow)
    begin = time.monotonic()
    status = get(name, "/api/system/status")[0]
    took = time.monotonic() - begin
    check(status in (200, 404) and took < 2, what + ": what needs no database answers at once", (status, took))


def first_start(server, port):
    """With the server there, so that it is known who may log in."""
    daemon = start("away", env={"DATABASE_URL": server.url()})
    check(wait_for(lambda: stored_now("away") > 1000, 40), "events are stored", log_of("away")[-900:])
    with open("away/state/auth/first-password", encoding="utf-8") as file:
        password = file.read().strip()
    status, token = log_in(port, password)
    check(status == 200, "who logs in is known", status)
    body = json.dumps({"current_password": password, "new_password": PASSWORD}).encode()
    urllib.request.urlopen(urllib.request.Request(
        "http://127.0.0.1:%d/api/auth/change-password" % port, body,
        {"Authorization": "Bearer " + token, "Content-Type": "application/json"}), timeout=60).close()
    finish(daemon, server, 0, "first")


def finish(daemon, server, before, what):
    """All events are stored, once each."""
    check(wait_for(lambda: stored_now("away") == now("away").get("events_in", -1) >= EVENTS, 40),
          what + ": all events are stored", log_of("away")[-900:])
    stop(daemon, "away")
    m = last_stop("away")
    check(balanced(m) and server.stored() - before == m["events_stored"] == m["events_in"],
          what + ": every event is stored, none twice", (server.stored() - before, m))


def away_at_start(server, port):
    before = server.stored()
    server.stop()
    begin = time.monotonic()
    daemon = start("away", env={"DATABASE_URL": server.url()})
    up = wait_for(lambda: now("away").get("spooled"))
    check(up and time.monotonic() - begin < BOUND, "away: the daemon starts without its server", log_of("away")[-900:])
    questions("away", "away")
    status, said = log_in(port, PASSWORD)
    check(status == 200, "away: who may log in is known", (status, said))
    status, said = log_in(port, "wrong")
    check(status == 401, "away: and who may not", (status, said))
    left_out = [line for line in log_of("away").splitlines() if "left out" in line]
    check(not left_out, "away: no plugin is left out", left_out)
    m = now("away")
    check(m["events_stored"] == 0 and m["spooled"] > 0, "away: events wait", m)
    server.start()
    check(wait_for(lambda: stored_now("away") > 0, 40), "away: they are stored when it is back", log_of("away")[-900:])
    check(get("away", "/api/events?limit=5")[0] == 200, "away: questions are answered again")
    check(log_in(port, PASSWORD)[0] == 200, "away: log-ins too")
    finish(daemon, server, before, "away")


def hangs(server):
    """The server's processes are stopped in the midst of it."""
    before = server.stored()
    daemon = start("away", env={"DATABASE_URL": server.url()})
    check(wait_for(lambda: stored_now("away") > 2000, 40), "hang: events are stored", log_of("away")[-900:])
    get("away", "/api/events?limit=5")
    server.signal_all(signal.SIGSTOP)
    time.sleep(0.5)
    questions("away", "hang")
    check(wait_for(lambda: now("away").get("write_errors"), BOUND + 5), "hang: the writer gives up, too", now("away"))
    m = now("away")
    check(m["spooled"] > 0 and daemon.poll() is None, "hang: events wait", m)
    server.signal_all(signal.SIGCONT)
    check(wait_for(lambda: stored_now("away") > m["events_stored"], 40), "hang: they are stored when it goes on",
          log_of("away")[-900:])
    check(wait_for(lambda: get("away", "/api/events?limit=5")[0] == 200, 10), "hang: questions are answered again")
    finish(daemon, server, before, "hang")


def swallowed(server):
    hole = Hole(server.folder + "/.s.PGSQL.5432")
    before = server.stored()
    url = "postgresql+psycopg2://ecyber:hunter2@127.0.0.1:%d/postgres?sslmode=disable" % hole.port
    daemon = start("away", env={"SQLALCHEMY_DATABASE_URL": url})
    check(wait_for(lambda: stored_now("away") > 2000, 40), "hole: events are stored over TCP", log_of("away")[-900:])
    hole.open = False
    time.sleep(0.5)
    questions("away", "hole")
    check(wait_for(lambda: now("away").get("write_errors"), BOUND + 5), "hole: the writer gives up", now("away"))
    m = now("away")
    hole.open = True
    check(wait_for(lambda: stored_now("away") > m["events_stored"], 40), "hole: they are stored when it is back",
          log_of("away")[-900:])
    finish(daemon, server, before, "hole")
    hole.listener.close()


def refused(server):
    """A server that answers and does not take us is a mistake, not an absence."""
    configuration("wrong", "kind_source, store")
    daemon = start("wrong", env={"DATABASE_URL": server.url("", "nowhere")})
    said = wait_for(lambda: 'database "nowhere" does not exist' in log_of("wrong"))
    check(said, "a database that is not there is said at the start", log_of("wrong")[-900:])
    check("hunter2" not in log_of("wrong") + log_of("away"), "the password stands in no log")
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(timeout=30)


postgres = Postgres()
try:
    postgres.start()
    api = free_port()
    prepared("away", api)
    first_start(postgres, api)
    away_at_start(postgres, api)
    hangs(postgres)
    swallowed(postgres)
    refused(postgres)
finally:
    postgres.signal_all(signal.SIGCONT)
    postgres.remove()
plan()
