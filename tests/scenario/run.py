#!/usr/bin/env python3
# alone: takes port 8000
"""script/run on what is installed: it ends after a replay with -1; it takes the next port where 8000 is taken, and says so;
it names the file of the one-time password, and once that is used the command that sets another; it runs once at a time;
events of live runs outlive a replay; run by root, packets are looked at by nobody's user without power."""
import glob
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.parse

from libtest import check, plan, wait_for

BUILD, SRC = os.environ["EC_BUILD"], os.environ["EC_SRC"]
STATE = BUILD + "/root/var/lib/ecyber"
ROOT = os.geteuid() == 0


def run(name, *words):
    with open(name, "w", encoding="utf-8") as log:
        return subprocess.Popen([SRC + "/script/run", "-b", BUILD, *words], stdout=log, stderr=log, preexec_fn=os.setpgrp)


def said(name):
    with open(name, encoding="utf-8") as log:
        return log.read()


def status(pid, field):
    with open("/proc/%d/status" % pid, encoding="ascii") as lines:
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(field + ":"))


def processes():
    """Those of this build's daemon."""
    found = []
    for link in glob.glob("/proc/[0-9]*/exe"):
        try:
            if os.readlink(link) == os.path.realpath(os.environ["ECYBERD"]):
                found.append(int(link.split("/")[2]))
        except OSError:
            continue
    return found


def ask(port, method, path, body=None, **headers):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.request(method, path, body, headers)
    r = c.getresponse()
    return r.status, r.read().decode("utf-8")


def use_password(port, secret):
    form = urllib.parse.urlencode({"username": "admin", "password": secret})
    code, text = ask(port, "POST", "/api/auth/login", form, **{"Content-Type": "application/x-www-form-urlencoded"})
    check(code == 200, "the one-time password logs in", text)
    token = json.loads(text).get("access_token", "")
    change = json.dumps({"current_password": secret, "new_password": "a lake of one's own"})
    code, text = ask(port, "POST", "/api/auth/change-password", change,
                     **{"Content-Type": "application/json", "Authorization": "Bearer " + token})
    check(code in (200, 204), "and is changed", text)


def once():
    done = subprocess.run([SRC + "/script/run", "-b", BUILD, "-1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=100, check=False)
    check(done.returncode == 0 and "because" in done.stdout and re.search(r"^\d+ alerts$", done.stdout, re.M),
          "-1 replays, shows why each alert fired, and ends", done.stdout)
    check("serves http" not in done.stdout and "The page:" not in done.stdout, "and serves nothing", done.stdout)


def unprivileged():
    """Run by root: the launcher is root, nobody else."""
    engines = [pid for pid in processes() if int(status(pid, "Uid").split()[0]) >= 61184]
    check(len(engines) == 1, "run by root, the engine has a user of its own",
          [(pid, status(pid, "Uid"), status(pid, "Gid")) for pid in processes()])
    if engines:
        caps = int(status(engines[0], "CapEff"), 16) | int(status(engines[0], "CapBnd"), 16)
        check(not caps & ~(1 << 2) and status(engines[0], "Groups") == "",
              "and no power, but to read what stands where only root may look", hex(caps))


def closed():
    """Run by root below a folder that only root may look into, such as /root."""
    os.chmod(BUILD + "/root", 0o700)
    try:
        done = subprocess.run([SRC + "/script/run", "-b", BUILD, "-1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=100, check=False)
    finally:
        os.chmod(BUILD + "/root", 0o755)
    check(done.returncode == 0 and "keeps CAP_DAC_READ_SEARCH" in done.stdout and
          re.search(r"^[1-9]\d* alerts$", done.stdout, re.M), "where only root may look, too", done.stdout)


def first():
    """The page, with the port taken; in it, the password is used."""
    try:
        taken = socket.create_server(("127.0.0.1", 8000))
    except OSError:
        taken = None                            # by another program, which is as good
    daemon = run("first.log")
    wait_for(lambda: "Ctrl-C ends it" in said("first.log") or daemon.poll() is not None)
    text = said("first.log")
    page = re.search(r"^The page:  http://127\.0\.0\.1:(\d+)/$", text, re.M)
    check(page, "it prints the page's address", text)
    port = int(page.group(1)) if page else 0
    check(8000 < port < 8100 and "Port 8000 is taken; the page is at port %d." % port in text,
          "port 8000 is taken: it says so, and takes the next", text)
    check(port and ask(port, "GET", "/healthz")[0] == 200, "where the daemon answers")
    found = re.search(r"one-time password stands in (\S+)$", text, re.M)
    check(found, "it prints where the one-time password stands", text)
    secret = found.group(1) if found else os.devnull
    check(os.stat(secret).st_mode & 0o777 == 0o600, "in a file that only its owner reads", oct(os.stat(secret).st_mode))
    if ROOT:
        unprivileged()
    second = subprocess.run([SRC + "/script/run", "-b", BUILD, "-1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, timeout=60, check=False)
    check(second.returncode == 1 and "it runs here already: end that one first" in second.stdout,
          "a second one beside it is refused", second.stdout)
    with open(secret, encoding="utf-8") as file:
        use_password(port, file.read().strip())
    os.killpg(daemon.pid, signal.SIGINT)
    check(daemon.wait(30) == 130 and wait_for(lambda: not processes(), 10), "Ctrl-C ends it, and all that it started",
          said("first.log"))
    if taken:
        taken.close()


def again():
    daemon = run("again.log", "-w", "2")
    wait_for(lambda: "Ctrl-C ends it" in said("again.log") or daemon.poll() is not None)
    text = said("again.log")
    check("the one-time password was used: '" in text and "/bin/ecyberctl users passwd admin' sets another" in text,
          "once the password is used, it prints the command that sets another", text)
    check("runs: " in text and "2 workers" in text, "-w is the number of workers", text)
    daemon.terminate()
    check(daemon.wait(30) == 143 and wait_for(lambda: not processes(), 10), "SIGTERM ends it too", said("again.log"))


for folder in (STATE, STATE + "-replay"):
    shutil.rmtree(folder, ignore_errors=True)
os.makedirs(STATE + "/store")
with open(STATE + "/store/events-of-a-live-run.db", "w", encoding="ascii") as kept:
    kept.write("kept")
try:
    once()
    if ROOT:
        closed()
    first()
    again()
    check(os.path.exists(kept.name), "the events of live runs outlive it", os.listdir(STATE + "/store"))
    check(glob.glob(STATE + "-replay/store/events-*.db"), "those of the replay stand apart")
finally:
    for folder in (STATE, STATE + "-replay"):
        shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(STATE)
    if ROOT:
        os.chown(BUILD + "/root/run/ecyber", 0, 0)
plan()
