#!/usr/bin/env python3
"""Links, tunnels, fragments and what is wrong with packets, through the daemon: flows name what is around them, a
datagram in pieces is one datagram, each fault is an anomaly by Suricata's name; and batches cannot be seen."""
import json
import os
import struct
import subprocess

from libframes import LINK_ETHERNET, LINK_RAW, MACS, ether, fragments, icmp, ip4, ip6, tcp, udp, write_pcap
from libtest import check, plan

SRC, DST, NEAR, FAR, ROUTER = "192.168.0.1", "192.168.0.2", "10.1.0.1", "10.1.0.2", "10.9.0.1"
QUERY = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"\x05inner\x04test\0" + struct.pack(">HH", 1, 1)


def inner(port):
    return ip4(NEAR, FAR, 17, udp(port, 53, QUERY))


def replay(name, frames, link=LINK_RAW, *args):
    """The events of these frames."""
    os.makedirs(name, exist_ok=True)
    write_pcap(name + ".pcap", link, frames)
    eve = os.path.abspath(name + "/eve.json")
    done = subprocess.run(
        [os.environ["ECYBERD"], "-r", name + ".pcap", "--workers", "0", "--set", "eve.file=" + eve,
         "--set", "core.state_dir=" + os.path.abspath(name), "--set", "core.plugins=[capture, traffic, ids, eve]",
         *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=50, check=False)
    check(done.returncode == 0, "%s: the replay ends well" % name, done.stdout.decode("utf-8", "replace"))
    with open(eve, "rb") as file:
        return file.read()


def events(data, kind):
    return [e for e in map(json.loads, data.splitlines()) if e["event_type"] == kind]


# Each tunnel around a DNS query of its own.
TUNNELS = [
    ("ip", "IP-in-IP", ip4(SRC, DST, 4, inner(1001))),
    ("gre", "GRE", ip4(SRC, DST, 47, b"\0\0\x08\0" + inner(1002))),
    ("erspan", "GRE", ip4(SRC, DST, 47, bytes.fromhex("100088be000000011009000100000000")
                          + ether(0x800, inner(1003)))),
    ("vxlan", "UDP", ip4(SRC, DST, 17, udp(999, 4789, bytes.fromhex("0800000000000500") + ether(0x800, inner(1004))))),
    ("geneve", "UDP", ip4(SRC, DST, 17, udp(999, 6081, bytes.fromhex("0000655800000500") + ether(0x800, inner(1005))))),
    ("gtp", "UDP", ip4(SRC, DST, 17, udp(999, 2152, struct.pack(">BBHI", 0x30, 255, len(inner(1006)), 9)
                                         + inner(1006)))),
    ("teredo", "UDP", ip4(SRC, DST, 17, udp(999, 3544, ip6("2001::1", "2001::2", 17, udp(1007, 53, QUERY))))),
    ("pptp", "GRE", ip4(SRC, DST, 47, struct.pack(">BBHHHI", 0x30, 1, 0x880b, 4 + len(inner(1008)), 1, 1)
                        + b"\xff\x03\0\x21" + inner(1008))),
    ("vxlan_gpe", "UDP", ip4(SRC, DST, 17, udp(999, 4790, bytes.fromhex("0c00000100000500") + inner(1009)))),
    ("l2tp", "UDP", ip4(SRC, DST, 17, udp(1701, 1701, bytes.fromhex("000200070009ff030021") + inner(1010)))),
    ("l2tp", "L2TP", ip4(SRC, DST, 115, bytes.fromhex("0000000501020304") + ether(0x800, inner(1011)))),
]
frames = [frame for _, _, frame in TUNNELS]
# One packet in a packet in fragments.
frames += fragments(SRC, DST, 47, b"\0\0\x08\0" + inner(1029), 77, [24, 48])
# ICMP about a packet that was seen, from its receiver and from a router; and about one that was not.
asked, unseen = (ip4(NEAR, FAR, 17, udp(port, 9, b"?")) for port in (1030, 1031))
frames += [asked, ip4(FAR, NEAR, 1, icmp(3, 3, asked)), ip4(ROUTER, NEAR, 1, icmp(11, 0, asked)),
           ip4(ROUTER, NEAR, 1, icmp(3, 1, unseen))]
base = replay("tunnels", frames)
flows = {e.get("src_port"): e for e in events(base, "flow") if e["src_ip"] in (NEAR, "2001::1")}
outer = {e["flow_id"]: e for e in events(base, "flow") if e["src_ip"] == SRC}
asked_of = {e["src_port"]: e for e in events(base, "dns")}
for port, (kind, proto, frame) in enumerate(TUNNELS, 1001):
    flow = flows.get(port, {})
    tunnel = flow.get("tunnel", {})
    around = outer.get(tunnel.get("flow_id"), {})
    good = (tunnel.get("type"), tunnel.get("proto"), tunnel.get("depth"), tunnel.get("src_ip"), tunnel.get("dest_ip")) \
        == (kind, proto, 1, SRC, DST) and around.get("proto") == proto and "tunnel" not in around
    check(good and port in asked_of, "%s: the inner flow names its outer one, and its query is read" % kind, flow)
check(flows.get(1029, {}).get("tunnel", {}).get("type") == "gre", "a tunnel in fragments is opened", flows.get(1029))
errors = flows[1030]
check(errors["ecyber"].get("icmp") == {"errors": 2, "type": 3, "code": 3, "src_ip": FAR}
      and errors["flow"]["state"] == "new" and errors["flow"]["pkts_toclient"] == 2, "ICMP errors are in the flow that they are about", errors)
about = [e for e in events(base, "flow") if "about" in e["ecyber"]]
check(len(about) == 1 and about[0]["src_ip"] == ROUTER and about[0]["ecyber"]["about"]["src_port"] == 1031
      and "icmp" not in about[0]["ecyber"], "one without that flow says what it is about", about)
check(not events(base, "anomaly"), "none of them is an anomaly", events(base, "anomaly"))
check(replay("tunnels1", frames, LINK_RAW, "--batch", "1", "--set",
             "traffic.hash_key=00112233445566778899aabbccddeeff") == base,
      "a batch of 1 and another key: the same bytes")


def essence(data):
    """The events in any order, without the name of the worker."""
    found = [json.loads(line) for line in data.splitlines()]
    for event in found:
        event["ecyber"].pop("worker", None)
    return sorted(json.dumps(event, sort_keys=True) for event in found)


two = replay("tunnels2", frames, LINK_RAW, "--workers", "2")
check(essence(two) == essence(base), "two workers: the same events", two.decode())
with open("inner.rules", "w", encoding="utf-8") as rules:
    rules.write('alert udp any any -> any 53 (msg:"inner"; content:"|05|inner|04|test"; sid:1; rev:1;)\n'
                'alert icmp any any -> any any (msg:"error"; sid:2; rev:1;)\n'
                'alert udp any any -> any 9 (msg:"error"; content:"?"; sid:3; rev:1;)\n')
alerts = events(replay("alerts", frames, LINK_RAW, "--set", "ids.rule_files=[%s]" % os.path.abspath("inner.rules")),
                "alert")
check(sorted(e["tunnel"]["type"] for e in alerts if "tunnel" in e and e["src_ip"] in (NEAR, "2001::1"))
      == sorted([kind for kind, _, _ in TUNNELS] + ["gre"]), "an alert on each inner packet names its tunnel", alerts)
check(sorted((e["flow_id"], e["proto"], e["src_ip"]) for e in alerts if e["alert"]["signature_id"] == 2)
      == sorted([(errors["flow_id"], "ICMP", FAR), (about[0]["flow_id"], "ICMP", ROUTER)])
      and len([e for e in alerts if e["alert"]["signature_id"] == 3]) == 1,
      "rules on ICMP see them, those on what they quote do not", alerts)
closed = replay("closed", frames, LINK_RAW, "--set", "traffic.tunnels.depth=0")
check(not [e for e in events(closed, "flow") if "tunnel" in e] and not events(closed, "anomaly"),
      "tunnels.depth=0 opens none")

# Links between Ethernet and IP.
plain = ip4(NEAR, FAR, 17, udp(2000, 53, QUERY))
LINKS = {"802.1ah": ether(0x88e7, bytes(4) + ether(0x800, plain)), "MPLS": ether(0x8847, b"\0\x01\x41\x40" + plain),
         "PPPoE": ether(0x8864, struct.pack(">BBHHH", 0x11, 0, 1, len(plain) + 2, 0x21) + plain),
         "SNAP": MACS + struct.pack(">H", 8 + len(plain)) + b"\xaa\xaa\3\0\0\0\x08\0" + plain}
for name, frame in LINKS.items():
    got = replay("link-" + name, [frame], LINK_ETHERNET)
    check(len(events(got, "dns")) == 1 and not events(got, "anomaly"), "%s: the query in it is read" % name, got)

# Faults: frame and the event that it has to give.
FAULTS = [
    ("decoder.ipv4.trunc_pkt", ip4(NEAR, FAR, 17, udp(1, 2, b"x"))[:-3]),
    ("decoder.ipv4.opt_malformed", ip4(NEAR, FAR, 17, udp(2, 2, b"x"), options=bytes((7, 7, 3, 0, 0, 0, 0, 0)))),
    ("decoder.ipv6.dstopts_unknown_opt", ip6("fd00::1", "fd00::2", 60, b"\x11\0\x3e\x04abcd" + udp(3, 2, b"x"))),
    ("decoder.ipv6.frag_invalid_length", ip6("fd00::1", "fd00::2", 44, b"\x11\0\0\1\0\0\0\1" + b"x" * 13)),
    ("decoder.tcp.opt_invalid_len", ip4(NEAR, FAR, 6, tcp(4, 80, options=b"\2\3\1\0"))),
    ("decoder.udp.len_invalid", ip4(NEAR, FAR, 17, b"\0\5\0\2\0\4\0\0")),
    ("decoder.icmpv4.ipv4_trunc_pkt", ip4(NEAR, FAR, 1, icmp(3, 1, b"\x45\0\0"))),
    ("decoder.gre.version0_flags", ip4(NEAR, FAR, 47, b"\0\x08\x08\0")),
    ("decoder.ipv4.frag_pkt_too_large", ip4(NEAR, FAR, 17, b"x" * 24, 9, 65520)),
]
got = replay("faults", [frame for _, frame in FAULTS])
names = [e["anomaly"]["event"] for e in events(got, "anomaly")]
for name, _ in FAULTS:
    check(names.count(name) == 1, "%s is said once" % name, names)
deep = plain
for _ in range(20):
    deep = ip4(SRC, DST, 4, deep)
got = replay("deep", [deep])
check([e["anomaly"]["event"] for e in events(got, "anomaly")] == ["decoder.too_many_layers"]
      and events(got, "anomaly")[0]["tunnel"]["depth"] == 8,
      "20 packets in each other: 8 are opened, and the rest is said", events(got, "anomaly"))

# Overlaps: the policy decides which query it was.
other = QUERY.replace(b"inner", b"evade")
first, second = udp(3000, 53, QUERY), udp(3000, 53, other)
overlap = [ip4(NEAR, FAR, 17, first[16:32], 5, 16, True), ip4(NEAR, FAR, 17, second[16:32], 5, 16, True),
           ip4(NEAR, FAR, 17, first[:16], 5, 0, True), ip4(NEAR, FAR, 17, first[32:], 5, 32, False)]
for number, (policy, name) in enumerate((("defrag.policy=first", "inner.test"), ("defrag.policy=last", "evade.test"),
                                         ("defrag.policy=linux", "evade.test"), ("defrag.policy=windows", "inner.test"),
                                         ("targets={10.1.0.0/16: windows, 10.1.0.2: linux}", "evade.test"),
                                         ("targets={10.1.0.0/16: last, 10.1.0.2: windows}", "inner.test"))):
    got = replay("overlap%d" % number, overlap, LINK_RAW, "--set", "traffic." + policy)
    said = [e["anomaly"]["event"] for e in events(got, "anomaly")]
    query = events(got, "dns")
    check(len(query) == 1 and name in json.dumps(query) and said == ["decoder.ipv4.frag_overlap"],
          "%s: %s is seen" % (policy, name), got.decode())
plan()
