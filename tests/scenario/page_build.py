#!/usr/bin/env python3
# alone: npm may ask its registry
"""The build of the page: without npm, or with a registry that does not answer, the page is left out and says so, in the
time that was given; the lock file names no registry; a tarball's page is taken as it is. And the page's parts that need
no browser."""
import gzip
import json
import os
import shutil
import socket
import subprocess
import time

from libtest import check

SOURCE = os.environ["EC_SRC"] + "/plugins/page"


def build(name, source=SOURCE, **environment):
    """build.sh in a folder of its own: seconds, exit code, what it said, the page."""
    os.mkdir(name)
    began = time.monotonic()
    done = subprocess.run([source + "/build.sh", source, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env={**os.environ, **environment}, check=False)
    page = name + "/dist/index.html.gz"
    text = gzip.open(page, "rt").read() if os.path.exists(page) else ""
    return time.monotonic() - began, done.returncode, done.stdout, text


def tools(folder, names):
    os.mkdir(folder)
    for name in names.split():
        os.symlink(shutil.which(name), folder + "/" + name)
    return os.path.abspath(folder)


BASIC = "sh sed sort cp mv rm mkdir find wc gzip cmp chmod timeout"
seconds, code, said, page = build("bare", PATH=tools("bin", BASIC))
check(code == 0 and "was not found" in page and "LEFT OUT" in said, "without npm the build goes on and says so", said)

with open(SOURCE + "/web/package-lock.json", encoding="utf-8") as file:
    lock = file.read()
check("registry" not in lock and '"resolved"' not in lock, "the lock file names no registry")
packages = [package for name, package in json.loads(lock)["packages"].items() if name]
check(all("integrity" in p for p in packages), "it has a checksum for each package")

with socket.socket() as silent:
    silent.bind(("127.0.0.1", 0))
    silent.listen(64)
    if shutil.which("npm") and shutil.which("node"):
        seconds, code, said, page = build("silent", EC_NPM_SECONDS="6", npm_config_cache=os.path.abspath("cache"),
                                          npm_config_registry="http://127.0.0.1:%d/" % silent.getsockname()[1])
        check(code == 0 and seconds < 15, "a registry that does not answer costs the time that it is given", seconds)
        check("could not fetch" in page and "LEFT OUT" in said, "and the page, which says so", said)

shutil.copytree(SOURCE, "tarball", ignore=shutil.ignore_patterns("node_modules"))
os.mkdir("tarball/dist")
for name in ("app.js", "index.html"):
    with gzip.open("tarball/dist/%s.gz" % name, "wt") as file:
        file.write("built before: " + name)
seconds, code, said, page = build("again", os.path.abspath("tarball"), PATH=tools("bin2", BASIC))
check(code == 0 and page == "built before: index.html" and not said, "what a tarball carries is taken as it is", said)
with open("again/assets.inc", encoding="utf-8") as file:
    rows = file.read()
check('"/app.js"' in rows and 'ASSET(1, "/", "text/html; charset=utf-8"' in rows, "each file has its row", rows)

if shutil.which("node"):
    units = subprocess.run(["node", os.environ["EC_SRC"] + "/tests/ui/units.mjs", os.environ["EC_SRC"]],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(units.stdout or "not ok - units.mjs says nothing")
