#!/usr/bin/env python3
"""A plugin with made-up names and fields of every type, built outside the tree with the installed headers alone, appears
in eve.json, the database, /api/events, the OpenAPI document, the live stream and /metrics, and its own route answers:
without a change to any other file."""
import glob
import http.client
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.parse

import libgenerate

from libtest import check, plan

HERE = os.getcwd()


seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
random.seed(seed)
print("# SEED=%d" % seed)
plugin = libgenerate.Plugin()
wanted = plugin.json()
pkg = dict(os.environ, PKG_CONFIG_PATH=os.environ["EC_ROOT"] + "/lib/pkgconfig")
with open("plugin.c", "w", encoding="utf-8") as out:
    out.write(plugin.code())
os.mkdir("plugins", 0o755)
flags = subprocess.check_output(["pkg-config", "--cflags", "ecyber-plugin"], env=pkg, text=True).split()
build = subprocess.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", *flags, "plugin.c", "-o",
                        "plugins/%s.so" % plugin.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
check(build.returncode == 0, "it builds with the installed headers alone", build.stdout)

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
with open("ecyber.yaml", "w", encoding="utf-8") as out:
    out.write("core:\n  plugin_dirs: [%s, %s/plugins]\n  plugins: [eve, store, auth, http, %s]\n  state_dir: %s/state\n"
              "  control_socket: %s/s\nhttp:\n  listen: 127.0.0.1:%d\n  socket: %s/api.sock\n"
              % (os.environ["EC_PLUGINDIR"], HERE, plugin.name, HERE, HERE, port, HERE))


def ask(path, token=None, method="GET", body=None, headers=None):
    """Status and body, decoded where it is JSON."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        c.request(method, path, body, dict(headers or {}, **({"Authorization": "Bearer " + token} if token else {})))
        r = c.getresponse()
        raw = r.read().decode("utf-8")
        return r.status, json.loads(raw) if r.getheader("Content-Type", "").startswith("application/json") else raw
    except OSError as error:
        return 0, str(error)
    finally:
        c.close()


def until(what, seconds=20):
    """Its first result that is true, or the last one."""
    end = time.time() + seconds
    got = what()
    while not got and time.time() < end and daemon.poll() is None:
        time.sleep(0.2)
        got = what()
    return got


def password():
    try:
        with open("state/auth/first-password", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return None


def same(event):
    """Is the event's record the one that was made up? Its serial aside."""
    got = dict(event.get(plugin.root, {}))
    return isinstance(got.pop(plugin.serial, None), int) and got == wanted and event["event_type"] == plugin.root


