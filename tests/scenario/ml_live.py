#!/usr/bin/env python3
# alone: short times
"""Scores of live traffic, and their way into the API: a scan between two network namespaces raises a score alert; models,
features, scores and one score by its id are answered; a reload that changes the threshold holds for the next flow."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

from libtest import check, plan

HERE = os.getcwd()
A, B = "mlx%da" % os.getpid(), "mlx%db" % os.getpid()
if os.geteuid() or subprocess.run(["ip", "netns", "add", A], check=False).returncode:
    print("SKIP: it needs root and network namespaces")
    sys.exit(77)


def ip(*args):
    subprocess.run(["ip", *args], check=True, timeout=30)


def inside(ns, program, *args):
    """Python in a namespace, also where `ip netns exec` cannot have a mount namespace."""
    subprocess.run(["nsenter", "--net=/run/netns/" + ns, sys.executable, "-c", program, *args], check=False, timeout=60)


def configure(extra=""):
    with open("c.yaml", "w", encoding="utf-8") as file:
        file.write("""core:
  plugin_dirs: [%(plugins)s]
  plugins: [capture, traffic, ids, ml, eve, store, http, auth]
  sources: [live:eth0]
  state_dir: %(here)s/state
  control_socket: %(here)s/control.sock
http: {listen: "127.0.0.1:8000", socket: %(here)s/api.sock}
eve: {file: %(here)s/eve.json}
ml: {alert_window: 60s%(extra)s}
""" % {"plugins": os.environ["EC_PLUGINDIR"], "here": HERE, "extra": extra})


def api(path):
    """What the API says over its Unix socket, where the caller is who he is: root is an administrator."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect("api.sock")
        s.sendall(("GET %s HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n" % path).encode())
        data = b""
        while piece := s.recv(65536):
            data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), json.loads(body) if body else None


def ctl(*words):
    return subprocess.run([os.environ["ECYBERCTL"], "-a", "api.sock", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30, check=False).stdout.decode()


def wait(what, seconds=30):
    """The first thing that what() finds."""
    end = time.time() + seconds
    while time.time() < end:
        with contextlib.suppress(OSError, ValueError):
            found = what()
            if found:
                return found
        time.sleep(0.3)
    return None


def events(kind):
    with open("eve.json", encoding="utf-8") as file:
        return [e for e in map(json.loads, file) if e["event_type"] == kind]


SCAN = """
import socket, sys
for port in range(1000, 1000 + int(sys.argv[1])):
    s = socket.socket()
    s.settimeout(0.3)
    s.connect_ex(('10.93.0.2', port))
    s.close()
"""


def main():
    ip("link", "add", "eth0", "netns", A, "type", "veth", "peer", "name", "eth0", "netns", B)
    for ns, address in ((A, "10.93.0.1/24"), (B, "10.93.0.2/24")):
        ip("-n", ns, "addr", "add", address, "dev", "eth0")
        ip("-n", ns, "link", "set", "eth0", "up")
        ip("-n", ns, "link", "set", "lo", "up")
    configure()
    with open("log", "w", encoding="utf-8") as log:
        run = subprocess.Popen(["nsenter", "--net=/run/netns/" + B, os.environ["ECYBERD"], "-c", "c.yaml"], stdout=log, stderr=log)
    try:
        ready = wait(lambda: api("/api/health")[0] == 200)
        check(ready, "the daemon answers", open("log", encoding="utf-8").read())
        if ready:
            ask(run)
    finally:
        run.send_signal(signal.SIGTERM)
        check(run.wait(30) == 0, "it ends well", open("log", encoding="utf-8").read())


def ask(run):
    status, models = api("/api/ml/models")
    check(status == 200 and models["items"][0]["id"] == "flow-1" and "problem" not in models, "the model in use", models)
    status, features = api("/api/ml/features")
    check(status == 200 and len(features["items"]) > 50 and all(f["help"] for f in features["items"]), "the features")
    inside(A, SCAN, "150")
    found = wait(lambda: [a for a in events("alert") if a["alert"]["gid"] == 3])
    check(found and found[0]["src_ip"] == "10.93.0.1", "a live scan raises a score alert",
          open("log", encoding="utf-8").read())
    check(found and found[0]["score"]["features"], "with the features that weighed most")
    page = wait(lambda: (lambda r: r[1] if r[0] == 200 and r[1]["items"] else None)(
        api("/api/ml/scores?verdict=suspicious&limit=5")))
    check(page and len(page["items"]) == 5, "a page of scores", page or api("/api/ml/scores?verdict=suspicious&limit=5"))
    if page:
        one = page["items"][0]
        status, again = api("/api/ml/scores/%s" % one["id"])
        check(status == 200 and again["score"] == one["score"], "one score by its id", again)
        said = ctl("-o", "json", "ml", "explain", str(one["id"]))
        check(json.loads(said)["score"]["features"] == one["score"]["features"], "ecyberctl ml explain shows it", said)
        check("flow-1" in ctl("ml", "list"), "ecyberctl ml list names the model")
        check(api("/api/ml/scores?verdict=normal")[1]["items"] == [], "the filter holds: none is normal")
        check(api("/api/ml/scores?nonsense=1")[0] == 422, "an unknown filter is refused")
    configure(", threshold: 1")
    run.send_signal(signal.SIGHUP)
    check(wait(lambda: api("/api/ml/models")[1]["items"][0]["threshold"] == 1), "a reload changes the threshold")
    before = len(events("score"))
    inside(A, SCAN, "100")
    time.sleep(3)
    check(len(events("score")) == before, "and no flow reaches 1", len(events("score")) - before)


try:
    ip("netns", "add", B)
    main()
finally:
    for name in (A, B):
        subprocess.run(["ip", "netns", "del", name], check=False)
plan()
