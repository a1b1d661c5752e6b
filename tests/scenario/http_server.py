#!/usr/bin/env python3
# alone: short times
"""The HTTP server against clients that are broken, slow, rude or many: none of them stops it, and each gets its
answer."""
import json
import os
import re
import socket
import subprocess
import sys
import time

from libhttp import Daemon, promtool, read_all, status
from libtest import Local, check, free_port, plan

HOST = b"Host: x\r\n"
HOSTILE = [
    ("a bare LF", b"GET /healthz HTTP/1.1\nHost: x\n\n", 400),
    ("a bare LF in a header", b"GET /healthz HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400),
    ("a CR alone", b"GET /healthz HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", 400),
    ("a NUL in a header", b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400),
    ("a NUL in the target", b"GET /heal\0thz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("an empty header name", b"GET /healthz HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400),
    ("a space before the colon", b"GET /healthz HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400),
    ("a header without a colon", b"GET /healthz HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n", 400),
    ("a folded header", b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    ("two Content-Lengths", b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     400),
    ("the same Content-Length twice",
     b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
    ("a list in Content-Length", b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\na", 400),
    ("a signed Content-Length", b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na", 400),
    ("a negative Content-Length", b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    ("Content-Length beside Transfer-Encoding",
     b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("Transfer-Encoding twice",
     b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"0\r\n\r\n", 501),
    ("an unknown coding", b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("chunked in HTTP/1.0", b"POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("a chunk without a size", b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n",
     400),
    ("a chunk longer than it says",
     b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", 400),
    ("no Host", b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("no target", b"GET HTTP/1.1\r\n\r\n", 400),
    ("a target with a space", b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("another host's target", b"GET http://evil/healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("HTTP/0.9", b"GET /healthz\r\n\r\n", 400),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/1.7", b"GET /healthz HTTP/1.7\r\nHost: x\r\n\r\n", 505),
    ("an unknown method", b"BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    ("TRACE", b"TRACE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    ("CONNECT", b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    ("TLS", bytes.fromhex("16030100c8010000c4030300") + b"\r\n", 400),
    ("a target of 9,000 bytes", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    ("a request line without an end", b"GET /" + b"a" * 100000, 414),
    ("headers of 100 KB", b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 100000 + b"\r\n\r\n", 431),
    ("200 headers", b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
    ("a body that is announced too large",
     b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", 413),
    ("an expectation that nobody meets", b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417),
    ("HEAD with a body", b"HEAD /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 400),
]
GOOD = [
    ("a plain GET", b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
    ("HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    ("a query on a route without one", b"GET /healthz?a=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 422),
    ("a path that nobody has", b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
    ("a chunked body", b"POST /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"3\r\nabc\r\n0\r\n\r\n", 405),
]


def hostile(d):
    for what, data, want in HOSTILE:
        reply = d.raw(data)
        body = reply.split(b"\r\n\r\n", 1)[-1]
        try:
            sentence = json.loads(body)["detail"]
        except (ValueError, KeyError):
            sentence = None
        check(status(reply) == want and isinstance(sentence, str) and b"Connection: close" in reply,
              "%s is refused with %d" % (what, want), reply)
    for what, data, want in GOOD:
        reply = d.raw(data)
        check(status(reply) == want, "%s is answered with %d" % (what, want), reply)
    reply = d.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 5 + b"GET /healthz HTTP/1.1\nHost: x\n\n")
    check(reply.count(b"HTTP/1.1 200") == 5 and reply.count(b"HTTP/1.1 400") == 1,
          "five requests at once are answered in turn, the sixth is refused", reply)
    with d.connect() as s:
        for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            s.sendall(bytes([byte]))
        check(status(read_all(s)) == 200, "a request that comes byte by byte is answered")
    with d.connect() as s:
        s.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
                  b"Connection: close\r\n\r\n")
        first = s.recv(1000)
        s.sendall(b"abc")
        check(first.startswith(b"HTTP/1.1 100 ") and status(read_all(s)) == 405, "100-continue is answered", first)
    check(d.metric("refused_malformed_total") >= len(HOSTILE), "what is refused is counted")


def shapes(d):
    code, head, body = d.get("/nobody/has/this")
    check((code, body) == (404, b'{"detail":"Not Found"}') and head["content-type"] == "application/json",
          "404 is as FastAPI says it", body)
    code, head, body = d.get("/healthz", "DELETE")
    check((code, body, head.get("allow")) == (405, b'{"detail":"Method Not Allowed"}', "GET, HEAD"), "405 has Allow",
          head)
    code, head, body = d.get("/healthz?limit=1")
    check(code == 422 and json.loads(body)["detail"][0]["loc"] == ["query", "limit"] and
          json.loads(body)["detail"][0]["type"] == "extra_forbidden", "an unknown query parameter is 422", body)
    code, head, body = d.get("/healthz", "HEAD")
    check(code == 200 and body == b"" and head["content-length"] == "15", "HEAD has the length and no body", head)
    code, head, body = d.get("/api/system/info")
    check(code == 503 and "ec.auth/1" in json.loads(body)["detail"],
          "without a plugin that knows users nobody is let in", body)
    code, head, body = d.get("/api/system/info", local=True)
    check(code == 200 and json.loads(body)["product"] == "eCyber", "the local socket answers root", body)
    code, head, body = d.get("/api/events", local=True)
    check(code == 503 and "ec.store/1" in json.loads(body)["detail"], "without a store there are no events: 503", body)
    code, head, body = d.get("/api/events?nonsense=1", local=True)
    check(code == 422 and json.loads(body)["detail"][0]["loc"] == ["query", "nonsense"], "no filter is lost silently",
          body)
    code, head, body = d.get("/api/events?audit.actor=anna", local=True)
    check(code == 422 and json.loads(body)["detail"][0]["loc"] == ["query", "audit.actor"],
          "the name of a parameter stays whole, though it has a dot", body)
    code, head, body = d.get("/api/events?src_port=http&since=yesterday&limit=0", local=True)
    kinds = {e["loc"][1]: e["type"] for e in json.loads(body)["detail"]}
    check(code == 422 and kinds == {"src_port": "int_parsing", "since": "datetime_parsing",
                                    "limit": "greater_than_equal"},
          "each wrong filter is named", body)
    code, head, body = d.get("/api/events/abc", local=True)
    check(code == 422 and json.loads(body)["detail"][0]["loc"] == ["path", "id"], "an id that is no number is 422",
          body)
    for path, key in (("stats", "metrics"), ("drops", "exact")):
        code, head, body = d.get("/api/system/" + path, local=True)
        check(code == 200 and key in json.loads(body), "/api/system/%s is the daemon's own answer" % path, body)
    code, head, body = d.get("/api/system/config", local=True)
    listen = json.loads(body)["http"]["listen"] if code == 200 else {}
    check(listen.get("value") == "127.0.0.1:%d" % d.port and listen["from"] != "default" and listen["live"] is False,
          "/api/system/config has each option with its place", body[:600])
    code, head, body = d.get("/api/system/plugins", local=True)
    check(code == 200 and any(p["name"] == "http" for p in json.loads(body)), "/api/system/plugins lists the plugins",
          body)
    code, head, body = d.get("/api/system/plugins/http", local=True)
    check(code == 200 and json.loads(body)["id"] == "ecyber.http", "/api/system/plugins/http is one of them", body)
    check(d.get("/api/system/plugins/nobody", local=True)[0] == 404, "a plugin that is not there is 404")


def document(d):
    code, head, body = d.get("/api/openapi.json")
    doc = json.loads(body)
    check(code == 200 and doc["openapi"].startswith("3.1"), "the document is OpenAPI 3.1")
    check(d.get("/openapi.json")[2] == body, "the alias gives the same document")
    check(d.get("/api/openapi.json", headers={"If-None-Match": head["etag"]})[0] == 304, "its ETag is honoured")
    refs = set(re.findall(r'"\$ref": ?"#/components/schemas/([^"]+)"', body.decode()))
    check(refs and refs <= set(doc["components"]["schemas"]), "every reference leads somewhere",
          refs - set(doc["components"]["schemas"]))
    ids = [op["operationId"] for path in doc["paths"].values() for op in path.values()]
    check(len(ids) == len(set(ids)) > 10, "operation ids are unique", ids)
    check({"HTTPValidationError", "ValidationError"} <= set(doc["components"]["schemas"]) and
          doc["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]["password"]["tokenUrl"] ==
          "/api/auth/login",
          "errors and the way to log in are in it")
    wrong = []
    for path, item in doc["paths"].items():
        names = set(re.findall(r"{(\w+)}", path))
        for method, op in item.items():
            declared = {p["name"] for p in op.get("parameters", []) if p["in"] == "path"}
            if names != declared or len(op.get("parameters", [])) != len({p["name"] for p in op.get("parameters", [])}):
                wrong.append((path, method))
            concrete = re.sub(r"{\w+}", "1", path)
            if op["x-roles"] and "text/event-stream" not in str(op):
                code = d.get(concrete, method.upper(), headers={"Content-Type": "application/json"})[0]
                if code != 503:     # nobody is there who knows users
                    wrong.append((path, method, code))
            elif not op["x-roles"] and d.get(concrete, method.upper())[0] not in (200, 503):
                wrong.append((path, method))
    check(not wrong, "every route of the document answers, and asks who it is where roles are named", wrong)


def fits(value, schema, at="$"):
    """What of the value is not as the schema says; a key that it does not name counts too."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None)}
    if "anyOf" in schema:
        return [] if any(not fits(value, one, at) for one in schema["anyOf"]) else ["%s fits none" % at]
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(isinstance(value, kinds[t]) and (t == "boolean" or not isinstance(value, bool)) for t in types):
        return ["%s is no %s" % (at, types)]
    wrong = []
    if isinstance(value, list):
        for i, one in enumerate(value):
            wrong += fits(one, schema["items"], "%s[%d]" % (at, i))
    if isinstance(value, dict):
        wrong += ["%s lacks %s" % (at, key) for key in schema.get("required", []) if key not in value]
        for key, one in value.items():
            known = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if known is None:
                wrong.append("%s.%s is not declared" % (at, key))
            elif known is not True:
                wrong += fits(one, known, "%s.%s" % (at, key))
    return wrong


def own_shapes(d):
    paths = json.loads(d.get("/api/openapi.json")[2])["paths"]
    for path in ("/healthz", "/api/health", "/api/system/info", "/api/system/stats", "/api/system/plugins",
                 "/api/system/plugins/{name}", "/api/system/drops"):
        schema = paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        wrong = fits(json.loads(d.get(path.replace("{name}", "http"), local=True)[2]), schema)
        check(schema and not wrong, "%s answers what its schema says" % path, wrong)


def metrics(d):
    code, head, body = d.get("/metrics")
    text = body.decode()
    check(code == 200 and head["content-type"].startswith("text/plain; version=0.0.4"), "metrics are for Prometheus")
    names = re.findall(r"^# TYPE (\S+) (counter|gauge)$", text, re.M)
    check(len(names) == len({n for n, _ in names}) > 30 and all(n.startswith("ecyber_") for n, _ in names),
          "each metric has its own name", len(names))
    check(all(n.endswith("_total") for n, kind in names if kind == "counter") and
          not any(n.endswith("_total") for n, kind in names if kind == "gauge"),
          "counters end in _total, gauges do not")
    samples = re.findall(r"^([a-zA-Z_:][a-zA-Z0-9_:]*) -?\d+$", text, re.M)
    check(samples == [n for n, _ in names], "each sample stands behind its TYPE")
    promtool(body)


def crowd(d):
    """300 connections that send a byte now and then; meanwhile others are served, and in the end the 300 are gone."""
    slow = []
    for _ in range(300):
        s = d.connect()
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: ")
        slow.append(s)
    times = []
    for _ in range(50):
        begin = time.monotonic()
        good = d.get("/healthz")[0] == 200
        times.append(time.monotonic() - begin if good else 99)
        for s in slow[::10]:
            try:
                s.sendall(b"a")
            except OSError:
                pass
    check(max(times) < 1.0, "a normal client is served beside 300 slow ones", "slowest %.3f s" % max(times))
    end = time.monotonic() + 8
    replies = []
    for s in slow:
        replies.append(read_all(s, max(0.1, end - time.monotonic())))
        s.close()
    check(all(status(r) == 408 for r in replies), "each of the 300 is told that it took too long (408)",
          [r[:20] for r in replies if status(r) != 408][:3])
    check(d.metric("refused_late_total") >= 300, "they are counted")


def full_house():
    """More slow clients than may be connected: the slowest are sent away for others."""
    d = Daemon("full", request_timeout="60s", connections=32).start()
    slow = []
    for _ in range(60):
        s = d.connect()
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: ")
        slow.append(s)
    begin = time.monotonic()
    good = d.get("/healthz")[0] == 200
    check(good and time.monotonic() - begin < 9.5, "a full house makes room for a normal client",
          "%.1f s" % (time.monotonic() - begin))
    check(d.metric("full_total") >= 1 and d.metric("closed_slow_total") >= 1, "at the cost of slow ones, counted")
    for s in slow:
        s.close()
    idle = [d.connect() for _ in range(40)]
    begin = time.monotonic()
    check(d.get("/healthz")[0] == 200 and time.monotonic() - begin < 5, "so do those who say nothing")
    check(d.metric("closed_evicted_total") >= 1, "counted")
    for s in idle:
        s.close()
    check(d.stop() == 0, "it ends well")


def never_reads(d):
    with d.connect() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        s.settimeout(0.2)
        sent, gone, begin = 0, False, time.monotonic()
        while time.monotonic() - begin < 12 and not gone:
            try:
                sent += s.send(request * 50)
            except socket.timeout:
                pass
            except OSError:
                gone = True
        check(gone, "a client that never reads is dropped", "%d bytes sent" % sent)
    check(d.metric("closed_stuck_total") >= 1, "and counted")
    check(d.get("/healthz")[0] == 200, "others are served")


def stream(d):
    c = Local(d.folder + "/api.sock")
    c.request("GET", "/api/network/events/stream")
    r = c.getresponse()
    first = r.fp.readline() + r.fp.readline()
    check(r.status == 200 and r.getheader("content-type") == "text/event-stream" and b": connected" in first,
          "the stream of events opens", first)
    check(d.metric("stream_clients") == 1, "its client is counted")
    wrong = d.get("/api/network/events/stream?types=alert,alret", local=True)
    check(wrong[0] == 422 and json.loads(wrong[2])["detail"][0]["loc"] == ["query", "types"],
          "a type that nobody declares is refused", wrong)
    other = d.get("/api/network/events/stream", "HEAD", local=True)
    check(other[0] == 200 and other[1]["content-type"] == "text/event-stream" and not other[2] and
          d.metric("stream_clients") == 1, "HEAD has the headers, and ends", other)
    second = Local(d.folder + "/api.sock")
    second.request("GET", "/api/network/events/stream")
    held = second.getresponse()
    third = d.get("/api/network/events/stream", local=True)
    check(held.status == 200 and third[0] == 429 and "retry-after" in third[1] and
          "streams_per_user" in json.loads(third[2])["detail"], "one user follows with so many clients only", third)
    for one in (held, second, r, c):
        one.close()
    for _ in range(50):
        if d.metric("stream_clients") == 0:
            break
        time.sleep(0.05)
    check(d.metric("stream_clients") == 0, "a client that leaves is noticed")


def few_descriptors():
    d = Daemon("few", request_timeout="2s").start(limit=64)
    crowd = []
    for _ in range(120):
        s = socket.socket()
        s.settimeout(0.2)
        try:
            s.connect(("127.0.0.1", d.port))
        except OSError:
            pass
        crowd.append(s)
    before = sum(os.times()[2:4])
    ticks = open("/proc/%d/stat" % d.process.pid, encoding="ascii").read().split()
    time.sleep(1)
    after = open("/proc/%d/stat" % d.process.pid, encoding="ascii").read().split()
    used = sum(int(after[i]) - int(ticks[i]) for i in (13, 14)) / os.sysconf("SC_CLK_TCK")
    check(used < 0.5 and before >= 0, "with no descriptor left it does not spin", "%.2f s of CPU in 1 s" % used)
    for s in crowd:
        s.close()
    time.sleep(2.5)
    check(d.get("/healthz")[0] == 200, "and it goes on when they are there again")
    check(len(d.output()) < 20000, "without a flood in the log", len(d.output()))
    check(d.stop() == 0, "it ends well")


def large_bodies(d):
    """Nobody who is not known can make the server hold much."""
    head = b"POST /healthz HTTP/1.1\r\nHost: x\r\n"
    reply = d.raw(head + b"Content-Length: 16384\r\nConnection: close\r\n\r\n" + b"a" * 16384)
    check(status(reply) == 405, "16 KiB come through from anybody", reply)
    reply = d.raw(head + b"Content-Length: 16385\r\n\r\n")
    check(status(reply) == 401 and b"16 KiB" in reply and b"WWW-Authenticate: Bearer" in reply,
          "a byte more is refused before it is sent", reply)
    reply = d.raw(head + b"Authorization: Bearer none\r\nContent-Length: 16385\r\n\r\n")
    check(status(reply) == 401, "also with a token that nobody knows", reply)
    reply = d.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"a" * 4096 + b"\r\n" +
                  (b"1000\r\n" + b"a" * 4096 + b"\r\n") * 4)
    check(status(reply) == 401, "and where it grows in chunks", reply)
    reply = d.raw(head + b"Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
    check(status(reply) == 401, "who asks before sending is told so", reply)
    check(d.metric("refused_bodies_total") == 4, "they are counted")
    held = []
    for _ in range(5):                  # each announces 200 KiB and sends little
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(2)
        s.connect(d.folder + "/api.sock")
        s.sendall(head + b"Content-Length: 204800\r\n\r\n" + b"a" * 1000)
        held.append(s)
    reply = read_all(held[-1])
    check(status(reply) == 503 and b"Retry-After" in reply, "all large bodies together have a bound", reply)
    for s in held:
        s.close()
    time.sleep(0.3)
    code = d.get("/healthz", "POST", b"a" * 204800, local=True)[0]
    check(code == 405, "and there is room again when they are gone", code)


def refusals(d):
    other = Daemon("taken", listen="127.0.0.1:%d" % d.port)
    other.start(wait=False)
    code = other.process.wait(20)
    check(code == 1 and ("port %d " % d.port) in other.output(), "a port that is taken ends the daemon by name",
          (code, other.output()[-400:]))
    other = Daemon("wide", listen="0.0.0.0:%d" % free_port())
    other.start(wait=False)
    code = other.process.wait(20)
    check(code == 6 and "not on loopback" in other.output(), "off loopback it refuses without TLS",
          (code, other.output()[-400:]))


def main():
    d = Daemon("main", request_timeout="3s", write_timeout="1s", streams_per_user=2,
               body_max="256KiB", bodies_max="900KiB").start()
    hostile(d)
    shapes(d)
    document(d)
    own_shapes(d)
    metrics(d)
    stream(d)
    crowd(d)
    never_reads(d)
    refusals(d)
    large_bodies(d)
    check(d.stop() == 0, "it ends well", d.output()[-600:])
    check(not os.path.exists(d.folder + "/api.sock"), "its socket is gone")
    check("ERROR" not in d.output() and "panic" not in d.output(), "nothing was an error", d.output()[-600:])
    full_house()
    few_descriptors()
    plan()
    return 0


sys.exit(main())
