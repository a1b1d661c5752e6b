#!/usr/bin/env python3
"""Countries in eve.json, of a replay, with both schemas; a missing or damaged file never keeps the daemon from starting."""
import json
import os
import subprocess

from libtest import check, plan

ECYBERD, DATA = os.environ["ECYBERD"], os.environ["EC_DATA"]
PLACES = {"10.66.0.10": "AT", "10.66.0.11": "AT", "10.66.0.53": "AT", "10.66.1.100": "SE", "198.51.100.7": "BR"}


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.endswith("\n")]


def replay(name, databases, *args):
    done = subprocess.run(
        [ECYBERD, "-r", DATA + "/sample.pcap", "--set", "core.state_dir=" + os.path.abspath(name),
         "--set", "core.plugin_dirs=[%s]" % os.environ["EC_PLUGINDIR"], "--set", "core.plugins=[capture, traffic, ids, "
         "geoip, eve]", "--set", "geoip.databases=[%s]" % ", ".join(databases),
         "--set", "ids.rule_files=[%s/etc/rules/ecyber.rules]" % os.environ["EC_SRC"], *args],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
    return read(name + "/eve/eve.json") if done.returncode == 0 else [], done.stdout


def country(event, side):
    return event.get("ecyber", {}).get("geoip", {}).get(side, {}).get("country")


def wrong(events, places):
    return [e for e in events if "src_ip" in e and
            (country(e, "src") != places.get(e["src_ip"]) or country(e, "dst") != places.get(e["dest_ip"]))]


own = DATA + "/geoip/"
for workers in "0", "2":
    events, log = replay("w" + workers, [own + "places.mmdb"], "--workers", workers)
    tag = " (%s workers)" % workers
    check(len(events) > 100 and not wrong(events, PLACES), "every event has the country of both ends" + tag,
          (wrong(events, PLACES) or [log])[0])
    alerts = [e for e in events if e["event_type"] == "alert" and e["src_ip"] == "198.51.100.7"]
    check(alerts and all(e["ecyber"]["geoip"]["src"] == {
        "country": "BR", "continent": "SA", "asn": 64498, "org": "Example Net Two"} for e in alerts),
        "and alerts the whole of it" + tag, alerts[:1])
events, log = replay("flat", [own + "flat.mmdb", own + "asn.mmdb"], "--workers", "0")
check(len(events) > 100 and not wrong(events, PLACES), "so with flat names", log)
check(all(e["ecyber"]["geoip"]["src"].get("asn") for e in events if "src_ip" in e),
      "and the network from a second file", events[:1])

with open("damaged.mmdb", "wb") as out, open(own + "places.mmdb", "rb") as whole:
    out.write(whole.read()[:900])
for what, path in ("missing", "/nowhere/none.mmdb"), ("damaged", os.path.abspath("damaged.mmdb")):
    events, log = replay(what, [path], "--workers", "0")
    check(len(events) > 100 and not wrong(events, {}) and log.count("WARNING geoip") == 1 and path in log,
          "a %s file is a warning, and events go without it" % what, log)
events, log = replay("many", ["x%d.mmdb" % i for i in range(17)])
check(not events and "at most 16" in log, "too many files are refused in a sentence", log)
plan()