def follow(token, out):
    """The first event of ours in the live stream."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        c.request("GET", "/api/network/events/stream?types=" + plugin.root, headers={"Authorization": "Bearer " + token})
        r = c.getresponse()
        out.append((r.status, r.getheader("Content-Type")))
        name = None
        for line in iter(r.readline, b""):
            if line.startswith(b"event: "):
                name = line[7:].decode().strip()
            if line.startswith(b"data: ") and name == plugin.root:
                out.append(json.loads(line[6:]))
                return
    except OSError as error:
        out.append(error)
    finally:
        c.close()


def schema_of(schema, path):
    for part in path.split("."):
        schema = schema.get("properties", {}).get(part, {})
    return schema


def property_types(document):
    """The type of each of our fields in the schema of our event."""
    event = document.get("components", {}).get("schemas", {}).get("Event_" + plugin.root, {})
    whole = {"properties": {}}
    for part in event.get("allOf", [event]):
        whole["properties"].update(part.get("properties", {}))
    return {f.path: schema_of(whole, plugin.root + "." + f.path).get("type") for f in plugin.fields}


def query(**fields):
    return "/api/events?" + urllib.parse.urlencode(dict(type=plugin.root, limit=5, **fields))


with open("log", "wb") as log:
    daemon = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml"], stdout=log, stderr=log)
try:
    once = until(lambda: ask("/healthz")[0] == 200 and password())
    status, answer = ask("/api/auth/login", method="POST", headers={"Content-Type": "application/x-www-form-urlencoded"},
                         body=urllib.parse.urlencode({"username": "admin", "password": once or ""}))
    token = answer.get("access_token") if isinstance(answer, dict) else None
    check(status == 200 and token, "the administrator logs in with the one-time password", (status, answer))
    status, answer = ask("/api/auth/change-password", method="POST", headers={
        "Content-Type": "application/json", "Authorization": "Bearer " + (token or "")},
        body=json.dumps({"current_password": once or "", "new_password": "a lake of one's own"}))
    check(status == 200, "and chooses another", (status, answer))
    token = answer.get("access_token", "") if isinstance(answer, dict) else ""
    stream = []
    thread = threading.Thread(target=follow, args=(token, stream))
    thread.start()

    status, page = until(lambda: (lambda got: got[1].get("items") and got if got[0] == 200 else None)(ask(query(), token))) \
        or ask(query(), token)
    items = page.get("items", []) if isinstance(page, dict) else []
    check(items and all(same(e) for e in items), "/api/events has it by its type", (status, str(page)[:600], wanted))
    for kind in "U32", "ENUM", "IP", "F64", "WIRE", "TEXT":
        field = plugin.of(kind)
        name = plugin.root + "." + field.path
        status, page = ask(query(**{name: field.json}), token)
        hit = status == 200 and page["items"]
        status, other = ask(query(**{name + ".ne": field.json}), token)
        check(hit and status == 200 and not other["items"], "and by its field of type " + kind, (page, other))
    status, page = ask(query(**{plugin.root + ".nothing": 1}), token)
    check(status == 422, "a field that it does not have is refused", (status, page))
    status, answer = ask("/api/" + plugin.path, token)
    check(status == 200 and answer[plugin.serial] > 0, "its route answers", (status, answer))
    check(ask("/api/" + plugin.path)[0] == 401, "but only to whoever has logged in")

    status, document = ask("/api/openapi.json", token)
    types = property_types(document) if status == 200 else {}
    check(status == 200 and types == {f.path: f.schema for f in plugin.fields}, "OpenAPI has each of its fields with its type",
          {f.path: (f.kind, types.get(f.path)) for f in plugin.fields if types.get(f.path) != f.schema})
    check(status == 200 and document["paths"].get("/api/" + plugin.path, {}).get("get", {}).get("operationId") == plugin.opid,
          "and its route", status)
    status, text = ask("/metrics", token)
    found = re.search(r"^ecyber_%s_%s_total ([1-9]\d*)$" % (plugin.name, plugin.metric), str(text), re.M)
    check(status == 200 and found, "/metrics has its counter", (status, str(text)[:300]))
    thread.join(16)
    check(len(stream) == 2 and stream[0][0] == 200 and isinstance(stream[1], dict) and same(stream[1]),
          "the live stream has it", stream)
finally:
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait(timeout=30)
with open("log", encoding="utf-8") as log:
    text_of_log = log.read()
check(code == 0, "the daemon stops well", text_of_log)

with open("state/eve/eve.json", encoding="utf-8") as lines:
    events = [e for e in map(json.loads, lines) if e["event_type"] == plugin.root]
check(events and all(same(e) for e in events), "eve.json has it", (events[:1], wanted))
serials = [e[plugin.root][plugin.serial] for e in events]
check(serials == list(range(1, len(serials) + 1)), "each of them, in order", serials)

hidden = plugin.of("SECRET").hidden.split()[0].encode()
rows, columns = [], {}
for name in sorted(glob.glob("state/store/events-*.db")):
    base = sqlite3.connect("file:%s?mode=ro" % name, uri=True)
    rows += [json.loads(text) for text, in base.execute(
        "SELECT json.text FROM event JOIN json ON json.row = event.row WHERE event_type = ? ORDER BY event.row", (plugin.root,))]
    for row in base.execute("PRAGMA table_info('t_%s')" % plugin.root):
        columns[row[1]] = base.execute('SELECT "%s" FROM "t_%s" LIMIT 1' % (row[1], plugin.root)).fetchone()
    base.close()
bytes_of = {name: open(name, "rb").read() for name in glob.glob("state/store/*") + ["state/eve/eve.json", "log"]}
check(bytes_of and not [name for name, content in bytes_of.items() if hidden in content], "its secret is nowhere", list(bytes_of))
check(len(rows) == len(events) and all(same(e) for e in rows), "the database has all of them", (len(rows), len(events), rows[:1]))
named = [plugin.of(k).path for k in ("U32", "TEXT", "IP", "ENUM", "F64", "WIRE")] + [plugin.serial]
check(all(n in columns and columns[n] and columns[n][0] is not None for n in named),
      "with the columns that it asked for", (named, columns))
check(columns.get(plugin.of("U32").path, [None])[0] == plugin.of("U32").json, "and their values", columns)
plan()
