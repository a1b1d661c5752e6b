#!/usr/bin/env python3
"""Who may call what: every route of the whole product as each role and as nobody, against a table that was written by hand
and not taken from the document; and events that are for administrators stay so where all types are mixed."""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse

from libschema import Contract, jsonschema
from libtest import check, free_port, skip

HERE = os.getcwd()
ROLES = ("admin", "operator", "analyst", "viewer", "sensor")
READ = {"admin", "operator", "analyst", "viewer"}
ENFORCE = {"admin", "operator"}
ADMIN = {"admin"}
ALL = set(ROLES)
PUBLIC = None
CONTRACT = []           # what the document says, once it is known
# The longest prefix counts; METHOD "*": those that have no line of their own.
TABLE = {
    ("GET", "/healthz"): PUBLIC, ("GET", "/readyz"): PUBLIC, ("GET", "/metrics"): PUBLIC, ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/api/health"): PUBLIC, ("GET", "/api/openapi.json"): PUBLIC, ("GET", "/api/docs"): PUBLIC, ("GET", "/api/redoc"): PUBLIC,
    ("GET", "/api/auth/methods"): PUBLIC, ("POST", "/api/auth/register"): PUBLIC,
    ("POST", "/api/auth/password-recovery/request-token"): PUBLIC,
    ("POST", "/api/auth/password-recovery/reset-password"): PUBLIC, ("POST", "/api/auth/login"): PUBLIC, ("POST", "/api/auth/refresh"): PUBLIC,
    ("*", "/api/auth/"): ALL, ("*", "/api/users"): ADMIN,
    ("GET", "/api/system/audit"): ADMIN, ("GET", "/api/system/logs"): ENFORCE,
    ("GET", "/api/system/processes/"): ENFORCE, ("GET", "/api/system/users"): ENFORCE,
    ("POST", "/api/system/fim/"): ENFORCE,
    ("*", "/api/system/config"): ADMIN, ("POST", "/api/system/"): ADMIN, ("GET", "/api/system/"): READ, ("GET", "/api/events"): READ,
    ("GET", "/api/network/"): READ, ("POST", "/api/network/"): ENFORCE, ("GET", "/api/ids/"): READ, ("PATCH", "/api/ids/alerts/"): READ - {"viewer"},
    ("GET", "/api/packets/replays/"): READ, ("POST", "/api/rules/test"): ENFORCE,
    ("*", "/api/system/jobs"): ENFORCE, ("GET", "/api/system/jobs"): READ,
    ("POST", "/api/ids/alerts/"): READ - {"viewer"}, ("GET", "/api/ml/"): READ,
    ("*", "/api/webhooks"): ADMIN, ("GET", "/api/settings"): READ, ("PUT", "/api/settings"): ADMIN,
    ("GET", "/api/ids/alerts/{id}/pcap"): READ - {"viewer"},
    ("GET", "/api/rules"): READ, ("POST", "/api/rules/validate"): READ, ("POST", "/api/rules/suppressions/preview"): READ,
    ("POST", "/api/rules/thresholds/preview"): READ, ("*", "/api/rules"): ENFORCE,
    ("POST", "/api/ids/reload"): ENFORCE,
    ("GET", "/api/packets"): READ - {"viewer"}, ("POST", "/api/packets/"): ENFORCE, ("DELETE", "/api/packets/"): ENFORCE,
    ("GET", "/api/firewall/"): READ, ("POST", "/api/firewall/"): ENFORCE, ("DELETE", "/api/firewall/"): ENFORCE,
}


def ask(method, path, token=None, body=None, form=None):
    headers, data = {}, None
    if token:
        headers["Authorization"] = "Bearer " + token
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body), "application/json"
    if form is not None:
        data, headers["Content-Type"] = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
    link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    try:
        link.request(method, path, data, headers)
        got = link.getresponse()
        if got.headers.get("Content-Type", "").startswith("text/event-stream"):
            return got.status, None
        text = got.read()
        if CONTRACT:
            CONTRACT[0].check(method, path, (got.status, got.headers, text))
        return got.status, json.loads(text) if text[:1] in (b"{", b"[") else text
    finally:
        link.close()


def expected(method, path):
    found = [(len(p), m != "*", may) for (m, p), may in TABLE.items() if m in ("*", method) and path.startswith(p)]
    return max(found, key=lambda f: f[:2])[2] if found else "not in the table"


def login(name, password):
    return ask("POST", "/api/auth/login", form={"username": name, "password": password})[1]["access_token"]


def daemon():
    with open("c.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  state_dir: %s/state\n  control_socket: %s/control.sock\n"
                  "http:\n  listen: 127.0.0.1:%d\n  socket: %s/api.sock\n"
                  % (os.environ["EC_PLUGINDIR"], HERE, HERE, PORT, HERE))
    with open("log", "w", encoding="utf-8") as log:
        run = subprocess.Popen([os.environ["ECYBERD"], "-c", "c.yaml"], stdout=log, stderr=log)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", PORT), 1).close()
            return run
        except OSError:
            time.sleep(0.05)
    return run


