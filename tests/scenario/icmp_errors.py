#!/usr/bin/env python3
"""ICMP errors of real captures (a traceroute by UDP, ICMP and TCP over IPv4 and IPv6, questions to a closed port) are
in the flows that they are about, with one worker and with several, which share them by what they quote: the errors of a
router have other addresses than their flows."""
import json
import os
import subprocess

from libtest import check, plan

DATA = os.environ["EC_DATA"]


def replay(name, capture, workers):
    os.makedirs(name, exist_ok=True)
    eve = os.path.abspath(name + "/eve.json")
    done = subprocess.run(
        [os.environ["ECYBERD"], "-r", "%s/%s.pcap" % (DATA, capture), "--workers", str(workers),
         "--set", "eve.file=" + eve, "--set", "core.state_dir=" + os.path.abspath(name),
         "--set", "core.plugins=[capture, traffic, eve]"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=50, check=False)
    check(done.returncode == 0, "%s: the replay ends well" % name, done.stdout.decode("utf-8", "replace"))
    with open(eve, "rb") as file:
        return [json.loads(line) for line in file]


def flows(events):
    """{port of the client: error, packets} of UDP's; those of errors; what a comparison of runs needs."""
    found = [e for e in events if e["event_type"] == "flow"]
    udp = {(e["src_ip"], e["src_port"]): e for e in found if e["proto"] == "UDP"}
    errors = [e for e in found if e.get("icmp_type") in (3, 11) and "about" in e["ecyber"]]
    for event in found:
        event["ecyber"].pop("worker", None)
    return udp, errors, sorted(json.dumps(e, sort_keys=True) for e in found)


for capture, count in ("icmp-traceroute", 32), ("dns-refused-port", 2):
    udp, errors, one = flows(replay(capture + "-0", capture, 0))
    check(len(udp) == count and not errors, "%s: no error about a question is a flow" % capture, (len(udp), errors))
    wrong = [e for e in udp.values() if e["ecyber"].get("icmp", {}).get("errors") != 1 or e["flow"]["state"] != "new"
             or (e["flow"]["pkts_toserver"], e["flow"]["pkts_toclient"]) != (1, 1)]
    check(not wrong, "%s: each is in its question's flow, which it does not answer" % capture, wrong)
    if capture == "icmp-traceroute":
        hops = [e["ecyber"]["icmp"] for (_, _), e in sorted(udp.items(), key=lambda item: item[1]["dest_port"])
                if e["dest_ip"] == "10.66.0.10"]
        check([(h["type"], h["src_ip"]) for h in hops] == [(11, "10.66.1.1")] * 3 + [(3, "10.66.0.10")] * 13,
              "the router's time exceeded, then the host's port unreachable", hops)
    for workers in (2, 4):
        check(flows(replay("%s-%d" % (capture, workers), capture, workers))[2] == one,
              "%s: %d workers give the same flows" % (capture, workers))
plan()
