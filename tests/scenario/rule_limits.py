#!/usr/bin/env python3
"""Suppressions and thresholds over the API while traffic flows: what they hold back is counted and nowhere else; a
preview says what comes of them; those of a file; bad input; what kill -9 and a damaged file leave. Needs root, for a
namespace."""
import json
import os
import signal
import socket
import subprocess
import sys

import libapi

from libtest import check, plan, wait_for

HERE = os.getcwd()
SOCK = HERE + "/api.sock"
SPACE = "ecrl%d" % os.getpid()
PORT = 9999
RULE = 'alert udp any any -> any 9999 (msg:"%s"; content:"%s"; sid:%d; rev:1;%s)\n'
KEPT = HERE + "/state/ids/limits.conf"
running = None


def ask(method, path, body=None, **headers):
    link = libapi.Local(SOCK, 60)
    sent_headers = {k.replace("_", "-"): v for k, v in headers.items()}
    if body is not None:
        sent_headers["Content-Type"] = "application/json"
    try:
        link.request(method, "/api/rules" + path if path[:4] != "/api" else path,
                     None if body is None else json.dumps(body), sent_headers)
        got = link.getresponse()
        raw = got.read()
        return got.status, json.loads(raw) if raw[:1] in (b"{", b"[") else raw, got.getheader("ETag")
    finally:
        link.close()


def log_end(at=0):
    with open("log", encoding="utf-8", errors="replace") as file:
        file.seek(at)
        return file.read()[-1500:]


def captures():
    """The interface is opened a little after the daemon runs."""
    before = len(alerts())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(b"end-mark", ("10.79.0.2", PORT))
    return wait_for(lambda: len(alerts()) > before, 0.5)


def daemon():
    global running
    at = os.path.getsize("log") if os.path.exists("log") else 0
    with open("log", "ab") as log:
        running = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml", "-i", SPACE + "a"], stdout=log,
                                   stderr=log)
    check(libapi.wait(SOCK, 40) and wait_for(lambda: " runs: " in log_end(at), 10) and wait_for(captures, 10),
          "the daemon serves", log_end())


def stop(sig=signal.SIGTERM):
    running.send_signal(sig)
    return running.wait(30)


def alerts():
    try:
        with open("eve.json", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]
    except FileNotFoundError:
        return []


def sent(*words):
    """Which sids alerted on datagrams with these words? A last one, that has a rule of its own, ends the wait."""
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    before = len(alerts())
    for word in words + ("end-mark",):
        out.sendto(word.encode(), ("10.79.0.2", PORT))
    out.close()
    wait_for(lambda: any(a["alert"]["signature_id"] == 2999999 for a in alerts()[before:]), 10)
    return [a["alert"]["signature_id"] for a in alerts()[before:] if a["alert"]["signature_id"] != 2999999]


def held(path):
    return ask("GET", path)[1]["held_back"]


