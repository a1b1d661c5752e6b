#!/usr/bin/env python3
"""The daemon's namespace of Socket.IO: who may come in, what they subscribe to, what slow clients miss, and what the
store brings back."""
import json
import os
import socket
import sys
import threading
import time

from libsio import BASE, Client, Daemon, WebSocket
from libtest import check

CHOSEN = "a lake of one's own"


def log_in(d, name, password):
    return d.json("POST", "/api/auth/login", body={"username": name, "password": password})[1]["access_token"]


def people(d):
    """Tokens: of the first log-in, of the administrator, of a viewer."""
    with open(d.state + "/auth/first-password", encoding="utf-8") as f:
        first = f.read().strip()
    limited = log_in(d, "admin", first)
    d.json("POST", "/api/auth/change-password", limited, {"current_password": first, "new_password": CHOSEN})
    return limited


def wire(d):
    """Requests that are wrong, each with the protocol's code."""
    sid = Client(d).hello["sid"]
    cases = [("GET", "/socket.io/?EIO=4", 400, 0), ("GET", "/socket.io/?EIO=4&transport=flash", 400, 0),
             ("GET", BASE + "polling&sid=nobody", 400, 1), ("GET", BASE + "polling&sid=" + "x" * 500, 400, 1),
             ("POST", BASE + "polling", 400, 2), ("DELETE", BASE + "polling", 400, 2),
             ("GET", BASE + "websocket", 400, 3), ("DELETE", BASE + "polling&sid=" + sid, 400, 3),
             ("GET", "/socket.io/?EIO=3&transport=polling", 400, 5)]
    for method, path, status, code in cases:
        got = d.ask(method, path, headers={"Origin": "http://page.example"})
        check(got[0] == status and json.loads(got[1])["code"] == code and
              got[2]["Access-Control-Allow-Origin"] == "http://page.example",
              "%s %s: code %d, readable for the page" % (method, path[:60], code), got)
    got = d.ask("GET", BASE + "polling", headers={"Origin": "http://elsewhere.example"})
    check(got[0] == 403 and got[2]["Access-Control-Allow-Origin"] is None, "a page of nowhere is refused", got)
    got = d.ask("OPTIONS", BASE + "polling", headers={"Origin": "http://page.example"})
    check(got[0] == 204 and "POST" in got[2]["Access-Control-Allow-Methods"], "a preflight is answered", got)
    check("/socket.io/" not in d.json("GET", "/api/openapi.json")[1]["paths"], "it is not in the OpenAPI document")


def coming_in(d, limited, admin):
    cases = [(None, "Not authenticated"), ({"token": "nonsense"}, "Could not validate credentials"),
             ({"token": 5}, "Not authenticated"), ({"token": limited}, None)]
    for auth, message in cases:
        good, got = Client(d).connect(auth=auth)
        check(good is False and (message is None or got == {"message": message}), "without a good token: %s" % got, got)
    good, got = Client(d).connect("/nowhere", {"token": admin})
    check(good is False and got == {"message": "Invalid namespace"}, "a namespace that is none", got)
    good, got = Client(d, {"Authorization": "Bearer " + admin}).connect()
    check(good is True and list(got) == ["sid"], "with a token in the header", got)
    c = Client(d)
    good, got = c.connect(auth={"token": admin})
    check(good is True, "with a token in CONNECT", got)
    check(c.connect(auth={"token": admin})[0] is False, "not twice into the same namespace")
    return c


class Press:
    """Makes events. A session that nobody polls ends by its ping: a quiet one is made anew."""
    def __init__(self, d):
        self.d, self.c, self.at = d, None, 0

    def publish(self, count, size):
        if not self.c or time.monotonic() - self.at > 2:
            self.c = Client(self.d)
            self.c.connect("/control")
        assert self.c.call("publish", count, size, space="/control") is not None, "no events were made"
        self.at = time.monotonic()


