#!/usr/bin/env python3
"""--stay: a replay that is over is still served, with all of its events out; and a plugin may ask the daemon about itself."""
import json
import os
import signal
import socket
import subprocess
import time

from libtest import check

CAPTURE = os.path.join(os.environ["EC_DATA"], "sample.pcap")


def configure(name, plugins="capture, traffic, ids, eve, kind_daemon"):
    os.mkdir(name)
    src = os.environ["EC_SRC"]
    with open(name + "/ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s]\n  plugins: [%s]\n  state_dir: state\n"
                  "  control_socket: s\neve:\n  file: %s/%s/eve.json\n"
                  % (os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"], plugins, os.getcwd(), name))
        out.write("ids:\n  rule_files: [%s/etc/rules/ecyber.rules]\n" % src)
        out.write("  classification_file: %s/etc/rules/classification.config\n" % src)


def start(name, *args):
    configure(name)
    with open(name + "/log", "w", encoding="utf-8") as log:
        return subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", name + "/ecyber.yaml", "-r", CAPTURE, *args],
                                stdout=log, stderr=log)


def log_of(name):
    with open(name + "/log", encoding="utf-8") as log:
        return log.read()


def events_of(name):
    try:
        with open(name + "/eve.json", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]
    except FileNotFoundError:
        return []


def until(what, seconds=15):
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def ask(name, *words):
    done = subprocess.run([os.environ["ECYBERCTL"], "-s", name + "/s", "-o", "json", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {}


def of(events, kind):
    return [e for e in events if e["event_type"] == kind]


def plain(events):
    """What a replay tells, without what the test plugin adds and without the figures of the run."""
    return sorted(json.dumps(e, sort_keys=True) for e in events if e["event_type"] not in ("testanswer", "stats"))


def answers(name):
    said = {}
    for event in of(events_of(name), "testanswer"):
        said.setdefault(event["testanswer"]["question"], []).append(event["testanswer"])
    return said if len(said) == 6 else None


def asked(name):
    """What the plugin that asks was told."""
    said = until(lambda: answers(name)) or {}
    check(len(said) == 6, "a plugin asks the daemon and is answered", said.keys())
    if len(said) != 6:
        return
    status, drops = (json.loads(said[q][0]["text"]) for q in ("status", "drops"))
    check(said["status"][0]["err"] == 0 and status["version"] and status["pid"], "status is the daemon's", status)
    check(any(json.loads(a["text"])["exact"] for a in said["drops"]) and drops["events"], "drops is an exact account", drops)
    check(any(p["name"] == "kind_daemon" and p["status"] == "running" for p in json.loads(said["plugins"][0]["text"])),
          "plugins lists them")
    check(json.loads(said["plugin eve"][0]["text"])["id"] == "ecyber.eve", "one plugin is described")
    check(said["plugin nobody"][0]["err"] == -7 and "there is no plugin" in said["plugin nobody"][0]["text"],
          "an error has its code and a sentence", said["plugin nobody"][0])
    check(said["stop"][0]["at_once"] == 1 and said["stop"][0]["err"] == -1, "a plugin cannot stop the daemon", said["stop"][0])
    last = said["status"][-1]
    check(last["own"] > 0 and last["core_metrics"] > 0 and last["metrics"] > last["core_metrics"], "metrics are walked", last)
    uses = json.loads(json.dumps(ask(name, "plugins", "info", "eve"))).get("uses", [])
    check([u["provider"] for u in uses] == ["core"], "what the daemon itself offers is bound to the core", uses)


def stays():
    run = start("stay", "--stay")
    check(until(lambda: ask("stay", "status").get("replay") == "finished"), "status says that the replay is finished",
          log_of("stay"))
    asked("stay")
    until(lambda: of(events_of("stay"), "flow"))
    before = plain(events_of("stay"))
    drops = ask("stay", "drops")
    check(drops.get("exact"), "drops is exact after the replay", drops)
    time.sleep(0.5)
    check(run.poll() is None and ask("stay", "status").get("replay") == "finished", "it is still there")
    check(ask("stay", "reload").get("code") is None and
          until(lambda: ask("stay", "status").get("generation") == 2), "it still reloads", log_of("stay"))
    run.send_signal(signal.SIGTERM)
    check(run.wait(timeout=20) == 0, "SIGTERM ends it with 0", log_of("stay"))
    check("the last capture is at its end; stays until it is asked to stop" in log_of("stay"), "the log says why it stays")
    return before, plain(events_of("stay"))


def ends():
    run = start("end")
    check(run.wait(timeout=30) == 0, "without --stay it ends with the last capture", log_of("end"))
    return plain(events_of("end"))


def one_thread():
    run = start("one", "--stay", "--workers", "0")
    check(until(lambda: ask("one", "status").get("replay") == "finished"), "on one thread, too, it stays", log_of("one"))
    check(ask("one", "drops").get("exact"), "with an exact account")
    run.send_signal(signal.SIGINT)
    check(run.wait(timeout=20) == 0, "SIGINT ends it with 0", log_of("one"))


def broken():
    configure("broken")
    with open("broken/log", "w", encoding="utf-8") as log:
        done = subprocess.run([os.environ["ECYBERD"], "--alone", "-c", "broken/ecyber.yaml", "--stay", "-r", "no-such.pcap"],
                              stdout=log, stderr=log, timeout=30, check=False)
    check(done.returncode == 1, "a capture that cannot be read ends it with 1", log_of("broken"))
    done = subprocess.run([os.environ["ECYBERD"], "-T", "-c", "broken/ecyber.yaml", "-r", "no-such.pcap"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False)
    check(done.returncode == 6 and "no-such.pcap cannot be read: No such file or directory" in done.stdout,
          "and -T finds it before", done.stdout)
    done = subprocess.run([os.environ["ECYBERD"], "-T", "-c", "broken/ecyber.yaml", "-r", CAPTURE], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False)
    check(done.returncode == 0, "one that is there is fine", done.stdout)


def passing():
    """A replay that ends by itself serves nothing, and is no success where what it was to write cannot be written."""
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    configure("passing", "capture, traffic, ids, eve, store, http")
    words = [os.environ["ECYBERD"], "--alone", "-c", "passing/ecyber.yaml", "-r", CAPTURE, "--set",
             "http.listen=127.0.0.1:%d" % port, "--set", "http.socket=%s/passing/api" % os.getcwd()]
    taken = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
    check(taken.returncode == 0 and "taken" not in taken.stdout and "serves" not in taken.stdout,
          "a replay that ends by itself does not ask for the port", taken.stdout)
    stays = subprocess.run([*words, "--stay"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30,
                           check=False)
    check(stays.returncode == 1 and "http: port %d of 127.0.0.1 is taken by another program" % port in stays.stdout,
          "one that stays ends where it is taken", stays.stdout)
    free.close()
    done = subprocess.run([*words, "--set", "core.state_dir=/proc/nowhere", "--set", "eve.file=eve.json"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
    check(done.returncode == 1 and "there is no state folder" in done.stdout and
          "the replay lacks what eve, store would have done of it" in done.stdout,
          "a replay whose plugins cannot write is no success", done.stdout)
    done = subprocess.run([*words, "--set", "core.state_dir=/proc/nowhere", "--set", "core.plugins=[capture, traffic, ids, eve]"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
    check(done.returncode == 0 and of(events_of("passing"), "alert"), "without them it is one", done.stdout)


before, after = stays()
ended = ends()
check(before == ended and len(ended) > 10, "every event of the replay is out before the end, as without --stay",
      (len(before), len(ended)))
check(after == ended, "and the end adds none", (len(after), len(ended)))
one_thread()
broken()
passing()
