#!/usr/bin/env python3
"""A replay at the pace of its capture, and what a terminal shows of a replay."""
import json
import os
import pty
import re
import signal
import struct
import subprocess
import time

from libtest import check, plan

ECYBERD, HERE = os.environ["ECYBERD"], os.getcwd()


def capture(name, times, first=1700000000.0):
    """UDP datagrams of one flow at these seconds."""
    with open(name, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for i, t in enumerate(times):
            payload = b"number %d" % i
            ip = struct.pack(">BBHHHBBH4s4sHHHH", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, bytes((10, 0, 0, 1)),
                             bytes((10, 0, 0, 2)), 4000 + i, 9, 8 + len(payload), 0) + payload
            at = first + t
            out.write(struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(ip), len(ip)) + ip)


def words(name, *more):
    os.makedirs(name, exist_ok=True)
    return [ECYBERD, "--alone", "--set", "core.state_dir=%s/%s" % (HERE, name), "--set", "core.plugins=[capture, traffic, eve]",
            "--set", "core.plugin_dirs=[%s]" % os.environ["EC_PLUGINDIR"], "--set", "eve.file=%s/%s/eve.json" % (HERE, name),
            *more]


def replay(name, *more):
    began = time.monotonic()
    done = subprocess.run(words(name, *more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
    with open(name + "/eve.json", encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    return time.monotonic() - began, done, [e for e in events if e["event_type"] == "flow"]


def paced():
    capture("one.pcap", (0, 0.5, 1.2, 0.9, 3.0))
    took, done, flows = replay("fast", "-r", "one.pcap")
    fast = [(f["flow_id"], f["flow"]) for f in flows]
    check(done.returncode == 0 and len(flows) == 5, "as fast as can be", done.stdout)
    for workers, factor, least in (("0", "2", 1.5), ("2", "1.5", 2.0)):
        name = "pace" + workers
        took, done, flows = replay(name, "-r", "one.pcap", "--workers", workers, "--set", "capture.pace=" + factor)
        check(done.returncode == 0 and took >= least, "%s workers, %s times as fast: not over before its time" % (workers, factor),
              (took, done.stdout))
        check(sorted((f["flow_id"], json.dumps(f["flow"])) for f in flows) == sorted((i, json.dumps(f)) for i, f in fast),
              "with the same records", flows)
    os.mkdir("folder")
    capture("folder/b.pcap", (0, 0.6), 1700009000.0)
    capture("folder/a.pcap", (0, 0.6), 1800000000.0)
    took, done, flows = replay("folders", "-r", "folder", "--workers", "0", "--set", "capture.pace=1")
    check(done.returncode == 0 and 1.2 <= took < 40, "each file of a folder begins at once, also days later", (took, done.stdout))
    check([f["flow"]["start"][:4] for f in flows] == ["2023", "2023", "2027", "2027"], "in the order of their times, not their names",
          [f["flow"]["start"] for f in flows])
    for bad in "-1", "fast", "1e9":
        done = subprocess.run(words("bad", "-T", "--set", "capture.pace=" + bad), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
        check(done.returncode != 0 and "pace" in done.stdout, "pace %s is refused" % bad, done.stdout)


def asked_to_stop():
    capture("long.pcap", (0, 0.1, 3600))
    for workers in "0", "1":
        with subprocess.Popen(words("stop" + workers, "-r", "long.pcap", "--workers", workers, "--set", "capture.pace=1"),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as daemon:
            time.sleep(2)
            began = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            out = daemon.communicate(timeout=30)[0]
            check(daemon.returncode == 0 and time.monotonic() - began < 10, "%s workers: it ends when it is asked to, though the "
                  "next packet is an hour away" % workers, (daemon.returncode, out))


def on_terminal(name, term, *more):
    """What the daemon writes to a terminal of 80 columns."""
    child, fd = pty.fork()
    if child == 0:
        os.environ["TERM"] = term
        os.environ["COLUMNS"] = "80"
        os.execv(ECYBERD, words(name, *more))
    out = b""
    while True:
        try:
            got = os.read(fd, 65536)
        except OSError:
            break
        if not got:
            break
        out += got
    os.close(fd)
    return os.WEXITSTATUS(os.waitpid(child, 0)[1]), out.decode()


def progress():
    capture("shown.pcap", [i / 20 for i in range(60)])
    code, out = on_terminal("shown", "xterm", "-r", "shown.pcap", "--workers", "1", "--set", "capture.pace=1")
    lines = out.split("\r\033[K")
    bars = [line for line in lines if re.match(r" *\d+ % \[=*>? *\] .* packets, .*/s", line)]
    check(code == 0 and len(bars) > 2, "a terminal shows a bar that moves", out)
    check(any(" left" in line for line in bars), "and the time that is left", bars)
    check(all(len(line) <= 80 for line in bars), "within its width", bars)
    check(re.search(r"60 packets, [\d.]+ k?B in [\d.]+ s\r?\n", lines[-1]), "its last line says what was read", lines[-1])
    check(all("INFO" not in line or line.endswith("\n") for line in lines), "lines of the log take the bar's place", lines)
    code, out = on_terminal("dumb", "dumb", "-r", "shown.pcap", "--set", "capture.pace=2")
    check(code == 0 and "\033" not in out and "60 packets" not in out, "a terminal that can do nothing shows none", out)
    took, done, _ = replay("piped", "-r", "shown.pcap", "--set", "capture.pace=2")
    check(done.returncode == 0 and "\033" not in done.stdout and " left" not in done.stdout, "nor does a pipe", done.stdout)


paced()
asked_to_stop()
progress()
plan()
