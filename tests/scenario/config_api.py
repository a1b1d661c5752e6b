#!/usr/bin/env python3
"""The configuration over the API: its schema, checks of a text, changes that outlast a restart and are taken back where
a plugin refuses them, what may not be changed, and reloads."""
import json
import os
import signal
import subprocess

import libapi

from libtest import check, plan, wait_for

HERE = os.getcwd()
SOCK = HERE + "/api.sock"
CHANGES = HERE + "/state/changes.yaml"
running = None


def ask(method, path, value=None, **headers):
    link = libapi.Local(SOCK)
    sent = {k.replace("_", "-"): v for k, v in headers.items()}
    if value is not None:
        sent["Content-Type"] = "application/json"
    try:
        link.request(method, "/api/system" + path, json.dumps(value) if value is not None else None, sent)
        got = link.getresponse()
        return got.status, json.loads(got.read() or b"null"), got.getheader("ETag")
    finally:
        link.close()


def daemon(environment=None):
    global running
    log = open("log", "ab")
    running = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml"], stdout=log, stderr=log,
                               env=dict(os.environ, **(environment or {})))
    check(libapi.wait(SOCK), "the daemon serves", open("log", encoding="utf-8", errors="replace").read()[-900:])


def stop(how=signal.SIGTERM):
    running.send_signal(how)
    code = running.wait(20)
    check(code == (0 if how == signal.SIGTERM else -how), "and ends", open("log", errors="replace").read()[-900:])


def option(section, name):
    return ask("GET", "/config")[1][section][name]


def schema():
    status, got, _ = ask("GET", "/config/schema")
    core = got["properties"]["core"]["properties"]
    check(status == 200 and set(got["properties"]) == set(ask("GET", "/config")[1]), "the schema has every section",
          got)
    check(core["log.level"]["enum"][0] == "debug" and core["log.level"]["x-changeable"] is True,
          "a choice has its words", core)
    check(core["workers"]["maximum"] == 64 and not core["workers"]["x-live"], "a number has its bounds",
          core["workers"])
    check(core["plugin_dirs"]["type"] == "array" and not core["plugin_dirs"]["x-changeable"],
          "a list of files is not changeable")
    check(core["stop_timeout"]["x-maximum"] == "10m" and core["stop_timeout"]["x-default"] == "10s",
          "durations are text",
          core["stop_timeout"])


def validate():
    text = open("ecyber.yaml", encoding="utf-8").read()
    check(ask("POST", "/config/validate", {})[1] == {"valid": True, "errors": []}, "the files as they are")
    check(ask("POST", "/config/validate", {"yaml": text})[1]["valid"] is True, "the same text")
    for bad, part in (("cor:\n  workers: 1\n", "cor"), ("core:\n  worker: 1\n", "workers"),
                      ("core:\n  workers: 65\n", "64"),
                      ("core: [", ":1:"), ("core:\n  log.level: loud\n",
                                           "loud"), ("\x00"[:0] + "a: &x 1\nb: *x\n", ":1:"),
                      ("core:\n  plugin_dirs: \"\"\n", "list")):
        status, got, _ = ask("POST", "/config/validate", {"yaml": bad})
        check(status == 200 and got["valid"] is False and part in " ".join(got["errors"]), "wrong: %r" % bad, got)
    check(option("core", "workers")["value"] == 1, "checking changes nothing")
    check(ask("POST", "/config/validate", {"yaml": "x" * 400000})[0] == 413, "a text that is too long is 413")
    check(ask("POST", "/config/validate", {"yaml": 5})[0] == 422, "and no text is 422")


def audit():
    return libapi.get(SOCK, "/api/system/audit?audit.action=config.change&audit.outcome=success")[1]["items"]


