#!/usr/bin/env python3
"""The official suites of Engine.IO 4 (25 tests) and Socket.IO 5 (32) against the daemon with an echo plugin, three times
in a row."""
import json
import os
import shutil
import subprocess
import sys

from libsio import Daemon

SOURCES = os.path.join(os.environ["EC_SRC"], "tests", "sio", "suites")
SUITES = ("engine.io-v4.js", 25), ("socket.io-v5.js", 32)
ROUNDS = 3
count = 0


def check(good, what, detail=""):
    global count
    count += 1
    print("%sok %d - %s" % ("" if good else "not ", count, what), flush=True)
    if not good:
        print("# " + str(detail)[:1500].replace("\n", "\n# "), flush=True)


def skip(why):
    print("SKIP: " + why)
    sys.exit(77)


def run(name):
    """Number of tests passed and failed, and what failed."""
    done = subprocess.run(["timeout", "60", "node_modules/.bin/mocha", "--retries", "2", "--reporter", "json", name],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    try:
        got = json.loads(done.stdout[done.stdout.index("{"):])
    except ValueError:
        return 0, 0, done.stdout + done.stderr
    again = [t["fullTitle"] for t in got["tests"] if t.get("currentRetry")]
    if again:
        print("# needed a second try: %s" % ", ".join(again))
    return got["stats"]["passes"], got["stats"]["failures"], [f["fullTitle"] for f in got["failures"]]


if not (shutil.which("npm") and shutil.which("node")):
    skip("npm or node is not there")
for file in "package.json", "package-lock.json", "node-imports.js":
    shutil.copy(os.path.join(SOURCES, file), file)
if subprocess.run(["timeout", "60", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline",
                   "--fetch-retries=1", "--fetch-timeout=20000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                  check=False).returncode:
    skip("npm could not fetch what the suites run with")
d = Daemon(["http", "socketio", "tp_sio"], "", "socketio:\n  namespace: none\n  ping_interval: 300ms\n  ping_timeout: 200ms\n")
for file, _ in SUITES:
    with open(os.path.join(SOURCES, file), encoding="utf-8") as f:
        text = f.read()
    with open(file, "w", encoding="utf-8") as f:
        f.write(text.replace("http://localhost:3000", "http://127.0.0.1:%d" % d.port))
for i in range(ROUNDS):
    for file, number in SUITES:
        passes, failures, detail = run(file)
        check(passes == number and failures == 0, "%s, round %d: %d of %d" % (file, i + 1, passes, number), detail)
check(d.stop() == 0, "the daemon ends well")
