#!/usr/bin/env python3
"""Socket.IO with the clients that people use: npm's socket.io-client and Debian's python3-socketio, on each
transport, with TLS and without."""
import os
import shutil
import subprocess
import sys

from libsio import Daemon

SOURCES = os.path.join(os.environ["EC_SRC"], "tests", "sio")
PYTHON = "/usr/bin/python3"         # Debian's, which has Debian's packages
CHOSEN = "a lake of one's own"
count = 0


def check(good, what, detail=""):
    global count
    count += 1
    print("%sok %d - %s" % ("" if good else "not ", count, what), flush=True)
    if not good:
        print("# " + str(detail)[:1500].replace("\n", "\n# "), flush=True)


def sh(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)


def install():
    """npm's client into this folder. Why not, or ''."""
    if not (shutil.which("npm") and shutil.which("node")):
        return "npm or node is not there"
    for name in "package.json", "package-lock.json", "client.mjs":
        shutil.copy(os.path.join(SOURCES, name), name)
    done = sh("timeout", "60", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline",
              "--fetch-retries=1", "--fetch-timeout=20000")
    return "" if done.returncode == 0 else "npm could not fetch socket.io-client"


def token(d):
    with open(d.state + "/auth/first-password", encoding="utf-8") as f:
        first = f.read().strip()
    old = d.json("POST", "/api/auth/login", body={"username": "admin", "password": first})[1]["access_token"]
    d.json("POST", "/api/auth/change-password", old, {"current_password": first, "new_password": CHOSEN})
    return d.json("POST", "/api/auth/login", body={"username": "admin", "password": CHOSEN})[1]["access_token"]


def report(name, done, least):
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ok ", "not ok "))]
    for line in lines:
        check(line.startswith("ok "), line.partition("ok ")[2], line)
    check(done.returncode == 0 and len(lines) >= least, "%s ran to its end" % name, done.stdout[-1000:])


missing = [why for why in (install(), "" if sh(PYTHON, "-c", "import socketio, aiohttp").returncode == 0 else
                           "python3-socketio or python3-aiohttp is not there") if why]
if len(missing) == 2:
    print("SKIP: " + "; ".join(missing))
    sys.exit(77)
PLUGINS = ["store", "http", "auth", "socketio", "tp_sio", "tp_news"]
d = Daemon(PLUGINS, "", "socketio:\n  namespace: /events\n")
good = token(d)
url = "http://127.0.0.1:%d" % d.port
if os.path.exists("client.mjs") and not any("npm" in why for why in missing):
    report("socket.io-client", sh("timeout", "60", "node", "client.mjs", url, good), 25)
if not any("python3" in why for why in missing):
    report("python3-socketio", sh("timeout", "60", PYTHON, os.path.join(SOURCES, "client.py"), url, good), 18)
check(d.metric("socketio_malformed") == 0, "no packet was malformed")
check(d.stop() == 0, "the daemon ends well")

# the same over TLS; the token holds, for the state is the same
made = sh(os.environ["ECYBERCTL"], "tls", "self-signed", "127.0.0.1")
check(made.returncode == 0, "a certificate", made.stdout)
d = Daemon(PLUGINS, "  tls_cert: cert.pem\n  tls_key: key.pem\n", "socketio:\n  namespace: /events\n")
url = "https://127.0.0.1:%d" % d.port
if os.path.exists("client.mjs") and not any("npm" in why for why in missing):
    report("socket.io-client with TLS", sh("timeout", "60", "node", "client.mjs", url, good,
                                           env={**os.environ, "NODE_EXTRA_CA_CERTS": os.path.abspath("cert.pem")}), 17)
if not any("python3" in why for why in missing):
    report("python3-socketio with TLS", sh("timeout", "60", PYTHON, os.path.join(SOURCES, "client.py"), url, good), 18)
check(d.stop() == 0, "the daemon ends well, with TLS")
