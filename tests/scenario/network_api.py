#!/usr/bin/env python3
"""Alerts, flows and transactions of a replay, read back over the API by a daemon that is started later: what is listed,
filtered and counted is what eve.json says."""
import collections
import datetime
import json
import os
import signal
import subprocess

import libapi

from libtest import check, plan

HERE = os.getcwd()
SOCK = HERE + "/api.sock"


def get(path):
    return libapi.get(SOCK, path)


def listed(path):
    """All pages of a list."""
    items, cursor = [], ""
    while True:
        status, page = get("%s%slimit=100%s" % (path, "&" if "?" in path else "?", cursor and "&cursor=" + cursor))
        if status != 200:
            return (status, page)
        items += page["items"]
        if not page["next_cursor"]:
            return items
        cursor = page["next_cursor"]


def bare(event):
    return {k: v for k, v in event.items() if k != "id" and not k.startswith("state")}


def same(a, b):
    """The same events, in whatever order."""
    return isinstance(a, list) and sorted(json.dumps(bare(e), sort_keys=True) for e in a) == sorted(
        json.dumps(bare(e), sort_keys=True) for e in b)


def counted(path):
    status, answer = get(path + "&limit=1000")
    return {i["value"]: i["count"] for i in answer["items"]} if status == 200 else (status, answer)


def count(events, key):
    found = collections.Counter()
    for e in events:
        at = e
        for part in key.split("."):
            at = at.get(part, {}) if isinstance(at, dict) else {}
        if at != {}:
            found[str(at)] += 1
    return dict(found)


with open("ecyber.yaml", "w", encoding="utf-8") as out:
    out.write("core:\n  plugin_dirs: [%s]\n  plugins: [capture, traffic, ids, geoip, eve, store, auth, http]\n"
              "  state_dir: %s/state\nhttp:\n  listen: none\n  socket: %s\ngeoip:\n  databases: [%s/geoip/places.mmdb]\n"
              "ids:\n  rule_files: [%s/etc/rules/ecyber.rules]\n"
              % (os.environ["EC_PLUGINDIR"], HERE, SOCK, os.environ["EC_DATA"], os.environ["EC_SRC"]))
done = subprocess.run([os.environ["ECYBERD"], "-c", "ecyber.yaml", "-r", os.environ["EC_DATA"] + "/sample.pcap"],
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
check(done.returncode == 0, "the replay ends well", done.stdout)
with open("state/eve/eve.json", encoding="utf-8") as lines:
    events = [json.loads(line) for line in lines]


def of(kind):
    return [e for e in events if e["event_type"] == kind]


with open("log", "wb") as log:
    daemon = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml", "--set", "core.control_socket=%s/s" % HERE],
                              stdout=log, stderr=log)