def changes():
    _, before, tag = ask("GET", "/config")
    status, got, _ = ask("PATCH", "/config?dry_run=true", {"set": {"core.log.level": "debug"}})
    check(status == 200 and got["changed"][0]["before"] == "info" and got["changed"][0]["after"] == "debug" and
          not os.path.exists(CHANGES) and ask("GET", "/config")[2] == tag, "a dry run says what would change", got)
    status, got, new = ask("PATCH", "/config", {"set": {"core.log.level": "debug", "eve.types": "audit"}}, If_Match=tag)
    check(status == 200 and new != tag and new == ask("GET", "/config")[2], "two options are changed",
          (status, got, new))
    check(option("core", "log.level")["value"] == "debug" and option("eve", "types")["value"] == ["audit"] and
          CHANGES in option("core", "log.level")["from"], "they hold, and say from where", option("core", "log.level"))
    check(ask("PATCH", "/config", {"set": {"core.log.level": "info"}}, If_Match=tag)[0] == 412,
          "an older version is 412")
    status, again, _ = ask("PATCH", "/config", {"set": {"core.log.rate": "0"}}, Idempotency_Key="one")
    check(ask("PATCH", "/config", {"set": {"core.log.rate": "0"}}, Idempotency_Key="one")[1] == again,
          "a key carries out once")
    check(wait_for(lambda: len(audit()) == 2, 10), "both are in the audit log", audit())
    stop(signal.SIGKILL)
    daemon()
    check(option("core", "log.level")["value"] == "debug" and option("core", "log.rate")["value"] == 0,
          "changes outlast a kill")
    status, got, _ = ask("PATCH", "/config", {"set": {}, "reset": ["core.log.level", "eve.types", "core.log.rate"]})
    check(status == 200 and got["changed"][0]["after"] == "info", "and are taken back", got)
    after = ask("GET", "/config")[1]
    check(after == before, "then everything is as before", [s for s in before if after.get(s) != before[s]])


def refused():
    kept = ask("GET", "/config")[2]
    for bad, part in (({"set": {"core.workers": "2"}}, "start"), ({"set": {"core.log.file": "/etc/passwd"}}, "file"),
                      ({"set": {"geoip.databases": "/etc/passwd"}},
                       "file"), ({"set": {"core.plugin_dirs": "/tmp"}}, "file"),
                      ({"set": {"eve.file": "/etc/shadow"}}, "whoever has the machine"),
                      ({"set": {"eve.mode": "04777"}}, "whoever has the machine"),
                      ({"set": {"eve.types": "colour"}}, "no plugin"),
                      ({"set": {"core.log.level": "loud"}}, "loud"), ({"set": {"core.log.leve": "debug"}}, "log.level"),
                      ({"set": {"nothing.at": "1"}}, "nothing"), ({"set": {"log": "1"}}, "SECTION.OPTION"),
                      ({"set": {}}, "options"), ({"set": {"core.log.level": ""}}, "core.log.level"),
                      ({"set": {"core.log.to": "file"}}, "core.log.file"), ({"set": {"core.log.levels": "{http: shout}"}}, "shout"),
                      ({"set": {"core.log.rate": "\x7f"}}, "control")):
        status, got, _ = ask("PATCH", "/config", bad)
        check(status == 422 and part in json.dumps(got), "%s is refused" % json.dumps(bad), (status, got))
    for bad in ({}, {"set": []}, {"set": {"core.log.level": 5}}, {"set": {"core.log.level": "debug"}, "reset": "x"},
                {"set": {"a" * 70000: "x"}}):
        check(ask("PATCH", "/config", bad)[0] == 422, "%.60s is 422" % json.dumps(bad))
    check(ask("GET", "/config")[2] == kept and not os.path.exists(CHANGES + ".new"), "and nothing has changed")
    with open(CHANGES, "w", encoding="utf-8") as out:
        out.write("core.log.level: debug\n")
    check("by hand" in json.dumps(ask("PATCH", "/config", {"set": {"core.log.rate": "1"}})),
          "a file that people wrote is not lost")
    check(open(CHANGES, encoding="utf-8").read() == "core.log.level: debug\n", "it is as it was")
    os.unlink(CHANGES)


