#!/usr/bin/env python3
"""capture.on_demand: Socket.IO and the API start and stop a live capture on a veth pair, fifty times; each time its
traffic becomes alerts and flows, and afterwards the daemon holds what it held before. Who may, and what goes wrong, is
said in a sentence."""
import os
import socket
import struct
import subprocess
import sys
import time

from libsio import Client, Daemon
from libtest import check, plan, wait_for

CHOSEN = "a lake of one's own"
TIMES = 50


def sh(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def frame(port, i):
    udp = struct.pack("!HHHH", port, 9, 12, 0) + struct.pack("!I", i)
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), i & 0xffff, 0, 64, 17, 0, 0x0a000001 + i % 7, 0x0a010001)
    total = sum(struct.unpack("!10H", ip))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip[:10] + struct.pack("!H", 0xffff - total) + ip[12:] + udp


def send(port, count=14):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind(("v0", 0))
        for i in range(count):
            out.send(frame(port, i))


def engine(d):
    """The daemon itself, below its launcher."""
    with open("/proc/%d/task/%d/children" % (d.run.pid, d.run.pid), encoding="ascii") as text:
        for pid in map(int, text.read().split()):
            if not os.readlink("/proc/%d/exe" % pid).endswith("ecyber-helper"):
                return pid
    return d.run.pid


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def log_in(d, name, password):
    return d.json("POST", "/api/auth/login", body={"username": name, "password": password})[1]["access_token"]


def people(d):
    """Tokens of an operator and a viewer, and of the administrator."""
    with open(d.state + "/auth/first-password", encoding="utf-8") as f:
        first = f.read().strip()
    d.json("POST", "/api/auth/change-password", log_in(d, "admin", first),
           {"current_password": first, "new_password": CHOSEN})
    admin = log_in(d, "admin", CHOSEN)
    for name, role in ("olga", "operator"), ("vera", "viewer"):
        d.json("POST", "/api/users", admin, {"username": name, "password": "tree house 7 oak", "roles": [role],
                                             "email": name + "@example.org", "must_change": False})
    return admin, log_in(d, "olga", "tree house 7 oak"), log_in(d, "vera", "tree house 7 oak")


def client(d, token, *topics):
    c = Client(d)
    assert c.connect(auth={"token": token})[0]
    if topics:
        assert c.call("subscribe", {"topics": list(topics)})[0]["ok"]
    return c


def said(c, name, *args):
    """The error that the request is answered with."""
    c.emit(name, *args)
    return (c.event("sniffing_error", 8) or {}).get("error", "")


def wrong(d, tokens):
    admin, olga, vera = tokens
    o, v = client(d, olga), client(d, vera)
    check("role operator" in said(v, "start_sniffing", {"sniffingInterface": "v1"}), "a viewer may not")
    why = said(o, "start_sniffing", {"sniffingInterface": "nowhere7"})
    check("there is no such interface" in why and "v1" in why, "an interface that is none: those that are", why)
    check("no name" in said(o, "start_sniffing", {"sniffingInterface": "a name/that is none"}), "a name that is none")
    for args in [], [{}], [{"sniffingInterface": 5}], ["v1"], [{"sniffingInterface": "v1\0"}]:
        why = said(o, "start_sniffing", *args)
        check("sniffingInterface" in why, "what is no request says what it wants: %s" % args, why)
    why = said(o, "start_sniffing", {"sniffingInterface": "v2"})
    check("is down" in why and "ip link set v2 up" in why, "an interface that is down", why)
    check(said(o, "stop_sniffing") == "no capture runs", "nothing to stop")
    cases = [("start", admin, {"interface": "nowhere7"}, 404), ("start", admin, {"interface": "a/b"}, 422),
             ("start", admin, {"interface": ""}, 422), ("start", admin, {"interface": "x" * 16}, 422),
             ("start", admin, {}, 422), ("start", admin, {"interface": 5}, 422), ("start", admin, {"interface": "v2"}, 503),
             ("start", vera, {"interface": "v1"}, 403), ("stop", vera, None, 403), ("stop", olga, None, 409)]
    for what, token, body, status in cases:
        code, got = d.json("POST", "/api/network/capture/" + what, token, body)
        check(code == status and got["detail"], "POST %s %s: %d" % (what, body, status), (code, got))
    code, got = d.json("POST", "/api/network/capture/start?dry_run=true", olga, {"interface": "v1"})
    check((code, got) == (200, {"on_demand": True, "running": False, "interface": "v1"}), "a dry run opens nothing", got)
    check(d.json("GET", "/api/network/capture", vera) == (200, {"on_demand": True, "running": False}), "none runs")


