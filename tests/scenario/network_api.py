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

from libtest import Local, check, plan, wait_for

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


def chosen(flows):
    """?fields="""
    got = get("/api/network/flows?limit=1000&fields=src_ip,flow.pkts_toserver,timestamp")[1]["items"]
    whole = get("/api/network/flows?limit=1000")[1]["items"]
    check(got == [{"id": f["id"], "timestamp": f["timestamp"], "event_type": "flow", "src_ip": f["src_ip"],
                   "flow": {"pkts_toserver": f["flow"]["pkts_toserver"]}} for f in whole] and len(got) == len(flows),
          "of each flow what was asked for alone, nested as it is", got[:1])
    check(get("/api/network/flows?limit=5&fields=flow")[1]["items"] ==
          [{"id": f["id"], "event_type": "flow", "flow": f["flow"]} for f in whole[:5]], "an object is all of it")
    got = get("/api/network/dns?limit=1000&fields=dns.answers.ttl,dns.rcode")[1]["items"]
    want = [{"id": d["id"], "event_type": "dns", "dns": {k: v if k == "rcode" else [{"ttl": a["ttl"]} for a in v]
                                                         for k, v in d["dns"].items() if k in ("answers", "rcode")}}
            for d in get("/api/network/dns?limit=1000")[1]["items"]]
    want = [d if d["dns"] else {k: d[k] for k in ("id", "event_type")} for d in want]
    check(any("dns" in d for d in got) and got == want, "what an event has not is not there", (got[:2], want[:2]))
    got = get("/api/events?limit=1000&fields=dns.rcode,flow.state")[1]["items"]
    check({e["event_type"] for e in got if "dns" in e} == {"dns"} and {e["event_type"] for e in got if "flow" in e} == {"flow"},
          "of every type what it has of them", got[:3])
    for fields in "", "nothing", "src_ip,flow.nothing", "src_ip,", "dns.rcode", "flo", "items", "type", "id%22:{%22type", "a" * 200, ",".join(["src_ip"] * 65):
        status, got = get("/api/network/flows?fields=" + fields)
        check(status == 422 and got["detail"][0]["loc"] == ["query", "fields"], "fields=%s is refused" % fields[:30], got)
    check(get("/api/network/top?by=proto&fields=proto")[0] == 422, "counts have no fields")


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
    out.write("core:\n  plugin_dirs: [%s]\n  plugins: [capture, traffic, ids, geoip, network, eve, store, auth, http]\n"
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
    chosen(flows)
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

    flow_id = next(a["flow_id"] for a in alerts if a.get("flow_id"))
    flow = next(f for f in listed("/api/network/flows") if f["flow_id"] == flow_id)
    mine = [e for e in events if e.get("flow_id") == flow_id]
    path = "/api/network/flows/%s/events" % flow["id"]
    check(len(mine) > 1 and same(listed(path), mine), "every event of one flow", (len(mine), listed(path)))
    check(same(listed(path + "?type=alert"), [e for e in mine if e["event_type"] == "alert"]), "of one type")
    status, page = get(path + "?limit=1")
    check(status == 200 and len(page["items"]) == 1 and page["next_cursor"], "page by page", page)
    other = get("/api/network/flows/%s/events?cursor=%s" % (next(f["id"] for f in listed("/api/network/flows") if
                                                                f["flow_id"] != flow_id), page["next_cursor"]))
    check(other[0] == 422, "the cursor of another flow is refused", other)
    check([get("/api/network/flows/%s/events" % i)[0] for i in ("1", "0", "x", first["id"])] == [404, 422, 422, 404],
          "no flow is 404, what is no id 422", [get("/api/network/flows/%s/events" % i) for i in ("1", "0", "x", first["id"])])
    check(get(path + "?colour=red")[0] == 422 and get(path + "?limit=1001")[0] == 422, "bad filters are refused")
    check(same(listed("/api/network/events"), events), "all events under the predecessor's path")
    check(same(listed("/api/network/events?source_ip=198.51.100.7&protocol=TCP"),
               [e for e in events if e.get("src_ip") == "198.51.100.7" and e.get("proto") == "TCP"]), "with its names")
    check(get("/api/network/events?threat_class=x")[0] == 422, "and no filter is lost silently")
finally:
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait(20)
with open("log", encoding="utf-8") as log:
    check(code == 0, "the daemon ends well", log.read())


# --- the figures of a run ---
def post(path, body=b"{}"):
    c = Local(SOCK)
    try:
        c.request("POST", path, body, {"Content-Type": "application/json"})
        r = c.getresponse()
        return r.status, json.loads(r.read())
    finally:
        c.close()


def metric(name):
    lines = get("/metrics")[1].splitlines()
    return sum(int(line.split()[-1]) for line in lines if line.startswith(name + " ") or line.startswith(name + "{"))


with open("log", "wb") as log:
    daemon = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml", "-r", os.environ["EC_DATA"] + "/sample.pcap",
                               "--stay", "--set", "core.control_socket=%s/s" % HERE, "--set", "network.devices=16"],
                              stdout=log, stderr=log)
