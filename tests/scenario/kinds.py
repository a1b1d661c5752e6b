#!/usr/bin/env python3
"""Every kind of plugin that the ABI was designed for does its work in the real daemon."""
import json
import os
import socket
import subprocess
import time

from libtest import check, plan

KINDS = ["actuator", "enricher", "inspector", "policy", "sink"]


def run(name, plugins, *args):
    """Events, exit code and log of one run in a folder of its own."""
    os.mkdir(name)
    eve = os.path.join(os.getcwd(), name, "eve.json")
    with open(name + "/ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s]\n  plugins: [%s]\n  state_dir: state\neve:\n  file: %s\n"
                  % (os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"], ", ".join(plugins), eve))
        if "kind_actuator" in plugins:
            out.write("kind_actuator:\n  allow: 10.66.0.10\n")
        if "ids" in plugins:
            out.write("ids:\n  rule_files: [%s/etc/rules/ecyber.rules]\n" % os.environ["EC_SRC"])
            out.write("  classification_file: %s/etc/rules/classification.config\n" % os.environ["EC_SRC"])
    done = subprocess.run([os.environ["ECYBERD"], "-c", name + "/ecyber.yaml", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=50, check=False)
    events = []
    if os.path.exists(eve):
        with open(eve, encoding="utf-8") as lines:
            events = [json.loads(line) for line in lines]
    return events, done.returncode, done.stdout.decode("utf-8", "replace")


def of(events, kind):
    return [e for e in events if e["event_type"] == kind]


def all_kinds(workers):
    capture = os.path.join(os.environ["EC_DATA"], "sample.pcap")
    events, code, log = run("w%d" % workers, ["capture", "traffic", "ids", "eve"] + ["kind_" + k for k in KINDS],
                            "-r", capture, "--workers", str(workers))
    tag = " (%d workers)" % workers
    check(code == 0, "the daemon ends well" + tag, log)
    flows, seen = of(events, "flow"), of(events, "seen")
    check(flows and len(seen) == len(flows), "inspector: an event for each flow" + tag, (len(flows), len(seen)))
    check(seen and all("flow" in e and e["src_ip"] for e in seen), "inspector: the flow is attached" + tag, seen[:1])
    check(sum(e["seen"]["transactions"] for e in seen) >= len(of(events, "http")) > 0,
          "inspector: transactions were seen" + tag)
    placed = [e["ecyber"]["place"] for e in flows if "place" in e.get("ecyber", {})]
    check(len(placed) == len(flows), "enricher: flows carry the place of their private end" + tag, flows[:1])
    bans = of(events, "testban")
    alerts = of(events, "alert")
    check(alerts and {b["testban"]["addr"] for b in bans if b["testban"]["action"] == "ban"} >=
          {a["src_ip"] for a in alerts if a["src_ip"] != "10.66.0.10"}, "policy and actuator: sources are banned" + tag, bans[:2])
    check(any(b["testban"]["action"] == "refused" and b["testban"]["addr"] == "10.66.0.10" for b in bans),
          "actuator: the allow-list wins" + tag, bans[:2])


def ask(path, target):
    """The reply to one GET on the HTTP server's Unix socket: status line and body."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(path)
        s.sendall(b"GET %s HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n" % target)
        data = b""
        while more := s.recv(65536):
            data += more
    head, _, body = data.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], body


def api_provider():
    """A plugin that declares a route; its reply is a document that another one keeps."""
    os.mkdir("api")
    path = os.path.join(os.getcwd(), "api", "api.sock")
    with open("api/ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s]\n  plugins: [http, kind_api, store]\n  state_dir: state\n"
                  "  control_socket: %s/c.sock\nhttp:\n  listen: none\n  socket: %s\n"
                  % (os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"], os.path.join(os.getcwd(), "api"), path))
    with open("api/log", "wb") as log, subprocess.Popen([os.environ["ECYBERD"], "-c", "api/ecyber.yaml"], stdout=log,
                                                        stderr=subprocess.STDOUT) as daemon:
        for _ in range(200):
            if os.path.exists(path):
                break
            time.sleep(0.05)
        try:
            line, body = ask(path, b"/api/test/note")
            check(line == b"HTTP/1.1 200 OK" and json.loads(body) == {"visits": 7, "text": "kept in the store"},
                  "API provider, the HTTP server and the store", (line, body))
            document = json.loads(ask(path, b"/api/openapi.json")[1])
            operation = document["paths"]["/api/test/note"]["get"]
            check(operation["operationId"] == "get_note" and "visits" in json.dumps(operation["responses"]["200"]),
                  "its route is in the OpenAPI document, with the rows of its record", operation)
        except (OSError, KeyError, ValueError) as error:
            check(False, "API provider, the HTTP server and the store", error)
        daemon.terminate()
        check(daemon.wait(20) == 0, "the daemon ends well (API)")


all_kinds(0)
all_kinds(2)
api_provider()

events, code, log = run("synth", ["kind_source", "traffic", "eve"], "--set", "core.sources=[synth:1000]",
                        "--workers", "0")
flows = of(events, "flow")
check(code == 0 and len(flows) == 16, "source: sixteen flows", (code, len(flows), log))
check(sum(e["flow"]["pkts_toserver"] for e in flows) == 1000, "source: every frame arrives", flows[:1])
plan()
