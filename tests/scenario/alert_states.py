#!/usr/bin/env python3
"""What people make of alerts: acknowledged, closed, a false positive; one by one and many at once; who may, what a lost
update says; kept over a restart, and with a copy of the event beyond the retention of events."""
import json
import os
import shutil
import signal
import subprocess
import time

import libapi

from libtest import check, plan

HERE = os.getcwd()
SOCK = HERE + "/api.sock"


def ask(method, path, body=None, headers=None):
    link = libapi.Local(SOCK)
    try:
        link.request(method, path, None if body is None else json.dumps(body),
                     dict({"Content-Type": "application/json"} if body is not None else {}, **(headers or {})))
        got = link.getresponse()
        raw = got.read()
        return got.status, json.loads(raw) if raw[:1] in (b"{", b"[") else raw, got.getheader("ETag")
    finally:
        link.close()


def listed(query="", limit=7):
    items, cursor = [], ""
    while True:
        status, page, _ = ask("GET", "/api/ids/alerts?limit=%d%s%s" % (limit, query and "&" + query,
                                                                      cursor and "&cursor=" + cursor))
        if status != 200:
            return (status, page)
        items += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return items


def ids(items):
    return [i["id"] for i in items] if isinstance(items, list) else items


def own(item):
    return {k: v for k, v in item.items() if not k.startswith("state")}


running = None


def daemon():
    global running
    log = open("log", "ab")
    running = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml", "--set", "core.control_socket=%s/s" % HERE],
                               stdout=log, stderr=log)
    check(libapi.wait(SOCK), "the daemon serves")


def stop():
    running.send_signal(signal.SIGTERM)
    return running.wait(20)


def one_by_one(alerts):
    first = alerts[0]
    path = "/api/ids/alerts/" + first["id"]
    check({a["state"] for a in alerts} == {"open"} and {a["state_version"] for a in alerts} == {0}, "alerts are open at first")
    for _ in range(3):              # the store keeps a page that is asked for again, without the states
        check(ids(listed(limit=100)) == ids(alerts), "a page is the same when it is asked for again")
    status, got, tag = ask("PATCH", path, {"state": "acknowledged", "note": "seen \u00e4 <b>"}, {"If-Match": '"0"'})
    check(status == 200 and got["state"] == "acknowledged" and got["state_note"] == "seen \u00e4 <b>" and
          got["id"] == first["id"] and got["state_by"] and got["state_at"] and tag == '"%d"' % got["state_version"],
          "an alert is acknowledged", (status, got, tag))
    status, shown, again = ask("GET", path)
    check(status == 200 and own(shown) == own(first) and {k: v for k, v in got.items() if k != "id"} ==
          {k: v for k, v in shown.items() if k.startswith("state")} and again == tag,
          "it is shown with state, note, by whom, when, and its ETag", (status, shown, again))
    check([a for a in listed() if a["id"] == first["id"]] == [shown], "the list shows it too")
    check([a for a in listed(limit=100) if a["id"] == first["id"]] == [shown], "so does the page that was asked before")
    check(ask("PATCH", path, {"state": "closed"}, {"If-Match": '"0"'})[0] == 412 and ask("GET", path)[1] == shown,
          "who has an older version is told so with 412, and nothing changes")
    check(ask("PATCH", path, {"note": "x"}, {"If-Match": "3"})[0] == 422, "an If-Match that is no ETag is 422")
    status, got, _ = ask("PATCH", path, {"note": "two"}, {"If-Match": tag})
    check((status, got["state"], got["state_note"]) == (200, "acknowledged", "two"), "a note alone leaves the state", got)
    status, got, _ = ask("PATCH", path, {"note": ""})
    check(status == 200 and "state_note" not in got, "an empty note takes it away", got)
    for body in {}, {"state": "new"}, {"state": "closed", "note": "x" * 1001}, {"state": "closed", "by": "me"}:
        check(ask("PATCH", path, body)[0] == 422, "%s is refused" % str(body)[:40])
    check(ask("PATCH", "/api/ids/alerts/1", {"state": "closed"})[0] == 404, "an alert that is not there is 404")
    flow = ask("GET", "/api/network/flows?limit=1")[1]["items"][0]
    check(ask("PATCH", "/api/ids/alerts/" + flow["id"], {"state": "closed"})[0] == 404, "a flow is no alert")
    check(ask("GET", "/api/ids/alerts/" + flow["id"])[0] == 404, "and is not shown as one")


