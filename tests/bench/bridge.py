#!/usr/bin/env python3
"""The inline bridge beside the kernel's own, in one run, over the same two veth pairs: TCP with and without offloads at
the ends, small datagrams, and the time of a round trip. All of it shares this machine's processors with both ends."""
import os
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["EC_SRC"], "tests/scenario"))
import libbridge  # noqa: E402
from libbridge import CLIENT, MIDDLE, SERVER, Daemon, inside, sh  # noqa: E402

SECONDS, ROUNDS, RUNS = 1.5, 3000, 3

SINK = r"""
import socket, sys, time
kind = sys.argv[1]
if kind == "tcp":
    l = socket.create_server(("10.9.0.2", 9001))
    print("ready", flush=True)
    s = l.accept()[0]
    room, n, first = bytearray(1 << 20), 0, time.monotonic()
    while (got := s.recv_into(room)):
        n += got
    print(n, time.monotonic() - first)
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)
    s.bind(("10.9.0.2", 9001))
    print("ready", flush=True)
    room, n, first = bytearray(2048), 0, None
    while True:
        got, who = s.recvfrom_into(room)
        if kind == "echo":
            s.sendto(room[:got], who)
        if got == 3:
            break
        first = first or time.monotonic()
        n, last = n + 1, time.monotonic()
    print(n, last - first)
"""
SEND = r"""
import socket, sys, time
kind, seconds = sys.argv[1], float(sys.argv[2])
end = time.monotonic() + seconds
if kind == "tcp":
    s = socket.create_connection(("10.9.0.2", 9001))
    data = bytes(1 << 20)
    while time.monotonic() < end:
        s.sendall(data)
    s.close()
    sys.exit(0)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.9.0.2", 9001))
data, times, n = bytes(64), [], 0
if kind == "udp":
    while time.monotonic() < end:
        for _ in range(64):
            s.send(data)
        n += 64
    time.sleep(0.5)
else:
    s.settimeout(1)
    for _ in range(int(sys.argv[3])):
        begin = time.perf_counter_ns()
        s.send(data)
        try:
            s.recv(100)
        except OSError:
            continue
        times.append((time.perf_counter_ns() - begin) / 1000)
        time.sleep(0.0002)
    times.sort()
    print(times[len(times) // 2], times[len(times) * 99 // 100])
print(n)
try:
    for _ in range(5):
        s.send(b"end")
except OSError:                     # the other end has it, and is gone
    pass
"""
NAMES = {CLIENT: "c0", SERVER: "s0"}


def run(kind):
    """What sink and sender said, as numbers."""
    sink = subprocess.Popen([*inside(SERVER), "python3", "-c", SINK, kind], stdout=subprocess.PIPE, text=True)
    try:
        sink.stdout.readline()
        sent = sh(*inside(CLIENT), "python3", "-c", SEND, kind, str(SECONDS), str(ROUNDS)).stdout
        got = sink.communicate(timeout=20)[0]
    finally:
        sink.kill()
    return [float(x) for x in re.findall(r"[\d.]+", got)], [float(x) for x in re.findall(r"[\d.]+", sent)]


def ends(on):
    """Offloads of both ends: without them every packet is no longer than the MTU."""
    for ns, dev in NAMES.items():
        sh(*inside(ns), "python3", "-c", libbridge.OFFLOADS, dev, on)


def cpu(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(what, pid=None):
    rows = {"tcp": [], "mtu": [], "udp": [], "lost": [], "median": [], "late": []}
    before = cpu(pid) if pid else 0
    for _ in range(RUNS):
        for name, on in (("tcp", "1"), ("mtu", "0")):
            ends(on)
            (n, seconds), _ = run("tcp")
            rows[name].append(n * 8 / seconds / 1e9)
        ends("1")
        (n, seconds), (sent, ) = run("udp")
        rows["udp"].append(n / seconds / 1e3)
        rows["lost"].append(100 * (1 - n / sent))
        _, (median, late, _) = run("echo")
        rows["median"].append(median)
        rows["late"].append(late)
    m = {name: statistics.median(values) for name, values in rows.items()}
    print("%-44s %8.2f %8.2f %9.0f %6.1f %8.0f %8.0f %7s" % (
        what, m["tcp"], m["mtu"], m["udp"], m["lost"], m["median"], m["late"],
        "%.1f" % (cpu(pid) - before) if pid else "-"), flush=True)
    return m


def kernel():
    for words in ("link add br0 type bridge", "link set eth1 master br0", "link set eth2 master br0",
                  "link set br0 up"):
        out = sh(*inside(MIDDLE), "ip", *words.split())
        if out.returncode:
            sh(*inside(MIDDLE), "ip", "link", "del", "br0")
            print("%-44s not run: %s" % ("the kernel's bridge", out.stdout.strip()))
            return
    libbridge.ping(3)
    measure("the kernel's bridge")
    sh(*inside(MIDDLE), "ip", "link", "del", "br0")


def ours(what, *words, **kwargs):
    d = Daemon(*words, **kwargs)
    d.ready()
    libbridge.ping(3)
    m = measure(what, d.run.pid)
    c = d.steady()
    lost = {name: n for name, n in c.items() if n and (name.startswith("lost_") or name == "bad")}
    print("    frames %d, lost by the bridge: %s" % (c["seen"], lost or "none"))
    if d.end():
        print("not ok - " + d.text())
        sys.exit(1)
    return m


def main():
    if os.geteuid():
        print("not run: the bridge needs root and network namespaces")
        return 0
    try:
        why = libbridge.make()
        if why:
            print("not run: " + why)
            return 0
        time.sleep(0.5)
        print("%d processors; medians of %d runs" % (os.cpu_count(), RUNS))
        print("%-44s %8s %8s %9s %6s %8s %8s %7s" % ("", "TCP", "TCP MTU", "UDP", "lost", "RTT", "99 %", "CPU"))
        print("%-44s %8s %8s %9s %6s %8s %8s %7s" % ("", "Gbit/s", "Gbit/s", "1000/s", "%", "us", "us", "s"))
        kernel()
        ours("eCyber, bridge alone", plugins="bridge")
        ours("eCyber, bridge alone, offloads: keep", "--set", "bridge.offloads=keep", plugins="bridge")
        ours("eCyber, with traffic, ids (1 rule) and eve", rules='drop http any any -> any any '
             '(msg:"x"; http.uri; content:"forbidden"; sid:1;)\n')
    finally:
        libbridge.unmake()
    print("ok 1 - the bridge was measured beside the kernel's")
    return 0


sys.exit(main())
