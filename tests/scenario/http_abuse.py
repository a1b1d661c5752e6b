#!/usr/bin/env python3
# alone: short times, and many connections
"""The server against those who want to exhaust it: 1,000 slow clients, 500 whose bodies never end, bodies of 10 MB,
JSON that is 100,000 deep, text that is no UTF-8. Nobody gets a 5xx, good clients are answered all the while, and
afterwards the daemon has the descriptors and, within 5 MB, the memory that it had before."""
import collections
import json
import os
import resource
import time

from libhttp import Daemon, read_all, status
from libtest import Local, check, holds, plan, wait_for

JSON = {"Content-Type": "application/json"}
MEGA = 1 << 20


def good_clients(d, what):
    """A request a time, over a connection of its own; some of them wait in the kernel while the house is full."""
    slowest, answered = 0, 0
    for _ in range(20):
        begin = time.monotonic()
        try:
            answered += d.get("/healthz")[0] == 200
        except OSError as e:
            print("#", e)
        slowest = max(slowest, time.monotonic() - begin)
    check(answered == 20 and slowest < 5, "good clients are answered beside " + what,
          "%d of 20, slowest %.2f s" % (answered, slowest))


def many(d, n, beginning):
    found = []
    for _ in range(n):
        try:
            s = d.connect()
            s.sendall(beginning)
            found.append(s)
        except OSError:         # sent away for others
            pass
    return found


def ended(crowd, want):
    """They send a byte now and then, until they are sent away. The answers of those who got another one than that."""
    for _ in range(8):
        for s in crowd[::25]:
            try:
                s.send(b"a")
            except OSError:
                pass
        time.sleep(0.5)
    wrong = []
    for s in crowd:
        reply = read_all(s)
        if reply and status(reply) != want:
            wrong.append(reply[:100])
        s.close()
    return wrong


def slow(d):
    crowd = many(d, 1000, b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: ")
    good_clients(d, "%d slow ones" % len(crowd))
    wrong = ended(crowd, 408)
    check(len(crowd) > 900 and not wrong, "each slow one is told that it took too long, or let go",
          (len(crowd), wrong[:5]))
    crowd = many(d, 500, b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 1000\r\n\r\n{")
    good_clients(d, "500 whose body never ends")
    wrong = ended(crowd, 408)
    check(len(crowd) > 450 and not wrong, "so is each whose body never ends", (len(crowd), wrong[:5]))


def large(d):
    replies = []
    for framing in (b"Content-Length: %d\r\n\r\n" % (10 * MEGA), b"Transfer-Encoding: chunked\r\n\r\n"):
        for _ in range(10):
            with d.connect() as s:
                try:
                    s.sendall(b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\n"
                              b"Content-Type: application/json\r\n" + framing)
                    for _ in range(160):
                        s.sendall((b"10000\r\n" if b"chunked" in framing else b"") + b"a" * 65536 +
                                  (b"\r\n" if b"chunked" in framing else b""))
                except OSError:
                    pass
                replies.append(status(read_all(s)))
    check(set(replies) <= {0, 401, 413}, "bodies of 10 MB are refused", replies)
    good_clients(d, "bodies of 10 MB")


def each_route_once(d):
    """What a route opens when it is first asked is not lost."""
    document = json.loads(d.get("/api/openapi.json")[2])
    for path, methods in document["paths"].items():
        for method in methods:
            if "stream" not in path:
                for _ in range(4):
                    d.get(path.replace("{", "").replace("}", ""), method.upper(), "{}", JSON, local=True)
    d.get("/api/auth/login", "POST", '{"username":"nobody","password":"nothing"}', JSON)


def bodies(d):
    """All that has a body, with the rights of an administrator."""
    document = json.loads(d.get("/api/openapi.json")[2])
    routes = [(path.replace("{", "").replace("}", ""), method.upper()) for path, methods in document["paths"].items()
              for method, op in methods.items() if "requestBody" in op]
    deep = [b"[" * 100000, b"[" * 100000 + b"]" * 100000, b'{"a":' * 100000, b'{"a":' * 7000, b"[" * 7000 + b"]" * 7000]
    broken = [b"\xff\xfe", b'{"username":"\xc3\x28","password":"a"}', b'"\xed\xa0\x80"', b'{"a\xc0\xaf":1}',
              b'{"username":"\\ud800","password":"a"}']
    for what, bodies_of in (("JSON that is 100,000 deep", deep), ("JSON that is no UTF-8", broken)):
        wrong, seen = [], set()
        for path, method in routes:
            for body in bodies_of:
                c = Local(d.folder + "/api.sock")
                try:
                    c.request(method, path, body, JSON)
                    code = c.getresponse().status
                except OSError as e:
                    code = str(e)
                finally:
                    c.close()
                seen.add(code)
                if not isinstance(code, int) or not 400 <= code < 500:
                    wrong.append((method, path, body[:20], code))
        check(len(routes) > 5 and 422 in seen and not wrong, "%s is refused by %d routes" % (what, len(routes)), wrong)
    good_clients(d, "such bodies")
    wrong = []
    for line in (b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n", b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n",
                 b"GET /api/events?q=%c3%28 HTTP/1.1\r\nHost: x\r\n", b"GET /api/events?%ff=1 HTTP/1.1\r\nHost: x\r\n",
                 b"GET /healthz HTTP/1.1\r\nHost: \xff\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: \xed\xa0\x80\r\n",
                 b"GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xff\r\n"):
        reply = d.raw(line + b"Connection: close\r\n\r\n")
        if not 200 <= status(reply) < 500:
            wrong.append((line, reply[:100]))
    check(not wrong, "nor does it stumble over what is no UTF-8 in the head of a request", wrong)


def main():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limit[1]), limit[1]))
    d = Daemon("abuse", plugins=("store", "auth", "settings", "http"), request_timeout="3s").start()
    wait_for(lambda: d.get("/readyz")[0] == 200)
    each_route_once(d)
    time.sleep(2)           # the store writes, and opens what it writes to
    descriptors, memory = holds(d.process.pid)
    slow(d)
    large(d)
    bodies(d)
    wait_for(lambda: len(holds(d.process.pid)[0]) <= len(descriptors) and
             holds(d.process.pid)[1] <= memory + 5 * MEGA, 30)
    now = holds(d.process.pid)
    check(len(now[0]) <= len(descriptors), "no descriptor is kept",
          (len(descriptors), len(now[0]), collections.Counter(now[0]) - collections.Counter(descriptors)))
    if os.environ.get("EC_SANITIZER", "none") == "none":    # sanitizers keep freed memory aside
        check(now[1] <= memory + 5 * MEGA, "nor more than 5 MB of memory", "%d before, %d now" % (memory, now[1]))
        print("# memory: %.1f MB before, %.1f MB after" % (memory / MEGA, now[1] / MEGA))
    check(d.process.poll() is None, "it is the same daemon")
    check(d.stop() == 0, "it ends well", d.output()[-600:])
    check("ERROR" not in d.output() and "panic" not in d.output(), "nothing was an error", d.output()[-2000:])
    plan()


main()