def many(alerts):
    some = [a["id"] for a in alerts[2:12]]
    status, got, _ = ask("POST", "/api/ids/alerts/bulk", {"ids": some + ["1", "x"], "state": "closed", "note": "noise"})
    check(status == 200 and got["changed"] == len(some) and [f["id"] for f in got["failed"]] == ["1", "x"],
          "many are closed at once; those that are not alerts are named", (status, got))
    check(ask("POST", "/api/ids/alerts/bulk", {"ids": [], "state": "closed"})[0] == 422, "none is refused")
    check(ask("POST", "/api/ids/alerts/bulk", {"ids": ["1"] * 1001, "state": "closed"})[0] == 422, "1001 are refused")


def filters(alerts):
    changed, acked = [a["id"] for a in alerts[2:12]], [alerts[0]["id"]]
    newest = sorted(changed, key=int, reverse=True)
    check(ids(listed("status=closed", 3)) == newest, "closed ones are listed, newest first, over pages",
          ids(listed("status=closed", 3)))
    check(ids(listed("status=acknowledged")) == acked, "so is the acknowledged one")
    check(ids(listed("status=open", 3)) == [a["id"] for a in alerts if a["id"] not in changed + acked],
          "open ones are those that are left")
    check(ids(listed("status=open,closed", 4)) == [a["id"] for a in alerts if a["id"] not in acked], "two states at once")
    for query in ("", "status=closed", "status=open", "status=open,closed"):
        there = ids(listed(query))
        check(ids(listed(query + "&sort=timestamp", 3)) == there[::-1] and ids(listed(query + "&sort=-timestamp")) == there,
              "the oldest first: %s" % (query or "all"), (there, listed(query + "&sort=timestamp", 3)))
    got = ask("GET", "/api/ids/alerts?status=closed&fields=sid,state,src_ip")[1]["items"]
    check(got and all(set(a) == {"id", "event_type", "src_ip", "alert", "state"} and a["state"] == "closed" and
                      set(a["alert"]) == {"signature_id"} for a in got), "only the fields that were chosen", got[:1])
    status, got = listed("sort=severity")
    check(status == 422 and got["detail"][0]["loc"] == ["query", "sort"], "sorted by nothing else", got)
    closed = [a for a in alerts if a["id"] in changed]
    sid, ip, port = closed[0]["alert"]["signature_id"], closed[0]["src_ip"], closed[0]["dest_port"]
    when = closed[4]["timestamp"].replace("+0000", "Z")
    for query, fits in (("sid=%d" % sid, lambda a: a["alert"]["signature_id"] == sid),
                        ("sid.ne=%d" % sid, lambda a: a["alert"]["signature_id"] != sid),
                        ("ip=%s" % ip, lambda a: ip in (a["src_ip"], a["dest_ip"])),
                        ("ip.ne=%s" % ip, lambda a: ip not in (a["src_ip"], a["dest_ip"])),
                        ("ip=10.0.0.0/8&port=%d" % port, lambda a: port in (a.get("src_port"), a["dest_port"]) and (
                            a["src_ip"] + a["dest_ip"]).count("10.")),
                        ("severity.le=1", lambda a: a["alert"]["severity"] <= 1),
                        ("since=" + when, lambda a: a["timestamp"] >= closed[4]["timestamp"]),
                        ("until=" + when, lambda a: a["timestamp"] < closed[4]["timestamp"])):
        want = sorted((a["id"] for a in closed if fits(a)), key=int, reverse=True)
        check(ids(listed("status=closed&" + query, 2)) == want, "closed ones by " + query.split("=")[0],
              (query, ids(listed("status=closed&" + query)), want))
    for query in "status=new", "status=closed&q=x", "status=closed&alert.metadata.has=true", "status=closed&cursor=x":
        check(ask("GET", "/api/ids/alerts?" + query)[0] == 422, query + " is refused with 422")


