#!/usr/bin/env python3
"""A live worker that cannot keep up leaves out what matters least, in the documented order, and counts all of it: large
flows first, then optional inspectors, then what the ring has no room for; when it is calm it looks at all again."""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

from libtest import check, plan, wait_for

ECYBERD, ECYBERCTL = os.environ["ECYBERD"], os.environ["ECYBERCTL"]
NS = "eco%d" % os.getpid()
MACS = b"\x02\0\0\0\0\2\x02\0\0\0\0\1"
BACKLOG = 800                       # frames that the ring (1 MiB) has room for; more than half of it


def sh(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def wire():
    """o0 and o1 in one namespace, without a word of the kernel's own."""
    out = sh("nsenter", "--net=/run/netns/" + NS, "ip", "link", "add", "o0", "type", "veth", "peer", "name", "o1")
    for dev in ("o0", "o1"):
        sh("nsenter", "--net=/run/netns/" + NS, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/%s/disable_ipv6" % dev)
        sh("nsenter", "--net=/run/netns/" + NS, "ip", "link", "set", dev, "arp", "off", "mtu", "1500", "up")
    return out


def frame(port, size=1000):
    udp = struct.pack("!HHHH", port, 9, size + 8, 0) + bytes(size)
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, 0x0a000001, 0x0a000002)
    total = sum(struct.unpack("!10H", ip))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return MACS + b"\x08\0" + ip[:10] + struct.pack("!H", 0xffff - total) + ip[12:] + udp


def send(frames):
    """On o0: a child, so that this process stays in its own namespace."""
    pid = os.fork()
    if not pid:
        import ctypes
        with open("/var/run/netns/" + NS, "rb") as ns:
            if ctypes.CDLL(None).setns(ns.fileno(), 0x40000000):
                os._exit(1)
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        out.bind(("o0", 0))
        for i, one in enumerate(frames):
            out.send(one)
            if i % 50 == 49:
                time.sleep(0.002)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


class Daemon:
    """One worker whose inspector takes 400 µs for a packet."""

    def __init__(self, name, *words):
        self.name, here = name, os.getcwd()
        self.log = open(name + ".log", "w+", encoding="utf-8")
        with open(name + ".yaml", "w", encoding="utf-8") as out:
            out.write("core:\n  state_dir: %s/state-%s\n  control_socket: %s/%s.s\n  plugin_dirs: [%s, %s]\n"
                      "  plugins: [capture, traffic, kind_inspector, eve]\neve:\n  file: %s/%s.json\n"
                      "capture:\n  buffer: 1MiB\nkind_inspector:\n  delay: 400us\n"
                      "traffic:\n  overload:\n    inspectors: [kind_inspector]\n    step: 5ms\n    calm: 500ms\n"
                      "    bytes: 20KiB\n"
                      % (here, name, here, name, os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"], here, name))
        self.run = subprocess.Popen(["nsenter", "--net=/run/netns/" + NS, ECYBERD, "--alone", "-c", name + ".yaml",
                                     "--workers", "1", "-i", "o1", *words], stdout=self.log, stderr=self.log)
        wait_for(self.status, 20)
        time.sleep(0.5)             # the worker opens the interface after the socket is there

    def ask(self, *words):
        reply = sh(ECYBERCTL, "-s", self.name + ".s", "-o", "json", *words)
        return json.loads(reply.stdout) if reply.returncode == 0 else None

    def status(self):
        return self.ask("status")

    def burst(self, frames):
        """They all wait when it comes to look at them."""
        pid = self.status()["pid"]
        os.kill(pid, signal.SIGSTOP)
        sent = send(frames)
        os.kill(pid, signal.SIGCONT)
        return sent

    def settled(self, at_least):
        """The source's counters and the metrics of traffic and of the inspector, when all that came is looked at."""
        def still():
            s = self.status()
            c = s["packets"][0]["source"]
            good = c["seen"] >= at_least and c["seen"] == c["delivered"] + c["lost_kernel"] + c["lost_nic"] \
                and s["packets"][0]["finished"] == c["delivered"]
            return (c, s["metrics"]["traffic"], s["metrics"]["kind_inspector"]) if good else None
        return wait_for(still, 20)

    def calm(self):
        return wait_for(lambda: self.status()["metrics"]["traffic"]["overload.level"] == 0, 20)

    def end(self):
        self.run.send_signal(signal.SIGTERM)
        code = self.run.wait(timeout=40)
        with open(self.name + ".json", encoding="utf-8") as lines:
            return code, [e for e in map(json.loads, lines) if e["event_type"] == "flow"]

    def text(self):
        with open(self.name + ".log", encoding="utf-8") as log:
            return log.read()


def large_flow(d):
    sent = d.burst([frame(1000)] * BACKLOG)
    c, t, i = d.settled(BACKLOG)
    check(sent and t["flow.bypass.overload"] == 1, "a large flow is bypassed, once", (c, t))
    check(t["overload.raised"] >= 1, "the level was raised", t)
    check(0 < i["packets"] < c["delivered"], "not all of its packets are shown", (i, c))
    check(d.calm(), "the level sinks when it is calm", d.text())


def small_flows(d):
    sent = d.burst([frame(2000 + n) for n in range(BACKLOG)])
    c, t, i = d.settled(2 * BACKLOG)
    check(sent and i["dropped.overload"] > 0, "optional inspectors are left out", t)
    check(t["flow.bypass.overload"] == 1, "small flows are not bypassed", t)
    check(d.calm(), "and are called again when it is calm", d.text())
    sent = send([frame(9000)])
    after = d.settled(c["seen"] + 1)
    check(sent and after[2]["packets"] == i["packets"] + 1, "a new flow is shown to them", (i, after[2]))


def account(d):
    """What was sent is at one place each: shown, left out, lost."""
    c, t, i = d.settled(2 * BACKLOG + 1)
    drops = d.ask("drops")
    losses = {row["plugin"] + " " + row["reason"]: row for row in drops["losses"]}
    table = sh(ECYBERCTL, "-s", d.name + ".s", "-o", "table", "drops").stdout
    code, flows = d.end()
    large = [f for f in flows if f["flow"].get("bypass")]
    left_out = [f for f in flows if f["flow"].get("inspectors_left_out") == ["kind_inspector"]]
    check(c["delivered"] + c["lost_kernel"] + c["lost_nic"] == 2 * BACKLOG + 1, "sent = delivered + lost", c)
    check(len(large) == 1 and large[0]["flow"]["bypassed"]["reason"] == "overload"
          and large[0]["flow"]["state"] == "bypassed", "the record of the large flow says why", large)
    bypassed = large[0]["flow"]["bypassed"]["pkts_toserver"] if large else 0
    check(len(left_out) == i["dropped.overload"], "so does that of each flow with an inspector left out",
          (len(left_out), i))
    check(i["packets"] + bypassed + len([f for f in left_out if f not in large]) == c["delivered"],
          "delivered = shown + bypassed + left out", (i, bypassed, len(left_out), c))
    check(losses.get("kind_inspector overload", {}).get("n") == len(left_out)
          and "more workers" in losses["kind_inspector overload"]["why"]
          and 0 < losses.get("traffic overload.packets", {}).get("n", 0) <= bypassed, "drops lists both with what to do",
          losses)
    check("overload.packets" in table, "ecyberctl drops, too", table)
    check(code == 0, "it ends well", d.text())
    log = d.text()
    up, more, down = (log.find("level %d of 2" % n) for n in (1, 2, 0))
    check(0 < up < more and 0 < up < down and "bypassed" in log, "the log names each step", log)


def not_wanted():
    d = Daemon("off", "--set", "traffic.overload.shed=false")
    sent = d.burst([frame(1000)] * 2000)
    c, t, i = d.settled(2000)
    check(sent and c["lost_kernel"] > 0 and c["delivered"] + c["lost_kernel"] + c["lost_nic"] == 2000,
          "what the ring has no room for is lost, and counted", c)
    check(t["overload.raised"] == 0 and i["packets"] == c["delivered"], "where it is turned off, nothing is left out",
          (t, i, c))
    code, flows = d.end()
    check(code == 0 and not any(f["flow"].get("bypass") for f in flows), "no record says otherwise", flows)


def main():
    if os.geteuid() != 0 or sh("ip", "netns", "add", NS).returncode != 0:
        print("SKIP: needs root and network namespaces")
        sys.exit(77)
    try:
        out = wire()
        check(out.returncode == 0, "there is a wire", out.stdout)
        d = Daemon("on")
        large_flow(d)
        small_flows(d)
        account(d)
        not_wanted()
        bad = sh(ECYBERD, "-T", "-c", "on.yaml", "--set", "traffic.overload.low=60")
        check(bad.returncode == 6 and "overload.low has to be below overload.high (50 %)" in bad.stdout,
              "marks the wrong way round are refused", bad.stdout)
        bad = sh(ECYBERD, "-T", "-c", "on.yaml", "--set", "traffic.overload.inspectors=[ids]",
                 "--set", "core.plugins=[capture, traffic, ids]")
        check(bad.returncode == 6 and "the inspector 'ids' is not optional" in bad.stdout, "rules cannot be left out",
              bad.stdout)
        bad = sh(ECYBERD, "-T", "-c", "on.yaml", "--set", "traffic.overload.inspectors=[ghost]")
        check(bad.returncode == 6 and "there is no inspector 'ghost'" in bad.stdout, "so is an unknown inspector",
              bad.stdout)
    finally:
        sh("ip", "netns", "del", NS)
    plan()


main()