def api(d, tokens):
    admin, olga, vera = tokens
    code, got = d.json("POST", "/api/network/capture/start", olga, {"interface": "v1"})
    check(code == 200 and got["running"] and got["interface"] == "v1" and got["since"], "POST start", (code, got))
    code, got = d.json("GET", "/api/network/capture", vera)
    check(code == 200 and got["running"] and got["interface"] == "v1", "GET says so", got)
    code, got = d.json("POST", "/api/network/capture/start", olga, {"interface": "lo"})
    check(code == 409 and "v1 runs already" in got["detail"], "a second one is refused", (code, got))
    why = said(client(d, olga), "start_sniffing", {"sniffingInterface": "lo"})
    check("v1 runs already" in why, "over Socket.IO too", why)
    c = client(d, admin, "alert")
    send(777)
    got = c.events("alert", 14)
    check(len(got) == 14 and {e["src_port"] for e in got} == {777} and {e["in_iface"] for e in got} == {"v1"},
          "its packets are looked at", got[:1])
    code, got = d.json("POST", "/api/network/capture/stop?dry_run=true", olga)
    check(code == 200 and got["running"] and got["interface"] == "v1", "a dry run stops nothing", (code, got))
    code, got = d.json("POST", "/api/network/capture/stop", olga)
    check(code == 200 and not got["running"], "POST stop", (code, got))
    send(778)
    check(c.quiet("alert"), "nothing is looked at any more", c.packets)
    audit = wait_for(lambda: [e["audit"] for e in d.json("GET", "/api/system/audit?audit.action=network.capture.stop", admin)[1]
                              ["items"] if e["audit"]["outcome"] == "success"])
    check(audit and audit[0]["actor"] == "olga" and audit[0]["object"] == "network/interfaces/v1" and
          "after" in audit[0]["detail"], "it is in the audit log", audit)


def cycle(c, port):
    """Start, traffic, stop. Ports of its alerts; None where the capture did not go as it should."""
    c.emit("start_sniffing", {"sniffingInterface": "v1"})
    if c.event("sniffing_started", 20) != {"interface": "v1"}:
        return None
    send(port)
    alerts = [e["src_port"] for e in c.events("alert", 14, 20)]
    c.emit("stop_sniffing")
    return alerts if c.take(r'42\["sniffing_stopped"\]', 20) else None


def many(d, tokens):
    pid = engine(d)
    c = client(d, tokens[1], "alert", "flow")
    for port in 1, 2:
        cycle(c, port)
    before, bad = descriptors(pid), []
    start, times = time.monotonic(), 0
    while times < TIMES and (times < 5 or time.monotonic() < start + 30):      # a busy machine does fewer
        got = cycle(c, 1000 + times)
        if got != [1000 + times] * 14:
            bad.append((1000 + times, got))
        times += 1
    check(not bad, "again and again: start, 14 packets are 14 alerts, stop", (times, bad[:3]))
    flows = {}
    while len(flows) < times + 2 or flows.get(999 + times, 0) < 7:      # a flow ends while time passes, not packets
        e = c.event("flow", 10)
        if not e:
            break
        flows[e["src_port"]] = flows.get(e["src_port"], 0) + 1
    check([flows.get(port) for port in range(1000, 1000 + times)] == [7] * times, "and 7 flows", flows)
    check(wait_for(lambda: descriptors(pid) <= before, 10), "descriptors are no more than before", (before, descriptors(pid)))
    check(not sh("ss", "-0", "-a", "-n", "-H").stdout.strip(), "no packet socket is left", sh("ss", "-0", "-a", "-n").stdout)
    audit = d.json("GET", "/api/system/audit?audit.action=network.capture.start&audit.actor=olga&limit=1000", tokens[0])[1]["items"]
    check(len(audit) >= times, "each start is in the audit log", len(audit))


def daemon(extra):
    with open("demand.rules", "w", encoding="utf-8") as out:
        out.write('alert udp any any -> any 9 (msg:"discard"; sid:1;)\n')
    return Daemon(("capture", "traffic", "ids", "store", "auth", "http", "socketio"),
                  extra="ids:\n  rule_files: [demand.rules]\ntraffic:\n  timeouts:\n    udp:\n      new: 1s\n" + extra)


def main():
    if os.geteuid() != 0:
        print("SKIP: needs root")
        raise SystemExit(77)
    if "inside" not in sys.argv:    # a network of its own, which ends with this process
        os.execvp("unshare", ["unshare", "--net", sys.executable, os.path.abspath(__file__), "inside"])
    for name, peer in ("v0", "v1"), ("v2", "v3"):
        sh("ip", "link", "add", name, "type", "veth", "peer", "name", peer)
    for dev in "v0", "v1":
        sh("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/%s/disable_ipv6" % dev)
        sh("ip", "link", "set", dev, "arp", "off", "up")
    sh("ip", "link", "set", "lo", "up")
    d = daemon("capture:\n  on_demand: true\n  buffer: 4MiB\n")
    try:
        tokens = people(d)
        for part in wrong, api, many:
            part(d, tokens)
    finally:
        code = d.stop()
    check(code == 0, "it ends well", open("log", encoding="utf-8").read())
    d = daemon("")
    try:
        admin = log_in(d, "admin", CHOSEN)
        why = said(client(d, admin), "start_sniffing", {"sniffingInterface": "v1"})
        check("capture.on_demand" in why, "without the option it is named", why)
        code, got = d.json("POST", "/api/network/capture/start", admin, {"interface": "v1"})
        check(code == 409 and "capture.on_demand" in got["detail"], "by the API too", (code, got))
        check(d.json("GET", "/api/network/capture", admin) == (200, {"on_demand": False, "running": False}), "GET says so")
    finally:
        code = d.stop()
    check(code == 0, "it ends well", open("log", encoding="utf-8").read())
    plan()


main()