try:
    check(libapi.wait(SOCK) and wait_for(lambda: get("/api/system/stats")[1].get("replay") == "finished", 20) and
          wait_for(lambda: get("/api/network/stats")[1]["total_flows"] == len(flows), 10), "a capture is looked at, and the daemon stays",
          get("/api/network/stats"))
    bytes_of, packets_of = collections.Counter(), collections.Counter()
    for f in flows:
        for end in f["src_ip"], f["dest_ip"]:
            bytes_of[end] += f["flow"]["bytes_toserver"] + f["flow"]["bytes_toclient"]
            packets_of[end] += f["flow"]["pkts_toserver"] + f["flow"]["pkts_toclient"]
    wait_for(lambda: sum(p["flows"] for p in get("/api/network/timeseries")[1]["items"]) == len(flows), 5)
    status, stats = get("/api/network/stats")
    packets = metric("ecyber_traffic_decode_packets_total")
    check(status == 200 and stats["total_packets"] == packets > 0 and
          stats["total_bytes_processed"] == metric("ecyber_traffic_decode_bytes_total"), "packets and bytes are the metrics'", stats)
    check(sum(stats["protocols"].values()) <= packets and stats["protocols"]["TCP"] > 0 and stats["alerts"] == len(alerts) and
          stats["app_protocols"]["http"]["flows"] == len([f for f in flows if f.get("app_proto") == "http"]), "by protocol", stats)
    check(0 < stats["avg_packets_per_second"] <= packets and stats["uptime_seconds"] < 60, "a second", stats)
    status, devices = get("/api/network/devices?limit=1000")
    check(status == 200 and devices["most"] == 16 and devices["count"] == min(16, len(bytes_of)) and
          devices["evicted"] >= len(bytes_of) - devices["count"], "devices have a bound, and who had to go is counted", devices)
    if not devices["evicted"]:
        check({d["ip"]: d["bytes_sent"] + d["bytes_received"] for d in devices["items"]} == dict(bytes_of) and
              {d["ip"]: d["packets_sent"] + d["packets_received"] for d in devices["items"]} == dict(packets_of),
              "devices are those of the flows", (devices, bytes_of))
        check(stats["top_talkers"] == dict(sorted(bytes_of.items(), key=lambda i: -i[1])[:10]), "who talks most", stats)
    ordered = [d["flows"] for d in get("/api/network/devices?sort=flows")[1]["items"]]
    check(ordered == sorted(ordered, reverse=True) and ordered[0] > 0, "sorted by flows", ordered)
    got = get("/api/network/devices?ip=198.51.100.0/24")[1]
    check(got["matched"] == len(got["items"]) > 0 and all(d["ip"].startswith("198.51.100.") for d in got["items"]), "by network", got)
    status, series = get("/api/network/timeseries?points=3600")
    check(status == 200 and series["resolution"] == "1s" and sum(p["packets"] for p in series["items"]) == packets and
          sum(p["alerts"] for p in series["items"]) == len(alerts), "over time by seconds", series)
    status, series = get("/api/network/timeseries?resolution=1m")
    check(status == 200 and sum(p["flows"] for p in series["items"]) == len(flows) and len(series["items"]) <= 2, "and by minutes", series)
    bad = ["devices?ip=nowhere", "devices?ip=10.0.0.0/33", "devices?sort=colour", "devices?limit=0", "timeseries?points=0",
           "timeseries?points=3601", "timeseries?resolution=2s", "stats?x=1"]
    check([get("/api/network/" + b)[0] for b in bad] == [422] * len(bad), "bad parameters are refused",
          [(b, get("/api/network/" + b)) for b in bad])
    status, reset = post("/api/network/reset")
    stats = get("/api/network/stats")[1]
    check(status == 200 and reset["status"] == "reset" and stats["total_packets"] == stats["total_flows"] == stats["alerts"] == 0 and
          not stats["top_talkers"] and not stats["app_protocols"], "they are counted anew", (status, reset, stats))
    check(metric("ecyber_traffic_decode_packets_total") == packets, "the metrics go on")
    check(sum(p["packets"] for p in get("/api/network/timeseries?points=3600")[1]["items"]) == packets, "so does the series")
    check(wait_for(lambda: any(e["audit"]["action"] == "network.reset" and "packets %d" % packets in e["audit"]["detail"]
                               for e in listed("/api/system/audit")), 5), "and it stands in the audit log", get("/api/system/audit"))
finally:
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait(20)
with open("log", encoding="utf-8") as log:
    check(code == 0, "this one ends well too", log.read())
plan()