def suppressed():
    fired = sent("one", "one", "two")
    check(fired == [1, 1, 2], "the rules fire", (fired, alerts()))
    check(wait_for(lambda: len(ask("GET", "/api/ids/alerts?sid=1")[1]["items"]) == 2, 10),
          "and their alerts are stored")
    entry = {"sid": 1, "track": "by_src", "ip": "10.79.0.1/32", "note": "ours"}
    status, seen, _ = ask("POST", "/suppressions/preview", entry)
    check(status == 200 and seen["alerts"] == 2 and seen["held_back"] == 2 and len(seen["examples"]) == 2 and
          seen["partial"] is False, "the preview counts what is stored", (status, seen))
    check(ask("POST", "/suppressions/preview", dict(entry, ip="10.79.0.2"))[1]["held_back"] == 0 and
          ask("POST", "/suppressions/preview", {"sid": 0})[1]["held_back"] >= 3, "another address; every rule")
    status, dry, _ = ask("POST", "/suppressions?dry_run=true", entry)
    check(status == 200 and "id" not in dry and not os.path.exists(KEPT) and sent("one") == [1],
          "a dry run changes nothing", (status, dry))
    status, one, tag = ask("POST", "/suppressions", entry)
    check(status == 201 and one["ip"] == "10.79.0.1" and one["track"] == "by_src" and one["note"] == "ours" and
          one["changed_by"], "a suppression is made", (status, one))
    check(sent("one", "two", "one") == [2], "and in force when that is answered")
    path = "/suppressions/%d" % one["id"]
    check(held(path) == 2 and ask("GET", "/api/ids/stats")[1]["alerts_suppressed"] >= 2,
          "what it holds back is counted", ask("GET", path))
    check(ask("GET", path, If_None_Match=tag)[0] == 304, "an unchanged one is 304")
    long = "\U0001f6a8" * 200     # each of four bytes
    status, two, new = ask("PUT", path, dict(entry, track="by_dst", note=long), If_Match=tag)
    check(status == 200 and two["track"] == "by_dst" and two["note"] == long and new != tag and sent("one") == [1],
          "changed, it no longer holds", (status, two))
    check(ask("PUT", path, entry, If_Match=tag)[0] == ask("DELETE", path, If_Match=tag)[0] == 412,
          "an old version is 412")
    check(ask("PUT", path, dict(entry, track="by_either", ip="10.79.0.2"))[0] == 200 and sent("one") == [],
          "either side")
    check(ask("DELETE", path)[0] == 204 and sent("one") == [1] and ask("GET", path)[0] == 404,
          "removed, the rule fires again")
    wide = ask("POST", "/suppressions", {"gid": 0, "sid": 0, "track": "by_src", "ip": "10.79.0.0/24"})
    check(wide[0] == 201, "one for every rule", wide)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    before = len(alerts())
    out.sendto(b"end-mark", ("10.79.0.2", PORT))
    check(wait_for(lambda: held("/suppressions/%d" % wide[1]["id"]) >= 1, 10) and len(alerts()) == before,
          "holds every rule back", held("/suppressions/%d" % wide[1]["id"]))
    out.close()
    check(ask("DELETE", "/suppressions/%d" % wide[1]["id"])[0] == 204, "and is removed")


def thresholds():
    entry = {"sid": 2, "type": "limit", "track": "by_src", "count": 2, "seconds": 60}
    sent("two", "two", "two")
    check(wait_for(lambda: len(ask("GET", "/api/ids/alerts?sid=2")[1]["items"]) == 5, 10),
          "alerts of a rule are stored")
    stored = 5
    seen = ask("POST", "/thresholds/preview", entry)[1]
    check(seen["alerts"] == stored > 2 and seen["held_back"] == stored - 2, "the preview counts as the engine does",
          seen)
    status, one, tag = ask("POST", "/thresholds", entry)
    path = "/thresholds/%d" % one["id"]
    check(status == 201 and sent("two", "two", "two", "two") == [2, 2] and held(path) == 2, "a limit", (status, one))
    status, one, tag = ask("PUT", path, dict(entry, type="threshold", count=3, seconds=3600), If_Match=tag)
    fired = sent("two", "two", "two", "two", "two", "two")
    check(status == 200 and len(fired) == 2, "each third", fired)
    check(ask("GET", "/thresholds")[1]["items"] == [ask("GET", path)[1]], "it is listed")
    check(ask("GET", "/suppressions/%d" % one["id"])[0] == 404, "and is no suppression")
    check(ask("DELETE", path)[0] == 204 and sent("two", "two") == [2, 2], "removed")
    check(sent("own", "own", "own") == [3], "a rule's own threshold")
    one = ask("POST", "/thresholds", dict(entry, sid=3, count=5))[1]
    check(sent("own", "own") == [3, 3], "gives way to one beside it")
    ask("DELETE", "/thresholds/%d" % one["id"])