try:
    check(libapi.wait(SOCK), "the daemon serves what was stored")
    alerts, flows = of("alert"), of("flow")
    check(len(alerts) > 10 and same(listed("/api/ids/alerts"), alerts), "alerts are those of eve.json", listed("/api/ids/alerts")[:1])
    sid, severity = alerts[0]["alert"]["signature_id"], alerts[0]["alert"]["severity"]
    check(same(listed("/api/ids/alerts?sid=%d" % sid), [a for a in alerts if a["alert"]["signature_id"] == sid]), "by sid",
          listed("/api/ids/alerts?sid=%d" % sid)[:2])
    check(same(listed("/api/ids/alerts?severity=%d" % severity), [a for a in alerts if a["alert"]["severity"] == severity]),
          "by severity")
    check(same(listed("/api/ids/alerts?action=allowed"), alerts) and listed("/api/ids/alerts?action=blocked") == [], "by action")
    check(same(listed("/api/ids/alerts?src_country=BR"), [a for a in alerts if a["src_ip"] == "198.51.100.7"]), "by country",
          listed("/api/ids/alerts?src_country=BR")[:1])
    check(same(listed("/api/ids/alerts?ip=198.51.100.0/24"),
               [a for a in alerts if "198.51.100.7" in (a["src_ip"], a["dest_ip"])]), "by network")
    check(counted("/api/ids/alerts/groups?by=alert.signature_id") == count(alerts, "alert.signature_id"), "counted by rule",
          (counted("/api/ids/alerts/groups?by=alert.signature_id"), count(alerts, "alert.signature_id")))
    times = sorted(datetime.datetime.fromisoformat(a["timestamp"][:-2] + ":00").timestamp() for a in alerts)
    status, bars = get("/api/ids/alerts/histogram?interval=1d&since=%d&until=%d" % (times[0] - 86400, times[-1] + 1))
    check(status == 200 and sum(b["count"] for b in bars["items"]) == len(alerts) and not bars["partial"] and
          sum(b["severity_%d" % severity] for b in bars["items"]) == len([a for a in alerts if a["alert"]["severity"] == severity]),
          "alerts over time, by severity", (status, bars))
    status, bars = get("/api/ids/alerts/histogram?interval=1s&sid=%d&since=%d&until=%d" % (sid, times[0], times[0] + 100))
    check(status == 200 and len(bars["items"]) in (100, 101) and {b["count"] for b in bars["items"]} >= {0} and
          sum(b["count"] for b in bars["items"]) == len([t for a in alerts for t in [datetime.datetime.fromisoformat(
              a["timestamp"][:-2] + ":00").timestamp()] if a["alert"]["signature_id"] == sid and int(times[0]) <= t < int(times[0]) + 100]),
          "with the filters of a page, second by second", (status, str(bars)[:300]))
    check(get("/api/ids/alerts/histogram?interval=1s&since=1d")[0] == 422, "86400 bars are refused")
    status, stats = get("/api/ids/stats")
    check(status == 200 and stats["alerts"] == 0 and "candidates" in stats, "what the engine counted", (status, stats))
    status, rules = get("/api/ids/status")
    check(status == 200 and rules["rules_loaded"] > 20 and rules["states"]["closed"] == 0, "which rules are in use", (status, rules))
    first = listed("/api/ids/alerts")[0]
    status, one = get("/api/ids/alerts/%s" % first["id"])
    check(status == 200 and one == first and one["ecyber"]["why"]["rule"], "one alert says why", (status, str(one)[:300]))
    check(get("/api/ids/alerts/1")[0] == 404, "one that is not there is 404", get("/api/ids/alerts/1"))
    check(get("/api/ids/alerts?colour=red")[0] == 422, "an unknown filter is refused", get("/api/ids/alerts?colour=red"))

    check(same(listed("/api/network/flows"), flows), "flows are those of eve.json")
    check(same(listed("/api/network/flows?alerted=true"), [f for f in flows if f["flow"].get("alerted")]), "by alerted",
          len(listed("/api/network/flows?alerted=true")))
    check(same(listed("/api/network/flows?state=closed"), [f for f in flows if f["flow"].get("state") == "closed"]), "by state")
    for key in "src_ip", "dest_port", "ecyber.geoip.src.country", "ecyber.geoip.dst.org":
        check(counted("/api/network/top?by=" + key) == count(flows, key), "the top by " + key,
              (counted("/api/network/top?by=" + key), count(flows, key)))
    for kind, filters in ("dns", "rrname"), ("http", "hostname"), ("tls", "sni"):
        check(of(kind) and same(listed("/api/network/" + kind), of(kind)), kind + " is that of eve.json")
        value = next(e[kind][filters] for e in of(kind) if filters in e[kind])
        check(same(listed("/api/network/%s?%s=%s" % (kind, filters, value)),
                   [e for e in of(kind) if e[kind].get(filters) == value]), "by " + filters, value)
    check(same(listed("/api/network/anomalies"), of("anomaly")), "anomalies too")
finally:
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait(20)
with open("log", encoding="utf-8") as log:
    check(code == 0, "the daemon ends well", log.read())
plan()
