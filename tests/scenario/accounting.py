#!/usr/bin/env python3
# alone: load on every core
"""The account of events is exact in the real daemon, and a sink that counts the gaps in seq for itself agrees with it: in
a normal replay, with a slow reader, one that stalls, a full arena, and SIGTERM under load."""
import json
import os
import signal
import subprocess
import time

from libtest import check, plan

FLOWS = 16


class Run:
    """One daemon with a source of numbered packets, an event for each, and the counting sink."""

    def __init__(self, name, source, workers=1, core="", sink="  delay: 0s\n"):
        os.mkdir(name)
        self.name, here = name, os.path.abspath(name)
        with open(name + "/ecyber.yaml", "w", encoding="utf-8") as out:
            out.write("core:\n  plugin_dirs: [%s, %s]\n  plugins: [traffic, kind_source, kind_inspector, kind_sink]\n"
                      "  state_dir: %s/state\n  control_socket: %s/s\n  sources: ['%s']\n  workers: %d\n%s"
                      "kind_inspector:\n  every_packet: true\nkind_sink:\n%s"
                      % (os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"], here, here, source, workers, core,
                         sink))
        with open(name + "/log", "wb") as log:
            self.daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", name + "/ecyber.yaml"], stdout=log, stderr=log)

    def ask(self, command):
        done = subprocess.run([os.environ["ECYBERCTL"], "-s", self.name + "/s", "-o", "json", command],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def end(self, ask_to_stop=False):
        """Exit code and the last account."""
        if ask_to_stop:
            self.daemon.send_signal(signal.SIGTERM)
        code = self.daemon.wait(timeout=120)
        with open(self.name + "/log", encoding="utf-8", errors="replace") as log:
            self.log = log.read()
        check(code == 0, "%s: the daemon ends well" % self.name, self.log[-600:])
        with open(self.name + "/state/last-stop.json", encoding="utf-8") as file:
            return json.load(file)


def exact(name, account, packets=None):
    """in = out + dropped for every row, and the sink's own count of gaps agrees. Returns what was lost, by reason."""
    rows, lost = account["events"], {}
    for row in rows:
        check(row["in"] == row["out"] + row["queued"] + sum(row["dropped"].values()),
              "%s: in = out + dropped (publisher %s, %s)" % (name, row["publisher"], row["plugin"]), row)
    published = sum(r["in"] for r in rows if r["plugin"] is None)
    for row in rows:
        if row["plugin"] == "kind_sink":
            for reason, n in row["dropped"].items():
                lost[reason] = lost.get(reason, 0) + n
    sink = account["metrics"]["kind_sink"]
    check(sink["events"] + sum(lost.values()) == published, "%s: what the sink got and what was lost is all" % name,
          (sink, lost, published))
    # What was lost behind the last event that arrived leaves no gap, but the publisher's own count tells.
    check(sink["gaps"] + published - sink["last"] == sum(lost.values()), "%s: the gaps in seq tell the same" % name,
          (sink, lost, published))
    check(sink["backwards"] == 0, "%s: nothing came out of order" % name, sink)
    if packets is not None:
        check(published == packets + 2 * FLOWS, "%s: an event for each packet and two for each flow" % name, published)
        check(sum(w["finished"] for w in account["packets"]) == packets, "%s: every packet was finished" % name,
              account["packets"])
    return lost


for workers in (1, 2):
    name = "normal-%d" % workers
    lost = exact(name, Run(name, "synth:100000", workers).end(), 100000)
    check(not any(lost.values()), "%s: nothing is lost" % name, lost)

lost = exact("slow", Run("slow", "rush:60000", core="  queue_events: 256\n", sink="  delay: 20us\n").end(), 60000)
check(lost["queue"] > 0, "slow: its own queue overflows", lost)

run = Run("stalls", "rush:60000", core="  queue_events: 512\n", sink="  stall_after: 100\n  stall: 2s\n")
lost = exact("stalls", run.end(), 60000)
check(lost["queue"] > 0, "stalls: its own queue overflows", lost)

run = Run("arena", "rush:60000", core="  arena: 1MiB\n", sink="  stall_after: 10\n  stall: 2s\n")
lost = exact("arena", run.end(), 60000)
check(lost["arena"] > 0, "arena: it was full", lost)

run = Run("fence", "rush:4000000:hold", core="  queue_events: 1024\n", sink="  delay: 1us\n")
for i in range(200):
    if run.ask("status"):
        break
    time.sleep(0.05)
for i in range(5):
    drops = run.ask("drops")
    good = drops and all(r["in"] == r["out"] + sum(r["dropped"].values()) and not r["queued"] for r in drops["events"])
    check(good, "fence %d under load: in = out + dropped, nothing queued" % i, drops)
    time.sleep(0.1)
exact("fence", run.end(ask_to_stop=True))

run = Run("stop", "rush:100000000:hold", core="  stop_timeout: 1s\n", sink="  delay: 500us\n")
time.sleep(1.5)
lost = exact("stop", run.end(ask_to_stop=True))
check(lost["shutdown"] > 0, "stop: what was still queued is counted", lost)
plan()
