#!/usr/bin/env python3
"""Requests a second for one page of 50 alerts, beside nginx that serves the same bytes from a file, and FastAPI with
uvicorn that reads the same alerts from the same SQLite file: one process each on one core, the client on the other.
Medians of five rounds that take turns, so that whatever else the machine does hits all. Needs wrk and nginx, and
Debian's python3-fastapi and uvicorn; without the latter only nginx is compared.
The store keeps a page that is asked for again until something is stored, so the page is asked for in four ways: the
same again with nothing stored, with 10 and with 1,000 events/s that are stored meanwhile, and by a question that is
another one each time, so that each page is read from SQLite."""
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request

ROUNDS, SECONDS, CLIENTS, PAGE = 5, 2, 16, 50
OTHER_EACH_TIME = """
local n = 0
request = function()
    n = n + 1
    return wrk.format("GET", wrk.path .. string.format("&until=2100-01-01T00:00:00.%09dZ", n))
end
"""
PYTHON = "/usr/bin/python3"         # Debian's, which has its packages
# As fast as it is written there: the connection stays open, no thread, and nobody is asked who he is.
FASTAPI = """
import glob, json, os, sqlite3
from fastapi import FastAPI
from fastapi.responses import JSONResponse
app = FastAPI()
db = sqlite3.connect("file:%s?mode=ro" % max(glob.glob("state/store/events-*.db")), uri=True, check_same_thread=False)

@app.get("/api/ids/alerts")
async def alerts(limit: int = 100):
    rows = db.execute("SELECT id, text FROM event JOIN json USING(row) WHERE event_type = 'alert' "
                      "ORDER BY row DESC LIMIT ?", (limit,))
    return JSONResponse({"items": [{"id": str(id), **json.loads(text)} for id, text in rows], "next_cursor": None})
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("nothing listens on port %d" % port)


def on_core(core):
    """Before a command: on that core; the servers have the first, the client has the last."""
    return ["taskset", "-c", str(core)] if os.cpu_count() > 1 and shutil.which("taskset") else []


def daemon(conf, *args):
    return subprocess.Popen(on_core(0) + [os.environ["ECYBERD"], "--alone", "-c", conf, *args],
                            stdout=open("log", "ab"), stderr=subprocess.STDOUT)


def fastapi(port):
    """The same page from FastAPI; None where that is not installed."""
    if subprocess.run([PYTHON, "-c", "import fastapi, uvicorn"], stderr=subprocess.DEVNULL, check=False).returncode:
        print("http: FastAPI is not compared: python3-fastapi and uvicorn are not installed")
        return None
    with open("peer.py", "w", encoding="utf-8") as out:
        out.write(FASTAPI)
    server = subprocess.Popen(on_core(0) + [PYTHON, "-m", "uvicorn", "peer:app", "--port", str(port), "--workers", "1",
                                            "--log-level", "warning", "--no-access-log"])
    wait_for(port)
    return server


def measure(url, token, *options):
    done = subprocess.run(on_core(os.cpu_count() - 1) +
                          ["wrk", "-t1", "-c%d" % CLIENTS, "-d%ds" % SECONDS, "-H", "Authorization: Bearer " + token,
                           *options, url], stdout=subprocess.PIPE, check=True)
    text = done.stdout.decode()
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit("not every request was answered:\n" + text)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def cpu(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def configure(port, rate):
    """rate: of events a second that are stored while the page is asked for."""
    here = os.getcwd()
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s]\n  plugins: [capture, traffic, ids, store, auth, http%s]\n"
                  "  state_dir: state\n  control_socket: %s/c.sock\n"
                  "http:\n  listen: 127.0.0.1:%d\n  socket: %s/a.sock\n"
                  "ids:\n  rule_files: [%s/etc/rules/ecyber.rules]\n"
                  "  classification_file: %s/etc/rules/classification.config\n"
                  % (os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"],
                     ", kind_source, kind_inspector" if rate else "", here, port, here, os.environ["EC_SRC"],
                     os.environ["EC_SRC"]))
        if rate:
            out.write("kind_inspector:\n  every_packet: true\n")
    return ["--set", "core.sources=[rush:100000000:%d:hold]" % rate] if rate else []


def counts(port):
    """Pages that came from memory, pages that were read, events that were stored; the time."""
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port) as reply:
        text = reply.read().decode()
    return [int(re.search(r"^\S*store_%s\S* (\d+)$" % what, text, re.M).group(1))
            for what in ("pages_hits", "pages_misses", "events_stored")] + [time.monotonic()]


class Sides:
    """What is compared: the same bytes from nginx, in turn with ours."""
    def __init__(self, token, port, peer, worker):
        self.token, self.port, self.peer, self.worker = token, port, peer, worker

    def compare(self, what, server, *options, rate=0):
        ours, used, theirs, theirs_used = [], [], [], []
        url = "http://127.0.0.1:%d/api/ids/alerts?limit=%d" % (self.port, PAGE)
        first = counts(self.port)
        for _ in range(ROUNDS):
            before = cpu(server.pid)
            ours.append(measure(url, self.token, *options))
            used.append((cpu(server.pid) - before) / (ours[-1] * SECONDS) * 1e6)
            before = cpu(self.worker)
            theirs.append(measure("http://127.0.0.1:%d/page" % self.peer, self.token))
            theirs_used.append((cpu(self.worker) - before) / (theirs[-1] * SECONDS) * 1e6)
        time.sleep(0.3)             # the counters are told every 100 ms
        hits, misses, stored, seconds = (b - a for a, b in zip(first, counts(self.port)))
        if stored < rate * seconds / 2:
            sys.exit("%d events were stored in %.0f s" % (stored, seconds))
        a, b = statistics.median(ours), statistics.median(theirs)
        c, d = statistics.median(used), statistics.median(theirs_used)
        print("http: %s: %.0f requests/s, %.0f us of CPU each, %.1f %% from memory" %
              (what, a, c, 100 * hits / (hits + misses)))
        print("http: nginx, the same bytes from a file: %.0f requests/s, %.0f us of CPU each; ratio %.2f, of CPU %.2f" %
              (b, d, a / b, d / c))
        return a


def main():
    missing = [tool for tool in ("wrk", "nginx") if not shutil.which(tool)]
    if missing:
        print("http: not run: %s is not installed" % " and ".join(missing))
        return
    port, peer, other = free_port(), free_port(), free_port()
    here = os.getcwd()
    configure(port, 0)
    for _ in range(2):          # 28 alerts each
        if daemon("ecyber.yaml", "-r", os.path.join(os.environ["EC_DATA"], "sample.pcap")).wait(60):
            sys.exit("the replay failed, see log")
    server = daemon("ecyber.yaml")
    wait_for(port)
    with open("state/auth/first-password", encoding="utf-8") as f:
        secret = f.read().strip()
    form = urllib.parse.urlencode({"username": "admin", "password": secret}).encode()
    with urllib.request.urlopen("http://127.0.0.1:%d/api/auth/login" % port, form) as reply:
        token = json.load(reply)["access_token"]
    change = json.dumps({"current_password": secret, "new_password": "a lake of one's own"}).encode()
    with urllib.request.urlopen(urllib.request.Request(
            "http://127.0.0.1:%d/api/auth/change-password" % port, change,
            {"Authorization": "Bearer " + token, "Content-Type": "application/json"})) as reply:
        token = json.load(reply)["access_token"]
    url = "http://127.0.0.1:%d/api/ids/alerts?limit=%d" % (port, PAGE)
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": "Bearer " + token})) as reply:
        page = reply.read()
    if len(json.loads(page)["items"]) != PAGE:
        sys.exit("the page has %d alerts" % len(json.loads(page)["items"]))
    os.mkdir("www")
    with open("www/page", "wb") as out:
        out.write(page)
    os.chmod(here, 0o755)
    with open("nginx.conf", "w", encoding="utf-8") as out:
        out.write("worker_processes 1; daemon off; pid %s/nginx.pid; error_log %s/nginx.log; events {}\n"
                  "http { access_log off; default_type application/json; keepalive_requests 1000000;\n"
                  " client_body_temp_path %s/t1; proxy_temp_path %s/t2; fastcgi_temp_path %s/t3; uwsgi_temp_path %s/t4;\n"
                  " scgi_temp_path %s/t5; server { listen 127.0.0.1:%d; root %s/www; } }\n"
                  % ((here,) * 7 + (peer, here)))
        if os.geteuid() == 0:
            out.write("user root;\n")
    nginx = subprocess.Popen(on_core(0) + ["nginx", "-c", here + "/nginx.conf"], stderr=subprocess.DEVNULL)
    wait_for(peer)
    python = fastapi(other)
    if python:
        with urllib.request.urlopen("http://127.0.0.1:%d/api/ids/alerts?limit=%d" % (other, PAGE)) as reply:
            same = [alert["id"] for alert in json.load(reply)["items"]]
        if same != [alert["id"] for alert in json.loads(page)["items"]]:
            sys.exit("FastAPI does not read the same alerts")
    with open("each.lua", "w", encoding="utf-8") as out:
        out.write(OTHER_EACH_TIME)
    worker = int(subprocess.run(["pgrep", "-P", str(nginx.pid)], stdout=subprocess.PIPE, check=True).stdout.split()[0])
    sides = Sides(token, port, peer, worker)
    print("http: a page of %d alerts, %d bytes" % (PAGE, len(page)))
    ours = sides.compare("the same page", server)
    if python:
        pythons = [measure("http://127.0.0.1:%d/api/ids/alerts?limit=%d" % (other, PAGE), token) for _ in range(ROUNDS)]
        c = statistics.median(pythons)
        print("http: FastAPI and uvicorn, the same alerts from the same file: %.0f requests/s; ratio %.1f" %
              (c, ours / c))
    each = sides.compare("another question each time", server, "-s", "each.lua")
    if python:
        print("http: which is %.1f times FastAPI" % (each / c))
    for rate in (10, 1000):
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        server = daemon("ecyber.yaml", *configure(port, rate))
        wait_for(port)
        sides.compare("the same page while %d events/s are stored" % rate, server, rate=rate)
    for process in filter(None, (nginx, server, python)):
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    print("ok")


main()
