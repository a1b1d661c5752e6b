#!/usr/bin/env python3
"""Flows that nobody looks at any more: what was found before stays the same, the flow's record tells what was not looked
at, its end is seen all the same, and batches cannot be seen."""
import json
import os
import subprocess

from libtest import check, plan

DATA = os.environ["EC_DATA"]


def replay(name, capture, *args):
    """The events of that capture, in the order in which they came."""
    os.makedirs(name)
    eve = os.path.abspath(name + "/eve.json")
    done = subprocess.run(
        [os.environ["ECYBERD"], "-r", os.path.join(DATA, capture), "--workers", "0", "--set", "eve.file=" + eve,
         "--set", "core.state_dir=" + os.path.abspath(name), "--set", "core.plugins=[capture, traffic, ids, eve]",
         *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=50, check=False)
    check(done.returncode == 0, "%s: the replay ends well" % name, done.stdout.decode("utf-8", "replace"))
    with open(eve, encoding="utf-8") as file:
        return file.read()


def events(text, kind):
    return [e for e in map(json.loads, text.splitlines()) if e["event_type"] == kind]


def totals(flow):
    """Of a flow's record, what does not depend on who looked at it."""
    return (flow["flow_id"], flow["tcp"]["state"], flow["tcp"]["tcp_flags"], flow["app_proto"],
            [flow["flow"][k] for k in ("pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient")])


def adds_up(flow):
    """What was bypassed is a part of the whole."""
    part, whole = flow["flow"]["bypassed"], flow["flow"]
    return all(0 <= part[k] <= whole[k] for k in part if k != "reason") and sum(part[k] for k in part if k != "reason")


whole = replay("whole", "http-big.pcap")
large = replay("large", "http-big.pcap", "--set", "traffic.bypass.bytes=20000")
before, after = events(whole, "flow"), events(large, "flow")
check(len(before) == len(after) == 1 and totals(before[0]) == totals(after[0]),
      "a large flow that is bypassed has the counters and the end of one that is not", (before, after))
check(before[0]["flow"]["state"] == "closed" and "bypassed" not in before[0]["flow"] and
      "bypass" not in before[0]["flow"], "without the option nothing is bypassed", before)
check(after[0]["flow"]["state"] == "bypassed" and after[0]["flow"]["bypass"] == "local" and
      after[0]["flow"]["bypassed"]["reason"] == "bytes" and adds_up(after[0]), "its record says what and why", after)
seen = [e["flow"]["bytes_" + d] - e["flow"]["bypassed"]["bytes_" + d] for e in after for d in ("toserver", "toclient")]
check(20000 - 1514 <= sum(seen) <= 20000 + 16 * 1514, "it is bypassed where it is over the limit", seen)
check(len(events(large, "http")) == len(events(whole, "http")) == 1, "what was begun is told", large)
check(events(large, "fileinfo")[-1]["fileinfo"]["state"] == "TRUNCATED" and
      events(whole, "fileinfo")[-1]["fileinfo"]["state"] == "CLOSED", "a file whose end nobody saw is not whole", large)
check(not events(large, "anomaly"), "and nothing is wrong with it", large)
check(large == replay("large-1", "http-big.pcap", "--set", "traffic.bypass.bytes=20000", "--set", "core.batch=1"),
      "batches cannot be seen")

deep = replay("depth", "http-big.pcap", "--set", "traffic.stream.depth=20000")
check(events(deep, "fileinfo")[-1]["fileinfo"]["state"] == "TRUNCATED" and totals(events(deep, "flow")[0]) ==
      totals(before[0]), "behind stream.depth a file is cut, too, and the connection's end is seen", deep)

whole = replay("tls", "load-tls.pcap")
sealed = replay("tls-sealed", "load-tls.pcap", "--set", "traffic.bypass.encrypted=true")
check([e for e in map(json.loads, whole.splitlines()) if e["event_type"] != "flow"] ==
      [e for e in map(json.loads, sealed.splitlines()) if e["event_type"] != "flow"] and events(whole, "tls"),
      "sessions of TLS are the same, whether they are bypassed after the handshake or not")
before, after = events(whole, "flow"), events(sealed, "flow")
check(sorted(map(totals, before)) == sorted(map(totals, after)), "and so are their flows' counters and ends")
check(all(e["flow"]["bypassed"]["reason"] == "encrypted" and adds_up(e) for e in after if "bypassed" in e["flow"]) and
      sum("bypassed" in e["flow"] for e in after) > 10, "and they say what nobody looked at", after[:2])
plan()
