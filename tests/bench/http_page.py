#!/usr/bin/env python3
"""Requests a second for one page of 50 alerts, beside nginx that serves the same bytes from a file, and FastAPI with
uvicorn that reads the same alerts from the same SQLite file: one process each on one core, the client on the other.
Medians of five rounds that take turns, so that whatever else the machine does hits all. Needs wrk and nginx, and
Debian's python3-fastapi and uvicorn; without the latter only nginx is compared."""
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


def measure(url, token):
    done = subprocess.run(on_core(os.cpu_count() - 1) +
                          ["wrk", "-t1", "-c%d" % CLIENTS, "-d%ds" % SECONDS, "-H", "Authorization: Bearer " + token, url],
                          stdout=subprocess.PIPE, check=True)
    text = done.stdout.decode()
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit("not every request was answered:\n" + text)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def cpu(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    missing = [tool for tool in ("wrk", "nginx") if not shutil.which(tool)]
    if missing:
        print("http: not run: %s is not installed" % " and ".join(missing))
        return
    port, peer, other = free_port(), free_port(), free_port()
    here = os.getcwd()
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [capture, traffic, ids, store, auth, http]\n  state_dir: state\n"
                  "  control_socket: %s/c.sock\nhttp:\n  listen: 127.0.0.1:%d\n  socket: %s/a.sock\n"
                  "ids:\n  rule_files: [%s/etc/rules/ecyber.rules]\n  classification_file: %s/etc/rules/classification.config\n"
                  % (os.environ["EC_PLUGINDIR"], here, port, here, os.environ["EC_SRC"], os.environ["EC_SRC"]))
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
    ours, theirs, pythons, used, theirs_used = [], [], [], [], []
    worker = int(subprocess.run(["pgrep", "-P", str(nginx.pid)], stdout=subprocess.PIPE, check=True).stdout.split()[0])
    for _ in range(ROUNDS):
        before = cpu(server.pid)
        ours.append(measure(url, token))
        used.append((cpu(server.pid) - before) / (ours[-1] * SECONDS) * 1e6)
        before = cpu(worker)
        theirs.append(measure("http://127.0.0.1:%d/page" % peer, token))
        theirs_used.append((cpu(worker) - before) / (theirs[-1] * SECONDS) * 1e6)
        if python:
            pythons.append(measure("http://127.0.0.1:%d/api/ids/alerts?limit=%d" % (other, PAGE), token))
    a, b = statistics.median(ours), statistics.median(theirs)
    print("http: a page of %d alerts, %d bytes, from the store: %.0f requests/s, %.0f us of CPU each" %
          (len(json.loads(page)["items"]), len(page), a, statistics.median(used)))
    print("http: nginx, the same bytes from a file: %.0f requests/s, %.0f us of CPU each; ratio %.2f, of CPU %.2f" %
          (b, statistics.median(theirs_used), a / b, statistics.median(theirs_used) / statistics.median(used)))
    if python:
        c = statistics.median(pythons)
        print("http: FastAPI and uvicorn, the same alerts from the same file: %.0f requests/s; ratio %.1f" % (c, a / c))
    for process in filter(None, (nginx, server, python)):
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    print("ok")


main()
