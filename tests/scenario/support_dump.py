#!/usr/bin/env python3
"""`ecyberctl support-dump`: one file with what helps to find a fault, for its owner alone, and no secret in it: planted
in each answer of a daemon that this test plays, then in options, command line and environment of a real one."""
import json
import os
import signal
import socket
import subprocess
import tarfile
import threading

import libapi

from libtest import check, plan, wait_for

HERE, CTL = os.getcwd(), os.environ["ECYBERCTL"]
PLANTED = "s3cretPlanted0815"
KEY = PLANTED + "/b7Qm2XvK9eTzR4wLhN6yUcJ1fGaD8pS5oViMk3HtBnE0qWxY"
SHAPES = {"message": "login of u with password=%s failed", "url": "https://hooks.example/services/%s",
          "smtp_password": "%s", "db": "postgresql://ecyber:%s@db/x", "header": "Authorization: Bearer %s",
          "list": ["token: %s", {"api_key": "%s"}], "key": "eck_%s", "cookie": {"value": "%s"},
          "pem": "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"}
asked = set()


def planted(what):
    return json.loads(json.dumps({"what": what, **SHAPES}).replace("%s", PLANTED))


def serve(path, talk):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(16)

    def accept():
        while True:
            link, _ = listening.accept()
            talk(link)
            link.close()
    threading.Thread(target=accept, daemon=True).start()


def control(link):
    what = link.recv(4096).decode().strip('"\n')
    asked.add(what)
    link.sendall(json.dumps(planted(what)).encode() + b"\n")


def api(link):
    what = link.recv(65536).decode().split(" ")[1].split("?")[0]
    asked.add(what)
    text = json.dumps(planted(what)).encode()
    if what == "/api/firewall/status":
        link.sendall(b"HTTP/1.1 404 X\r\nContent-Length: 22\r\n\r\n{\"detail\":\"Not Found\"}")
    else:
        link.sendall(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text))
        link.sendall(text)


def dump(*words):
    old = os.umask(0)
    done = subprocess.run([CTL, "-s", "c", "-a", "a", "support-dump", *words], stdout=subprocess.PIPE, timeout=60,
                          stderr=subprocess.PIPE, text=True, check=False)
    os.umask(old)
    return done.returncode, done.stdout, done.stderr


def opened(name):
    """{file: text}; every name is in one folder."""
    with tarfile.open(name, "r:gz") as tar:
        files = [m for m in tar.getmembers() if m.isfile()]
        check(len({m.name.split("/")[0] for m in tar.getmembers()}) == 1 and all(m.mode == 0o600 for m in files),
              "one folder, with files of their owner alone", tar.getnames())
        return {m.name.split("/")[1]: tar.extractfile(m).read().decode() for m in files}


def clean(files, what):
    found = [(name, text) for name, text in files.items() if PLANTED in text]
    check(not found, "no planted secret is in it: " + what, found[:2])


def played():
    serve("c", control)
    serve("a", api)
    code, text, error = dump("one.tar.gz")
    check(code == 0 and text.startswith("one.tar.gz: "), "a dump of a daemon that this test plays", text + error)
    check(os.stat("one.tar.gz").st_mode & 0o777 == 0o600, "only its owner may read it, whatever the umask")
    files = opened("one.tar.gz")
    clean(files, "each answer had ten")
    check({"status", "plugins", "drops", "config", "/api/system/logs", "/api/system/jobs"} <= asked,
          "control socket and API were asked", asked)
    for name in ("status", "plugins", "drops", "config", "info", "health", "jobs", "logs"):
        answer = json.loads(files.get(name + ".json", "{}"))
        check(answer.get("what") and answer["message"] == "login of u with password=*** failed" and
              answer["url"] == "https://hooks.example/***" and answer["smtp_password"] == "***",
              name + ".json has the answer, without them", answer)
    manifest = json.loads(files["MANIFEST.json"])
    check(sorted(manifest["files"] + ["MANIFEST.json"]) == sorted(files), "MANIFEST.json names what is in it", manifest)
    check({"file": "firewall.json", "why": "there is no such plugin"} in manifest["missing"], "and what is not",
          manifest)
    check("Max open files" in files["limits.txt"] and files["kernel.txt"].startswith("Linux version"),
          "limits and kernel are in it", sorted(files))


def refused():
    with open("one.tar.gz", "rb") as file:
        before = file.read()
    code, _, error = dump("one.tar.gz")
    check(code == 5 and "File exists" in error and open("one.tar.gz", "rb").read() == before,
          "a file that is there already stays: exit code 5", (code, error))
    os.symlink("elsewhere", "link.tar.gz")
    check(dump("link.tar.gz")[0] == 5 and not os.path.exists("elsewhere"), "a link is not followed")
    code, _, error = dump("nowhere/x.tar.gz")
    check(code == 1 and "No such file" in error, "no such folder: exit code 1", error)
    check(dump("")[0] == 2 and dump("x" * 5000)[0] == 2, "no name, or one too long: exit code 2")
    os.unlink("c")
    os.unlink("a")
    code, text, error = dump()
    own = [name for name in os.listdir(".") if name.startswith("ecyber-support-")]
    check(code == 0 and len(own) == 1 and own[0].endswith("Z.tar.gz"), "without a daemon there is a dump, too",
          text + error)
    check("is not running" in error and error.count("\n") == 2, "and it is said once for each socket", error)
    check("status.json" in opened(own[0])["MANIFEST.json"], "with what is missing")
    check(sorted(os.listdir(".")) == sorted([own[0], "link.tar.gz", "one.tar.gz"]), "nothing is left beside them",
          os.listdir("."))


def real():
    with open("c.yaml", "w", encoding="utf-8") as out:
        out.write("# password: %s\ncore:\n"
                  "  plugins: [capture, traffic, ids, store, auth, http, logs, jobs, sysmon, eve]\n"
                  "  state_dir: %s/state\n  control_socket: %s/c\nhttp:\n  listen: none\n  socket: %s/a\n"
                  "auth:\n  secret: %s\n" % (PLANTED, HERE, HERE, HERE, KEY))
    with open("log", "w", encoding="utf-8") as log:
        run = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "c.yaml", "--set",
                                "auth.smtp.password=" + PLANTED],
                               stdout=log, stderr=log, env=dict(os.environ, SECRET_KEY=KEY))
    try:
        check(libapi.wait("a"), "a real daemon", open("log", encoding="utf-8").read())
        wait_for(lambda: libapi.get("a", "/api/system/logs")[1].get("items"))
        code, text, error = dump("real.tar.gz")
        check(code == 0, "its dump", text + error)
        files = opened("real.tar.gz")
        clean(files, "options, command line, environment, comments")
        check("eCyber" in files.get("logs.json", "") and json.loads(files["status.json"])["pid"] == run.pid and
              "core" in json.loads(files["config.json"]), "its log, status and options are in it", sorted(files))
        check(("Pid:\t%d\n" % run.pid) in files["process.txt"], "and the kernel's account of its process")
    finally:
        run.send_signal(signal.SIGTERM)
        check(run.wait(timeout=30) == 0, "it ends in order")


played()
refused()
real()
plan()
