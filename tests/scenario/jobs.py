#!/usr/bin/env python3
"""Long work: captures that are handed in are replayed by a child, rules are tried on them; the live engine stays as it
is."""
import http.client
import json
import os
import shutil
import signal
import struct
import subprocess
import time

from libtest import Local, check, plan, wait_for

ECYBERD, CTL, DATA = os.environ["ECYBERD"], os.environ["ECYBERCTL"], os.environ["EC_DATA"] + "/"
HERE = os.getcwd()
SOCK = HERE + "/api.sock"
RULES = 'alert http any any -> any any (msg:"any request"; flow:to_server; http.uri; content:"/"; sid:77; rev:1;)\n'


def raw(method, path, body=None, kind="application/json", headers=()):
    c = Local(SOCK, timeout=30)
    try:
        c.request(method, path, body, {**({"Content-Type": kind} if body is not None else {}), **dict(headers)})
        r = c.getresponse()
        return r.status, r.headers, r.read()
    finally:
        c.close()


def shortened(path, file):
    """A file that becomes shorter while a slow client reads it."""
    size = os.path.getsize(file)
    with open(file, "a", encoding="utf-8") as more:
        more.write("\n" * (64 << 20))
    c = Local(SOCK, timeout=30)
    c.request("GET", path)
    answer = c.getresponse()
    answer.read(1 << 20)
    os.truncate(file, size)
    try:
        got, error = len(answer.read()), None
    except (http.client.IncompleteRead, ConnectionError) as e:
        got, error = 0, e
    check(error, "what cannot be sent to its end is broken off, so that nobody takes it for the whole", got)
    c.close()


def ask(method, path, body=None):
    status, headers, text = raw(method, path, None if body is None else json.dumps(body))
    return status, json.loads(text) if text and "json" in headers["Content-Type"] else text, headers


def upload(data, query=""):
    status, headers, text = raw("POST", "/api/packets/replay" + query, data, "application/octet-stream")
    return status, json.loads(text), headers


def sample(name):
    with open(DATA + name, "rb") as file:
        return file.read()


def end_of(ident, seconds=40):
    """The job once it is over."""
    return wait_for(lambda: (lambda j: j if j["state"] not in ("queued", "running") else None)(
        ask("GET", "/api/system/jobs/%d" % ident)[1]), seconds) or ask("GET", "/api/system/jobs/%d" % ident)[1]


def test_rules(rules, **where):
    return ask("POST", "/api/rules/test", {"rules": rules, **where})


def alive():
    try:
        return raw("GET", "/healthz")[0] == 200
    except OSError:
        return False


def daemon(*more):
    log = open("log", "a", encoding="utf-8")
    run = subprocess.Popen((ECYBERD, "--alone", "--set", "core.plugin_dirs=[%s]" % os.environ["EC_PLUGINDIR"],
                            "--set", "core.plugins=[capture, traffic, ids, store, packets, jobs, replay, auth, http]",
                            "--set", "core.state_dir=" + HERE + "/state",
                            "--set", "core.control_socket=" + HERE + "/control.sock", "--set", "http.listen=none",
                            "--set", "http.socket=" + SOCK, *more), stdout=log, stderr=log)
    wait_for(alive, 20)
    return run


def stop(run):
    run.send_signal(signal.SIGTERM)
    return run.wait(30)


def children(run):
    found = []
    for pid in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % pid, encoding="latin-1") as file:
                words = file.read().rsplit(")", 1)[1].split()
            if words[0] != "Z" and int(words[1]) == run.pid:
                found.append(int(pid))
        except (OSError, IndexError, ValueError):
            pass
    return found


def folders():
    return sorted(os.listdir("state/replay")) if os.path.isdir("state/replay") else []


