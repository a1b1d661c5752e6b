#!/usr/bin/env python3
"""Live with several workers: both directions of every flow are on one worker, whether its packets come or go, also where
some of its datagrams are in fragments of IPv4 or IPv6, behind tags and labels, or inside of tunnels, and where an error
about it comes from elsewhere; packets that are longer than the snapshot length are counted in full, and nobody chokes on
them."""
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
FLOWS, ROUNDS = 300, 3
MACS = b"\x02\0\0\0\0\2\x02\0\0\0\0\1"


def sh(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def wire():
    """s0 and s1 in one namespace, without a word of the kernel's own."""
    out = sh("nsenter", "--net=/run/netns/" + NS, "ip", "link", "add", "s0", "type", "veth", "peer", "name", "s1")
    for dev in ("s0", "s1"):
        sh("nsenter", "--net=/run/netns/" + NS, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/%s/disable_ipv6" % dev)
        sh("nsenter", "--net=/run/netns/" + NS, "ip", "link", "set", dev, "arp", "off", "mtu", "1600", "up")
    return out


def folded(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def ipv4(src, dst, proto, ident, field, body):
    head = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(body), ident, field, 64, proto, 0, src, dst)
    return head[:10] + struct.pack("!H", folded(head)) + head[12:] + body


def pieces(body):
    """What fits a packet of 1,500 bytes each: (at, is there more, bytes)."""
    return [(at, at + 1400 < len(body), body[at:at + 1400]) for at in range(0, len(body), 1400)]


def datagram4(flow, back, size, ident):
    """One UDP datagram of a flow as the packets that carry it: more than one where it does not fit."""
    ends = [(0x0a000001 + flow % 13, 1024 + flow), (0x0a010001 + flow % 11, 7000 + flow)]
    (src, sport), (dst, dport) = ends[::-1] if back else ends
    body = struct.pack("!HHHH", sport, dport, size + 8, 0) + bytes(size)
    return [ipv4(src, dst, 17, ident, at // 8 | more << 13, part) for at, more, part in pieces(body)]


def datagram6(flow, back, size, ident):
    """The same over IPv6: behind a fragment header, where there is more than one."""
    ends = [(b"\x20\x01" + bytes(13) + bytes([1 + flow % 13]), 1024 + flow),
            (b"\xfd\x09" + bytes(13) + bytes([1 + flow % 11]), 7000 + flow)]
    (src, sport), (dst, dport) = ends[::-1] if back else ends
    head = struct.pack("!HHHH", sport, dport, size + 8, 0)
    body = head[:6] + struct.pack("!H", folded(src + dst + struct.pack("!HH", 17, size + 8) + head)) + bytes(size)
    ip = lambda after, part: struct.pack("!IHBB", 6 << 28, len(part), after, 64) + src + dst + part
    if len(body) <= 1400:
        return [ip(17, body)]
    return [ip(44, struct.pack("!BBHI", 17, 0, at | more, ident) + part) for at, more, part in pieces(body)]


def outside(flow, back, proto, body):
    ends = (0xac100001 + flow % 17, 0xac110001 + flow % 5)
    return MACS + b"\x08\0" + ipv4(*(ends[::-1] if back else ends), proto, 0, 0x4000, body)


def vxlan(flow, back, packet):
    """The source port is a number that each end makes of the flow for itself (RFC 7348)."""
    body = struct.pack("!II", 0x08000000, 0x700) + MACS + b"\x08\0" + packet
    return outside(flow, back, 17, struct.pack("!HHHH", 50000 + flow * 7 + back * 131, 4789, len(body) + 8, 0) + body)


PLAIN = {0: lambda flow, back, packet: MACS + b"\x08\0" + packet}
WAYS = {                            # each with flows of its own; the last one over IPv6
    0: PLAIN[0],
    1: lambda flow, back, packet: outside(flow, back, 47, b"\0\0\x08\0" + packet),
    2: vxlan,
    3: lambda flow, back, packet: MACS + b"\x88\xa8\0\5\x81\0\0\6\x08\0" + packet,
    4: lambda flow, back, packet: MACS + b"\x88\x47\0\1\0\x40\0\2\x01\x40" + packet,
    5: lambda flow, back, packet: MACS + b"\x86\xdd" + packet,
}


def unreachable(flow):
    """What a router says of the flow's first datagram."""
    quoted = datagram4(flow, 0, 100, 1)[0]
    icmp = b"\3\1\0\0\0\0\0\0" + quoted[:28]
    return MACS + b"\x08\0" + ipv4(0xc0000201, struct.unpack("!I", quoted[12:16])[0], 1, 0, 0,
                                    icmp[:2] + struct.pack("!H", folded(icmp)) + icmp[4:])


def send(frames):
    """Each of (end, frame) on s0, from where it comes in, or on s1, from where it goes out. A child, so that this process
    stays in its own namespace."""
    pid = os.fork()
    if not pid:
        import ctypes
        with open("/var/run/netns/" + NS, "rb") as ns:
            if ctypes.CDLL(None).setns(ns.fileno(), 0x40000000):
                os._exit(1)
        out = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW) for _ in range(2)]
        for i, one in enumerate(out):
            one.bind(("s%d" % i, 0))
        for i, (end, frame) in enumerate(frames):
            out[end].send(frame)
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


def together(ways):
    """The frames of all flows, shuffled round by round; in every round each flow says something both ways, in every
    third flow one of the two is too long for the wire."""
    rng, frames, ident = random.Random(5), [], 1
    for turn in range(ROUNDS):
        batch = []
        for flow in range(FLOWS):
            way = flow % len(ways)
            for back in (0, 1):
                size = 4000 if flow % 7 < 3 and (turn + back) % 2 else 100
                packets = (datagram6 if way == 5 else datagram4)(flow, back, size, ident)
                batch.append([((turn + back) % 2, ways[way](flow, back, packet)) for packet in packets])
                ident = ident % 0xffff + 1
        if turn:
            rng.shuffle(batch)
        frames += [frame for one in batch for frame in one]
    return frames + [(flow % 2, unreachable(flow)) for flow in range(FLOWS) if not flow % len(ways)]


def shared(workers, by, ways):
    how = "%d workers, fanout by %s" % (workers, by)
    frames = together(ways)
    d = Daemon("%s%d" % (by, workers), workers, "--set", "capture.fanout=" + by)
    sent = send(frames)
    account = d.account(FLOWS * ROUNDS * 2 if by == "flow" else len(frames))
    code, events = d.end()
    flows = [e for e in events if e["event_type"] == "flow" and e.get("src_port", 0) + 5976 == e.get("dest_port", 0)]
    check(sent and code == 0 and sum(s["lost_kernel"] + s["lost_nic"] for s in account) == 0, how + ": nothing is lost",
          (account, d.text()))
    if by == "addresses":
        check(sum(s["delivered"] for s in account) == len(frames), how + ": every frame comes in as it was on the wire",
              (len(frames), account))
        told = [e for e in flows if e.get("ecyber", {}).get("icmp", {}).get("src_ip") == "192.0.2.1"]
        check(len(told) == FLOWS // len(ways), how + ": what a router says of a flow is with the flow", (len(told), flows[:3]))
    check(all(s["delivered"] > FLOWS * ROUNDS * 2 // workers // 5 for s in account), how + ": each has its share", account)
    whole = [e for e in flows if e["flow"]["pkts_toserver"] >= ROUNDS and e["flow"]["pkts_toclient"] >= ROUNDS]
    check(len(flows) == FLOWS and len(whole) == FLOWS,
          how + ": both directions of every flow are on one, with fragments, in tunnels and behind tags",
          (len(flows), len(whole), [e for e in flows if e not in whole][:3]))


def begun():
    """A daemon that starts amid the traffic: no flow has one half here and the other there."""
    frames = [(back, PLAIN[0](flow, back, packet)) for flow in range(FLOWS) for back in (0, 1)
              for packet in datagram4(flow, back, 100, 1)]
    sender = os.fork()
    if not sender:
        os._exit(not send(frames * 40))
    d = Daemon("begun", 2)
    sent = not os.waitpid(sender, 0)[1]
    account = d.account(FLOWS)
    code, events = d.end()
    flows = [e["community_id"] for e in events if e["event_type"] == "flow"]
    check(sent and code == 0 and sum(s["delivered"] for s in account) > 10 * FLOWS, "a daemon starts amid the traffic",
          (account, d.text()))
    check(len(flows) == len(set(flows)) == FLOWS, "a capture begins when all workers are there: each flow is on one of them",
          (len(flows), len(set(flows)), account))


def cut():
    """A snapshot length of 96 bytes."""
    frames = [(0, PLAIN[0](flow, back, packet)) for flow in range(50) for back in (0, 1)
              for packet in datagram4(flow, back, 1000, flow + 1)]
    d = Daemon("cut", 1, "--set", "capture.snaplen=96")
    sent = send(frames)
    account = d.account(len(frames))
    code, events = d.end()
    flows = [e["flow"] for e in events if e["event_type"] == "flow"]
    check(sent and code == 0 and account[0]["delivered"] == len(frames) and account[0]["bytes"] == 96 * len(frames),
          "packets that are longer than the snapshot length come in, cut", account)
    check(len(flows) == 50 and all(f["pkts_toserver"] == f["pkts_toclient"] == 1 for f in flows),
          "they make their flows", flows[:3])
    check(all(f["bytes_toserver"] == f["bytes_toclient"] == len(frames[0][1]) for f in flows),
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
        shared(2, "addresses", WAYS)
        shared(3, "addresses", WAYS)
        shared(2, "flow", PLAIN)
        begun()
        cut()
    finally:
        sh("ip", "netns", "del", NS)
    plan()


main()
