#!/usr/bin/env python3
"""The daemon's log: a file that is opened anew on SIGHUP, JSON lines, syslog, levels by plugin."""
import json
import os
import re
import signal
import subprocess
import sys
import time

from libtest import check, plan, skip

ECYBERD = os.environ["ECYBERD"]


def words(*options):
    sets = ["core.state_dir=%s/state" % os.getcwd(), "core.plugins=[capture]", *options]
    return [ECYBERD, "--alone", "-c", "empty.yaml"] + [w for s in sets for w in ("--set", s)]


def text(name):
    try:
        with open(name, encoding="utf-8") as log:
            return log.read()
    except FileNotFoundError:
        return ""


def wait_for(name, pattern):
    for _ in range(100):
        if re.search(pattern, text(name)):
            return True
        time.sleep(0.1)
    return False


def file_and_hup():
    run = subprocess.Popen(words("core.control_socket=%s/s" % os.getcwd(), "core.log.to=file", "core.log.file=d.log"),
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    name = "d.log" if wait_for("d.log", "runs: ") else "?"
    check(name == "d.log", "the log goes to the file")
    os.rename("d.log", "d.log.1")
    run.send_signal(signal.SIGHUP)
    check(wait_for("d.log", "reloaded: generation 2"), "after SIGHUP it goes to a new one", text("d.log.1"))
    check("generation 2" not in text("d.log.1"), "and the old one is let go", text("d.log.1"))
    run.send_signal(signal.SIGTERM)
    err = run.communicate(timeout=30)[1]
    check(not err, "nothing is written to standard error", err)
    plain = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) [a-z0-9_]+: .+"
    lines = text("d.log.1").splitlines() + text("d.log").splitlines()
    check(lines and all(re.fullmatch(plain, line) for line in lines), "every line has UTC time, level and owner", lines)


def json_lines():
    with open("evil\n2026-01-01T00:00:00.000000Z CRITICAL core: forged \x1b[31m\u202e", "wb") as out:
        out.write(b"\x1f\x8b\x08")
    done = subprocess.run(words("core.log.format=json") + ["-r", "."], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=False)
    lines = done.stderr.decode().splitlines()
    try:
        objects = [json.loads(line) for line in lines]
    except ValueError as err:
        objects, lines = [], [str(err), *lines]
    check(objects and all({"timestamp", "level", "plugin", "message"} <= o.keys() for o in objects), "JSON lines", lines)
    check(any("\nforged" not in o["message"] and "CRITICAL core: forged" in o["message"] and o["level"] == "WARNING"
              for o in objects), "a file's name forges no line", lines)
    done = subprocess.run(words() + ["-r", "."], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    lines = done.stderr.decode().splitlines()
    check(not any(line.startswith("2026-01-01") or "\x1b" in line or "\u202e" in line for line in lines) and
          any("\\x0a2026-01-01" in line for line in lines), "nor does it in plain text", lines)


def levels():
    args = ["-r", "."]
    done = subprocess.run(words("core.log.level=error") + args, stderr=subprocess.PIPE, timeout=60, check=False)
    check(b"WARNING" not in done.stderr and b"ERROR" in done.stderr, "log.level", done.stderr)
    done = subprocess.run(words("core.log.level=critical", "core.log.levels.capture=warning") + args,
                          stderr=subprocess.PIPE, timeout=60, check=False)
    check(b"WARNING capture: " in done.stderr and b" core: " not in done.stderr.replace(b"CRITICAL core: forged", b""),
          "log.levels by plugin", done.stderr)


def syslog():
    """In a mount namespace with a /dev of its own."""
    script = """mount -t tmpfs dev /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9 || exit 77
        python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
s.settimeout(10)
open("ready", "w").close()
while True:
    m = s.recv(65536)
    print(m.decode(), flush=True)
    if b"stops: " in m:
        break
' >heard & server=$!
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -e ready ] && break; sleep 0.1; done
        "$@"
        wait $server"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *words("core.log.to=syslog"), "-r",
                           os.path.join(os.environ["EC_DATA"], "sample.pcap")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False)
    if done.returncode == 77 or os.geteuid() or done.stderr.startswith(b"unshare: "):
        skip("syslog", "no mount namespace of our own")
        return
    heard = text("heard")
    check(re.search(r"(?m)^<30>.* ecyberd\[\d+\]: core: eCyber .* runs: ", heard) and b"runs: " not in done.stderr,
          "syslog: facility daemon, level, program and process", (heard, done.stderr))


def main():
    with open("empty.yaml", "w", encoding="utf-8"):
        pass
    file_and_hup()
    json_lines()
    levels()
    syslog()
    plan()


main()
sys.exit(0)
