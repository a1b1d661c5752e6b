#!/usr/bin/env python3
"""Scores: a recorded scan is suspicious and says why, normal use is not; the same whatever the number of workers; a model
that was changed is not used; a reload brings one in."""
import collections
import json
import os
import shutil
import subprocess

from libtest import check, plan


def replay(name, capture, *args, workers=0):
    os.mkdir(name)
    eve = os.path.abspath(name + "/eve.json")
    done = subprocess.run(
        [os.environ["ECYBERD"], "-r", os.path.join(os.environ["EC_DATA"], capture), "--workers", str(workers),
         "--set", "core.plugins=[capture,traffic,ids,ml,eve]", "--set", "core.state_dir=" + os.path.abspath(name),
         "--set", "eve.file=" + eve, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=50, check=False)
    check(done.returncode == 0, "%s: the replay ends well" % name, done.stdout.decode("utf-8", "replace"))
    with open(eve, encoding="utf-8") as file:
        return [json.loads(line) for line in file], done.stdout.decode("utf-8", "replace")


def of(events, kind):
    return [e for e in events if e["event_type"] == kind]


def alerts(events):
    return [e for e in of(events, "alert") if e["alert"]["gid"] == 3]


def adds_up(score):
    return abs(score["bias"] + score["rest"] + sum(f["contribution"] for f in score["features"]) - score["margin"]) < 1e-6


events, _ = replay("scan", "scan-syn.pcap")
scores = of(events, "score")
check(len(scores) > 100, "a SYN scan: many scores", len(scores))
check(all(s["score"]["score"] >= s["score"]["threshold"] and s["score"]["verdict"] == "suspicious" for s in scores),
      "each at the threshold or above")
check(all(adds_up(s["score"]) for s in scores), "bias, contributions and rest add up to the margin")
check(all(s["score"]["features"] and {"name", "contribution", "normal_low", "normal_high"} <= set(s["score"]["features"][0])
          for s in scores), "features with contribution and what is normal")
check(all("flow" in s and "src_ip" in s for s in scores), "the flow stands beside it")
found = alerts(events)
check(1 <= len(found) <= 3, "one alert for the source and minute", len(found))
check(found and found[0]["alert"]["signature_id"] == 1 and adds_up(found[0]["score"]), "the alert carries its score", found)
each, _ = replay("each", "scan-syn.pcap", "--set", "ml.alert_window=0")
check(len(alerts(each)) == len(of(each, "score")) == len(scores), "alert_window 0: each score is an alert")

for capture in ("http-keepalive.pcap", "http-parallel.pcap", "tls13.pcap", "dns-types.pcap", "ssh-login.pcap",
                "plain-mail.pcap", "http-upload.pcap"):
    events, _ = replay("normal-" + capture, capture)
    check(not of(events, "score") and not alerts(events), "%s: nothing" % capture, of(events, "score")[:1])
events, _ = replay("all", "http-keepalive.pcap", "--set", "ml.publish=all")
check(len(of(events, "score")) == len(of(events, "flow")) > 0, "publish all: a score for each flow")
check(all(s["score"]["verdict"] == "normal" for s in of(events, "score")), "and all are normal")


for capture in ("flood-udp.pcap", "flood-icmp.pcap"):
    events, _ = replay(capture, capture, "--set", "ml.publish=all")
    check("10.66.0.10" not in {s["src_ip"] for s in of(events, "score")}, "%s: who answers is not scored" % capture)


def essence(name, workers):
    events, _ = replay(name, "", "--set", "ml.publish=all", workers=workers)
    scored = collections.Counter(json.dumps([e["flow_id"], e["timestamp"], e["score"]], sort_keys=True)
                                 for e in of(events, "score"))
    return scored, collections.Counter(e["src_ip"] for e in alerts(events))


one, two = essence("one", 0), essence("two", 2)
check(one[0] and one[0] == two[0], "two workers: the same score for the same flow",
      list((one[0] - two[0]).items())[:1] + list((two[0] - one[0]).items())[:1])
check(one[1] and one[1] == two[1], "two workers: as many alerts of each source", (one[1] - two[1], two[1] - one[1]))

shipped = os.path.join(os.environ["EC_ROOT"], "share/ecyber/models")
os.mkdir("models")
for name in ("flow-1.json", "flow-1.ubj"):
    shutil.copy(os.path.join(shipped, name), "models")
with open("models/flow-1.ubj", "r+b") as file:
    file.seek(4000)
    byte = file.read(1)
    file.seek(4000)
    file.write(bytes([byte[0] ^ 1]))
events, said = replay("changed", "scan-syn.pcap", "--set", "ml.model=" + os.path.abspath("models/flow-1.json"))
check(not of(events, "score") and "checksum" in said, "a model with one bit changed: a sentence and no score", said)
check(of(events, "flow"), "and everything else goes on")
plan()
