#!/usr/bin/env python3
"""What is alive on a live interface: interfaces and which of them is captured on, flows that have not ended, with two workers
and in a namespace of its own."""
import os
import signal
import subprocess
import sys

import libapi

from libtest import check, plan, wait_for

HERE = os.getcwd()
SOCK = HERE + "/api.sock"
NS = "eca%d" % os.getpid()
TALK = r"""
import socket, sys
s = socket.create_server(("127.0.0.1", 7001))
c = socket.create_connection(("127.0.0.1", 7001), source_address=("127.0.0.1", 7002))
a, _ = s.accept()
c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
a.recv(100)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in range(10000, 13000):
    u.sendto(b"x", ("127.0.0.2", port))
print("ready", flush=True)
sys.stdin.readline()
c.close()
a.close()
print("closed", flush=True)
sys.stdin.readline()
"""


def sh(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def get(path):
    return libapi.get(SOCK, "/api/network/" + path)


def flows(query):
    code, answer = get("connections?limit=1000&" + query)
    return answer["items"] if code == 200 else []


if os.geteuid() or sh("ip", "netns", "add", NS).returncode:
    print("SKIP: needs root and network namespaces")
    sys.exit(77)
inside = ("nsenter", "--net=/run/netns/" + NS)
sh(*inside, "ip", "link", "set", "lo", "up")
sh(*inside, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
sh(*inside, "ip", "link", "set", "v0", "address", "02:00:00:00:00:01")
with open("c.yaml", "w", encoding="utf-8") as out:
    out.write("core:\n  plugin_dirs: [%s]\n  plugins: [capture, traffic, network, store, auth, http]\n  state_dir: %s/state\n"
              "  control_socket: %s/s\n  sources: [\"live:lo\"]\n  workers: 2\nhttp:\n  listen: none\n  socket: %s\n"
              % (os.environ["EC_PLUGINDIR"], HERE, HERE, SOCK))
with open("log", "wb") as log:
    daemon = subprocess.Popen([*inside, os.environ["ECYBERD"], "--alone", "-c", "c.yaml"], stdout=log, stderr=log)
talk = None
try:
    check(libapi.wait(SOCK), "the daemon serves")
    check(wait_for(lambda: [i for i in get("interfaces")[1]["items"] if i["captured"]], 10), "it captures", get("interfaces"))
    code, answer = get("interfaces")
    by_name = {i["name"]: i for i in answer["items"]}
    lo, v0 = by_name["lo"], by_name["v0"]
    check(set(by_name) == {"lo", "v0", "v1"} and lo["captured"] and not v0["captured"] and answer["over"] == 0,
          "each interface, and which is captured on", answer)
    check(lo["is_up"] and lo["loopback"] and "mac" not in lo and {"ip": "127.0.0.1", "prefix": 8} in lo["addresses"],
          "loopback with its address", lo)
    check(not v0["is_up"] and v0["mac"] == "02:00:00:00:00:01" and v0["addresses"] == [] and v0["mtu"] == 1500,
          "one that is down, with its hardware address", v0)
    talk = subprocess.Popen([*inside, sys.executable, "-c", TALK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    talk.stdout.readline()
    check(wait_for(lambda: len(flows("proto=UDP")) == 1000, 10), "flows that are alive", get("connections"))
    code, answer = get("connections?limit=10&proto=UDP")
    check(wait_for(lambda: get("connections?proto=UDP")[1]["matched"] == 3000, 10) and not answer["partial"] and
          len(answer["items"]) == 10 and answer["alive"] >= 3001, "all are counted, and few are shown", answer)
    last = [f["last"] for f in answer["items"]]
    check(last == sorted(last, reverse=True), "the latest first", last)
    one = flows("port=7001")
    check(len(one) == 1 and (one[0]["src_port"], one[0]["dest_port"], one[0]["proto"], one[0]["app_proto"]) ==
          (7002, 7001, "TCP", "http") and one[0]["tcp_state"] == one[0]["state"] == "established" and
          one[0]["bytes_toserver"] > 27 and one[0]["in_iface"] == "lo" and not one[0]["replay"], "one connection", one)
    check({f["dest_port"] for f in flows("port=10007")} == {10007}, "by port", flows("port=10007"))
    check(len(flows("ip=127.0.0.2/32")) == 1000 and not flows("ip=10.0.0.0/8") and len(flows("ip=127.0.0.0/8&proto=TCP")) == 1,
          "by network", flows("ip=10.0.0.0/8"))
    talk.stdin.write("\n")
    talk.stdin.flush()
    talk.stdout.readline()
    check(wait_for(lambda: [f for f in flows("port=7001") if f["state"] == "closed"] or not flows("port=7001"), 5),
          "it is closed", flows("port=7001"))
    code, stats = get("interfaces/lo/stats")
    check(code == 200 and stats["captured"] and 3000 <= stats["rx_packets"] < 6100 and stats["rx_bytes"] == stats["tx_bytes"],
          "what an interface of this namespace has counted", stats)
    bad = ["interfaces?x=1", "interfaces/" + "x" * 16 + "/stats", "connections?limit=0", "connections?limit=1001",
           "connections?ip=x", "connections?ip=1.2.3.4/33", "connections?port=65536", "connections?proto=IPX"]
    check([get(b)[0] for b in bad] == [422] * len(bad), "bad requests are refused", [(b, get(b)) for b in bad])
    check([get("interfaces/%s/stats" % n)[0] for n in ("nothere", "..%2f", ".", "%2e%2e")] == [404] * 4, "no such interface is 404",
          [get("interfaces/%s/stats" % n) for n in ("nothere", "..%2f", ".", "%2e%2e")])
finally:
    if talk:
        talk.kill()
        talk.wait()
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait(20)
    sh("ip", "netns", "del", NS)
with open("log", encoding="utf-8") as log:
    check(code == 0, "the daemon ends well", log.read())
plan()