def bad():
    for path, body, where in (
            ("suppressions", {}, "sid"), ("suppressions", {"sid": -1}, "sid"), ("suppressions", {"sid": "x"}, "sid"),
            ("suppressions", {"sid": 1, "track": "by_src"}, "ip"),
            ("suppressions", {"sid": 1, "ip": "10.0.0.1"}, "track"),
            ("suppressions", {"sid": 1, "track": "by_src", "ip": "10.0.0.300"}, "ip"),
            ("suppressions", {"sid": 1, "track": "by_src", "ip": "10.0.0.0/33"}, "ip"),
            ("suppressions", {"sid": 1, "track": "by_rule", "ip": "10.0.0.1"}, "track"),
            ("suppressions", {"sid": 1, "gid": 0}, "gid"), ("suppressions", {"sid": 1, "colour": 1}, "colour"),
            ("suppressions", {"sid": 1, "note": "a\nb"}, "note"),
            ("suppressions", {"sid": 1, "note": "x" * 201}, "note"),
            ("suppressions", {"sid": 1, "note": "\U0001f6a8" * 201}, "note"),
            ("suppressions", {"sid": 1, "track": "by_src", "ip": "\U0001f6a8" * 49}, "ip"),
            ("thresholds", {"sid": 1}, "type"),
            ("thresholds", {"sid": 1, "type": "limit", "track": "by_src", "count": 0, "seconds": 1}, "count"),
            ("thresholds", {"sid": 1, "type": "some", "track": "by_src", "count": 1, "seconds": 1}, "type"),
            ("thresholds", {"sid": 1, "type": "both", "track": "by_either", "count": 1, "seconds": 1}, "track"),
            ("thresholds", {"sid": 1, "type": "both", "track": "by_src", "count": 1, "seconds": 2 ** 32}, "seconds")):
        for suffix in "", "/preview":
            status, got, _ = ask("POST", "/" + path + suffix, body)
            check(status == 422 and where in json.dumps(got["detail"][0]["loc"]), "%s%s %s is refused"
                  % (path, suffix, json.dumps(body)[:50]), (status, got))
    check(ask("DELETE", "/suppressions/99")[0] == ask("PUT", "/thresholds/99", {
        "sid": 1, "type": "both", "track": "by_src", "count": 1, "seconds": 2})[0] == 404, "an unknown one is 404")


