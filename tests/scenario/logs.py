#!/usr/bin/env python3
"""The daemon's own log as events: those of the start too, by level and plugin, served, bounded by a rate; none of a replay
that ends by itself."""
import os
import re
import signal
import subprocess
import time
import urllib.parse

import libapi

from libtest import check, plan

HERE, DATA = os.getcwd(), os.environ["EC_DATA"]
SOCK = HERE + "/api.sock"


def daemon(name, *words):
    with open(name, "w", encoding="utf-8") as log:
        return subprocess.Popen(
            [os.environ["ECYBERD"], "--alone", "--set", "core.state_dir=%s/state" % HERE, "--set", "http.listen=none", "--set",
             "http.socket=" + SOCK, "--set", "core.control_socket=%s/c" % HERE, "--set",
             "core.plugins=[capture, traffic, ids, store, auth, http, logs, eve]", *words], stdout=log, stderr=log)


def items(**query):
    code, page = libapi.get(SOCK, "/api/system/logs?" + urllib.parse.urlencode({"limit": 500, **query}))
    return page["items"] if code == 200 else [(code, page)]


def until(what, seconds=15):
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def said(name):
    with open(name, encoding="utf-8") as log:
        return log.read()


def served():
    run = daemon("log")
    check(libapi.wait(SOCK), "the daemon serves", said("log"))
    found = until(lambda: [i for i in items(plugin="core") if " runs: " in i["log"]["message"]])
    check(found and found[0]["event_type"] == "log" and found[0]["log"]["level"] == "info", "its log is stored", items())
    check(found and found[0]["log"]["message"] in said("log"), "as it was written", found)
    stamp = re.search(r"^(\S+)\.\d+Z INFO core: eCyber", said("log"), re.M)
    check(found and stamp and found[0]["timestamp"].startswith(stamp.group(1)), "with the time it was written at", found)
    warned = items(level="warning")
    check(warned and all(i["log"]["level"] == "warning" for i in warned) and any(i["log"]["plugin"] == "auth" for i in warned),
          "what the start said is there, by level", warned)
    code, page = libapi.get(SOCK, "/api/system/logs?level=loud")
    check(code == 422 and page["detail"][0]["type"] == "enum" and page["detail"][0]["loc"] == ["query", "level"] and
          page["detail"][0]["msg"] == "Input should be 'debug', 'info', 'warning', 'error' or 'critical'",
          "a level that there is not is refused, and not an empty page", page)
    check(libapi.get(SOCK, "/api/system/logs?level.ne=info,loud")[0] == 422 and
          libapi.get(SOCK, "/api/system/logs?level.ne=info,debug")[0] == 200, "among several too")
    check(libapi.get(SOCK, "/api/system/logs/" + found[0]["id"])[1] == found[0], "one line by its id", found[0])
    run.send_signal(signal.SIGTERM)
    check(run.wait(30) == 0, "it ends well", said("log"))


def bounded():
    """One a second, in the long run."""
    run = daemon("slow", "--set", "logs.rate=1", "--set", "core.log.rate=0")
    check(libapi.wait(SOCK), "the daemon serves with another rate", said("slow"))
    before, began = len(items()), time.monotonic()
    while (written := said("slow").count("\n")) < 2 * (12 + time.monotonic() - began) and time.monotonic() - began < 60:
        subprocess.run([os.environ["ECYBERCTL"], "-s", HERE + "/c", "reload"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=20, check=False)
    time.sleep(1)
    stored, passed = len(items()) - before, time.monotonic() - began
    code, text = libapi.get(SOCK, "/metrics")
    over = re.search(r"^ecyber_logs_over_rate\S* (\d+)", text, re.M)
    check(written > stored and 0 < stored <= 10 + passed + 1, "what is stored is bounded", (written, stored, passed))
    check(over and int(over.group(1)) > 0, "what is left out is counted", over)
    run.send_signal(signal.SIGTERM)
    check(run.wait(30) == 0, "it ends well", said("slow"))


def replayed():
    run = daemon("replay", "-r", DATA + "/sample.pcap", "--set", "eve.file=%s/replay.json" % HERE)
    check(run.wait(60) == 0 and '"event_type":"log"' not in said("replay.json") and '"event_type":"alert"' in
          said("replay.json"), "a replay that ends by itself has no such events", said("replay"))


served()
bounded()
replayed()
plan()
