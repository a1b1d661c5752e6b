#!/usr/bin/env python3
# alone: looks at this machine's own network
"""What the host does, in the real daemon: an event a second with the totals, true to what /proc says; a made-up host
with names that are hostile; nothing in a replay without workers."""
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time

import libapi

from libtest import check, plan

ECYBERD, DATA = os.environ["ECYBERD"], os.environ["EC_DATA"]
HERE = os.getcwd()
ROUTES = ["cpu", "memory", "disk", "network", "processes"]
HERE_PID = os.getpid()
LISTENS = socket.create_server(("127.0.0.1", 0))
PORT = LISTENS.getsockname()[1]
ASKED = ["processes/%d" % HERE_PID, "processes/4194304", "processes/0", "processes/x", "connections?limit=1000",
         "connections?port=%d&state=listen" % PORT, "connections?state=asleep", "connections?limit=1001", "connections?pid=0",
         "connections?colour=red", "services", "users", "health"]


def events(name):
    try:
        with open(name + "/state/eve/eve.json", encoding="utf-8") as lines:
            return [json.loads(line)["system"] for line in lines if '"event_type":"system"' in line]
    except OSError:
        return []


def run(name, root, seconds, paths=()):
    """The daemon for some seconds; its events, log and code, and what it answers to these paths."""
    answers = {}
    os.mkdir(name)
    with open(name + "/c.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  state_dir: %s/%s/state\n  control_socket: %s/%s/s\n  plugins: [sysmon, eve%s]\n"
                  "  plugin_dirs: [%s]\nsysmon:\n  root: %s\n"
                  % (HERE, name, HERE, name, ", store, auth, http" if paths else "", os.environ["EC_PLUGINDIR"], root))
        if paths:
            out.write("http:\n  listen: none\n  socket: %s/%s/api.sock\n" % (HERE, name))
    with open(name + "/log", "w+", encoding="utf-8") as log:
        daemon = subprocess.Popen([ECYBERD, "-c", name + "/c.yaml"], stdout=log, stderr=log)
        try:
            start = time.time()
            while len(events(name)) < seconds and daemon.poll() is None and time.time() < start + seconds + 10:
                time.sleep(0.1)
            answers = {p: libapi.get(name + "/api.sock", "/api/system/" + p) for p in paths}
        finally:
            daemon.send_signal(signal.SIGTERM)
            code = daemon.wait(20)
        log.seek(0)
        return events(name), log.read(), code, answers


def meminfo(key):
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


# --- this host ---
worker = subprocess.Popen(["timeout", "50", "sh", "-c", "while :; do :; done"])     # somebody works
got, log, code, answers = run("real", "/", 3, ROUTES + ASKED)
worker.terminate()
worker.wait()
check(code == 0 and len(got) >= 3, "an event a second", (code, len(got), log))
last = got[-1] if got else {}
with open("/proc/uptime", encoding="ascii") as file:
    uptime = float(file.read().split()[0])
check(abs(last.get("uptime", 0) - uptime) < 10, "uptime is that of the host", last)
check(last.get("memory", {}).get("total") == meminfo("MemTotal"), "so is memory", last)
check(0 < last.get("memory", {}).get("used", 0) < meminfo("MemTotal"), "and what is used of it", last)
check(0 < last.get("cpu", {}).get("busy", 0) <= 100.01, "the processor is busy", last)
check(last.get("cpu", {}).get("cores") == os.cpu_count(), "with all of its cores", (last, os.cpu_count()))
check(last.get("processes", 0) > 3 and "1m" in last.get("load", {}), "processes and load are there", last)
check(all(len(json.dumps(e)) < 1200 for e in got), "and the event is small", got[-1:])
check(all(answers[p][0] == 200 for p in ROUTES), "the routes answer", answers)
api = {p: a[1] for p, a in answers.items() if a[0] == 200}
check(len(api.get("cpu", {}).get("cores", [])) == os.cpu_count() and 0 < api["cpu"]["total"]["busy"] <= 100.01,
      "with each core", answers.get("cpu"))