def subscribing(d, c, admin):
    press = Press(d)
    bad = [({"topics": ["nothing"]}, "topic"), ({"topics": []}, "topics"), ({}, "topics"), ({"topics": [5]}, "topics"),
           ({"topics": ["news"], "filter": 5}, "filter"), ({"topics": ["news"], "filter": {"a": {}}}, "filter"),
           ({"topics": ["news"], "filter": {"news.nothing": 1}}, "nothing"),
           ({"topics": ["news"], "since": "soon"}, "since"),
           ({"topics": ["news"], "what": 1}, "nothing else"), (5, "object")]
    for arg, word in bad:
        got = c.call("subscribe", arg)
        check(got and got[0]["ok"] is False and word in got[0]["error"], "refused: %s" % json.dumps(arg), got)
    got = c.call("subscribe", {"topics": ["news"]})
    check(got == [{"ok": True, "topics": ["news"], "replayed": 0, "more": False}], "subscribed", got)
    press.publish(3, 10)
    got = c.events("news", 3)
    check([e["news"]["number"] for e in got] == [1, 2, 3] and all(e["event_type"] == "news" and e["id"] for e in got),
          "each event under its type's name, as EVE", got)
    got = c.call("subscribe", {"topics": ["news"], "filter": {"news.word": "even", "news.number.gt": 3}})
    press.publish(4, 10)
    got = c.events("news", 2)
    check([e["news"]["number"] for e in got] == [4, 6], "only those that the filter wants", got)
    check(c.call("unsubscribe", {"topics": ["news", "flow"]}) == [{"ok": True, "removed": 1}], "unsubscribed")
    press.publish(1, 10)
    check(c.quiet("news"), "nothing comes any more", c.packets)
    return press


def since(d, press, admin):
    """Eight are stored or on their way; more come while the replay waits."""
    c = Client(d)
    c.connect(auth={"token": admin})
    done = []
    t = threading.Thread(target=lambda: done.append(c.call("subscribe", {"topics": ["news"], "since": "1h"})))
    t.start()
    for _ in range(20):
        press.publish(5, 10)
        time.sleep(0.15)
    t.join()
    got = [e["news"]["number"] for e in c.events("news", 108)]
    check(got == list(range(1, 109)), "what is old and what is new, in order, none twice, none missing", got)
    check(done and done[0] and done[0][0]["ok"] and 8 <= done[0][0]["replayed"] <= 108,
          "and it says how many were old", done)


def across(d, press, admin):
    """Two types by turns: they come back by turns, and of too many the oldest do, without a hole."""
    for _ in range(6):
        press.publish(1, 10)
        log_in(d, "admin", CHOSEN)
    c = Client(d)
    c.connect(auth={"token": admin})
    got = c.call("subscribe", {"topics": ["news", "audit"], "since": "1h"})[0]
    events = []
    while len(events) < got["replayed"]:
        p = c.take(r'42\["(news|audit)"')
        if not p:
            break
        events.append(json.loads(p[2:])[1])
    ids = [int(e["id"]) for e in events]
    kinds = [e["event_type"] for e in events]
    turns = sum(a != b for a, b in zip(kinds, kinds[1:]))
    check(got["ok"] and not got["more"] and got["replayed"] == len(ids) and len(set(ids)) == len(ids) and
          sorted(ids) == ids and turns >= 11, "two types come back in one order of time", (got, turns, kinds))
    stored = []
    for kind in "news", "audit":
        path, cursor = "/api/events?type=%s&limit=1000" % kind, ""
        while cursor is not None:
            page = d.json("GET", path + cursor, admin)[1]
            stored += [int(e["id"]) for e in page["items"]]
            cursor = "&cursor=" + page["next_cursor"] if page.get("next_cursor") else None
    check(sorted(stored) == ids, "and none is missing", (len(stored), len(ids)))
    press.publish(200, 10)
    time.sleep(2)
    c = Client(d)
    c.connect(auth={"token": admin})
    got = c.call("subscribe", {"topics": ["audit", "news"], "since": "1h"})[0]
    first = []
    while len(first) < got["replayed"]:
        first.append(int(json.loads(c.take(r'42\["(news|audit)"')[2:])[1]["id"]))
    check(got["more"] and got["replayed"] == 200 and first[:len(ids)] == ids and sorted(first) == first,
          "of more than socketio.replay the oldest of all types, and it says that there are more", (got, len(ids)))