def events(path, n):
    """Once the store has n of them: it writes in batches."""
    end = time.time() + 10
    while True:
        items = ask("GET", path)[1].get("items", [])
        if len(items) >= n or time.time() > end:
            return items
        time.sleep(0.1)


def told(alerts):
    changes = events("/api/ids/alerts/changes?limit=50", 13)
    check(len(changes) == 13 and changes[-1]["alert_state"] == {
        "alert_id": alerts[0]["id"], "state": "acknowledged", "before": "open", "version": 1, "note": "seen \u00e4 <b>",
        "by": changes[-1]["alert_state"]["by"]}, "each change is an event", changes[-1:])
    audit = events("/api/system/audit?audit.action=alert.state&limit=50", 13)
    check(len(audit) == 13 and audit[-1]["audit"]["object"] == "alerts/" + alerts[0]["id"] and
          audit[-1]["audit"]["detail"] == "open -> acknowledged: seen \u00e4 <b>", "and stands in the audit log", audit[-1:])


def main():
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [capture, traffic, ids, store, auth, http]\n"
                  "  state_dir: %s/state\nhttp:\n  listen: none\n  socket: %s\n"
                  "ids:\n  rule_files: [%s/etc/rules/ecyber.rules]\n"
                  % (os.environ["EC_PLUGINDIR"], HERE, SOCK, os.environ["EC_SRC"]))
    done = subprocess.run([os.environ["ECYBERD"], "-c", "ecyber.yaml", "-r", os.environ["EC_DATA"] + "/sample.pcap"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
    check(done.returncode == 0, "the replay ends well", done.stdout)
    daemon()
    alerts = listed()
    check(isinstance(alerts, list) and len(alerts) > 14, "there are alerts", alerts)
    one_by_one(alerts)
    many(alerts)
    filters(alerts)
    told(alerts)
    check(stop() == 0, "the daemon ends well", open("log", encoding="utf-8", errors="replace").read()[-900:])
    daemon()
    check(len(listed("status=closed")) == 10 and len(listed("status=acknowledged")) == 1, "states survive a restart")
    stop()
    for name in os.listdir("state/store"):
        if not name.startswith("documents"):
            (shutil.rmtree if os.path.isdir("state/store/" + name) else os.unlink)("state/store/" + name)
    daemon()
    kept = listed("status=acknowledged")
    check(ids(kept) == [alerts[0]["id"]] and own(kept[0]) == own(alerts[0]),
          "an acknowledged alert is there when its event is gone", kept)
    status, got, _ = ask("GET", "/api/ids/alerts/" + alerts[0]["id"])
    check(status == 200 and got["ecyber"]["why"] == alerts[0]["ecyber"]["why"] and got["state"] == "acknowledged",
          "with its reason", (status, got))
    check(ask("PATCH", "/api/ids/alerts/" + alerts[0]["id"], {"state": "closed"})[0] == 200 and
          ids(listed("status=acknowledged")) == [], "and can be closed then")
    check(ask("GET", "/api/ids/alerts/" + alerts[13]["id"])[0] == 404, "one that nobody touched is gone with the events")
    check(stop() == 0, "the daemon ends well", open("log", encoding="utf-8", errors="replace").read()[-900:])
    plan()


try:
    main()
finally:
    if running and running.poll() is None:
        running.kill()
    elif running and running.returncode:
        print("# " + open("log", encoding="utf-8", errors="replace").read()[-3000:].replace("\n", "\n# "))
