#!/usr/bin/env python3
"""Hostile strings in every text parameter of every route that the daemon's own OpenAPI document names: no answer is a 5xx,
none takes longer than it should, and afterwards the daemon answers as before."""
import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse

ECYBERD, SRC, DATA = os.environ["ECYBERD"], os.environ["EC_SRC"], os.environ["EC_DATA"]
HERE = os.getcwd()
API = HERE + "/api.sock"
OWN = ["'", "\"", "' or '1'='1", "1; drop table events;--", "' union select 1,2,3--", "%", "_", "*", "\\", "\x00", "\x01\x1b[31m",
       "../../../../etc/passwd", "{{7*7}}", "<script>alert(1)</script>", "a" * 5000, "\u202egnp.exe", "\ud83d\udca9", "-1",
       "99999999999999999999", "NaN", "1e309", "null", "[]", "{\"$ne\":1}", "::ffff:0:0/999", "0.0.0.0/-1", "\r\nX-Evil: 1",
       "%00", "%0d%0a", "';SELECT pg_sleep(5)--", "1' AND randomblob(1000000000)--"]
number = 0


def check(good, what, detail=""):
    global number
    number += 1
    print("%sok %d - %s" % ("" if good else "not ", number, what), flush=True)
    if not good:
        print("# " + str(detail)[-3000:].replace("\n", "\n# "), flush=True)


class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(API)


def ask(method, path, body=None, form=False):
    """Status, headers and body."""
    c = Local("localhost", timeout=20)
    headers = {"Content-Type": "application/x-www-form-urlencoded" if form else "application/json"} if body is not None else {}
    try:
        c.request(method, path, body, headers)
        r = c.getresponse()
        return r.status, r.headers, r.read()
    finally:
        c.close()


def strings():
    found = list(OWN)
    folder = os.path.join(os.environ.get("EC_SHARED_DATA", SRC + "/../shared/data"), "payloads")
    for name in ("blns.txt", "Generic_SQLI.txt", "Auth_Bypass.txt", "xplatform.txt", "Generic_TimeBased.txt"):
        if os.path.exists(os.path.join(folder, name)):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as lines:
                some = [line.rstrip("\n") for line in lines if line.strip() and line[0] != "#"]
            found += some[:: max(1, len(some) // 4)][:4]
    return found


def resolve(document, schema):
    while "$ref" in schema:
        node = document
        for step in schema["$ref"].lstrip("#/").split("/"):
            node = node[step]
        schema = node
    return schema


def is_text(document, schema):
    schema = resolve(document, schema)
    kinds = [schema] + [resolve(document, s) for s in schema.get("anyOf", []) + schema.get("oneOf", [])]
    return any(k.get("type") in ("string", None) or k.get("type") == ["string", "null"] for k in kinds)


def requests(document):
    """(name, function of a string that gives method, path, body, form) for each text parameter and body field."""
    for path, methods in document["paths"].items():
        for method, op in methods.items():
            if method == "parameters" or "stream" in path or path.endswith("/logout-all"):
                continue
            parameters = [resolve(document, p) for p in op.get("parameters", [])]
            fill = {p["name"]: "1" for p in parameters if p["in"] == "path"}
            for p in parameters:
                if p["in"] in ("query", "path"):
                    yield "%s %s ?%s" % (method.upper(), path, p["name"]), build(method, path, fill, p)
            for kind, content in op.get("requestBody", {}).get("content", {}).items():
                schema = resolve(document, content["schema"])
                for field, sub in schema.get("properties", {}).items():
                    if is_text(document, sub):
                        yield ("%s %s body.%s" % (method.upper(), path, field),
                               build_body(method, path, fill, field, list(schema.get("required", [])), kind))


def place(path, fill):
    for name, value in fill.items():
        path = path.replace("{%s}" % name, urllib.parse.quote(value, safe="", errors="surrogatepass"))
    return path


def build(method, path, fill, p):
    def make(text):
        if p["in"] == "path":
            return method.upper(), place(path, {**fill, p["name"]: text}), None, False
        query = urllib.parse.urlencode({p["name"]: text}, errors="surrogatepass")
        return method.upper(), place(path, fill) + "?" + query, None, False
    return make


def build_body(method, path, fill, field, required, kind):
    def make(text):
        values = {name: "x" for name in required}
        values[field] = text
        if "form" in kind:
            return method.upper(), place(path, fill), urllib.parse.urlencode(values, errors="surrogatepass"), True
        return method.upper(), place(path, fill), json.dumps(values), False
    return make


def attack(document):
    bad, slow, evil, sent, targets = [], [], [], 0, list(requests(document))
    for name, make in targets:
        for text in strings():
            method, path, body, form = make(text)
            if len(path) > 7000:
                continue
            start = time.monotonic()
            try:
                status, headers, answer = ask(method, path, body, form)
            except (OSError, http.client.HTTPException) as e:
                bad.append((name, text[:40], repr(e)))
                continue
            sent += 1
            if status >= 500:
                bad.append((name, text[:40], status, answer[:200]))
            if time.monotonic() - start > 5:
                slow.append((name, text[:40]))
            if headers.get("X-Evil") or b"root:x:0" in answer:
                evil.append((name, text[:40]))
    check(len(targets) > 20, "the document has parameters to attack (%d)" % len(targets), targets)
    check(not bad, "%d requests, none with 5xx or without an answer" % sent, bad[:8])
    check(not slow, "none takes five seconds", slow[:8])
    check(not evil, "none injects a header or reads a file", evil[:8])


def main():
    with open("ecyber.yaml", "w", encoding="utf-8") as conf:
        conf.write("core:\n  state_dir: %s/state\n  control_socket: %s/control.sock\n" % (HERE, HERE))
        conf.write("http:\n  listen: none\n  socket: %s\n" % API)
    with open("daemon.log", "w", encoding="utf-8") as log:
        daemon = subprocess.Popen([ECYBERD, "-c", "ecyber.yaml", "-r", DATA + "/sample.pcap", "--stay"], stdout=log, stderr=log)
    def alerts():
        try:
            return len(json.loads(ask("GET", "/api/ids/alerts?limit=1000")[2])["items"])
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return 0
    end = time.monotonic() + 30
    while alerts() < 28 and time.monotonic() < end:
        time.sleep(0.2)
    before = alerts()
    check(before, "the daemon has alerts", open("daemon.log", encoding="utf-8").read())
    attack(json.loads(ask("GET", "/api/openapi.json")[2]))
    check(alerts() == before, "afterwards it answers as before", (before, alerts()))
    check(daemon.poll() is None, "the same daemon", open("daemon.log", encoding="utf-8").read())
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(30) == 0, "and ends well", open("daemon.log", encoding="utf-8").read())
    print("1..%d" % number)


main()