def slow(d, press, admin):
    """One reads, one does not: both know what they miss."""
    good, bad = Client(d), Client(d)
    for c in good, bad:
        c.connect(auth={"token": admin})
        c.call("subscribe", {"topics": ["news"]})
    seen, told = [], []

    def read():
        while sum(told) + len(seen) < 3000:
            if not good.poll():
                break
            for p in good.packets:
                arg = json.loads(p[2:])
                (seen if arg[0] == "news" else told).append(arg[1]["dropped"] if arg[0] == "gap" else arg[1])
            good.packets.clear()
    t = threading.Thread(target=read)
    t.start()
    for _ in range(300):
        press.publish(10, 400)
    t.join(20)
    check(not t.is_alive() and len(seen) + sum(told) == 3000, "who reads gets every event, or is told",
          (len(seen), sum(told)))
    numbers, lost = [], 0
    end = time.time() + 15
    while time.time() < end and len(numbers) + lost < 3000:
        if not bad.poll():
            break
        for p in bad.packets:
            arg = json.loads(p[2:])
            if arg[0] == "gap":
                lost += arg[1]["dropped"]
            else:
                numbers.append(arg[1]["news"]["number"])
        bad.packets.clear()
    check(0 < lost < 3000 and len(numbers) + lost == 3000, "who does not read is told how many are missing",
          (len(numbers), lost))
    check(numbers == sorted(numbers) and bad.most <= 16, "in order, at most 16 packets in a reply", bad.most)


def asking(d, admin):
    c = Client(d)
    c.connect(auth={"token": admin})
    c.emit("start_sniffing", {"sniffingInterface": "lo"})
    got = c.event("sniffing_error")
    check(got and "capture.on_demand" in got["error"], "sniffing names the option that it needs", got)
    c.emit("request_daily_summary")
    got = c.event("daily_summary")
    check(got and got["network24h"] == {"sent_mb": 0, "recv_mb": 0} and
          got["threatSummary"]["counts"] == {"critical": 0, "warning": 0, "info": 0} and
          got["threatSummary"]["details"] == {"critical": [], "warning": [], "info": []}, "the day's summary", got)


def stuck(d, admin):
    """A WebSocket whose client reads nothing goes within http.write_timeout; a mute one by the ping."""
    w = WebSocket(d)
    check(w.head.startswith(b"HTTP/1.1 101") and b"Sec-WebSocket-Accept" in w.head, "a WebSocket opens", w.head)
    hello = w.read()
    check(b'"upgrades":[]' in hello[1], "without an upgrade to come", hello)
    w.send("40" + json.dumps({"token": admin}))
    check(w.read()[1].startswith(b"40{"), "it connects")
    w.send('420["subscribe",{"topics":["news"]}]')
    check(w.read()[1].startswith(b'430[{"ok":true'), "it subscribes")
    w.frame(9, b"hello")
    check(w.read() == (10, b"hello"), "its ping has its pong")
    mute = WebSocket(d)
    mute.read()
    press = Press(d)
    w.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    before = d.metric("http_closed_stuck")
    for _ in range(12):             # more than the kernel's buffers and its own take
        press.publish(500, 4000)
    end = time.time() + 15
    while time.time() < end and d.metric("http_closed_stuck") == before:
        press.publish(50, 4000)
        time.sleep(0.2)
    check(d.metric("http_closed_stuck") == before + 1, "who takes nothing is closed",
          {n: d.metric(n) for n in ("http_closed_stuck", "socketio_timeouts", "socketio_dropped", "socketio_missed",
                                    "socketio_events", "socketio_sessions")})
    packets = [mute.read() for _ in range(3)]
    check((1, b"2") in packets and packets[-1][0] == 8, "who answers no ping is closed", packets)
    w.close()
    mute.close()
    for payload in b"\xff\xfe", b"9", b"4abc":
        w = WebSocket(d)
        w.read()
        w.frame(1, payload)
        check(w.read()[0] == 8, "what is no packet ends the session: %r" % payload)
        w.close()
    w = WebSocket(d)
    w.read()
    w.send("4" + "x" * 20000)
    check(w.read()[0] == 8, "a stranger may not send 20 KB")
    w.close()


def large(d, admin):
    """A POST of more than 16 KiB, without a token in its header: only from who has connected."""
    post = "420" + json.dumps(["subscribe", {"topics": ["x" * 900000]}])
    stranger = Client(d)
    got = stranger.send("4" + "x" * 20000)
    check(got[0] == 401, "a POST of 20 KB from a stranger is refused", got)
    got = d.ask("POST", BASE + "polling&sid=nobody", "x" * 20000)
    check(got[0] == 401, "and one to no session", got)
    got = d.ask("POST", BASE + "polling&sid=" + "x" * 2000, "x" * 20000)
    check(got[0] == 401, "and one to a session with a long name", got)
    c = Client(d)
    c.connect(auth={"token": admin})
    got = c.send(post)
    check(got[:2] == (200, b"ok"), "900 KB of who has connected are taken", got)
    check(c.take(r"430\[") == '430[{"ok":false,"error":"there is no such topic"}]', "and answered")
    got = c.send("4" + "x" * 1000000)
    check(got[0] == 413, "more than max_payload is too large", got)
    check(c.call("unsubscribe", {"topics": ["news"]}) == [{"ok": True, "removed": 0}], "and the session goes on")
    for other in ("/socket.io/?EIO=4&transport=websocket&sid=", "/api/auth/login?EIO=4&transport=polling&sid="):
        got = d.ask("POST", other + c.hello["sid"], "x" * 20000)
        check(got[0] == 401, "nothing else is taken with its id: " + other, got)


