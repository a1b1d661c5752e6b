#!/usr/bin/env python3
"""Every kind of plugin that the ABI was designed for does its work in the real daemon."""
import json
import os
import subprocess

KINDS = ["actuator", "api", "enricher", "http", "inspector", "policy", "sink", "store"]
count = 0


def check(good, what, detail=""):
    global count
    count += 1
    print("%sok %d - %s" % ("" if good else "not ", count, what))
    if not good and detail:
        print("# %s" % str(detail)[:400])


def run(name, plugins, *args):
    """Events, exit code and log of one run in a folder of its own."""
    os.mkdir(name)
    eve = os.path.join(os.getcwd(), name, "eve.json")
    with open(name + "/ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s]\n  plugins: [%s]\n  state_dir: state\neve:\n  file: %s\n"
                  % (os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"], ", ".join(plugins), eve))
        if "kind_actuator" in plugins:
            out.write("kind_actuator:\n  allow: 10.66.0.10\n")
        if "ids" in plugins:
            out.write("ids:\n  rule_files: [%s/etc/rules/ecyber.rules]\n" % os.environ["EC_SRC"])
            out.write("  classification_file: %s/etc/rules/classification.config\n" % os.environ["EC_SRC"])
    done = subprocess.run([os.environ["ECYBERD"], "-c", name + "/ecyber.yaml", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=50, check=False)
    events = []
    if os.path.exists(eve):
        with open(eve, encoding="utf-8") as lines:
            events = [json.loads(line) for line in lines]
    return events, done.returncode, done.stdout.decode("utf-8", "replace")


def of(events, kind):
    return [e for e in events if e["event_type"] == kind]


def all_kinds(workers):
    capture = os.path.join(os.environ["EC_DATA"], "sample.pcap")
    events, code, log = run("w%d" % workers, ["capture", "traffic", "ids", "eve"] + ["kind_" + k for k in KINDS],
                            "-r", capture, "--workers", str(workers))
    tag = " (%d workers)" % workers
    check(code == 0, "the daemon ends well" + tag, log)
    flows, seen = of(events, "flow"), of(events, "seen")
    check(flows and len(seen) == len(flows), "inspector: an event for each flow" + tag, (len(flows), len(seen)))
    check(seen and all("flow" in e and e["src_ip"] for e in seen), "inspector: the flow is attached" + tag, seen[:1])
    check(sum(e["seen"]["transactions"] for e in seen) >= len(of(events, "http")) > 0,
          "inspector: transactions were seen" + tag)
    placed = [e["ecyber"]["place"] for e in flows if "place" in e.get("ecyber", {})]
    check(len(placed) == len(flows), "enricher: flows carry the place of their private end" + tag, flows[:1])
    bans = of(events, "testban")
    alerts = of(events, "alert")
    check(alerts and {b["testban"]["addr"] for b in bans if b["testban"]["action"] == "ban"} >=
          {a["src_ip"] for a in alerts if a["src_ip"] != "10.66.0.10"}, "policy and actuator: sources are banned" + tag, bans[:2])
    check(any(b["testban"]["action"] == "refused" and b["testban"]["addr"] == "10.66.0.10" for b in bans),
          "actuator: the allow-list wins" + tag, bans[:2])
    replies = of(events, "testreply")
    check([r["testreply"] for r in replies] == [{
        "status": 200, "method": "GET", "path": "/api/test/note", "opid": "get_note",
        "body": "visits=7 text=kept in the store"}], "API provider, its service and the store" + tag, replies)


all_kinds(0)
all_kinds(2)

events, code, log = run("synth", ["kind_source", "traffic", "eve"], "--set", "core.sources=[synth:1000]",
                        "--workers", "0")
flows = of(events, "flow")
check(code == 0 and len(flows) == 16, "source: sixteen flows", (code, len(flows), log))
check(sum(e["flow"]["pkts_toserver"] for e in flows) == 1000, "source: every frame arrives", flows[:1])
print("1..%d" % count)
