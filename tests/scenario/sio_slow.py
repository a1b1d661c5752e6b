#!/usr/bin/env python3
# alone: a thousand connections
"""A thousand clients of Socket.IO that read nothing: 500 poll no more, 500 have a WebSocket. Good ones have every event
and are answered; each slow one loses events for itself alone, and is told how many; afterwards the daemon has the
descriptors and, within 5 MB, the memory that it had before."""
import collections
import concurrent.futures
import json
import os
import re
import resource
import threading
import time

from libsio import Client, Daemon, WebSocket
from libtest import check, holds, plan, wait_for

CHOSEN = "a lake of one's own"
CROWD, BURSTS, BURST, BYTES = 500, 40, 10, 3000
TOTAL = BURSTS * BURST
MEGA = 1 << 20
SUBSCRIBE = '420["subscribe",{"topics":["news"]}]'


def number(packet):
    found = re.search(r'"number":(\d+)', packet)
    return int(found.group(1)) if found else None


class Good(threading.Thread):
    """Reads all the while."""
    def __init__(self, d, token, count):
        super().__init__()
        self.c = Client(d)
        self.c.connect(auth={"token": token})
        self.c.call("subscribe", {"topics": ["news"]})
        self.count, self.got, self.gaps = count, [], []
        self.daemon = True

    def run(self):
        while len(self.got) < self.count and not self.gaps:
            p = self.c.take(r'42\["(news|gap)"', 20)
            if p is None:
                break
            if p.startswith('42["gap"'):
                self.gaps.append(p)
            else:
                self.got.append(number(p))


def pollers(d, token, n):
    """They subscribe, and do not ask for what comes."""
    found = []
    for _ in range(n):
        c = Client(d)
        c.send("40" + json.dumps({"token": token}), SUBSCRIBE)
        if c.take(r'430\[\{"ok":true'):
            found.append(c)
    return found


def sockets(d, token, n):
    found = []
    for _ in range(n):
        w = WebSocket(d)
        w.send("40" + json.dumps({"token": token}))
        w.send(SUBSCRIBE)
        for _ in range(3):          # the handshake, 40, 43
            last = w.read()
        if last[1].startswith(b'430[{"ok":true'):
            found.append(w)
    return found


def account(packets):
    """What came as events, and how many the gaps say are missing: both together are all."""
    got = [number(p) for p in packets if p.startswith('42["news"')]
    dropped = sum(json.loads(p[2:])[1]["dropped"] for p in packets if p.startswith('42["gap"'))
    return got == sorted(set(got)), len(got), dropped


def drain_poller(c):
    end = time.time() + 20
    while time.time() < end and sum(account(c.packets)[1:]) < TOTAL and c.poll():
        pass
    return account(c.packets)


def drain_socket(w):
    packets = []
    w.s.settimeout(10)
    while not packets or not packets[-1].startswith('42["gap"') or sum(account(packets)[1:]) < TOTAL:
        kind, data = w.read()
        if kind == 8:
            break
        if kind == 1:
            packets.append(data.decode())
    return account(packets)


def tell(drain, crowd):
    """Many at once, for a gap comes up to a second after the client has caught up."""
    told = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        for in_order, got, dropped in pool.map(drain, crowd):
            told[in_order and got > 0 and dropped > 0 and got + dropped == TOTAL] += 1
    return told


def crowded(d, token, press):
    good = [Good(d, token, TOTAL) for _ in range(2)]
    slow, silent = pollers(d, token, CROWD), sockets(d, token, CROWD)
    check(len(slow) == CROWD and len(silent) == CROWD, "%d slow clients subscribe" % (2 * CROWD),
          (len(slow), len(silent)))
    for g in good:
        g.start()
    slowest = answered = 0
    for i in range(BURSTS):
        begin = time.monotonic()
        press.call("publish", BURST, BYTES, space="/control")
        answered += d.ask("GET", "/healthz")[0] == 200
        slowest = max(slowest, time.monotonic() - begin)
        wait_for(lambda n=(i + 1) * BURST: all(len(g.got) >= n or not g.is_alive() for g in good), 10)
    check(answered == BURSTS and slowest < 5, "others are answered beside them", (answered, slowest))
    print("# the slowest answer took %.2f s" % slowest)
    check(all(sorted(g.got) == g.got and len(set(g.got)) == TOTAL and not g.gaps for g in good),
          "good clients have every event", [(len(g.got), g.gaps[:3]) for g in good])
    told = tell(drain_poller, slow)
    check(told == {True: CROWD}, "each slow one has the first events, and a gap that says how many are missing", told)
    told = tell(drain_socket, silent)
    check(told == {True: CROWD}, "so has each WebSocket that was not read", told)
    check(d.metric("socketio_dropped") > 0 and d.metric("socketio_missed") == 0, "lost for themselves alone")
    for c in slow:
        c.send("1")
    for w in silent:
        w.close()
    for g in good:
        g.c.send("1")


limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limit[1]), limit[1]))
d = Daemon(["store", "http", "auth", "socketio", "tp_news"], "  connections: 2048\n  write_timeout: 60s\n",
           "socketio:\n  buffer: 64KiB\n  sessions: 2048\n  ping_interval: 60s\n  ping_timeout: 60s\n")
with open(d.state + "/auth/first-password", encoding="utf-8") as f:
    first = f.read().strip()


def log_in(password):
    return d.json("POST", "/api/auth/login", body={"username": "admin", "password": password})[1]["access_token"]


d.json("POST", "/api/auth/change-password", log_in(first), {"current_password": first, "new_password": CHOSEN})
token = log_in(CHOSEN)
press = Client(d)
press.connect("/control")
warm = pollers(d, token, 4), sockets(d, token, 4)
for _ in range(BURSTS):             # as many as later: the caches of the store are full
    press.call("publish", BURST, BYTES, space="/control")
for c in warm[0]:
    c.send("1")
for w in warm[1]:
    w.close()
time.sleep(2)                       # the store writes, and opens what it writes to
descriptors, memory = holds(d.run.pid)
crowded(d, token, press)
wait_for(lambda: len(holds(d.run.pid)[0]) <= len(descriptors) and holds(d.run.pid)[1] <= memory + 5 * MEGA, 30)
now = holds(d.run.pid)
check(len(now[0]) <= len(descriptors), "no descriptor is kept",
      (len(descriptors), len(now[0]), collections.Counter(now[0]) - collections.Counter(descriptors)))
if os.environ.get("EC_SANITIZER", "none") == "none":    # sanitizers keep freed memory aside
    check(now[1] <= memory + 5 * MEGA, "nor more than 5 MB of memory", "%d before, %d now" % (memory, now[1]))
    print("# memory: %.1f MB before, %.1f MB after" % (memory / MEGA, now[1] / MEGA))
check(d.metric("socketio_sessions") <= 1, "nor a session", d.metric("socketio_sessions"))
check(d.stop() == 0, "the daemon ends well")
plan()