def everybody():
    """A token of each role."""
    with open("state/auth/first-password", encoding="utf-8") as file:
        secret = file.read().strip()
    _, got = ask("POST", "/api/auth/change-password", login("admin", secret),
                 {"current_password": secret, "new_password": "a lake of one's own"})
    tokens = {"admin": got["access_token"]}
    for role in ROLES[1:]:
        ask("POST", "/api/users", tokens["admin"], {"username": role, "password": "tree house 7", "roles": [role],
                                                "must_change": False})
        tokens[role] = login(role, "tree house 7")
    return tokens


def matrix(tokens):
    document = ask("GET", "/api/openapi.json")[1]
    if jsonschema:
        CONTRACT.append(Contract(document))
    routes = [(m.upper(), p) for p, ops in document["paths"].items() for m in ops if m in ("get", "post", "put", "patch", "delete")]
    enders = [r for r in routes if "/api/auth/logout" in r[1] or r == ("DELETE", "/api/users/{id}/sessions")]
    routes.sort(key=lambda r: r in enders)      # these end the tokens of who calls them
    unknown, open_, wrong, failed = [], [], [], []
    for method, path in routes:
        may = expected(method, path)
        if may == "not in the table":
            unknown.append("%s %s" % (method, path))
            continue
        real = "/".join("1" if part.startswith("{") else part for part in path.split("/"))
        body = {} if method in ("POST", "PATCH", "PUT") else None
        code, _ = ask(method, real, None, body)
        if may is not PUBLIC and code != 401:
            open_.append("%s %s: %d" % (method, path, code))
        for role in ROLES:
            if (method, path) in enders:
                tokens[role] = login(role, "a lake of one's own" if role == "admin" else "tree house 7")
            code, _ = ask(method, real, tokens[role], body)
            if (code == 403) != (may is not PUBLIC and role not in may) or (code == 401 and may is not PUBLIC):
                wrong.append("%s %s as %s: %d" % (method, path, role, code))
            if code == 500:
                failed.append("%s %s as %s" % (method, path, role))
    check(len(routes) > 40 and not unknown, "%d routes, all of them in the table" % len(routes), "\n".join(unknown))
    check(not open_, "without a token: 401, but for the public ones", "\n".join(open_))
    check(not wrong, "each role may what the table says, and nothing else", "\n".join(wrong))
    check(not failed, "none answers with 500", "\n".join(failed))
    if CONTRACT:
        check(not CONTRACT[0].wrong, "each answer is as the document says (%d bodies)" % CONTRACT[0].looked,
              "\n".join(map(str, CONTRACT[0].wrong[:20])))
    else:
        skip("answers", "python3-jsonschema is not here: they are not compared with the document")


def mixed(tokens):
    """The audit log is for administrators; it stands in /api/events as well."""
    time.sleep(1.5)                 # the store commits within 250 ms
    code, page = ask("GET", "/api/system/audit", tokens["admin"])
    check(code == 200 and page["items"], "administrators read the audit log", page)
    ident = page["items"][0]["id"]
    for path, admin, viewer in (("/api/events?type=audit", 200, 403), ("/api/events/top?type=audit&by=audit.action", 200, 403),
                                ("/api/events/%s" % ident, 200, 404), ("/api/ids/alerts/%s" % ident, 404, 404),
                                ("/api/ml/scores/%s" % ident, 404, 404)):
        got = [ask("GET", path, tokens[role])[0] for role in ("admin", "viewer")]
        check(got == [admin, viewer], "%s: %d for an administrator, %d for a viewer" % (path.replace(str(ident), "ID"), admin,
                                                                                        viewer), got)
    types = {e["event_type"] for e in ask("GET", "/api/events?limit=1000", tokens["viewer"])[1]["items"]}
    check(types and "audit" not in types, "all types as a viewer: without it", types)
    seen = [v["value"] for v in ask("GET", "/api/events/top?by=event_type", tokens["viewer"])[1]["items"]]
    check("audit" not in seen, "counted as a viewer: without it", seen)


def stream(tokens):
    heard = {}
    links = {}
    for role in ("admin", "viewer"):
        links[role] = socket.create_connection(("127.0.0.1", PORT), 5)
        links[role].sendall(("GET /api/network/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
                             % tokens[role]).encode())
    time.sleep(0.5)
    login("operator", "tree house 7")
    time.sleep(1.5)
    for role, link in links.items():
        link.settimeout(0.3)
        heard[role] = b""
        try:
            while piece := link.recv(65536):
                heard[role] += piece
        except OSError:
            pass
        link.close()
    check(b"event: audit" in heard["admin"] and b"event: audit" not in heard["viewer"] and b"connected" in heard["viewer"],
          "the stream gives it to administrators only", heard["viewer"][-300:])


PORT = free_port()
if os.getuid() == 0 and "--inside" not in sys.argv:     # the firewall of this test is that of a network of its own
    os.execvp("unshare", ["unshare", "-n", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", sys.executable, *sys.argv,
                          "--inside"])
run = daemon()
try:
    tokens = everybody()
    mixed(tokens)
    stream(tokens)
    matrix(tokens)
finally:
    run.send_signal(signal.SIGTERM)
    run.wait(30)
check(run.returncode == 0, "the daemon ends in order")