check(api.get("memory", {}).get("total") == meminfo("MemTotal"), "with memory", answers.get("memory"))
root = [f for f in api.get("disk", {}).get("filesystems", []) if f["mount"] == "/"]
size = os.statvfs("/").f_blocks * os.statvfs("/").f_frsize
check(root and root[0]["total"] == size and 0 < root[0]["used"] <= size, "with the root's space", answers.get("disk"))
check(any(i["name"] == "lo" for i in api.get("network", {}).get("interfaces", [])), "with interfaces", answers.get("network"))
top = api.get("processes", {})
check(0 < len(top.get("by_cpu", [])) <= 10 and top["by_cpu"][0]["cpu"] >= top["by_cpu"][-1]["cpu"] and top["by_cpu"][0]["cpu"] > 0,
      "with who works", top)
check(top.get("count", 0) >= len(top.get("by_rss", [])) > 0 and top["by_rss"][0]["rss"] >= top["by_rss"][-1]["rss"] > 0,
      "and who takes memory", top)

status, me = answers["processes/%d" % HERE_PID]
check(status == 200 and me["command"][0] and me["command"][-1].endswith("sysmon.py") and me["uid"] == os.getuid(),
      "one process: its command and user", (status, me))
check(status == 200 and me["parents"][0]["pid"] == os.getppid() and me["parents"][-1]["pid"] == 1 and
      abs(me["rss"] - int(open("/proc/self/statm", encoding="ascii").read().split()[1]) * os.sysconf("SC_PAGESIZE")) < 64 << 20,
      "its parents up to the first, its memory", me)
check(status == 200 and (me["exe"] == os.readlink("/proc/self/exe") if "exe" in me else
                         any(note.startswith("exe: the kernel shows") for note in me["limits"])), "its program, or why not", me)
check(status == 200 and (PORT in [s["local_port"] for s in me["sockets"]] if "sockets" in me else
                         any(note.startswith("sockets: the kernel") for note in me["limits"])), "its sockets, or why not", me)
check(answers["processes/4194304"][0] == 404 and answers["processes/0"][0] == 422 and answers["processes/x"][0] == 422,
      "no such process is 404, what is none 422", [answers[a] for a in ASKED[1:4]])
status, mine = answers["connections?port=%d&state=listen" % PORT]
check(status == 200 and len(mine["items"]) == 1 and mine["matched"] == 1 and mine["items"][0]["local_ip"] == "127.0.0.1" and
      mine["items"][0]["proto"] == "tcp" and mine["items"][0]["uid"] == os.getuid(), "a socket is found by port and state", mine)
check(status == 200 and (mine["items"][0]["pid"] == HERE_PID if "pid" in mine["items"][0] else
                         any("have no pid here" in note for note in mine["limits"])), "with its process, or why not", mine)
status, every = answers["connections?limit=1000"]
check(status == 200 and every["count"] >= len(every["items"]) > 0 and every["limits"], "all of them, and what is not shown", every)
check([answers[a][0] for a in ASKED[6:10]] == [422] * 4, "bad filters are refused", [answers[a] for a in ASKED[6:10]])
status, services = answers["services"]
check((status == 200 and services["items"]) if os.path.isdir("/run/systemd/system") else
      (status == 503 and "systemd" in services["detail"]), "services, or why there are none", (status, services))
status, users = answers["users"]
with open("/etc/passwd", encoding="utf-8") as file:
    names = [line.split(":")[0] for line in file]
check(status == 200 and [u["name"] for u in users["accounts"]] == names and users["accounts"][0]["login"] and
      users["count"] == len(names), "accounts are those of passwd", users)
check(status == 200 and ("logged_in" in users or any("utmp" in note for note in users["limits"])), "who is logged in, or why not", users)
status, health = answers["health"]
checks = {c["name"]: c for c in health["checks"]} if status == 200 else {}
check({"disk", "plugins", "capture", "reload", "drops"} <= set(checks) and all(c["sentence"] for c in checks.values()),
      "health has a sentence for each part", (status, health))
check(health["status"] == "warning" and checks["capture"]["status"] == "warning" and "core.sources" in checks["capture"]["sentence"],
      "and says that nothing is captured", health)


# --- a made-up host ---
def put(name, text):
    os.makedirs(os.path.dirname("host/" + name), exist_ok=True)
    with open("host/" + name, "wb") as out:
        out.write(text)


