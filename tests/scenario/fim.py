#!/usr/bin/env python3
"""File integrity in the real daemon: real changes are events with before and after, none is lost where inotify loses some,
a restart and a crash find what changed meanwhile, a damaged baseline is said, and changes can be accepted."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time

import libapi

from libtest import Local, check, plan, wait_for

HERE = os.getcwd()
SOCK = HERE + "/api.sock"
KEPT = HERE + "/state/fim/baseline"
ROOT = HERE + "/watched"


def get(path):
    return libapi.get(SOCK, path)


def post(path, body):
    c = Local(SOCK)
    try:
        c.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        r = c.getresponse()
        return r.status, json.loads(r.read())
    finally:
        c.close()


def put(name, text):
    path = ROOT + "/" + name
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def events():
    try:
        with open("state/eve/eve.json", encoding="utf-8") as lines:
            return [json.loads(line)["fim"] for line in lines if '"event_type":"fim"' in line]
    except OSError:
        return []


def seen(action, name, start=0):
    return [e for e in events()[start:] if e["action"] == action and e["path"] == ROOT + "/" + name]


def status():
    code, answer = get("/api/system/fim")
    return answer if code == 200 else {}


def begin(*more):
    with open("log", "ab") as log:
        run = subprocess.Popen([os.environ["ECYBERD"], "-c", "c.yaml", *more], stdout=log, stderr=log)
    libapi.wait(SOCK)
    wait_for(lambda: status().get("state") != "scanning" and status(), 20)
    return run


def end(run):
    run.send_signal(signal.SIGTERM)
    return run.wait(20)


def kill(run):
    """The launcher first, so that it starts no other."""
    engine = get("/api/system/stats")[1]["pid"]
    run.kill()
    if engine != run.pid:
        os.kill(engine, signal.SIGKILL)
    run.wait(20)
    wait_for(lambda: get("/healthz")[0] == 0, 5)


def log_text():
    with open("log", encoding="utf-8", errors="replace") as file:
        return file.read()


def config(**more):
    with open("c.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [fim, eve, store, auth, http]\n  state_dir: %s/state\n"
                  "  control_socket: %s/s\nhttp:\n  listen: none\n  socket: %s\nfim:\n  paths: [%s, %s/alone, %s/later]\n"
                  "  exclude: [%s/skip, \"*.swp\"]\n%s" % (
                      os.environ["EC_PLUGINDIR"], HERE, HERE, SOCK, ROOT, HERE, HERE, ROOT,
                      "".join("  %s: %s\n" % item for item in more.items())))


# --- real changes ---
os.makedirs(ROOT)
os.chmod(HERE, 0o755)
put("a", "one")
put("deep/er/b", "two")
put("skip/c", "three")
with open("alone", "w", encoding="utf-8") as file:
    file.write("x")
config()
daemon = begin()
check(status().get("state") == "watching" and not events(), "the first scan makes the baseline and tells nothing", (status(), events()))
check(status().get("files") == 6 and status().get("missing") == 1, "files, folders and a path that is not there are counted", status())
put("a", "ONE")
check(wait_for(lambda: seen("modified", "a"), 5), "a change of content", events())
change = (seen("modified", "a") or [{}])[0]
check(change.get("before", {}).get("sha256") == hashlib.sha256(b"one").hexdigest() and
      change.get("after", {}).get("sha256") == hashlib.sha256(b"ONE").hexdigest() and change["before"]["size"] == 3 and
      change.get("found_by") == "inotify", "with the hashes before and after", change)
os.chmod(ROOT + "/a", 0o4711)
check(wait_for(lambda: seen("attributes", "a"), 5) and seen("attributes", "a")[0]["after"]["mode"] == "4711", "a change of mode", events())
put("new/folder/d", "four")
check(wait_for(lambda: seen("created", "new/folder/d"), 5) and "before" not in seen("created", "new/folder/d")[0],
      "a file in folders that were not there", events())
put("new/folder/d", "five")
check(wait_for(lambda: seen("modified", "new/folder/d"), 5), "they are watched from then on", events())
os.rename(ROOT + "/deep", ROOT + "/moved")
check(wait_for(lambda: seen("deleted", "deep/er/b") and seen("created", "moved/er/b"), 5), "a folder is renamed, with what is in it", events())
put("moved/er/b", "TWO")
check(wait_for(lambda: seen("modified", "moved/er/b"), 5), "and is watched at its new place", events())
shutil.rmtree(ROOT + "/moved")
check(wait_for(lambda: seen("deleted", "moved/er/b") and seen("deleted", "moved"), 5), "it is deleted", events())
os.unlink(ROOT + "/a")
os.symlink("/etc/passwd", ROOT + "/a")
check(wait_for(lambda: [e for e in seen("modified", "a") if e["after"].get("type") == "link"], 5) or
      wait_for(lambda: seen("created", "a"), 1), "a file that became a link", events())
with open("later", "w", encoding="utf-8") as file:
    file.write("here")
check(wait_for(lambda: [e for e in events() if e["path"] == HERE + "/later"], 5), "the path that was not there has come", events())
put("skip/c", "THREE")
put("x.swp", "1")
time.sleep(0.5)
check(not [e for e in events() if "skip" in e["path"] or "swp" in e["path"]], "what is left out stays so", events())

# --- the API ---
code, page = get("/api/system/fim/events?action=modified&path=%s/new/folder/d" % ROOT)
check(wait_for(lambda: get("/api/system/fim/events?action=modified&path=%s/new/folder/d" % ROOT)[1]["items"], 5), "stored events by path", page)
code, changes = get("/api/system/fim/changes?limit=1000")
found = {c["path"][len(HERE):]: c["action"] for c in changes["items"]}
check(code == 200 and found.get("/watched/deep/er/b") == "deleted" and found.get("/later") == "created" and
      "/watched/moved/er/b" not in found and changes["count"] == len(found), "what differs from the baseline", changes)
check(status()["changes"] == {a: list(found.values()).count(a) for a in ("created", "modified", "attributes", "deleted")},
      "and how many", (status(), found))
code, dry = post("/api/system/fim/baseline?dry_run=true", {})
check(code == 200 and dry["accepted"] == len(found) and get("/api/system/fim/changes")[1]["count"] == len(found), "a dry run only counts", dry)
code, one = post("/api/system/fim/baseline", {"path": ROOT + "/new"})
check(code == 200 and one["created"] == 3 == one["accepted"], "a folder is accepted", one)
code, rest = post("/api/system/fim/baseline", {})
check(code == 200 and rest["accepted"] == len(found) - 3 and get("/api/system/fim/changes")[1]["count"] == 0, "the rest is accepted", rest)
check(wait_for(lambda: len([e for e in get("/api/system/audit")[1]["items"] if e["audit"]["action"] == "fim.baseline"]) == 2, 5),
      "both are in the audit log, the dry run is not", get("/api/system/audit"))
bad = [get("/api/system/fim?x=1"), get("/api/system/fim/changes?limit=0"), get("/api/system/fim/events?colour=red"),
       post("/api/system/fim/baseline", {"path": ""}), post("/api/system/fim/baseline", {"path": "/" + "x" * 5000}),
       post("/api/system/fim/baseline", {"colour": "red"}), post("/api/system/fim/baseline", [])]
check([b[0] for b in bad] == [422] * len(bad), "bad requests are refused", bad)

# --- inotify loses some ---
engine, before = get("/api/system/stats")[1]["pid"], len(events())
os.kill(engine, signal.SIGSTOP)
for i in range(9000):
    put("new/folder/many%d" % i, str(i))
    os.chmod(ROOT + "/new/folder/many%d" % i, 0o600)
os.kill(engine, signal.SIGCONT)
check(wait_for(lambda: len({e["path"] for e in events()[before:] if e["action"] == "created" and "/many" in e["path"]}) == 9000, 25),
      "9000 new files are told though inotify lost some", (len(events()) - before, status()))
check(status()["overflows"] >= 1 and "look" in log_text(), "which is counted", status())
for i in range(9000):
    os.unlink(ROOT + "/new/folder/many%d" % i)
check(wait_for(lambda: len({e["path"] for e in events()[before:] if e["action"] == "deleted" and "/many" in e["path"]}) == 9000, 25),
      "and so is their end", (len(events()) - before, status()))

# --- what happens meanwhile ---
check(end(daemon) == 0, "the daemon ends well", log_text())
put("while/away", "1")
put("a2", "later")
os.unlink(HERE + "/alone")
before = len(events())
daemon = begin()
check(wait_for(lambda: seen("created", "while/away", before) and [e for e in events()[before:] if e["path"] == HERE + "/alone" and
                                                                  e["action"] == "deleted"], 10), "a restart finds it", events()[before:])
check({(e["path"][len(HERE):], e["action"], e["found_by"]) for e in events()[before:]} == {
    ("/watched/while", "created", "scan"), ("/watched/while/away", "created", "scan"), ("/watched/a2", "created", "scan"),
    ("/alone", "deleted", "scan")} and len(events()) == before + 4, "and only that", events()[before:])
put("a2", "LATER")
check(wait_for(lambda: seen("modified", "a2"), 5), "a change right before a crash", events()[before:])
kill(daemon)
put("a3", "after the crash")
before = len(events())
daemon = begin()
check(wait_for(lambda: seen("created", "a3", before), 10), "after kill -9 nothing is missing", events()[before:])
check(get("/api/system/fim/changes")[1]["count"] > 0 and not [
    c for c in get("/api/system/fim/changes?limit=1000")[1]["items"] if c["path"].startswith(ROOT + "/new")],
      "and what was accepted stays so", get("/api/system/fim/changes"))
end(daemon)

# --- a damaged baseline, bounds, nothing to watch ---
with open(KEPT, "r+b") as file:
    file.truncate(os.path.getsize(KEPT) - 3)
daemon = begin("--set", "fim.max_files=3", "--set", "fim.hash_max=2", "--set", "fim.every=1s")
got = status()
check("a new baseline is made" in log_text() and os.path.exists(KEPT + ".damaged") and any("damaged" in text for text in got["limits"]),
      "a damaged baseline is put aside and said", got)
check(got["files"] == 3 and got["over"] > 0 and any("max_files" in text for text in got["limits"]), "files beyond the bound are counted", got)
scans = status()["scans"]
check(wait_for(lambda: status()["scans"] > scans, 5), "it scans now and then", status())
end(daemon)
daemon = begin("--set", "fim.paths=[]")
check(status().get("state") == "off" and status()["limits"] and post("/api/system/fim/baseline", {})[0] == 409,
      "nothing to watch is said", (status(), post("/api/system/fim/baseline", {})))
end(daemon)
for wrong in "relative", "/a/../b", "/a/", "//a":
    done = subprocess.run([os.environ["ECYBERD"], "-T", "-c", "c.yaml", "--set", "fim.paths=[%s]" % wrong], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
    check(done.returncode != 0 and "a path has to be absolute" in done.stdout, "fim.paths: %s is refused" % wrong, done.stdout)
plan()