def telemetry(d, admin):
    """The predecessor's page of the host: to who follows `system`, and to nobody else."""
    c, other = Client(d), Client(d)
    c.connect(auth={"token": admin})
    other.connect(auth={"token": admin})
    check(other.call("subscribe", {"topics": ["news"]})[0]["ok"], "one follows something else")
    check(c.call("subscribe", {"topics": ["system"]})[0]["ok"], "one follows the host")
    got = [c.event("system_telemetry") for _ in range(2)]
    one = got[1] or {}
    check([t["title"] for t in one.get("systemOverview", [])] ==
          ["CPU Usage", "Memory Usage", "Disk Usage", "Network", "System Uptime"], "system_telemetry has the tiles",
          got)
    with open("/proc/meminfo", encoding="utf-8") as f:
        total = int(f.readline().split()[1]) * 1024
    check(one["memoryDetails"]["total"] == total and 0 < one["memoryDetails"]["percent"] < 100, "memory as /proc says",
          one["memoryDetails"])
    check(one["cpuDetails"]["cores"]["logical"] == len(os.sched_getaffinity(0)) or
          one["cpuDetails"]["cores"]["logical"] == os.cpu_count(), "the cores", one["cpuDetails"])
    check(one["processes"] and all(p["pid"] and p["name"] and p["status"] for p in one["processes"]), "processes",
          one["processes"])
    check(any(i["name"] == "lo" and i["is_up"] for i in one["networkInterfaces"]), "interfaces",
          one["networkInterfaces"])
    times = [[p["timestamp"] for p in e["cpuHistory"]] for e in got]
    check(times[1][-2:][0] == times[0][-1] and times[1] == sorted(times[1]) and
          len(one["diskIO"]["read"]) == len(one["diskIO"]["timestamps"]) == len(times[1]), "histories grow", times)
    check(other.quiet("system_telemetry"), "and who follows something else has none")


def revoked(d, admin):
    """Who may not any more is sent away."""
    code, user = d.json("POST", "/api/users", admin, {"username": "vera", "password": "tree house 7 oak",
                                                      "email": "vera@example.org", "roles": ["viewer"],
                                                      "must_change": False})
    check(code in (200, 201), "a viewer", user)
    vera = log_in(d, "vera", "tree house 7 oak")
    c = Client(d)
    check(c.connect(auth={"token": vera})[0] is True, "may come in")
    got = c.call("subscribe", {"topics": ["audit"]})
    check(got and not got[0]["ok"] and "permission" in got[0]["error"], "not for the audit", got)
    got = c.call("subscribe", {"topics": "*"})
    check(got and got[0]["ok"] and "news" in got[0]["topics"] and "audit" not in got[0]["topics"], "all but that", got)
    c.emit("start_sniffing", {})
    got = c.event("sniffing_error")
    check(got and "operator" in got["error"], "and no capture", got)
    code, got = d.json("PATCH", "/api/users/%s" % user["id"], admin, {"is_active": False})
    check(code < 300, "disabled", got)
    check(c.take("41", 20) == "41", "and disconnected")


d = Daemon(["store", "http", "auth", "socketio", "sysmon", "tp_news"], "  write_timeout: 2s\n",
           "socketio:\n  buffer: 128KiB\n  ping_interval: 3s\n  ping_timeout: 6s\n  replay: 200\n"
           "  origins: [\"http://page.example\"]\n")
limited = people(d)
admin = log_in(d, "admin", CHOSEN)
wire(d)
c = coming_in(d, limited, admin)
press = subscribing(d, c, admin)
since(d, press, admin)
across(d, press, admin)
slow(d, press, admin)
asking(d, admin)
stuck(d, admin)
large(d, admin)
telemetry(d, admin)
revoked(d, admin)
check(d.stop() == 0, "the daemon ends well, with clients connected")
sys.exit(0)