def reloads():
    before = ask("GET", "/stats")[1]["generation"]
    check(ask("POST", "/reload")[0] == 202, "a reload is accepted")
    check(wait_for(lambda: ask("GET", "/stats")[1]["generation"] == before + 1, 10), "and carried out")
    check(ask("POST", "/plugins/eve/reload")[0] == 202 and ask("POST", "/plugins/nobody/reload")[0] == 404 and
          ask("POST", "/plugins/e%20ve/reload")[0] == 404, "one by a plugin's name")
    check(wait_for(lambda: ask("GET", "/stats")[1]["generation"] == before + 2, 10), "too")


def by_hand():
    """ecyberctl says and does the same."""
    def ctl(*args):
        got = subprocess.run([os.environ["ECYBERCTL"], "-s", HERE + "/s", "-a", SOCK, *args], capture_output=True,
                             text=True,
                             timeout=30)
        return got.returncode, got.stdout, got.stderr

    code, text, _ = ctl("config", "get", "core.log.level")
    check(code == 0 and text.splitlines()[1:] == ["core.log.level\tinfo\tdefault\treload"], "config get", text)
    check(len(ctl("config", "get", "http")[1].splitlines()) > 5 and ctl("config", "get", "colour")[0] == 4,
          "a section, and none")
    code, text, _ = ctl("config", "set", "core.log.level=warning", "core.log.burst=30")
    check(code == 0 and text.splitlines()[1].split("\t")[:3] == ["core.log.level", "info", "warning"], "config set",
          text)
    check(any(line.startswith("core.log.burst\t30\t") for line in ctl("config", "diff")[1].splitlines()), "config diff")
    check(ctl("config", "set", "core.workers=2")[0] != 0 and ctl("config", "set", "core.workers")[0] == 2,
          "config set, refused")
    check(ctl("config", "reset", "core.log.level", "core.log.burst")[0] == 0 and
          option("core", "log.level")["value"] == "info",
          "config reset")


def audited():
    check(wait_for(lambda: len(audit()) == 3, 10), "three changes are in the audit log")
    items = audit()
    check(len(items) == 3 and '"before":"info","after":"debug"' in items[-1]["audit"]["detail"], "with what was before",
          items)


with open("ecyber.yaml", "w", encoding="utf-8") as conf:
    conf.write("core:\n  plugin_dirs: [%s]\n  plugins: [store, auth, http, eve, geoip]\n  state_dir: %s/state\n  control_socket: %s/s\n"
               "http:\n  listen: none\n  socket: %s\n" % (os.environ["EC_PLUGINDIR"], HERE, HERE, SOCK))
try:
    daemon()
    schema()
    validate()
    changes()
    refused()
    audited()
    by_hand()
    reloads()
    stop()
    daemon({"ECYBER_CORE__LOG__LEVEL": "warning"})
    got = ask("PATCH", "/config", {"set": {"core.log.level": "debug"}})
    check(got[0] == 422 and "ECYBER_CORE__LOG__LEVEL" in json.dumps(got[1]), "what the environment says goes before",
          got)
    stop()
    with open(CHANGES, "w", encoding="utf-8") as out:
        out.write("{\n  \"core.workers\": \"2\"\n}\n")
    ended = subprocess.run([os.environ["ECYBERD"], "-c", "ecyber.yaml"], stdout=-1, stderr=-1, text=True, timeout=8)
    check(ended.returncode == 6 and "changes.yaml:2:3" in ended.stderr, "a wrong file of changes is named at the start",
          ended.stderr)
    os.unlink(CHANGES)
    with open(".env", "w", encoding="utf-8") as out:
        out.write("SECRET_KEY=changeme\n")
    ended = subprocess.run([os.environ["ECYBERD"], "-c", "ecyber.yaml"], stdout=-1, stderr=-1, text=True, timeout=8)
    check(ended.returncode != 0 and "SECRET_KEY: the secret is refused" in ended.stderr,
          ".env's other names reach plugins",
          ended.stderr)
    env = {"SECRET_KEY": "q8Zr4LmXv1Ty7Ui0Op3AsDf6GhJk9ZxCv2Bn5Mw"}
    daemon(env)
    stop()
finally:
    if running and running.poll() is None:
        running.kill()
plan()