def long_capture(count):
    """Packets of one UDP flow each, so that a child has something to do."""
    out = [struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)]
    for n in range(count):
        udp = struct.pack(">HHHH", 1024 + n % 60000, 53, 40, 0) + bytes(32)
        ip = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), n & 0xffff, 0, 64, 17, 0, 0x0a000000 + n % 99991,
                         0x0b000000 + n % 99989)
        frame = bytes(12) + b"\x08\x00" + ip + udp
        out.append(struct.pack("<IIII", 1700000000 + n // 1000, n % 1000 * 1000, len(frame), len(frame)) + frame)
    return b"".join(out)


def a_replay():
    before = ask("GET", "/api/ids/stats")[1]
    status, job, headers = upload(sample("attack-shellshock.pcap"))
    check(status == 202 and headers["Location"] == "/api/system/jobs/%d" % job["id"] and
          job["kind"] == "packets.replay" and job["state"] in ("queued", "running") and job["by"],
          "an upload is a job, with its place", (status, job))
    job = end_of(job["id"])
    result = job.get("result", {})
    check(job["state"] == "done" and job["progress"] == 100 and job["started_at"] and job["ended_at"], "it is done",
          job)
    with subprocess.Popen((ECYBERD, "--set", "core.plugin_dirs=[%s]" % os.environ["EC_PLUGINDIR"], "--workers", "0",
                           "--set", "core.plugins=[capture, traffic, ids, eve]", "--set",
                           "core.state_dir=" + HERE + "/hand",
                           "-r", DATA + "attack-shellshock.pcap"), stderr=subprocess.DEVNULL) as hand:
        hand.wait()
    with open("hand/eve/eve.json", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    alerts = [e for e in lines if e["event_type"] == "alert"]
    check(alerts and result["alerts"] == len(alerts) and result["events"] == len(lines) and result["packets"] > 0 and
          result["flows"] == sum(e["event_type"] == "flow" for e in lines) and result["bytes"] > 0 and
          sum(result["severity"].values()) == len(alerts), "its counts are those of ecyberd -r by hand", result)
    check({(s["sid"], s["alerts"]) for s in result["signatures"]} ==
          {(a["alert"]["signature_id"], sum(b["alert"]["signature_id"] == a["alert"]["signature_id"] for b in alerts))
           for a in alerts}, "each rule has its number of alerts", result["signatures"])
    where = result["events_at"]
    got = ask("GET", where + "?type=alert")[1]
    check([e["alert"] for e in got["items"]] == [e["alert"] for e in alerts] and got["next_cursor"] is None,
          "the alerts themselves are those of ecyberd -r by hand", got)
    all_, cursor = [], None
    while True:
        page = ask("GET", where + "?limit=1" + ("&cursor=" + cursor if cursor else ""))[1]
        all_ += page["items"]
        cursor = page["next_cursor"]
        if not cursor or len(all_) > 99:
            break
    check([e["event_type"] for e in all_] == [e["event_type"] for e in lines], "pages of one give all events", all_)
    status, headers, text = raw("GET", where.replace("/events", "/eve"))
    check(status == 200 and headers["Content-Type"] == "application/x-ndjson" and
          [json.loads(line)["event_type"] for line in text.splitlines()] == [e["event_type"] for e in lines],
          "they can be downloaded as lines", headers.items())
    shortened(where.replace("/events", "/eve"), "state/replay/%d/events.json" % job["id"])
    check(folders() == [str(job["id"])] and os.listdir("state/replay/%d" % job["id"]) == ["events.json"],
          "of its files only the events are left", folders())
    bad = [ask("GET", where + q)[0] for q in ("?cursor=3", "?cursor=x", "?cursor=-1", "?cursor=99999999", "?limit=0",
                                              "?limit=1001", "?kind=x")]
    check(bad == [422] * 7, "wrong cursors, limits and filters are 422", bad)
    after = ask("GET", "/api/ids/stats")[1]
    check(before == after and ask("GET", "/api/ids/alerts")[1]["items"] == [], "the live engine has seen none of it",
          after)
    return job["id"]


def broken():
    for name, part in (("file-cut.pcap", "at byte 3786"), ("file-stub.pcap", "it has only 12 bytes"),
                       ("file-gzip.pcap.gz", "gzip"), ("MANIFEST.tsv", "neither pcap nor pcapng")):
        job = end_of(upload(sample(name))[1]["id"])
        check(job["state"] == "failed" and part in job["error"] and "the capture" in job["error"] and
              "/proc" not in job["error"],
              "%s: failed, and why: %s" % (name, job.get("error")), job)
    job = end_of(upload(sample("file-cut.pcap"))[1]["id"])
    check(job["result"]["packets"] > 30 and ask("GET", job["result"]["events_at"])[0] == 200,
          "what stood before the cut is its result", job)
    status, answer, _ = upload(b"")
    check(status in (202, 422) and (status == 422 or end_of(answer["id"])["state"] == "failed"),
          "an empty one fails too",
          (status, answer))
    job = end_of(upload(sample("file-empty.pcap"))[1]["id"])
    check(job["state"] == "done" and job["result"]["packets"] == 0, "one without packets is done", job)
    status = raw("POST", "/api/packets/replay?run=maybe", b"x", "application/octet-stream")[0]
    check(status == 422, "run is true or false", status)


def rules(replay):
    status, job, headers = test_rules(RULES, replay=replay)
    check(status == 202 and headers["Location"].endswith(str(job["id"])) and job["kind"] == "rules.test",
          "rules are tried",
          (status, job))
    job = end_of(job["id"])
    check(job["state"] == "done" and job["result"]["signatures"] == [{"gid": 1, "sid": 77, "signature": "any request",
          "alerts": job["result"]["alerts"]}] and job["result"]["alerts"] > 0, "only theirs are the alerts", job)
    got = ask("GET", job["result"]["events_at"])[1]["items"]
    check(got and {e["alert"]["signature_id"] for e in got} == {77} and
          ask("GET", "/api/ids/status")[1].get("rules", {}) is not None, "and they can be read", got)
    status, kept, _ = upload(sample("http-get.pcap"), "?run=false")
    check(status == 202 and kept["state"] == "done", "a capture can be kept without a replay", kept)
    check(end_of(test_rules(RULES, replay=kept["id"])[1]["id"])["result"]["alerts"] > 0, "and rules tried on it")
    status, answer, _ = test_rules(RULES + 'alert tcp any any -> any any (msg:"x; content:"a"; sid:2;)\nnonsense\n'
                                   'alert tcp any any -> any any (msg:"y"; byte_test:4,>,3,1; sid:3;)\n', replay=replay)
    said = [d["msg"] for d in answer["detail"]] if status == 422 else answer
    check(status == 422 and len(said) == 3 and said[0].startswith("2:35: sid 2: ") and said[1].startswith("3:1: ") and
          any("byte_test" in s and s.startswith("4:") for s in said) and
          all(d["loc"] == ["body", "rules"] for d in answer["detail"]), "broken rules: 422, each with line and column",
          said)
    check(test_rules("# nothing\n", replay=replay)[0] in (202, 422), "a comment alone is answered")
    bad = [test_rules(RULES)[0], test_rules(RULES, replay=1)[0], test_rules(RULES, replay=replay, capture=1)[0],
           test_rules(RULES, capture=4711)[0], test_rules(RULES, alert=4711)[0], test_rules("", replay=replay)[0],
           ask("POST", "/api/rules/test", {"replay": replay})[0]]
    check(bad == [422] * 7, "no capture, one that is not there, two, no rules: 422", bad)
    check([name for name in folders() if name.startswith("check")] == [], "no check leaves a folder behind", folders())


def list_and_cancel(run):
    big = long_capture(400000)
    first = upload(big)[1]["id"]
    wait_for(lambda: ask("GET", "/api/system/jobs/%d" % first)[1]["state"] == "running" and children(run), 20)
    child = children(run)
    wait_for(lambda: open("/proc/%d/comm" % child[0], encoding="utf-8").read() != "replay\n", 20)     # until its exec
    sockets = []
    for pid in child:
        for fd in os.listdir("/proc/%d/fd" % pid):
            try:
                to = os.readlink("/proc/%d/fd/%s" % (pid, fd))
            except OSError:
                continue
            sockets += [to] if to.startswith("socket") else []
    status = open("/proc/%d/status" % child[0], encoding="utf-8").read() if child else ""
    check(len(child) == 1 and "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status and not sockets,
          "the child is behind a filter and has no socket", (child, sockets, status))
    effective = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff")]
    check(effective and effective[0] & ~2 == 0, "and no capability but, as root, that of its own files", effective)
    small = sample("attack-shellshock.pcap")
    queued = [upload(small)[1]["id"] for _ in range(20)]
    states = [ask("GET", "/api/system/jobs/%d" % i)[1]["state"] for i in queued]
    check(states.count("queued") >= 19, "20 more wait behind it", states)
    path = "/api/system/jobs/%d" % first
    seen = wait_for(lambda: (lambda p: p if 0 < p < 100 else None)(ask("GET", path)[1]["progress"]), 20)
    check(seen, "its progress is seen", ask("GET", "/api/system/jobs/%d" % first)[1])
    code, got, _ = ask("POST", "/api/system/jobs/%d/cancel" % first)
    check(code == 200 and got["state"] == "cancelled", "it is cancelled in the middle", got)
    check(wait_for(lambda: child[0] not in children(run) and str(first) not in folders(), 10) is not None,
          "its process and its files are gone", (children(run), folders()))
    code, got, _ = ask("POST", "/api/system/jobs/%d/cancel" % queued[-1])
    check(code == 200 and got["state"] == "cancelled" and not got["started_at"], "one that waits is cancelled too", got)
    ends = [end_of(i)["state"] for i in queued]
    check(ends == ["done"] * 19 + ["cancelled"], "the others are done, one after the other", ends)
    codes = [ask("POST", "/api/system/jobs/%d/cancel" % first)[0], ask("POST", "/api/system/jobs/12/cancel")[0],
             ask("GET", "/api/system/jobs/12")[0], ask("DELETE", "/api/system/jobs/12")[0],
             ask("GET", "/api/packets/replays/%d/events" % first)[0]]
    check(codes == [409, 404, 404, 404, 404], "what is over or not there: 409, 404", codes)
    ids, cursor = [], ""
    while True:
        page = ask("GET", "/api/system/jobs?limit=7" + cursor)[1]
        ids += [j["id"] for j in page["items"]]
        if not page["next_cursor"]:
            break
        cursor = "&cursor=" + page["next_cursor"]
    check(ids == sorted(ids, reverse=True) and len(set(ids)) == len(ids) > 20, "pages list them all, the newest first",
          ids)
    got = ask("GET", "/api/system/jobs?state=cancelled&kind=packets.replay")[1]["items"]
    check({j["id"] for j in got} == {first, queued[-1]}, "by state and kind", got)
    bad = [ask("GET", "/api/system/jobs" + q)[0] for q in ("?state=lost", "?limit=0", "?cursor=x", "?cursor=-5",
                                                           "?by=x")]
    check(bad == [422] * 5, "wrong filters are 422", bad)
    code = ask("DELETE", "/api/system/jobs/%d" % queued[0])[0]
    check(code == 204 and ask("GET", "/api/system/jobs/%d" % queued[0])[0] == 404 and
          wait_for(lambda: str(queued[0]) not in folders(), 5) is not None, "a job is deleted with its files",
          (code, folders()))
    time.sleep(0.6)                 # the store commits within 250 ms
    said = [e["audit"]["action"] for e in ask("GET", "/api/system/audit?limit=1000")[1]["items"]]
    check({"replay.start", "job.cancel", "job.delete", "rules.test", "replay.upload"} <= set(said),
          "all of it is in the audit log",
          set(said))
    return big


def killed(run, big):
    job = upload(big)[1]["id"]
    child = wait_for(lambda: children(run), 20)
    os.kill(child[0], signal.SIGKILL)
    job = end_of(job)
    check(job["state"] == "failed" and "signal 9" in job["error"], "kill -9 of the child: failed, and why", job)
    job = upload(big)[1]["id"]
    child = wait_for(lambda: children(run), 20)
    run.kill()
    run.wait()
    gone = wait_for(lambda: not os.path.exists("/proc/%d" % child[0]) or
                    open("/proc/%d/stat" % child[0], encoding="latin-1").read().rsplit(")", 1)[1].split()[0] == "Z", 5)
    check(gone, "kill -9 of the daemon ends the child", child)
    run = daemon("--set", "replay.time=1s", "--set", "replay.output=1MiB", "--set", "replay.size=40MiB", "--set",
                 "jobs.most=2")
    check(folders() == [] and ask("GET", "/api/system/jobs")[1]["items"] == [] and
          ask("GET", "/api/system/jobs/%d" % job)[0] == 404, "the next run knows no job of it, and has no files",
          folders())
    return run


def bounds(big):
    job = end_of(upload(big)[1]["id"])
    check(job["state"] == "failed" and ("replay.output" in job["error"] or "replay.time" in job["error"]),
          "more events or time than may be: failed, and why", job)
    check(upload(bytes(41 << 20))[0] == 413, "a longer one is 413")
    small, codes = sample("attack-shellshock.pcap"), []
    while 429 not in codes and len(codes) < 200:    # each takes longer than it takes to ask for the next
        codes.append(upload(small)[0])
    check(codes[0] == 202 and set(codes) == {202, 429}, "more at once than jobs.most: 429", codes)
    wait_for(lambda: upload(big)[0] == 202, 20)     # it runs when the daemon ends


def ctl(*words):
    run = subprocess.run((CTL, "-a", SOCK, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE,
                         text=True, timeout=60)
    return run.returncode, run.stdout, run.stderr


def other_packets():
    """Those of an alert, and of a capture; and rules that people have made are in force in a replay too."""
    alert = wait_for(lambda: ask("GET", "/api/ids/alerts?limit=1")[1]["items"], 20)[0]["id"]
    job = end_of(test_rules(RULES, alert=int(alert))[1]["id"])
    check(job["state"] == "done" and job["result"]["alerts"] > 0, "rules on the packets of an alert", job)
    made = ask("POST", "/api/packets/captures", {"duration": "1s", "packets": 1})[1]
    status, answer, _ = test_rules(RULES, capture=made["id"])
    check(status == 422 and "still runs" in answer["detail"][0]["msg"], "on a capture that runs: 422", answer)
    wait_for(lambda: ask("GET", "/api/packets/captures/%d" % made["id"])[1]["state"] == "done", 10)
    job = end_of(test_rules(RULES, capture=made["id"])[1]["id"])
    check(job["state"] == "done" and job["result"]["packets"] == 0, "on one that is done, and empty", job)
    status, rule, _ = ask("POST", "/api/rules", {"text": RULES.replace("sid:77", "sid:2000077")})
    check(status == 201, "a rule is made", rule)
    job = end_of(upload(sample("attack-shellshock.pcap"))[1]["id"])
    check(2000077 in {s["sid"] for s in job["result"]["signatures"]}, "a replay has the rules that people made", job)


def by_hand():
    with open("one.rules", "w", encoding="utf-8") as file:
        file.write(RULES)
    with open("bad.rules", "w", encoding="utf-8") as file:
        file.write("nonsense\n")
    code, out, err = ctl("-o", "json", "replay", DATA + "attack-shellshock.pcap")
    check(code == 0 and json.loads(out)["state"] == "done" and json.loads(out)["result"]["alerts"] > 0 and not err,
          "ecyberctl replay as JSON", (code, out, err))
    code, out, err = ctl("-o", "tsv", "replay", DATA + "attack-shellshock.pcap")
    check(code == 0 and [line for line in out.splitlines() if line.startswith("alerts\t")], "as TSV", (code, out, err))
    code, out, err = ctl("-o", "table", "replay", DATA + "attack-shellshock.pcap")
    check(code == 0 and "ALERTS" in out and "1:1000007" in out and " packets, " in out, "as a table", (code, out, err))
    code, out, err = ctl("replay", DATA + "file-cut.pcap")
    check(code == 1 and "the capture ends early" in err and "packets" in out, "a cut one: its result, why, and 1",
          (code, out, err))
    code, out, err = ctl("replay", "nowhere.pcap")
    check(code == 4 and "nowhere.pcap" in err, "a file that is not there: 4", (code, err))
    before = {j["id"] for j in ask("GET", "/api/system/jobs?kind=packets.upload")[1]["items"]}
    code, out, err = ctl("-o", "table", "rules", "test", "one.rules", DATA + "http-get.pcap")
    check(code == 0 and "1:77" in out and "any request" in out, "ecyberctl rules test", (code, out, err))
    code, out, err = ctl("rules", "test", "bad.rules", DATA + "http-get.pcap")
    check(code == 2 and "1:1: " in err and "nonsense" in err, "broken rules are named with line and column",
          (code, err))
    check({j["id"] for j in ask("GET", "/api/system/jobs?kind=packets.upload")[1]["items"]} == before,
          "what it had kept for it is gone again")
    codes = [ctl("rules", "test", "one.rules")[0], ctl("replay")[0], ctl("replay", "a", "b")[0]]
    check(codes == [2, 2, 2], "too few or too many words: 2", codes)


def main():
    run = daemon("--stay", "-r", DATA + "attack-shellshock.pcap")
    other_packets()
    check(stop(run) == 0, "the daemon ends in order")
    shutil.rmtree("state")
    run = daemon()
    replay = a_replay()
    broken()
    rules(replay)
    by_hand()
    big = list_and_cancel(run)
    run = killed(run, big)
    bounds(big)
    check(stop(run) == 0, "the daemon ends in order, with a job under way")
    plan()


main()