def together():
    """Many at once: none is lost."""
    import threading
    answers = []

    def make(i):
        answers.append(ask("POST", "/suppressions", {"sid": 100 + i})[0])
    threads = [threading.Thread(target=make, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    items = ask("GET", "/suppressions?limit=3")[1]
    check(answers == [201] * 8 and items["total"] == 8 and len(items["items"]) == 3, "eight at once", (answers, items))
    rest = ask("GET", "/suppressions?limit=1000&cursor=%d" % items["next_cursor"])[1]["items"]
    check([i["sid"] for i in items["items"] + rest] == list(range(100, 108)), "by pages, in order")
    check(len(ask("GET", "/suppressions?sid=103")[1]["items"]) == 1, "and by rule")


def killed():
    ask("POST", "/suppressions", {"sid": 1})
    stop(signal.SIGKILL)
    daemon()
    check(ask("GET", "/suppressions")[1]["total"] == 9 and sent("one", "two") == [2], "kill -9 loses none",
          (ask("GET", "/suppressions")[1]["total"], alerts()[-3:]))
    audit = ask("GET", "/api/system/audit?audit.action=rules.suppression.replace")[1]["items"]
    check(audit and "before: suppress gen_id 1, sig_id 1, track by_src, ip 10.79.0.1; after: suppress" in
          audit[-1]["audit"]["detail"], "changes are in the audit log with before and after", audit)
    stop()
    whole = open(KEPT, encoding="utf-8").read()
    with open(KEPT, "w", encoding="utf-8") as out:
        out.write(whole.replace("sig_id 1\n", "sig_id 2\n"))
    daemon()
    check(ask("GET", "/suppressions")[1]["total"] == 0 and os.path.exists(KEPT + ".bad") and
          "limits.conf.bad" in log_end(), "a damaged file is put aside, and that is said", log_end())
    check(sent("one") == [1], "and nothing of it holds")
    stop()
    newer = "# ecyber-limits 2 of a form that this one does not know\n"
    with open(KEPT, "w", encoding="utf-8") as out:
        out.write(newer)
    daemon()
    status, got, _ = ask("POST", "/suppressions", {"sid": 1})
    check(status == 409 and "newer eCyber" in got["detail"] and "line 1: another version" in log_end(),
          "the file of a newer eCyber is not changed, and that is said", (status, got, log_end()))
    check(ask("POST", "/suppressions?dry_run=true", {"sid": 1})[0] == 200 and sent("one") == [1] and
          open(KEPT, encoding="utf-8").read() == newer, "nothing of it holds, and it stays as it is")
    stop()
    os.unlink(KEPT)
    daemon()


def of_file():
    with open("threshold.config", "w", encoding="utf-8") as out:
        out.write("# ours\nsuppress gen_id 1, sig_id 1\nsuppress gen_id 1, sig_id 2, track by_nobody, ip 10.0.0.1\n"
                  "rate_filter gen_id 1, sig_id 2\n"
                  "  threshold gen_id 1,sig_id 2, type limit,track by_rule, count 1 , seconds 600\n")
    with open("ecyber.yaml", "a", encoding="utf-8") as out:
        out.write("  threshold_file: %s/threshold.config\n" % HERE)
    running.send_signal(signal.SIGHUP)
    check(wait_for(lambda: ask("GET", "/suppressions")[1]["total"] == 1, 20), "a file is read", log_end())
    one = ask("GET", "/suppressions")[1]["items"][0]
    check(one["sid"] == 1 and one["line"] == 2 and one["file"].endswith("/threshold.config") and "id" not in one,
          "its entries say where they stand", one)
    check("threshold.config:3:30: 'by_nobody' is no track" in log_end() and
          "threshold.config:4:1: a line begins" in log_end(), "wrong lines are named", log_end())
    check(sent("one", "two", "two") == [2], "and the others hold")
    counts = [ask("GET", path)[1]["items"][0]["held_back"] for path in ("/suppressions", "/thresholds")]
    made = ask("POST", "/suppressions", {"sid": 77})
    check(made[0] == 201 and counts == [1, 1] == [
        ask("GET", path)[1]["items"][0]["held_back"] for path in ("/suppressions?sid=1", "/thresholds")],
          "a reload does not begin their counts anew", counts)
    check(ask("DELETE", "/suppressions/%d" % made[1]["id"])[0] == 204 and sent("one") == [] and
          ask("GET", "/suppressions")[1]["items"][0]["held_back"] == 2, "they go on")
    with open("ecyber.yaml", "a", encoding="utf-8") as out:
        out.write("  strict: true\n")
    got = subprocess.run([os.environ["ECYBERD"], "-T", "-c", "ecyber.yaml"], capture_output=True, text=True, timeout=60)
    check(got.returncode == 6 and "threshold.config:3:30" in got.stderr, "a check finds them", got.stderr)


def main():
    with open("one.rules", "w", encoding="utf-8") as out:
        for i, word in enumerate(("one", "two"), 1):
            out.write(RULE % (word, word, i, ""))
        out.write(RULE % ("own", "own", 3, " threshold:type limit, track by_src, count 1, seconds 60;"))
        out.write(RULE % ("end", "end-mark", 2999999, ""))
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [capture, traffic, ids, store, auth, http, eve]\n"
                  "  state_dir: %s/state\n  control_socket: %s/s\nhttp:\n  listen: none\n  socket: %s\n"
                  "eve:\n  file: %s/eve.json\n  types: [alert]\nids:\n  rule_files: [%s/one.rules]\n"
                  % (os.environ["EC_PLUGINDIR"], HERE, HERE, SOCK, HERE, HERE))
    daemon()
    for part in suppressed, thresholds, bad, together, killed, of_file:
        part()
    check(stop() == 0, "the daemon ends well", log_end())
    with open("log", encoding="utf-8", errors="replace") as file:
        log = file.read()
    check("Sanitizer" not in log, "no sanitizer has a finding", log[-800:])
    plan()


if os.geteuid():
    print("SKIP: needs root for a network namespace")
    sys.exit(77)
try:
    subprocess.run("ip netns add {0} && ip link add {0}a type veth peer name {0}b netns {0} &&"
                   " ip addr add 10.79.0.1/24 dev {0}a && ip link set {0}a up &&"
                   " nsenter --net=/run/netns/{0} sh -c 'ip addr add 10.79.0.2/24 dev {0}b &&"
                   " ip link set {0}b up'".format(SPACE), shell=True, check=True)
    main()
finally:
    if running and running.poll() is None:
        running.kill()
        running.wait()
    subprocess.run("ip netns del {0}; ip link del {0}a".format(SPACE), shell=True, check=False,
                   stderr=subprocess.DEVNULL)
