#!/usr/bin/env python3
"""Live with several workers: both directions of every flow are on one worker, also where some of its datagrams come in
fragments; packets that are longer than the snapshot length are counted in full, and nobody chokes on them."""
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time

from libtest import check, plan, wait_for

ECYBERD, ECYBERCTL = os.environ["ECYBERD"], os.environ["ECYBERCTL"]
NS = "ecs%d" % os.getpid()
FLOWS, ROUNDS = 200, 3
MACS = b"\x02\0\0\0\0\2\x02\0\0\0\0\1"


def sh(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def wire():
    """s0 and s1 in one namespace, without a word of the kernel's own."""
    out = sh("nsenter", "--net=/run/netns/" + NS, "ip", "link", "add", "s0", "type", "veth", "peer", "name", "s1")
    for dev in ("s0", "s1"):
        sh("nsenter", "--net=/run/netns/" + NS, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/%s/disable_ipv6" % dev)
        sh("nsenter", "--net=/run/netns/" + NS, "ip", "link", "set", dev, "arp", "off", "mtu", "1500", "up")
    return out


def folded(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def ipv4(src, dst, proto, ident, field, body):
    head = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(body), ident, field, 64, proto, 0, src, dst)
    return MACS + b"\x08\0" + head[:10] + struct.pack("!H", folded(head)) + head[12:] + body


def datagram(flow, back, size, ident):
    """One UDP datagram of a flow as the frames that carry it: more than one where it does not fit the MTU."""
    ends = [(0x0a000001 + flow % 13, 1024 + flow), (0x0a010001 + flow % 11, 7000 + flow)]
    (src, sport), (dst, dport) = ends[::-1] if back else ends
    body = struct.pack("!HHHH", sport, dport, size + 8, 0) + bytes(size)
    if len(body) <= 1480:
        return [ipv4(src, dst, 17, ident, 0, body)]
    return [ipv4(src, dst, 17, ident, at // 8 | (0x2000 if at + 1480 < len(body) else 0), body[at:at + 1480])
            for at in range(0, len(body), 1480)]


def send(frames):
    """On s0: a child, so that this process stays in its own namespace."""
    pid = os.fork()
    if not pid:
        import ctypes
        with open("/var/run/netns/" + NS, "rb") as ns:
            if ctypes.CDLL(None).setns(ns.fileno(), 0x40000000):
                os._exit(1)
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        out.bind(("s0", 0))
        for i, frame in enumerate(frames):
            out.send(frame)
            if i % 50 == 49:
                time.sleep(0.002)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


class Daemon:
    def __init__(self, name, workers, *words):
        self.name = name
        self.log = open(name + ".log", "w+", encoding="utf-8")
        with open(name + ".yaml", "w", encoding="utf-8") as out:
            out.write("core:\n  state_dir: %s/state-%s\n  control_socket: %s/%s.s\n  plugins: [capture, traffic, eve]\n"
                      "eve:\n  file: %s/%s.json\n" % (os.getcwd(), name, os.getcwd(), name, os.getcwd(), name))
        self.run = subprocess.Popen(["nsenter", "--net=/run/netns/" + NS, ECYBERD, "--alone", "-c", name + ".yaml",
                                     "--workers", str(workers), "-i", "s1", *words], stdout=self.log, stderr=self.log)
        wait_for(self.packets, 20)
        time.sleep(0.5)             # the workers open the interface after the socket is there

    def packets(self):
        reply = sh(ECYBERCTL, "-s", self.name + ".s", "-o", "json", "status")
        return json.loads(reply.stdout)["packets"] if reply.returncode == 0 else None

    def account(self, at_least):
        """Of every worker, when all that was seen is delivered or lost."""
        def still():
            found = [w["source"] for w in self.packets() or []]
            return found if sum(s["seen"] for s in found) >= at_least and all(
                s["seen"] == s["delivered"] + s["lost_kernel"] + s["lost_nic"] + s["filtered"] for s in found) else None
        return wait_for(still, 10) or self.packets()

    def end(self):
        """Its exit code, and the events that it wrote."""
        self.run.send_signal(signal.SIGTERM)
        code = self.run.wait(timeout=40)
        with open(self.name + ".json", encoding="utf-8") as lines:
            return code, [json.loads(line) for line in lines]

    def text(self):
        with open(self.name + ".log", encoding="utf-8") as log:
            return log.read()


def together():
    """The frames of all flows, shuffled round by round; in every round each flow says something both ways, in every
    third flow one of the two is too long for the wire."""
    rng, frames, ident = random.Random(5), [], 1
    for turn in range(ROUNDS):
        batch = []
        for flow in range(FLOWS):
            for back in (0, 1):
                size = 4000 if flow % 3 == 0 and (turn + back) % 2 else 100
                batch.append(datagram(flow, back, size, ident))
                ident = ident % 0xffff + 1
        if turn:
            rng.shuffle(batch)
        frames += [frame for one in batch for frame in one]
    return frames


def shared(workers):
    d = Daemon("share%d" % workers, workers)
    sent = send(together())
    account = d.account(FLOWS * ROUNDS * 2)
    code, events = d.end()
    flows = [e for e in events if e["event_type"] == "flow"]
    check(sent and code == 0 and sum(s["lost_kernel"] + s["lost_nic"] for s in account) == 0,
          "%d workers: nothing is lost" % workers, (account, d.text()))
    check(all(s["delivered"] > FLOWS * ROUNDS * 2 // workers // 5 for s in account),
          "%d workers: each has its share" % workers, account)
    whole = [e for e in flows if e["flow"]["pkts_toserver"] >= ROUNDS and e["flow"]["pkts_toclient"] >= ROUNDS]
    check(len(flows) == FLOWS and len(whole) == FLOWS,
          "%d workers: both directions of every flow are on one, fragments too" % workers,
          (len(flows), len(whole), [e for e in flows if e not in whole][:3]))


def cut():
    """A snapshot length of 96 bytes."""
    frames = [frame for flow in range(50) for back in (0, 1) for frame in datagram(flow, back, 1000, flow + 1)]
    d = Daemon("cut", 1, "--set", "capture.snaplen=96")
    sent = send(frames)
    account = d.account(len(frames))
    code, events = d.end()
    flows = [e["flow"] for e in events if e["event_type"] == "flow"]
    check(sent and code == 0 and account[0]["delivered"] == len(frames) and account[0]["bytes"] == 96 * len(frames),
          "packets that are longer than the snapshot length come in, cut", account)
    check(len(flows) == 50 and all(f["pkts_toserver"] == f["pkts_toclient"] == 1 for f in flows),
          "they make their flows", flows[:3])
    check(all(f["bytes_toserver"] == f["bytes_toclient"] == len(frames[0]) for f in flows),
          "with the bytes that were on the wire", flows[:3])
    odd = [e for e in events if e["event_type"] == "anomaly"]
    check(not odd, "and what was cut here is no anomaly of the sender's", odd[:3])


def main():
    if os.geteuid() or sh("ip", "netns", "add", NS).returncode:
        print("SKIP: live capture needs root and network namespaces")
        sys.exit(77)
    try:
        out = wire()
        if out.returncode:
            print("SKIP: there is no veth: " + out.stdout)
            sys.exit(77)
        shared(2)
        shared(3)
        cut()
    finally:
        sh("ip", "netns", "del", NS)
    plan()


main()
