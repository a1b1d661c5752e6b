#!/usr/bin/env python3
"""The stream of events after an interruption: by its Last-Event-ID a client has from the store what it missed, in
order, none twice and none missing, while more events come; of too many the newest, and a gap that says how many are
older."""
import json
import socket
import sys
import time

from libsio import Client, Daemon
from libtest import check, plan

CHOSEN = "a lake of one's own"


def log_in(d, name, password):
    return d.json("POST", "/api/auth/login", body={"username": name, "password": password})[1]["access_token"]


class Stream:
    """Server-sent events as a browser reads them: (event, id, data)."""
    def __init__(self, d, token, query="", last=None):
        self.s = socket.create_connection(("127.0.0.1", d.port), 10)
        self.s.sendall(("GET /api/network/events/stream%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n"
                        % (query, token, "Last-Event-ID: %s\r\n" % last if last is not None else "")).encode())
        self.file = self.s.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.body = b""
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def line(self):
        """Without the framing of chunked; None at the end, or after ten seconds of silence."""
        while b"\n" not in self.body:
            try:
                size = int(self.file.readline() or b"0", 16)
            except (OSError, ValueError):
                return None
            if not size:
                return None
            self.body += self.file.read(size)
            self.file.readline()
        line, _, self.body = self.body.partition(b"\n")
        return line.decode()

    def take(self, n):
        got, now = [], {}
        while len(got) < n:
            line = self.line()
            if line is None:
                break
            if line and not line.startswith(":"):
                key, _, value = line.partition(": ")
                now[key] = value
            elif now:
                got.append((now["event"], int(now.get("id", 0)), json.loads(now["data"])))
                now = {}
        return got

    def close(self):
        self.file.close()
        self.s.close()


def numbers(events):
    return [e[2]["news"]["number"] for e in events if e[0] == "news"]


def back(d, token, press):
    """Three seen, five missed, and more while it catches up."""
    s = Stream(d, token, "?types=news")
    press.call("publish", 3, 10, space="/control")
    seen = s.take(3)
    s.close()
    check(numbers(seen) == [1, 2, 3] and all(str(e[1]) == e[2]["id"] for e in seen), "three live events, with ids",
          seen)
    press.call("publish", 5, 10, space="/control")
    s = Stream(d, token, "?types=news", seen[-1][1])
    for _ in range(30):
        press.call("publish", 4, 10, space="/control")
        time.sleep(0.1)
    got = s.take(125)
    check(numbers(got) == list(range(4, 129)), "what was missed, then what came, in order, none twice, none missing",
          numbers(got))
    check(all(e[0] == "news" and str(e[1]) == e[2]["id"] and e[2]["event_type"] == "news" for e in got),
          "old ones look as live ones do", got[:2])
    press.call("publish", 1, 10, space="/control")
    check(numbers(s.take(1)) == [129], "and it goes on live")
    s.close()
    return got[-1][1]


def kinds(d, admin, vera, last):
    """All types, and only those that who asks may read; a type that was not there."""
    s = Stream(d, admin, "", last)
    kinds_seen = {e[0] for e in s.take(2)}
    s.close()
    check("audit" in kinds_seen or "news" in kinds_seen, "without types every one comes back", kinds_seen)
    log_in(d, "admin", CHOSEN)
    s = Stream(d, vera, "", 1)
    got = s.take(129)
    s.close()
    check(numbers(got) == list(range(1, 130)) and all(e[0] != "audit" for e in got), "a viewer gets no audit",
          numbers(got))
    s = Stream(d, admin, "?types=news,audit", 1)
    got = s.take(131)
    s.close()
    check([e[1] for e in got] == sorted({e[1] for e in got}) and {e[0] for e in got} == {"news", "audit"},
          "two types in one order", [e[:2] for e in got][:5])


def too_many(d, token, press, last):
    """The last one of before and 200 of 4 KB do not fit into half of 256 KiB."""
    for _ in range(4):
        press.call("publish", 50, 4000, space="/control")
    s = Stream(d, token, "?types=news", last)
    got = s.take(2)
    check(got[0][0] == "gap" and 100 < got[0][2]["dropped"] < 201, "a gap stands in front", got[0])
    rest = numbers(got) + numbers(s.take(200 - got[0][2]["dropped"]))
    check(rest == list(range(129 + got[0][2]["dropped"], 330)), "it says how many are older than the rest",
          (got[0], rest))
    s.close()


def bad(d, token):
    for last in "soon", "-1", "1" * 20, "1e5", "0x10":
        s = Stream(d, token, "", last)
        check(s.status == 422, "refused: Last-Event-ID %s" % last, s.status)
        s.close()
    s = Stream(d, token, "?types=news", 9223372036854775807)
    check(s.status == 200, "an id of the future is none that is known: nothing comes back")
    s.close()
    for _ in range(20):             # leaving while it is read
        Stream(d, token, "", 1).close()


d = Daemon(["store", "http", "auth", "socketio", "tp_news"], "  stream_buffer: 256KiB\n  streams_per_user: 64\n", "")
with open(d.state + "/auth/first-password", encoding="utf-8") as f:
    first = f.read().strip()
d.json("POST", "/api/auth/change-password", log_in(d, "admin", first),
       {"current_password": first, "new_password": CHOSEN})
admin = log_in(d, "admin", CHOSEN)
d.json("POST", "/api/users", admin, {"username": "vera", "password": "tree house 7 oak", "email": "vera@example.org",
                                     "roles": ["viewer"], "must_change": False})
vera = log_in(d, "vera", "tree house 7 oak")
press = Client(d)
press.connect("/control")
last = back(d, vera, press)
kinds(d, admin, vera, last)
too_many(d, vera, press, last)
bad(d, vera)
for _ in range(100):
    if d.metric("stream_clients") == 0:
        break
    time.sleep(0.1)
check(d.metric("stream_clients") == 0, "clients that left are gone")
s = Stream(d, vera, "?types=news", last)
check(d.stop() == 0, "the daemon ends well while one catches up")
s.close()

d = Daemon(["http"], "", "")
link = socket.socket(socket.AF_UNIX)
link.settimeout(10)
link.connect("api.sock")
link.sendall(b"GET /api/network/events/stream HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 5\r\n\r\n")
got = b""
while b"ec.store/1" not in got:
    more = link.recv(4096)
    if not more:
        break
    got += more
check(b'event: gap\ndata: {"dropped":0,"error":"no plugin' in got,
      "without a store a gap says why nothing comes back", got)
link.close()
check(d.stop() == 0, "the daemon ends well")
plan()