put("proc/stat", b"cpu  1 2 3 4 5 6 7 8\ncpu0 1 2 3 4 5 6 7 8\nprocs_running 2\n")
put("proc/meminfo", b"MemTotal: 4000 kB\nMemAvailable: 1000 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB\n")
put("proc/loadavg", b"0.52 1.04 2.10 3/415 12345\n")
put("proc/uptime", b"86400.55 1.0\n")
put("proc/diskstats", b"\xff\xff not at all\n")
put("proc/net/dev", b"<script>alert(1)</script>: 1 2\n eth0: 5 4 3 2 0 0 0 0 6 5 4 3 0 0 0 0\n")
put("proc/1/stat", b"1 (\"},{\"x\":\xff\x00\n) S 0 1 1 0 -1 4 1 0 0 0 100 0 0 0 20 0 1 0 1 99 300 1\n")
put("proc/2/stat", b"")
put("proc/3/stat", b"x" * 100000)
put("proc/net/tcp", b"garbage\n 0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 1000 0 4711 1\n 1: 0100007F:1F9\n")
put("etc/passwd", b"<b>:x:7:8:\xff:/:/bin/sh\nnobody:x:1:1::/:/usr/sbin/nologin\nbroken\n")
put("run/utmp", struct.pack("hxxi32s4s32s256shhiii16s20x", 7, 12, b"pts/0", b"", b"alice", b"192.0.2.7", 0, 0, 0, 1700000000, 0, b"") + b"x")
put("proc/1/cmdline", b"a\0" * 300)
got, log, code, answers = run("made", HERE + "/host", 2, ROUTES + ["connections", "users", "processes/1", "processes/2", "processes/3"])
check(code == 0 and len(got) >= 2, "a made-up host is looked at", (code, log))
last = got[-1] if got else {}
check(last.get("memory") == {"total": 4096000, "used": 3072000} and last.get("swap") == {"total": 102400, "used": 61440},
      "its memory", last)
check(last.get("load") == {"1m": 0.52, "5m": 1.04, "15m": 2.1} and last.get("uptime") == 86400, "its load and uptime", last)
check(last.get("processes") == 1, "its one process that can be read", last)
check(last.get("network", {}).get("errors") == 7 and last.get("network", {}).get("drops") == 5, "its interface", last)
name = answers["processes"][1]["by_rss"][0]["name"] if answers["processes"][0] == 200 else None
check(name == '"},{"x":\\xff\\x00\n', "a hostile name is text", answers["processes"])
check(answers["disk"][0] == 200 and not answers["disk"][1].get("devices"), "a file of nonsense says nothing", answers["disk"])
status, made = answers["connections"]
check(status == 200 and made["count"] == 1 and made["items"][0]["local_port"] == 8080 and "pid" not in made["items"][0],
      "lines that are no sockets are left out", made)
status, users = answers["users"]
check(status == 200 and [(u["name"], u["comment"], u["login"]) for u in users["accounts"]] ==
      [("<b>", "\\xff", True), ("nobody", "", False)], "accounts with hostile names are text", users)
check(status == 200 and [(u["user"], u["host"], u["since"][:10]) for u in users["logged_in"]] ==
      [("alice", "192.0.2.7", "2023-11-14")], "log-ins, and a half record at the end", users)
status, one = answers["processes/1"]
check(status == 200 and len(one["command"]) == 256 and "exe" not in one and any("cut" in n for n in one["limits"]) and
      any("exe" in n for n in one["limits"]), "a long command is cut, and said", one)
check([answers["processes/%d" % n][0] for n in (2, 3)] == [404, 404], "files of nonsense are no processes")
check(len(re.findall("proc/self/mounts", log)) == 1, "what is missing is said once", log)

got, log, code, answers = run("none", "/nowhere", 1)
check("sysmon.root: /nowhere: No such file or directory" in log, "a root that is not there is a sentence", log)

done = subprocess.run([ECYBERD, "-r", DATA + "/dns-any.pcap", "--workers", "0", "--set", "core.state_dir=%s/replay/state" % HERE,
                       "--set", "core.plugins=[capture, traffic, sysmon, eve]",
                       "--set", "core.plugin_dirs=[%s]" % os.environ["EC_PLUGINDIR"]],
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
check(done.returncode == 0 and not events("replay"), "a replay without workers has nothing of the host's clock", done.stdout)
plan()
