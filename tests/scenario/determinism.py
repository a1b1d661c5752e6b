#!/usr/bin/env python3
"""--workers 0 gives the same bytes whatever may differ from run to run; --workers 2 gives the same alerts and flows."""
import collections
import json
import os
import subprocess
import sys

from libtest import check, plan


def replay(name, *args, **env):
    """eve.json of one replay of all our captures, everything at its default but what is asked for."""
    os.mkdir(name)
    eve = os.path.abspath(name + "/eve.json")
    done = subprocess.run(
        [os.environ["ECYBERD"], "-r", os.environ["EC_DATA"], "--set", "core.state_dir=" + os.path.abspath(name),
         "--set", "eve.file=" + eve, "--set", "core.plugin_dirs=[%s]" % os.environ["EC_PLUGINDIR"], *args],
        env=dict(os.environ, **env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=200, check=False)
    check(done.returncode == 0, "%s: the replay ends well" % name, done.stdout.decode("utf-8", "replace"))
    with open(eve, "rb") as file:
        return file.read()


def differ(a, b):
    for i, (x, y) in enumerate(zip(a.split(b"\n"), b.split(b"\n"))):
        if x != y:
            return "line %d:\n#  %s\n#  %s" % (i + 1, x[:350], y[:350])
    return "%d and %d bytes" % (len(a), len(b))


base = replay("base", "--workers", "0")
lines = base.count(b"\n")
check(lines >= 10000, "at least 10,000 lines", lines)
for name, args, env in [
        ("again", [], {}),
        ("batch of 1", ["--batch", "1"], {}),
        ("another hash key", ["--set", "traffic.hash_key=00112233445566778899aabbccddeeff"], {}),
        ("other memory", [], {"MALLOC_PERTURB_": "165"}),
        ("another time zone", [], {"TZ": "Pacific/Chatham"})]:
    other = replay(name, "--workers", "0", *args, **env)
    check(other == base, "%s: the same bytes" % name, differ(base, other))

# With two workers, what depends on one flow is the same set; what depends on many (a threshold by address, one alert of a
# model for each source and minute) is the same multiset of rule and key.
threshold = set()
with open(os.path.join(os.environ["EC_SRC"], "etc/rules/ecyber.rules"), encoding="utf-8") as rules:
    for rule in rules:
        if "threshold:" in rule and "sid:" in rule:
            threshold.add(int(rule.split("sid:")[1].split(";")[0]))


def essence(data):
    alerts, flows, keyed = collections.Counter(), collections.Counter(), collections.Counter()
    for event in map(json.loads, data.splitlines()):
        event.get("ecyber", {}).pop("worker", None)
        if event["event_type"] == "flow":
            event["flow"].pop("alerted")        # by a threshold's alert, perhaps
            flows[json.dumps(event, sort_keys=True)] += 1
        elif event["event_type"] == "alert" and (event["alert"]["gid"] == 3
                                                 or event["alert"]["signature_id"] in threshold):
            keyed[event["alert"]["gid"], event["alert"]["signature_id"], event["src_ip"]] += 1
        elif event["event_type"] == "alert":
            alerts[json.dumps(event, sort_keys=True)] += 1
    return alerts, flows, keyed


one, two = essence(base), essence(replay("two workers", "--workers", "2"))
for what, a, b in zip(("alerts", "flows", "threshold alerts by rule and source"), one, two):
    check(a and a == b, "two workers: the same %s" % what, list((a - b).items())[:1] + list((b - a).items())[:1])
plan()
sys.exit(0)
