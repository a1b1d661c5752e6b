#!/usr/bin/env python3
"""Every string parameter of every route in the OpenAPI document takes 50 hostile strings: no reply is 5xx, each is JSON, and
afterwards the store holds what it held before."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse

HOSTILE = [
    "' OR '1'='1", "' OR 1=1--", "1; DROP TABLE events;--", "\" OR \"\"=\"", "') UNION SELECT sql FROM sqlite_master--",
    "1 AND SLEEP(5)", "%", "_", "%%%", "*", "a* OR b*", "\"unbalanced", "NEAR(a b)", "AND", "^", "-1", "0x41", "1e309",
    "NaN", "null", "true", "[]", "{}", "{\"a\":1}", "../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd\0.png",
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "javascript:alert(1)", "${7*7}", "{{7*7}}", "#{7*7}",
    "`id`", "$(id)", "; cat /etc/passwd", "| ls", "& ping -c 1 127.0.0.1 &", "%s%s%s%s%n", "%x%x%x%x", "\r\nSet-Cookie: a=b",
    "A" * 2000, "\u202e\u0000\u200b", "\U0001f4a9", "\ufffd\ufffe", "9" * 40, "18446744073709551616", "-9223372036854775809",
    "2026-99-99T99:99:99Z", "::ffff:999.1.1.1/129",
]
count = 0


def check(good, what, detail=""):
    global count
    count += 1
    print("%sok %d - %s" % ("" if good else "not ", count, what), flush=True)
    if not good and detail:
        print("# %s" % str(detail)[:900])


class Client:
    """HTTP/1.1 over the Unix socket, one connection kept alive."""

    def __init__(self, path):
        self.path, self.s, self.f = path, None, None

    def ask(self, method, target, body=None):
        if not self.s:
            self.s = socket.socket(socket.AF_UNIX)
            self.s.settimeout(20)
            self.s.connect(self.path)
            self.f = self.s.makefile("rb")
        head = "%s %s HTTP/1.1\r\nHost: local\r\n" % (method, target)
        data = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            head += "Content-Type: application/json\r\nContent-Length: %d\r\n" % len(data)
        self.s.sendall(head.encode() + b"\r\n" + data)
        status = int(self.f.readline().split()[1])
        length, close = 0, False
        while (line := self.f.readline().strip()):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            close |= line.lower() == b"connection: close"
        reply = self.f.read(length)
        if close:
            self.s.close()
            self.s = None
        return status, reply


def start(log, *args):
    return subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml", *args], stdout=log, stderr=subprocess.STDOUT)


def strings(schema):
    """Names of the string properties of a body."""
    return [n for n, s in schema.get("properties", {}).items() if s.get("type") == "string"]


def attack(client, doc, keep):
    """Every string in every place. Returns (requests, what was wrong)."""
    wrong, n = [], 0
    for path, item in doc["paths"].items():
        for method, op in item.items():
            if "text/event-stream" in str(op["responses"]) or "application/json" not in str(op["responses"]) or \
                    path.startswith(keep):
                continue
            for name, target, body in places(path, op):
                for text in HOSTILE[::5] if os.environ.get("EC_SANITIZER", "none") != "none" else HOSTILE:
                    n += 1
                    quoted = urllib.parse.quote(text, safe="")
                    sent = {k: (text if v is None else v) for k, v in body.items()} if body is not None else None
                    status, reply = client.ask(method.upper(), target.replace("HOSTILE", quoted), sent)
                    try:
                        if status >= 500 or (reply and json.loads(reply) is None):
                            wrong.append((method, path, name, text[:40], status, reply[:120]))
                    except ValueError:
                        wrong.append((method, path, name, text[:40], status, reply[:120]))
    return n, wrong


def places(path, op):
    """(name, target with HOSTILE in it, body with None where the string goes) for each string that the operation takes."""
    plain = re.sub(r"{\w+}", "1", path)
    schema = op.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for p in op.get("parameters", []):
        if p["in"] == "path":
            yield p["name"], path.replace("{%s}" % p["name"], "HOSTILE"), ({} if schema else None)
        elif p["name"] != "filter":
            yield p["name"], plain + "?" + urllib.parse.quote(p["name"]) + "=HOSTILE", ({} if schema else None)
    if path == "/api/events/top":
        yield "by", plain + "?type=flow&by=HOSTILE", None
    for name in strings(schema):
        yield name, plain, {name: None}


def main():
    here = os.getcwd()
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [capture, traffic, ids, store, auth, http]\n  state_dir: state\n"
                  "  control_socket: %s/c.sock\nhttp:\n  listen: none\n  socket: %s/a.sock\n"
                  "ids:\n  rule_files: [%s/etc/rules/ecyber.rules]\n  classification_file: %s/etc/rules/classification.config\n"
                  % (os.environ["EC_PLUGINDIR"], here, here, os.environ["EC_SRC"], os.environ["EC_SRC"]))
    log = open("log", "ab")
    replay = start(log, "-r", os.path.join(os.environ["EC_DATA"], "sample.pcap"))
    check(replay.wait(60) == 0, "a replay fills the store")
    daemon = start(log)
    for _ in range(400):
        if os.path.exists("a.sock"):
            break
        time.sleep(0.05)
    client = Client("a.sock")
    doc = json.loads(client.ask("GET", "/api/openapi.json")[1])
    before = client.ask("GET", "/api/events/top?type=flow&by=src_ip")
    check(before[0] == 200 and json.loads(before[1])["items"], "there are events", before)
    check(len(HOSTILE) == 50, "there are fifty strings", len(HOSTILE))
    n, wrong = attack(client, doc, ("/api/auth/login",))
    check(n > 3000 and not wrong, "each of %d hostile requests is answered, none with 5xx" % n,
          "%d: %s" % (len(wrong), wrong[:6]))
    check(client.ask("GET", "/api/events/top?type=flow&by=src_ip") == before, "the events are what they were")
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(20) == 0, "the daemon ends well")
    print("1..%d" % count)


sys.exit(main())
